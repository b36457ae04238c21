"""What mailtray does on Windows only, done on what stands in for Windows."""

from __future__ import annotations

import ctypes
import errno
import io
import logging
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from mailtray import cli, demo, desktop, diagnosis
from mailtray.adapters import (
    autostart,
    check_system,
    desktop_files,
    mail_program,
    page_opener,
    settings_editor,
    translations,
    windows_library,
)
from mailtray.adapters.desktop_loop import DesktopLoop
from mailtray.adapters.hook_command import HookCommand, Limits
from mailtray.adapters.icons import app_icon_path
from mailtray.adapters.keyring_vault import KeyringVault
from mailtray.adapters.notifier_ladder import NotifierLadder
from mailtray.adapters.private_files import make_private_folder, open_private
from mailtray.adapters.settings_file import Home, load_settings
from mailtray.adapters.sqlite_state import SqliteStateStore
from mailtray.adapters.windows_events import WindowsEvents
from mailtray.adapters.windows_presence import WindowsPresence
from mailtray.adapters.windows_process import introduce_process
from mailtray.app.commands import NetworkUp, PresenceChanged, TrayMissing, Woke
from mailtray.app.lifecycle import App
from mailtray.command_line import EXIT_OK
from mailtray.core.errors import MailtrayError
from mailtray.core.model import INBOX, AccountId, IconKind, MenuItem, Seen, TrayView
from mailtray.core.peace import Presence
from mailtray.simulator import Simulator
from tests.adapters import test_pystray_tray as pystray_stand_in
from tests.adapters.test_plyer_notifier import Balloon
from tests.contract.test_notifier import about
from tests.desktop.rig import wait_until
from tests.fakes.keyrings import WINDOWS_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailtray.app.commands import Command
    from tests.platforms.conftest import Anew
    from tests.platforms.windows import Windows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what stands in is for elsewhere")

ADA = AccountId("ada.home")
PATIENCE_S = 20.0
RESUME_ANEW, SUSPEND = 0x7, 0x4
LOCK, UNLOCK, REMOTE_CONNECT = 0x7, 0x8, 0x3


def test_every_module_can_be_loaded() -> None:
    script = """
import importlib, pkgutil, sys
import pytest
import mailtray
from tests.platforms.windows import Windows
names = [each.name for each in pkgutil.walk_packages(mailtray.__path__, "mailtray.")]
names = [name for name in names if name != "mailtray.__main__"]
for name in names:
    importlib.import_module(name)
for name in [name for name in sys.modules if name.partition(".")[0] == "mailtray"]:
    del sys.modules[name]
Windows(pytest.MonkeyPatch())
for name in names:
    importlib.import_module(name)
print(len(names))
"""
    command = [sys.executable, "-c", script]
    root = Path(__file__).resolve().parent.parent.parent
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.stderr == ""
    assert int(done.stdout) > 100


# -- signals and waits ----------------------------------------------------------------------------


@pytest.fixture
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("windows", "_signals")
def test_a_signal_is_passed_on_by_its_handler() -> None:
    ending = cli._Ending()
    signal.raise_signal(signal.SIGTERM)
    assert ending.is_wished
    ended = Event()
    ending.passes_on(ended.set)
    assert ended.is_set()
    ended.clear()
    signal.raise_signal(signal.SIGINT)
    assert ended.is_set()


@pytest.mark.usefixtures("windows", "_signals")
def test_the_simulator_alone_ends_with_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(cli, "say", say)
    run = cli.simulator_command.callback
    assert run is not None
    assert run(port=0) == EXIT_OK
    assert "http://127.0.0.1" in said[0]


@pytest.mark.usefixtures("windows")
def test_the_main_thread_waits_in_slices_between_which_signals_come() -> None:
    slices: list[float | None] = []

    def wait(limit_s: float | None) -> bool:
        slices.append(limit_s)
        return len(slices) == 3

    App._wait(SimpleNamespace(_over=SimpleNamespace(wait=wait)))  # type: ignore[arg-type]
    assert slices == [0.5, 0.5, 0.5]


@pytest.mark.usefixtures("windows")
def test_the_simulators_port_is_not_shared() -> None:
    simulator = Simulator()
    simulator.start()
    try:
        assert requests.get(simulator.url, timeout=PATIENCE_S).ok
    finally:
        simulator.stop()


def test_keys_come_from_the_console(windows: Windows, anew: Anew) -> None:
    loaded = anew("mailtray.terminal.ears")
    assert not hasattr(loaded, "UnixEars")
    for char in ("j", "\xe0", "H", "\x1b", "\x03"):
        windows.keys.put(char)
    heard: list[str] = []
    with loaded.own_ears() as own:
        own.begin_again()
        own.listen(heard.append)
    assert heard == ["j", "up", "escape", "interrupt"]


# -- the desktop ----------------------------------------------------------------------------------


@pytest.fixture
def inbox() -> SimpleQueue[Command]:
    return SimpleQueue()


@pytest.fixture
def own(windows: Windows, anew: Anew, inbox: SimpleQueue[Command]) -> Iterator[desktop.Desktop]:
    del windows
    for name in ("plyer_notifier", "pystray_tray", "sound_player"):
        anew(f"mailtray.adapters.{name}")
    own = desktop.Desktop(inbox.put, io.StringIO())
    yield own
    own.close()


def test_the_process_has_a_name_of_its_own_from_the_first_moment(
    windows: Windows, own: desktop.Desktop
) -> None:
    own.listen_to_system()
    assert windows.identity == "mailtray"


def test_windows_calls_what_is_declared_in_its_own_way(
    windows: Windows, anew: Anew, monkeypatch: pytest.MonkeyPatch
) -> None:
    del windows
    own_way = object()
    monkeypatch.setattr(ctypes, "WINFUNCTYPE", own_way, raising=False)
    assert anew("mailtray.adapters.windows_library").CALLBACK is own_way


@pytest.mark.parametrize(
    "lacking", ["SetCurrentProcessExplicitAppUserModelID", "SetProcessDpiAwarenessContext"]
)
def test_an_older_windows_goes_without(windows: Windows, lacking: str) -> None:
    windows.lacks.add(lacking)
    introduce_process()
    assert windows.identity == ""


def test_a_name_that_is_refused_is_only_logged(
    windows: Windows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(windows, "_identify", lambda _name: -2147024809)
    introduce_process()
    assert "0x80070057" in caplog.text


def test_the_icon_has_windows_size_and_its_menu_windows_marks(
    own: desktop.Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("pystray")
    vars(module).update(
        Icon=pystray_stand_in.Icon, Menu=pystray_stand_in.Menu, MenuItem=pystray_stand_in.Item
    )
    monkeypatch.setitem(sys.modules, "pystray", module)
    tray: Any = own.tray("auto")
    over = Event()
    thread = Thread(target=tray.run, args=(over.wait,), daemon=True)
    thread.start()
    tray.render(TrayView(IconKind.UNREAD, 3, "x" * 200, (MenuItem("R&D", "open", "id"),)))
    wait_until(lambda: len(tray._vendor.title) == 127)
    assert tray._vendor.icon.size == (32, 32)
    assert tray._vendor.menu.items[0].text == "R&&D"
    over.set()
    thread.join(PATIENCE_S)


def test_no_icon_is_told_to_the_poller(
    own: desktop.Desktop, inbox: SimpleQueue[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pystray", None)
    assert own.tray("auto").name == "none"
    assert isinstance(inbox.get(timeout=PATIENCE_S), TrayMissing)


def test_notifications_go_by_desktop_notifier_and_else_by_plyer(
    own: desktop.Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(own.notifier("auto"), NotifierLadder)
    assert isinstance(own._loop, DesktopLoop)
    first, second = (build() for build in own._desktop_rungs())
    assert (first.name, second.name) == ("desktop-notifier", "plyer")
    balloon, module = Balloon(), ModuleType("plyer.platforms.win.notification")
    vars(module)["instance"] = lambda: balloon
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("plyer.utils.platform", "win")
    second.show(about("a", "x" * 70, ""))
    (shown,) = balloon.shown
    assert (shown["title"], shown["message"]) == ("x" * 62 + "…", " ")
    # Windows takes no other picture.
    assert shown["app_icon"] == str(app_icon_path().with_suffix(".ico"))
    assert desktop._has_desktop()


def test_a_lock_is_seen_when_asked(windows: Windows, own: desktop.Desktop) -> None:
    presence = own.presence()
    assert isinstance(presence, WindowsPresence)
    assert presence.look() == Presence()
    windows.session.flags = 0
    assert presence.look() == Presence(is_locked=True)
    with pytest.raises(FileNotFoundError):
        windows_library.windows_library("no-such")


def test_a_wave_file_is_played(windows: Windows, anew: Anew, tmp_path: Path) -> None:
    module = anew("mailtray.adapters.sound_player")
    player = module.SoundPlayer()
    player.play("C:\\ping.wav")
    player.play("C:\\ping.mp3")
    assert windows.sounds == [("C:\\ping.wav", 0x20003)]
    there = tmp_path / "ping.wav"
    there.touch()
    module.play_now(str(there))
    assert windows.sounds[1:] == [(str(there), 0x20003)]


# -- what Windows tells ---------------------------------------------------------------------------


def _listening(windows: Windows) -> bool:
    return bool(windows.desktop._watching)


def test_the_poller_hears_of_sleeps_locks_and_networks(
    windows: Windows, own: desktop.Desktop, inbox: SimpleQueue[Command]
) -> None:
    own.listen_to_system()
    wait_until(lambda: _listening(windows))
    told: list[tuple[Callable[[], None], type[Command]]] = [
        (windows.desktop.resume, Woke),
        (partial(windows.desktop.lock, LOCK), PresenceChanged),
        (partial(windows.desktop.lock, UNLOCK), PresenceChanged),
        (partial(windows.change_address, 1), NetworkUp),
    ]
    for tell, command in told:
        tell()
        assert isinstance(inbox.get(timeout=PATIENCE_S), command)
    own.close()
    assert not windows.desktop.windows
    assert windows._on_address is None


def test_what_else_is_told_is_none_of_ours(
    windows: Windows, own: desktop.Desktop, inbox: SimpleQueue[Command]
) -> None:
    own.listen_to_system()
    wait_until(lambda: _listening(windows))
    for kind in (SUSPEND, RESUME_ANEW):
        windows.desktop.resume(kind)
    windows.desktop.lock(REMOTE_CONNECT)
    for kind in (0, 2):
        windows.change_address(kind)
    windows.desktop.resume()
    assert isinstance(inbox.get(timeout=PATIENCE_S), Woke)
    assert inbox.empty()


def _nothing() -> WindowsEvents:
    return WindowsEvents(on_network_up=lambda: None, on_wake=lambda: None, on_presence=lambda: None)


def test_the_next_one_can_have_its_window_too(windows: Windows) -> None:
    for _ in range(2):
        events = _nothing()
        events.start()
        wait_until(lambda: _listening(windows))
        events.close()
    assert not windows.desktop._classes


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("_register", lambda *_: 0, id="no class"),
        pytest.param("_create", lambda *_: None, id="no window"),
    ],
)
def test_without_a_window_nothing_is_told(
    windows: Windows,
    name: str,
    answer: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(windows.desktop, name, answer)
    events = _nothing()
    events.start()
    events.close()
    assert "does not tell" in caplog.text
    assert windows._on_address is None
    assert not windows.desktop._classes


@pytest.mark.parametrize("lacking", ["NotifyUnicastIpAddressChange", "CreateWindowExW"])
def test_a_windows_that_lacks_a_function_tells_nothing(
    windows: Windows, lacking: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    windows.lacks.add(lacking)
    events = _nothing()
    events.start()
    events.close()
    assert lacking in caplog.text


def test_addresses_that_are_not_told_of(
    windows: Windows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(windows, "_watch_addresses", lambda *_: 50)
    events = _nothing()
    events.start()
    events.close()
    assert "error 50" in caplog.text


def test_a_window_that_hangs_is_not_waited_for(
    windows: Windows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mailtray.adapters.windows_events.CLOSE_TIMEOUT_S", 0.05)
    events = _nothing()
    events.start()
    wait_until(lambda: _listening(windows))
    post = windows.desktop._post
    monkeypatch.setattr(events._windows, "PostMessageW", lambda *_: 0)
    events.close()
    assert "did not close in time" in caplog.text
    post(next(iter(windows.desktop.windows)), 0x0010, 0, 0)
    events._thread.join(PATIENCE_S)
    assert not windows.desktop.windows


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("windows")
def test_a_home_has_a_pipe_and_no_folder_for_a_socket(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.prepare()
    assert home.socket_address.startswith("\\\\.\\pipe\\mailtray-")
    assert sorted(each.name for each in home.config_dir.iterdir()) == ["state"]
    assert Home.at(tmp_path / "other").socket_address != home.socket_address


@pytest.mark.usefixtures("windows")
def test_the_profile_keeps_others_out_and_modes_mean_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    make_private_folder(folder)
    make_private_folder(tmp_path / "new")
    with open(folder / "key", "wb", opener=open_private) as file:
        file.write(b"secret")
    assert (folder / "key").read_bytes() == b"secret"
    assert check_system.folders([folder]).found == str(folder)
    assert "Python" in check_system.versions({}).found
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        make_private_folder(tmp_path / "file")


@pytest.mark.usefixtures("windows")
def test_a_setting_is_changed_in_a_file_that_nobody_holds_open(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b'interval_s = 60\r\nsound = "none"\r\n')
    settings_editor.change(path, "interval_s", lambda _now: 120, lambda _said: None)
    assert path.read_bytes() == b'interval_s = 120\r\nsound = "none"\r\n'
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    with path.open("rb"), pytest.raises(MailtrayError, match="used by another"):
        settings_editor.change(path, "interval_s", lambda _now: 60, lambda _said: None)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.usefixtures("windows")
def test_a_new_file_on_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "There is not enough space on the disk")

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(MailtrayError, match="not enough space"):
        settings_editor.write_new(tmp_path / "settings.toml", b"interval_s = 60")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("windows")
def test_a_state_that_cannot_be_read_is_put_aside_closed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database, but longer than the head of one" * 30)
    with closing(SqliteStateStore(path)) as store:
        assert store.load(ADA, INBOX) == Seen()
    assert [each.name for each in tmp_path.glob("*.bad*")]
    assert load_settings(Home.at(tmp_path)) is not None


# -- other programs and the system's own places ---------------------------------------------------


@pytest.mark.usefixtures("windows")
def test_the_menus_of_linux_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(MailtrayError, match="Linux"):
        desktop_files.own_desktop_files(["mailtray"], {"XDG_DATA_HOME": str(tmp_path)})
    assert not list(tmp_path.iterdir())


def test_a_login_starts_it_by_the_run_key(windows: Windows, tmp_path: Path) -> None:
    own = autostart.own_autostart("mailtray", tmp_path, app_icon_path())
    assert own.started() == ()
    own.turn_on()
    assert own.started() == own.command
    assert str(tmp_path) in own.command
    with windows.registry.OpenKey(windows.registry.HKEY_CURRENT_USER, autostart.RUN_KEY) as key:
        line, _kind = windows.registry.QueryValueEx(key, "mailtray")
    assert line == subprocess.list2cmdline(own.command)


@pytest.mark.usefixtures("windows")
def test_without_a_script_a_login_starts_the_interpreter_without_a_console(tmp_path: Path) -> None:
    (tmp_path / "pythonw.exe").touch()
    command = autostart.start_command(None, str(tmp_path / "python.exe"))
    assert command == (str(tmp_path / "pythonw.exe"), "-m", "mailtray", "run")


def test_mail_goes_to_the_registered_program(windows: Windows) -> None:
    assert mail_program.open_in_mail_program("mailto:ann@example.com")
    assert windows.opened == ["mailto:ann@example.com"]
    assert not mail_program.open_in_mail_program("ms-outlook://compose")


def test_a_hook_runs_without_a_window_and_is_ended_alone(windows: Windows) -> None:
    script = "import signal; signal.pause()"
    hook = HookCommand([sys.executable, "-c", script], lambda _: None, Limits(time_s=PATIENCE_S))
    hook.run({"id": 1})
    wait_until(lambda: bool(hook._running))
    hook.close()
    assert windows.processes == [0x8000200]
    wait_until(lambda: not hook._running)


def test_a_page_is_a_process_without_a_window(windows: Windows) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit(3)"]
    assert page_opener._start(command, stderr=subprocess.DEVNULL).wait(PATIENCE_S) == 3
    assert windows.processes == [0x8000000]


def test_it_speaks_as_windows_does(windows: Windows) -> None:
    assert translations.system_tags() == ("de_DE",)
    windows.language = 0xFFFF
    assert translations.system_tags() == ()


@pytest.mark.usefixtures("windows")
def test_a_linux_desktop_is_neither_looked_at_nor_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        assert diagnosis._this_desktop(stack) is None
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("webbrowser.get", lambda: None)
    assert demo._has_desktop()


# -- the Credential Manager -----------------------------------------------------------------------


class Refusal(Exception):
    """``pywintypes.error``."""

    def __init__(self, number: int, function: str) -> None:
        super().__init__(number, function, "")
        self.winerror, self.funcname = number, function


class CredentialManager(ModuleType):
    """``win32cred``: at most 2,560 bytes of UTF-16 a credential, and 513 characters of a name."""

    CRED_TYPE_GENERIC, CRED_PERSIST_ENTERPRISE = 1, 3

    def __init__(self) -> None:
        super().__init__("win32ctypes.pywin32.win32cred")
        self.kept: dict[str, dict[str, object]] = {}

    def CredWrite(self, credential: dict[str, Any], flags: int) -> None:  # noqa: N802
        assert (credential["Type"], flags) == (self.CRED_TYPE_GENERIC, 0)
        blob = credential["CredentialBlob"].encode("utf-16-le")
        if len(blob) > WINDOWS_MAX_BYTES:
            raise Refusal(1783, "CredWrite")
        assert len(credential["UserName"]) <= 513
        self.kept[credential["TargetName"]] = {**credential, "CredentialBlob": blob}

    def CredRead(self, Type: int, TargetName: str) -> dict[str, object]:  # noqa: N802, N803
        assert Type == self.CRED_TYPE_GENERIC
        if TargetName not in self.kept:
            raise Refusal(1168, "CredRead")
        return self.kept[TargetName]

    def CredDelete(self, Type: int, TargetName: str) -> None:  # noqa: N802, N803
        assert Type == self.CRED_TYPE_GENERIC
        if self.kept.pop(TargetName, None) is None:
            raise Refusal(1168, "CredDelete")


@pytest.fixture
def credentials(windows: Windows, anew: Anew, monkeypatch: pytest.MonkeyPatch) -> CredentialManager:
    del windows
    manager = CredentialManager()
    package = ModuleType("win32ctypes.pywin32")
    errors = ModuleType("win32ctypes.pywin32.pywintypes")
    vars(errors)["error"] = Refusal
    vars(package).update(pywintypes=errors, win32cred=manager)
    for module in (ModuleType("win32ctypes"), package, errors, manager):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    anew("keyring.backends.Windows")
    return manager


def test_a_token_cache_goes_through_the_credential_manager(credentials: CredentialManager) -> None:
    vault, secret = KeyringVault(), "token " * 1_500
    for text in (secret, "shorter", secret):
        vault.save(ADA, text)
        assert KeyringVault().load(ADA) == text
    assert vault.keyring_name == "Windows Credential Manager"
    assert vault.accounts() == (ADA,)
    assert len(credentials.kept) > 5
    vault.clear(ADA)
    assert vault.load(ADA) is None
    assert vault.accounts() == ()
