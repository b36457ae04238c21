"""Runs the benchmarks.

    python -m bench [--runs N] [--save] [PART ...]     measure; with --save keep and write it down
    python -m bench check                              hold a new run against what is kept

Parts: idle, resting, starting, arriving, syncing, growing; all without any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from bench import arriving, check, growing, idle, report, resting, starting, syncing
from bench.cloud import BenchCloud
from bench.results import Results, load, spread
from bench.runs import ROOT, Bench
from tests.desktop.rig import DesktopSession

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = {
    "idle": idle.measure,
    "arriving": arriving.measure,
    "starting": starting.measure,
    "syncing": syncing.measure,
    "growing": growing.measure,
    "resting": resting.measure,
}
KEPT = ROOT / "bench" / "results.json"
RUNS = 5
CHECKED = ("idle", "starting")


def run(parts: Sequence[str], runs: int) -> Results:
    """Measure, each part on a desktop and with a Microsoft 365 of its own."""
    results = Results()
    for part in parts:
        start_s = perf_counter()
        with (
            tempfile.TemporaryDirectory(prefix="mailtray-bench-") as folder,
            BenchCloud(Path(folder)) as cloud,
            DesktopSession() as session,
        ):
            PARTS[part](Bench(cloud, session, Path(folder), runs), results)
        print(f"-- {part}: {perf_counter() - start_s:.0f} s", flush=True)
    return results


def show(results: Results) -> None:
    """Print all that was measured."""
    for measure, found in results.measures.items():
        print(f"\n{measure} (minimum / median / maximum)")
        for who, values in found.items():
            print(f"  {who:32} {spread(values)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--save", action="store_true")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], "check", *PARTS])
    wish = parser.parse_args(arguments)
    if wish.parts == ["check"]:
        return check.compare(load(KEPT), run(CHECKED, wish.runs))
    results = run(wish.parts or list(PARTS), wish.runs)
    show(results)
    if wish.save:
        results.save(KEPT)
        report.write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
