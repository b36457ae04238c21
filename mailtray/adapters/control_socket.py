"""How other processes of the same person talk to the running program, and how it stays alone.

A request is one JSON object, and so is each answer; the last answer has ``"done": true``. They
travel as bytes over :mod:`multiprocessing.connection` (a Unix socket, a named pipe on Windows),
whose pickles are never used. Both sides first prove that they know the key in a file which only
the person can read: a pipe's name can be taken by anybody.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import socket
import stat
import struct
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Listener
from pathlib import Path
from threading import BoundedSemaphore, Event, Thread
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mailtray.adapters.private_files import (
    FILE_MODE,
    OTHER_HOME_HINT,
    make_private_folder,
    open_private,
)
from mailtray.core import text
from mailtray.core.errors import (
    AlreadyRunning,
    ConfigError,
    MailtrayError,
    NotRunning,
    StateError,
)
from mailtray.core.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from multiprocessing.connection import _ConnectionBase as Connection
    from types import TracebackType
    from typing import Self

    Object = Mapping[str, object]
    Handle = Callable[[Object], Iterable[Object | None]]

LOG = logging.getLogger(__name__)

REQUEST_MAX_BYTES = 64 * 1024
REPLY_MAX_BYTES = 4 * 1024 * 1024
CONVERSATIONS_MAX = 32
"""So many are served at once, one thread each, since a sign-in takes minutes; no more."""
REFUSALS_MAX = 4
"""So many more are told that all places are taken; whoever comes then is hung up on."""
GREETING_S = 5.0
"""A client that is silent for longer is hung up on, in seconds."""
CLOSING_S = 0.5
NOT_RUNNING = (N_("mailtray is not running"), N_("Start it with “mailtray run”."))
KEY_BYTES = 32


class _Stranger(Exception):
    """The other side does not know the key."""


# -- the running program -------------------------------------------------------------------------


class ControlServer:
    """Answers requests on threads of its own; a context manager that serves until its end."""

    def __init__(self, address: str, authkey: bytes, handle: Handle) -> None:
        """Prepare; nothing listens before :meth:`start`.

        Args:
            address: Path of the socket, or name of the pipe.
            authkey: What clients have to know; see :func:`load_authkey`.
            handle: Called on a thread per conversation; yields the answers to a request, and
                ``None`` now and then while it waits for one: a client that has hung up is
                noticed there, and the generator closed. A ``MailtrayError`` becomes the last
                answer, as ``error`` and ``hint``.
        """
        self._address = address
        self._authkey = authkey
        self._handle = handle
        self._is_closing = Event()
        self._places = BoundedSemaphore(CONVERSATIONS_MAX)
        self._refusals = BoundedSemaphore(REFUSALS_MAX)
        self._conversations: set[Connection] = set()
        self._listener: Listener | None = None
        self._thread = Thread(target=self._run, name="mailtray-control", daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def start(self) -> None:
        """Listen; a socket that a killed program left behind is replaced.

        The caller holds the home's lock, so nobody else can be listening.

        Raises:
            MailtrayError: The address cannot be used.
        """
        try:
            self._listener = _listen(self._address)
        except OSError as exc:
            raise MailtrayError(
                _("The control socket cannot be opened"),
                _("Check that {path} can be written to.").format(path=self._address),
            ) from exc
        self._thread.start()

    def close(self) -> None:
        """Stop listening and hang up, within a second."""
        self._is_closing.set()
        if self._listener is None:
            return
        with suppress(OSError):
            # Nothing else wakes an accept on all systems.
            Client(self._address).close()
        self._thread.join(CLOSING_S)
        with suppress(OSError):
            self._listener.close()
        for conversation in tuple(self._conversations):
            _hang_up(conversation)

    def _run(self) -> None:
        while not self._is_closing.is_set():
            try:
                connection = self._accept()
            except OSError:
                # Out of descriptors, say; the next try may do better, but not at once.
                self._is_closing.wait(CLOSING_S)
                continue
            if self._is_closing.is_set():
                connection.close()
            elif self._places.acquire(blocking=False):
                self._begin(connection, self._places, self._handle)
            elif self._refusals.acquire(blocking=False):
                self._begin(connection, self._refusals, _refuse)
            else:
                connection.close()

    def _begin(self, connection: Connection, places: BoundedSemaphore, handle: Handle) -> None:
        self._conversations.add(connection)
        conversation = (connection, places, handle)
        Thread(
            target=self._converse, args=conversation, name="mailtray-control-n", daemon=True
        ).start()

    def _accept(self) -> Connection:
        if self._listener is None:
            raise OSError("not listening")
        return self._listener.accept()

    def _converse(self, connection: Connection, places: BoundedSemaphore, handle: Handle) -> None:
        try:
            with connection:
                _be_patient(connection, GREETING_S)
                _greet_client(connection, self._authkey)
                _answer(connection, handle, _receive(connection, REQUEST_MAX_BYTES, GREETING_S))
        except (_Stranger, OSError, EOFError, ValueError) as exc:
            LOG.info("A conversation on the control socket ended early: %s", type(exc).__name__)
        finally:
            self._conversations.discard(connection)
            places.release()


def _answer(connection: Connection, handle: Handle, request: Object) -> None:
    try:
        replies = handle(request)
        try:
            _send_all(connection, replies)
        finally:
            if isinstance(replies, Generator):
                # At once, and not when the garbage is collected: it lets go of what it asked.
                replies.close()
    except MailtrayError as exc:
        failure = {"done": True, "error": exc.title, "hint": exc.hint}
        connection.send_bytes(_encode(failure))


def _send_all(connection: Connection, replies: Iterable[Object | None]) -> None:
    for reply in replies:
        if reply is not None:
            connection.send_bytes(_encode(reply))
            if reply.get("done"):
                return
        elif connection.poll():
            # A client says nothing after its request, so this is its end.
            raise EOFError
    connection.send_bytes(_encode({"done": True}))


def _refuse(_request: Object) -> Iterable[Object]:
    raise MailtrayError(*map(_, text.BUSY))


def _listen(address: str) -> Listener:
    if sys.platform == "win32":
        return Listener(address, "AF_PIPE")
    path = Path(address)
    make_private_folder(path.parent)
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    listener = Listener(address, "AF_UNIX", backlog=CONVERSATIONS_MAX)
    path.chmod(FILE_MODE)
    return listener


class SingleInstance:
    """The lock of a home; a context manager. The system takes it back when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(str(path), timeout=0, mode=FILE_MODE, thread_local=False)

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            AlreadyRunning: Another process holds it.
            ConfigError: The lock's file cannot be made.
        """
        try:
            make_private_folder(self._path.parent)
            self._lock.acquire()
        except Timeout as exc:
            raise AlreadyRunning(
                _("mailtray is already running"),
                _("Look for its icon, or run “mailtray quit” first."),
            ) from exc
        except OSError as exc:
            problem = _("cannot be written to: {reason}").format(reason=exc.strerror or exc)
            raise ConfigError(
                origin=str(self._path.parent), key="", problem=problem, hint=_(OTHER_HOME_HINT)
            ) from exc
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock back."""
        self._lock.release()


def is_answered(address: str) -> bool:
    """Say whether a program listens there; a command that acts alone does not."""
    try:
        Client(address).close()
    except OSError:
        return False
    return True


# -- other processes -----------------------------------------------------------------------------


def ask(
    address: str,
    authkey: bytes,
    request: Object,
    *,
    timeout_s: float,
    on_progress: Callable[[Object], None] | None = None,
) -> dict[str, object]:
    """Ask the running program something and return its last answer.

    Args:
        address: Where it listens.
        authkey: The key it expects.
        request: A JSON object.
        timeout_s: How long to wait for each answer, in seconds.
        on_progress: Receives the answers before the last.

    Raises:
        NotRunning: Nobody listens there, or not to this key, or no answer came in time.
    """
    with _conversation(address, authkey, request, timeout_s) as connection:
        while True:
            with _no_answer():
                reply = _receive(connection, REPLY_MAX_BYTES, timeout_s)
            if reply.get("done"):
                return reply
            if on_progress is not None:
                on_progress(reply)


def follow(
    address: str,
    authkey: bytes,
    request: Object,
    *,
    timeout_s: float,
    on_answer: Callable[[Object], None],
) -> None:
    """Ask the running program something, and listen for as long as it has answers.

    Args:
        address: Where it listens.
        authkey: The key it expects.
        request: A JSON object.
        timeout_s: How long it may take to begin, in seconds; between two answers it may be silent.
        on_answer: Receives them.

    Raises:
        NotRunning: Nobody listens there, or not to this key, or nobody does any more.
    """
    with _conversation(address, authkey, request, timeout_s) as connection:
        is_over = False
        while not is_over:
            with _no_answer():
                reply = _receive(connection, REPLY_MAX_BYTES, None)
            on_answer(reply)
            is_over = bool(reply.get("done"))


@contextmanager
def _conversation(
    address: str, authkey: bytes, request: Object, timeout_s: float
) -> Iterator[Connection]:
    """Yield the way to the running program, the request sent.

    Raises:
        NotRunning: Nobody listens there, or not to this key.
    """
    try:
        connection = Client(address)
    except OSError as exc:
        raise NotRunning(*map(_, NOT_RUNNING)) from exc
    with connection:
        with _no_answer():
            _be_patient(connection, timeout_s)
            _greet_server(connection, authkey, timeout_s)
            connection.send_bytes(_encode(request))
        yield connection


@contextmanager
def _no_answer() -> Iterator[None]:
    """Whoever took the call is there, whatever becomes of it."""
    try:
        yield
    except (_Stranger, OSError, EOFError, ValueError) as exc:
        raise NotRunning(_("mailtray does not answer"), _("End it and start it again.")) from exc


def read_authkey(path: Path) -> bytes:
    """Return the key of a home's control socket, for asking: that makes nothing.

    Raises:
        NotRunning: There is none, so nothing ever ran there.
        ConfigError: It cannot be read.
    """
    try:
        key = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise NotRunning(*map(_, NOT_RUNNING)) from exc
    except OSError as exc:
        problem = _("cannot be read: {reason}").format(reason=exc.strerror or exc)
        raise ConfigError(
            origin=str(path), key="", problem=problem, hint=_(OTHER_HOME_HINT)
        ) from exc
    if len(key) != KEY_BYTES:
        raise NotRunning(*map(_, NOT_RUNNING))
    return key


def load_authkey(path: Path) -> bytes:
    """Return the key of a home's control socket, drawing it the first time.

    Raises:
        StateError: The file can be neither read nor made.
    """
    try:
        with suppress(FileNotFoundError):
            key = path.read_bytes()
            if len(key) == KEY_BYTES:
                return key
            path.unlink()
        return _draw_authkey(path)
    except OSError as exc:
        raise StateError(
            _("The control socket's key cannot be read"),
            _("Check that {path} is yours and can be written to.").format(path=path),
        ) from exc


def _draw_authkey(path: Path) -> bytes:
    make_private_folder(path.parent)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(draft, "wb", opener=open_private) as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    try:
        # Whoever is second takes the first one's key; a rename would replace it.
        os.link(draft, path)
    except FileExistsError:
        draft.unlink()
    except OSError:
        draft.replace(path)
    else:
        draft.unlink()
    return path.read_bytes()


# -- both sides ----------------------------------------------------------------------------------


def _greet_client(connection: Connection, authkey: bytes) -> None:
    mine = secrets.token_bytes(KEY_BYTES)
    connection.send_bytes(mine)
    answer = _receive_bytes(connection, 2 * KEY_BYTES, GREETING_S)
    theirs, proof = answer[:KEY_BYTES], answer[KEY_BYTES:]
    if not hmac.compare_digest(proof, _proof(authkey, b"client", mine, theirs)):
        raise _Stranger
    connection.send_bytes(_proof(authkey, b"server", theirs, mine))


def _greet_server(connection: Connection, authkey: bytes, timeout_s: float) -> None:
    theirs = _receive_bytes(connection, KEY_BYTES, timeout_s)
    mine = secrets.token_bytes(KEY_BYTES)
    connection.send_bytes(mine + _proof(authkey, b"client", theirs, mine))
    proof = _receive_bytes(connection, KEY_BYTES, timeout_s)
    if not hmac.compare_digest(proof, _proof(authkey, b"server", mine, theirs)):
        raise _Stranger


def _proof(authkey: bytes, side: bytes, *nonces: bytes) -> bytes:
    return hmac.digest(authkey, side + b"".join(nonces), "sha256")


def _encode(message: Object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def _receive(connection: Connection, most_bytes: int, timeout_s: float | None) -> dict[str, object]:
    message = json.loads(_receive_bytes(connection, most_bytes, timeout_s))
    if not isinstance(message, dict):
        raise ValueError("not an object")  # noqa: TRY004 # the other side's mistake
    return message


def _receive_bytes(connection: Connection, most_bytes: int, timeout_s: float | None) -> bytes:
    if not connection.poll(timeout_s):
        raise TimeoutError
    return connection.recv_bytes(most_bytes)


def _be_patient(connection: Connection, timeout_s: float) -> None:
    """Bound how long the rest of a begun message may take, where the system can."""
    if sys.platform == "win32":
        return
    seconds, rest = divmod(max(timeout_s, 0.001), 1)
    bound = struct.pack("ll", int(seconds), int(rest * 1_000_000))
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            same.setsockopt(socket.SOL_SOCKET, option, bound)


def _hang_up(connection: Connection) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            connection.close()
            return
        # Closing would not wake the thread that reads from it.
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
