"""Paused, in quiet hours and undisturbed: the real program, and what it tells afterwards."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.system import SystemClock
from tests.desktop.conftest import require
from tests.desktop.presence_services import ScreenSaver
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator


def poll_twice(program: Program) -> None:
    """Wait until a poll that began after now has come back."""
    program.wait(program.mark(), event="polled", times=2)


def summaries(program: Program) -> list[tuple[str, set[str]]]:
    """Return the notifications about mail, each with its messages."""
    shown = [e for e in program.events if e["event"] == "notification" and e["ids"]]
    return [(e["title"], set(e["ids"])) for e in shown]


def test_what_came_in_a_pause_and_is_still_unread_is_one_summary(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    paused = program.run("pause", "2h")
    assert (paused.returncode, paused.stdout[:13]) == (0, "Paused until ")
    event = program.wait(event="paused")
    ids = [simulator.cloud.deliver()[0] for _ in range(3)]
    poll_twice(program)
    simulator.cloud.mark(ids[:1], is_read=True)
    poll_twice(program)
    state = json.loads(program.run("status", "--json").stdout)
    assert (state["quiet"], state["paused_until"]) == ("paused", event["until"])
    assert state["unread"] == simulator.cloud.unread_count()
    assert state["tooltip"].startswith("Paused until ")
    assert summaries(program) == []
    resumed = program.run("resume")
    assert (resumed.returncode, resumed.stdout) == (0, "Not paused\n")
    program.wait(event="resumed")
    program.wait_told(ids[1:])
    poll_twice(program)
    assert summaries(program) == [("2 new messages", set(ids[1:]))]


def test_a_restart_stays_paused(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    assert program.run("pause").stdout == "Paused until you resume\n"
    first = simulator.cloud.deliver()
    poll_twice(program)
    program.kill(signal.SIGKILL)
    mark = program.mark()
    program.start()
    assert program.wait(mark, event="paused")["until"] is None
    second = simulator.cloud.deliver()
    poll_twice(program)
    assert summaries(program) == []
    assert program.run("pause", "off").returncode == 0
    program.wait_told(first + second)
    assert summaries(program) == [("2 new messages", set(first + second))]


def test_a_pause_that_is_none_is_named(program: Program) -> None:
    done = program.run("pause", "soon")
    assert done.returncode == 2
    assert "30m" in done.stderr
    assert json.loads(program.run("status", "--json").stdout)["quiet"] is None


def test_quiet_hours_hold_back_until_they_are_no_more(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    now = SystemClock().now().astimezone()
    start, end = now - timedelta(hours=2), now + timedelta(hours=2)
    home, settings = tmp_path / "home", tmp_path / "home" / "settings.toml"
    home.mkdir(mode=0o700)
    settings.write_text(f'quiet_hours = ["mon-sun {start:%H:%M}-{end:%H:%M}"]\n')
    with Program(home, simulator.url, keyring_session.env) as program:
        program.sign_in()
        ids = simulator.cloud.deliver(count=2)
        poll_twice(program)
        state = json.loads(program.run("status", "--json").stdout)
        assert (state["quiet"], state["paused_until"]) == ("quiet_hours", None)
        assert state["tooltip"].startswith("Quiet until ")
        assert summaries(program) == []
        program.kill(signal.SIGTERM)
        settings.write_text("quiet_hours = []\n")
        program.start()
        program.wait_told(ids)
        assert summaries(program) == [("2 new messages", set(ids))]


@pytest.fixture(scope="module")
def session() -> Iterator[DesktopSession]:
    require("bus", "display", "keyring", "notify")
    with DesktopSession(tray=False) as whole:
        yield whole


@pytest.mark.desktop
@pytest.mark.parametrize("why", ["do_not_disturb", "locked"])
def test_what_came_while_the_desktop_was_not_to_disturb_is_one_summary(
    simulator: Simulator, session: DesktopSession, tmp_path: Path, why: str
) -> None:
    session.run("dunstctl", "close-all")
    saver = ScreenSaver(session.env["DBUS_SESSION_BUS_ADDRESS"])
    desktop = ("--tray", "none", "--notifier", "auto")
    switch: Callable[[bool], object] = {
        "do_not_disturb": lambda on: session.run("dunstctl", "set-paused", str(on).lower()),
        "locked": lambda on: saver.switch(to=on),
    }[why]
    with saver, Program(tmp_path / "home", simulator.url, session.env, *desktop) as program:

        def quiet() -> str:
            return str(json.loads(program.run("status", "--json").stdout)["quiet"])

        program.sign_in()
        before = simulator.cloud.deliver()
        program.wait_told(before)
        switch(True)
        wait_until(lambda: quiet() == why)
        ids = [simulator.cloud.deliver()[0] for _ in range(3)]
        poll_twice(program)
        assert session.displayed_notifications() <= 1
        switch(False)
        program.wait_told(ids)
        assert summaries(program)[1:] == [("3 new messages", set(ids))]
        wait_until(lambda: session.displayed_notifications() == 2)
