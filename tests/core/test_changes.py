"""What is new, what no longer is, and what is remembered of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtray.core import changes
from mailtray.core.changes import (
    KNOWN_KEPT_KEYS,
    KNOWN_MAX_KEYS,
    UNREAD_KEPT_MESSAGES,
    UNREAD_MAX_MESSAGES,
    advance,
    diff,
    is_unsettled,
    keys,
)
from mailtray.core.model import Changes, Delivery, Message, MessageId, Seen, UnreadList
from tests.core.mails import SIX, became, gone, mail, names, round_of, seen_of

A, B, C = mail("A", 1), mail("B", 2), mail("C", 3)
A_READ, B_READ = mail("A", 1, read=True), mail("B", 2, read=True)
OLD = mail("old", -60)
UNDATED = mail("undated", received=None)

NO_BASELINE = Seen()
EMPTY = seen_of()
TOLD_A = seen_of(A)
READ_A = seen_of(read=[A])
OWED_A = seen_of(A, untold=[A])
DRAGGED = replace(A, internet_message_id="<a@x.example>")
OWED_DRAGGED = seen_of(DRAGGED, untold=[DRAGGED])
FROM_SIX = seen_of(floor=SIX)


@pytest.mark.parametrize(
    ("seen", "delivery", "arrived"),
    [
        pytest.param(NO_BASELINE, round_of(A, B, full=True), "", id="first round tells nothing"),
        pytest.param(EMPTY, round_of(A), "A", id="a new unread message is told"),
        pytest.param(EMPTY, round_of(A_READ), "", id="a message read before the poll is not"),
        pytest.param(TOLD_A, round_of(A), "", id="told once is enough"),
        pytest.param(TOLD_A, round_of(A, B), "B", id="only the new one"),
        pytest.param(EMPTY, round_of(C, A, B), "A B C", id="oldest first, whatever the order"),
        pytest.param(EMPTY, round_of(UNDATED, A), "A undated", id="undated ones come last"),
        pytest.param(READ_A, round_of(A), "", id="unread again is not new"),
        pytest.param(
            OWED_DRAGGED,
            round_of(gone("A"), replace(DRAGGED, id=MessageId("A2"))),
            "A2",
            id="who is owed and got another id is still told",
        ),
        pytest.param(
            OWED_A,
            replace(round_of(B, full=True), floor=B.received),
            "A B",
            id="who is owed and out of a full round's reach is still told",
        ),
        pytest.param(
            TOLD_A, round_of(replace(A, subject="!")), "", id="an edited draft is not new"
        ),
        pytest.param(TOLD_A, round_of(A_READ, A), "", id="read and unread within one round"),
        pytest.param(TOLD_A, round_of(gone("A"), A), "", id="moved away and back is not new"),
        pytest.param(EMPTY, round_of(A, A, A), "A", id="replayed in one round"),
        pytest.param(EMPTY, round_of(A, A_READ), "", id="new and read within one round"),
        pytest.param(EMPTY, round_of(A, gone("A")), "", id="new and removed within one round"),
        pytest.param(
            EMPTY, round_of(A, gone("A"), A), "A", id="new, removed and back in one round"
        ),
        pytest.param(EMPTY, round_of(A, A_READ, A), "A", id="new, read and unread in one round"),
        pytest.param(EMPTY, round_of(gone("A"), A), "A", id="its removal reported before it"),
        pytest.param(EMPTY, round_of(became("A", read=True)), "", id="an unknown one was read"),
        pytest.param(OWED_A, round_of(), "A", id="one still owed is told in a quiet round"),
        pytest.param(OWED_A, round_of(B), "A B", id="one still owed comes with the new ones"),
        pytest.param(OWED_A, round_of(A), "A", id="one still owed and replayed is told once"),
        pytest.param(OWED_A, round_of(A_READ), "", id="one owed was read meanwhile"),
        pytest.param(OWED_A, round_of(became("A", read=True)), "", id="read, told in part"),
        pytest.param(OWED_A, round_of(gone("A")), "", id="one owed was removed meanwhile"),
        pytest.param(OWED_A, round_of(gone("A"), A), "A", id="one owed went and came back"),
        pytest.param(FROM_SIX, round_of(OLD), "", id="older than the floor is not new"),
        pytest.param(FROM_SIX, round_of(mail("at")), "at", id="the floor itself is in"),
        pytest.param(FROM_SIX, round_of(UNDATED), "undated", id="undated is not older"),
        pytest.param(TOLD_A, round_of(A, B, full=True), "B", id="resync tells what came meanwhile"),
        pytest.param(READ_A, round_of(A, full=True), "", id="resync keeps silent on the known"),
        pytest.param(
            TOLD_A, round_of(OLD, B, full=True, floor=SIX), "B", id="resync with a floor of its own"
        ),
    ],
)
def test_who_is_told(seen: Seen, delivery: Delivery, arrived: str) -> None:
    found = diff(seen, delivery)
    assert names(found.arrived) == arrived.split()
    assert found.seen.untold == found.arrived
    assert found.seen.cursor == delivery.cursor
    assert not found.seen.is_baseline or not delivery.is_full


@pytest.mark.parametrize(
    ("seen", "delivery", "unread"),
    [
        pytest.param(NO_BASELINE, round_of(A, B, full=True, unread=2), 2, id="baseline counts"),
        pytest.param(
            NO_BASELINE, round_of(A, full=True, floor=SIX, unread=5), 5, id="beneath the floor too"
        ),
        pytest.param(TOLD_A, round_of(became("A", read=True)), 0, id="read elsewhere, in part"),
        pytest.param(TOLD_A, round_of(A_READ), 0, id="read elsewhere, in full"),
        pytest.param(TOLD_A, round_of(gone("A")), 0, id="removed elsewhere"),
        pytest.param(READ_A, round_of(became("A", read=False)), 1, id="unread again counts"),
        pytest.param(TOLD_A, round_of(became("A", read=False)), 1, id="unread already"),
        pytest.param(TOLD_A, round_of(gone("B")), 1, id="removal of one never met"),
        pytest.param(TOLD_A, round_of(B, B, B), 2, id="replays count once"),
        pytest.param(TOLD_A, round_of(B, full=True), 1, id="a resync forgets who is gone"),
        pytest.param(
            TOLD_A, round_of(A, B, full=True, unread=1), 2, id="one came after the resync's count"
        ),
        pytest.param(seen_of(A, uncovered=4), round_of(), 5, id="the uncovered stay in quiet"),
        pytest.param(seen_of(A, uncovered=4), round_of(unread=3), 3, id="the counter is the truth"),
        pytest.param(seen_of(A, uncovered=4), round_of(B, unread=6), 6, id="with news as well"),
    ],
)
def test_how_many_are_unread(seen: Seen, delivery: Delivery, unread: int) -> None:
    assert diff(seen, delivery).seen.unread_count == unread


@pytest.mark.parametrize(
    ("delivery", "retired"),
    [
        pytest.param(round_of(), "", id="nothing happened"),
        pytest.param(round_of(A_READ), "A", id="read elsewhere"),
        pytest.param(round_of(became("B", read=True)), "B", id="read elsewhere, in part"),
        pytest.param(round_of(gone("A"), gone("B")), "AB", id="both removed"),
        pytest.param(round_of(A_READ, A), "", id="read and unread again"),
        pytest.param(round_of(B, full=True), "A", id="missing from a resync"),
    ],
)
def test_whose_notification_no_longer_holds(delivery: Delivery, retired: str) -> None:
    found = diff(seen_of(A, B), delivery)
    assert found.retired == frozenset(retired)
    assert found.seen.told == frozenset("AB") - found.retired


@pytest.mark.parametrize(
    ("seen", "delivery", "unsettled"),
    [
        pytest.param(TOLD_A, round_of(), False, id="quiet, nobody counted"),
        pytest.param(TOLD_A, round_of(unread=1), False, id="counter agrees"),
        pytest.param(TOLD_A, round_of(unread=2), True, id="counter knows of more"),
        pytest.param(TOLD_A, round_of(gone("A"), unread=1), True, id="moved out and back"),
        pytest.param(TOLD_A, round_of(gone("A"), unread=0), False, id="removed indeed"),
        pytest.param(TOLD_A, round_of(B, unread=2), False, id="news, counter agrees"),
        pytest.param(
            seen_of(A, uncovered=3),
            round_of(B, unread=5),
            False,
            id="the uncovered are allowed for",
        ),
        pytest.param(READ_A, round_of(became("A", read=False)), True, id="unread, details unknown"),
        pytest.param(TOLD_A, round_of(became("A", read=False)), False, id="unread, details known"),
        pytest.param(
            NO_BASELINE,
            round_of(A, full=True, unread=9),
            False,
            id="a full round is its own listing",
        ),
        pytest.param(
            EMPTY, round_of(gone("A"), unread=0), True, id="one never met went, or seems to"
        ),
        pytest.param(
            seen_of(A, uncovered=1, untold=[A]),
            round_of(gone("A"), unread=1),
            True,
            id="one owed went",
        ),
    ],
)
def test_when_a_listing_is_due(seen: Seen, delivery: Delivery, unsettled: bool) -> None:
    assert changes.is_unsettled(seen, delivery) is unsettled


def _settled(seen: Seen, delivery: Delivery, *listed: Message, complete: bool = True) -> Changes:
    return diff(seen, delivery, UnreadList(listed, is_complete=complete))


UNLOOKED_A = replace(TOLD_A, unlooked=frozenset({A.id}))
UNLOOKED_AB = replace(seen_of(A, B), unlooked=frozenset({A.id, B.id}))


@pytest.mark.parametrize(
    ("seen", "delivery", "unlooked"),
    [
        pytest.param(NO_BASELINE, round_of(A, B, full=True), "", id="a baseline is no news"),
        pytest.param(EMPTY, round_of(A, B), "A B", id="what is new"),
        pytest.param(EMPTY, round_of(A_READ), "", id="read before the poll"),
        pytest.param(EMPTY, round_of(A, gone("A")), "", id="new and gone"),
        pytest.param(EMPTY, round_of(A, A_READ, A), "A", id="new, read and unread"),
        pytest.param(TOLD_A, round_of(B), "B", id="looked at before"),
        pytest.param(TOLD_A, round_of(A), "", id="replayed after a look"),
        pytest.param(UNLOOKED_A, round_of(), "A", id="a quiet round"),
        pytest.param(UNLOOKED_A, round_of(B), "A B", id="one more"),
        pytest.param(UNLOOKED_AB, round_of(A_READ), "B", id="read elsewhere"),
        pytest.param(UNLOOKED_AB, round_of(became("A", read=True)), "B", id="read, told in part"),
        pytest.param(UNLOOKED_AB, round_of(gone("B")), "A", id="removed elsewhere"),
        pytest.param(UNLOOKED_AB, round_of(B, full=True), "B", id="a full round without one"),
        pytest.param(UNLOOKED_A, round_of(B, full=True), "B", id="a full round with a new one"),
        pytest.param(READ_A, round_of(A), "", id="unread again is not new"),
        pytest.param(READ_A, round_of(became("A", read=False)), "", id="unread again, in part"),
        pytest.param(OWED_A, round_of(A), "", id="owed, but looked at"),
        pytest.param(FROM_SIX, round_of(OLD), "", id="old mail moved in"),
    ],
)
def test_what_came_since_the_person_looked(seen: Seen, delivery: Delivery, unlooked: str) -> None:
    assert sorted(diff(seen, delivery).seen.unlooked) == unlooked.split()


def test_what_a_listing_finds_was_not_looked_at() -> None:
    listing = UnreadList((B,), is_complete=True)
    assert diff(UNLOOKED_A, round_of(), listing).seen.unlooked == {B.id}


def test_moved_out_and_back_and_never_reported_again() -> None:
    # microsoftgraph/microsoft-graph-docs#21752
    found = _settled(TOLD_A, round_of(gone("A"), unread=1), A)
    assert found.seen.unread_count == 1
    assert found.arrived == ()
    assert found.retired == frozenset()


def test_a_listing_finds_what_no_round_told_of() -> None:
    assert names(_settled(TOLD_A, round_of(gone("B"), unread=2), A, B).arrived) == ["B"]


def test_a_listing_brings_back_what_is_owed() -> None:
    assert names(_settled(OWED_A, round_of(gone("A"), unread=1), A).arrived) == ["A"]


def test_a_complete_listing_drops_ghosts() -> None:
    found = _settled(seen_of(A, B), round_of(unread=1), B)
    assert names(found.seen.unread.values()) == ["B"]
    assert found.retired == {"A"}


def test_an_incomplete_listing_drops_nobody() -> None:
    found = _settled(seen_of(A, B), round_of(unread=1), B, complete=False)
    assert names(found.seen.unread.values()) == ["A", "B"]


def test_the_counter_is_believed_where_a_listing_cannot_settle() -> None:
    found = _settled(seen_of(A, B), round_of(unread=1), B, complete=False)
    assert found.seen.unread_count == 1
    assert not changes.is_unsettled(found.seen, round_of(unread=1))


def test_a_listing_tells_who_became_unread() -> None:
    found = _settled(READ_A, round_of(became("A", read=False), unread=1), A)
    assert found.seen.unread == {A.id: A}
    assert found.arrived == ()


def test_unread_again_is_not_new_and_a_restart_is_no_amnesia() -> None:
    # inbasic/ignotifier#257, pulb/mailnag#81: told, read, unread, flagged, moved to a sub-folder
    flagged = replace(A, subject="Subject of A")
    told: list[str] = []
    counts: list[int] = []
    seen = diff(NO_BASELINE, round_of(full=True, unread=0)).seen
    for delivery in (
        round_of(A),
        round_of(became("A", read=True)),
        round_of(A),
        round_of(flagged),
        round_of(flagged),
        round_of(),
        round_of(gone("A")),
    ):
        found = diff(seen, delivery)
        told += names(found.arrived)
        seen = advance(found, [message.id for message in found.arrived])
        counts.append(seen.unread_count)
    assert told == ["A"]
    assert counts == [1, 0, 1, 1, 1, 1, 0]


def test_a_first_sync_over_several_pages_tells_nothing() -> None:
    # microsoftgraph/msgraph-sdk-dotnet#1281: no "from now" for mail, so the backlog comes first
    backlog = [mail(f"m{n}", -n) for n in range(10)]
    found = diff(NO_BASELINE, round_of(*backlog, full=True, unread=10))
    assert (found.arrived, found.seen.unread_count) == ((), 10)


def test_lost_sync_state_tells_only_what_came_meanwhile() -> None:
    # microsoftgraph/microsoft-graph-docs#2877
    old = [mail(f"m{n}", n, read=n >= 40) for n in range(498)]
    first = diff(NO_BASELINE, round_of(*old, full=True, unread=40))
    new = [mail("n1", 600), mail("n2", 601)]
    found = diff(first.seen, round_of(*old, *new, full=True, unread=42))
    assert names(found.arrived) == ["n1", "n2"]
    assert found.seen.unread_count == 42


def test_a_drag_in_outlook_that_changes_the_id_makes_nothing_new() -> None:
    dragged = replace(A, id=MessageId("A2"))
    found = diff(TOLD_A, round_of(gone("A"), dragged))
    assert (found.arrived, found.seen.unread_count) == ((), 1)


def test_a_copied_message_id_silences_nobody() -> None:
    forged = replace(A, id=MessageId("A2"), received=SIX + timedelta(hours=1))
    assert names(diff(TOLD_A, round_of(forged)).arrived) == ["A2"]


@pytest.mark.parametrize(
    ("message", "count"),
    [
        pytest.param(A, 2, id="id and Message-ID"),
        pytest.param(replace(A, internet_message_id=""), 1, id="no Message-ID"),
        pytest.param(UNDATED, 1, id="a Message-ID without a time proves nothing"),
        pytest.param(replace(A, id=MessageId("\ud83d")), 2, id="a lone surrogate in the id"),
    ],
)
def test_keys(message: Message, count: int) -> None:
    found = keys(message)
    assert len(set(found)) == count
    assert all(0 <= key < 2**63 for key in found)
    assert found[0] != keys(replace(message, id=MessageId(message.id.lower() + "x")))[0]


def test_advance_remembers_who_was_told() -> None:
    found = diff(EMPTY, round_of(A, B))
    seen = advance(found, [A.id])
    assert names(seen.untold) == ["B"]
    assert seen.told == {A.id}
    later = diff(seen, round_of())
    assert names(later.arrived) == ["B"]
    assert later.is_catch_up


@pytest.mark.parametrize(
    ("seen", "is_catch_up"),
    [
        pytest.param(EMPTY, False, id="news is no catching up"),
        pytest.param(OWED_A, True, id="something was owed"),
    ],
)
def test_catch_up(seen: Seen, is_catch_up: bool) -> None:
    assert diff(seen, round_of(B)).is_catch_up is is_catch_up


def test_a_quiet_round_leaves_the_same_objects() -> None:
    after = diff(TOLD_A, round_of()).seen
    assert after.known is TOLD_A.known
    assert after.unread is TOLD_A.unread


def test_pruning_is_bounded_and_forgets_no_recent_message() -> None:
    many = [mail(f"m{n}", n, read=True) for n in range(KNOWN_MAX_KEYS)]
    seen = diff(EMPTY, round_of(*many)).seen
    assert len(seen.known) <= KNOWN_KEPT_KEYS + 2
    assert seen.floor is not None
    newest = [replace(message, is_read=False) for message in many[-100:]]
    oldest = [replace(message, is_read=False) for message in many[:100]]
    assert diff(seen, round_of(*newest, *oldest)).arrived == ()


def test_pruning_keeps_what_is_owed_and_what_is_unread() -> None:
    seen = seen_of(OLD, untold=[OLD])
    many = [mail(f"m{n}", n, read=True) for n in range(KNOWN_MAX_KEYS)]
    found = diff(seen, round_of(*many))
    assert names(found.arrived) == ["old"]
    assert found.seen.unread_count == 1


@pytest.mark.parametrize("is_counted", [True, False])
def test_who_never_reads_is_remembered_by_the_newest_and_counted_right(is_counted: bool) -> None:
    many = [mail(f"m{n}", n) for n in range(UNREAD_MAX_MESSAGES)]
    seen = seen_of(OLD, *many, uncovered=7, untold=[OLD])
    total = UNREAD_MAX_MESSAGES + 9
    round_ = round_of(mail("next", UNREAD_MAX_MESSAGES), unread=total if is_counted else None)
    assert not is_unsettled(seen, round_)
    found = diff(seen, round_)
    assert names(found.arrived) == ["old", "next"]
    assert len(found.seen.unread) == UNREAD_KEPT_MESSAGES + 1
    assert found.seen.unread_count == total
    assert not is_unsettled(found.seen, round_of(unread=total))
    again = round_of(many[0], unread=total)
    assert diff(found.seen, again).arrived[1:] == found.arrived[1:]
    assert diff(found.seen, again).seen.unread_count == total
    read = diff(found.seen, round_of(became("m0", read=True), unread=total - 1))
    assert read.seen.unread_count == total - 1


@pytest.mark.parametrize(
    ("messages", "limit", "latest"),
    [
        pytest.param([A, C, B], 5, "CBA", id="newest first"),
        pytest.param([A, B, C], 2, "CB", id="at most so many"),
        pytest.param([A, Message(MessageId("X"))], 5, "A", id="not those with an id only"),
        pytest.param([], 5, "", id="none"),
    ],
)
def test_latest_unread(messages: list[Message], limit: int, latest: str) -> None:
    assert names(changes.latest_unread([seen_of(*messages)], limit)) == list(latest)


_IDS = st.sampled_from("abcd")
_ENTRIES = st.lists(
    st.one_of(
        st.builds(lambda name, read: mail(name, ord(name), read=read), _IDS, st.booleans()),
        st.builds(lambda name, read: became(name, read=read), _IDS, st.booleans()),
        st.builds(gone, _IDS),
    ),
    max_size=12,
)


@given(before=_ENTRIES, entries=_ENTRIES, full=st.booleans())
def test_a_round_answered_twice_changes_nothing(
    before: list[Message], entries: list[Message], full: bool
) -> None:
    start = diff(NO_BASELINE, round_of(*before, full=True)).seen
    delivery = round_of(*entries, full=full)
    first = diff(start, delivery)
    told = advance(first, [message.id for message in first.arrived])
    second = diff(told, delivery)
    assert second.arrived == ()
    assert second.retired == frozenset()
    assert second.seen.unread == told.unread
    assert second.seen.known.keys() == told.known.keys()


@given(rounds=st.lists(_ENTRIES, max_size=6))
def test_nobody_is_told_twice_and_nobody_read(rounds: list[list[Message]]) -> None:
    seen = diff(NO_BASELINE, round_of(full=True)).seen
    told: list[str] = []
    for entries in rounds:
        found = diff(seen, round_of(*entries))
        assert all(not message.is_read for message in found.arrived)
        told += names(found.arrived)
        seen = advance(found, [message.id for message in found.arrived])
    assert len(told) == len(set(told))
