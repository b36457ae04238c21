"""The real program as a process of its own, seen through its event lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from mailtray import bootstrap
from mailtray.bootstrap import Options
from tests.e2e.person import browser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUNDLE = os.environ.get("MAILTRAY_BUNDLE", "")
"""The bundle to test in the place of the source."""
MAILTRAY: tuple[str, ...] = (
    (str(Path(BUNDLE).resolve()),) if BUNDLE else (sys.executable, "-m", "mailtray")
)
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
WAIT_S = 30.0
"""What takes so long has failed, however busy the machine is; a test has sixty seconds."""

Event = dict[str, Any]


class Program:
    """``mailtray run`` against a simulator, in a home of its own.

    Args:
        home: Its ``--home``.
        service_url: The simulator.
        env: Environment of a desktop session, or of none.
        options: More words for the command line.
        interval_s: Between two polls, as an option; ``None`` for the setting.
        launcher: The command's first words.

    Attributes:
        launcher: May be changed between two starts.
    """

    def __init__(
        self,
        home: Path,
        service_url: str,
        env: Mapping[str, str],
        *options: str,
        interval_s: float | None = 0.1,
        launcher: Sequence[str] = MAILTRAY,
    ) -> None:
        self.launcher = launcher
        self.home = home
        self._service_url = service_url
        self._env = {**env, "BROWSER": env.get("BROWSER") or browser()}
        self._options = options or ("--tray", "none", "--notifier", "console")
        self._interval = () if interval_s is None else ("--interval", str(interval_s))
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []
        self._changed = threading.Condition()
        self.events: list[Event] = []
        self.output: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill(signal.SIGTERM)

    def start(self) -> None:
        """Start the process and wait until it says how it is."""
        mark = self.mark()
        self._process = subprocess.Popen(
            [*self.launcher, "run", *self._common(), "--events", "jsonl",
             *self._interval, *self._options],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_events, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_output, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.wait(mark, event="status")

    def kill(self, how: signal.Signals) -> int:
        """End the process and return its exit code."""
        assert self._process is not None
        self._process.send_signal(how)
        return self.ended()

    def ended(self) -> int:
        """Wait for the process's end and return its exit code."""
        assert self._process is not None
        code = self._process.wait(WAIT_S)
        for reader in self._readers:
            reader.join(WAIT_S)
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        self._process = None
        return code

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _common(self) -> list[str]:
        return ["--home", str(self.home), "--service-url", self._service_url,
                "--client-id", CLIENT_ID]  # fmt: skip

    def run(self, *words: str, with_client_id: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another mailtray command in the same home."""
        common = self._common() if with_client_id else self._common()[:-2]
        return subprocess.run(
            [*MAILTRAY, *words, *common],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    def open(self, *words: str) -> subprocess.Popen[str]:
        """Begin another mailtray command in the same home."""
        return subprocess.Popen(
            [*MAILTRAY, *words, *self._common()],
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    # -- what it tells -----------------------------------------------------------------------

    def _read_events(self, pipe: IO[str]) -> None:
        for line in pipe:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()

    def _read_output(self, pipe: IO[str]) -> None:
        for line in pipe:
            with self._changed:
                self.output.append(line.rstrip("\n"))
                self._changed.notify_all()

    def mark(self) -> int:
        """Return the present moment, for :meth:`wait`."""
        with self._changed:
            return len(self.events)

    def wait(self, since: int = 0, *, times: int = 1, **wanted: object) -> Event:
        """Return the ``times``-th event after ``since`` that has all ``wanted`` values."""

        def found() -> list[Event]:
            return [e for e in self.events[since:] if wanted.items() <= e.items()]

        with self._changed:
            done = self._changed.wait_for(lambda: len(found()) >= times, WAIT_S)
            assert done, f"no {wanted} in {self.events[since:][-20:]} ({self.output[-5:]})"
            return found()[times - 1]

    def told(self) -> Counter[str]:
        """Return how often the person was told of each message."""
        with self._changed:
            return Counter(i for e in self.events if e["event"] == "notification" for i in e["ids"])

    def wait_told(self, ids: list[str]) -> None:
        """Wait until the person was told of all of these messages."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._told_all(ids), WAIT_S)
            assert done, f"told {self.told()} of {ids}, last {self.events[-5:]}"

    def _told_all(self, ids: list[str]) -> bool:
        told = {i for e in self.events if e["event"] == "notification" for i in e["ids"]}
        return told.issuperset(ids)

    def sign_in(self) -> None:
        """Sign in as the command does, without its process; waits for the first poll after it."""
        mark = self.mark()
        options = Options(home=self.home)
        bootstrap.sign_in(options, _ignore_page, by_device_code=False, timeout_s=WAIT_S)
        self.wait(mark, event="polled")


def _ignore_page(_url: str, _code: str) -> None:
    """Leave the page to the browser."""


def bare_environment(home: Path) -> dict[str, str]:
    """Return an environment with no desktop at all: no display, no bus, no keyring."""
    kept = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home}/absent",
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={home}/absent",
        "XDG_RUNTIME_DIR": str(home),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "error",
    }
