"""Requests to Microsoft's services, and what becomes of their failures."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import urllib3
from requests import exceptions

from mailtray.adapters import http_transport, http_trust
from mailtray.adapters.http import IDLE_S, Http, loopback_url
from mailtray.adapters.http_answer import (
    MAX_ANSWER_S,
    MAX_RETRY_AFTER_S,
    TooSlow,
    http_date,
    retry_after_s,
)
from mailtray.adapters.http_transport import translate
from mailtray.core.errors import (
    InvalidResponse,
    MailSourceError,
    ProxyRefused,
    Unreachable,
    UntrustedCertificate,
)
from mailtray.simulator import Fault, Simulator
from tests.adapters.rig import GRAPH_ROOT, LOGIN_ROOT, Rig, microsoft_365
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 10, 21, 7, 26, 30, tzinfo=UTC)
URL = f"{GRAPH_ROOT}/v1.0/me"
PAGE = Path(__file__).parents[2] / "docs" / "company-network.md"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def rig(simulator: Simulator) -> Iterator[Rig]:
    with microsoft_365(simulator) as rig:
        yield rig


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", 90.0, id="a date"),
        pytest.param("Wed, 21 Oct 2026 07:28:00 -0000", 90.0, id="a date without a zone"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", None, id="a date in the past"),
        pytest.param("Fri, 31 Dec 99999 23:59:59 GMT", None, id="a date that cannot be"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER_S, id="a date far away"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("120.5", 121.0, id="rounded up"),
        pytest.param("0.2", 1.0, id="never too early"),
        pytest.param(" 120 ", 120.0, id="with space around"),
        pytest.param("86400", MAX_RETRY_AFTER_S, id="cut to the longest"),
        pytest.param("0", None, id="none"),
        pytest.param("-5", None, id="negative"),
        pytest.param("", None, id="empty"),
        pytest.param("   ", None, id="blank"),
        pytest.param("soon", None, id="a word"),
        pytest.param("9" * 5000, None, id="overlong"),
        pytest.param("1e3", None, id="not a number of HTTP's"),
        pytest.param("inf", None, id="endless"),
        pytest.param("nan", None, id="no number at all"),
        pytest.param("١٢٠", None, id="digits of another script"),
        pytest.param("120, 240", None, id="two at once"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


def test_a_retry_after_date_counts_in_any_zone() -> None:
    local = NOW.astimezone(tz=None)
    assert retry_after_s("Wed, 21 Oct 2026 07:28:00 GMT", local) == 90.0


@pytest.mark.parametrize("value", [None, "", "today", "Wed, 99 Oct 2026 07:28:00 GMT", "x" * 9000])
def test_a_date_that_is_none(value: str | None) -> None:
    assert http_date(value) is None


def test_an_http_date() -> None:
    assert http_date("Wed, 21 Oct 2026 07:26:30 GMT") == NOW


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_loopback_address(given: str, used: str) -> None:
    assert loopback_url(given) == used


@pytest.mark.parametrize(
    "given",
    [
        "",
        "127.0.0.1:8080",
        "https://127.0.0.1:8080",
        "http://example.test:8080",
        "http://10.0.0.1:8080",
        "http://0.0.0.0:8080",
        "http://127.0.0.1.example.test",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:8080/path",
        "http://127.0.0.1:8080?x=1",
        "http://user@127.0.0.1:8080",
        "http://localhost@example.test",
        "http://[::ffff:10.0.0.1]",
        "http://[::1",
    ],
)
def test_not_a_loopback_address(given: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        loopback_url(given)
    with pytest.raises(ValueError, match="loopback"):
        Http(login_root=LOGIN_ROOT, graph_root=GRAPH_ROOT, clock=FakeClock(), service_url=given)


def test_every_exception_of_requests_is_mapped() -> None:
    ours = {theirs for theirs, _, _ in http_transport.ERRORS}
    for each in vars(exceptions).values():
        if not (isinstance(each, type) and issubclass(each, exceptions.RequestException)):
            continue
        mapped = each in ours or any(issubclass(each, theirs) for theirs in ours)
        assert mapped or each is exceptions.RequestException, f"{each.__name__} is not mapped"


def test_every_exception_of_requests_is_translated_by_its_own_row() -> None:
    for theirs, kind, (title, hint) in http_transport.ERRORS:
        error = translate(theirs())
        assert type(error) is kind
        assert (error.title, error.hint) == (title.english, hint.english)
        assert len(title.english) <= 60
        assert error.transient


REFUSED = ssl.SSLCertVerificationError(
    1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"
)


def nested(inner: Exception) -> exceptions.ConnectionError:
    pool = urllib3.HTTPSConnectionPool("graph.microsoft.com")
    return exceptions.ConnectionError(
        urllib3.exceptions.MaxRetryError(pool, "/", urllib3.exceptions.SSLError(inner))
    )


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(exceptions.SSLError(REFUSED), id="plain"),
        pytest.param(nested(REFUSED), id="deep within a connection error"),
        pytest.param(exceptions.ProxyError(nested(REFUSED)), id="behind a proxy"),
    ],
)
def test_an_untrusted_certificate_is_told_apart(error: Exception) -> None:
    found = translate(error)
    assert type(found) is UntrustedCertificate
    assert "certificate" in found.title


def test_another_trouble_of_tls_is_no_certificate() -> None:
    error = exceptions.SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol"))
    assert type(translate(error)) is Unreachable


@pytest.mark.parametrize(
    "error",
    [
        OSError(24, "Too many open files"),
        BrokenPipeError(),
        urllib3.exceptions.ProtocolError("torn"),
        urllib3.exceptions.LocationParseError("x"),
    ],
)
def test_what_requests_lets_through_is_unreachable(error: Exception) -> None:
    assert type(translate(error)) is Unreachable


@pytest.mark.parametrize(
    ("answer", "ours", "words"),
    [
        pytest.param("407 Login", ProxyRefused, "wants a valid name", id="407"),
        pytest.param("403 Forbidden", ProxyRefused, "does not let mailtray through", id="403"),
        pytest.param("302 Found", Unreachable, "does not let mailtray through", id="302"),
        pytest.param("502 Bad Gateway", Unreachable, "cannot reach Microsoft 365", id="502"),
        pytest.param("504 Gateway Timeout", Unreachable, "cannot reach Microsoft 365", id="504"),
    ],
)
def test_what_a_proxy_answers_is_told_apart(
    answer: str, ours: type[MailSourceError], words: str
) -> None:
    refused = OSError(f"Tunnel connection failed: {answer}")
    error = translate(exceptions.ProxyError(nested(refused)))
    assert type(error) is ours
    assert "proxy" in error.title
    assert words in error.title
    assert len(error.title) <= 60


def test_the_page_about_company_networks_has_the_exact_words() -> None:
    page = PAGE.read_text(encoding="utf-8")
    titles = re.findall(r"^\| ([A-Z][^|]+) \|", page, re.MULTILINE)
    code = "".join(Path(str(each.__file__)).read_text() for each in (http_transport, http_trust))
    assert len(titles) == 8
    assert not [title for title in titles if f'"{title}"' not in code]


def test_both_hosts_are_carried_to_the_loopback_under_their_names(rig: Rig) -> None:
    rig.http.request("GET", URL, headers={})
    rig.http.request(
        "GET", f"{LOGIN_ROOT}/common/v2.0/.well-known/openid-configuration", headers={}
    )
    assert [each.host for each in rig.cloud.log()] == [
        "graph.microsoft.com",
        "login.microsoftonline.com",
    ]


def test_what_is_sent_with_every_request(rig: Rig) -> None:
    rig.http.request("GET", URL, headers={})
    [logged] = rig.cloud.log()
    assert logged.headers["User-Agent"].startswith("mailtray/")
    assert "gzip" in logged.headers["Accept-Encoding"]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.test/",
        "https://graph.microsoft.com.example.test/v1.0/me",
        "https://graph.microsoft.com@example.test/v1.0/me",
        "http://graph.microsoft.com/v1.0/me",
        "file:///etc/hostname",
    ],
)
def test_no_other_host_is_reached_with_a_service_url(rig: Rig, url: str) -> None:
    with pytest.raises(InvalidResponse):
        rig.http.request("GET", url, headers={})
    assert rig.cloud.log() == []


def test_plain_http_is_never_spoken_without_a_service_url() -> None:
    http = Http(login_root=LOGIN_ROOT, graph_root=GRAPH_ROOT, clock=FakeClock())
    with pytest.raises(InvalidResponse):
        http.request("GET", "http://127.0.0.1:9/", headers={})
    http.close()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_proxy_of_the_environment_is_not_asked_for_the_loopback(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.upper(), proxy)
    assert rig.http.request("GET", URL, headers={}).status == 401


def test_netrc_does_not_replace_the_token(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    token = rig.token()
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="ascii") as file:  # noqa: PTH123 - one line
        file.write("machine graph.microsoft.com login x password y\n")
    monkeypatch.setenv("NETRC", netrc)
    headers = {"Authorization": f"Bearer {token.secret}"}
    answer = rig.http.request("GET", f"{GRAPH_ROOT}/v1.0/me/mailFolders/inbox", headers=headers)
    assert answer.status == 200


def test_cookies_are_not_kept(rig: Rig) -> None:
    rig.cloud.add_fault(Fault(path="/v1.0/me", headers={"Set-Cookie": "who=ada; Path=/"}))
    rig.http.request("GET", URL, headers={})
    transport = rig.http._transport
    assert transport is not None
    assert list(transport._session.cookies) == []


def test_a_redirect_is_not_followed(rig: Rig) -> None:
    rig.cloud.add_fault(Fault(status=302, headers={"Location": f"{GRAPH_ROOT}/v1.0/portal"}))
    assert rig.http.request("GET", URL, headers={}).status == 302
    assert len(rig.cloud.log()) == 1


@pytest.mark.parametrize("close", ["before", "headers", "body"])
def test_a_torn_answer_is_unreachable_and_not_asked_again(rig: Rig, close: str) -> None:
    rig.cloud.add_fault(Fault(close=close))  # type: ignore[arg-type]  # all are what it takes
    with pytest.raises(Unreachable) as caught:
        rig.http.request("GET", URL, headers={})
    assert caught.value.was_sent
    assert len(rig.cloud.log()) == 1


def test_an_answer_may_be_empty(rig: Rig) -> None:
    rig.cloud.add_fault(Fault(status=200))
    assert rig.http.request("GET", URL, headers={}).body == b""


def test_nobody_there_is_unreachable() -> None:
    http = Http(
        login_root=LOGIN_ROOT,
        graph_root=GRAPH_ROOT,
        clock=FakeClock(),
        service_url="http://127.0.0.1:9",
    )
    with pytest.raises(Unreachable) as caught:
        http.request("GET", URL, headers={})
    assert type(caught.value) is Unreachable
    assert not caught.value.was_sent
    http.close()


def test_a_silent_server_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_transport, "READ_S", 0.05)
    with microsoft_365() as rig:
        rig.cloud.add_fault(Fault(delay_s=5))
        with pytest.raises(TooSlow):
            rig.http.request("GET", URL, headers={})


def test_a_dripping_answer_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    start = rig.clock.monotonic_s()
    times = iter([start, start + MAX_ANSWER_S + 1])
    monkeypatch.setattr(rig.clock, "monotonic_s", lambda: next(times))
    with pytest.raises(TooSlow):
        rig.http.request("GET", URL, headers={})


def test_a_huge_answer_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_transport, "MAX_BODY_BYTES", 1000)
    rig.cloud.add_fault(Fault(status=200, body="x" * 1001))
    with pytest.raises(InvalidResponse, match="large"):
        rig.http.request("GET", URL, headers={})
    assert rig.http.request("GET", URL, headers={}).status == 401


def pools(rig: Rig) -> list[urllib3.HTTPConnectionPool]:
    """Return the pools of connections that are kept."""
    transport = rig.http._transport
    assert transport is not None
    kept = transport._session.get_adapter(URL).poolmanager.pools  # type: ignore[attr-defined]  # HTTPAdapter's
    return [kept[key] for key in kept.keys()]  # noqa: SIM118 - no plain mapping


def connections(rig: Rig) -> int:
    """Count the connections opened in the pools that are kept."""
    return sum(pool.num_connections for pool in pools(rig))


def test_a_connection_is_kept(rig: Rig) -> None:
    for _ in range(3):
        rig.http.request("GET", URL, headers={})
        rig.clock.advance(60)
    assert connections(rig) == 1


@pytest.mark.parametrize("step_s", [IDLE_S + 1, -IDLE_S - 1])
def test_a_connection_is_not_kept_over_sleep(rig: Rig, step_s: float) -> None:
    for _ in range(2):
        rig.http.request("GET", URL, headers={})
    assert connections(rig) == 1
    [before] = pools(rig)
    rig.clock.jump(step_s)
    rig.http.request("GET", URL, headers={})
    [after] = pools(rig)
    assert after is not before


def test_a_closed_one_can_be_used_again(rig: Rig) -> None:
    rig.http.close()
    rig.http.request("GET", URL, headers={})
    rig.http.close()
    assert rig.http.request("GET", URL, headers={}).status == 401


def test_importing_the_adapters_loads_no_vendor() -> None:
    program = (
        "import sys, mailtray.adapters.graph_mail, mailtray.adapters.msal_identity;"
        "sys.exit(bool({'requests', 'msal', 'urllib3', 'truststore'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_loopback_needs_no_trust_store() -> None:
    program = (
        "import sys; from mailtray.adapters.http_answer import Route;"
        "from mailtray.adapters.http_transport import Transport;"
        "from mailtray.adapters.system import SystemClock;"
        "Transport(Route(('https://a', 'https://b'), 'http://127.0.0.1:9'), SystemClock());"
        "sys.exit('truststore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_future_date_is_rounded_up() -> None:
    just_before = NOW - timedelta(milliseconds=200)
    assert retry_after_s("Wed, 21 Oct 2026 07:26:31 GMT", just_before) == 2.0


@pytest.mark.parametrize("secret", ["a\nb", "\u20ac", "\ud800"])
def test_a_token_that_cannot_be_sent_is_no_crash(rig: Rig, secret: str) -> None:
    with pytest.raises(MailSourceError):
        rig.http.request("GET", URL, headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize("path", ["\ud800", "\u20ac", " ", "%", "a" * 100_000])
def test_an_odd_address_is_no_crash(rig: Rig, path: str) -> None:
    try:
        assert rig.http.request("GET", f"{GRAPH_ROOT}/v1.0/{path}", headers={}).status >= 400
    except MailSourceError as error:
        assert error.transient  # noqa: PT017 - either is fine
