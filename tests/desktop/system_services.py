"""Stand-ins for the services of the system bus, on a bus of the test's own."""
# No postponed annotations here: dbus-fast reads D-Bus signatures from them.

from dbus_fast.annotations import DBusBool, DBusUInt32
from dbus_fast.message import Message
from dbus_fast.service import ServiceInterface, dbus_signal

from tests.desktop.services import Service

DISCONNECTED, CONNECTING, CONNECTED_LOCAL, CONNECTED_SITE, CONNECTED_GLOBAL = 20, 40, 50, 60, 70


class NetworkManager(Service):
    """NetworkManager, as far as it tells of the network as a whole."""

    def __init__(self, address: str) -> None:
        self._signals = _NetworkManager()
        super().__init__(
            address,
            "org.freedesktop.NetworkManager",
            "/org/freedesktop/NetworkManager",
            self._signals,
        )

    def tell(self, *states: int) -> None:
        """Tell of states, one after another."""
        self.do(self._tell(states))

    async def _tell(self, states: tuple[int, ...]) -> None:
        for state in states:
            self._signals.StateChanged(state)


class _NetworkManager(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.freedesktop.NetworkManager")

    @dbus_signal()
    def StateChanged(self, state: int) -> DBusUInt32:  # noqa: N802
        return state


class Logind(Service):
    """systemd-logind, as far as it tells of sleeps."""

    def __init__(self, address: str) -> None:
        self._signals = _Manager()
        super().__init__(
            address, "org.freedesktop.login1", "/org/freedesktop/login1", self._signals
        )

    def sleep_and_wake(self) -> None:
        """Tell of a sleep and of its end."""
        self.do(self._tell(True, False))

    def go_to_sleep(self) -> None:
        """Tell of a sleep that begins."""
        self.do(self._tell(True))

    async def _tell(self, *starts: bool) -> None:
        for start in starts:
            self._signals.PrepareForSleep(start)


class _Manager(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.freedesktop.login1.Manager")

    @dbus_signal()
    def PrepareForSleep(self, start: bool) -> DBusBool:  # noqa: N802
        return start


class Stranger(Service):
    """Another user's program, which sends signals that are not its own."""

    def __init__(self, address: str) -> None:
        super().__init__(address, "test.Stranger", "/test", _NetworkManager())

    def forge(self, *signals: Message) -> None:
        """Send signals as they are."""
        self.do(self._forge(signals))

    async def _forge(self, signals: tuple[Message, ...]) -> None:
        assert self._bus is not None
        for signal in signals:
            await self._bus.send(signal)
        await self._bus.introspect("test.Stranger", "/test")  # the bus has passed them on by then
