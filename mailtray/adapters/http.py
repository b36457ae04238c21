"""HTTP as both of Microsoft's services are spoken to: bounded, patient once, never redirected.

Importing this module is cheap; ``requests`` is loaded with the first request.
"""

from __future__ import annotations

import ipaddress
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.adapters.http_answer import Answer, Route
from mailtray.core.errors import UntrustedCertificate
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mailtray.adapters.http_transport import Transport
    from mailtray.ports import Clock

IDLE_S = 300.0
"""Kept connections unused for longer are not trusted: after sleep they swallow a request."""


class Http:
    """Sends requests over kept connections, from any thread; nothing retries by itself.

    Args:
        login_root: Where sign-in lives, ``https://host``.
        graph_root: Where Graph lives, ``https://host``.
        clock: Tells how long a connection was idle.
        service_url: A loopback address that plays both of them, ``http://127.0.0.1:port``; no
            other host can be reached then.
        ca_bundle: See :class:`Route`.
        proxy: See :class:`Route`.

    Raises:
        ValueError: ``service_url`` is not a loopback address; the text says what it should be.
    """

    def __init__(
        self,
        *,
        login_root: str,
        graph_root: str,
        clock: Clock,
        service_url: str | None = None,
        ca_bundle: str = "",
        proxy: str = "",
    ) -> None:
        loopback = None if service_url is None else loopback_url(service_url)
        self._route = Route((login_root, graph_root), loopback, ca_bundle, proxy)
        self._clock = clock
        self._transport: Transport | None = None
        self._last_used: datetime | None = None
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | bytes | None = None,
    ) -> Answer:
        """Send one request and read its answer, whatever its status.

        Args:
            method: ``GET``, ``POST`` ...
            url: An https address.
            headers: Sent besides ``User-Agent`` and ``Accept-Encoding``.
            params: Query to add to ``url``.
            data: Form to send as the body, or the body itself.

        Raises:
            Unreachable, UntrustedCertificate, TooSlow: No answer came.
            InvalidResponse: The answer cannot be read, or is too large.
        """
        transport = self._fresh_transport()
        try:
            return transport.request(method, url, headers=headers, params=params, data=data)
        except UntrustedCertificate:
            self._forget(transport)
            raise

    def close(self) -> None:
        """Close the kept connections; another request opens new ones."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()

    def _fresh_transport(self) -> Transport:
        from mailtray.adapters.http_transport import Transport

        now = self._clock.now()
        with self._lock:
            if self._transport is None:
                self._transport = Transport(self._route, self._clock)
            elif self._last_used and abs((now - self._last_used).total_seconds()) > IDLE_S:
                self._transport.close()
            self._last_used = now
            return self._transport

    def _forget(self, transport: Transport) -> None:
        """Let the next request read the trusted certificates anew: a person may mend them."""
        with self._lock:
            if self._transport is transport:
                self._transport = None
        transport.close()


def loopback_url(service_url: str) -> str:
    """Return ``service_url`` in the form ``http://address:port``.

    Raises:
        ValueError: It is anything but a loopback address over plain http.
    """
    problem = _("“{url}” is not a loopback address such as http://127.0.0.1:8080").format(
        url=service_url
    )
    try:
        parts = urlsplit(service_url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        address, port = ipaddress.ip_address(host), parts.port or 80
    except ValueError as exc:
        raise ValueError(problem) from exc
    extras = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme != "http" or not address.is_loopback or any(extras):
        raise ValueError(problem)
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"  # noqa: PLR2004 - IP versions are their names
