"""What a person sees and clicks, in a panel and on a screen."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import ImageChops

from mailtray.adapters import icons
from mailtray.adapters.freedesktop_notifier import FreedesktopNotifier
from mailtray.adapters.pystray_tray import PystrayTray
from mailtray.adapters.status_notifier_tray import StatusNotifierTray
from mailtray.core import text
from mailtray.core.errors import NotifierError, TrayError
from mailtray.core.language import _
from mailtray.core.model import IconKind, MenuItem, TrayView
from tests.contract.test_notifier import MARKUP, Click, about, into, with_buttons
from tests.desktop.conftest import require
from tests.desktop.rig import PANEL_PX, SCREEN_PX, DesktopSession, Place, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

    from mailtray.adapters.desktop_loop import DesktopLoop

pytestmark = pytest.mark.desktop

TILE, BADGE = icons.TILE[:3], icons.BADGE[:3]
MENU = (
    MenuItem("ann@example.test"),
    MenuItem(is_separator=True),
    MenuItem("Check now", "check_now", is_default=True),
    MenuItem("Ann Example: Hello", "open", "id-1"),
    MenuItem("Quit", "quit"),
)
UNREAD = TrayView(IconKind.UNREAD, 7, "7 unread\nann@example.test", MENU)
NORMAL = TrayView(IconKind.NORMAL, 0, "No unread messages\nann@example.test", MENU)


@pytest.fixture
def commands() -> list[tuple[str, str]]:
    return []


def icon_place(desktop: DesktopSession) -> Place:
    return wait_until(lambda: desktop.find_tray_icon(TILE))


class TestStatusNotifierTray:
    @pytest.fixture
    def tray(
        self, desktop: DesktopSession, loop: DesktopLoop, commands: list[tuple[str, str]]
    ) -> Iterator[StatusNotifierTray]:
        assert desktop.find_tray_icon(TILE) is None
        tray = StatusNotifierTray(
            loop, lambda command, argument: commands.append((command, argument))
        )
        tray.render(UNREAD)
        assert tray.start()
        yield tray
        tray.stop()
        wait_until(lambda: desktop.find_tray_icon(TILE) is None)
        assert desktop.registered_items() == []

    def test_the_icon_is_in_the_panel(
        self, desktop: DesktopSession, tray: StatusNotifierTray
    ) -> None:
        assert icon_place(desktop).x > SCREEN_PX[0] * 0.8
        assert desktop.find_tray_icon(BADGE)
        assert len(desktop.registered_items()) == 1
        tray.render(NORMAL)
        wait_until(lambda: desktop.find_tray_icon(BADGE) is None)
        assert desktop.find_tray_icon(TILE)

    def test_left_click_checks_now(
        self,
        desktop: DesktopSession,
        tray: StatusNotifierTray,
        commands: list[tuple[str, str]],
    ) -> None:
        assert tray.is_hosted
        desktop.click(icon_place(desktop))
        wait_until(lambda: commands == [("check_now", "")])

    def test_an_item_of_the_menu_is_clicked(
        self,
        desktop: DesktopSession,
        tray: StatusNotifierTray,
        commands: list[tuple[str, str]],
    ) -> None:
        assert tray.is_hosted
        place = icon_place(desktop)
        before = desktop.screenshot()
        desktop.click(place, button=3)
        menu = wait_until(lambda: changed_area(before, desktop.screenshot()))
        lines = (menu[3] - menu[1]) / len(MENU)
        # The line before the last but one, counted from the menu's lower edge.
        desktop.click(Place((menu[0] + menu[2]) // 2, round(menu[3] - 1.6 * lines)))
        wait_until(lambda: commands == [("open", "id-1")])

    def test_an_item_of_a_submenu_is_clicked(
        self,
        desktop: DesktopSession,
        tray: StatusNotifierTray,
        commands: list[tuple[str, str]],
    ) -> None:
        pauses = tuple(
            MenuItem(_(label).replace("_", ""), "pause", wish) for label, wish in text.MENU_PAUSES
        )
        tray.render(replace(UNREAD, menu=(MenuItem("Pause", children=pauses), *MENU[2:])))
        place = icon_place(desktop)
        before = desktop.screenshot()
        desktop.click(place, button=3)
        menu = wait_until(lambda: changed_area(before, desktop.screenshot()))
        lines = (menu[3] - menu[1]) / 4
        desktop.click(Place((menu[0] + menu[2]) // 2, round(menu[1] + lines / 2)))

        def opened() -> tuple[int, int, int, int] | None:
            area = changed_area(before, desktop.screenshot())
            is_whole = area is not None and area[0] < menu[0] and area[3] - area[1] > 4.5 * lines
            return area if is_whole else None

        # At the panel's right end there is room on the left only.
        left, top, _right, bottom = wait_until(opened)
        # The line in the middle of the five.
        desktop.click(Place((left + menu[0]) // 2, (top + bottom) // 2))
        wait_until(lambda: commands == [("pause", "2h")])

    def test_a_panel_restarted_shows_it_once(
        self, desktop: DesktopSession, tray: StatusNotifierTray
    ) -> None:
        icon_place(desktop)
        desktop.restart_panel()
        wait_until(lambda: tray.is_hosted and len(desktop.registered_items()) == 1)
        wait_until(lambda: desktop.find_tray_icon(BADGE))


class TestPystrayTray:
    @pytest.fixture
    def tray(
        self, desktop: DesktopSession, commands: list[tuple[str, str]]
    ) -> Iterator[PystrayTray]:
        assert desktop.find_tray_icon(TILE) is None
        tray = PystrayTray(lambda command, argument: commands.append((command, argument)))
        over = threading.Event()
        thread = threading.Thread(target=tray.run, args=(over.wait,), daemon=True)
        thread.start()
        yield tray
        over.set()
        thread.join(5)
        assert not thread.is_alive()
        wait_until(lambda: desktop.find_tray_icon(TILE) is None)

    def test_shown_and_clicked_on_an_x11_panel(
        self,
        desktop: DesktopSession,
        tray: PystrayTray,
        commands: list[tuple[str, str]],
    ) -> None:
        tray.render(UNREAD)
        wait_until(lambda: desktop.find_tray_icon(BADGE))
        desktop.click(Place(icon_place(desktop).x, PANEL_PX // 2))
        wait_until(lambda: commands == [("check_now", "")])

    def test_comes_back_to_a_restarted_panel(
        self, desktop: DesktopSession, tray: PystrayTray
    ) -> None:
        tray.render(UNREAD)
        wait_until(lambda: desktop.find_tray_icon(BADGE))
        desktop.restart_panel()
        wait_until(lambda: desktop.find_tray_icon(BADGE))


def test_pystray_without_a_display(no_bus: None) -> None:
    del no_bus
    with pytest.raises(TrayError):
        PystrayTray(lambda *_: None)


def test_pystray_without_a_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    require("bus", "display")
    with DesktopSession(keyring=None, notify=False, tray=False) as session:
        monkeypatch.setenv("DISPLAY", session.env["DISPLAY"])
        with pytest.raises(TrayError):
            PystrayTray(lambda *_: None)


class TestNotifications:
    @pytest.fixture
    def clicked(self) -> list[Click]:
        return []

    @pytest.fixture
    def notifier(
        self, desktop: DesktopSession, loop: DesktopLoop, clicked: list[Click]
    ) -> Iterator[FreedesktopNotifier]:
        assert desktop.displayed_notifications() == 0
        notifier = FreedesktopNotifier(loop, into(clicked), icon=icons.app_icon_path())
        yield notifier
        notifier.close()

    def test_shown_with_our_mark_and_read_as_written(
        self, desktop: DesktopSession, notifier: FreedesktopNotifier
    ) -> None:
        before = desktop.screenshot()
        notifier.show(about("a", "R&D <Team>", MARKUP))
        assert desktop.displayed_notifications() == 1
        seen = wait_until(lambda: changed_area(before, desktop.screenshot()))
        assert TILE in colours(desktop.screenshot().crop(seen))
        assert desktop.read_notifications()[0] == f"R&D <Team>\n{MARKUP}"

    def test_clicked_where_it_is_seen(
        self, desktop: DesktopSession, notifier: FreedesktopNotifier, clicked: list[Click]
    ) -> None:
        ann, ben = about("a", "Ann", "First"), about("b", "Ben", "Second")
        before = desktop.screenshot()
        notifier.show(ann)
        notifier.show(ben)
        left, top, right, bottom = wait_until(lambda: changed_area(before, desktop.screenshot()))
        # The first one stays on top.
        desktop.click(Place((left + right) // 2, top + (bottom - top) // 4))
        wait_until(lambda: clicked)
        assert clicked == [(ann, "")]
        wait_until(lambda: desktop.displayed_notifications() == 1)

    def test_a_button_is_pressed(
        self, desktop: DesktopSession, notifier: FreedesktopNotifier, clicked: list[Click]
    ) -> None:
        ann, ben = with_buttons("a", "Ann"), with_buttons("b", "Ben")
        notifier.show(ann)
        desktop.press_button("Archive")
        wait_until(lambda: clicked == [(ann, "move archive")])
        wait_until(lambda: desktop.displayed_notifications() == 0)
        notifier.show(ben)
        offered = desktop.press_button("Mark as read")
        labels = [line.partition(" (")[0] for line in offered]
        assert labels == ["#Open", "#Mark as read", "#Archive"]
        wait_until(lambda: clicked == [(ann, "move archive"), (ben, "mark_read")])

    def test_withdrawn(self, desktop: DesktopSession, notifier: FreedesktopNotifier) -> None:
        notifier.show(about("a", "Ann"))
        notifier.show(about("b", "Ben"))
        assert desktop.displayed_notifications() == 2
        notifier.withdraw(["a", "b"])
        wait_until(lambda: desktop.displayed_notifications() == 0)

    def test_a_server_killed_and_started_again(
        self, desktop: DesktopSession, notifier: FreedesktopNotifier
    ) -> None:
        notifier.show(about("a", "Ann"))
        desktop.stop_notify()
        with pytest.raises(NotifierError):
            notifier.show(about("b", "Ben"))
        desktop.start_notify()
        notifier.show(about("b", "Ben"))
        assert desktop.displayed_notifications() == 1


def changed_area(before: Image, after: Image) -> tuple[int, int, int, int] | None:
    """Return where two screens differ below the panel, whose clock runs on."""
    below = (0, PANEL_PX + 1, *SCREEN_PX)
    area = ImageChops.difference(before.crop(below), after.crop(below)).getbbox()
    if area is None:
        return None
    left, top, right, bottom = area
    return (left, top + PANEL_PX + 1, right, bottom + PANEL_PX + 1)


def colours(image: Image) -> set[tuple[int, int, int]]:
    pixels = image.tobytes()
    return {(pixels[i], pixels[i + 1], pixels[i + 2]) for i in range(0, len(pixels), 3)}
