"""A mailbox's tree of folders, asked for by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mailtray.app.answers import failed
from mailtray.app.check import list_folders
from mailtray.app.commands import Gone, SignOut
from mailtray.core.errors import (
    AccessDenied,
    AuthError,
    InvalidResponse,
    MailSourceError,
    MailtrayError,
    SignInRequired,
    StateError,
    Throttled,
    TokenRejected,
    Unconfigured,
    Unreachable,
)
from mailtray.core.model import INBOX
from tests.app.rig import ANN, BEN, Rig
from tests.fakes.mail import FakeMail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from queue import SimpleQueue

TEAM = "team@fabrikam.example"


class Here:
    """A rig with the folders "Projects" and "Projects/Alpha" beside Inbox and Archive.

    Its Inbox, "Projects/Alpha" and the Inbox of a shared mailbox are watched.
    """

    def __init__(self, *folders: str, is_begun: bool = True) -> None:
        self.mail = FakeMail()
        self.mail.add_mailbox(TEAM)
        self.projects = self.mail.add_folder("Projects")
        self.alpha = self.mail.add_folder("Alpha", parent=self.projects)
        watched = folders or (INBOX, "projects/alpha", f"{TEAM}/inbox")
        self.rig = Rig(ANN, mail=self.mail, folders=watched)
        if is_begun:
            self.rig.do()

    def ask(self, mailbox: str = "", account: str = "") -> SimpleQueue[Mapping[str, object]]:
        return self.rig.ask("folders", account=account, mailbox=mailbox)

    def answer(self, mailbox: str = "", account: str = "") -> dict[str, Any]:
        replies = self.ask(mailbox, account)
        self.rig.settle()
        return the_one(replies)

    def alone(self, mailbox: str = "", account: str = "") -> dict[str, Any]:
        world, wishes = self.rig.poller._world, self.rig.poller._wishes
        return dict(list_folders(world, wishes, account, mailbox))


def the_one(replies: SimpleQueue[Mapping[str, object]]) -> dict[str, Any]:
    assert replies.qsize() == 1
    return dict(replies.get_nowait())


def paths(answer: Mapping[str, Any]) -> list[str]:
    return [folder["path"] for folder in answer["folders"]]


def watched(answer: Mapping[str, Any]) -> list[str]:
    return [folder["path"] for folder in answer["folders"] if folder["watched"]]


def test_the_tree_tells_paths_counts_and_what_is_watched() -> None:
    here = Here()
    here.mail.deliver_new(folder=here.alpha, how_many=2)
    answer = here.answer()
    assert (answer["account"], answer["mailbox"]) == (ANN.username, ANN.username)
    assert paths(answer) == ["Inbox", "Archive", "Projects", "Projects/Alpha"]
    assert watched(answer) == ["Inbox", "Projects/Alpha"]
    assert answer["folders"][3] == {
        "id": here.alpha, "path": "Projects/Alpha", "unread": 2, "total": 2,
        "watched": True, "wish": "projects/alpha",
    }  # fmt: skip


def test_the_tree_of_a_shared_mailbox() -> None:
    answer = Here().answer(TEAM.upper())
    assert answer["mailbox"] == TEAM
    assert (paths(answer), watched(answer)) == (["Inbox", "Archive"], ["Inbox"])


def test_ones_own_address_is_ones_own_mailbox() -> None:
    here = Here()
    assert here.answer(ANN.username.upper(), ANN.username.upper()) == here.answer()


def test_what_is_told_alone_is_the_same() -> None:
    here = Here()
    assert here.alone() == here.answer()
    assert here.alone(TEAM) == here.answer(TEAM)


def test_the_tree_comes_with_the_next_poll() -> None:
    here = Here()
    here.mail.calls.clear()
    here.answer()
    assert here.mail.calls[:2] == ["folders", "count"]
    assert here.mail.calls.count("fetch") == len(here.rig.poller._wishes.settings.folders)


def test_a_tree_asked_for_while_a_poll_is_on_its_way_comes_with_the_one_after() -> None:
    here = Here(is_begun=False)
    here.rig.poller.step(None)
    replies = here.ask()
    assert len(here.rig.workers.waiting) == 1
    here.rig.settle()
    assert "folders" in the_one(replies)


def test_the_first_of_two_who_ask_at_once_is_enough() -> None:
    here = Here()
    here.mail.calls.clear()
    first, second = here.ask(), here.ask()
    here.rig.settle()
    assert the_one(first) == the_one(second)
    assert here.mail.calls.count("folders") == 1


def test_a_mailbox_that_is_not_shared_is_refused_and_mail_is_read() -> None:
    here = Here()
    other = "other@fabrikam.example"
    here.mail.closed[f"{other}:{INBOX}"] = AccessDenied("Permission is missing", "Ask for it.")
    ids = here.mail.deliver_new()
    answer = here.answer(other)
    assert (answer["error"], answer["hint"]) == ("Permission is missing", "Ask for it.")
    assert here.rig.told() == {ids[0]: 1}
    with pytest.raises(AccessDenied):
        here.alone(other)


def test_a_shared_mailbox_says_how_to_be_asked_for_the_permission() -> None:
    here = Here(INBOX)
    answer = here.answer(TEAM)
    assert answer["hint"] == f"Add “{TEAM}/inbox” to the setting folders, then sign in again."
    assert "folders" not in here.mail.calls


def test_an_answer_that_makes_no_sense_is_the_trees_own_trouble() -> None:
    here = Here()
    here.mail.troubles.append(InvalidResponse("Nonsense"))
    assert here.answer()["error"] == "Nonsense"
    assert here.rig.view.tooltip.startswith("No unread messages")


@pytest.mark.parametrize(
    "error", [Unreachable("No connection"), Throttled("Busy", retry_after_s=3_600.0)]
)
def test_who_waits_is_told_when_the_poll_fails(error: MailSourceError) -> None:
    here = Here()
    here.mail.troubles.append(error)
    assert here.answer()["error"] == error.title
    if isinstance(error, Throttled):
        assert here.answer()["error"] == error.title
        assert here.mail.troubles == []


def test_a_token_that_is_refused_is_renewed_once() -> None:
    here = Here()
    here.mail.troubles.append(TokenRejected("No"))
    assert "folders" in here.answer()


def test_who_has_to_sign_in_is_told_so() -> None:
    here = Here()
    here.rig.identity.expire_tokens()
    here.rig.identity.refusal = SignInRequired("Signed out", "Sign in again.")
    assert here.answer()["error"] == "Signed out"
    assert isinstance(failed(here.answer()), AuthError)


def test_who_waits_is_told_of_a_sign_out() -> None:
    here = Here()
    replies = here.ask()
    here.rig.do(SignOut(ANN.id))
    assert isinstance(failed(the_one(replies)), AuthError)
    assert isinstance(failed(here.answer()), AuthError)


def test_who_waits_is_told_where_nothing_can_be_remembered_yet() -> None:
    here = Here(is_begun=False)
    here.rig.state.error = StateError("Locked")
    assert here.answer()["error"] == "mailtray is busy"


def test_one_who_is_gone_is_sent_nothing() -> None:
    here = Here()
    replies = here.ask()
    here.rig.do(Gone(replies))
    assert replies.empty()
    assert "folders" not in here.mail.calls[-2:]


def test_of_several_accounts_one_has_to_be_named() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    several = the_one(rig.ask("folders"))
    assert several["hint"] == f"Choose one with --account: {ANN.username}, {BEN.username}."
    replies = rig.ask("folders", account=BEN.username)
    rig.settle()
    assert the_one(replies)["account"] == BEN.username


@pytest.mark.parametrize(
    ("account", "mailbox", "said"),
    [
        ("carl@example.test", "", "carl@example.test is not signed in"),
        ("", "team", "team is no mail address"),
        ("", "a@b/inbox", "a@b/inbox is no mail address"),
    ],
)
def test_what_is_not_understood_is_named(account: str, mailbox: str, said: str) -> None:
    here = Here()
    assert here.answer(mailbox, account)["error"] == said
    with pytest.raises(MailtrayError, match=said):
        here.alone(mailbox, account)


def test_a_tree_needs_a_client_id() -> None:
    rig = Rig(unconfigured=Unconfigured("mailtray needs a client id", "Get one."))
    rig.do()
    assert isinstance(failed(the_one(rig.ask("folders"))), Unconfigured)
