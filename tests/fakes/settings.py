"""Settings that a test changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.core.errors import ConfigError

if TYPE_CHECKING:
    from mailtray.core.settings import Settings


class FakeSettingsSource:
    """What is written is seen at the next look.

    Attributes:
        settings: The last that had no mistake.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._written: Settings | ConfigError | None = None
        self._is_mistaken = False

    def write(self, written: Settings | ConfigError) -> None:
        """Change the settings, or make a mistake in them."""
        self._written = written

    def changed(self) -> Settings | ConfigError | None:
        written, self._written = self._written, None
        if isinstance(written, ConfigError):
            self._is_mistaken = True
            return written
        if written is None or (written == self.settings and not self._is_mistaken):
            return None
        self._is_mistaken, self.settings = False, written
        return written
