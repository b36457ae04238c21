"""Sign-in and access tokens, by MSAL.

Each account has a token cache and an application of its own, so that none can harm another.
``msal`` is loaded with the first account.

Source: learn.microsoft.com/entra/msal/python, and learn.microsoft.com/entra/identity-platform,
"OAuth 2.0 authorization code flow", "OAuth 2.0 device authorization grant flow", "Refresh tokens
in the Microsoft identity platform".
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import webbrowser
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailtray.adapters.http import retry_after_s
from mailtray.adapters.msal_errors import MAYBE_PASSING, claims_request, meaning
from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    InvalidResponse,
    MailtrayError,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
    Throttled,
)
from mailtray.core.model import AccessToken, Account, AccountId, AuthAction, SignedIn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from mailtray.adapters.http import Answer, Http
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
_AGAIN = "Nothing to do; it is tried again."
_SECRET_ENDPOINTS = ("token_endpoint", "issuer")
"""Parts of a discovery document that have to be there and encrypted."""
_DEVICE_WAITING = frozenset({"authorization_pending", "slow_down"})
_LONGEST_DEVICE_STEP_S = 60

_NOT_SIGNED_IN = ("You are not signed in", "Sign in.")
_ODD_ANSWER = ("Microsoft's sign-in gave an unusable answer", _AGAIN)
_CLOCK = ("The clock of this computer is wrong", "Set the date, the time and the time zone.")


class _Entra:
    """Carries MSAL's requests, and lets it see only answers it can handle.

    Discovery is asked once for all accounts. MSAL's own memory of refusals is left empty (see
    :class:`_NoMemory`); it would hide ``Retry-After`` and answer for the server.
    """

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._discovered: dict[str, _MsalAnswer] = {}
        self._lock = threading.Lock()

    def get(self, url: str, **options: Any) -> _MsalAnswer:  # noqa: ANN401 - as MSAL calls it
        """Ask for a discovery document."""
        with self._lock:
            if url not in self._discovered:
                answer = self._send("GET", url, options)
                if answer.status_code != 200:  # noqa: PLR2004 - a status is its own name
                    raise meaning(answer.content, interactive=False)
                if not all(_is_https(answer.content.get(name)) for name in _SECRET_ENDPOINTS):
                    raise InvalidResponse(*_ODD_ANSWER)
                self._discovered[url] = answer
            return self._discovered[url]

    def post(self, url: str, **options: Any) -> _MsalAnswer:  # noqa: ANN401 - as MSAL calls it
        """Ask for tokens."""
        return self._send("POST", url, options)

    def close(self) -> None:
        """Leave the connections to their owner."""

    def _send(self, method: str, url: str, options: Mapping[str, Any]) -> _MsalAnswer:
        answer = self._http.request(
            method,
            url,
            headers={name: str(value) for name, value in (options.get("headers") or {}).items()},
            params=options.get("params"),
            data=options.get("data"),
        )
        return _MsalAnswer(answer, self._checked(answer))

    def _checked(self, answer: Answer) -> Mapping[str, object]:
        """Return the JSON of an answer, or raise what it stands for."""
        wait_s = retry_after_s(answer.headers.get("Retry-After"), self._clock.now())
        at = answer.server_time
        if answer.status == 429:  # noqa: PLR2004 - a status is its own name
            title = "Microsoft's sign-in asks mailtray to wait"
            raise Throttled(title, _AGAIN, retry_after_s=wait_s, server_time=at)
        if answer.status >= 500 or answer.status == 408:  # noqa: PLR2004 - statuses are their own names
            title = "Microsoft's sign-in is in trouble"
            raise ServiceUnavailable(title, _AGAIN, retry_after_s=wait_s, server_time=at)
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError) as exc:
            raise InvalidResponse(*_ODD_ANSWER, server_time=at) from exc
        is_refusal = answer.status != 200  # noqa: PLR2004 - a status is its own name
        if not isinstance(content, dict) or (is_refusal and "error" not in content):
            raise InvalidResponse(*_ODD_ANSWER, server_time=at)
        return content


def _is_https(address: object) -> bool:
    return isinstance(address, str) and urlsplit(address).scheme == "https"


class _MsalAnswer:
    """An answer in the shape MSAL reads."""

    def __init__(self, answer: Answer, content: Mapping[str, object]) -> None:
        self.status_code = answer.status
        self.text = answer.body.decode(errors="replace")
        self.headers = answer.headers
        self.content = content

    def raise_for_status(self) -> None:
        """Do nothing: what is to be raised was raised before MSAL saw the answer."""


class _NoMemory(dict[str, object]):
    """MSAL's memory of HTTP answers, kept empty.

    It would answer a token request from memory for a minute after a refusal (also the first one
    after the person mended the cause) and forget what ``Retry-After`` said; when to ask again
    is the poller's to decide.
    """

    def __setitem__(self, key: str, value: object) -> None:
        """Remember nothing."""


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
        self._entra = _Entra(http, clock)
        self._clock = clock
        self._open_browser = open_browser or webbrowser.open
        self._kept: dict[AccountId, _Kept] = {}
        self._attempt: _Attempt | None = None
        self._lock = threading.Lock()

    # --- silent

    def restore(self, account: AccountId, cache: str) -> Account | None:
        """See the port."""
        content = _sound_parts(cache)
        found = _account_in(content, account)
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
        with _translated():
            result = self._acquire(account, kept, scopes, claims=claims, renew=renew)
            token = AccessToken(result["access_token"], _granted(kept.cache, result, scopes))
        if result.get("token_source") == "identity_provider":
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
            _as_listed(kept.cache, scopes),
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
        token_cache = _new_cache()
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
            http_cache=_NoMemory(),
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
        with self._only_attempt() as attempt, _listener() as listener:
            cache = _new_cache()
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
                raise self._unfinished(attempt)
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
        with self._only_attempt() as attempt:
            cache = _new_cache()
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
                with _translated():
                    # MSAL's own loop cannot be left early; this asks once.
                    result = app.acquire_token_by_device_flow(
                        flow, claims_challenge=wanted, exit_condition=lambda _flow: True
                    )
                    if result.get("error") not in _DEVICE_WAITING:
                        return _signed_in(cache, result)
            raise self._unfinished(attempt)

    def cancel_sign_in(self) -> None:
        """See the port."""
        with self._lock:
            if self._attempt is not None:
                self._attempt.cancelled.set()

    @contextmanager
    def _only_attempt(self) -> Iterator[_Attempt]:
        with self._lock:
            if self._attempt is not None:
                raise SignInCancelled(
                    "Another sign-in is still open", "Finish or cancel it, then try again."
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
            raise InvalidResponse(*_ODD_ANSWER)

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

    def _unfinished(self, attempt: _Attempt) -> SignInCancelled:
        if attempt.cancelled.is_set():
            title, hint = "The sign-in was cancelled", "Choose Sign in to try again."
        else:
            title = "The sign-in was not finished in time"
            hint = "Try again; if the page asked for approval, ask your administrator for it first."
        return SignInCancelled(title, hint, action=AuthAction.SIGN_IN)


def _listener() -> SignInListener:
    from mailtray.adapters.sign_in_listener import SignInListener

    try:
        return SignInListener()
    except OSError as exc:
        raise AuthBlocked(
            "The browser's answer cannot be received",
            "Allow mailtray to listen on 127.0.0.1, or sign in by a device code.",
            action=AuthAction.NONE,
        ) from exc


def _new_cache() -> Any:  # noqa: ANN401 - msal has no types
    from msal import SerializableTokenCache

    # Its loggers print answers and codes whole.
    logging.getLogger("msal").setLevel(logging.CRITICAL + 1)
    return SerializableTokenCache()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what MSAL raises into our errors.

    Network trouble and refusals by status never reach MSAL (see :class:`_Entra`): what it still
    raises is about an answer that lacks a part or does not fit the request.
    """
    from msal.exceptions import MsalError

    try:
        yield
    except MailtrayError:
        raise
    except RuntimeError as exc:
        if "computer's time" in str(exc):
            raise AuthBlocked(*_CLOCK, action=AuthAction.CHECK_CLOCK) from exc
        raise InvalidResponse(*_ODD_ANSWER) from exc
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, MsalError) as exc:
        raise InvalidResponse(*_ODD_ANSWER) from exc


def _not_signed_in() -> SignInRequired:
    return SignInRequired(*_NOT_SIGNED_IN, action=AuthAction.SIGN_IN)


def _refused(kept: _Kept, result: Mapping[str, object]) -> MailtrayError:
    """Return what a refused refresh means; a doubtful one is passing trouble the first time."""
    if "error" not in result:
        return InvalidResponse(*_ODD_ANSWER)
    error = meaning(result, interactive=False)
    if not (isinstance(error, AuthError) and error.code == MAYBE_PASSING):
        return error
    kept.doubtful += 1
    if kept.doubtful > 1:
        return error
    return ServiceUnavailable(
        "Microsoft's sign-in is in trouble", _AGAIN, retry_after_s=SECOND_TRY_S
    )


def _as_listed(cache: Any, scopes: Collection[str]) -> list[str]:  # noqa: ANN401 - msal has no types
    """Return the scopes in the form in which the last token response listed them.

    Some answers list them long (``https://graph.microsoft.com/Mail.Read``) though asked for
    short; asked otherwise than listed, MSAL would not find its own token and spend a request.
    """
    listed = {_short(scope): scope for scope in _targets(cache, None)}
    return [listed.get(_short(scope), scope) for scope in scopes]


def _granted(cache: Any, result: Mapping[str, Any], asked: Collection[str]) -> frozenset[str]:  # noqa: ANN401 - msal has no types
    """Return those of the scopes asked for that the token holds; MSAL tells them only at times."""
    held = {_short(scope) for scope in _targets(cache, result["access_token"])}
    return frozenset(scope for scope in asked if _short(scope) in held)


def _targets(cache: Any, access_token: str | None) -> Iterator[str]:  # noqa: ANN401 - msal has no types
    query = {"secret": access_token} if access_token else None
    for entry in cache.search("AccessToken", query=query):
        yield from entry.get("target", "").split()


def _short(scope: str) -> str:
    return scope.rpartition("/")[2].lower()


def _redeem(
    app: Any,  # noqa: ANN401 - msal has no types
    cache: Any,  # noqa: ANN401 - msal has no types
    flow: dict[str, Any],
    answer: BroughtAnswer,
) -> SignedIn:
    """Trade the code for tokens and tell the browser how it went."""
    page = ("The sign-in failed", "Go back to mailtray and try again.")
    try:
        with _translated():
            result = app.acquire_token_by_auth_code_flow(flow, answer.fields)
            signed_in = _signed_in(cache, result)
        page = ("You are signed in", "You can close this tab and go back to your mail.")
    except MailtrayError as exc:
        page = (exc.title, exc.hint)
        raise
    else:
        return signed_in
    finally:
        answer.reply(*page)


def _signed_in(cache: Any, result: Mapping[str, Any]) -> SignedIn:  # noqa: ANN401 - msal has no types
    if "error" in result:
        raise meaning(result, interactive=True)
    if "access_token" not in result:
        raise InvalidResponse(*_ODD_ANSWER)
    serialized = str(cache.serialize())
    accounts = [str(a["home_account_id"]) for a in cache.search("Account")]
    account = _account_in(_sound_parts(serialized), AccountId(accounts[0])) if accounts else None
    if account is None:
        raise InvalidResponse(*_ODD_ANSWER)
    return SignedIn(account, serialized)


_SECTIONS: dict[str, tuple[str, ...]] = {
    "Account": ("home_account_id", "environment", "username", "authority_type"),
    "RefreshToken": ("home_account_id", "environment", "secret", "client_id"),
    "AccessToken": ("environment", "secret", "expires_on", "target"),
    "IdToken": ("secret",),
    "AppMetadata": (),
}
"""The parts of a cache, and the texts that MSAL reads of each entry without asking."""


def _sound_parts(cache: str) -> dict[str, Any]:
    """Parse a serialized cache and leave out what MSAL would stumble over."""
    try:
        content = json.loads(cache)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    for name, texts in _SECTIONS.items():
        section = content.get(name)
        entries = section.items() if isinstance(section, dict) else ()
        content[name] = {key: entry for key, entry in entries if _is_entry(entry, texts)}
    return content


def _account_in(content: Mapping[str, Any], account: AccountId) -> Account | None:
    """Find an account and its refresh token in the sound parts of a cache."""
    own = {
        name: [e for e in content.get(name, {}).values() if e.get("home_account_id") == account]
        for name in ("Account", "RefreshToken", "IdToken")
    }
    if not own["Account"] or not own["RefreshToken"]:
        return None
    name = next(iter(_names(own["IdToken"])), "")
    return Account(account, own["Account"][0]["username"], name)


def _is_entry(entry: object, texts: tuple[str, ...]) -> bool:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(t), str) for t in texts):
        return False
    return str(entry.get("expires_on", 0)).isdecimal()


def _names(id_tokens: list[dict[str, str]]) -> Iterator[str]:
    for entry in id_tokens:
        try:
            payload = entry["secret"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            name = claims.get("name")
        except (ValueError, LookupError, AttributeError, RecursionError):
            continue
        if isinstance(name, str):
            yield name
