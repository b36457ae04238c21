"""Made-up mail for the tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mailtray.core.changes import keys
from mailtray.core.model import (
    Account,
    AccountId,
    Cursor,
    Delivery,
    FolderCount,
    Message,
    MessageId,
    ReadState,
    Removed,
    Seen,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailtray.core.model import Entry

SIX = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ANN = Account(AccountId("ann.home"), "ann@example.test", "Ann")


def mail(
    name: str,
    minute: int = 0,
    *,
    read: bool = False,
    subject: str = "",
    sender: str = "Bo",
    received: datetime | None = SIX,
) -> Message:
    """Return a message received ``minute`` minutes after six."""
    return Message(
        id=MessageId(name),
        subject=subject or f"Subject of {name}",
        sender_name=sender,
        received=None if received is None else received + timedelta(minutes=minute),
        is_read=read,
        internet_message_id=f"<{name}@example.test>",
    )


def became(name: str, *, read: bool) -> ReadState:
    return ReadState(MessageId(name), read)


def gone(name: str) -> Removed:
    return Removed(MessageId(name))


def round_of(
    *entries: Entry, full: bool = False, floor: datetime | None = None, unread: int | None = None
) -> Delivery:
    """Return a round; ``unread`` is the folder's own counter where it was asked for."""
    return Delivery(
        entries=entries,
        cursor=Cursor("next"),
        is_full=full,
        floor=floor,
        count=None if unread is None else FolderCount(unread, 1_000),
    )


def seen_of(
    *unread: Message,
    read: Iterable[Message] = (),
    untold: Iterable[Message] = (),
    floor: datetime | None = None,
    uncovered: int = 0,
) -> Seen:
    """Return what is remembered of a folder after its baseline."""
    waiting = tuple(untold)
    met = [*unread, *read]
    return Seen(
        cursor=Cursor("last"),
        known={key: 0 for message in met for key in keys(message)},
        floor=floor,
        unread={message.id: message for message in unread},
        untold=waiting,
        uncovered_unread=uncovered,
        told=frozenset(message.id for message in unread if message not in waiting),
        is_baseline=False,
    )


def names(messages: Iterable[Message]) -> list[str]:
    return [str(message.id) for message in messages]
