"""What the computer itself tells on Linux: the network is back, the sleep is over.

It comes from the system bus: NetworkManager tells of the network, systemd-logind of the
sleep. Nothing is asked for and nothing is polled; match rules name services and not their
present owners, so that one which starts later is heard as well. Where there is no system bus,
or none of these services, nothing is told, and the poller's own look at the clocks finds out
about a sleep alone.

Source: NetworkManager D-Bus API, org.freedesktop.NetworkManager and NMState;
org.freedesktop.login1(5), "PrepareForSleep".
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailtray.adapters.session_bus import BusUnavailable, SessionBus

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbus_fast.message import Message

    from mailtray.adapters.desktop_loop import DesktopLoop

log = logging.getLogger(__name__)

NETWORK = "org.freedesktop.NetworkManager"
NETWORK_PATH = "/org/freedesktop/NetworkManager"
LOGIND = "org.freedesktop.login1"
LOGIND_PATH = "/org/freedesktop/login1"
LOGIND_MANAGER = "org.freedesktop.login1.Manager"

CONNECTED_SITE = 60
"""NMState from which on there is a way out of the local network; 70 is a checked one."""
CLOSE_TIMEOUT_S = 1.0


class SystemEvents:
    """Listens on the system bus from :meth:`start` to :meth:`close`."""

    def __init__(
        self,
        loop: DesktopLoop,
        *,
        on_network_up: Callable[[], None],
        on_wake: Callable[[], None],
    ) -> None:
        """Prepare without connecting.

        Args:
            loop: Where all of this runs.
            on_network_up: Called on the loop's thread when the network came up or became another.
            on_wake: Called on the loop's thread when the computer woke from a sleep.
        """
        self._loop = loop
        self._on_network_up = on_network_up
        self._on_wake = on_wake
        self._bus = SessionBus(
            self._on_message,
            (
                f"type='signal',sender='{NETWORK}',path='{NETWORK_PATH}',"
                f"interface='{NETWORK}',member='StateChanged'",
                f"type='signal',sender='{LOGIND}',path='{LOGIND_PATH}',"
                f"interface='{LOGIND_MANAGER}',member='PrepareForSleep'",
            ),
            is_system=True,
        )

    def start(self) -> None:
        """Begin to listen, in the background; without a system bus nothing happens."""
        self._loop.submit(self._open())

    def close(self) -> None:
        """Stop listening."""
        try:
            self._loop.call(self._bus.close(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            log.warning("The connection to the system bus did not close in time")

    async def _open(self) -> None:
        try:
            await self._bus.open()
        except (BusUnavailable, TimeoutError) as exc:
            log.info("No system bus to hear of networks and sleeps from: %s", exc)

    def _on_message(self, message: Message) -> None:
        # The bus has looked at who sends what a rule asked for. A signal that is addressed comes
        # without a rule, and any user of this computer can send one.
        if message.destination:
            return
        match (message.interface, message.member, message.body):
            case (interface, "StateChanged", [int(state)]) if interface == NETWORK:
                if state >= CONNECTED_SITE:
                    self._on_network_up()
            case (interface, "PrepareForSleep", [False]) if interface == LOGIND_MANAGER:
                self._on_wake()
