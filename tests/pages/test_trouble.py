"""The page about what went wrong, in a real browser beside the real program."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.by import By

from mailtray import bootstrap
from mailtray.adapters.msal_errors import MEANINGS
from mailtray.bootstrap import Options
from mailtray.core.errors import SignInRequired
from mailtray.core.model import AuthAction
from mailtray.simulator import Fault, Simulator
from mailtray.simulator.browser import walk
from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.program import WAIT_S, Program
from tests.e2e.test_tokens import TABLE, Line
from tests.pages.conftest import chromium
from tests.pages.opened import OpenedPage
from tests.pages.test_demo import FIRST_NOTIFICATION, found, press, type_password
from tests.pages.test_manners import found_by_axe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(120)]

ADA = "ada@contoso.example"
MENU = "com.canonical.dbusmenu"
# A refusal that may pass is tried a second time after a minute; here at once.
IMPATIENT = (
    "from mailtray.adapters import msal_identity; msal_identity.SECOND_TRY_S = 0.2; "
    "from mailtray.cli import main; raise SystemExit(main())"
)
BUTTONS = {
    AuthAction.SIGN_IN: ("Sign in", "sign_in"),
    AuthAction.ASK_ADMINISTRATOR: ("Copy the mail to your administrator", "letter-1"),
    AuthAction.CORRECT_CLIENT_ID: ("Open the settings", "settings#client_id"),
    AuthAction.CORRECT_TENANT: ("Open the settings", "settings#tenant"),
    AuthAction.OTHER_ACCOUNT: ("Sign in with another account", "add_account"),
    AuthAction.REPORT: ("Copy the details", "details-1"),
    AuthAction.NONE: ("Check now", "check_now"),
}
"""What the one button says, and what it sends, copies or opens."""
READ = """
const words = (selector) => document.querySelector(selector)?.textContent ?? "";
const main = document.querySelector(".trouble .main");
return {
  title: words("h1"), hint: words(".trouble .problem"), means: words(".means"),
  account: words(".meta"), details: document.getElementById("details-1")?.value ?? "",
  mains: document.querySelectorAll("main .main").length,
  button: main?.textContent ?? "",
  does: main?.value || main?.dataset.copy || main?.href?.split("/").pop() || "",
};
"""


def read(browser: Chrome) -> dict[str, Any]:
    """Return what the page says now."""
    return dict(browser.execute_script(READ))


def troubles(program: Program) -> list[dict[str, Any]]:
    """Return what the running program says is wrong."""
    answer: Any = bootstrap.ask(Options(home=program.home), {"command": "status"}, timeout_s=WAIT_S)
    return list(answer["troubles"])


def refuse(simulator: Simulator, line: Line) -> None:
    """Let the saved sign-in be refused from now on, with no access token left."""
    with simulator.cloud.lock:
        simulator.cloud.revoke_refresh_tokens(
            aadsts=line.code, suberror=line.suberror, error=line.error
        )
        simulator.cloud.expire_access_tokens()


# -- every refusal of the table -------------------------------------------------------------------


class Bench:
    """One program, one simulator and one browser that live through the refusals."""

    def __init__(self, rig: ExitStack, folder: Path) -> None:
        session = rig.enter_context(DesktopSession(notify=False, tray=False))
        self._simulator = rig.enter_context(Simulator())
        launcher = (sys.executable, "-c", IMPATIENT)
        self._program = rig.enter_context(
            Program(folder / "home", self._simulator.url, session.env, launcher=launcher)
        )
        self._is_signed_in = False
        page = OpenedPage(self._program.home, session.env, "trouble", folder=folder)
        self._browser = rig.enter_context(chromium(folder / "chromium", session.env))
        self._browser.get(rig.enter_context(page).link)

    def play(self, line: Line) -> dict[str, Any]:
        """Let the sign-in be refused, and return what the page says of it."""
        if not self._is_signed_in:
            self._program.sign_in()
        self._is_signed_in = line.kind is not SignInRequired
        mark = self._program.mark()
        refuse(self._simulator, line)
        # What was refused before is not asked again before somebody wants it.
        check = {"command": "check"}
        bootstrap.ask(Options(home=self._program.home), check, timeout_s=WAIT_S)
        self._program.wait(mark, event="failed", error=line.words)
        wait_until(lambda: [one["code"] for one in troubles(self._program)] == [line.code], WAIT_S)
        self._browser.refresh()
        return read(self._browser)


class Benches:
    """The bench in use; a refusal that fails leaves none behind, and the next begins afresh."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._rig = ExitStack()
        self._bench: Bench | None = None

    def play(self, line: Line) -> dict[str, Any]:
        """Play one refusal."""
        bench, self._bench = self._bench or self._new(), None
        shown = bench.play(line)
        self._bench = bench
        return shown

    def _new(self) -> Bench:
        self._rig.close()
        return Bench(self._rig, self._folders.mktemp("troubles"))

    def close(self) -> None:
        """End the last one."""
        self._rig.close()


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Benches]:
    require("bus", "display", "keyring")
    benches = Benches(tmp_path_factory)
    yield benches
    benches.close()


@pytest.mark.parametrize("line", TABLE, ids=str)
def test_every_refusal_has_its_page(benches: Benches, line: Line) -> None:
    shown = benches.play(line)
    assert shown["title"] == line.words
    if line.code in MEANINGS:
        assert MEANINGS[line.code].hint.english.rstrip(".") in shown["hint"]
    assert (shown["button"], shown["does"]) == BUTTONS[line.action]
    assert shown["mains"] == 1
    assert shown["means"]
    assert re.fullmatch(rf"{ADA} · since [-0-9]+ [0-9:]+", shown["account"])
    lines = shown["details"].splitlines()
    assert lines[1:3] == [line.kind.__name__, f"AADSTS{line.code}"]
    assert re.fullmatch(r"correlation id [-0-9a-f]{36}", lines[3])
    assert ADA not in shown["details"]


# -- what the button does -------------------------------------------------------------------------


class Desk(Program):
    """The program with Ada signed in, and the pages that it asks a browser to open."""

    def __init__(self, folder: Path, simulator: Simulator, session: DesktopSession) -> None:
        self._opened_path = folder / "asked-for"
        self._opened_path.touch()
        script = folder / "note-asked"
        script.write_text(f'#!/bin/sh\necho "$1" >>"{self._opened_path}"\n')
        script.chmod(0o755)
        self._session, self._folder, self._simulator = session, folder, simulator
        env = {**session.env, "BROWSER": f"{script} %s"}
        super().__init__(folder / "home", simulator.url, env, "--tray", "auto")

    def asked_for(self, number: int) -> str:
        """Return the address of a page it asked for, from 0, the first sign-in's."""
        return wait_until(lambda: self._opened_path.read_text().split()[number:], 20.0)[0]

    def sign_in(self) -> None:
        mark = self.mark()
        bootstrap.sign_in(
            Options(home=self.home),
            lambda url, _code: Thread(target=walk, args=(url,), kwargs={"username": ADA}).start(),
            by_device_code=False,
            timeout_s=WAIT_S,
        )
        self.wait(mark, event="polled")
        self.asked_for(0)

    def refused(self, **refusal: Any) -> None:  # noqa: ANN401 - as the simulator takes it
        """Let the saved sign-in be refused, and wait until the program knows."""
        mark = self.mark()
        with self._simulator.cloud.lock:
            self._simulator.cloud.revoke_refresh_tokens(**refusal)
            self._simulator.cloud.expire_access_tokens()
        self.wait(mark, event="status", state="attention")

    @contextmanager
    def page(self, browser: Chrome, *about: str) -> Iterator[None]:
        """Have the page open in the browser."""
        options = (*(("--about", *about) if about else ()), "--service-url", self._service_url)
        env = self._session.env
        with OpenedPage(self.home, env, "trouble", *options, folder=self._folder) as page:
            browser.get(page.link)
            yield


@pytest.fixture
def program(simulator: Simulator, session: DesktopSession, tmp_path: Path) -> Iterator[Desk]:
    running = Desk(tmp_path, simulator, session)
    with running:
        running.sign_in()
        yield running


def is_titled(browser: Chrome, words: str) -> bool:
    return str(read(browser)["title"]) == words


def clipboard(browser: Chrome) -> str:
    allowed = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", allowed)
    script = "navigator.clipboard.readText().then(arguments[0])"
    return str(browser.execute_async_script(script))


def copied(browser: Chrome, words: str, holds: str) -> str:
    """Press a button that copies, and return the clipboard once it holds something."""
    press(browser, words)
    return wait_until(lambda: clipboard(browser) if holds in clipboard(browser) else "", 20.0)


def test_signs_in_again_and_says_that_it_is_mended(
    simulator: Simulator, program: Desk, browser: Chrome
) -> None:
    program.refused(aadsts=50173)
    about = troubles(program)[0]["about"]
    with program.page(browser, about):
        press(browser, "Sign in")
        ours = browser.current_window_handle
        wait_until(lambda: "Finish signing in" in browser.page_source, 20.0)
        browser.switch_to.new_window("tab")
        browser.get(program.asked_for(1))
        type_password(browser)
        wait_until(lambda: "You are signed in" in browser.page_source, 20.0)
        browser.close()
        browser.switch_to.window(ours)
        wait_until(lambda: is_titled(browser, "This is mended"), 20.0)
        assert ADA in browser.find_element(By.CLASS_NAME, "notice").text
    program.wait_told(simulator.cloud.deliver())


def test_signs_in_with_another_account(program: Desk, browser: Chrome) -> None:
    program.refused(aadsts=50020)
    with program.page(browser):
        press(browser, "Sign in with another account")
        asked = parse_qs(urlsplit(program.asked_for(1)).query)
        assert "login_hint" not in asked
        assert asked["prompt"] == ["select_account"]


def test_copies_the_mail_and_the_page_for_an_administrator(program: Desk, browser: Chrome) -> None:
    program.refused(aadsts=90094, error="access_denied", suberror=None)
    link = troubles(program)[0]["link"]
    with program.page(browser):
        assert found_by_axe(browser) == []
        mail = copied(browser, "Copy the mail to your administrator", link)
        assert mail.startswith("Please approve mailtray for our organisation\n\nHello,")
        browser.find_element(By.CSS_SELECTOR, "button[data-words]").click()
        wait_until(lambda: clipboard(browser) == link, 20.0)
        press(browser, "Sign in")  # once it is approved
        assert program.asked_for(1).startswith(program._service_url)


@pytest.mark.parametrize(("code", "key"), [(700016, "client_id"), (90002, "tenant")])
def test_opens_the_settings_where_they_are_to_be_corrected(
    program: Desk, browser: Chrome, code: int, key: str
) -> None:
    program.refused(aadsts=code, error="unauthorized_client", suberror=None)
    with program.page(browser):
        found(browser, By.LINK_TEXT, "Open the settings").click()
        marked = wait_until(lambda: browser.find_elements(By.CSS_SELECTOR, ":target"), 20.0)
        assert [one.get_attribute("id") for one in marked] == [key]


def test_checks_again_and_says_that_it_is_mended(
    simulator: Simulator, program: Desk, browser: Chrome
) -> None:
    mark = program.mark()
    body = {"error": "interaction_required", "suberror": "message_only", "error_codes": [53003]}
    with simulator.cloud.lock:
        simulator.cloud.add_fault(Fault(path="/token", status=400, body=body))
        simulator.cloud.expire_access_tokens()
    program.wait(mark, event="status", state="attention")
    with program.page(browser, troubles(program)[0]["about"]):
        assert is_titled(browser, "Your organisation blocked the access")
        mark = program.mark()
        press(browser, "Check now")
        program.wait(mark, event="polled")
        wait_until(lambda: is_titled(browser, "This is mended"), 20.0)


def test_copies_what_is_to_be_reported(program: Desk, browser: Chrome) -> None:
    program.refused(aadsts=900144, error="invalid_request", suberror=None)
    with program.page(browser):
        assert "\nAuthBlocked\n" in copied(browser, "Copy the details", "\nAADSTS900144\n")


# -- what is no refusal ---------------------------------------------------------------------------


def test_says_what_is_done_meanwhile_and_mends_itself(
    simulator: Simulator, program: Desk, browser: Chrome
) -> None:
    with program.page(browser):
        assert is_titled(browser, "All is well")
        mark = program.mark()
        simulator.stop()
        program.wait(mark, event="status", state="offline")
        wait_until(lambda: is_titled(browser, "Microsoft 365 cannot be reached"), 20.0)
        shown = read(browser)
        assert "goes on trying by itself" in shown["means"]
        assert "Next try:" in shown["means"]
        assert (shown["button"], shown["does"]) == ("Check now", "check_now")
        simulator.start()
        program.wait(mark, event="status", state="ok")
        wait_until(lambda: is_titled(browser, "All is well"), 20.0)
        # Nothing was loaded or run that the page's own policy forbids.
        complaints = [one["message"] for one in browser.get_log("browser")]  # type: ignore[no-untyped-call] # selenium
        assert not [one for one in complaints if "Content Security Policy" in one]


def test_a_mistaken_setting_is_corrected_where_the_page_leads(
    program: Desk, browser: Chrome
) -> None:
    settings = program.home / "settings.toml"
    settings.write_text('# Mine.\ngroup_conversations = "<b>perhaps</b>"\n')
    wait_until(lambda: [one["about"] for one in troubles(program)] == ["settings"], WAIT_S)
    with program.page(browser, "settings"):
        assert is_titled(browser, "Your settings have a mistake at group_conversations")
        found(browser, By.LINK_TEXT, "Open the settings").click()
        field = found(browser, By.NAME, "words")
        assert found_by_axe(browser) == []
        assert browser.current_url.endswith("#group_conversations")
        field.send_keys("perhaps")
        press(browser, "Save")
        wait_until(lambda: len(browser.find_elements(By.CLASS_NAME, "problem")) == 2, 20.0)
        found(browser, By.NAME, "words").clear()
        found(browser, By.NAME, "words").send_keys("false")
        press(browser, "Save")
        wait_until(lambda: "group_conversations = false" in settings.read_text(), 20.0)
        assert settings.read_text().startswith("# Mine.\n")
        wait_until(lambda: troubles(program) == [], WAIT_S)


def test_a_mistake_that_keeps_it_from_running(
    session: DesktopSession, browser: Chrome, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text("interval_s = 1\n")
    with OpenedPage(tmp_path, session.env, "trouble", folder=tmp_path) as page:
        browser.get(page.link)
        shown = read(browser)
        assert shown["title"].endswith("must be a number of seconds from 10 to 3600")
        assert shown["does"] == "settings#interval_s"


def test_without_a_client_id_it_leads_to_the_first_run(
    simulator: Simulator, session: DesktopSession, browser: Chrome, tmp_path: Path
) -> None:
    class Unconfigured(Program):
        def _common(self) -> list[str]:
            return super()._common()[:-2]

    home = tmp_path / "home"
    with (
        Unconfigured(home, simulator.url, session.env, "--tray", "none"),
        OpenedPage(home, session.env, "trouble", folder=tmp_path) as page,
    ):
        browser.get(page.link)
        assert is_titled(browser, "mailtray needs a client id")
        found(browser, By.LINK_TEXT, "Set it up").click()
        assert found(browser, By.TAG_NAME, "h1").text == "Welcome to mailtray"


# -- from the desktop -----------------------------------------------------------------------------


def choose(session: DesktopSession, label: str) -> None:
    """Choose a line of the tray's menu as a panel does."""
    item = wait_until(session.registered_items)[0].partition("/")[0]
    menu = ["dbus-send", "--print-reply", f"--dest={item}", "/MenuBar"]
    bus = f"--bus={session.env['DBUS_SESSION_BUS_ADDRESS']}"
    layout = session.run(*menu, bus, f"{MENU}.GetLayout", "int32:0", "int32:-1", "array:string:")
    number = re.findall(r"int32 (\d+)", layout.partition(label)[0])[-1]
    clicked = (f"int32:{number}", "string:clicked", "variant:int32:0", "uint32:0")
    session.run(*menu, bus, f"{MENU}.Event", *clicked)


def test_the_notification_and_the_line_in_the_menu_open_the_page(
    session: DesktopSession, program: Desk, browser: Chrome
) -> None:
    session.run("dunstctl", "close-all")
    program.refused(aadsts=53003, error="interaction_required", suberror="message_only")
    title = "Your organisation blocked the access"
    wait_until(lambda: session.displayed_notifications() == 1, 20.0)
    session.click(FIRST_NOTIFICATION)
    browser.get(program.asked_for(1))
    assert is_titled(browser, title)
    assert browser.current_url.endswith(f"/trouble/{troubles(program)[0]['about']}")
    choose(session, f"{title}…")
    browser.get(program.asked_for(2))
    assert is_titled(browser, title)
