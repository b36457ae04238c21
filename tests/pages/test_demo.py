"""The demo as a person sees it: a browser, a panel, notifications."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.desktop.rig import Place, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from tests.desktop.rig import DesktopSession

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(180)]

FIRST_NOTIFICATION = Place(1080, 66)
PICTURES = Path(os.environ["MAILTRAY_PICTURES"]) if "MAILTRAY_PICTURES" in os.environ else None


class RunningDemo:
    """``mailtray demo`` in a session, what it says, and the pages it asks a browser to open."""

    def __init__(self, session: DesktopSession, folder: Path) -> None:
        self.said_path = folder / "said"
        self.opened_path = folder / "opened"
        self.opened_path.touch()
        script = folder / "browser"
        script.write_text(f'#!/bin/sh\necho "$1" >>"{self.opened_path}"\n')
        script.chmod(0o755)
        env = {**session.env, "BROWSER": f"{script} %s", "PYTHONUNBUFFERED": "1"}
        with self.said_path.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mailtray", "demo"], env=env, stdout=said, stderr=said
            )

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
    running = RunningDemo(session, tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0


@pytest.fixture
def picture(session: DesktopSession) -> Callable[[str], None]:
    """Take a picture of the screen for the documentation, where they are wanted."""

    def take(name: str) -> None:
        if PICTURES is not None:
            session.screenshot(PICTURES / f"{name}.png")

    return take


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
    picture: Callable[[str], None],
) -> None:
    browser.get(demo.page(0))
    press(browser, "Ada Lovelace")
    type_password(browser)
    wait_until(lambda: "Mail.ReadBasic" in browser.page_source)
    picture("sign-in")
    press(browser, "Accept")
    wait_until(lambda: "You are signed in" in browser.page_source)
    demo.said("Two messages arrive")
    wait_until(lambda: session.displayed_notifications() == 2, 20.0)
    picture("desktop")
    session.click(FIRST_NOTIFICATION)
    browser.get(demo.page(1))
    assert found(browser, By.TAG_NAME, "h1").text == "Lunch on Thursday?"
    picture("message")
    demo.said("token refreshes: 1", 40.0)
    demo.said("the icon and the tooltip say so", 40.0)
    picture("offline")
    demo.said("back again by itself", 60.0)
    session.run("dunstctl", "close-all")
    sign_in_again(demo, session, browser, picture)
    demo.said("lost 0, repeated 0", 60.0)


def sign_in_again(
    demo: RunningDemo,
    session: DesktopSession,
    browser: Chrome,
    picture: Callable[[str], None],
) -> None:
    """Click the notification that tells of the revoked sign-in, and sign in."""
    demo.said("choose “Sign in again”", 60.0)
    wait_until(lambda: session.displayed_notifications() == 1)
    picture("attention")
    pages = len(demo.opened_path.read_text().splitlines())
    session.click(FIRST_NOTIFICATION)
    browser.get(demo.page(pages))  # who it is, the browser remembers
    wait_until(lambda: "You are signed in" in browser.page_source)
