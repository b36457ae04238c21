"""Applies the person's rules to the messages of an account's folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.app.watch import Uncounted
from mailtray.core.rules import Context, Rulebook, Verdict, judge, uncounted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailtray.app.watch import Watch
    from mailtray.app.world import Wishes
    from mailtray.core.model import Account, Changes, MessageId
    from mailtray.core.rules import Ruling
    from mailtray.core.settings import Settings


class Judge:
    """Knows the rules that are in force; used by the poller only.

    Args:
        wishes: The settings.
    """

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._read: Settings | None = None
        self._rules = Rulebook()

    @property
    def rules(self) -> Rulebook:
        """The rules of the settings as they are now."""
        settings = self._wishes.settings
        if settings is not self._read:
            self._read, self._rules = settings, rulebook(settings)
        return self._rules

    def rule(self, watch: Watch, found: Mapping[str, Changes]) -> Mapping[MessageId, Ruling]:
        """Decide what becomes of what came into an account's folders.

        One that came into several is told of where it is in any of them.
        """
        rulings: dict[MessageId, Ruling] = {}
        for key, changes in found.items():
            if not changes.arrived:
                continue
            context = self._context(watch, key)
            for message in changes.arrived:
                ruling = judge(message, context, self.rules)
                if ruling.verdict is Verdict.NOTIFY or message.id not in rulings:
                    rulings[message.id] = ruling
        return rulings

    def uncounted(self, watch: Watch) -> frozenset[MessageId]:
        """Return the unread messages of an account that its person does not want counted."""
        if not self.rules.ignores:
            return frozenset()
        for key, seen in watch.seen.items():
            kept = watch.uncounted.get(key)
            if kept is None or kept.unread is not seen.unread or kept.rules is not self.rules:
                found = uncounted(seen.unread.values(), self._context(watch, key), self.rules)
                watch.uncounted[key] = Uncounted(seen.unread, self.rules, found)
        return frozenset(one for key in watch.seen for one in watch.uncounted[key].ids)

    def _context(self, watch: Watch, key: str) -> Context:
        wish, place = watch.place_of(key)
        return context_of(
            self._wishes.settings, watch.account, key, wish=wish.words, path=place.path
        )


def rulebook(settings: Settings) -> Rulebook:
    """Return the rules of the settings, made ready to be tried."""
    return Rulebook(
        settings.rules,
        vip=settings.vip,
        muted=settings.muted,
        own_mail=Verdict(settings.own_mail),
        focused_only=settings.focused_only,
    )


def context_of(
    settings: Settings, account: Account, key: str, *, wish: str = "", path: str = ""
) -> Context:
    """Return what rules ask of where a message came.

    Args:
        settings: The settings.
        account: Whose mailbox it is.
        key: The folder's key.
        wish: As what the settings name the folder.
        path: What the mailbox calls it.
    """
    return Context(
        account=account.username,
        addresses=frozenset(settings.account(account.username).addresses),
        folder=key,
        wish=wish,
        path=path,
        sound=settings.sound_for(account.username),
    )
