"""What mailtray does on macOS only, done on what stands in for macOS."""

from __future__ import annotations

import io
import logging
import plistlib
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mailtray import cli, demo, desktop, diagnosis
from mailtray.adapters import (
    autostart,
    check_system,
    desktop_files,
    mail_program,
    page_opener,
    settings_editor,
    translations,
)
from mailtray.adapters.control_socket import KEY_BYTES, ControlServer, ask
from mailtray.adapters.hook_command import HookCommand
from mailtray.adapters.icons import app_icon_path
from mailtray.adapters.keyring_vault import KeyringVault
from mailtray.adapters.macos_events import MacosEvents
from mailtray.adapters.macos_presence import MacosPresence
from mailtray.adapters.private_files import make_private_folder, open_private
from mailtray.adapters.settings_file import Home
from mailtray.app.commands import PresenceChanged, TrayMissing, Woke
from mailtray.app.lifecycle import App
from mailtray.command_line import EXIT_OK
from mailtray.core.errors import MailtrayError, NotifierError, NotRunning, VaultError, VaultLocked
from mailtray.core.model import AccountId, IconKind, MenuItem, TrayView
from mailtray.core.peace import Presence
from tests.adapters import test_pystray_tray as pystray_stand_in
from tests.contract.test_notifier import about
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailtray.app.commands import Command
    from tests.platforms.conftest import Anew
    from tests.platforms.macos import Macos

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what stands in is for elsewhere")

ADA = AccountId("ada.home")
WAKE = "NSWorkspaceDidWakeNotification"
LOCKED, UNLOCKED = "com.apple.screenIsLocked", "com.apple.screenIsUnlocked"


@pytest.fixture
def inbox() -> SimpleQueue[Command]:
    return SimpleQueue()


@pytest.fixture
def own(macos: Macos, anew: Anew, inbox: SimpleQueue[Command]) -> Iterator[desktop.Desktop]:
    del macos
    for name in ("plyer_notifier", "pystray_tray", "sound_player"):
        anew(f"mailtray.adapters.{name}")
    own = desktop.Desktop(inbox.put, io.StringIO())
    yield own
    own.close()


def test_the_icon_is_touched_on_the_main_thread_alone(
    macos: Macos, own: desktop.Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("pystray")
    vars(module).update(
        Icon=pystray_stand_in.Icon, Menu=pystray_stand_in.Menu, MenuItem=pystray_stand_in.Item
    )
    monkeypatch.setitem(sys.modules, "pystray", module)
    tray: Any = own.tray("auto")
    assert tray._vendor.icon.size == (44, 44)
    over = threading.Event()
    thread = threading.Thread(target=tray.run, args=(over.wait,), daemon=True)
    thread.start()
    menu = (MenuItem("R&D", "open", "id"),)
    tray.render(TrayView(IconKind.UNREAD, 3, "3 unread", menu))
    while tray._vendor.title != "3 unread":
        macos.run()
    assert tray._vendor.menu.items[0].text == "R&D"
    assert tray._vendor.threads == {threading.main_thread().name}
    over.set()
    while thread.is_alive():
        macos.run()
        thread.join(0.1)


def test_no_icon_is_told_to_the_poller(
    own: desktop.Desktop, inbox: SimpleQueue[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pystray", None)
    assert own.tray("auto").name == "none"
    assert isinstance(inbox.get(timeout=1), TrayMissing)


def test_a_sound_is_played_by_the_systems_player(
    anew: Anew, macos: Macos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del macos
    for name in ("afplay", "aplay"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho {name} "$@" > {tmp_path}/part; mv {tmp_path}/part {tmp_path}/heard\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    module = anew("mailtray.adapters.sound_player")
    player = module.SoundPlayer()
    player.play("/sounds/ping.wav")
    wait_until((tmp_path / "heard").exists)
    assert (tmp_path / "heard").read_text() == "afplay /sounds/ping.wav\n"
    wait_until(lambda: not player._turn.locked())
    (tmp_path / "heard").unlink()
    module.play_now(str(tmp_path / "afplay"))
    wait_until((tmp_path / "heard").exists)


def test_plyers_notification_is_as_long_as_it_is(
    own: desktop.Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, object]] = []
    module = ModuleType("plyer.platforms.macosx.notification")
    vars(module)["instance"] = lambda: SimpleNamespace(notify=lambda **wish: shown.append(wish))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("plyer.utils.platform", "macosx")
    _first, second = (build() for build in own._desktop_rungs())
    second.show(about("a", "x" * 70, ""))
    assert (shown[0]["title"], shown[0]["message"]) == ("x" * 70, "")


def test_notifications_go_by_desktop_notifier_and_else_by_plyer(own: desktop.Desktop) -> None:
    first, second = (build() for build in own._desktop_rungs())
    assert (first.name, second.name) == ("desktop-notifier", "plyer")
    balloon: Any = second
    assert balloon._icon == app_icon_path()
    assert balloon._fitted("x" * 70, "") == ("x" * 70, "")
    assert desktop._has_desktop()


def test_a_bundle_that_is_not_signed_is_refused(
    own: desktop.Desktop, anew: Anew, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a bundle the package has a notifier that can nothing, on purpose.
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    support = ModuleType("desktop_notifier.backends.macos_support")
    from packaging.version import Version

    vars(support).update(
        is_bundle=lambda: False, is_signed_bundle=lambda: False, macos_version=Version("14.5")
    )
    monkeypatch.setitem(sys.modules, support.__name__, support)
    anew("desktop_notifier.backends.dummy")
    first, _second = (build() for build in own._desktop_rungs())
    with pytest.raises(NotifierError) as caught:
        first.show(about("a"))
    assert "signed" in caught.value.hint


def test_the_poller_hears_of_sleeps_and_locks(
    macos: Macos, own: desktop.Desktop, inbox: SimpleQueue[Command]
) -> None:
    own.listen_to_system()
    for center, name, command in (
        (macos.workspace, WAKE, Woke),
        (macos.distributed, LOCKED, PresenceChanged),
        (macos.distributed, UNLOCKED, PresenceChanged),
    ):
        center.tell("NSWorkspaceWillSleepNotification")
        center.tell(name)
        macos.run()
        assert isinstance(inbox.get(timeout=1), command)
    own.close()
    assert not macos.workspace.observers
    assert not macos.distributed.observers


def test_a_macos_without_its_frameworks_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def module(name: str) -> object:
        return SimpleNamespace() if name == "AppKit" else __import__(name)

    events = MacosEvents(on_wake=lambda: None, on_presence=lambda: None, module=module)
    events.start()
    events.close()
    assert "does not tell" in caplog.text


def test_a_lock_is_seen_when_asked(macos: Macos, own: desktop.Desktop) -> None:
    presence = own.presence()
    assert isinstance(presence, MacosPresence)
    assert presence.look() == Presence()
    macos.session = {"CGSSessionScreenIsLocked": 1}
    assert presence.look() == Presence(is_locked=True)


# -- the system's own places ----------------------------------------------------------------------


@pytest.mark.usefixtures("macos")
def test_a_login_starts_it_by_a_launch_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    own = autostart.own_autostart("mailtray", None, app_icon_path())
    own.turn_on()
    (agent,) = (tmp_path / "Library" / "LaunchAgents").iterdir()
    read = plistlib.loads(agent.read_bytes())
    assert agent.name == f"{read['Label']}.plist"
    assert tuple(read["ProgramArguments"]) == own.command == own.started()
    own.turn_off()
    assert not agent.exists()


@pytest.mark.usefixtures("macos")
def test_without_a_script_a_login_starts_the_interpreter(tmp_path: Path) -> None:
    (tmp_path / "pythonw.exe").touch()
    python = str(tmp_path / "python")
    assert autostart.start_command(None, python) == (python, "-m", "mailtray", "run")


@pytest.mark.usefixtures("macos")
def test_the_menus_of_linux_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(MailtrayError, match="Linux"):
        desktop_files.own_desktop_files(["mailtray"], {"XDG_DATA_HOME": str(tmp_path)})
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("macos")
def test_files_are_private_as_on_any_unix(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("macos")
def test_mail_goes_to_the_registered_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "open"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {tmp_path}/got\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert mail_program.open_in_mail_program("mailto:ann@example.com")
    assert (tmp_path / "got").read_text() == "mailto:ann@example.com|"


@pytest.mark.usefixtures("macos")
def test_it_speaks_as_macos_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preferences = tmp_path / "preferences.plist"
    preferences.write_bytes(plistlib.dumps({"AppleLanguages": ["ja-JP"]}))
    monkeypatch.setattr(translations, "_PREFERENCES", preferences)
    assert translations.system_tags() == ("ja-JP",)


@pytest.mark.usefixtures("macos")
def test_a_linux_desktop_is_neither_looked_at_nor_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        assert diagnosis._this_desktop(stack) is None
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("webbrowser.get", lambda: None)
    assert demo._has_desktop()


def test_a_token_cache_goes_to_the_keychain(macos: Macos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    vault, secret = KeyringVault(), "token " * 1_500
    vault.save(ADA, secret)
    assert KeyringVault().load(ADA) == secret
    assert vault.keyring_name == "macOS Keychain"
    for number, meaning in ((-25293, VaultError), (-25308, VaultLocked)):
        macos.refuse(number)
        with pytest.raises(VaultError) as caught:
            KeyringVault().load(ADA)
        assert type(caught.value) is meaning


# -- where macOS is as any Unix --------------------------------------------------------------------


@pytest.fixture
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("macos", "_signals")
def test_a_signal_ends_the_simulator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "say", lambda _line: signal.raise_signal(signal.SIGTERM))
    run = cli.simulator_command.callback
    assert run is not None
    assert run(port=0) == EXIT_OK


@pytest.mark.usefixtures("macos")
def test_the_main_thread_waits_without_a_limit() -> None:
    limits: list[float | None] = []

    def wait(limit_s: float | None) -> bool:
        limits.append(limit_s)
        return True

    App._wait(SimpleNamespace(_over=SimpleNamespace(wait=wait)))  # type: ignore[arg-type]
    assert limits == [None]


@pytest.mark.usefixtures("macos")
def test_the_control_socket_is_a_file_for_its_owner(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.prepare()
    address, key, is_over = home.socket_address, b"k" * KEY_BYTES, threading.Event()

    def handle(_: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        yield {"n": 1}
        is_over.wait(20)

    with ControlServer(address, key, handle) as server:
        assert Path(address).stat().st_mode & 0o777 == 0o600
        with pytest.raises(NotRunning):
            ask(address, key, {}, timeout_s=20, on_progress=lambda _: server.close())
        is_over.set()


@pytest.mark.usefixtures("macos")
def test_files_are_changed_with_their_modes(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    with open(path, "wb", opener=open_private) as file:
        file.write(b"interval_s = 60\n")
    settings_editor.change(path, "interval_s", lambda _now: 120, lambda _said: None)
    assert path.read_bytes() == b"interval_s = 120\n"
    assert path.stat().st_mode & 0o777 == 0o600
    make_private_folder(tmp_path / "state")
    make_private_folder(tmp_path / "state")
    assert check_system.folders([tmp_path / "state"]).found == str(tmp_path / "state")
    assert "Python" in check_system.versions({}).found


@pytest.mark.usefixtures("macos")
def test_a_hook_is_ended_with_its_group() -> None:
    script = "import signal; signal.pause()"
    hook = HookCommand([sys.executable, "-c", script], lambda _: None)
    hook.run({"id": 1})
    wait_until(lambda: bool(hook._running))
    hook.close()
    wait_until(lambda: not hook._running)


@pytest.mark.usefixtures("macos")
def test_a_page_is_a_process_of_its_own() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit(3)"]
    assert page_opener._start(command, stderr=subprocess.DEVNULL).wait(20) == 3


@pytest.mark.usefixtures("macos")
def test_keys_come_from_a_terminal(anew: Anew) -> None:
    loaded = anew("mailtray.terminal.ears")
    assert isinstance(loaded.own_ears(), loaded.UnixEars)
