"""Rules tried on the mail that is known, as another process asks for it; nothing changes by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailtray.app import answers
from mailtray.app.judge import context_of, rulebook
from mailtray.core.rules import judge, parse_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mailtray.app.watch import Watch
    from mailtray.core.model import Message
    from mailtray.core.rules import Context
    from mailtray.core.settings import Settings

TRIED_MAX = 25
"""The newest of each account say enough."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def tried(
    watches: Iterable[Watch], settings: Settings, request: Mapping[str, object]
) -> Mapping[str, object]:
    """Return what becomes of each account's newest unread messages, and why.

    Args:
        watches: The accounts.
        settings: The settings.
        request: With ``rules`` as TOML has them; without, those of the settings count.
    """
    try:
        rules = parse_rules(request["rules"]) if "rules" in request else settings.rules
    except ValueError as error:
        return {"done": True, "error": str(error), "kind": "settings"}
    book = rulebook(replace(settings, rules=rules))
    accounts = [
        {
            "username": watch.account.username,
            "messages": [
                answers.judged(one, judge(one, context, book))
                for one, context in _newest(watch, settings)
            ],
        }
        for watch in watches
    ]
    return {"done": True, "accounts": accounts}


def _newest(watch: Watch, settings: Settings) -> list[tuple[Message, Context]]:
    known = sorted(
        _known(watch, settings), key=lambda one: one[0].received or _LONG_AGO, reverse=True
    )
    return known[:TRIED_MAX]


def _known(watch: Watch, settings: Settings) -> Iterator[tuple[Message, Context]]:
    for key in watch.keys:
        if key in watch.seen:
            wish, place = watch.place_of(key)
            context = context_of(settings, watch.account, key, wish=wish.words, path=place.path)
            for message in watch.seen[key].unread.values():
                yield message, context
