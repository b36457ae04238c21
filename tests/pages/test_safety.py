"""Who may see a page and press its buttons, by requests that no browser would make."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask, request

from mailtray.pages.safety import COOKIE, FORM_TOKEN, Safety
from mailtray.pages.server import PageServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Site:
    """A page and a button behind a guard, and a client that can say anything."""

    def __init__(self) -> None:
        self.pressed = 0
        self.safety = Safety()
        self.server = PageServer(self._build)

    def _build(self, safety: Safety) -> Flask:
        self.safety = safety
        app = Flask(__name__)
        safety.guard(app)
        app.add_url_rule(f"{safety.prefix}/page", "page", lambda: "the page")

        def press() -> str:
            self.pressed += 1
            return request.form["what"]

        app.add_url_rule(f"{safety.prefix}/press", "press", press, methods=["POST"])
        return app

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        host = urlsplit(self.server.link("")).netloc
        connection = http.client.HTTPConnection(host, timeout=5)
        said = dict(headers or {})
        if body is not None:
            said.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection.request(method, path, urlencode(body) if body is not None else None, said)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def open(self) -> str:
        """Open the page as a browser does; returns the cookie."""
        link = urlsplit(self.server.link("page"))
        answer = self.ask("GET", f"{link.path}?{link.query}")
        assert answer.status == 303
        assert answer.headers["Location"] == f"{self.safety.prefix}/page"
        return str(answer.headers["Set-Cookie"])

    @property
    def origin(self) -> str:
        return f"http://{urlsplit(self.server.link('')).netloc}"

    def cookie(self) -> dict[str, str]:
        return {"Cookie": self.open().partition(";")[0]}

    def press(self, headers: Mapping[str, str], token: str | None = None) -> int:
        body = {"what": "done", FORM_TOKEN: self.safety.form_token if token is None else token}
        return self.ask("POST", f"{self.safety.prefix}/press", headers, body).status


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with site.server:
        yield site


def test_the_link_opens_the_page(site: Site) -> None:
    assert site.ask("GET", f"{site.safety.prefix}/page", site.cookie()).status == 200


def test_the_cookie_is_for_this_page_alone(site: Site) -> None:
    cookie = site.open()
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"Path={site.safety.prefix}" in cookie


def test_a_link_opens_once(site: Site) -> None:
    link = urlsplit(site.server.link("page"))
    assert site.ask("GET", f"{link.path}?{link.query}").status == 303
    assert site.ask("GET", f"{link.path}?{link.query}").status == 403


@pytest.mark.parametrize("cookie", [{}, {"Cookie": f"{COOKIE}="}, {"Cookie": f"{COOKIE}=guessed"}])
def test_who_has_no_cookie_sees_nothing(site: Site, cookie: Mapping[str, str]) -> None:
    site.open()
    assert site.ask("GET", f"{site.safety.prefix}/page", cookie).status == 403


@pytest.mark.parametrize("path", ["/", "/page", "/favicon.ico", "/open?key=guessed&page=page"])
def test_outside_the_prefix_there_is_nothing(site: Site, path: str) -> None:
    assert site.ask("GET", path, site.cookie()).status == 403


def test_a_guessed_key_opens_nothing(site: Site) -> None:
    site.server.link("page")
    assert site.ask("GET", f"{site.safety.prefix}/open?key=guessed&page=page").status == 403


@pytest.mark.parametrize("host", ["attacker.example", "localhost", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_this_address_is_refused(site: Site, host: str) -> None:
    headers = {**site.cookie(), "Host": host}
    assert site.ask("GET", f"{site.safety.prefix}/page", headers).status == 403


def test_a_button_works_from_the_page(site: Site) -> None:
    assert site.press({**site.cookie(), "Origin": site.origin}) == 200
    assert site.pressed == 1


@pytest.mark.parametrize("origin", ["", "null", "http://attacker.example", "http://127.0.0.1:1"])
def test_a_form_of_another_site_presses_nothing(site: Site, origin: str) -> None:
    headers = {**site.cookie(), **({"Origin": origin} if origin else {})}
    assert site.press(headers) == 403
    assert site.pressed == 0


@pytest.mark.parametrize("token", ["", "guessed"])
def test_a_form_without_its_token_presses_nothing(site: Site, token: str) -> None:
    assert site.press({**site.cookie(), "Origin": site.origin}, token) == 403
    assert site.pressed == 0


def test_a_page_may_load_and_run_nothing_of_others(site: Site) -> None:
    answers = [
        site.ask("GET", f"{site.safety.prefix}/page", site.cookie()),
        site.ask("GET", "/"),
    ]
    for answer in answers:
        policy = str(answer.headers["Content-Security-Policy"])
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_that_is_too_large_is_refused(site: Site) -> None:
    headers = {**site.cookie(), "Origin": site.origin}
    body = {"what": "x" * 300_000, FORM_TOKEN: site.safety.form_token}
    assert site.ask("POST", f"{site.safety.prefix}/press", headers, body).status == 413
    assert site.pressed == 0


def test_it_listens_on_the_loopback_alone(site: Site) -> None:
    assert urlsplit(site.origin).hostname == "127.0.0.1"


def test_it_is_over_when_nobody_asks() -> None:
    with PageServer(lambda _: Flask(__name__), idle_s=0.05) as server:
        server.wait()


class Clock(threading.Event):
    """A wait that knows how long it would have been, and whether somebody asked meanwhile."""

    def __init__(self, *asked: bool) -> None:
        super().__init__()
        self._asked = list(asked)
        self.waited_s: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_s.append(timeout)
        return self._asked.pop(0)


def test_it_is_over_after_ten_minutes_in_which_nobody_asked() -> None:
    server = PageServer(lambda _: Flask(__name__))
    clock = server._asked = Clock(True, True, False)
    server.wait()
    assert clock.waited_s == [600.0] * 3


def test_it_is_over_when_it_is_to_end() -> None:
    with PageServer(lambda _: Flask(__name__)) as server:
        server.close()
        server.wait()
