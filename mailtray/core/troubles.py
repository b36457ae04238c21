"""What is wrong now, what it means, and the one thing to do about it: for whoever explains it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from mailtray.core import text
from mailtray.core.errors import (
    AccessDenied,
    AuthError,
    ConfigError,
    ConsentRequired,
    FolderGone,
    InvalidResponse,
    MailboxUnavailable,
    MailSourceError,
    MailtrayError,
    NotifierError,
    NoVault,
    ProxyRefused,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
    StateError,
    Throttled,
    Unconfigured,
    Unreachable,
    UntrustedCertificate,
    VaultError,
    VaultLocked,
)
from mailtray.core.language import N_, Sentence, _
from mailtray.core.model import AuthAction
from mailtray.core.status import link_of, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from mailtray.core.model import Account
    from mailtray.core.status import AccountStatus, Status

SIGN_IN = "sign-in"
"""What a sign-in that ended badly goes by; accounts go by their ids, notices by their sources."""


class Remedy(StrEnum):
    """The one thing to do about a trouble."""

    SIGN_IN = "sign_in"
    ADD_ACCOUNT = "add_account"
    ALLOW_CHANGES = "allow_changes"
    CHECK_NOW = "check_now"
    ASK_APPROVAL = "ask_approval"
    SETTINGS = "settings"
    SET_UP = "set_up"
    REPORT = "report"


MENDS = frozenset(
    {Remedy.SIGN_IN, Remedy.ADD_ACCOUNT, Remedy.ALLOW_CHANGES, Remedy.CHECK_NOW},
)
"""What the running program does itself when asked to; each is called as in the menu."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong.

    Attributes:
        about: By what it is asked for; all that is wrong with an account goes by one name.
        error: What happened.
        means: What that means.
        remedy: What to do about it.
        key: The setting that this is about, if it is about one.
        account: Whose trouble it is, where it is an account's.
        since: Since when, where that is known.
        retry: When the next try is due, where one is.
    """

    about: str
    error: MailtrayError
    means: Sentence
    remedy: Remedy
    key: str = ""
    account: Account | None = None
    since: datetime | None = None
    retry: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What kind of trouble it is; see :class:`Trouble`."""

    means: Sentence
    remedy: Remedy = Remedy.CHECK_NOW
    key: str = ""


_BY_KIND: Mapping[type[MailtrayError], _Meaning] = {
    Unconfigured: _Meaning(
        N_(
            "Only a program that is registered with Microsoft may read mail. The client id says "
            "which registration mailtray is to use."
        ),
        Remedy.SET_UP,
    ),
    ConfigError: _Meaning(
        N_(
            "mailtray cannot understand one of your settings. Until it is corrected it goes by "
            "those from before, or does not start."
        ),
        Remedy.SETTINGS,
    ),
    VaultLocked: _Meaning(
        N_(
            "Your sign-in is kept in the keyring and nowhere else. While the keyring is locked, "
            "mailtray cannot read or keep it."
        )
    ),
    NoVault: _Meaning(
        N_(
            "Your sign-in is kept in a keyring and nowhere else. Without one it lasts only until "
            "mailtray ends."
        )
    ),
    VaultError: _Meaning(
        N_(
            "Your sign-in is kept in the keyring and nowhere else. Until it takes the sign-in, "
            "mailtray has it in memory only and asks again by itself."
        )
    ),
    StateError: _Meaning(
        N_(
            "mailtray cannot write down what you were told. It goes on from memory; after a "
            "restart something may be told again."
        )
    ),
    NotifierError: _Meaning(
        N_(
            "Nothing is lost: what could not be shown is told as soon as notifications can be "
            "shown again."
        )
    ),
    UntrustedCertificate: _Meaning(
        N_(
            "Something between this computer and Microsoft shows a certificate that nobody here "
            "vouches for. In a company that is often its own inspection of the network. Nothing of "
            "yours is sent to it."
        ),
        Remedy.SETTINGS,
        "ca_bundle",
    ),
    Unreachable: _Meaning(
        N_(
            "There is no way to Microsoft 365 from here just now. mailtray goes on trying by "
            "itself, and at once when the network is back. What comes meanwhile is told then."
        )
    ),
    ProxyRefused: _Meaning(
        N_(
            "Your network lets mailtray out through a proxy server only, and that refuses. "
            "mailtray tries it seldom: wrong passwords in a row might lock you out."
        ),
        Remedy.SETTINGS,
        "proxy",
    ),
    ServiceUnavailable: _Meaning(
        N_(
            "The trouble is Microsoft's own. mailtray goes on trying by itself. What comes "
            "meanwhile is told then."
        )
    ),
    Throttled: _Meaning(
        N_(
            "Microsoft asked for a pause. mailtray keeps it and goes on by itself. What comes "
            "meanwhile is told then."
        )
    ),
    InvalidResponse: _Meaning(
        N_(
            "What came was no answer of Microsoft's, as where a network wants you to sign in to it "
            "first. mailtray goes on trying by itself."
        )
    ),
    AccessDenied: _Meaning(
        N_("You are signed in, and the permission for this is missing."), Remedy.SIGN_IN
    ),
    FolderGone: _Meaning(
        N_("The settings name a folder that is not in the mailbox. It may be renamed or deleted."),
        Remedy.SETTINGS,
        "folders",
    ),
    MailboxUnavailable: _Meaning(
        N_("You are signed in, and Microsoft 365 has no mailbox there that mailtray could read.")
    ),
    SignInCancelled: _Meaning(
        N_("The sign-in page was left or declined. Nothing was changed by that."),
        Remedy.SIGN_IN,
    ),
    SignInRequired: _Meaning(
        N_(
            "Microsoft wants you to sign in before mailtray may read mail. What comes meanwhile "
            "is told afterwards."
        ),
        Remedy.SIGN_IN,
    ),
    ConsentRequired: _Meaning(
        N_("A permission without which mailtray cannot read mail was not given."), Remedy.SIGN_IN
    ),
    MailtrayError: _Meaning(
        N_("Something did not work. mailtray goes on as well as it can, and tries again.")
    ),
}
"""By what happened; the first that fits."""

_BY_ACTION: Mapping[AuthAction | None, _Meaning] = {
    AuthAction.CORRECT_CLIENT_ID: _Meaning(
        N_(
            "The client id, or the registration that it stands for, is not as Microsoft wants it. "
            "Signing in again does not help before it is corrected."
        ),
        Remedy.SETTINGS,
        "client_id",
    ),
    AuthAction.CORRECT_TENANT: _Meaning(
        N_(
            "The settings say in which organisation to sign in, and Microsoft finds none of that "
            "name. Signing in again does not help before it is corrected."
        ),
        Remedy.SETTINGS,
        "tenant",
    ),
    AuthAction.OTHER_ACCOUNT: _Meaning(
        N_("The account and the organisation in which it was used do not belong together."),
        Remedy.ADD_ACCOUNT,
    ),
    AuthAction.CHECK_CLOCK: _Meaning(
        N_(
            "Microsoft refuses what seems too old or too new. Once the clock is right mailtray "
            "goes on by itself."
        )
    ),
    AuthAction.REPORT: _Meaning(
        N_(
            "Microsoft refused in a way that mailtray does not know how to mend. The numbers in "
            "the details say more to those who help."
        ),
        Remedy.REPORT,
    ),
    AuthAction.NONE: _Meaning(
        N_(
            "A rule of your organisation, or the account itself, is in the way. Signing in again "
            "does not help; once it is mended, “Check now” goes on."
        )
    ),
}
"""By what mends a refused sign-in."""

_APPROVAL = _Meaning(
    N_(
        "In your organisation an administrator has to approve a program before people may use it "
        "with their mail. They do not see your mail by that, nor does anybody else."
    ),
    Remedy.ASK_APPROVAL,
)
_LACKING_MEANS = N_("Mail is told all the same, without that for which the permission is missing.")
_ASKING_MEANS = N_("mailtray reads mail and may not change it. What you want done waits for you.")
_HERE_MEANS = N_("mailtray tells you of mail once you are signed in with Microsoft.")


def troubles(status: Status) -> tuple[Trouble, ...]:
    """Return all that is wrong now: with the accounts, the worst first, then with the rest."""
    found = [one for each in worst_first(status) for one in _of_account(each)]
    return (*found, *_of_program(status, [one.error for one in found]))


def of_error(
    error: MailtrayError,
    about: str,
    account: Account | None = None,
    since: datetime | None = None,
    retry: datetime | None = None,
) -> Trouble:
    """Return an error as a trouble; see :class:`Trouble`."""
    found = _meaning(error)
    key = error.key if isinstance(error, ConfigError) else found.key
    return Trouble(about, error, found.means, found.remedy, key, account, since, retry)


def _meaning(error: MailtrayError) -> _Meaning:
    if link_of(error):
        return _APPROVAL
    by_action = _BY_ACTION.get(error.action) if isinstance(error, AuthError) else None
    if by_action is not None:
        return by_action
    return next(found for kind, found in _BY_KIND.items() if isinstance(error, kind))


def as_json(one: Trouble) -> Mapping[str, object]:
    """Return a trouble as other processes are told of it; times are ISO 8601."""
    error = one.error
    return {
        "about": one.about,
        "account": None if one.account is None else one.account.username,
        "kind": type(error).__name__,
        "title": error.title,
        "hint": error.hint,
        "means": _(one.means),
        "remedy": one.remedy.value,
        "key": one.key,
        "since": _iso(one.since),
        "retry": _iso(one.retry),
        "code": error.code if isinstance(error, AuthError) else None,
        "correlation_id": error.correlation_id if isinstance(error, AuthError) else None,
        "request_id": error.request_id if isinstance(error, MailSourceError) else None,
        "link": link_of(error) or None,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _of_account(one: AccountStatus) -> Iterator[Trouble]:
    who, about = one.account, one.account.id
    if one.error is not None:
        yield of_error(one.error, about, who, one.since, one.retry)
    if one.lacking is not None:
        yield replace(of_error(one.lacking, about, who, one.impaired), means=_LACKING_MEANS)
    for trouble in one.troubles:
        yield of_error(trouble, about, who, one.impaired)
    if one.asking is not None:
        asking = replace(of_error(one.asking, about, who), means=_ASKING_MEANS)
        is_known = asking.remedy is Remedy.ASK_APPROVAL
        yield asking if is_known else replace(asking, remedy=Remedy.ALLOW_CHANGES)


def _of_program(status: Status, told: list[MailtrayError]) -> Iterator[Trouble]:
    for source in sorted(status.notices):
        since = status.since.get(source)
        yield of_error(status.notices[source], source.name.lower(), since=since)
    error = status.sign_in_error
    # One that was given up is no trouble of those who are signed in.
    is_given_up = isinstance(error, SignInCancelled) and bool(status.accounts)
    if error is not None and error not in told and not is_given_up:
        yield of_error(error, SIGN_IN, since=status.sign_in_failed)
    elif not (status.accounts or status.notices or status.is_starting):
        signed_out = SignInRequired(_(text.SIGNED_OUT), _(text.SIGN_IN_TO_START))
        yield replace(of_error(signed_out, SIGN_IN), means=_HERE_MEANS)
