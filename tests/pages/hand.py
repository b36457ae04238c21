"""A person's hand, which counts what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selenium.webdriver.common.by import By

from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.desktop.rig import DesktopSession, Place


class Hand:
    """Clicks in the browser and on the screen.

    Attributes:
        clicks: How many there were.
    """

    def __init__(self, browser: Chrome, session: DesktopSession) -> None:
        self._browser = browser
        self._session = session
        self.clicks = 0

    def press(self, words: str) -> None:
        """Press the button of the page that says so."""
        button = f"//button[contains(., '{words}')]"
        wait_until(lambda: self._browser.find_elements(By.XPATH, button), 20.0)[0].click()
        self.clicks += 1

    def click(self, place: Place) -> None:
        """Click at a place of the screen."""
        self._session.click(place)
        self.clicks += 1
