"""What macOS tells by itself: a sleep is over, the screen was locked or unlocked.

It tells by the main run loop, which the menu bar's icon keeps running; without the icon the
poller's own look at the clocks finds out about a sleep alone.

Source: AppKit, ``NSWorkspaceDidWakeNotification``; Foundation, ``NSDistributedNotificationCenter``.
The names of the lock's notifications are in none of Apple's headers, and have been there since
Mac OS X 10.7.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger(__name__)

LOCKS = ("com.apple.screenIsLocked", "com.apple.screenIsUnlocked")


class MacosEvents:
    """Listens from :meth:`start` to :meth:`close`."""

    def __init__(
        self,
        *,
        on_wake: Callable[[], None],
        on_presence: Callable[[], None],
        module: Callable[[str], Any] = importlib.import_module,
    ) -> None:
        """Prepare; both are called on the main thread.

        Args:
            on_wake: Called when the computer woke from a sleep.
            on_presence: Called when the screen was locked or unlocked.
            module: Returns a Python module by its name, or raises ``ImportError``.
        """
        self._on_wake = on_wake
        self._on_presence = on_presence
        self._module = module
        self._observers: list[tuple[Any, Any]] = []

    def start(self) -> None:
        """Begin to listen; a macOS without these frameworks tells nothing."""
        try:
            appkit = self._module("AppKit")
            centers = self._module("Foundation").NSDistributedNotificationCenter
            workspace = appkit.NSWorkspace.sharedWorkspace().notificationCenter()
            self._observe(workspace, appkit.NSWorkspaceDidWakeNotification, self._on_wake)
            for name in LOCKS:
                self._observe(centers.defaultCenter(), name, self._on_presence)
        except (ImportError, AttributeError) as exc:
            LOG.info("macOS does not tell of sleeps and locks: %s", exc)

    def close(self) -> None:
        """Stop listening."""
        while self._observers:
            center, observer = self._observers.pop()
            center.removeObserver_(observer)

    def _observe(self, center: Any, name: str, tell: Callable[[], None]) -> None:  # noqa: ANN401 - AppKit has no types
        observer = center.addObserverForName_object_queue_usingBlock_(
            name, None, None, lambda _notification: tell()
        )
        self._observers.append((center, observer))
