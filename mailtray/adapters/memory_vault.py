"""A vault that forgets when the program ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailtray.core.model import AccountId


class MemoryVault:
    """Keeps secrets in this process alone: for the demo, and where there is no keyring."""

    def __init__(self) -> None:
        self._secrets: dict[AccountId, str] = {}

    def accounts(self) -> tuple[AccountId, ...]:
        """Return the accounts with a secret."""
        return tuple(self._secrets)

    def load(self, account: AccountId) -> str | None:
        """Return the account's secret."""
        return self._secrets.get(account)

    def save(self, account: AccountId, secret: str) -> None:
        """Replace the account's secret."""
        self._secrets[account] = secret

    def clear(self, account: AccountId) -> None:
        """Erase the account's secret."""
        self._secrets.pop(account, None)
