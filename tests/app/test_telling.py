"""Who is told of what, how often, and what is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailtray.app.commands import (
    Clicked,
    NotifierAvailable,
    OpenMailbox,
    OpenMessage,
    TrayMissing,
    TrayShown,
)
from mailtray.core.errors import (
    AccessDenied,
    MailboxUnavailable,
    SignInRequired,
    StateError,
    Throttled,
    TrayError,
    Unreachable,
)
from mailtray.core.model import Message, MessageId
from mailtray.core.schedule import COUNT_EVERY_S
from tests.app.rig import ANN, BEN, MAILBOX, Rig

UNWRITABLE = StateError("What was told cannot be remembered", "Free some space.")


def started() -> Rig:
    rig = Rig(ANN)
    rig.do()
    return rig


def test_a_new_message_is_told_once() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.pass_time(600.0)
    (event,) = rig.events("notification")
    assert event == {
        "event": "notification",
        "account": ANN.username,
        "ids": ["A"],
        "title": "Bo",
        "body": "Subject of A",
    }


def test_thirteen_at_once_are_one_summary() -> None:
    rig = started()
    rig.box().deliver(*(f"m{n}" for n in range(13)))
    rig.check()
    assert rig.titles() == ["13 new messages"]


def test_a_round_answered_twice_tells_nothing_twice() -> None:
    rig = started()
    rig.box().habits.replays = True
    rig.box().habits.repeats = True
    rig.box().deliver("A")
    for _ in range(3):
        rig.check()
    assert dict(rig.told()) == {"A": 1}


def test_read_elsewhere_takes_the_notification_back() -> None:
    # alcionai/corso#1866
    rig = started()
    rig.box().deliver("A", "B")
    rig.check()
    rig.box().mark("A", is_read=True)
    rig.check()
    assert [one.message_ids for one in rig.notifier.on_screen.values()] == [("B",)]
    assert rig.events("withdrawn") == [{"event": "withdrawn", "ids": ["A"]}]
    assert rig.view.count == 1
    rig.box().mark("A", is_read=False)
    rig.check()
    assert dict(rig.told()) == {"A": 1, "B": 1}
    assert rig.view.count == 2


def test_a_summary_stays_until_its_last_message_is_read() -> None:
    rig = started()
    rig.box().deliver(*"ABCD")
    rig.check()
    for name in "ABC":
        rig.box().mark(name, is_read=True)
    rig.check()
    assert len(rig.notifier.on_screen) == 1
    rig.box().move_out("D")
    rig.check()
    assert rig.notifier.on_screen == {}


def test_what_could_not_be_shown_comes_again_as_one_summary() -> None:
    rig = started()
    rig.notifier.shows_left = 0
    rig.box().deliver("A", "B")
    rig.check()
    rig.box().deliver("C")
    rig.check()
    assert rig.view.count == 3
    rig.notifier.shows_left = None
    rig.check()
    rig.check()
    assert rig.titles() == ["3 new messages"]


def test_after_one_that_failed_the_rest_waits_too() -> None:
    rig = started()
    rig.notifier.shows_left = 1
    rig.box().deliver("A", "B", "C")
    rig.check()
    rig.notifier.shows_left = None
    rig.check()
    assert dict(rig.told()) == {"A": 1, "B": 1, "C": 1}
    assert rig.titles() == ["Bo", "2 new messages"]


def test_a_notification_server_that_starts_late_is_told_at_once() -> None:
    rig = started()
    rig.notifier.shows_left = 0
    rig.box().deliver("A")
    rig.check()
    rig.notifier.shows_left = None
    rig.do(NotifierAvailable())
    assert dict(rig.told()) == {"A": 1}
    assert rig.box().calls.count("fetch") == 2
    rig.check()
    assert dict(rig.told()) == {"A": 1}


def test_a_notification_server_that_starts_during_a_poll() -> None:
    rig = started()
    rig.notifier.shows_left = 0
    rig.box().deliver("A")
    rig.check()
    rig.pass_time(59.0)
    rig.clock.advance(2.0)
    rig.poller.step(None)
    rig.notifier.shows_left = None
    rig.do(NotifierAvailable())
    assert dict(rig.told()) == {"A": 1}


def test_what_was_read_before_it_could_be_shown_is_not_told() -> None:
    rig = started()
    rig.notifier.shows_left = 0
    rig.box().deliver("A", "B")
    rig.check()
    rig.box().mark("A", is_read=True)
    rig.notifier.shows_left = None
    rig.check()
    assert dict(rig.told()) == {"B": 1}


def test_what_mailtray_has_to_say_of_itself_is_owed_as_well() -> None:
    rig = started()
    rig.notifier.shows_left = 0
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out", "Sign in again.")
    rig.check()
    rig.notifier.shows_left = None
    rig.do(NotifierAvailable())
    rig.do(NotifierAvailable())
    assert rig.titles() == ["Signed out"]


def test_a_restart_repeats_nothing_and_misses_nothing() -> None:
    before = Rig(ANN)
    before.do()
    before.box().deliver(*(f"m{n}" for n in range(12)))
    before.check()
    before.poller.close()
    rig = Rig(before=before)
    rig.box().deliver("A")
    rig.do()
    assert rig.view.count == 13
    assert dict(rig.told()) == {f"m{n}": 1 for n in range(12)} | {"A": 1}


def test_a_restart_still_owes_what_could_not_be_shown() -> None:
    before = Rig(ANN)
    before.do()
    before.notifier.shows_left = 0
    before.box().deliver("A")
    before.check()
    rig = Rig(before=before)
    rig.notifier.shows_left = None
    rig.do()
    assert dict(rig.told()) == {"A": 1}


def test_polls_that_bring_nothing_wake_no_disk_and_are_no_loss() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    saved = rig.state.saves
    rig.pass_time(COUNT_EVERY_S - 120.0)
    assert rig.state.saves == saved
    again = Rig(before=rig)
    again.do()
    again.box().deliver("B")
    again.check()
    assert dict(again.told()) == {"A": 1, "B": 1}


def test_state_that_cannot_be_written_is_said_once_and_repeats_nothing() -> None:
    rig = started()
    rig.state.error = UNWRITABLE
    rig.box().deliver("A")
    rig.pass_time(600.0)
    assert rig.titles() == ["Bo", UNWRITABLE.title]
    assert UNWRITABLE.title in rig.view.tooltip
    rig.state.error = None
    rig.check()
    assert UNWRITABLE.title not in rig.view.tooltip
    assert [one.title for one in rig.notifier.on_screen.values()] == ["Bo"]
    again = Rig(before=rig)
    again.do()
    assert dict(again.told()) == {"A": 1}


def test_state_that_cannot_be_read_is_said_and_begins_with_a_baseline() -> None:
    rig = Rig(ANN)
    rig.state.error = UNWRITABLE
    rig.box().deliver(*(f"old{n}" for n in range(40)))
    rig.do()
    assert UNWRITABLE.title in rig.view.tooltip
    rig.pass_time(20.0)
    assert rig.titles() == [UNWRITABLE.title]
    assert UNWRITABLE.title in rig.view.tooltip
    assert rig.view.count == 40


def test_state_that_another_program_holds_for_a_moment_is_waited_for() -> None:
    rig = started()
    again = Rig(before=rig)
    rig.box().deliver("A")
    again.state.error = UNWRITABLE
    again.do()
    again.state.error = None
    again.pass_time(5.0)
    assert dict(again.told()) == {"A": 1}
    assert again.titles() == ["Bo"]
    assert UNWRITABLE.title not in again.view.tooltip


def test_a_damaged_state_is_explained_once() -> None:
    rig = Rig(ANN)
    rig.state.set_aside = Path("/home/ann/state.db.bad-1")
    rig.do()
    rig.pass_time(600.0)
    (told,) = rig.notifier.shown
    assert "damaged" in told.title
    assert "state.db.bad-1" in told.body


def test_a_click_opens_the_message() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    rig.do(Clicked(rig.notifier.shown[0]))
    assert rig.pages.urls == ["https://outlook.office.com/mail/A"]


def test_a_button_that_nobody_knows_does_nothing() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    rig.do(Clicked(rig.notifier.shown[0], "of another version"))
    assert rig.pages.urls == []


def test_a_click_on_a_word_about_mailtray_does_what_it_says() -> None:
    rig = started()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out", "Sign in again.")
    rig.check()
    rig.do(Clicked(rig.notifier.shown[0]))
    assert len(rig.workers.flows) == 1
    assert rig.titles() == ["Signed out"]


@pytest.mark.parametrize(
    ("name", "url"),
    [
        pytest.param("A", "https://outlook.office.com/mail/A", id="an unread one"),
        pytest.param("gone", MAILBOX, id="one that is gone"),
    ],
)
def test_the_menu_opens_a_message(name: str, url: str) -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    rig.do(OpenMessage(MessageId(name)))
    assert rig.pages.urls == [url]


def test_the_menu_opens_no_page_that_is_not_known() -> None:
    rig = started()
    rig.box().deliver("A")
    evil = Message(MessageId("A"), received=rig.clock.now(), web_link="file:///etc/passwd")
    rig.box().messages[MessageId("A")] = evil
    rig.check()
    rig.do(OpenMessage(MessageId("A")), OpenMailbox())
    assert rig.pages.urls == [MAILBOX, MAILBOX]


def test_a_summary_names_its_account_where_there_are_several() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    rig.box(BEN).deliver(*"ABCD")
    rig.check()
    assert rig.titles() == ["4 new messages · ben@example.test"]


def test_words_about_mailtray_are_not_crowded_out_by_mail() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out", "Sign in again.")
    rig.box(BEN).deliver("B")
    rig.check()
    rig.identity.refusal = None
    rig.sign_in(BEN)
    for n in range(250):
        rig.box(BEN).deliver(f"m{n}")
        rig.check()
    rig.sign_in(ANN)
    assert all(shown.title == "Bo" for shown in rig.notifier.on_screen.values())


NO_PANEL = TrayError("No panel shows the icon", "Notifications work.")


def test_a_tray_that_stays_away_is_worth_a_word() -> None:
    rig = started()
    rig.do(TrayMissing(NO_PANEL))
    rig.pass_time(14.0)
    assert rig.notifier.shown == []
    rig.pass_time(2.0)
    rig.do(TrayMissing(NO_PANEL))
    rig.pass_time(60.0)
    assert rig.titles() == [NO_PANEL.title]
    rig.do(TrayShown())
    assert rig.notifier.on_screen == {}


def test_a_tray_that_comes_late_is_worth_none() -> None:
    rig = started()
    rig.do(TrayMissing(NO_PANEL), TrayShown())
    rig.pass_time(60.0)
    assert rig.notifier.shown == []


def test_nobody_is_signed_in_and_no_panel_shows_the_icon() -> None:
    rig = Rig()
    rig.do(TrayMissing(NO_PANEL))
    rig.pass_time(16.0)
    assert rig.titles() == [NO_PANEL.title]


def test_what_is_owed_stays_owed_while_nothing_can_be_shown() -> None:
    rig = started()
    rig.notifier.shows_left = 0
    rig.do(TrayMissing(NO_PANEL))
    rig.pass_time(16.0)
    rig.do(NotifierAvailable())
    assert "No notification server" in rig.view.tooltip
    rig.notifier.shows_left = None
    rig.do(NotifierAvailable())
    assert rig.titles() == [NO_PANEL.title]
    assert "No notification server" not in rig.view.tooltip


@pytest.mark.parametrize("error", [Unreachable("No connection"), Throttled("Busy")])
def test_the_tray_is_drawn_only_when_something_changed(error: Throttled | Unreachable) -> None:
    rig = started()
    rig.box().refusal = error
    rig.check()
    drawn = len(rig.tray.views)
    rig.pass_time(600.0)
    assert len(rig.tray.views) == drawn


def test_another_trouble_of_the_same_account_is_told_as_well() -> None:
    rig = started()
    for trouble in (
        MailboxUnavailable("No mailbox"),
        MailboxUnavailable("No mailbox"),
        AccessDenied("No permission"),
    ):
        rig.box().troubles.append(trouble)
        rig.check()
    assert rig.titles() == ["No mailbox", "No permission"]
