"""What came since the person last looked."""

from __future__ import annotations

from mailtray.app.commands import CheckNow, Clicked, Looked, OpenMailbox
from tests.app.rig import ANN, BEN, Rig


def rig_with(*names: str, icon_count: str = "unread") -> Rig:
    """Return a rig whose Ann had "old" unread when it began, and was then sent more."""
    rig = Rig(ANN, icon_count=icon_count)
    rig.box().deliver("old")
    rig.do()
    rig.box().deliver(*names)
    rig.check()
    return rig


def first_line(rig: Rig) -> str:
    return rig.view.tooltip.splitlines()[0].rpartition(" · ")[0]


def test_what_was_there_at_the_beginning_is_not_new() -> None:
    assert first_line(rig_with()) == "1 unread"


def test_what_came_is_new_until_the_menu_is_opened() -> None:
    rig = rig_with("a", "b")
    assert first_line(rig) == "2 new · 3 unread"
    rig.do(Looked())
    assert first_line(rig) == "3 unread"
    rig.box().deliver("c")
    rig.check()
    assert first_line(rig) == "1 new · 4 unread"


def test_opening_the_mailbox_or_a_notification_is_looking() -> None:
    rig = rig_with("a")
    rig.do(OpenMailbox())
    assert first_line(rig) == "2 unread"
    rig.box().deliver("b")
    rig.check()
    assert first_line(rig) == "1 new · 3 unread"
    rig.do(Clicked(rig.notifier.shown[-1]))
    assert first_line(rig) == "3 unread"


def test_what_is_read_elsewhere_is_not_new_within_a_poll() -> None:
    rig = rig_with("a", "b")
    rig.box().mark("a", is_read=True)
    rig.check()
    assert first_line(rig) == "1 new · 2 unread"


def test_the_icon_counts_what_is_wished() -> None:
    assert rig_with("a", "b").view.count == 3
    rig = rig_with("a", "b", icon_count="new")
    assert rig.view.count == 2
    rig.do(Looked())
    assert rig.view.count == 0
    assert rig.ask("status").get_nowait()["unread"] == 3


def test_a_look_while_a_poll_is_on_its_way_counts() -> None:
    rig = rig_with("a")
    rig.box().deliver("b")
    rig.poller.step(CheckNow())
    rig.poller.step(Looked())
    rig.settle()
    assert first_line(rig) == "1 new · 3 unread"


def test_a_restart_does_not_make_news_of_what_was_looked_at() -> None:
    rig = rig_with("a")
    rig.do(Looked())
    rig.box().deliver("b")
    rig.check()
    later = Rig(before=rig)
    later.do()
    assert first_line(later) == "1 new · 3 unread"


def test_what_could_not_be_told_is_new_all_the_same() -> None:
    rig = Rig(ANN)
    rig.do()
    rig.notifier.shows_left = 0
    rig.box().deliver("a")
    rig.check()
    assert first_line(rig) == "1 new · 1 unread"


def test_each_account_has_its_own() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    rig.box(ANN).deliver("a", "b")
    rig.box(BEN).deliver("c")
    rig.check()
    lines = rig.view.tooltip.splitlines()
    assert lines[0] == "3 new · 3 unread"
    assert lines[1].startswith("ann@example.test: 2 new · 2 unread")
    accounts = rig.ask("status").get_nowait()["accounts"]
    assert isinstance(accounts, list)
    assert [one["new"] for one in accounts] == [2, 1]
