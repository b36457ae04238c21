"""The pictures of the documentation, which the tests make of what they see.

``make screenshots`` names their folder; without it nothing is kept.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from mailtray.adapters.icons import TILE
from tests.desktop.rig import PANEL_PX, SCREEN_PX, Place, wait_until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.desktop.rig import DesktopSession

FOLDER = os.environ.get("MAILTRAY_SCREENSHOTS", "")
COLOURS = 96
ELSEWHERE = Place(600, 780)
"""Where the pointer rests on nothing."""

WHOLE = """
let cut = arguments[0];
const boxes = [...document.querySelectorAll("p, li, h2, dt, dd, label, button, input, .row")]
  .map((one) => one.getBoundingClientRect());
for (let box; (box = boxes.find((one) => one.top < cut && one.bottom > cut + 1));) cut = box.top;
return cut;
"""
"""Where to cut a page so that no line of it is cut through, in pixels from its top."""

Box = tuple[int, int, int, int]


def keep(name: str, screen: Image.Image, box: Box) -> None:
    """Keep a part of the screen as a small picture; ``box`` is left, top, right and bottom."""
    assert len(screen.crop(box).getcolors(box[2] * box[3]) or ()) > 1, "nothing is on it"
    if FOLDER:
        small = screen.crop(box).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(Path(FOLDER) / f"{name}.png", optimize=True)


def keep_page(name: str, browser: Chrome, width_px: int, height_px: int) -> None:
    """Keep the upper part of the page that is shown, of that height or of what is whole in it."""
    # As high as all of it: a page that fits has no scroll bar.
    for height in (height_px, "document.documentElement.scrollHeight"):
        all_px = int(browser.execute_script(f"return {height}"))
        metrics = {"width": width_px, "height": all_px, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    whole_px = int(browser.execute_script(WHOLE, height_px))
    with Image.open(BytesIO(browser.get_screenshot_as_png())) as shown:
        keep(name, shown.convert("RGB"), (0, 0, width_px, whole_px))


def keep_tooltip(name: str, session: DesktopSession) -> None:
    """Rest the pointer on the tray icon, and keep what comes up."""
    icon = wait_until(lambda: session.find_tray_icon(TILE[:3]))
    before = session.screenshot()
    session.hover(icon)
    below = (0, PANEL_PX, *SCREEN_PX)

    def shown() -> Box | None:
        return ImageChops.difference(before.crop(below), session.screenshot().crop(below)).getbbox()

    _left, _top, _right, bottom = wait_until(shown)
    keep(name, session.screenshot(), (960, 0, SCREEN_PX[0], PANEL_PX + bottom + 4))
    session.hover(ELSEWHERE)


def keep_menu(name: str, session: DesktopSession) -> None:
    """Open the tray icon's menu, and keep it with the icon above it."""
    icon = wait_until(lambda: session.find_tray_icon(TILE[:3]))
    before = session.screenshot()
    session.click(icon, button=3)

    def opened() -> Box | None:
        area = ImageChops.difference(before, session.screenshot()).getbbox()
        return area if area is not None and area[3] > SCREEN_PX[1] // 2 else None

    left, _top, _right, bottom = wait_until(opened)
    keep(name, session.screenshot(), (left, 0, SCREEN_PX[0], bottom))
    session.press("Escape")
