"""Holds a new run against the one that is kept, before a release.

Only ratios of one run are compared, of measures that noise moves little; half as much again is
more than a shared machine's noise was seen to make of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.goals import GOALS
from bench.results import number

if TYPE_CHECKING:
    from bench.results import Results

TOLERANCE = 1.5


def compare(kept: Results, new: Results) -> int:
    """Print what both say; return 1 where a ratio has become too large."""
    worse = 0
    for goal in GOALS:
        try:
            was, now = goal.found(kept), goal.found(new)
        except KeyError:
            continue
        if goal.unit not in {"x", ""}:
            continue
        is_worse = now > max(was * TOLERANCE, 0.0)
        worse += is_worse
        verdict = "WORSE" if is_worse else "good"
        print(f"{goal.what:48} kept {number(was):>6}  now {number(now):>6}  {verdict}")
    return 1 if worse else 0
