"""What people download, from its first start to "Quit"."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
import secretstorage

from mailtray import __version__
from mailtray.adapters import icons
from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession, wait_until
from tests.desktop.test_on_screen import changed_area
from tests.e2e.program import MAILTRAY, Program, bare_environment
from tests.e2e.test_desktops import NOTIFICATION, ON_DESKTOP, noting_browser

if TYPE_CHECKING:
    from pathlib import Path

    from mailtray.simulator import Simulator

TILE = icons.TILE[:3]
MIB = 1024 * 1024
UNPACKED_MAX_BYTES = 80 * MIB
ARCHIVE_MAX_BYTES = 32 * MIB
SLOW_S = 60.0


def run(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAILTRAY, *words], env=env, capture_output=True, text=True, timeout=SLOW_S, check=False
    )


def quit_by_menu(session: DesktopSession) -> None:
    """Choose the menu's last line."""
    place = wait_until(lambda: session.find_tray_icon(TILE))
    before = session.screenshot()
    session.click(place, button=3)
    wait_until(lambda: changed_area(before, session.screenshot()))
    session.press("Up", "Return")


def labels_in_keyring(session: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with monkeypatch.context() as inside:
        address = "DBUS_SESSION_BUS_ADDRESS"
        inside.setenv(address, session.env[address])
        bus = secretstorage.dbus_init()
    items = secretstorage.get_default_collection(bus).get_all_items()
    labels = [str(one.get_label()) for one in items]
    bus.close()
    return labels


@pytest.mark.desktop
def test_from_the_first_start_to_quit(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("bus", "display", "keyring", "notify", "tray")
    opened = tmp_path / "opened"
    opened.touch()
    with DesktopSession() as session:
        env = {**session.env, "BROWSER": noting_browser(tmp_path, opened)}
        with Program(tmp_path / "home", simulator.url, env, *ON_DESKTOP) as program:
            wait_until(lambda: session.find_tray_icon(TILE))
            program.sign_in()
            first = simulator.cloud.deliver(subject="Click me")
            program.wait_told(first)
            wait_until(lambda: session.displayed_notifications() == 1)
            session.click(NOTIFICATION)
            assert first[0] in wait_until(opened.read_text)

            assert any("mailtray" in label for label in labels_in_keyring(session, monkeypatch))

            assert program.kill(signal.SIGTERM) == 0
            missed = simulator.cloud.deliver()
            program.start()
            program.wait_told(missed)
            program.wait(program.mark(), event="polled", times=2)
            assert program.told() == dict.fromkeys(first + missed, 1)

            quit_by_menu(session)
            assert program.ended() == 0
            wait_until(lambda: session.find_tray_icon(TILE) is None)


def test_says_its_version(tmp_path: Path) -> None:
    done = run("--version", env=bare_environment(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout


def test_plays_the_demo_without_a_display(tmp_path: Path) -> None:
    done = run("demo", "--headless", env=bare_environment(tmp_path))
    assert done.returncode == 0, done.stdout
    assert "lost 0, repeated 0" in done.stdout


@pytest.mark.parametrize("before", ["", "/opt/of the person"])
def test_what_it_starts_sees_nothing_of_the_bundle(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path, before: str
) -> None:
    script, seen = tmp_path / "hook", tmp_path / "seen"
    script.write_text(f'#!/bin/sh\nenv >"{seen}.new"; mv "{seen}.new" "{seen}"\n')
    script.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text(f"hook = {json.dumps([str(script)])}\n")
    env = {**keyring_session.env, **({"LD_LIBRARY_PATH": before} if before else {})}
    with Program(home, simulator.url, env) as program:
        program.sign_in()
        program.wait_told(simulator.cloud.deliver())
        wait_until(seen.exists)
    told = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert told.get("LD_LIBRARY_PATH", "") == before
    assert "LD_LIBRARY_PATH_ORIG" not in told


def test_its_size_is_within_the_budget(inside: Path) -> None:
    files = [path for path in inside.parent.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) <= UNPACKED_MAX_BYTES
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        packed.add(inside.parent, "mailtray")
    assert archive.tell() <= ARCHIVE_MAX_BYTES


def test_holds_nothing_that_only_development_needs(inside: Path) -> None:
    for name in ("tkinter", "libtk", "libreadline", "numpy", "pytest", "_avif", "_webp"):
        assert not list(inside.rglob(f"*{name}*")), name


def test_brings_the_licence_of_each_part(inside: Path) -> None:
    folders = {path.name: path for path in (inside / "licences").iterdir()}
    parts = {"mailtray", "Python", "pillow", "msal", "requests", "keyring", "pystray", "Flask"}
    assert parts <= folders.keys()
    for name, folder in folders.items():
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in folder.iterdir()]
        assert texts, name
        assert all(texts), name
    for text in (inside / "licences" / "mailtray").iterdir():
        assert "MIT" in text.read_text()


def test_it_is_started_from_anywhere_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "mailtray").symlink_to(MAILTRAY[0])
    done = subprocess.run(
        ["mailtray", "--version"],
        env={"PATH": os.fspath(tmp_path), "HOME": os.fspath(tmp_path)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=SLOW_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
