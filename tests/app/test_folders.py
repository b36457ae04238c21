"""Several folders of one mailbox: each heard of once, none keeping another from being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.app.commands import CheckNow, PauseFor, Resume, from_menu
from mailtray.core.errors import AccessDenied, InvalidResponse, ServiceUnavailable, Throttled
from mailtray.core.model import INBOX
from tests.app.rig import ANN, Rig
from tests.fakes.mail import FakeMail

if TYPE_CHECKING:
    from mailtray.core.model import MessageId

TEAM = "team@fabrikam.example"


class _Folders:
    """A rig whose Inbox and "Projects/Alpha" are watched, the first round done."""

    def __init__(self, *more: str) -> None:
        self.mail = FakeMail()
        self.alpha = self.mail.add_folder("Alpha", parent=self.mail.add_folder("Projects"))
        self.folders = (INBOX, "projects/alpha", *more)
        self.rig = Rig(ANN, mail=self.mail, folders=self.folders)
        self.rig.do()

    def move(self, ids: list[MessageId], source: str, target: str) -> None:
        there = self.mail.messages_of(source)
        self.mail.deliver(*[there[one] for one in ids], folder=target)
        self.mail.remove(ids, folder=source)

    def restart(self, *folders: str) -> None:
        self.rig = Rig(before=self.rig, mail=self.mail, folders=folders or self.folders)
        self.rig.do()


def test_mail_in_every_watched_folder_is_told_and_counted() -> None:
    here = _Folders()
    here.mail.deliver_new("to the inbox")
    here.mail.deliver_new("filed by a rule", folder=here.alpha)
    here.rig.check()
    assert [shown.body for shown in here.rig.notifier.shown] == ["to the inbox", "filed by a rule"]
    assert here.rig.view.count == 2


def test_what_came_into_several_folders_is_one_summary() -> None:
    here = _Folders()
    here.mail.deliver_new(how_many=3)
    here.mail.deliver_new(how_many=3, folder=here.alpha)
    here.rig.check()
    assert here.rig.titles() == ["6 new messages"]


def test_a_message_moved_from_folder_to_folder_is_told_once() -> None:
    here = _Folders()
    ids = here.mail.deliver_new()
    here.rig.check()
    here.move(ids, INBOX, here.alpha)
    here.rig.check()
    assert here.rig.told() == {ids[0]: 1}
    assert here.rig.view.count == 1


def test_its_notification_follows_a_moved_message() -> None:
    here = _Folders()
    ids = here.mail.deliver_new()
    here.rig.check()
    here.move(ids, INBOX, here.alpha)
    here.rig.check()
    assert len(here.rig.notifier.on_screen) == 1
    here.mail.mark(ids, is_read=True, folder=here.alpha)
    here.rig.check()
    assert not here.rig.notifier.on_screen


def test_a_message_moved_before_it_could_be_told_is_told_once_after() -> None:
    here = _Folders()
    here.rig.do(PauseFor("forever"))
    ids = here.mail.deliver_new()
    here.rig.check()
    here.move(ids, INBOX, here.alpha)
    here.rig.check()
    here.restart()
    here.rig.do(Resume())
    assert here.rig.told() == {ids[0]: 1}


def test_a_message_seen_in_both_folders_at_once_is_told_once() -> None:
    here = _Folders()
    ids = here.mail.deliver_new()
    here.mail.deliver(*here.mail.messages_of(INBOX).values(), folder=here.alpha)
    here.rig.check()
    assert here.rig.told() == {ids[0]: 1}
    here.restart()
    here.rig.check()
    assert here.rig.told() == {ids[0]: 1}


def test_a_folder_watched_from_now_on_begins_with_its_baseline() -> None:
    here = _Folders()
    here.restart(INBOX)
    here.mail.deliver_new("while nobody watched", folder=here.alpha)
    here.rig.check()
    here.restart()
    here.rig.check()
    assert here.rig.notifier.shown == []
    assert here.rig.view.count == 1
    new = here.mail.deliver_new("now", folder=here.alpha)
    here.rig.check()
    assert here.rig.told() == {new[0]: 1}


def test_a_restart_goes_on_in_every_folder() -> None:
    here = _Folders()
    ids = here.mail.deliver_new(folder=here.alpha)
    here.restart()
    assert here.rig.told() == {ids[0]: 1}


def test_the_tree_is_asked_for_once() -> None:
    here = _Folders()
    for _ in range(5):
        here.rig.pass_time(60)
    assert here.mail.calls.count("folders") == 1


def test_a_folder_that_is_nowhere_is_told_once_and_the_others_are_read() -> None:
    here = _Folders("Gone")
    ids = here.mail.deliver_new()
    here.rig.pass_time(2_000)
    assert here.rig.told() == {ids[0]: 1}
    assert here.rig.titles().count("Gone: A watched folder no longer exists") == 1
    (line,) = [one for one in here.rig.view.menu if one.label.startswith("Gone: ")]
    assert line.label == "Gone: A watched folder no longer exists…"
    here.rig.do(from_menu(line.command, line.argument))
    assert here.rig.own_pages.opened == [f"trouble/{ANN.id}"]
    (trouble,) = here.rig.troubles()
    assert (trouble["remedy"], trouble["key"]) == ("settings", "folders")
    here.mail.add_folder("Gone")
    here.rig.check()
    assert here.rig.titles().count("Gone: A watched folder no longer exists") == 1
    assert not any(shown.title.startswith("Gone") for shown in here.rig.notifier.on_screen.values())


def test_a_folder_that_is_nowhere_and_alone_is_the_accounts_trouble() -> None:
    rig = Rig(ANN, mail=FakeMail(), folders=("Gone",))
    rig.do()
    assert rig.view.tooltip.startswith("A watched folder no longer exists")


def test_a_shared_mailbox_that_is_refused_leaves_the_others_in_peace() -> None:
    here = _Folders(TEAM)
    here.mail.closed[f"{TEAM}:{INBOX}"] = AccessDenied("Permission is missing", "Ask for it.")
    ids = here.mail.deliver_new()
    here.rig.check()
    here.rig.check()
    assert here.rig.told() == {ids[0]: 1}
    assert here.rig.titles().count(f"{TEAM}/inbox: Permission is missing") == 1


def test_mail_in_a_shared_mailbox_is_told() -> None:
    here = _Folders()
    here.mail.add_mailbox(TEAM)
    here.restart(*here.folders, f"{TEAM}/inbox")
    ids = here.mail.deliver_new(folder=f"{TEAM}:{INBOX}")
    here.rig.check()
    assert here.rig.told() == {ids[0]: 1}


def test_a_folder_that_fails_for_a_while_keeps_no_other_waiting() -> None:
    here = _Folders(TEAM)
    here.mail.add_mailbox(TEAM)
    here.mail.closed[INBOX] = ServiceUnavailable("In trouble")
    first = here.mail.deliver_new(folder=here.alpha)
    second = here.mail.deliver_new(folder=f"{TEAM}:{INBOX}")
    for _ in range(3):
        here.rig.pass_time(300)
    assert here.rig.told() == {first[0]: 1, second[0]: 1}
    assert here.rig.view.tooltip.startswith("In trouble")
    missed = here.mail.deliver_new()
    here.mail.closed.clear()
    here.rig.pass_time(600)
    assert here.rig.told() == {first[0]: 1, second[0]: 1, missed[0]: 1}


def test_what_was_read_before_the_server_asked_to_wait_is_told() -> None:
    here = _Folders()
    ids = here.mail.deliver_new()
    here.mail.closed[here.alpha] = Throttled("Wait", retry_after_s=60)
    here.rig.do(CheckNow())
    here.rig.do(CheckNow())
    assert here.rig.told() == {ids[0]: 1}
    assert here.rig.view.tooltip.startswith("Wait")


def test_a_folder_whose_answer_makes_no_sense_is_shown_and_not_announced() -> None:
    here = _Folders()
    here.mail.closed[here.alpha] = InvalidResponse("Nonsense")
    here.rig.check()
    assert "projects/alpha" not in here.rig.view.tooltip
    assert any("Nonsense" in one.label for one in here.rig.view.menu)
    assert here.rig.notifier.shown == []
