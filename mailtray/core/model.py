"""The values that travel between the parts; all of them frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

AccountId = NewType("AccountId", str)
"""MSAL's ``home_account_id``: ``uid.utid``."""
MessageId = NewType("MessageId", str)
"""Graph's immutable message id; case-sensitive."""
Cursor = NewType("Cursor", str)
"""A whole deltaLink, opaque."""
Key = NewType("Key", int)
"""A 63-bit digest by which a message is recognised; see :func:`mailtray.core.changes.keys`."""

INBOX = "inbox"
"""Well-known name of the only folder watched by default."""


class Importance(StrEnum):
    """How important its sender says a message is; the values are Graph's."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class MeetingKind(StrEnum):
    """What a message about a meeting says; the values are Graph's, its spelling included."""

    REQUEST = "meetingRequest"
    CANCELLED = "meetingCancelled"
    ACCEPTED = "meetingAccepted"
    TENTATIVE = "meetingTenativelyAccepted"
    DECLINED = "meetingDeclined"


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a message about a meeting tells of it.

    Attributes:
        kind: What it says.
        starts: When the meeting begins, aware UTC; ``None`` where the server does not tell.
    """

    kind: MeetingKind
    starts: datetime | None = None


class AuthAction(Enum):
    """The one thing that mends a failed sign-in."""

    SIGN_IN = "sign_in"
    ASK_ADMINISTRATOR = "ask_administrator"
    CORRECT_CLIENT_ID = "correct_client_id"
    CORRECT_TENANT = "correct_tenant"
    OTHER_ACCOUNT = "other_account"
    CHECK_CLOCK = "check_clock"
    REPORT = "report"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Account:
    """A signed-in account.

    Attributes:
        username: What the person signs in with (``preferred_username``).
        name: Display name, or an empty string.
    """

    id: AccountId
    username: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token; its ``repr`` hides it."""

    secret: str = field(repr=False)
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of an interactive sign-in.

    Attributes:
        cache: The account's own MSAL token cache, serialized; a secret.
    """

    account: Account
    cache: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """An e-mail as far as a notifier needs it.

    Attributes:
        received: ``receivedDateTime``, aware UTC; ``None`` where the server sent none or nonsense.
        preview: ``bodyPreview`` on one line, empty where the scope does not allow it.
        web_link: Where the message opens in webmail; unchecked, as the server sent it.
        internet_message_id: RFC 5322 ``Message-ID``, or an empty string.
        is_focused: False where Outlook's focused inbox puts it under "Other".
        conversation_id: Names the conversation it belongs to, or an empty string.
        to: Addresses it is to, in lower case; the first few of very many. ``cc`` alike.
        meeting: What it says of a meeting, or ``None`` for ordinary mail.
    """

    id: MessageId
    subject: str = ""
    sender_name: str = ""
    sender_address: str = ""
    received: datetime | None = None
    is_read: bool = False
    preview: str = ""
    web_link: str = ""
    internet_message_id: str = ""
    importance: Importance = Importance.NORMAL
    is_focused: bool = True
    conversation_id: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    meeting: Meeting | None = None


@dataclass(frozen=True, slots=True)
class ReadState:
    """A delta item that tells only that a message was marked read or unread."""

    id: MessageId
    is_read: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """A delta item that tells that a message left the folder."""

    id: MessageId


Entry = Message | ReadState | Removed


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder's own counters.

    Attributes:
        server_time: The answer's ``Date``, aware UTC, or ``None`` where it had none.
        folder_id: The folder's own id, whatever name it was asked for by.
    """

    unread: int
    total: int
    server_time: datetime | None = None
    folder_id: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one delta round brought, in the server's order: the last entry of an id wins.

    Attributes:
        cursor: Where the next round starts.
        is_full: True where the round started without a cursor: ``entries`` is then all there
            is in the folder since ``floor``.
        floor: Of a full round: messages received before it were not asked for; ``None`` where
            the whole folder was.
        count: The folder's own counters, where they were asked for.
        requests: HTTP requests this took.
    """

    entries: tuple[Entry, ...]
    cursor: Cursor
    is_full: bool = False
    floor: datetime | None = None
    count: FolderCount | None = None
    requests: int = 1


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder of a mailbox, as it stands in the mailbox's tree.

    Attributes:
        key: By which it is watched; see :mod:`mailtray.core.folders`.
        path: Its name and those above it, joined by ``/``.
    """

    key: str
    path: str
    unread: int = 0
    total: int = 0


class Act(StrEnum):
    """What may be done to a message."""

    MARK_READ = "mark_read"
    MARK_UNREAD = "mark_unread"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do to one message; done twice it is as if done once.

    Attributes:
        folder: The key of the folder it is in; names the mailbox.
        destination: For ``MOVE``: the folder to move it to, by id or well-known name
            (``archive``, ``deleteditems``), in the same mailbox.
    """

    act: Act
    message: MessageId
    folder: str = INBOX
    destination: str = ""


@dataclass(frozen=True, slots=True)
class UnreadList:
    """A plain listing of the newest unread messages.

    Attributes:
        is_complete: True where there are no more than those listed.
        requests: HTTP requests this took.
    """

    messages: tuple[Message, ...]
    is_complete: bool
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of one folder between polls.

    Attributes:
        cursor: Where the next delta round starts; ``None`` before the first.
        known: Keys of every message met since ``floor`` -> when it was received (epoch seconds).
            A message with a known key is never announced again.
        floor: Messages received before it are never announced; ``None`` while ``known`` covers
            the whole folder.
        unread: The unread messages that the delta rounds told of.
        untold: Unread arrivals the person could not be told of yet, oldest first.
        uncovered_unread: Unread messages that only the folder's counter knows of; less than 0
            where it knows that some in ``unread`` are so no longer, but not which.
        told: Ids that have a notification which was not withdrawn.
        unlooked: Ids of unread messages that came since the person last looked.
        is_baseline: True until the first round is remembered.
    """

    cursor: Cursor | None = None
    known: Mapping[Key, int] = field(default_factory=dict)
    floor: datetime | None = None
    unread: Mapping[MessageId, Message] = field(default_factory=dict)
    untold: tuple[Message, ...] = ()
    uncovered_unread: int = 0
    told: frozenset[MessageId] = frozenset()
    unlooked: frozenset[MessageId] = frozenset()
    is_baseline: bool = True

    @property
    def unread_count(self) -> int:
        """How many unread messages the folder holds, as far as is known."""
        return len(self.unread) + self.uncovered_unread


@dataclass(frozen=True, slots=True)
class Changes:
    """What a delivery means for the person.

    Attributes:
        arrived: Unread messages to tell about, oldest first; those left untold before included.
        retired: Ids whose notification no longer holds: read or removed elsewhere.
        seen: What to remember if nothing is told; see :func:`mailtray.core.changes.advance`.
        is_catch_up: True where some of ``arrived`` could not be told of in an earlier poll.
    """

    arrived: tuple[Message, ...]
    retired: frozenset[MessageId]
    seen: Seen
    is_catch_up: bool = False


class Urgency(IntEnum):
    """How much a notification presses; the values are freedesktop's."""

    LOW = 0
    NORMAL = 1
    CRITICAL = 2


SOUND_DESKTOP, SOUND_NONE = "desktop", "none"
"""The sound that the desktop makes by itself, and none; any other sound is a file's path."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a notification is shown.

    Attributes:
        sound: ``SOUND_DESKTOP``, ``SOUND_NONE`` or the whole path of a sound file.
        stays: True to leave it on the screen until the person has dealt with it.
    """

    sound: str = SOUND_DESKTOP
    urgency: Urgency = Urgency.NORMAL
    stays: bool = False

    @property
    def sound_file(self) -> str:
        """The whole path of the sound file, or empty where the sound is no file's."""
        return "" if self.sound in {SOUND_DESKTOP, SOUND_NONE} else self.sound


@dataclass(frozen=True, slots=True)
class Button:
    """A button on a notification.

    Attributes:
        command: Names it when it comes back pressed; never empty.
    """

    command: str
    label: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification, worded and clipped but not yet escaped for any server.

    Attributes:
        tag: Names it for replacement and withdrawal; unique while shown.
        message_ids: The messages it tells of; empty for one about mailtray itself.
        link: What a click opens; empty where a click opens nothing.
        command: What a click does where there is no link: a menu command's name.
        buttons: What is offered beside the click, where the server has buttons; the first
            matters most.
    """

    tag: str
    title: str
    body: str
    account: AccountId | None = None
    message_ids: tuple[MessageId, ...] = ()
    link: str = ""
    command: str = ""
    buttons: tuple[Button, ...] = ()
    manner: Manner = field(default_factory=Manner)

    def has_button(self, command: str) -> bool:
        """Say whether one of the buttons sends this command."""
        return any(button.command == command for button in self.buttons)


class IconKind(Enum):
    """Which of the tray's pictures is shown."""

    NORMAL = "normal"
    UNREAD = "unread"
    SIGNING_IN = "signing_in"
    ATTENTION = "attention"
    OFFLINE = "offline"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of the tray's menu.

    Attributes:
        command: Name of the command a click sends, or empty where the line only tells something.
        argument: What the command is about: an account id, a message id or a page's address.
        is_separator: True for a line; the rest is then empty.
        is_default: True for the item that a left click stands for.
        children: The lines of the menu that it opens.
        is_checked: Whether it bears a check mark; ``None`` where it is not of that kind.
        mnemonic: The letter of ``label`` that chooses it from the keyboard, or empty.
    """

    label: str = ""
    command: str = ""
    argument: str = ""
    is_separator: bool = False
    is_default: bool = False
    children: tuple[MenuItem, ...] = ()
    is_checked: bool | None = None
    mnemonic: str = ""

    def marked(self, mark: str) -> str:
        """Return the label with a mark before the mnemonic, and doubled wherever it is text."""
        if not self.mnemonic:
            return self.label.replace(mark, mark * 2)
        parts = self.label.partition(self.mnemonic)
        before, letter, after = (part.replace(mark, mark * 2) for part in parts)
        return before + mark + letter + after


@dataclass(frozen=True, slots=True)
class TrayView:
    """All that a tray shows, as data.

    Attributes:
        count: Number on the icon; 0 shows none.
        tooltip: Plain text, most useful words first, at most 127 UTF-16 units, one line a fact.
    """

    icon: IconKind
    count: int
    tooltip: str
    menu: tuple[MenuItem, ...]
