"""The tray icon on Linux desktops: a StatusNotifierItem with a menu, over D-Bus alone.

Sources: StatusNotifierItem (freedesktop.org), as KDE, GNOME's AppIndicator extension and Xfce
implement it; com.canonical.dbusmenu (libdbusmenu's ``dbus-menu.xml``), version 3.
"""

from __future__ import annotations

import asyncio
import html
import itertools
import logging
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mailtray.adapters import icons
from mailtray.adapters.session_bus import (
    BUS,
    BUS_PATH,
    BusUnavailable,
    Refused,
    SessionBus,
    answer,
    new_owner,
    owner_change_rule,
)
from mailtray.adapters.status_notifier_menu import MENU_PATH, StatusNotifierMenu
from mailtray.core.errors import TrayError
from mailtray.core.language import _
from mailtray.core.model import IconKind, TrayView

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbus_fast.message import Message
    from dbus_fast.signature import Variant

    from mailtray.adapters.desktop_loop import DesktopLoop

log = logging.getLogger(__name__)

WATCHER = "org.kde.StatusNotifierWatcher"
WATCHER_PATH = "/StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
ITEM_PATH = "/StatusNotifierItem"
PROPERTIES = "org.freedesktop.DBus.Properties"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"

APP_NAME = "mailtray"
IS_ONLY_A_MENU = False
NO_FLAGS = 0
CALL_TIMEOUT_S = 2.0
RECONNECT_PAUSES_S = (1, 2, 4, 8, 15, 30, 60, 60, 60, 60)
"""A bus that is gone for longer takes its desktop along."""
START_TIMEOUT_S = 4.0
REGISTER_TRIES = 3
LISTING_TIMEOUT_S = 1.0
"""How long a watcher may take to list an item that it accepted."""

_numbers = itertools.count(1)

INTROSPECTION = """\
<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
  <interface name="org.kde.StatusNotifierItem">
    <property name="Category" type="s" access="read"/>
    <property name="Id" type="s" access="read"/>
    <property name="Title" type="s" access="read"/>
    <property name="Status" type="s" access="read"/>
    <property name="WindowId" type="i" access="read"/>
    <property name="IconName" type="s" access="read"/>
    <property name="IconPixmap" type="a(iiay)" access="read"/>
    <property name="OverlayIconName" type="s" access="read"/>
    <property name="OverlayIconPixmap" type="a(iiay)" access="read"/>
    <property name="AttentionIconName" type="s" access="read"/>
    <property name="AttentionIconPixmap" type="a(iiay)" access="read"/>
    <property name="AttentionMovieName" type="s" access="read"/>
    <property name="ToolTip" type="(sa(iiay)ss)" access="read"/>
    <property name="ItemIsMenu" type="b" access="read"/>
    <property name="Menu" type="o" access="read"/>
    <method name="Activate"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
    <method name="SecondaryActivate">
      <arg type="i" direction="in"/><arg type="i" direction="in"/>
    </method>
    <method name="ContextMenu"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
    <method name="Scroll"><arg type="i" direction="in"/><arg type="s" direction="in"/></method>
    <signal name="NewTitle"/>
    <signal name="NewIcon"/>
    <signal name="NewAttentionIcon"/>
    <signal name="NewToolTip"/>
    <signal name="NewStatus"><arg type="s"/></signal>
  </interface>
</node>
"""


class StatusNotifierTray:
    """A tray over D-Bus; see :class:`mailtray.ports.Tray`.

    It registers with the desktop's watcher, and again whenever a new watcher appears, always
    with the present picture, tooltip and menu.
    """

    name = "status-notifier"

    def __init__(
        self,
        loop: DesktopLoop,
        on_command: Callable[[str, str], None],
        *,
        on_hosted: Callable[[bool], None] = lambda _is_hosted: None,
    ) -> None:
        """Prepare; nothing is asked of the bus before :meth:`start`.

        Args:
            loop: Where all of this runs.
            on_command: Called on the loop's thread with a clicked item's command and argument.
            on_hosted: Called on the loop's thread when a panel begins to list the icon (True)
                or stops to (False).
        """
        self._loop = loop
        self._on_command = on_command
        self._on_hosted = on_hosted
        self._bus = SessionBus(
            self._on_message,
            (
                owner_change_rule(WATCHER),
                f"type='signal',sender='{WATCHER}',interface='{WATCHER}'",
            ),
            on_lost=self._on_bus_lost,
        )
        self._reconnecting: asyncio.Task[None] | None = None
        self._is_wanted = False
        self._bus_name = f"{ITEM}-{os.getpid()}-{next(_numbers)}"
        self._menu = StatusNotifierMenu(on_command, self._bus.emit)
        self._view = TrayView(IconKind.NORMAL, 0, APP_NAME, ())
        self._latest = self._view
        self._watcher = ""
        self._registering: asyncio.Task[None] | None = None
        self._listed = asyncio.Event()
        self._is_hosted = False

    @property
    def is_hosted(self) -> bool:
        """Whether a panel lists the icon now; without one there is nothing to see."""
        return self._is_hosted

    @property
    def has_watcher(self) -> bool:
        """Whether there is a desktop that takes icons of this kind, if not now then soon."""
        return bool(self._watcher)

    def start(self) -> bool:
        """Connect, and register where there is a watcher; blocks for 4 s at most.

        Returns:
            :attr:`is_hosted`. Where it is False the icon appears as soon as a watcher does.

        Raises:
            TrayError: There is no session bus.
        """
        try:
            self._loop.call(self._start(), START_TIMEOUT_S)
        except (BusUnavailable, Refused, TimeoutError) as exc:
            raise TrayError(_("No tray icon: the session bus does not answer")) from exc
        return self._is_hosted

    def render(self, view: TrayView) -> None:
        """See :meth:`mailtray.ports.Tray.render`."""
        # Drawing takes milliseconds: better here than on the loop.
        pixmaps(view.icon, icons.count_text(view.icon, view.count))
        self._latest = view
        self._loop.post(self._apply_latest)

    def run(self, until_quit: Callable[[], None]) -> None:
        """See :meth:`mailtray.ports.Tray.run`; D-Bus needs no main loop."""
        until_quit()

    def stop(self) -> None:
        """See :meth:`mailtray.ports.Tray.stop`."""
        try:
            self._loop.call(self._stop(), START_TIMEOUT_S)
        except TimeoutError:
            log.warning("The tray icon's connection did not close in time")

    # -- registering ---------------------------------------------------------------------------

    async def _start(self) -> None:
        self._is_wanted = True
        if await self._bus.open():
            own_name = [self._bus_name, NO_FLAGS]
            await self._bus.call(BUS, BUS_PATH, f"{BUS}.RequestName", "su", own_name)
            self._set_watcher(await self._bus.owner_of(WATCHER))
        if self._registering is not None:
            await asyncio.wait({self._registering})

    def _on_bus_lost(self) -> None:
        self._set_watcher("")
        self._reconnecting = asyncio.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        """Come back with the bus, or after it threw this connection out."""
        for pause_s in RECONNECT_PAUSES_S:
            await asyncio.sleep(pause_s)
            try:
                await self._start()
            except (BusUnavailable, Refused, TimeoutError) as exc:
                log.info("The session bus is not back yet: %s", exc)
            else:
                return
        log.warning("The session bus did not come back; there is no icon any more")

    async def _stop(self) -> None:
        self._is_wanted = False
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        self._set_watcher("")
        await self._bus.close()

    def _set_watcher(self, owner: str) -> None:
        if self._watcher == owner:
            return
        self._watcher = owner
        if self._registering is not None:
            self._registering.cancel()
            self._registering = None
        self._set_hosted(is_hosted=False)
        if owner:
            self._registering = asyncio.create_task(self._register(owner))

    async def _register(self, watcher: str) -> None:
        """Register with one watcher; it forgets the item only by leaving the bus."""
        for _try in range(REGISTER_TRIES):
            try:
                await self._bus.call(
                    watcher,
                    WATCHER_PATH,
                    f"{WATCHER}.RegisterStatusNotifierItem",
                    "s",
                    [self._bus_name],
                    timeout_s=CALL_TIMEOUT_S,
                )
                break
            except (Refused, BusUnavailable, TimeoutError) as exc:
                log.info("The tray's watcher did not take the icon: %s", exc)
        # Some watchers look at the item first and list it then; they say so with a signal.
        while not await self._ask_whether_listed():
            self._listed.clear()
            try:
                async with asyncio.timeout(LISTING_TIMEOUT_S):
                    await self._listed.wait()
            except TimeoutError:
                return

    async def _ask_whether_listed(self) -> bool:
        try:
            items = await self._ask_watcher("RegisteredStatusNotifierItems")
            has_host = await self._ask_watcher("IsStatusNotifierHostRegistered")
        except (Refused, BusUnavailable, TimeoutError) as exc:
            log.info("The tray's watcher does not tell what it lists: %s", exc)
            return False
        own = (self._bus_name, self._bus.unique_name)
        # Watchers list an item as its name, or as name and path in one.
        is_listed = any(
            str(item).partition("/")[0].partition("@")[0] in own for item in items.value
        )
        self._set_hosted(is_hosted=is_listed and has_host.value is not False)
        return self._is_hosted

    async def _ask_watcher(self, name: str) -> Variant:
        found: Variant
        (found,) = await self._bus.call(
            self._watcher,
            WATCHER_PATH,
            f"{PROPERTIES}.Get",
            "ss",
            [WATCHER, name],
            timeout_s=CALL_TIMEOUT_S,
        )
        return found

    def _set_hosted(self, *, is_hosted: bool) -> None:
        if self._is_hosted != is_hosted:
            self._is_hosted = is_hosted
            if self._is_wanted:
                self._on_hosted(is_hosted)

    # -- what hosts ask ------------------------------------------------------------------------

    def _on_message(self, message: Message) -> Message | bool | None:
        from dbus_fast.constants import MessageType

        if message.message_type is MessageType.SIGNAL:
            self._on_signal(message)
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.path == MENU_PATH:
            return self._menu.on_call(message)
        if message.path == ITEM_PATH:
            return self._on_item_call(message)
        return None

    def _on_signal(self, message: Message) -> None:
        owner = new_owner(message, WATCHER)
        if owner is not None:
            self._set_watcher(owner)
        elif message.interface == WATCHER and message.sender == self._watcher:
            self._on_listing_changed()

    def _on_listing_changed(self) -> None:
        if self._registering is None or not self._registering.done():
            self._listed.set()
        else:
            self._registering = asyncio.create_task(self._check_listing())

    async def _check_listing(self) -> None:
        if not await self._ask_whether_listed():
            self._set_hosted(is_hosted=False)

    def _on_item_call(self, call: Message) -> Message | bool | None:
        if call.interface == INTROSPECTABLE:
            return answer(call, "s", INTROSPECTION)
        if call.interface == PROPERTIES:
            return self._on_properties_call(call)
        if call.member == "Activate":
            self._choose_default()
        # The other gestures (middle click, wheel) stand for nothing here, but a host that gets
        # an error for them may complain to the person; and it draws the menu by itself.
        elif call.member not in {"SecondaryActivate", "ContextMenu", "Scroll"}:
            return None
        return answer(call)

    def _on_properties_call(self, call: Message) -> Message | bool | None:
        from dbus_fast.errors import DBusError

        properties = self._properties()
        if call.member == "GetAll":
            return answer(call, "a{sv}", properties)
        if call.member != "Get":
            return None
        _, name = call.body
        if name not in properties:
            raise DBusError("org.freedesktop.DBus.Error.UnknownProperty", str(name))
        return answer(call, "v", properties[name])

    def _choose_default(self) -> None:
        for item in self._view.menu:
            if item.is_default:
                self._on_command(item.command, item.argument)

    def _properties(self) -> dict[str, Any]:
        from dbus_fast.signature import Variant

        view = self._view
        picture = pixmaps(view.icon, icons.count_text(view.icon, view.count))
        wants_attention = view.icon is IconKind.ATTENTION
        title, text = _tooltip(view)
        return {
            "Category": Variant("s", "Communications"),
            "Id": Variant("s", APP_NAME),
            "Title": Variant("s", title),
            "Status": Variant("s", _status(view)),
            "WindowId": Variant("i", 0),
            "IconName": Variant("s", ""),
            "IconPixmap": Variant("a(iiay)", picture),
            "OverlayIconName": Variant("s", ""),
            "OverlayIconPixmap": Variant("a(iiay)", []),
            "AttentionIconName": Variant("s", ""),
            "AttentionIconPixmap": Variant("a(iiay)", picture if wants_attention else []),
            "AttentionMovieName": Variant("s", ""),
            "ToolTip": Variant("(sa(iiay)ss)", ["", [], title, html.escape(text, quote=False)]),
            "ItemIsMenu": Variant("b", IS_ONLY_A_MENU),
            "Menu": Variant("o", MENU_PATH),
        }

    # -- what hosts are told -------------------------------------------------------------------

    def _apply_latest(self) -> None:
        old, view = self._view, self._latest
        self._view = view
        if (old.icon, icons.count_text(old.icon, old.count)) != (
            view.icon,
            icons.count_text(view.icon, view.count),
        ):
            self._bus.emit(ITEM_PATH, f"{ITEM}.NewIcon")
            self._bus.emit(ITEM_PATH, f"{ITEM}.NewAttentionIcon")
        if _status(old) != _status(view):
            self._bus.emit(ITEM_PATH, f"{ITEM}.NewStatus", "s", [_status(view)])
        if _tooltip(old)[0] != _tooltip(view)[0]:
            self._bus.emit(ITEM_PATH, f"{ITEM}.NewTitle")
        if _tooltip(old) != _tooltip(view):
            self._bus.emit(ITEM_PATH, f"{ITEM}.NewToolTip")
        self._menu.replace(view.menu)


def _status(view: TrayView) -> str:
    return "NeedsAttention" if view.icon is IconKind.ATTENTION else "Active"


def _tooltip(view: TrayView) -> tuple[str, str]:
    """Return the tooltip's first line and the rest."""
    title, _, text = view.tooltip.partition("\n")
    return title, text


@lru_cache(maxsize=8)
def pixmaps(kind: IconKind, text: str) -> list[list[Any]]:
    """Return the picture in all sizes, as ``a(iiay)``; the host takes the one that fits."""
    count = int(text.rstrip("+") or 0) + text.endswith("+")
    return [[size, size, icons.argb32(icons.draw(kind, count, size))] for size in icons.SIZES_PX]
