"""One look at the mail without the resident program, and without moving its cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mailtray.app import answers
from mailtray.app.cycle import locate, refused_twice, what_is_lacking
from mailtray.app.judge import context_of, rulebook
from mailtray.app.trees import read_tree, watched_in, which, whose
from mailtray.core import status, text
from mailtray.core.changes import received_or_last
from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    ConsentRequired,
    MailboxUnavailable,
    MailSourceError,
    MailtrayError,
    SignInRequired,
    TokenRejected,
)
from mailtray.core.language import _
from mailtray.core.model import Account, FolderPlace
from mailtray.core.rules import uncounted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mailtray.app.world import Wishes, World
    from mailtray.core.errors import AuthError
    from mailtray.core.model import AccessToken, AccountId, Message
    from mailtray.core.settings import Settings

T = TypeVar("T")

LISTED_MESSAGES = 50


def check_once(world: World, wishes: Wishes) -> status.Status:
    """Read the unread messages of every account that the vault keeps.

    The resident program's cursor stays where it is: what it has not told yet it still will.

    Raises:
        VaultError: The keyring does not tell which accounts there are.
    """
    now_is = status.Status(is_starting=False)
    for account_id in world.vault.accounts():
        now_is = _checked(world, wishes, now_is, account_id)
    return now_is


def _checked(
    world: World, wishes: Wishes, now_is: status.Status, account_id: AccountId
) -> status.Status:
    account = _restored(world, account_id)
    if account is None:
        error = SignInRequired(_("The saved sign-in is damaged"), _("Run “mailtray signin”."))
        now_is = status.reduce(now_is, status.SignInSucceeded(Account(account_id, "")))
        return status.reduce(now_is, status.Failed(account_id, error, world.clock.now()))
    now_is = status.reduce(now_is, status.SignInSucceeded(account))
    try:
        return status.reduce(now_is, _read(world, wishes, account))
    except MailtrayError as error:
        return status.reduce(now_is, status.Failed(account_id, error, world.clock.now()))


def list_folders(world: World, wishes: Wishes, username: str, address: str) -> Mapping[str, object]:
    """Read a mailbox's tree; see :func:`mailtray.app.trees.whose` and ``which``.

    Raises:
        MailtrayError: It cannot be read, or it is not clear which is meant.
        VaultError: The keyring does not tell which accounts there are.
    """
    accounts = [_restored(world, account_id) for account_id in world.vault.accounts()]
    account = whose([one for one in accounts if one is not None], username)
    mailbox = which(account, address)
    watched = watched_in(wishes.settings.folders_for(account.username), mailbox)
    found, _lacking = _with_token(
        world, wishes, account, lambda token: read_tree(world.mail, token, mailbox, watched)
    )
    return answers.tree(account, mailbox, found.places, found.watched)


def _restored(world: World, account_id: AccountId) -> Account | None:
    cache = world.vault.load(account_id)
    return None if cache is None else world.identity.restore(account_id, cache)


def _read(world: World, wishes: Wishes, account: Account) -> status.Polled:
    settings = wishes.settings
    found, lacking = _with_token(
        world, wishes, account, lambda token: _list(world, token, settings, account)
    )
    return status.Polled(
        account.id,
        found.unread,
        found.latest,
        world.clock.now(),
        lacking=lacking,
        troubles=found.troubles,
    )


def _with_token(
    world: World, wishes: Wishes, account: Account, work: Callable[[AccessToken], T]
) -> tuple[T, AuthError | None]:
    """Do something that takes an access token; returns also why it was one that allows less."""
    account_id = account.id
    settings, renew, claims = wishes.settings, False, None
    scopes, lacking = settings.scopes_for(account.username), None
    least_scopes = settings.least_scopes_for(account.username)
    while True:
        try:
            token = world.identity.acquire_token(account_id, scopes, claims=claims, renew=renew)
        except (ConsentRequired, AuthBlocked) as error:
            if lacking is not None or not least_scopes:
                raise
            scopes, lacking = least_scopes, what_is_lacking(error, scopes)
            continue
        if (cache := world.identity.take_changed_cache(account_id)) is not None:
            world.vault.save(account_id, cache)
        try:
            return work(token), lacking
        except TokenRejected as error:
            if renew:
                raise refused_twice(error, world.clock.now()) from error
            renew, claims = True, error.claims


@dataclass(slots=True)
class _Found:
    """What the folders hold."""

    unread: int = 0
    latest: tuple[Message, ...] = ()
    troubles: tuple[MailtrayError, ...] = ()


def _list(world: World, token: AccessToken, settings: Settings, account: Account) -> _Found:
    """List the unread messages of folder after folder.

    Raises:
        MailSourceError: None could be read, or the trouble is not that of one folder.
    """
    found = _Found()
    wishes, rules = settings.folders_for(account.username), rulebook(settings)
    unknown = [wish for wish in wishes if not wish.key]
    places = locate(world.mail, token, unknown)
    for wish in wishes:
        place = places.get(wish)
        try:
            if isinstance(place, MailSourceError):
                raise place
            there = place or FolderPlace(wish.key, wish.words)
            count = world.mail.count(token, there.key).unread
            listing = world.mail.list_unread(token, there.key, since=None, limit=LISTED_MESSAGES)
        except (AccessDenied, MailboxUnavailable) as error:
            if len(wishes) == 1:
                raise
            found.troubles += (type(error)(text.in_folder(wish.words, error.title), error.hint),)
        else:
            context = context_of(settings, account, there.key, wish=wish.words, path=there.path)
            left_out = uncounted(listing.messages, context, rules)
            found.unread += count - len(left_out)
            found.latest += tuple(one for one in listing.messages if one.id not in left_out)
    found.latest = tuple(sorted(found.latest, key=received_or_last, reverse=True)[:LISTED_MESSAGES])
    return found
