"""Everything that can go wrong, in the program's own words.

::

    MailtrayError(title, hint)
    ├─ ConfigError(origin, key, problem)
    ├─ Unconfigured
    ├─ AlreadyRunning
    ├─ NotRunning
    ├─ VaultError
    │  ├─ VaultLocked
    │  └─ NoVault
    ├─ StateError
    ├─ NotifierError
    ├─ TrayError
    ├─ AuthError(code, correlation_id, claims, action)
    │  ├─ SignInRequired
    │  ├─ SignInCancelled
    │  ├─ ConsentRequired
    │  └─ AuthBlocked
    └─ MailSourceError(request_id, server_time)
       ├─ Unreachable *
       │  └─ UntrustedCertificate *
       ├─ ProxyRefused
       ├─ Throttled *(retry_after_s)
       │  └─ ServiceUnavailable *
       ├─ CursorExpired *
       ├─ TokenRejected(claims)
       ├─ AccessDenied
       ├─ MailboxUnavailable
       │  └─ FolderGone
       ├─ MessageGone
       └─ InvalidResponse *

    * transient: the next poll may well succeed without the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.core.language import _

if TYPE_CHECKING:
    from datetime import datetime

    from mailtray.core.model import AuthAction


class MailtrayError(Exception):
    """An error a person may read.

    Attributes:
        title: What happened; fits a tooltip (60 characters).
        hint: One sentence with one thing to do, or an empty string.
    """

    transient = False

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(f"{title}. {hint}" if hint else title)
        self.title = title
        self.hint = hint


class ConfigError(MailtrayError):
    """A wish that cannot be understood.

    Attributes:
        origin: The file, option or variable it came from.
        key: The key within it, dotted, or an empty string where the whole is unreadable.
        problem: What is wrong and what the right form is.
    """

    def __init__(
        self, *, origin: str, key: str, problem: str, title: str = "", hint: str = ""
    ) -> None:
        where = f"{origin}: {key}" if key else origin
        super().__init__(title or f"{where}: {problem}", hint)
        self.origin = origin
        self.key = key
        self.problem = problem


class Unconfigured(MailtrayError):
    """A setting without which nothing can be done is missing."""


class AlreadyRunning(MailtrayError):
    """Another mailtray holds this home."""


class NotRunning(MailtrayError):
    """No mailtray answers for this home."""


class VaultError(MailtrayError):
    """The keyring refused; tokens are kept in memory only."""


class VaultLocked(VaultError):
    """The keyring is there and locked."""


class NoVault(VaultError):
    """There is no keyring on this desktop."""


class StateError(MailtrayError):
    """The state file cannot be read or written."""


class NotifierError(MailtrayError):
    """A notification was not shown; its messages stay untold."""


class TrayError(MailtrayError):
    """No tray icon can be had here."""


class AuthError(MailtrayError):
    """Sign-in or a silent token was refused.

    Attributes:
        code: The AADSTS number, or ``None`` where the answer had none.
        correlation_id: What Microsoft's support asks for; not a secret.
        claims: Claims request to pass to the next interactive sign-in, plain JSON.
        action: The one thing that mends it.
        link: The page on which an administrator can approve mailtray, or empty; given to it by
            who knows the registration.
    """

    def __init__(
        self,
        title: str,
        hint: str = "",
        *,
        code: int | None = None,
        correlation_id: str | None = None,
        claims: str | None = None,
        action: AuthAction | None = None,
    ) -> None:
        super().__init__(title, hint)
        self.code = code
        self.correlation_id = correlation_id
        self.claims = claims
        self.action = action
        self.link = ""

    @property
    def support(self) -> str:
        """What to quote to an administrator or to Microsoft's support, or empty."""
        number = "" if self.code is None else f"AADSTS{self.code}"
        given_id = ""
        if self.correlation_id:
            given_id = _("correlation id {number}").format(number=self.correlation_id)
        return ", ".join(filter(None, (number, given_id)))


class SignInRequired(AuthError):
    """Only a person at a browser can mend this."""


class SignInCancelled(AuthError):
    """The person closed, cancelled or did not finish the sign-in."""


class ConsentRequired(AuthError):
    """A permission was not given by the person or an administrator."""


class AuthBlocked(AuthError):
    """A policy, the account or the registration forbids it; signing in again does not help."""


class MailSourceError(MailtrayError):
    """Microsoft's services gave no usable answer.

    Attributes:
        request_id: Graph's ``request-id`` of the failed request, for support; not a secret.
        server_time: The answer's ``Date``, where it had one.
    """

    def __init__(
        self,
        title: str,
        hint: str = "",
        *,
        request_id: str | None = None,
        server_time: datetime | None = None,
    ) -> None:
        super().__init__(title, hint)
        self.request_id = request_id
        self.server_time = server_time


class Unreachable(MailSourceError):
    """No answer: no network, no name, refused, reset or too slow.

    Attributes:
        was_sent: False where the request certainly never left.
    """

    transient = True
    was_sent = True


class UntrustedCertificate(Unreachable):
    """Something answered with a certificate that is not trusted here."""


class ProxyRefused(MailSourceError):
    """The proxy wants another password, or does not let mailtray through.

    Not transient: each further try with a wrong password may lock the person out.
    """


class Throttled(MailSourceError):
    """Asked to wait (429).

    Attributes:
        retry_after_s: What the server asked for, in seconds, or ``None``.
    """

    transient = True

    def __init__(
        self,
        title: str,
        hint: str = "",
        *,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        server_time: datetime | None = None,
    ) -> None:
        super().__init__(title, hint, request_id=request_id, server_time=server_time)
        self.retry_after_s = retry_after_s


class ServiceUnavailable(Throttled):
    """The service is in trouble itself (408, 5xx); a ``Retry-After`` counts here as well."""


class CursorExpired(MailSourceError):
    """The delta link is no longer known to the server; a full round mends it."""

    transient = True


class TokenRejected(MailSourceError):
    """Graph refused the access token (401).

    Attributes:
        claims: The decoded claims challenge, plain JSON, or ``None``.
    """

    def __init__(
        self,
        title: str,
        hint: str = "",
        *,
        claims: str | None = None,
        request_id: str | None = None,
        server_time: datetime | None = None,
    ) -> None:
        super().__init__(title, hint, request_id=request_id, server_time=server_time)
        self.claims = claims


class AccessDenied(MailSourceError):
    """The token is good, the permission is missing (403)."""


class MailboxUnavailable(MailSourceError):
    """The account has no mailbox that Graph can read, or the folder is gone (404)."""


class FolderGone(MailboxUnavailable):
    """The settings name a folder that is not there."""


class MessageGone(MailSourceError):
    """The message something was to be done to is no longer there (404)."""


class InvalidResponse(MailSourceError):
    """An answer that is not Graph's: HTML from a portal, broken JSON, missing links."""

    transient = True
