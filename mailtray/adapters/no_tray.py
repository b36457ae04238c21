"""The tray where none is wished for or none can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.core.model import TrayView


class NoTray:
    """Shows nothing."""

    name = "none"

    def render(self, view: TrayView) -> None:
        """Show nothing."""

    def run(self, until_quit: Callable[[], None]) -> None:
        """Wait for the end."""
        until_quit()

    def stop(self) -> None:
        """Have nothing to take away."""
