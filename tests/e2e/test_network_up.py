"""The real program on a system bus of the test's own, offline until somebody says otherwise."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.desktop.rig import DesktopSession, missing_programs
from tests.desktop.system_services import CONNECTED_GLOBAL, DISCONNECTED, Logind, NetworkManager
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator

INTERVAL_S = 600.0
SOON_S = 3.0


@pytest.fixture(scope="module")
def system_bus() -> Iterator[str]:
    if missing := missing_programs(("bus",)):
        report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        report(f"needs {', '.join(missing)}")
    with DesktopSession(keyring=None, notify=False, tray=False, display=False) as session:
        yield session.env["DBUS_SESSION_BUS_ADDRESS"]


@pytest.fixture
def program(
    simulator: Simulator, keyring_session: DesktopSession, system_bus: str, tmp_path: Path
) -> Iterator[Program]:
    env = {**keyring_session.env, "DBUS_SYSTEM_BUS_ADDRESS": system_bus}
    with Program(tmp_path / "home", simulator.url, env, interval_s=INTERVAL_S) as running:
        running.sign_in()
        yield running


def test_a_network_that_comes_back_is_tried_at_once(
    program: Program, simulator: Simulator, system_bus: str
) -> None:
    ids = simulator.cloud.deliver()
    simulator.stop()
    with NetworkManager(system_bus) as network:
        mark = program.mark()
        program.run("check")
        assert program.wait(mark, event="failed")["next_s"] == 8.0
        # Still no network in truth: one attempt, and the back-off begins anew.
        mark = program.mark()
        told_s = time.perf_counter()
        network.tell(DISCONNECTED, CONNECTED_GLOBAL)
        assert program.wait(mark, event="failed")["next_s"] == 8.0
        assert time.perf_counter() - told_s < SOON_S
        simulator.start()
        mark = program.mark()
        told_s = time.perf_counter()
        network.tell(DISCONNECTED, CONNECTED_GLOBAL)
        program.wait(mark, event="polled")
        assert time.perf_counter() - told_s < SOON_S
    assert program.told() == dict.fromkeys(ids, 1)
    failed = [event for event in program.events if event["event"] == "failed"]
    assert len(failed) == 2


def test_a_wake_is_polled_once_and_a_network_is_nothing_to_who_is_online(
    program: Program, simulator: Simulator, system_bus: str
) -> None:
    simulator.cloud.clear_log()
    with NetworkManager(system_bus) as network, Logind(system_bus) as logind:
        mark = program.mark()
        network.tell(DISCONNECTED, CONNECTED_GLOBAL)
        logind.sleep_and_wake()
        network.tell(DISCONNECTED, CONNECTED_GLOBAL)
        program.wait(mark, event="polled")
        logind.sleep_and_wake()
        assert program.run("status").returncode == 0
    assert simulator.cloud.counts()["delta"] == 1
