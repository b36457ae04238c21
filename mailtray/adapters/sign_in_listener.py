"""The loopback address to which the browser brings the answer of a sign-in.

MSAL has a receiver of its own; this one is told apart by four things: it can be given up from
another thread at once, it listens on the loopback also within a container, a connection that
says nothing (browsers open some ahead) does not hold up the answer, and the page it shows waits
for the tokens, so that it says what became of the sign-in.

Source: RFC 8252, 7.3 and 8.3; OAuth 2.0 Form Post Response Mode.
"""

from __future__ import annotations

import hmac
import queue
import socket
import threading
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs

from mailtray import look
from mailtray.core import language
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

ADDRESS = "127.0.0.1"
_STEP_S = 0.05
"""How soon a sign-in notices that it was given up, in seconds."""
_CONNECTION_S = 10.0
"""How long a connection may say nothing, in seconds."""
_PAGE_S = 20.0
"""How long a page waits to be told what became of the sign-in, in seconds."""
_SHOW_S = 2.0
"""How long to wait for a page to be on its way to the browser, in seconds."""
_MAX_FORM_BYTES = 64 * 1024
_MAX_FIELDS = 32

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · mailtray</title>
<style>{style}</style>
</head>
<body class="narrow">
<header><p class="brand">mailtray</p></header>
<main><h1>{title}</h1><p>{text}</p></main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class BroughtAnswer:
    """The form that came back, with its right ``state``; the browser waits for :meth:`reply`."""

    fields: dict[str, str] = field(repr=False)
    _page: queue.SimpleQueue[tuple[str, str]] = field(default_factory=queue.SimpleQueue, repr=False)
    _shown: threading.Event = field(default_factory=threading.Event, repr=False)

    def reply(self, title: str, text: str) -> None:
        """Show the person a page, and wait until it is sent: the program may end with this."""
        self._page.put((title, text))
        self._shown.wait(_SHOW_S)

    def page(self) -> tuple[str, str]:
        """Wait for the page to show; its title and text."""
        try:
            return self._page.get(timeout=_PAGE_S)
        except queue.Empty:
            return _("Almost done"), _("mailtray goes on with the sign-in; look at its icon.")

    def was_shown(self) -> None:
        """Say that the page was sent, or cannot be."""
        self._shown.set()


class SignInListener:
    """Waits on the loopback for the one answer with the right ``state``.

    Anything else that arrives (another state, a GET, a second answer) is turned away and
    changes nothing. It listens for the length of the ``with`` block.

    Raises:
        OSError: No port of the loopback can be had.
    """

    def __init__(self) -> None:
        self._server = _Server((ADDRESS, 0), _Handler)
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, name="mailtray-sign-in-listener", daemon=True
        )

    @property
    def redirect_uri(self) -> str:
        """The address to register and to send along; Entra ignores the port."""
        return f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Listen no longer."""
        self._server.state = ""
        with suppress(queue.Empty):
            self._server.brought.get_nowait().reply(_("The sign-in was given up"), _("Try again."))
        self._closing.set()
        # A connection of our own wakes the thread, which otherwise waits without a limit.
        with (
            suppress(OSError),
            socket.create_connection((ADDRESS, self._server.server_port), _SHOW_S),
        ):
            self._thread.join(_SHOW_S)
        self._server.server_close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._server.handle_request()

    def expect(self, state: str) -> None:
        """Say which ``state`` the answer must have; before that none is accepted."""
        self._server.state = state

    def wait(self, given_up: Callable[[], bool]) -> BroughtAnswer | None:
        """Wait for the answer; ``None`` once ``given_up`` says so.

        Args:
            given_up: Asked several times a second.
        """
        while not given_up():
            try:
                return self._server.brought.get(timeout=_STEP_S)
            except queue.Empty:
                continue
        return None


class _Server(ThreadingHTTPServer):
    # The threads of connections that say nothing are not waited for.
    daemon_threads = True
    # On Windows it would let a second program share the port and take the answers.
    allow_reuse_address = False

    state = ""

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._lock = threading.Lock()
        self.brought: queue.SimpleQueue[BroughtAnswer] = queue.SimpleQueue()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser that hangs up is no news."""

    def bring(self, fields: dict[str, str]) -> BroughtAnswer | None:
        """Hand on the answer if it is the expected one, and the first."""
        with self._lock:
            expected, brought = self.state, fields.get("state", "")
            if not expected or not hmac.compare_digest(expected.encode(), brought.encode()):
                return None
            self.state = ""
        answer = BroughtAnswer(fields)
        self.brought.put(answer)
        return answer


class _Handler(BaseHTTPRequestHandler):
    timeout = _CONNECTION_S

    def do_POST(self) -> None:
        """Take the answer."""
        fields = self._form()
        answer = cast("_Server", self.server).bring(fields) if fields else None
        if answer is None:
            self._turn_away()
            return
        try:
            self._show(200, *answer.page())
        finally:
            answer.was_shown()

    def do_GET(self) -> None:
        """Turn away what is no answer: they come by POST only."""
        self._turn_away()

    def version_string(self) -> str:
        """Name the server."""
        return "mailtray"

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the requests hold authorization codes."""

    def _form(self) -> dict[str, str] | None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > _MAX_FORM_BYTES:
            return None
        try:
            text = self.rfile.read(int(length)).decode()
            fields = parse_qs(text, strict_parsing=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            return None
        if not {"code", "error"} & fields.keys():
            return None
        return {name: values[0] for name, values in fields.items() if len(values) == 1}

    def _turn_away(self) -> None:
        self._show(400, _("This is no answer to a sign-in"), _("You can close this tab."))

    def _show(self, status: int, title: str, text: str) -> None:
        # The page goes out once, with its look inside; the policy lets in that look and no other.
        style = (look.FOLDER / "look.css").read_text(encoding="utf-8")
        digest = b64encode(sha256(style.encode()).digest()).decode()
        body = _PAGE.format(
            language=language.spoken(), title=escape(title), text=escape(text), style=style
        ).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        policy = f"default-src 'none'; style-src 'sha256-{digest}'"
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
