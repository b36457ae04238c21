from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.private_files import make_private_folder, open_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("file modes are a Unix matter", allow_module_level=True)


@pytest.fixture(params=[0o000, 0o027, 0o777])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("_umask")
def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "folder")
    with open(tmp_path / "file", "w", opener=open_private, encoding="utf-8") as file:
        file.write("x")
    assert (_mode(tmp_path / "folder"), _mode(tmp_path / "file")) == (0o700, 0o600)


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert _mode(tmp_path) == 0o755


def test_an_older_file_that_is_wide_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o666)
    os.close(open_private(str(tmp_path / "file"), os.O_WRONLY | os.O_CREAT))
    assert _mode(tmp_path / "file") == 0o600


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        make_private_folder(tmp_path / "file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to chown")
def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12_345, -1)
    with pytest.raises(PermissionError):
        make_private_folder(tmp_path / "theirs")
