"""The settings' page, in a real browser beside the real program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from mailtray.core.settings import FORMS
from mailtray.pages.settings import GROUPS
from tests.desktop.rig import wait_until
from tests.e2e.program import Program
from tests.pages.opened import OpenedPage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

MINE = "# My own words.\ninterval_s = 60.0  # a minute\n"


def test_every_setting_is_in_one_group() -> None:
    shown = [key for _, keys in GROUPS for key in keys]
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
