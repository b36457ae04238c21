"""Start, life and end of the resident program."""

from __future__ import annotations

import sys
from threading import Event, Thread
from typing import TYPE_CHECKING

from mailtray.app.commands import Quit

if TYPE_CHECKING:
    from mailtray.app.poller import Poller
    from mailtray.ports import Tray

QUIT_DEADLINE_S = 5.0
"""A quit takes no longer, whatever a keyring or a bus does meanwhile."""


class App:
    """The poller on its thread and the tray on the main one.

    Attributes:
        poller: Its ``inbox`` takes commands from any thread.
    """

    def __init__(self, poller: Poller, tray: Tray) -> None:
        self.poller = poller
        self._tray = tray
        self._over = Event()
        self._is_quit = False
        self._thread = Thread(target=self._serve, name="mailtray-poller", daemon=True)

    def run(self) -> bool:
        """Live until somebody quits; called on the main thread.

        Returns:
            Whether the program is to start over, with other settings.
        """
        self._thread.start()
        try:
            self._tray.run(self._wait)
        finally:
            self._end()
            self._thread.join(QUIT_DEADLINE_S)
        return self.poller.starts_over and not self._is_quit

    def quit(self) -> None:
        """Ask for the end; from any thread and from a signal handler."""
        self._is_quit = True
        self._end()

    def _end(self) -> None:
        self.poller.inbox.put(Quit())
        # The event's lock may be held by the very code that a signal interrupts.
        Thread(target=self._over.set, name="mailtray-quit", daemon=True).start()

    def _serve(self) -> None:
        try:
            self.poller.run()
        finally:
            self._over.set()

    def _wait(self) -> None:
        # Windows hands signals over only between two waits.
        while not self._over.wait(0.5 if sys.platform == "win32" else None):
            pass
