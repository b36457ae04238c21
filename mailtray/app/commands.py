"""What can be put into the poller's inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtray.core.approval import letter
from mailtray.core.deeds import Action
from mailtray.core.model import AccountId, MessageId
from mailtray.core.status import EXPLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from queue import SimpleQueue

    from mailtray.app.cycle import Acted, KeepFirst, Listed, Located, Order, Reading
    from mailtray.core.errors import MailtrayError
    from mailtray.core.model import Notification, SignedIn


@dataclass(frozen=True, slots=True)
class CheckNow:
    """Poll every account at once."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign an account in; without one, whichever the person picks.

    Attributes:
        by_device_code: True to sign in on another device.
        is_another: True where it is to be an account beyond those that are known.
        is_waited_for: True where it is given up once nobody waits for its end any more.
        is_to_change: True where the account's mail is to be changed as well as read.
    """

    account: AccountId | None = None
    by_device_code: bool = False
    is_another: bool = False
    is_waited_for: bool = False
    is_to_change: bool = False


@dataclass(frozen=True, slots=True)
class CancelSignIn:
    """Give the running sign-in up."""


@dataclass(frozen=True, slots=True)
class SignOut:
    """Forget an account; without one, all of them."""

    account: AccountId | None = None


@dataclass(frozen=True, slots=True)
class ToggleAutostart:
    """Start the program at login from now on or, where that is so, no longer."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The person opened the menu, and so saw what there is."""


@dataclass(frozen=True, slots=True)
class OpenMailbox:
    """Open the webmail."""


@dataclass(frozen=True, slots=True)
class OpenPage:
    """Open a page that mailtray itself named."""

    url: str


@dataclass(frozen=True, slots=True)
class OpenOwnPage:
    """Open a page of the program's own.

    Attributes:
        page: Which; see :class:`mailtray.ports.Pages`.
    """

    page: str


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """Open one message in the webmail."""

    id: MessageId


@dataclass(frozen=True, slots=True)
class Act:
    """Do something to an unread message.

    Attributes:
        action: One of :data:`mailtray.core.deeds.ON_MESSAGES`.
    """

    action: Action
    id: MessageId


@dataclass(frozen=True, slots=True)
class MarkAllRead:
    """Mark as read all that is unread in an account's watched folders."""

    account: AccountId


@dataclass(frozen=True, slots=True)
class Undo:
    """Undo what was done just now.

    Attributes:
        name: Of what; see :class:`mailtray.core.status.Status`.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Clicked:
    """A notification was clicked.

    Attributes:
        button: The pressed button's command, or empty for the notification itself.
    """

    notification: Notification
    button: str = ""


@dataclass(frozen=True, slots=True)
class NotifierAvailable:
    """A notification server appeared."""


@dataclass(frozen=True, slots=True)
class TrayMissing:
    """No panel shows the icon.

    Attributes:
        error: Why, and what to do.
    """

    error: MailtrayError


@dataclass(frozen=True, slots=True)
class TrayShown:
    """A panel shows the icon."""


@dataclass(frozen=True, slots=True)
class HookTrouble:
    """The person's hook cannot be started, or can again.

    Attributes:
        error: Why, or ``None``.
    """

    error: MailtrayError | None


@dataclass(frozen=True, slots=True)
class NetworkUp:
    """The computer has a network again, or another one."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The computer woke from a sleep."""


@dataclass(frozen=True, slots=True)
class PauseFor:
    """Show nothing for a while.

    Attributes:
        wish: How long; see :func:`mailtray.core.peace.pause_for`.
    """

    wish: str


@dataclass(frozen=True, slots=True)
class Resume:
    """End a pause, and tell what came meanwhile."""


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """The desktop tells something else of the person; which, every step asks by itself."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The fetch of an order came back."""

    order: Order
    outcome: Reading | KeepFirst | Located | Listed | Acted | MailtrayError


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The sign-in page's address is known.

    Attributes:
        code: What to type there, or empty.
    """

    url: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class SignInEnded:
    """The sign-in is over."""

    outcome: SignedIn | MailtrayError


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of another process.

    Attributes:
        request: ``{"command": "status" | "check" | "signin" | "signout" | "pause" |
            "resume" | "folders" | "act" | "mark_all_read" | "history" | "try_rules" | "looked" |
            "mend" | "watch" | "quit", ...}``.
        replies: Receives answers; the last one has ``"done": True``. ``watch`` has no last one.
    """

    request: Mapping[str, object]
    replies: SimpleQueue[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Gone:
    """Whoever asked does not wait for answers any more.

    Attributes:
        replies: Those of the ``Ask``.
    """

    replies: SimpleQueue[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Quit:
    """Stop."""


Command = (
    CheckNow
    | SignIn
    | CancelSignIn
    | SignOut
    | Looked
    | ToggleAutostart
    | OpenMailbox
    | OpenMessage
    | OpenPage
    | Act
    | MarkAllRead
    | Undo
    | OpenOwnPage
    | Clicked
    | NotifierAvailable
    | TrayMissing
    | TrayShown
    | HookTrouble
    | NetworkUp
    | Woke
    | PauseFor
    | Resume
    | PresenceChanged
    | Fetched
    | SignInPage
    | SignInEnded
    | Ask
    | Gone
    | Quit
)


def from_menu(command: str, argument: str) -> Command:
    """Translate a menu item's command (see :mod:`mailtray.core.panel`)."""
    make = _ABOUT_SOMETHING.get(command)
    return _PLAIN[command] if make is None else make(argument)


def _act(argument: str) -> Act:
    action, _, message = argument.partition(":")
    return Act(Action(action), MessageId(message))


_ABOUT_SOMETHING: dict[str, Callable[[str], Command]] = {
    "sign_in": lambda account: SignIn(AccountId(account) if account else None),
    "allow_changes": lambda account: SignIn(AccountId(account), is_to_change=True),
    "act": _act,
    "mark_all_read": lambda account: MarkAllRead(AccountId(account)),
    "undo": Undo,
    "sign_out": lambda account: SignOut(AccountId(account) if account else None),
    "open_message": lambda message: OpenMessage(MessageId(message)),
    "open_page": OpenPage,
    "open_own_page": OpenOwnPage,
    EXPLAIN: lambda about: OpenOwnPage(f"trouble/{about}"),
    "ask_approval": lambda page: OpenPage(letter(page).mailto),
    "pause": PauseFor,
}
_PLAIN: dict[str, Command] = {
    "check_now": CheckNow(),
    "looked": Looked(),
    "toggle_autostart": ToggleAutostart(),
    "add_account": SignIn(is_another=True),
    "cancel_sign_in": CancelSignIn(),
    "open_mailbox": OpenMailbox(),
    "set_up": OpenOwnPage("first-run"),
    "resume": Resume(),
    "quit": Quit(),
}
