"""The wheel and the source archive: made, installed where nothing else is, and run there."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailtray import __version__
from tests.e2e.program import bare_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
ASKS_THE_INDEX = os.environ.get("MAILTRAY_PACKAGES") == "1" or os.environ.get("CI") == "true"

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not ASKS_THE_INDEX, reason="asks the package index: make test-packages"),
]


def run(*command: str | Path, env: Mapping[str, str], cwd: Path) -> str:
    done = subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def make_venv(folder: Path, *requirements: str | Path) -> Path:
    """Return the folder of programs of a new environment with these packages and no others."""
    # What is installed is to be found, never the checkout.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(sys.executable, "-m", "venv", folder, env=env, cwd=folder.parent)
    pip: list[str | Path] = [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--constraint",
        CONSTRAINTS,
    ]
    run(folder / "bin" / "python", *pip, *requirements, env=env, cwd=folder.parent)
    return folder / "bin"


@pytest.fixture(scope="module")
def source_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    python = make_venv(folder / "tools", "hatchling") / "python"
    build = ["-m", "hatchling", "build", "--target", "sdist", "--directory"]
    run(python, *build, folder, env=dict(os.environ), cwd=ROOT)
    return folder / f"mailtray-{__version__}.tar.gz"


@pytest.fixture(scope="module")
def wheel(source_archive: Path) -> Path:
    """The wheel, made of the source archive: what the archive lacks is missed here."""
    folder = source_archive.parent
    with tarfile.open(source_archive) as archive:
        # The oldest releases of Python 3.11 know of no filter. Source: PEP 706.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)  # noqa: S202 - of our own making
    build = ["-m", "hatchling", "build", "--target", "wheel", "--directory"]
    unpacked = folder / source_archive.name.removesuffix(".tar.gz")
    run(folder / "tools" / "bin" / "python", *build, folder, env=dict(os.environ), cwd=unpacked)
    return folder / f"mailtray-{__version__}-py3-none-any.whl"


def kept_files(*folders: str) -> set[str]:
    """Return what git keeps of some folders."""
    told = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return set(told.splitlines())


def test_the_archive_has_all_that_testing_and_bundling_need(source_archive: Path) -> None:
    with tarfile.open(source_archive) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = kept_files("mailtray", "assets", "tests", "release", "docs", "build.spec", "Makefile")
    assert {name for name in wanted if not name.endswith((".po", ".pot"))} <= names


def test_the_wheel_has_the_program_and_its_assets_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {f"mailtray/{name}" for name in kept_files("assets")} | kept_files("mailtray")
    assert {name for name in wanted if not name.endswith((".po", ".pot"))} <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"mailtray", f"mailtray-{__version__}.dist-info"}


def test_it_runs_where_nothing_but_the_wheel_is(wheel: Path, tmp_path: Path) -> None:
    programs = make_venv(tmp_path / "empty", wheel)
    env = {**bare_environment(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}

    def mailtray(*words: str) -> str:
        return run(programs / "mailtray", *words, env=env, cwd=tmp_path)

    assert __version__ in mailtray("--version")
    assert "lost 0, repeated 0" in mailtray("demo", "--headless")
    assert "mailtray.desktop" in mailtray("install-desktop")
    assert (tmp_path / "data/icons/hicolor/scalable/apps/mailtray.svg").is_file()
    assert (programs / "mailtray-gui").is_file()
