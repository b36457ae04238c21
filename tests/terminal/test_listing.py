"""What the list holds, and what keys do to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailtray.core import text
from mailtray.core.errors import MailtrayError
from mailtray.terminal.listing import LOOKED, Listing, Mode, answered, press, read, take
from tests.app.rig import ANN as ANN_ACCOUNT
from tests.app.rig import Rig
from tests.terminal.states import ANN, BEN, account, state

if TYPE_CHECKING:
    from mailtray.terminal.listing import Request

PAUSED = {"quiet": "paused", "paused_until": "2026-03-02T15:00:00+00:00"}
REFUSED = MailtrayError("Your mail could not be changed", "Try it in your mailbox.")


def showing(*names: str) -> Listing:
    return take(Listing(), read(state(account(*names))))


def now_showing(listing: Listing, *names: str) -> Listing:
    return take(listing, read(state(account(*names))))


def pressed(listing: Listing, *keys: str) -> tuple[Listing, list[Request]]:
    asked = []
    for key in keys:
        listing, request = press(listing, key)
        if request is not None:
            asked.append(request)
    return listing, asked


def chosen(listing: Listing) -> str | None:
    return None if listing.chosen is None else listing.chosen[1]


def act(action: str, name: str, username: str = ANN) -> Request:
    return {"command": "act", "account": username, "id": name, "action": action}


def test_what_the_program_really_answers_is_understood() -> None:
    rig = Rig(ANN_ACCOUNT)
    rig.do()
    rig.box().deliver("A")
    rig.check()
    news = read(rig.ask("watch").get_nowait())
    assert [(row.account, row.id, row.sender) for row in news.rows] == [
        (ANN_ACCOUNT.username, "A", "Bo")
    ]
    assert (news.new, news.parts[0].unread, news.words) == (1, 1, ())
    rig.do()
    assert read(Rig().ask("watch").get_nowait()).words


@pytest.mark.parametrize(
    ("keys", "there"),
    [
        ([], "A"),
        (["down"], "B"),
        (["j", "j"], "C"),
        (["j", "k"], "A"),
        (["up"], "A"),
        (["end"], "D"),
        (["down"] * 9, "D"),
        (["page_down"], "D"),
        (["end", "page_up"], "A"),
        (["end", "home"], "A"),
    ],
)
def test_choosing(keys: list[str], there: str) -> None:
    listing, asked = pressed(showing("A", "B", "C", "D"), *keys)
    assert (chosen(listing), asked) == (there, [])


def test_choosing_goes_through_all_accounts() -> None:
    listing = take(Listing(), read(state(account("A"), account("A", username=BEN))))
    _, asked = pressed(listing, "down", "r")
    assert asked == [act("mark_read", "A", BEN)]


@pytest.mark.parametrize("key", ["down", "end", "o", "r", "a", "d", "page_up"])
def test_an_empty_list_takes_every_key(key: str) -> None:
    listing, asked = pressed(showing(), key)
    assert (listing, asked) == (showing(), [])


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("o", "open"),
        ("enter", "open"),
        ("r", "mark_read"),
        ("a", "archive"),
        ("d", "delete"),
    ],
)
def test_a_key_acts_on_the_chosen_message(key: str, action: str) -> None:
    listing, asked = pressed(showing("A", "B", "C"), "down", key)
    assert asked == [act(action, "B")]
    assert chosen(listing) == ("B" if action == "open" else "C")


def test_what_is_under_way_is_not_asked_for_again() -> None:
    listing, asked = pressed(showing("A", "B"), "a", "a", "a", "up", "d")
    assert asked == [act("archive", "A"), act("archive", "B")]
    assert chosen(listing) == "A"


def test_the_one_above_is_chosen_where_there_is_none_below() -> None:
    listing, _ = pressed(showing("A", "B"), "end", "d")
    assert chosen(listing) == "A"


@pytest.mark.parametrize(
    ("left", "there"),
    [
        (["A", "B", "C"], "B"),
        (["N", "A", "B", "C"], "B"),
        (["A", "C"], "C"),
        (["A"], "A"),
        (["N", "A"], "A"),
        (["N"], "N"),
        ([], None),
    ],
)
def test_the_choice_follows_its_message_or_stays_near(left: list[str], there: str | None) -> None:
    listing, _ = pressed(showing("A", "B", "C"), "down")
    assert chosen(now_showing(listing, *left)) == there


def test_the_first_message_to_come_is_chosen() -> None:
    assert chosen(now_showing(showing(), "A", "B")) == "A"


def test_undoing_goes_back_one_by_one() -> None:
    listing, _ = pressed(showing("A", "B", "C"), "r", "a")
    listing = now_showing(listing, "C")
    listing, asked = pressed(listing, "u", "u", "u")
    assert asked == [act("undo", "B"), act("undo", "A")]
    assert listing.note == "There is nothing to undo."


def test_what_became_of_an_action_is_said_until_the_next_key() -> None:
    listing, (request,) = pressed(showing("A", "B"), "a")
    listing = answered(listing, request, {"done": True, "state": "done", "ids": ["A"]})
    assert listing.note == "Archived; u undoes it."
    assert listing.under_way == {(ANN, "A")}
    listing, _ = pressed(now_showing(listing, "B"), "down")
    assert (listing.note, listing.under_way) == ("", frozenset())


def test_what_is_undone_is_a_message_like_any_other() -> None:
    listing, (request,) = pressed(showing("A", "B"), "a")
    listing = answered(listing, request, {"state": "done"})
    listing, (undo,) = pressed(listing, "u")
    listing = answered(listing, undo, {"state": "done"})
    assert (listing.note, listing.under_way) == ("Undone.", frozenset())


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (REFUSED, "Your mail could not be changed. Try it in your mailbox."),
        ({"done": True, "state": "waiting", "why": "No connection"}, "Not done yet: No connection"),
    ],
)
def test_what_was_not_done_is_said_and_can_be_tried_again(
    answer: MailtrayError | dict[str, object], note: str
) -> None:
    listing, (request,) = pressed(showing("A"), "d")
    listing = answered(listing, request, answer)
    assert (listing.note, listing.undoable) == (note, ())
    assert pressed(listing, "d")[1] == [request]


def test_opening_says_nothing() -> None:
    listing, (request,) = pressed(showing("A"), "o")
    assert answered(listing, request, {"done": True}) == listing


def test_checking_is_asked_for_once_at_a_time() -> None:
    listing, asked = pressed(showing(), "c", "c")
    assert asked == [{"command": "check"}]
    assert listing.is_checking
    listing = answered(listing, asked[0], {"done": True})
    assert not listing.is_checking
    listing = answered(pressed(listing, "c")[0], asked[0], MailtrayError("mailtray is busy"))
    assert (listing.note, listing.is_checking) == ("mailtray is busy", False)


@pytest.mark.parametrize(
    ("key", "wish"), [(str(n), wish) for n, (_, wish) in enumerate(text.MENU_PAUSES, 1)]
)
def test_p_offers_the_pauses(key: str, wish: str) -> None:
    listing, asked = pressed(showing("A"), "p")
    assert (listing.mode, asked) == (Mode.PAUSES, [])
    listing, asked = pressed(listing, key)
    assert (listing.mode, asked) == (Mode.LIST, [{"command": "pause", "for": wish}])


@pytest.mark.parametrize("key", ["9", "escape", "q", "d", "p"])
def test_any_other_key_leaves_the_pauses(key: str) -> None:
    listing, asked = pressed(showing("A"), "p", key)
    assert (listing, asked) == (showing("A"), [])


def test_p_resumes_what_is_paused() -> None:
    listing = take(Listing(), read(state(account("A"), **PAUSED)))
    listing, asked = pressed(listing, "p")
    assert (listing.mode, asked) == (Mode.LIST, [{"command": "resume"}])
    assert answered(listing, asked[0], {"done": True}) == listing


def test_p_pauses_what_is_quiet_for_another_reason() -> None:
    listing = take(Listing(), read(state(account("A"), quiet="quiet_hours")))
    assert pressed(listing, "p")[0].mode is Mode.PAUSES


@pytest.mark.parametrize("key", ["?", "escape", "q", "d"])
def test_any_key_leaves_the_help(key: str) -> None:
    listing, asked = pressed(showing("A"), "?", key)
    assert (listing, asked) == (showing("A"), [])


@pytest.mark.parametrize("keys", [["q"], ["interrupt"], ["?", "interrupt"], ["p", "interrupt"]])
def test_leaving(keys: list[str]) -> None:
    assert pressed(showing("A"), *keys)[0].is_over


@pytest.mark.parametrize("key", ["x", "escape", "é", "Q"])
def test_other_keys_do_nothing(key: str) -> None:
    assert pressed(showing("A"), key) == (showing("A"), [])


def test_whether_a_look_was_noted_is_not_said() -> None:
    assert answered(showing("A"), LOOKED, MailtrayError("mailtray is busy")) == showing("A")
