"""Mailboxes as a server keeps them: folders, a journal, delta rounds with their bad habits.

What a round tells of a message is worked out from the journal and the folder as it is now, the
way Graph does it, and not from a script. The habits that fault reports tell of are switches.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mailtray.core.errors import CursorExpired, MessageGone
from mailtray.core.model import (
    INBOX,
    AccountId,
    Act,
    Cursor,
    Delivery,
    FolderCount,
    FolderPlace,
    Message,
    MessageId,
    ReadState,
    Removed,
    UnreadList,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailtray.core.errors import MailSourceError, MailtrayError
    from mailtray.core.model import AccessToken, Account, Deed, Entry

FIRST_RECEIVED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass
class Habits:
    """How a server tells what changed.

    Attributes:
        forgets_returns: A message moved out and back between two rounds is reported as removed
            and never again until it changes (microsoftgraph/microsoft-graph-docs#21752).
        tells_in_part: A change of the read state comes with the id and the read state only.
        repeats: Each entry comes twice in its round.
        replays: Changes of this many earlier rounds come again.
        newest_first: Order of the entries; a server promises none.
    """

    forgets_returns: bool = True
    tells_in_part: bool = True
    repeats: bool = False
    replays: bool = False
    newest_first: bool = False


@dataclass(frozen=True)
class _Change:
    id: MessageId
    kind: str


@dataclass
class Mailbox:
    """One account's Inbox and the rest of its mailbox.

    Attributes:
        first_sync_messages: How many of the newest messages a full round brings.
        troubles: Raised by the coming calls, first first; each once.
        refusal: Raised by every call until it is ``None`` again.
        refusals: Why something is not done to a message, each time it is asked for.
        deeds: What was asked to be done, in order.
        calls: Names of the methods called, in order.
        cursors: Where the rounds started.
        floor: Since when a client that has read all full rounds is told of messages.
        hidden: Messages in the Inbox that the last round reported as removed.
    """

    first_sync_messages: int = 1_000
    habits: Habits = field(default_factory=Habits)
    messages: dict[MessageId, Message] = field(default_factory=dict)
    inbox: set[MessageId] = field(default_factory=set)
    troubles: list[MailtrayError] = field(default_factory=list)
    refusal: MailtrayError | None = None
    refusals: dict[MessageId, MailSourceError] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    cursors: list[Cursor | None] = field(default_factory=list)
    floor: datetime | None = None
    hidden: set[MessageId] = field(default_factory=set)
    _journal: list[_Change] = field(default_factory=list)
    _generation: int = 0
    _floors: dict[Cursor, datetime | None] = field(default_factory=dict)

    # -- what happens to the mail -------------------------------------------------------------

    def deliver(
        self, *names: str, is_read: bool = False, to_inbox: bool = True, minute: int | None = None
    ) -> None:
        """Deliver messages, each a minute after the one before."""
        for name in names:
            after = len(self.messages) if minute is None else minute
            self.messages[MessageId(name)] = Message(
                id=MessageId(name),
                subject=f"Subject of {name}",
                sender_name="Bo",
                received=FIRST_RECEIVED + timedelta(minutes=after),
                is_read=is_read,
                web_link=f"https://outlook.office.com/mail/{name}",
                internet_message_id=f"<{name}@example.test>",
            )
            if to_inbox:
                self.move_in(name)

    def mark(self, name: str, *, is_read: bool) -> None:
        """Mark a message, wherever it is."""
        message_id = MessageId(name)
        self.messages[message_id] = replace(self.messages[message_id], is_read=is_read)
        if message_id in self.inbox:
            self._note(message_id, "state")

    def move_in(self, name: str) -> None:
        """Move a message into the Inbox."""
        self.inbox.add(MessageId(name))
        self._note(MessageId(name), "in")

    def move_out(self, name: str) -> None:
        """Move a message out of the Inbox."""
        self.inbox.remove(MessageId(name))
        self._note(MessageId(name), "out")

    def delete(self, name: str) -> None:
        """Delete a message for good."""
        if MessageId(name) in self.inbox:
            self.move_out(name)
        del self.messages[MessageId(name)]

    def drop_sync_state(self) -> None:
        """Refuse every cursor handed out so far."""
        self._generation += 1

    def _note(self, message_id: MessageId, kind: str) -> None:
        self._journal.append(_Change(message_id, kind))

    # -- the truth ----------------------------------------------------------------------------

    def unread(self) -> set[MessageId]:
        """Return the unread messages of the Inbox."""
        return {one for one in self.inbox if not self.messages[one].is_read}

    def covered(self) -> set[MessageId]:
        """Return the messages of the Inbox that a client that has just polled has met."""
        return {
            one
            for one in self.inbox
            if (self.floor is None or self._received(one) >= self.floor)
            and (one not in self.hidden or one in self.unread())
        }

    def _received(self, message_id: MessageId) -> datetime:
        received = self.messages[message_id].received
        assert received is not None
        return received

    # -- the port's calls ---------------------------------------------------------------------

    def fetch(self, cursor: Cursor | None, *, with_count: bool) -> Delivery:
        """Run a round."""
        self._begin("fetch")
        self.cursors.append(cursor)
        if cursor is None:
            return self._full_round()
        generation, start = map(int, cursor.split("/"))
        if generation != self._generation:
            raise CursorExpired("The sync state is gone")
        floor = self._floors[cursor]
        entries = [entry for entry in self._entries(start) if self._is_since(floor, entry)]
        if self.habits.newest_first:
            entries.reverse()
        if self.habits.repeats:
            entries = [entry for entry in entries for _ in range(2)]
        counted = self.count_now() if entries or with_count else None
        return Delivery(
            tuple(entries), self._cursor(floor), count=counted, requests=2 if counted else 1
        )

    def _full_round(self) -> Delivery:
        newest_first = sorted(self.inbox, key=self._received, reverse=True)
        is_bounded = len(newest_first) > self.first_sync_messages
        floor = self._received(newest_first[self.first_sync_messages - 1]) if is_bounded else None
        newest = [one for one in newest_first if floor is None or self._received(one) >= floor]
        self.floor = max(filter(None, (self.floor, floor)), default=None)
        self.hidden.clear()
        return Delivery(
            tuple(self.messages[one] for one in newest),
            self._cursor(floor),
            is_full=True,
            floor=floor,
            count=self.count_now(),
            requests=2,
        )

    def _cursor(self, floor: datetime | None) -> Cursor:
        cursor = Cursor(f"{self._generation}/{len(self._journal)}")
        self._floors[cursor] = floor
        return cursor

    def _is_since(self, floor: datetime | None, entry: Entry) -> bool:
        message = self.messages.get(entry.id)
        if floor is None or message is None or message.received is None:
            return True
        return message.received >= floor

    def _entries(self, start: int) -> list[Entry]:
        kinds: dict[MessageId, list[str]] = {}
        for change in self._journal[start:]:
            kinds.setdefault(change.id, []).append(change.kind)
        replayed: list[Entry] = []
        if self.habits.replays:
            earlier = {change.id for change in self._journal[max(0, start - 4) : start]}
            replayed = [self._as_it_is(one) for one in sorted(earlier - kinds.keys() - self.hidden)]
        return replayed + [self._told(one, changes) for one, changes in kinds.items()]

    def _as_it_is(self, message_id: MessageId) -> Entry:
        return self.messages[message_id] if message_id in self.inbox else Removed(message_id)

    def _told(self, message_id: MessageId, kinds: list[str]) -> Entry:
        told = "state"
        for kind in kinds:
            if kind == "in" and told == "out" and self.habits.forgets_returns:
                continue
            told = "state" if kind == "state" and told != "in" else kind
        if told == "out":
            self.hidden |= self.inbox & {message_id}
            return Removed(message_id)
        self.hidden.discard(message_id)
        if told == "state" and self.habits.tells_in_part and message_id in self.inbox:
            return ReadState(message_id, self.messages[message_id].is_read)
        return self._as_it_is(message_id)

    def count_now(self) -> FolderCount:
        """Return the folder's counters."""
        return FolderCount(len(self.unread()), len(self.inbox), folder_id="AAinb")

    def count(self) -> FolderCount:
        """Return the folder's counters, asked for by themselves."""
        self._begin("count")
        return self.count_now()

    def list_unread(self, *, since: datetime | None, limit: int) -> UnreadList:
        """List the newest unread messages."""
        self._begin("list_unread")
        newest_first = sorted(self.unread(), key=self._received, reverse=True)
        listed = [
            self.messages[one]
            for one in newest_first
            if since is None or self._received(one) >= since
        ]
        return UnreadList(tuple(listed[:limit]), is_complete=len(listed) <= limit)

    def folders(self) -> tuple[FolderPlace, ...]:
        """Tell the folders."""
        self._begin("folders")
        count = self.count_now()
        return (FolderPlace("AAinb", "Inbox", count.unread, count.total),)

    def do(self, deeds: Sequence[Deed]) -> tuple[MailSourceError | None, ...]:
        """Do things to messages."""
        self._begin("do")
        self.deeds += deeds
        return tuple(self._done(deed) for deed in deeds)

    def _done(self, deed: Deed) -> MailSourceError | None:
        if deed.message not in self.messages:
            return MessageGone("The message is no longer there")
        if deed.message in self.refusals:
            return self.refusals[deed.message]
        if deed.act is not Act.MOVE:
            self.mark(deed.message, is_read=deed.act is Act.MARK_READ)
        elif deed.destination == INBOX and deed.message not in self.inbox:
            self.move_in(deed.message)
        elif deed.destination != INBOX and deed.message in self.inbox:
            self.move_out(deed.message)
        return None

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        if self.troubles:
            raise self.troubles.pop(0)
        if self.refusal is not None:
            raise self.refusal


class Mailboxes:
    """A ``MailSource`` over one mailbox an account; a token's secret begins with its account."""

    def __init__(self, *accounts: Account) -> None:
        self._boxes = {account.id: Mailbox() for account in accounts}
        self.is_closed = False

    def of(self, account: Account) -> Mailbox:
        """Return an account's mailbox."""
        return self._boxes[account.id]

    def _named_by(self, token: AccessToken) -> Mailbox:
        return self._boxes[AccountId(token.secret.rpartition("-")[0])]

    def fetch(
        self,
        token: AccessToken,
        folder: str,  # noqa: ARG002 - there is only the Inbox
        cursor: Cursor | None,
        *,
        with_count: bool,
    ) -> Delivery:
        return self._named_by(token).fetch(cursor, with_count=with_count)

    def count(self, token: AccessToken, folder: str) -> FolderCount:  # noqa: ARG002 - as above
        return self._named_by(token).count()

    def list_unread(
        self,
        token: AccessToken,
        folder: str,  # noqa: ARG002 - there is only the Inbox
        *,
        since: datetime | None,
        limit: int,
    ) -> UnreadList:
        return self._named_by(token).list_unread(since=since, limit=limit)

    def folders(
        self,
        token: AccessToken,
        mailbox: str,  # noqa: ARG002 - nothing is shared
    ) -> tuple[FolderPlace, ...]:
        return self._named_by(token).folders()

    def do(self, token: AccessToken, deeds: Sequence[Deed]) -> tuple[MailSourceError | None, ...]:
        return self._named_by(token).do(deeds)

    def close(self) -> None:
        self.is_closed = True
