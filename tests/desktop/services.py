"""Stand-ins for the services of a desktop, on a real bus, with every bad habit on demand.

They are written with dbus-fast's service classes, apart from all that the program uses of it.
"""
# No postponed annotations here: dbus-fast reads D-Bus signatures from them.

import asyncio
import html
import re
import threading
from collections.abc import Coroutine
from typing import Annotated, Any, Self, TypeVar

from dbus_fast import NameFlag, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.errors import DBusError
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

T = TypeVar("T")

Strings = Annotated[list[str], DBusSignature("as")]
Hints = Annotated[dict[str, Any], DBusSignature("a{sv}")]
TwoNumbers = Annotated[list[int], DBusSignature("uu")]
NumberAndKey = Annotated[list[Any], DBusSignature("us")]
ServerInformation = Annotated[list[str], DBusSignature("ssss")]

ALL_CAPABILITIES = ("actions", "body", "body-hyperlinks", "body-images", "body-markup")


class Service:
    """A bus name with an object behind it, on a thread of its own."""

    def __init__(self, address: str, name: str, path: str, interface: ServiceInterface) -> None:
        self._address, self._name, self._path, self._interface = address, name, path, interface
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._bus: MessageBus | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.appear()
        return self

    def __exit__(self, *_: object) -> None:
        self.vanish()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def appear(self) -> None:
        """Take the name."""
        self.do(self._appear())

    def vanish(self) -> None:
        """Leave the bus, as a crash would."""
        self.do(self._vanish())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the service's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _appear(self) -> None:
        if self._bus is None:
            self._bus = await MessageBus(self._address).connect()
            self._bus.export(self._path, self._interface)
            await self._bus.request_name(self._name, NameFlag.DO_NOT_QUEUE)

    async def _vanish(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # untyped in dbus-fast


class Shown:
    """A notification as it reached the server."""

    def __init__(
        self, icon: str, title: str, body: str, actions: list[str], hints: dict[str, Any]
    ) -> None:
        self.icon, self.title, self.body = icon, title, body
        self.actions = actions
        self.hints = {name: value.value for name, value in hints.items()}
        self.expires_ms = -1


class NotificationServer(Service):
    """A notification server.

    Attributes:
        capabilities: What it says it can.
        on_screen: What it shows, by id, in the order in which it came.
        refusal: The D-Bus error that it answers instead of showing, or an empty string.
        is_silent: True to let Notify wait until :meth:`speak`.
        next_id: The id it gives next.
    """

    def __init__(self, address: str, *, capabilities: tuple[str, ...] = ALL_CAPABILITIES) -> None:
        self.capabilities = capabilities
        self.on_screen: dict[int, Shown] = {}
        self.refusal = ""
        self.is_silent = False
        self.next_id = 1
        self.asked = 0
        self.spoken = asyncio.Event()
        self._signals = _Notifications(self)
        super().__init__(
            address,
            "org.freedesktop.Notifications",
            "/org/freedesktop/Notifications",
            self._signals,
        )

    def read(self) -> list[tuple[str, str]]:
        """Return title and body as a person would read them."""
        return [(shown.title, self._rendered(shown.body)) for shown in self.on_screen.values()]

    def restart(self, *, capabilities: tuple[str, ...] | None = None) -> None:
        """Leave with all that was shown, and come back counting from one."""
        self.vanish()
        self.on_screen.clear()
        self.next_id = 1
        self.capabilities = self.capabilities if capabilities is None else capabilities
        self.appear()

    def vanish(self) -> None:
        """Leave the bus, and what waits for ever without an answer."""
        super().vanish()
        # An answer sent to a closed connection would break the next one: dbus-fast takes its
        # file number for the old one's.
        self.spoken = asyncio.Event()

    def speak(self) -> None:
        """Show and answer all that waits."""
        self.is_silent = False
        self._loop.call_soon_threadsafe(self.spoken.set)

    def act(self, number: int, key: str = "default") -> None:
        """Tell that an action was chosen."""
        self.do(self._act(number, key))

    def click(self, title: str) -> None:
        """Click a shown notification, which closes it."""
        self.press(self.number_of(title))

    def number_of(self, title: str) -> int:
        """Return the id of a shown notification."""
        return next(n for n, shown in self.on_screen.items() if shown.title == title)

    def press(self, number: int, key: str = "default") -> None:
        """Choose an action, which closes the notification."""
        self.act(number, key)
        self.close(number, reason=2)

    def close(self, number: int, *, reason: int) -> None:
        """Close a notification: 1 for expired, 2 for dismissed by the person, 3 for asked to."""
        self.on_screen.pop(number, None)
        self.do(self._tell_closed(number, reason))

    async def _act(self, number: int, key: str) -> None:
        self._signals.ActionInvoked(number, key)

    async def _tell_closed(self, number: int, reason: int) -> None:
        self._signals.NotificationClosed(number, reason)

    def _rendered(self, body: str) -> str:
        if "body-markup" not in self.capabilities:
            return body
        return html.unescape(re.sub(r"<[^>]*>", "", body))


class _Notifications(ServiceInterface):
    def __init__(self, server: NotificationServer) -> None:
        super().__init__("org.freedesktop.Notifications")
        self._server = server

    @dbus_method(name="Notify")
    async def notify(  # noqa: PLR0917  # the specification's arguments
        self,
        app_name: DBusStr,  # noqa: ARG002
        replaces_id: DBusUInt32,
        app_icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: Strings,
        hints: Hints,
        expire_timeout: DBusInt32,
    ) -> DBusUInt32:
        server = self._server
        server.asked += 1
        if server.refusal:
            raise DBusError(server.refusal, "told to refuse")
        if server.is_silent:
            await server.spoken.wait()
        number = replaces_id if replaces_id in server.on_screen else server.next_id
        if number == server.next_id:
            server.next_id += 1
        server.on_screen[number] = Shown(app_icon, summary, body, actions, hints)
        server.on_screen[number].expires_ms = expire_timeout
        return number

    @dbus_method(name="CloseNotification")
    def close_notification(self, number: DBusUInt32) -> None:
        if self._server.on_screen.pop(number, None) is None:
            raise DBusError("org.freedesktop.Notifications.Error", "no such notification")
        self.NotificationClosed(number, 3)

    @dbus_method(name="GetCapabilities")
    def get_capabilities(self) -> Strings:
        return list(self._server.capabilities)

    @dbus_method(name="GetServerInformation")
    def get_server_information(self) -> ServerInformation:
        return ["stand-in", "mailtray tests", "1", "1.2"]

    @dbus_signal()
    def ActionInvoked(self, number: int, key: str) -> NumberAndKey:  # noqa: N802
        return [number, key]

    @dbus_signal()
    def NotificationClosed(self, number: int, reason: int) -> TwoNumbers:  # noqa: N802
        return [number, reason]


class Watcher(Service):
    """A StatusNotifierWatcher.

    Attributes:
        registrations: The services that registered with it since it appeared.
        has_host: Whether it says that a panel shows its items.
        lists: Whether it lists what registers.
    """

    def __init__(self, address: str) -> None:
        self.registrations: list[str] = []
        self.has_host = True
        self.lists = True
        self._signals = _Watcher(self)
        super().__init__(
            address, "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher", self._signals
        )

    def appear(self) -> None:
        """Take the name, with an empty list."""
        self.registrations.clear()
        super().appear()

    def unlist(self) -> None:
        """Drop all items and say so."""
        self.do(self._unlist())

    async def _unlist(self) -> None:
        for service in list(self.registrations):
            self.registrations.remove(service)
            self._signals.StatusNotifierItemUnregistered(service)


class _Watcher(ServiceInterface):
    def __init__(self, watcher: Watcher) -> None:
        super().__init__("org.kde.StatusNotifierWatcher")
        self._watcher = watcher

    @dbus_method(name="RegisterStatusNotifierItem")
    def register(self, service: DBusStr) -> None:
        self._watcher.registrations.append(service)
        self.StatusNotifierItemRegistered(service)

    @dbus_property(access=PropertyAccess.READ, name="RegisteredStatusNotifierItems")
    def items(self) -> Strings:
        return list(self._watcher.registrations) if self._watcher.lists else []

    @dbus_property(access=PropertyAccess.READ, name="IsStatusNotifierHostRegistered")
    def is_host_registered(self) -> DBusBool:
        return self._watcher.has_host

    @dbus_signal()
    def StatusNotifierItemRegistered(self, service: str) -> DBusStr:  # noqa: N802
        return service

    @dbus_signal()
    def StatusNotifierItemUnregistered(self, service: str) -> DBusStr:  # noqa: N802
        return service
