"""Proxies, by a real one on the loopback."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trustme

from mailtray.adapters.http import Http
from mailtray.adapters.http_answer import Route
from mailtray.core.errors import MailSourceError, ProxyRefused, Unreachable
from tests.adapters.https_server import https_server
from tests.e2e.company_network import ForwardProxy, TlsFront, server_context
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

GRAPH = "https://graph.microsoft.com"
PASSWORD = "pa:s@/#w\u00f6rd\u20ac"
LOGIN = f"ada:{PASSWORD}"
WRITTEN = f"ada:{quote(PASSWORD, safe='')}"


@pytest.fixture(scope="module")
def company() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(company: trustme.CA) -> ssl.SSLContext:
    return server_context(company)


@pytest.fixture(scope="module")
def server_port(context: ssl.SSLContext) -> Iterator[int]:
    with https_server(context) as port:
        yield port


@pytest.fixture
def routes(server_port: int) -> dict[str, int]:
    return {"graph.microsoft.com": server_port, f"127.0.0.1:{server_port}": server_port}


@pytest.fixture
def proxy(routes: dict[str, int]) -> Iterator[ForwardProxy]:
    with ForwardProxy(routes) as running:
        yield running


@pytest.fixture
def strict_proxy(routes: dict[str, int]) -> Iterator[ForwardProxy]:
    with ForwardProxy(routes, LOGIN) as running:
        yield running


@pytest.fixture
def bundle(company: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "company.pem"
    company.cert_pem.write_to_path(file)
    return file


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def status(bundle: Path, url: str = GRAPH, *, proxy: str = "") -> int:
    http = Http(
        login_root=url, graph_root=url, clock=FakeClock(), ca_bundle=str(bundle), proxy=proxy
    )
    try:
        return http.request("GET", f"{url}/v1.0/me", headers={}).status
    finally:
        http.close()


def failure(bundle: Path, url: str = GRAPH, *, proxy: str = "") -> MailSourceError:
    with pytest.raises(MailSourceError) as caught:
        status(bundle, url, proxy=proxy)
    for secret in (PASSWORD, quote(PASSWORD, safe=""), "hunter2"):
        assert secret not in "".join(traceback.format_exception(caught.value))
    assert len(caught.value.title) <= 60
    return caught.value


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_is_gone_through(
    proxy: ForwardProxy,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    scheme: str,
) -> None:
    monkeypatch.setenv(variable, f"{scheme}127.0.0.1:{proxy.port}")
    assert status(bundle) == 200
    assert proxy.asked == {"graph.microsoft.com": 1}


def test_name_and_password_are_shown_to_the_proxy(
    strict_proxy: ForwardProxy, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{WRITTEN}@127.0.0.1:{strict_proxy.port}")
    assert status(bundle) == 200
    assert strict_proxy.turned_away == 0


@pytest.mark.parametrize("login", ["", "ada:hunter2@"])
def test_a_proxy_that_wants_a_password_says_so(
    strict_proxy: ForwardProxy, bundle: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{login}127.0.0.1:{strict_proxy.port}")
    error = failure(bundle)
    assert isinstance(error, ProxyRefused)
    assert error.title == "The proxy server wants a valid name and password"
    assert "http://name:password@host:port" in error.hint
    assert strict_proxy.turned_away == 1


def test_the_setting_goes_before_the_environment(
    proxy: ForwardProxy, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "graph.microsoft.com")
    assert status(bundle, proxy=f"http://127.0.0.1:{proxy.port}") == 200
    assert proxy.asked == {"graph.microsoft.com": 1}


@pytest.mark.parametrize(
    ("exceptions", "is_direct"),
    [
        pytest.param("127.0.0.1", True, id="named"),
        pytest.param("contoso.example, 127.0.0.0/8", True, id="within a network"),
        pytest.param("*", True, id="everything"),
        pytest.param("contoso.example,10.0.0.0/8", False, id="others"),
    ],
)
def test_hosts_that_are_excepted_are_asked_straight(
    proxy: ForwardProxy,
    server_port: int,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    exceptions: str,
    is_direct: bool,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert status(bundle, f"https://127.0.0.1:{server_port}") == 200
    assert bool(proxy.asked) is not is_direct


def test_a_proxy_that_is_down_is_named(bundle: Path) -> None:
    with ForwardProxy({}) as gone:
        port = gone.port
    error = failure(bundle, proxy=f"http://ada:hunter2@127.0.0.1:{port}")
    assert type(error) is Unreachable
    assert error.title == "The proxy server does not answer"


def test_a_proxy_that_does_not_let_through_is_named(proxy: ForwardProxy, bundle: Path) -> None:
    error = failure(bundle, "https://other.example", proxy=f"http://127.0.0.1:{proxy.port}")
    assert error.title == "The proxy server does not let mailtray through"


def test_a_proxy_that_cannot_get_there_is_named(bundle: Path) -> None:
    with ForwardProxy({}) as gone:
        port = gone.port
    with ForwardProxy({"graph.microsoft.com": port}) as proxy:
        error = failure(bundle, proxy=f"http://127.0.0.1:{proxy.port}")
    assert error.title == "The proxy server cannot reach Microsoft 365"


@pytest.mark.parametrize(
    "address",
    [
        "socks5://ada:hunter2@127.0.0.1:1080",
        "socks://127.0.0.1:1080",
        "http://",
        "http://ada:hunter2@",
        "http://ada:hunter2@127.0.0.1:port",
        "http://ada:hunter2/x@127.0.0.1:8080",
        "http://ada:hunter2#x@127.0.0.1:8080",
        "http://127.0.0.1:8080/proxy.pac",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_told(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    error = failure(bundle)
    assert type(error) is Unreachable
    assert error.title == "The proxy's address cannot be used"


def test_a_proxy_behind_tls_is_gone_through(
    strict_proxy: ForwardProxy, context: ssl.SSLContext, bundle: Path
) -> None:
    with TlsFront(context, strict_proxy.port) as front:
        assert status(bundle, proxy=f"https://{WRITTEN}@127.0.0.1:{front.port}") == 200
    assert strict_proxy.asked == {"graph.microsoft.com": 1}


@pytest.mark.parametrize("url", ["https://[::1", "https://:x"])
def test_an_odd_address_is_no_crash(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    failure(bundle, url)


def test_the_password_is_not_shown() -> None:
    route = Route((GRAPH, GRAPH), proxy="http://ada:hunter2@127.0.0.1:8080")
    assert "hunter2" not in repr(route)
