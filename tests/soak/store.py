"""A hundred thousand messages through the comparison and the state file."""

from __future__ import annotations

from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mailtray.adapters.sqlite_state import SqliteStateStore
from mailtray.core import changes
from mailtray.core.model import (
    AccountId,
    Cursor,
    Delivery,
    FolderCount,
    Message,
    MessageId,
    ReadState,
)
from tests.soak.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailtray.core.model import Entry

ACCOUNT, FOLDER = AccountId("soak"), "inbox"
ROUND, UNREAD = 50, 300
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
FILE_MAX_BYTES = 5_000_000


def _message(n: int) -> Message:
    # Ids and links as long as Graph's.
    return Message(
        id=MessageId(f"AAMkA{n:0147d}"),
        subject=f"Minutes of meeting number {n}, with a subject of the usual length",
        sender_name="Grace Hopper",
        sender_address="grace@fabrikam.example",
        received=FIRST + timedelta(minutes=n),
        is_read=False,
        web_link=f"https://outlook.office365.com/owa/?ItemID={n:0152d}&exvsurl=1",
        internet_message_id=f"<{n:064d}@fabrikam.example>",
    )


def soak_store(path: Path, messages: int) -> Iterator[Figure]:
    """Let messages arrive, be told and be read, with a restart now and then."""
    store, told, largest = SqliteStateStore(path), Counter[str](), 0
    unread: deque[MessageId] = deque()
    seen = changes.diff(
        store.load(ACCOUNT, FOLDER),
        Delivery((), Cursor("0"), is_full=True, count=FolderCount(0, 0)),
    ).seen
    for start in range(0, messages, ROUND):
        arrived = [_message(n) for n in range(start, min(start + ROUND, messages))]
        entries: list[Entry] = [*arrived]
        unread.extend(message.id for message in arrived)
        while len(unread) > UNREAD:
            entries.append(ReadState(unread.popleft(), is_read=True))
        found = changes.diff(seen, Delivery(tuple(entries), Cursor(f"{start:0200d}")))
        told.update(message.id for message in found.arrived)
        seen = changes.advance(found, [message.id for message in found.arrived])
        store.save(ACCOUNT, FOLDER, seen)
        largest = max(largest, path.stat().st_size)
        if start % (ROUND * 100) == 0:
            store.close()
            store = SqliteStateStore(path)
            seen = store.load(ACCOUNT, FOLDER)
    store.close()
    yield Figure("store", "messages", messages)
    yield Figure("store", "largest state.db", largest, "B", FILE_MAX_BYTES)
    yield Figure("store", "messages not told", messages - len(told), bound=0)
    yield Figure("store", "messages told again", told.total() - len(told), bound=0)
