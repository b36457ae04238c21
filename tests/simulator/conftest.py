"""A simulator for each test, and a client's side of the wire that shares nothing with it."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

import msal
import pytest
import requests
from requests.adapters import HTTPAdapter

from mailtray.simulator import Simulator
from mailtray.simulator.grants import Permission

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
ADA = "ada@contoso.example"
START = 1_795_600_000.0
GRAPH = "https://graph.microsoft.com/v1.0"


class Carrier(HTTPAdapter):
    """Carries https requests to the simulator, their Host header kept."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(  # type: ignore[override]  # the keywords are passed on as they come
        self, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.headers["Host"] = parts.netloc
        request.url = self._url + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().send(request, **options)  # type: ignore[arg-type]  # as they came


@pytest.fixture
def clock() -> list[float]:
    """The simulator's time; the one number in it may be changed."""
    return [START]


@pytest.fixture
def sim(clock: list[float]) -> Iterator[Simulator]:
    with Simulator(now=lambda: clock[0]) as simulator:
        yield simulator


@pytest.fixture
def http(sim: Simulator) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", Carrier(sim.url))
        yield session


Graph = Callable[..., requests.Response]


@pytest.fixture
def graph(sim: Simulator, http: requests.Session) -> Graph:
    """Call Graph as someone signed in with the scopes named."""

    def call(
        method: str,
        path: str,
        *,
        scopes: str = "Mail.ReadWrite User.Read",
        username: str = ADA,
        prefer: str = 'IdType="ImmutableId"',
        json: object = None,
    ) -> requests.Response:
        permission = Permission(username, CLIENT_ID, frozenset(scopes.split()))
        with sim.cloud.lock:
            token = sim.cloud.grants.issue_access_token(permission, lifetime_s=60, answers=None)
        headers = {"Authorization": f"Bearer {token}", "Prefer": prefer}
        url = path if path.startswith("https:") else GRAPH + path
        return http.request(method, url, headers=headers, json=json, timeout=5)

    return call


@pytest.fixture
def app(sim: Simulator, http: requests.Session) -> msal.PublicClientApplication:
    """MSAL itself, unchanged, over the carried session."""
    assert sim.url
    return msal.PublicClientApplication(
        CLIENT_ID,
        authority="https://login.microsoftonline.com/common",
        instance_discovery=False,
        http_client=http,
    )


@pytest.fixture
def answers() -> list[dict[str, str]]:
    """What arrived at the redirect URI."""
    return []


@pytest.fixture
def redirect_uri(answers: list[dict[str, str]]) -> Iterator[str]:
    """The address of a program that waits for the answer of a sign-in."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._take(body)

        def do_GET(self) -> None:
            self._take(urlsplit(self.path).query)

        def _take(self, text: str) -> None:
            answers.append(dict(parse_qsl(text)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"You can close this page.")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join(5)
    server.server_close()
