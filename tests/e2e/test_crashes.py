"""The real program, killed at points of its life, and what the next start finds.

A life goes on from death to death in one home: each start must sign in silently, tell what the
dead one owed and count right. ``MAILTRAY_SOAK=1`` plays 200 deaths, else a few of each kind.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailtray.simulator import Simulator
from tests.e2e.kept import kept_refresh_token, vault_of
from tests.e2e.program import WAIT_S, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.desktop.rig import DesktopSession

IS_SOAK = os.environ.get("MAILTRAY_SOAK") == "1"
TRIES = 2
"""A refusal like that of a used token may be passing: it is tried again once."""
DYING = str(Path(__file__).with_name("dying.py"))


@dataclass(frozen=True)
class Point:
    """Where to die: a call, ``before``, ``within`` or ``after`` it, the nth time.

    Attributes:
        loses: True where the server has given a new refresh token and the vault lacks it;
            ``None`` where a poll comes by more than once.
        repeats: Whether something may have been shown that is not remembered yet.
    """

    call: str
    when: str
    nth: int = 1
    loses: bool | None = False
    repeats: bool = False

    def __str__(self) -> str:
        return f"{self.when} {self.call} {self.nth}"


# fmt: off
POLL = (
    Point("identity.acquire_token_anew", "before"),
    Point("identity.acquire_token_anew", "after", loses=True),
    Point("vault.save", "before", loses=True),
    Point("keyring.set", "within", 2, loses=True),
    Point("keyring.set", "after", 3, loses=True),
    Point("keyring.delete", "before", 1),
    Point("keyring.delete", "after", 1),
    Point("vault.save", "after"),
    Point("mail.fetch", "after"),
    Point("notifier.show", "before", 1),
    Point("notifier.show", "after", 1, repeats=True),
    Point("notifier.show", "after", 2, repeats=True),
    Point("notifier.withdraw", "after"),
    Point("state.save", "after"),
    Point("sqlite.statement", "before", 4, repeats=True),
    Point("sqlite.write", "100", repeats=True),
    Point("sqlite.write", "3000", repeats=True),
    Point("sqlite.write", "17000", repeats=True),
    Point("events.emit", "after", 3, repeats=True),
    Point("tray.render", "before"),
)
"""Between every two steps of a poll that renews its token, and within keyring and file."""
MORE = (
    Point("identity.take_changed_cache", "before", 2, loses=None),
    Point("keyring.get", "before", 3, loses=True),
    Point("keyring.set", "before", 1, loses=True),
    Point("keyring.delete", "after", 2),
    Point("mail.fetch", "before"),
    Point("notifier.withdraw", "before"),
    Point("state.save", "before", repeats=True),
    Point("sqlite.statement", "before", 2, repeats=True),
    Point("sqlite.statement", "before", 7, repeats=True),
    Point("sqlite.write", "9000", repeats=True),
    Point("events.emit", "after", 1, repeats=True),
    Point("tray.render", "after"),
)
START = (
    Point("keyring.get", "before", 2),
    Point("state.load", "after"),
)
"""While a start takes over what was kept."""
# fmt: on


def random_points(how_many: int) -> tuple[Point, ...]:
    """Return points anywhere in a few polls; what they may cost is looked at afterwards."""
    dice = random.Random(20_000)  # noqa: S311 - a seed, not a secret
    moments = ((dice.choice(["before", "after"]), dice.randint(1, 90)) for _ in range(how_many))
    return tuple(Point("any", when, nth, loses=None, repeats=True) for when, nth in moments)


POINTS = [*POLL, *(MORE + random_points(125) if IS_SOAK else random_points(3))]
MOMENTS_S = list(islice(cycle([0.01, 0.04, 0.09, 0.17, 0.3]), 40 if IS_SOAK else 3))
IN_WINDOW = ("identity.", "vault.", "keyring.")
MAY_REPEAT = ("notifier.", "sqlite.", "state.", "events.", "tray.")


class Life:
    """One home and one mailbox, through many deaths.

    Attributes:
        is_sound: True while it goes on as it should.
        lost_tokens: Deaths between the server's new refresh token and its safe place.
    """

    def __init__(self, simulator: Simulator, session: DesktopSession, folder: Path) -> None:
        self.cloud = simulator.cloud
        self._session = session
        self._folder = folder
        self.launcher = (sys.executable, "-P", DYING, str(folder))
        self.program = Program(
            folder / "home", simulator.url, session.env, interval_s=0.05, launcher=self.launcher
        )
        self._owed: list[str] = []
        self._may_repeat: set[str] = set()
        self.is_sound = True
        self.lost_tokens = 0
        self.repeats = 0

    def begin(self) -> None:
        self.program.sign_in()
        self.make_scene()
        self.settle()

    # -- dying --------------------------------------------------------------------------------

    def make_scene(self) -> None:
        """Let one poll have every step to do: a token to renew, mail to tell and to take back."""
        with self.cloud.lock:
            self.cloud.expire_access_tokens()
            self.cloud.mark(self._owed, is_read=True)
            self._owed += self.cloud.deliver(count=2)

    def arm(self, point: Point) -> None:
        (self._folder / "died").unlink(missing_ok=True)
        draft = self._folder / "draft"
        draft.write_text(f"{point.call} {point.when} {point.nth}")
        draft.replace(self._folder / "point")

    def disarm(self) -> str:
        """Return the call at which it died."""
        (self._folder / "point").unlink()
        return (self._folder / "died").read_text()

    def die(self, point: Point) -> str:
        """Let the running program die at a point of the coming poll; returns the call."""
        with self.cloud.lock:
            self.arm(point)
            self.make_scene()
        code = self.program.ended()
        assert code in {-signal.SIGKILL, -signal.SIGXFSZ}
        return self.disarm()

    def die_after(self, seconds: float) -> None:
        """Be killed at any moment of the coming poll."""
        self.make_scene()
        assert self.program._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.program._process.wait(seconds)
        assert self.program.kill(signal.SIGKILL) == -signal.SIGKILL

    def die_at_start(self, point: Point) -> None:
        assert self.program.kill(signal.SIGTERM) == 0
        self.make_scene()
        self.arm(point)
        done = subprocess.run(
            [*self.launcher, "run", *self.program._common(), "--tray", "none"],
            env=self.program._env, capture_output=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr
        self.disarm()

    # -- what is left -------------------------------------------------------------------------

    def is_token_kept(self) -> bool:
        """Say whether the vault has the newest refresh token; whole caches only."""
        token = kept_refresh_token(self.program.home)
        with self.cloud.lock:
            return not self.cloud.grants._refresh[token].used

    def revive(self, *, loses: bool | None) -> None:
        """Start again after a death and see that it goes on as if nothing had been."""
        is_kept = self.is_token_kept()
        assert loses is None or is_kept is not loses
        refused = self.cloud.counts()["used_refresh_tokens_refused"]
        mark = self.program.mark()
        if not is_kept:
            # The old access token would do for an hour; this is what comes after it.
            self.lost_tokens += 1
            (self._folder / "later").touch()
        self.program.start()
        if not is_kept:
            refused += TRIES
            self._sign_in_again(mark, refused)
        self.settle()
        assert self.cloud.counts()["used_refresh_tokens_refused"] == refused
        # Something that this process told, for the next scene to take back.
        self._owed += self.cloud.deliver()
        self.settle()

    def _sign_in_again(self, mark: int, refused: int) -> None:
        """See that it asks for a sign-in once, after the quiet second try, and rests."""
        self.program.wait(mark, event="status", state="attention")
        assert self.program.run("check").returncode == 4
        assert self.cloud.counts()["used_refresh_tokens_refused"] == refused
        asked = [e for e in self.program.events[mark:] if e["event"] == "notification"]
        assert [e["ids"] for e in asked] == [[]]
        (self._folder / "later").unlink()
        self.program.sign_in()

    def settle(self) -> None:
        """Wait until all that is owed is told and the number is the truth."""
        self.program.wait(self.program.mark(), event="polled", times=3)
        told = self.told()
        assert set(self._owed) <= told.keys(), "lost"
        status = [e for e in self.program.events if e["event"] == "status"][-1]
        assert (status["state"], status["unread"]) == ("ok", self.cloud.unread_count())

    def told(self) -> Counter[str]:
        return Counter((self._folder / "shown").read_text().split())

    def take_repeats(self, *, may_repeat: bool) -> None:
        """See that nothing was told twice but what was being shown at the death."""
        often = {one: times for one, times in self.told().items() if times > 1}
        new = often.keys() - self._may_repeat
        self._may_repeat |= new
        self.repeats += len(new)
        assert max(often.values(), default=1) <= 2
        assert not new or may_repeat


class Lives:
    """One life for all tests; another after one that went wrong."""

    def __init__(self, session: DesktopSession, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._session = session
        self._folders = tmp_path_factory
        self._stack = contextlib.ExitStack()
        self._present: Life | None = None

    def give(self) -> Life:
        """Return a life that runs and has settled."""
        if self._present is None or not self._present.is_sound:
            self.end()
            simulator = self._stack.enter_context(Simulator())
            life = Life(simulator, self._session, self._folders.mktemp("life"))
            self._stack.enter_context(life.program)
            life.begin()
            self._present = life
        return self._present

    def end(self) -> None:
        """End the program and what it talked to."""
        if self._present is not None:
            lost, twice = self._present.lost_tokens, self._present.repeats
            print(f"lost tokens: {lost}, told twice: {twice}")  # noqa: T201 - figures
        self._stack.close()
        self._present = None


@pytest.fixture(scope="module")
def lives(
    keyring_session: DesktopSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives]:
    lives = Lives(keyring_session, tmp_path_factory)
    yield lives
    lives.end()


@pytest.fixture(autouse=True)
def _on_the_bus(keyring_session: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = keyring_session.env["DBUS_SESSION_BUS_ADDRESS"]
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)


@pytest.fixture
def life(lives: Lives) -> Life:
    life = lives.give()
    life.is_sound = False
    return life


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_death_in_a_poll(life: Life, point: Point) -> None:
    call = life.die(point)
    in_window = call.startswith(IN_WINDOW)
    life.revive(loses=None if in_window and point.loses is None else bool(point.loses))
    life.take_repeats(may_repeat=point.repeats and call.startswith(MAY_REPEAT))
    life.is_sound = True


@pytest.mark.parametrize("seconds", MOMENTS_S)
def test_a_death_at_any_time(life: Life, seconds: float) -> None:
    life.die_after(seconds)
    life.revive(loses=None)
    life.take_repeats(may_repeat=True)
    life.is_sound = True


@pytest.mark.parametrize("point", START, ids=str)
def test_a_death_in_a_start(life: Life, point: Point) -> None:
    life.die_at_start(point)
    life.revive(loses=False)
    life.take_repeats(may_repeat=False)
    life.is_sound = True


def test_a_lost_token_costs_nothing_where_the_service_is_patient(life: Life) -> None:
    # The real service lets an old refresh token through again.
    life.cloud.used_refresh_tokens_work = True
    life.die(Point("vault.save", "before"))
    mark = life.program.mark()
    life.cloud.expire_access_tokens()
    life.program.start()
    life.settle()
    life.cloud.used_refresh_tokens_work = False
    assert not [e for e in life.program.events[mark:] if e["event"] == "failed"]
    life.take_repeats(may_repeat=False)
    life.is_sound = True


def test_a_lost_token_is_told_even_while_the_old_access_token_looks_good(life: Life) -> None:
    life.die(Point("vault.save", "before"))
    mark = life.program.mark()
    life.cloud.expire_access_tokens()
    life.program.start()
    life.program.wait(mark, event="status", state="attention")
    assert sum(e["event"] == "failed" for e in life.program.events[mark:]) == TRIES


@pytest.fixture
def fresh(simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path) -> Iterator[Life]:
    """A home that nothing has happened in yet."""
    life = Life(simulator, keyring_session, tmp_path)
    with life.program:
        yield life


FIRST_DAYS = (
    Point("vault.save", "before"),
    Point("keyring.set", "within", 2),
    Point("vault.save", "after"),
    Point("state.load", "before"),
    Point("sqlite.statement", "before", 3),
)


@pytest.mark.parametrize("point", FIRST_DAYS if IS_SOAK else FIRST_DAYS[1::2], ids=str)
def test_a_death_in_the_first_sign_in(fresh: Life, point: Point) -> None:
    fresh.arm(point)
    fresh.program.run("signin")
    fresh.program.ended()
    fresh.disarm()
    fresh.program.start()
    fresh.program.sign_in()
    fresh.make_scene()
    fresh.program.wait_told(fresh._owed)
    fresh.settle()
    assert fresh.is_token_kept()


@pytest.mark.parametrize("nth", range(1, 6) if IS_SOAK else [2, 5])
def test_a_death_while_signing_out(fresh: Life, nth: int) -> None:
    fresh.begin()
    fresh.arm(Point("keyring.delete", "after", nth))
    fresh.program.run("signout")
    fresh.program.ended()
    fresh.disarm()
    mark = fresh.program.mark()
    fresh.program.start()
    fresh.program.wait(mark, event="status")
    done = fresh.program.run("signout")
    assert (done.returncode, done.stdout) == (0, "Signed out\n")
    assert vault_of(fresh.program.home).accounts() == ()
