"""When mail is read, and what becomes of a poll that fails."""

from __future__ import annotations

import pytest

from mailtray.app.commands import CheckNow
from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    CursorExpired,
    InvalidResponse,
    MailboxUnavailable,
    MailSourceError,
    MailtrayError,
    ServiceUnavailable,
    SignInRequired,
    Throttled,
    TokenRejected,
    Unreachable,
)
from mailtray.core.model import Account, IconKind
from mailtray.core.status import State
from tests.app.rig import ANN, BEN, Rig

OFFLINE = Unreachable("No connection")
HOUR_S = 3_600.0


def started(*accounts: Account) -> Rig:
    rig = Rig(*(accounts or (ANN,)))
    rig.do()
    return rig


def states(rig: Rig) -> list[object]:
    return [event["state"] for event in rig.events("status")]


def test_the_first_poll_is_a_baseline() -> None:
    rig = Rig(ANN)
    rig.box().deliver(*(f"old{n}" for n in range(300)))
    rig.do()
    assert rig.notifier.shown == []
    assert rig.view.count == 300
    assert rig.view.icon is IconKind.UNREAD


def test_each_interval_one_request() -> None:
    rig = started()
    rig.pass_time(10 * 60.0)
    assert rig.box().calls == ["fetch"] * 11
    assert rig.identity.token_requests == 0


def test_what_a_poll_tells_other_programs() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.pass_time(60.0)
    assert rig.events("polled")[-1] == {
        "event": "polled",
        "account": ANN.username,
        "arrived": 1,
        "requests": 2,
        "next_s": 60.0,
    }
    assert rig.events("status")[-1] == {
        "event": "status",
        "account": ANN.username,
        "state": "ok",
        "unread": 1,
        "tooltip": rig.view.tooltip,
        "error": None,
    }


def test_a_quiet_folder_is_counted_now_and_then() -> None:
    rig = Rig(ANN)
    rig.box().first_sync_messages = 1
    rig.box().deliver("beneath", "above")
    rig.do()
    rig.box().mark("beneath", is_read=True)
    rig.pass_time(HOUR_S / 3)
    assert rig.view.count == 1
    assert rig.box().calls.count("list_unread") <= 1


def test_check_now_polls_at_once() -> None:
    rig = started()
    rig.pass_time(10.0)
    rig.check()
    assert rig.box().calls == ["fetch"] * 2


def test_any_number_of_check_nows_while_a_poll_is_on_its_way_are_one() -> None:
    rig = Rig(ANN)
    rig.poller.step(None)
    for _ in range(5):
        rig.poller.step(CheckNow())
    rig.settle()
    assert rig.box().calls == ["fetch"] * 2


def test_check_now_starts_a_new_interval() -> None:
    rig = started()
    rig.pass_time(50.0)
    rig.check()
    rig.pass_time(50.0)
    assert rig.box().calls == ["fetch"] * 2


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(OFFLINE, State.OFFLINE, id="offline"),
        pytest.param(InvalidResponse("?"), State.OFFLINE, id="a portal's page"),
        pytest.param(ServiceUnavailable("?"), State.THROTTLED, id="in trouble"),
        pytest.param(Throttled("?"), State.THROTTLED, id="throttled"),
        pytest.param(CursorExpired("?"), State.OFFLINE, id="no full round either"),
    ],
)
def test_a_passing_trouble_is_on_the_icon_only(error: MailSourceError, state: State) -> None:
    rig = started()
    rig.box().refusal = error
    rig.box().deliver("A")
    rig.pass_time(HOUR_S)
    assert rig.notifier.shown == []
    assert states(rig)[-1] == state.value
    rig.box().refusal = None
    rig.pass_time(1_100.0)
    assert states(rig)[-1] == "ok"
    assert list(rig.told()) == ["A"]


def test_a_failure_is_told_to_other_programs() -> None:
    rig = Rig(ANN)
    rig.box().troubles.append(Throttled("Busy", retry_after_s=90.0))
    rig.do()
    assert rig.events("failed") == [
        {"event": "failed", "account": ANN.username, "error": "Busy", "next_s": 90.0}
    ]


@pytest.mark.parametrize(
    ("offline_s", "late_s", "tries"),
    [
        pytest.param(90.0, 10.0, 13, id="for a minute and a half"),
        pytest.param(3 * HOUR_S, 300.0, 90, id="for three hours"),
    ],
)
def test_offline(offline_s: float, late_s: float, tries: int) -> None:
    # abraunegg/onedrive#693 and #1908
    rig = started()
    rig.box().refusal = OFFLINE
    rig.pass_time(offline_s)
    assert len(rig.box().calls) <= tries
    rig.box().refusal = None
    before = len(rig.box().calls)
    rig.pass_time(late_s)
    assert len(rig.box().calls) > before
    assert states(rig)[-1] == "ok"


def test_a_night_offline_ends_in_one_summary() -> None:
    rig = started()
    rig.box().refusal = OFFLINE
    rig.box().deliver(*(f"m{n}" for n in range(40)))
    rig.pass_time(9 * HOUR_S)
    rig.box().refusal = None
    rig.pass_time(300.0)
    assert rig.titles() == ["40 new messages"]


def test_throttled_without_a_word() -> None:
    # OfficeDev/outlook-dev-docs#144: a 500, nine times 429 without Retry-After, then 200
    rig = started()
    rig.box().deliver("A")
    rig.box().troubles += [ServiceUnavailable("500"), *[Throttled("429")] * 9]
    rig.box().calls.clear()
    rig.pass_time(60.0)
    rig.pass_time(300.0)
    assert len(rig.box().calls) <= 4
    rig.pass_time(3 * HOUR_S)
    assert dict(rig.told()) == {"A": 1}
    assert rig.events("polled")[-1]["next_s"] == 60.0


def test_retry_after_is_not_cut_by_anything() -> None:
    rig = started()
    rig.box().troubles.append(Throttled("Busy", retry_after_s=600.0))
    rig.check()
    rig.box().calls.clear()
    rig.pass_time(300.0)
    rig.check()
    rig.do(woke=True)
    rig.do(CheckNow(), woke=True)
    rig.sign_in(ANN)
    rig.pass_time(299.0)
    assert rig.box().calls == []
    rig.pass_time(2.0)
    assert rig.box().calls == ["fetch"]


def test_check_now_cuts_a_back_off() -> None:
    rig = started()
    rig.box().refusal = OFFLINE
    rig.pass_time(3 * HOUR_S)
    rig.box().refusal = None
    rig.check()
    assert states(rig)[-1] == "ok"


def test_waking_up_polls_after_a_moment() -> None:
    rig = started()
    rig.box().refusal = ServiceUnavailable("Down")
    rig.pass_time(2 * HOUR_S)
    rig.box().calls.clear()
    rig.clock.jump(8 * HOUR_S)
    rig.do(woke=True)
    assert rig.box().calls == []
    rig.pass_time(3.0)
    assert rig.box().calls == ["fetch"]


def test_waking_up_starts_the_back_off_anew() -> None:
    rig = started()
    rig.box().refusal = ServiceUnavailable("Down")
    rig.pass_time(2 * HOUR_S)
    rig.do(woke=True)
    rig.pass_time(3.0)
    assert rig.events("failed")[-1]["next_s"] == 66.0


def test_a_clock_set_back_changes_no_wait() -> None:
    rig = started()
    rig.clock.jump(-HOUR_S)
    rig.pass_time(61.0)
    assert rig.box().calls == ["fetch"] * 2


@pytest.mark.parametrize("error", [MailboxUnavailable("No mailbox"), AccessDenied("No permission")])
def test_what_takes_hours_is_told_once_and_tried_slowly(error: MailSourceError) -> None:
    # microsoftgraph/microsoft-graph-docs#10481
    rig = started()
    rig.box().refusal = error
    rig.pass_time(24 * HOUR_S)
    assert rig.titles() == [error.title]
    assert len(rig.box().calls) <= 30
    assert rig.view.icon is IconKind.ATTENTION
    rig.box().refusal = None
    rig.pass_time(1.2 * HOUR_S)
    assert states(rig)[-1] == "ok"
    assert rig.notifier.on_screen == {}


def test_a_lost_sync_state_is_made_good_in_the_same_cycle() -> None:
    rig = Rig(ANN)
    rig.box().deliver(*(f"old{n}" for n in range(40)))
    rig.do()
    rig.box().drop_sync_state()
    rig.box().deliver("A", "B")
    rig.check()
    assert sorted(rig.told()) == ["A", "B"]
    assert rig.view.count == 42
    assert rig.events("polled")[-1]["requests"] == 3


def test_a_lost_sync_state_and_no_full_round_is_no_tight_loop() -> None:
    rig = started()
    rig.box().refusal = CursorExpired("?")
    rig.box().calls.clear()
    rig.pass_time(HOUR_S)
    assert len(rig.box().calls) <= 2 * 10


def test_moved_out_and_back_keeps_the_count() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    rig.box().move_out("A")
    rig.box().move_in("A")
    rig.check()
    assert rig.view.count == 1
    assert dict(rig.told()) == {"A": 1}
    assert len(rig.notifier.on_screen) == 1


def test_one_account_in_trouble_does_not_delay_the_other() -> None:
    rig = started(ANN, BEN)
    rig.box(BEN).refusal = Throttled("Busy", retry_after_s=HOUR_S)
    rig.pass_time(60.0)
    rig.box(ANN).deliver("A")
    rig.pass_time(60.0)
    assert dict(rig.told()) == {"A": 1}
    assert len(rig.box(BEN).calls) == 2


def test_a_fetch_that_hangs_does_not_delay_the_other_account() -> None:
    rig = Rig(ANN, BEN)
    rig.poller.step(None)
    hung, other = rig.workers.waiting
    rig.workers.waiting.remove(hung)
    other()
    rig.read_inbox()
    rig.box(BEN).deliver("B")
    for _ in range(3):
        rig.check()
    assert dict(rig.told()) == {"B": 1}
    assert rig.box(ANN).calls == []


def test_a_token_that_is_refused_is_renewed_once() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.box().troubles.append(TokenRejected("Refused", claims='{"nbf":1}'))
    rig.check()
    assert rig.identity.token_requests == 1
    assert dict(rig.told()) == {"A": 1}
    assert states(rig)[-1] == "ok"


def test_a_new_token_that_is_refused_as_well_asks_for_a_sign_in() -> None:
    rig = started()
    rig.box().refusal = TokenRejected("Refused", claims='{"nbf":1}', server_time=rig.clock.now())
    rig.check()
    rig.pass_time(24 * HOUR_S)
    assert rig.identity.token_requests == 1
    assert rig.titles() == ["Microsoft 365 refused the sign-in"]
    rig.box().refusal = None
    rig.sign_in(ANN)
    assert rig.identity.sign_ins == [(ANN.username, '{"nbf":1}')]


def test_a_new_token_right_after_a_rotation_is_renewed_as_well() -> None:
    rig = started()
    rig.identity.expire_tokens()
    rig.box().troubles.append(TokenRejected("Refused"))
    rig.check()
    assert rig.identity.token_requests == 2
    assert states(rig)[-1] == "ok"


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_is_off_is_named(hours: int) -> None:
    # AzureAD/microsoft-authentication-library-for-python#656
    rig = started()
    rig.box().refusal = TokenRejected("Refused", server_time=rig.clock.now())
    rig.clock.jump(hours * HOUR_S)
    rig.pass_time(60.0)
    (title,) = rig.titles()
    assert title == "The clock of this computer is wrong"
    assert rig.notifier.shown[0].body.startswith(("It is 119 minutes", "It is 121 minutes"))
    rig.clock.jump(-hours * HOUR_S)
    rig.box().refusal = None
    rig.check()
    assert states(rig)[-1] == "ok"


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_is_off_makes_no_mail_old_or_new(hours: int) -> None:
    rig = Rig(ANN)
    rig.box().deliver("old")
    rig.do()
    rig.box().deliver("A")
    rig.clock.jump(hours * HOUR_S)
    rig.check()
    assert dict(rig.told()) == {"A": 1}


@pytest.mark.parametrize("hours", [2, -2])
def test_once_the_clock_is_set_it_goes_on_by_itself(hours: int) -> None:
    rig = started()
    rig.box().refusal = TokenRejected("Refused", server_time=rig.clock.now())
    rig.clock.jump(hours * HOUR_S)
    rig.pass_time(600.0)
    fetches = rig.box().calls.count("fetch")
    rig.pass_time(600.0)
    assert rig.box().calls.count("fetch") == fetches
    rig.box().refusal = None
    rig.clock.jump(-hours * HOUR_S)
    rig.box().deliver("A")
    rig.pass_time(60.0)
    assert states(rig)[-1] == "ok"
    assert rig.told() == {"A": 1}
    assert len(rig.notifier.on_screen) == 1


def test_a_clock_set_wrong_again_is_one_more_try() -> None:
    rig = started()
    rig.box().refusal = TokenRejected("Refused", server_time=rig.clock.now())
    rig.clock.jump(2 * HOUR_S)
    rig.pass_time(600.0)
    fetches = rig.box().calls.count("fetch")
    rig.clock.jump(HOUR_S)
    rig.pass_time(600.0)
    assert rig.box().calls.count("fetch") == fetches + 2  # with the old token and with a new one
    assert len(rig.titles()) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(SignInRequired("Signed out", "Sign in again."), id="signed out"),
        pytest.param(AuthBlocked("Blocked", "Ask your administrator."), id="blocked"),
    ],
)
def test_no_token_is_asked_for_until_the_person_acts(refusal: MailtrayError) -> None:
    # simonrob/email-oauth2-proxy#181
    rig = started()
    rig.identity.expire_tokens()
    rig.identity.refusal = refusal
    rig.pass_time(8 * HOUR_S)
    rig.clock.jump(8 * HOUR_S)
    rig.do(woke=True)
    rig.pass_time(8 * HOUR_S)
    assert rig.identity.token_requests == 1
    assert rig.titles() == [refusal.title]
    assert rig.view.icon is IconKind.ATTENTION


def test_check_now_asks_for_no_token_that_cannot_be_had() -> None:
    rig = started()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out")
    rig.pass_time(60.0)
    rig.check()
    assert rig.identity.token_requests == 1


def test_signed_in_again_goes_on_from_the_old_cursor() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out")
    rig.check()
    rig.box().deliver("B")
    rig.identity.refusal = None
    rig.sign_in(ANN)
    assert dict(rig.told()) == {"A": 1, "B": 1}
    assert rig.box().calls.count("fetch") == 3
    assert [one.title for one in rig.notifier.on_screen.values()] == ["Bo", "Bo"]


def test_an_unforeseen_error_of_a_fetch_is_one_more_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = started()
    rig.box().troubles.append(RuntimeError("s3cret subject"))  # type: ignore[arg-type] # a fault
    rig.check()
    assert "RuntimeError" in rig.titles()[0]
    assert "RuntimeError" in caplog.text
    assert "s3cret" not in caplog.text
    rig.box().deliver("A")
    rig.pass_time(70.0)
    assert dict(rig.told()) == {"A": 1}
