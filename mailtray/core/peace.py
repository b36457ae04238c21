"""When the person is left in peace, why, and until when.

What arrives meanwhile is not lost: it stays untold, and is told as one summary afterwards.

All local times are aware. Hours of the clock are turned into moments by the zone that the caller's
time bears, so that a night in which the clocks change is quiet from its first hour to its last;
an hour that the clock shows twice is quiet both times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MINUTES_A_DAY = 1_440
MORNING = time(8)
"""When a pause "until tomorrow" ends."""
NIGHT_ENDS_AT = time(4)
"""Before this time a person who says "tomorrow" means the day that has begun."""
PAUSE_MAX = timedelta(days=7)
LOOK_AHEAD_DAYS = 8
"""Quiet that lasts for all of a week never ends by itself."""

TOMORROW, UNTIL_RESUMED, RESUMED = "tomorrow", "forever", "off"
_SPAN = re.compile(r"([1-9]\d{0,4})(m|h)")


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that the person asked for.

    Attributes:
        until: When it ends, aware, or ``None``: when the person says so.
    """

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours that are quiet on some weekdays.

    Attributes:
        days: The weekdays on which they begin, 0 being Monday.
        start_min: When they begin, in minutes since midnight.
        end_min: When they end; at ``start_min`` or before it on the next day.
    """

    days: frozenset[int]
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Presence:
    """What the desktop tells of the person; what it does not tell is False."""

    is_do_not_disturb: bool = False
    is_locked: bool = False


class Why(StrEnum):
    """Why it is quiet; the values are those that other programs are told."""

    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    DO_NOT_DISTURB = "do_not_disturb"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Quiet:
    """The person is left in peace.

    Attributes:
        until: When to look again at the latest, aware; ``None`` where nobody knows.
    """

    why: Why
    until: datetime | None = None


def quiet(
    now: datetime, pause: Pause | None, quiet_hours: Collection[QuietHours], presence: Presence
) -> Quiet | None:
    """Say whether the person is to be left in peace, or return ``None``.

    What the person said themselves comes first, then what ends at a known time.

    Args:
        now: The time, aware, in the person's zone.
        pause: The pause that was asked for, even where it is over.
        quiet_hours: Those that the person wishes for.
        presence: What the desktop tells.
    """
    if pause is not None and (pause.until is None or not _is_over(pause.until, now)):
        return Quiet(Why.PAUSED, pause.until)
    hours = _hours_around(now, quiet_hours)
    if hours is not None:
        return Quiet(Why.QUIET_HOURS, hours)
    if presence.is_do_not_disturb:
        return Quiet(Why.DO_NOT_DISTURB)
    return Quiet(Why.LOCKED) if presence.is_locked else None


def next_quiet_hours(now: datetime, quiet_hours: Collection[QuietHours]) -> datetime | None:
    """Return when quiet hours begin next, or ``None``."""
    starts = (start for start, _end in _periods(now, quiet_hours) if not _is_over(start, now))
    return min(starts, default=None, key=_moment)


def pause_for(wish: str, now: datetime) -> Pause:
    """Return the pause that a wish stands for: ``30m``, ``2h``, ``tomorrow`` or ``forever``.

    Args:
        wish: How long.
        now: The time, aware, in the person's zone.

    Raises:
        ValueError: It is none of these, or longer than ``PAUSE_MAX``.
    """
    word = wish.strip().lower()
    if word == UNTIL_RESUMED:
        return Pause()
    if word == TOMORROW:
        days = 0 if now.time() < NIGHT_ENDS_AT else 1
        return Pause(_at(now, days, MORNING.hour * 60))
    span = _SPAN.fullmatch(word)
    minutes = 0 if span is None else int(span[1]) * (60 if span[2] == "h" else 1)
    if not 0 < minutes <= PAUSE_MAX // timedelta(minutes=1):
        days = PAUSE_MAX // timedelta(days=1)
        raise ValueError(
            _(
                "must be minutes (30m) or hours (2h) up to {days} days, {tomorrow} or {forever}"
            ).format(days=days, tomorrow=TOMORROW, forever=UNTIL_RESUMED)
        )
    return Pause((_moment(now) + timedelta(minutes=minutes)).astimezone(now.tzinfo))


def _hours_around(now: datetime, quiet_hours: Collection[QuietHours]) -> datetime | None:
    """Return the end of the quiet hours that it is now, those that follow at once included."""
    end = now
    for start, its_end in sorted(_periods(now, quiet_hours), key=lambda one: _moment(one[0])):
        if _is_over(start, end) and not _is_over(its_end, end):
            end = its_end
    return None if end is now else end


def _periods(
    now: datetime, quiet_hours: Collection[QuietHours]
) -> Iterator[tuple[datetime, datetime]]:
    for days in range(-1, LOOK_AHEAD_DAYS):
        weekday = (now.weekday() + days) % 7
        for one in quiet_hours:
            if weekday in one.days:
                is_overnight = one.end_min <= one.start_min
                end = _at(now, days + is_overnight, one.end_min)
                # Of an hour that is shown twice the second, of one left out what comes after it.
                yield (
                    _at(now, days, one.start_min),
                    max(end, end.replace(fold=1), key=_moment),
                )


def _at(now: datetime, days: int, minutes: int) -> datetime:
    """Return what the clock will show so many days after ``now``, so many minutes past midnight."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    # Between times of one zone this is arithmetic on the clock's face, which is what is meant.
    return day + timedelta(days=days, minutes=minutes)


def _moment(at: datetime) -> datetime:
    # Python compares times of one zone by the clock's face, which goes back once a year.
    return at.astimezone(UTC)


def _is_over(at: datetime, now: datetime) -> bool:
    return _moment(at) <= _moment(now)
