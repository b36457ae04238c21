"""The demo as a person sees it: a browser, a panel, notifications."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self

import pytest
from selenium.webdriver.common.by import By

from mailtray.adapters.icons import BADGE
from tests.desktop.rig import Place, wait_until
from tests.pages.opened import noting_browser
from tests.pages.pictures import keep, keep_page, keep_tooltip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from tests.desktop.rig import DesktopSession

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(180)]

FIRST_NOTIFICATION = Place(1080, 66)


class RunningDemo:
    """``mailtray demo`` in a session, what it says, and the pages it asks a browser to open."""

    def __init__(self, session: DesktopSession, folder: Path) -> None:
        self.said_path = folder / "said"
        self.opened_path, command = noting_browser(folder)
        env = {**session.env, "BROWSER": command, "PYTHONUNBUFFERED": "1"}
        with self.said_path.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mailtray", "demo"], env=env, stdout=said, stderr=said
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(10) == 0

    def said(self, words: str, timeout_s: float = 30.0) -> None:
        """Wait until the story says something."""
        try:
            wait_until(lambda: words in self.said_path.read_text(), timeout_s)
        except AssertionError:
            pytest.fail(f"no {words!r} in {self.said_path.read_text()}")

    def page(self, number: int) -> str:
        """Return the address of the ``number``-th page it opened, from 0."""
        return wait_until(lambda: self.opened_path.read_text().splitlines()[number:], 20.0)[0]


@pytest.fixture
def demo(session: DesktopSession, tmp_path: Path) -> Iterator[RunningDemo]:
    with RunningDemo(session, tmp_path) as running:
        yield running


def found(browser: Chrome, by: str, what: str) -> WebElement:
    """Return an element as soon as the page has it."""
    return wait_until(lambda: browser.find_elements(by, what), 10.0)[0]


def press(browser: Chrome, words: str) -> None:
    found(browser, By.XPATH, f"//button[contains(., '{words}')]").click()


def type_password(browser: Chrome) -> None:
    found(browser, By.CSS_SELECTOR, "input[type=password]").send_keys("anything")
    press(browser, "Sign in")


def test_signed_in_notified_clicked_and_read(
    demo: RunningDemo,
    session: DesktopSession,
    browser: Chrome,
) -> None:
    browser.get(demo.page(0))
    press(browser, "Ada Lovelace")
    wait_until(lambda: "Mail.ReadBasic" in browser.page_source)
    keep_page("sign-in", browser, 640, 610)
    press(browser, "Accept")
    wait_until(lambda: "You are signed in" in browser.page_source)
    demo.said("Two messages arrive")
    wait_until(lambda: session.displayed_notifications() == 2, 20.0)
    keep("notification", session.screenshot(), (880, 0, 1280, 194))
    session.click(FIRST_NOTIFICATION)
    browser.get(demo.page(1))
    assert found(browser, By.TAG_NAME, "h1").text == "Lunch on Thursday?"
    demo.said("token refreshes: 1", 40.0)
    demo.said("the icon and the tooltip say so", 40.0)
    session.run("dunstctl", "close-all")
    keep_tooltip("offline", session)
    demo.said("back again by itself", 60.0)
    session.run("dunstctl", "close-all")
    sign_in_again(demo, session, browser)
    demo.said("lost 0, repeated 0", 60.0)


def sign_in_again(
    demo: RunningDemo,
    session: DesktopSession,
    browser: Chrome,
) -> None:
    """Click the notification that tells of the revoked sign-in, and sign in."""
    demo.said("choose “Sign in again”", 60.0)
    wait_until(lambda: session.displayed_notifications() == 1)
    wait_until(lambda: session.find_tray_icon(BADGE[:3]) is None)
    keep("attention", session.screenshot(), (880, 0, 1280, 124))
    pages = len(demo.opened_path.read_text().splitlines())
    session.click(FIRST_NOTIFICATION)
    browser.get(demo.page(pages))  # who it is, the browser remembers
    wait_until(lambda: "You are signed in" in browser.page_source)
