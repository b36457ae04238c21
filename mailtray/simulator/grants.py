"""Everything the token service has handed out: codes, access and refresh tokens, device codes.

Tokens are opaque random texts, looked up here. A refresh token works once: the answer holds
its successor, and showing the old one again is refused at once. The real service is more
patient with old ones; a client that loses a rotated token is found out here and not there. A
knob makes the simulator as patient, for answers lost on the way.

Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow and
learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from mailtray.simulator.oauth_errors import OAuthError, consent_missing
from mailtray.simulator.scopes import OPENID_SCOPES

CODE_LIFETIME_S = 600


@dataclass(frozen=True)
class Permission:
    """Who allowed which client what; all tokens of one sign-in carry it."""

    username: str
    client_id: str
    scopes: frozenset[str]


@dataclass
class _Code:
    permission: Permission
    redirect_uri: str
    code_challenge: str | None
    nonce: str | None
    expires_at: float
    used: bool = False


@dataclass
class AccessToken:
    """What Graph knows of a token shown to it."""

    permission: Permission
    expires_at: float
    answers: str | None
    """The claims challenge the token was obtained for."""


@dataclass
class _RefreshToken:
    permission: Permission
    used: bool = False
    refusal: OAuthError | None = None


@dataclass
class DeviceCode:
    """One device sign-in under way, found by the code the person types."""

    user_code: str
    client_id: str
    scope: str
    expires_at: float
    permission: Permission | None = None
    declined: bool = False
    used: bool = False


@dataclass(frozen=True)
class Redeemed:
    """What a code or refresh token was worth."""

    permission: Permission
    nonce: str | None = None
    scope: str | None = None
    """What was asked for where the redeeming request does not say it again."""


class Grants:
    """Issues and redeems; the caller holds the cloud's lock.

    Args:
        now: The simulator's clock, in seconds since 1970.
        note_reuse: Called when a used refresh token is shown.
    """

    def __init__(self, now: Callable[[], float], note_reuse: Callable[[], None]) -> None:
        self._now = now
        self._note_reuse = note_reuse
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, _RefreshToken] = {}
        self._devices: dict[str, DeviceCode] = {}

    def issue_code(
        self,
        permission: Permission,
        *,
        redirect_uri: str,
        code_challenge: str | None,
        nonce: str | None,
    ) -> str:
        """Make an authorization code, good once and for ten minutes."""
        code = f"0.A{secrets.token_urlsafe(60)}"
        expires_at = self._now() + CODE_LIFETIME_S
        self._codes[code] = _Code(permission, redirect_uri, code_challenge, nonce, expires_at)
        return code

    def redeem_code(
        self, code: str, *, client_id: str, redirect_uri: str, verifier: str
    ) -> Redeemed:
        """Trade in an authorization code.

        Raises:
            OAuthError: It is unknown, used, too old, or not this client's.
        """
        kept = self._codes.get(code)
        if kept is None or kept.permission.client_id != client_id:
            raise OAuthError("invalid_grant", 70000, "The authorization code is not valid.")
        if kept.used:
            raise OAuthError("invalid_grant", 54005, "The authorization code was already redeemed.")
        if kept.expires_at < self._now():
            raise OAuthError("invalid_grant", 70008, "The authorization code has expired.")
        if kept.redirect_uri != redirect_uri:
            text = "The redirect_uri is not the one the code was requested with."
            raise OAuthError("invalid_grant", 500112, text)
        if kept.code_challenge is not None and kept.code_challenge != _s256(verifier):
            text = "The code_verifier does not fit the code_challenge of the authorize request."
            raise OAuthError("invalid_grant", 50148, text)
        kept.used = True
        return Redeemed(kept.permission, kept.nonce)

    def issue_refresh_token(self, permission: Permission) -> str:
        """Make a refresh token, good once."""
        token = f"1.A{secrets.token_urlsafe(120)}"
        self._refresh[token] = _RefreshToken(permission)
        return token

    def redeem_refresh_token(self, token: str, *, client_id: str) -> Redeemed:
        """Trade in a refresh token; its successor is issued by the caller.

        Raises:
            OAuthError: It is unknown, used, revoked, or another client's.
        """
        kept = self._refresh.get(token)
        if kept is None:
            raise OAuthError("invalid_grant", 9002313, "The refresh token is malformed.")
        if kept.permission.client_id != client_id:
            text = "The refresh token was issued to another client."
            raise OAuthError("invalid_grant", 70000, text, suberror="client_mismatch")
        if kept.used:
            self._note_reuse()
            raise OAuthError("invalid_grant", 70000, "The refresh token was already used.")
        if kept.refusal is not None:
            raise kept.refusal
        return Redeemed(kept.permission)

    def retire_refresh_token(self, token: str) -> None:
        """Make a redeemed refresh token the last of its use."""
        self._refresh[token].used = True

    def issue_access_token(
        self, permission: Permission, *, lifetime_s: int, answers: str | None
    ) -> str:
        """Make an access token.

        Args:
            permission: Whose, for which client, with which scopes.
            lifetime_s: Life in seconds.
            answers: The claims challenge it was asked for with, if any.
        """
        token = f"EwB{secrets.token_urlsafe(180)}"
        self._access[token] = AccessToken(permission, self._now() + lifetime_s, answers)
        return token

    def access_token(self, token: str) -> AccessToken | None:
        """Return what a token stands for; ``None`` if unknown or expired."""
        kept = self._access.get(token)
        return kept if kept is not None and kept.expires_at > self._now() else None

    def bearer_of(self, token: str) -> str | None:
        """Return the username behind an access token, expired or not."""
        kept = self._access.get(token)
        return kept.permission.username if kept else None

    def expire_access_tokens(self, username: str | None) -> None:
        """End the life of the access tokens of one account, or of all."""
        for token in self._access.values():
            if username in {None, token.permission.username}:
                token.expires_at = 0.0

    def revoke_refresh_tokens(self, username: str | None, refusal: OAuthError) -> None:
        """Refuse the present refresh tokens of one account, or of all, from now on."""
        for token in self._refresh.values():
            if username in {None, token.permission.username}:
                token.refusal = refusal

    def start_device(
        self, *, client_id: str, scope: str, lifetime_s: int
    ) -> tuple[str, DeviceCode]:
        """Begin a device sign-in; returns the client's secret code and the shared record."""
        device_code = secrets.token_urlsafe(64)
        letters = "BCDFGHJKLMNPQRSTVWXZ23456789"
        user_code = "".join(secrets.choice(letters) for _ in range(9))
        device = DeviceCode(user_code, client_id, scope, self._now() + lifetime_s)
        self._devices[device_code] = device
        return device_code, device

    def device_by_user_code(self, user_code: str) -> DeviceCode | None:
        """Find a device sign-in under way by the code a person typed."""
        wanted = "".join(user_code.split()).upper()
        live = (d for d in self._devices.values() if not d.used and d.expires_at > self._now())
        return next((d for d in live if d.user_code == wanted), None)

    def redeem_device_code(self, device_code: str, *, client_id: str) -> Redeemed:
        """Answer a device that asks whether its person is done.

        Raises:
            OAuthError: Not yet, declined, too late, or an unknown code.
        """
        device = self._devices.get(device_code)
        if device is None or device.client_id != client_id or device.used:
            raise OAuthError("bad_verification_code", 70019, "The device code is not valid.")
        if device.declined:
            raise OAuthError("authorization_declined", 70017, "The person declined the request.")
        if device.expires_at < self._now():
            raise OAuthError("expired_token", 70020, "The device code has expired.")
        if device.permission is None:
            raise OAuthError("authorization_pending", 70016, "The person has not finished yet.")
        device.used = True
        return Redeemed(device.permission, scope=device.scope)


def narrow(permission: Permission, asked: frozenset[str], consented: set[str]) -> Permission:
    """Fit a permission to the scopes of a token request.

    Raises:
        OAuthError: A scope was asked for that the person never accepted.
    """
    wanted = (asked | (permission.scopes & OPENID_SCOPES)) - {".default"}
    if ".default" in asked:
        wanted |= consented
    if not wanted - OPENID_SCOPES <= consented:
        raise consent_missing(permission.client_id)
    return Permission(permission.username, permission.client_id, wanted)


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
