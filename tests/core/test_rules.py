"""Which message is told of, and how; and the sentence for each mistake in a rule."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtray.core.model import (
    Importance,
    Manner,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    Urgency,
)
from mailtray.core.rules import (
    MEETINGS,
    RULES_MAX,
    Context,
    Rule,
    Rulebook,
    Verdict,
    judge,
    parse_rules,
    uncounted,
)
from mailtray.core.wish_forms import InnerMistake

ANN = "ann@example.test"
HERE = Context(
    ANN,
    frozenset({"ann.lee@example.test"}),
    folder="team@contoso.com:AAMk42",
    wish="team@contoso.com/Projects/Alpha",
    path="team@contoso.com/Projekte/Alpha",
)
BOSS = Message(
    MessageId("boss"),
    subject="Your INVOICE for March",
    sender_name="Bea",
    sender_address="Bea@Mail.Contoso.com",
    to=(ANN,),
)
LONG_ID = "AQMkAD" * 12


def rule(**keys: object) -> Rule:
    """Return the rule that a table of settings stands for."""
    (found,) = parse_rules([{"from" if key == "from_" else key: keys[key] for key in keys}])
    return found


def is_met(found: Rule, message: Message, context: Context = HERE) -> bool:
    return judge(message, context, Rulebook([found])).rule == 0


# -- conditions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wished", "sender", "met"),
    [
        pytest.param("bea@mail.contoso.com", "Bea@Mail.Contoso.com", True, id="an address"),
        pytest.param("bo@mail.contoso.com", "bea@mail.contoso.com", False, id="another's"),
        pytest.param("@mail.contoso.com", "bea@mail.contoso.com", True, id="the domain"),
        pytest.param("@contoso.com", "bea@mail.contoso.com", False, id="@ is no subdomain"),
        pytest.param("contoso.com", "bea@mail.contoso.com", True, id="a domain above"),
        pytest.param("contoso.com", "bea@contoso.com", True, id="the very domain"),
        pytest.param("contoso.com", "bea@evil-contoso.com", False, id="a domain's end"),
        pytest.param("contoso.com", "bea@contoso.com.evil.test", False, id="a domain's beginning"),
        pytest.param("contoso.com", '"bea@contoso.com"@evil.test', False, id="within the name"),
        pytest.param("contoso.com", "contoso.com", False, id="no address at all"),
        pytest.param("contoso.com", "@contoso.com", False, id="nobody at the domain"),
        pytest.param("contoso.com", "", False, id="nobody"),
        pytest.param("contoso.com", "b@" + "a." * 200 + "contoso.com", False, id="far too long"),
        pytest.param(["x@y.test", "@contoso.com"], "bea@contoso.com", True, id="one of several"),
    ],
)
def test_from(wished: object, sender: str, met: bool) -> None:
    assert is_met(rule(from_=wished), replace(BOSS, sender_address=sender)) is met


@pytest.mark.parametrize(
    ("wished", "subject", "met"),
    [
        pytest.param("invoice", "Your INVOICE for March", True, id="whatever the case"),
        pytest.param(["offer", "invoice"], "Invoices", True, id="one of several, within a word"),
        pytest.param("for march", "Your invoice for March", True, id="two words in a row"),
        pytest.param("strasse", "STRAßE", True, id="a letter that folds to two"),
        pytest.param("caf\u00e9", "CAFE\u0301", True, id="an accent apart"),
        pytest.param("メール", "ﾒｰﾙ", True, id="half the width"),
        pytest.param("offer", "Your invoice", False, id="another"),
        pytest.param("invoice", "", False, id="no subject"),
    ],
)
def test_subject(wished: object, subject: str, met: bool) -> None:
    assert is_met(rule(subject=wished), replace(BOSS, subject=subject)) is met


@pytest.mark.parametrize(
    ("to", "cc", "met"),
    [
        pytest.param((ANN,), (), {"me", "only_me"}, id="to me alone"),
        pytest.param((ANN, "ann.lee@example.test"), (), {"me", "only_me"}, id="to me twice"),
        pytest.param(("ann.lee@example.test",), (), {"me", "only_me"}, id="to my other address"),
        pytest.param((ANN, "bo@x.test"), (), {"me"}, id="to me and another"),
        pytest.param((ANN,), ("bo@x.test",), {"me"}, id="with a copy to another"),
        pytest.param(("bo@x.test",), (ANN,), {"cc"}, id="a copy for me"),
        pytest.param((), (ANN,), {"cc"}, id="a copy for me alone"),
        pytest.param((ANN,), (ANN,), {"me", "only_me"}, id="to me and a copy for me"),
        pytest.param(("list@x.test",), (), {"not_me"}, id="a list"),
        pytest.param((), (), {"not_me"}, id="a blind copy"),
    ],
)
def test_to(to: tuple[str, ...], cc: tuple[str, ...], met: set[str]) -> None:
    message = replace(BOSS, to=to, cc=cc)
    words = ("me", "only_me", "cc", "not_me")
    assert {word for word in words if is_met(rule(to=word), message)} == met


def test_importance() -> None:
    urgent = replace(BOSS, importance=Importance.HIGH)
    assert is_met(rule(importance="High"), urgent)
    assert not is_met(rule(importance="high"), BOSS)
    assert is_met(rule(importance="normal"), BOSS)


def test_focused() -> None:
    other = replace(BOSS, is_focused=False)
    assert is_met(rule(focused=False), other)
    assert not is_met(rule(focused=False), BOSS)
    assert is_met(rule(focused=True), BOSS)


@pytest.mark.parametrize(
    ("wished", "kind", "met"),
    [
        pytest.param(True, MeetingKind.DECLINED, True, id="any meeting"),
        pytest.param(True, None, False, id="no meeting"),
        pytest.param(False, None, True, id="all but meetings"),
        pytest.param(False, MeetingKind.REQUEST, False, id="all but meetings, and one"),
        pytest.param("Tentative", MeetingKind.TENTATIVE, True, id="a kind"),
        pytest.param("request", MeetingKind.CANCELLED, False, id="another kind"),
        pytest.param("request", None, False, id="a kind, and no meeting"),
    ],
)
def test_meeting(wished: object, kind: MeetingKind | None, met: bool) -> None:
    message = replace(BOSS, meeting=None if kind is None else Meeting(kind))
    assert is_met(rule(meeting=wished), message) is met


@pytest.mark.parametrize(
    ("wished", "met"),
    [
        pytest.param("team@contoso.com/projects/alpha", True, id="as it is wished for"),
        pytest.param("Team@Contoso.com/Projekte/Alpha", True, id="its path"),
        pytest.param("team@contoso.com/AAMk42", True, id="its id"),
        pytest.param(["inbox", "team@contoso.com/AAMk42"], True, id="one of several"),
        pytest.param("Projects/Alpha", False, id="one of that name in the own mailbox"),
        pytest.param("team@contoso.com", False, id="another of that mailbox"),
        pytest.param("team@contoso.com/Projects", False, id="the one above"),
    ],
)
def test_folder(wished: object, met: bool) -> None:
    assert is_met(rule(folder=wished), BOSS) is met


@pytest.mark.parametrize(
    ("wished", "folder", "met"),
    [
        pytest.param("Inbox", "inbox", True, id="the inbox"),
        pytest.param(LONG_ID, LONG_ID, True, id="an id"),
        pytest.param(LONG_ID.lower(), LONG_ID, False, id="capitals count in an id"),
        pytest.param("team@contoso.com", "team@contoso.com:inbox", True, id="a shared inbox"),
    ],
)
def test_folder_by_key(wished: str, folder: str, met: bool) -> None:
    assert is_met(rule(folder=wished), BOSS, Context(ANN, folder=folder)) is met


def test_account() -> None:
    assert is_met(rule(account="Ann@Example.test"), BOSS)
    assert not is_met(rule(account=["bo@example.test"]), BOSS)


def test_all_conditions_must_hold() -> None:
    assert is_met(rule(from_="contoso.com", subject="invoice", to="me"), BOSS)
    assert not is_met(rule(from_="contoso.com", subject="offer", to="me"), BOSS)
    assert not is_met(rule(from_="contoso.com", subject="invoice", to="cc"), BOSS)


# -- what becomes of it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "verdict", "manner", "index", "why"),
    [
        pytest.param([], "notify", Manner("/a.oga"), None, "no rule: notify", id="no rule"),
        pytest.param(
            [{"from": "@x.test", "do": "ignore"}, {"from": "contoso.com", "name": "boss"}],
            "notify",
            Manner("/a.oga"),
            1,
            "rule 2 “boss”: from contoso.com → notify",
            id="the second",
        ),
        pytest.param(
            [{"subject": ["INVOICE"], "to": "me", "do": "silent"}, {"from": "contoso.com"}],
            "silent",
            Manner("/a.oga"),
            0,
            "rule 1: to me, subject “invoice” → silent",
            id="the first of two that it meets",
        ),
        pytest.param(
            [{"from": "contoso.com", "stays": True, "urgency": "critical", "sound": "none"}],
            "notify",
            Manner("none", Urgency.CRITICAL, stays=True),
            0,
            "rule 1: from contoso.com → notify, critical, stays, sound none",
            id="how it is told",
        ),
        pytest.param(
            [{"focused": True, "meeting": False, "urgency": "low"}],
            "notify",
            Manner("/a.oga", Urgency.LOW),
            0,
            "rule 1: focused true, meeting false → notify, low",
            id="truths",
        ),
        pytest.param(
            [{"do": "ignore"}],
            "ignore",
            Manner("/a.oga"),
            0,
            "rule 1: every message → ignore",
            id="every message",
        ),
    ],
)
def test_the_first_rule_that_is_met_decides(
    rules: list[dict[str, object]], verdict: str, manner: Manner, index: int | None, why: str
) -> None:
    found = judge(BOSS, replace(HERE, sound="/a.oga"), Rulebook(parse_rules(rules)))
    assert (found.verdict, found.manner, found.rule, found.why) == (verdict, manner, index, why)


OWN = replace(BOSS, sender_address="Ann.Lee@example.test")
OTHER = replace(BOSS, is_focused=False)


@pytest.mark.parametrize(
    ("message", "wishes", "why"),
    [
        pytest.param(
            BOSS,
            {"vip": ("contoso.com",), "muted": ("@mail.contoso.com",)},
            "vip: from contoso.com → notify",
            id="a VIP comes first",
        ),
        pytest.param(OTHER, {"vip": ("contoso.com",), "focused_only": True},
                     "vip: from contoso.com → notify", id="a VIP under Other"),
        pytest.param(OWN, {"vip": ("@example.test",)},
                     "vip: from @example.test → notify", id="one's own address as a VIP"),
        pytest.param(BOSS, {"muted": ("@mail.contoso.com",)},
                     "muted: from @mail.contoso.com → silent", id="muted"),
        pytest.param(OWN, {}, "own_mail: from me → silent", id="what I sent"),
        pytest.param(OWN, {"own_mail": Verdict.NOTIFY}, "rule 1: every message → ignore",
                     id="what I sent, wished for"),
        pytest.param(OTHER, {"focused_only": True}, "focused_only: focused false → silent",
                     id="under Other"),
        pytest.param(OTHER, {}, "rule 1: every message → ignore", id="under Other, wished for"),
    ],
)  # fmt: skip
def test_settings_come_before_rules(message: Message, wishes: dict[str, Any], why: str) -> None:
    found = judge(message, HERE, Rulebook([Rule(do=Verdict.IGNORE)], **wishes))
    assert found.why == why
    assert found.is_vip is why.startswith("vip")


def test_what_is_ignored_is_not_counted() -> None:
    rules = Rulebook(parse_rules([{"from": "@x.test", "do": "ignore"}]), muted=("@y.test",))
    messages = [
        replace(BOSS, id=MessageId(host), sender_address=f"bo@{host}.test") for host in "xyz"
    ]
    assert uncounted(messages, HERE, rules) == {MessageId("x")}


# -- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "where", "named"),
    [
        pytest.param([{"form": "x@y.test"}], "[1].form", ['did you mean "from"?'], id="a key"),
        pytest.param([{"zzz": 1}], "[1].zzz", ["there are from, subject"], id="no such key"),
        pytest.param(
            [{"to": "me"}, {"from": ["x@y.test", "nobody"]}],
            "[2].from",
            ["“nobody”", "anna@contoso.com", "@contoso.com"],
            id="no address",
        ),
        pytest.param([{"from": []}], "[1].from", ["must not be empty"], id="nobody"),
        pytest.param([{"from": 3}], "[1].from", ["list of addresses"], id="a number"),
        pytest.param([{"subject": 3}], "[1].subject", ['["invoice", "offer"]'], id="no words"),
        pytest.param([{"subject": [3]}], "[1].subject", ["quotation marks"], id="no word"),
        pytest.param([{"subject": " "}], "[1].subject", ["must not be empty"], id="blanks"),
        pytest.param([{"to": "onlyme"}], "[1].to", ['did you mean "only_me"?'], id="to"),
        pytest.param([{"importance": "urgent"}], "[1].importance", ["high, normal or low"],
                     id="importance"),
        pytest.param([{"focused": "maybe"}], "[1].focused", ["true or false"], id="focused"),
        pytest.param([{"meeting": "x"}], "[1].meeting", ["true, false", '"declined"'],
                     id="meeting"),
        pytest.param([{"folder": []}], "[1].folder", ["must name a folder"], id="no folder"),
        pytest.param([{"folder": "a:b"}], "[1].folder", ["“a:b”", "Projects/Alpha"], id="folder"),
        pytest.param([{"account": "ann"}], "[1].account", ["mail addresses"], id="account"),
        pytest.param([{"name": "a\nb"}], "[1].name", ["on one line"], id="a name of two lines"),
        pytest.param([{"do": "tell"}], "[1].do", ["notify, silent or ignore"], id="do"),
        pytest.param([{"sound": "ding.wav"}], "[1].sound", ["whole path"], id="sound"),
        pytest.param([{"urgency": "hi"}], "[1].urgency", ["low, normal or critical"],
                     id="urgency"),
        pytest.param([{"stays": 1}], "[1].stays", ["true or false"], id="stays"),
        pytest.param(["silent"], "[1]", ["[[rules]]"], id="no table"),
        pytest.param(
            [{"to": "me"}, {"do": "silent"}, {"to": "cc"}],
            "[2]",
            ["put it last", "from, subject"],
            id="a rule that hides those after it",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_the_right_form(
    rules: object, where: str, named: list[str]
) -> None:
    with pytest.raises(InnerMistake) as caught:
        parse_rules(rules)
    assert caught.value.within("rules") == f"rules{where}"
    assert all(each in str(caught.value) for each in named), str(caught.value)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        pytest.param({"from": "x@y.test"}, "list of tables", id="one table"),
        pytest.param("from = x", "[[rules]]", id="words"),
        pytest.param([{"to": "me"}] * (RULES_MAX + 1), f"at most {RULES_MAX}", id="too many"),
    ],
)
def test_a_mistake_in_the_whole(rules: object, named: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        parse_rules(rules)
    assert named in str(caught.value)


def test_as_many_rules_as_there_may_be() -> None:
    assert len(parse_rules([{"to": "me"}] * RULES_MAX)) == RULES_MAX


def test_every_key_of_a_rule() -> None:
    table = {
        "from": ["Bea@Contoso.com", "contoso.com"],
        "subject": ["a", "b"],
        "to": "cc",
        "importance": "low",
        "focused": "no",
        "meeting": "cancelled",
        "folder": ["inbox"],
        "account": [ANN],
        "name": "all",
        "do": "silent",
        "sound": "/a.oga",
        "urgency": "critical",
        "stays": True,
    }
    assert rule(**table) == Rule(
        from_=("bea@contoso.com", "contoso.com"),
        subject=("a", "b"),
        to="cc",
        importance=Importance.LOW,
        focused=False,
        meeting=MeetingKind.CANCELLED,
        folder=("inbox",),
        account=(ANN,),
        name="all",
        do=Verdict.SILENT,
        sound="/a.oga",
        urgency=Urgency.CRITICAL,
        stays=True,
    )


# -- any message, any rules -----------------------------------------------------------------------

SENDERS = st.sampled_from(["bea@contoso.com", "@contoso.com", "contoso.com", "x@y.test", ANN])
ADDRESSES = st.one_of(SENDERS, st.text(st.characters(categories=None)), st.just("a@b@c.test"))
SEVERAL = st.lists(SENDERS, min_size=1, max_size=3).map(tuple)
TEXT = st.text(st.characters(categories=None), max_size=20)
MESSAGES = st.builds(
    Message,
    id=st.just(MessageId("m")),
    subject=TEXT,
    sender_address=ADDRESSES,
    importance=st.sampled_from(Importance),
    is_focused=st.booleans(),
    to=st.lists(ADDRESSES, max_size=3).map(tuple),
    cc=st.lists(ADDRESSES, max_size=3).map(tuple),
    meeting=st.none() | st.builds(Meeting, st.sampled_from(MeetingKind)),
)
RULES = st.builds(
    Rule,
    from_=st.just(()) | SEVERAL,
    subject=st.lists(TEXT, max_size=2).map(tuple),
    to=st.sampled_from(["", "me", "only_me", "cc", "not_me"]),
    importance=st.none() | st.sampled_from(Importance),
    focused=st.none() | st.booleans(),
    meeting=st.none() | st.booleans() | st.sampled_from([*MEETINGS.values()]),
    folder=st.lists(st.sampled_from(["inbox", "Projects", "a@b.test"]), max_size=2).map(tuple),
    account=st.sampled_from([(), (ANN,), ("bo@example.test",)]),
    name=TEXT,
    do=st.sampled_from(Verdict),
    sound=st.sampled_from(["", "none", "/a.oga"]),
    urgency=st.sampled_from(Urgency),
    stays=st.booleans(),
)
CONTEXTS = st.builds(Context, account=ADDRESSES, folder=TEXT, wish=TEXT, path=TEXT)


@given(message=MESSAGES, context=CONTEXTS, rules=st.lists(RULES, max_size=5))
def test_the_first_match_wins_whatever_there_is(
    message: Message, context: Context, rules: list[Rule]
) -> None:
    own = Verdict.NOTIFY
    met = [n for n, one in enumerate(rules)
           if judge(message, context, Rulebook([one], own_mail=own)).rule == 0]  # fmt: skip
    found = judge(message, context, Rulebook(rules, own_mail=own))
    assert found.rule == (met[0] if met else None)
    assert found.verdict is (rules[met[0]].do if met else Verdict.NOTIFY)


@given(
    message=MESSAGES,
    context=CONTEXTS,
    rules=st.lists(RULES, max_size=3),
    muted=SEVERAL,
    focused_only=st.booleans(),
)
def test_a_vip_is_told_of_whatever_else_is_wished(
    message: Message,
    context: Context,
    rules: list[Rule],
    muted: tuple[str, ...],
    focused_only: bool,
) -> None:
    vip = replace(message, sender_address="Bea@contoso.com")
    book = Rulebook(rules, vip=("bea@contoso.com",), muted=muted, focused_only=focused_only)
    found = judge(vip, context, book)
    assert (found.verdict, found.is_vip, found.rule) == (Verdict.NOTIFY, True, None)


def test_a_thousand_messages_and_fifty_rules_take_no_time() -> None:
    rules = [
        rule(from_=[f"a{n}@x.test", f"b{n}.test"], subject=[f"word {n}"], do="silent")
        if n % 2
        else rule(subject=[f"word {n}", f"other {n}"], to="me", do="ignore")
        for n in range(50)
    ]
    book = Rulebook(rules, vip=("@vip.test",), muted=("@muted.test",), focused_only=True)
    messages = [replace(BOSS, subject=f"Your invoice {n}") for n in range(1_000)]
    spent_s = []
    for _attempt in range(5):
        start_s = time.process_time()
        assert all(judge(one, HERE, book).rule is None for one in messages)
        spent_s.append(time.process_time() - start_s)
    assert min(spent_s) < 0.2  # 0.03 s on an idle machine
