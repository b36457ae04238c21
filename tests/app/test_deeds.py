"""Acting on messages: done once, undone on a word, and never at the price of reading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mailtray.app.commands import (
    Act,
    CancelSignIn,
    CheckNow,
    Clicked,
    Gone,
    MarkAllRead,
    PauseFor,
    Resume,
    SignIn,
    SignInEnded,
    SignOut,
    Undo,
    from_menu,
)
from mailtray.core.deeds import UNDO_S, Action
from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    ConsentRequired,
    InvalidResponse,
    MailboxUnavailable,
    MailtrayError,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
    StateError,
    Throttled,
    TokenRejected,
    Unreachable,
)
from mailtray.core.model import INBOX, IconKind, MessageId
from mailtray.core.model import Act as Doing
from mailtray.core.peace import Presence
from tests.app.rig import ANN, BEN, SCOPES, Rig
from tests.fakes.mail import FakeMail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from queue import SimpleQueue

    from mailtray.core.model import MenuItem, Notification

CHANGES = {"Mail.ReadWrite"}
OFFLINE = Unreachable("No connection")
OFFLINE.was_sent = False
ASKED = "mailtray may not change your mail yet"


def started(*names: str) -> Rig:
    """Return a rig whose person was told of some messages, each by itself."""
    rig = Rig(ANN)
    rig.do()
    for name in names:
        rig.box().deliver(name)
        rig.check()
    return rig


def notification_of(rig: Rig, name: str) -> Notification:
    (found,) = [
        one for one in rig.notifier.on_screen.values() if MessageId(name) in one.message_ids
    ]
    return found


def press(rig: Rig, name: str, button: str) -> None:
    rig.do(Clicked(notification_of(rig, name), button))


def words(rig: Rig) -> list[str]:
    """Return the titles on the screen that are not about messages."""
    return [one.title for one in rig.notifier.on_screen.values() if not one.message_ids]


def labels(rig: Rig) -> list[str]:
    lines = [line for item in rig.view.menu for line in (item, *item.children)]
    return [line.label for line in lines]


def item(rig: Rig, label: str) -> MenuItem:
    lines = [line for each in rig.view.menu for line in (each, *each.children)]
    return next(line for line in lines if line.label == label)


def choose(rig: Rig, label: str) -> None:
    chosen = item(rig, label)
    rig.do(from_menu(chosen.command, chosen.argument))


def answers_of(replies: SimpleQueue[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return [replies.get_nowait() for _ in range(replies.qsize())]


def acted(rig: Rig) -> list[tuple[object, object, object]]:
    return [(one["action"], one["ids"], one["ok"]) for one in rig.events("acted")]


# -- a press ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "doing", "destination"),
    [
        ("mark_read", Doing.MARK_READ, ""),
        ("archive", Doing.MOVE, "archive"),
        ("delete", Doing.MOVE, "deleteditems"),
    ],
)
def test_a_pressed_button_does_what_it_says(button: str, doing: Doing, destination: str) -> None:
    rig = started("A", "B")
    press(rig, "A", button)
    (deed,) = rig.box().deeds
    assert (deed.act, deed.message, deed.folder, deed.destination) == (
        doing, "A", INBOX, destination,
    )  # fmt: skip
    assert [one.message_ids for one in rig.notifier.on_screen.values()] == [("B",)]
    assert rig.view.count == 1
    assert acted(rig) == [(button, ["A"], True)]
    assert rig.events("acted")[0]["account"] == ANN.username


def test_a_message_has_the_wished_buttons() -> None:
    rig = started("A")
    buttons = notification_of(rig, "A").buttons
    assert [(one.command, one.label) for one in buttons] == [
        ("mark_read", "Mark read"), ("archive", "Archive"),
    ]  # fmt: skip


def test_a_summary_marks_exactly_its_messages() -> None:
    rig = started()
    rig.box().deliver("A", "B", "C", "D")
    rig.check()
    (button,) = notification_of(rig, "A").buttons
    assert button.label == "Mark all read"
    rig.box().deliver("E")
    rig.do(Clicked(notification_of(rig, "A"), button.command))
    assert rig.box().unread() == {"E"}
    assert rig.told() == dict.fromkeys("ABCDE", 1)
    assert "Undo: mark 4 messages as read" in labels(rig)


def test_the_notification_goes_before_the_deed_is_done() -> None:
    rig = started("A")
    rig.poller.step(Clicked(notification_of(rig, "A"), "archive"))
    assert rig.notifier.on_screen == {}
    assert rig.box().deeds == []
    rig.settle()
    assert rig.view.count == 0


def test_one_request_at_a_time_and_the_count_with_it() -> None:
    rig = started("A")
    rig.box().calls.clear()
    rig.poller.step(CheckNow())
    rig.poller.step(Clicked(notification_of(rig, "A"), "archive"))
    assert len(rig.workers.waiting) == 1
    rig.settle()
    assert rig.box().calls == ["fetch", "do", "fetch"]


def test_a_press_costs_one_deed_and_one_round() -> None:
    rig = started("A")
    rig.box().calls.clear()
    press(rig, "A", "archive")
    assert rig.box().calls == ["do", "fetch"]


def test_pressing_twice_is_once() -> None:
    rig = started("A")
    shown = notification_of(rig, "A")
    rig.poller.step(Clicked(shown, "archive"))
    rig.poller.step(Act(Action.ARCHIVE, MessageId("A")))
    rig.settle()
    assert acted(rig) == [("archive", ["A"], True)]


def test_two_things_with_one_message() -> None:
    rig = started("A")
    rig.poller.step(Act(Action.MARK_READ, MessageId("A")))
    rig.poller.step(Act(Action.ARCHIVE, MessageId("A")))
    rig.settle()
    assert rig.box().messages[MessageId("A")].is_read
    assert rig.box().inbox == set()
    assert words(rig) == []


def test_a_button_on_what_was_read_elsewhere_says_so() -> None:
    rig = started("A")
    shown = notification_of(rig, "A")
    rig.box().mark("A", is_read=True)
    rig.check()
    rig.do(Clicked(shown, "archive"))
    assert words(rig) == ["The message was read or moved elsewhere"]
    assert rig.box().deeds == []


def test_each_account_has_its_own() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    rig.box(ANN).deliver("A")
    rig.box(BEN).deliver("B")
    rig.check()
    rig.box(ANN).refusal = OFFLINE
    press(rig, "A", "archive")
    press(rig, "B", "archive")
    assert rig.box(BEN).inbox == set()
    assert rig.box(ANN).inbox == {"A"}
    rig.box(ANN).refusal = None
    rig.check()
    assert rig.box(ANN).inbox == set()


# -- the permission ---------------------------------------------------------------------------


def unallowed(*names: str) -> Rig:
    rig = started(*names)
    rig.identity.refused_scopes = set(CHANGES)
    return rig


def test_polls_keep_the_least_permission() -> None:
    rig = started("A")
    asked: list[tuple[str, ...]] = []
    acquire = rig.identity.acquire_token

    def noting(account: object, scopes: tuple[str, ...], **more: object) -> object:
        asked.append(tuple(scopes))
        return acquire(account, scopes, **more)  # type: ignore[arg-type] # as it came

    rig.identity.acquire_token = noting  # type: ignore[method-assign, assignment] # watched
    press(rig, "A", "archive")
    rig.check()
    assert asked[0] == (*SCOPES, "Mail.ReadWrite")
    assert asked[-2:] == [SCOPES, SCOPES]


def test_a_missing_permission_is_asked_for_once_and_mail_is_read_on() -> None:
    rig = unallowed("A", "B")
    press(rig, "A", "archive")
    assert words(rig) == [ASKED]
    press(rig, "B", "mark_read")
    rig.box().deliver("C")
    rig.pass_time(600.0)
    assert words(rig) == [ASKED]
    assert rig.titles().count(ASKED) == 2
    assert rig.told()[MessageId("C")] == 1
    assert rig.view.icon is IconKind.UNREAD
    assert "2 actions wait for your permission" in rig.view.tooltip
    assert rig.events("failed") == []
    assert rig.box().deeds == []


def test_one_click_allows_it_and_all_that_waited_is_done() -> None:
    rig = unallowed("A", "B")
    press(rig, "A", "archive")
    press(rig, "B", "mark_read")
    (asked,) = rig.notifier.on_screen.values()
    assert asked.body.startswith("To mark, archive or delete mail, mailtray needs the permission")
    rig.identity.person = ANN
    rig.do(Clicked(asked))
    rig.finish_sign_in()
    assert rig.identity.sign_ins == [(ANN.username, None)]
    assert (rig.box().unread(), rig.box().inbox) == (set(), {"B"})
    assert words(rig) == []
    assert "Allow changes…" not in labels(rig)
    assert rig.view.count == 0
    rig.box().deliver("C")
    rig.check()
    press(rig, "C", "archive")
    assert rig.titles().count(ASKED) == 2


def test_the_menu_allows_it_as_well_and_a_restart_asks_no_more() -> None:
    rig = unallowed("A", "B")
    press(rig, "A", "archive")
    rig.identity.person = ANN
    choose(rig, "Allow changes…")
    rig.finish_sign_in()
    later = Rig(before=rig)
    later.do()
    press(later, "B", "archive")
    assert later.box().inbox == set()
    assert later.titles().count(ASKED) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(ConsentRequired("You declined"), id="declined"),
        pytest.param(SignInCancelled("Cancelled"), id="cancelled"),
        pytest.param(AuthBlocked("Blocked"), id="blocked"),
    ],
)
def test_a_refusal_drops_what_waited_with_a_word(outcome: MailtrayError) -> None:
    rig = unallowed("A", "B")
    press(rig, "A", "archive")
    rig.identity.answers_with = outcome
    choose(rig, "Allow changes…")
    rig.finish_sign_in()
    assert words(rig) == ["Your mail was not changed"]
    assert acted(rig) == [("archive", ["A"], False)]
    assert "Allow changes…" not in labels(rig)
    rig.pass_time(600.0)
    assert rig.titles().count(ASKED) == 1
    assert rig.view.icon is IconKind.UNREAD
    press(rig, "B", "archive")
    assert rig.titles().count(ASKED) == 2


def test_a_page_that_is_given_up_is_a_refusal() -> None:
    rig = unallowed("A")
    press(rig, "A", "archive")
    rig.do(SignIn(ANN.id, is_to_change=True), CancelSignIn())
    rig.do(SignInEnded(SignInCancelled("Cancelled")))
    assert words(rig) == ["Your mail was not changed"]


def test_signing_in_as_somebody_else_is_a_refusal() -> None:
    rig = unallowed("A")
    press(rig, "A", "archive")
    rig.identity.person = BEN
    choose(rig, "Allow changes…")
    rig.finish_sign_in()
    assert acted(rig) == [("archive", ["A"], False)]
    assert rig.box().inbox == {"A"}


def test_a_page_that_cannot_be_reached_leaves_it_waiting() -> None:
    rig = unallowed("A")
    press(rig, "A", "archive")
    rig.identity.answers_with = OFFLINE
    choose(rig, "Allow changes…")
    rig.finish_sign_in()
    assert "Allow changes…" in labels(rig)
    rig.identity.answers_with = None
    rig.identity.person = ANN
    (trouble,) = [one for one in rig.notifier.on_screen.values() if one.title == OFFLINE.title]
    rig.do(Clicked(trouble))
    rig.finish_sign_in()
    assert rig.box().inbox == set()


def test_a_sign_in_under_way_for_less_makes_room() -> None:
    rig = unallowed("A")
    press(rig, "A", "archive")
    rig.do(SignIn(ANN.id), SignIn(ANN.id, is_to_change=True))
    rig.workers.flows.clear()
    rig.identity.person = ANN
    rig.do(SignInEnded(SignInCancelled("Cancelled")))
    rig.finish_sign_in()
    assert rig.box().inbox == set()


def test_what_an_administrator_has_to_approve() -> None:
    rig = started("A")
    approval = ConsentRequired("An administrator must approve mailtray")
    approval.link = "https://login.example/adminconsent"
    rig.identity.troubles = [approval]
    press(rig, "A", "archive")
    (asked,) = rig.notifier.on_screen.values()
    rig.do(Clicked(asked))
    assert rig.own_pages.opened == [f"trouble/{ANN.id}"]
    assert "administrator" in asked.body
    assert "Open the page for your administrator" in labels(rig)


def test_a_policy_that_forbids_it_is_not_asked_against() -> None:
    rig = started("A")
    rig.identity.troubles = [AuthBlocked("A policy forbids it")]
    press(rig, "A", "archive")
    assert words(rig) == ["A policy forbids it"]
    assert acted(rig) == [("archive", ["A"], False)]
    assert rig.view.count == 1


def test_a_token_that_is_refused_for_a_deed_stops_no_reading() -> None:
    rig = started("A")
    rig.box().troubles = [TokenRejected("?", claims='{"a":1}'), TokenRejected("?")]
    press(rig, "A", "archive")
    assert words(rig) == [ASKED]
    assert rig.events("failed") == []
    assert rig.box().calls[-1] == "fetch"


def test_a_token_that_is_refused_once_is_renewed() -> None:
    rig = started("A")
    rig.box().troubles = [TokenRejected("?")]
    press(rig, "A", "archive")
    assert rig.box().inbox == set()
    assert words(rig) == []


def test_a_mailbox_that_may_only_be_read_says_so() -> None:
    rig = started("A")
    rig.box().troubles = [AccessDenied("You may only read this mailbox")]
    press(rig, "A", "archive")
    assert words(rig) == ["“Subject of A” could not be changed"]
    assert acted(rig) == [("archive", ["A"], False)]


def test_signed_out_meanwhile_waits_for_the_sign_in() -> None:
    rig = started("A")
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out")
    press(rig, "A", "archive")
    assert words(rig) == [ASKED] or "Signed out" in words(rig)
    rig.identity.refusal = None
    rig.identity.person = ANN
    rig.do(SignIn(ANN.id, is_to_change=True))
    rig.finish_sign_in()
    assert rig.box().inbox == set()


# -- undo -------------------------------------------------------------------------------------


def test_undoing_moves_it_back_and_tells_nobody() -> None:
    rig = started("A")
    press(rig, "A", "archive")
    assert "Undo: archive “Subject of A”" in labels(rig)
    choose(rig, "Undo: archive “Subject of A”")
    assert rig.box().inbox == {"A"}
    assert rig.view.count == 1
    rig.pass_time(600.0)
    assert rig.told() == {"A": 1}
    assert acted(rig) == [("archive", ["A"], True), ("undo", ["A"], True)]
    assert not [one for one in labels(rig) if one.startswith("Undo")]


def test_undoing_a_mark() -> None:
    rig = started("A")
    press(rig, "A", "mark_read")
    choose(rig, "Undo: mark “Subject of A” as read")
    assert rig.box().unread() == {"A"}
    assert rig.told() == {"A": 1}


def test_it_can_be_undone_for_half_a_minute() -> None:
    rig = started("A", "B")
    press(rig, "A", "delete")
    rig.pass_time(UNDO_S - 1.0)
    press(rig, "B", "archive")
    assert labels(rig)[:2] == ["Undo: archive “Subject of B”", "Undo: delete “Subject of A”"]
    rig.pass_time(2.0)
    rig.do()
    assert [one for one in labels(rig) if one.startswith("Undo")] == [
        "Undo: archive “Subject of B”"
    ]
    rig.do(Undo("1"))
    assert len(rig.box().deeds) == 2


def test_what_was_not_told_yet_is_not_told_once_it_is_undone() -> None:
    rig = started()
    rig.do(PauseFor("forever"))
    rig.box().deliver("A")
    rig.check()
    rig.do(Act(Action.ARCHIVE, MessageId("A")))
    choose(rig, "Undo: archive “Subject of A”")
    rig.do(Resume())
    rig.check()
    assert rig.told() == {}
    assert rig.view.count == 1


def test_what_is_taken_up_while_a_round_is_on_its_way_is_not_told() -> None:
    rig = started()
    rig.do(PauseFor("forever"))
    rig.box().deliver("A")
    rig.check()
    rig.poller.step(CheckNow())
    rig.work()
    rig.poller.step(Resume())
    rig.poller.step(Act(Action.ARCHIVE, MessageId("A")))
    rig.settle()
    assert rig.told() == {}
    assert rig.box().inbox == set()


# -- what gets in the way ---------------------------------------------------------------------


def test_a_message_that_is_gone_is_a_word() -> None:
    rig = started("A")
    rig.box().delete("A")
    press(rig, "A", "archive")
    assert words(rig) == ["“Subject of A” is no longer there"]
    assert acted(rig) == [("archive", ["A"], False)]
    assert rig.view.count == 0
    assert not [one for one in labels(rig) if one.startswith("Undo")]


def test_offline_it_waits_and_is_done_once() -> None:
    rig = started("A", "B")
    rig.box().refusal = OFFLINE
    press(rig, "A", "archive")
    press(rig, "B", "mark_read")
    assert "2 actions wait for the network" in rig.view.tooltip
    assert "2 actions wait for the network" in labels(rig)
    assert rig.notifier.on_screen == {}
    rig.pass_time(600.0)
    rig.box().refusal = None
    rig.box().calls.clear()
    rig.check()
    assert rig.box().calls == ["fetch", "do", "fetch"]
    assert [deed.message for deed in rig.box().deeds] == ["A", "B"]
    assert rig.view.count == 0
    assert "wait" not in rig.view.tooltip
    assert acted(rig) == [("archive", ["A"], True), ("mark_read", ["B"], True)]


@pytest.mark.parametrize("how", ["read", "moved", "deleted"])
def test_what_was_seen_to_elsewhere_meanwhile_is_dropped_with_a_word(how: str) -> None:
    rig = started("A", "B")
    rig.box().refusal = OFFLINE
    press(rig, "A", "archive")
    rig.pass_time(600.0)
    if how == "read":
        rig.box().mark("A", is_read=True)
    elif how == "moved":
        rig.box().move_out("A")
    else:
        rig.box().delete("A")
    rig.box().refusal = None
    rig.check()
    assert rig.box().deeds == []
    assert words(rig) == ["“Subject of A” was read or moved elsewhere"]
    assert acted(rig) == [("archive", ["A"], False)]


def test_the_queue_survives_a_restart() -> None:
    rig = started("A", "B")
    rig.box().refusal = OFFLINE
    press(rig, "A", "archive")
    press(rig, "B", "mark_read")
    later = Rig(before=rig)
    later.do()
    assert "2 actions wait for the network" in later.view.tooltip
    later.box().refusal = None
    later.check()
    assert (later.box().inbox, later.box().unread()) == ({"B"}, set())
    last = Rig(before=later)
    last.do()
    assert last.box().deeds == later.box().deeds
    assert len(last.box().deeds) == 2


def test_done_and_not_heard_of_is_done_once() -> None:
    rig = started("A")
    rig.poller.step(Clicked(notification_of(rig, "A"), "archive"))
    rig.work()
    rig.read_inbox()
    rig.work()  # the answer stays in the inbox: the program is killed
    later = Rig(before=rig)
    later.do()
    assert later.box().inbox == set()
    assert len(later.box().deeds) == 1
    assert words(later) == []
    assert acted(later) == [("archive", ["A"], True)]


def test_throttled_it_waits_as_long_as_was_asked() -> None:
    rig = started("A")
    rig.box().troubles = [Throttled("Busy", retry_after_s=120.0)]
    press(rig, "A", "archive")
    assert rig.view.icon is IconKind.OFFLINE
    rig.pass_time(110.0)
    assert rig.box().deeds == []
    rig.pass_time(30.0)
    assert rig.box().inbox == set()


@pytest.mark.parametrize("error", [ServiceUnavailable("Down"), InvalidResponse("?")])
def test_what_is_refused_again_and_again_is_given_up(error: MailtrayError) -> None:
    rig = started("A", "B")
    rig.box().refusals = {MessageId("A"): error}  # type: ignore[dict-item] # of mail
    press(rig, "A", "archive")
    rig.box().deliver("C")
    rig.pass_time(3_000.0)
    assert rig.told()[MessageId("C")] == 1
    assert words(rig) == ["“Subject of A” could not be changed"]
    assert len(rig.box().deeds) <= 5
    assert rig.view.icon is IconKind.UNREAD


def test_a_folder_that_does_not_exist_is_a_word() -> None:
    rig = started("A")
    rig.box().refusals = {MessageId("A"): MailboxUnavailable("There is no such folder")}
    press(rig, "A", "archive")
    assert words(rig) == ["“Subject of A” could not be changed"]
    assert rig.view.icon is IconKind.UNREAD


def test_signing_out_drops_it_all() -> None:
    rig = started("A", "B")
    press(rig, "A", "archive")
    rig.box().refusal = OFFLINE
    press(rig, "B", "archive")
    rig.do(SignOut(ANN.id))
    assert rig.state.load_errands(ANN.id) == ()
    assert not [one for one in labels(rig) if one.startswith("Undo")]
    rig.box().refusal = None
    rig.sign_in(ANN)
    assert rig.box().inbox == {"B"}


def test_a_state_that_cannot_be_written_stops_no_deed() -> None:
    rig = started("A")
    rig.state.error = StateError("What was told cannot be remembered")
    press(rig, "A", "archive")
    assert rig.box().inbox == set()


# -- all of it --------------------------------------------------------------------------------


def test_all_is_marked_as_read_and_undone() -> None:
    rig = started("A", "B")
    assert "Mark all as read…" in labels(rig)
    choose(rig, "Mark 2 messages as read")
    assert rig.box().unread() == set()
    assert rig.view.count == 0
    assert rig.notifier.on_screen == {}
    choose(rig, "Undo: mark 2 messages as read")
    assert rig.box().unread() == {"A", "B"}
    assert rig.told() == {"A": 1, "B": 1}


def test_those_that_only_the_counter_knows_of_are_marked_too() -> None:
    rig = Rig(ANN)
    rig.box().first_sync_messages = 5
    rig.box().deliver(*(f"old{n}" for n in range(20)))
    rig.do()
    rig.box().deliver("A")
    rig.check()
    assert rig.view.count == 21
    choose(rig, "Mark 21 messages as read")
    assert rig.box().unread() == set()
    assert rig.view.count == 0
    choose(rig, "Undo: mark 21 messages as read")
    assert len(rig.box().unread()) == 21
    assert rig.told() == {"A": 1}


def test_many_are_marked_in_steps_between_which_mail_is_read() -> None:
    rig = Rig(ANN)
    rig.box().first_sync_messages = 100
    rig.box().deliver(*(f"old{n}" for n in range(650)))
    rig.do()
    rig.box().calls.clear()
    rig.do(MarkAllRead(ANN.id))
    rig.pass_time(60.0)
    assert rig.box().unread() == set()
    assert len(rig.events("acted")[0]["ids"]) == 650  # type: ignore[arg-type] # a list
    assert rig.box().calls.count("fetch") >= 3


def test_what_comes_after_the_wish_is_told_and_stays_unread() -> None:
    rig = started("A")
    rig.box().refusal = OFFLINE
    rig.do(MarkAllRead(ANN.id))
    rig.box().deliver("B")
    rig.box().refusal = None
    rig.check()
    rig.box().deliver("C")
    rig.do(MarkAllRead(ANN.id))
    assert rig.box().unread() == {"C"}
    assert rig.told() == {"A": 1, "B": 1, "C": 1}


def test_what_is_moved_in_after_the_wish_is_told_and_stays_unread() -> None:
    rig = Rig(ANN)
    rig.box().first_sync_messages = 5
    rig.box().deliver("moved", to_inbox=False, minute=18)
    rig.box().deliver(*(f"old{n}" for n in range(20)))
    rig.do()
    rig.box().refusal = OFFLINE
    rig.do(MarkAllRead(ANN.id))
    rig.box().refusal = None
    rig.box().move_in("moved")
    rig.check()
    assert rig.told() == {"moved": 1}
    assert rig.box().unread() == {"moved"}


def test_all_folders_that_are_watched_are_marked() -> None:
    mail = FakeMail()
    alpha = mail.add_folder("Alpha")
    rig = Rig(ANN, mail=mail, folders=(INBOX, "Alpha"))
    mail.deliver_new(how_many=2)
    mail.deliver_new(how_many=2, folder=alpha)
    rig.do()
    choose(rig, "Mark 4 messages as read")
    assert all(one.is_read for key in (INBOX, alpha) for one in mail.messages_of(key).values())


def test_undoing_puts_a_message_back_into_the_folder_it_was_in() -> None:
    mail = FakeMail()
    alpha = mail.add_folder("Alpha")
    rig = Rig(ANN, mail=mail, folders=(INBOX, "Alpha"))
    rig.do()
    (message_id,) = mail.deliver_new("Plan", folder=alpha)
    rig.check()
    press(rig, message_id, "archive")
    assert message_id in mail.messages_of("archive")
    choose(rig, "Undo: archive “Plan”")
    assert message_id in mail.messages_of(alpha)
    assert rig.told() == {message_id: 1}


# -- other processes --------------------------------------------------------------------------


def test_another_process_hears_when_it_is_done() -> None:
    rig = started("A")
    replies = rig.ask("act", account=ANN.username, id="A", action="archive")
    assert replies.empty()
    rig.settle()
    assert answers_of(replies) == [{"done": True, "state": "done", "ids": ["A"]}]
    undone = rig.ask("act", id="A", action="undo")
    rig.settle()
    assert answers_of(undone)[0]["state"] == "done"
    assert rig.box().inbox == {"A"}


def test_another_process_hears_that_it_waits() -> None:
    rig = started("A")
    rig.box().refusal = OFFLINE
    replies = rig.ask("act", id="A", action="archive")
    rig.settle()
    assert answers_of(replies) == [{"done": True, "state": "waiting", "why": OFFLINE.title}]


def test_another_process_hears_that_the_permission_is_asked_for() -> None:
    rig = unallowed("A")
    replies = rig.ask("act", id="A", action="archive")
    rig.settle()
    assert answers_of(replies) == [{"done": True, "state": "waiting", "why": ASKED}]


def test_another_process_hears_why_not() -> None:
    rig = started("A")
    rig.box().delete("A")
    replies = rig.ask("act", id="A", action="archive")
    rig.settle()
    (answer,) = answers_of(replies)
    assert answer["error"] == "“Subject of A” is no longer there"


@pytest.mark.parametrize(
    ("request_", "title"),
    [
        ({"id": "X", "action": "archive"}, "There is no such unread message"),
        ({"id": "A", "action": "burn"}, "mailtray cannot do that to a message"),
        ({"id": "A", "action": "undo"}, "There is nothing to undo"),
        ({"id": "A", "action": "archive", "account": "cy@x"}, "There is no such account"),
    ],
)
def test_another_process_that_wants_the_impossible(request_: dict[str, str], title: str) -> None:
    (answer,) = answers_of(started("A").ask("act", **request_))
    assert answer["error"] == title


def test_another_process_opens_a_message() -> None:
    rig = started("A")
    assert answers_of(rig.ask("act", id="A", action="open")) == [{"done": True}]
    assert rig.pages.urls == ["https://outlook.office.com/mail/A"]


def test_another_process_marks_all_of_one_account() -> None:
    rig = Rig(ANN, BEN)
    rig.box(ANN).deliver("A")
    rig.do()
    assert "error" in answers_of(rig.ask("mark_all_read"))[0]
    replies = rig.ask("mark_all_read", account=ANN.username)
    rig.settle()
    assert answers_of(replies)[0]["ids"] == ["A"]
    again = rig.ask("mark_all_read", account=ANN.username)
    assert answers_of(again) == [{"done": True, "state": "done", "ids": []}]


def test_one_who_hangs_up_is_not_answered() -> None:
    rig = started("A")
    replies = rig.ask("act", id="A", action="archive")
    rig.poller.step(Gone(replies))
    rig.settle()
    assert replies.empty()
    assert rig.box().inbox == set()


def test_signing_out_answers_those_who_wait() -> None:
    rig = started("A")
    rig.box().refusal = OFFLINE
    replies = rig.ask("act", id="A", action="archive")
    rig.do(SignOut(ANN.id))
    assert "error" in answers_of(replies)[0]


def test_a_subject_is_not_shown_where_it_is_not_wished() -> None:
    rig = started("A")
    wishes = rig.poller._wishes
    wishes.settings = replace(wishes.settings, privacy="sender")
    rig.box().delete("A")
    press(rig, "A", "archive")
    assert words(rig) == ["The message is no longer there"]


def test_a_subject_is_not_shown_on_a_locked_screen() -> None:
    rig = started("A")
    wishes = rig.poller._wishes
    wishes.settings = replace(wishes.settings, quiet_when_locked=False)
    rig.box().refusal = OFFLINE
    press(rig, "A", "archive")
    rig.desktop.presence = Presence(is_locked=True)
    rig.box().refusal = None
    rig.box().mark("A", is_read=True)
    rig.check()
    assert words(rig) == ["The message was read or moved elsewhere"]
