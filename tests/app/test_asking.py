"""What other processes may ask of the running program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailtray.app.commands import CheckNow, Quit, SignInEnded, SignInPage, SignOut, from_menu
from mailtray.core.errors import (
    MailSourceError,
    SignInCancelled,
    SignInRequired,
    Throttled,
    Unreachable,
)
from mailtray.core.model import MessageId
from mailtray.core.status import Status, view
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
        "tooltip": rig.view.tooltip,
        "link": None,
        "quiet": None,
        "paused_until": None,
        "accounts": [
            {
                "username": ANN.username,
                "state": "ok",
                "unread": 1,
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


def test_signout_and_quit() -> None:
    rig = started()
    assert all_of(rig.ask("signout")) == [{"done": True}]
    assert rig.vault.accounts() == ()
    assert all_of(rig.ask("quit")) == [{"done": True}]
    assert rig.inbox.get_nowait() == Quit()


@pytest.mark.parametrize("command", ["dance", ""])
def test_an_unknown_command_is_answered(command: str) -> None:
    (answer,) = all_of(started().ask(command))
    assert answer["done"] is True
    assert "unknown command" in str(answer["error"])


def test_every_command_of_the_menu_is_understood() -> None:
    rig = Rig(ANN, BEN)
    rig.box().deliver("A")
    rig.do()
    items = [item for item in rig.view.menu if item.command]
    items += [
        item for item in view(Status(is_configured=False), rig.clock.now()).menu if item.command
    ]
    for item in items:
        from_menu(item.command, item.argument)
    assert from_menu("check_now", "") == CheckNow()
    assert from_menu("sign_out", ANN.id) == SignOut(ANN.id)
    assert MessageId("A") in {item.argument for item in items}
