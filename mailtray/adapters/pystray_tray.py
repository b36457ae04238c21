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
from mailtray.core.model import IconKind, TrayView

if TYPE_CHECKING:
    from collections.abc import Callable

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
PANEL_CHECK_S = 3.0
"""How often an X11 desktop is asked whether its panel was replaced; nothing tells of it."""

UNAVAILABLE = "No tray icon: pystray finds no way to show one here"
NO_PANEL = "No tray icon: no panel takes one"


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
        """Prepare; nothing is shown before :meth:`run`.

        Args:
            on_command: Called with a clicked item's command and argument, on pystray's thread.
            platform: As :data:`sys.platform`.
        """
        self._on_command = on_command
        self._platform = platform
        self._latest = TrayView(IconKind.NORMAL, 0, APP_NAME, ())
        self._shown: TrayView | None = None
        self._vendor: VendorIcon | None = None
        self._pystray: Any = None
        self._panel: EmbeddingPanel | None = None
        self._is_ready = False
        self._wake = threading.Event()
        self._is_over = threading.Event()

    def start(self) -> None:
        """Find out whether an icon can be had, on the main thread.

        Raises:
            TrayError: pystray has no backend here, or no panel takes an icon.
        """
        self._pystray = _import_pystray()
        if self._pystray.Icon.__module__.endswith("._xorg"):
            self._panel = EmbeddingPanel()
            if not self._panel.is_there:
                self._panel.close()
                raise TrayError(NO_PANEL)
        view = self._latest
        self._vendor = self._pystray.Icon(
            APP_NAME, self._picture(view), self._title(view), self._menu(view)
        )
        if self._panel is not None:
            self._panel.adopt(self._vendor)
        self._shown = view

    def render(self, view: TrayView) -> None:
        """See :meth:`mailtray.ports.Tray.render`."""
        self._latest = view
        self._wake.set()

    def run(self, until_quit: Callable[[], None]) -> None:
        """See :meth:`mailtray.ports.Tray.run`; serves pystray's main loop.

        Raises:
            TrayError: As for :meth:`start`, where that was not called.
        """
        if self._vendor is None:
            self.start()
        assert self._vendor is not None  # noqa: S101  # set by start()

        def stop_when_quit() -> None:
            until_quit()
            self.stop()

        for work in (self._serve_views, stop_when_quit):
            threading.Thread(target=work, name="mailtray-tray", daemon=True).start()
        if not self._is_over.is_set():
            self._vendor.run(self._on_ready)

    def stop(self) -> None:
        """See :meth:`mailtray.ports.Tray.stop`."""
        self._is_over.set()
        self._wake.set()
        vendor = self._vendor
        if vendor is not None and self._is_ready:
            self._on_main_thread(vendor.stop)

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
        if self._panel is not None:
            self._panel.close()

    def _apply_latest(self) -> None:
        """Tell pystray what changed."""
        old, view, vendor = self._shown, self._latest, self._vendor
        if old is None or vendor is None or old == view:
            return
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
        if self._panel is not None and self._panel.is_icon_loose() and self._vendor is not None:
            self._vendor.icon = self._picture(self._latest)

    def _title(self, view: TrayView) -> str:
        title = clip(view.tooltip, TOOLTIP_UNITS)
        # It becomes an X11 window name, for which Xlib knows no other encoding and raises.
        return title.encode("latin-1", "replace").decode("latin-1") if self._panel else title

    def _picture(self, view: TrayView) -> Image:
        return icons.draw(view.icon, view.count, ICON_PX.get(self._platform, OTHER_ICON_PX))

    def _menu(self, view: TrayView) -> object:
        return self._pystray.Menu(*map(self._menu_item, view.menu))

    def _menu_item(self, item: MenuItem) -> object:
        if item.is_separator:
            return self._pystray.Menu.SEPARATOR
        # Windows takes an ampersand for the mark of an access key unless it is doubled.
        label = item.label.replace("&", "&&") if self._platform == "win32" else item.label
        return self._pystray.MenuItem(
            label,
            lambda: self._on_command(item.command, item.argument),
            default=item.is_default,
            enabled=bool(item.command),
        )

    def _on_main_thread(self, work: Callable[[], None]) -> None:
        if self._platform == "darwin":
            from PyObjCTools import AppHelper  # type: ignore[import-not-found]  # macOS only

            AppHelper.callAfter(work)
        else:
            work()


def _show(vendor: VendorIcon) -> None:
    vendor.visible = True


def _import_pystray() -> Any:  # noqa: ANN401  # pystray has no types
    """Import pystray, which looks for its display while it is imported."""
    try:
        import pystray
    except ImportError as exc:
        raise TrayError(UNAVAILABLE) from exc
    # Xlib's own errors, such as DisplayNameError, share no class but Exception; and importing
    # them to name them is what fails where there is no Xlib.
    except Exception as exc:
        if type(exc).__module__.partition(".")[0] != "Xlib":
            raise
        raise TrayError(UNAVAILABLE) from exc
    return pystray


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
        self._window = self._display.create_resource_object("window", window.id)

    def is_icon_loose(self) -> bool:
        """Say whether there is a panel and the icon is not in it."""
        from Xlib.error import XError  # type: ignore[import-untyped]  # untyped

        try:
            tree = self._window.query_tree()
        except XError:
            # The window went with its panel or with the program.
            return False
        return self.is_there and bool(tree.parent == tree.root)

    def close(self) -> None:
        """Let go of the display."""
        self._display.close()
