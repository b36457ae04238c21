"""The tray on Windows and macOS, to a stand-in that keeps pystray's limits."""

from __future__ import annotations

import queue
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mailtray.adapters.pystray_tray import PystrayTray
from mailtray.core.errors import TrayError
from mailtray.core.model import IconKind, MenuItem, TrayView
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image

CHECK = MenuItem("Check now", "check_now", is_default=True)
LINE = MenuItem(is_separator=True)


class Item:
    def __init__(self, text: str, action: Callable[[], None] | Menu, **options: bool) -> None:
        assert isinstance(action, Menu) or action.__code__.co_argcount == 0
        self.text, self.action, self.options = text, action, options


class Menu:
    SEPARATOR = object()

    def __init__(self, *items: object) -> None:
        self.items = items


class Icon:
    """pystray's icon on Windows: a tooltip of 128 UTF-16 units with its end mark."""

    def __init__(self, name: str, icon: Image, title: str, menu: Menu) -> None:
        self.name = name
        self.threads: set[str] = set()
        self.changes: list[str] = []
        self._work: queue.Queue[bool] = queue.Queue()
        self._state: dict[str, Any] = {}
        self._set("icon", icon)
        self._set("title", title)
        self._set("menu", menu)
        self._state["visible"] = False
        self.changes.clear()
        self.threads.clear()

    def _set(self, name: str, value: object) -> None:
        if name == "title" and len(str(value).encode("utf-16-le")) // 2 >= 128:
            raise ValueError("string too long (128, maximum length 128)")
        self.threads.add(threading.current_thread().name)
        self.changes.append(name)
        self._state[name] = value

    icon = property(lambda self: self._state["icon"], lambda self, v: self._set("icon", v))
    title = property(lambda self: self._state["title"], lambda self, v: self._set("title", v))
    menu = property(lambda self: self._state["menu"], lambda self, v: self._set("menu", v))
    visible = property(lambda self: self._state["visible"], lambda self, v: self._set("visible", v))

    def run(self, setup: Callable[[Icon], None]) -> None:
        threading.Thread(target=setup, args=(self,), name="setup").start()
        self._work.get()
        self._state["visible"] = False

    def stop(self) -> None:
        self._work.put(True)

    def choose(self, text: str) -> None:
        item = next(item for item in self.menu.items if getattr(item, "text", "") == text)
        item.action()


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("pystray")
    module.__dict__.update(Icon=Icon, Menu=Menu, MenuItem=Item)
    monkeypatch.setitem(sys.modules, "pystray", module)
    return module


class Running:
    """A tray with its main loop on a thread."""

    def __init__(self, platform: str) -> None:
        self.commands: list[tuple[str, str]] = []
        self.over = threading.Event()
        self.tray = PystrayTray(lambda *command: self.commands.append(command), platform=platform)
        self.thread = threading.Thread(target=self.tray.run, args=(self.over.wait,), daemon=True)

    @property
    def icon(self) -> Icon:
        icon = self.tray._vendor
        assert isinstance(icon, Icon)
        return icon

    def render(
        self,
        *menu: MenuItem,
        icon: IconKind = IconKind.NORMAL,
        count: int = 0,
        tooltip: str = "mailtray",
    ) -> None:
        self.tray.render(TrayView(icon, count, tooltip, menu))

    def join(self) -> None:
        self.over.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture(params=["win32"])
def running(vendor: ModuleType, request: pytest.FixtureRequest) -> Iterator[Running]:
    del vendor
    running = Running(request.param)
    running.thread.start()
    wait_until(lambda: running.icon.visible)
    yield running
    running.join()


def test_a_submenu(running: Running) -> None:
    running.render(CHECK, MenuItem("Pause", children=(MenuItem("1 hour", "pause", "1h"), LINE)))
    wait_until(lambda: len(running.icon.menu.items) == 2)
    pause = running.icon.menu.items[1]
    assert pause.options == {"default": False, "checked": None, "enabled": True}
    hour, line = pause.action.items
    hour.action()
    assert running.commands == [("pause", "1h")]
    assert line is Menu.SEPARATOR


def test_mnemonics_and_check_marks(running: Running) -> None:
    running.render(
        MenuItem("R&D at login", "toggle", mnemonic="l", is_checked=True),
        MenuItem("Off", "toggle", is_checked=False),
    )
    wait_until(lambda: len(running.icon.menu.items) == 2)
    login, off = running.icon.menu.items
    assert login.text == "R&&D at &login"
    assert (login.options["checked"](login), off.options["checked"](off)) == (True, False)


def test_shows_a_view(running: Running) -> None:
    running.render(CHECK, LINE, MenuItem("3 unread"), icon=IconKind.UNREAD, count=3, tooltip="3")
    wait_until(lambda: running.icon.title == "3")
    check, line, told = running.icon.menu.items
    assert check.options == {"default": True, "checked": None, "enabled": True}
    assert line is Menu.SEPARATOR
    assert told.options == {"default": False, "checked": None, "enabled": False}


def test_a_click_sends_command_and_argument(running: Running) -> None:
    running.render(CHECK, MenuItem("Ann", "open", "id-1"))
    wait_until(lambda: len(running.icon.menu.items) == 2)
    running.icon.choose("Ann")
    assert running.commands == [("open", "id-1")]


def test_only_what_changed_is_set(running: Running) -> None:
    running.render(CHECK, tooltip="One")
    wait_until(lambda: running.icon.title == "One")
    running.icon.changes.clear()
    running.render(CHECK, icon=IconKind.UNREAD, count=100, tooltip="One")
    running.render(CHECK, icon=IconKind.UNREAD, count=5000, tooltip="Two")
    wait_until(lambda: running.icon.title == "Two")
    # 99+ both times.
    assert running.icon.changes in (["icon", "title"], ["icon", "title", "icon"])
    assert set(running.icon.changes) == {"icon", "title"}


@pytest.mark.parametrize("tooltip", ["x" * 127, "x" * 128, "x" * 5000, "\N{GRINNING FACE}" * 64])
def test_no_tooltip_is_too_long(running: Running, tooltip: str) -> None:
    running.render(CHECK, tooltip=tooltip)
    wait_until(lambda: running.icon.title != "mailtray")
    assert running.icon.title == tooltip or running.icon.title.endswith("…")


def test_a_view_that_is_refused_is_not_the_last(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: TrayView) -> Image:
        raise OSError("no more handles")

    monkeypatch.setattr(running.tray, "_picture", refuse)
    running.render(CHECK, icon=IconKind.OFFLINE)
    wait_until(lambda: running.tray._shown.icon is IconKind.OFFLINE)
    monkeypatch.undo()
    running.render(CHECK, icon=IconKind.UNREAD, count=1, tooltip="1 unread")
    wait_until(lambda: running.icon.title == "1 unread")


def test_an_ampersand_is_no_access_key_on_windows(running: Running) -> None:
    running.render(MenuItem("R&D", "open", "id-1"))
    wait_until(lambda: len(running.icon.menu.items) == 1)
    assert running.icon.menu.items[0].text == "R&&D"


def test_stopped_before_it_runs(vendor: ModuleType) -> None:
    del vendor
    running = Running("win32")
    running.tray.stop()
    running.thread.start()
    running.join()


def test_the_last_view_before_it_runs_is_shown(vendor: ModuleType) -> None:
    del vendor
    running = Running("win32")
    running.render(CHECK, tooltip="early")
    running.thread.start()
    wait_until(lambda: running.icon.title == "early")
    running.join()


def test_on_macos_everything_is_set_on_the_main_thread(
    vendor: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    del vendor
    calls: queue.Queue[Callable[[], None]] = queue.Queue()
    monkeypatch.setitem(sys.modules, "PyObjCTools", ModuleType("PyObjCTools"))
    helper = SimpleNamespace(callAfter=calls.put)
    monkeypatch.setattr(sys.modules["PyObjCTools"], "AppHelper", helper, raising=False)
    running = Running("darwin")
    running.thread.start()
    running.render(MenuItem("R&D", "open", "id-1"), tooltip="One")
    while running.icon.title != "One":
        calls.get(timeout=5)()
    assert running.icon.threads == {threading.current_thread().name}
    assert running.icon.menu.items[0].text == "R&D"
    running.over.set()
    while running.thread.is_alive():
        calls.get(timeout=5)()
        running.thread.join(0.1)


def test_no_pystray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pystray", None)
    with pytest.raises(TrayError):
        PystrayTray(lambda *_: None, platform="win32")


def test_no_display_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(TrayError):
        PystrayTray(lambda *_: None, platform="linux")
