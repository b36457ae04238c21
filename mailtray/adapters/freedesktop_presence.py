"""What a Linux desktop tells of the person: not to be disturbed, or away from a locked screen.

"Do not disturb" is a property of the notification server, where it has one: ``Inhibited`` (the
specification's and KDE's) or dunst's ``paused``; Xfce keeps it among its settings. A locked screen
is told by systemd-logind for the session, and by screen savers. Each is asked once, when it
appears, and heard from then on; nothing is polled. Who tells nothing counts as a person who may be
disturbed. GNOME is one: its switch is a setting that no service on the bus gives out, the desktop
portal neither, and it holds notifications back itself.

A program that keeps the screen awake does not count: a film does so as well as a presentation.

Source: Desktop Notifications Specification, "Inhibited"; dunst's ``org.dunstproject.cmd0``;
xfconfd's ``org.xfce.Xfconf`` and xfce4-notifyd 0.7.3;
org.freedesktop.login1(5), "LockedHint"; org.freedesktop.ScreenSaver, as KDE, GNOME, Cinnamon, MATE
and Xfce implement it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from mailtray.adapters.session_bus import (
    BusUnavailable,
    Refused,
    SessionBus,
    new_owner,
    owner_change_rule,
)
from mailtray.core.peace import Presence

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dbus_fast.message import Message

    from mailtray.adapters.desktop_loop import DesktopLoop

log = logging.getLogger(__name__)

PROPERTIES = "org.freedesktop.DBus.Properties"
SERVER = "org.freedesktop.Notifications"
SERVER_PATH = "/org/freedesktop/Notifications"
INHIBITIONS = {SERVER: "Inhibited", "org.dunstproject.cmd0": "paused"}
"""The property of each interface of notification servers that tells not to disturb."""
XFCE_SERVER = "Xfce Notify Daemon"
XFCONF = "org.xfce.Xfconf"
XFCONF_PATH = "/org/xfce/Xfconf"
XFCE_PROPERTY = ("xfce4-notifyd", "/do-not-disturb")
"""Channel and name of Xfce's own wish, which counts where Xfce's own server runs."""
SAVERS = {
    "org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
    "org.gnome.ScreenSaver": "/org/gnome/ScreenSaver",
    "org.cinnamon.ScreenSaver": "/org/cinnamon/ScreenSaver",
    "org.mate.ScreenSaver": "/org/mate/ScreenSaver",
    "org.xfce.ScreenSaver": "/org/xfce/ScreenSaver",
}
"""The object of each screen saver; its interface has the name of its service."""
LOGIND = "org.freedesktop.login1"
LOGIND_PATH = "/org/freedesktop/login1"
LOGIND_SESSION = "org.freedesktop.login1.Session"

CALL_TIMEOUT_S = 3.0
CLOSE_TIMEOUT_S = 1.0


class FreedesktopPresence:
    """Listens on both buses from :meth:`start` to :meth:`close`.

    See :class:`mailtray.ports.PresenceSource`.
    """

    def __init__(self, loop: DesktopLoop, on_change: Callable[[], None]) -> None:
        """Prepare without connecting.

        Args:
            loop: Where all of this runs.
            on_change: Called on the loop's thread when the presence is another than before; at
                first, and where nothing is told, the person may be disturbed.
        """
        self._loop = loop
        self._on_change = on_change
        self._told = Presence()
        self._inhibited: set[str] = set()
        self._locked: set[str] = set()
        self._session_path = ""
        self._asking: set[asyncio.Task[None]] = set()
        self._session = SessionBus(
            self._on_session_message,
            (
                owner_change_rule(SERVER),
                f"type='signal',sender='{SERVER}',path='{SERVER_PATH}',"
                f"interface='{PROPERTIES}',member='PropertiesChanged'",
                f"type='signal',sender='{XFCONF}',path='{XFCONF_PATH}',interface='{XFCONF}',"
                f"arg0='{XFCE_PROPERTY[0]}',arg1='{XFCE_PROPERTY[1]}'",
                *map(owner_change_rule, SAVERS),
                *(
                    f"type='signal',sender='{name}',interface='{name}',member='ActiveChanged'"
                    for name in SAVERS
                ),
            ),
            on_lost=self._on_session_lost,
        )
        self._system = SessionBus(
            self._on_system_message,
            (
                owner_change_rule(LOGIND),
                f"type='signal',sender='{LOGIND}',path_namespace='{LOGIND_PATH}/session',"
                f"interface='{PROPERTIES}',member='PropertiesChanged'",
            ),
            on_lost=self._on_system_lost,
            is_system=True,
        )

    def start(self) -> None:
        """Begin to listen, in the background; without a bus nothing happens."""
        self._loop.submit(self._open(self._session, (SERVER, *SAVERS)))
        self._loop.submit(self._open(self._system, (LOGIND,)))

    def look(self) -> Presence:
        """See :meth:`mailtray.ports.PresenceSource.look`: what was told last."""
        return self._told

    def close(self) -> None:
        """Stop listening."""
        try:
            self._loop.call(self._close(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            log.warning("The connections that tell of the person did not close in time")

    async def _open(self, bus: SessionBus, names: tuple[str, ...]) -> None:
        try:
            await bus.open()
            for name in names:
                # Asking one that does not run might start it.
                if await bus.owner_of(name):
                    self._ask(name)
        except (BusUnavailable, TimeoutError) as exc:
            log.info("A bus tells nothing of the person: %s", exc)

    async def _close(self) -> None:
        for task in list(self._asking):
            task.cancel()
        await self._session.close()
        await self._system.close()

    # -- asking ----------------------------------------------------------------------------------

    def _ask(self, name: str) -> None:
        """Ask a service that has appeared how it is."""
        if name == SERVER:
            self._start(self._ask_server())
            self._start(self._ask_xfce())
        elif name == LOGIND:
            self._start(self._ask_logind())
        else:
            self._start(self._ask_saver(name))

    def _start(self, asking: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_patiently(asking))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask_server(self) -> None:
        for interface, name in INHIBITIONS.items():
            found = await _property(self._session, SERVER, SERVER_PATH, interface, name)
            if found is not None:
                self._note(self._inhibited, interface, is_so=found is True)

    async def _ask_xfce(self) -> None:
        (server, *_) = await self._session.call(
            SERVER, SERVER_PATH, f"{SERVER}.GetServerInformation", timeout_s=CALL_TIMEOUT_S
        )
        is_so = server == XFCE_SERVER and await self._is_xfce_undisturbed()
        self._note(self._inhibited, XFCONF, is_so=is_so)

    async def _is_xfce_undisturbed(self) -> bool:
        try:
            (found,) = await self._session.call(
                XFCONF,
                XFCONF_PATH,
                f"{XFCONF}.GetProperty",
                "ss",
                XFCE_PROPERTY,
                timeout_s=CALL_TIMEOUT_S,
            )
        except Refused:
            # Nobody has ever switched it.
            return False
        return getattr(found, "value", None) is True

    async def _ask_saver(self, name: str) -> None:
        (is_active,) = await self._session.call(
            name, SAVERS[name], f"{name}.GetActive", timeout_s=CALL_TIMEOUT_S
        )
        self._note(self._locked, name, is_so=is_active is True)

    async def _ask_logind(self) -> None:
        # "auto" is the session of this process, or the person's graphical one.
        (path,) = await self._system.call(
            LOGIND,
            LOGIND_PATH,
            f"{LOGIND}.Manager.GetSession",
            "s",
            ["auto"],
            timeout_s=CALL_TIMEOUT_S,
        )
        self._session_path = str(path)
        found = await _property(self._system, LOGIND, str(path), LOGIND_SESSION, "LockedHint")
        self._note(self._locked, LOGIND, is_so=found is True)

    # -- hearing ---------------------------------------------------------------------------------

    def _on_session_message(self, message: Message) -> None:
        # A signal that is addressed comes without a rule, and anybody can send one.
        if message.destination:
            return
        for name in (SERVER, *SAVERS):
            owner = new_owner(message, name)
            if owner is not None:
                self._on_owner(name, owner)
                return
        match (message.interface, message.member, message.body):
            case (str(interface), _, _) if interface == XFCONF:
                # Switched, or forgotten: both are asked for.
                self._start(self._ask_xfce())
            case (saver, "ActiveChanged", [bool(is_active)]) if saver in SAVERS:
                self._note(self._locked, str(saver), is_so=is_active)
            case (_, "PropertiesChanged", [interface, changed, gone]) if interface in INHIBITIONS:
                self._on_inhibitions(interface, changed, gone)

    def _on_inhibitions(self, interface: str, changed: dict[str, Any], gone: list[str]) -> None:
        name = INHIBITIONS[interface]
        if name in changed:
            self._note(self._inhibited, interface, is_so=changed[name].value is True)
        elif name in gone:
            self._ask(SERVER)

    def _on_system_message(self, message: Message) -> None:
        if message.destination:
            return
        owner = new_owner(message, LOGIND)
        if owner is not None:
            self._on_owner(LOGIND, owner)
            return
        match (message.path, message.body):
            case (path, [interface, changed, _]) if (path, interface) == (
                self._session_path,
                LOGIND_SESSION,
            ):
                if "LockedHint" in changed:
                    self._note(self._locked, LOGIND, is_so=changed["LockedHint"].value is True)

    def _on_owner(self, name: str, owner: str) -> None:
        self._locked.discard(name)
        if name == SERVER:
            self._inhibited.clear()
        self._tell()
        if owner:
            self._ask(name)

    def _on_session_lost(self) -> None:
        self._inhibited.clear()
        self._locked &= {LOGIND}
        self._tell()

    def _on_system_lost(self) -> None:
        self._locked.discard(LOGIND)
        self._tell()

    def _note(self, sources: set[str], source: str, *, is_so: bool) -> None:
        if is_so:
            sources.add(source)
        else:
            sources.discard(source)
        self._tell()

    def _tell(self) -> None:
        presence = Presence(is_do_not_disturb=bool(self._inhibited), is_locked=bool(self._locked))
        if presence != self._told:
            self._told = presence
            self._on_change()


async def _patiently(asking: Coroutine[Any, Any, None]) -> None:
    try:
        await asking
    except (BusUnavailable, Refused, TimeoutError, ValueError) as exc:
        log.info("Not told of the person: %s", exc)


async def _property(bus: SessionBus, service: str, path: str, interface: str, name: str) -> object:
    """Return a property's value, or ``None`` where there is none."""
    try:
        (found,) = await bus.call(
            service, path, f"{PROPERTIES}.Get", "ss", [interface, name], timeout_s=CALL_TIMEOUT_S
        )
    except Refused:
        return None
    return getattr(found, "value", None)
