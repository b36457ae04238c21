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
    from bench.runs import Bench, Mailtray

CPU, SHOWN = "poll with new mail, CPU ms", "check now to notification, ms"
SIZES = (1, 50, 1_000)
NOTHING = "0 new"
CHECKS = 10


def measure(bench: Bench, results: Results) -> None:
    """Deliver, and have it polled; each run with a mailbox of its own."""
    for run in range(bench.runs):
        username = f"arriving{run}@contoso.example"
        bench.cloud.simulator.cloud.add_account(username, "Arriving")
        home = bench.signed_in([username])
        with bench.mailtray(home) as program, BusWatch(bench.session.env) as bus:
            program.wait(event="polled")
            before_s = process.cpu_s(program.pid)
            for _ in range(CHECKS):
                program.check()
            spent_s = process.cpu_s(program.pid) - before_s
            results.add(CPU, NOTHING, 1000 * spent_s / CHECKS)
            for size in SIZES:
                _arrive(bench, results, (program, bus), (username, size))


def _arrive(
    bench: Bench, results: Results, there: tuple[Mailtray, BusWatch], what: tuple[str, int]
) -> None:
    (program, bus), (username, size) = there, what
    cloud = bench.cloud.simulator.cloud
    ids = cloud.deliver(username, count=size)
    cpu_s, start_s = process.cpu_s(program.pid), perf_counter()
    program.check()
    shown_s = bus.wait("Notify", start_s)
    program.wait_told(ids)
    results.add(SHOWN, new(size), 1000 * (shown_s - start_s))
    results.add(CPU, new(size), 1000 * (process.cpu_s(program.pid) - cpu_s))
    cloud.mark(ids, is_read=True)
    program.check()
    bench.session.run("dunstctl", "close-all")


def new(size: int) -> str:
    """Say how many came."""
    return f"{size:,} new"
