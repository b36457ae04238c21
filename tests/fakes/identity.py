"""An identity provider in memory, with a person at the browser who can be told what to do."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailtray.core.errors import (
    ConsentRequired,
    MailtrayError,
    SignInCancelled,
    SignInRequired,
)
from mailtray.core.model import AccessToken, Account, AccountId, AuthAction, SignedIn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mailtray.ports import Clock

ADA = Account(AccountId("ada.contoso"), "ada@contoso.example", "Ada Lovelace")
SIGN_IN_PAGE = "https://login.example/authorize"
DEVICE_PAGE = "https://login.example/devicelogin"
_STEP_S = 0.005


@dataclass
class _Kept:
    """An account's cache, taken apart."""

    account: Account
    refresh_token: int = 1
    access_token: str = ""
    scopes: list[str] = field(default_factory=list)
    changed: bool = False

    def serialized(self) -> str:
        return json.dumps(
            {
                "account": [self.account.id, self.account.username, self.account.name],
                "refresh_token": self.refresh_token,
                "access_token": self.access_token,
                "scopes": self.scopes,
            }
        )


class FakeIdentity:
    """Accounts whose tokens are numbers.

    Attributes:
        person: Who signs in at the page; ``None`` while nobody is there.
        answers_with: What the sign-in page ends with in place of a sign-in.
        troubles: Raised by the coming token requests, first first; each once.
        refusal: Raised by every token request until it is ``None`` again.
        refused_scopes: Scopes that nobody approved; a sign-in approves those it asks for.
        token_requests: How many there were.
        sign_ins: How the coming and past sign-ins were asked: login hint and claims.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[AccountId, _Kept] = {}
        self._cancelled: threading.Event | None = None
        self._lock = threading.Lock()
        self.person: Account | None = ADA
        self.answers_with: MailtrayError | None = None
        self.troubles: list[MailtrayError] = []
        self.refusal: MailtrayError | None = None
        self.refused_scopes: set[str] = set()
        self.token_requests = 0
        self.sign_ins: list[tuple[str | None, str | None]] = []

    def expire_tokens(self) -> None:
        """Make the coming calls need a token request."""
        for kept in self._kept.values():
            kept.access_token = ""

    # --- the port

    def restore(self, account: AccountId, cache: str) -> Account | None:
        try:
            content = json.loads(cache)
            found = Account(AccountId(content["account"][0]), *content["account"][1:])
            kept = _Kept(
                found, content["refresh_token"], content["access_token"], content["scopes"]
            )
        except (ValueError, LookupError, TypeError, RecursionError):
            return None
        if found.id != account:
            return None
        self._kept[account] = kept
        return found

    def adopt(self, signed_in: SignedIn) -> None:
        self.restore(signed_in.account.id, signed_in.cache)

    def acquire_token(
        self, account: AccountId, scopes: Collection[str], *, claims: str | None, renew: bool
    ) -> AccessToken:
        kept = self._kept.get(account)
        if kept is None:
            raise SignInRequired("You are not signed in", "Sign in.", action=AuthAction.SIGN_IN)
        if not kept.access_token or renew or claims or not set(scopes) <= set(kept.scopes):
            self._refresh(kept, scopes)
        return AccessToken(kept.access_token, frozenset(scopes))

    def _refresh(self, kept: _Kept, scopes: Collection[str]) -> None:
        self.token_requests += 1
        if self.troubles:
            raise self.troubles.pop(0)
        if self.refusal is not None:
            raise self.refusal
        if self.refused_scopes & set(scopes):
            raise ConsentRequired("Not approved", "Sign in.", action=AuthAction.SIGN_IN)
        kept.refresh_token += 1
        kept.access_token = f"{kept.account.id}-{kept.refresh_token}"
        kept.scopes = sorted(scopes)
        kept.changed = True

    def take_changed_cache(self, account: AccountId) -> str | None:
        kept = self._kept.get(account)
        if kept is None or not kept.changed:
            return None
        kept.changed = False
        return kept.serialized()

    def forget(self, account: AccountId) -> None:
        self._kept.pop(account, None)

    def sign_in(
        self,
        scopes: Collection[str],
        *,
        login_hint: str | None,
        claims: str | None,
        deadline_s: float,
        on_url: Callable[[str], None],
    ) -> SignedIn:
        return self._sign_in(scopes, (login_hint, claims), deadline_s, lambda: on_url(SIGN_IN_PAGE))

    def sign_in_by_device_code(
        self,
        scopes: Collection[str],
        *,
        claims: str | None,
        deadline_s: float,
        on_code: Callable[[str, str], None],
    ) -> SignedIn:
        return self._sign_in(
            scopes, (None, claims), deadline_s, lambda: on_code(DEVICE_PAGE, "ABCD-EFGH")
        )

    def cancel_sign_in(self) -> None:
        with self._lock:
            if self._cancelled is not None:
                self._cancelled.set()

    def _sign_in(
        self,
        scopes: Collection[str],
        asked: tuple[str | None, str | None],
        deadline_s: float,
        announce: Callable[[], None],
    ) -> SignedIn:
        end_s = self._clock.monotonic_s() + deadline_s
        with self._lock:
            if self._cancelled is not None:
                raise SignInCancelled("Another sign-in is still open", "Finish or cancel it.")
            cancelled = self._cancelled = threading.Event()
        self.sign_ins.append(asked)
        try:
            announce()
            while not cancelled.is_set() and self._clock.monotonic_s() < end_s:
                if self.answers_with is not None:
                    raise self.answers_with
                if self.person is not None:
                    self.refused_scopes -= set(scopes)
                    kept = _Kept(self.person, 1, f"{self.person.id}-1", sorted(scopes))
                    return SignedIn(self.person, kept.serialized())
                cancelled.wait(_STEP_S)
        finally:
            self._cancelled = None
        raise SignInCancelled(
            "The sign-in was not finished", "Try again, or ask your administrator."
        )
