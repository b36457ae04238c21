"""Every fault of the table at every place: the real program, real HTTP, a misbehaving service."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from datetime import timedelta
from itertools import count, pairwise, product
from typing import TYPE_CHECKING

import pytest

from mailtray.simulator import Fault, Simulator
from mailtray.simulator.browser import USERNAME_VARIABLE
from tests.e2e import reliability
from tests.e2e.faults import CELLS, KINDS, LEFT_OUT, PAGE_SIZES, PAGES, Cell, Place, Stage, WayBack
from tests.e2e.program import MAILTRAY, Program
from tests.e2e.reliability import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mailtray.simulator.traffic import LoggedRequest
    from tests.desktop.rig import DesktopSession
    from tests.e2e.program import Event

INTERVAL_S = 0.05
ADA, GRACE = "ada@contoso.example", "grace@fabrikam.example"
HINDERED = "tests.e2e.hindered"
DATE_S, START_S = 2, 8
"""How far away the date of a ``Retry-After`` is, and while the program is being started."""
CLOCK_TOLERANCE_S = 0.02
"""The program waits by the monotonic clock, the simulator's log is by the wall clock."""


class Bench:
    """One program that lives through the cells, and the simulator it talks to."""

    def __init__(self, simulator: Simulator, program: Program, flag: Path) -> None:
        self.simulator, self.cloud = simulator, simulator.cloud
        self.program = program
        self._flag = flag
        self._has_small_pages = False
        self._launchers = {False: MAILTRAY, True: (sys.executable, "-m", HINDERED, str(flag))}

    def play(self, cell: Cell) -> Outcome:
        """Deliver mail before, during and after a fault."""
        self._prepare(cell)
        ids = self.cloud.deliver()
        self.program.wait_told(ids)
        if cell.place is Place.DISCOVERY:
            self._end()  # and the program that is started for it is the one that counts
        self.cloud.clear_log()
        mark = self.program.mark()
        ids += self._strike(cell)
        delays, seen = self._fail(cell, mark)
        self._relent(cell)
        ids += self._recover(cell, ids)
        self._check_waits(cell, delays)
        self._check_words(cell, mark)
        self._check_kept(cell)
        told = self.program.told()
        self.cloud.delete(ids)
        return Outcome(
            fault=cell.fault,
            place=cell.place,
            state=seen,
            tries=len(delays),
            requests=len(self._spoiled(cell)),
            lost=sum(not told[one] for one in ids),
            repeated=sum(max(told[one] - 1, 0) for one in ids),
            way_back=cell.way_back if cell.tries else "at once",
        )

    # -- the fault ----------------------------------------------------------------------------

    def _prepare(self, cell: Cell) -> None:
        """Bring a program to the place that can meet the fault."""
        is_stale = self.program.launcher != self._launchers[cell.kind.is_hindered]
        self.program.launcher = self._launchers[cell.kind.is_hindered]
        shrinks_pages = cell.kind.shrinks_pages and cell.place in PAGES
        if (cell.place is not Place.DISCOVERY and is_stale) or (
            shrinks_pages and self._has_small_pages
        ):
            self._end()
            self.program.start()
        self._has_small_pages |= shrinks_pages
        self.cloud.used_refresh_tokens_work = cell.kind.carried_out
        self.cloud.largest_delta_page = PAGE_SIZES.get(cell.place)
        if cell.place is Place.TOKEN and cell.kind.stage is not Stage.ANSWER:
            # Tokens too short to be used twice: each poll begins with a refresh, asking nothing
            # of Graph before.
            with self.cloud.lock:
                self.cloud.access_token_lifetime_s = 200
                self.cloud.expire_access_tokens()
            self._poll()

    def _end(self) -> None:
        assert self.program.kill(signal.SIGTERM) == 0
        self._has_small_pages = False

    def _strike(self, cell: Cell) -> list[str]:
        """Let the fault begin, with mail on its way."""
        with self.cloud.lock:
            self.cloud.access_token_lifetime_s = 3599
            if cell.place is Place.TOKEN:
                self.cloud.expire_access_tokens()
            if cell.kind.stage is Stage.ANSWER:
                # A program that is only being started asks later.
                date_s = START_S if cell.place is Place.DISCOVERY else DATE_S
                self.cloud.add_fault(cell.answer(self.cloud.time() + timedelta(seconds=date_s)))
            ids = self.cloud.deliver(count=3)
        if cell.kind.stage is Stage.LISTENER:
            self.simulator.stop()
        elif cell.kind.stage is Stage.RESOLVER:
            self._flag.touch()
            # Connections that are open need no name.
            self.simulator.stop()
            self.simulator.start()
        if cell.place is Place.DISCOVERY:
            self.program.start()
        return ids

    def _fail(self, cell: Cell, mark: int) -> tuple[list[float | None], str]:
        """Wait until the fault has spoiled its polls; returns their waits and the words shown."""
        if not cell.tries:
            return [], cell.seen.state
        first = self.program.wait(mark, event="failed")
        self.program.wait(mark, event="failed", times=cell.tries)
        status = self.program.wait(
            mark, event="status", state=cell.seen.state, error=first["error"]
        )
        polled = [e for e in self.program.events[mark:] if e["event"] in {"polled", "failed"}]
        # One poll may have been on its way, or have found nothing new to page through.
        assert polled.index(first) <= 1
        assert first["error"] == cell.seen.words
        assert status["tooltip"].startswith(cell.seen.words)
        delays = [e["next_s"] for e in polled if e["event"] == "failed"]
        return delays[: cell.tries], f"{status['state']}: {status['error']}"

    def _relent(self, cell: Cell) -> None:
        """Let a fault end that does not end by itself."""
        if cell.kind.stage is Stage.LISTENER:
            self.simulator.start()
        elif cell.kind.stage is Stage.RESOLVER:
            self._flag.unlink()

    def _recover(self, cell: Cell, ids: list[str]) -> list[str]:
        """Wait for what came in the meantime, and for what comes afterwards."""
        mark = self.program.mark()
        if cell.way_back is WayBack.CHECK:
            assert self.program.run("check").returncode == 0
        elif cell.way_back is WayBack.SIGN_IN:
            self.program.sign_in()
        self.program.wait_told(ids)
        after = self.cloud.deliver()
        self.program.wait_told(after)
        unread = self.cloud.unread_count()
        self.program.wait(mark, event="status", state="ok", unread=unread)
        self.program.wait(self.program.mark(), event="polled")
        # What strikes no answer cannot say when the last poll that it spoils has come back.
        on_its_way = int(cell.kind.stage is not Stage.ANSWER)
        failed = [e for e in self.program.events[mark:] if e["event"] == "failed"]
        assert len(failed) <= on_its_way
        return after

    # -- what is left of it ----------------------------------------------------------------

    def _spoiled(self, cell: Cell) -> list[LoggedRequest]:
        """Return the requests from the first that was spoiled to the last."""
        log = self.cloud.log()
        hit = [number for number, request in enumerate(log) if request.fault]
        assert len(hit) == cell.hits
        return log[hit[0] : hit[-1] + 1] if hit else []

    def _check_waits(self, cell: Cell, delays: list[float | None]) -> None:
        """Compare the waits that were announced with those in the simulator's log."""
        assert len(delays) == cell.tries
        spoiled = self._spoiled(cell)
        if not spoiled or not delays:
            return
        if cell.way_back is not WayBack.BY_ITSELF:
            assert delays[-1] is None or delays[-1] > 3_000
            return
        following = next(one for one in self.cloud.log() if one.n > spoiled[-1].n)
        waited_s = following.at - spoiled[0].at
        assert waited_s >= sum(filter(None, delays)) - CLOCK_TOLERANCE_S
        if "Retry-After in" in cell.fault:
            assert delays == [1.0]
        elif "Retry-After as" in cell.fault:
            assert delays[0] in {float(n) for n in range(1, START_S + 1)}
        elif cell.seen.state == "throttled":
            first_s, second_s = (delay_s or 0.0 for delay_s in delays)
            assert second_s >= 1.6 * first_s > 0

    def _check_words(self, cell: Cell, mark: int) -> None:
        """Look whether the person was asked to act where, and only where, they have to."""
        notifications = [e for e in self.program.events[mark:] if e["event"] == "notification"]
        assert sum(not e["ids"] for e in notifications) == (cell.seen.state == "attention")
        assert not [line for line in self.program.output if "Traceback" in line]

    def _check_kept(self, cell: Cell) -> None:
        """Look whether the tokens and the cursor outlived the fault."""
        counts = self.cloud.counts()
        assert counts["token_authorization_code"] == (cell.way_back is WayBack.SIGN_IN)
        assert counts["used_refresh_tokens_refused"] == 0
        anew = [one for one in self.cloud.log() if _starts_anew(one)]
        assert (len(anew) > 0) == (cell.fault.startswith(("410", "400")) and cell.place in PAGES)

    def _poll(self, times: int = 2) -> None:
        self.program.wait(self.program.mark(), event="polled", times=times)


def _starts_anew(request: LoggedRequest) -> bool:
    return request.path.endswith("/delta") and "token=" not in request.query


class Benches:
    """The bench in use; a cell that fails leaves none behind, and the next begins afresh.

    Attributes:
        outcomes: What was seen, by cell.
    """

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env = env
        self._folder = folder
        self._numbers = count()
        self._rig = ExitStack()
        self._bench: Bench | None = None
        self.outcomes: dict[str, Outcome] = {}

    def play(self, cell: Cell) -> Outcome:
        """Play one cell."""
        bench, self._bench = self._bench or self._new(), None
        outcome = self.outcomes[str(cell)] = bench.play(cell)
        self._bench = bench
        return outcome

    def _new(self) -> Bench:
        self._rig.close()
        folder = self._folder / str(next(self._numbers))
        simulator = self._rig.enter_context(Simulator())
        program = self._rig.enter_context(
            Program(folder / "home", simulator.url, self._env, interval_s=INTERVAL_S)
        )
        program.sign_in()
        return Bench(simulator, program, folder / "no-names")

    def close(self) -> None:
        """End the last program, and look back on all of its life."""
        with self._rig:
            if self._bench is not None:
                assert set(self._bench.program.told().values()) <= {1}
                assert self._bench.program.kill(signal.SIGTERM) == 0


@pytest.fixture(scope="module")
def benches(
    keyring_session: DesktopSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Benches]:
    benches = Benches(keyring_session.env, tmp_path_factory.mktemp("faults"))
    yield benches
    benches.close()
    if benches.outcomes.keys() == {str(cell) for cell in CELLS}:
        reliability.keep([benches.outcomes[str(cell)] for cell in CELLS])


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_fault(benches: Benches, cell: Cell) -> None:
    outcome = benches.play(cell)
    assert (outcome.lost, outcome.repeated) == (0, 0)


def test_the_table_has_every_fault_at_every_place() -> None:
    played = [(cell.fault, cell.place) for cell in CELLS]
    assert len(set(played)) == len(played)
    assert set(played).isdisjoint(LEFT_OUT)
    assert {*played, *LEFT_OUT} == set(product(KINDS, Place))


def test_the_page_shows_the_table_as_it_is() -> None:
    """Run this file, then ``python -m tests.e2e.reliability``, to write the page anew."""
    lines = reliability.PAGE.read_text(encoding="utf-8").splitlines()
    shown = [tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| ")]
    assert shown[0] == reliability.COLUMNS
    assert [row[:4] + row[5:] for row in shown[2:]] == [
        (
            cell.fault,
            str(cell.place),
            f"{cell.seen.state}: {cell.seen.words}" if cell.tries else cell.seen.state,
            str(cell.tries),
            "0",
            "0",
            str(cell.way_back) if cell.tries else "at once",
        )
        for cell in CELLS
    ]


# -- longer sequences ----------------------------------------------------------------------------


def throttled(header: str | None) -> Fault:
    """Return one 429, with a ``Retry-After`` or without."""
    headers = {} if header is None else {"Retry-After": header}
    return Fault(path="/delta", status=429, headers=headers, body={"error": {"code": "x"}})


def asked_of(program: Program) -> list[Event]:
    """Return what the person was told of mailtray itself."""
    return [e for e in program.events if e["event"] == "notification" and not e["ids"]]


def test_any_retry_after_is_read_or_left_alone(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    headers: list[tuple[str | None, float | None]] = [
        ("1", 1.0),
        ("1.5", 2.0),
        (" 1 ", 1.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("9" * 5_000, None),
        (None, None),
    ]
    for header, wait_s in headers:
        mark = program.mark()
        simulator.cloud.add_fault(throttled(header))
        failed = program.wait(mark, event="failed")
        assert failed["next_s"] == pytest.approx(wait_s or 0.11, abs=0 if wait_s else 0.011), header
        program.wait_told(simulator.cloud.deliver())
    mark = program.mark()
    simulator.cloud.add_fault(throttled("999999999"))
    assert program.wait(mark, event="failed")["next_s"] == 3_600.0
    assert not asked_of(program)
    assert set(program.told().values()) == {1}


def test_throttling_without_a_word_slows_down_by_itself(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    home, env = tmp_path / "home", keyring_session.env
    with Program(home, simulator.url, env, interval_s=0.005) as program:
        program.sign_in()
        mark = program.mark()
        with simulator.cloud.lock:
            simulator.cloud.add_fault(
                Fault(
                    path="/delta", status=500, body={"error": {"code": "ErrorInternalServerError"}}
                )
            )
            for _ in range(9):
                simulator.cloud.add_fault(throttled(None))
            ids = simulator.cloud.deliver(count=2)
        program.wait(mark, event="failed", times=10)
        failed = [e["next_s"] for e in program.events[mark:] if e["event"] == "failed"]
        program.wait_told(ids)
        spoiled = [one.at for one in simulator.cloud.log() if one.fault]
        gaps = [later - earlier for earlier, later in pairwise(spoiled)]
        assert all(gap >= wait - CLOCK_TOLERANCE_S for gap, wait in zip(gaps, failed, strict=False))
        assert all(later > 1.6 * earlier for earlier, later in pairwise(failed[4:]))
        again = program.wait(mark, event="polled", arrived=2)
        assert again["next_s"] <= 0.06
        assert program.told() == dict.fromkeys(ids, 1)
        assert not asked_of(program)


@pytest.mark.parametrize("takes_filter", [True, False], ids=["filtered", "filter refused"])
def test_a_large_mailbox_is_read_in_small_pages(
    program: Program, simulator: Simulator, takes_filter: bool
) -> None:
    cloud = simulator.cloud
    cloud.deliver(count=2_400, is_read=True)
    cloud.deliver(count=600)
    cloud.max_page_size_before_504 = 50
    cloud.filter_on_delta = takes_filter
    mark = program.mark()
    cloud.add_fault(Fault(path="skiptoken", skip=10, close="before", times=None))
    assert program.run("signin").returncode == 0
    program.wait(mark, event="failed")
    program.kill(signal.SIGKILL)
    cloud.clear_faults()
    program.start()
    program.wait(mark, event="polled")
    status = program.wait(mark, event="status", state="ok", unread=cloud.unread_count())
    assert f"{cloud.unread_count()} unread · " in status["tooltip"]
    assert sum(one.status == 400 for one in cloud.log()) == (0 if takes_filter else 2)
    # Two halvings each life; the size that was taken is kept.
    assert sum(one.status == 504 for one in cloud.log()) <= 4
    ids = cloud.deliver()
    program.wait_told(ids)
    assert program.told() == dict.fromkeys(ids, 1)
    assert not asked_of(program)


NO_MAILBOX = "This account has no Microsoft 365 mailbox we can read"


def test_an_account_without_a_mailbox_spoils_nothing_for_the_other(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    cloud, home, env = simulator.cloud, tmp_path / "home", keyring_session.env
    cloud.add_account(GRACE, "Grace Hopper")
    with Program(home, simulator.url, env) as program:
        program.sign_in()
    with Program(home, simulator.url, {**env, USERNAME_VARIABLE: GRACE}) as program:
        program.sign_in()
        program.wait(event="polled", account=GRACE)
        mark = program.mark()
        cloud.mailboxes_not_enabled = frozenset({ADA})
        failed = program.wait(mark, event="failed", account=ADA)
        assert failed["error"] == NO_MAILBOX
        missed, others = cloud.deliver(ADA), cloud.deliver(GRACE, sender_address=ADA)
        program.wait_told(others)
        cloud.mailboxes_not_enabled = frozenset()
        assert program.run("check").returncode == 0
        program.wait_told(missed)
        assert program.told() == dict.fromkeys(missed + others, 1)
        assert len(asked_of(program)) == 1


def test_no_mailbox_is_said_once_in_whatever_words_it_comes(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    cloud = simulator.cloud
    mark = program.mark()
    for turn in range(4):
        code = ("MailboxNotEnabledForRESTAPI", "ResourceNotFound")[turn % 2]
        with cloud.lock:
            cloud.clear_log()
            cloud.add_fault(Fault(path="/v1.0/", status=404, body={"error": {"code": code}}))
        if turn:
            assert program.run("check").returncode == 1
        failed = program.wait(mark, event="failed", times=turn + 1)
        assert failed["error"] == NO_MAILBOX
        assert failed["next_s"] > 3_000
    ids = cloud.deliver()
    assert [one.status for one in cloud.log()] == [404]
    assert program.run("check").returncode == 0
    program.wait_told(ids)
    assert not [one for one in cloud.log() if _starts_anew(one)]
    assert program.told() == dict.fromkeys(ids, 1)
    assert [e["title"] for e in asked_of(program)] == [NO_MAILBOX]
