"""Acting on messages: the real program changes the simulator's mailbox, and asks before it may."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from mailtray import bootstrap
from mailtray.bootstrap import Options
from mailtray.simulator import Fault
from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.program import CLIENT_ID, WAIT_S, Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mailtray.simulator import Simulator

ASKED = "mailtray may not change your mail yet"
ADA = "ada@contoso.example"


def folder_of(simulator: Simulator, message_id: str) -> str:
    """Return the well-known name of the folder that a message is in, from the control API."""
    mailbox, message = simulator.cloud.find(message_id)
    return mailbox.folders[message.folder_id].well_known or ""


def is_read(simulator: Simulator, message_id: str) -> bool:
    return simulator.cloud.find(message_id)[1].is_read


def allow_changes(simulator: Simulator) -> None:
    """Let the person have accepted the permission before, on another computer."""
    account = simulator.cloud.account(ADA)
    account.consents.setdefault(CLIENT_ID, set()).add("Mail.ReadWrite")


def told(program: Program, simulator: Simulator, count: int = 1) -> list[str]:
    ids: list[str] = []
    for _ in range(count):
        new = simulator.cloud.deliver(subject="Rota")
        program.wait_told(new)
        ids += new
    return ids


def ask(program: Program, **request: object) -> Mapping[str, object]:
    return bootstrap.ask(Options(home=program.home), request, timeout_s=WAIT_S)


@pytest.fixture
def allowed(program: Program, simulator: Simulator) -> Program:
    """The program, signed in by a person who once allowed it to change mail."""
    program.sign_in()
    allow_changes(simulator)
    return program


def test_each_action_changes_the_mailbox_and_can_be_undone(
    allowed: Program, simulator: Simulator
) -> None:
    read, archived, deleted = told(allowed, simulator, 3)
    before = simulator.cloud.unread_count()
    for message_id, action in ((read, "mark_read"), (archived, "archive"), (deleted, "delete")):
        done = allowed.run("act", message_id, action)
        assert (done.returncode, done.stdout) == (0, "Done\n"), done.stderr
        allowed.wait(event="acted", action=action, ids=[message_id], ok=True)
    assert is_read(simulator, read)
    assert folder_of(simulator, archived) == "archive"
    assert folder_of(simulator, deleted) == "deleteditems"
    allowed.wait(event="status", unread=before - 3)
    for message_id in (read, archived, deleted):
        assert allowed.run("act", message_id, "undo").stdout == "Done\n"
        assert folder_of(simulator, message_id) == "inbox"
        assert not is_read(simulator, message_id)
    allowed.wait(allowed.mark(), event="polled", times=2)
    assert allowed.told() == dict.fromkeys((read, archived, deleted), 1)


def test_check_tells_the_ids_that_act_takes(allowed: Program, simulator: Simulator) -> None:
    (message_id,) = told(allowed, simulator)
    found = json.loads(allowed.run("check", "--json").stdout)
    assert message_id in [one["id"] for one in found["accounts"][0]["messages"]]


def test_what_cannot_be_done_is_said(allowed: Program, simulator: Simulator) -> None:
    done = allowed.run("act", "AAMk", "archive")
    assert done.returncode == 1
    assert "There is no such unread message" in done.stderr
    (message_id,) = told(allowed, simulator)
    with simulator.cloud.lock:
        simulator.cloud.delete([message_id])
        gone = allowed.open("act", message_id, "archive")
    _, complaint = gone.communicate(timeout=WAIT_S)
    assert gone.returncode == 1
    assert "no longer there" in complaint or "no such unread message" in complaint


def test_all_of_a_full_mailbox_is_marked_in_batches_and_mail_goes_on(
    allowed: Program, simulator: Simulator
) -> None:
    many = simulator.cloud.deliver(count=250)
    allowed.wait_told(many)
    answer = ask(allowed, command="mark_all_read", account=ADA)
    assert set(many) <= set(answer["ids"])  # type: ignore[call-overload] # a list of ids
    assert simulator.cloud.unread_count() == 0
    after = told(allowed, simulator)
    assert [is_read(simulator, one) for one in after] == [False]
    assert allowed.told() == dict.fromkeys(many + after, 1)


def test_what_waits_for_the_network_is_done_once_also_after_a_restart(
    allowed: Program, simulator: Simulator
) -> None:
    archived, seen = told(allowed, simulator, 2)
    number = simulator.cloud.add_fault(Fault(times=None, close="before"))
    waiting = allowed.run("act", archived, "archive")
    assert (waiting.returncode, waiting.stdout[:9]) == (0, "It waits:")
    assert allowed.run("act", seen, "archive").returncode == 0
    assert (
        "2 actions wait for the network"
        in json.loads(allowed.run("status", "--json").stdout)["tooltip"]
    )
    allowed.kill(signal.SIGKILL)
    simulator.cloud.mark([seen], is_read=True)
    simulator.cloud.clear_fault(number)
    simulator.cloud.clear_log()
    mark = allowed.mark()
    allowed.start()
    allowed.wait(mark, event="acted", ids=[archived], ok=True)
    allowed.wait(mark, event="acted", ids=[seen])
    allowed.wait(allowed.mark(), event="polled", times=2)
    assert folder_of(simulator, archived) == "archive"
    assert not [e for e in allowed.events[mark:] if e["event"] == "notification" and e["ids"]]


# -- the permission ---------------------------------------------------------------------------


def consenting(folder: Path, *, is_willing: bool) -> str:
    """Return a ``BROWSER`` whose person accepts what is asked at sign-in, and later or not."""
    script, first = folder / "browser", folder / "signed-in"
    answer = "" if is_willing else "--cancel"
    script.write_text(
        "#!/bin/sh\n"
        f'if [ -e "{first}" ]; then set -- {answer} "$1"; fi\n'
        f'touch "{first}"\n'
        f'exec {sys.executable} -m mailtray.simulator.browser "$@"\n'
    )
    script.chmod(0o755)
    return f"{script} %s"


@pytest.fixture(scope="module")
def session() -> Iterator[DesktopSession]:
    require("bus", "display", "keyring", "notify", "tray")
    with DesktopSession() as whole:
        yield whole


@pytest.fixture
def on_desktop(
    request: pytest.FixtureRequest, simulator: Simulator, session: DesktopSession, tmp_path: Path
) -> Iterator[Program]:
    """The program on a real desktop, signed in, with a person who is willing or not."""
    session.run("dunstctl", "close-all")
    env = {**session.env, "BROWSER": consenting(tmp_path, is_willing=request.param)}
    options = ("--tray", "auto", "--notifier", "auto")
    with Program(tmp_path / "home", simulator.url, env, *options) as running:
        running.sign_in()
        yield running


def shown(session: DesktopSession, count: int) -> None:
    wait_until(lambda: session.displayed_notifications() == count, WAIT_S)


@pytest.mark.desktop
@pytest.mark.parametrize("on_desktop", [True], indirect=True)
def test_a_real_button_asks_for_the_permission_and_then_archives(
    on_desktop: Program, simulator: Simulator, session: DesktopSession
) -> None:
    program = on_desktop
    (first,) = told(program, simulator)
    shown(session, 1)
    labels = {line.partition(" (")[0] for line in session.press_button("Archive")}
    assert labels == {"#Open", "#Mark read", "#Archive"}
    asked = program.wait(event="notification", title=ASKED)
    assert "needs the permission to change it" in asked["body"]
    assert folder_of(simulator, first) == "inbox"
    shown(session, 1)
    session.press_button("Allow")
    program.wait(event="acted", action="archive", ids=[first], ok=True)
    assert folder_of(simulator, first) == "archive"
    assert "Mail.ReadWrite" in simulator.cloud.account(ADA).consents[CLIENT_ID]
    shown(session, 0)
    program.kill(signal.SIGTERM)
    program.start()
    program.wait(program.mark(), event="polled")
    (second,) = told(program, simulator)
    shown(session, 1)
    session.press_button("Mark read")
    program.wait(event="acted", action="mark_read", ids=[second], ok=True)
    assert is_read(simulator, second)
    assert len([e for e in program.events if e.get("title") == ASKED]) == 1


@pytest.mark.desktop
@pytest.mark.parametrize("on_desktop", [False], indirect=True)
def test_who_declines_is_not_asked_again_and_goes_on_reading(
    on_desktop: Program, simulator: Simulator, session: DesktopSession
) -> None:
    program = on_desktop
    (first,) = told(program, simulator)
    shown(session, 1)
    session.press_button("Archive")
    program.wait(event="notification", title=ASKED)
    session.press_button("Allow")
    program.wait(event="acted", ids=[first], ok=False)
    program.wait(event="notification", title="Your mail was not changed")
    told(program, simulator)
    program.wait(program.mark(), event="polled", times=2)
    assert folder_of(simulator, first) == "inbox"
    assert len([e for e in program.events if e.get("title") == ASKED]) == 1
    assert not [e for e in program.events if e.get("state") == "attention"]
