"""One mailbox: its folders, its messages and, per folder, the log of changes delta reads.

Everything a poll needs is indexed: a folder keeps its messages in order of arrival and its
changes in order of their numbers, so a poll of a quiet folder costs the same whether it
holds six messages or sixty thousand.
"""

import secrets
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Literal, NamedTuple

ChangeKind = Literal["created", "updated", "read", "removed"]

WELL_KNOWN = {
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "archive": "Archive",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "outbox": "Outbox",
    "conversationhistory": "Conversation History",
}
"""Well-known name to display name of the folders each mailbox has at its top."""


class Change(NamedTuple):
    """What happened to one message in one folder."""

    seq: int
    key: str
    rest_id: str
    kind: ChangeKind
    is_read: bool
    received: datetime


@dataclass(slots=True)
class Message:
    """One message, by Graph's properties where it has them."""

    key: str
    """The immutable id."""
    rest_id: str
    """The ordinary id, which changes when the message moves."""
    folder_id: str
    received: datetime
    is_read: bool
    sender_name: str | None
    sender_address: str | None
    subject: str | None
    preview: str | None
    internet_message_id: str
    conversation_id: str
    serial: int
    importance: str = "normal"
    inference_classification: str = "focused"
    to: tuple[str, ...] | None = None
    """Addresses; the owner's where ``None``."""
    cc: tuple[str, ...] = ()
    meeting: str | None = None
    """The ``meetingMessageType`` of meeting mail."""
    starts: datetime | None = None
    """When the meeting begins."""
    odata_type: str | None = None
    overrides: dict[str, object] = field(default_factory=dict)
    """Laid over the Graph JSON; the value `OMIT` takes a property away."""
    version: int = 1

    @property
    def place(self) -> tuple[datetime, int, str]:
        """Where the message stands in its folder's timeline."""
        return (self.received, self.serial, self.key)


@dataclass(slots=True)
class Folder:
    """One folder with its counters, its timeline and its changes."""

    id: str
    name: str
    parent_id: str
    well_known: str | None = None
    unread: int = 0
    timeline: list[tuple[datetime, int, str]] = field(default_factory=list)
    """Its messages as (received, serial, key), oldest first."""
    changes: list[Change] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many messages it holds."""
        return len(self.timeline)

    def since(self, seq: int) -> list[Change]:
        """Return the changes after number `seq`, oldest first."""
        return self.changes[bisect_right(self.changes, seq, key=lambda change: change.seq) :]

    def keys(self, *, at_least: datetime | None = None, newest_first: bool = True) -> Iterator[str]:
        """Walk the messages by time of arrival, from `at_least` on."""
        start = 0
        if at_least is not None:
            start = bisect_left(self.timeline, at_least, key=lambda place: place[0])
        span = range(start, len(self.timeline))
        for index in reversed(span) if newest_first else span:
            yield self.timeline[index][2]

    def add(self, message: Message) -> None:
        """Put a message into the timeline and the counters."""
        insort(self.timeline, message.place)
        self.unread += not message.is_read

    def remove(self, message: Message) -> None:
        """Take a message out of the timeline and the counters."""
        del self.timeline[bisect_left(self.timeline, message.place)]
        self.unread -= not message.is_read


def new_id(prefix: str = "AAMkA") -> str:
    """Make an id of the look of Graph's: case-sensitive, with ``-``, ``_`` and ``=``."""
    return f"{prefix}{secrets.token_urlsafe(48)}AAA="


class Mailbox:
    """Folders and messages of one account; the caller holds the cloud's lock."""

    def __init__(self) -> None:
        self.folders: dict[str, Folder] = {}
        self.messages: dict[str, Message] = {}
        self.seq = 0
        self._by_rest_id: dict[str, str] = {}
        self._well_known: dict[str, str] = {}
        self._serials = count(1)
        self.root = self._make_folder("Top of Information Store", "", "msgfolderroot")
        for well_known, name in WELL_KNOWN.items():
            self._make_folder(name, self.root.id, well_known)

    def add_folder(self, name: str, *, parent: str) -> Folder:
        """Make a folder below `parent`.

        Raises:
            KeyError: There is no such parent folder.
        """
        return self._make_folder(name, self.folder(parent).id, None)

    def _make_folder(self, name: str, parent_id: str, well_known: str | None) -> Folder:
        folder = Folder(new_id("AAMkF"), name, parent_id, well_known)
        self.folders[folder.id] = folder
        if well_known:
            self._well_known[well_known] = folder.id
        return folder

    def folder(self, name_or_id: str) -> Folder:
        """Find a folder by id or, in any letter case, by well-known name.

        Raises:
            KeyError: There is none.
        """
        return self.folders[self._well_known.get(name_or_id.lower(), name_or_id)]

    def children(self, folder: Folder) -> list[Folder]:
        """List the folders directly below one."""
        return [each for each in self.folders.values() if each.parent_id == folder.id]

    def find(self, message_id: str) -> Message:
        """Find a message by either of its ids.

        Raises:
            KeyError: There is none, or it has moved and this was its ordinary id.
        """
        return self.messages[self._by_rest_id.get(message_id, message_id)]

    def deliver(self, folder: Folder, content: Mapping[str, object]) -> Message:
        """Put a new message into a folder; `content` holds the fields of `Message`."""
        serial = next(self._serials)
        key = new_id()
        fields = {"conversation_id": new_id("AAQkA"), **content}
        message = Message(
            key=key,
            rest_id=new_id("AAMkR"),
            folder_id=folder.id,
            serial=serial,
            internet_message_id=f"<{secrets.token_hex(12)}@mail.contoso.example>",
            **fields,  # type: ignore[arg-type]  # Cloud.deliver is the only caller and typed
        )
        self.messages[key] = message
        self._by_rest_id[message.rest_id] = key
        folder.add(message)
        self._record(folder, message, "created")
        return message

    def mark(self, message: Message, *, is_read: bool) -> None:
        """Set the read state; an unchanged one makes no change for delta."""
        message.overrides.pop("isRead", None)
        if message.is_read == is_read:
            return
        folder = self.folders[message.folder_id]
        message.is_read = is_read
        folder.unread += -1 if is_read else 1
        self._record(folder, message, "read")

    def touch(self, message: Message) -> None:
        """Record a change of something other than the read state."""
        message.version += 1
        self._record(self.folders[message.folder_id], message, "updated")

    def move(self, message: Message, target: Folder) -> None:
        """Move a message; its ordinary id becomes another one."""
        source = self.folders[message.folder_id]
        if source is target:
            return
        source.remove(message)
        self._record(source, message, "removed")
        del self._by_rest_id[message.rest_id]
        message.rest_id = new_id("AAMkR")
        message.folder_id = target.id
        message.version += 1
        self._by_rest_id[message.rest_id] = message.key
        target.add(message)
        self._record(target, message, "created")

    def delete(self, message: Message) -> None:
        """Move a message to Deleted Items or, from there, remove it for good."""
        bin_ = self.folder("deleteditems")
        if message.folder_id != bin_.id:
            self.move(message, bin_)
            return
        bin_.remove(message)
        self._record(bin_, message, "removed")
        del self._by_rest_id[message.rest_id]
        del self.messages[message.key]

    def _record(self, folder: Folder, message: Message, kind: ChangeKind) -> None:
        self.seq += 1
        folder.changes.append(
            Change(self.seq, message.key, message.rest_id, kind, message.is_read, message.received)
        )
