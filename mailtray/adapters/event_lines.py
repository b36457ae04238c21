"""The event lines of ``--events jsonl``."""

from __future__ import annotations

import json
import logging
import os
from queue import Full, Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

LOG = logging.getLogger(__name__)

WAITING_MAX_LINES = 1_000
"""A reader that is this far behind gets no more lines."""
CLOSE_PATIENCE_S = 2.0
"""How long the last lines may take at the program's end, in seconds."""


class NoEvents:
    """Where nobody listens."""

    def emit(self, event: Mapping[str, object]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class JsonLines:
    """Writes each event as one line of ASCII JSON, complete and at once; from any thread.

    A pipe says that it takes something, not how much, so a thread of its own does the writing:
    a reader that stalls keeps nobody else waiting.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: Queue[str | None] = Queue(WAITING_MAX_LINES)
        self._turn = Lock()
        self._writer: Thread | None = None
        self._is_open = True

    def emit(self, event: Mapping[str, object]) -> None:
        """Write one event, unless the reader is gone or far behind."""
        line = json.dumps(event, ensure_ascii=True, separators=(",", ":"), default=str)
        with self._turn:
            if self._writer is None:
                self._writer = Thread(target=self._write, name="mailtray-events", daemon=True)
                self._writer.start()
            if self._is_open:
                try:
                    self._waiting.put_nowait(line)
                except Full:
                    self._give_up()

    def close(self) -> None:
        """Let the last lines out, for a bounded time; no other call follows."""
        with self._turn:
            writer, was_open, self._is_open = self._writer, self._is_open, False
        if writer is not None and was_open:
            self._waiting.put(None)
            writer.join(CLOSE_PATIENCE_S)

    def _write(self) -> None:
        try:
            while (line := self._waiting.get()) is not None:
                self._put(f"{line}\n")
        except (OSError, ValueError):
            # ValueError: Python's word for a stream that was closed on this side.
            with self._turn:
                self._give_up()

    def _put(self, line: str) -> None:
        try:
            descriptor = self._stream.fileno()
        except OSError:
            self._stream.write(line)
            return
        # Past the stream's own buffer: a thread that is stuck within it would spoil the
        # interpreter's end, which flushes it once more.
        left = line.encode("ascii")
        while left:
            left = left[os.write(descriptor, left) :]

    def _give_up(self) -> None:
        if self._is_open:
            self._is_open = False
            LOG.warning("Nobody reads the events any more")
