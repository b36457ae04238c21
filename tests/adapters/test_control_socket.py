from __future__ import annotations

import os
import pickle
import socket
import stat
import struct
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Client
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters import control_socket
from mailtray.adapters.control_socket import (
    CONVERSATIONS_MAX,
    KEY_BYTES,
    REFUSALS_MAX,
    REQUEST_MAX_BYTES,
    ControlServer,
    SingleInstance,
    ask,
    follow,
    load_authkey,
    read_authkey,
)
from mailtray.adapters.system import SystemClock
from mailtray.core.errors import (
    AlreadyRunning,
    ConfigError,
    MailtrayError,
    NotRunning,
    StateError,
    VaultLocked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

if sys.platform == "win32":
    pytest.skip("pipes have no files", allow_module_level=True)

KEY = b"k" * KEY_BYTES
PATIENCE_S = 10.0


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("s") / "s")


@pytest.fixture
def release() -> Event:
    return Event()


@pytest.fixture
def server(address: str, release: Event) -> Iterator[ControlServer]:
    def handle(request: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        match request.get("command"):
            case "count":
                yield {"n": 1, "done": False}
                yield {"n": 2, "done": False}
                yield {"n": 3, "done": True}
                pytest.fail("nobody asks for more after the last answer")
            case "nothing":
                return
            case "fail":
                raise VaultLocked("The keyring is locked", "Unlock it.")
            case "wait":
                yield {"waiting": True}
                release.wait(PATIENCE_S)
                yield {"done": True}
            case _:
                yield {"got": request, "done": True}

    with ControlServer(address, KEY, handle) as server:
        yield server
        release.set()


@pytest.mark.usefixtures("server")
class TestAnswers:
    def test_an_answer(self, address: str) -> None:
        request = {"command": "status", "text": "Zoë \ud83d", "n": [1, None, True]}
        answer = ask(address, KEY, request, timeout_s=PATIENCE_S)
        assert answer == {"got": request, "done": True}

    def test_answers_until_the_last(self, address: str) -> None:
        progress: list[Mapping[str, object]] = []
        answer = ask(
            address, KEY, {"command": "count"}, timeout_s=PATIENCE_S, on_progress=progress.append
        )
        assert [reply["n"] for reply in progress] == [1, 2]
        assert answer == {"n": 3, "done": True}

    def test_no_answer_is_an_answer(self, address: str) -> None:
        assert ask(address, KEY, {"command": "nothing"}, timeout_s=PATIENCE_S) == {"done": True}

    def test_an_error_is_an_answer(self, address: str) -> None:
        answer = ask(address, KEY, {"command": "fail"}, timeout_s=PATIENCE_S)
        assert answer == {"done": True, "error": "The keyring is locked", "hint": "Unlock it."}

    def test_an_error_of_the_listener_to_progress_is_its_own(self, address: str) -> None:
        def broken_pipe(_: Mapping[str, object]) -> None:
            raise BrokenPipeError

        with pytest.raises(BrokenPipeError):
            ask(address, KEY, {"command": "count"}, timeout_s=PATIENCE_S, on_progress=broken_pipe)

    def test_a_long_conversation_keeps_nobody_waiting(self, address: str, release: Event) -> None:
        waiting: SimpleQueue[object] = SimpleQueue()
        thread = Thread(
            target=ask,
            args=(address, KEY, {"command": "wait"}),
            kwargs={"timeout_s": PATIENCE_S, "on_progress": waiting.put},
        )
        thread.start()
        waiting.get(timeout=PATIENCE_S)
        assert ask(address, KEY, {"n": 1}, timeout_s=PATIENCE_S)["got"] == {"n": 1}
        release.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()

    def test_the_socket_is_for_its_owner_alone(self, address: str) -> None:
        assert stat.S_IMODE(Path(address).stat().st_mode) == 0o600

    def test_no_answer_in_time(self, address: str) -> None:
        with pytest.raises(NotRunning, match="does not answer"):
            ask(address, KEY, {"command": "wait"}, timeout_s=0.05)


def _raw(address: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(address)
    return client


def _expect_end(client: socket.socket) -> None:
    client.settimeout(PATIENCE_S)
    with suppress(ConnectionResetError):
        while client.recv(4_096):
            pass


def _message(raw: bytes) -> bytes:
    return struct.pack("!i", len(raw)) + raw


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("unpickled",))


HOSTILE = [
    pytest.param(b"", id="nothing at all"),
    pytest.param(b"\x00", id="a quarter of a length"),
    pytest.param(struct.pack("!i", 64) + b"x", id="half a greeting"),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
    pytest.param(_message(b"x" * 64), id="a wrong proof"),
    pytest.param(_message(b""), id="an empty greeting"),
    pytest.param(struct.pack("!i", -1) + struct.pack("!Q", 2**62), id="an endless greeting"),
    pytest.param(struct.pack("!i", -5), id="a negative length"),
    pytest.param(_message(pickle.dumps(_Bomb())), id="a pickle"),
]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("raw", HOSTILE)
def test_hostile_bytes_break_nothing(
    address: str, raw: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with _raw(address) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        _expect_end(client)
    assert ask(address, KEY, {"n": 1}, timeout_s=PATIENCE_S)["got"] == {"n": 1}
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"{", id="half an object"),
        pytest.param(b"[1]", id="no object"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b'{"x":"' + b"y" * REQUEST_MAX_BYTES + b'"}', id="too long"),
        pytest.param(pickle.dumps(_Bomb()), id="a pickle"),
    ],
)
def test_a_request_that_is_none_is_hung_up_on(
    address: str, request_bytes: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Client(address) as client:
        control_socket._greet_server(client, KEY, PATIENCE_S)
        with suppress(BrokenPipeError):
            client.send_bytes(request_bytes)
        with pytest.raises((EOFError, OSError)):
            client.recv_bytes()
    assert ask(address, KEY, {"n": 1}, timeout_s=PATIENCE_S)["got"] == {"n": 1}
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("server")
def test_a_wrong_key_is_answered_by_nobody(address: str) -> None:
    with pytest.raises(NotRunning):
        ask(address, b"w" * KEY_BYTES, {"command": "status"}, timeout_s=PATIENCE_S)


@pytest.mark.usefixtures("server")
def test_silent_clients_are_hung_up_on(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "GREETING_S", 0.05)
    clients = [_raw(address) for _ in range(CONVERSATIONS_MAX)]
    for client in clients:
        with client:
            _expect_end(client)
    assert ask(address, KEY, {"n": 1}, timeout_s=PATIENCE_S)["got"] == {"n": 1}


@pytest.mark.usefixtures("server")
def test_who_comes_when_all_places_are_taken_is_told_so(address: str) -> None:
    clients = [_raw(address) for _ in range(CONVERSATIONS_MAX)]
    for client in clients:
        # Once the greeting is here, its place is taken.
        client.recv(1)
    answer = ask(address, KEY, {"command": "status"}, timeout_s=PATIENCE_S)
    assert (answer["done"], answer["error"]) == (True, "mailtray is busy")
    more = [_raw(address) for _ in range(REFUSALS_MAX)]
    for client in more:
        client.recv(1)
    with pytest.raises(NotRunning, match="does not answer"):
        ask(address, KEY, {"command": "status"}, timeout_s=PATIENCE_S)
    for client in [*clients, *more]:
        client.close()


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


def test_who_follows_waits_for_as_long_as_nothing_is_new(address: str) -> None:
    news: SimpleQueue[Mapping[str, object]] = SimpleQueue()
    heard: SimpleQueue[object] = SimpleQueue()
    ended: SimpleQueue[NotRunning] = SimpleQueue()

    def handle(_: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        while True:
            yield news.get(timeout=PATIENCE_S)

    def listen() -> None:
        try:
            follow(address, KEY, {}, timeout_s=1.0, on_answer=heard.put)
        except NotRunning as error:
            ended.put(error)

    with ControlServer(address, KEY, handle):
        thread = Thread(target=listen)
        thread.start()
        news.put({"n": 1})
        assert heard.get(timeout=PATIENCE_S) == {"n": 1}
        with pytest.raises(Empty):
            ended.get(timeout=1.5)
        news.put({"n": 2})
        assert heard.get(timeout=PATIENCE_S) == {"n": 2}
    assert ended.get(timeout=PATIENCE_S).title == "mailtray does not answer"
    news.put({"done": True})
    thread.join(PATIENCE_S)


def test_who_follows_is_done_after_the_last_answer(address: str) -> None:
    heard: list[Mapping[str, object]] = []
    told: list[Mapping[str, object]] = [{"n": 1}, {"done": True}]
    with ControlServer(address, KEY, lambda _: told):
        follow(address, KEY, {}, timeout_s=PATIENCE_S, on_answer=heard.append)
    assert heard == told
    with pytest.raises(NotRunning, match="not running"):
        follow(address, KEY, {}, timeout_s=PATIENCE_S, on_answer=heard.append)


def test_a_client_that_does_not_believe_a_false_server(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as false_server:
        false_server.bind(address)
        false_server.listen()

        def pretend() -> None:
            client, _ = false_server.accept()
            with client:
                client.sendall(_message(b"n" * KEY_BYTES))
                client.recv(4_096)
                client.sendall(_message(b"p" * KEY_BYTES) + _message(b'{"done":true}'))

        thread = Thread(target=pretend)
        thread.start()
        with pytest.raises(NotRunning):
            ask(address, KEY, {"secret": 1}, timeout_s=PATIENCE_S)
        thread.join(PATIENCE_S)


# -- start and end -------------------------------------------------------------------------------


def test_nobody_listens(address: str) -> None:
    with pytest.raises(NotRunning, match="not running"):
        ask(address, KEY, {}, timeout_s=PATIENCE_S)


def test_a_socket_that_a_killed_program_left_is_replaced(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(address)
    with pytest.raises(NotRunning):
        ask(address, KEY, {}, timeout_s=PATIENCE_S)
    with ControlServer(address, KEY, lambda _: [{"done": True}]):
        assert ask(address, KEY, {}, timeout_s=PATIENCE_S) == {"done": True}


def test_a_file_that_is_no_socket_is_left_alone(address: str) -> None:
    Path(address).write_text("precious", encoding="utf-8")
    with pytest.raises(MailtrayError, match="cannot be opened"):
        ControlServer(address, KEY, lambda _: []).start()
    assert Path(address).read_text(encoding="utf-8") == "precious"


def test_closing_is_quick_and_hangs_up(address: str) -> None:
    clock = SystemClock()
    never, waiting = Event(), SimpleQueue[object]()

    def handle(_: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        yield {"waiting": True}
        never.wait(PATIENCE_S)

    def client() -> None:
        with pytest.raises(NotRunning):
            ask(address, KEY, {}, timeout_s=PATIENCE_S, on_progress=waiting.put)
        waiting.put("hung up")

    server = ControlServer(address, KEY, handle)
    server.start()
    thread = Thread(target=client)
    thread.start()
    waiting.get(timeout=PATIENCE_S)
    with _raw(address):
        began_s = clock.monotonic_s()
        server.close()
        assert clock.monotonic_s() - began_s < 1
    assert waiting.get(timeout=PATIENCE_S) == "hung up"
    assert not Path(address).exists()
    never.set()
    thread.join(PATIENCE_S)


def test_closing_what_never_started(address: str) -> None:
    ControlServer(address, KEY, lambda _: []).close()


# -- key and lock --------------------------------------------------------------------------------


def test_a_key_is_drawn_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "control.key"
    key = load_authkey(path)
    assert len(key) == KEY_BYTES
    assert load_authkey(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["control.key"]


def test_homes_have_keys_of_their_own(tmp_path: Path) -> None:
    assert load_authkey(tmp_path / "1") != load_authkey(tmp_path / "2")


def test_a_damaged_key_is_drawn_again(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    assert len(load_authkey(tmp_path / "key")) == KEY_BYTES


def test_the_second_to_draw_takes_the_first_ones_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    draw = control_socket._draw_authkey
    keys = []

    def draw_late(path: Path) -> bytes:
        keys.append(draw(path))
        return draw(path)

    monkeypatch.setattr(control_socket, "_draw_authkey", draw_late)
    assert load_authkey(path) == keys[0]


def test_a_key_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(StateError):
        load_authkey(tmp_path / "key")


def test_reading_the_key_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state" / "control.key"
    with pytest.raises(NotRunning, match="not running"):
        read_authkey(path)
    assert not list(tmp_path.iterdir())
    key = load_authkey(path)
    assert read_authkey(path) == key
    path.write_bytes(b"short")
    with pytest.raises(NotRunning):
        read_authkey(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError):
        read_authkey(path)


def test_only_one_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "state" / "mailtray.lock"
    with SingleInstance(path), pytest.raises(AlreadyRunning), SingleInstance(path):
        pytest.fail("two hold it")
    with SingleInstance(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


_HOLDING = """
import sys
from pathlib import Path
from mailtray.adapters.control_socket import SingleInstance
with SingleInstance(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_process_gives_the_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "mailtray.lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning), SingleInstance(path):
            pytest.fail("two hold it")
        process.kill()
        process.wait(PATIENCE_S)
        with SingleInstance(path):
            pass


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lock = SingleInstance(tmp_path / "file" / "mailtray.lock")
    with pytest.raises(ConfigError) as caught, lock:
        pytest.fail("it cannot be held")
    assert "--home" in caught.value.hint
