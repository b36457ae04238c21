"""A settings file that is changed while the real program runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.desktop.rig import wait_until
from tests.e2e.program import CLIENT_ID, Program
from tests.e2e.test_hook import keeping, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

OFTEN = "interval_s = 0.1\n"
MISTAKE = "Your settings have a mistake at interval_s"


@pytest.fixture
def program(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> Iterator[Program]:
    """The program, signed in, with all but its client id in a settings file."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text(OFTEN)
    with Program(home, simulator.url, keyring_session.env, interval_s=None) as running:
        running.sign_in()
        yield running


class WithoutClientId(Program):
    """A program whose client id is a setting, or nowhere."""

    def _common(self) -> list[str]:
        return super()._common()[:-2]


def write(program: Program, settings: str) -> None:
    """Change the settings file, as an editor does that puts a new one in its place."""
    draft = program.home / "draft"
    draft.write_text(settings)
    draft.replace(program.home / "settings.toml")


def told_of_settings(program: Program) -> list[str]:
    """Return the titles of what was said of mailtray itself."""
    return [e["title"] for e in program.events if e["event"] == "notification" and not e["ids"]]


def test_another_folder_is_watched(program: Program, simulator: Simulator) -> None:
    projects = simulator.cloud.add_folder("Letters")
    old = simulator.cloud.deliver(folder=projects)
    mark = program.mark()
    write(program, OFTEN + 'folders = ["inbox", "Inbox/Letters"]\n')
    program.wait(mark, event="polled", times=6)
    new = simulator.cloud.deliver(folder=projects) + simulator.cloud.deliver()
    program.wait_told(new)
    assert not program.told().keys() & set(old)
    assert program.told() == dict.fromkeys(new, 1)


def test_quiet_hours_and_the_interval_count_anew(program: Program, simulator: Simulator) -> None:
    write(program, OFTEN + 'quiet_hours = ["mon-sun 00:00-24:00"]\n')
    mark = program.mark()
    program.wait(mark, event="polled", times=2)
    assert json.loads(program.run("status", "--json").stdout)["quiet"] == "quiet_hours"
    unheard = simulator.cloud.deliver()
    program.wait(program.mark(), event="polled", times=2)
    assert not program.told()
    mark = program.mark()
    write(program, "interval_s = 3600\n")
    program.wait_told(unheard)
    assert program.run("check").returncode == 0
    polled = [e for e in program.events[mark:] if e["event"] == "polled"]
    assert polled[-1]["next_s"] > 1_800
    # Nothing is due for long; a command makes the change be seen at once.
    mark = program.mark()
    assert program.run("settings", "set", "interval_s", "0.1").returncode == 0
    program.wait(mark, event="polled", times=3)
    assert set(program.told().values()) == {1}
    assert told_of_settings(program) == []


def test_a_mistake_is_told_once_and_then_no_longer(program: Program, simulator: Simulator) -> None:
    write(program, "interval_s = 0.1.1\n")
    mistaken = program.wait(event="notification", title="Your settings have a mistake at line 1")
    assert str(program.home / "settings.toml") in mistaken["body"]
    program.wait(program.mark(), event="polled", times=3)
    write(program, "interval_s = 'often'\n")
    program.wait(event="notification", title=MISTAKE)
    program.wait(program.mark(), event="polled", times=3)
    ids = simulator.cloud.deliver()
    program.wait_told(ids)
    assert len(told_of_settings(program)) == 2
    assert MISTAKE in json.loads(program.run("status", "--json").stdout)["tooltip"]
    write(program, OFTEN)
    program.wait(program.mark(), event="polled", times=2)
    assert MISTAKE not in json.loads(program.run("status", "--json").stdout)["tooltip"]
    assert len(told_of_settings(program)) == 2


def test_what_counts_from_the_start_is_taken_over_in_the_same_process(
    program: Program, simulator: Simulator, tmp_path: Path
) -> None:
    script, kept = keeping(tmp_path)
    before = simulator.cloud.deliver()
    program.wait_told(before)
    pid = program.pid
    mark = program.mark()
    write(program, f'{OFTEN}hook = ["{script}"]\n')
    program.wait(mark, event="status", state="ok")
    mark = program.mark()
    program.wait(mark, event="polled")
    hooked = simulator.cloud.deliver()
    assert [one["id"] for one in wait_until(lambda: read(kept))] == hooked
    mark = program.mark()
    write(program, f'{OFTEN}log_level = "error"\n')
    program.wait(mark, event="status", state="ok")
    after = simulator.cloud.deliver()
    program.wait_told(after)
    assert program.told() == dict.fromkeys(before + hooked + after, 1)
    assert program.pid == pid
    assert len(read(kept)) == 1
    assert program.run("quit").returncode == 0
    assert program.ended() == 0
    assert not [line for line in program.output if "Traceback" in line or "Warning" in line]


def test_a_first_client_id_is_taken_over(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    env = keyring_session.env
    with WithoutClientId(tmp_path / "home", simulator.url, env, interval_s=None) as program:
        program.wait(event="status", state="attention")
        done = program.run("settings", "set", "client_id", CLIENT_ID)
        assert done.returncode == 0, done.stderr
        program.wait(event="status", state="signed_out")
        assert program.run("signin").returncode == 0
        program.wait(event="polled")
