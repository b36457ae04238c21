"""Keeps the accounts' token caches in the vault: now, or as soon as it takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.core.errors import VaultError, VaultLocked

if TYPE_CHECKING:
    from collections.abc import Collection

    from mailtray.core.model import AccountId
    from mailtray.ports import Clock, Vault

RETRY_S = 30.0


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

    def keep(self, account: AccountId, cache: str | None) -> None:
        """Give the vault an account's cache or, where it is ``None``, let it erase the old one."""
        self._unkept[account] = cache
        try:
            self._put(account, cache)
        except VaultError as error:
            self._failed(error)
        else:
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
        try:
            for account, cache in self._unkept.items():
                self._put(account, cache)
            found = {
                one: self._vault.load(one) for one in self._vault.accounts() if one not in known
            }
        except VaultError as error:
            self._failed(error)
            return {}
        self._unkept.clear()
        self.trouble, self.is_owed = None, False
        return found

    def _put(self, account: AccountId, cache: str | None) -> None:
        if cache is None:
            self._vault.clear(account)
        else:
            self._vault.save(account, cache)

    def _failed(self, error: VaultError) -> None:
        self.trouble, self.is_owed = error, True
        is_locked = isinstance(error, VaultLocked)
        self.due_s = None if is_locked else self._clock.monotonic_s() + RETRY_S
