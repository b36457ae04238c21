"""A real Chromium, on a real desktop."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from mailtray.simulator import Simulator
from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

CHROMIUM_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-position=40,60",
    "--window-size=820,680",
)


@pytest.fixture
def session() -> Iterator[DesktopSession]:
    require("bus", "display", "keyring", "notify", "tray")
    with DesktopSession() as whole:
        yield whole


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def program(simulator: Simulator, session: DesktopSession, tmp_path: Path) -> Iterator[Program]:
    """The program on the session's desktop, signed in."""
    with Program(tmp_path / "home", simulator.url, session.env) as running:
        running.sign_in()
        yield running


@pytest.fixture
def browser(session: DesktopSession, tmp_path: Path) -> Iterator[Chrome]:
    """A Chromium window on the session's screen."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI lacks chromium or chromedriver")
        pytest.skip("needs chromium and chromedriver")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = chromium
    # Without this switch a bar says that a test drives the browser.
    options.add_experimental_option("excludeSwitches", ["enable-automation"])
    no_bubbles = {"credentials_enable_service": False, "profile.password_manager_enabled": False}
    options.add_experimental_option("prefs", no_bubbles)
    for switch in (*CHROMIUM_SWITCHES, f"--user-data-dir={tmp_path / 'chromium'}"):
        options.add_argument(switch)
    window = Chrome(options, Service(driver, env=session.env))
    window.set_page_load_timeout(20)
    yield window
    window.quit()
