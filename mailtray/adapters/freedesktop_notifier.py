"""Notifications on Linux desktops, over D-Bus alone.

The desktop-notifier package keeps its promises on Windows and macOS. Its Linux half hides failures,
asks a server's capabilities once and for ever, cannot replace a notification and waits without
limit for a server that hangs: what would be left of it is less than what stands here.

Source: Desktop Notifications Specification 1.2 (freedesktop.org).
"""

from __future__ import annotations

import asyncio
import html
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from mailtray.adapters.session_bus import (
    BUS,
    BUS_PATH,
    BusUnavailable,
    Refused,
    SessionBus,
    new_owner,
    owner_change_rule,
)
from mailtray.core import text
from mailtray.core.errors import NotifierError
from mailtray.core.language import N_, _
from mailtray.core.model import SOUND_DESKTOP, SOUND_NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from dbus_fast.message import Message
    from dbus_fast.signature import Variant

    from mailtray.adapters.desktop_loop import DesktopLoop
    from mailtray.core.model import Notification

log = logging.getLogger(__name__)

SERVER = "org.freedesktop.Notifications"
SERVER_PATH = "/org/freedesktop/Notifications"
APP_NAME = "mailtray"

SHOW_TIMEOUT_S = 4.0
"""How long a server may take for all of one notification, its own start included."""
CLOSE_TIMEOUT_S = 2.0
LATE_CLICK_S = 5.0
"""How long after closing a click still counts: some servers tell of the two in that order."""
KEPT_IDS = 256
EXPIRED = 1
AS_THE_SERVER_LIKES, NEVER = -1, 0
"""Values of ``expire_timeout``; GNOME heeds none, and only what is critical stays there."""
DEFAULT_ACTION = "default"
"""The click on the notification itself; Xfce draws it as a button."""
SOUND_NAME = "message-new-email"
"""What a desktop's sound theme calls the sound of new mail; Sound Naming Specification 0.1."""

NO_BUS = N_("No desktop notifications: there is no session bus")
NO_SERVER = N_("No desktop notifications: no notification server runs")
NO_ANSWER = N_("The desktop's notification server does not answer")
REFUSED = N_("The desktop's notification server refused a notification")


class FreedesktopNotifier:
    """Shows notifications through the desktop's server; see :class:`mailtray.ports.Notifier`.

    A server may come, go and be replaced at any time: what is known of one (capabilities, ids)
    is forgotten with it, so that an id given out again never opens another message.
    """

    name = "freedesktop"

    def __init__(
        self,
        loop: DesktopLoop,
        on_click: Callable[[Notification, str], None],
        *,
        icon: Path,
        play: Callable[[str], None] = lambda _path: None,
        on_available: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare, and begin to watch for servers in the background.

        Args:
            loop: Where all of this runs.
            on_click: Called on the loop's thread.
            icon: The picture shown beside the text.
            play: Plays a sound file, given its path, where the server cannot; returns at once.
            on_available: Called on the loop's thread when a server appears, or answers again:
                what could not be shown before can be shown now.
        """
        self._loop = loop
        self._on_click = on_click
        self._icon = icon
        self._play = play
        self._on_available = on_available
        self._bus = SessionBus(
            self._on_message,
            (
                owner_change_rule(SERVER),
                f"type='signal',sender='{SERVER}',path='{SERVER_PATH}',interface='{SERVER}'",
            ),
            on_lost=lambda: self._set_server(""),
        )
        self._server = ""
        self._capabilities: frozenset[str] | None = None
        self._ids: dict[str, int] = {}
        self._shown: OrderedDict[int, Notification] = OrderedDict()
        self._unanswered: asyncio.Task[list[Any]] | None = None
        loop.submit(self._watch())

    def show(self, notification: Notification) -> None:
        """See :meth:`mailtray.ports.Notifier.show`.

        A server that does not answer in time is not asked again until it does; what it shows
        late is closed at once, because the caller was told that it is not shown.
        """
        try:
            self._loop.call(self._show(notification), SHOW_TIMEOUT_S + 0.5)
        except BusUnavailable as exc:
            raise NotifierError(_(NO_BUS)) from exc
        except Refused as exc:
            raise NotifierError(_(REFUSED)) from exc
        except TimeoutError as exc:
            raise NotifierError(_(NO_ANSWER)) from exc

    def withdraw(self, tags: Iterable[str]) -> None:
        """See :meth:`mailtray.ports.Notifier.withdraw`; does not wait for the server."""
        self._loop.submit(self._withdraw(tuple(tags)))

    def close(self) -> None:
        """See :meth:`mailtray.ports.Notifier.close`."""
        try:
            self._loop.call(self._close(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            log.warning("The notifications' connection did not close in time")

    # -- asking the server ---------------------------------------------------------------------

    async def _watch(self) -> None:
        try:
            await self._open()
        except (BusUnavailable, TimeoutError) as exc:
            log.info("No session bus for notifications yet: %s", exc)

    async def _open(self) -> None:
        if await self._bus.open():
            self._set_server(await self._bus.owner_of(SERVER))

    async def _show(self, notification: Notification) -> None:
        if self._unanswered is not None:
            raise TimeoutError
        async with asyncio.timeout(SHOW_TIMEOUT_S):
            await self._open()
            if not self._server:
                await self._find_server()
            server = self._server
            can = await self._known_capabilities()
            arguments = self._arguments(notification, can)
            asked = asyncio.create_task(
                self._bus.call(server, SERVER_PATH, f"{SERVER}.Notify", "susssasa{sv}i", arguments)
            )
            try:
                # Not cancelled with the rest: a late answer names what has to be closed.
                (number,) = await asyncio.shield(asked)
            except asyncio.CancelledError:
                self._unanswered = asked
                asked.add_done_callback(lambda _asked: self._on_late_answer(asked, server))
                raise
        self._remember(number, notification)
        if notification.manner.sound_file and "sound" not in can:
            self._play(notification.manner.sound_file)

    def _remember(self, number: int, notification: Notification) -> None:
        self._ids[notification.tag] = number
        self._shown[number] = notification
        while len(self._shown) > KEPT_IDS:
            oldest, gone = self._shown.popitem(last=False)
            if self._ids.get(gone.tag) == oldest:
                del self._ids[gone.tag]

    async def _find_server(self) -> None:
        """Find the server that runs, or have the bus start one, where it knows how to."""
        owner = await self._bus.owner_of(SERVER)
        if not owner:
            try:
                await self._bus.call(BUS, BUS_PATH, f"{BUS}.StartServiceByName", "su", [SERVER, 0])
            except Refused as exc:
                raise NotifierError(_(NO_SERVER)) from exc
            owner = await self._bus.owner_of(SERVER)
        if not owner:
            raise NotifierError(_(NO_SERVER))
        self._set_server(owner)

    async def _known_capabilities(self) -> frozenset[str]:
        if self._capabilities is None:
            self._capabilities = await _capabilities(self._bus, self._server)
        return self._capabilities

    def _arguments(self, notification: Notification, can: frozenset[str]) -> list[Any]:
        body = notification.body
        return [
            APP_NAME,
            self._ids.get(notification.tag, 0),
            self._icon.as_uri(),
            notification.title,
            html.escape(body, quote=False) if "body-markup" in can else body,
            _actions(notification) if "actions" in can else [],
            _hints(notification, can),
            NEVER if notification.manner.stays else AS_THE_SERVER_LIKES,
        ]

    def _on_late_answer(self, asked: asyncio.Task[list[Any]], server: str) -> None:
        self._unanswered = None
        if asked.cancelled() or asked.exception() is not None or server != self._server:
            return
        (number,) = asked.result()
        self._close_shown(number)
        self._on_available()

    async def _withdraw(self, tags: tuple[str, ...]) -> None:
        # One that expired has lost its tag, but can still be pressed in a list of old ones.
        for number in [number for number, shown in self._shown.items() if shown.tag in tags]:
            self._take_back(number)

    def _take_back(self, number: int) -> None:
        notification = self._shown.pop(number)
        if self._ids.get(notification.tag) == number:
            del self._ids[notification.tag]
        self._close_shown(number)

    def _close_shown(self, number: int) -> None:
        if self._server:
            self._bus.tell(self._server, SERVER_PATH, f"{SERVER}.CloseNotification", "u", [number])

    async def _close(self) -> None:
        self._set_server("")
        await self._bus.close()

    # -- what the server tells -----------------------------------------------------------------

    def _on_message(self, message: Message) -> None:
        owner = new_owner(message, SERVER)
        if owner is not None:
            self._set_server(owner)
            if owner:
                self._on_available()
        # Any program can send a signal of this name; only the server's own count.
        elif message.interface == SERVER and message.sender == self._server:
            self._on_signal(str(message.member), message.body)

    def _on_signal(self, member: str, body: list[Any]) -> None:
        # Signals tell of every program's notifications: most ids are not ours.
        notification = self._shown.get(body[0]) if body else None
        if notification is None:
            return
        match (member, body):
            case ("ActionInvoked", [_, str(key)]) if key == DEFAULT_ACTION:
                self._on_click(notification, "")
            case ("ActionInvoked", [number, str(key)]) if notification.has_button(key):
                # A deed is done once, whatever a server still tells of it or leaves on the screen.
                self._take_back(number)
                self._on_click(notification, key)
            case ("NotificationClosed", [number, reason]):
                self._on_closed(number, notification, reason=reason)

    def _on_closed(self, number: int, notification: Notification, *, reason: int) -> None:
        if self._ids.get(notification.tag) == number:
            del self._ids[notification.tag]
        # One that expired can still be clicked in the desktop's list of past notifications.
        if reason != EXPIRED:
            asyncio.get_running_loop().call_later(
                LATE_CLICK_S, self._forget_shown, number, notification
            )

    def _forget_shown(self, number: int, notification: Notification) -> None:
        if self._shown.get(number) is notification:
            del self._shown[number]

    def _set_server(self, owner: str) -> None:
        if owner != self._server:
            self._server = owner
            self._capabilities = None
            self._ids.clear()
            self._shown.clear()


def _actions(notification: Notification) -> list[str]:
    actions = []
    if notification.link or notification.command:
        label = text.click_label("" if notification.link else notification.command)
        actions = [DEFAULT_ACTION, label]
    for button in notification.buttons:
        actions += [button.command, button.label]
    return actions


def _hints(notification: Notification, can: frozenset[str]) -> dict[str, Variant]:
    from dbus_fast.signature import Variant

    manner = notification.manner
    hints = {
        "urgency": Variant("y", int(manner.urgency)),
        "desktop-entry": Variant("s", APP_NAME),
    }
    if notification.message_ids:
        hints["category"] = Variant("s", "email.arrived")
    if manner.sound == SOUND_NONE:
        hints["suppress-sound"] = Variant("b", True)  # noqa: FBT003 - the hint's value
    elif "sound" in can and manner.sound == SOUND_DESKTOP:
        hints["sound-name"] = Variant("s", SOUND_NAME)
    elif "sound" in can:
        hints["sound-file"] = Variant("s", manner.sound_file)
    return hints


async def _capabilities(bus: SessionBus, server: str) -> frozenset[str]:
    try:
        (found,) = await bus.call(server, SERVER_PATH, f"{SERVER}.GetCapabilities")
    except Refused as exc:
        log.info("The notification server does not tell what it can: %s", exc)
        return frozenset()
    return frozenset(found)
