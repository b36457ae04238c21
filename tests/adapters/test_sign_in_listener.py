"""The loopback address of a sign-in, and what may arrive there."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from mailtray.adapters import sign_in_listener
from mailtray.adapters.sign_in_listener import SignInListener

if TYPE_CHECKING:
    from collections.abc import Iterator

RIGHT = {"code": "secret-code", "state": "S", "client_info": "x"}


@pytest.fixture
def listener() -> Iterator[SignInListener]:
    with SignInListener() as listener:
        listener.expect("S")
        yield listener


def here(listener: SignInListener) -> str:
    return f"http://127.0.0.1:{urlsplit(listener.redirect_uri).port}/"


def post(listener: SignInListener, fields: dict[str, str]) -> requests.Response:
    return requests.post(here(listener), data=fields, timeout=10)


def never() -> bool:
    return False


def test_the_answer_is_brought_and_the_browser_told(listener: SignInListener) -> None:
    with ThreadPoolExecutor(1) as pool:
        browser = pool.submit(post, listener, RIGHT)
        answer = listener.wait(never)
        assert answer is not None
        assert answer.fields == RIGHT
        answer.reply("You are <b>signed in", "Close & go on.")
        page = browser.result(10)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "You are &lt;b&gt;signed in" in page.text
    assert "Close &amp; go on." in page.text
    assert "<script" not in page.text
    assert "secret-code" not in page.text + repr(answer)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({**RIGHT, "state": "T"}, id="another state"),
        pytest.param({"code": "c"}, id="no state"),
        pytest.param({"state": "S"}, id="neither code nor error"),
        pytest.param({}, id="nothing"),
        pytest.param({**RIGHT, "state": ""}, id="an empty state"),
        pytest.param({"error": "access_denied", "state": "ä"}, id="an odd state"),
        pytest.param({f"f{n}": "x" for n in range(100)} | RIGHT, id="too many fields"),
        pytest.param(RIGHT | {"x": "y" * 100_000}, id="too long"),
    ],
)
def test_what_is_no_answer_changes_nothing(
    listener: SignInListener, fields: dict[str, str]
) -> None:
    assert post(listener, fields).status_code == 400
    test_the_answer_is_brought_and_the_browser_told(listener)


@pytest.mark.parametrize("query", ["", "?code=c&state=S", "?error=access_denied&state=S"])
def test_a_get_changes_nothing(listener: SignInListener, query: str) -> None:
    assert requests.get(here(listener) + query, timeout=10).status_code == 400
    test_the_answer_is_brought_and_the_browser_told(listener)


def test_a_second_answer_is_turned_away(listener: SignInListener) -> None:
    test_the_answer_is_brought_and_the_browser_told(listener)
    assert post(listener, RIGHT).status_code == 400


def test_no_answer_is_taken_before_one_is_expected() -> None:
    with SignInListener() as listener:
        assert post(listener, RIGHT | {"state": ""}).status_code == 400


@pytest.mark.parametrize(
    "head", ["Content-Length: -5", "Content-Length: x", "Content-Length: ²", "X: none"]
)
def test_an_odd_length_is_turned_away(listener: SignInListener, head: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(here(listener)).port or 0)) as raw:
        raw.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode("latin-1"))
        assert b" 400 " in raw.recv(1000)


def test_a_silent_connection_holds_up_nothing(listener: SignInListener) -> None:
    port = urlsplit(here(listener)).port or 0
    with socket.create_connection(("127.0.0.1", port)):
        test_the_answer_is_brought_and_the_browser_told(listener)


def test_a_browser_that_hangs_up_does_no_harm(listener: SignInListener) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(here(listener)).port or 0)) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\ncode")
    test_the_answer_is_brought_and_the_browser_told(listener)


def test_waiting_is_given_up_when_asked(listener: SignInListener) -> None:
    given_up = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listener.wait, given_up.is_set)
        given_up.set()
        assert waiting.result(2) is None


def test_a_page_that_nobody_words_says_so(
    listener: SignInListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_listener, "_PAGE_S", 0.01)
    assert "Almost done" in post(listener, RIGHT).text


def test_an_answer_nobody_waits_for_any_more_is_told() -> None:
    with ThreadPoolExecutor(1) as pool:
        with SignInListener() as listener:
            listener.expect("S")
            browser = pool.submit(post, listener, RIGHT)
            while listener._server.brought.empty() and not browser.done():
                pass
        assert "given up" in browser.result(10).text


def test_only_the_loopback_listens(listener: SignInListener) -> None:
    assert listener._server.server_address[0] == "127.0.0.1"
    assert listener.redirect_uri.startswith("http://localhost:")


def test_nothing_listens_afterwards() -> None:
    with SignInListener() as listener:
        address = here(listener)
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=2)
