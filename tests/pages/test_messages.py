"""The page of the newest unread messages, in a real browser beside the real program."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.desktop.rig import wait_until
from tests.pages.opened import OpenedPage

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession
    from tests.e2e.program import Program

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(120)]

SCRIPT = "<script>document.title='owned'</script><b>bold</b>"


def listed(browser: Chrome) -> list[str]:
    """Return the subjects on the page, which is drawn anew now and then."""
    subjects = "return [...document.querySelectorAll('.mails .what')].map(e => e.textContent)"
    return list(browser.execute_script(subjects))


def test_messages_come_and_go_by_themselves_and_are_text(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    ids = simulator.cloud.deliver(subject=SCRIPT)
    program.wait_told(ids)
    with OpenedPage(program.home, session.env, "messages", folder=tmp_path) as page:
        browser.get(page.link)
        assert listed(browser)[0] == SCRIPT
        assert browser.title == "Messages · mailtray"
        more = simulator.cloud.deliver(subject="While you look")
        program.wait_told(more)
        wait_until(lambda: listed(browser)[:1] == ["While you look"], 15.0)
        assert "?" not in browser.current_url
        browser.get(page.link)
        assert "This link was used before" in browser.page_source


def test_check_now_checks(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    with OpenedPage(program.home, session.env, "messages", folder=tmp_path) as page:
        browser.get(page.link)
        mark = program.mark()
        browser.find_element(By.XPATH, "//button[.='Check now']").click()
        program.wait(mark, event="polled")
        wait_until(lambda: browser.find_elements(By.TAG_NAME, "h2"))
        assert simulator.cloud.unread_count() == len(listed(browser))


def test_it_says_that_the_program_does_not_run(
    session: DesktopSession, browser: Chrome, tmp_path: Path
) -> None:
    with OpenedPage(tmp_path / "empty", session.env, "messages", folder=tmp_path) as page:
        browser.get(page.link)
        assert browser.find_element(By.TAG_NAME, "h1").text == "mailtray is not running"


def test_the_page_ends_with_its_process_and_leaves_the_program_light(program: Program) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c",
         "import sys, mailtray.bootstrap as b; print([m for m in sys.modules if m in "
         "('flask', 'cheroot', 'jinja2', 'werkzeug')])"],
        capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    assert loaded.stdout.strip() == "[]"
    with open(f"/proc/{program.pid}/maps", encoding="utf-8") as maps:  # noqa: PTH123 - no path of ours
        assert "markupsafe" not in maps.read()


def test_it_signs_in_and_leads_to_what_is_wrong(
    simulator: Simulator, session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    program.run("signout")
    with OpenedPage(program.home, session.env, "messages", folder=tmp_path) as page:
        browser.get(page.link)
        mark = program.mark()
        browser.find_element(By.XPATH, "//button[.='Sign in']").click()
        program.wait(mark, event="polled")
        mark = program.mark()
        simulator.cloud.revoke_refresh_tokens()
        simulator.cloud.expire_access_tokens()
        program.wait(mark, event="status", state="attention")
        # Clicked by its page: the part is drawn anew now and then.
        click = "const link = document.querySelector('a.button'); link?.click(); return !!link"
        wait_until(lambda: browser.execute_script(click), 20.0)
        wait_until(lambda: "/trouble" in browser.current_url, 20.0)
        assert browser.find_element(By.TAG_NAME, "h1").text == "Your sign-in was revoked"
