"""What goes into bundles, on every system."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from mailtray import __version__
from release import launch, licences, pictures, slim, windows

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_the_icons_have_every_size_that_a_system_asks_for(tmp_path: Path) -> None:
    pictures.draw_icons(tmp_path)
    with Image.open(tmp_path / "mailtray.ico") as ico:
        assert ico.info["sizes"] == {(size, size) for size in pictures.ICO_SIZES_PX}
    with Image.open(tmp_path / "mailtray.icns") as icns:
        assert {width * scale for width, _, scale in icns.info["sizes"]} == {
            *pictures.ICNS_SIZES_PX
        }
    with Image.open(tmp_path / "mailtray.png") as png:
        assert png.size == (512, 512)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        pytest.param("1.2.3", (1, 2, 3, 0), id="a release"),
        pytest.param("0.1.0rc2", (0, 1, 0, 2), id="a candidate"),
        pytest.param(__version__, None, id="this"),
    ],
)
def test_windows_is_told_the_version(version: str, numbers: tuple[int, ...] | None) -> None:
    made = Recorded()
    eval(windows.version_resource(version, "mailtray-cli", "Tells once"), {}, made)  # noqa: S307 - as PyInstaller does
    texts = {str(name): value for name, value in made.calls["StringStruct"]}
    assert texts["ProductVersion"] == version
    assert texts["OriginalFilename"] == "mailtray-cli.exe"
    assert texts["FileDescription"] == "Tells once"
    (fixed,) = made.calls["FixedFileInfo"]
    assert numbers is None or fixed == (numbers, numbers)


class Recorded(dict[str, object]):
    """Names that are called and remember with what, as far as it is plain."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, list[tuple[object, ...]]] = {}

    def __missing__(self, name: str) -> object:
        def call(
            *args: object, filevers: object = None, prodvers: object = None, **_: object
        ) -> None:
            self.calls.setdefault(name, []).append(args or (filevers, prodvers))

        return call


@pytest.mark.parametrize(
    ("given", "left"),
    [
        pytest.param({"LD_LIBRARY_PATH": "/bundle"}, {}, id="nothing was set before"),
        pytest.param(
            {"LD_LIBRARY_PATH": "/bundle:/own", "LD_LIBRARY_PATH_ORIG": "/own"},
            {"LD_LIBRARY_PATH": "/own"},
            id="the person's own comes back",
        ),
        pytest.param({}, {}, id="nothing was changed"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="Linux's own variable")
def test_programs_that_a_bundle_starts_get_the_persons_environment(
    monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str], left: Mapping[str, str]
) -> None:
    for name in ("LD_LIBRARY_PATH", "LD_LIBRARY_PATH_ORIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYINSTALLER_RESET_ENVIRONMENT", "")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    launch.give_back_environment()
    assert {name: os.environ[name] for name in os.environ if name.startswith("LD_")} == left
    assert os.environ["PYINSTALLER_RESET_ENVIRONMENT"] == "1"


def test_each_file_brings_the_licence_of_the_part_it_belongs_to(tmp_path: Path) -> None:
    own = tmp_path / "LICENSE"
    own.write_text("ours")
    import PIL
    import requests

    sources = [Path(str(one.__file__)) for one in (PIL, requests)]
    folder = tmp_path / "licences"
    (folder / "stale").mkdir(parents=True)
    licences.collect(sources, folder, own)
    parts = {path.name for path in folder.iterdir() if not path.name.startswith("Debian ")}
    assert parts == {"mailtray", "Python", "pillow", "requests"}
    assert (folder / "mailtray" / "LICENSE").read_text() == "ours"
    assert "Pillow" in (folder / "pillow" / "LICENSE").read_text()
    assert "Apache" in (folder / "requests" / "ABOUT").read_text()


def test_only_linux_does_without_the_other_systems_notifications() -> None:
    assert "plyer" in slim.excluded("linux")
    for platform in ("darwin", "win32"):
        assert not {"plyer", "desktop_notifier"} & set(slim.excluded(platform))
    assert not {"PIL.PngImagePlugin", "PIL.IcoImagePlugin"} & set(slim.excluded("win32"))


def test_the_workflow_names_what_there_is() -> None:
    root = Path(__file__).resolve().parent.parent
    workflow = (root / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"run: make ([a-z-]+)", workflow))
    assert named
    assert named <= targets
    paths = set(re.findall(r"(?:tests/|build\.spec|constraints\.txt|\.ci/)[\w./]*", workflow))
    assert len(paths) > 5
    assert not [path for path in paths if not (root / path).exists()]
    systems = set(re.findall(r"runs-on: (\w+)", workflow))
    assert systems == {"ubuntu", "macos", "windows"}


def _problems(workflow: Path, schema: str) -> str:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, str(workflow)], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


def test_the_workflow_is_one_by_githubs_schema(tmp_path: Path) -> None:
    workflow = Path(__file__).resolve().parent.parent / ".github/workflows/ci.yml"
    for schema, wrong in (
        ("vendor.github-workflows", ("runs-on:", "run-on:")),
        ("custom.github-workflows-require-timeout", ("timeout-minutes:", "#")),
    ):
        assert not _problems(workflow, schema)
        broken = tmp_path / "broken.yml"
        broken.write_text(workflow.read_text(encoding="utf-8").replace(*wrong), encoding="utf-8")
        assert "broken.yml" in _problems(broken, schema)


def test_the_page_on_platforms_names_tests_that_there_are() -> None:
    root = Path(__file__).resolve().parent.parent
    page = (root / "docs/platforms.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests/|\.github/)[\w./]+)`", page))
    assert len(named) > 10
    assert not [path for path in named if not (root / path).exists()]
