from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters import system
from mailtray.adapters.system import BrowserOpener, LocalZone, SystemClock
from tests.fakes.clock import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "https://outlook.office.com/mail/id/AAMk%3D?x=1&y=2"


def test_the_clocks_are_those_of_this_computer() -> None:
    clock = SystemClock()
    one, other = clock.now(), clock.now()
    assert one <= other
    assert one.tzinfo is UTC
    assert clock.monotonic_s() <= clock.monotonic_s()


@pytest.fixture
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if sys.platform == "win32":
        pytest.skip("Windows takes its zone from elsewhere")
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_berlin")
@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        pytest.param("2026-03-29T00:59+00:00", "2026-03-29T01:59+01:00 CET", id="winter"),
        pytest.param("2026-03-29T01:00+00:00", "2026-03-29T03:00+02:00 CEST", id="summer"),
        pytest.param("2026-10-25T00:30+00:00", "2026-10-25T02:30+02:00 CEST", id="first half past"),
        pytest.param("2026-10-25T01:30+00:00", "2026-10-25T02:30+01:00 CET", id="the second"),
    ],
)
def test_the_zone_knows_when_its_clocks_change(moment: str, shown: str) -> None:
    at = datetime.fromisoformat(moment)
    there = at.astimezone(LocalZone())
    assert f"{there.isoformat(timespec='minutes')} {there.tzname()}" == shown
    assert there.astimezone(UTC) == at
    assert there.dst() is None


@pytest.mark.usefixtures("_berlin")
def test_the_next_days_hours_have_the_next_days_offset() -> None:
    evening = datetime(2026, 3, 28, 22, tzinfo=LocalZone())
    morning = evening + timedelta(hours=9)
    assert morning.timestamp() - evening.timestamp() == 8 * 3_600


def test_dice_are_fractions_and_differ() -> None:
    throws = [SystemClock().dice() for _ in range(20)]
    assert all(0 <= throw < 1 for throw in throws)
    assert len(set(throws)) > 1


def test_the_fake_clock_moves_when_told() -> None:
    clock = FakeClock()
    before_s = clock.monotonic_s()
    clock.advance(30)
    clock.jump(-10)
    assert (clock.now() - START).total_seconds() == 20
    assert clock.monotonic_s() - before_s == 30
    assert clock.dice() == 0.5


# -- the browser: a script, which webbrowser itself runs ------------------------------------------


def _browser(folder: Path, script: str) -> str:
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    return str(path)


@pytest.fixture
def _fresh_webbrowser(monkeypatch: pytest.MonkeyPatch) -> None:
    # webbrowser looks for browsers once a process.
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setattr("webbrowser._browsers", {})
    monkeypatch.setattr("webbrowser._os_preferred_browser", None)


pytestmark = pytest.mark.usefixtures("_fresh_webbrowser")
unix_only = pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script")


@unix_only
def test_the_browser_gets_the_page_as_one_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", _browser(tmp_path, f'printf "%s|" "$@" > {tmp_path}/got'))
    assert BrowserOpener().open(PAGE)
    assert (tmp_path / "got").read_text(encoding="utf-8") == f"{PAGE}|"


@unix_only
def test_a_browser_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BROWSER", _browser(tmp_path, "exit 3"))
    assert not BrowserOpener().open(PAGE)


def test_a_browser_that_stays_in_the_foreground_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("the browser is a shell script")
    monkeypatch.setattr(system, "BROWSER_START_S", 0.1)
    os.mkfifo(tmp_path / "closed")
    monkeypatch.setenv("BROWSER", _browser(tmp_path, f"read x < {tmp_path}/closed"))
    assert BrowserOpener().open(PAGE)
    (tmp_path / "closed").write_text("now\n", encoding="utf-8")


@unix_only
def test_no_browser_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not BrowserOpener().open(PAGE)


@unix_only
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS always has a browser")
def test_a_browser_for_terminals_is_not_started_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = _browser(tmp_path, f"touch {tmp_path}/started")
    (tmp_path / "w3m").symlink_to(script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setenv("TERM", "xterm")
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not BrowserOpener().open(PAGE)
    assert not (tmp_path / "started").exists()


@unix_only
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("javascript:alert(1)", id="a script"),
        pytest.param("-remote", id="an option"),
        pytest.param("mailto:ada@contoso.com", id="an address"),
        pytest.param("https://x.test/ --option", id="two arguments"),
        pytest.param("https://x.test/\nhttps://y.test/", id="two lines"),
        pytest.param("https:///nowhere", id="no host"),
        pytest.param("https://[x.test/", id="half a bracket"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_web_page_never_reaches_a_browser(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", _browser(tmp_path, f"touch {tmp_path}/started"))
    assert not BrowserOpener().open(url)
    assert not (tmp_path / "started").exists()
