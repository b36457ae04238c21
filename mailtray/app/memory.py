"""Remembers what the person was told and wants done, and says where that cannot be written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailtray.core.errors import StateError
from mailtray.core.status import EXPLAIN, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mailtray.app.board import Board
    from mailtray.app.herald import Herald
    from mailtray.app.watch import Watch
    from mailtray.core.deeds import Errand
    from mailtray.core.model import AccountId, Seen
    from mailtray.ports import StateStore


class Memory:
    """Stands between the poller and the state; used by the poller only.

    Args:
        state: Where it is kept.
        board: The status.
        herald: Who tells.
    """

    def __init__(self, state: StateStore, board: Board, herald: Herald) -> None:
        self._state = state
        self._board = board
        self._herald = herald
        self._behind: set[AccountId] = set()  # of which something could not be written

    def remember(self, watch: Watch, seen: Mapping[str, Seen], *, at_rest: bool = False) -> None:
        """Remember what changed of an account's folders.

        Args:
            watch: The account's.
            seen: What is known of its folders, by key.
            at_rest: True where a cursor that led past nothing need not be written: the one before
                leads past nothing to the same place, and a disk is not to be woken for each poll.
        """
        now = {
            key: replace(one, unlooked=one.unlooked - watch.looked)
            if one.unlooked & watch.looked
            else one
            for key, one in seen.items()
        }
        changed = {key: one for key, one in now.items() if one is not watch.seen[key]}
        if at_rest and watch.account.id not in self._behind:
            idle = {key: one for key, one in changed.items() if _is_idle(watch.seen[key], one)}
            watch.seen |= idle
            changed = {key: one for key, one in changed.items() if key not in idle}
        watch.seen |= changed

        if not changed:
            return

        def save() -> None:
            self._behind.add(watch.account.id)
            for key, one in changed.items():
                self._state.save(watch.account.id, key, one)
            self._behind.discard(watch.account.id)

        self._write(save)

    def remember_errands(self, account: AccountId, errands: Sequence[Errand]) -> None:
        """Remember what an account's person wants done, in place of what was before."""
        self._write(lambda: self._state.save_errands(account, errands))

    def _write(self, save: Callable[[], None]) -> None:
        try:
            save()
        except StateError as error:
            self.failed(error)
        else:
            self._board.notice(Source.STATE, None)
            self._herald.retract("state")

    def failed(self, error: StateError) -> None:
        """Say that what the person was told cannot be remembered."""
        self._board.notice(Source.STATE, error)
        self._herald.announce("state", error, command=EXPLAIN)


def _is_idle(before: Seen, after: Seen) -> bool:
    """Say whether nothing but the cursor is another."""
    return before.cursor is not None and replace(after, cursor=before.cursor) == before
