"""The settings' pages by their forms alone: no script, no running program."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.pages.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINE = """\
# My own words.
interval_s = 60  # a minute

# Ann's.
[accounts."Ann@x.test"]
name = "Ann"  # as her friends do

# The shop may wait.
[[rules]]
from = ["@shop.test"]
do = "silent"

# The boss may not.
[[rules]]
name = "boss"
from = ["boss@x.test"]
urgency = "critical"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    path = tmp_path / "settings.toml"
    path.write_text(MINE)
    return path


@pytest.fixture
def visitor(path: Path) -> Iterator[Visitor]:
    with Visitor(path.parent) as one:
        yield one


def said(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


# -- single settings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "words", "written"),
    [
        pytest.param("interval_s", "120", 120, id="a number"),
        pytest.param("preview", "true", True, id="yes or no"),
        pytest.param("privacy", "hidden", "hidden", id="a choice"),
        pytest.param("vip", "a@x.test\r\n\r\n @y.test ", ["a@x.test", "@y.test"], id="lines"),
        pytest.param("hook", "/bin/tell\r\n-x; y", ["/bin/tell", "-x; y"], id="a command"),
        pytest.param("quiet_hours", "mon-fri 22:00-07:00", ["mon-fri 22:00-07:00"], id="hours"),
        pytest.param("buttons", "delete", ["delete"], id="a box that is ticked"),
    ],
)
def test_a_setting_is_saved_and_the_rest_stays(
    visitor: Visitor, path: Path, key: str, words: str, written: object
) -> None:
    visitor.get("settings")
    page = visitor.press("settings", visitor.form(f'id="{key}"'), words=words, action="save")
    assert (visitor.status, visitor.alerts) == (200, [])
    assert "Saved." in page
    assert said(path) == tomllib.loads(MINE) | {key: written}
    assert all(line in path.read_text() for line in MINE.splitlines() if line.startswith("#"))


def test_a_wrong_value_is_told_beside_its_field_and_kept_there(
    visitor: Visitor, path: Path
) -> None:
    visitor.get("settings")
    page = visitor.press("settings", visitor.form('id="vip"'), words="nobody", action="save")
    assert visitor.status == 422
    (problem,) = visitor.alerts
    assert "neither an address" in problem
    assert ">nobody</textarea>" in page
    assert path.read_text() == MINE


def test_no_button_ticked_is_none(visitor: Visitor, path: Path) -> None:
    visitor.get("settings")
    fields = [one for one in visitor.form('id="buttons"') if one[0] != "words"]
    visitor.press("settings", fields, action="save")
    assert said(path)["buttons"] == []


def test_the_default_is_shown_and_brought_back(visitor: Visitor, path: Path) -> None:
    page = visitor.get("settings")
    assert "Default: 60 · set in your file" in page
    visitor.press("settings", visitor.form('id="interval_s"'), action="default")
    assert "interval_s" not in said(path)


def test_what_was_changed_in_the_file_meanwhile_is_not_overwritten(
    visitor: Visitor, path: Path
) -> None:
    visitor.get("settings")
    fields = visitor.form('id="interval_s"')
    path.write_text(MINE.replace("= 60", "= 90"))
    visitor.press("settings", fields, words="120", action="save")
    assert visitor.status == 409
    (question,) = visitor.alerts
    assert "There it is “90” now." in question
    assert said(path)["interval_s"] == 90
    again = visitor.form('id="interval_s"')
    assert ("words", "120") in again
    visitor.press("settings", again, action="save")
    assert said(path)["interval_s"] == 120


def test_what_was_changed_elsewhere_in_the_file_stays(visitor: Visitor, path: Path) -> None:
    visitor.get("settings")
    fields = visitor.form('id="interval_s"')
    path.write_text(MINE.replace("# My own words.", 'sound = "none"  # hush'))
    visitor.press("settings", fields, words="120", action="save")
    assert (visitor.status, said(path)["sound"], said(path)["interval_s"]) == (200, "none", 120)
    assert "# hush" in path.read_text()


def test_what_the_command_line_says_is_told(path: Path) -> None:
    with Visitor(path.parent, said={"tenant": "x.test"}) as visitor:
        assert "for now, which counts before your file" in visitor.get("settings")


@pytest.mark.parametrize("key", ["rules", "nonsense"])
def test_what_is_not_entered_here_is_refused(visitor: Visitor, path: Path, key: str) -> None:
    visitor.get("settings")
    visitor.press("settings", visitor.form('id="vip"'), key=key, words="", action="save")
    assert (visitor.status, path.read_text()) == (404, MINE)


def test_a_notification_and_a_sound_to_try(visitor: Visitor, path: Path) -> None:
    visitor.get("settings")
    visitor.press("settings/try", visitor.form('id="try"'), what="notification")
    assert visitor.doctor.notified == 1
    visitor.press("settings/try", visitor.form('id="try"'), what="sound")
    assert (visitor.doctor.notified, visitor.alerts) == (2, [])
    path.write_text('sound = "/nowhere/x.wav"\n')
    visitor.press("settings/try", visitor.form('id="try"'), what="sound")
    assert visitor.alerts == ["/nowhere/x.wav is no file. Choose a sound file that is there."]
    path.write_text('sound = "none"\n')
    page = visitor.press("settings/try", visitor.form('id="try"'), what="sound")
    assert "nothing is heard" in page


# -- rules ----------------------------------------------------------------------------------------

SHOP, BOSS = tomllib.loads(MINE)["rules"]


@pytest.mark.parametrize(
    ("number", "action", "left"),
    [
        pytest.param(1, "down", [BOSS, SHOP], id="down"),
        pytest.param(2, "up", [BOSS, SHOP], id="up"),
        pytest.param(1, "delete", [BOSS], id="out"),
    ],
)
def test_rules_are_put_in_order(
    visitor: Visitor, path: Path, number: int, action: str, left: object
) -> None:
    visitor.get("settings/rules")
    visitor.press("settings/rules", visitor.form(f'name="number" value="{number}"'), action=action)
    assert said(path)["rules"] == left
    assert "# The boss may not.\n[[rules]]\nname" in path.read_text()


def test_the_last_rule_out_leaves_none(visitor: Visitor, path: Path) -> None:
    for _ in range(2):
        visitor.get("settings/rules")
        visitor.press("settings/rules", visitor.form('name="number" value="1"'), action="delete")
    assert "rules" not in said(path)
    assert "There are none yet" in visitor.get("settings/rules")


def test_a_rule_is_changed_in_its_place(visitor: Visitor, path: Path) -> None:
    page = visitor.get("settings/rule?number=1")
    assert "Rule 1 of 2" in page
    visitor.press(
        "settings/rule", visitor.form('class="rule"'), action="save",
        subject="Invoice\r\nOffer", meeting="false", stays="true", do="notify",
    )  # fmt: skip
    assert said(path)["rules"] == [
        {
            "from": ["@shop.test"],
            "subject": ["Invoice", "Offer"],
            "meeting": False,
            "do": "notify",
            "stays": True,
        },
        BOSS,
    ]
    assert "# The shop may wait." in path.read_text()


def test_a_new_rule_goes_last_but_before_one_for_all(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/rule")
    visitor.press("settings/rule", visitor.form('class="rule"'), action="save", do="silent")
    visitor.get("settings/rule")
    fields = visitor.form('class="rule"')
    visitor.press("settings/rule", fields, action="save", name="x", to="cc", do="ignore")
    new = {"name": "x", "to": "cc", "do": "ignore"}
    assert said(path)["rules"] == [SHOP, BOSS, new, {"do": "silent"}]


def test_a_mistake_in_a_rule_is_told_beside_its_field(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/rule?number=2")
    fields = visitor.form('class="rule"')
    page = visitor.press("settings/rule", fields, **{"action": "save", "from": "nobody"})
    assert (visitor.status, path.read_text()) == (422, MINE)
    assert (
        page.index(">nobody</textarea>")
        < page.index("neither an address")
        < page.index('id="field-subject"')
    )


def test_a_rule_for_all_that_is_not_last_is_refused(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/rule?number=1")
    fields = visitor.form('class="rule"')
    visitor.press("settings/rule", fields, **{"action": "save", "from": ""})
    (problem,) = visitor.alerts
    assert "put it last" in problem
    assert path.read_text() == MINE


def test_a_rule_that_was_moved_in_the_file_is_changed_where_it_is(
    visitor: Visitor, path: Path
) -> None:
    visitor.get("settings/rule?number=2")
    fields = visitor.form('class="rule"')
    first = '[[rules]]\nsubject = ["new"]\n\n'
    path.write_text(MINE.replace("# The shop", f"{first}# The shop"))
    visitor.press("settings/rule", fields, action="save", urgency="low")
    assert said(path)["rules"] == [
        {"subject": ["new"]},
        SHOP,
        BOSS | {"do": "notify", "urgency": "low"},
    ]


@pytest.mark.parametrize(
    ("action", "left"),
    [("save", 0), ("as_new", 1)],
)
def test_a_rule_that_was_changed_in_the_file_meanwhile_is_asked_about(
    visitor: Visitor, path: Path, action: str, left: int
) -> None:
    visitor.get("settings/rule?number=1")
    fields = visitor.form('class="rule"')
    theirs = MINE.replace('do = "silent"', 'do = "ignore"')
    path.write_text(theirs)
    page = visitor.press("settings/rule", fields, action="save", do="notify")
    assert (visitor.status, path.read_text()) == (409, theirs)
    assert "neither tell nor count" in page
    visitor.press("settings/rule", visitor.form('class="rule"'), action=action)
    rules = said(path)["rules"]
    assert SHOP | {"do": "notify"} in rules
    assert [rule.get("do") for rule in rules].count("ignore") == left


def test_a_rule_that_is_gone_is_not_moved(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/rules")
    fields = visitor.form('name="number" value="2"')
    theirs = MINE[: MINE.index("# The boss")]
    path.write_text(theirs)
    visitor.press("settings/rules", fields, action="delete")
    assert (visitor.status, path.read_text()) == (409, theirs)
    assert "Nothing was done" in visitor.alerts[0]


def test_trying_a_rule_needs_the_program_and_loses_nothing(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/rule?number=1")
    page = visitor.press("settings/rule", visitor.form('class="rule"'), action="try", name="mine")
    assert visitor.status == 503
    assert 'value="mine"' in page
    assert "not running" in visitor.alerts[0]
    assert path.read_text() == MINE


@pytest.mark.parametrize("number", ["3", "-1"])
def test_there_is_no_such_rule(visitor: Visitor, number: str) -> None:
    visitor.get(f"settings/rule?number={number}")
    assert visitor.status == 404


# -- accounts -------------------------------------------------------------------------------------


def test_an_account_is_changed_and_keeps_its_comments(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/accounts")
    visitor.press(
        "settings/accounts", visitor.form("Ann@x.test"), name="Anna", sound="none",
        addresses="a@y.test\r\nb@y.test",
    )  # fmt: skip
    assert visitor.status == 200
    assert said(path)["accounts"] == {
        "Ann@x.test": {"name": "Anna", "sound": "none", "addresses": ["a@y.test", "b@y.test"]}
    }
    assert 'name = "Anna" # as her friends do' in path.read_text().replace("  #", " #")


def test_another_account_is_set_up(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/accounts?account=ben@x.test")
    visitor.press("settings/accounts", visitor.form("ben@x.test"), name="Ben")
    assert said(path)["accounts"]["ben@x.test"] == {"name": "Ben"}


def test_a_mistake_in_an_account(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/accounts")
    visitor.press("settings/accounts", visitor.form("Ann@x.test"), sound="loud")
    assert visitor.status == 422
    assert "whole path of a sound file" in visitor.alerts[0]
    assert path.read_text() == MINE


def test_an_account_that_was_changed_in_the_file_meanwhile(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/accounts")
    fields = visitor.form("Ann@x.test")
    theirs = MINE.replace('"Ann"', '"Annie"')
    path.write_text(theirs)
    page = visitor.press("settings/accounts", fields, name="Anna")
    assert (visitor.status, path.read_text()) == (409, theirs)
    assert "<dd>Annie</dd>" in page
    visitor.press("settings/accounts", visitor.form("Ann@x.test"))
    assert said(path)["accounts"]["Ann@x.test"] == {"name": "Anna"}


# -- folders --------------------------------------------------------------------------------------


def test_folders_are_typed_where_nothing_runs(visitor: Visitor, path: Path) -> None:
    page = visitor.get("settings/folders")
    assert "mailtray is not running" in page
    visitor.press(
        "settings/folders", visitor.form('id="pick"'), action="save", typed="inbox\r\nProjects"
    )
    assert said(path)["folders"] == ["inbox", "Projects"]
    visitor.press("settings/folders", visitor.form('id="pick"'), action="default")
    assert "folders" not in said(path)


def test_an_account_has_folders_of_its_own(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/folders?account=ann@x.test")
    visitor.press("settings/folders", visitor.form('id="pick"'), action="save", typed="Sales")
    assert said(path)["accounts"] == {"Ann@x.test": {"name": "Ann", "folders": ["Sales"]}}
    visitor.press("settings/folders", visitor.form('id="pick"'), action="default")
    assert said(path)["accounts"] == {"Ann@x.test": {"name": "Ann"}}


def test_no_folder_at_all_is_refused(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/folders")
    visitor.press("settings/folders", visitor.form('id="pick"'), action="save", typed="")
    assert "must name a folder at least" in visitor.alerts[0]
    assert path.read_text() == MINE


def test_folders_that_were_changed_in_the_file_meanwhile(visitor: Visitor, path: Path) -> None:
    visitor.get("settings/folders")
    fields = visitor.form('id="pick"')
    path.write_text(f'folders = ["Sales"]\n{MINE}')
    visitor.press("settings/folders", fields, action="save", typed="Projects")
    assert visitor.status == 409
    assert "“Sales”" in visitor.alerts[0]
    assert said(path)["folders"] == ["Sales"]
    visitor.press("settings/folders", visitor.form('id="pick"'), action="save")
    assert said(path)["folders"] == ["Projects"]
