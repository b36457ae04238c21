"""The real threads: few, named, and gone when asked. Each test ends in a bounded join."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from mailtray.app.commands import CheckNow, Command, Quit
from mailtray.app.lifecycle import App
from mailtray.app.poller import Poller
from mailtray.app.workers import FetchThreads
from tests.app.rig import ANN, BEN, Rig

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 5.0


class Gate:
    """Work that waits until it may go on, and tells on which thread it is."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.started: SimpleQueue[str] = SimpleQueue()
        self.ended: SimpleQueue[str] = SimpleQueue()

    def work(self) -> None:
        name = threading.current_thread().name
        self.started.put(name)
        self.may_end.wait(DEADLINE_S)
        self.ended.put(name)


def names_from(queue: SimpleQueue[str], how_many: int) -> list[str]:
    return [queue.get(timeout=DEADLINE_S) for _ in range(how_many)]


def test_one_account_needs_one_thread() -> None:
    threads, gate = FetchThreads(), Gate()
    gate.may_end.set()
    for _ in range(20):
        threads.submit(gate.work)
        names_from(gate.ended, 1)
        # The thread is free a moment after its work has ended.
        assert threads._idle.acquire(timeout=DEADLINE_S)
        threads._idle.release()
    assert set(names_from(gate.started, 20)) == {"mailtray-fetch-1"}


def test_at_most_four_fetches_at_once_and_none_is_lost() -> None:
    threads, gate = FetchThreads(), Gate()
    for _ in range(9):
        threads.submit(gate.work)
    busy = names_from(gate.started, 4)
    assert sorted(busy) == [f"mailtray-fetch-{n}" for n in (1, 2, 3, 4)]
    assert gate.started.empty()
    gate.may_end.set()
    assert len(names_from(gate.ended, 9)) == 9
    assert set(names_from(gate.started, 5)) <= set(busy)


class Watched:
    """The real poller thread over the rig's fakes; the events tell when something is done."""

    def __init__(self, rig: Rig, workers: FetchThreads) -> None:
        self.rig = rig
        self.polled: SimpleQueue[str] = SimpleQueue()
        emit = rig.sink.emit

        def tell(event: Callable[..., None] | object) -> None:
            assert isinstance(event, dict)
            emit(event)
            if event["event"] == "polled":
                self.polled.put(str(event["account"]))

        rig.sink.emit = tell  # type: ignore[method-assign] # listens
        self.inbox: SimpleQueue[Command] = rig.inbox
        self.poller = Poller(rig.poller._world, rig.poller._wishes, rig.inbox, workers)


def test_the_poller_serves_its_inbox_until_quit() -> None:
    watched = Watched(Rig(ANN, BEN), FetchThreads())
    thread = threading.Thread(target=watched.poller.run, name="mailtray-poller", daemon=True)
    thread.start()
    assert sorted(names_from(watched.polled, 2)) == [ANN.username, BEN.username]
    watched.rig.box(BEN).deliver("B")
    watched.inbox.put(CheckNow())
    names_from(watched.polled, 2)
    watched.inbox.put(Quit())
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert dict(watched.rig.told()) == {"B": 1}
    assert watched.rig.tray.is_stopped


def test_a_server_that_never_answers_does_not_keep_the_program_alive() -> None:
    rig, gate = Rig(ANN), Gate()
    rig.mail.fetch = lambda *_, **__: gate.work()  # type: ignore[assignment, method-assign] # hangs
    watched = Watched(rig, FetchThreads())
    thread = threading.Thread(target=watched.poller.run, name="mailtray-poller", daemon=True)
    thread.start()
    names_from(gate.started, 1)
    watched.inbox.put(Quit())
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    gate.may_end.set()
    names_from(gate.ended, 1)


def test_the_program_ends_when_somebody_quits() -> None:
    watched = Watched(Rig(ANN), FetchThreads())
    app = App(watched.poller, watched.rig.tray)
    app.quit()
    app.run()
    assert watched.rig.tray.is_stopped
    assert not any(one.name == "mailtray-poller" for one in threading.enumerate())
