"""The doctor's page, in a real browser, beside the real program and without it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.desktop.rig import wait_until
from tests.e2e.program import CLIENT_ID, Program
from tests.pages.opened import OpenedPage, choose_from_menu

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(120)]

USERNAME = "ada@contoso.example"
SUBJECT = "Nobody else's business"


def opened(
    program: Program, simulator: Simulator, session: DesktopSession, folder: Path
) -> OpenedPage:
    options = ("--service-url", simulator.url, "--client-id", CLIENT_ID)
    return OpenedPage(program.home, session.env, "doctor", *options, folder=folder)


def press(browser: Chrome, words: str) -> None:
    browser.find_element(By.XPATH, f"//button[.='{words}']").click()


def verdicts(browser: Chrome) -> dict[str, str]:
    """Return each part's verdict, as words."""
    return {
        one.find_element(By.TAG_NAME, "h2").text: one.find_element(By.CLASS_NAME, "verdict").text
        for one in browser.find_elements(By.CLASS_NAME, "check")
    }


def test_everything_is_told_in_words_and_looked_at_again(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    with opened(program, simulator, session, tmp_path) as page:
        browser.get(page.link)
        assert browser.title == "Diagnostics · mailtray"
        found = verdicts(browser)
        assert len(found) == 22
        assert found["Tray"] == found["Keyring"] == found["Notifications"] == "good"
        session.stop_notify()
        try:
            press(browser, "Check again")
            wait_until(lambda: verdicts(browser).get("Notifications") == "fails", 20.0)
            assert "install dunst" in browser.find_element(By.CSS_SELECTOR, ".check.fail").text
        finally:
            session.start_notify()


def test_a_notification_to_try(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    session.run("dunstctl", "close-all")
    with opened(program, simulator, session, tmp_path) as page:
        browser.get(page.link)
        press(browser, "Send a test notification")
        wait_until(lambda: session.displayed_notifications() == 1, 10.0)
        wait_until(lambda: "Did you see it?" in browser.page_source, 10.0)
        press(browser, "No")
        wait_until(lambda: "do not disturb" in browser.page_source, 10.0)
        press(browser, "Send a test notification")
        press(browser, "Yes")
        wait_until(lambda: "notifications reach you" in browser.page_source, 10.0)
        report = browser.find_element(By.ID, "report").get_attribute("value") or ""
        assert report.endswith("A test notification was seen.")


def test_a_notification_that_nobody_can_show_is_told(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    session.stop_notify()
    try:
        with opened(program, simulator, session, tmp_path) as page:
            browser.get(page.link)
            press(browser, "Send a test notification")
            trouble = wait_until(lambda: browser.find_elements(By.CLASS_NAME, "problem"), 10.0)
            assert "no notification server runs" in trouble[0].text
    finally:
        session.start_notify()


def test_the_last_day_is_drawn_and_told(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    program.wait_told(simulator.cloud.deliver(count=2))
    with opened(program, simulator, session, tmp_path) as page:
        browser.get(page.link)
        drawn = browser.find_element(By.CSS_SELECTOR, "svg.arrivals")
        assert drawn.get_attribute("aria-label") == "Messages: 2"
        assert drawn.find_elements(By.TAG_NAME, "rect")
        assert not browser.find_elements(By.CSS_SELECTOR, "svg.faults rect")
        browser.find_element(By.TAG_NAME, "summary").click()
        assert browser.find_element(By.CSS_SELECTOR, "table tbody tr").text.split()[2] == "2"
        # Nothing was loaded or run that the page's own policy forbids.
        complaints = [one["message"] for one in browser.get_log("browser")]  # type: ignore[no-untyped-call] # selenium
        assert not [one for one in complaints if "Content Security Policy" in one]


def test_the_report_holds_nothing_private(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    program.wait_told(simulator.cloud.deliver(subject=SUBJECT, sender_name="Grace Hopper"))
    with opened(program, simulator, session, tmp_path) as page:
        browser.get(page.link)
        assert USERNAME in browser.find_element(By.CLASS_NAME, "checks").text
        report = browser.find_element(By.ID, "report").get_attribute("value") or ""
        press(browser, "Copy report")
        wait_until(lambda: browser.find_elements(By.XPATH, "//button[.='Copied']"), 5.0)
    assert "account 1" in report
    grants = simulator.cloud.grants
    private = [*grants._refresh, *grants._access, USERNAME, "ada@", "Grace", SUBJECT, CLIENT_ID]
    private += [session.env["HOME"], page.link.split("/")[3]]
    assert [one for one in private if one.lower() in report.lower()] == []
    assert not re.search(r"[\w.]+@[\w.]+", report)


def test_it_works_without_the_program_and_without_a_home(
    session: DesktopSession, browser: Chrome, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    env = session.env | {"HTTPS_PROXY": "http://127.0.0.1:9"}
    with OpenedPage(tmp_path / "file" / "home", env, "doctor", folder=tmp_path) as page:
        browser.get(page.link)
        assert verdicts(browser)["Settings"] == "fails"
        assert "Only a running mailtray knows them." in browser.page_source


def test_the_menu_opens_the_page(
    simulator: Simulator, session: DesktopSession, tmp_path: Path, browser: Chrome
) -> None:
    opened_path = tmp_path / "opened"
    script = tmp_path / "note-page"
    script.write_text(f'#!/bin/sh\ncase "$1" in */open*) echo "$1" >>"{opened_path}" ;; esac\n')
    script.chmod(0o755)
    env = session.env | {"BROWSER": f"{script} %s"}
    options = ("--tray", "auto", "--notifier", "auto")
    with Program(tmp_path / "home", simulator.url, env, *options):
        choose_from_menu(session, "D_iagnostics")
        browser.get(
            wait_until(lambda: opened_path.read_text() if opened_path.exists() else "", 20.0)
        )
        assert verdicts(browser)["Running program"] == "good"
