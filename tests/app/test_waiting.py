"""Waiting through a day on a fake clock: sleeps, clocks that are set, networks that go and come.

The poller's own loop runs here, so that the clocks are looked at where the program does it.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import pytest

from mailtray.app.commands import CheckNow, Command, NetworkUp, Quit, SignIn, TrayShown, Woke
from mailtray.app.herald import SHOWN_MAX
from mailtray.app.poller import Poller
from mailtray.core import changes
from mailtray.core.errors import (
    AuthBlocked,
    InvalidResponse,
    MailboxUnavailable,
    MailtrayError,
    ServiceUnavailable,
    SignInRequired,
    Throttled,
    Unreachable,
    UntrustedCertificate,
)
from mailtray.core.model import INBOX
from tests.app.rig import ANN, Rig
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFLINE = Unreachable("No connection")
HOUR_S = 3_600.0
NIGHT_S = 8 * HOUR_S
LONG_S = 6_000.0
SOAK_POLLS = int(os.environ.get("SOAK_POLLS", "1300"))
POLLS_PER_MAIL = max(2, SOAK_POLLS // 4_000)

BOUNDS = ("KNOWN_MAX_KEYS", "KNOWN_KEPT_KEYS", "UNREAD_MAX_MESSAGES", "UNREAD_KEPT_MESSAGES")

Deed = Callable[[], Command | None]


class Day(SimpleQueue[Command]):
    """An inbox whose waits pass on the fake clock, and in which things happen at their time.

    Attributes:
        tried_s: When mail was asked for, in seconds awake since the start.
        poller: Runs on it.
    """

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self.rig = rig
        self.tried_s: list[float] = []
        self.poller = Poller(rig.poller._world, rig.poller._wishes, self, self)
        self._moments: list[tuple[float, Deed]] = []
        self._awake_s = 0.0

    # -- what happens -------------------------------------------------------------------------

    def at(self, at_s: float, deed: Deed) -> Day:
        """Let something happen after so many seconds awake; the command it returns is posted."""
        self._moments.append((at_s, deed))
        self._moments.sort(key=lambda moment: moment[0])
        return self

    def sleep(self, at_s: float, *, both_clocks: bool = False, for_s: float = NIGHT_S) -> Day:
        """Let the computer sleep; the monotonic clock goes on on some systems."""
        clock = self.rig.clock
        return self.at(at_s, partial(clock.advance if both_clocks else clock.jump, for_s))

    def offline(self, at_s: float, until_s: float) -> Day:
        """Let neither mail nor tokens be had."""
        return self.at(at_s, partial(self._refuse, OFFLINE)).at(
            until_s, partial(self._refuse, None)
        )

    def _refuse(self, error: MailtrayError | None) -> None:
        self.rig.box().refusal = self.rig.identity.refusal = error

    def live(self, until_s: float) -> Day:
        """Let the day pass."""
        self.at(until_s, Quit)
        self.poller.run()
        return self

    # -- the poller's inbox and workers -------------------------------------------------------

    def get(self, block: bool = True, timeout: float | None = None) -> Command:  # noqa: ARG002
        if not self.empty():
            return self.get_nowait()
        left_s = math.inf if timeout is None else timeout
        while (next_s := self._moments[0][0] - self._awake_s) <= left_s:
            self._pass(next_s)
            before_s = self.rig.clock.monotonic_s()
            command = self._moments.pop(0)[1]()
            if command is not None:
                return command
            left_s -= next_s + self.rig.clock.monotonic_s() - before_s
            if left_s <= 0:
                raise Empty
        self._pass(left_s)
        raise Empty

    def _pass(self, seconds: float) -> None:
        self._awake_s += seconds
        self.rig.clock.advance(seconds)

    def submit(self, work: Callable[[], None]) -> None:
        self.tried_s.append(self._awake_s)
        work()

    def start(self, name: str, work: Callable[[], None]) -> None:  # noqa: ARG002 - no thread
        work()

    # -- what can be seen ---------------------------------------------------------------------

    def tries(self, after_s: float = 0.0) -> list[float]:
        """Return when polls began; one that has to keep a token first is one."""
        return sorted({at_s for at_s in self.tried_s if at_s >= after_s})


def deliver(rig: Rig, count: int) -> None:
    rig.box().deliver(*(f"m{n}" for n in range(count)))


# -- sleeps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("both_clocks", [False, True])
@pytest.mark.parametrize(
    "told_s",
    [
        pytest.param((), id="the clocks alone"),
        pytest.param((0.0,), id="and the system at once"),
        pytest.param((1.0,), id="and the system a little later"),
        pytest.param((8.0,), id="and the system after the poll"),
        pytest.param((0.0, 0.5, 6.0), id="and the system thrice"),
    ],
)
def test_one_wake_is_one_poll(both_clocks: bool, told_s: tuple[float, ...]) -> None:
    day = Day(Rig(ANN, interval_s=LONG_S)).sleep(100.0, both_clocks=both_clocks)
    for later_s in told_s:
        day.at(100.0 + later_s, Woke)
    if not told_s and not both_clocks:
        day.at(100.0, TrayShown)  # something has to end the wait before its time
    (tried_s,) = day.live(200.0).tries(1.0)
    # Where one clock stands still, nothing is noticed before something ends the wait.
    noticed_s = 100.0 if both_clocks or not told_s else 100.0 + told_s[0]
    assert tried_s == noticed_s + 3.0


def test_a_nap_too_short_for_the_clocks_is_told_by_the_system() -> None:
    day = Day(Rig(ANN, interval_s=LONG_S)).sleep(100.0, for_s=20.0).at(100.0, Woke)
    assert day.live(200.0).tries(1.0) == [103.0]


def test_two_sleeps_are_two_wakes() -> None:
    day = Day(Rig(ANN, interval_s=LONG_S))
    for at_s in (100.0, 110.0, 200.0):
        day.sleep(at_s).at(at_s, Woke)
    assert day.live(300.0).tries(1.0) == [103.0, 113.0, 203.0]


@pytest.mark.parametrize("both_clocks", [False, True])
@pytest.mark.parametrize(
    ("told", "late_s"),
    [
        pytest.param((), 10.0, id="nobody tells of the network"),
        pytest.param((NetworkUp,), 0.5, id="the system tells of the network"),
        pytest.param((Woke, NetworkUp), 0.5, id="the system tells of the wake too"),
    ],
)
def test_no_network_after_a_night(told: tuple[Deed, ...], late_s: float, both_clocks: bool) -> None:
    # abraunegg/onedrive#693
    rig = Rig(ANN)
    day = Day(rig).sleep(130.0, both_clocks=both_clocks).offline(129.0, 220.0)
    day.at(129.0, rig.identity.expire_tokens).at(129.0, partial(deliver, rig, 40))
    for deed in told:
        day.at(130.0 if deed is Woke else 220.0, deed)
    day.live(300.0)
    tried_s = day.tries(130.0)
    while_offline = [at_s for at_s in tried_s if at_s < 220.0]
    assert len(while_offline) <= 12
    assert all(later - sooner >= 8.0 for sooner, later in pairwise(while_offline))
    back_s = next(at_s for at_s in tried_s if at_s >= 220.0)
    assert back_s <= 220.0 + late_s
    assert rig.identity.token_requests == len(while_offline) + 1
    assert rig.titles() == ["40 new messages"]
    assert all(after_s >= back_s + 57.0 for after_s in tried_s if after_s > back_s)


@pytest.mark.parametrize("told", [(), (NetworkUp,), (CheckNow,)], ids=["none", "system", "person"])
def test_a_night_awake_and_offline_is_one_summary(told: tuple[Deed, ...]) -> None:
    rig = Rig(ANN)
    day = Day(rig).offline(100.0, NIGHT_S).at(200.0, partial(deliver, rig, 40))
    for deed in told:
        day.at(NIGHT_S, deed)
    day.live(NIGHT_S + 301.0)
    assert len(day.tries()) <= 165
    assert rig.titles() == ["40 new messages"]
    if told:
        assert day.tries(NIGHT_S)[0] <= NIGHT_S + 0.5


# -- the network comes back -----------------------------------------------------------------------


@pytest.mark.parametrize("error", [OFFLINE, UntrustedCertificate("A portal's certificate")])
def test_a_network_cuts_a_grown_back_off_and_begins_it_anew(error: MailtrayError) -> None:
    rig = Rig(ANN)
    rig.box().refusal = error
    day = Day(rig).at(3 * HOUR_S, NetworkUp).live(3 * HOUR_S + 30.0)
    after_s = [at_s - 3 * HOUR_S for at_s in day.tries(3 * HOUR_S)]
    assert after_s == pytest.approx([0.3, 8.3, 16.3, 24.3])


@pytest.mark.parametrize("dice", [0.0, 0.999])
def test_the_grace_after_a_network_came_up_is_short(dice: float) -> None:
    rig = Rig(ANN)
    rig.clock.fixed_dice = dice
    rig.box().refusal = OFFLINE
    day = Day(rig).at(HOUR_S, NetworkUp).live(HOUR_S + 5.0)
    assert 0.19 <= day.tries(HOUR_S)[0] - HOUR_S <= 0.41


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(None, id="no trouble"),
        pytest.param(ServiceUnavailable("Down"), id="in trouble"),
        pytest.param(Throttled("Busy"), id="throttled without a word"),
        pytest.param(InvalidResponse("?"), id="an odd answer"),
        pytest.param(MailboxUnavailable("No mailbox"), id="no mailbox"),
        pytest.param(SignInRequired("Signed out"), id="signed out"),
        pytest.param(AuthBlocked("Blocked"), id="blocked"),
    ],
)
def test_a_network_changes_nothing_for_who_was_not_offline(error: MailtrayError | None) -> None:
    def tries(*deeds: Deed) -> list[float]:
        rig = Rig(ANN)
        rig.box().refusal = rig.identity.refusal = error
        day = Day(rig)
        for deed in deeds:
            day.at(HOUR_S + 1.0, deed).at(HOUR_S + 2.0, deed)
        return day.live(3 * HOUR_S).tries()

    assert tries(NetworkUp) == tries()


def test_a_network_that_comes_up_during_a_poll_gives_it_another_try() -> None:
    rig = Rig(ANN)
    rig.do()
    rig.box().troubles.append(OFFLINE)
    rig.poller.step(CheckNow())
    rig.poller.step(NetworkUp())
    rig.work()
    rig.read_inbox()
    assert rig.poller.step(None) == pytest.approx(0.3)
    rig.pass_time(1.0)
    assert rig.events("status")[-1]["state"] == "ok"


def test_a_network_that_comes_up_during_a_good_poll_adds_none() -> None:
    rig = Rig(ANN)
    rig.poller.step(None)
    rig.poller.step(NetworkUp())
    rig.settle()
    assert rig.poller.step(None) == 60.0
    rig.box().troubles.append(OFFLINE)
    rig.pass_time(60.0)
    rig.do()
    assert rig.poller.step(None) == 8.0


def test_a_network_that_flaps_is_no_tight_loop() -> None:
    rig = Rig(ANN)
    rig.box().refusal = OFFLINE
    day = Day(rig)
    for n in range(1_000):
        day.at(HOUR_S + n / 100, NetworkUp)
    day.live(HOUR_S + 20.0)
    assert len(day.tries(HOUR_S)) <= 10 / 0.2


@pytest.mark.parametrize("at_token", [False, True], ids=["mail", "token"])
@pytest.mark.parametrize("kind", [Throttled, ServiceUnavailable])
@pytest.mark.parametrize("deed", [CheckNow, NetworkUp, Woke, SignIn, None])
@pytest.mark.parametrize("slept", [False, True], ids=["awake", "slept"])
def test_retry_after_is_cut_by_nothing(
    at_token: bool, kind: type[Throttled], deed: Deed | None, slept: bool
) -> None:
    rig = Rig(ANN)
    rig.identity.person = ANN
    busy = kind("Busy", retry_after_s=600.0)
    day = Day(rig)
    if at_token:
        day.at(100.0, rig.identity.expire_tokens)
        day.at(100.0, partial(rig.identity.troubles.append, busy))
    else:
        day.at(100.0, partial(rig.box().troubles.append, busy))
    if slept:
        day.sleep(300.0)
    for at_s in (200.0, 300.0, 719.0):
        day.at(at_s, deed or (lambda: None))
    day.live(800.0)
    assert [at_s for at_s in day.tries() if 120.0 < at_s < 720.0] == []
    assert day.tries(720.0)


# -- clocks that are set --------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-24, -3, -1, 1, 3, 24])
@pytest.mark.parametrize(
    "error", [None, OFFLINE, Throttled("Busy", retry_after_s=1_800.0)], ids=["ok", "off", "busy"]
)
def test_a_clock_that_is_set_makes_no_wait_longer_and_none_tight(
    hours: int, error: MailtrayError | None
) -> None:
    def tries(*, is_set: bool) -> list[float]:
        rig = Rig(ANN)
        rig.box().refusal = error
        day = Day(rig)
        if is_set:
            day.at(1_000.0, partial(rig.clock.jump, hours * HOUR_S))
        return day.live(2 * HOUR_S).tries()

    undisturbed, found = tries(is_set=False), tries(is_set=True)
    gaps_s = [later - sooner for sooner, later in pairwise(found)]
    if hours < 0:
        assert found == undisturbed
    elif isinstance(error, Throttled):
        assert min(gaps_s) >= 1_800.0
        assert max(gaps_s) <= 1_803.0
    else:
        # Set forward it looks like a sleep: a poll a moment later, then all as ever.
        assert min(gaps_s) >= 3.0
        usual_s = max(later - sooner for sooner, later in pairwise(undisturbed))
        assert max(gaps_s) <= usual_s + 3.0


@pytest.fixture
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process cannot be set here")
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_berlin")
@pytest.mark.parametrize(
    ("start", "shown"),
    [
        pytest.param(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), ["01:30", "03:29"], id="summer"),
        pytest.param(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), ["02:30", "02:29"], id="winter"),
    ],
)
def test_summer_time_moves_no_poll_and_is_shown(start: datetime, shown: list[str]) -> None:
    rig = Rig(ANN)
    rig.clock = FakeClock(start)
    rig = Rig(ANN, before=rig)
    day = Day(rig).live(HOUR_S - 1.0)
    assert day.tries() == [60.0 * n for n in range(60)]
    words = [f"{view.tooltip} {[item.label for item in view.menu]}" for view in rig.tray.views]
    for one in shown:
        assert any(one in line for line in words), words[-1]


# -- months ---------------------------------------------------------------------------------------


class Months(Day):
    """A day of many polls, with mail that is deleted, read or left alone a while later.

    Attributes:
        largest: The largest that anything remembered ever was.
    """

    def __init__(self, rig: Rig, *, is_read: bool) -> None:
        super().__init__(rig)
        self.largest: Counter[str] = Counter()
        self.arrived = 0
        self._is_read = is_read

    def submit(self, work: Callable[[], None]) -> None:
        number = len(self.tried_s)
        if number % POLLS_PER_MAIL == 1:
            self.rig.box().deliver(f"m{self.arrived}", minute=number)
            self._deal_with(self.arrived - 50)
            self.arrived += 1
        super().submit(work)
        if number % 50 == 0:
            self._measure()

    def _deal_with(self, number: int) -> None:
        if number < 0:
            return
        if number % 4 == 0:
            self.rig.box().delete(f"m{number}")
        elif self._is_read:
            self.rig.box().mark(f"m{number}", is_read=True)

    def _measure(self) -> None:
        seen, herald = self.poller._watches[ANN.id].seen[INBOX], self.poller._herald
        for name, held in {
            "known": seen.known,
            "told": seen.told,
            "unread": seen.unread,
            "untold": seen.untold,
            "shown": herald._shown,
            "said": herald._said,
            "owed": herald._owed,
        }.items():
            self.largest[name] = max(self.largest[name], len(held))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_read", [True, False], ids=["read", "never read"])
def test_months_of_polls_and_mail_stay_bounded(
    is_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fifth of the bounds is met in a fifth of the time; SOAK_POLLS=200000 makes years of it.
    if "SOAK_POLLS" not in os.environ:
        for bound in BOUNDS:
            monkeypatch.setattr(changes, bound, getattr(changes, bound) // 5)
    rig = Rig(ANN)
    rig.state.save = lambda *_: None  # type: ignore[method-assign] # the fake's copies take long
    months = Months(rig, is_read=is_read)
    months.live(60.0 * SOAK_POLLS)
    assert len(months.tried_s) >= 0.99 * SOAK_POLLS
    assert 2 * months.arrived > changes.KNOWN_MAX_KEYS
    assert months.largest["known"] <= changes.KNOWN_MAX_KEYS + 10
    assert months.largest["shown"] <= SHOWN_MAX
    assert months.largest["untold"] == months.largest["said"] == months.largest["owed"] == 0
    most = 52 if is_read else changes.UNREAD_MAX_MESSAGES
    assert max(months.largest["told"], months.largest["unread"]) <= most
    assert all(count == 1 for count in rig.told().values())
    assert len(rig.told()) == months.arrived
    assert rig.view.count == rig.box().count_now().unread
