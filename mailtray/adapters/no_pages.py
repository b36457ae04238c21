"""No pages: there is nobody to look at them."""

from __future__ import annotations


class NoPages:
    """Opens nothing."""

    def open(self, page: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
