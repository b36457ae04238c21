"""Looks at a freedesktop desktop for the doctor: what is there, asked of it for real."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from mailtray.adapters.freedesktop_notifier import SERVER, SERVER_PATH
from mailtray.adapters.pystray_tray import EmbeddingPanel
from mailtray.adapters.session_bus import BUS, BUS_PATH, BusUnavailable, Refused, SessionBus
from mailtray.adapters.sound_player import player_for
from mailtray.adapters.status_notifier_tray import PROPERTIES, WATCHER, WATCHER_PATH
from mailtray.core.doctor import Check, Part, attention, fails, good, unknown
from mailtray.core.language import N_, _
from mailtray.core.model import SOUND_DESKTOP, SOUND_NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from mailtray.adapters.desktop_loop import DesktopLoop

T = TypeVar("T")

ANSWER_S = 4.0
"""How long a service of the desktop may take to answer, in seconds."""
SECRETS = "org.freedesktop.secrets"
SECRETS_PATH = "/org/freedesktop/secrets"
_SECRET = "org.freedesktop.Secret"  # noqa: S105 - the name of an interface

_ABILITIES = (
    ("actions", N_("clicks")),
    ("body-markup", N_("markup")),
    ("sound", N_("sound")),
    ("persistence", N_("a list of past ones")),
)
_NO_BUS = N_("there is no session bus")
_LOG_IN = N_("Log in to a desktop, or start mailtray within one.")
_NO_PANEL = N_("no panel shows icons of programs")


class DesktopChecks:
    """Checks of one desktop over its session bus, from any thread.

    Args:
        loop: Where the bus is spoken to.
        environment: The variables that say where the desktop is.
    """

    def __init__(self, loop: DesktopLoop, environment: Mapping[str, str]) -> None:
        self._loop = loop
        self._environment = environment
        self._bus = SessionBus(lambda _message: None, ())

    def close(self) -> None:
        """Let go of the bus."""
        self._ask(self._bus.close)

    def display(self) -> Check:
        """Say which display there is, having met it."""
        wayland, x11 = (self._environment.get(key, "") for key in ("WAYLAND_DISPLAY", "DISPLAY"))
        if wayland and _answers(os.path.join(self._runtime, wayland)):  # noqa: PTH118 - it may be absolute
            return good(Part.DISPLAY, _("Wayland, {name}").format(name=wayland))
        if x11 and _has_x11():
            return good(Part.DISPLAY, _("X11, {name}").format(name=x11))
        found = _("there is none")
        if wayland or x11:
            found = _("{name} does not answer").format(name=wayland or x11)
        return attention(Part.DISPLAY, found, _(_LOG_IN))

    @property
    def _runtime(self) -> str:
        return self._environment.get("XDG_RUNTIME_DIR", "")

    # -- the tray ------------------------------------------------------------------------------

    def tray(self, wish: str) -> Check:
        """Say whether a panel shows icons.

        Args:
            wish: The setting ``tray``.
        """
        if wish == "none":
            return good(Part.TRAY, _("switched off by the setting tray"))
        try:
            has_watcher, has_host = self._ask(self._watcher)
        except BusUnavailable:
            return attention(Part.TRAY, _(_NO_BUS), _(_LOG_IN))
        if has_watcher and has_host:
            return good(Part.TRAY, _("a panel shows icons (StatusNotifier)"))
        if not has_watcher and _has_x11_panel():
            return good(Part.TRAY, _("a panel shows icons (X11)"))
        return attention(Part.TRAY, _(_NO_PANEL), self._panel_advice())

    def _panel_advice(self) -> str:
        if "GNOME" in self._environment.get("XDG_CURRENT_DESKTOP", ""):
            return _("Install GNOME's extension AppIndicator Support.")
        return _("Add a tray, also called notification area or status icons, to your panel.")

    async def _watcher(self) -> tuple[bool, bool]:
        await self._bus.open()
        if not await self._bus.owner_of(WATCHER):
            return False, False
        host = [WATCHER, "IsStatusNotifierHostRegistered"]
        try:
            (found,) = await self._bus.call(
                WATCHER, WATCHER_PATH, f"{PROPERTIES}.Get", "ss", host, timeout_s=ANSWER_S
            )
        except Refused:
            return True, True  # one that does not tell shows them
        return True, bool(found.value)

    # -- notifications and sound ---------------------------------------------------------------

    def notifications(self, wish: str, sound: str) -> tuple[Check, Check]:
        """Say who shows notifications and what it can, and whether a sound is heard.

        Args:
            wish: The setting ``notifier``.
            sound: The setting of that name.
        """
        try:
            server = self._ask(self._server)
        except BusUnavailable:
            return self._no_server(wish, _(_NO_BUS), _(_LOG_IN)), _sound(sound, None)
        if server is None:
            advice = _("Start your desktop's notification server, or install dunst.")
            none = self._no_server(wish, _("no notification server runs"), advice)
            return none, _sound(sound, None)
        name, can = server
        if wish == "console":
            shown = good(Part.NOTIFICATIONS, _("lines of text, by the setting notifier"))
        else:
            shown = _server_check(name, can)
        return shown, _sound(sound, can)

    def _no_server(self, wish: str, found: str, action: str) -> Check:
        if wish == "console":
            return good(Part.NOTIFICATIONS, _("lines of text, by the setting notifier"))
        has_screen = any(self._environment.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY"))
        # Without a screen mail is told in the terminal, with one it waits for a server.
        return (fails if has_screen else attention)(Part.NOTIFICATIONS, found, action)

    async def _server(self) -> tuple[str, frozenset[str]] | None:
        await self._bus.open()
        if not await self._bus.owner_of(SERVER):
            try:
                await self._bus.call(BUS, BUS_PATH, f"{BUS}.StartServiceByName", "su", [SERVER, 0])
            except Refused:
                return None
        name, vendor, version, _spec = await self._call_server("GetServerInformation")
        (can,) = await self._call_server("GetCapabilities")
        whole = f"{name} {version}" if vendor in {"", name} else f"{name} {version} ({vendor})"
        return whole, frozenset(map(str, can))

    async def _call_server(self, method: str) -> list[Any]:
        return await self._bus.call(SERVER, SERVER_PATH, f"{SERVER}.{method}", timeout_s=ANSWER_S)

    # -- the keyring ---------------------------------------------------------------------------

    def is_keyring_locked(self) -> bool:
        """Say whether the Secret Service is there and locked, without asking to unlock it."""
        try:
            return self._ask(self._locked)
        except BusUnavailable:
            return False

    async def _locked(self) -> bool:
        await self._bus.open()
        if not await self._bus.owner_of(SECRETS):
            return False
        try:
            (collection,) = await self._bus.call(
                SECRETS, SECRETS_PATH, f"{_SECRET}.Service.ReadAlias", "s", ["default"],
                timeout_s=ANSWER_S,
            )  # fmt: skip
            (found,) = await self._bus.call(
                SECRETS, collection, f"{PROPERTIES}.Get", "ss",
                [f"{_SECRET}.Collection", "Locked"], timeout_s=ANSWER_S,
            )  # fmt: skip
        except Refused:
            return False
        return bool(found.value)

    def _ask(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return self._loop.call(work(), 2 * ANSWER_S)


def _server_check(name: str, can: frozenset[str]) -> Check:
    abilities = ", ".join(_(words) for ability, words in _ABILITIES if ability in can)
    found = _("{name}, with {abilities}").format(name=name, abilities=abilities or _("text only"))
    if "actions" in can:
        return good(Part.NOTIFICATIONS, found)
    action = _("Use another notification server, such as dunst: this one takes no clicks.")
    return attention(Part.NOTIFICATIONS, found, action)


def _sound(wish: str, can: frozenset[str] | None) -> Check:
    """Say whether a sound is heard, ``can`` being what the notification server is able to."""
    if wish == SOUND_NONE:
        return good(Part.SOUND, _("switched off by the setting sound"))
    if can is None:
        return unknown(Part.SOUND, _("nothing shows notifications"))
    if "sound" in can:
        return good(Part.SOUND, _("played by the notification server"))
    if wish == SOUND_DESKTOP:
        found = _("the notification server plays none")
        return attention(Part.SOUND, found, _("Set sound to the path of a sound file."))
    return sound_file(wish)


def other_system(sound: str) -> list[Check]:
    """Return what is known of Windows and macOS, which have all of it and tell little.

    Args:
        sound: The setting of that name.
    """
    checks = [good(part, _("the system's own")) for part in (Part.DISPLAY, Part.TRAY)]
    untold = _("the system does not tell whether it shows them")
    checks.append(unknown(Part.NOTIFICATIONS, untold, _("Send a test: mailtray open doctor")))
    if sound in {SOUND_DESKTOP, SOUND_NONE}:
        return [*checks, good(Part.SOUND, _("the system's own"))]
    return [*checks, sound_file(sound)]


def sound_file(wish: str) -> Check:
    """Say whether a sound file can be played here, ``wish`` being its path."""
    if not os.access(wish, os.R_OK):
        found = _("{path} cannot be read").format(path=wish)
        return attention(Part.SOUND, found, _("Set sound to another file."))
    player = player_for(sys.platform, wish)
    if not player:
        found = _("no program that plays sounds is installed")
        return attention(Part.SOUND, found, _("Install pw-play, paplay or canberra-gtk-play."))
    return good(Part.SOUND, _("played by {program}").format(program=player[0]))


def _answers(path: str) -> bool:
    with socket.socket(getattr(socket, "AF_UNIX")) as client:  # noqa: B009 - not on Windows
        client.settimeout(ANSWER_S)
        try:
            client.connect(path)
        except OSError:
            return False
    return True


def _has_x11() -> bool:
    panel = _x11_panel()
    if panel is None:
        return False
    panel.close()
    return True


def _has_x11_panel() -> bool:
    panel = _x11_panel()
    if panel is None:
        return False
    try:
        return panel.is_there
    finally:
        panel.close()


def _x11_panel() -> EmbeddingPanel | None:
    """Return the panel of the display, there or not; ``None`` where no display answers."""
    try:
        from Xlib.error import DisplayError  # type: ignore[import-untyped]  # untyped
    except ImportError:
        return None
    try:
        return EmbeddingPanel()
    except (DisplayError, OSError):
        return None
