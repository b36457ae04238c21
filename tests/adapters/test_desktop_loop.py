"""One loop for the desktop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mailtray.adapters.desktop_loop import DesktopLoop


async def thread_name() -> str:
    return threading.current_thread().name


def test_runs_on_a_thread_of_its_own_from_the_first_use() -> None:
    loop = DesktopLoop()
    assert not any(thread.name == "mailtray-desktop" for thread in threading.enumerate())
    assert loop.call(thread_name(), 5) == "mailtray-desktop"
    assert loop.submit(thread_name()).result(5) == "mailtray-desktop"
    posted = threading.Event()
    loop.post(posted.set)
    assert posted.wait(5)
    loop.close()


def test_a_call_that_takes_too_long_is_cancelled() -> None:
    loop = DesktopLoop()
    cancelled = threading.Event()

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError):
        loop.call(wait_for_ever(), 0.01)
    assert cancelled.wait(5)
    loop.close()


def test_closing_cancels_what_runs() -> None:
    loop = DesktopLoop()
    running = loop.submit(asyncio.sleep(3600))
    loop.call(thread_name(), 5)
    loop.close()
    assert running.cancelled()
    assert not any(thread.name == "mailtray-desktop" for thread in threading.enumerate())


def test_once_closed_nothing_runs() -> None:
    loop = DesktopLoop()
    loop.close()
    loop.close()
    assert loop.submit(thread_name()).cancelled()
    loop.post(lambda: pytest.fail("ran"))
    with pytest.raises(TimeoutError):
        loop.call(thread_name(), 5)
