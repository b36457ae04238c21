"""The settings' page, in a real browser beside the real program."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from mailtray.core.settings import FORMS
from mailtray.pages.settings import GROUPS
from tests.desktop.rig import wait_until
from tests.e2e.program import Program
from tests.pages.opened import OpenedPage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

MINE = "# My own words.\ninterval_s = 60.0  # a minute\n"


def test_every_setting_is_in_one_group() -> None:
    shown = [key for _anchor, _title, keys in GROUPS for key in keys]
    assert sorted(shown) == sorted(FORMS)


@pytest.fixture
def program(simulator: Simulator, session: DesktopSession, tmp_path: Path) -> Iterator[Program]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text(MINE)
    with Program(home, simulator.url, session.env, interval_s=None) as running:
        running.sign_in()
        yield running


def save(browser: Chrome, key: str, words: str) -> None:
    form = browser.find_element(By.ID, key)
    field = form.find_element(By.NAME, "words")
    if field.tag_name == "input":
        field.clear()
    field.send_keys(words)
    form.find_element(By.CSS_SELECTOR, "button[value=save]").click()


@pytest.mark.desktop
@pytest.mark.browser
@pytest.mark.timeout(120)
def test_a_change_is_checked_kept_with_the_comments_and_taken_over(
    session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    path = program.home / "settings.toml"
    with OpenedPage(program.home, session.env, "settings", folder=tmp_path) as page:
        browser.get(page.link)
        save(browser, "interval_s", "often")
        alert = wait_until(lambda: browser.find_elements(By.CSS_SELECTOR, "[role=alert]"))[0]
        assert alert.text == "must be a number of seconds from 10 to 3600"
        assert path.read_text() == MINE
        save(browser, "interval_s", "120")
        wait_until(lambda: "interval_s = 120" in path.read_text())
        assert path.read_text().startswith("# My own words.\n")
        assert "# a minute" in path.read_text()
        mark = program.mark()
        save(browser, "group_conversations", "no")
        wait_until(lambda: "group_conversations = false" in path.read_text())
        polled = program.wait(mark, event="polled")
        assert 100 < polled["next_s"] < 150
        browser.find_element(By.ID, "interval_s").find_element(
            By.CSS_SELECTOR, "button[value=default]"
        ).click()
        wait_until(lambda: "interval_s" not in path.read_text())
        assert "# My own words." in path.read_text()


TEAM = "team@fabrikam.example"
SHARED_INBOX = f"{TEAM}/inbox"


def press(browser: Chrome, label: str) -> None:
    browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()


def follow(browser: Chrome, label: str) -> None:
    browser.find_element(By.LINK_TEXT, label).click()


def box(browser: Chrome, folder: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, f"input[name=folder][value='{folder}']")


def pick_folders(browser: Chrome, path: Path) -> None:
    """Watch a folder of one's own mailbox and the inbox of a shared one, besides the inbox."""
    follow(browser, "Folders")
    assert box(browser, "inbox").is_selected()
    browser.find_element(By.ID, "mailbox").send_keys(TEAM)
    press(browser, "Show its folders")
    wait_until(lambda: browser.find_elements(By.XPATH, f"//legend[.='{TEAM}']"), 20.0)
    box(browser, SHARED_INBOX).click()
    box(browser, "Inbox/Letters").click()
    press(browser, "Save")
    wait_until(lambda: browser.find_elements(By.XPATH, "//p[.='Saved.']"), 20.0)
    found = tomllib.loads(path.read_text())["folders"]
    assert found == ["inbox", "Inbox/Letters", SHARED_INBOX]


def write_rule(browser: Chrome, path: Path, *, tried_on: str) -> None:
    """Silence newsletters: tried on a message before it is saved."""
    follow(browser, "Rules")
    follow(browser, "Add a rule")
    browser.find_element(By.NAME, "subject").send_keys("newsletter")
    Select(browser.find_element(By.NAME, "do")).select_by_value("silent")
    press(browser, "Try it on your newest mail")
    tried = wait_until(lambda: browser.find_elements(By.CSS_SELECTOR, "li.silent"), 20.0)[0].text
    assert tried_on in tried
    assert "rule 1: subject “newsletter” → silent" in tried
    assert "rules" not in path.read_text()
    press(browser, "Save")
    wait_until(lambda: browser.find_elements(By.XPATH, "//p[.='Saved.']"), 20.0)


@pytest.mark.desktop
@pytest.mark.browser
@pytest.mark.timeout(180)
def test_folders_are_picked_and_a_rule_is_tried_and_obeyed(
    simulator: Simulator,
    session: DesktopSession,
    program: Program,
    browser: Chrome,
    tmp_path: Path,
) -> None:
    path, cloud = program.home / "settings.toml", simulator.cloud
    reader = next(iter(cloud.accounts))
    cloud.add_account(TEAM, "Team")
    cloud.share_mailbox(TEAM, reader=reader)
    letters = cloud.add_folder("Letters")
    waiting = cloud.deliver(subject="The newsletter of May")
    program.run("check")
    program.wait_told(waiting)
    with OpenedPage(program.home, session.env, "settings", folder=tmp_path) as page:
        browser.get(page.link)
        pick_folders(browser, path)
        write_rule(browser, path, tried_on="The newsletter of May")
    assert path.read_text().startswith(MINE)
    # What a folder holds when it is first looked into is not new.
    program.run("check")
    silent = cloud.deliver(subject="The newsletter of June")
    heard = cloud.deliver(subject="Hello", folder=letters)
    program.run("check")
    program.wait_told(heard)
    assert silent[0] not in program.told()


@pytest.mark.desktop
@pytest.mark.browser
@pytest.mark.timeout(120)
def test_a_choice_shows_at_once_what_it_makes_of_notification_and_icon(
    session: DesktopSession, program: Program, browser: Chrome, tmp_path: Path
) -> None:
    path = program.home / "settings.toml"
    with OpenedPage(program.home, session.env, "settings", folder=tmp_path) as page:
        browser.get(page.link)

        def shown(part: str) -> str:
            # In one go: the part may be put in anew between two looks.
            words = (
                "const part = document.getElementById(arguments[0]);"
                "const pictures = [...part.querySelectorAll('.panel img')];"
                "return part.innerText + pictures.map((one) => one.alt).join('')"
            )
            return str(browser.execute_script(words, f"shown-{part}"))

        assert "Anna Smith" in shown("notification")
        field = browser.find_element(By.ID, "field-privacy")
        Select(field).select_by_value("hidden")
        wait_until(lambda: "Anna Smith" not in shown("notification"), 20.0)
        assert "New message" in shown("notification")
        assert "12" in shown("icon")
        Select(browser.find_element(By.ID, "field-icon_count")).select_by_value("new")
        wait_until(lambda: shown("icon").endswith("3"), 20.0)
        drawn = "return [...document.querySelectorAll('.panel img')].every(i => i.naturalWidth)"
        wait_until(lambda: browser.execute_script(drawn), 20.0)
        assert path.read_text() == MINE
