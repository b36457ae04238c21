"""The long run: what grows, what is lost and what is repeated after months of use.

    python -m tests.soak [--examples N] [--messages N] [--polls N] [--seed N] [PART ...]

``model``   random lives of two mailboxes against a plain reference (tests/app/test_model.py)
``store``   messages through the comparison and the state file, which must stay small
``polls``   the real program at an interval of nothing, with mail coming, going and being read,
            tokens ending and the service failing: memory, descriptors, threads and files must
            stay as they are, and each message must be told once

Prints its figures and a verdict; ends with 1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from mailtray.adapters.system import SystemClock
from tests.app.test_model import TwoMailboxes
from tests.desktop.rig import DesktopSession
from tests.soak.figures import Figure
from tests.soak.polls import soak_polls
from tests.soak.store import soak_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PARTS = ("model", "store", "polls")


def soak_model(examples: int) -> Iterator[Figure]:
    """Play random lives; a fault is printed by Hypothesis and ends the run."""
    wish = settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(TwoMailboxes, settings=wish)
    yield Figure("model", "lives without a message lost or repeated", examples)


def soak(wish: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    """Yield the figures of the parts that were asked for."""
    if "model" in wish.parts:
        yield from soak_model(wish.examples)
    if "store" in wish.parts:
        yield from soak_store(folder / "state.db", wish.messages)
    if "polls" in wish.parts:
        with DesktopSession(display=False) as session:
            yield from soak_polls(folder, session, wish.polls, wish.seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--examples", type=int, default=5_000)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--polls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20_000)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    wish = parser.parse_args(arguments)
    wish.parts = wish.parts or PARTS
    clock = SystemClock()
    start_s, figures = clock.monotonic_s(), []
    with tempfile.TemporaryDirectory(prefix="mailtray-soak-") as folder:
        for figure in soak(wish, Path(folder)):
            figures.append(figure)
            say(str(figure))
    took_s = round(clock.monotonic_s() - start_s)
    broken = [figure for figure in figures if not figure.is_good]
    say(f"{'BROKEN: ' + str(len(broken)) + ' bounds' if broken else 'GOOD'} after {took_s} s")
    return 1 if broken else 0


def say(line: str) -> None:
    """Print a line at once, whoever reads it."""
    print(line, flush=True)  # noqa: T201 - the program's output


if __name__ == "__main__":
    sys.exit(main())
