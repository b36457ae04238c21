"""Where nothing tells of the person, they may be disturbed."""

from __future__ import annotations

from mailtray.core.peace import Presence


class NoPresence:
    """Knows nothing."""

    def look(self) -> Presence:
        """Return that nothing is known."""
        return Presence()
