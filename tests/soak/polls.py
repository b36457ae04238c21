"""Thousands of polls of the real program."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from statistics import mean, median_low
from typing import TYPE_CHECKING, NamedTuple

from mailtray.simulator import Fault, Simulator
from tests.desktop.rig import wait_until
from tests.e2e.program import Program
from tests.soak.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.desktop.rig import DesktopSession

HASTY = str(Path(__file__).with_name("hasty.py"))
SAMPLES = 40
MEMORY_MAX_KB = 2_000
FILES_MAX_BYTES = 5_000_000
KEPT_MESSAGES = 60
FAULTS = (
    Fault(path="delta", status=500, times=2),
    Fault(path="delta", status=503, times=1),
    Fault(path="delta", close="before", times=2),
    Fault(path="delta", close="body", times=1),
    Fault(path="delta", gzip_truncated=True, times=1),
    Fault(path="delta", status=200, body="<html>", times=1),
    Fault(path="mailFolders", status=429, headers={"Retry-After": "0"}, times=1),
    Fault(path="/token$", status=503, times=1),
)


class Sample(NamedTuple):
    """What the process holds at one moment.

    Attributes:
        own_kb: Memory that is no file's: what it has taken for itself.
        pss_kb: Its share of all memory; it grows when other processes end.
    """

    rss_kb: int
    own_kb: int
    pss_kb: int
    descriptors: int
    threads: int


def take_sample(pid: int) -> Sample:
    """Read what the kernel knows of a process."""
    process = Path(f"/proc/{pid}")
    lines = [line.split() for line in (process / "smaps_rollup").read_text().splitlines()[1:]]
    held = {line[0]: int(line[1]) for line in lines}
    return Sample(
        held["Rss:"],
        held["Anonymous:"],
        held["Pss:"],
        len(list((process / "fd").iterdir())),
        len(list((process / "task").iterdir())),
    )


class Weather:
    """What happens to the mailbox and the service meanwhile, by the dice.

    Attributes:
        delivered: All messages so far, oldest first.
    """

    def __init__(self, simulator: Simulator, program: Program, dice: random.Random) -> None:
        self._cloud, self._program, self._dice = simulator.cloud, program, dice
        self.delivered: list[str] = []
        self._present: list[str] = []

    def change(self) -> None:
        """Let one thing happen."""
        happenings = (self._deliver, self._deliver, self._read, self._clear, self._fail,
                      self._cloud.expire_access_tokens)  # fmt: skip
        self._dice.choice(happenings)()
        if self._dice.random() < 0.01:
            self._cloud.drop_sync_state()

    def _deliver(self) -> None:
        new = self._cloud.deliver(count=self._dice.choice([1, 1, 2, 5]))
        self.delivered += new
        self._present += new

    def _read(self) -> None:
        self._program.wait_told(self._present)
        some = [one for one in self._present if self._dice.random() < 0.3]
        self._cloud.mark(some, is_read=self._dice.random() < 0.8)

    def _clear(self) -> None:
        self._program.wait_told(self._present)
        old, self._present = self._present[:-KEPT_MESSAGES], self._present[-KEPT_MESSAGES:]
        self._cloud.delete(old)
        self._cloud.delete(old)

    def _fail(self) -> None:
        self._cloud.add_fault(self._dice.choice(FAULTS))

    def clear_up(self) -> None:
        """Let all faults end, and wait until everything is told."""
        self._cloud.clear_faults()
        self._program.wait_told(self.delivered)
        self._program.wait(self._program.mark(), event="polled", times=2)


def soak_polls(folder: Path, session: DesktopSession, polls: int, seed: int) -> Iterator[Figure]:
    """Poll so many times, and hold what the process has at the end against its younger self."""
    launcher, state = (sys.executable, "-P", HASTY), folder / "home" / "state"
    with Simulator() as simulator:
        program = Program(
            folder / "home", simulator.url, session.env, interval_s=0.001, launcher=launcher
        )
        with program:
            program.sign_in()
            weather = Weather(simulator, program, random.Random(seed))  # noqa: S311 - no secret
            samples = [_sample(program, weather, max(1, polls // SAMPLES)) for _ in range(SAMPLES)]
            weather.clear_up()
            code = program.kill(signal.SIGTERM)
        yield from _told(program, weather)
        yield from _growth(samples)
        wrong = abs(_last_unread(program) - simulator.cloud.unread_count())
        yield Figure("polls", "unread counted wrong", wrong, bound=0)
        refused = simulator.cloud.counts()["used_refresh_tokens_refused"]
        yield Figure("polls", "used refresh tokens shown", refused, bound=0)
        yield Figure("polls", "exit code", code, bound=0)
    files = {path.name: path.stat().st_size for path in state.iterdir()}
    yield Figure("polls", "state.db", files["state.db"], "B", FILES_MAX_BYTES)
    logs = sum(size for name, size in files.items() if ".log" in name)
    yield Figure("polls", "log files", logs, "B", FILES_MAX_BYTES)


def _ask_where_it_stands(program: Program) -> None:
    """Print what each of its threads is at."""
    said = len(program.output)
    os.kill(program.pid, signal.SIGUSR1)
    wait_until(lambda: any("most recent call first" in line for line in program.output[said:]))
    print(*program.output[said:], sep="\n")  # noqa: T201 - the program's output


def _sample(program: Program, weather: Weather, polls: int) -> Sample:
    """Let a share of the polls pass, and look at the process."""
    mark = program.mark()
    try:
        for _ in range(max(1, polls // 10)):
            weather.change()
            program.wait(program.mark(), event="polled", times=8)
        while (done := _count(program, mark)) < polls:
            program.wait(program.mark(), event="polled", times=min(100, polls - done))
    except AssertionError:
        _ask_where_it_stands(program)
        raise
    return take_sample(program.pid)


def _count(program: Program, mark: int = 0, event: str = "polled") -> int:
    return sum(e["event"] == event for e in program.events[mark:])


def _last_unread(program: Program) -> int:
    return int([e for e in program.events if e["event"] == "status"][-1]["unread"])


def _told(program: Program, weather: Weather) -> Iterator[Figure]:
    told = program.told()
    yield Figure("polls", "polls", _count(program))
    yield Figure("polls", "polls that failed", _count(program, event="failed"))
    yield Figure("polls", "messages", len(weather.delivered))
    yield Figure("polls", "lost", len(set(weather.delivered) - told.keys()), bound=0)
    yield Figure("polls", "repeated", told.total() - len(told), bound=0)


def _growth(samples: list[Sample]) -> Iterator[Figure]:
    size = len(samples) // 4
    quarters = [samples[n * size : (n + 1) * size] for n in range(4)]
    memory = (
        ("RSS", "rss_kb", MEMORY_MAX_KB),
        ("own", "own_kb", MEMORY_MAX_KB),
        ("PSS", "pss_kb", None),
    )
    for name, field, bound in memory:
        means = [round(mean(getattr(one, field) for one in quarter)) for quarter in quarters]
        for n, held in enumerate(means, start=1):
            yield Figure("polls", f"{name} in quarter {n}", held, "kB")
        yield Figure(
            "polls", f"{name} more in the last than in the second", means[3] - means[1], "kB", bound
        )
    for name in ("descriptors", "threads"):
        # One may be open for a moment, a journal say; what leaks is there in all samples.
        then, now = (median_low(getattr(one, name) for one in quarters[n]) for n in (1, 3))
        yield Figure("polls", f"{name} in the second quarter", then)
        yield Figure("polls", f"{name} more in the last", now - then, "", 0)
