"""``mailtray completion``, read by real shells where they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import MAILTRAY

SHELLS = ["bash", "zsh", "fish"]
ASK_BASH = """
source "$1"
complete -p mailtray >&2
COMP_WORDS=(mailtray {words})
COMP_CWORD={last}
_mailtray_completion mailtray
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def script(shell: str) -> str:
    done = subprocess.run(
        [*MAILTRAY, "completion", shell], capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_is_a_script_of_that_shell(shell: str, tmp_path: Path) -> None:
    path = tmp_path / "completion"
    path.write_text(script(shell))
    assert f"_MAILTRAY_COMPLETE={shell}_complete" in path.read_text()
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n", str(path)], timeout=20, check=True)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        pytest.param(["auto"], ["autostart"], id="a command"),
        pytest.param(["autostart", ""], ["on", "off", "status"], id="a word"),
        pytest.param(["check", "--j"], ["--json"], id="an option"),
    ],
)
def test_bash_completes(tmp_path: Path, words: list[str], completed: list[str]) -> None:
    program = Path(sys.executable).with_name("mailtray")
    if shutil.which("bash") is None or not program.is_file():
        pytest.skip("needs bash and an installed mailtray")
    path = tmp_path / "completion"
    path.write_text(script("bash"))
    quoted = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        ["bash", "-c", ASK_BASH.format(words=quoted, last=len(words)), "bash", str(path)],
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.split() == completed
