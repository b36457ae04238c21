"""A company's network on the loopback: a forward proxy, and a server that inspects TLS behind it.

The program asks the proxy for ``login.microsoftonline.com:443``; the proxy leads it to the front,
which has a certificate for that name of a root of its own and hands on what it reads to the
simulator. No name is looked up and nothing leaves the machine.
"""

from __future__ import annotations

import base64
import select
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from tests.e2e.program import CLIENT_ID, Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import trustme

MICROSOFT = ("login.microsoftonline.com", "graph.microsoft.com")
LOOPBACK = "127.0.0.1"
MOST_CONNECTIONS = 32
IDLE_S = 30.0
QUIET = ("--tray", "none", "--notifier", "console")
_HEAD_BYTES = 16 * 1024
_CHUNK_BYTES = 64 * 1024


class _Server(ABC):
    """Serves each connection in a thread, at most ``MOST_CONNECTIONS`` at once."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server((LOOPBACK, port))
        self.port: int = self._listener.getsockname()[1]
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_over = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections and threads."""
        self._is_over = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._accepting.join(IDLE_S)
        for thread in self._threads:
            thread.join(IDLE_S)

    def hang_up(self) -> None:
        """End the connections that are open."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    @abstractmethod
    def serve(self, client: socket.socket) -> None:
        """Serve one connection to its end."""

    def _accept(self) -> None:
        while not self._is_over:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._slots.acquire(blocking=False):
                client.close()
                continue
            thread = threading.Thread(target=self._serve_one, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve_one(self, client: socket.socket) -> None:
        client.settimeout(IDLE_S)
        without_delay(client)
        try:
            with client, self._kept_open(client), suppress(OSError):
                self.serve(client)
        finally:
            self._slots.release()

    @contextmanager
    def _kept_open(self, one: socket.socket) -> Iterator[None]:
        """Let :meth:`hang_up` reach a socket."""
        with self._lock:
            self._open.add(one)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(one)


class TlsFront(_Server):
    """Ends TLS and hands on what it reads to a server that speaks plain http.

    Args:
        context: The certificate to show, until :meth:`show` gives another.
        upstream_port: The server's, on the loopback.
    """

    def __init__(self, context: ssl.SSLContext, upstream_port: int) -> None:
        self._context = context
        self._upstream_port = upstream_port
        super().__init__()

    def show(self, context: ssl.SSLContext) -> None:
        """Show another certificate from the next connection on, and end those that are open."""
        self._context = context
        self.hang_up()

    def serve(self, client: socket.socket) -> None:
        with (
            self._context.wrap_socket(client, server_side=True) as inside,
            without_delay(
                socket.create_connection((LOOPBACK, self._upstream_port), IDLE_S)
            ) as upstream,
            # The client's own socket went into the wrapped one, which only its thread may touch.
            self._kept_open(upstream),
        ):
            relay(inside, upstream)


class ForwardProxy(_Server):
    """Leads ``CONNECT host:443`` to where it is told that the host is.

    Args:
        routes: Port on the loopback of each host; others are refused.
        login: Name and password that are wanted, ``name:password``, or empty for none.
        port: Where to listen; 0 picks a free one.

    Attributes:
        asked: How often each host was asked for and let through.
        turned_away: How often name and password were missing or wrong.
    """

    def __init__(self, routes: Mapping[str, int], login: str = "", port: int = 0) -> None:
        self._routes = routes
        self._wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self.asked: Counter[str] = Counter()
        self.turned_away = 0
        super().__init__(port)

    def serve(self, client: socket.socket) -> None:
        method, target, given = _head(client)
        host = target.removesuffix(":443")
        if method != "CONNECT":
            _answer(client, "405 Method Not Allowed")
        elif self._wanted and given != self._wanted:
            self.turned_away += 1
            _answer(client, "407 Proxy Authentication Required",
                    'Proxy-Authenticate: Basic realm="contoso"')  # fmt: skip
        elif host not in self._routes:
            _answer(client, "403 Forbidden")
        else:
            self._lead(client, host)

    def _lead(self, client: socket.socket, host: str) -> None:
        try:
            upstream = without_delay(
                socket.create_connection((LOOPBACK, self._routes[host]), IDLE_S)
            )
        except OSError:
            _answer(client, "502 Bad Gateway")
            return
        self.asked[host] += 1
        with upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            relay(client, upstream)


def _head(client: socket.socket) -> tuple[str, str, str]:
    """Read a request's head; returns its method, its target and who asks."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _HEAD_BYTES:
        more = client.recv(_CHUNK_BYTES)
        if not more:
            raise ConnectionResetError
        head += more
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    names = {name.lower(): value.strip() for name, _, value in (s.partition(":") for s in lines)}
    return method, target, names.get("proxy-authorization", "")


def _answer(client: socket.socket, status: str, header: str = "X-Proxy: contoso") -> None:
    client.sendall(f"HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\n\r\n".encode())


def without_delay(one: socket.socket) -> socket.socket:
    """Have small parts sent at once; else one that hands on waits 40 ms for an acknowledgement."""
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until a side ends or is silent for too long.

    In a single thread: an OpenSSL connection is not for two at once.
    """
    across = {one: other, other: one}
    while True:
        unread = [s for s in across if isinstance(s, ssl.SSLSocket) and s.pending()]
        for each in unread or select.select(list(across), [], [], IDLE_S)[0] or [one]:
            data = each.recv(_CHUNK_BYTES)
            if not data:
                return
            across[each].sendall(data)


def server_context(root: trustme.CA) -> ssl.SSLContext:
    """Return a server's side of TLS, with a certificate of ``root`` for Microsoft's names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    root.issue_cert(*MICROSOFT, LOOPBACK).configure_cert(context)
    return context


class OfficeProgram(Program):
    """The program as an employee has it: Microsoft's own addresses, and the company's network."""

    def __init__(
        self, home: Path, env: Mapping[str, str], *options: str, service_url: str = ""
    ) -> None:
        options = (*QUIET, *options)
        # Ten seconds are the shortest interval that a real service is asked in.
        super().__init__(home, service_url, env, *options, interval_s=10)

    def _common(self) -> list[str]:
        service = ["--service-url", self._service_url] if self._service_url else []
        return ["--home", str(self.home), "--client-id", CLIENT_ID, *service]

    def said(self) -> str:
        """Return all that it wrote: events, standard error and its log."""
        logs = [path.read_text() for path in self.home.rglob("*.log*")]
        return "\n".join([*map(str, self.events), *self.output, *logs])
