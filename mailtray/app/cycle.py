"""One poll's part that waits for the network, as one function for a fetch thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mailtray.app.trees import read_trees
from mailtray.core import changes, deeds, folders, text
from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    AuthError,
    ConsentRequired,
    CursorExpired,
    FolderGone,
    InvalidResponse,
    MailboxUnavailable,
    MailSourceError,
    SignInRequired,
    Throttled,
    TokenRejected,
    Unreachable,
)
from mailtray.core.language import _, ngettext
from mailtray.core.model import AuthAction

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from mailtray.app.trees import Tree
    from mailtray.core.deeds import Older, Outcome, Step
    from mailtray.core.folders import Wish
    from mailtray.core.model import AccessToken, Account, Changes, Deed, FolderPlace, Seen
    from mailtray.ports import Clock, IdentityProvider, MailSource

CLOCK_TOLERANCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a fetch thread is to do.

    Attributes:
        seen: What is remembered of each folder to read, by key, in the order in which to read.
        to_find: Folders whose keys are to be found out first.
        with_count: Ask for the folder's counters even where nothing changed.
        renew: Skip the cached access token: Graph refused it.
        claims: Graph's claims challenge to satisfy, plain JSON.
        is_second_try: The token is new already; one that is refused again is final.
        least_scopes: What to make do with where ``scopes`` are refused; empty to take no less.
        lacking: Why it is less already.
        step: What to do to messages before anything is read.
        to_list: Mailboxes whose trees are to be read first, each with what is watched in it.
    """

    account: Account
    scopes: tuple[str, ...]
    seen: Mapping[str, Seen]
    to_find: tuple[Wish, ...] = ()
    with_count: bool = False
    renew: bool = False
    claims: str | None = None
    is_second_try: bool = False
    least_scopes: tuple[str, ...] = ()
    lacking: AuthError | None = None
    step: Step | None = None
    to_list: Mapping[str, tuple[Wish, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a poll brought.

    Attributes:
        changes: What each folder that was read brought, by key.
        tried: The folders that were asked for, by key.
        troubles: Why some of these could not be read, by key.
        stopped: Why the last one could not, and the rest was not asked for.
        lacking: What was done without for want of a permission.
        scopes: The permissions that the token holds, of those asked for.
    """

    changes: Mapping[str, Changes]
    tried: tuple[str, ...]
    requests: int
    counted: bool
    troubles: Mapping[str, MailSourceError] = field(default_factory=dict)
    stopped: MailSourceError | None = None
    lacking: AuthError | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Located:
    """The folders that were to be found.

    Attributes:
        places: Each with its place, or with why it has none.
        order: What to go on with, once it is known what is remembered of them.
    """

    places: Mapping[Wish, FolderPlace | MailSourceError]
    order: Order


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of the order's step: known before anything else can go wrong.

    Attributes:
        outcome: What was done, or why the person has to act before anything can be.
        order: What to go on with.
    """

    step: Step
    outcome: Outcome | AuthError | AccessDenied
    order: Order


@dataclass(frozen=True, slots=True)
class Listed:
    """The trees that were to be read.

    Attributes:
        trees: By mailbox, each with its tree or with why there is none.
        order: What to go on with.
    """

    trees: Mapping[str, Tree | MailSourceError]
    order: Order


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
) -> Reading | KeepFirst | Located | Listed | Acted:
    """Acquire a token and run one delta round a folder, with what it takes to settle it.

    Raises:
        AuthError: The person has to act.
        MailSourceError: Graph or Entra gave no usable answer.
    """
    if order.step is not None:
        return _act(identity, mail, clock, order, order.step)
    try:
        token = identity.acquire_token(
            order.account.id, order.scopes, claims=order.claims, renew=order.renew
        )
    except (ConsentRequired, AuthBlocked) as error:
        if not order.least_scopes:
            raise
        less = replace(
            order,
            scopes=order.least_scopes,
            least_scopes=(),
            lacking=what_is_lacking(error, order.scopes),
        )
        return read_mailbox(identity, mail, clock, less)
    if (cache := identity.take_changed_cache(order.account.id)) is not None:
        return _keep_first(cache, order)
    try:
        return _look(mail, token, order)
    except TokenRejected as error:
        if order.is_second_try or order.renew:
            raise refused_twice(error, clock.now()) from error
        again = replace(order, renew=True, claims=error.claims)
        return read_mailbox(identity, mail, clock, again)


def _look(mail: MailSource, token: AccessToken, order: Order) -> Reading | Located | Listed:
    """Do the next thing of an order that takes a token.

    Raises:
        MailSourceError: It cannot be done.
    """
    if order.to_list:
        return Listed(read_trees(mail, token, order.to_list), replace(order, to_list={}))
    if order.to_find:
        return Located(locate(mail, token, order.to_find), replace(order, to_find=()))
    return _read(mail, token, order)


def _keep_first(cache: str, order: Order) -> KeepFirst:
    second_try = order.renew or order.is_second_try
    return KeepFirst(cache, replace(order, renew=False, claims=None, is_second_try=second_try))


def _act(
    identity: IdentityProvider, mail: MailSource, clock: Clock, order: Order, step: Step
) -> KeepFirst | Acted:
    """Do an order's step; that something may not be changed is no reason not to read.

    Raises:
        MailSourceError: As for :func:`read_mailbox`; passing trouble.
    """
    rest = replace(order, step=None, renew=False, claims=None, is_second_try=False)
    try:
        token = identity.acquire_token(
            order.account.id, step.scopes, claims=order.claims, renew=order.renew
        )
    except AuthError as error:
        return Acted(step, error, rest)
    if (cache := identity.take_changed_cache(order.account.id)) is not None:
        return _keep_first(cache, order)
    try:
        return Acted(step, _take_step(mail, token, step, order.seen), rest)
    except AccessDenied as error:
        return Acted(step, error, rest)
    except TokenRejected as error:
        if order.is_second_try or order.renew:
            return Acted(step, refused_twice(error, clock.now()), rest)
        again = replace(order, renew=True, claims=error.claims)
        return _act(identity, mail, clock, again, step)


def _take_step(
    mail: MailSource, token: AccessToken, step: Step, seen: Mapping[str, Seen]
) -> Outcome:
    """Do what is to be done.

    Raises:
        AccessDenied: The token lacks what it takes.
        MailSourceError: As for :meth:`mailtray.ports.MailSource.do`.
    """
    found = _do(mail, token, step.deeds, step.scopes)
    try:
        return _take_older(mail, token, step, seen, found)
    except Unreachable as error:
        error.was_sent = True  # a part of the step was
        raise


def _take_older(
    mail: MailSource,
    token: AccessToken,
    step: Step,
    seen: Mapping[str, Seen],
    found: dict[Deed, MailSourceError | None],
) -> Outcome:
    """Mark what only the folders' counters know of; as :func:`_take_step`."""
    left: list[Older] = []
    for older in step.older:
        try:
            listing = mail.list_unread(token, older.folder, since=None, limit=deeds.STEP_DEEDS)
        except (AccessDenied, MailboxUnavailable):
            continue  # the round tells of it
        more = deeds.older_deeds(older, listing.messages, seen.get(older.folder))
        found |= _do(mail, token, more, step.scopes)
        if more and not listing.is_complete:
            left.append(older)
    return deeds.Outcome(found, tuple(left))


def _do(
    mail: MailSource, token: AccessToken, wanted: Sequence[Deed], scopes: Collection[str]
) -> dict[Deed, MailSourceError | None]:
    if not wanted:
        return {}
    outcomes: Sequence[MailSourceError | None]
    try:
        outcomes = mail.do(token, wanted)
    except (AccessDenied, MailboxUnavailable) as error:
        outcomes = [error] * len(wanted)
    for outcome in outcomes:
        if isinstance(outcome, AccessDenied) and not token.scopes.issuperset(scopes):
            raise outcome
        if isinstance(outcome, Throttled | Unreachable):
            raise outcome
    return dict(zip(wanted, outcomes, strict=True))


def locate(
    mail: MailSource, token: AccessToken, wishes: Collection[Wish]
) -> Mapping[Wish, FolderPlace | MailSourceError]:
    """Find folders in the trees of their mailboxes.

    Raises:
        MailSourceError: As for :meth:`mailtray.ports.MailSource.count`, where it is not about a
            mailbox that is shared.
    """
    found: dict[Wish, FolderPlace | MailSourceError] = {}
    for mailbox in dict.fromkeys(wish.mailbox for wish in wishes):
        mine = [wish for wish in wishes if wish.mailbox == mailbox]
        try:
            places = mail.folders(token, mailbox)
        except (AccessDenied, MailboxUnavailable) as error:
            found.update(dict.fromkeys(mine, error))
        else:
            found.update({wish: folders.find(wish, places) or _nowhere() for wish in mine})
    return found


def _nowhere() -> MailSourceError:
    return FolderGone(text.folder_gone_title(), text.folder_gone_hint())


def _read(mail: MailSource, token: AccessToken, order: Order) -> Reading:
    """Read folder after folder; the trouble of one is not that of the others.

    Raises:
        MailSourceError: None could be read.
    """
    seen = dict(order.seen)
    found: dict[str, _Found] = {}
    troubles: dict[str, MailSourceError] = {}
    stopped: MailSourceError | None = None
    tried: list[str] = []
    for key in order.seen:
        tried.append(key)
        try:
            found[key] = _read_folder(mail, token, order, key, seen)
        except (Throttled, Unreachable) as error:
            stopped = error
            break
        except (AccessDenied, MailboxUnavailable, InvalidResponse) as error:
            troubles[key] = error
        else:
            seen[key] = found[key].changes.seen
    if not found and (trouble := stopped or next(iter(troubles.values()), None)) is not None:
        raise trouble
    return Reading(
        {key: one.changes for key, one in found.items()},
        tried=tuple(tried),
        requests=sum(one.requests for one in found.values()),
        counted=all(one.counted for one in found.values()),
        troubles=troubles,
        stopped=stopped,
        lacking=order.lacking,
        scopes=token.scopes,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What one folder brought."""

    changes: Changes
    requests: int
    counted: bool


def _read_folder(
    mail: MailSource, token: AccessToken, order: Order, folder: str, all_seen: Mapping[str, Seen]
) -> _Found:
    seen, requests = all_seen[folder], 0
    try:
        delivery = mail.fetch(token, folder, seen.cursor, with_count=order.with_count)
    except (CursorExpired, AccessDenied) as error:
        # The old cursor may ask for what is no longer allowed, while the rest still is.
        may_be_the_cursor = order.lacking is not None and seen.cursor is not None
        if isinstance(error, AccessDenied) and not may_be_the_cursor:
            raise
        requests = 1
        delivery = mail.fetch(token, folder, None, with_count=True)
    requests += delivery.requests
    listing = None
    if changes.is_unsettled(seen, delivery):
        listing = mail.list_unread(
            token, folder, since=seen.floor, limit=changes.LISTED_MAX_MESSAGES
        )
        requests += listing.requests
    elsewhere = [other for key, other in all_seen.items() if key != folder]
    found = changes.diff(seen, delivery, listing, elsewhere)
    return _Found(found, requests, counted=delivery.count is not None)


def what_is_lacking(refused: AuthError, scopes: Collection[str]) -> AuthError:
    """Say what it means where the wider permissions are refused, and the least one does.

    Args:
        refused: The refusal.
        scopes: The permissions that were asked for.
    """
    names = {scope.rpartition("/")[2] for scope in scopes}
    title, hint = text.lacking(
        previews="Mail.Read" in names, shared=any(name.endswith(".Shared") for name in names)
    )
    error = ConsentRequired(
        title,
        _(text.LACKING_ASK) if refused.link else hint,
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
                _("The clock of this computer is wrong"),
                ngettext(
                    "It is {minutes} minute off: set the date, the time and the time zone.",
                    "It is {minutes} minutes off: set the date, the time and the time zone.",
                    round(off_s / 60),
                ).format(minutes=round(off_s / 60)),
                action=AuthAction.CHECK_CLOCK,
            )
    return SignInRequired(
        _("Microsoft 365 refused the sign-in"),
        _("Choose “Sign in again”."),
        claims=error.claims,
        action=AuthAction.SIGN_IN,
    )
