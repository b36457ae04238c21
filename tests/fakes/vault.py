"""A vault that can be locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.adapters.memory_vault import MemoryVault

if TYPE_CHECKING:
    from mailtray.core.errors import VaultError
    from mailtray.core.model import AccountId


class FakeVault(MemoryVault):
    """A ``MemoryVault`` that refuses while it is told to.

    Attributes:
        error: What every call raises, or ``None``.
        calls: The calls so far, in order, by the method's name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.error: VaultError | None = None
        self.calls: list[str] = []

    def accounts(self) -> tuple[AccountId, ...]:
        self._note("accounts")
        return super().accounts()

    def load(self, account: AccountId) -> str | None:
        self._note("load")
        return super().load(account)

    def save(self, account: AccountId, secret: str) -> None:
        self._note("save")
        super().save(account, secret)

    def clear(self, account: AccountId) -> None:
        self._note("clear")
        super().clear(account)

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
