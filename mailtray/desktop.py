"""Which desktop this is, and the tray, the notifier and the listeners that it can have.

A part of the composition root: it names concrete adapters too.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mailtray.adapters.no_tray import NoTray
from mailtray.app.commands import (
    Clicked,
    Command,
    NetworkUp,
    NotifierAvailable,
    PresenceChanged,
    TrayMissing,
    TrayShown,
    Woke,
    from_menu,
)
from mailtray.core import text
from mailtray.core.errors import TrayError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from mailtray.adapters.desktop_loop import DesktopLoop
    from mailtray.adapters.freedesktop_presence import FreedesktopPresence
    from mailtray.adapters.macos_events import MacosEvents
    from mailtray.adapters.system_events import SystemEvents
    from mailtray.adapters.windows_events import WindowsEvents
    from mailtray.core.model import Notification
    from mailtray.ports import Notifier, PresenceSource, Tray

_log = logging.getLogger(__name__)


class Desktop:
    """Builds the tray and the notifier that this desktop can have.

    Args:
        post: Takes what they tell the poller.
        console: Receives the console notifier's lines.

    Attributes:
        on_quit: Called for "Quit": past the inbox, so that a keyring that waits for its
            password cannot keep the program from ending.
    """

    def __init__(self, post: Callable[[Command], None], console: TextIO) -> None:
        self._post = post
        self._console = console
        self._loop: DesktopLoop | None = None
        self._system: SystemEvents | WindowsEvents | MacosEvents | None = None
        self._presence: FreedesktopPresence | None = None
        self.on_quit: Callable[[], None] | None = None
        if sys.platform == "win32":
            from mailtray.adapters.windows_process import introduce_process

            introduce_process()

    def close(self) -> None:
        """End the loop of the buses."""
        for listener in (self._system, self._presence):
            if listener is not None:
                listener.close()
        if self._loop is not None:
            self._loop.close()

    def tray(self, wish: str) -> Tray:
        """Return the best tray to be had; one that nobody can see is told to the poller."""
        if wish == "none":
            return NoTray()
        if sys.platform == "linux":
            return self._linux_tray()
        else:  # noqa: RET505 - mypy reads the other systems' code here
            try:
                return self._pystray()
            except TrayError as error:
                self._post(TrayMissing(error))
                return NoTray()

    def _linux_tray(self) -> Tray:
        from mailtray.adapters.status_notifier_tray import StatusNotifierTray

        tray = StatusNotifierTray(self._desktop_loop(), self._on_command, on_hosted=self._on_hosted)
        error = TrayError(_(text.NO_TRAY_TITLE), _(text.NO_TRAY_HINT))
        try:
            if tray.start():
                return tray
        except TrayError as no_bus:
            error = no_bus
        docked = None if tray.has_watcher else self._docked()
        if docked is None:
            _log.warning("%s. %s", error.title, error.hint)
            self._post(TrayMissing(error))
            return tray
        tray.stop()
        return docked

    def _docked(self) -> Tray | None:
        try:
            return self._pystray()
        except TrayError:
            return None

    def _pystray(self) -> Tray:
        from mailtray.adapters.pystray_tray import PystrayTray

        return PystrayTray(self._on_command)

    def _on_command(self, command: str, argument: str) -> None:
        if command == "quit" and self.on_quit is not None:
            self.on_quit()
        else:
            self._post(from_menu(command, argument))

    def _on_hosted(self, is_hosted: bool) -> None:  # noqa: FBT001 - the tray's callback
        if is_hosted:
            self._post(TrayShown())

    def listen_to_system(self) -> None:
        """Let the poller hear of networks, sleeps and locks, where they are told."""
        network_up, woke = partial(self._post, NetworkUp()), partial(self._post, Woke())
        if sys.platform == "linux":
            from mailtray.adapters.system_events import SystemEvents

            self._system = SystemEvents(
                self._desktop_loop(), on_network_up=network_up, on_wake=woke
            )
        elif sys.platform == "win32":
            from mailtray.adapters.windows_events import WindowsEvents

            self._system = WindowsEvents(
                on_network_up=network_up, on_wake=woke, on_presence=self._on_presence
            )
        else:
            from mailtray.adapters.macos_events import MacosEvents

            self._system = MacosEvents(on_wake=woke, on_presence=self._on_presence)
        self._system.start()

    def _on_presence(self) -> None:
        self._post(PresenceChanged())

    def presence(self) -> PresenceSource:
        """Return what tells of the person."""
        if sys.platform == "linux":
            from mailtray.adapters.freedesktop_presence import FreedesktopPresence

            self._presence = FreedesktopPresence(self._desktop_loop(), self._on_presence)
            self._presence.start()
            return self._presence
        elif sys.platform == "win32":  # noqa: RET505 - mypy reads the other systems' code here
            from mailtray.adapters.windows_presence import WindowsPresence

            return WindowsPresence()
        else:
            from mailtray.adapters.macos_presence import MacosPresence

            return MacosPresence()

    def notifier(self, wish: str) -> Notifier:
        """Return the best notifier to be had: a ladder of them, tried from the top."""
        from mailtray.adapters.console_notifier import ConsoleNotifier
        from mailtray.adapters.notifier_ladder import NotifierLadder

        console = partial(ConsoleNotifier, self._console)
        if wish == "console":
            return console()
        rungs = [*self._desktop_rungs()]
        if not _has_desktop():
            # Elsewhere a message waits for a notification server rather than scroll by unseen.
            rungs.append(console)
        return NotifierLadder(rungs)

    def _desktop_rungs(self) -> list[Callable[[], Notifier]]:
        from mailtray.adapters.icons import app_icon_path
        from mailtray.adapters.sound_player import SoundPlayer

        loop, icon, play = self._desktop_loop(), app_icon_path(), SoundPlayer().play
        if sys.platform == "linux":
            from mailtray.adapters.freedesktop_notifier import FreedesktopNotifier

            return [
                partial(
                    FreedesktopNotifier,
                    loop,
                    self._on_click,
                    icon=icon,
                    play=play,
                    on_available=partial(self._post, NotifierAvailable()),
                )
            ]
        else:  # noqa: RET505 - mypy reads the other systems' code here
            from mailtray.adapters.desktop_notifier import DesktopNotifierNotifier
            from mailtray.adapters.plyer_notifier import PlyerNotifier

            return [
                partial(DesktopNotifierNotifier, loop, self._on_click, icon=icon, play=play),
                partial(PlyerNotifier, icon=icon),
            ]

    def _on_click(self, notification: Notification, button: str) -> None:
        self._post(Clicked(notification, button))

    def _desktop_loop(self) -> DesktopLoop:
        from mailtray.adapters.desktop_loop import DesktopLoop

        if self._loop is None:
            self._loop = DesktopLoop()
        return self._loop


def _has_desktop() -> bool:
    """Say whether there is a desktop on which a notification can ever appear."""
    if sys.platform != "linux":
        return True
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    _, _, path = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").partition("unix:path=")
    runtime_dir = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(path.split(",")[0] or f"{runtime_dir}/bus").exists()
