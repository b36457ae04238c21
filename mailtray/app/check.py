"""One look at the mail without the resident program, and without moving its cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtray.app.cycle import locate, refused_twice, without_previews
from mailtray.app.judge import context_of, rulebook
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
    from mailtray.app.world import Wishes, World
    from mailtray.core.model import AccessToken, AccountId, Message
    from mailtray.core.settings import Settings

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
    cache = world.vault.load(account_id)
    account = None if cache is None else world.identity.restore(account_id, cache)
    if account is None:
        error = SignInRequired(_("The saved sign-in is damaged"), _("Run “mailtray signin”."))
        now_is = status.reduce(now_is, status.SignInSucceeded(Account(account_id, "")))
        return status.reduce(now_is, status.Failed(account_id, error, world.clock.now()))
    now_is = status.reduce(now_is, status.SignInSucceeded(account))
    try:
        return status.reduce(now_is, _read(world, wishes, account))
    except MailtrayError as error:
        return status.reduce(now_is, status.Failed(account_id, error, world.clock.now()))


def _read(world: World, wishes: Wishes, account: Account) -> status.Polled:
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
            scopes, lacking = least_scopes, without_previews(error)
            continue
        if (cache := world.identity.take_changed_cache(account_id)) is not None:
            world.vault.save(account_id, cache)
        try:
            found = _list(world, token, settings, account)
        except TokenRejected as error:
            if renew:
                raise refused_twice(error, world.clock.now()) from error
            renew, claims = True, error.claims
        else:
            return status.Polled(
                account_id,
                found.unread,
                found.latest,
                world.clock.now(),
                lacking=lacking,
                troubles=found.troubles,
            )


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
