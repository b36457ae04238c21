"""Serves the pages on the loopback for as long as somebody looks at them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from cheroot import wsgi

from mailtray.core.errors import MailtrayError
from mailtray.core.language import _
from mailtray.pages.safety import Safety

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask

ADDRESS = "127.0.0.1"
IDLE_S = 600.0
THREADS = 4
JOIN_S = 5.0


class PageServer:
    """A web server for one person; a context manager that serves until its end.

    Args:
        build: Makes the application, given what stands in front of it.
        idle_s: After so many seconds without a request it is over.
    """

    def __init__(self, build: Callable[[Safety], Flask], *, idle_s: float = IDLE_S) -> None:
        self._safety = Safety()
        self._app: WSGIApplication = build(self._safety)
        self._idle_s = idle_s
        self._asked = threading.Event()
        self._is_closing = False
        self._server = wsgi.Server((ADDRESS, 0), self._answer, numthreads=THREADS)
        self._server.shutdown_timeout = 1
        self._server.expiration_interval = 0.05  # how soon it sees that it shall end
        self._thread = threading.Thread(target=self._server.serve, name="pages", daemon=True)

    def __enter__(self) -> Self:
        """Serve.

        Raises:
            MailtrayError: No port of the loopback can be had.
        """
        try:
            self._server.prepare()
        except OSError as exc:
            raise MailtrayError(
                _("The pages cannot be shown"), _("No port of this computer is free; try again.")
            ) from exc
        self._safety.serve_at(f"{ADDRESS}:{self._server.bind_addr[1]}")
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Serve no longer."""
        self._server.stop()
        self._thread.join(JOIN_S)

    def link(self, path: str) -> str:
        """Return an address that opens a page once; see :meth:`Safety.link`."""
        return self._safety.link(path)

    def wait(self) -> None:
        """Return once nobody has asked for anything for long enough, or it is to end."""
        while self._asked.wait(self._idle_s) and not self._is_closing:
            self._asked.clear()

    def close(self) -> None:
        """Let :meth:`wait` return; from any thread."""
        self._is_closing = True
        self._asked.set()

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self._asked.set()
        return self._app(environ, start)
