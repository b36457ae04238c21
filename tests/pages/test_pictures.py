"""What the documentation shows is what there is: its pictures are made by these tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.e2e.program import CLIENT_ID, Program
from tests.named_tests import ROOT
from tests.pages.opened import OpenedPage
from tests.pages.pictures import keep_menu, keep_page, keep_tooltip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

BYTES_AT_MOST = 60_000
IN_PERSONS_FOLDER = (
    "for (const one of document.querySelectorAll('code'))"
    " one.textContent = one.textContent.replace(arguments[0], '~/.config/mailtray')"
)
PAGES = {"settings": (820, 575), "doctor": (820, 640), "first-run": (1250, 880)}
"""How much is shown of which page, in pixels."""
MAIL = (
    ("Annie Easley", "The orbit, for your review"),
    ("Alan Turing", "Notes on the halting problem"),
    ("Grace Hopper", "Lunch on Thursday?"),
)


@pytest.fixture
def program(simulator: Simulator, session: DesktopSession, tmp_path: Path) -> Iterator[Program]:
    """The program with its icon and a few messages."""
    options = ("--tray", "auto", "--notifier", "auto")
    with Program(tmp_path / "home", simulator.url, session.env, *options) as running:
        running.sign_in()
        told = [
            one
            for sender, subject in MAIL
            for one in simulator.cloud.deliver(sender_name=sender, subject=subject)
        ]
        running.wait_told(told)
        yield running


@pytest.mark.desktop
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("program")
def test_the_tray_icon_its_words_and_its_menu(session: DesktopSession) -> None:
    session.run("dunstctl", "close-all")
    keep_tooltip("tray", session)
    keep_menu("menu", session)


@pytest.mark.desktop
@pytest.mark.browser
@pytest.mark.timeout(180)
def test_the_pages(
    simulator: Simulator, session: DesktopSession, program: Program, window: Chrome, tmp_path: Path
) -> None:
    options = ("--service-url", simulator.url, "--client-id", CLIENT_ID)
    with OpenedPage(program.home, session.env, "messages", *options, folder=tmp_path) as page:
        window.get(page.link)
        base = window.current_url.removesuffix("messages")
        assert len(window.find_elements(By.CSS_SELECTOR, ".mails li")) >= len(MAIL)
        keep_page("messages", window, 820, 420)
        for name, (width_px, height_px) in PAGES.items():
            window.get(base + name)
            assert window.find_element(By.TAG_NAME, "h1").text
            assert not window.find_elements(By.CSS_SELECTOR, "[role=alert]")
            # The person's folder is not that of a test.
            window.execute_script(IN_PERSONS_FOLDER, str(program.home))
            keep_page(name, window, width_px, height_px)


def test_every_picture_is_made_by_a_test_and_shown() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = {
        picture.rpartition("/")[2]
        for page in pages
        for picture in re.findall(r"!\[[^\]]+\]\(([\w./-]+\.png)\)", page.read_text("utf-8"))
    }
    tests = "".join(one.read_text("utf-8") for one in (ROOT / "tests/pages").glob("test_*.py"))
    made = set(PAGES) | set(re.findall(r'keep(?:_\w+)?\(\s*"([\w-]+)"', tests))
    assert {one.name for one in (ROOT / "docs").glob("*.png")} == shown
    assert {f"{name}.png" for name in made} == shown


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").glob("*.png")), ids=lambda one: one.stem)
def test_a_picture_is_small(picture: Path) -> None:
    assert picture.stat().st_size < BYTES_AT_MOST
