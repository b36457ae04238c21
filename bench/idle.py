"""A poll that brings nothing: what almost every poll is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import process
from bench.runs import Peer

if TYPE_CHECKING:
    from bench.cloud import Traffic
    from bench.results import Results
    from bench.runs import Bench

CPU, BYTES, TOKENS = "idle poll, CPU ms", "idle poll, bytes", "idle poll, token requests"
OURS = "mailtray"
PLAIN = "plain loop"
PEERS = {
    PLAIN: ("plain_loop",),
    "plain loop with $select": ("plain_loop", "--select"),
    "python-O365": ("python_o365",),
    "raw socket": ("raw_socket",),
}
WARM_UP, POLLS = 20, 200


def measure(bench: Bench, results: Results) -> None:
    """Have everybody poll in turns, each started anew in each run."""
    bench.cloud.fill_inbox()
    home, cache = bench.signed_in(), bench.cloud.token_cache()
    for _ in range(bench.runs):
        for who, words in PEERS.items():
            with Peer(*words, env=bench.env, token_cache=cache) as peer:
                peer.poll(WARM_UP)
                before, cpu_s = bench.cloud.traffic(), process.cpu_s(peer.pid)
                peer.poll(POLLS)
                _note(bench, results, who, before, process.cpu_s(peer.pid) - cpu_s)
        with bench.mailtray(home, 0.001) as program:
            bench.let_poll(WARM_UP)
            before, cpu_s = bench.cloud.traffic(), process.cpu_s(program.pid)
            bench.let_poll(POLLS)
            _note(bench, results, OURS, before, process.cpu_s(program.pid) - cpu_s)


def _note(bench: Bench, results: Results, who: str, before: Traffic, cpu_s: float) -> None:
    spent = bench.cloud.traffic().since(before)
    results.add(CPU, who, 1000 * cpu_s / spent.graph)
    results.add(BYTES, who, spent.bytes / spent.graph)
    results.add(TOKENS, who, spent.token)
