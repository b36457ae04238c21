"""Messages as a person has them at hand: copied from Graph, or written by hand.

Written by hand a message has the keys that conditions of rules have.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from mailtray.adapters import graph_json
from mailtray.core.language import _
from mailtray.core.model import Message
from mailtray.core.rules import MEETINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = frozenset({"from", "sender", "subject", "toRecipients"})
"""What has none of these is no message."""
_NAMED = re.compile(r"(.*?)\s*<([^<>]*)>\s*")


def read(content: bytes) -> tuple[Message, ...]:
    """Decode one message, a list of them, or one of Graph's pages; an id or a time may be missing.

    Raises:
        ValueError: There is none in it; says why.
    """
    try:
        found = json.loads(content)
    except json.JSONDecodeError as exc:
        raise ValueError(_("is not JSON from line {number} on").format(number=exc.lineno)) from exc
    except (UnicodeDecodeError, RecursionError) as exc:
        raise ValueError(_("is not JSON")) from exc
    if isinstance(found, dict) and isinstance(found.get("value"), list):
        found = found["value"]
    items = found if isinstance(found, list) else [found]
    as_graph = [_as_graph(item, number) for number, item in enumerate(items, 1)]
    entries = graph_json.page(json.dumps({"value": as_graph}).encode()).entries
    messages = tuple(entry for entry in entries if isinstance(entry, Message))
    if not messages:
        raise ValueError(_("has no message in it"))
    return messages


def _as_graph(item: object, number: int) -> Mapping[str, object]:
    """Return a message with the keys that Graph has.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(item, dict) or _KNOWN.isdisjoint(item):
        raise ValueError(
            _("message {number} has neither “from” nor “subject”").format(number=number)
        )
    found = {"receivedDateTime": None, **item, "id": str(item.get("id") or number)}
    if isinstance(item.get("from"), str):
        found["from"] = _recipient(item["from"])
    for key, theirs in (("to", "toRecipients"), ("cc", "ccRecipients")):
        if key in item:
            given = item[key] if isinstance(item[key], list) else [item[key]]
            found[theirs] = [_recipient(str(each)) for each in given]
    if "focused" in item:
        found["inferenceClassification"] = "focused" if item["focused"] else "other"
    if (kind := MEETINGS.get(str(item.get("meeting")))) is not None:
        found["meetingMessageType"] = kind.value
    return found


def _recipient(words: str) -> Mapping[str, object]:
    named = _NAMED.fullmatch(words)
    name, address = (named[1], named[2]) if named else ("", words)
    return {"emailAddress": {"name": name.strip('" '), "address": address.strip()}}
