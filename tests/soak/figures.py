"""What was measured, and the bound it is held to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One number of a run; ``bound`` is the largest that is good, ``None`` where none is set."""

    part: str
    name: str
    value: float
    unit: str = ""
    bound: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether the bound is kept."""
        return self.bound is None or self.value <= self.bound

    def __str__(self) -> str:
        number = f"{self.value:,.0f}" if float(self.value).is_integer() else f"{self.value:,.2f}"
        bound = "" if self.bound is None else f"  (at most {self.bound:g})"
        verdict = "" if self.is_good else "  BROKEN"
        return f"{self.part:6} {self.name:48} {number:>12} {self.unit:3}{bound}{verdict}"
