"""Writes docs/performance.md and its plots from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import arriving, growing, idle, resting, starting, syncing
from bench.goals import GOALS
from bench.idle import OURS
from bench.results import number, spread
from bench.runs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.goals import Goal
    from bench.results import Results

DOCS = ROOT / "docs"
PAGE = DOCS / "performance.md"
WORDS = ROOT / "bench" / "performance.txt"
"""The page around the tables; each ``{name}`` stands where a table goes."""
OURS_COLOUR, OTHER_COLOUR = "#0b7285", "#adb5bd"
TABLES = {
    "idle": (idle.CPU, idle.BYTES, idle.TOKENS),
    "resting": (resting.PSS, resting.USS, resting.GROWTH, resting.WAKEUPS),
    "starting": (starting.ICON, starting.FIRST_POLL, starting.QUIT),
    "arriving": (arriving.CPU, arriving.SHOWN),
    "syncing": (syncing.REQUESTS, syncing.BYTES, syncing.PEAK, syncing.TIME),
    "growing": (
        growing.CPU_BY_ACCOUNTS, growing.USS_BY_ACCOUNTS, growing.CPU_BY_FOLDERS,
        growing.USS_BY_FOLDERS, syncing.IDLE_CPU, syncing.IDLE_USS,
    ),
}  # fmt: skip


def write(results: Results) -> None:
    """Write the page and the plots anew."""
    tables = {name: _table(results, measures) for name, measures in TABLES.items()}
    page = WORDS.read_text(encoding="utf-8").format(
        machine=results.machine, goals=_goals(results), **tables
    )
    PAGE.write_text(page, encoding="utf-8")
    _plot_idle(results)
    _plot_growth(results)


def _goals(results: Results) -> str:
    lines = ["| what | goal | measured | |", "| --- | --- | --- | --- |"]
    lines += [_goal(results, goal) for goal in GOALS]
    return "\n".join(lines)


def _goal(results: Results, goal: Goal) -> str:
    unit = f" {goal.unit}" if goal.unit and goal.unit != "x" else goal.unit
    try:
        found = goal.found(results)
    except KeyError:
        return f"| {goal.what} | ≤ {number(goal.limit)}{unit} | not measured | |"
    verdict = "met" if found <= goal.limit else f"**not met**: {goal.reason}"
    return f"| {goal.what} | ≤ {number(goal.limit)}{unit} | {number(found)}{unit} | {verdict} |"


def _table(results: Results, measures: tuple[str, ...]) -> str:
    lines = ["| | | minimum / median / maximum |", "| --- | --- | --- |"]
    return "\n".join([*lines, *_rows(results, measures)])


def _rows(results: Results, measures: tuple[str, ...]) -> Iterator[str]:
    for measure in measures:
        for who, values in results.measures.get(measure, {}).items():
            yield f"| {measure} | {who} | {spread(values)} |"


def _plot_idle(results: Results) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
    for axis, measure in zip(axes, (idle.CPU, idle.BYTES), strict=True):
        names = list(results.measures[measure])
        values = [results.middle(measure, who) for who in names]
        colours = [OURS_COLOUR if who == OURS else OTHER_COLOUR for who in names]
        bars = axis.barh(names, values, color=colours)
        axis.bar_label(bars, [number(one) for one in values], padding=3)
        axis.set_title(measure, fontsize=10)
        axis.margins(x=0.2)
        axis.spines[["top", "right"]].set_visible(False)
        axis.invert_yaxis()
    figure.savefig(DOCS / "performance-idle.svg", metadata={"Date": None})
    pyplot.close(figure)


def _plot_growth(results: Results) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 3, figsize=(9, 4.6), layout="constrained")
    for axis, measure in zip(
        axes.T.flat,
        (growing.CPU_BY_ACCOUNTS, growing.USS_BY_ACCOUNTS, growing.CPU_BY_FOLDERS,
         growing.USS_BY_FOLDERS, syncing.IDLE_CPU, syncing.IDLE_USS),
        strict=True,
    ):  # fmt: skip
        found = results.measures[measure]
        sizes = [int(who.split()[0].replace(",", "")) for who in found]
        axis.plot(sizes, [results.middle(measure, who) for who in found], "o-", color=OURS_COLOUR)
        axis.set_title(measure, fontsize=9)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(DOCS / "performance-growth.svg", metadata={"Date": None})
    pyplot.close(figure)
