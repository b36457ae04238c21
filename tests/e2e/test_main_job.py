"""Sign in, poll, notify: the real program against the simulator, over HTTP."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from mailtray.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from mailtray.simulator import Simulator
    from tests.e2e.program import Program

USERNAME = "ada@contoso.example"


def poll_twice(program: Program) -> None:
    """Wait until a poll that began after now has come back."""
    program.wait(program.mark(), event="polled", times=2)


def test_the_first_poll_counts_and_announces_nothing(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    poll_twice(program)
    assert not program.told()
    status = program.wait(event="status", state="ok", unread=simulator.cloud.unread_count())
    assert USERNAME in status["tooltip"]


def test_each_new_message_is_told_once(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    first = simulator.cloud.deliver(sender_name="Grace", subject="Lunch?")
    program.wait_told(first)
    told = program.wait(event="notification")
    assert (told["title"], told["body"], told["account"]) == ("Grace", "Lunch?", USERNAME)
    second = simulator.cloud.deliver()
    program.wait_told(second)
    poll_twice(program)
    assert program.told() == dict.fromkeys(first + second, 1)


def test_many_at_once_are_one_summary(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    ids = simulator.cloud.deliver(count=8, sender_name="Build server", subject="Done")
    program.wait_told(ids)
    told = [e for e in program.events if e["event"] == "notification"]
    assert [(len(e["ids"]), e["title"]) for e in told] == [(8, "8 new messages")]


@pytest.mark.parametrize("how", ["read", "deleted", "moved"])
def test_what_is_dealt_with_elsewhere_is_withdrawn(
    program: Program, simulator: Simulator, how: str
) -> None:
    program.sign_in()
    ids = simulator.cloud.deliver()
    program.wait_told(ids)
    mark, before = program.mark(), simulator.cloud.unread_count()
    match how:
        case "read":
            simulator.cloud.mark(ids, is_read=True)
        case "deleted":
            simulator.cloud.delete(ids)
        case _:
            simulator.cloud.move(ids, "archive")
    program.wait(mark, event="withdrawn", ids=ids)
    program.wait(mark, event="status", unread=before - 1)


def test_unread_again_and_moved_back_is_not_new(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    ids = simulator.cloud.deliver()
    program.wait_told(ids)
    for is_read in (True, False):
        simulator.cloud.mark(ids, is_read=is_read)
        poll_twice(program)
    for folder in ("archive", "inbox"):
        simulator.cloud.move(ids, folder)
        poll_twice(program)
    assert program.told() == dict.fromkeys(ids, 1)
    program.wait(event="status", unread=simulator.cloud.unread_count())


def test_between_expiries_a_hundred_polls_are_a_hundred_requests(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    poll_twice(program)
    simulator.cloud.clear_log()
    mark = program.mark()
    program.wait(mark, event="polled", times=100)
    polled = sum(e["event"] == "polled" for e in program.events[mark:])
    counts = simulator.cloud.counts()
    assert counts["token"] == 0
    assert abs(int(str(counts["graph"])) - polled) <= 1  # one may be on its way
    assert counts["graph"] == counts["delta"]


def test_an_expired_access_token_costs_one_refresh(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    poll_twice(program)
    simulator.cloud.clear_log()
    simulator.cloud.expire_access_tokens()
    ids = simulator.cloud.deliver()
    program.wait_told(ids)
    poll_twice(program)
    counts = simulator.cloud.counts()
    assert counts["token_refresh_token"] == 1
    assert counts["token"] == 1
    assert not [e for e in program.events if e["event"] == "failed"]
    # The rotated refresh token was kept: it serves the next start as well, the used one would not.
    program.kill(signal.SIGKILL)
    simulator.cloud.expire_access_tokens()
    mark = program.mark()
    program.start()
    program.wait(mark, event="polled")
    counts = simulator.cloud.counts()
    assert counts["token_refresh_token"] == 2
    assert counts["used_refresh_tokens_refused"] == 0


def test_a_revoked_sign_in_is_asked_for_once_and_then_goes_on(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    before = simulator.cloud.deliver()
    program.wait_told(before)
    mark = program.mark()
    simulator.cloud.revoke_refresh_tokens()
    simulator.cloud.expire_access_tokens()
    status = program.wait(mark, event="status", state="attention")
    assert "revoked" in status["tooltip"]
    asked = program.wait(mark, event="notification", ids=[])
    assert "Sign in again" in asked["body"]
    simulator.cloud.clear_log()
    missed = simulator.cloud.deliver(count=2)
    for _ in range(3):
        assert program.run("check").returncode == 4
    assert simulator.cloud.counts()["total"] == 0
    program.sign_in()
    program.wait_told(missed)
    poll_twice(program)
    assert program.told() == dict.fromkeys(before + missed, 1)
    assert len([e for e in program.events if e["event"] == "notification" and not e["ids"]]) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_restart_repeats_nothing_and_misses_nothing(
    program: Program, simulator: Simulator, how: signal.Signals
) -> None:
    program.sign_in()
    before = simulator.cloud.deliver(count=2)
    program.wait_told(before)
    poll_twice(program)
    code = program.kill(how)
    assert code == (-how if how is signal.SIGKILL else 0)
    missed = simulator.cloud.deliver()
    program.start()
    program.wait_told(missed)
    poll_twice(program)
    assert program.told() == dict.fromkeys(before + missed, 1)


def test_the_tokens_are_in_the_keyring_and_nowhere_else(
    program: Program, simulator: Simulator, tmp_path: Path
) -> None:
    program.sign_in()
    simulator.cloud.expire_access_tokens()
    program.wait_told(simulator.cloud.deliver(subject="A subject nobody logs"))
    program.kill(signal.SIGTERM)
    grants = simulator.cloud.grants
    secrets = [*grants._codes, *grants._access, *grants._refresh]
    assert len(secrets) >= 4  # a code, two access tokens, two refresh tokens
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        content = path.read_bytes()
        assert not [s for s in secrets if s.encode() in content], path
        if path.suffix == ".log":
            assert b"subject nobody" not in content
            assert USERNAME.encode() not in content


def test_an_outage_is_told_on_the_icon_and_passes_by_itself(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    mark = program.mark()
    simulator.cloud.add_fault(Fault(path="/v1.0/", close="before", times=None))
    assert program.wait(mark, event="status", state="offline")["error"]
    ids = simulator.cloud.deliver()
    simulator.cloud.clear_faults()
    program.wait_told(ids)
    program.wait(mark, event="status", state="ok")
    assert not [e for e in program.events if e["event"] == "notification" and not e["ids"]]


def test_retry_after_is_kept_even_when_asked_to_check_now(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    mark = program.mark()
    simulator.cloud.add_fault(
        Fault(path="delta", status=429, headers={"Retry-After": "5"}, body={"error": {"code": "x"}})
    )
    failed = program.wait(mark, event="failed")
    assert failed["next_s"] == pytest.approx(5.0)
    simulator.cloud.clear_log()
    assert program.run("check").returncode == 1
    assert simulator.cloud.counts()["graph"] == 0
    program.wait(mark, event="status", state="ok")


def test_a_lost_sync_state_is_one_full_round_and_no_flood(
    program: Program, simulator: Simulator
) -> None:
    simulator.cloud.deliver(count=40)
    program.sign_in()
    poll_twice(program)
    simulator.cloud.add_fault(Fault(path="delta", close="before", times=None))
    program.wait(program.mark(), event="failed")
    simulator.cloud.drop_sync_state()
    ids = simulator.cloud.deliver(count=2)
    simulator.cloud.clear_faults()
    program.wait_told(ids)
    poll_twice(program)
    assert program.told() == dict.fromkeys(ids, 1)


def test_a_damaged_state_is_kept_aside_and_floods_nobody(
    program: Program, simulator: Simulator
) -> None:
    simulator.cloud.deliver(count=30)
    program.sign_in()
    program.wait_told(simulator.cloud.deliver())
    program.kill(signal.SIGTERM)
    (program.home / "state" / "state.db").write_bytes(b"not a database" * 1_000)
    mark = program.mark()
    program.start()
    program.wait(mark, event="polled", times=2)
    (said,) = [e for e in program.events[mark:] if e["event"] == "notification"]
    assert (said["ids"], "damaged" in said["title"]) == ([], True)
    assert (program.home / "state" / "state.db.bad-1").is_file()
    program.wait_told(simulator.cloud.deliver())
