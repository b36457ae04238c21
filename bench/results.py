"""What was measured: values of each who, of one unit, in the order of the runs."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} processors, Python {platform.python_version()}"


@dataclass(slots=True)
class Results:
    """All measures of a run.

    Attributes:
        machine: Where it ran.
        measures: ``{measure: {who: [values]}}``; a measure's name ends with its unit.
    """

    machine: str = field(default_factory=_machine)
    measures: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, measure: str, who: str, value: float) -> None:
        """Note a value."""
        self.measures.setdefault(measure, {}).setdefault(who, []).append(round(value, 4))

    def values(self, measure: str, who: str) -> list[float]:
        """Return all values; raises ``KeyError`` where nothing was measured."""
        return self.measures[measure][who]

    def middle(self, measure: str, who: str) -> float:
        """Return the median; raises ``KeyError`` where nothing was measured."""
        return median(self.values(measure, who))

    def save(self, path: Path) -> None:
        """Write all as JSON."""
        content = {"machine": self.machine, "measures": self.measures}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Results:
    """Read what :meth:`Results.save` wrote."""
    return Results(**json.loads(path.read_text(encoding="utf-8")))


def spread(values: list[float]) -> str:
    """Say minimum, median and maximum."""
    return " / ".join(number(one) for one in (min(values), median(values), max(values)))


def number(value: float) -> str:
    """Write a number with three digits that count, or all before the point."""
    if value and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"
