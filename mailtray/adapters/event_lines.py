"""The event lines of ``--events jsonl``."""

from __future__ import annotations

import json
import logging
import os
import select
import sys
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

LOG = logging.getLogger(__name__)

READER_PATIENCE_S = 2.0
"""How long a reader may leave its pipe full before it gets no more lines, in seconds."""


class NoEvents:
    """Where nobody listens."""

    def emit(self, event: Mapping[str, object]) -> None:
        """Do nothing."""


class JsonLines:
    """Writes each event as one line of ASCII JSON, complete and at once; from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._turn = Lock()
        self._is_open = True

    def emit(self, event: Mapping[str, object]) -> None:
        """Write one event, unless the reader is gone."""
        line = json.dumps(event, ensure_ascii=True, separators=(",", ":"), default=str)
        with self._turn:
            if not self._is_open:
                return
            try:
                if not self._takes_more():
                    raise TimeoutError
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                # ValueError: Python's word for a stream that was closed on this side.
                LOG.warning("Nobody reads the events any more")
                self._give_up()

    def _takes_more(self) -> bool:
        if sys.platform == "win32":
            return True
        try:
            descriptor = self._stream.fileno()
        except (OSError, ValueError):
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(READER_PATIENCE_S * 1_000))

    def _give_up(self) -> None:
        self._is_open = False
        # The interpreter flushes the stream once more at its end, and would complain then.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
