"""Who is left in peace is told afterwards, once, of what is still unread."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from mailtray.app.commands import (
    NotifierAvailable,
    PauseFor,
    PresenceChanged,
    Resume,
    SignIn,
    from_menu,
)
from mailtray.core.errors import AccessDenied, AuthBlocked, StateError
from mailtray.core.peace import Presence, QuietHours
from tests.app.rig import ANN, BEN, Rig
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_DAY = frozenset(range(7))
LOCKED, DISTURBED_NOT = Presence(is_locked=True), Presence(is_do_not_disturb=True)
HALF_PAST_SIX = "2026-03-02T06:30:00+00:00"


def started(**more: object) -> Rig:
    rig = Rig(ANN, zone=UTC, **more)  # type: ignore[arg-type]  # passed on as it is
    rig.do()
    return rig


def again(before: Rig) -> Rig:
    """Start anew with what outlives a process."""
    return Rig(ANN, before=before, zone=UTC)


def test_what_arrives_in_a_pause_comes_as_one_summary_after_it() -> None:
    rig = started()
    rig.do(PauseFor("30m"))
    for name in ("A", "B"):
        rig.box().deliver(name)
        rig.check()
    assert rig.titles() == []
    assert rig.view.count == 2
    rig.do(Resume())
    assert rig.titles() == ["2 new messages"]
    rig.pass_time(600.0)
    assert dict(rig.told()) == {"A": 1, "B": 1}


def test_a_pause_ends_by_itself_and_on_time() -> None:
    rig = started(interval_s=3_600.0)
    rig.do(PauseFor("30m"))
    rig.box().deliver("A")
    rig.check()
    rig.pass_time(1_799.0)
    assert rig.titles() == []
    rig.pass_time(2.0)
    assert rig.titles() == ["Bo"]
    assert rig.events("paused") == [{"event": "paused", "until": HALF_PAST_SIX}]
    assert rig.events("resumed") == [{"event": "resumed"}]


def test_what_was_read_or_removed_meanwhile_is_not_told() -> None:
    rig = started()
    rig.do(PauseFor("forever"))
    rig.box().deliver("A", "B", "C", "D")
    rig.check()
    rig.box().mark("A", is_read=True)
    rig.box().delete("B")
    rig.check()
    rig.do(Resume())
    assert [set(shown.message_ids) for shown in rig.notifier.shown] == [{"C", "D"}]


def test_a_poll_on_its_way_when_the_pause_ends_tells_it() -> None:
    rig = started()
    rig.do(PauseFor("forever"))
    rig.box().deliver("A")
    rig.check()
    rig.pass_time(59.0)
    rig.clock.advance(2.0)
    rig.poller.step(None)  # a poll begins
    rig.do(Resume())
    assert dict(rig.told()) == {"A": 1}


def test_a_pause_takes_back_nothing_but_what_is_read() -> None:
    rig = started()
    rig.box().deliver("A", "B")
    rig.check()
    rig.do(PauseFor("1h"))
    rig.box().mark("A", is_read=True)
    rig.check()
    assert [shown.message_ids for shown in rig.notifier.on_screen.values()] == [("B",)]


@pytest.mark.parametrize("wish", ["2h", "forever"])
def test_a_restart_stays_paused(wish: str) -> None:
    rig = started()
    rig.do(PauseFor(wish))
    rig.box().deliver("A")
    rig.check()
    second = again(rig)
    second.do()
    second.box().deliver("B")
    second.check()
    assert second.titles() == []
    assert [event["event"] for event in second.sink.events if "until" in event] == ["paused"]
    second.do(Resume())
    assert second.titles() == ["2 new messages"]
    third = again(second)
    third.do()
    assert third.events("paused") == []


def test_a_pause_that_ended_while_it_did_not_run_is_over() -> None:
    rig = started()
    rig.do(PauseFor("30m"))
    rig.box().deliver("A", "B")
    rig.check()
    rig.clock.advance(3_600.0)
    second = again(rig)
    second.do()
    assert second.titles() == ["2 new messages"]
    assert rig.state.load_pause() is None


def test_a_pause_ends_on_time_after_a_sleep() -> None:
    rig = started()
    rig.do(PauseFor("30m"))
    rig.box().deliver("A")
    rig.check()
    rig.clock.jump(3_600.0)
    rig.do(woke=True)
    assert rig.titles() == ["Bo"]


def test_nobody_is_told_of_a_pause_that_cannot_be_kept_but_it_holds() -> None:
    rig = started()
    rig.state.error = StateError("What was told cannot be remembered", "Free some space.")
    rig.do(PauseFor("30m"))
    rig.box().deliver("A")
    rig.check()
    assert rig.titles() == []
    assert "cannot be remembered" in rig.view.tooltip
    rig.do(Resume())
    assert "cannot be remembered" in rig.titles()[0]


@pytest.mark.parametrize(
    ("presence", "title"),
    [
        pytest.param(LOCKED, "New message", id="locked"),
        pytest.param(DISTURBED_NOT, "Bo", id="undisturbed"),
    ],
)
def test_what_the_desktop_tells_is_heeded_or_not(presence: Presence, title: str) -> None:
    rig = started()
    rig.desktop.presence = presence
    rig.do(PresenceChanged())
    rig.box().deliver("A", "B")
    rig.check()
    assert rig.titles() == []
    rig.desktop.presence = Presence()
    rig.do(PresenceChanged())
    assert rig.titles() == ["2 new messages"]
    heedless = started(is_heedful=False)
    heedless.desktop.presence = presence
    heedless.do(PresenceChanged())
    heedless.box().deliver("A")
    heedless.check()
    assert heedless.titles() == [title]


def test_a_desktop_that_must_be_asked_is_asked_before_anything_is_shown() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.desktop.presence = LOCKED
    rig.check()
    assert rig.titles() == []
    rig.desktop.presence = Presence()
    rig.pass_time(600.0)
    assert rig.titles() == ["Bo"]


def test_quiet_hours_begin_and_end_by_the_clock() -> None:
    # The clock starts at 6:00.
    rig = started(quiet_hours=(QuietHours(EVERY_DAY, 370, 390),), interval_s=3_600.0)
    assert rig.poller.step(None) == 600.0
    rig.pass_time(601.0)
    rig.box().deliver("A", "B")
    rig.check()
    assert rig.titles() == []
    assert rig.view.tooltip.startswith("Quiet until 06:30 · 2 new · 2 unread\n")
    rig.pass_time(1_198.0)
    assert rig.titles() == []
    rig.pass_time(2.0)
    assert rig.titles() == ["2 new messages"]
    assert rig.events("paused") == []


def test_a_night_in_which_the_clocks_change_is_quiet_to_its_last_hour() -> None:
    before = started()
    before.clock = FakeClock(datetime(2026, 3, 28, 22, 0, tzinfo=UTC))
    hours = (QuietHours(EVERY_DAY, 22 * 60, 7 * 60),)
    rig = Rig(ANN, before=before, quiet_hours=hours, zone=ZoneInfo("Europe/Berlin"))
    rig.do()
    rig.box().deliver("A")
    rig.check()
    rig.pass_time(7 * 3_600.0 - 1.0)
    assert rig.titles() == []
    rig.pass_time(2.0)
    assert rig.titles() == ["Bo"]


def test_words_about_mailtray_wait_as_well() -> None:
    rig = started()
    rig.do(PauseFor("forever"))
    rig.box().troubles.append(AccessDenied("No permission", "Sign in again."))
    rig.check()
    assert rig.titles() == []
    assert "No permission" in rig.view.tooltip
    rig.do(NotifierAvailable())
    assert rig.titles() == []
    rig.do(Resume())
    assert rig.titles() == ["No permission"]


def test_an_answer_to_the_person_does_not_wait() -> None:
    rig = started()
    rig.do(PauseFor("forever"))
    rig.identity.answers_with = AuthBlocked("Blocked by your organisation", "Ask.")
    rig.do(SignIn())
    rig.finish_sign_in()
    assert rig.titles() == ["Blocked by your organisation"]
    rig.state.error = StateError("What was told cannot be remembered", "Free some space.")
    rig.box().deliver("A")
    rig.check()
    assert rig.titles() == ["Blocked by your organisation"]


def test_two_accounts_get_a_summary_each() -> None:
    rig = Rig(ANN, BEN, zone=UTC)
    rig.do()
    rig.do(PauseFor("1h"))
    for account, names in ((ANN, "AB"), (BEN, "CD")):
        rig.box(account).deliver(*names)
    rig.check()
    rig.do(Resume())
    assert [title.partition(" · ")[0] for title in rig.titles()] == ["2 new messages"] * 2


@pytest.mark.parametrize(
    ("wish", "until"),
    [
        pytest.param("30m", HALF_PAST_SIX, id="for a while"),
        pytest.param("forever", None, id="until resumed"),
    ],
)
def test_another_process_pauses_and_resumes(wish: str, until: str | None) -> None:
    rig = started()
    answer = rig.ask("pause", **{"for": wish}).get_nowait()
    assert (answer["done"], answer["quiet"], answer["paused_until"]) == (True, "paused", until)
    answer = rig.ask("resume").get_nowait()
    assert (answer["quiet"], answer["paused_until"]) == (None, None)


def test_a_wish_that_is_none_changes_nothing() -> None:
    rig = started()
    rig.do(PauseFor("1h"))
    answer = rig.ask("pause", **{"for": "soon"}).get_nowait()
    assert "30m" in str(answer["error"])
    assert rig.ask("status").get_nowait()["paused_until"] == "2026-03-02T07:00:00+00:00"


@pytest.mark.parametrize("resume", [Resume, lambda: from_menu("resume", "")])
def test_the_menu_pauses_and_resumes(resume: Callable[[], Resume]) -> None:
    rig = started()
    rig.do(from_menu("pause", "tomorrow"))
    assert rig.events("paused") == [{"event": "paused", "until": "2026-03-03T08:00:00+00:00"}]
    rig.do(resume())
    assert rig.events("resumed") == [{"event": "resumed"}]
