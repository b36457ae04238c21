"""A state store in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailtray.core.model import Seen

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from mailtray.core.deeds import Errand
    from mailtray.core.errors import StateError
    from mailtray.core.model import AccountId, Message
    from mailtray.core.peace import Pause


class FakeStateStore:
    """Remembers until it is dropped.

    Attributes:
        error: What every call raises, or ``None``.
        saves: How many saves went well.
    """

    def __init__(self) -> None:
        self.set_aside: Path | None = None
        self.error: StateError | None = None
        self.saves = 0
        self._stored: dict[tuple[AccountId, str], Seen] = {}
        self._errands: dict[AccountId, tuple[Errand, ...]] = {}
        self._pause: Pause | None = None

    def load(self, account: AccountId, folder: str) -> Seen:
        self._refuse()
        return self._stored.get((account, folder), Seen())

    def save(self, account: AccountId, folder: str, seen: Seen) -> None:
        self._refuse()
        self._stored[account, folder] = replace(
            seen,
            known=dict(seen.known),
            unread={key: _without_preview(message) for key, message in seen.unread.items()},
            untold=tuple(map(_without_preview, seen.untold)),
        )
        self.saves += 1

    def forget(self, account: AccountId) -> None:
        self._refuse()
        self._stored = {at: seen for at, seen in self._stored.items() if at[0] != account}
        self._errands.pop(account, None)

    def keep_only(self, account: AccountId, folders: Collection[str]) -> None:
        self._refuse()
        self._stored = {
            at: seen for at, seen in self._stored.items() if at[0] != account or at[1] in folders
        }

    def load_errands(self, account: AccountId) -> tuple[Errand, ...]:
        self._refuse()
        return self._errands.get(account, ())

    def save_errands(self, account: AccountId, errands: Sequence[Errand]) -> None:
        self._refuse()
        self._errands[account] = tuple(errands)

    def load_pause(self) -> Pause | None:
        self._refuse()
        return self._pause

    def save_pause(self, pause: Pause | None) -> None:
        self._refuse()
        self._pause = pause

    def close(self) -> None:
        return

    def _refuse(self) -> None:
        if self.error is not None:
            raise self.error


def _without_preview(message: Message) -> Message:
    return replace(message, preview="")
