"""What the list holds, and what a key does to it: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from mailtray.core import text
from mailtray.core.errors import MailtrayError
from mailtray.core.language import N_, _
from mailtray.core.peace import Quiet, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

PAGE_ROWS = 10

Request = Mapping[str, str]
"""What is asked of the program; see :class:`mailtray.app.commands.Ask`."""
Key = tuple[str, str]
"""A message's account, by username, and its id."""
LOOKED: Request = {"command": "looked"}


@dataclass(frozen=True, slots=True)
class Row:
    """An unread message."""

    account: str
    id: str
    sender: str
    subject: str
    received: datetime | None

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.account, self.id


@dataclass(frozen=True, slots=True)
class Part:
    """One account.

    Attributes:
        state: As ``mailtray status --json`` has it.
        words: What it needs to be told of, each on a line of its own; an error's title first.
        link: A page for an administrator, or empty.
    """

    username: str
    state: str
    unread: int
    new: int
    checked: datetime | None
    words: tuple[str, ...]
    link: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class News:
    """How the program is.

    Attributes:
        words: What there is to say of the program where there is no account.
    """

    parts: tuple[Part, ...]
    words: tuple[str, ...]
    link: str
    quiet: Quiet | None
    new: int

    @property
    def rows(self) -> tuple[Row, ...]:
        """The messages of all accounts."""
        return tuple(row for part in self.parts for row in part.rows)


NOTHING = News(parts=(), words=(), link="", quiet=None, new=0)


def read(state: Mapping[str, Any]) -> News:
    """Read what the program answers to ``status``."""
    parts = tuple(map(_part, state["accounts"]))
    why, until = state["quiet"], _moment(state["paused_until"])
    return News(
        parts=parts,
        words=() if parts else tuple(state["tooltip"].splitlines()),
        link=state["link"] or "",
        quiet=None if why is None else Quiet(Why(why), until),
        new=state["new"],
    )


def _part(account: Mapping[str, Any]) -> Part:
    username = account["username"]
    words = (account["error"], account["hint"], account["notice"])
    return Part(
        username=username,
        state=account["state"],
        unread=account["unread"],
        new=account["new"],
        checked=_moment(account["checked"]),
        words=tuple(one for one in words if one),
        link=account["link"] or "",
        rows=tuple(
            Row(username, one["id"], one["from"], one["subject"], _moment(one["received"]))
            for one in account["messages"]
        ),
    )


def _moment(words: str | None) -> datetime | None:
    return None if words is None else datetime.fromisoformat(words)


class Mode(Enum):
    """What is in front."""

    LIST = auto()
    HELP = auto()
    PAUSES = auto()


@dataclass(frozen=True, slots=True)
class Listing:
    """The list.

    Attributes:
        chosen: The message that keys are about, if there is any.
        under_way: Messages to which something is being done.
        undoable: Messages to which something was done here, the last one last.
        note: What became of the last key, until the next.
        is_over: True once the person wants to leave.
    """

    news: News = NOTHING
    chosen: Key | None = None
    under_way: frozenset[Key] = frozenset()
    undoable: tuple[Key, ...] = ()
    mode: Mode = Mode.LIST
    note: str = ""
    is_checking: bool = False
    is_over: bool = False


def take(listing: Listing, news: News) -> Listing:
    """Take over how it is now; what was chosen stays so, or else the message next to it."""
    here = [row.key for row in news.rows]
    chosen = _nearest(listing, here) or (here[0] if here else None)
    return replace(listing, news=news, chosen=chosen, under_way=listing.under_way & set(here))


def _nearest(listing: Listing, wanted: Container[Key]) -> Key | None:
    """Return the chosen message or the first one below it that is wanted, else one above."""
    keys = [row.key for row in listing.news.rows]
    at = _index(listing)
    candidates = [*keys[at:], *reversed(keys[:at])]
    return next((key for key in candidates if key in wanted), None)


def _index(listing: Listing) -> int:
    keys = [row.key for row in listing.news.rows]
    return keys.index(listing.chosen) if listing.chosen in keys else 0


# -- keys -----------------------------------------------------------------------------------------


def press(listing: Listing, key: str) -> tuple[Listing, Request | None]:
    """Do what a key stands for; returns also what to ask the program for, if anything.

    Args:
        listing: The list.
        key: A character, or a name of :mod:`mailtray.terminal.ears`.
    """
    listing = replace(listing, note="")
    if key == "interrupt":
        return replace(listing, is_over=True), None
    if listing.mode is Mode.PAUSES:
        return replace(listing, mode=Mode.LIST), _pause(key)
    if listing.mode is Mode.HELP:
        return replace(listing, mode=Mode.LIST), None
    if key in _MOVES:
        return _moved(listing, _MOVES[key]), None
    do = _KEYS.get(key)
    return (listing, None) if do is None else do(listing)


_MOVES = {
    "up": -1, "k": -1, "down": 1, "j": 1, "page_up": -PAGE_ROWS, "page_down": PAGE_ROWS,
    "home": -1_000_000, "end": 1_000_000,
}  # fmt: skip


def _moved(listing: Listing, by: int) -> Listing:
    rows = listing.news.rows
    if not rows:
        return listing
    at = max(0, min(_index(listing) + by, len(rows) - 1))
    return replace(listing, chosen=rows[at].key)


def _act(action: str) -> Callable[[Listing], tuple[Listing, Request | None]]:
    def do(listing: Listing) -> tuple[Listing, Request | None]:
        key = listing.chosen
        if key is None or key in listing.under_way:
            return listing, None
        request = _about(key, action)
        if action == "open":
            return listing, request
        under_way = listing.under_way | {key}
        left = {row.key for row in listing.news.rows} - under_way
        return replace(
            listing,
            chosen=_nearest(listing, left) or key,
            under_way=under_way,
            undoable=(*listing.undoable, key),
        ), request

    return do


def _about(key: Key, action: str) -> Request:
    account, message = key
    return {"command": "act", "account": account, "id": message, "action": action}


def _undo(listing: Listing) -> tuple[Listing, Request | None]:
    if not listing.undoable:
        return replace(listing, note=_("There is nothing to undo.")), None
    *rest, key = listing.undoable
    return replace(listing, undoable=tuple(rest)), _about(key, "undo")


def _check(listing: Listing) -> tuple[Listing, Request | None]:
    if listing.is_checking:
        return listing, None
    return replace(listing, is_checking=True), {"command": "check"}


def _pause_or_resume(listing: Listing) -> tuple[Listing, Request | None]:
    quiet = listing.news.quiet
    if quiet is not None and quiet.why is Why.PAUSED:
        return listing, {"command": "resume"}
    return replace(listing, mode=Mode.PAUSES), None


def _pause(key: str) -> Request | None:
    wishes = {str(number): wish for number, (_label, wish) in enumerate(text.MENU_PAUSES, 1)}
    return {"command": "pause", "for": wishes[key]} if key in wishes else None


_KEYS: Mapping[str, Callable[[Listing], tuple[Listing, Request | None]]] = {
    "enter": _act("open"),
    "o": _act("open"),
    "r": _act("mark_read"),
    "a": _act("archive"),
    "d": _act("delete"),
    "u": _undo,
    "c": _check,
    "p": _pause_or_resume,
    "?": lambda listing: (replace(listing, mode=Mode.HELP), None),
    "q": lambda listing: (replace(listing, is_over=True), None),
}

_DONE = {
    "mark_read": N_("Marked as read; u undoes it."),
    "archive": N_("Archived; u undoes it."),
    "delete": N_("Deleted; u undoes it."),
    "undo": N_("Undone."),
}


def answered(
    listing: Listing, request: Request, answer: Mapping[str, object] | MailtrayError
) -> Listing:
    """Take what became of a request."""
    if request is LOOKED:
        return listing
    note = _said(answer) if isinstance(answer, MailtrayError) else ""
    if request["command"] == "check":
        return replace(listing, is_checking=False, note=note or listing.note)
    if request["command"] != "act":
        return replace(listing, note=note or listing.note)
    key, action = (request["account"], request["id"]), request["action"]
    if isinstance(answer, MailtrayError):
        return replace(_left(listing, key), note=note)
    if answer.get("state") == "waiting":
        why = _("Not done yet: {reason}").format(reason=answer["why"])
        return replace(_left(listing, key), note=why)
    under_way = listing.under_way - ({key} if action == "undo" else set())
    return replace(listing, note=_(_DONE[action]) if action in _DONE else "", under_way=under_way)


def _said(error: MailtrayError) -> str:
    return f"{error.title}. {error.hint}" if error.hint else error.title


def _left(listing: Listing, key: Key) -> Listing:
    """Show a message as one to which nothing was done."""
    undoable = tuple(one for one in listing.undoable if one != key)
    return replace(listing, under_way=listing.under_way - {key}, undoable=undoable)


def helps() -> Sequence[tuple[str, str]]:
    """Return each key, and what it does."""
    return (
        (_("↑ ↓ or k j"), _("choose a message")),
        (_("Enter or o"), _("open it in the browser")),
        ("r", _("mark it as read")),
        ("a", _("archive it")),
        ("d", _("delete it")),
        ("u", _("undo what you did last")),
        ("c", _("check for mail now")),
        ("p", _("pause notifications, or resume them")),
        ("q", _("leave the list; mailtray goes on running")),
    )
