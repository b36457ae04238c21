"""The HTTP server: one port on the loopback, keep-alive, and answers torn on demand."""

import json
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from cheroot import wsgi
from cheroot.server import HTTPConnection
from flask import Blueprint, Flask, Response, request

from mailtray import look
from mailtray.simulator import control, control_api, entra, sign_in, webmail
from mailtray.simulator.cloud import Cloud
from mailtray.simulator.gate import WIRE_KEY, Gate
from mailtray.simulator.graph import answer
from mailtray.simulator.graph_batch import answer_batch
from mailtray.simulator.graph_call import GraphRequest, Reply
from mailtray.simulator.web import KEY

ADDRESS = "127.0.0.1"
THREADS = 12
JOIN_TIMEOUT_S = 5.0
GRAPH_HOSTS = (
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
)


class Simulator:
    """Microsoft 365 on the loopback.

    One port serves both hosts: sign-in and Graph are told apart by their paths. A client
    reaches it by carrying ``https://login.microsoftonline.com`` and
    ``https://graph.microsoft.com`` to `url` with their Host headers kept.

    Args:
        port: TCP port; 0 takes a free one, and keeps it if started again.
        now: The clock, in seconds since 1970; it dates mail and ends tokens.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        now: Callable[[], float] = time.time,  # noqa: TID251 (the simulator's one real clock; tests pass theirs)
    ) -> None:
        self.cloud = Cloud(now)
        self.url = ""
        self._port = port
        self._stopping = threading.Event()
        self._server: wsgi.Server | None = None
        self._thread: threading.Thread | None = None
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()

    def start(self) -> None:
        """Bind the port and serve it from a thread of its own.

        Raises:
            OSError: The port is taken.
        """
        self._stopping.clear()
        server = wsgi.Server((ADDRESS, self._port), _refuse_all, numthreads=THREADS)
        server.gateway = _Gateway
        server.ConnectionClass = self._connection
        server.shutdown_timeout = 1
        server.timeout = 120
        server.expiration_interval = 0.05  # how soon the accept loop sees that it shall stop
        server.prepare()
        if sys.platform != "win32":
            # Else the port could not be bound again while connections to it are remembered.
            server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = server.bind_addr[1]
        self.url = self.cloud.base_url = f"http://{ADDRESS}:{port}"
        hosts = frozenset({f"{ADDRESS}:{port}", f"localhost:{port}"})
        server.wsgi_app = Gate(
            self.cloud, build_app(self.cloud, self._pause), hosts=hosts, pause=self._pause
        )
        self._port = port  # a restart is found where it was
        self._server = server
        self._thread = threading.Thread(target=server.serve, name="simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port; delays and half requests under way end at once."""
        self._stopping.set()
        for connection in tuple(self._open):
            with suppress(OSError):
                # Else a thread would read on until the server's time is out.
                connection.socket.shutdown(socket.SHUT_RD)
        if self._server is not None:
            self._server.stop()
        if self._thread is not None:
            self._thread.join(JOIN_TIMEOUT_S)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _connection(self, *args: object) -> Any:  # noqa: ANN401 (cheroot has no types)
        connection = HTTPConnection(*args)
        self._open.add(connection)
        return connection

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._stopping.wait(seconds)


def _refuse_all(_environ: object, _start: object) -> tuple[bytes, ...]:
    return ()


def build_app(cloud: Cloud, pause: Callable[[float], None]) -> Flask:
    """Put the pages and endpoints together.

    Args:
        cloud: The state they show and change.
        pause: Waits a number of seconds.
    """
    app = Flask(__name__, static_folder=look.FOLDER, static_url_path="/static")
    app.extensions[KEY] = cloud
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    for blueprint in (
        entra.blueprint,
        sign_in.blueprint,
        webmail.blueprint,
        control.blueprint,
        control_api.blueprint,
        _graph_blueprint(cloud, pause),
    ):
        app.register_blueprint(blueprint)
    return app


def _graph_blueprint(cloud: Cloud, pause: Callable[[float], None]) -> Blueprint:
    blueprint = Blueprint("graph", __name__)

    @blueprint.route("/v1.0/<path:path>", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    def graph(path: str) -> Response:
        host = request.host.partition(":")[0].lower()
        call = GraphRequest(
            method=request.method,
            path=path,
            options=request.args.to_dict(),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.get_json(force=True, silent=True) if request.get_data() else None,
            origin=f"https://{host if host in GRAPH_HOSTS else GRAPH_HOSTS[0]}",
        )
        if path.lower() == "$batch" and request.method == "POST":
            return _respond(answer_batch(cloud, call, pause))
        return _respond(answer(cloud, call))

    return blueprint


def _respond(reply: Reply) -> Response:
    if isinstance(reply.body, str):
        text = reply.body
    else:
        text = "" if reply.body is None else json.dumps(reply.body)
    response = Response(text, reply.status)
    if reply.body is not None:
        response.headers["Content-Type"] = (
            "application/json;odata.metadata=minimal;odata.streaming=true;"
            "IEEE754Compatible=false;charset=utf-8"
        )
    response.headers.update(reply.headers)
    return response


class _Gateway(wsgi.Gateway_10):
    """Hands the connection itself to the gate."""

    def get_environ(self) -> Any:  # noqa: ANN401 (cheroot's stub says None)
        environ: Any = super().get_environ()  # type: ignore[no-untyped-call]  # cheroot's stub
        environ[WIRE_KEY] = _Connection(self.req)
        return environ


class _Connection:
    """The gate's `Wire` over one of cheroot's connections."""

    def __init__(self, req: Any) -> None:  # noqa: ANN401 (cheroot's request has no types)
        self._req = req

    def close_without_answer(self) -> None:
        """Shut the socket; cheroot is told that everything is sent."""
        self._req.sent_headers = True
        self._req.close_connection = True
        self._req.conn.socket.shutdown(socket.SHUT_RDWR)

    def send_torn_headers(self) -> None:
        """Send half a header line, then shut the socket."""
        self._req.conn.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: applic")
        self._req.conn.wfile.flush()
        self.close_without_answer()

    def close_after_answer(self) -> None:
        """Let cheroot close the connection when it has written what there is."""
        self._req.close_connection = True
