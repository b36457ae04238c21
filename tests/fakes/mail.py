"""Mailboxes in memory, with delta rounds over a journal of changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from mailtray.core import folders
from mailtray.core.errors import CursorExpired, MailboxUnavailable, MailSourceError, MessageGone
from mailtray.core.model import (
    INBOX,
    AccessToken,
    Act,
    Cursor,
    Deed,
    Delivery,
    Entry,
    FolderCount,
    FolderPlace,
    Message,
    MessageId,
    ReadState,
    Removed,
    UnreadList,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIRST_RECEIVED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass
class _Folder:
    path: str = ""
    messages: dict[MessageId, Message] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    generation: int = 0


class FakeMail:
    """One person's mail and what is shared with them; tokens are not looked at.

    Attributes:
        first_sync_messages: How many of the newest messages a full round brings.
        troubles: Raised by the coming calls, first first; each once.
        closed: Why a folder cannot be read, each time it is asked for, by key.
        refusals: Why something is not done to a message, each time it is asked for.
        unread_nobody_sees: Added to the folder's own counter, as for mail that delta forgets.
        calls: Names of the methods called, in order.
    """

    def __init__(self, *, first_sync_messages: int = 2_000) -> None:
        self.first_sync_messages = first_sync_messages
        self.troubles: list[MailSourceError] = []
        self.closed: dict[str, MailSourceError] = {}
        self.refusals: dict[MessageId, MailSourceError] = {}
        self.unread_nobody_sees = 0
        self.calls: list[str] = []
        self._folders: dict[str, _Folder] = {}
        self.add_mailbox("")
        self._numbers = count(1)

    # --- what happens in the mailbox

    def add_mailbox(self, mailbox: str) -> None:
        """Share a mailbox, with an Inbox and an Archive."""
        for name, path in ((INBOX, "Inbox"), ("archive", "Archive")):
            self._folders[folders.key(mailbox, name)] = _Folder(path)

    def add_folder(self, name: str, *, parent: str = "", mailbox: str = "") -> str:
        """Make a folder within another, or at the top; returns its key."""
        within = f"{self._folders[parent].path}/" if parent else ""
        key = folders.key(mailbox, f"f{next(self._numbers)}")
        self._folders[key] = _Folder(f"{within}{name}")
        return key

    def deliver(self, *messages: Message, folder: str = INBOX) -> None:
        """Put messages into a folder as they are."""
        here = self._folders.setdefault(folder, _Folder())
        for message in messages:
            here.messages[message.id] = message
            here.journal.append(message)

    def deliver_new(
        self,
        subject: str = "Rota",
        *,
        how_many: int = 1,
        folder: str = INBOX,
        received: datetime | None = None,
        is_read: bool = False,
    ) -> list[MessageId]:
        """Put new messages into a folder, a minute apart or all at ``received``."""
        new = []
        for number in (next(self._numbers) for _ in range(how_many)):
            message = Message(
                id=MessageId(f"m{number}"),
                subject=subject,
                sender_name="Grace Hopper",
                sender_address="grace@fabrikam.example",
                received=received or FIRST_RECEIVED + timedelta(minutes=number),
                is_read=is_read,
                web_link=f"https://outlook.office365.com/owa/?ItemID=m{number}",
                internet_message_id=f"<m{number}@fabrikam.example>",
            )
            new.append(message)
        self.deliver(*new, folder=folder)
        return [message.id for message in new]

    def mark(self, ids: Iterable[MessageId], *, is_read: bool, folder: str = INBOX) -> None:
        """Mark messages read or unread, as another device would."""
        here = self._folders[folder]
        for message_id in ids:
            here.messages[message_id] = replace(here.messages[message_id], is_read=is_read)
            here.journal.append(ReadState(message_id, is_read))

    def remove(self, ids: Iterable[MessageId], *, folder: str = INBOX) -> None:
        """Take messages out of a folder, as another device would."""
        here = self._folders[folder]
        for message_id in ids:
            del here.messages[message_id]
            here.journal.append(Removed(message_id))

    def messages_of(self, folder: str) -> dict[MessageId, Message]:
        """Return what is in a folder."""
        return dict(self._folders[folder].messages)

    def expire_cursors(self) -> None:
        """Let every cursor handed out so far be refused."""
        for folder in self._folders.values():
            folder.generation += 1

    # --- the port

    def fetch(
        self, token: AccessToken, folder: str, cursor: Cursor | None, *, with_count: bool
    ) -> Delivery:
        here = self._begin("fetch", token, folder)
        next_cursor = Cursor(f"{folder}/{here.generation}/{len(here.journal)}")
        if cursor is None:
            newest = sorted(here.messages.values(), key=_received)[-self.first_sync_messages :]
            floor = _received(newest[0]) if len(newest) < len(here.messages) else None
            return Delivery(
                tuple(newest), next_cursor, is_full=True, floor=floor, count=_counted(self, here)
            )
        _, generation, start = cursor.split("/")
        if int(generation) != here.generation:
            raise CursorExpired("The mailbox has to be read anew")
        entries = tuple(here.journal[int(start) :])
        counted = _counted(self, here) if entries or with_count else None
        return Delivery(entries, next_cursor, count=counted, requests=2 if counted else 1)

    def count(self, token: AccessToken, folder: str) -> FolderCount:
        counted = _counted(self, self._begin("count", token, folder))
        return replace(counted, folder_id=folders.split(folder)[1])

    def list_unread(
        self, token: AccessToken, folder: str, *, since: datetime | None, limit: int
    ) -> UnreadList:
        here = self._begin("list_unread", token, folder)
        unread = [
            message
            for message in sorted(here.messages.values(), key=_received, reverse=True)
            if not message.is_read and (since is None or _received(message) >= since)
        ]
        return UnreadList(tuple(unread[:limit]), is_complete=len(unread) <= limit)

    def folders(self, token: AccessToken, mailbox: str) -> tuple[FolderPlace, ...]:
        self._begin("folders", token, folders.key(mailbox, INBOX))
        return tuple(
            FolderPlace(key, here.path, _counted(self, here).unread, len(here.messages))
            for key, here in self._folders.items()
            if folders.split(key)[0] == mailbox and here.path
        )

    def do(self, token: AccessToken, deeds: Sequence[Deed]) -> tuple[MailSourceError | None, ...]:
        self._begin("do", token, INBOX)
        return tuple(self._done(deed) for deed in deeds)

    def _done(self, deed: Deed) -> MailSourceError | None:
        mailbox, _ = folders.split(deed.folder)
        holding = [
            key
            for key, folder in self._folders.items()
            if deed.message in folder.messages and folders.split(key)[0] == mailbox
        ]
        if not holding:
            return MessageGone("The message is no longer there")
        if deed.message in self.refusals:
            return self.refusals[deed.message]
        if deed.act is Act.MOVE:
            return self._moved(deed.message, holding[0], folders.key(mailbox, deed.destination))
        self.mark([deed.message], is_read=deed.act is Act.MARK_READ, folder=holding[0])
        return None

    def _moved(self, message_id: MessageId, source: str, target: str) -> MailSourceError | None:
        if target not in self._folders:
            return MailboxUnavailable("The folder to move the message to does not exist")
        if source != target:
            self.deliver(self._folders[source].messages[message_id], folder=target)
            self.remove([message_id], folder=source)
        return None

    def close(self) -> None:
        self.calls.append("close")

    def _begin(self, name: str, token: AccessToken, folder: str) -> _Folder:
        assert token.secret
        self.calls.append(name)
        if self.troubles:
            raise self.troubles.pop(0)
        if folder in self.closed:
            raise self.closed[folder]
        return self._folders.setdefault(folder, _Folder())


def _received(message: Message) -> datetime:
    return message.received or FIRST_RECEIVED


def _counted(mail: FakeMail, folder: _Folder) -> FolderCount:
    unread = sum(not message.is_read for message in folder.messages.values())
    return FolderCount(unread + mail.unread_nobody_sees, len(folder.messages))
