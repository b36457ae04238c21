"""How it is: the program's state as data, and what becomes of it by each event."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from mailtray.core.errors import (
    AccessDenied,
    AuthError,
    ConsentRequired,
    CursorExpired,
    InvalidResponse,
    MailtrayError,
    SignInRequired,
    Throttled,
    Unreachable,
    UntrustedCertificate,
)
from mailtray.core.model import AuthAction
from mailtray.core.peace import Why

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mailtray.core.model import Account, AccountId, Message
    from mailtray.core.peace import Quiet


class State(StrEnum):
    """How an account is; the values are those of the event lines."""

    OK = "ok"
    SIGNED_OUT = "signed_out"
    SIGNING_IN = "signing_in"
    ATTENTION = "attention"
    OFFLINE = "offline"
    THROTTLED = "throttled"


EXPLAIN = "explain"
"""The menu command that opens the page of a trouble."""

_URGENCY = (
    State.ATTENTION,
    State.SIGNED_OUT,
    State.SIGNING_IN,
    State.OFFLINE,
    State.THROTTLED,
    State.OK,
)


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """How one account is.

    Attributes:
        unread: Unread messages in its watched folders, as far as is known.
        new: Those of them that came since the person last looked.
        latest: The newest unread messages, newest first.
        checked: When its mail was last read, or ``None`` before the first time.
        error: Why it is not ``ok``.
        since: When it stopped being ``ok``.
        retry: When the next try is due, where one is.
        lacking: What cannot be had for want of a permission while mail is read without it.
        troubles: Why some of its folders cannot be read while others can.
        waiting: How many things the person wants done are not done yet.
        asking: Why they wait for the person's permission.
        impaired: Since when something is ``lacking``, or some folder is in trouble.
    """

    account: Account
    state: State = State.OK
    unread: int = 0
    new: int = 0
    latest: tuple[Message, ...] = ()
    checked: datetime | None = None
    error: MailtrayError | None = None
    since: datetime | None = None
    retry: datetime | None = None
    lacking: AuthError | None = None
    troubles: tuple[MailtrayError, ...] = ()
    waiting: int = 0
    asking: MailtrayError | None = None
    impaired: datetime | None = None


class Source(IntEnum):
    """What a notice is about; the smaller number is told first."""

    SETTINGS = 0
    VAULT = 1
    STATE = 2
    NOTIFIER = 3
    PROGRAM = 4


@dataclass(frozen=True, slots=True)
class Status:
    """How the program is.

    Attributes:
        accounts: The signed-in accounts, in the order in which they were added.
        notices: What keeps the program itself from working as it should.
        since: Since when each notice holds, where that is known.
        is_configured: False where no client id is known.
        is_signing_in: True while a sign-in waits for the person.
        sign_in_at: The page at which it goes on, once it is known.
        is_starting: True until the keyring has told which accounts there are.
        sign_in_error: Why the last sign-in did not end well.
        sign_in_failed: When that was, where it is known.
        starts_at_login: Whether a login starts the program; ``None`` where that is not known.
        quiet: Why nothing is shown for now, or ``None``.
        undoable: What can be undone, newest first: names, each with the words for it.
    """

    accounts: Mapping[AccountId, AccountStatus] = field(default_factory=dict)
    notices: Mapping[Source, MailtrayError] = field(default_factory=dict)
    since: Mapping[Source, datetime] = field(default_factory=dict)
    is_configured: bool = True
    is_signing_in: bool = False
    sign_in_at: SignInAt | None = None
    is_starting: bool = True
    sign_in_error: MailtrayError | None = None
    sign_in_failed: datetime | None = None
    quiet: Quiet | None = None
    starts_at_login: bool | None = None
    undoable: Mapping[str, str] = field(default_factory=dict)

    @property
    def notice(self) -> MailtrayError | None:
        """The notice to tell first, or ``None``."""
        return self.notices[min(self.notices)] if self.notices else None


@dataclass(frozen=True, slots=True)
class Started:
    """The keyring told which accounts there are."""

    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Polled:
    """An account's mail was read."""

    account: AccountId
    unread: int
    latest: tuple[Message, ...]
    at: datetime
    new: int = 0
    lacking: AuthError | None = None
    troubles: tuple[MailtrayError, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """An account's mail could not be read."""

    account: AccountId
    error: MailtrayError
    at: datetime
    retry: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignInStarted:
    """A sign-in waits for the person."""


@dataclass(frozen=True, slots=True)
class SignInAt:
    """The page at which the sign-in goes on is known.

    Attributes:
        code: What to type there, or empty.
    """

    url: str
    code: str


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """A sign-in ended without an account."""

    error: MailtrayError
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignInSucceeded:
    """An account is signed in, for the first time or again."""

    account: Account


@dataclass(frozen=True, slots=True)
class SignedOut:
    """An account was signed out."""

    account: AccountId


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something keeps the program itself from working as it should; ``None`` when it is over."""

    source: Source
    error: MailtrayError | None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StartAtLogin:
    """A login starts the program from now on, or not."""

    is_on: bool | None


@dataclass(frozen=True, slots=True)
class Looked:
    """The person looked at what there is."""


@dataclass(frozen=True, slots=True)
class QuietChanged:
    """The person is left in peace from now on, or no longer."""

    quiet: Quiet | None


@dataclass(frozen=True, slots=True)
class DeedsChanged:
    """Something is to be done to an account's mail, or no longer; see :class:`AccountStatus`."""

    account: AccountId
    waiting: int
    asking: MailtrayError | None


@dataclass(frozen=True, slots=True)
class UndoChanged:
    """Other things can be undone than before; see :class:`Status`."""

    undoable: Mapping[str, str]


Event = (
    Started
    | Polled
    | Failed
    | SignInStarted
    | SignInAt
    | SignInFailed
    | SignInSucceeded
    | SignedOut
    | Noticed
    | QuietChanged
    | Looked
    | StartAtLogin
    | DeedsChanged
    | UndoChanged
)


def reduce(status: Status, event: Event) -> Status:
    """Return the status after an event."""
    match event:
        case Started(accounts):
            found = {account.id: AccountStatus(account) for account in accounts}
            return replace(status, accounts={**found, **status.accounts}, is_starting=False)
        case Polled() | Failed() | DeedsChanged():
            return _account_changed(status, event)
        case SignedOut(account_id):
            left = {i: one for i, one in status.accounts.items() if i != account_id}
            return replace(status, accounts=left)
        case Noticed() | QuietChanged() | Looked() | StartAtLogin() | UndoChanged():
            return _program_changed(status, event)
        case _:
            return _sign_in_changed(status, event)


def _program_changed(
    status: Status, event: Noticed | QuietChanged | Looked | UndoChanged | StartAtLogin
) -> Status:
    match event:
        case Noticed():
            return _noticed(status, event)
        case QuietChanged(quiet):
            return replace(status, quiet=quiet)
        case StartAtLogin(is_on):
            return replace(status, starts_at_login=is_on)
        case Looked() if not new_count(status):
            return status
        case Looked():
            found = {i: replace(one, new=0) for i, one in status.accounts.items()}
            return replace(status, accounts=found)
        case UndoChanged(undoable):
            return replace(status, undoable=undoable)


def _noticed(status: Status, event: Noticed) -> Status:
    source, error = event.source, event.error
    if status.notices.get(source) is error:
        return status
    notices = {one: old for one, old in status.notices.items() if one is not source}
    since = {one: at for one, at in status.since.items() if one is not source}
    if error is not None:
        notices[source] = error
        if (at := status.since.get(source, event.at)) is not None:
            since[source] = at
    return replace(status, notices=notices, since=since)


def _sign_in_changed(
    status: Status, event: SignInStarted | SignInAt | SignInFailed | SignInSucceeded
) -> Status:
    match event:
        case SignInStarted():
            return replace(status, is_signing_in=True, sign_in_at=None, sign_in_error=None)
        case SignInAt():
            return replace(status, sign_in_at=event if status.is_signing_in else None)
        case SignInFailed(error, at):
            ended = replace(status, is_signing_in=False, sign_in_at=None)
            return replace(ended, sign_in_error=error, sign_in_failed=at)
        case SignInSucceeded(account):
            return _signed_in(status, account)


def _account_changed(status: Status, event: Polled | Failed | DeedsChanged) -> Status:
    old = status.accounts.get(event.account)
    if old is None:
        return status  # signed out while the request was on its way
    if isinstance(event, Polled):
        new = AccountStatus(
            old.account,
            unread=event.unread,
            new=event.new,
            latest=event.latest,
            checked=event.at,
            lacking=event.lacking,
            troubles=event.troubles,
            waiting=old.waiting,
            asking=old.asking,
            impaired=(old.impaired or event.at) if event.lacking or event.troubles else None,
        )
    elif isinstance(event, DeedsChanged):
        new = replace(old, waiting=event.waiting, asking=event.asking)
    else:
        new = replace(
            old,
            state=state_of(event.error),
            error=event.error,
            since=old.since or event.at,
            retry=event.retry,
        )
    return replace(status, accounts={**status.accounts, event.account: new})


def _signed_in(status: Status, account: Account) -> Status:
    old = status.accounts.get(account.id) or AccountStatus(account)
    new = replace(
        old, account=account, state=State.OK, error=None, since=None, retry=None, lacking=None
    )
    accounts = {**status.accounts, account.id: new}
    return replace(
        status,
        accounts=accounts,
        is_signing_in=False,
        sign_in_at=None,
        sign_in_error=None,
        is_starting=False,
    )


def state_of(error: MailtrayError) -> State:
    """Return the state that an error puts an account into."""
    match error:
        case UntrustedCertificate():
            return State.ATTENTION
        case Throttled():
            return State.THROTTLED
        case Unreachable() | InvalidResponse() | CursorExpired():
            return State.OFFLINE
        case _:
            return State.ATTENTION


def needs_sign_in(error: MailtrayError | None) -> bool:
    """Say whether signing in again may mend an error."""
    match error:
        case SignInRequired() | ConsentRequired() | AccessDenied():
            return True
        case AuthError(action=AuthAction.SIGN_IN):
            return True
        case _:
            return False


def remedy(error: MailtrayError) -> str:
    """Return the menu command that a click on the word of an error stands for.

    Where it takes no more than a sign-in, that; else the page that explains it. A policy that
    blocks the account is not to be run against again and again.
    """
    if link_of(error):
        return EXPLAIN
    if needs_sign_in(error):
        return "sign_in"
    is_other = isinstance(error, AuthError) and error.action is AuthAction.OTHER_ACCOUNT
    return "add_account" if is_other else EXPLAIN


def link_of(error: MailtrayError | None) -> str:
    """Return the page on which an administrator can mend an error, or an empty string."""
    return error.link if isinstance(error, AuthError) else ""


def overall(status: Status) -> State:
    """Return the one state that the icon stands for: the one that asks most of the person."""
    if status.is_signing_in:
        return State.SIGNING_IN
    if not status.accounts:
        if status.notice is not None or status.sign_in_error is not None:
            return State.ATTENTION
        return State.OK if status.is_starting and status.is_configured else State.SIGNED_OUT
    return worst_first(status)[0].state


def worst_first(status: Status) -> list[AccountStatus]:
    """Return the accounts, the one first that asks most of the person."""
    return sorted(status.accounts.values(), key=lambda one: _URGENCY.index(one.state))


def unread_count(status: Status) -> int:
    """Return the unread messages of all accounts."""
    return sum(one.unread for one in status.accounts.values())


def new_count(status: Status) -> int:
    """Return the messages of all accounts that came since the person last looked."""
    return sum(one.new for one in status.accounts.values())


def is_paused(status: Status) -> bool:
    """Say whether the person asked for a pause that lasts."""
    return status.quiet is not None and status.quiet.why is Why.PAUSED
