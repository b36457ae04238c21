"""What the kernel knows of a process; see proc(5)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Megabytes (of 1,000,000 bytes) that a process holds.

    Attributes:
        pss_mb: Its own, and its share of what it shares with others.
        uss_mb: Its own alone: what its end would give back.
    """

    pss_mb: float
    uss_mb: float


def memory(pid: int) -> Memory:
    """Read what a process holds now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    held = {name: int(kb) for name, kb, *_ in map(str.split, lines)}
    own_kb = held["Private_Clean:"] + held["Private_Dirty:"]
    return Memory(held["Pss:"] * 1024 / 1e6, own_kb * 1024 / 1e6)


def peak_mb(pid: int) -> float:
    """Read the most that a process has held since :func:`forget_peak`, shared parts in full."""
    return _status(pid, "VmHWM:") * 1024 / 1e6


def held_mb(pid: int) -> float:
    """Read what a process holds now, shared parts in full."""
    return _status(pid, "VmRSS:") * 1024 / 1e6


def forget_peak(pid: int) -> None:
    """Let :func:`peak_mb` begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def cpu_s(pid: int) -> float:
    """Read the processor time of a process, in seconds, its ended threads' included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def wakeups(pid: int) -> int:
    """Read how often the threads of a process that live now have gone to sleep of their own."""
    return sum(
        _status(int(task.name), "voluntary_ctxt_switches:")
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def _status(pid: int, name: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(text.partition(name)[2].split(maxsplit=1)[0])
