"""The poller's whole loop on a fake clock: it waits for what is due, and notices a sleep."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from mailtray.app.commands import Command, Quit
from mailtray.app.poller import Poller
from mailtray.core.errors import ServiceUnavailable
from tests.app.rig import ANN, Rig

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.clock import FakeClock


class AtOnce:
    """``Workers`` that do their work when it is given to them."""

    def submit(self, work: Callable[[], None]) -> None:
        work()

    def start(self, name: str, work: Callable[[], None]) -> None:  # noqa: ARG002 - no thread
        work()


class TimedInbox(SimpleQueue[Command]):
    """An inbox whose waits pass on the fake clock; after the last of them somebody quits.

    Attributes:
        waits_s: The waits so far.
        sleeps: The computer sleeps so long in the wait of that number.
    """

    def __init__(self, clock: FakeClock, how_many: int) -> None:
        super().__init__()
        self._clock = clock
        self._how_many = how_many
        self.waits_s: list[float] = []
        self.sleeps: dict[int, float] = {}

    def get(self, block: bool = True, timeout: float | None = None) -> Command:  # noqa: ARG002
        if not self.empty():
            return self.get_nowait()
        if len(self.waits_s) == self._how_many or timeout is None:
            return Quit()
        self._clock.jump(self.sleeps.get(len(self.waits_s), 0.0))
        self.waits_s.append(timeout)
        self._clock.advance(timeout)
        raise Empty


def looped(rig: Rig, how_many: int, *, sleeps: dict[int, float] | None = None) -> list[float]:
    """Run the loop for so many waits and return them."""
    inbox = TimedInbox(rig.clock, how_many)
    inbox.sleeps |= sleeps or {}
    Poller(rig.poller._world, rig.poller._wishes, inbox, AtOnce()).run()
    return inbox.waits_s


def test_the_loop_waits_for_what_is_due() -> None:
    rig = Rig(ANN)
    assert looped(rig, 3) == [60.0] * 3
    assert rig.box().calls == ["fetch"] * 4


def test_with_nobody_signed_in_it_waits_for_a_command() -> None:
    assert looped(Rig(), 3) == []


def test_a_sleep_is_noticed_and_makes_the_next_poll_early() -> None:
    # abraunegg/onedrive#693
    rig = Rig(ANN)
    rig.box().refusal = ServiceUnavailable("Down")
    assert looped(rig, 4, sleeps={1: 8 * 3_600.0}) == [66.0, 132.0, 3.0, 66.0]


def test_a_clock_set_back_changes_no_wait() -> None:
    assert looped(Rig(ANN), 3, sleeps={1: -3_600.0}) == [60.0] * 3
