from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET  # our own file
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from mailtray import __version__
from mailtray.adapters.desktop_files import SIZES_PX, DesktopFiles, own_desktop_files
from mailtray.adapters.icons import asset_path
from mailtray.core.errors import MailtrayError
from tests.desktop.login import read_entry, split_exec

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = ("/opt/mail tray/50% off/mailtray", "run")
THEME = Path("icons", "hicolor")
METAINFO = "local.mailtray.mailtray.metainfo.xml"


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def files(tmp_path: Path) -> DesktopFiles:
    return DesktopFiles(tmp_path / "data", COMMAND)


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


def test_the_entry_starts_the_command_and_shows_the_icon(files: DesktopFiles) -> None:
    entry = files.install()
    keys = read_entry(entry)
    assert tuple(split_exec(keys["Exec"])) == COMMAND
    assert keys["TryExec"] == COMMAND[0]
    assert keys["Icon"] == keys["Name"] == "mailtray"
    assert "DBusActivatable" not in keys
    theme = entry.parent.parent / THEME
    for size in SIZES_PX:
        with Image.open(theme / f"{size}x{size}" / "apps" / "mailtray.png") as drawn:
            assert drawn.size == (size, size)
    assert (theme / "scalable" / "apps" / "mailtray.svg").is_file()


@needs("desktop-file-validate")
@pytest.mark.parametrize("which", ["as packaged", "as installed"])
def test_the_entry_satisfies_the_validator(files: DesktopFiles, which: str) -> None:
    entry = asset_path("mailtray.desktop") if which == "as packaged" else files.install()
    done = subprocess.run(
        ["desktop-file-validate", str(entry)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_install_again_changes_nothing_and_remove_leaves_nothing(
    files: DesktopFiles, tmp_path: Path
) -> None:
    files.remove()
    assert tree(tmp_path) == set()
    files.install()
    first = tree(tmp_path)
    files.install()
    assert tree(tmp_path) == first
    files.remove()
    assert tree(tmp_path) <= {"data"}


def test_what_belongs_to_others_stays(files: DesktopFiles, tmp_path: Path) -> None:
    apps = tmp_path / "data" / THEME / "48x48" / "apps"
    apps.mkdir(parents=True)
    (apps / "other.png").touch()
    before = tree(tmp_path)
    files.install()
    files.remove()
    assert tree(tmp_path) == before


@needs("gtk-update-icon-cache")
@pytest.mark.parametrize("had_cache", [True, False])
def test_a_cache_of_icons_is_made_anew_where_there_is_one(
    files: DesktopFiles, tmp_path: Path, had_cache: bool
) -> None:
    cache = tmp_path / "data" / THEME / "icon-theme.cache"
    if had_cache:
        cache.parent.mkdir(parents=True)
        cache.write_bytes(b"old")
    files.install()
    assert cache.exists() is had_cache
    if had_cache:
        assert b"mailtray" in cache.read_bytes()
        files.remove()
        assert not cache.exists()  # no icon is left to be remembered


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param(("/a=b/mailtray", "run"), "=", id="an equals sign in the program"),
        pytest.param((os.fsdecode(b"/\xff"), "run"), "UTF-8", id="not UTF-8"),
    ],
)
def test_says_what_no_entry_can_hold(tmp_path: Path, command: tuple[str, ...], words: str) -> None:
    with pytest.raises(MailtrayError) as caught:
        DesktopFiles(tmp_path, command).install()
    assert words in caught.value.hint
    assert tree(tmp_path) == set()


def test_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    files = DesktopFiles(tmp_path / "data", COMMAND)
    for refused in (files.install, files.remove):
        with pytest.raises(MailtrayError, match="data"):
            refused()


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        pytest.param({"XDG_DATA_HOME": "{home}/data"}, "data", id="as wished"),
        pytest.param({}, ".local/share", id="not said"),
        pytest.param({"XDG_DATA_HOME": "data"}, ".local/share", id="a relative path is ignored"),
    ],
)
@pytest.mark.parametrize("platform", ["linux", "freebsd14"])
def test_it_lies_where_the_desktop_looks(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: Mapping[str, str],
    folder: str,
    platform: str,
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    here = {name: value.format(home=tmp_path) for name, value in environment.items()}
    entry = own_desktop_files(COMMAND, here).install()
    assert entry == tmp_path / folder / "applications" / "mailtray.desktop"


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_are_told_that_it_is_linuxs(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(MailtrayError, match="menu") as caught:
        own_desktop_files(COMMAND, {})
    assert "Linux" in caught.value.hint


@needs("appstreamcli")
def test_the_metainfo_is_valid() -> None:
    done = subprocess.run(
        ["appstreamcli", "validate", "--no-net", str(asset_path(METAINFO))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_metainfo_knows_this_version_and_the_entry() -> None:
    root = ET.parse(asset_path(METAINFO)).getroot()  # noqa: S314 - our own file
    newest = root.find("releases/release")
    assert newest is not None
    assert newest.get("version") == __version__
    assert root.findtext("launchable") == "mailtray.desktop"
    assert f"{root.findtext('id')}.metainfo.xml" == METAINFO
