"""Checks as lines, as JSON and as a report that may be passed on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mailtray import __version__
from mailtray.core import findings
from mailtray.core.doctor import (
    PARTS,
    VERDICTS,
    Check,
    Part,
    Verdict,
    as_json,
    attention,
    fails,
    good,
    has_failed,
    in_order,
    lines,
    report,
    unknown,
)
from mailtray.core.errors import ConfigError
from mailtray.core.settings import Layer, Place, weigh

ADA = "ada@contoso.example"
BEN = "Ben.Bo@fabrikam.example"
HOME = "/home/ada"
ID = "11111111-2222-3333-4444-555555555555"
SECRET = "0.AXoA-" + "q" * 60


def test_every_part_and_verdict_has_a_name_of_its_own() -> None:
    assert PARTS.keys() == set(Part)
    assert VERDICTS.keys() == set(Verdict)
    for names in (PARTS, VERDICTS):
        assert len({str(one) for one in names.values()}) == len(names)


def test_checks_are_told_part_by_part() -> None:
    found = [good(Part.VERSIONS, "1"), fails(Part.TRAY, "2", ""), good(Part.SETTINGS, "3")]
    found += [Check(Part.SIGN_IN, Verdict.OK, "5", account=BEN), unknown(Part.SIGN_IN, "4")]
    assert [one.found for one in in_order(found)] == ["3", "5", "4", "2", "1"]


def test_only_what_fails_fails() -> None:
    found = [good(Part.TRAY, ""), attention(Part.TRAY, "", ""), unknown(Part.TRAY, "")]
    assert not has_failed(found)
    assert has_failed([*found, fails(Part.TRAY, "", "")])


def test_json() -> None:
    found = [fails(Part.CLIENT_ID, "none is set", "Set one."), good(Part.TRAY, "there")]
    found.append(Check(Part.SIGN_IN, Verdict.OK, "signed in", account=ADA))
    assert as_json(found) == {
        "checks": [
            {"name": "client_id", "status": "fail", "found": "none is set", "action": "Set one."},
            {"name": "tray", "status": "ok", "found": "there", "action": ""},
            {"name": "sign_in", "status": "ok", "found": f"{ADA}: signed in", "action": ""},
        ]
    }


def test_a_line_has_a_word_the_fact_and_the_action() -> None:
    found = [fails(Part.CLIENT_ID, "none is set", "Set one."), good(Part.TRAY, "a\nb\x1b[2J")]
    assert lines(found) == [
        "fails      Client id: none is set → Set one.",
        "good       Tray: a b[2J",
    ]


# -- the report -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "passed_on"),
    [
        pytest.param(f"starts {HOME}/.config/mailtray", "starts ~/.config/mailtray", id="home"),
        pytest.param(f"{HOME.upper()} {HOME}", f"{HOME.upper()} ~", id="another folder"),
        pytest.param(ID, "…", id="id"),
        pytest.param(f"https://x.example/a?code={SECRET}", "https://x.example/a…", id="query"),
        pytest.param(f"bearer {SECRET}", "bearer 0.…", id="token"),
        pytest.param("http://ada:s3cret@proxy:8080", "http://proxy:8080", id="password"),
        pytest.param(f"of {BEN.lower()}, {BEN}", "of account 2, account 2", id="other address"),
        pytest.param("team@contoso.com/inbox", "account 2/inbox", id="shared mailbox"),
    ],
)
def test_what_is_not_to_be_passed_on(found: str, passed_on: str) -> None:
    checks = [Check(Part.SIGN_IN, Verdict.OK, "x", account=ADA), good(Part.TRAY, found)]
    first, second = report(checks, [HOME, f"{HOME}/"]).splitlines()
    assert first == "good       Sign-in: account 1: x"
    assert second == f"good       Tray: {passed_on}"


def test_accounts_that_are_no_addresses_are_numbered_too() -> None:
    names = ["CONTOSO\\ada", "ada", ADA]
    checks = [Check(Part.MAILBOX, Verdict.OK, f"of {one}", account=one) for one in names]
    text = report(checks, [])
    assert not re.search("ada|contoso", text, re.IGNORECASE)
    assert [f"account {n}: of account {n}" in text for n in (1, 2, 3)] == [True] * 3


# -- what settings and the running program tell ---------------------------------------------------


def test_where_settings_are_from_and_which_are_locked() -> None:
    machine = {"locked": ["client_id"], "client_id": ID}
    layers = [
        Layer(Place.FILE, "mine.toml", {"tenant": "common", "client_id": ID}),
        Layer(Place.ADMINISTRATOR, "machine.toml", machine),
    ]
    check = findings.settings(weigh(layers), None)
    assert check == good(
        Part.SETTINGS,
        "2 are set, in machine.toml, mine.toml; set by your administrator: client_id",
    )
    assert findings.settings(weigh([]), None) == good(Part.SETTINGS, "all are the defaults")


def test_a_mistake_in_the_settings_is_told_in_its_own_words() -> None:
    mistake = ConfigError(origin="mine.toml", key="preview", problem="must be true or false")
    check = findings.settings(weigh([]), mistake)
    assert check.verdict is Verdict.FAIL
    assert check.found == "mine.toml: preview: must be true or false"
    assert check.action


def account(**more: object) -> dict[str, object]:
    fine = {
        "username": ADA, "state": "ok", "unread": 3, "checked": "2026-03-02T12:00:00+00:00",
        "error": None, "hint": None, "notice": None, "needs_sign_in": False,
    }  # fmt: skip
    return fine | more


def hour(polls: int, faults: int) -> dict[str, object]:
    return {"starts": "2026-03-02T12:00:00+00:00", "polls": polls, "arrivals": 1, "faults": faults}


def of_program(
    *accounts: dict[str, object], version: str = __version__, **last: int
) -> dict[Part, Check]:
    hours = [hour(5, 0), hour(last.get("polls", 5), last.get("faults", 0))]
    history: dict[str, Any] = {"version": version, "hours": hours, "scopes": {ADA: ["Mail.Read"]}}
    return {one.part: one for one in findings.of_program({"accounts": accounts}, history)}


def test_all_is_well() -> None:
    found = of_program(account())
    assert {one.verdict for one in found.values()} == {Verdict.OK}
    assert found[Part.SIGN_IN].told == f"{ADA}: signed in, allowed Mail.Read"
    assert re.fullmatch(r"3 unread, checked 2026-03-0\d \d\d:\d\d", found[Part.MAILBOX].found)
    assert found[Part.POLLS].found == "10 looks for mail, 2 messages, 0 faults"


@pytest.mark.parametrize(
    ("more", "part", "verdict", "found"),
    [
        pytest.param(
            {"error": "Sign in again", "hint": "Do.", "needs_sign_in": True, "state": "attention"},
            Part.SIGN_IN, Verdict.FAIL, "Sign in again", id="revoked",
        ),
        pytest.param(
            {"error": "Offline", "hint": "Wait.", "state": "offline"},
            Part.MAILBOX, Verdict.ATTENTION, "Offline", id="offline",
        ),
        pytest.param(
            {"error": "No mailbox", "hint": "Ask.", "state": "attention"},
            Part.MAILBOX, Verdict.FAIL, "No mailbox", id="no mailbox",
        ),
        pytest.param(
            {"notice": "No previews. Allow."},
            Part.MAILBOX, Verdict.ATTENTION, "No previews. Allow.", id="less than wished",
        ),
        pytest.param(
            {"checked": None}, Part.MAILBOX, Verdict.UNKNOWN, "not read yet", id="just started"
        ),
    ],
)  # fmt: skip
def test_an_account_that_is_not_well(
    more: dict[str, object], part: Part, verdict: Verdict, found: str
) -> None:
    check = of_program(account(**more))[part]
    assert (check.verdict, check.found, check.account) == (verdict, found, ADA)
    assert check.action == (more.get("hint") or "")


def test_nobody_is_signed_in() -> None:
    found = of_program()
    assert found[Part.SIGN_IN].verdict is Verdict.FAIL
    assert found[Part.MAILBOX].verdict is Verdict.UNKNOWN


def test_another_version_runs() -> None:
    assert of_program(version="0.0.1")[Part.PROGRAM].verdict is Verdict.ATTENTION


def test_an_hour_of_faults_alone_asks_for_attention() -> None:
    assert of_program(account(), polls=0, faults=2)[Part.POLLS].verdict is Verdict.ATTENTION
    assert of_program(account(), polls=1, faults=2)[Part.POLLS].verdict is Verdict.OK
