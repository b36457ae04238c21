"""No hook: nobody but the person is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoHook:
    """Runs nothing."""

    def run(self, message: Mapping[str, object]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
