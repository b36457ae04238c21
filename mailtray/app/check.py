"""One look at the mail without the resident program, and without moving its cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.app.cycle import refused_twice, without_previews
from mailtray.core import status
from mailtray.core.errors import (
    AuthBlocked,
    ConsentRequired,
    MailtrayError,
    SignInRequired,
    TokenRejected,
)
from mailtray.core.model import INBOX, Account

if TYPE_CHECKING:
    from mailtray.app.world import Wishes, World
    from mailtray.core.model import AccountId

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
        error = SignInRequired("The saved sign-in is damaged", "Run “mailtray signin”.")
        now_is = status.reduce(now_is, status.SignInSucceeded(Account(account_id, "")))
        return status.reduce(now_is, status.Failed(account_id, error, world.clock.now()))
    now_is = status.reduce(now_is, status.SignInSucceeded(account))
    try:
        return status.reduce(now_is, _read(world, wishes, account_id))
    except MailtrayError as error:
        return status.reduce(now_is, status.Failed(account_id, error, world.clock.now()))


def _read(world: World, wishes: Wishes, account_id: AccountId) -> status.Polled:
    renew, claims = False, None
    scopes, lacking = wishes.settings.scopes, None
    while True:
        try:
            token = world.identity.acquire_token(account_id, scopes, claims=claims, renew=renew)
        except (ConsentRequired, AuthBlocked) as error:
            if lacking is not None or not wishes.settings.least_scopes:
                raise
            scopes, lacking = wishes.settings.least_scopes, without_previews(error)
            continue
        if (cache := world.identity.take_changed_cache(account_id)) is not None:
            world.vault.save(account_id, cache)
        try:
            count = world.mail.count(token, INBOX)
            listing = world.mail.list_unread(token, INBOX, since=None, limit=LISTED_MESSAGES)
        except TokenRejected as error:
            if renew:
                raise refused_twice(error, world.clock.now()) from error
            renew, claims = True, error.claims
        else:
            now = world.clock.now()
            return status.Polled(account_id, count.unread, listing.messages, now, lacking)
