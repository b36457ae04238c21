"""The rules, tried from a terminal."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import MAILTRAY, bare_environment

if TYPE_CHECKING:
    from pathlib import Path

RULES = """
vip = ["grace@navy.test"]

[[rules]]
subject = ["build failed"]
folder = ["Builds"]
do = "silent"

[[rules]]
name = "boss"
from = ["@contoso.com"]
to = "me"
stays = true
"""
MESSAGES = """[
{"from": "Bea <bea@contoso.com>", "subject": "Numbers", "to": "ann@example.test"},
{"from": "Grace <grace@navy.test>", "subject": "Moth"},
{"from": "ci@x.test", "subject": "Build FAILED again"}
]"""
ANN = ("--account", "ann@example.test")


def rules_test(home: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``mailtray rules test``."""
    return subprocess.run(
        [*MAILTRAY, "rules", "test", *words, "--home", str(home)],
        env=bare_environment(home),
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=20,
        check=False,
    )


def test_each_message_is_told_with_its_rule(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(RULES)
    (tmp_path / "mails.json").write_text(MESSAGES)
    done = rules_test(tmp_path, str(tmp_path / "mails.json"), *ANN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Bea: Numbers",
        "  rule 2 “boss”: from @contoso.com, to me → notify, stays",
        "Grace: Moth",
        "  vip: from grace@navy.test → notify",
        "ci@x.test: Build FAILED again",
        "  no rule: notify",
    ]


def test_standard_input_a_folder_and_json(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(RULES)
    done = rules_test(tmp_path, "-", "--folder", "builds", "--json", *ANN, typed=MESSAGES)
    answer = json.loads(done.stdout)
    assert answer["account"] == "ann@example.test"
    found = [(one["verdict"], one["rule"], one["stays"]) for one in answer["messages"]]
    assert found == [("notify", 2, True), ("notify", None, False), ("silent", 1, False)]


def test_whose_mail_it_is_may_be_known_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(RULES)
    done = rules_test(tmp_path, "-", typed=MESSAGES)
    assert done.stdout.splitlines()[1] == "  no rule: notify"
    assert "--account" in done.stderr
    (tmp_path / "settings.toml").write_text(f'{RULES}\n[accounts."Ann@example.test"]\n')
    done = rules_test(tmp_path, "-", typed=MESSAGES)
    assert "rule 2 “boss”" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "settings", "code", "named"),
    [
        pytest.param(["nowhere.json"], "", 1, "nowhere.json cannot be read", id="no file"),
        pytest.param(["-"], "", 1, "is not JSON from line 1 on", id="no JSON"),
        pytest.param(["-", "--folder", "a:b"], "", 2, "--folder: must be a folder", id="no folder"),
        pytest.param(["-"], '[[rules]]\nform = "x@y.test"', 2, 'rules[1].form: there is no such'
                     ' setting; did you mean "from"?', id="a mistake in a rule"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_told_why(
    tmp_path: Path, words: list[str], settings: str, code: int, named: str
) -> None:
    (tmp_path / "settings.toml").write_text(settings)
    done = rules_test(tmp_path, *words)
    assert done.returncode == code
    assert named in done.stderr
    assert "Traceback" not in done.stderr
