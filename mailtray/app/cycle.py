"""One poll's part that waits for the network, as one function for a fetch thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailtray.core import changes, text
from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    AuthError,
    ConsentRequired,
    CursorExpired,
    SignInRequired,
    TokenRejected,
)
from mailtray.core.model import AuthAction

if TYPE_CHECKING:
    from datetime import datetime

    from mailtray.core.model import AccessToken, Account, Changes, Seen
    from mailtray.ports import Clock, IdentityProvider, MailSource

CLOCK_TOLERANCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a fetch thread is to do.

    Attributes:
        with_count: Ask for the folder's counters even where nothing changed.
        renew: Skip the cached access token: Graph refused it.
        claims: Graph's claims challenge to satisfy, plain JSON.
        is_second_try: The token is new already; one that is refused again is final.
        least_scopes: What to make do with where ``scopes`` are refused; empty to take no less.
        lacking: Why it is less already.
    """

    account: Account
    folder: str
    scopes: tuple[str, ...]
    seen: Seen
    with_count: bool = False
    renew: bool = False
    claims: str | None = None
    is_second_try: bool = False
    least_scopes: tuple[str, ...] = ()
    lacking: AuthError | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a poll brought.

    Attributes:
        lacking: What was done without for want of a permission.
    """

    changes: Changes
    requests: int
    counted: bool
    lacking: AuthError | None = None


@dataclass(frozen=True, slots=True)
class KeepFirst:
    """The refresh token was rotated: the vault has to have it before anything else happens.

    Attributes:
        cache: The account's serialized token cache.
        order: What to go on with afterwards.
    """

    cache: str
    order: Order


def read_mailbox(
    identity: IdentityProvider, mail: MailSource, clock: Clock, order: Order
) -> Reading | KeepFirst:
    """Acquire a token and run one delta round with what it takes to settle it.

    Raises:
        AuthError: The person has to act.
        MailSourceError: Graph or Entra gave no usable answer.
    """
    try:
        token = identity.acquire_token(
            order.account.id, order.scopes, claims=order.claims, renew=order.renew
        )
    except (ConsentRequired, AuthBlocked) as error:
        if not order.least_scopes:
            raise
        less = replace(
            order, scopes=order.least_scopes, least_scopes=(), lacking=without_previews(error)
        )
        return read_mailbox(identity, mail, clock, less)
    if (cache := identity.take_changed_cache(order.account.id)) is not None:
        second_try = order.renew or order.is_second_try
        return KeepFirst(cache, replace(order, renew=False, claims=None, is_second_try=second_try))
    try:
        return _read(mail, token, order)
    except TokenRejected as error:
        if order.is_second_try or order.renew:
            raise refused_twice(error, clock.now()) from error
        again = replace(order, renew=True, claims=error.claims)
        return read_mailbox(identity, mail, clock, again)


def _read(mail: MailSource, token: AccessToken, order: Order) -> Reading:
    seen, requests = order.seen, 0
    try:
        delivery = mail.fetch(token, order.folder, seen.cursor, with_count=order.with_count)
    except (CursorExpired, AccessDenied) as error:
        # The old cursor may ask for what is no longer allowed, while the rest still is.
        may_be_the_cursor = order.lacking is not None and seen.cursor is not None
        if isinstance(error, AccessDenied) and not may_be_the_cursor:
            raise
        requests = 1
        delivery = mail.fetch(token, order.folder, None, with_count=True)
    requests += delivery.requests
    listing = None
    if changes.is_unsettled(seen, delivery):
        listing = mail.list_unread(
            token, order.folder, since=seen.floor, limit=changes.LISTED_MAX_MESSAGES
        )
        requests += listing.requests
    found = changes.diff(seen, delivery, listing)
    return Reading(found, requests, counted=delivery.count is not None, lacking=order.lacking)


def without_previews(refused: AuthError) -> AuthError:
    """Say what it means where the wider permission is refused, and the least one does."""
    hint = text.NO_PREVIEWS_ASK if refused.link else text.NO_PREVIEWS_HINT
    error = ConsentRequired(
        text.NO_PREVIEWS_TITLE,
        hint,
        code=refused.code,
        correlation_id=refused.correlation_id,
        action=refused.action,
    )
    error.link = refused.link
    return error


def refused_twice(error: TokenRejected, now: datetime) -> SignInRequired | AuthBlocked:
    """Say what it means that Graph refuses a token that is new."""
    if error.server_time is not None:
        off_s = abs((error.server_time - now).total_seconds())
        if off_s > CLOCK_TOLERANCE_S:
            return AuthBlocked(
                "The clock of this computer is wrong",
                f"It is {round(off_s / 60)} minutes off: set the date, the time and the time zone.",
                action=AuthAction.CHECK_CLOCK,
            )
    return SignInRequired(
        "Microsoft 365 refused the sign-in",
        "Choose “Sign in again”.",
        claims=error.claims,
        action=AuthAction.SIGN_IN,
    )
