"""The first look at a mailbox, and what its size costs afterwards."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from bench import process
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from bench.results import Results
    from bench.runs import Bench

REQUESTS, BYTES = "first sync, requests", "first sync, kB"
PEAK, TIME = "first sync, MB above nobody signed in", "first sync, s to the right count"
IDLE_CPU, IDLE_USS = "idle poll by mailbox size, CPU ms", "at rest by mailbox size, USS MB"
SIZES = (10, 1_000, 10_000, 60_000)
UNREAD_SHARE = 10
CHECKS = 20


def measure(bench: Bench, results: Results) -> None:
    """Meet mailboxes of each size, each for the first time."""
    cloud = bench.cloud.simulator.cloud
    for size in SIZES:
        username = f"size{size}@contoso.example"
        cloud.add_account(username, f"Size {size}")
        unread = max(1, size // UNREAD_SHARE)
        cloud.deliver(username, count=size - unread, is_read=True)
        cloud.deliver(username, count=unread)
        right = cloud.unread_count(username)
        with bench.mailtray(bench.home()) as program:
            wait_until(lambda: program.events, 30.0)
            process.forget_peak(program.pid)
            rest_mb = process.held_mb(program.pid)
            before, start_s = bench.cloud.traffic(), perf_counter()
            mark = program.mark()
            bench.sign_in(program, username)
            program.wait(mark, event="status", unread=right)
            spent = bench.cloud.traffic().since(before)
            results.add(TIME, told(size), perf_counter() - start_s)
            results.add(REQUESTS, told(size), spent.graph)
            results.add(BYTES, told(size), spent.bytes / 1000)
            results.add(PEAK, told(size), process.peak_mb(program.pid) - rest_mb)
            cpu_s = process.cpu_s(program.pid)
            for _ in range(CHECKS):
                program.check()
            results.add(IDLE_CPU, told(size), 1000 * (process.cpu_s(program.pid) - cpu_s) / CHECKS)
            results.add(IDLE_USS, told(size), process.memory(program.pid).uss_mb)


def told(size: int) -> str:
    """Say how large a mailbox is."""
    return f"{size:,} messages"
