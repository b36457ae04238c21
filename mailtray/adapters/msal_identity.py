"""Sign-in and access tokens, by MSAL.

Each account has a token cache and an application of its own, so that none can harm another.
``msal`` is loaded with the first account.

Source: learn.microsoft.com/entra/msal/python, and learn.microsoft.com/entra/identity-platform,
"OAuth 2.0 authorization code flow", "OAuth 2.0 device authorization grant flow", "Refresh tokens
in the Microsoft identity platform".
"""

from __future__ import annotations

import json
import logging
import threading
import webbrowser
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailtray.adapters.msal_cache import account_in, as_listed, granted, new_cache, sound_parts
from mailtray.adapters.msal_errors import (
    IN_TROUBLE,
    MAYBE_PASSING,
    TRIED_AGAIN,
    approval_link,
    claims_request,
    meaning,
)
from mailtray.adapters.msal_http import UNUSABLE, EntraHttp, NoMemory
from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    InvalidResponse,
    MailSourceError,
    MailtrayError,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
)
from mailtray.core.language import N_, _
from mailtray.core.model import AccessToken, Account, AccountId, AuthAction, SignedIn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from mailtray.adapters.http import Http
    from mailtray.adapters.sign_in_listener import BroughtAnswer, SignInListener
    from mailtray.ports import Clock

_log = logging.getLogger(__name__)

CAPABILITIES = ["cp1"]
"""Claims challenges are understood: tokens live longer and are revoked at once."""
SECOND_TRY_S = 65.0
"""How long to wait before a doubtful refusal is tried again, in seconds."""
FRESH_S = 30.0
"""How long a token just received is good for the next call, in seconds.

MSAL takes one with less than five minutes to live for none, and does not find one whose answer
lacked a part: to keep the cache first and then go on would ask for token after token.
"""
_FRESH_SOURCE = "identity_provider"
_DEVICE_WAITING = frozenset({"authorization_pending", "slow_down"})
_LONGEST_DEVICE_STEP_S = 60

_NOT_SIGNED_IN = (N_("You are not signed in"), N_("Sign in."))
_CLOCK = (
    N_("The clock of this computer is wrong"),
    N_("Set the date, the time and the time zone."),
)


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A token that came over the network just now."""

    token: AccessToken
    asked: frozenset[str]
    until_s: float


@dataclass(slots=True)
class _Kept:
    """An account's token cache and, once it was needed, the application over it."""

    cache: Any
    app: Any = None
    doubtful: int = 0
    fresh: _Fresh | None = None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A sign-in under way."""

    cancelled: threading.Event = field(default_factory=threading.Event)


class MsalIdentity:
    """An identity provider over MSAL Python, as a public client.

    Args:
        client_id: Of the registration.
        authority: ``https://login.microsoftonline.com/common``, or another tenant or cloud.
        http: How requests are sent.
        clock: Measures the deadlines.
        open_browser: Opens the sign-in page and says whether it could; the system's browser
            where ``None``. It may block.
    """

    def __init__(
        self,
        client_id: str,
        authority: str,
        http: Http,
        clock: Clock,
        open_browser: Callable[[str], bool] | None = None,
    ) -> None:
        self._client_id = client_id
        self._authority = authority
        self._entra = EntraHttp(http, clock)
        self._clock = clock
        self._open_browser = open_browser or webbrowser.open
        self._kept: dict[AccountId, _Kept] = {}
        self._attempt: _Attempt | None = None
        self._lock = threading.Lock()

    # --- silent

    def restore(self, account: AccountId, cache: str) -> Account | None:
        """See the port."""
        content = sound_parts(cache)
        found = account_in(content, account)
        if found is None:
            _log.warning("a saved sign-in was damaged or of another account; it is not used")
        else:
            self._keep(account, json.dumps(content))
        return found

    def adopt(self, signed_in: SignedIn) -> None:
        """See the port."""
        self._keep(signed_in.account.id, signed_in.cache)

    def acquire_token(
        self, account: AccountId, scopes: Collection[str], *, claims: str | None, renew: bool
    ) -> AccessToken:
        """See the port."""
        kept = self._kept.get(account)
        if kept is None:
            raise _not_signed_in()
        fresh, kept.fresh = kept.fresh, None
        if fresh is not None and not (renew or claims) and self._holds(fresh, scopes):
            return fresh.token
        with self._linked(scopes, account), _translated():
            result = self._acquire(account, kept, scopes, claims=claims, renew=renew)
            token = AccessToken(result["access_token"], granted(kept.cache, result, scopes))
        if result.get("token_source") == _FRESH_SOURCE:
            until_s = self._clock.monotonic_s() + FRESH_S
            kept.fresh = _Fresh(token, frozenset(scopes), until_s)
        return token

    def _holds(self, fresh: _Fresh, scopes: Collection[str]) -> bool:
        return fresh.asked == frozenset(scopes) and self._clock.monotonic_s() < fresh.until_s

    def _acquire(
        self,
        account: AccountId,
        kept: _Kept,
        scopes: Collection[str],
        *,
        claims: str | None,
        renew: bool,
    ) -> Mapping[str, Any]:
        """Ask MSAL; its answer holds an access token."""
        if kept.app is None:
            kept.app = self._new_app(kept.cache)
        known = [a for a in kept.app.get_accounts() if a["home_account_id"] == account]
        result: Mapping[str, Any] | None = kept.app.acquire_token_silent_with_error(
            as_listed(kept.cache, scopes),
            known[0] if known else None,
            force_refresh=renew,
            claims_challenge=claims_request(claims),
            # While a long-lived token is still good, trouble in renewing it early is none.
            http_exceptions=(MailtrayError,),
        )
        if result is None:
            raise _not_signed_in()
        if "access_token" not in result:
            raise _refused(kept, result)
        if result.get("token_source") == _FRESH_SOURCE:
            # A token from the cache says nothing about the refresh token.
            kept.doubtful = 0
        return result

    def take_changed_cache(self, account: AccountId) -> str | None:
        """See the port."""
        kept = self._kept.get(account)
        if kept is None or not kept.cache.has_state_changed:
            return None
        return str(kept.cache.serialize())

    def forget(self, account: AccountId) -> None:
        """See the port."""
        self._kept.pop(account, None)

    def _keep(self, account: AccountId, cache: str) -> None:
        token_cache = new_cache()
        token_cache.deserialize(cache)
        self._kept[account] = _Kept(token_cache)

    def _new_app(self, cache: Any) -> Any:  # noqa: ANN401 - msal has no types
        """Build an application; asks the authority for its addresses the first time."""
        from msal import PublicClientApplication

        return PublicClientApplication(
            self._client_id,
            authority=self._authority,
            token_cache=cache,
            http_client=self._entra,
            http_cache=NoMemory(),
            client_capabilities=CAPABILITIES,
            # It would ask another host which hosts are Microsoft's; the settings say so.
            instance_discovery=False,
        )

    # --- interactive

    def sign_in(
        self,
        scopes: Collection[str],
        *,
        login_hint: str | None,
        claims: str | None,
        deadline_s: float,
        on_url: Callable[[str], None],
    ) -> SignedIn:
        """See the port."""
        end_s = self._clock.monotonic_s() + deadline_s
        with self._linked(scopes), self._only_attempt() as attempt, _listener() as listener:
            cache = new_cache()
            with _translated():
                app = self._new_app(cache)
                flow = app.initiate_auth_code_flow(
                    list(scopes),
                    redirect_uri=listener.redirect_uri,
                    prompt=None if login_hint else "select_account",
                    login_hint=login_hint,
                    claims_challenge=claims_request(claims),
                    response_mode="form_post",
                )
            listener.expect(flow["state"])
            self._show(flow["auth_uri"], on_url)
            answer = listener.wait(lambda: self._is_over(attempt, end_s))
            if answer is None:
                raise self._unfinished(attempt, scopes)
            return _redeem(app, cache, flow, answer)

    def sign_in_by_device_code(
        self,
        scopes: Collection[str],
        *,
        claims: str | None,
        deadline_s: float,
        on_code: Callable[[str, str], None],
    ) -> SignedIn:
        """See the port."""
        end_s = self._clock.monotonic_s() + deadline_s
        wanted = claims_request(claims)
        with self._linked(scopes), self._only_attempt() as attempt:
            cache = new_cache()
            with _translated():
                app = self._new_app(cache)
                flow = app.initiate_device_flow(list(scopes), claims_challenge=wanted)
                if "error" in flow:
                    raise meaning(flow, interactive=True)
                page, code = str(flow["verification_uri"]), str(flow["user_code"])
            on_code(page, code)
            while not self._is_over(attempt, end_s):
                attempt.cancelled.wait(min(max(flow["interval"], 1), _LONGEST_DEVICE_STEP_S))
                if self._is_over(attempt, end_s):
                    break
                signed_in = _ask_once(app, cache, flow, wanted)
                if signed_in is not None:
                    return signed_in
            raise self._unfinished(attempt, scopes)

    def cancel_sign_in(self) -> None:
        """See the port."""
        with self._lock:
            if self._attempt is not None:
                self._attempt.cancelled.set()

    @contextmanager
    def _linked(self, scopes: Collection[str], account: AccountId | None = None) -> Iterator[None]:
        """Give what an administrator has to mend the page on which it is done."""
        try:
            yield
        except AuthError as error:
            if error.action is AuthAction.ASK_ADMINISTRATOR:
                error.link = self._approval_link(scopes, account)
            raise

    def _approval_link(self, scopes: Collection[str], account: AccountId | None = None) -> str:
        return approval_link(self._authority, self._client_id, scopes, account)

    @contextmanager
    def _only_attempt(self) -> Iterator[_Attempt]:
        with self._lock:
            if self._attempt is not None:
                raise SignInCancelled(
                    _("Another sign-in is still open"), _("Finish or cancel it, then try again.")
                )
            attempt = self._attempt = _Attempt()
        try:
            yield attempt
        finally:
            with self._lock:
                self._attempt = None

    def _show(self, url: str, on_url: Callable[[str], None]) -> None:
        """Bring the page to the person, from a thread: a browser in a terminal blocks."""
        if urlsplit(url).scheme not in {"https", "http"}:
            raise InvalidResponse(*map(_, UNUSABLE))

        def show() -> None:
            on_url(url)
            try:
                opened = self._open_browser(url)
            except (webbrowser.Error, OSError) as exc:
                _log.warning("the browser could not be started: %s", type(exc).__name__)
            else:
                if not opened:
                    _log.warning("no browser could be started")

        threading.Thread(target=show, name="mailtray-browser", daemon=True).start()

    def _is_over(self, attempt: _Attempt, end_s: float) -> bool:
        return attempt.cancelled.is_set() or self._clock.monotonic_s() >= end_s

    def _unfinished(self, attempt: _Attempt, scopes: Collection[str]) -> SignInCancelled:
        if attempt.cancelled.is_set():
            title, hint = _("The sign-in was cancelled"), _("Choose “Sign in” to try again.")
            return SignInCancelled(title, hint, action=AuthAction.SIGN_IN)
        title = _("The sign-in was not finished in time")
        hint = _(
            "Try again; if the page asked for approval, send your administrator the link first."
        )
        # A page that wants an administrator's approval sends no answer.
        error = SignInCancelled(title, hint, action=AuthAction.SIGN_IN)
        error.link = self._approval_link(scopes)
        return error


def _listener() -> SignInListener:
    from mailtray.adapters.sign_in_listener import SignInListener

    try:
        return SignInListener()
    except OSError as exc:
        raise AuthBlocked(
            _("The browser's answer cannot be received"),
            _("Allow mailtray to listen on 127.0.0.1, or sign in by a device code."),
            action=AuthAction.NONE,
        ) from exc


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what MSAL raises into our errors.

    Network trouble and refusals by status never reach MSAL (see :class:`EntraHttp`): what it still
    raises is about an answer that lacks a part or does not fit the request.
    """
    from msal.exceptions import MsalError

    try:
        yield
    except MailtrayError:
        raise
    except RuntimeError as exc:
        if "computer's time" in str(exc):
            raise AuthBlocked(*map(_, _CLOCK), action=AuthAction.CHECK_CLOCK) from exc
        raise InvalidResponse(*map(_, UNUSABLE)) from exc
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, MsalError) as exc:
        raise InvalidResponse(*map(_, UNUSABLE)) from exc


def _not_signed_in() -> SignInRequired:
    return SignInRequired(*map(_, _NOT_SIGNED_IN), action=AuthAction.SIGN_IN)


def _refused(kept: _Kept, result: Mapping[str, object]) -> MailtrayError:
    """Return what a refused refresh means; a doubtful one is passing trouble the first time."""
    if "error" not in result:
        return InvalidResponse(*map(_, UNUSABLE))
    error = meaning(result, interactive=False)
    if not (isinstance(error, AuthError) and error.code == MAYBE_PASSING):
        return error
    kept.doubtful += 1
    if kept.doubtful > 1:
        return error
    return ServiceUnavailable(_(IN_TROUBLE), _(TRIED_AGAIN), retry_after_s=SECOND_TRY_S)


def _redeem(
    app: Any,  # noqa: ANN401 - msal has no types
    cache: Any,  # noqa: ANN401 - msal has no types
    flow: dict[str, Any],
    answer: BroughtAnswer,
) -> SignedIn:
    """Trade the code for tokens and tell the browser how it went."""
    page = (_("The sign-in failed"), _("Go back to mailtray and try again."))
    try:
        with _translated():
            result = app.acquire_token_by_auth_code_flow(flow, answer.fields)
            signed_in = _signed_in(cache, result)
        page = (_("You are signed in"), _("You can close this tab and go back to your mail."))
    except MailtrayError as exc:
        page = (exc.title, exc.hint)
        raise
    else:
        return signed_in
    finally:
        answer.reply(*page)


def _ask_once(
    app: Any,  # noqa: ANN401 - msal has no types
    cache: Any,  # noqa: ANN401 - msal has no types
    flow: dict[str, Any],
    claims: str | None,
) -> SignedIn | None:
    """Ask whether a device code was used; ``None`` while it was not, or nothing was heard."""
    try:
        with _translated():
            # MSAL's own loop cannot be left early.
            result = app.acquire_token_by_device_flow(
                flow, claims_challenge=claims, exit_condition=lambda _flow: True
            )
            if result.get("error") in _DEVICE_WAITING:
                return None
            return _signed_in(cache, result)
    except MailSourceError as exc:
        _log.info("waiting for the device code goes on: %s", exc.title)
        return None


def _signed_in(cache: Any, result: Mapping[str, Any]) -> SignedIn:  # noqa: ANN401 - msal has no types
    if "error" in result:
        raise meaning(result, interactive=True)
    if "access_token" not in result:
        raise InvalidResponse(*map(_, UNUSABLE))
    serialized = str(cache.serialize())
    accounts = [str(a["home_account_id"]) for a in cache.search("Account")]
    account = account_in(sound_parts(serialized), AccountId(accounts[0])) if accounts else None
    if account is None:
        raise InvalidResponse(*map(_, UNUSABLE))
    return SignedIn(account, serialized)
