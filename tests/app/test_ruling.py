"""Rules at work: who is told of, who is only counted, who is neither."""

from __future__ import annotations

from dataclasses import replace

from mailtray.app.commands import PauseFor, Resume
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
