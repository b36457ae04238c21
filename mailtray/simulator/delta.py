"""The rounds of messages/delta: what each page holds, and the tokens that lead on.

A token is opaque to the client. Here it stands for a folder, the options of the first
request and a place: either "all changes up to number n are told" or "this far in this round".

Source: learn.microsoft.com/graph/delta-query-messages and
learn.microsoft.com/graph/api/message-delta.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple

from mailtray.simulator.knobs import Knobs
from mailtray.simulator.mailbox import Change, Folder, Mailbox

FILTERED_ROUND_LIMIT = 5_000
"""A first round with ``$filter`` lists no more than this."""
KEPT_TOKENS = 20_000
"""Older tokens fall out of the service's cache and are answered 410."""
DEFAULT_PAGE_SIZE = 10

ItemKind = Literal["full", "read", "removed"]


@dataclass(frozen=True)
class DeltaOptions:
    """What the first request of a series asked for; later ones inherit it."""

    select: frozenset[str] | None = None
    """Properties asked for; ``None`` for all."""
    at_least: datetime | None = None
    """Only messages received at or after this moment."""
    newest_first: bool = False
    change_types: frozenset[str] = frozenset({"created", "updated", "deleted"})
    page_size: int = DEFAULT_PAGE_SIZE

    @property
    def sees_is_read(self) -> bool:
        """Without isRead in ``$select``, changes of it are not reported."""
        return self.select is None or "isRead" in self.select


class Item(NamedTuple):
    """One line of a page: which message, and how much of it is told."""

    kind: ItemKind
    key: str
    rest_id: str
    is_read: bool | None
    """The value at the time of the change, where a round tells of several; else ``None``."""


@dataclass(frozen=True)
class Place:
    """What a token stands for."""

    username: str
    folder_id: str
    options: DeltaOptions
    since: int
    """Changes up to this number are told once the round is over."""
    previous: int
    """The `since` of the round before, for replays."""
    pending: tuple[Item, ...] | None = None
    """The lines of a round under way; ``None`` between two rounds."""
    position: int = 0

    @property
    def is_between_rounds(self) -> bool:
        """True for a deltaLink's token, false for a nextLink's."""
        return self.pending is None


class DeltaTokens:
    """Token to place, the oldest forgotten first."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, Place] = OrderedDict()

    def issue(self, place: Place) -> str:
        """Make a token for a place."""
        token = secrets.token_urlsafe(24)
        self._places[token] = place
        while len(self._places) > KEPT_TOKENS:
            self._places.popitem(last=False)
        return token

    def find(self, token: str) -> Place | None:
        """Return the place of a token, or ``None`` if it is gone."""
        return self._places.get(token)

    def drop(self, username: str | None) -> None:
        """Forget the tokens of one account, or all."""
        kept = ((t, p) for t, p in self._places.items() if username not in {None, p.username})
        self._places = OrderedDict(kept)


def first_round(mailbox: Mailbox, folder: Folder, username: str, options: DeltaOptions) -> Place:
    """Begin a series: everything in the folder that the filter lets through."""
    keys = list(folder.keys(at_least=options.at_least, newest_first=options.newest_first))
    if options.at_least is not None:
        keys = keys[:FILTERED_ROUND_LIMIT]
    items = tuple(Item("full", key, mailbox.messages[key].rest_id, None) for key in keys)
    return Place(username, folder.id, options, mailbox.seq, mailbox.seq, items)


def next_round(mailbox: Mailbox, place: Place, knobs: Knobs, *, immutable: bool) -> Place:
    """Begin the round after the one a deltaLink closed: only what changed since."""
    folder = mailbox.folders[place.folder_id]
    since = place.previous if knobs.replay_changes else place.since
    by_key: dict[str, list[Change]] = {}
    for change in folder.since(since):
        if _is_reported(change, place.options):
            by_key.setdefault(change.key, []).append(change)
    items: list[Item] = []
    for key, changes in by_key.items():
        current = mailbox.messages.get(key)
        inside = current is not None and current.folder_id == folder.id
        items += _tell(changes, knobs, immutable=immutable, inside=inside)
    wanted = [item for item in items if _wants(item, by_key[item.key], place.options)]
    return replace(
        place, previous=place.since, since=mailbox.seq, pending=tuple(wanted), position=0
    )


def _is_reported(change: Change, options: DeltaOptions) -> bool:
    if change.kind == "read" and not options.sees_is_read:
        return False
    return options.at_least is None or change.received >= options.at_least


def _wants(item: Item, changes: list[Change], options: DeltaOptions) -> bool:
    if item.kind == "removed":
        return "deleted" in options.change_types
    created = any(change.kind == "created" for change in changes)
    return ("created" if created else "updated") in options.change_types


def _tell(changes: list[Change], knobs: Knobs, *, immutable: bool, inside: bool) -> list[Item]:
    """Fold the changes of one message into the lines a round has for it."""
    first, last = changes[0], changes[-1]
    gone = [c for c in changes if c.kind == "removed"]
    if not inside:
        return [Item("removed", last.key, gone[-1].rest_id if gone else last.rest_id, None)]
    if not gone:
        return _tell_present(changes, knobs)
    if immutable and knobs.pin_hidden_moves and first.kind != "created":
        return [Item("removed", last.key, last.rest_id, None)]
    back = Item("full", last.key, last.rest_id, None)
    if immutable:
        return [back]
    # Under ordinary ids the message that left and the one that came back are two.
    return [*(Item("removed", c.key, c.rest_id, None) for c in gone), back]


def _tell_present(changes: list[Change], knobs: Knobs) -> list[Item]:
    def item(change: Change, *, is_read: bool | None) -> Item:
        partial = change.kind == "read" and knobs.isread_partial
        return Item("read" if partial else "full", change.key, change.rest_id, is_read)

    if knobs.repeat_items:
        return [item(change, is_read=change.is_read) for change in changes]
    fullest = next((c for c in changes if c.kind != "read"), changes[-1])
    return [item(fullest, is_read=None)]
