"""Stand-ins for what tells of the person: screen savers, logind, a notification server."""
# No postponed annotations here: dbus-fast reads D-Bus signatures from them.

from typing import Annotated, Any

from dbus_fast import PropertyAccess
from dbus_fast.annotations import DBusBool, DBusObjectPath, DBusSignature, DBusStr, DBusVariant
from dbus_fast.errors import DBusError
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal
from dbus_fast.signature import Variant

from tests.desktop.services import ServerInformation, Service

SESSION_PATH = "/org/freedesktop/login1/session/_32"
OTHER_PATH = "/org/freedesktop/login1/session/c1"
DO_NOT_DISTURB = ("xfce4-notifyd", "/do-not-disturb")

Place = Annotated[list[str], DBusSignature("ss")]
Change = Annotated[list[Any], DBusSignature("ssv")]


class ScreenSaver(Service):
    """A screen saver.

    Attributes:
        is_active: What it answers.
    """

    def __init__(self, address: str, name: str = "org.freedesktop.ScreenSaver") -> None:
        self.is_active = False
        self._signals = _ScreenSaver(self, name)
        super().__init__(address, name, "/" + name.replace(".", "/"), self._signals)

    def switch(self, *, to: bool) -> None:
        """Lock or unlock the screen."""
        self.is_active = to
        self.do(self._tell(to))

    async def _tell(self, is_active: bool) -> None:
        self._signals.ActiveChanged(is_active)


class _ScreenSaver(ServiceInterface):
    def __init__(self, saver: ScreenSaver, name: str) -> None:
        super().__init__(name)
        self._saver = saver

    @dbus_method(name="GetActive")
    def get_active(self) -> DBusBool:
        return self._saver.is_active

    @dbus_signal()
    def ActiveChanged(self, is_active: bool) -> DBusBool:  # noqa: N802
        return is_active


class Inhibiting(Service):
    """A notification server of which only "do not disturb" is there."""

    def __init__(self, address: str, server: str = "stand-in") -> None:
        self._properties = _Inhibiting(server)
        super().__init__(
            address,
            "org.freedesktop.Notifications",
            "/org/freedesktop/Notifications",
            self._properties,
        )

    def switch(self, *, to: bool) -> None:
        """Switch "do not disturb" on or off."""
        self.do(self._switch(to))

    async def _switch(self, is_inhibited: bool) -> None:
        self._properties.is_inhibited = is_inhibited
        self._properties.emit_properties_changed({"Inhibited": is_inhibited})

    def forget(self, *, now: bool) -> None:
        """Tell that it is another, and not which."""
        self.do(self._forget(now))

    async def _forget(self, is_inhibited: bool) -> None:
        self._properties.is_inhibited = is_inhibited
        self._properties.emit_properties_changed({}, ["Inhibited"])


class _Inhibiting(ServiceInterface):
    def __init__(self, name: str) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.is_inhibited = False
        self._name = name

    @dbus_method(name="GetServerInformation")
    def get_server_information(self) -> ServerInformation:
        return [self._name, "mailtray tests", "1", "1.2"]

    @dbus_property(access=PropertyAccess.READ, name="Inhibited")
    def inhibited(self) -> DBusBool:
        return self.is_inhibited


class Xfconf(Service):
    """Xfce's settings, of which only "do not disturb" is there."""

    def __init__(self, address: str) -> None:
        self._settings = _Xfconf()
        super().__init__(address, "org.xfce.Xfconf", "/org/xfce/Xfconf", self._settings)

    def switch(self, *, to: bool | None) -> None:
        """Switch "do not disturb" on or off, or forget that it ever was."""
        self.do(self._switch(to))

    async def _switch(self, is_on: bool | None) -> None:
        self._settings.is_on = is_on
        if is_on is None:
            self._settings.PropertyRemoved(*DO_NOT_DISTURB)
        else:
            self._settings.PropertyChanged(*DO_NOT_DISTURB, Variant("b", is_on))


class _Xfconf(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.xfce.Xfconf")
        self.is_on: bool | None = None

    @dbus_method(name="GetProperty")
    def get_property(self, channel: DBusStr, name: DBusStr) -> DBusVariant:
        if (channel, name) != DO_NOT_DISTURB or self.is_on is None:
            raise DBusError("org.xfce.Xfconf.Error.PropertyNotFound", f"no {name} on {channel}")
        return Variant("b", self.is_on)

    @dbus_signal()
    def PropertyChanged(self, channel: str, name: str, value: Variant) -> Change:  # noqa: N802
        return [channel, name, value]

    @dbus_signal()
    def PropertyRemoved(self, channel: str, name: str) -> Place:  # noqa: N802
        return [channel, name]


class LogindSessions(Service):
    """systemd-logind with the person's session and another one."""

    def __init__(self, address: str) -> None:
        self._sessions = {SESSION_PATH: _Session(), OTHER_PATH: _Session()}
        super().__init__(address, "org.freedesktop.login1", "/org/freedesktop/login1", _Sessions())

    def lock(self, path: str = SESSION_PATH, *, to: bool = True) -> None:
        """Lock or unlock a session's screen."""
        self.do(self._lock(path, to))

    async def _lock(self, path: str, is_locked: bool) -> None:
        session = self._sessions[path]
        session.is_locked = is_locked
        session.emit_properties_changed({"LockedHint": is_locked})

    async def _appear(self) -> None:
        await super()._appear()
        assert self._bus is not None
        for path, session in self._sessions.items():
            self._bus.export(path, session)


class _Sessions(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.freedesktop.login1.Manager")

    @dbus_method(name="GetSession")
    def get_session(self, name: DBusStr) -> DBusObjectPath:
        assert name == "auto"
        return SESSION_PATH


class _Session(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.freedesktop.login1.Session")
        self.is_locked = False

    @dbus_property(access=PropertyAccess.READ, name="LockedHint")
    def locked_hint(self) -> DBusBool:
        return self.is_locked
