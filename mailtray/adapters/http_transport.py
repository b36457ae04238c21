"""The part of :mod:`mailtray.adapters.http` that knows ``requests``."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from mailtray import __version__
from mailtray.adapters.http import MAX_ANSWER_S, MAX_BODY_BYTES, Answer, TooSlow
from mailtray.core.errors import (
    InvalidResponse,
    MailSourceError,
    Unreachable,
    UntrustedCertificate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailtray.ports import Clock

CONNECT_S = 10.0
READ_S = 30.0
_POOL_SIZE = 4
_CHUNK_BYTES = 64 * 1024

_OFFLINE = ("Microsoft 365 cannot be reached", "Check the network connection.")
_PROXY = ("The proxy server does not answer", "Check the proxy settings of this computer.")
_SLOW = ("Microsoft 365 takes too long to answer", "Nothing to do; it is tried again.")
_UNREADABLE = ("An answer could not be understood", "Nothing to do; it is tried again.")
_CERTIFICATE = (
    "The server's certificate is not trusted",
    "Ask whoever runs this network to install its root certificate, or set REQUESTS_CA_BUNDLE.",
)
_CERTIFICATE_LIST = (
    "The trusted certificates cannot be read",
    "Check the file that REQUESTS_CA_BUNDLE names.",
)
_ADDRESS = ("An address cannot be used", "Check the service addresses in the settings.")

ERRORS: tuple[tuple[type[OSError], type[MailSourceError], tuple[str, str]], ...] = (
    (exceptions.ProxyError, Unreachable, _PROXY),
    (exceptions.InvalidProxyURL, Unreachable, _PROXY),
    (exceptions.SSLError, Unreachable, _OFFLINE),
    (exceptions.ConnectTimeout, Unreachable, _OFFLINE),
    (exceptions.ReadTimeout, TooSlow, _SLOW),
    (exceptions.Timeout, TooSlow, _SLOW),
    (exceptions.ChunkedEncodingError, Unreachable, _OFFLINE),
    (exceptions.ConnectionError, Unreachable, _OFFLINE),
    (exceptions.RetryError, Unreachable, _OFFLINE),
    (exceptions.ContentDecodingError, InvalidResponse, _UNREADABLE),
    (exceptions.InvalidJSONError, InvalidResponse, _UNREADABLE),
    (exceptions.TooManyRedirects, InvalidResponse, _UNREADABLE),
    (exceptions.HTTPError, InvalidResponse, _UNREADABLE),
    (exceptions.StreamConsumedError, InvalidResponse, _UNREADABLE),
    (exceptions.UnrewindableBodyError, InvalidResponse, _UNREADABLE),
    (exceptions.URLRequired, InvalidResponse, _ADDRESS),
    (exceptions.MissingSchema, InvalidResponse, _ADDRESS),
    (exceptions.InvalidSchema, InvalidResponse, _ADDRESS),
    (exceptions.InvalidURL, InvalidResponse, _ADDRESS),
    (exceptions.InvalidHeader, InvalidResponse, _UNREADABLE),
)
"""Which exception of ``requests`` is which of ours; the first that fits counts."""


def translate(error: Exception) -> MailSourceError:
    """Return our error for one that ``requests`` or what is beneath it raised."""
    # Raised bare where REQUESTS_CA_BUNDLE names a file that is not there.
    if type(error) is OSError and "certificate" in str(error):
        return UntrustedCertificate(*_CERTIFICATE_LIST)
    if _is_untrusted(error):
        return UntrustedCertificate(*_CERTIFICATE)
    if isinstance(error, UnicodeError):
        return InvalidResponse(*_ADDRESS)
    for theirs, ours, words in ERRORS:
        if isinstance(error, theirs):
            return ours(*words)
    return Unreachable(*_OFFLINE)


def _is_untrusted(error: BaseException) -> bool:
    """Look for a refused certificate, however deep: proxies and the pool wrap it."""
    pending, met = [error], set()
    while pending:
        each = pending.pop()
        if "certificate verify failed" in str(each).lower():
            return True
        met.add(id(each))
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        pending += [e for e in inner if isinstance(e, BaseException) and id(e) not in met]
    return False


class Transport:
    """One session for all hosts and accounts."""

    def __init__(self, roots: tuple[str, str], service_url: str | None, clock: Clock) -> None:
        self._clock = clock
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"mailtray/{__version__}"
        # Accounts share the session; a cookie of one must not travel with another.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.auth = _AsGiven()
        self._session.adapters.clear()
        trust(self._session)
        if service_url is None:
            self._session.mount("https://", HTTPAdapter(_POOL_SIZE, _POOL_SIZE, max_retries=0))
            return
        for root in roots:
            self._session.mount(f"{root.rstrip('/')}/", _LoopbackAdapter(service_url))

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | None,
    ) -> Answer:
        """See :meth:`mailtray.adapters.http.Http.request`."""
        try:
            response = self._session.request(
                method,
                url,
                headers=dict(headers),
                params=params,
                data=data,
                timeout=(CONNECT_S, READ_S),
                # A redirect of an API is a portal in the way; following it would hand the token on.
                allow_redirects=False,
                stream=True,
            )
            with response:
                return Answer(response.status_code, response.headers, self._read(response))
        except (OSError, UnicodeError, HTTPError) as exc:
            raise translate(exc) from exc

    def close(self) -> None:
        """Drop the kept connections."""
        self._session.close()

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        end_s = self._clock.monotonic_s() + MAX_ANSWER_S
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise InvalidResponse("An answer is far too large", _UNREADABLE[1])
            if self._clock.monotonic_s() > end_s:
                raise TooSlow(*_SLOW)
        return bytes(body)


def trust(session: requests.Session) -> None:
    """Set whose certificates are believed: the bundled list, or REQUESTS_CA_BUNDLE's."""
    session.verify = True


class _AsGiven(AuthBase):
    """Leaves a request as it is.

    Without any, ``requests`` would put a ~/.netrc entry in place of the bearer token.
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _LoopbackAdapter(HTTPAdapter):
    """Carries what is meant for a Microsoft host to the loopback, over plain http."""

    def __init__(self, service_url: str) -> None:
        super().__init__(_POOL_SIZE, _POOL_SIZE, max_retries=0)
        self._service_url = service_url

    def send(  # type: ignore[override]  # the keywords of HTTPAdapter.send, passed on unread
        self, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        """Send to the loopback, under the name of the host that was asked."""
        parts = urlsplit(request.url or "")
        request.headers["Host"] = parts.netloc
        query = f"?{parts.query}" if parts.query else ""
        request.url = f"{self._service_url}{parts.path}{query}"
        # The loopback is never behind a proxy, whatever the environment says.
        return super().send(request, **{**options, "proxies": {}})  # type: ignore[arg-type]
