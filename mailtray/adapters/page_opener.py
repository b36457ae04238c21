"""Opens mailtray's own pages, each by a process of its own: ``mailtray open PAGE``.

So the resident program never loads what pages need, and is as light after one as before.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from threading import Lock, Thread
from typing import TYPE_CHECKING

from mailtray.core.errors import MailtrayError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

LOG = logging.getLogger(__name__)

END_S = 1.0
"""How long a page may take to end when asked to, in seconds."""


def start_demo() -> None:
    """Begin ``mailtray demo``, which ends by itself and outlives who began it.

    Raises:
        MailtrayError: It cannot be started.
    """
    try:
        _start([*_this_program(), "demo"], stderr=subprocess.DEVNULL)
    except OSError as exc:
        raise MailtrayError(_("The demo cannot be started"), exc.strerror or "") from exc


class PageOpener:
    """Opens pages; see :class:`mailtray.ports.Pages`."""

    def __init__(self, options: Sequence[str], program: Sequence[str] = ()) -> None:
        """Prepare; nothing is started before the first page.

        Args:
            options: What the running program was given and its pages need: ``--home DIR`` say.
            program: The first words of the command; this very program where empty.
        """
        self._options = tuple(options)
        self._program = tuple(program) or _this_program()
        self._turn = Lock()
        self._running: dict[str, subprocess.Popen[str]] = {}

    def open(self, page: str) -> None:
        """Start the page's process."""
        page, _slash, about = page.partition("/")
        words = ["--about", about] if about else []
        try:
            command = [*self._program, "open", page, *words, *self._options]
            process = _start(command, stderr=subprocess.PIPE)
        except OSError as exc:
            LOG.warning(
                "The page %s cannot be opened: %s", page, exc.strerror or type(exc).__name__
            )
            return
        with self._turn:
            former, self._running[page] = self._running.get(page), process
        if former is not None:
            former.terminate()
        name = f"mailtray-page-{page}"
        Thread(target=self._follow, args=(page, process), name=name, daemon=True).start()

    def close(self) -> None:
        """End the processes."""
        with self._turn:
            running = tuple(self._running.values())
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _follow(self, page: str, process: subprocess.Popen[str]) -> None:
        errors: IO[str] | None = process.stderr
        for line in errors or ():
            LOG.warning("The page %s says: %s", page, line.rstrip())
        if errors is not None:
            errors.close()
        code = process.wait()
        LOG.info("The page %s ended with %d", page, code)
        with self._turn:
            if self._running.get(page) is process:
                del self._running[page]


def _start(command: Sequence[str], *, stderr: int) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - mailtray itself, never by a shell
        command,
        stdin=subprocess.DEVNULL,
        # Where no browser starts a page prints its address, which is nobody else's.
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
        errors="replace",
        # Ctrl+C is for the running program, which ends its pages itself.
        start_new_session=True,
        creationflags=int(getattr(subprocess, "CREATE_NO_WINDOW", 0)),
    )


def _this_program() -> tuple[str, ...]:
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    return (sys.executable, "-m", "mailtray")
