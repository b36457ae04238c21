"""What a hostile site, a hostile message and another user can do, in a real browser and by hand."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import requests
from selenium.webdriver.common.by import By

from tests.desktop.rig import wait_until
from tests.pages.conftest import HOSTILE
from tests.pages.paths import BUTTONS, MAILTRAYS, SIMULATORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.pages.conftest import Shown

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(180)]
IN_ENGLISH = pytest.mark.parametrize("shown", ["en"], indirect=True)

INJECTED = """
const script = document.createElement("script");
script.textContent = "document.title = 'owned'";
document.body.append(script);
const picture = document.createElement("div");
picture.innerHTML = "<img src='data:,' onerror=\\"document.title = 'owned'\\">";
document.body.append(picture);
"""
FORM = """<!doctype html><title>Win a prize</title>
<form method="post" action="{action}"><input type="hidden" name="form_token" value="guessed">
<button>Claim</button></form>"""


@contextmanager
def hostile_site(page: str) -> Iterator[str]:
    """Yield the address of another program's page on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_what: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def inject(window: Chrome) -> None:
    """Put a script and a picture with one into the page, and see both refused."""
    window.get_log("browser")  # type: ignore[no-untyped-call] # selenium
    window.execute_script(INJECTED)
    complaints: list[str] = []

    def refused() -> bool:
        log = window.get_log("browser")  # type: ignore[no-untyped-call] # selenium
        complaints.extend(one["message"] for one in log)
        return sum("Content Security Policy" in one for one in complaints) >= 2

    wait_until(refused, 20.0)
    assert window.title != "owned"


@pytest.mark.parametrize("page", MAILTRAYS)
@IN_ENGLISH
def test_an_injected_script_does_not_run_on_mailtrays_pages(shown: Shown, page: str) -> None:
    shown.go(page)
    inject(shown.browser)


@pytest.mark.parametrize("page", SIMULATORS)
def test_an_injected_script_does_not_run_on_the_simulators_pages(
    cloud: Simulator, window: Chrome, page: str
) -> None:
    window.get(cloud.url + page)
    inject(window)


@IN_ENGLISH
def test_mail_full_of_markup_is_shown_as_text(shown: Shown, cloud: Simulator) -> None:
    shown.go("messages")
    told = shown.browser.find_elements(By.CSS_SELECTOR, ".mails .what")
    assert HOSTILE in [one.text for one in told]
    assert shown.browser.title != "owned"
    for page, what in (("/", "td a"), ("/mail/", ".mails .what")):
        shown.browser.get(cloud.url + page)
        assert HOSTILE in [one.text for one in shown.browser.find_elements(By.CSS_SELECTOR, what)]
        assert shown.browser.title != "owned"


@pytest.mark.parametrize("button", BUTTONS)
@IN_ENGLISH
def test_a_form_of_another_program_on_the_loopback_presses_nothing(
    shown: Shown, button: str
) -> None:
    # To a browser two ports of one address are one site: the cookie goes along.
    with hostile_site(FORM.format(action=shown.base + button)) as url:
        shown.browser.get(url)
        shown.browser.find_element(By.TAG_NAME, "button").click()
        wait_until(lambda: shown.browser.current_url == shown.base + button, 20.0)
        status = "return performance.getEntriesByType('navigation')[0].responseStatus"
        assert shown.browser.execute_script(status) == 403


@pytest.mark.parametrize("page", [*MAILTRAYS, "messages/list", "icon"])
@IN_ENGLISH
def test_another_user_who_knows_the_address_sees_nothing(shown: Shown, page: str) -> None:
    answer = requests.get(shown.base + page, timeout=20)
    assert answer.status_code == 403
    assert shown.base.rsplit("/", 2)[1] not in answer.text


@pytest.mark.parametrize("button", BUTTONS)
@IN_ENGLISH
def test_another_user_who_knows_the_address_presses_nothing(shown: Shown, button: str) -> None:
    origin = shown.base.rsplit("/", 2)[0]
    answer = requests.post(shown.base + button, {}, headers={"Origin": origin}, timeout=20)
    assert answer.status_code == 403


@pytest.mark.parametrize("page", SIMULATORS)
def test_the_simulators_pages_load_nothing_and_answer_to_their_own_names(
    cloud: Simulator, page: str
) -> None:
    assert cloud.url.startswith("http://127.0.0.1:")
    policy = requests.get(cloud.url + page, timeout=20).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    for headers in ({"Host": "attacker.example"}, {"Origin": "http://127.0.0.1:1"}):
        assert requests.get(cloud.url + page, headers=headers, timeout=20).status_code == 403
