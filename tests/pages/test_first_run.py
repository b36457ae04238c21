"""The first five minutes: from an empty home to the first message told, in a real browser."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from mailtray.pages.first_run import CODES, STEPS
from mailtray.simulator.faults import Fault
from mailtray.simulator.knobs import AuthorizeError
from tests.desktop.rig import wait_until
from tests.e2e.program import CLIENT_ID, Program
from tests.pages.test_demo import found, press, type_password
from tests.pages.test_manners import found_by_axe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

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

    def pages(self) -> list[str]:
        """Return the addresses of the pages that it opened."""
        return self._opened_path.read_text().split()

    def page(self, number: int) -> str:
        """Return the address of the ``number``-th page it opened, from 0."""
        return wait_until(lambda: self.pages()[number:], 20.0)[0]


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


@contextmanager
def at_microsofts(program: FirstRun, browser: Chrome, button: str) -> Iterator[None]:
    """Press a button and yield in the page of Microsoft's that opens, in a tab of its own."""
    before = len(program.pages())
    press(browser, button)
    ours = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(program.page(before))
    yield
    browser.close()
    browser.switch_to.window(ours)


def accept(browser: Chrome) -> None:
    press(browser, "Ada Lovelace")
    type_password(browser)
    press(browser, "Accept")


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
    with at_microsofts(program, browser, "Sign in"):
        accept(browser)
        wait_until(lambda: "You are signed in" in browser.page_source)
    wait_until(lambda: "Signed in as ada@contoso.example" in browser.page_source, 20.0)
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


def marked(browser: Chrome, words: str) -> str:
    """Follow the sentence that came back to the step it names; returns which is marked."""
    link = (By.PARTIAL_LINK_TEXT, "Correct step")
    named = wait_until(lambda: browser.find_elements(*link), 30.0)[0]
    assert words in found(browser, By.CLASS_NAME, "problem").text
    number = int(named.text.removeprefix("Correct step "))
    named.click()
    step = found(browser, By.CSS_SELECTOR, "li[aria-current=step]")
    assert words in step.find_element(By.CSS_SELECTOR, "[role=alert]").text
    assert len(browser.find_elements(By.CSS_SELECTOR, ".steps .wrong")) == 1
    name = (step.get_attribute("id") or "").removeprefix("step-")
    assert STEPS.index(name) == number - 1
    return name


ON_MICROSOFTS_PAGE = (
    (700016, "id", "The client id was not found there"),
    (90002, "id", "The organisation was not found"),
    (50011, "redirect", "The return address is not registered"),
    (50194, "types", "The registration is for one organisation only"),
    (9002346, "types", "The registration is for personal accounts only"),
    (50020, "types", "This account is not in that organisation"),
    (90094, "permissions", "An administrator must approve mailtray"),
)
"""The mistakes of which Microsoft tells the person alone: the number is typed in."""
TOLD_TO_THE_PROGRAM = (
    (650053, "permissions", "A permission does not exist in that organisation"),
    (65001, "permissions", "An administrator must approve mailtray"),
    (700054, "redirect", "The registration does not allow this kind of sign-in"),
)


@pytest.fixture
def ready(program: FirstRun, browser: Chrome) -> FirstRun:
    """The program with a client id, its page at the sign-in."""
    browser.get(program.page(0))
    mark = program.mark()
    enter(browser, CLIENT_ID)
    wait_until(lambda: "Now sign in" in browser.page_source, 20.0)
    program.wait(mark, event="status", state="signed_out")
    return program


@pytest.mark.timeout(240)
def test_a_mistake_that_microsofts_page_tells_of_comes_back_to_its_step(
    simulator: Simulator, ready: FirstRun, browser: Chrome
) -> None:
    here, button = browser.current_url, "Sign in"
    for code, step, words in ON_MICROSOFTS_PAGE:
        refusal = AuthorizeError(code, "invalid_request", "No.", redirect=False)
        simulator.cloud.authorize_error = refusal
        with at_microsofts(ready, browser, button):
            shown = re.findall(r"AADSTS\d+", found(browser, By.TAG_NAME, "body").text)
        browser.get(here)
        found(browser, By.ID, "number").send_keys(shown[0])
        press(browser, "What does it mean?")
        assert marked(browser, words) == step
        browser.get(here)
        button = "Try again"
    with at_microsofts(ready, browser, button):
        accept(browser)
        wait_until(lambda: "You are signed in" in browser.page_source)
    wait_until(lambda: "Signed in as ada@contoso.example" in browser.page_source, 20.0)


@pytest.mark.timeout(240)
def test_a_mistake_that_the_program_is_told_of_comes_back_to_its_step(
    simulator: Simulator, ready: FirstRun, browser: Chrome
) -> None:
    here, button = browser.current_url, "Sign in"
    for code, step, words in TOLD_TO_THE_PROGRAM:
        simulator.cloud.authorize_error = AuthorizeError(code, "invalid_client", "No.")
        with at_microsofts(ready, browser, button):
            wait_until(lambda: "mailtray" in browser.page_source, 20.0)
        assert marked(browser, words) == step
        browser.get(here)
        button = "Try again"
    refusal = {"error": "invalid_client", "error_codes": [7000218], "error_description": "No."}
    simulator.cloud.faults.add(Fault(path="/oauth2/v2.0/token", status=401, body=refusal))
    with at_microsofts(ready, browser, button):
        accept(browser)
        wait_until(lambda: "mailtray" in browser.page_source, 20.0)
    assert marked(browser, "The registration is not a public client") == "public"
    assert found_by_axe(browser) == []


def test_what_is_no_number_is_asked_for_again(
    simulator: Simulator, ready: FirstRun, browser: Chrome
) -> None:
    refusal = AuthorizeError(50011, "invalid_request", "No.", redirect=False)
    simulator.cloud.authorize_error = refusal
    with at_microsofts(ready, browser, "Sign in"):
        found(browser, By.TAG_NAME, "h1")
    found(browser, By.ID, "number").send_keys("it is red")
    press(browser, "What does it mean?")
    assert "AADSTS50011" in found(browser, By.CSS_SELECTOR, "[role=alert]").text
    assert found_by_axe(browser) == []


def test_each_number_leads_to_one_step() -> None:
    numbers = [code for codes in CODES.values() for code in codes]
    assert len(set(numbers)) == len(numbers)
    assert CODES.keys() < set(STEPS)


def is_drawn(drawing: WebElement) -> bool:
    return drawing.get_property("naturalWidth") == 320


@pytest.mark.parametrize("width_px", [320, 1280])
def test_each_step_has_a_drawing_that_fits(
    program: FirstRun, browser: Chrome, width_px: int
) -> None:
    browser.get(program.page(0))
    size = {"width": width_px, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    drawings = browser.find_elements(By.CSS_SELECTOR, ".steps li img")
    assert len(drawings) == len(STEPS)
    for number, drawing in enumerate(drawings, 1):
        browser.execute_script("arguments[0].scrollIntoView()", drawing)
        wait_until(partial(is_drawn, drawing), 20.0)
        assert f"step {number} " in (drawing.get_attribute("alt") or "")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width_px


def test_the_demo_begins_by_one_click_and_leads_back(program: FirstRun, browser: Chrome) -> None:
    browser.get(program.page(0))
    press(browser, "Start the demo")
    wait_until(lambda: "The demo has begun" in browser.page_source, 20.0)
    assert "/authorize" in program.page(1)
    found(browser, By.LINK_TEXT, "Back to the beginning").click()
    wait_until(lambda: "Welcome to mailtray" in browser.page_source, 20.0)


def test_what_was_entered_can_be_corrected(ready: FirstRun, browser: Chrome) -> None:
    settings_path = ready.home / "settings.toml"
    found(browser, By.LINK_TEXT, "Correct the id or the registration").click()
    assert found(browser, By.ID, "client_id").get_attribute("value") == CLIENT_ID
    found(browser, By.ID, "tenant").send_keys("contoso.example")
    press(browser, "Go on")
    wait_until(lambda: 'tenant = "contoso.example"' in settings_path.read_text(), 20.0)
    found(browser, By.LINK_TEXT, "Correct the id or the registration").click()
    found(browser, By.ID, "tenant").clear()
    press(browser, "Go on")
    wait_until(lambda: "contoso.example" not in settings_path.read_text(), 20.0)
