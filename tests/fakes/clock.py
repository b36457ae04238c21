"""A clock that moves when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class FakeClock:
    """A ``Clock`` that stands still between calls of :meth:`advance` and :meth:`jump`.

    Attributes:
        fixed_dice: What :meth:`dice` returns; one half makes all jitter vanish.
    """

    def __init__(self, start: datetime = START, *, dice: float = 0.5) -> None:
        self._now = start
        self._monotonic_s = 1_000.0
        self.fixed_dice = dice

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def dice(self) -> float:
        return self.fixed_dice

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._monotonic_s += seconds
        self._now += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as sleep or a corrected clock does; backwards too."""
        self._now += timedelta(seconds=seconds)
