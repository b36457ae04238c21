"""What is wrong is explained by a click, and mended when the page asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailtray.app.commands import Clicked, from_menu
from mailtray.core.errors import (
    AuthBlocked,
    ConsentRequired,
    MailtrayError,
    NoVault,
    SignInRequired,
    StateError,
    Unreachable,
    VaultError,
    VaultLocked,
)
from mailtray.core.model import AuthAction
from tests.app.rig import ANN, Rig

if TYPE_CHECKING:
    from mailtray.core.model import Notification

POLICY = AuthBlocked("Blocked by your organisation", "Ask.", action=AuthAction.NONE)
CLIENT_ID = AuthBlocked("Unknown there", "Check it.", action=AuthAction.CORRECT_CLIENT_ID)
ELSEWHERE = AuthBlocked("Not there", action=AuthAction.OTHER_ACCOUNT)
SIGN_IN = SignInRequired("Signed out", "Sign in again.", action=AuthAction.SIGN_IN)
APPROVAL = ConsentRequired("Not approved", action=AuthAction.ASK_ADMINISTRATOR)
APPROVAL.link = "https://login.example/adminconsent"
PAGE = f"trouble/{ANN.id}"


def refused(error: MailtrayError) -> Rig:
    """Return a program whose only account is refused."""
    rig = Rig(ANN)
    rig.do()
    rig.identity.expire_tokens()
    rig.identity.refusal = error
    rig.check()
    return rig


def told(rig: Rig) -> Notification:
    (found,) = rig.notifier.on_screen.values()
    return found


@pytest.mark.parametrize(
    ("error", "opened", "sign_ins"),
    [
        pytest.param(SIGN_IN, [], 1, id="only a sign-in is needed: it begins"),
        pytest.param(ELSEWHERE, [], 1, id="only another account is needed"),
        pytest.param(APPROVAL, [PAGE], 0, id="an administrator has to be asked"),
        pytest.param(POLICY, [PAGE], 0, id="a policy"),
        pytest.param(CLIENT_ID, [PAGE], 0, id="the registration"),
    ],
)
def test_a_click_on_the_notification(
    error: MailtrayError, opened: list[str], sign_ins: int
) -> None:
    rig = refused(error)
    rig.do(Clicked(told(rig)))
    assert (rig.own_pages.opened, len(rig.workers.flows)) == (opened, sign_ins)


@pytest.mark.parametrize(
    "error", [SIGN_IN, ELSEWHERE, APPROVAL, POLICY, CLIENT_ID, Unreachable("No connection")]
)
def test_a_click_on_the_line_in_the_menu(error: MailtrayError) -> None:
    rig = refused(error)
    (line,) = [item for item in rig.view.menu if item.label == f"{error.title}…"]
    rig.do(from_menu(line.command, line.argument))
    assert rig.own_pages.opened == [PAGE]
    assert rig.workers.flows == []
    assert [(one["about"], one["title"]) for one in rig.troubles()] == [(ANN.id, error.title)]


@pytest.mark.parametrize(
    ("trouble", "opened"),
    [
        (NoVault("No keyring"), ["trouble/vault"]),
        (VaultError("The keyring refused"), ["trouble/vault"]),
        (VaultLocked("The keyring is locked"), []),  # to ask it again unlocks it
    ],
)
def test_a_click_on_what_is_said_of_the_keyring(trouble: VaultError, opened: list[str]) -> None:
    rig = Rig(ANN)
    rig.vault.error = trouble
    rig.do()
    rig.do(Clicked(told(rig)))
    assert rig.own_pages.opened == opened
    assert [(one["about"], one["remedy"]) for one in rig.troubles()] == [("vault", "check_now")]
    rig.vault.error = None
    rig.ask("mend", about="vault", remedy="check_now")
    rig.settle()
    assert rig.troubles() == []


def test_a_click_on_what_is_said_of_the_memory() -> None:
    rig = Rig(ANN)
    rig.do()
    rig.state.error = StateError("What was told cannot be remembered", "Free some space.")
    rig.box().deliver("A")
    rig.check()
    (word,) = [one for one in rig.notifier.on_screen.values() if not one.message_ids]
    rig.do(Clicked(word))
    assert rig.own_pages.opened == ["trouble/state"]
    assert [one["about"] for one in rig.troubles()] == ["state"]


def test_a_first_sign_in_that_is_blocked_is_explained() -> None:
    rig = Rig()
    rig.do()
    rig.identity.answers_with = POLICY
    rig.ask("mend", about="sign-in", remedy="sign_in")
    rig.finish_sign_in()
    rig.do(Clicked(told(rig)))
    assert rig.own_pages.opened == ["trouble/sign-in"]
    assert [(one["about"], one["title"]) for one in rig.troubles()] == [("sign-in", POLICY.title)]


def test_the_page_begins_the_sign_in_of_the_account_that_it_is_about() -> None:
    rig = refused(SIGN_IN)
    assert rig.ask("mend", about=ANN.id, remedy="sign_in").get_nowait() == {"done": True}
    rig.identity.person, rig.identity.refusal = ANN, None
    rig.finish_sign_in()
    assert rig.identity.sign_ins == [(ANN.username, None)]
    assert rig.troubles() == []


def test_the_page_begins_a_sign_in_with_another_account() -> None:
    rig = refused(ELSEWHERE)
    rig.ask("mend", about=ANN.id, remedy="add_account")
    rig.identity.person = ANN
    rig.finish_sign_in()
    assert rig.identity.sign_ins == [(None, None)]


@pytest.mark.parametrize("remedy", ["sign_out", "quit", "settings", "report", "", None])
def test_the_page_can_have_nothing_done_that_mends_nothing(remedy: str | None) -> None:
    rig = refused(SIGN_IN)
    shown = rig.view
    rig.ask("mend", about=ANN.id, remedy=remedy)
    rig.settle()
    assert rig.view == shown
    assert (rig.workers.flows, rig.own_pages.opened) == ([], [])
