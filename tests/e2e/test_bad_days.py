"""A full disk, a home that nobody may write to, and a program that has to end all the same."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.system import SystemClock
from mailtray.app.lifecycle import QUIT_DEADLINE_S
from mailtray.simulator import Fault
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.program import MAILTRAY, WAIT_S, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mailtray.simulator import Simulator

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits and modes as Linux has them"
)

# Root writes where it likes; without these two capabilities it asks the file modes like anybody.
PLAIN = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", *MAILTRAY)
IDLE_QUIT_S = 1.0
SLACK_S = 1.0
"""For a busy machine to start and end processes in."""


def poll_twice(program: Program) -> None:
    program.wait(program.mark(), event="polled", times=2)


@contextmanager
def full_disk(program: Program) -> Iterator[None]:
    """Let the running program write to no file."""
    _, most = resource.prlimit(program.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (0, most))
    yield
    resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def read_only_home(program: Program) -> Iterator[None]:
    """Take the right to write away from all of the home."""
    places = [program.home, *program.home.rglob("*")]
    modes = {place: place.stat().st_mode for place in places}
    for place, mode in modes.items():
        place.chmod(mode & ~0o222)
    yield
    for place, mode in modes.items():
        place.chmod(mode)


@pytest.fixture
def plain(simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path) -> Program:
    """A program for which file modes count, not started."""
    if shutil.which("setpriv") is None:
        pytest.skip("missing: setpriv")
    launcher = PLAIN if os.geteuid() == 0 else MAILTRAY
    return Program(tmp_path / "home", simulator.url, keyring_session.env, launcher=launcher)


@pytest.mark.parametrize("trouble", [full_disk, read_only_home])
def test_what_cannot_be_stored_is_said_once_and_told_once(
    plain: Program, simulator: Simulator, trouble: Callable[[Program], AbstractContextManager[None]]
) -> None:
    with plain as program:
        program.sign_in()
        ids = simulator.cloud.deliver()
        program.wait_told(ids)
        poll_twice(program)
        with trouble(program):
            for _ in range(3):
                ids += (new := simulator.cloud.deliver())
                program.wait_told(new)
                poll_twice(program)
            assert len(_said(program)) == 1
            assert "cannot be stored" in _said(program)[0]
        ids += (after := simulator.cloud.deliver())
        program.wait_told(after)
        poll_twice(program)
        assert program.told() == dict.fromkeys(ids, 1)
        # It is all on the disk again: a restart repeats nothing.
        program.kill(signal.SIGKILL)
        program.start()
        poll_twice(program)
        assert program.told() == dict.fromkeys(ids, 1)
        assert len(_said(program)) == 1
        assert not [line for line in program.output if "Traceback" in line]


def _said(program: Program) -> list[str]:
    return [e["title"] for e in program.events if e["event"] == "notification" and not e["ids"]]


def test_a_start_in_a_read_only_home_ends_in_words(plain: Program) -> None:
    with plain as program:
        program.kill(signal.SIGTERM)
        with read_only_home(program):
            done = subprocess.run(
                [*program.launcher, "run", *program._common(), "--tray", "none"],
                env=program._env,
                capture_output=True,
                text=True,
                timeout=WAIT_S,
                check=False,
            )
        assert done.returncode in {1, 2}
        assert "written to" in done.stderr
        assert "Traceback" not in done.stderr
        program.start()


# -- quitting ------------------------------------------------------------------------------------


def quit_s(program: Program) -> float:
    """End the program as a logout does and return the seconds it took."""
    clock = SystemClock()
    start_s = clock.monotonic_s()
    assert program.kill(signal.SIGTERM) == 0
    return clock.monotonic_s() - start_s


def test_an_idle_program_quits_at_once(program: Program) -> None:
    program.sign_in()
    took_s = [quit_s(program)]
    while min(took_s) >= IDLE_QUIT_S and len(took_s) < 3:
        program.start()
        took_s.append(quit_s(program))
    assert min(took_s) < IDLE_QUIT_S


@pytest.mark.parametrize("path", ["delta", "/token$"])
def test_a_fetch_that_hangs_keeps_nobody_from_quitting(
    program: Program, simulator: Simulator, path: str
) -> None:
    program.sign_in()
    simulator.cloud.add_fault(Fault(path=path, delay_s=60.0, times=None))
    simulator.cloud.expire_access_tokens()
    wait_until(lambda: any(one.fault for one in simulator.cloud.log()))
    assert quit_s(program) < QUIT_DEADLINE_S
    simulator.cloud.clear_faults()


def test_a_keyring_that_hangs_keeps_nobody_from_quitting(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    assert keyring_session.env  # skips where there is no keyring
    with (
        DesktopSession(display=False) as session,
        Program(tmp_path / "home", simulator.url, session.env) as program,
    ):
        program.sign_in()
        keyring = session._running["keyring"]
        keyring.send_signal(signal.SIGSTOP)
        try:
            simulator.cloud.expire_access_tokens()
            wait_until(lambda: simulator.cloud.counts()["token_refresh_token"] == 1)
            assert quit_s(program) < QUIT_DEADLINE_S + SLACK_S
        finally:
            keyring.send_signal(signal.SIGCONT)
