"""Waiting for the next thing to do."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


def take(inbox: SimpleQueue[T], wait_s: float | None) -> T | None:
    """Return the inbox's next content, or ``None`` after ``wait_s`` seconds without any.

    Used by one thread only. CPython's ``SimpleQueue.get`` turns a wait of a few microseconds
    into one without end: where it finds its lock free it takes it, and what is then left of the
    wait may be less than nothing, which means for ever. To look into the empty queue first takes
    that lock.

    Source: ``_queue_SimpleQueue_get_impl`` in CPython 3.11 and 3.12, Modules/_queuemodule.c.
    """
    try:
        return inbox.get_nowait()
    except Empty:
        pass
    try:
        return inbox.get(timeout=wait_s)
    except Empty:
        return None
