"""How all pages treat people: by axe-core, by the keyboard, magnified, in the dark, in Japanese.

axe-core finds what programs can find: contrast, names, headings, landmarks, languages.
Source: https://github.com/dequelabs/axe-core, WCAG 2.2.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.program import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selenium.webdriver import Chrome

    from mailtray.simulator import Simulator
    from tests.pages.conftest import Shown

pytestmark = [pytest.mark.desktop, pytest.mark.browser, pytest.mark.timeout(180)]

MAILTRAYS = (
    "messages",
    "trouble",
    "settings",
    "doctor",
    "first-run",
    "first-run/sign-in",
    "about",
    "no-such-page",
)
"""Pages of mailtray's own, below their prefix; a page that is added is to be added here."""
SIMULATORS = (
    "/",
    "/mail/",
    "/mail/no-such-message",
    "/devicelogin",
    "/common/v2.0/adminconsent?" + urlencode({"client_id": CLIENT_ID, "state": "s"}),
)


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
