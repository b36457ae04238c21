"""What stands between the socket and the pages: host check, log, throttle, faults, gzip."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from mailtray.simulator.cloud import Cloud
from mailtray.simulator.faults import Fault
from mailtray.simulator.traffic import LOGGED_HEADERS, LoggedRequest

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

OFFICIAL_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
    }
)
SECRET_PARAMETERS = frozenset({"state", "nonce", "code", "code_challenge", "id_token_hint"})
MAX_BODY_BYTES = 4 * 1024 * 1024
_BODILESS = frozenset({204, 304})


class Wire(Protocol):
    """The connection a request came over, for answers no HTTP library would give."""

    def close_without_answer(self) -> None:
        """Close the connection as it is."""
        ...

    def send_torn_headers(self) -> None:
        """Send the beginning of an answer, then close."""
        ...

    def close_after_answer(self) -> None:
        """Close once the answer, however short, is written."""
        ...


WIRE_KEY = "mailtray.wire"


@dataclass
class Answer:
    """An answer on its way out."""

    status: int
    headers: dict[str, str]
    body: bytes


class Gate:
    """The WSGI application the server runs, around the Flask one.

    Args:
        cloud: State, faults and log.
        app: The pages and endpoints.
        hosts: Names and addresses of the simulator itself, with port.
        pause: Waits a number of seconds; returns early when the server stops.
    """

    def __init__(
        self,
        cloud: Cloud,
        app: "WSGIApplication",
        *,
        hosts: frozenset[str],
        pause: Callable[[float], None],
    ) -> None:
        self._cloud = cloud
        self._app = app
        self._hosts = hosts
        self._pause = pause
        self._in_flight: Counter[str] = Counter()

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        host, path = environ.get("HTTP_HOST", "").lower(), environ["PATH_INFO"]
        if not self._may_enter(host, environ):
            return _send(start, Answer(403, {"Content-Type": "text/plain"}, b"Unknown host.\n"))
        body = _read_body(environ)
        if body is None:
            return _send(start, Answer(413, {"Content-Type": "text/plain"}, b"Too large.\n"))
        if path == "/" or path.startswith(("/_sim", "/static/")):
            return self._app(environ, start)
        return self._serve(environ, start, body)

    def _may_enter(self, host: str, environ: "WSGIEnvironment") -> bool:
        """Refuse other names for this address, and forms of other sites."""
        if host not in self._hosts and host not in OFFICIAL_HOSTS:
            return False
        origin = environ.get("HTTP_ORIGIN")
        return origin is None or urlsplit(str(origin)).netloc.lower() == host

    def _serve(
        self, environ: "WSGIEnvironment", start: "StartResponse", body: bytes
    ) -> Iterable[bytes]:
        method, target = environ["REQUEST_METHOD"], _target(environ)
        mailbox = self._mailbox(environ)
        with self._cloud.lock:
            logged = self._log(environ, body)
            fault = self._cloud.faults.take(method, target)
            logged.fault = fault is not None
            self._in_flight[mailbox] += 1
            crowded = bool(mailbox) and self._in_flight[mailbox] > self._cloud.concurrency_limit
        try:
            answer = self._answer(environ, fault, crowded=crowded)
        finally:
            with self._cloud.lock:
                self._in_flight[mailbox] -= 1
        return self._finish(environ, start, (logged, fault, answer))

    def _answer(self, environ: "WSGIEnvironment", fault: Fault | None, *, crowded: bool) -> Answer:
        if fault is not None:
            self._pause(fault.delay_s)
        if crowded:
            return _throttled()
        if fault is None:
            return _run(self._app, environ)
        if fault.after or not (fault.replaces or fault.close in {"before", "headers"}):
            answer = _run(self._app, environ)
        else:
            answer = Answer(200, {}, b"")
        if fault.replaces:
            return _planned(fault)
        answer.headers = _merged(answer.headers, fault.headers)
        return answer

    def _finish(
        self,
        environ: "WSGIEnvironment",
        start: "StartResponse",
        done: tuple[LoggedRequest, Fault | None, Answer],
    ) -> Iterable[bytes]:
        logged, fault, answer = done
        close = fault.close if fault else None
        logged.status = 0 if close in {"before", "headers"} else answer.status
        answer.headers.setdefault("Date", format_datetime(_now(self._cloud), usegmt=True))
        truncated = fault is not None and fault.gzip_truncated
        if truncated or "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            _compress(answer, truncated=truncated)
        wire: Wire = environ[WIRE_KEY]
        if close == "before":
            wire.close_without_answer()
            return ()
        if close == "headers":
            wire.send_torn_headers()
            return ()
        if close == "body":
            wire.close_after_answer()
            return _send(start, answer, promised=max(len(answer.body), 2))
        return _send(start, answer)

    def _mailbox(self, environ: "WSGIEnvironment") -> str:
        """Name the mailbox a Graph request is for, whether it will be let in or not."""
        path = unquote(environ["PATH_INFO"]).lower()
        if not path.startswith("/v1.0/"):
            return ""
        if path.startswith("/v1.0/users/"):
            return path.split("/")[3]
        token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2].strip()
        with self._cloud.lock:
            return (self._cloud.grants.bearer_of(token) or "").lower()

    def _log(self, environ: "WSGIEnvironment", body: bytes) -> LoggedRequest:
        path = environ["PATH_INFO"]
        grant = None
        if path.endswith("/oauth2/v2.0/token"):
            form = parse_qs(body.decode("utf-8", "replace"))
            grant = form.get("grant_type", [""])[0][:80] or None
        given = {
            name: environ.get(f"HTTP_{name.upper().replace('-', '_')}") for name in LOGGED_HEADERS
        }
        logged = LoggedRequest(
            n=self._cloud.traffic.next_number(),
            at=self._cloud.now(),
            method=environ["REQUEST_METHOD"],
            host=environ.get("HTTP_HOST", ""),
            path=path,
            query=_safe_query(path, environ.get("QUERY_STRING", "")),
            grant_type=grant,
            headers={name: value for name, value in given.items() if value is not None},
        )
        self._cloud.traffic.add(logged)
        return logged


def _now(cloud: Cloud) -> datetime:
    return datetime.fromtimestamp(cloud.now(), UTC)


def _target(environ: "WSGIEnvironment") -> str:
    query = unquote(environ.get("QUERY_STRING", ""))
    return unquote(environ["PATH_INFO"]) + (f"?{query}" if query else "")


def _safe_query(path: str, query: str) -> str:
    """Keep what protects a sign-in out of the log, but for its names."""
    if "/oauth2/" not in path:
        return query
    parts = [part.partition("=") for part in query.split("&")]
    return "&".join(
        name + joint + ("..." if name in SECRET_PARAMETERS else value)
        for name, joint, value in parts
    )


def _read_body(environ: "WSGIEnvironment") -> bytes | None:
    """Read the whole body, and put it back for the application; ``None`` if too large."""
    chunked = environ.get("wsgi.input_terminated")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(MAX_BODY_BYTES if chunked else length)
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input_terminated"] = True
    return body


def _run(app: "WSGIApplication", environ: "WSGIEnvironment") -> Answer:
    seen: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _exc: object = None, /) -> Any:  # noqa: ANN401 (WSGI's write callable, never used)
        seen.update(status=int(status.split()[0]), headers=headers)

    chunks = app(environ, start)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return Answer(seen["status"], dict(seen["headers"]), body)


def _throttled() -> Answer:
    message = "Application is over its MailboxConcurrency limit."
    body = {"error": {"code": "ApplicationThrottled", "message": message}}
    headers = {"Content-Type": "application/json", "Retry-After": "1"}
    return Answer(429, headers, json.dumps(body).encode())


def _planned(fault: Fault) -> Answer:
    headers: dict[str, str] = {}
    if fault.body is None:
        body = b""
    elif isinstance(fault.body, str):
        body, headers = fault.body.encode(), {"Content-Type": "text/html; charset=utf-8"}
    else:
        body, headers = json.dumps(fault.body).encode(), {"Content-Type": "application/json"}
    return Answer(fault.status or 200, _merged(headers, fault.headers), body)


def _merged(base: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    names = {name.lower() for name in extra}
    return {n: v for n, v in base.items() if n.lower() not in names} | dict(extra)


def _compress(answer: Answer, *, truncated: bool) -> None:
    if not answer.body or "Content-Encoding" in answer.headers:
        return
    packed = gzip.compress(answer.body, compresslevel=1)
    answer.body = packed[: len(packed) // 2] if truncated else packed
    answer.headers.update({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


def _send(
    start: "StartResponse", answer: Answer, *, promised: int | None = None
) -> Iterable[bytes]:
    """Start the answer; with `promised`, announce so many bytes and send half of them."""
    status = HTTPStatus(answer.status) if answer.status in set(HTTPStatus) else None
    headers = {n: v for n, v in answer.headers.items() if n.lower() != "content-length"}
    if answer.status not in _BODILESS:
        headers["Content-Length"] = str(len(answer.body) if promised is None else promised)
    phrase = status.phrase if status else "Unknown"
    start(f"{answer.status} {phrase}", list(headers.items()))
    if promised is not None:
        return (answer.body[: promised // 2],)
    return (answer.body,)
