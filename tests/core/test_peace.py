"""When it is quiet, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailtray.core.peace import (
    Pause,
    Presence,
    Quiet,
    QuietHours,
    Why,
    next_quiet_hours,
    pause_for,
    quiet,
)

ZONE = ZoneInfo("Europe/Berlin")
EVERY_DAY, WEEKDAYS, WEEKEND = frozenset(range(7)), frozenset(range(5)), frozenset({5, 6})
NIGHTS = QuietHours(EVERY_DAY, 22 * 60, 7 * 60)
WORK_NIGHTS = QuietHours(WEEKDAYS, 22 * 60, 7 * 60)
LUNCH = QuietHours(WEEKDAYS, 12 * 60, 13 * 60)
FREE_DAYS = QuietHours(WEEKEND, 0, 24 * 60)
ALWAYS = QuietHours(EVERY_DAY, 0, 24 * 60)
HERE = Presence()


def local(text: str, *, fold: int = 0) -> datetime:
    """Return a time in Berlin; 2026-03-02 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE, fold=fold)


@pytest.mark.parametrize(
    ("now", "hours", "until"),
    [
        pytest.param("2026-03-02 21:59", [NIGHTS], None, id="a minute before"),
        pytest.param("2026-03-02 22:00", [NIGHTS], "2026-03-03 07:00", id="at the first minute"),
        pytest.param("2026-03-03 00:30", [NIGHTS], "2026-03-03 07:00", id="after midnight"),
        pytest.param("2026-03-03 06:59", [NIGHTS], "2026-03-03 07:00", id="the last minute"),
        pytest.param("2026-03-03 07:00", [NIGHTS], None, id="at the end"),
        pytest.param("2026-03-02 12:30", [LUNCH], "2026-03-02 13:00", id="within a day"),
        pytest.param("2026-03-07 12:30", [LUNCH], None, id="on another weekday"),
        pytest.param(
            "2026-03-07 03:00", [WORK_NIGHTS], "2026-03-07 07:00", id="Friday's night on Saturday"
        ),
        pytest.param("2026-03-02 03:00", [WORK_NIGHTS], None, id="Sunday's night is not Monday's"),
        pytest.param("2026-03-07 09:00", [FREE_DAYS], "2026-03-09 00:00", id="two days are one"),
        pytest.param(
            "2026-03-06 23:00",
            [FREE_DAYS, WORK_NIGHTS],
            "2026-03-09 00:00",
            id="a night that runs into the weekend",
        ),
        pytest.param(
            "2026-03-02 12:00",
            [LUNCH, QuietHours(WEEKDAYS, 12 * 60 + 30, 14 * 60)],
            "2026-03-02 14:00",
            id="hours that overlap",
        ),
        pytest.param(
            "2026-03-02 08:00",
            [QuietHours(frozenset({0}), 480, 480)],
            "2026-03-03 08:00",
            id="the whole round of the clock",
        ),
    ],
)
def test_quiet_hours(now: str, hours: list[QuietHours], until: str | None) -> None:
    expected = None if until is None else Quiet(Why.QUIET_HOURS, local(until))
    assert quiet(local(now), None, hours, HERE) == expected


def test_quiet_that_never_ends_ends_far_ahead() -> None:
    now = local("2026-03-02 12:00")
    found = quiet(now, None, [ALWAYS], HERE)
    assert found is not None
    assert found.until is not None
    assert found.until - now > timedelta(days=7)


@pytest.mark.parametrize(
    ("now", "hours", "lasts_h"),
    [
        pytest.param(local("2026-03-28 22:00"), NIGHTS, 8, id="the night that lacks an hour"),
        pytest.param(local("2026-10-24 22:00"), NIGHTS, 10, id="the night with one more"),
        pytest.param(
            local("2026-10-25 02:10"), QuietHours(EVERY_DAY, 120, 150), 1 + 20 / 60, id="first 2:10"
        ),
        pytest.param(
            local("2026-10-25 02:10", fold=1),
            QuietHours(EVERY_DAY, 120, 150),
            20 / 60,
            id="second 2:10",
        ),
        pytest.param(
            local("2026-03-29 01:30"), QuietHours(EVERY_DAY, 60, 150), 1, id="an end left out"
        ),
    ],
)
def test_nights_in_which_the_clocks_change(
    now: datetime, hours: QuietHours, lasts_h: float
) -> None:
    found = quiet(now, None, [hours], HERE)
    assert found is not None
    assert found.until is not None
    lasts = found.until.astimezone(UTC) - now.astimezone(UTC)
    assert lasts == timedelta(hours=lasts_h)


@pytest.mark.parametrize(
    ("now", "hours", "start"),
    [
        pytest.param("2026-03-02 21:00", [NIGHTS], "2026-03-02 22:00", id="tonight"),
        pytest.param("2026-03-02 22:00", [NIGHTS], "2026-03-03 22:00", id="not the present ones"),
        pytest.param("2026-03-07 12:00", [LUNCH, WORK_NIGHTS], "2026-03-09 12:00", id="first"),
        pytest.param("2026-03-02 21:00", [], None, id="never"),
    ],
)
def test_the_next_quiet_hours(now: str, hours: list[QuietHours], start: str | None) -> None:
    assert next_quiet_hours(local(now), hours) == (None if start is None else local(start))


@pytest.mark.parametrize(
    ("pause", "hours", "presence", "found"),
    [
        pytest.param(None, [], HERE, None, id="nothing"),
        pytest.param(Pause(), [], HERE, Quiet(Why.PAUSED), id="paused until resumed"),
        pytest.param(
            Pause(local("2026-03-02 12:30")),
            [],
            HERE,
            Quiet(Why.PAUSED, local("2026-03-02 12:30")),
            id="paused for a while",
        ),
        pytest.param(Pause(local("2026-03-02 12:00")), [], HERE, None, id="a pause that is over"),
        pytest.param(
            Pause(local("2026-03-02 12:00")),
            [LUNCH],
            HERE,
            Quiet(Why.QUIET_HOURS, local("2026-03-02 13:00")),
            id="over, but it is lunchtime",
        ),
        pytest.param(Pause(), [LUNCH], HERE, Quiet(Why.PAUSED), id="the person's word first"),
        pytest.param(
            None,
            [],
            Presence(is_do_not_disturb=True, is_locked=True),
            Quiet(Why.DO_NOT_DISTURB),
            id="not to be disturbed",
        ),
        pytest.param(None, [], Presence(is_locked=True), Quiet(Why.LOCKED), id="away"),
    ],
)
def test_which_reason_counts(
    pause: Pause | None, hours: list[QuietHours], presence: Presence, found: Quiet | None
) -> None:
    assert quiet(local("2026-03-02 12:00"), pause, hours, presence) == found


@pytest.mark.parametrize(
    ("now", "wish", "until"),
    [
        pytest.param("2026-03-02 12:00", "30m", "2026-03-02 12:30", id="minutes"),
        pytest.param("2026-03-02 23:30", " 2H ", "2026-03-03 01:30", id="hours past midnight"),
        pytest.param("2026-03-29 01:30", "1h", "2026-03-29 03:30", id="past a missing hour"),
        pytest.param("2026-03-02 12:00", "tomorrow", "2026-03-03 08:00", id="tomorrow"),
        pytest.param("2026-03-03 00:30", "tomorrow", "2026-03-03 08:00", id="late in the night"),
        pytest.param("2026-03-03 04:00", "tomorrow", "2026-03-04 08:00", id="early in the morning"),
        pytest.param("2026-03-28 12:00", "tomorrow", "2026-03-29 08:00", id="the clocks change"),
        pytest.param("2026-03-02 12:00", "forever", None, id="until resumed"),
    ],
)
def test_pause_for(now: str, wish: str, until: str | None) -> None:
    assert pause_for(wish, local(now)) == Pause(None if until is None else local(until))


@pytest.mark.parametrize("wish", ["", "0m", "30", "soon", "-5m", "1.5h", "169h", "99999m", "1d"])
def test_a_wish_that_is_none_is_told_the_right_ones(wish: str) -> None:
    with pytest.raises(ValueError, match=r"30m.*2h.*7 days, tomorrow or forever"):
        pause_for(wish, local("2026-03-02 12:00"))
