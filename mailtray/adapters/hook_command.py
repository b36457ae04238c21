"""The person's own program, run once for every message they are told of."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

from mailtray.core import text
from mailtray.core.errors import MailtrayError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOG = logging.getLogger(__name__)

RUNNING_MAX = 2
WAITING_MAX = 100
"""A mailbox that was away for weeks may tell of hundreds at once."""
TIME_LIMIT_S = 10.0
GRACE_S = 0.5
"""How long a program may take to tidy up when mailtray ends, in seconds."""
OWN_VARIABLES = "MAILTRAY_"
"""What this program alone is told, a proxy's password say."""


class Limits(NamedTuple):
    """How much the programs may take.

    Attributes:
        running: So many run at once.
        waiting: So many messages may wait for their turn.
        time_s: How long one program may run, in seconds.
        grace_s: How long they may take to end together when mailtray does, in seconds.
    """

    running: int = RUNNING_MAX
    waiting: int = WAITING_MAX
    time_s: float = TIME_LIMIT_S
    grace_s: float = GRACE_S


USUAL_LIMITS = Limits()


class HookCommand:
    """Runs a command on threads of its own: never by a shell, in a process group of its own.

    A program that takes too long ends with all that it started, as far as that stayed in its
    group; on Windows it ends alone.
    """

    def __init__(
        self,
        command: Sequence[str],
        on_trouble: Callable[[MailtrayError | None], None],
        limits: Limits = USUAL_LIMITS,
    ) -> None:
        """Prepare; nothing runs before the first message.

        Args:
            command: The program and its arguments; a leading ``~`` of the program is the home.
            on_trouble: Receives why the program cannot be started, and ``None`` once it can
                again; each once, on any thread.
            limits: How much the programs may take.
        """
        self._command = (os.path.expanduser(command[0]), *command[1:])  # noqa: PTH111 - "x" is no path
        self._on_trouble = on_trouble
        self._limits = limits
        self._turn = Lock()
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._running: set[subprocess.Popen[bytes]] = set()
        self._waiting_count = self._dropped_count = 0
        self._is_lame = self._is_closed = False

    def run(self, message: Mapping[str, object]) -> None:
        """Put a message in the line."""
        with self._turn:
            if self._is_closed or self._waiting_count >= self._limits.waiting:
                self._dropped_count += 1
                LOG.warning("The hook is behind: %d messages left out", self._dropped_count)
                return
            self._waiting_count += 1
            if len(self._threads) < self._limits.running:
                name = f"mailtray-hook-{len(self._threads) + 1}"
                self._threads.append(Thread(target=self._serve, name=name, daemon=True))
                self._threads[-1].start()
        self._waiting.put(json.dumps(message).encode())

    def close(self) -> None:
        """Drop those that wait, and end those that run."""
        with self._turn:
            self._is_closed = True
            running, waiting = tuple(self._running), self._waiting_count
        if waiting:
            LOG.warning("The hook does not see %d messages: mailtray ends", waiting)
        for process in running:
            _signal(process, is_last=False)
        for _thread in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(self._limits.grace_s / len(self._threads))
        for process in running:
            if process.poll() is None:
                _signal(process, is_last=True)

    def _serve(self) -> None:
        while (message := self._waiting.get()) is not None:
            with self._turn:
                if self._is_closed:
                    return
                self._waiting_count -= 1
            self._run(message)

    def _run(self, message: bytes) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - the person's own command, never a shell's
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(os.environ),
                start_new_session=True,
                creationflags=_creation_flags(),
            )
        except (OSError, ValueError) as exc:
            self._failed_to_start(exc)
            return
        with self._turn:
            self._running.add(process)
            is_late = self._is_closed
        if is_late:
            _signal(process, is_last=True)
        self._started()
        self._see_through(process, message)
        with self._turn:
            self._running.discard(process)

    def _see_through(self, process: subprocess.Popen[bytes], message: bytes) -> None:
        try:
            process.communicate(message, timeout=self._limits.time_s)
        except subprocess.TimeoutExpired:
            LOG.warning("The hook took longer than %g s and was ended", self._limits.time_s)
            # Before it is waited for, so that the number is still its own.
            _signal(process, is_last=True)
            process.communicate()
        else:
            if process.returncode and not self._is_closed:
                LOG.warning("The hook ended with the code %d", process.returncode)

    def _failed_to_start(self, exc: OSError | ValueError) -> None:
        said = exc.strerror if isinstance(exc, OSError) else None
        reason = said or type(exc).__name__
        LOG.warning("The hook cannot be started: %s", reason)
        with self._turn:
            was_lame, self._is_lame = self._is_lame, True
        if not was_lame:
            hint = text.hook_hint(self._command[0], reason)
            self._on_trouble(MailtrayError(_(text.HOOK_TITLE), hint))

    def _started(self) -> None:
        with self._turn:
            was_lame, self._is_lame = self._is_lame, False
        if was_lame:
            self._on_trouble(None)


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {key: environment[key] for key in environment if not key.startswith(OWN_VARIABLES)}


def _creation_flags() -> int:
    # Windows' flags, which no other system has.
    names = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")
    return sum(int(getattr(subprocess, name, 0)) for name in names)


def _signal(process: subprocess.Popen[bytes], *, is_last: bool) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        # Ended already; macOS says EPERM of a group that only waits to be fetched.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL if is_last else signal.SIGTERM)
