"""What pages leave behind in the running program: nothing, as each has a process of its own."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from mailtray.pages.safety import FORM_TOKEN
from tests.desktop.rig import wait_until
from tests.e2e.person import browser as person
from tests.e2e.program import Program
from tests.pages.opened import choose_from_menu
from tests.soak.polls import Sample, take_sample

if TYPE_CHECKING:
    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(180)]

ALLOWED_KB = 3 * 1024
WARM_POLLS = 50
"""After so many polls all that a poll loads is loaded."""
READINGS = 5
LABELS = ("_Messages", "S_ettings", "D_iagnostics")


def resting(program: Program, polls: int = 5) -> Sample:
    """Return the middle one of a few readings, each after some polls more."""
    samples = []
    for _ in range(READINGS):
        program.wait(program.mark(), times=polls, event="polled")
        samples.append(take_sample(program.pid))
    return Sample(
        *(round(median(numbers)) for numbers in zip(*map(_numbers, samples), strict=True))
    )


def _numbers(one: Sample) -> tuple[int, ...]:
    return one.rss_kb, one.own_kb, one.pss_kb, one.descriptors, one.threads


def _pages(opened_path: Path, since: int) -> list[str]:
    return opened_path.read_text().split()[since:]


def page_process(program: Program) -> int:
    """Return the process of the page that is open, or 0."""
    children = {0}
    for thread in Path(f"/proc/{program.pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            children |= set(map(int, (thread / "children").read_text().split()))
    return max(children)


def use(link: str) -> None:
    """Look at the page and at the first run, and press what the doctor has to press."""
    visitor = requests.Session()
    shown = visitor.get(link, timeout=30)
    assert shown.status_code == 200
    where = urlsplit(shown.url)
    root = f"{where.scheme}://{where.netloc}/{where.path.split('/')[1]}"
    assert visitor.get(f"{root}/first-run", timeout=30).status_code == 200
    found = re.search(rf'name="{FORM_TOKEN}" value="([^"]+)"', shown.text)
    if where.path.endswith("/doctor") and found is not None:
        form, headers = {FORM_TOKEN: found[1]}, {"Origin": f"{where.scheme}://{where.netloc}"}
        for action in ("again", "test"):
            pressed = visitor.post(f"{shown.url}/{action}", form, headers=headers, timeout=30)
            assert pressed.status_code == 200
    visitor.close()


def test_memory_after_the_pages_have_closed_is_what_it_was(
    simulator: Simulator, session: DesktopSession, tmp_path: Path
) -> None:
    opened_path, script = tmp_path / "opened", tmp_path / "browser"
    opened_path.touch()
    to_person = person().removesuffix(" %s")
    script.write_text(
        f'#!/bin/sh\ncase "$1" in */open*) echo "$1" >>"{opened_path}" ;; '
        f'*) exec "{to_person}" "$1" ;; esac\n'
    )
    script.chmod(0o755)
    env = session.env | {"BROWSER": f"{script} %s"}
    options = ("--tray", "auto", "--notifier", "auto")
    with Program(tmp_path / "home", simulator.url, env, *options) as program:
        program.sign_in()
        program.wait_told(simulator.cloud.deliver(count=2))
        before = resting(program, WARM_POLLS)
        for number, label in enumerate(LABELS):
            choose_from_menu(session, label)
            use(wait_until(partial(_pages, opened_path, number), 30.0)[0])
            os.kill(page_process(program), signal.SIGTERM)
            wait_until(lambda: not page_process(program), 30.0)
        after = resting(program)
    print(f"before: {before}\nafter:  {after}")  # noqa: T201 - the figures are what it is for
    # Not its share of the libraries, which goes up and down with whoever else runs.
    assert after.own_kb - before.own_kb <= ALLOWED_KB
    assert after.rss_kb - before.rss_kb <= ALLOWED_KB
    assert after.threads <= before.threads
    assert after.descriptors <= before.descriptors + 2
