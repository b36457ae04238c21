from __future__ import annotations

import errno
import os
import re
import stat
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.settings_editor import change as change_by
from mailtray.adapters.settings_editor import write_new
from mailtray.core.commented import commented
from mailtray.core.errors import ConfigError
from mailtray.core.settings import DEFAULTS, FORMS, Layer, Place, parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def change(
    path: Path, key: str, value: object | None, check: Callable[[Mapping[str, object]], None]
) -> bool:
    return change_by(path, key, lambda _now: value, check)


def nothing_to_object(_wishes: Mapping[str, object]) -> None:
    return


MINE = """\
# My own words.

tenant = 'contoso.com'  # work
interval_s = 60

folders = [
  "inbox",  # mine
]

# Ann's
[accounts."ann@x.test"]
name = "Ann"
"""


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        pytest.param("", "preview", True, "preview = true\n", id="into an empty file"),
        pytest.param("# x", "preview", True, "# x\npreview = true\n", id="below a comment"),
        pytest.param(
            MINE,
            "interval_s",
            90,
            MINE.replace("interval_s = 60", "interval_s = 90"),
            id="a number",
        ),
        pytest.param(
            MINE,
            "tenant",
            'a"b\\',
            MINE.replace("'contoso.com'", '"a\\"b\\\\"'),
            id="the comment behind it stays",
        ),
        pytest.param(
            MINE,
            "buttons",
            ["delete"],
            MINE.replace("]\n\n# Ann's\n", ']\n\n# Ann\'s\nbuttons = ["delete"]\n\n'),
            id="a new key goes before the tables",
        ),
        pytest.param(MINE, "interval_s", None, MINE.replace("interval_s = 60\n", ""), id="out"),
        pytest.param(MINE, "sound", None, MINE, id="what is not there is not taken out"),
        pytest.param(MINE, "accounts", None, MINE[: MINE.index("[acc")], id="a table"),
        pytest.param(
            "# a\n# preview = false\n# b\n",
            "preview",
            True,
            "# a\npreview = true\n# b\n",
            id="in the place of its comment",
        ),
        pytest.param(
            'x = """\n# preview = false\n"""\n',
            "preview",
            True,
            'x = """\n# preview = false\n"""\npreview = true\n',
            id="what looks like its comment and is text",
        ),
        pytest.param(
            "[t]\n# preview = false\n",
            "preview",
            True,
            "preview = true\n\n[t]\n# preview = false\n",
            id="what looks like its comment and is of a table",
        ),
        pytest.param(
            "tenant = 'a' # b\r\n# c\r\n",
            "preview",
            True,
            "tenant = 'a' # b\r\n# c\r\npreview = true\r\n",
            id="the line ends of Windows",
        ),
        pytest.param(
            "\ufefftenant = 'a'\n",
            "tenant",
            "b",
            '\ufefftenant = "b"\n',
            id="a byte order mark",
        ),
    ],
)
def test_changes_one_key_and_nothing_else(
    path: Path, before: str, key: str, value: object, after: str
) -> None:
    path.write_bytes(before.encode())
    assert change(path, key, value, nothing_to_object) == (after != before)
    assert path.read_bytes().decode() == after
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are a Unix matter")
def test_a_missing_file_is_made_for_the_person_alone(path: Path) -> None:
    assert not change(path, "preview", None, nothing_to_object)
    assert not path.exists()
    assert change(path, "preview", True, nothing_to_object)
    assert path.read_text() == "preview = true\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are a Unix matter")
def test_the_mode_and_a_link_stay(path: Path, tmp_path: Path) -> None:
    there = tmp_path / "dotfiles" / "mailtray.toml"
    there.parent.mkdir()
    there.write_text("# mine\n")
    there.chmod(0o640)
    path.symlink_to(there)
    change(path, "preview", True, nothing_to_object)
    assert path.is_symlink()
    assert there.read_text() == "# mine\npreview = true\n"
    assert stat.S_IMODE(there.stat().st_mode) == 0o640
    assert [*there.parent.iterdir()] == [there]


RULES = """\
# Before all.
tenant = "a.test"

# Bills are read later.
[[rules]]
from = ["@shop.test"]  # all of them
do = "silent"

[accounts."ann@x.test"]
name = "Ann"

# The boss,
# always.
[[rules]]
name = "boss"
from = ["boss@x.test"]
urgency = "critical"
"""
BILLS = {"from": ["@shop.test"], "do": "silent"}
BOSS = {"name": "boss", "from": ["boss@x.test"], "urgency": "critical"}
BILLS_TEXT = RULES[RULES.index("# Bills") : RULES.index("[acc")]
BOSS_TEXT = RULES[RULES.index("# The boss") :]


@pytest.mark.parametrize(
    ("rules", "after"),
    [
        pytest.param(
            [BOSS, BILLS],
            RULES.replace(BOSS_TEXT, "§").replace(BILLS_TEXT, BOSS_TEXT + "\n").replace(
                "§", BILLS_TEXT.rstrip("\n") + "\n"
            ),
            id="moved",
        ),
        pytest.param([BOSS], RULES.replace(BILLS_TEXT, BOSS_TEXT + "\n").removesuffix(BOSS_TEXT),
                     id="the first out"),
        pytest.param([BILLS], RULES.removesuffix(BOSS_TEXT), id="the last out"),
        pytest.param(None, RULES.replace(BILLS_TEXT, "").removesuffix(BOSS_TEXT), id="all out"),
        pytest.param(
            [BILLS | {"do": "ignore"}, BOSS],
            RULES.replace('do = "silent"', 'do = "ignore"'),
            id="a value",
        ),
        pytest.param(
            [BILLS, {"from": ["boss@x.test"]}],
            RULES.replace('name = "boss"\n', "").replace('urgency = "critical"\n', ""),
            id="values out",
        ),
        pytest.param(
            [BILLS, BOSS, {"subject": ["x"]}],
            RULES + '\n[[rules]]\nsubject = ["x"]\n',
            id="one more",
        ),
    ],
)  # fmt: skip
def test_rules_keep_their_comments_wherever_they_go(path: Path, rules: object, after: str) -> None:
    path.write_text(RULES)
    assert change(path, "rules", rules, nothing_to_object)
    found = path.read_text()
    assert re.sub(r"\n\n+", "\n\n", found).strip() == after.strip()
    assert tomllib.loads(found).get("rules") == rules


def test_rules_on_one_line_are_changed_too(path: Path) -> None:
    path.write_text('rules = [{from = "a@x.test"}]  # mine\ntenant = "a.test"\n')
    rules = [{"from": "a@x.test"}, {"subject": ["x"], "do": "silent"}]
    change(path, "rules", rules, nothing_to_object)
    assert tomllib.loads(path.read_text()) == {"rules": rules, "tenant": "a.test"}


@pytest.mark.parametrize("before", ["", "# x", 'tenant = "a.test"', "[[rules]]\ndo='silent'"])
def test_the_first_account_gets_a_table(path: Path, before: str) -> None:
    path.write_text(before)
    wishes = {"ann@x.test": {"name": "Ann"}}
    change(path, "accounts", wishes, nothing_to_object)
    assert path.read_text().startswith(before)
    assert '[accounts."ann@x.test"]\nname = "Ann"\n' in path.read_text()
    more = wishes | {"ben@x.test": {"sound": "none"}}
    change(path, "accounts", more, nothing_to_object)
    assert tomllib.loads(path.read_text())["accounts"] == more


def test_an_account_keeps_its_comments(path: Path) -> None:
    path.write_text(MINE)
    change(path, "accounts", {"ann@x.test": {"name": "A", "sound": "none"}}, nothing_to_object)
    assert path.read_text() == MINE.replace('"Ann"', '"A"\nsound = "none"')


def test_what_looks_like_a_rule_and_is_text_is_no_rule(path: Path) -> None:
    text = "x = '''\n[[rules]]\n'''\n"
    path.write_text(text)
    change(path, "rules", [{"subject": ["x"]}], nothing_to_object)
    assert path.read_text().startswith(text)
    change(path, "rules", None, nothing_to_object)
    assert tomllib.loads(path.read_text()) == tomllib.loads(text)


def test_an_edit_sees_what_the_file_says_now(path: Path) -> None:
    path.write_text("interval_s = 60\n")
    assert change_by(path, "interval_s", lambda now: now + 1, nothing_to_object)  # type: ignore[operator] # a number
    assert path.read_text() == "interval_s = 61\n"


def test_what_would_be_wrong_is_not_written(path: Path) -> None:
    path.write_text("tenant = 'a.test'\n")

    def object_to_it(wishes: Mapping[str, object]) -> None:
        assert wishes == {"tenant": "a.test", "interval_s": 1}
        raise ConfigError(origin="x", key="interval_s", problem="too often")

    with pytest.raises(ConfigError, match="too often"):
        change(path, "interval_s", 1, object_to_it)
    assert path.read_text() == "tenant = 'a.test'\n"


@pytest.mark.parametrize("was_there", [True, False])
def test_what_somebody_else_wrote_meanwhile_is_not_lost(path: Path, was_there: bool) -> None:
    if was_there:
        path.write_text("tenant = 'a.test'\n")

    def write_meanwhile(_wishes: Mapping[str, object]) -> None:
        path.write_text("tenant = 'b.test'\n")

    with pytest.raises(ConfigError) as caught:
        change(path, "preview", True, write_meanwhile)
    assert ("somebody else" if was_there else "there already") in caught.value.problem
    assert path.read_text() == "tenant = 'b.test'\n"
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        pytest.param("x = = 1", "TOML", id="no TOML"),
        pytest.param(f"x = {'[' * 400}{']' * 400}", "edit the file|nested", id="nested deeply"),
    ],
)
def test_what_cannot_be_read_is_not_changed(path: Path, before: str, problem: str) -> None:
    path.write_text(before)
    with pytest.raises(ConfigError, match=problem):
        change(path, "preview", True, nothing_to_object)
    assert path.read_text() == before


@pytest.mark.parametrize("was_there", [True, False])
def test_a_full_disk_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, was_there: bool
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if was_there:
        path.write_text("# mine\n")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError) as caught:
        change(path, "preview", True, nothing_to_object)
    assert "No space left" in caught.value.problem
    assert [each.read_text() for each in path.parent.iterdir()] == ["# mine\n"] * was_there


# -- a file to begin with ------------------------------------------------------------------------


def test_the_file_to_begin_with_says_nothing_and_names_everything(path: Path) -> None:
    write_new(path, commented().encode())
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {}
    for key, form in FORMS.items():
        assert f"# {form.meaning}\n" in commented()
        assert f"# {key} = " in commented() or re.search(rf"# \[+{key}\b", commented())


def test_each_line_of_the_file_to_begin_with_is_right_without_its_mark() -> None:
    lines = [line.removeprefix("# ") for line in commented().splitlines()]
    flat = [line for line in lines if re.match(r"[a-z_]+ = ", line)]
    tables = [line for line in lines if line.startswith(("[", " "))]
    wished = tomllib.loads("\n".join(line for line in flat if not line.startswith("client_id")))
    examples = tomllib.loads("\n".join(tables))
    assert {*wished, *examples, "client_id"} == {*DEFAULTS}
    assert parse_settings([Layer(Place.FILE, "it", wished)]) == parse_settings([])
    found = parse_settings([Layer(Place.FILE, "it", examples)])
    assert (len(found.accounts), len(found.rules)) == (1, 1)


def test_a_key_set_later_stands_where_it_was_explained(path: Path) -> None:
    write_new(path, commented().encode())
    for key in FORMS:
        if key not in {"accounts", "rules"}:
            change(path, key, DEFAULTS[key].shown, nothing_to_object)
    said = path.read_text(encoding="utf-8")
    assert f'# {FORMS["sound"].meaning}\nsound = "desktop"\n' in said
    assert len(said.splitlines()) == len(commented().splitlines())


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are a Unix matter")
def test_a_file_that_is_there_is_never_overwritten(path: Path) -> None:
    write_new(path, b"# mine\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="there already"):
        write_new(path, b"# theirs\n")
    assert path.read_bytes() == b"# mine\n"


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        write_new(tmp_path / "absent" / "settings.toml", b"")
