"""The person's hook, run by the real program."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.desktop.rig import wait_until
from tests.e2e.program import Program

if TYPE_CHECKING:
    from pathlib import Path

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

USERNAME = "ada@contoso.example"
KEYS = {"account", "id", "from", "subject", "received", "web_link"}


@pytest.fixture
def program(simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path) -> Program:
    return Program(tmp_path / "home", simulator.url, keyring_session.env)


def wish(program: Program, *command: str) -> None:
    """Make a command the hook."""
    program.home.mkdir(exist_ok=True)
    (program.home / "settings.toml").write_text(f"hook = {json.dumps(command)}\n")


def keeping(folder: Path) -> tuple[Path, Path]:
    """Return a program that keeps each message it reads as a file of a folder, and the folder."""
    kept, script = folder / "kept", folder / "my hook"
    kept.mkdir()
    script.write_text(f'#!/bin/sh\ncat >"{folder}/$$"; mv "{folder}/$$" "{kept}/$$"\n')
    script.chmod(0o755)
    return script, kept


def read(kept: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in kept.iterdir()]


def test_it_gets_each_message_that_is_told_and_no_other(
    program: Program, simulator: Simulator, tmp_path: Path
) -> None:
    script, kept = keeping(tmp_path)
    wish(program, str(script))
    with program:
        program.sign_in()
        ids = simulator.cloud.deliver(subject='Quote " and $HOME')
        program.wait_told(ids)
        (message,) = wait_until(lambda: read(kept))
        assert message.keys() == KEYS
        assert message["account"] == USERNAME
        assert (message["id"], message["from"]) == (ids[0], "Grace Hopper")
        assert message["subject"] == 'Quote " and $HOME'
        assert message["web_link"].startswith(f"{simulator.url}/mail/")
        ids += simulator.cloud.deliver(count=8)
        program.wait_told(ids)
        wait_until(lambda: len(read(kept)) == 9)
        program.kill(signal.SIGTERM)
        program.start()
        program.wait(program.mark(), event="polled", times=2)
        assert sorted(message["id"] for message in read(kept)) == sorted(ids)


def test_one_that_hangs_holds_up_neither_mail_nor_the_end(
    program: Program, simulator: Simulator, tmp_path: Path
) -> None:
    script = tmp_path / "hook"
    script.write_text(f"#!/bin/sh\necho $$ >>'{tmp_path}/begun'\nexec sleep 600\n")
    script.chmod(0o755)
    wish(program, str(script))
    with program:
        program.sign_in()
        ids = [*simulator.cloud.deliver(), *simulator.cloud.deliver()]
        program.wait_told(ids)
        begun = tmp_path / "begun"
        wait_until(lambda: begun.exists() and len(begun.read_text().splitlines()) == 2)
        ids += simulator.cloud.deliver(count=2)
        program.wait_told(ids)
        asked_s = time.perf_counter()
        assert program.kill(signal.SIGTERM) == 0
        assert time.perf_counter() - asked_s < 3.0
    assert len(begun.read_text().splitlines()) == 2


def test_one_that_is_not_there_is_said_once(
    program: Program, simulator: Simulator, tmp_path: Path
) -> None:
    wish(program, str(tmp_path / "absent"))
    with program:
        program.sign_in()
        program.wait_told(simulator.cloud.deliver())
        said = program.wait(event="notification", ids=[])
        assert said["title"] == "Your hook cannot be started"
        assert str(tmp_path / "absent") in said["body"]
        mark = program.mark()
        program.wait_told(simulator.cloud.deliver(count=2))
        program.wait(mark, event="polled", times=3)
        assert [e for e in program.events if e["event"] == "notification" and not e["ids"]] == [
            said
        ]
        log = (program.home / "state" / "mailtray.log").read_text()
        assert "The hook cannot be started" in log


def test_a_command_line_instead_of_a_list_is_refused(program: Program) -> None:
    program.home.mkdir()
    (program.home / "settings.toml").write_text('hook = "notify-send hello"\n')
    done = program.run("check")
    assert done.returncode == 2
    assert "hook: must be a list" in done.stderr
