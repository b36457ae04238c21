"""What the last day was like, hour by hour, as far as the running program knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

HOURS = 24
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour's counts.

    Attributes:
        starts: Its beginning, aware UTC.
        polls: Polls that read mail.
        arrivals: Messages that came with them.
        faults: Polls that read none.
    """

    starts: datetime
    polls: int = 0
    arrivals: int = 0
    faults: int = 0


class History:
    """The counts of the last :data:`HOURS` hours, the present one included; older ones are gone."""

    def __init__(self) -> None:
        self._hours: dict[datetime, Hour] = {}

    def note(self, at: datetime, *, polls: int = 0, arrivals: int = 0, faults: int = 0) -> None:
        """Count what happened at a time, aware UTC."""
        starts = _start_of(at)
        before = self._hours.get(starts, Hour(starts))
        self._hours[starts] = replace(
            before,
            polls=before.polls + polls,
            arrivals=before.arrivals + arrivals,
            faults=before.faults + faults,
        )
        # A clock that jumps ahead and back leaves hours of a time to come.
        kept = set(_starts(at))
        self._hours = {hour: one for hour, one in self._hours.items() if hour in kept}

    def hours(self, now: datetime) -> tuple[Hour, ...]:
        """Return the last :data:`HOURS` hours, oldest first, those in which nothing was too."""
        return tuple(self._hours.get(starts, Hour(starts)) for starts in _starts(now))


def _starts(now: datetime) -> list[datetime]:
    last = _start_of(now)
    return [last - ago * _HOUR for ago in reversed(range(HOURS))]


def _start_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
