"""From the start to the icon and to the first poll, and from Quit to the end."""

from __future__ import annotations

import signal
import sys
from time import perf_counter
from typing import TYPE_CHECKING

from bench.bus import BusWatch
from bench.idle import OURS
from bench.resting import FLOOR, LIBRARIES
from bench.runs import resting
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from bench.results import Results
    from bench.runs import Bench

ICON, FIRST_POLL, QUIT = "start to icon, ms", "start to first poll, ms", "quit, ms"


def measure(bench: Bench, results: Results) -> None:
    """Start both in turns."""
    home = bench.signed_in()
    for _ in range(bench.runs):
        start_s = perf_counter()
        with resting([sys.executable, "-m", "bench.peers.import_floor", *LIBRARIES], bench.env):
            results.add(ICON, FLOOR, 1000 * (perf_counter() - start_s))
        with BusWatch(bench.session.env) as bus:
            _start(bench, results, home, bus)


def _start(bench: Bench, results: Results, home: Path, bus: BusWatch) -> None:
    before = bench.cloud.traffic()
    program = bench.mailtray(home)
    start_s = perf_counter()
    with program:
        wait_until(lambda: bench.cloud.traffic().since(before).delta, 30.0, 0.002)
        results.add(FIRST_POLL, OURS, 1000 * (perf_counter() - start_s))
        icon_s = bus.wait("StatusNotifierItemRegistered", start_s)
        results.add(ICON, OURS, 1000 * (icon_s - start_s))
        program.wait(event="polled")
        quit_s = perf_counter()
        program.kill(signal.SIGTERM)
        results.add(QUIT, OURS, 1000 * (perf_counter() - quit_s))
