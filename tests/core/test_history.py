"""What is counted of the last day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailtray.core.history import HOURS, History, Hour

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_what_happens_in_an_hour_is_counted_together() -> None:
    history = History()
    history.note(NOON + timedelta(minutes=3), polls=1, arrivals=2)
    history.note(NOON + timedelta(minutes=59, seconds=59), polls=1)
    history.note(NOON + timedelta(minutes=30), faults=1)
    hours = history.hours(NOON + timedelta(minutes=59))
    assert len(hours) == HOURS
    assert hours[-1] == Hour(NOON, polls=2, arrivals=2, faults=1)
    assert sum(one.polls for one in hours) == 2


def test_hours_without_anything_are_there_and_in_order() -> None:
    hours = History().hours(NOON)
    assert [one.starts for one in hours] == [NOON - ago * HOUR for ago in reversed(range(HOURS))]
    assert {(one.polls, one.arrivals, one.faults) for one in hours} == {(0, 0, 0)}


def test_what_is_a_day_old_is_gone() -> None:
    history = History()
    history.note(NOON, polls=1)
    assert history.hours(NOON + 23 * HOUR)[0].polls == 1
    assert not any(one.polls for one in history.hours(NOON + 24 * HOUR))


def test_it_keeps_a_day_however_long_it_counts() -> None:
    history = History()
    for hour in range(1000):
        history.note(NOON + hour * HOUR, polls=1)
    assert len(history._hours) == HOURS


def test_a_clock_that_was_ahead_leaves_nothing_behind() -> None:
    history = History()
    history.note(NOON + 100 * HOUR, faults=1)
    history.note(NOON, polls=1)
    assert [one for one in history.hours(NOON) if one.polls or one.faults] == [Hour(NOON, polls=1)]
    assert len(history._hours) == 1
