"""The Debian package: installed in a system of its own, started, and gone without a trace."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailtray import __version__
from mailtray.adapters import icons
from release import deb
from tests.desktop.conftest import require
from tests.desktop.login import read_entry
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.program import MAILTRAY

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_LIBC = {"libc", "libm", "libdl", "libpthread", "librt", "libutil", "ld-linux-x86-64",
           "ld-linux-aarch64"}  # fmt: skip
SLOW_S = 40.0


@pytest.fixture(scope="module")
def package() -> Path:
    """The package beside the bundle."""
    found = sorted(Path(MAILTRAY[0]).parent.parent.glob("mailtray_*.deb"))
    if not found or shutil.which("dpkg") is None:
        pytest.skip("needs a Debian package: make deb")
    return found[-1]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a system that knows of no package."""
    if os.geteuid():
        pytest.skip("dpkg needs root")
    root = tmp_path_factory.mktemp("system")
    for folder in ("info", "updates", "triggers"):
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    return root


def dpkg(root: Path, *words: str) -> str:
    # The system has no libc package that could be asked for.
    done = subprocess.run(
        ["dpkg", f"--root={root}", "--force-depends", *words],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=SLOW_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tree(root: Path) -> set[str]:
    found = {str(path.relative_to(root)) for path in root.rglob("*")}
    return {path for path in found if not path.startswith("var/")}


@pytest.fixture
def installed(system: Path, package: Path) -> Iterator[Path]:
    dpkg(system, "--install", str(package))
    yield system
    dpkg(system, "--purge", "mailtray")


def test_says_what_it_is_and_asks_for_little(package: Path) -> None:
    told = subprocess.run(
        ["dpkg-deb", "--field", str(package)], capture_output=True, text=True, check=True
    ).stdout
    fields = dict(line.split(": ", 1) for line in told.splitlines() if line[0] != " ")
    assert fields["Package"] == "mailtray"
    assert fields["Version"] == deb.debian_version(__version__)
    assert fields["Depends"].startswith("libc6 (>= 2.")
    assert "," not in fields["Depends"]


def test_everything_it_needs_is_inside_or_libcs(inside: Path) -> None:
    files = [*inside.rglob("*"), Path(MAILTRAY[0])]
    within = {path.name for path in files}
    for program in deb.programs(files):
        told = subprocess.run(
            ["objdump", "-p", str(program)], capture_output=True, text=True, check=True
        ).stdout
        needed = {line.split()[1] for line in told.splitlines() if "NEEDED" in line}
        outside = {name.partition(".so")[0] for name in needed - within}
        assert outside <= OF_LIBC, program


def test_installs_and_goes_without_a_trace(system: Path, package: Path) -> None:
    before = tree(system)
    dpkg(system, "--install", str(package))
    assert (system / "usr/bin/mailtray").resolve() == system / "usr/lib/mailtray/mailtray"
    read_entry(system / "usr/share/applications/mailtray.desktop")
    assert "MIT" in (system / "usr/share/doc/mailtray/copyright").read_text()
    dpkg(system, "--purge", "mailtray")
    assert tree(system) == before


@pytest.mark.desktop
def test_a_double_click_on_its_entry_brings_the_icon(installed: Path) -> None:
    require("bus", "display", "keyring", "notify", "tray")
    if shutil.which("gtk-launch") is None:
        pytest.skip("needs gtk-launch")
    with DesktopSession() as session:
        env = {
            **session.env,
            "PATH": f"{installed}/usr/bin:{session.env['PATH']}",
            "XDG_DATA_DIRS": f"{installed}/usr/share:/usr/share",
        }
        quiet = subprocess.DEVNULL
        subprocess.run(
            ["gtk-launch", "mailtray"],
            env=env, stdout=quiet, stderr=quiet, check=True, timeout=SLOW_S,
        )  # fmt: skip
        wait_until(lambda: session.find_tray_icon(icons.TILE[:3]), SLOW_S)
        subprocess.run(["mailtray", "quit"], env=env, check=True, timeout=SLOW_S)
        wait_until(lambda: not session.registered_items())


@pytest.mark.parametrize(
    ("version", "debians"),
    [("1.2.3", "1.2.3"), ("1.2.0rc1", "1.2.0~rc1"), ("1.0.dev3", "1.0~dev3")],
)
def test_a_candidate_comes_before_its_release(version: str, debians: str) -> None:
    assert deb.debian_version(version) == debians
