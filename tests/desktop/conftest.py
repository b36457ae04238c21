"""Desktops to test on, each started once and shared."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.desktop_loop import DesktopLoop
from tests.desktop.rig import DesktopSession, missing_programs

if TYPE_CHECKING:
    from collections.abc import Iterator


def require(*parts: str) -> None:
    """Skip where the programs behind parts of a session are missing; with ``CI=true`` fail."""
    missing = missing_programs(parts)
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI lacks {', '.join(missing)}")
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture(scope="session")
def _whole_desktop() -> Iterator[DesktopSession]:
    require("bus", "display", "notify", "tray")
    with DesktopSession(keyring=None) as session:
        yield session


@pytest.fixture(scope="session")
def _bare_bus() -> Iterator[DesktopSession]:
    require("bus")
    with DesktopSession(keyring=None, notify=False, tray=False, display=False) as session:
        yield session


@pytest.fixture
def desktop(
    _whole_desktop: DesktopSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DesktopSession]:
    """A desktop with a panel and a notification server, clear of notifications."""
    _enter(_whole_desktop, monkeypatch)
    _whole_desktop.run("dunstctl", "close-all")
    yield _whole_desktop
    _whole_desktop.ensure_running()


@pytest.fixture
def bare_bus(_bare_bus: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> DesktopSession:
    """A session bus with nobody on it, and no display."""
    _enter(_bare_bus, monkeypatch)
    return _bare_bus


@pytest.fixture
def no_bus(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Neither a session bus nor a display."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    monkeypatch.delenv("DISPLAY", raising=False)


@pytest.fixture
def loop() -> Iterator[DesktopLoop]:
    """A loop of the test's own."""
    loop = DesktopLoop()
    yield loop
    loop.close()


def _enter(session: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the test's own process part of a session."""
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        if name in session.env:
            monkeypatch.setenv(name, session.env[name])
        else:
            monkeypatch.delenv(name, raising=False)
