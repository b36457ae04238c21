"""Where a message is opened."""

from __future__ import annotations

from dataclasses import replace

from mailtray.app.commands import Clicked, OpenMessage
from mailtray.core.model import MessageId
from tests.app.rig import ANN, MAILBOX, Rig

WEBMAIL = "https://outlook.office.com/mail/a"
IN_PROGRAM = "mid:a%40example.test"


def rig_with(open_in: str) -> Rig:
    rig = Rig(ANN)
    rig.poller._wishes.settings = replace(rig.poller._wishes.settings, open_in=open_in)
    rig.do()
    rig.box().deliver("a")
    rig.check()
    return rig


def test_a_click_opens_the_message_in_webmail() -> None:
    rig = rig_with("webmail")
    rig.do(Clicked(rig.notifier.shown[-1]), OpenMessage(MessageId("a")))
    assert rig.pages.urls == [WEBMAIL, WEBMAIL]


def test_a_click_opens_the_message_in_the_mail_program() -> None:
    rig = rig_with("mail_program")
    rig.do(Clicked(rig.notifier.shown[-1]), OpenMessage(MessageId("a")))
    assert rig.pages.urls == [IN_PROGRAM, IN_PROGRAM]


def test_without_a_mail_program_it_is_webmail() -> None:
    rig = rig_with("mail_program")
    rig.pages.refused = ("mid:",)
    rig.do(Clicked(rig.notifier.shown[-1]))
    assert rig.pages.urls == [WEBMAIL]


def test_a_message_that_is_gone_opens_by_its_link_or_the_mailbox() -> None:
    rig = rig_with("webmail")
    rig.box().delete("a")
    rig.check()
    rig.do(Clicked(rig.notifier.shown[-1]), OpenMessage(MessageId("a")))
    assert rig.pages.urls == [WEBMAIL, MAILBOX]
