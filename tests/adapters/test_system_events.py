"""What the system bus tells, from stand-ins for its services on a bus of the test's own."""

from __future__ import annotations

import os
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest
from dbus_fast.message import Message

from mailtray.adapters.desktop_loop import DesktopLoop
from mailtray.adapters.system_events import (
    LOGIND_MANAGER,
    LOGIND_PATH,
    NETWORK,
    NETWORK_PATH,
    SystemEvents,
)
from tests.desktop.rig import DesktopSession, missing_programs, wait_until
from tests.desktop.system_services import (
    CONNECTED_GLOBAL,
    CONNECTED_LOCAL,
    CONNECTED_SITE,
    CONNECTING,
    DISCONNECTED,
    Logind,
    NetworkManager,
    Stranger,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 5.0


@pytest.fixture(scope="module")
def _bus() -> Iterator[str]:
    if missing := missing_programs(("bus",)):
        report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        report(f"needs {', '.join(missing)}")
    with DesktopSession(keyring=None, notify=False, tray=False, display=False) as session:
        yield session.env["DBUS_SESSION_BUS_ADDRESS"]


@pytest.fixture
def address(_bus: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", _bus)
    return _bus


class Listening:
    """System events, and what they told."""

    def __init__(self) -> None:
        self.loop = DesktopLoop()
        self.heard: SimpleQueue[str] = SimpleQueue()
        self.events = SystemEvents(
            self.loop,
            on_network_up=lambda: self.heard.put("network"),
            on_wake=lambda: self.heard.put("wake"),
        )
        self.events.start()

    def until_connected(self) -> Listening:
        wait_until(lambda: self.events._bus.is_open)
        return self

    def next(self) -> str:
        return self.heard.get(timeout=WAIT_S)

    def close(self) -> None:
        self.events.close()
        self.loop.close()


@pytest.fixture
def listening(address: str) -> Iterator[Listening]:  # noqa: ARG001 - in the environment
    listening = Listening().until_connected()
    yield listening
    listening.close()


def test_a_network_that_comes_up_is_told(listening: Listening, address: str) -> None:
    with NetworkManager(address) as network, Logind(address) as logind:
        network.tell(DISCONNECTED, CONNECTING, CONNECTED_LOCAL)
        network.tell(CONNECTED_SITE, CONNECTED_GLOBAL)
        assert [listening.next(), listening.next()] == ["network"] * 2
        network.tell(DISCONNECTED)
        logind.sleep_and_wake()
        assert listening.next() == "wake"
        assert listening.heard.empty()


def test_a_sleep_is_told_at_its_end(listening: Listening, address: str) -> None:
    with Logind(address) as logind:
        logind.go_to_sleep()
        logind.sleep_and_wake()
        assert listening.next() == "wake"
        logind.sleep_and_wake()
        assert listening.next() == "wake"
        assert listening.heard.empty()


def test_a_service_that_comes_late_or_again_is_heard(listening: Listening, address: str) -> None:
    with NetworkManager(address) as network:
        network.tell(CONNECTED_GLOBAL)
        assert listening.next() == "network"
        network.vanish()
        network.appear()
        network.tell(CONNECTED_GLOBAL)
        assert listening.next() == "network"


def test_a_strangers_signals_are_not_heard(listening: Listening, address: str) -> None:
    name = listening.events._bus.unique_name

    def signals(destination: str | None) -> list[Message]:
        network = Message.new_signal(NETWORK_PATH, NETWORK, "StateChanged", "u", [CONNECTED_GLOBAL])
        wake = Message.new_signal(LOGIND_PATH, LOGIND_MANAGER, "PrepareForSleep", "b", [False])
        network.destination = wake.destination = destination
        return [network, wake]

    with NetworkManager(address) as network, Stranger(address) as stranger:
        stranger.forge(*signals(None), *signals(name))
        network.tell(CONNECTED_GLOBAL)
        assert listening.next() == "network"
        assert listening.heard.empty()


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        pytest.param("s", ["70"], id="a word"),
        pytest.param("", [], id="nothing"),
        pytest.param("uu", [70, 70], id="two"),
    ],
)
def test_a_signal_of_another_form_is_none(
    listening: Listening, address: str, signature: str, body: list[object]
) -> None:
    odd = Message.new_signal(NETWORK_PATH, NETWORK, "StateChanged", signature, body)
    with NetworkManager(address) as network:
        network.do(_send(network, odd))
        network.tell(CONNECTED_SITE)
        assert listening.next() == "network"
        assert listening.heard.empty()


async def _send(service: NetworkManager, message: Message) -> None:
    assert service._bus is not None
    await service._bus.send(message)


@pytest.mark.parametrize(
    "bus", ["unix:path={folder}/no-bus", "nonsense", "unix:path={folder}/file", "tcp:"]
)
def test_without_a_system_bus_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bus: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.format(folder=tmp_path))
    listening = Listening()
    opened = listening.loop.submit(listening.events._open())
    assert opened.result(WAIT_S) is None
    assert not listening.events._bus.is_open
    listening.close()
    assert listening.heard.empty()


def test_a_bus_that_breaks_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    with DesktopSession(keyring=None, notify=False, tray=False, display=False) as session:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", session.env["DBUS_SESSION_BUS_ADDRESS"])
        listening = Listening().until_connected()
    wait_until(lambda: not listening.events._bus.is_open)
    listening.close()
    assert listening.heard.empty()
