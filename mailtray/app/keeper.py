"""Keeps the accounts' token caches in the vault: now, or as soon as it takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.app.barrier import attempt
from mailtray.core.errors import MailtrayError, VaultError, VaultLocked

if TYPE_CHECKING:
    from collections.abc import Collection

    from mailtray.core.model import AccountId
    from mailtray.ports import Clock, Vault

FIRST_RETRY_S, RETRY_S = 1.0, 30.0
"""After a login a keyring may come up later than mailtray: the first waits are short."""


class Keeper:
    """Stands between the poller and the vault; used by the poller only.

    Attributes:
        trouble: Why the vault refused the last time, or ``None``.
        due_s: When it is asked again by itself, monotonic; ``None`` where it is not. A keyring
            that is locked asks the person each time it is asked: that is left to them.
        is_owed: True while the vault has not told which accounts there are, or lacks something.
    """

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock
        self._unkept: dict[AccountId, str | None] = {}
        self.trouble: VaultError | None = None
        self.due_s: float | None = 0.0
        self.is_owed = True
        self._failures = 0

    def keep(self, account: AccountId, cache: str | None, *, is_asked: bool) -> None:
        """Give the vault an account's cache or, where it is ``None``, let it erase the old one.

        Args:
            account: Whose.
            cache: A secret.
            is_asked: True where the person just asked for it, and so may be asked in turn.
        """
        self._unkept[account] = cache
        if isinstance(self.trouble, VaultLocked) and not is_asked:
            return
        error = attempt(lambda: self._put(account, cache))
        if error is not None:
            self._failed(error)
            return
        del self._unkept[account]
        if self.is_owed:
            self.due_s = self._clock.monotonic_s()

    def settle(self, known: Collection[AccountId]) -> dict[AccountId, str | None]:
        """Give the vault what it lacks, and take from it what is not known yet.

        Returns:
            The caches of the accounts that are not ``known``, ``None`` where one is damaged;
            nothing at all where the vault refuses.
        """
        self.due_s = None
        found = attempt(lambda: self._settled(known))
        if isinstance(found, MailtrayError):
            self._failed(found)
            return {}
        self._unkept.clear()
        self.trouble, self.is_owed, self._failures = None, False, 0
        return found

    def _settled(self, known: Collection[AccountId]) -> dict[AccountId, str | None]:
        for account, cache in self._unkept.items():
            self._put(account, cache)
        return {one: self._vault.load(one) for one in self._vault.accounts() if one not in known}

    def _put(self, account: AccountId, cache: str | None) -> None:
        if cache is None:
            self._vault.clear(account)
        else:
            self._vault.save(account, cache)

    def _failed(self, error: MailtrayError) -> None:
        foreseen = error if isinstance(error, VaultError) else None
        self.trouble = foreseen or VaultError(error.title, error.hint)
        self.is_owed = True
        wait_s = min(RETRY_S, FIRST_RETRY_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        is_locked = isinstance(error, VaultLocked)
        self.due_s = None if is_locked else self._clock.monotonic_s() + wait_s
