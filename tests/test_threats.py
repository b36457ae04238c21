"""What docs/threat-model.md says has its tests, and the code has no way to a shell."""

from __future__ import annotations

import ast

import pytest

from tests.named_tests import ROOT, is_there, named_in, rows_of

PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = named_in(PAGE)
SOURCES = sorted((ROOT / "mailtray").rglob("*.py"))

SHELLS = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
}
INTERPRETERS = {"eval", "exec", "pickle.load", "pickle.loads", "marshal.loads"}


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_test_that_the_threat_model_names_is_there(file: str, test: str) -> None:
    assert is_there(file, test)


def test_every_row_of_the_threat_model_names_a_test_or_says_why_there_is_none() -> None:
    bare = [row for row in rows_of(PAGE) if "`tests/" not in row and "no test" not in row]
    heads = [row for row in bare if row.startswith("| Promise ")]
    assert len(NAMED) >= 25
    assert bare == heads


def called(node: ast.Call) -> str:
    """Return the dotted name of what is called, as far as it is one."""
    return ast.unparse(node.func)


def unsafe_calls(source: str) -> list[str]:
    """Return the calls that lead to a shell or run what they were given."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        # A sentence may speak of shells.
        named = [] if called(node).endswith(".format") else node.keywords
        shells = [k for k in named if k.arg == "shell" and ast.unparse(k.value) != "False"]
        if shells or called(node) in SHELLS | INTERPRETERS:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "source", ["run(x, shell=True)", "run(x, shell=y)", "os.system(x)", "eval(x)"]
)
def test_a_way_to_a_shell_is_found(source: str) -> None:
    assert unsafe_calls(source) == [source]


def test_no_shell_and_no_interpreter_is_ever_called() -> None:
    assert len(SOURCES) > 50
    found = {path.name: unsafe_calls(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {name: calls for name, calls in found.items() if calls} == {}
