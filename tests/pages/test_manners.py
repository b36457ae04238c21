"""How all pages treat people: by axe-core, by the keyboard, magnified, in the dark, in Japanese.

axe-core finds what programs can find: contrast, names, headings, landmarks, languages.
Source: https://github.com/dequelabs/axe-core, WCAG 2.2.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from mailtray.adapters.sign_in_listener import SignInListener
from tests.desktop.rig import wait_until
from tests.e2e.program import CLIENT_ID
from tests.pages.opened import OpenedPage
from tests.pages.paths import MAILTRAYS, SIMULATORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession
    from tests.pages.conftest import Shown

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(180)]
IN_ENGLISH = pytest.mark.parametrize("shown", ["en"], indirect=True)


def found_by_axe(browser: Chrome) -> list[str]:
    """Return what axe-core finds on the page that is shown: the rule, its weight, where."""
    package = importlib.util.find_spec("axe_playwright_python")
    assert package is not None
    assert package.origin is not None
    browser.execute_script(Path(package.origin).with_name("axe.min.js").read_text("utf-8"))
    answer: Mapping[str, Any] = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations']}).then(done, e => done({failed: `${e}`}));"
    )
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for one in answer["violations"]
        for node in one["nodes"]
    ]


def prefer(browser: Chrome, **features: str) -> None:
    """Let the browser say of the person: ``prefers_color_scheme="dark"`` and so on."""
    told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": told})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", MAILTRAYS)
def test_axe_finds_nothing_on_mailtrays_pages(shown: Shown, page: str, scheme: str) -> None:
    prefer(shown.browser, prefers_color_scheme=scheme)
    shown.go(page)
    html = shown.browser.find_element(By.TAG_NAME, "html")
    assert html.get_attribute("lang") == shown.language
    assert found_by_axe(shown.browser) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", SIMULATORS)
def test_axe_finds_nothing_on_the_simulators_pages(
    cloud: Simulator, window: Chrome, page: str, scheme: str
) -> None:
    prefer(window, prefers_color_scheme=scheme)
    window.get(cloud.url + page)
    assert found_by_axe(window) == []


CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary"
NARROW_PX = (320, 640)
"""A page of 1280 pixels magnified four times and twice; the first is what WCAG 1.4.10 asks for."""
BEYOND = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def be_wide(browser: Chrome, width_px: int) -> None:
    """Show pages as on a screen so wide; 0 is as wide as the window."""
    metrics = {"width": width_px, "height": 0, "deviceScaleFactor": 0, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.mark.parametrize("page", MAILTRAYS)
def test_magnified_mailtrays_pages_are_read_without_scrolling_sideways(
    shown: Shown, page: str
) -> None:
    for width_px in NARROW_PX:
        be_wide(shown.browser, width_px)
        shown.go(page)
        assert shown.browser.execute_script(BEYOND) == 0, width_px


@pytest.mark.parametrize("page", SIMULATORS)
def test_magnified_the_simulators_pages_are_read_without_scrolling_sideways(
    cloud: Simulator, window: Chrome, page: str
) -> None:
    for width_px in NARROW_PX:
        be_wide(window, width_px)
        window.get(cloud.url + page)
        assert window.execute_script(BEYOND) == 0, width_px


def walk_by_tab(browser: Chrome) -> list[bool]:
    """Press Tab once for each control; returns whether each was reached in its turn and is seen."""
    # A page may have put the person into its one field; from there Tab would go on, not begin.
    browser.execute_script("document.body.tabIndex = -1; document.body.focus()")
    wanted = browser.execute_script(
        f"window.wanted = [...document.querySelectorAll('{CONTROLS}')]"
        ".filter((one) => one.checkVisibility()); return window.wanted.length"
    )
    reached = []
    for number in range(wanted):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(
            browser.execute_script(
                "const one = document.activeElement, style = getComputedStyle(one);"
                "const box = one.getBoundingClientRect();"
                "return one === window.wanted[arguments[0]] && style.outlineStyle !== 'none'"
                " && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.bottom > 0"
                " && box.left < innerWidth && box.top < innerHeight",
                number,
            )
        )
    return reached


@pytest.mark.parametrize("page", MAILTRAYS)
def test_the_tab_key_reaches_every_control_of_mailtrays_pages(shown: Shown, page: str) -> None:
    be_wide(shown.browser, 0)
    shown.go(page)
    reached = walk_by_tab(shown.browser)
    assert reached == [True] * len(reached)
    assert len(reached) > 4 or page == "no-such-page"


@pytest.mark.parametrize("page", SIMULATORS)
def test_the_tab_key_reaches_every_control_of_the_simulators_pages(
    cloud: Simulator, window: Chrome, page: str
) -> None:
    be_wide(window, 0)
    window.get(cloud.url + page)
    reached = walk_by_tab(window)
    assert reached == [True] * len(reached)


def authorize_url(cloud: Simulator) -> str:
    asked = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": "http://localhost",
        "scope": "Mail.Read",
        "prompt": "consent",
    }
    return f"{cloud.url}/common/oauth2/v2.0/authorize?{urlencode(asked)}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way_through_a_sign_in(
    cloud: Simulator, window: Chrome, scheme: str
) -> None:
    prefer(window, prefers_color_scheme=scheme)
    be_wide(window, 320)
    window.delete_all_cookies()
    window.get(authorize_url(cloud))
    for heading, button in (
        ("Who is signing in?", "username"),
        ("Enter the password", "action"),
        ("Let this program in?", ""),
    ):
        wait_until(partial(is_headed, window, heading), 20.0)
        assert found_by_axe(window) == []
        assert window.execute_script(BEYOND) == 0
        for field in window.find_elements(By.CSS_SELECTOR, "input[type=password]"):
            field.send_keys("anything")
        if button:
            window.find_element(By.CSS_SELECTOR, f"button[name={button}]").click()
    window.get(cloud.url + "/common/oauth2/v2.0/authorize?client_id=" + CLIENT_ID)
    assert in_heading(window) == "We could not sign you in"
    assert found_by_axe(window) == []


def in_heading(browser: Chrome) -> str:
    """Return the page's heading; nothing while another page is on its way."""
    words = "return document.querySelector('h1')?.textContent ?? ''"
    return str(browser.execute_script(words))


def is_headed(browser: Chrome, words: str) -> bool:
    return in_heading(browser) == words


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_no_program_runs(
    window: Chrome, keyring_session: DesktopSession, tmp_path: Path, scheme: str
) -> None:
    prefer(window, prefers_color_scheme=scheme)
    with OpenedPage(tmp_path / "empty", keyring_session.env, "messages", folder=tmp_path) as page:
        window.get(page.link)
        assert in_heading(window) == "mailtray is not running"
        assert found_by_axe(window) == []
        window.get(page.link)
        assert "used before" in in_heading(window)
        assert found_by_axe(window) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_after_a_sign_in_has_the_same_look(
    cloud: Simulator, window: Chrome, scheme: str
) -> None:
    prefer(window, prefers_color_scheme=scheme)
    window.get(cloud.url)
    look = window.execute_script(LOOK)
    with SignInListener() as listener:
        listener.expect("S")
        window.get(listener.redirect_uri)
        assert in_heading(window) == "This is no answer to a sign-in"
        assert window.execute_script(LOOK) == look
        assert found_by_axe(window) == []


WATCHED = """
window.changes = 0;
window.fetched = () => performance.getEntriesByType("resource")
  .filter((one) => one.name.endsWith("/messages/list")).length;
const kinds = { childList: true, characterData: true, subtree: true };
const observer = new MutationObserver((seen) => { window.changes += seen.length; });
observer.observe(document.getElementById("told"), kinds);
"""


@IN_ENGLISH
def test_what_is_new_is_told_once_and_nothing_else_is(shown: Shown, cloud: Simulator) -> None:
    browser = shown.browser
    shown.go("messages")
    browser.execute_script(WATCHED)
    wait_until(lambda: browser.execute_script("return window.fetched()") >= 2, 30.0)
    assert browser.execute_script("return window.changes") == 0
    cloud.cloud.deliver(subject="While you look")
    wait_until(lambda: browser.execute_script("return window.changes"), 40.0)
    line = browser.find_element(By.ID, "told")
    assert line.get_attribute("role") == "status"
    assert "unread" in (line.get_attribute("textContent") or "")
    fetched = browser.execute_script("return window.fetched()")
    wait_until(lambda: browser.execute_script("return window.fetched()") > fetched, 30.0)
    assert browser.execute_script("return window.changes") == 1
    assert not browser.find_elements(By.CSS_SELECTOR, "[data-refresh] [role=alert], [aria-live]")


@IN_ENGLISH
def test_the_skip_link_leads_past_the_way_around(shown: Shown) -> None:
    be_wide(shown.browser, 0)
    shown.go("messages")
    hand = ActionChains(shown.browser)
    hand.send_keys(Keys.TAB, Keys.ENTER, Keys.TAB).perform()
    wait_until(lambda: shown.browser.current_url.endswith("#main"))
    assert shown.browser.switch_to.active_element.text == "Check now"


@IN_ENGLISH
@pytest.mark.parametrize("key", [Keys.ENTER, Keys.SPACE], ids=["enter", "space"])
def test_a_button_is_pressed_by_the_keyboard(shown: Shown, cloud: Simulator, key: str) -> None:
    shown.go("messages")
    cloud.cloud.clear_log()
    shown.browser.find_element(By.XPATH, "//button[.='Check now']").send_keys(key)
    # It asks for the folder's own counter, as no other poll does.
    wait_until(
        lambda: any("mailFolders/inbox?" in f"{one.path}?" for one in cloud.cloud.log()), 30.0
    )


MOVES = (
    "return [...document.querySelectorAll('*')].filter((one) =>"
    " getComputedStyle(one).transitionDuration !== '0s' || one.getAnimations().length).length"
)
BLENDS = """
const canvas = getComputedStyle(document.body).backgroundColor;
const shown = [...document.querySelectorAll(
  "main button, main input:not([type=checkbox], [type=radio]), main select, .hours rect",
)]
  .filter((one) => one.checkVisibility());
return shown.filter((one) => {
  const style = getComputedStyle(one);
  if (one.tagName === "rect") return style.fill === canvas;
  return style.borderStyle === "none" || style.borderColor === canvas || style.color === canvas;
}).map((one) => one.outerHTML);
"""


@IN_ENGLISH
@pytest.mark.parametrize("page", MAILTRAYS)
def test_who_wants_no_motion_and_own_colours_gets_them(shown: Shown, page: str) -> None:
    for scheme in ("light", "dark"):
        prefer(
            shown.browser,
            prefers_reduced_motion="reduce",
            forced_colors="active",
            prefers_color_scheme=scheme,
        )
        shown.go(page)
        assert shown.browser.execute_script("return matchMedia('(forced-colors: active)').matches")
        assert shown.browser.execute_script(MOVES) == 0
        assert shown.browser.execute_script(BLENDS) == []
    prefer(shown.browser)


LOOK = (
    "const style = getComputedStyle(document.body);"
    "return [style.backgroundColor, style.color, style.fontFamily]"
)


@IN_ENGLISH
def test_all_pages_look_the_same(shown: Shown, cloud: Simulator) -> None:
    prefer(shown.browser, prefers_color_scheme="dark")
    looks = set()
    for page in MAILTRAYS:
        shown.go(page)
        looks.add(tuple(shown.browser.execute_script(LOOK)))
    for page in SIMULATORS:
        shown.browser.get(cloud.url + page)
        looks.add(tuple(shown.browser.execute_script(LOOK)))
    assert len(looks) == 1
