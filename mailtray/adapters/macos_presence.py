"""What macOS tells of the person, when it is asked: whether the screen is locked.

Focus and "do not disturb" are told to nobody without Apple's leave; macOS heeds them by itself, and
keeps what it did not show in its list of notifications.

Source: Quartz Display Services, ``CGSessionCopyCurrentDictionary``; the key of the lock is in none
of Apple's headers, and has been there since Mac OS X 10.5.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from mailtray.core.peace import Presence

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger(__name__)

LOCKED_KEY = "CGSSessionScreenIsLocked"


class MacosPresence:
    """Asks the window server; see :class:`mailtray.ports.PresenceSource`."""

    def __init__(self, module: Callable[[str], Any] = importlib.import_module) -> None:
        """Prepare; the framework is loaded when first needed.

        Args:
            module: Returns a Python module by its name, or raises ``ImportError``.
        """
        self._module = module

    def look(self) -> Presence:
        """See :meth:`mailtray.ports.PresenceSource.look`."""
        try:
            session = self._module("Quartz").CGSessionCopyCurrentDictionary()
        except (ImportError, AttributeError) as exc:
            LOG.debug("macOS does not tell of the person: %s", exc)
            return Presence()
        # Nobody is logged in at the screen where there is no dictionary.
        return Presence(is_locked=bool(session and session.get(LOCKED_KEY)))
