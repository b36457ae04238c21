"""Microsoft 365 for all who are measured: the simulator behind TLS, and a proxy that counts.

Everybody is led there by ``HTTPS_PROXY``, so that each talks to ``https://graph.microsoft.com``
with the code and the connections it would have there, and the bytes are counted on the wire, TLS
and its handshakes among them.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
from contextlib import ExitStack
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple, Self

import msal
import requests
import trustme

from mailtray.simulator import Simulator
from mailtray.simulator.browser import enter_device_code
from tests.e2e.company_network import (
    LOOPBACK,
    MICROSOFT,
    ForwardProxy,
    TlsFront,
    server_context,
    without_delay,
)
from tests.e2e.program import CLIENT_ID

if TYPE_CHECKING:
    from pathlib import Path

USERNAME = "ada@contoso.example"
SCOPES = ("Mail.Read",)
"""What the peers ask for, as their tutorials do."""
BODY_WORDS = 1_200
AUTHORITY = "https://login.microsoftonline.com/common"
_CHUNK_BYTES = 64 * 1024
_IDLE_S = 300.0


class Traffic(NamedTuple):
    """What went over the wire until now, or between two moments.

    Attributes:
        up: Bytes to the server.
        down: Bytes from it.
        connections: Connections opened.
        delta: Rounds of messages/delta asked for.
        graph: Requests to Graph.
        token: Requests for tokens.
    """

    up: int
    down: int
    connections: int
    delta: int
    graph: int
    token: int

    def since(self, before: Traffic) -> Traffic:
        """Return what came after an earlier moment."""
        return Traffic(*(now - then for now, then in zip(self, before, strict=True)))

    @property
    def bytes(self) -> int:
        """Bytes both ways."""
        return self.up + self.down


class CountingProxy(ForwardProxy):
    """Counts the bytes that it carries, and keeps idle connections open as Graph does."""

    def __init__(self, routes: dict[str, int]) -> None:
        self.up = self.down = self.connections = 0
        super().__init__(routes)

    def _lead(self, client: socket.socket, host: str) -> None:
        self.connections += 1
        with without_delay(socket.create_connection((LOOPBACK, self._routes[host]))) as upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            client.settimeout(None)
            with self._kept_open(upstream):
                self._carry(client, upstream)

    def _carry(self, client: socket.socket, upstream: socket.socket) -> None:
        while True:
            for each in select.select([client, upstream], [], [], _IDLE_S)[0]:
                data = each.recv(_CHUNK_BYTES)
                if not data:
                    return
                if each is client:
                    self.up += len(data)
                    upstream.sendall(data)
                else:
                    self.down += len(data)
                    client.sendall(data)


class BenchCloud:
    """The simulator, TLS and proxy, while the context lasts.

    Attributes:
        simulator: Its mail, and what was asked of it.
        env: What leads a process there.
    """

    def __init__(self, folder: Path) -> None:
        self.simulator = Simulator()
        self._folder = folder
        self._stack = ExitStack()
        self.env: dict[str, str] = {}

    def __enter__(self) -> Self:
        root = trustme.CA(organization_name="mailtray bench")
        bundle = self._folder / "root.pem"
        root.cert_pem.write_to_path(bundle)
        simulator = self._stack.enter_context(self.simulator)
        port = int(simulator.url.rpartition(":")[2])
        front = self._stack.enter_context(TlsFront(server_context(root), port))
        self._proxy = self._stack.enter_context(CountingProxy(dict.fromkeys(MICROSOFT, front.port)))
        there = f"http://{LOOPBACK}:{self._proxy.port}"
        self.env = {"HTTPS_PROXY": there, "https_proxy": there, "NO_PROXY": "127.0.0.1,localhost",
                    "REQUESTS_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": str(bundle)}  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def traffic(self) -> Traffic:
        """Return what went over the wire until now."""
        counts, proxy = self.simulator.cloud.counts(), self._proxy
        return Traffic(
            proxy.up, proxy.down, proxy.connections, counts["delta"], counts["graph"],
            counts["token"],
        )  # fmt: skip

    def fill_inbox(self) -> None:
        """Put unread messages of ordinary length into the first account's inbox."""
        dice = random.Random(2)
        words = ["".join(dice.choices(ascii_lowercase, k=dice.randint(2, 9))) for _ in range(900)]
        for _ in range(10):
            self.simulator.cloud.deliver(preview=" ".join(dice.choices(words, k=BODY_WORDS)))

    def token_cache(self, username: str = USERNAME) -> str:
        """Sign in as a peer would; returns MSAL's serialized cache, which stays in memory."""
        cache = msal.SerializableTokenCache()
        with _Environment(self.env), requests.Session() as session:
            app = msal.PublicClientApplication(
                CLIENT_ID, authority=AUTHORITY, token_cache=cache, http_client=session
            )
            flow = app.initiate_device_flow(scopes=list(SCOPES))
            page = f"{self.simulator.url}/devicelogin"
            enter_device_code(page, flow["user_code"], username=username)
            found = app.acquire_token_by_device_flow(flow)
        if "access_token" not in found:
            raise RuntimeError(f"No token for the peers: {found.get('error_description')}")
        return json.dumps(json.loads(cache.serialize()))  # in a single line


class _Environment:
    """Variables that are set for a while."""

    def __init__(self, wanted: dict[str, str]) -> None:
        self._wanted = wanted
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._wanted}
        os.environ.update(self._wanted)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
