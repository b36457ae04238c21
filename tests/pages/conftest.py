"""A real Chromium, on a real desktop."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mailtray.simulator import Simulator
from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession
from tests.e2e.conftest import keyring_session
from tests.e2e.program import CLIENT_ID, Program
from tests.pages.opened import OpenedPage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from selenium.webdriver import Chrome

__all__ = ["keyring_session"]

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


HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
SETTINGS = 'language = "{language}"\nvip = ["@contoso.example"]\nproxy = ""\n'


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
    with chromium(tmp_path / "chromium", session.env) as window:
        yield window


@contextmanager
def chromium(folder: Path, env: Mapping[str, str], *switches: str) -> Iterator[Chrome]:
    """Yield a Chromium with a profile of its own in a folder."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI lacks chromium or chromedriver")
        pytest.skip("needs chromium and chromedriver")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = program
    # Without this switch a bar says that a test drives the browser.
    options.add_experimental_option("excludeSwitches", ["enable-automation"])
    no_bubbles = {"credentials_enable_service": False, "profile.password_manager_enabled": False}
    options.add_experimental_option("prefs", no_bubbles)
    for switch in (*CHROMIUM_SWITCHES, *switches, f"--user-data-dir={folder}"):
        options.add_argument(switch)
    window = Chrome(options, Service(driver, env=dict(env)))
    window.set_page_load_timeout(20)
    try:
        yield window
    finally:
        window.quit()


@dataclass(frozen=True)
class Shown:
    """Pages, and the browser that is to show them.

    Attributes:
        base: The address that mailtray's pages are below, with a slash at its end.
        language: In which language they are.
    """

    browser: Chrome
    base: str
    language: str

    def go(self, page: str) -> None:
        self.browser.get(self.base + page)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Simulator]:
    with Simulator() as running:
        running.cloud.deliver(subject=HOSTILE, sender_name=HOSTILE)
        running.cloud.deliver(subject="W" * 120, sender_name="A very long name " * 5)
        yield running


@pytest.fixture(scope="module")
def window(
    keyring_session: DesktopSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chrome]:
    """A Chromium without a screen, which can be as wide as a test wants."""
    folder = tmp_path_factory.mktemp("chromium")
    with chromium(folder, keyring_session.env, "--headless=new") as browser:
        yield browser


@pytest.fixture(scope="module", params=["en", "ja"])
def shown(
    request: pytest.FixtureRequest,
    cloud: Simulator,
    window: Chrome,
    keyring_session: DesktopSession,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shown]:
    """The pages beside a running program with mail, in a language."""
    folder, language = tmp_path_factory.mktemp("pages"), str(request.param)
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text(SETTINGS.format(language=language))
    options = ("--service-url", cloud.url, "--client-id", CLIENT_ID)
    with ExitStack() as running:
        program = running.enter_context(Program(home, cloud.url, keyring_session.env))
        program.sign_in()
        page = running.enter_context(
            OpenedPage(home, keyring_session.env, "about", *options, folder=folder)
        )
        window.get(page.link)
        yield Shown(window, window.current_url.removesuffix("about"), language)
