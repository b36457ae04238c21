"""What other processes may ask of the running program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailtray.app.answers import failed, failure
from mailtray.app.commands import (
    CancelSignIn,
    CheckNow,
    Gone,
    Quit,
    SignIn,
    SignInEnded,
    SignInPage,
    SignOut,
    from_menu,
)
from mailtray.core.errors import (
    AuthError,
    ConsentRequired,
    MailSourceError,
    MailtrayError,
    SignInCancelled,
    SignInRequired,
    Throttled,
    Unconfigured,
    Unreachable,
)
from mailtray.core.model import MessageId
from mailtray.core.panel import view
from mailtray.core.status import Status
from tests.app.rig import ANN, BEN, Rig
from tests.fakes.identity import DEVICE_PAGE, SIGN_IN_PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from queue import SimpleQueue


def started() -> Rig:
    rig = Rig(ANN)
    rig.do()
    return rig


def all_of(replies: SimpleQueue[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return [replies.get_nowait() for _ in range(replies.qsize())]


def test_status() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    (answer,) = all_of(rig.ask("status"))
    assert answer == {
        "done": True,
        "state": "ok",
        "unread": 1,
        "new": 1,
        "tooltip": rig.view.tooltip,
        "link": None,
        "quiet": None,
        "paused_until": None,
        "troubles": [],
        "accounts": [
            {
                "username": ANN.username,
                "state": "ok",
                "unread": 1,
                "new": 1,
                "checked": "2026-03-02T06:00:00+00:00",
                "error": None,
                "hint": None,
                "support": None,
                "notice": None,
                "link": None,
                "needs_sign_in": False,
                "messages": [
                    {
                        "id": "A",
                        "from": "Bo",
                        "subject": "Subject of A",
                        "received": "2026-03-01T08:00:00+00:00",
                        "web_link": "https://outlook.office.com/mail/A",
                    }
                ],
            }
        ],
    }


def test_status_where_the_person_has_to_sign_in() -> None:
    rig = started()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out", "Sign in again.")
    rig.check()
    (answer,) = all_of(rig.ask("status"))
    assert isinstance(answer["accounts"], list)
    account = answer["accounts"][0]
    assert answer["state"] == account["state"] == "attention"
    assert account["needs_sign_in"] is True
    assert (account["error"], account["hint"]) == ("Signed out", "Sign in again.")


def test_check_answers_when_the_poll_is_back() -> None:
    rig = started()
    rig.box().deliver("A")
    replies = rig.ask("check")
    assert replies.empty()
    rig.settle()
    (answer,) = all_of(replies)
    assert answer["unread"] == 1


def test_check_while_a_poll_is_on_its_way_waits_for_the_next() -> None:
    rig = Rig(ANN)
    rig.poller.step(None)
    rig.work()
    rig.box().deliver("A")
    replies = rig.ask("check")
    rig.read_inbox()
    assert replies.empty()
    rig.settle()
    (answer,) = all_of(replies)
    assert answer["unread"] == 1


def test_check_waits_for_all_accounts() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    replies = rig.ask("check")
    first, second = rig.workers.waiting
    rig.workers.waiting.clear()
    second()
    rig.read_inbox()
    assert replies.empty()
    first()
    rig.read_inbox()
    assert len(all_of(replies)) == 1


def test_check_with_nobody_signed_in_answers_at_once() -> None:
    rig = Rig()
    rig.do()
    (answer,) = all_of(rig.ask("check"))
    assert answer["state"] == "signed_out"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unreachable("No connection"), id="offline"),
        pytest.param(Throttled("Busy", retry_after_s=3_600.0), id="asked to wait"),
    ],
)
def test_check_is_answered_where_the_poll_fails(error: MailSourceError) -> None:
    rig = started()
    rig.box().refusal = error
    replies = rig.ask("check")
    rig.settle()
    (answer,) = all_of(replies)
    assert answer["state"] != "ok"
    again = rig.ask("check")
    rig.settle()
    assert len(all_of(again)) == 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(SignInRequired("Signed out"), id="signed out"),
        pytest.param(Throttled("Busy", retry_after_s=3_600.0), id="asked to wait"),
    ],
)
def test_check_does_not_wait_for_a_poll_that_cannot_start(
    error: SignInRequired | Throttled,
) -> None:
    rig = Rig(ANN)
    rig.box().troubles.append(error)
    rig.poller.step(None)
    replies = rig.ask("check")
    rig.settle()
    assert len(all_of(replies)) == 1


def test_check_does_not_wait_for_an_account_that_is_signed_out() -> None:
    rig = started()
    replies = rig.ask("check")
    rig.poller.step(SignOut(ANN.id))
    assert len(all_of(replies)) == 1


def test_check_after_a_damaged_cache_waits_for_its_poll() -> None:
    rig = Rig(ANN)
    rig.vault.save(ANN.id, "null")
    rig.do()
    rig.sign_in(ANN)
    replies = rig.ask("check")
    assert replies.empty()
    rig.settle()
    assert len(all_of(replies)) == 1


def test_signin_answers_with_the_page_and_then_the_account() -> None:
    rig = Rig()
    rig.do()
    rig.identity.person = ANN
    replies = rig.ask("signin")
    rig.finish_sign_in()
    page, done = all_of(replies)
    assert page["done"] is False
    assert page["sign_in_page"] == SIGN_IN_PAGE
    assert done == {"done": True, "signed_in": ANN.username}


def test_signin_on_another_device() -> None:
    rig = Rig()
    rig.do()
    rig.identity.person = ANN
    replies = rig.ask("signin", by_device_code=True)
    rig.finish_sign_in()
    page, done = all_of(replies)
    assert (page["sign_in_page"], page["code"]) == (DEVICE_PAGE, "ABCD-EFGH")
    assert done["signed_in"] == ANN.username


def test_signin_while_one_is_running_gets_the_same_page() -> None:
    rig = Rig()
    rig.do()
    first = rig.ask("signin")
    rig.poller.step(SignInPage(SIGN_IN_PAGE))
    second = rig.ask("signin")
    assert [answer["sign_in_page"] for answer in all_of(second)] == [SIGN_IN_PAGE]
    rig.do(SignInEnded(SignInCancelled("Not finished", "Try again.")))
    assert all_of(first)[-1] == all_of(second)[-1]
    assert len(rig.workers.flows) == 1


def test_a_sign_in_for_which_nobody_waits_any_more_is_given_up() -> None:
    rig = Rig()
    rig.do()
    first = rig.ask("signin")
    second = rig.ask("signin")
    rig.do(SignInPage(SIGN_IN_PAGE), Gone(first))
    assert rig.poller._accounts._flow.is_cancelled is False
    rig.do(Gone(second))
    rig.identity.person = ANN
    rig.finish_sign_in()
    assert rig.vault.accounts() == ()
    (answer,) = all_of(rig.ask("status"))
    assert answer["state"] == "attention"


@pytest.mark.parametrize("is_first", [True, False])
def test_a_sign_in_from_the_menu_goes_on_when_the_command_is_gone(is_first: bool) -> None:
    rig = Rig()
    rig.do()
    if is_first:
        rig.do(SignIn())
    replies = rig.ask("signin")
    if not is_first:
        rig.do(SignIn())
    rig.do(Gone(replies))
    rig.identity.person = ANN
    rig.finish_sign_in()
    assert rig.vault.accounts() == (ANN.id,)


def test_one_who_is_gone_is_sent_nothing() -> None:
    rig = started()
    replies = rig.ask("check")
    rig.do(Gone(replies))
    assert replies.empty()


def test_a_sign_in_of_the_other_kind_replaces_the_one_that_runs() -> None:
    rig = Rig()
    rig.do()
    in_browser = rig.ask("signin")
    rig.poller.step(SignInPage(SIGN_IN_PAGE))
    by_code = rig.ask("signin", by_device_code=True)
    assert all_of(in_browser)[-1]["error"] == "The sign-in was cancelled"
    assert by_code.empty()
    rig.workers.flows.clear()
    rig.do(SignInPage(SIGN_IN_PAGE), SignInEnded(SignInCancelled("Cancelled")))
    rig.identity.person = ANN
    rig.finish_sign_in()
    page, done = all_of(by_code)
    assert page["code"] == "ABCD-EFGH"
    assert done["signed_in"] == ANN.username


def test_a_sign_in_that_follows_a_cancelled_one_is_a_new_one() -> None:
    rig = Rig()
    rig.do()
    first = rig.ask("signin")
    rig.do(SignInPage(SIGN_IN_PAGE), CancelSignIn())
    second = rig.ask("signin")
    assert all_of(first)[-1]["error"] == "The sign-in was cancelled"
    third = rig.ask("signin")
    rig.workers.flows.clear()
    rig.do(SignInEnded(SignInCancelled("Cancelled")))
    rig.identity.person = ANN
    rig.finish_sign_in()
    assert all_of(second)[-1] == all_of(third)[-1] == {"done": True, "signed_in": ANN.username}


def test_a_sign_in_that_waits_for_its_turn_goes_with_the_last_who_waits() -> None:
    rig = Rig()
    rig.do()
    rig.do(SignIn())
    rig.do(Gone(rig.ask("signin", by_device_code=True)))
    rig.workers.flows.clear()
    rig.do(SignInEnded(SignInCancelled("Cancelled")))
    assert not rig.workers.flows


def test_where_to_type_a_code_is_said() -> None:
    rig = Rig()
    rig.do()
    rig.ask("signin", by_device_code=True)
    rig.do(SignInPage(DEVICE_PAGE, "ABCD-EFGH"))
    assert rig.view.tooltip == f"Open {DEVICE_PAGE} and type ABCD-EFGH"
    assert rig.view.menu[0].label == rig.view.tooltip


def test_signout_ends_a_sign_in_under_way() -> None:
    rig = started()
    replies = rig.ask("signin")
    rig.poller.step(SignInPage(SIGN_IN_PAGE))
    assert all_of(rig.ask("signout")) == [{"done": True}]
    rig.identity.person = ANN
    rig.finish_sign_in()
    assert all_of(replies)[-1]["error"] == "The sign-in was cancelled"
    assert rig.vault.accounts() == ()
    assert rig.identity.token_requests == 0


@pytest.mark.parametrize("command", ["check", "signin"])
def test_what_needs_a_client_id_says_so(command: str) -> None:
    rig = Rig(unconfigured=Unconfigured("mailtray needs a client id", "Get one."))
    rig.do()
    (answer,) = all_of(rig.ask(command))
    assert isinstance(failed(answer), Unconfigured)


def test_an_error_is_the_same_on_the_other_side() -> None:
    error = ConsentRequired("Not approved", "Ask.")
    error.link = "https://login.example/approve"
    here = failed(failure(error))
    assert isinstance(here, AuthError)
    assert (here.title, here.hint, here.link) == (error.title, error.hint, error.link)
    assert type(failed({"done": True, "error": "No."})) is MailtrayError


def test_signout_and_quit() -> None:
    rig = started()
    assert all_of(rig.ask("signout")) == [{"done": True}]
    assert rig.vault.accounts() == ()
    assert all_of(rig.ask("quit")) == [{"done": True}]
    assert rig.inbox.get_nowait() == Quit()


def test_who_watches_is_told_at_once_and_after_every_change() -> None:
    rig = started()
    replies = rig.ask("watch")
    (first,) = all_of(replies)
    assert first == {**all_of(rig.ask("status"))[0], "done": False}
    rig.do()
    assert replies.empty()
    rig.box().deliver("A")
    rig.check()
    (second,) = all_of(replies)
    assert (second["done"], second["unread"]) == (False, 1)


def test_who_watches_and_reads_slowly_has_the_newest_alone() -> None:
    rig = started()
    replies = rig.ask("watch")
    for name in ("A", "B", "C"):
        rig.box().deliver(name)
        rig.check()
        assert replies.qsize() == 1
    (newest,) = all_of(replies)
    assert newest["unread"] == 3


def test_several_watch_and_one_hangs_up() -> None:
    rig = started()
    first, second = rig.ask("watch"), rig.ask("watch")
    assert len(all_of(first)) == len(all_of(second)) == 1
    rig.do(Gone(first))
    rig.box().deliver("A")
    rig.check()
    assert first.empty()
    assert len(all_of(second)) == 1


def test_a_look_at_a_list_counts_as_a_look() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    replies = rig.ask("watch")
    (before,) = all_of(replies)
    assert before["new"] == 1
    assert all_of(rig.ask("looked")) == [{"done": True}]
    (after,) = all_of(replies)
    assert (after["new"], after["unread"]) == (0, 1)


@pytest.mark.parametrize("command", ["dance", ""])
def test_an_unknown_command_is_answered(command: str) -> None:
    (answer,) = all_of(started().ask(command))
    assert answer["done"] is True
    assert "unknown command" in str(answer["error"])


def test_every_command_of_the_menu_is_understood() -> None:
    rig = Rig(ANN, BEN)
    rig.box().deliver("A")
    rig.do()
    lines = [line for item in rig.view.menu for line in (item, *item.children)]
    items = [line for line in lines if line.command]
    items += [
        item for item in view(Status(is_configured=False), rig.clock.now()).menu if item.command
    ]
    for item in items:
        from_menu(item.command, item.argument)
    assert from_menu("check_now", "") == CheckNow()
    assert from_menu("sign_out", ANN.id) == SignOut(ANN.id)
    assert MessageId("A") in {item.argument for item in items}


def test_the_last_day() -> None:
    rig = started()
    rig.box().deliver("A")
    rig.check()
    rig.box().refusal = Unreachable("No connection")
    rig.check()
    (answer,) = all_of(rig.ask("history"))
    assert answer.keys() == {"done", "version", "hours", "scopes"}
    assert answer["scopes"] == {ANN.username: ["Mail.ReadBasic"]}
    hours = answer["hours"]
    assert isinstance(hours, list)
    assert len(hours) == 24
    assert hours[-1]["polls"] == 2
    assert hours[-1]["arrivals"] == 1
    assert hours[-1]["faults"] == 1
    assert hours[-1]["starts"].endswith(":00:00+00:00")


def test_a_page_of_its_own_is_opened_from_the_menu_and_ends_with_the_program() -> None:
    rig = started()
    (item,) = [one for one in rig.view.menu if one.argument == "doctor"]
    rig.do(from_menu(item.command, item.argument))
    assert rig.own_pages.opened == ["doctor"]
    assert not rig.pages.urls
    rig.poller.close()
    assert rig.own_pages.is_closed
