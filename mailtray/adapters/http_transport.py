"""The part of :mod:`mailtray.adapters.http` that knows ``requests``."""

from __future__ import annotations

import re
from base64 import b64encode
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_auth_from_url, get_environ_proxies, select_proxy
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from mailtray import __version__
from mailtray.adapters.http_answer import MAX_ANSWER_S, MAX_BODY_BYTES, Answer, Route, TooSlow
from mailtray.adapters.http_trust import new_context
from mailtray.core.errors import (
    InvalidResponse,
    MailSourceError,
    ProxyRefused,
    Unreachable,
    UntrustedCertificate,
)
from mailtray.core.language import N_, Sentence, _
from mailtray.core.wish_forms import proxy_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ssl import SSLContext

    from mailtray.ports import Clock

CONNECT_S = 10.0
READ_S = 30.0
_POOL_SIZE = 4
_CHUNK_BYTES = 64 * 1024

_OFFLINE = (N_("Microsoft 365 cannot be reached"), N_("Check the network connection."))
_PROXY = (
    N_("The proxy server does not answer"),
    N_("Check the proxy settings of this computer, or set proxy to the right one."),
)
_PROXY_ADDRESS = (
    N_("The proxy's address cannot be used"),
    N_("Write it as http://name:password@host:port, in HTTPS_PROXY or in the setting proxy."),
)
_PROXY_LOGIN = (
    N_("The proxy server wants a valid name and password"),
    N_("Write them as http://name:password@host:port, in HTTPS_PROXY or in the setting proxy."),
)
_PROXY_REFUSES = (
    N_("The proxy server does not let mailtray through"),
    N_("Ask whoever runs it to allow Microsoft's sign-in and Graph."),
)
_PROXY_STUCK = (
    N_("The proxy server cannot reach Microsoft 365"),
    N_("Nothing to do; it is tried again."),
)
_SLOW = (N_("Microsoft 365 takes too long to answer"), N_("Nothing to do; it is tried again."))
_UNREADABLE = (N_("An answer could not be understood"), N_("Nothing to do; it is tried again."))
_CERTIFICATE = (
    N_("The server's certificate is not trusted"),
    N_(
        "Add this network's root certificate to the system's trust store, "
        "or set ca_bundle to a PEM file with it."
    ),
)
_ADDRESS = (N_("An address cannot be used"), N_("Check the service addresses in the settings."))

ERRORS: tuple[tuple[type[OSError], type[MailSourceError], tuple[Sentence, Sentence]], ...] = (
    (exceptions.ProxyError, Unreachable, _PROXY),
    (exceptions.InvalidProxyURL, Unreachable, _PROXY_ADDRESS),
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


_TUNNEL = re.compile(r"tunnel connection failed: ([0-9]{3})", re.IGNORECASE)
_TUNNEL_ANSWERS = (
    ("407", ProxyRefused, _PROXY_LOGIN),
    ("403", ProxyRefused, _PROXY_REFUSES),
    ("5", Unreachable, _PROXY_STUCK),
    ("", Unreachable, _PROXY_REFUSES),
)
"""What a proxy's answer other than 200 means, by the beginning of its status."""


def translate(error: Exception) -> MailSourceError:
    """Return our error for one that ``requests`` or what is beneath it raised."""
    found = _meaning(error)
    if isinstance(found, Unreachable):
        # Name resolution failed is one of these.
        no_connection = (NewConnectionError, ConnectTimeoutError)
        found.was_sent = not any(isinstance(each, no_connection) for each in _within(error))
    return found


def _meaning(error: Exception) -> MailSourceError:
    for each in _within(error):
        if isinstance(each, SSLCertVerificationError):
            return UntrustedCertificate(*map(_, _CERTIFICATE))
        if refused := _TUNNEL.match(str(each)):
            status = refused.group(1)
            return next(ours(*map(_, w)) for s, ours, w in _TUNNEL_ANSWERS if status.startswith(s))
    if isinstance(error, UnicodeError):
        return InvalidResponse(*map(_, _ADDRESS))
    for theirs, ours, words in ERRORS:
        if isinstance(error, theirs):
            return ours(*map(_, words))
    return Unreachable(*map(_, _OFFLINE))


def is_about_proxy(error: MailSourceError) -> bool:
    """Say whether an error that :func:`translate` returned is the proxy's."""
    ways = (_PROXY, _PROXY_ADDRESS, *(words for _status, _kind, words in _TUNNEL_ANSWERS))
    return error.title in {_(title) for title, _hint in ways}


def proxy_for(url: str, wished: str) -> str:
    """Return the proxy that an address is asked through, with its password; empty for none.

    Args:
        url: The address.
        wished: The setting ``proxy``; where empty the environment and the system are asked.

    Raises:
        Unreachable: The proxy's address is none; one that speaks something else counts so.
        InvalidResponse: ``url`` is no address.
    """
    try:
        proxy = wished or select_proxy(url, get_environ_proxies(url))
    except ValueError as exc:
        raise InvalidResponse(*map(_, _ADDRESS)) from exc
    if not proxy:
        return ""
    try:
        return proxy_address(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError as exc:
        raise Unreachable(*map(_, _PROXY_ADDRESS)) from exc


def proxy_login(proxy: str) -> dict[str, str]:
    """Return the header that tells a proxy who asks, in any letters, if its address says so.

    ``requests`` would stumble over letters beyond Latin-1.

    Source: RFC 7617, 2.1 "The 'charset' auth-param".
    """
    name, password = get_auth_from_url(proxy)
    if not name:
        return {}
    return {"Proxy-Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def _within(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all it came from, however deep: proxies and the pool wrap it."""
    pending, met = [error], set()
    while pending:
        each = pending.pop()
        yield each
        met.add(id(each))
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        pending += [e for e in inner if isinstance(e, BaseException) and id(e) not in met]


class Transport:
    """One session for all hosts and accounts."""

    def __init__(self, route: Route, clock: Clock) -> None:
        self._clock = clock
        self._route = route
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"mailtray/{__version__}"
        # Accounts share the session; a cookie of one must not travel with another.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # What the environment says of proxies and certificates is read here, and nothing else.
        self._session.trust_env = False
        self._session.auth = _AsGiven()
        self._session.adapters.clear()
        if route.service_url is None:
            self._session.mount("https://", _HttpsAdapter(new_context(route.ca_bundle)))
            return
        for root in route.roots:
            self._session.mount(f"{root.rstrip('/')}/", _LoopbackAdapter(route.service_url))

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | bytes | None,
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
                proxies=self._proxies(url),
                stream=True,
            )
            with response:
                body = self._read(response)
        except (OSError, UnicodeError, HTTPError) as exc:
            raise translate(exc) from exc
        if not body and _is_torn(response):
            raise Unreachable(*map(_, _OFFLINE))
        return Answer(response.status_code, response.headers, body)

    def close(self) -> None:
        """Drop the kept connections."""
        self._session.close()

    def _proxies(self, url: str) -> dict[str, str]:
        """Return the proxy that ``url`` is asked through, if any.

        Raises:
            Unreachable: The proxy's address is none; one that speaks something else counts so.
            InvalidResponse: ``url`` is no address.
        """
        if self._route.service_url is not None:
            return {}
        proxy = proxy_for(url, self._route.proxy)
        return {"all": proxy} if proxy else {}

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        end_s = self._clock.monotonic_s() + MAX_ANSWER_S
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise InvalidResponse(_("An answer is far too large"), _(_UNREADABLE[1]))
            if self._clock.monotonic_s() > end_s:
                raise TooSlow(*map(_, _SLOW))
        return bytes(body)


def _is_torn(response: requests.Response) -> bool:
    """Say whether the headers broke off, which looks like their end.

    Whoever means to answer "yes" with nothing says that it is nothing.
    """
    is_announced = any(name in response.headers for name in ("Content-Length", "Transfer-Encoding"))
    return response.status_code == HTTPStatus.OK and not is_announced


class _AsGiven(AuthBase):
    """Leaves a request as it is.

    Without any, ``requests`` may put a ~/.netrc entry in place of the bearer token.
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _HttpsAdapter(HTTPAdapter):
    """Checks every server, and an https proxy before it, by one context."""

    def __init__(self, context: SSLContext) -> None:
        self._context = context
        super().__init__(_POOL_SIZE, _POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:  # noqa: ANN401 - HTTPAdapter's
        """Open what goes straight to the server."""
        super().init_poolmanager(*sizes, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - HTTPAdapter's
        """Open what goes through a proxy."""
        contexts = {"ssl_context": self._context, "proxy_ssl_context": self._context}
        return super().proxy_manager_for(proxy, **options, **contexts)

    def cert_verify(self, *_: object) -> None:
        """Leave it to the context; ``requests`` would add the list that it brings along."""

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Say who asks."""
        return proxy_login(proxy)


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
