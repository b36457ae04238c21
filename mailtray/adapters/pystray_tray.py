"""The tray icon on Windows and macOS, and on Linux where a panel knows only the older ways.

Source: pystray 0.19.5, ``_base.py`` and its backends.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

from mailtray.adapters import icons
from mailtray.core.compose import clip
from mailtray.core.errors import TrayError
from mailtray.core.language import N_, _
from mailtray.core.model import IconKind, TrayView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PIL.Image import Image

    from mailtray.core.model import MenuItem

log = logging.getLogger(__name__)

APP_NAME = "mailtray"
TOOLTIP_UNITS = 127
"""UTF-16 units; Windows' ``szTip`` holds one more, its end mark. A longer text raises, and
pystray shows no change of the icon from then on."""

ICON_PX = {"win32": 32, "darwin": 44}
"""What each system asks for: Windows' large icon; a menu bar at two pixels a point."""
OTHER_ICON_PX = 48
NUDGE_S = 0.05
XORG_STOP_S = 1.0
PANEL_CHECK_S = 3.0
"""How often an X11 desktop is asked whether its panel was replaced; nothing tells of it."""

UNAVAILABLE = N_("No tray icon: pystray finds no way to show one here")
NO_PANEL = N_("No tray icon: no panel takes one")


class VendorIcon(Protocol):
    """What is used of ``pystray.Icon``."""

    icon: Image
    title: str
    menu: object
    visible: bool

    def run(self, setup: Callable[[Any], None]) -> None:
        """Serve the icon until :meth:`stop`, calling ``setup`` on another thread."""
        ...

    def stop(self) -> None:
        """Let :meth:`run` return."""
        ...


class PystrayTray:
    """A tray through pystray; see :class:`mailtray.ports.Tray`.

    Some of pystray's setters wait for its main loop, for ever where that has ended. They are
    called on a thread of their own, and on macOS, where AppKit demands it, on the main one.
    """

    name = "pystray"

    def __init__(
        self, on_command: Callable[[str, str], None], *, platform: str = sys.platform
    ) -> None:
        """Find out whether an icon can be had; on the main thread. :meth:`run` shows it.

        Args:
            on_command: Called with a clicked item's command and argument, on pystray's thread.
            platform: As :data:`sys.platform`.

        Raises:
            TrayError: pystray has no backend here, or no panel takes an icon.
        """
        self._on_command = on_command
        self._platform = platform
        self._latest = self._shown = TrayView(IconKind.NORMAL, 0, APP_NAME, ())
        self._is_ready = False
        self._wake = threading.Event()
        self._is_over = threading.Event()
        self._panel = _find_panel() if platform == "linux" else None
        try:
            import pystray
        except ImportError as exc:
            raise TrayError(_(UNAVAILABLE)) from exc
        self._pystray: Any = pystray
        view = self._latest
        self._vendor: VendorIcon = pystray.Icon(
            APP_NAME, self._picture(view), self._title(view), self._menu(view)
        )
        self._is_xorg = pystray.Icon.__module__.endswith("._xorg")
        if self._panel is not None and self._is_xorg:
            self._panel.adopt(self._vendor)

    def render(self, view: TrayView) -> None:
        """See :meth:`mailtray.ports.Tray.render`."""
        self._latest = view
        self._wake.set()

    def run(self, until_quit: Callable[[], None]) -> None:
        """See :meth:`mailtray.ports.Tray.run`; serves pystray's main loop."""

        def stop_when_quit() -> None:
            until_quit()
            self.stop()

        for work in (self._serve_views, stop_when_quit):
            threading.Thread(target=work, name="mailtray-tray", daemon=True).start()
        if self._is_over.is_set():
            return
        if not self._is_xorg:
            self._vendor.run(self._on_ready)
            return
        # What waits for this backend's loop may wait for ever; the program must not.
        loop = threading.Thread(target=self._vendor.run, args=(self._on_ready,), daemon=True)
        loop.start()
        self._is_over.wait()
        if self._panel is not None:
            self._panel.take_icon_away()
        loop.join(XORG_STOP_S)
        if self._panel is not None:
            self._panel.close()

    def stop(self) -> None:
        """See :meth:`mailtray.ports.Tray.stop`."""
        self._is_over.set()
        self._wake.set()
        if self._is_ready and not self._is_xorg:
            self._on_main_thread(self._vendor.stop)

    def _on_ready(self, vendor: VendorIcon) -> None:
        """Show the icon; pystray calls this once its loop runs."""
        self._is_ready = True
        if self._is_over.is_set():
            self.stop()
            return
        self._on_main_thread(lambda: _show(vendor))
        self._wake.set()

    def _serve_views(self) -> None:
        """Pass views on, and look after the panel, until the end."""
        while not self._is_over.is_set():
            self._wake.wait(None if self._panel is None else PANEL_CHECK_S)
            self._wake.clear()
            if not self._is_ready or self._is_over.is_set():
                continue
            try:
                self._on_main_thread(self._apply_latest)
                self._dock_again()
            # pystray passes on whatever its backends raise, which share no class. One view that
            # it does not take must not be the last one shown.
            except Exception:
                log.warning("The tray icon was not updated", exc_info=True)

    def _apply_latest(self) -> None:
        """Tell pystray what changed."""
        old, view, vendor = self._shown, self._latest, self._vendor
        self._shown = view
        if (old.icon, icons.count_text(old.icon, old.count)) != (
            view.icon,
            icons.count_text(view.icon, view.count),
        ):
            vendor.icon = self._picture(view)
        if old.menu != view.menu:
            vendor.menu = self._menu(view)
        if old.tooltip != view.tooltip:
            vendor.title = self._title(view)

    def _dock_again(self) -> None:
        """Give the icon to a panel that took the place of the one that had it.

        pystray tries once, at the very moment in which the old panel goes.
        """
        if self._panel is not None and self._panel.is_icon_loose():
            self._vendor.icon = self._picture(self._latest)

    def _title(self, view: TrayView) -> str:
        title = clip(view.tooltip, TOOLTIP_UNITS)
        # It becomes an X11 window name, for which Xlib knows no other encoding and raises.
        return title.encode("latin-1", "replace").decode("latin-1") if self._panel else title

    def _picture(self, view: TrayView) -> Image:
        return icons.draw(view.icon, view.count, ICON_PX.get(self._platform, OTHER_ICON_PX))

    def _menu(self, view: TrayView) -> object:
        return self._menu_of(view.menu)

    def _menu_of(self, items: Iterable[MenuItem]) -> object:
        return self._pystray.Menu(*map(self._menu_item, items))

    def _menu_item(self, item: MenuItem) -> object:
        if item.is_separator:
            return self._pystray.Menu.SEPARATOR
        # Windows takes an ampersand for the mark of an access key unless it is doubled.
        label = item.marked("&") if self._platform == "win32" else item.label
        return self._pystray.MenuItem(
            label,
            self._menu_of(item.children)
            if item.children
            else lambda: self._on_command(item.command, item.argument),
            default=item.is_default,
            checked=None if item.is_checked is None else lambda _: bool(item.is_checked),
            enabled=bool(item.command or item.children),
        )

    def _on_main_thread(self, work: Callable[[], None]) -> None:
        if self._platform == "darwin":
            from PyObjCTools import AppHelper  # type: ignore[import-not-found]  # macOS only

            AppHelper.callAfter(work)
        elif self._panel is not None:
            self._panel.nudge_during(work)
        else:
            work()


def _show(vendor: VendorIcon) -> None:
    vendor.visible = True


def _find_panel() -> EmbeddingPanel:
    """Return the panel that all of pystray's ways on Linux come down to.

    Asked before pystray is imported, which raises an error of Xlib's own without a display.
    """
    try:
        from Xlib.error import DisplayError  # type: ignore[import-untyped]  # untyped
    except ImportError as exc:
        raise TrayError(_(UNAVAILABLE)) from exc
    try:
        panel = EmbeddingPanel()
    except (DisplayError, OSError) as exc:
        raise TrayError(_(NO_PANEL)) from exc
    if not panel.is_there:
        panel.close()
        raise TrayError(_(NO_PANEL))
    return panel


class EmbeddingPanel:
    """The panel that takes the icons of X11 windows, and what pystray leaves undone for it.

    Source: System Tray Protocol Specification 0.3 (freedesktop.org), "Locating the system tray".
    """

    def __init__(self) -> None:
        """Connect to the display that pystray found as well."""
        from Xlib.display import Display  # type: ignore[import-untyped]  # untyped

        self._display = Display()
        name = f"_NET_SYSTEM_TRAY_S{self._display.get_default_screen()}"
        self._selection = self._display.intern_atom(name)
        self._icon: Any = None
        self._window: Any = None

    @property
    def is_there(self) -> bool:
        """Whether there is one now."""
        return bool(self._display.get_selection_owner(self._selection))

    def adopt(self, icon: VendorIcon) -> None:
        """Look after an icon's window, and let it be clicked.

        pystray handles clicks but never asks X for them, so that none arrives. There is no way
        to its window but its private name.
        """
        from Xlib import X  # type: ignore[import-untyped]  # untyped

        window = icon._window  # type: ignore[attr-defined]  # noqa: SLF001
        window.change_attributes(
            event_mask=X.ExposureMask | X.StructureNotifyMask | X.ButtonPressMask
        )
        window.display.flush()
        self._icon = icon
        self._window = self._display.create_resource_object("window", window.id)

    def is_icon_loose(self) -> bool:
        """Say whether there is a panel and an adopted icon is not in it."""
        if self._window is None:
            return False
        from Xlib.error import XError

        try:
            tree = self._window.query_tree()
        except XError:
            # The window went with its panel or with the program.
            return False
        return self.is_there and bool(tree.parent == tree.root)

    def take_icon_away(self) -> None:
        """Destroy an adopted icon's window, which ends pystray's loop.

        pystray's own way, from another thread, waits for ever now and then; and its finalizer
        would go that way if it were not told that the icon has stopped.
        """
        from Xlib.error import CatchError

        self._icon._running = False  # noqa: SLF001  # there is no public way
        self._window.destroy(onerror=CatchError())
        self._display.sync()

    def nudge_during(self, work: Callable[[], None]) -> None:
        """Do what waits for pystray's loop, and wake that loop until it is done.

        The loop sleeps on for ever where another thread happens to read its event off the
        connection that the two share. What is sent from here, by a connection of its own, wakes
        it, and it finds the event that it missed.
        """
        if self._window is None:
            work()
            return
        is_done = threading.Event()

        def nudge() -> None:
            while not is_done.wait(NUDGE_S):
                self._nudge()

        threading.Thread(target=nudge, name="mailtray-nudge", daemon=True).start()
        try:
            work()
        finally:
            is_done.set()

    def _nudge(self) -> None:
        from Xlib import X
        from Xlib.protocol.event import ClientMessage  # type: ignore[import-untyped]  # untyped

        event = ClientMessage(
            window=self._window, client_type=self._selection, data=(32, [X.CurrentTime, 0, 0, 0, 0])
        )
        self._window.send_event(event, event_mask=X.NoEventMask)
        self._display.flush()

    def close(self) -> None:
        """Let go of the display."""
        self._display.close()
