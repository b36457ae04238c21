"""Lives in which a message was once missed or a number was wrong, kept as they were found."""

from __future__ import annotations

from tests.app.rig import ANN, Rig


def with_old_mail() -> Rig:
    """Return a program past its baseline, with an unread message beneath the floor."""
    rig = Rig(ANN)
    rig.box().first_sync_messages = 2
    rig.box().deliver("beneath", "old1", "old2")
    rig.do()
    return rig


def test_an_old_message_read_in_the_same_round_hides_no_new_one() -> None:
    rig = with_old_mail()
    rig.box().deliver("A")
    rig.box().move_out("A")
    rig.box().move_in("A")
    rig.box().mark("beneath", is_read=True)
    rig.check()
    assert dict(rig.told()) == {"A": 1}
    assert rig.view.count == 3


def test_a_message_still_owed_that_went_and_came_back_is_told() -> None:
    rig = with_old_mail()
    rig.notifier.shows_left = 0
    rig.box().deliver("A")
    rig.check()
    rig.box().move_out("A")
    rig.box().move_in("A")
    rig.box().mark("beneath", is_read=True)
    rig.check()
    rig.notifier.shows_left = None
    rig.check()
    assert dict(rig.told()) == {"A": 1}


def test_a_message_that_came_went_and_came_back_in_one_round_is_told() -> None:
    rig = with_old_mail()
    rig.box().habits.forgets_returns = False
    rig.box().habits.repeats = True
    rig.box().deliver("A")
    rig.box().move_out("A")
    rig.box().move_in("A")
    rig.check()
    assert dict(rig.told()) == {"A": 1}


def test_more_unread_than_a_listing_holds_and_a_wrong_number() -> None:
    rig = Rig(ANN)
    rig.box().deliver(*(f"old{n}" for n in range(80)))
    rig.do()
    rig.box().mark("old0", is_read=True)
    rig.box()._journal.clear()  # the server never tells of it
    rig.check()
    assert rig.view.count == 79
    asked = rig.box().calls.count("list_unread")
    rig.check()
    assert rig.box().calls.count("list_unread") == asked


def test_a_message_marked_unread_in_part_keeps_its_sender_and_subject() -> None:
    rig = with_old_mail()
    rig.notifier.shows_left = 0
    rig.box().deliver("A")
    rig.check()
    rig.box().move_out("A")
    rig.box().move_in("A")
    rig.box().mark("A", is_read=False)
    rig.notifier.shows_left = None
    rig.check()
    assert [shown.body for shown in rig.notifier.shown] == ["Subject of A"]


def test_a_full_round_that_ends_among_messages_of_one_minute() -> None:
    rig = Rig(ANN)
    rig.box().first_sync_messages = 2
    rig.box().deliver("a", "b", "c", minute=1)
    rig.do()
    rig.box().deliver("A", minute=1)
    rig.box().drop_sync_state()
    rig.check()
    assert dict(rig.told()) == {"A": 1}
