"""The threads that wait for slow work, so that the poller never does."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Workers(Protocol):
    """Runs work, which raises nothing, somewhere else."""

    def submit(self, work: Callable[[], None]) -> None:
        """Run ``work`` as soon as a thread is free."""
        ...

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work`` at once, on a thread of its own: it may wait for a person."""
        ...


class FetchThreads:
    """At most ``limit`` daemon threads named ``mailtray-fetch-n``, started when first needed.

    Daemons, so that a server that never answers cannot keep the program from quitting. Four is
    what Graph serves one application at a time.

    Source: learn.microsoft.com/graph/throttling-limits, "Outlook service limits".
    """

    def __init__(self, limit: int = 4) -> None:
        self._limit = limit
        self._started = 0
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = Semaphore(0)

    def submit(self, work: Callable[[], None]) -> None:
        """Run ``work`` on a thread of the pool; called by one thread only, the poller."""
        if not self._idle.acquire(blocking=False) and self._started < self._limit:
            self._started += 1
            name = f"mailtray-fetch-{self._started}"
            Thread(target=self._serve, name=name, daemon=True).start()
        self._waiting.put(work)

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work`` on a thread of its own."""
        Thread(target=work, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._waiting.get()()
            self._idle.release()
