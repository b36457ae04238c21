"""What the person or an administrator has to approve, and what goes on without it."""

from __future__ import annotations

import pytest

from mailtray.app.check import check_once
from mailtray.app.commands import Clicked, OpenPage, SignIn, from_menu
from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    AuthError,
    ConsentRequired,
    ServiceUnavailable,
    SignInRequired,
)
from mailtray.core.model import AuthAction, IconKind, MessageId
from mailtray.core.status import State
from tests.app.rig import ANN, BEN, Rig
from tests.fakes.mail import FakeMail

TEAM = "team@fabrikam.example"
PREVIEWS = ("Mail.Read",)
LINK = "https://login.example/organizations/v2.0/adminconsent?client_id=c"


def approval() -> ConsentRequired:
    error = ConsentRequired(
        "An administrator must approve mailtray",
        "Send your administrator the approval link.",
        code=90094,
        action=AuthAction.ASK_ADMINISTRATOR,
    )
    error.link = LINK
    return error


def without_previews() -> Rig:
    """Return a rig that wishes for previews where only the least was approved."""
    rig = Rig(ANN, scopes=PREVIEWS)
    rig.identity.refused_scopes = set(PREVIEWS)
    rig.do()
    return rig


def test_a_refused_permission_costs_only_what_it_is_for() -> None:
    rig = without_previews()
    rig.box().deliver("A")
    rig.check()
    assert rig.told() == {"A": 1}
    assert rig.view.icon is IconKind.UNREAD
    assert [event["state"] for event in rig.events("status")] == ["ok"] * 2


def test_it_is_told_once_and_asked_for_once() -> None:
    rig = without_previews()
    rig.pass_time(3_600.0)
    assert rig.titles() == ["Previews need a permission"]
    assert rig.identity.token_requests == 1
    rig.identity.expire_tokens()
    rig.check()
    assert rig.identity.token_requests == 2


def test_it_is_asked_for_again_after_a_restart() -> None:
    rig = without_previews()
    later = Rig(before=rig, scopes=PREVIEWS)
    later.do()
    assert later.events("notification") == []
    assert "Previews need a permission" not in [item.label for item in later.view.menu]


def test_one_click_gives_the_permission_and_the_mail_comes_whole() -> None:
    rig = without_previews()
    rig.box().deliver("A")
    rig.check()
    (asked,) = [one for one in rig.notifier.on_screen.values() if not one.message_ids]
    rig.identity.person = ANN
    rig.do(Clicked(asked))
    rig.finish_sign_in()
    assert rig.identity.sign_ins == [(ANN.username, None)]
    assert [one.title for one in rig.notifier.on_screen.values()] == ["Bo"]
    assert "Give permission…" not in [item.label for item in rig.view.menu]
    # The old cursor asks for messages without their beginning.
    assert rig.box().cursors[-1] is None
    rig.box().deliver("B")
    rig.check()
    assert rig.told() == {"A": 1, "B": 1}


def test_a_cursor_that_asks_for_more_than_is_allowed_now() -> None:
    rig = Rig(ANN, scopes=PREVIEWS)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refused_scopes = set(PREVIEWS)
    rig.box().deliver("A")
    rig.box().troubles = [AccessDenied("Forbidden")]
    rig.check()
    assert rig.box().cursors[-1] is None
    assert rig.told() == {"A": 1}
    assert rig.events("failed") == []


def test_a_mailbox_that_is_forbidden_altogether() -> None:
    rig = without_previews()
    rig.box().refusal = AccessDenied("Forbidden")
    rig.pass_time(600.0)
    assert rig.titles() == ["Previews need a permission", "Forbidden"]
    assert rig.view.icon is IconKind.ATTENTION


def test_declining_it_again_changes_nothing() -> None:
    rig = without_previews()
    rig.identity.answers_with = ConsentRequired(
        "You declined the permissions", "Sign in again.", action=AuthAction.SIGN_IN
    )
    rig.do(SignIn(ANN.id))
    rig.finish_sign_in()
    rig.box().deliver("A")
    rig.check()
    assert rig.told() == {"A": 1}
    assert "Give permission…" in [item.label for item in rig.view.menu]


def test_signing_out_takes_the_word_back() -> None:
    rig = without_previews()
    assert rig.titles() == ["Previews need a permission"]
    rig.do(from_menu("sign_out", ANN.id))
    assert rig.notifier.on_screen == {}


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(SignInRequired("Signed out", action=AuthAction.SIGN_IN), id="signed out"),
        pytest.param(ConsentRequired("Not approved", action=AuthAction.SIGN_IN), id="nothing left"),
        pytest.param(AuthBlocked("Blocked"), id="blocked"),
    ],
)
def test_what_stands_against_the_least_stops_it(error: AuthError) -> None:
    rig = Rig(ANN, scopes=PREVIEWS)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refusal = error
    rig.pass_time(600.0)
    assert rig.titles() == [error.title]
    assert rig.view.icon is IconKind.ATTENTION
    assert rig.identity.token_requests <= 1 + 2


def test_trouble_between_the_two_requests_is_passing() -> None:
    rig = Rig(ANN, scopes=PREVIEWS)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refused_scopes = set(PREVIEWS)
    rig.identity.troubles = [ConsentRequired("Not approved"), ServiceUnavailable("Down")]
    rig.check()
    assert rig.notifier.shown == []
    rig.pass_time(120.0)
    assert rig.titles() == ["Previews need a permission"]


def test_a_check_without_the_program_makes_do_as_well() -> None:
    rig = Rig(ANN, scopes=PREVIEWS)
    rig.box().deliver("A")
    rig.identity.refused_scopes = set(PREVIEWS)
    now_is = check_once(rig.poller._world, rig.poller._wishes)
    one = now_is.accounts[ANN.id]
    assert (one.state, one.unread) == (State.OK, 1)
    assert one.lacking is not None


def test_a_check_without_the_program_stops_at_what_stands_against_the_least() -> None:
    rig = Rig(ANN, scopes=PREVIEWS)
    rig.identity.refusal = ConsentRequired("Not approved")
    rig.vault.save(ANN.id, rig.cache_of(ANN).replace("ann.home-1", ""))
    now_is = check_once(rig.poller._world, rig.poller._wishes)
    assert isinstance(now_is.accounts[ANN.id].error, ConsentRequired)


def test_the_page_that_helps_to_ask_is_one_click_away() -> None:
    rig = Rig(ANN)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refusal = approval()
    rig.check()
    (told,) = rig.notifier.on_screen.values()
    rig.do(Clicked(told))
    assert rig.own_pages.opened == [f"trouble/{ANN.id}"]
    (item,) = [i for i in rig.view.menu if i.label == "Open the page for your administrator"]
    assert from_menu(item.command, item.argument) == OpenPage(LINK)
    rig.do(OpenPage(LINK))
    assert rig.pages.urls == [LINK]
    answer = rig.ask("status").get_nowait()
    assert isinstance(answer["accounts"], list)
    account = answer["accounts"][0]
    assert (account["link"], account["support"]) == (LINK, "AADSTS90094")


def test_the_administrators_page_of_a_first_sign_in() -> None:
    rig = Rig()
    rig.do()
    rig.identity.answers_with = approval()
    replies = rig.ask("signin")
    rig.finish_sign_in()
    answers = [replies.get_nowait() for _ in range(replies.qsize())]
    assert answers[-1]["link"] == LINK
    assert rig.ask("status").get_nowait()["link"] == LINK
    assert f"open_page {LINK}" in [f"{i.command} {i.argument}" for i in rig.view.menu]


def test_previews_that_an_administrator_has_to_approve() -> None:
    rig = Rig(ANN, scopes=PREVIEWS)
    rig.identity.troubles = [approval()]
    rig.do()
    (told,) = rig.notifier.on_screen.values()
    assert "administrator" in told.body
    rig.do(Clicked(told))
    assert rig.own_pages.opened == [f"trouble/{ANN.id}"]
    account = rig.ask("status").get_nowait()["accounts"]
    assert isinstance(account, list)
    assert account[0]["error"] is None
    hint, _, owner = told.body.partition("\n")
    assert owner == ANN.username
    assert account[0]["notice"] == f"{told.title}. {hint}"
    assert account[0]["link"] == LINK


def test_a_block_is_not_to_be_run_against() -> None:
    rig = Rig()
    rig.do()
    rig.identity.answers_with = AuthBlocked("Blocked", code=53003, action=AuthAction.NONE)
    rig.do(SignIn())
    rig.finish_sign_in()
    (told,) = rig.notifier.on_screen.values()
    rig.do(Clicked(told))
    assert rig.workers.flows == []
    assert len(rig.identity.sign_ins) == 1


def test_a_sign_in_that_runs_into_a_block_is_not_offered_again() -> None:
    rig = Rig(ANN)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out", "Sign in again.")
    rig.check()
    rig.identity.answers_with = AuthBlocked("Blocked", "Ask for help.", code=53003)
    rig.do(SignIn(ANN.id))
    rig.finish_sign_in()
    assert rig.view.tooltip.startswith("Blocked\nAsk for help.")
    (told,) = rig.notifier.on_screen.values()
    assert (told.title, told.command) == ("Blocked", "explain")
    assert "Sign in again" not in [item.label for item in rig.view.menu]
    rig.identity.refusal = None
    rig.do(Clicked(told))
    assert rig.own_pages.opened == [f"trouble/{ANN.id}"]
    rig.ask("mend", remedy="check_now", about=ANN.id)
    rig.settle()
    assert rig.view.icon is IconKind.NORMAL
    assert rig.notifier.on_screen == {}


def test_another_account_is_not_offered_the_one_that_is_stopped() -> None:
    rig = Rig(ANN)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refusal = AuthBlocked("Not there", action=AuthAction.OTHER_ACCOUNT)
    rig.check()
    (told,) = rig.notifier.on_screen.values()
    rig.identity.person = BEN
    rig.do(Clicked(told))
    rig.finish_sign_in()
    assert rig.identity.sign_ins == [(None, None)]


def test_who_signs_in_as_somebody_else_leaves_the_asked_one_as_it_was() -> None:
    rig = Rig(ANN)
    rig.do()
    rig.box().deliver("A")
    rig.check()
    seen, kept = rig.state.load(ANN.id, "inbox"), rig.vault.load(ANN.id)
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out", claims='{"nbf":1}')
    rig.check()
    rig.identity.refusal = None
    rig.identity.person = BEN
    rig.do(SignIn(ANN.id))
    rig.finish_sign_in()
    assert rig.vault.accounts() == (ANN.id, BEN.id)
    assert (rig.state.load(ANN.id, "inbox"), rig.vault.load(ANN.id)) == (seen, kept)
    assert [e["state"] for e in rig.events("status") if e["account"] == ANN.username][-1] == (
        "attention"
    )
    requests = rig.identity.token_requests
    rig.pass_time(600.0)
    assert rig.identity.token_requests == requests
    rig.identity.person = ANN
    rig.do(SignIn(ANN.id))
    rig.finish_sign_in()
    assert rig.identity.sign_ins == [(ANN.username, '{"nbf":1}')] * 2
    assert rig.told() == {MessageId("A"): 1}


def test_a_shared_mailbox_that_was_not_approved_costs_only_itself() -> None:
    mail = FakeMail()
    mail.closed[f"{TEAM}:inbox"] = AccessDenied("Permission is missing")
    rig = Rig(ANN, mail=mail, folders=("inbox", TEAM))
    rig.identity.refused_scopes = {"Mail.ReadBasic.Shared"}
    rig.do()
    (told,) = mail.deliver_new()
    rig.check()
    assert rig.told() == {told: 1}
    # Once, and not a second time for the folder.
    assert rig.titles() == ["A shared mailbox needs a permission", "Grace Hopper"]
    assert "Give permission…" in [item.label for item in rig.view.menu]
