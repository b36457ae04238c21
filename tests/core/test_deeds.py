"""What of a wish goes out, what is left of it, and how it is undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mailtray.core import text
from mailtray.core.changes import keys
from mailtray.core.deeds import (
    STEP_DEEDS,
    Action,
    Errand,
    Older,
    Outcome,
    Step,
    after_gap,
    after_step,
    begun,
    errand,
    mark_all,
    not_begun,
    older_deeds,
    step,
    undoing,
)
from mailtray.core.errors import MessageGone
from mailtray.core.model import INBOX, Act, Deed, MessageId, Seen
from tests.core.mails import SIX, mail

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES = ("Mail.ReadWrite",)
GONE = MessageGone("The message is no longer there")
TEAM = "team@fabrikam.example:AAf="


def mark(name: str, folder: str = INBOX) -> Deed:
    return Deed(Act.MARK_READ, MessageId(name), folder)


def marks(names: Iterable[str]) -> tuple[Deed, ...]:
    return tuple(map(mark, names))


def one(names: str, **more: object) -> Errand:
    return replace(Errand(Action.MARK_READ, marks(names)), **more)  # type: ignore[arg-type] # fields


@pytest.mark.parametrize(
    ("action", "deed", "undone"),
    [
        (Action.MARK_READ, mark("A", TEAM), Deed(Act.MARK_UNREAD, MessageId("A"), TEAM)),
        (
            Action.ARCHIVE,
            Deed(Act.MOVE, MessageId("A"), TEAM, "archive"),
            Deed(Act.MOVE, MessageId("A"), TEAM, "AAf="),
        ),
        (
            Action.DELETE,
            Deed(Act.MOVE, MessageId("A"), TEAM, "deleteditems"),
            Deed(Act.MOVE, MessageId("A"), TEAM, "AAf="),
        ),
    ],
)
def test_what_is_done_and_how_it_is_undone(action: Action, deed: Deed, undone: Deed) -> None:
    wish = errand(action, {mail("A"): TEAM}, "Hello")
    assert (wish.deeds, wish.subject) == ((deed,), "Hello")
    done = after_step(wish, step([wish], SCOPES), Outcome({deed: None}))
    assert done.is_finished
    assert undoing(done).deeds == (undone,)


def test_a_step_holds_what_fits_and_the_rest_waits() -> None:
    few, many = one("AB"), Errand(Action.MARK_ALL_READ, marks(str(n) for n in range(300)))
    found = step([few, many], SCOPES)
    assert len(found.deeds) == STEP_DEEDS
    assert found.deeds[:2] == few.deeds
    left = after_step(many, found, Outcome(dict.fromkeys(found.deeds)))
    assert (len(left.deeds), len(left.done)) == (102, 198)
    assert after_step(few, found, Outcome(dict.fromkeys(found.deeds))).is_finished


def test_older_ones_come_after_all_the_others() -> None:
    older = (Older(INBOX, SIX),)
    many = Errand(Action.MARK_ALL_READ, marks(str(n) for n in range(201)), older=older)
    first = step([many], SCOPES)
    assert first.older == ()
    left = after_step(many, first, Outcome(dict.fromkeys(first.deeds)))
    second = step([left], SCOPES)
    assert (len(second.deeds), second.older) == (1, older)
    more = dict.fromkeys((*second.deeds, mark("old")))
    assert after_step(left, second, Outcome(more, older)).older == older
    last = after_step(left, second, Outcome(more))
    assert last.is_finished
    assert len(last.done) == 202


def test_what_could_not_be_done_is_not_tried_again() -> None:
    wish = one("AB")
    left = after_step(wish, step([wish], SCOPES), Outcome({mark("A"): GONE, mark("B"): None}))
    assert left.is_finished
    assert (left.done, left.undone) == ((mark("B"),), (mark("A"),))
    assert left.ids == ("B", "A")


@pytest.mark.parametrize(
    ("wish", "unread", "left", "done"),
    [
        pytest.param(one("A"), "A", "A", "", id="still there"),
        pytest.param(one("A"), "", "", "", id="seen to elsewhere"),
        pytest.param(one("A", tries=1), "", "", "A", id="done, and not heard of"),
        pytest.param(one("AB"), "B", "B", "", id="one of two"),
        pytest.param(one("A", action=Action.UNDO), "", "A", "", id="undoing is about the others"),
    ],
)
def test_what_is_left_after_a_gap(wish: Errand, unread: str, left: str, done: str) -> None:
    found = after_gap(wish, {MessageId(each) for each in unread})
    assert (found.deeds, found.done) == (marks(left), marks(done))


def test_a_try_counts_only_for_what_was_in_it() -> None:
    wish, other = one("A"), one("B")
    both = step([wish], SCOPES)
    assert (begun(wish, both).tries, begun(other, both).tries) == (1, 0)
    assert not_begun(begun(wish, both), both) == wish
    assert not_begun(other, both) == other
    older = Errand(Action.MARK_ALL_READ, (), older=(Older(INBOX, SIX),))
    assert begun(older, Step(SCOPES, (), older.older)).tries == 1
    assert begun(older, both).tries == 0


def test_all_is_what_is_there_and_nothing_later() -> None:
    known = {key: int(SIX.timestamp()) for key in keys(mail("A"))}
    seen = Seen(known=known, unread={MessageId("A"): mail("A")}, uncovered_unread=3)
    found = mark_all({INBOX: seen, TEAM: Seen(unread={MessageId("B"): mail("B")})})
    assert found.deeds == (mark("A"), mark("B", TEAM))
    assert found.older == (Older(INBOX, SIX),)


def test_older_messages_are_those_that_are_no_news() -> None:
    older = Older(INBOX, SIX)
    met, early = mail("met", -5), mail("early", -90)
    listed = [
        met,
        early,
        mail("moved here since", -4),
        mail("newer", 1),
        mail("undated", received=None),
    ]
    seen = Seen(known=dict.fromkeys(keys(met), 0), floor=SIX - timedelta(days=9))
    assert older_deeds(older, listed, seen) == (mark("met"),)
    bounded = replace(seen, floor=SIX - timedelta(minutes=60))
    assert older_deeds(older, listed, bounded) == (mark("met"), mark("early"))
    assert older_deeds(older, listed, None) == ()
    assert older_deeds(older, listed, replace(seen, told=frozenset({met.id}))) == ()
    assert older_deeds(older, listed, replace(seen, untold=(met,))) == ()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (one("", action=Action.ARCHIVE, subject="Rota"), "Undo: archive “Rota”"),
        (one("", action=Action.DELETE, subject="Rota"), "Undo: delete “Rota”"),
        (one("", subject="Rota"), "Undo: mark “Rota” as read"),
        (one("", done=marks("A")), "Undo: mark 1 message as read"),
        (one("", done=marks("AB")), "Undo: mark 2 messages as read"),
        (one("", action=Action.MARK_ALL_READ, done=marks("AB")), "Undo: mark 2 messages as read"),
        (one("", action=Action.ARCHIVE, done=marks("A")), "Undo: archive 1 message"),
        (one("", action=Action.DELETE, done=marks("AB")), "Undo: delete 2 messages"),
    ],
)
def test_what_can_be_undone_is_said(wish: Errand, words: str) -> None:
    assert text.undo(wish) == words
