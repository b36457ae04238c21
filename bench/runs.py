"""Those who are measured, as processes: mailtray on its desktop, and its peers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from bench.cloud import USERNAME
from mailtray import bootstrap
from mailtray.bootstrap import Options
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.company_network import OfficeProgram
from tests.e2e.person import browser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.cloud import BenchCloud

HASTY = (sys.executable, "-P", str(Path(__file__).with_name("hasty.py")))
AS_USERS_HAVE_IT = ("--tray", "auto", "--notifier", "auto")
ROOT = Path(__file__).resolve().parent.parent
LONG_S = 600.0
"""What takes so long has failed."""
HOUR_S = 3600.0
"""An interval in which nobody polls by the clock."""


class Mailtray(OfficeProgram):
    """The program as its user has it: tray, notifications and keyring of a desktop.

    Args:
        home: Its home; the sign-in stays in the session's keyring under its name.
        env: The desktop session's and the cloud's.
        interval_s: Between two polls.
    """

    def __init__(self, home: Path, env: Mapping[str, str], interval_s: float) -> None:
        super().__init__(home, env)
        self.launcher = HASTY
        self._options = AS_USERS_HAVE_IT
        self._interval = ("--interval", str(interval_s))

    def check(self) -> None:
        """Have all accounts polled now, and wait for it; costs one request of the socket."""
        bootstrap.ask(Options(home=self.home), {"command": "check"}, timeout_s=LONG_S)

    def modules(self) -> list[str]:
        """Return the names of the modules it has loaded."""
        told = Path(self._env["BENCH_MODULES"])
        told.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR2)
        return wait_until(lambda: told.read_text().split() if told.exists() else None)


class Peer:
    """One of :mod:`bench.peers`, from its start to its end."""

    def __init__(self, name: str, *options: str, env: Mapping[str, str], token_cache: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"bench.peers.{name}", *options],
            env={**os.environ, **env},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say(token_cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe(self._process.stdin).close()
        self._process.wait(LONG_S)
        self._pipe(self._process.stdout).close()

    @property
    def pid(self) -> int:
        """Return the process's number."""
        return self._process.pid

    def poll(self, times: int) -> None:
        """Have it poll so many times, one after the other."""
        self._say(str(times))

    def _say(self, line: str) -> None:
        pipe = self._pipe(self._process.stdin)
        pipe.write(line + "\n")
        pipe.flush()
        if not self._pipe(self._process.stdout).readline():
            raise RuntimeError(f"The peer ended with {self._process.wait(LONG_S)}")

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextmanager
def resting(command: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start what prints a line once it is up and then rests; end it afterwards."""
    with subprocess.Popen(
        command, env={**os.environ, **env}, cwd=ROOT, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise RuntimeError(f"{command[-1]} ended with {process.wait(LONG_S)}")
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


class Bench:
    """What every measure is given.

    Attributes:
        cloud: Microsoft 365.
        session: The desktop.
        folder: For homes and notes; gone afterwards.
        runs: How often each comparison is to be repeated.
    """

    def __init__(self, cloud: BenchCloud, session: DesktopSession, folder: Path, runs: int) -> None:
        self.cloud, self.session, self.folder, self.runs = cloud, session, folder, runs
        self._homes = 0
        self._person = folder / "person"
        browser_ = folder / "browser"
        inner = browser().removesuffix(" %s")
        browser_.write_text(
            f'#!/bin/sh\nMAILTRAY_SIM_USERNAME="$(cat {self._person})" exec {inner} "$1"\n'
        )
        browser_.chmod(0o700)
        self._browser = f"{browser_} %s"

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of a user's session on this desktop."""
        modules = str(self.folder / "modules")
        return {**self.session.env, **self.cloud.env, "BENCH_MODULES": modules,
                "BROWSER": self._browser}  # fmt: skip

    def home(self) -> Path:
        """Return a home that nobody has used."""
        self._homes += 1
        return self.folder / f"home{self._homes}"

    def mailtray(self, home: Path, interval_s: float = HOUR_S) -> Mailtray:
        """Return the program; a context manager that starts and ends it."""
        return Mailtray(home, self.env, interval_s)

    def signed_in(self, accounts: Sequence[str] = ()) -> Path:
        """Return a home that is signed in, for later starts.

        Args:
            accounts: Usernames; the simulator's first account where empty.
        """
        home = self.home()
        with self.mailtray(home) as program:
            for username in accounts or (USERNAME,):
                self.sign_in(program, username)
        return home

    def let_poll(self, times: int) -> None:
        """Wait until so many more idle polls were answered."""
        start = self.cloud.traffic()
        wait_until(lambda: self.cloud.traffic().since(start).delta >= times, LONG_S, 0.005)

    def sign_in(self, program: Mailtray, username: str) -> None:
        """Sign an account in and wait for its first poll."""
        self._person.write_text(username, encoding="ascii")
        program.sign_in()
