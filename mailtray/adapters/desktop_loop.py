"""The one asyncio loop that the tray and the notifications share, on its own thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

CLOSE_TIMEOUT_S = 2.0
"""How long :meth:`DesktopLoop.close` waits for the thread to end."""


class DesktopLoop:
    """Runs coroutines on a daemon thread named ``mailtray-desktop``.

    The thread starts with the first use, so that building the program starts nothing. What
    runs here must not block: one blocked coroutine freezes the icon, its menu and every
    notification.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine from any thread.

        Returns:
            Its result to come; cancelled at once where the loop was closed.
        """
        loop = self._running()
        if loop is None:
            work.close()
            refused: Future[T] = Future()
            refused.cancel()
            return refused
        return asyncio.run_coroutine_threadsafe(work, loop)

    def post(self, callback: Callable[[], object]) -> None:
        """Run a function on the loop soon, from any thread; nothing happens once closed."""
        loop = self._running()
        if loop is not None:
            # The loop may close between the question and the call.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(callback)

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Run a coroutine and wait for its result; never from the loop's own thread.

        Raises:
            TimeoutError: It took longer than ``timeout_s`` seconds and was cancelled, or the
                loop is closed.
        """
        future = self.submit(work)
        try:
            return future.result(timeout_s)
        except CancelledError as exc:
            raise TimeoutError from exc
        except TimeoutError:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancel what runs and end the thread; a second call does nothing."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(CLOSE_TIMEOUT_S)

    def _running(self) -> asyncio.AbstractEventLoop | None:
        with self._lock:
            if self._loop is None and not self._closed:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="mailtray-desktop", daemon=True
                )
                self._thread.start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=CLOSE_TIMEOUT_S / 2))
        loop.close()
