"""Rules at work: who is told of, who is only counted, who is neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailtray.app.commands import PauseFor, Resume
from mailtray.core.model import Manner, Meeting, MeetingKind, Urgency
from mailtray.core.peace import Presence
from mailtray.core.rules import Rule, Verdict
from mailtray.core.settings import Settings
from tests.app.rig import ANN, Rig
from tests.fakes.mail import FakeMail

SILENT = Rule(subject=("newsletter",), do=Verdict.SILENT)
IGNORED = Rule(subject=("robot",), do=Verdict.IGNORE)


def rig_with(*rules: Rule, **wishes: object) -> Rig:
    """Return a rig with rules, its first round done."""
    rig = Rig(ANN)
    rig.poller._wishes.settings = replace(Settings(), rules=rules, **wishes)  # type: ignore[arg-type] # settings by name
    rig.do()
    return rig


def deliver(rig: Rig, *subjects: str) -> None:
    for subject in subjects:
        rig.box().deliver(subject)
    rig.check()


def test_silent_mail_is_counted_and_never_told() -> None:
    rig = rig_with(SILENT)
    deliver(rig, "newsletter", "hello")
    assert rig.told() == {"hello": 1}
    assert rig.view.count == 2
    rig.pass_time(600)
    assert rig.told() == {"hello": 1}


def test_ignored_mail_is_neither_told_nor_counted() -> None:
    rig = rig_with(IGNORED)
    deliver(rig, "robot 1", "hello", "robot 2")
    assert rig.told() == {"hello": 1}
    assert rig.view.tooltip.startswith("1 new · 1 unread")
    assert rig.view.count == 1
    assert not any("robot" in item.label for item in rig.view.menu)


def test_ignored_mail_that_is_read_changes_no_count() -> None:
    rig = rig_with(IGNORED)
    deliver(rig, "robot", "hello")
    rig.box().mark("robot", is_read=True)
    rig.check()
    assert rig.view.count == 1


def test_ignored_mail_of_before_is_not_counted_after_a_restart() -> None:
    rig = rig_with(IGNORED)
    deliver(rig, "robot", "hello")
    later = Rig(before=rig)
    later.poller._wishes.settings = replace(Settings(), rules=(IGNORED,))
    later.do()
    assert later.view.count == 1


def test_another_rule_counts_from_the_next_poll_on() -> None:
    rig = rig_with()
    deliver(rig, "robot", "hello")
    assert rig.view.count == 2
    rig.poller._wishes.settings = replace(Settings(), rules=(IGNORED,))
    rig.check()
    assert rig.view.count == 1


def test_silent_mail_is_no_part_of_the_summary_after_a_pause() -> None:
    rig = rig_with(SILENT)
    rig.do(PauseFor("forever"))
    deliver(rig, "newsletter", "hello", "hello again")
    rig.do(Resume())
    assert rig.titles() == ["2 new messages"]


def test_a_rule_asks_for_the_folder_by_the_name_it_was_wished_by() -> None:
    mail = FakeMail()
    alpha = mail.add_folder("Alpha", parent=mail.add_folder("Projects"))
    rig = Rig(ANN, mail=mail, folders=("inbox", "projects/alpha"))
    rig.poller._wishes.settings = replace(
        rig.poller._wishes.settings, rules=(Rule(folder=("Projects/Alpha",), do=Verdict.SILENT),)
    )
    rig.do()
    mail.deliver_new(folder=alpha)
    ids = mail.deliver_new()
    rig.check()
    assert rig.told() == {ids[0]: 1}


def test_mail_from_oneself_is_silent_unless_wished() -> None:
    for own_mail, told in (("silent", 0), ("notify", 1)):
        mail = FakeMail()
        rig = Rig(ANN, mail=mail)
        rig.poller._wishes.settings = replace(Settings(), own_mail=own_mail)
        rig.do()
        (mine,) = mail.deliver_new()
        message = replace(mail.messages_of("inbox")[mine], sender_address="Ann@Example.test")
        mail.remove([mine])
        mail.deliver(message)
        rig.check()
        assert len(rig.notifier.shown) == told


def test_a_rule_decides_how_a_message_is_told() -> None:
    manner = Manner("/a.oga", Urgency.CRITICAL, stays=True)
    rule = Rule(subject=("m3",), sound=manner.sound, urgency=manner.urgency, stays=manner.stays)
    rig = rig_with(rule, sound="none")
    deliver_at_once(rig, 5)
    own, summary = rig.notifier.shown
    assert (own.message_ids, own.manner) == (("m3",), manner)
    assert (len(summary.message_ids), summary.manner) == (4, Manner("none"))


def test_a_vip_comes_first_and_who_is_muted_not_at_all() -> None:
    mail = FakeMail()
    rig = Rig(ANN, mail=mail)
    rig.poller._wishes.settings = replace(Settings(), vip=("@navy.example",), muted=("@x.test",))
    rig.do()
    ids = mail.deliver_new(how_many=5)
    senders = ("a@fabrikam.example", "b@x.test", "grace@navy.example", "c@x.test")
    for one, sender in zip(ids, senders, strict=False):
        message = mail.messages_of("inbox")[one]
        mail.remove([one])
        mail.deliver(replace(message, sender_address=sender))
    rig.check()
    assert [shown.message_ids for shown in rig.notifier.shown] == [(ids[2],), (ids[0],), (ids[4],)]


def deliver_at_once(rig: Rig, count: int) -> None:
    for number in range(count):
        rig.box().deliver(f"m{number}")
    rig.check()


@pytest.mark.parametrize(
    ("locked", "wishes", "title", "body"),
    [
        pytest.param(False, {}, "Bo", "Subject of A", id="all"),
        pytest.param(False, {"privacy": "sender"}, "Bo", "New message", id="the sender"),
        pytest.param(False, {"privacy": "hidden"}, "New message", "", id="nothing"),
        pytest.param(True, {}, "New message", "", id="nothing while locked"),
        pytest.param(True, {"privacy_when_locked": "sender"}, "Bo", "New message",
                     id="the sender while locked"),
    ],
)  # fmt: skip
def test_no_more_is_shown_than_is_wished(
    locked: bool, wishes: dict[str, object], title: str, body: str
) -> None:
    rig = rig_with(**{"quiet_when_locked": False, **wishes})
    rig.desktop.presence = Presence(is_locked=locked)
    deliver(rig, "A")
    (shown,) = rig.notifier.shown
    assert (shown.title, shown.body) == (title, body)


@pytest.mark.parametrize(("is_wished", "count"), [(True, 1), (False, 2)])
def test_a_conversation_is_one_notification_where_that_is_wished(
    is_wished: bool, count: int
) -> None:
    mail = FakeMail()
    rig = Rig(ANN, mail=mail)
    rig.poller._wishes.settings = replace(Settings(), group_conversations=is_wished)
    rig.do()
    for one in mail.deliver_new(how_many=2):
        message = mail.messages_of("inbox")[one]
        mail.remove([one])
        mail.deliver(replace(message, conversation_id="T"))
    rig.check()
    assert len(rig.notifier.shown) == count
    assert sum(rig.told().values()) == 2


def test_a_meeting_is_told_with_the_time_where_the_person_is() -> None:
    mail = FakeMail()
    rig = Rig(ANN, mail=mail, zone=ZoneInfo("Asia/Tokyo"))
    rig.do()
    (one,) = mail.deliver_new("Sync")
    message = mail.messages_of("inbox")[one]
    mail.remove([one])
    starts = rig.clock.now().replace(hour=1, minute=30) + timedelta(days=30)
    mail.deliver(replace(message, meeting=Meeting(MeetingKind.REQUEST, starts)))
    rig.check()
    assert rig.notifier.shown[0].body == f"Meeting: Sync, {starts:%Y-%m-%d} 10:30"


def tried(rig: Rig, **more: object) -> list[dict[str, Any]]:
    accounts: list[dict[str, Any]] = rig.ask("try_rules", **more).get_nowait()["accounts"]  # type: ignore[assignment] # as JSON
    return accounts


def test_rules_are_tried_on_the_unread_mail_and_change_nothing() -> None:
    rig = rig_with(SILENT)
    deliver(rig, "newsletter", "hello")
    (saved,) = tried(rig)
    assert saved["username"] == ANN.username
    assert {one["subject"]: one["verdict"] for one in saved["messages"]} == {
        "Subject of newsletter": "silent", "Subject of hello": "notify",
    }  # fmt: skip
    (drafted,) = tried(rig, rules=[{"subject": "hello", "do": "ignore"}])
    assert {one["subject"]: one["rule"] for one in drafted["messages"]} == {
        "Subject of newsletter": None, "Subject of hello": 1,
    }  # fmt: skip
    assert rig.view.count == 2


def test_rules_with_a_mistake_are_not_tried() -> None:
    answer = rig_with().ask("try_rules", rules=[{"do": "shout"}]).get_nowait()
    assert "must be notify, silent or ignore" in str(answer["error"])
