"""The system's clock, its zone and dice, and the person's browser."""

from __future__ import annotations

import logging
import os
import random
import time
import webbrowser
from datetime import UTC, datetime, timedelta, tzinfo
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

from mailtray.adapters.mail_program import is_for_mail_program, open_in_mail_program

LOG = logging.getLogger(__name__)

BROWSER_START_S = 5.0
"""How long a browser may take to report that it cannot start, in seconds."""


class SystemClock:
    """The clocks and dice of this computer."""

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return datetime.now(UTC)  # noqa: TID251 # the one place that reads it

    def monotonic_s(self) -> float:
        """Return seconds that only grow; Linux does not count those spent asleep."""
        return time.monotonic()  # noqa: TID251 # the one place that reads it

    def dice(self) -> float:
        """Return a random number."""
        return random.random()  # noqa: S311 # spreads polls, guards nothing


class LocalZone(tzinfo):
    """The zone that this computer is set to, with every change of its clocks.

    What ``astimezone()`` returns knows the offset of its own moment only, so that no later hour
    of the clock can be reckoned from it.
    """

    def utcoffset(self, at: datetime | None) -> timedelta | None:
        """Return the offset at a time of the clock; ``fold`` picks one that is shown twice."""
        return None if at is None else at.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, at: datetime | None) -> timedelta | None:
        """Return nothing: the system does not tell which part of an offset it is."""
        del at
        return None

    def tzname(self, at: datetime | None) -> str | None:
        """Return the zone's abbreviation at a time of the clock."""
        return None if at is None else at.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, at: datetime) -> datetime:
        """Return what the clock shows at a moment."""
        shown = at.replace(tzinfo=UTC).astimezone()
        here = shown.replace(tzinfo=self, fold=0)
        return here if here.utcoffset() == shown.utcoffset() else here.replace(fold=1)


class BrowserOpener:
    """Opens pages by :mod:`webbrowser`, so that ``BROWSER`` counts, and mail by its program."""

    def open(self, url: str) -> bool:
        """Open a page of the web, or what a mail program takes; anything else is refused.

        A program named by ``BROWSER`` may stay in the foreground until it is closed, so a
        browser that is still busy after ``BROWSER_START_S`` counts as started.
        """
        if is_for_mail_program(url):
            return open_in_mail_program(url)
        if not _is_web_page(url):
            LOG.warning("Refused to open something that is no web page")
            return False
        result: SimpleQueue[bool] = SimpleQueue()
        Thread(target=lambda: result.put(_open(url)), name="mailtray-browser", daemon=True).start()
        try:
            return result.get(timeout=BROWSER_START_S)
        except Empty:
            return True


def browser_command() -> str:
    """Return the program that would open a page, empty where there is none."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return ""
    if _is_for_terminals(found):
        return ""
    return str(getattr(found, "name", "")) or type(found).__name__


def _is_web_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    printable = url.isprintable() and " " not in url
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and printable


def _open(url: str) -> bool:
    try:
        if _is_for_terminals(webbrowser.get()):
            return False
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False


def _is_for_terminals(browser: webbrowser.BaseBrowser) -> bool:
    # lynx and its like would take over the terminal; whoever names one in BROWSER wants that.
    return (
        isinstance(browser, webbrowser.GenericBrowser)
        and not isinstance(browser, webbrowser.BackgroundBrowser)
        and not os.environ.get("BROWSER")
    )
