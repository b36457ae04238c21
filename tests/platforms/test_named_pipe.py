"""The control socket where it is a named pipe: the interpreter's own code, on Windows' limits."""

from __future__ import annotations

import sys
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from mailtray.adapters import control_socket
from mailtray.adapters.control_socket import (
    CONVERSATIONS_MAX,
    KEY_BYTES,
    REFUSALS_MAX,
    REQUEST_MAX_BYTES,
    ControlServer,
    ask,
    follow,
)
from mailtray.adapters.settings_file import Home
from mailtray.core.errors import MailtrayError, NotRunning, VaultLocked
from tests.platforms.pipes import NAME_MAX_CHARS, load_pipes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.platforms.pipes import Pipes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="has pipes of its own")

KEY = b"k" * KEY_BYTES
PATIENCE_S = 20.0
LONG = "x" * 50_000


@pytest.fixture
def connection(windows: object, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a module
    del windows
    _pipes, connection = load_pipes(monkeypatch)
    monkeypatch.setattr(control_socket, "Listener", connection.Listener)
    monkeypatch.setattr(control_socket, "Client", connection.Client)
    return connection


@pytest.fixture
def pipes(connection: Any) -> Pipes:  # noqa: ANN401 - a module
    found: Pipes = connection._winapi
    return found


@pytest.fixture
def address(connection: object, tmp_path: Path) -> str:
    del connection
    return Home.at(tmp_path).socket_address


@pytest.fixture
def server(address: str) -> Iterator[ControlServer]:
    def handle(request: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        match request.get("command"):
            case "count":
                yield {"n": 1, "done": False}
                yield {"n": 2, "text": LONG, "done": True}
            case "fail":
                raise VaultLocked("The keyring is locked", "Unlock it.")
            case _:
                yield {"got": request, "done": True}

    with ControlServer(address, KEY, handle) as server:
        yield server


def test_the_address_is_the_name_of_a_pipe(address: str) -> None:
    assert address.startswith("\\\\.\\pipe\\mailtray-")
    assert "\\" not in address[9:]
    assert len(address) <= NAME_MAX_CHARS


@pytest.mark.usefixtures("server")
class TestAnswers:
    @pytest.mark.parametrize("text", ["Zoë \ud83d", LONG])
    def test_an_answer_whatever_its_length(self, address: str, text: str) -> None:
        request = {"command": "status", "text": text}
        assert ask(address, KEY, request, timeout_s=PATIENCE_S) == {"got": request, "done": True}

    def test_answers_until_the_last(self, address: str) -> None:
        heard: list[Mapping[str, object]] = []
        follow(address, KEY, {"command": "count"}, timeout_s=PATIENCE_S, on_answer=heard.append)
        assert [answer["n"] for answer in heard] == [1, 2]

    def test_an_error_is_an_answer(self, address: str) -> None:
        answer = ask(address, KEY, {"command": "fail"}, timeout_s=PATIENCE_S)
        assert answer == {"done": True, "error": "The keyring is locked", "hint": "Unlock it."}

    def test_a_wrong_key_is_answered_by_nobody(self, address: str) -> None:
        with pytest.raises(NotRunning):
            ask(address, b"w" * KEY_BYTES, {}, timeout_s=PATIENCE_S)
        assert ask(address, KEY, {"n": 1}, timeout_s=PATIENCE_S)["got"] == {"n": 1}

    def test_a_request_that_is_too_long_is_hung_up_on(self, address: str) -> None:
        with pytest.raises(NotRunning):
            ask(address, KEY, {"x": "y" * REQUEST_MAX_BYTES}, timeout_s=PATIENCE_S)
        assert ask(address, KEY, {"n": 1}, timeout_s=PATIENCE_S)["got"] == {"n": 1}

    def test_silent_clients_are_hung_up_on(
        self,
        address: str,
        connection: Any,  # noqa: ANN401 - a module
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(control_socket, "GREETING_S", 0.05)
        with connection.Client(address) as client:
            client.recv_bytes()
            with pytest.raises(EOFError):
                client.recv_bytes()
        assert ask(address, KEY, {"n": 1}, timeout_s=PATIENCE_S)["got"] == {"n": 1}

    def test_who_comes_when_all_places_are_taken_is_told_so(
        self,
        address: str,
        connection: Any,  # noqa: ANN401 - a module
    ) -> None:
        clients = [connection.Client(address) for _ in range(CONVERSATIONS_MAX)]
        for client in clients:
            assert client.recv_bytes()
        answer = ask(address, KEY, {"command": "status"}, timeout_s=PATIENCE_S)
        assert (answer["done"], answer["error"]) == (True, "mailtray is busy")
        more = [connection.Client(address) for _ in range(REFUSALS_MAX)]
        for client in more:
            assert client.recv_bytes()
        with pytest.raises(NotRunning):
            ask(address, KEY, {"command": "status"}, timeout_s=PATIENCE_S)
        for client in [*clients, *more]:
            client.close()

    def test_a_name_that_is_taken_is_not_shared(self, address: str) -> None:
        with pytest.raises(MailtrayError, match="cannot be opened"):
            ControlServer(address, KEY, lambda _: []).start()


def test_nobody_listens(address: str) -> None:
    with pytest.raises(NotRunning, match="not running"):
        ask(address, KEY, {}, timeout_s=PATIENCE_S)


def test_a_client_that_hangs_up_is_noticed(address: str) -> None:
    gone = Event()

    def handle(_: Mapping[str, object]) -> Iterator[Mapping[str, object] | None]:
        try:
            yield {"waiting": True}
            while True:
                yield None
        finally:
            gone.set()

    def give_up(_: Mapping[str, object]) -> None:
        raise KeyboardInterrupt

    with ControlServer(address, KEY, handle):
        with pytest.raises(KeyboardInterrupt):
            ask(address, KEY, {}, timeout_s=PATIENCE_S, on_progress=give_up)
        assert gone.wait(PATIENCE_S)


def test_closing_hangs_up_and_leaves_nothing_open(address: str, pipes: Pipes) -> None:
    never, heard = Event(), SimpleQueue[object]()

    def handle(_: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        yield {"waiting": True}
        never.wait(PATIENCE_S)

    def client() -> None:
        with pytest.raises(NotRunning):
            ask(address, KEY, {}, timeout_s=PATIENCE_S, on_progress=heard.put)
        heard.put("hung up")

    server = ControlServer(address, KEY, handle)
    server.start()
    thread = Thread(target=client)
    thread.start()
    heard.get(timeout=PATIENCE_S)
    server.close()
    assert heard.get(timeout=PATIENCE_S) == "hung up"
    thread.join(PATIENCE_S)
    never.set()
    assert not any(pipes.names.values())
    assert not pipes.ends


def test_the_next_program_has_the_name_again(address: str) -> None:
    for _ in range(2):
        with ControlServer(address, KEY, lambda _: [{"done": True}]):
            assert ask(address, KEY, {}, timeout_s=PATIENCE_S) == {"done": True}
