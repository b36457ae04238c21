"""Signing in and out, and the keyring that may refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailtray.app.commands import (
    CancelSignIn,
    CheckNow,
    Quit,
    SignIn,
    SignInEnded,
    SignInPage,
    SignOut,
)
from mailtray.core.errors import (
    AuthBlocked,
    ConfigError,
    MailtrayError,
    NoVault,
    SignInCancelled,
    SignInRequired,
    StateError,
    Unreachable,
    VaultError,
    VaultLocked,
)
from mailtray.core.model import Account, IconKind, Seen
from tests.app.rig import ANN, BEN, Rig
from tests.fakes.identity import SIGN_IN_PAGE

LOCKED = VaultLocked("The keyring is locked", "Unlock it, then choose “Check now”.")
NO_VAULT = NoVault("There is no keyring", "You stay signed in until mailtray quits.")
NO_CLIENT_ID = ConfigError(origin="settings.toml", key="client_id", problem="none is set")


def signed_out() -> Rig:
    rig = Rig()
    rig.do()
    return rig


def signed_in(*accounts: Account) -> Rig:
    rig = Rig(*(accounts or (ANN,)))
    rig.do()
    return rig


def states(rig: Rig) -> list[object]:
    return [event["state"] for event in rig.events("status")]


def test_nobody_is_signed_in() -> None:
    rig = signed_out()
    assert rig.view.tooltip.startswith("Signed out")
    assert rig.events("status")[-1]["state"] == "signed_out"
    assert rig.notifier.shown == []
    assert rig.poller.step(None) is None


def test_signing_in() -> None:
    rig = signed_out()
    rig.box().deliver("old")
    rig.identity.person = ANN
    rig.do(SignIn())
    assert rig.view.icon is IconKind.SIGNING_IN
    assert rig.view.tooltip == "Finish signing in in your browser"
    rig.finish_sign_in()
    assert rig.view.count == 1
    assert rig.notifier.shown == []
    assert rig.vault.load(ANN.id) is not None
    assert [event["url"] for event in rig.events("sign_in")] == [SIGN_IN_PAGE]
    assert states(rig)[-3:] == ["signing_in", "ok", "ok"]


def test_a_second_click_opens_the_page_again_and_no_second_flow() -> None:
    # AzureAD/microsoft-authentication-library-for-python#808
    rig = signed_out()
    rig.do(SignIn())
    rig.do(SignIn())
    assert rig.pages.urls == []
    rig.do(SignInPage(SIGN_IN_PAGE))
    rig.do(SignIn())
    assert rig.pages.urls == [SIGN_IN_PAGE]
    assert len(rig.workers.flows) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(SignInCancelled("The sign-in was not finished", "Try again."), 0, id="late"),
        pytest.param(AuthBlocked("Blocked", "Ask your administrator."), 1, id="blocked"),
        pytest.param(Unreachable("No connection"), 1, id="offline"),
    ],
)
def test_a_sign_in_that_ends_badly(error: MailtrayError, said: int) -> None:
    rig = signed_out()
    rig.identity.answers_with = error
    rig.do(SignIn())
    rig.finish_sign_in()
    assert len(rig.notifier.shown) == said
    assert error.title in rig.view.tooltip
    assert rig.events("status")[-1]["error"] == error.title
    rig.identity.answers_with = None
    rig.sign_in(ANN)
    assert rig.view.icon is IconKind.NORMAL
    assert rig.notifier.on_screen == {}


def test_a_cancelled_sign_in_makes_room_for_another() -> None:
    rig = signed_out()
    rig.do(CancelSignIn())
    rig.do(SignIn(), CancelSignIn())
    rig.do(SignInPage(SIGN_IN_PAGE), SignInEnded(SignInCancelled("Cancelled")))
    rig.do(SignIn())
    assert rig.pages.urls == []
    assert len(rig.workers.flows) == 2


def test_a_page_that_is_given_up_is_not_opened_again() -> None:
    rig = signed_out()
    rig.do(SignIn(), SignInPage(SIGN_IN_PAGE), CancelSignIn(), SignIn())
    assert rig.pages.urls == []


def test_a_sign_in_that_breaks_is_over() -> None:
    rig = signed_out()
    rig.identity.answers_with = RuntimeError("?")  # type: ignore[assignment] # a fault
    rig.do(SignIn())
    rig.finish_sign_in()
    assert "unexpected" in rig.view.tooltip
    rig.identity.answers_with = None
    rig.sign_in(ANN)
    assert rig.view.icon is IconKind.NORMAL


def test_another_account_is_one_more() -> None:
    rig = signed_in()
    rig.box(ANN).deliver("A")
    rig.check()
    rig.sign_in(BEN)
    assert rig.vault.accounts() == (ANN.id, BEN.id)
    assert rig.identity.sign_ins == [(None, None)]
    rig.box(BEN).deliver("B")
    rig.check()
    assert dict(rig.told()) == {"A": 1, "B": 1}


def test_who_has_to_sign_in_again_is_offered_by_name() -> None:
    rig = signed_in()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out", claims='{"nbf":1}')
    rig.check()
    rig.identity.refusal = None
    rig.sign_in(BEN)
    assert rig.identity.sign_ins == [(ANN.username, '{"nbf":1}')]
    assert states(rig).count("attention") == 1
    assert len(rig.notifier.on_screen) == 1
    rig.identity.person = ANN
    rig.do(SignIn(ANN.id))
    rig.finish_sign_in()
    assert rig.view.icon is IconKind.NORMAL
    assert rig.notifier.on_screen == {}


def test_signing_out_leaves_nothing_behind() -> None:
    rig = signed_in()
    rig.box().deliver("A")
    rig.check()
    rig.do(SignOut(ANN.id))
    assert rig.vault.accounts() == ()
    assert rig.state.load(ANN.id, "inbox") == Seen()
    assert rig.notifier.on_screen == {}
    assert rig.events("withdrawn") == [{"event": "withdrawn", "ids": ["A"]}]
    assert rig.view.tooltip.startswith("Signed out")
    assert rig.poller.step(None) is None


def test_signing_out_of_all() -> None:
    rig = signed_in(ANN, BEN)
    rig.do(SignOut())
    assert rig.vault.accounts() == ()


def test_signing_out_while_a_poll_is_on_its_way() -> None:
    rig = Rig(ANN)
    rig.poller.step(None)
    rig.poller.step(SignOut(ANN.id))
    rig.poller.step(SignOut(ANN.id))
    rig.settle()
    assert rig.view.tooltip.startswith("Signed out")
    assert rig.state.load(ANN.id, "inbox") == Seen()


def test_signed_out_and_in_again_is_told_to_other_programs() -> None:
    rig = signed_in()
    rig.do(SignOut())
    rig.sign_in(ANN)
    assert states(rig)[-3:] == ["signed_out", "signing_in", "ok"]


def test_a_second_sign_in_is_told_like_the_first() -> None:
    rig = signed_in()
    for _ in range(2):
        rig.do(SignIn())
        rig.workers.flows.clear()
        rig.do(SignInEnded(SignInCancelled("Cancelled")))
    assert states(rig).count("signing_in") == 2


def test_an_answer_from_before_the_sign_in_changes_nothing() -> None:
    rig = signed_in()
    rig.identity.expire_tokens()
    rig.poller.step(CheckNow())
    rig.work()
    fresh = rig.signed_in(ANN)
    rig.poller.step(SignInEnded(fresh))
    rig.read_inbox()
    assert rig.vault.load(ANN.id) == fresh.cache
    rig.settle()
    assert rig.box().calls == ["fetch"] * 2


def test_a_refusal_from_before_the_sign_in_changes_nothing() -> None:
    rig = signed_in()
    rig.identity.expire_tokens()
    rig.identity.refusal = SignInRequired("Signed out")
    rig.poller.step(CheckNow())
    rig.work()
    rig.poller.step(SignInEnded(rig.signed_in(ANN)))
    rig.settle()
    assert rig.view.icon is IconKind.NORMAL
    assert rig.notifier.shown == []


def test_an_answer_from_before_a_sign_out_is_no_ones() -> None:
    rig = signed_in()
    rig.box().deliver("A")
    rig.poller.step(CheckNow())
    rig.work()
    rig.poller.step(SignOut(ANN.id))
    rig.poller.step(SignInEnded(rig.signed_in(ANN)))
    rig.settle()
    assert rig.notifier.shown == []
    assert rig.box().calls == ["fetch"] * 3


def test_a_rotated_token_is_kept_before_the_fetch() -> None:
    rig = signed_in()
    rig.identity.expire_tokens()
    kept = rig.vault.load(ANN.id)
    rig.box().calls.clear()
    rig.poller.step(CheckNow())
    rig.work()
    assert rig.box().calls == []
    rig.read_inbox()
    assert rig.vault.load(ANN.id) != kept
    rig.settle()
    assert rig.box().calls == ["fetch"]


@pytest.mark.parametrize("error", [LOCKED, NO_VAULT, VaultError("Refused")])
def test_a_keyring_that_refuses_a_rotated_token(error: VaultError) -> None:
    rig = signed_in()
    rig.vault.error = error
    rig.box().deliver("A")
    for _ in range(3):
        rig.identity.expire_tokens()
        rig.check()
    assert dict(rig.told()) == {"A": 1}
    assert rig.titles().count(error.title) == 1
    assert error.title in rig.view.tooltip
    rig.vault.error = None
    rig.check()
    assert error.title not in rig.view.tooltip
    assert '"refresh_token": 4' in (rig.vault.load(ANN.id) or "")
    assert [one.title for one in rig.notifier.on_screen.values()] == ["Bo"]


def test_a_keyring_that_is_locked_at_the_start() -> None:
    rig = Rig(ANN)
    rig.vault.error = LOCKED
    rig.do()
    rig.pass_time(600.0)
    assert rig.vault.calls.count("accounts") == 1
    assert rig.titles() == [LOCKED.title]
    assert rig.view.tooltip.startswith(LOCKED.title)
    rig.vault.error = None
    rig.check()
    assert rig.view.tooltip.startswith("No unread messages")
    assert rig.box().calls == ["fetch"]


def test_no_keyring_is_tried_again_quietly() -> None:
    rig = Rig(ANN)
    rig.vault.error = NO_VAULT
    rig.do()
    rig.pass_time(600.0)
    assert rig.titles() == [NO_VAULT.title]
    rig.vault.error = None
    rig.pass_time(30.0)
    assert rig.view.tooltip.startswith("No unread messages")


def test_who_signed_in_without_a_keyring_stays_when_it_comes_back() -> None:
    rig = Rig(ANN)
    rig.vault.error = NO_VAULT
    rig.do()
    rig.sign_in(BEN)
    rig.vault.error = None
    rig.pass_time(60.0)
    assert set(rig.vault.accounts()) == {ANN.id, BEN.id}
    assert "ann@" in rig.view.tooltip
    assert "ben@" in rig.view.tooltip
    rig.box(BEN).deliver("B")
    rig.check()
    assert dict(rig.told()) == {"B": 1}


def test_a_keyring_that_takes_a_sign_in_gives_its_accounts_back() -> None:
    rig = Rig(ANN)
    rig.vault.error = LOCKED
    rig.do()
    rig.vault.error = None
    rig.sign_in(BEN)
    rig.do()
    assert "ann@" in rig.view.tooltip
    assert rig.notifier.on_screen == {}


def test_who_signed_out_while_the_keyring_was_locked_stays_out() -> None:
    rig = signed_in()
    rig.vault.error = LOCKED
    rig.do(SignOut())
    assert LOCKED.title in rig.view.tooltip
    assert rig.state.load(ANN.id, "inbox") == Seen()
    rig.vault.error = None
    rig.check()
    assert rig.vault.accounts() == ()
    assert rig.view.tooltip.startswith("Signed out")


def test_state_that_cannot_be_forgotten_is_said() -> None:
    rig = signed_in()
    rig.state.error = StateError("What was told cannot be forgotten")
    rig.do(SignOut())
    assert rig.vault.accounts() == ()
    assert "cannot be forgotten" in rig.view.tooltip


@pytest.mark.parametrize("cache", ["", " ", "null", "[]", '{"Account": {', '{"account": [1]}}'])
def test_a_damaged_cache_asks_for_a_sign_in(cache: str) -> None:
    # Azure/azure-cli#20749
    rig = Rig(ANN, BEN)
    rig.vault.save(ANN.id, cache)
    rig.do()
    rig.pass_time(600.0)
    assert rig.titles() == ["The saved sign-in is damaged"]
    assert rig.identity.token_requests == 0
    assert rig.box(BEN).calls == ["fetch"] * 11
    rig.do(SignIn())
    assert rig.workers.flows
    rig.identity.person = ANN
    rig.finish_sign_in()
    assert rig.identity.sign_ins == [(None, None)]
    assert rig.notifier.on_screen == {}
    assert rig.vault.load(ANN.id) == rig.cache_of(ANN)
    assert rig.box(ANN).calls == ["fetch"]


def test_without_a_client_id_it_says_what_to_do() -> None:
    rig = Rig(unconfigured=NO_CLIENT_ID)
    rig.do()
    assert rig.titles() == [NO_CLIENT_ID.title]
    rig.do(SignIn())
    assert len(rig.notifier.shown) == 2
    assert rig.workers.flows == []
    assert rig.poller.step(None) is None
    answers = rig.ask("signin")
    assert answers.get_nowait()["error"] == NO_CLIENT_ID.title


def test_an_account_renamed_by_its_organisation() -> None:
    rig = signed_in()
    rig.sign_in(replace(ANN, username="ann.smith@example.test"))
    assert "ann.smith@example.test" in rig.view.tooltip


def test_quitting_gives_a_running_sign_in_up() -> None:
    rig = signed_out()
    rig.identity.person = None
    rig.do(SignIn())
    rig.inbox.put(Quit())
    rig.poller.run()
    assert rig.tray.is_stopped
    assert rig.notifier.is_closed
    assert rig.mail.is_closed
