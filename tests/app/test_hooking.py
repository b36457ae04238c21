"""The person's hook sees a message exactly when the person is told of it."""

from __future__ import annotations

from dataclasses import replace

from mailtray.app.commands import HookTrouble, NotifierAvailable, PauseFor, Quit, Resume
from mailtray.core.errors import MailtrayError
from mailtray.core.model import MessageId
from tests.app.rig import ANN, BEN, MAILBOX, Rig

A = MessageId("A")
TROUBLE = MailtrayError("Your hook cannot be started", "/bin/told: No such file.")


def started() -> Rig:
    rig = Rig(ANN)
    rig.box().deliver("old")
    rig.do()
    return rig


def hooked(rig: Rig) -> list[object]:
    return [message["id"] for message in rig.hook.messages]


def test_a_new_message_reaches_the_hook_once_and_old_mail_never() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.pass_time(600.0)
    (message,) = rig.hook.messages
    received = message["received"]
    assert isinstance(received, str)
    assert received.endswith("+00:00")
    assert {**message, "received": ""} == {
        "account": ANN.username,
        "id": "A",
        "from": "Bo",
        "subject": "Subject of A",
        "received": "",
        "web_link": "https://outlook.office.com/mail/A",
    }


def test_each_message_of_a_summary_reaches_it() -> None:
    rig = started()
    names = [f"m{n}" for n in range(13)]
    rig.box().deliver(*names)
    rig.check()
    assert len(rig.titles()) == 1
    assert hooked(rig) == names


def test_it_waits_until_the_person_could_be_told() -> None:
    rig = started()
    rig.notifier.shows_left = 1
    rig.box().deliver("A", "B")
    rig.check()
    assert hooked(rig) == ["A"]
    rig.notifier.shows_left = None
    rig.do(NotifierAvailable())
    rig.check()
    assert hooked(rig) == ["A", "B"]


def test_it_is_left_in_peace_with_the_person() -> None:
    rig = started()
    rig.do(PauseFor("30m"))
    rig.box().deliver("A", "B")
    rig.check()
    assert hooked(rig) == []
    rig.do(Resume())
    assert hooked(rig) == ["A", "B"]


def test_a_restart_repeats_nothing() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    again = Rig(before=rig)
    again.do()
    again.box().deliver("B")
    again.check()
    assert hooked(again) == ["B"]


def test_it_is_told_whose_message_it_is() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    rig.box(BEN).deliver("A")
    rig.check()
    assert [message["account"] for message in rig.hook.messages] == [BEN.username]


def test_it_is_given_no_link_that_a_click_would_not_open() -> None:
    rig = started()
    rig.box().deliver("A")
    elsewhere = replace(rig.box().messages[A], web_link="https://elsewhere.example/")
    rig.box().messages[A] = elsewhere
    rig.check()
    assert [message["web_link"] for message in rig.hook.messages] == [MAILBOX]


def test_a_hook_that_cannot_be_started_is_said_once() -> None:
    rig = started()
    rig.do(HookTrouble(TROUBLE), HookTrouble(TROUBLE))
    assert rig.titles() == [TROUBLE.title]
    rig.do(HookTrouble(None))
    assert not rig.notifier.on_screen
    rig.do(HookTrouble(TROUBLE))
    assert rig.titles() == [TROUBLE.title] * 2


def test_it_ends_with_the_program() -> None:
    rig = started()
    rig.inbox.put(Quit())
    rig.poller.run()
    assert rig.hook.is_closed
