"""A person at the browser, within the tests' own process.

For each sign-in to start a Python that loads its libraries would cost more than all else that the
tests of the program do.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread

import requests

from mailtray.simulator.browser import DEFAULT_USERNAME, USERNAME_VARIABLE, WalkError, walk


@cache
def browser() -> str:
    """Return a ``BROWSER`` that hands the page to the person, who signs in there."""
    folder = Path(tempfile.mkdtemp(prefix="mailtray-browser-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pages, script = folder / "pages", folder / "browser"
    os.mkfifo(pages, mode=0o600)
    script.write_text(
        f'#!/bin/sh\necho "${{{USERNAME_VARIABLE}:-{DEFAULT_USERNAME}}} $1" >"{pages}"\n'
    )
    script.chmod(0o700)
    # Open for writing as well: so it has no end, and no browser ever waits for its reader.
    end = os.open(pages, os.O_RDWR)
    Thread(target=_look_at_pages, args=(end,), name="person", daemon=True).start()
    return f"{script} %s"


def _look_at_pages(pages: int) -> None:
    kept = b""
    while True:
        *lines, kept = (kept + os.read(pages, 65_536)).split(b"\n")
        for line in lines:
            username, url = line.decode().split(maxsplit=1)
            Thread(target=_sign_in, args=(username, url), daemon=True).start()


def _sign_in(username: str, url: str) -> None:
    # What it comes to, the program tells.
    with suppress(WalkError, requests.RequestException):
        walk(url, username=username)
