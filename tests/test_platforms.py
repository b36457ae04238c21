"""Every place where the package asks for its system, and the tests that run it elsewhere."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

from tests.platform_branches import SYSTEMS, Place, branches

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what stands in is for elsewhere")

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "mailtray"
LINUX_ALONE = {"adapters/check_desktop.py"}
"""Loaded on Linux only, as ``diagnosis._this_desktop`` shows."""
NOT_THERE = {
    (Place("adapters/autostart.py", "RunKey._registry"), "darwin"),
    (Place("adapters/sound_player.py", "SoundPlayer._play"), "win32"),
    (Place("adapters/sound_player.py", "player_for"), "win32"),
    (Place("adapters/sound_player.py", "_play_on_windows"), "darwin"),
    (Place("adapters/translations.py", "_windows_tags"), "darwin"),
    (Place("adapters/windows_library.py", "(module)"), "darwin"),
    (Place("adapters/windows_library.py", "windows_library"), "darwin"),
}
"""What a system never comes to, by the branches before it."""
OF_ONE_SYSTEM = {
    "adapters/desktop_notifier.py": (),
    "adapters/macos_events.py": (),
    "adapters/macos_presence.py": (),
    "adapters/plyer_notifier.py": (),
    "adapters/windows_events.py": (),
    "adapters/windows_library.py": (),
    "adapters/windows_presence.py": (),
    "adapters/windows_process.py": (),
    "adapters/autostart.py": ("LaunchAgent", "RunKey"),
    "terminal/ears.py": ("WindowsEars",),
}
"""Files that never run on Linux, or classes of theirs: each line of them is run by a test."""
MORE_TESTS = [
    f"tests/adapters/test_{name}.py"
    for name in ("autostart", "desktop_notifier", "plyer_notifier", "system_presence")
]
LINE = re.compile(r"^\| `([\w/]+\.py)` `([\w.()]+)` \| (.*) \| (.*) \|$", re.MULTILINE)


def _measured(folder: Path) -> coverage.CoverageData:
    """Run the tests of the platforms once more, and note which of them runs which line."""
    data_path = folder / "data"
    command = [sys.executable, "-m", "coverage", "run", "--source", str(PACKAGE)]
    command += ["--data-file", str(data_path), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # Only this core notes a line anew for each test that runs it.
    environment = {**os.environ, "COVERAGE_CORE": "ctrace"}
    done = subprocess.run(
        [*command, "tests/platforms", *MORE_TESTS],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    data = coverage.CoverageData(str(data_path))
    data.read()
    return data


def _rows() -> dict[Place, dict[str, set[str]]]:
    """Return the page's table: by branch and system the tests that it names."""
    page = (ROOT / "docs/platforms.md").read_text(encoding="utf-8")
    return {
        Place(file, function): {
            system: set(re.findall(r"`(test_\w+)`", cell))
            for system, cell in zip(SYSTEMS, cells, strict=True)
        }
        for file, function, *cells in LINE.findall(page)
    }


def test_every_branch_has_its_row() -> None:
    assert set(_rows()) == {place for place in branches(PACKAGE) if place.file not in LINUX_ALONE}


@pytest.mark.timeout(240)
def test_each_line_of_another_system_is_run_by_a_test(tmp_path: Path) -> None:
    with closing(_measured(tmp_path)) as data:
        assert not [*_branches_missed(data)]
        assert not [*_files_missed(data)]


def _branches_missed(data: coverage.CoverageData) -> Iterator[str]:
    """Yield the lines of branches that no test of their row ran on their system."""
    rows = _rows()
    for place, branch in branches(PACKAGE).items():
        if place.file in LINUX_ALONE:
            continue
        ran = data.contexts_by_lineno(str(PACKAGE / place.file))
        for system, lines in branch.lines.items():
            named = {f"{system} {test}" for test in rows[place][system]}
            if (place, system) in NOT_THERE:
                assert lines
                assert not named
                continue
            for line in sorted(lines):
                if not named & set(ran.get(line, ())):
                    yield f"{system}: {place.file}:{line} ({place.function})"


def _files_missed(data: coverage.CoverageData) -> Iterator[str]:
    """Yield the lines of what never runs on Linux that no test ran."""
    settings = coverage.Coverage(data_file=None, config_file=str(ROOT / "pyproject.toml"))
    for file, classes in OF_ONE_SYSTEM.items():
        path = str(PACKAGE / file)
        _name, statements, _excluded, _missing, _text = settings.analysis2(path)
        within = set(_lines_of_classes(PACKAGE / file, classes))
        for line in sorted((set(statements) & within) - set(data.lines(path) or ())):
            yield f"{file}:{line}"
    settings.get_data().close(force=True)


def _lines_of_classes(path: Path, names: tuple[str, ...]) -> Iterator[int]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not names or (isinstance(node, ast.ClassDef) and node.name in names):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)
