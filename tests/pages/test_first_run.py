"""The first five minutes: from an empty home to the first message told, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.desktop.rig import wait_until
from tests.e2e.program import CLIENT_ID, Program
from tests.pages.test_demo import found, press, type_password

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(120)]


class FirstRun(Program):
    """A program without a client id, and the pages that it asks a browser to open."""

    def __init__(self, folder: Path, simulator: Simulator, session: DesktopSession) -> None:
        self._opened_path = folder / "opened"
        self._opened_path.touch()
        script = folder / "note-page"
        script.write_text(f'#!/bin/sh\necho "$1" >>"{self._opened_path}"\n')
        script.chmod(0o755)
        env = {**session.env, "BROWSER": f"{script} %s"}
        super().__init__(folder / "home", simulator.url, env, "--tray", "auto")

    def _common(self) -> list[str]:
        return super()._common()[:-2]

    def page(self, number: int) -> str:
        """Return the address of the ``number``-th page it opened, from 0."""
        return wait_until(lambda: self._opened_path.read_text().split()[number:], 20.0)[0]


@pytest.fixture
def program(simulator: Simulator, session: DesktopSession, tmp_path: Path) -> Iterator[FirstRun]:
    running = FirstRun(tmp_path, simulator, session)
    with running:
        yield running


def enter(browser: Chrome, client_id: str) -> None:
    field = found(browser, By.ID, "client_id")
    field.clear()
    field.send_keys(client_id)
    press(browser, "Go on")


def test_from_an_empty_home_to_the_first_message(
    simulator: Simulator, program: FirstRun, browser: Chrome
) -> None:
    browser.get(program.page(0))
    assert found(browser, By.TAG_NAME, "h1").text == "Welcome to mailtray"
    enter(browser, "ada@contoso.example")
    assert "mail address" in found(browser, By.CSS_SELECTOR, "[role=alert]").text
    mark = program.mark()
    enter(browser, CLIENT_ID)
    wait_until(lambda: "Now sign in" in browser.page_source)
    program.wait(mark, event="status", state="signed_out")
    press(browser, "Sign in")
    ours = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(program.page(1))
    press(browser, "Ada Lovelace")
    type_password(browser)
    press(browser, "Accept")
    wait_until(lambda: "You are signed in" in browser.page_source)
    browser.close()
    browser.switch_to.window(ours)
    wait_until(lambda: "Signed in as ada@contoso.example" in browser.page_source, 15.0)
    program.wait(mark, event="polled")
    program.wait_told(simulator.cloud.deliver())


def test_the_values_to_enter_are_those_that_mailtray_needs(
    program: FirstRun, browser: Chrome
) -> None:
    browser.get(program.page(0))
    copied = [
        one.get_attribute("data-words")
        for one in browser.find_elements(By.CSS_SELECTOR, "[data-words]")
    ]
    assert copied == ["mailtray", "http://localhost", "Mail.ReadBasic"]
