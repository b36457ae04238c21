"""The real program on a real desktop, whole and with parts taken away."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Literal

import pytest

from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession, Place, wait_until
from tests.e2e.person import browser
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator

pytestmark = pytest.mark.desktop

ON_DESKTOP = ("--tray", "auto", "--notifier", "auto")
NOTIFICATION = Place(1080, 70)
HINT_S = 25.0


@pytest.fixture(scope="module")
def session() -> Iterator[DesktopSession]:
    require("bus", "display", "keyring", "notify", "tray")
    with DesktopSession() as whole:
        yield whole


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """A file that gets a line for every page that a browser was asked to open."""
    file = tmp_path / "opened"
    file.touch()
    return file


@pytest.fixture
def program(
    simulator: Simulator, session: DesktopSession, tmp_path: Path, opened: Path
) -> Iterator[Program]:
    session.run("dunstctl", "close-all")
    env = {**session.env, "BROWSER": noting_browser(tmp_path, opened)}
    with Program(tmp_path / "home", simulator.url, env, *ON_DESKTOP) as running:
        yield running


def noting_browser(folder: Path, opened: Path) -> str:
    """Return a ``BROWSER`` that signs in, and notes every other page it is to open."""
    script, signing_in = folder / "browser", browser() % '"$1"'
    script.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f"*/authorize*) exec {signing_in} ;;\n"
        f'*) echo "$1" >>"{opened}" ;;\n'
        "esac\n"
    )
    script.chmod(0o755)
    return f"{script} %s"


def test_a_click_on_a_notification_opens_that_message(
    program: Program, simulator: Simulator, session: DesktopSession, opened: Path
) -> None:
    program.sign_in()
    ids = simulator.cloud.deliver(subject="Click me")
    program.wait_told(ids)
    wait_until(lambda: session.displayed_notifications() == 1)
    session.click(NOTIFICATION)
    page = wait_until(opened.read_text).strip()
    assert page.startswith(f"{simulator.url}/mail/")
    assert ids[0] in page


def test_the_icon_is_in_the_panel_and_comes_back_with_it(
    program: Program, session: DesktopSession
) -> None:
    wait_until(lambda: len(session.registered_items()) == 1)
    session.restart_panel()
    wait_until(lambda: len(session.registered_items()) == 1)
    program.kill(signal.SIGTERM)
    wait_until(lambda: not session.registered_items())


def test_the_icon_comes_and_goes_with_its_setting(
    simulator: Simulator, session: DesktopSession, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with Program(home, simulator.url, session.env, "--notifier", "auto") as program:
        wait_until(lambda: len(session.registered_items()) == 1)
        for _ in range(2):
            assert program.run("settings", "set", "tray", "none").returncode == 0
            wait_until(lambda: not session.registered_items())
            assert program.run("settings", "unset", "tray").returncode == 0
            wait_until(lambda: len(session.registered_items()) == 1)
        program.sign_in()
        ids = simulator.cloud.deliver()
        program.wait_told(ids)
        assert program.kill(signal.SIGTERM) == 0
    assert not [line for line in program.output if "Traceback" in line or "Warning" in line]


def test_a_notification_server_that_comes_late_tells_then(
    program: Program, simulator: Simulator, session: DesktopSession
) -> None:
    program.sign_in()
    session.stop_notify()
    try:
        ids = simulator.cloud.deliver(count=2)
        mark = program.mark()
        program.wait(mark, event="polled", arrived=2)
        program.wait(mark, event="polled", times=3)
        assert not program.told()
    finally:
        session.start_notify()
    program.wait_told(ids)
    program.wait(program.mark(), event="polled", times=2)
    assert program.told() == dict.fromkeys(ids, 1)
    wait_until(lambda: session.displayed_notifications() == 1)  # one summary, not one each


def test_the_panels_left_click_checks_now_and_the_menu_quits(
    program: Program, simulator: Simulator, session: DesktopSession
) -> None:
    item = wait_until(session.registered_items)[0].partition("/")[0]
    program.sign_in()
    simulator.cloud.clear_log()
    call = ["dbus-send", f"--bus={session.env['DBUS_SESSION_BUS_ADDRESS']}", "--print-reply"]
    activate = "org.kde.StatusNotifierItem.Activate"
    session.run(*call, f"--dest={item}", "/StatusNotifierItem", activate, "int32:0", "int32:0")
    # "Check now" asks for the folder's own counter even where nothing changed.
    wait_until(lambda: any("mailFolders/inbox?" in f"{one.path}?" for one in simulator.cloud.log()))


Keyring = Literal["unlocked", "locked"] | None


@pytest.mark.parametrize(
    ("keyring", "words"),
    [
        pytest.param(None, "keyring", id="there is no keyring"),
        pytest.param("locked", "locked", id="the keyring is locked"),
    ],
)
def test_without_its_keyring_it_says_so_and_goes_on_in_memory(
    simulator: Simulator, tmp_path: Path, keyring: Keyring, words: str
) -> None:
    require("bus", "keyring")
    with (
        DesktopSession(display=False, keyring=keyring) as lame,
        Program(tmp_path / "home", simulator.url, lame.env) as program,
    ):
        status = program.wait(event="status", state="attention")
        assert words in status["tooltip"].lower()
        program.sign_in()
        ids = simulator.cloud.deliver()
        program.wait_told(ids)
        said = [e for e in program.events if e["event"] == "notification" and not e["ids"]]
        assert len(said) == 1, said
        assert words in said[0]["title"].lower()
    secrets = [*simulator.cloud.grants._refresh, *simulator.cloud.grants._access]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not [s for s in secrets if s.encode() in path.read_bytes()]


def test_without_bus_and_display_it_speaks_in_the_terminal(
    simulator: Simulator, tmp_path: Path
) -> None:
    with (
        DesktopSession(bus=False, display=False) as bare,
        Program(tmp_path / "home", simulator.url, bare.env, *ON_DESKTOP) as program,
    ):
        program.sign_in()
        ids = simulator.cloud.deliver(sender_name="Grace", subject="Terminal")
        program.wait_told(ids)
        wait_until(lambda: any("Grace: Terminal" in line for line in program.output))
        wait_until(lambda: any("icon" in line.lower() for line in program.output), HINT_S)


def test_without_a_tray_it_says_so_once_and_notifies(simulator: Simulator, tmp_path: Path) -> None:
    require("bus", "display", "keyring", "notify")
    with (
        DesktopSession(tray=False) as lame,
        Program(tmp_path / "home", simulator.url, lame.env, *ON_DESKTOP) as program,
    ):
        program.sign_in()
        ids = simulator.cloud.deliver()
        program.wait_told(ids)

        def hints() -> list[str]:
            own = [e for e in program.events if e["event"] == "notification" and not e["ids"]]
            return [e["title"] for e in own]

        assert "icon" in wait_until(hints, HINT_S)[0]
        assert len(hints()) == 1


def test_without_a_notification_server_nothing_is_lost(
    simulator: Simulator, tmp_path: Path
) -> None:
    require("bus", "display", "keyring", "tray")
    with (
        DesktopSession(notify=False) as lame,
        Program(tmp_path / "home", simulator.url, lame.env, *ON_DESKTOP) as program,
    ):
        program.sign_in()
        simulator.cloud.deliver()
        polled = program.wait(program.mark(), event="polled", times=2)
        status = json.loads(program.run("status", "--json").stdout)
        assert status["unread"] == simulator.cloud.unread_count()
        assert "notification" in status["tooltip"].lower()
        assert polled["arrived"] == 1  # still to be told
