"""``mailtray install-desktop``, and a double click on what it put into the menu."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters import icons
from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.program import MAILTRAY, WAIT_S, bare_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TILE = icons.TILE[:3]


def mailtray(env: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [*MAILTRAY, *words], env=env, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@contextmanager
def double_clicked(session: DesktopSession, launcher: str, entry: Path) -> Iterator[None]:
    """Start an entry as a desktop does; whatever it started is ended afterwards."""
    command = ["gio", "launch", str(entry)] if launcher == "gio" else ["gtk-launch", entry.stem]
    # What it starts keeps its output open, so nothing may wait for the end of that.
    quiet = subprocess.DEVNULL
    subprocess.run(command, env=session.env, stdout=quiet, stderr=quiet, check=True, timeout=WAIT_S)
    try:
        yield
    finally:
        subprocess.run([*MAILTRAY, "quit"], env=session.env, check=False, timeout=WAIT_S)


@pytest.mark.desktop
@pytest.mark.parametrize("launcher", ["gio", "gtk-launch"])
def test_a_double_click_on_the_entry_brings_the_icon(launcher: str) -> None:
    require("bus", "display", "keyring", "notify", "tray")
    if shutil.which(launcher) is None:
        pytest.skip(f"needs {launcher}")
    with DesktopSession() as session:
        said = mailtray(session.env, "install-desktop")
        entry = Path(session.env["XDG_DATA_HOME"], "applications", "mailtray.desktop")
        assert said == f"mailtray is in your menu: {entry}\n"
        with double_clicked(session, launcher, entry):
            wait_until(lambda: session.find_tray_icon(TILE), WAIT_S)
            assert len(session.registered_items()) == 1
        wait_until(lambda: not session.registered_items())


def test_it_goes_without_a_trace(tmp_path: Path) -> None:
    env = {**bare_environment(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    mailtray(env, "install-desktop")
    assert (tmp_path / "data" / "applications" / "mailtray.desktop").is_file()
    assert mailtray(env, "install-desktop", "--remove") == "mailtray is no longer in your menu\n"
    assert not any((tmp_path / "data").iterdir())


def test_says_where_it_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    env = {**bare_environment(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    done = subprocess.run(
        [*MAILTRAY, "install-desktop"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot be put into the menu" in done.stderr
    assert "Traceback" not in done.stderr
