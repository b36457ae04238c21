"""Mail that comes: what a poll with it costs, and how soon it is on the screen.

The time is from "Check now" to the call that shows the notification, with the request to Graph
in between; so it is never less than the time from the poll's answer to the screen.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from bench import process
from bench.bus import BusWatch

if TYPE_CHECKING:
    from bench.results import Results
    from bench.runs import Bench

CPU, SHOWN = "poll with new mail, CPU ms", "check now to notification, ms"
SIZES = (1, 50, 1_000)
NOTHING = "0 new"


def measure(bench: Bench, results: Results) -> None:
    """Deliver, and have it polled."""
    home = bench.signed_in()
    with bench.mailtray(home) as program, BusWatch(bench.session.env) as bus:
        program.wait(event="polled")
        for _ in range(bench.runs):
            before_s = process.cpu_s(program.pid)
            for _ in range(10):
                program.check()
            results.add(CPU, NOTHING, 100 * (process.cpu_s(program.pid) - before_s))
            for size in SIZES:
                ids = bench.cloud.simulator.cloud.deliver(count=size)
                cpu_s, start_s = process.cpu_s(program.pid), perf_counter()
                program.check()
                shown_s = bus.wait("Notify", start_s)
                program.wait_told(ids)
                results.add(SHOWN, new(size), 1000 * (shown_s - start_s))
                results.add(CPU, new(size), 1000 * (process.cpu_s(program.pid) - cpu_s))
                bench.cloud.simulator.cloud.mark(ids, is_read=True)
                program.check()
                bench.session.run("dunstctl", "close-all")


def new(size: int) -> str:
    """Say how many came."""
    return f"{size:,} new"
