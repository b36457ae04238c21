"""Two programs, two homes, two commands at once: one account is never harmed by the other."""

from __future__ import annotations

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from mailtray import bootstrap
from mailtray.adapters.control_socket import SingleInstance
from mailtray.adapters.settings_file import Home
from mailtray.bootstrap import Options
from mailtray.simulator import Fault
from tests.desktop.rig import wait_until
from tests.e2e.kept import kept_refresh_token
from tests.e2e.program import MAILTRAY, WAIT_S, Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

AT_ONCE = 20


@pytest.fixture(autouse=True)
def _on_the_bus(keyring_session: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = keyring_session.env["DBUS_SESSION_BUS_ADDRESS"]
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)


@pytest.fixture
def other(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> Iterator[Program]:
    """A program in another home, not started."""
    program = Program(tmp_path / "other", simulator.url, keyring_session.env)
    yield program
    program.__exit__()


def run_at_once(program: Program, *commands: str) -> list[subprocess.CompletedProcess[str]]:
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(program.run, commands))


def poll_twice(program: Program) -> None:
    program.wait(program.mark(), event="polled", times=2)


def assert_one_whole_cache(program: Program, simulator: Simulator) -> None:
    """See that the vault has one account, whole, with the newest refresh token of its chain."""
    token = kept_refresh_token(program.home)
    with simulator.cloud.lock:
        assert not simulator.cloud.grants._refresh[token].used
    assert simulator.cloud.counts()["used_refresh_tokens_refused"] == 0


@pytest.mark.parametrize("command", ["check", "status"])
def test_many_ask_the_running_program_at_once(
    program: Program, simulator: Simulator, command: str
) -> None:
    program.sign_in()
    ids = simulator.cloud.deliver(count=2)
    simulator.cloud.expire_access_tokens()
    options = Options(home=program.home)
    start = Barrier(AT_ONCE)

    def ask(_: int) -> object:
        start.wait(WAIT_S)
        return bootstrap.ask(options, {"command": command}, timeout_s=WAIT_S)["accounts"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert all(pool.map(ask, range(AT_ONCE)))
    program.wait_told(ids)
    poll_twice(program)
    assert program.told() == dict.fromkeys(ids, 1)
    assert_one_whole_cache(program, simulator)


def test_many_check_with_nothing_running(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    program.kill(signal.SIGTERM)
    simulator.cloud.expire_access_tokens()
    done = run_at_once(program, *["check"] * 3)
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    assert simulator.cloud.counts()["token_refresh_token"] == 1
    assert_one_whole_cache(program, simulator)


def test_many_sign_in_at_once(program: Program, simulator: Simulator) -> None:
    done = run_at_once(program, *["signin"] * 3)
    assert [one.returncode for one in done] == [0] * 3, [one.stderr for one in done]
    poll_twice(program)
    assert_one_whole_cache(program, simulator)


def test_signing_out_and_in_and_asking_at_once(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    done = run_at_once(program, *["signout", "signin", "check", "status"] * 2)
    assert not [one.stderr for one in done if "Traceback" in one.stderr]
    program.sign_in()
    ids = simulator.cloud.deliver()
    program.wait_told(ids)
    poll_twice(program)
    assert_one_whole_cache(program, simulator)


def test_a_second_program_in_one_home_leaves_at_once(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    mark = program.mark()
    done = program.run("run", "--tray", "none")
    assert (done.returncode, "already running" in done.stderr) == (3, True)
    ids = simulator.cloud.deliver()
    program.wait_told(ids)
    poll_twice(program)
    assert program.told() == dict.fromkeys(ids, 1)
    assert not [e for e in program.events[mark:] if e["event"] == "failed"]
    assert_one_whole_cache(program, simulator)


def test_two_homes_on_one_account_renew_their_own_tokens(
    program: Program, other: Program, simulator: Simulator
) -> None:
    other.start()
    for each in (program, other):
        each.sign_in()
        poll_twice(each)
    ids: list[str] = []
    for _ in range(5):
        with simulator.cloud.lock:
            simulator.cloud.expire_access_tokens()
            ids += simulator.cloud.deliver()
        for each in (program, other):
            each.wait_told(ids)
    for each in (program, other):
        poll_twice(each)
        assert each.told() == dict.fromkeys(ids, 1)
        assert not [e for e in each.events if e["event"] == "failed"]
        assert_one_whole_cache(each, simulator)
    assert simulator.cloud.counts()["token_refresh_token"] == 10


def test_a_program_that_starts_during_a_lone_check_waits_for_it(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    program.kill(signal.SIGTERM)
    simulator.cloud.expire_access_tokens()
    simulator.cloud.clear_log()
    # The check is on its way, holding the home, while the program starts.
    simulator.cloud.add_fault(Fault(path="/token$", delay_s=2.0))
    check = start(program, "check")
    wait_until(lambda: simulator.cloud.counts()["token"] == 1)
    resident = start(program, "run", "--tray", "none", "--events", "jsonl")
    assert resident.stdout is not None
    try:
        assert '"status"' in resident.stdout.readline()
    finally:
        resident.terminate()
        resident.communicate(timeout=WAIT_S)
        _, complaints = check.communicate(timeout=WAIT_S)
    assert (check.returncode, complaints) == (0, "")
    assert_one_whole_cache(program, simulator)


def start(program: Program, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MAILTRAY, *words, *program._common()],
        env=program._env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_program_that_waits_for_its_home_can_be_ended(
    program: Program, how: signal.Signals
) -> None:
    assert program.run("quit").returncode == 0
    program.ended()
    with SingleInstance(Home.at(program.home).lock_path):
        waiting = start(program, "run", "--tray", "none")
        # By then its signals are heard; it has no other way to tell that it waits.
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(2.0)
        waiting.send_signal(how)
        _, said = waiting.communicate(timeout=5)
    assert (waiting.returncode, "already running" in said) == (3, True)
