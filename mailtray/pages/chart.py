"""A chart of the last day, as numbers for a template to draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailtray.core.language import N_, Sentence, _

BAR_WIDTH, BAR_PITCH = 20, 25
ROW_HEIGHT = 34
LEAST_BAR = 3
"""Heights and widths are the drawing's own units; even one fault is to be seen."""
_ROWS: tuple[tuple[str, Sentence], ...] = (
    ("polls", N_("Looks for mail")),
    ("arrivals", N_("Messages")),
    ("faults", N_("Faults")),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of a row.

    Attributes:
        x: Where it begins.
        height: How high it is; 0 where there is nothing.
        words: What it says, for a pointer that rests on it.
    """

    x: int
    height: int
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of count over the hours.

    Attributes:
        name: The kind, for the style sheet.
        label: What it is called.
        total: The sum of its counts.
    """

    name: str
    label: str
    total: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole drawing.

    Attributes:
        width: Of each row.
        height: Of each row.
        bar: Width of a bar.
        hours: When the first hour begins and the last, as the person's clock shows it.
        table: Each hour with its counts, newest first, those in which something happened.
    """

    rows: tuple[Row, ...]
    width: int
    height: int
    bar: int
    hours: tuple[str, str]
    table: tuple[tuple[str, int, int, int], ...]


def chart(hours: Any) -> Chart:  # noqa: ANN401 - as JSON
    """Return the drawing of the running program's hours; see ``app.answers.history``."""
    clocks = [f"{datetime.fromisoformat(one['starts']).astimezone():%H:%M}" for one in hours]
    rows = []
    for name, label in _ROWS:
        counts = [int(one[name]) for one in hours]
        most = max(counts, default=0)
        bars = tuple(
            Bar(
                x=place * BAR_PITCH,
                height=max(LEAST_BAR, round(ROW_HEIGHT * count / most)) if count else 0,
                words=_("{time}: {count}").format(time=clock, count=count),
            )
            for place, (clock, count) in enumerate(zip(clocks, counts, strict=True))
        )
        rows.append(Row(name, _(label), sum(counts), bars))
    kinds = [name for name, _label in _ROWS]
    table = [
        (clock, *(int(one[name]) for name in kinds))
        for clock, one in zip(clocks, hours, strict=True)
        if any(one[name] for name in kinds)
    ]
    return Chart(
        rows=tuple(rows),
        width=len(clocks) * BAR_PITCH,
        height=ROW_HEIGHT,
        bar=BAR_WIDTH,
        hours=(clocks[0], clocks[-1]),
        table=tuple(reversed(table)),  # type: ignore[arg-type] # three kinds, three counts
    )
