from __future__ import annotations

from queue import SimpleQueue
from threading import Thread

import pytest

from mailtray.app.inbox import take

TINY_S = 0.0000011
PATIENCE_S = 30.0


def test_no_wait_is_too_short_to_end() -> None:
    inbox: SimpleQueue[int] = SimpleQueue()

    def wait_often() -> None:
        for n in range(30_000):
            inbox.put(n)
            assert take(inbox, None) == n
            assert take(inbox, TINY_S) is None

    thread = Thread(target=wait_often, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "a wait of a microsecond does not end"


@pytest.mark.parametrize("wait_s", [0.0, 60.0, None])
def test_what_is_there_is_taken_at_once(wait_s: float | None) -> None:
    inbox: SimpleQueue[str] = SimpleQueue()
    inbox.put("first")
    inbox.put("second")
    assert [take(inbox, wait_s), take(inbox, wait_s)] == ["first", "second"]
    assert take(inbox, 0.0) is None


def test_what_comes_during_a_wait_ends_it() -> None:
    inbox: SimpleQueue[str] = SimpleQueue()
    came: SimpleQueue[str | None] = SimpleQueue()
    thread = Thread(target=lambda: came.put(take(inbox, PATIENCE_S)))
    thread.start()
    inbox.put("news")
    thread.join(PATIENCE_S)
    assert came.get_nowait() == "news"
