"""A connection to a D-Bus bus, the session's as a rule, that outlives the services behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Sequence

    from dbus_fast.aio import MessageBus
    from dbus_fast.message import Message

BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"
CONNECT_TIMEOUT_S = 3.0


class BusUnavailable(Exception):
    """There is no such bus, or the connection to it broke."""


class Refused(Exception):
    """A service answered with an error.

    Attributes:
        error: Its D-Bus error name.
    """

    def __init__(self, error: str, text: str) -> None:
        super().__init__(f"{error}: {text}")
        self.error = error


class SessionBus:
    """One connection, made when first needed and made anew after it broke.

    All methods belong to the desktop loop's thread. Messages are built by hand: proxies made
    from introspection cost a round trip each, and a service that does not answer it hangs them.

    Source: D-Bus Specification 0.43, "Message Bus Messages".
    """

    def __init__(
        self,
        on_message: Callable[[Message], Message | bool | None],
        rules: Sequence[str],
        on_lost: Callable[[], None] = lambda: None,
        *,
        is_system: bool = False,
    ) -> None:
        """Prepare without connecting.

        Args:
            on_message: Sees each incoming call and signal; returns the reply to a call it knows,
                True where that call wants none.
            rules: Match rules for the signals wanted.
            on_lost: Called when a connection broke that was not closed here.
            is_system: True for the bus of the whole computer in place of the session's.
        """
        self._is_system = is_system
        self._on_message = on_message
        self._rules = tuple(rules)
        self._on_lost = on_lost
        self._bus: MessageBus | None = None
        self._connecting = asyncio.Lock()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._bus is not None and self._bus.connected

    @property
    def unique_name(self) -> str:
        """The name the bus gave this connection, or an empty string."""
        return (self._bus.unique_name if self._bus is not None else None) or ""

    async def open(self) -> bool:
        """Connect if needed; returns True where this call made the connection.

        Raises:
            BusUnavailable: There is no bus at its address, or it does not answer.
        """
        async with self._connecting:
            if self.is_open:
                return False
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    self._bus = await self._connect()
            # EOFError, ValueError: what answers is no bus or refused us; TypeError: an address
            # without a usable transport; KeyError: no HOME to look for an address in.
            except (OSError, EOFError, ValueError, TypeError, KeyError, Refused) as exc:
                raise BusUnavailable(str(exc) or type(exc).__name__) from exc
            self._watcher = asyncio.create_task(self._watch(self._bus))
            return True

    async def call(
        self,
        destination: str,
        path: str,
        method: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        timeout_s: float | None = None,
    ) -> list[Any]:
        """Call a method, ``interface.Member``, and return the reply's arguments.

        Waits ``timeout_s`` seconds for the reply; ``None`` leaves the limit to the caller.

        Raises:
            Refused: The service, or the bus in its place, answered with an error.
            BusUnavailable: The connection is not there or broke meanwhile.
            TimeoutError: No answer in time; it may still have been carried out.
        """
        if self._bus is None or not self._bus.connected:
            raise BusUnavailable("not connected")
        async with asyncio.timeout(timeout_s):
            return await _ask(self._bus, _method_call(destination, path, method, signature, body))

    def tell(
        self,
        destination: str,
        path: str,
        method: str,
        signature: str = "",
        body: Sequence[Any] = (),
    ) -> None:
        """Call a method whose answer does not matter; nothing happens while not connected."""
        from dbus_fast.constants import MessageFlag

        message = _method_call(destination, path, method, signature, body)
        message.flags = MessageFlag.NO_REPLY_EXPECTED
        self._send(message)

    def emit(self, path: str, signal: str, signature: str = "", body: Sequence[Any] = ()) -> None:
        """Send a signal, ``interface.Member``; nothing happens while not connected."""
        from dbus_fast.message import Message

        interface, _, member = signal.rpartition(".")
        self._send(Message.new_signal(path, interface, member, signature, list(body)))

    async def owner_of(self, name: str) -> str:
        """Return the unique name of a name's owner, or an empty string.

        Raises:
            BusUnavailable, TimeoutError: As for :meth:`call`.
        """
        try:
            (owner,) = await self.call(BUS, BUS_PATH, f"{BUS}.GetNameOwner", "s", [name])
        except Refused:
            return ""
        return str(owner)

    def _send(self, message: Message) -> None:
        if self._bus is not None and self._bus.connected:
            self._bus.send(message).add_done_callback(_ignore_failure)

    async def close(self) -> None:
        """Let go of the connection and the names it owned."""
        bus, self._bus = self._bus, None
        if bus is not None and bus.connected:
            bus.disconnect()
        if self._watcher is not None:
            await asyncio.wait({self._watcher}, timeout=CONNECT_TIMEOUT_S)

    async def _connect(self) -> MessageBus:
        from dbus_fast.aio import MessageBus
        from dbus_fast.constants import BusType

        bus = MessageBus(bus_type=BusType.SYSTEM if self._is_system else BusType.SESSION)
        await bus.connect()
        _be_patient(bus)
        try:
            bus.add_message_handler(self._on_message)
            for rule in self._rules:
                await _ask(bus, _method_call(BUS, BUS_PATH, f"{BUS}.AddMatch", "s", [rule]))
        except BaseException:
            _cut(bus)
            raise
        return bus

    async def _watch(self, bus: MessageBus) -> None:
        # It raises what broke the connection; all that matters is that it is gone.
        gone: Coroutine[Any, Any, None] = bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # untyped in dbus-fast
        try:
            await asyncio.wait({asyncio.ensure_future(gone)})
        except asyncio.CancelledError:
            _cut(bus)
            raise
        if bus is self._bus:
            self._bus = None
            self._on_lost()


def _cut(bus: MessageBus) -> None:
    """Let go of a connection at once.

    ``disconnect`` alone leaves the socket to the loop's next round, and the loop may be ending.
    """
    bus.disconnect()
    bus._finalize(None)  # noqa: SLF001 - see above


class _PatientSocket:
    """A socket that takes nothing while its buffer is full, instead of raising."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, data: memoryview) -> int:
        """Send what fits; returns the number of bytes."""
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0


def _be_patient(bus: MessageBus) -> None:
    # dbus-fast 5.2 takes a full buffer for a broken connection and ends it; a panel that asks
    # for the icon's pictures while the bus is busy is enough. Told that nothing was sent, it
    # waits until the socket is writable.
    writer: Any = bus._writer  # noqa: SLF001 - see above
    writer.sock = _PatientSocket(writer.sock)


def owner_change_rule(name: str) -> str:
    """Return the match rule that tells of a name's owner coming and going."""
    return (
        f"type='signal',sender='{BUS}',path='{BUS_PATH}',interface='{BUS}',"
        f"member='NameOwnerChanged',arg0='{name}'"
    )


def new_owner(message: Message, name: str) -> str | None:
    """Return the new owner that a signal tells of: empty for none, ``None`` for other signals."""
    if message.sender != BUS or message.member != "NameOwnerChanged":
        return None
    return str(message.body[2]) if message.body[0] == name else None


def answer(call: Message, signature: str = "", *values: object) -> Message | bool:
    """Return what a handler returns to answer a call with ``values``."""
    from dbus_fast.constants import MessageFlag
    from dbus_fast.message import Message

    if call.flags & MessageFlag.NO_REPLY_EXPECTED:
        return True
    return Message.new_method_return(call, signature, list(values))


def _method_call(
    destination: str, path: str, method: str, signature: str, body: Sequence[Any]
) -> Message:
    from dbus_fast.message import Message

    interface, _, member = method.rpartition(".")
    return Message(
        destination=destination,
        path=path,
        interface=interface,
        member=member,
        signature=signature,
        body=list(body),
    )


async def _ask(bus: MessageBus, message: Message) -> list[Any]:
    from dbus_fast.constants import MessageType

    try:
        reply = await bus.call(message)
    except (OSError, EOFError) as exc:
        raise BusUnavailable(str(exc)) from exc
    # A connection closed in the ordinary way answers what is pending with nothing.
    if reply is None:
        raise BusUnavailable("the connection closed")
    if reply.message_type is MessageType.ERROR:
        raise Refused(str(reply.error_name), " ".join(map(str, reply.body)))
    return list(reply.body)


def _ignore_failure(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()
