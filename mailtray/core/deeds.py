"""What the person wants done to messages, how far it is done, and how it is undone.

An errand is one wish: a button, a line of the menu, a request of another process. It waits until
the mailbox can be changed, is done in steps that each fit into one poll, and is idempotent: what
was done and not heard of is done again, or found done.

Source: learn.microsoft.com/graph, "message: move" (well-known names of folders).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from mailtray.core import folders
from mailtray.core.changes import keys
from mailtray.core.model import Act, Deed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from mailtray.core.errors import MailSourceError
    from mailtray.core.model import Message, MessageId, Seen

STEP_DEEDS = 200
"""How many messages one poll changes at most."""
TRIES_MAX = 5
"""How often an errand is tried while the mailbox can be read."""
UNDO_S = 30.0
"""How long what was done can be undone, in seconds."""


class Action(StrEnum):
    """What a person can wish for; the values are those of settings, menus and other processes."""

    MARK_READ = "mark_read"
    ARCHIVE = "archive"
    DELETE = "delete"
    MARK_ALL_READ = "mark_all_read"
    UNDO = "undo"


ON_MESSAGES = (Action.MARK_READ, Action.ARCHIVE, Action.DELETE)
"""What can be done to single messages, in the order in which it is offered."""
_DESTINATIONS = {Action.ARCHIVE: "archive", Action.DELETE: "deleteditems"}


@dataclass(frozen=True, slots=True)
class Older:
    """The unread messages of a folder that only its counter knows of.

    Attributes:
        before: They were received before it; aware UTC.
    """

    folder: str
    before: datetime


@dataclass(frozen=True, slots=True)
class Errand:
    """One wish of the person's.

    Attributes:
        deeds: What is left to do, message by message.
        subject: Of its one message, as it may be shown; empty where there are several.
        older: Folders whose older messages, too, are to be marked as read.
        done: What was done so far.
        undone: What could not be done.
        tries: How often what is left was begun without it being known what became of it.
    """

    action: Action
    deeds: tuple[Deed, ...]
    subject: str = ""
    older: tuple[Older, ...] = ()
    done: tuple[Deed, ...] = ()
    undone: tuple[Deed, ...] = ()
    tries: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.deeds or self.older)

    @property
    def ids(self) -> tuple[MessageId, ...]:
        """The messages it is about, as far as they are known."""
        found = (*self.done, *self.undone, *self.deeds)
        return tuple(dict.fromkeys(deed.message for deed in found))


@dataclass(frozen=True, slots=True)
class Step:
    """What one poll does before it reads.

    Attributes:
        scopes: The permissions that it takes.
    """

    scopes: tuple[str, ...]
    deeds: tuple[Deed, ...]
    older: tuple[Older, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step.

    Attributes:
        deeds: Each thing that was tried, with why it was not done, or ``None``.
        older: Folders of which there is more to mark.
    """

    deeds: Mapping[Deed, MailSourceError | None]
    older: tuple[Older, ...] = ()


# -- wishes -----------------------------------------------------------------------------------


def errand(action: Action, messages: Mapping[Message, str], subject: str = "") -> Errand:
    """Return the errand of doing something to messages.

    Args:
        action: One of ``ON_MESSAGES``.
        messages: Each with the key of the folder that it is in.
        subject: See :class:`Errand`.
    """
    destination = _DESTINATIONS.get(action, "")
    act = Act.MOVE if destination else Act.MARK_READ
    deeds = [Deed(act, message.id, folder, destination) for message, folder in messages.items()]
    return Errand(action, tuple(deeds), subject)


def mark_all(found: Mapping[str, Seen]) -> Errand:
    """Return the errand of marking as read what is unread in folders now, and nothing later."""
    deeds = [
        Deed(Act.MARK_READ, message_id, folder)
        for folder, seen in found.items()
        for message_id in seen.unread
    ]
    older = [
        Older(folder, datetime.fromtimestamp(max(seen.known.values()), UTC))
        for folder, seen in found.items()
        if seen.uncovered_unread > 0 and seen.known
    ]
    return Errand(Action.MARK_ALL_READ, tuple(deeds), older=tuple(older))


def undoing(one: Errand) -> Errand:
    """Return the errand of undoing what was done."""
    return Errand(Action.UNDO, tuple(map(_opposite, one.done)), one.subject)


def _opposite(deed: Deed) -> Deed:
    if deed.act is Act.MOVE:
        return replace(deed, destination=folders.split(deed.folder)[1])
    return replace(deed, act=Act.MARK_UNREAD)


# -- steps ------------------------------------------------------------------------------------


def step(errands: Iterable[Errand], scopes: tuple[str, ...]) -> Step:
    """Return what of some errands fits into one poll, in their order."""
    deeds: dict[Deed, None] = {}
    older: tuple[Older, ...] = ()
    for one in errands:
        deeds |= dict.fromkeys(one.deeds)
        if len(deeds) > STEP_DEEDS:
            break
        older = older or one.older
    return Step(scopes, tuple(deeds)[:STEP_DEEDS], older)


def older_deeds(older: Older, listed: Iterable[Message], seen: Seen | None) -> tuple[Deed, ...]:
    """Return what of a listing was there when the person wished all to be marked as read.

    A message that was never met, or that is told of now, is news, however old it is: it may have
    been moved into the folder since.
    """
    return tuple(
        Deed(Act.MARK_READ, message.id, older.folder)
        for message in listed
        if message.received is not None
        and message.received < older.before
        and _is_met(message, message.received, seen)
    )


def _is_met(message: Message, received: datetime, seen: Seen | None) -> bool:
    if seen is None:
        return False
    if message.id in seen.told or any(message.id == one.id for one in seen.untold):
        return False
    is_too_old = seen.floor is not None and received < seen.floor
    return is_too_old or any(key in seen.known for key in keys(message))


def begun(one: Errand, step: Step) -> Errand:
    """Return an errand with one try more where the step has a part in it."""
    return replace(one, tries=one.tries + 1) if _is_in(one, step) else one


def _is_in(one: Errand, step: Step) -> bool:
    return any(deed in step.deeds for deed in one.deeds) or one.older == step.older != ()


def not_begun(one: Errand, step: Step) -> Errand:
    """Return an errand without its last try where the step never left."""
    return replace(one, tries=max(0, one.tries - 1)) if _is_in(one, step) else one


def after_step(one: Errand, was: Step, outcome: Outcome) -> Errand:
    """Return what is left of an errand after a step."""
    tried = outcome.deeds
    beyond = tried.keys() - set(was.deeds) if one.older and one.older == was.older else set()
    mine = [deed for deed in tried if deed in one.deeds or deed in beyond]
    return replace(
        one,
        deeds=tuple(deed for deed in one.deeds if deed not in tried),
        older=outcome.older if one.older == was.older else one.older,
        done=(*one.done, *(deed for deed in mine if tried[deed] is None)),
        undone=(*one.undone, *(deed for deed in mine if tried[deed] is not None)),
        tries=0,
    )


def after_gap(one: Errand, unread: Collection[MessageId]) -> Errand:
    """Return what is left of an errand once it is known what happened while it waited.

    What is unread no longer was dealt with elsewhere or, where the errand was begun, by itself.

    Args:
        one: The errand.
        unread: The messages that are still unread in the watched folders.
    """
    if one.action is Action.UNDO:
        return one
    gone = [deed for deed in one.deeds if deed.message not in unread]
    return replace(
        one,
        deeds=tuple(deed for deed in one.deeds if deed.message in unread),
        done=(*one.done, *gone) if one.tries else one.done,
        undone=one.undone if one.tries else (*one.undone, *gone),
    )
