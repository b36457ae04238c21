"""The list of unread messages in a real terminal, with the real program behind it."""

from __future__ import annotations

import os
import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from tests.desktop.conftest import require
from tests.desktop.rig import wait_until
from tests.e2e.program import CLIENT_ID, MAILTRAY, WAIT_S, Program, bare_environment
from tests.e2e.tmux import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator

ADA = "ada@contoso.example"
KEYS = "Enter open"


def folder_of(simulator: Simulator, message_id: str) -> str:
    mailbox, message = simulator.cloud.find(message_id)
    return mailbox.folders[message.folder_id].well_known or ""


@pytest.fixture
def program(simulator: Simulator, tmp_path: Path) -> Iterator[Program]:
    """The program, signed in by a person who once allowed it to change mail; polls seldom."""
    with Program(
        tmp_path / "home", simulator.url, bare_environment(tmp_path), interval_s=0.5
    ) as running:
        running.sign_in()
        account = simulator.cloud.account(ADA)
        account.consents.setdefault(CLIENT_ID, set()).add("Mail.ReadWrite")
        yield running


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    require("terminal")
    env = {**bare_environment(tmp_path), "MAILTRAY": shlex.join(MAILTRAY)}
    with Terminal(tmp_path, env) as here:
        yield here


def command(home: Path, folder: Path) -> str:
    """Return a line for a shell that says how the list ended, and whether that was clean."""
    return (
        f"clear; echo before; stty -g >{folder}/modes; "
        f"sh -c 'echo $$ >{folder}/pid; exec $MAILTRAY watch --home {home}'; "
        f'echo "ended with $?"; [ "$(stty -g)" = "$(cat {folder}/modes)" ] && echo as it was'
    )


@pytest.fixture
def watching(program: Program, terminal: Terminal, tmp_path: Path) -> Terminal:
    """A terminal in which the list is shown."""
    terminal.type(command(program.home, tmp_path))
    terminal.wait_for(KEYS)
    return terminal


def left(terminal: Terminal, code: int) -> str:
    """Wait until the list has ended, and see that the terminal is as it was."""
    screen = terminal.wait_for("\nas it was")
    assert f"ended with {code}" in screen
    assert screen.startswith("before\n")
    assert KEYS not in screen
    return screen


def test_the_list_lives(program: Program, watching: Terminal, simulator: Simulator) -> None:
    first = simulator.cloud.deliver(sender_name="Grace Hopper", subject="Found a moth")
    screen = watching.wait_for("Grace Hopper")
    assert f"{ADA}  1 new · " in screen
    watching.press("Down")
    watching.wait_for("No unread" if simulator.cloud.unread_count() == 0 else f"{ADA}  3 unread")
    watching.press("Home", "a")
    watching.wait_for("Archived; u undoes it.")
    assert folder_of(simulator, first[0]) == "archive"
    watching.wait_without("Found a moth")
    watching.press("u")
    watching.wait_for("Undone.")
    assert folder_of(simulator, first[0]) == "inbox"
    watching.wait_for("Found a moth")
    watching.resize(40, 10)
    screen = watching.wait_for("Enter open · r read · a archive · d del…")
    assert len(screen.splitlines()) == 10
    simulator.cloud.mark(first, is_read=True)
    watching.press("c")
    watching.wait_without("Found a moth")
    watching.press("q")
    left(watching, 0)
    assert program.run("status").returncode == 0


def test_notifications_are_paused_and_resumed(program: Program, watching: Terminal) -> None:
    watching.press("p")
    watching.wait_for("1  For 30 minutes")
    watching.press("1")
    watching.wait_for("mailtray · Paused until ")
    program.wait(event="paused")
    watching.press("p")
    watching.wait_without("Paused until ")
    program.wait(event="resumed")


@pytest.mark.parametrize("number", ["TERM", "HUP", "INT"])
def test_a_signal_leaves_the_terminal_as_it_was(
    watching: Terminal, tmp_path: Path, number: str
) -> None:
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, getattr(signal, f"SIG{number}"))
    left(watching, 0)


def test_ctrl_c_and_ctrl_z_in_the_list(watching: Terminal) -> None:
    watching.press("C-z", "C-s", "?")
    watching.wait_for("leave the list")
    watching.press("C-c")
    left(watching, 0)


def test_the_end_of_the_program_ends_the_list(program: Program, watching: Terminal) -> None:
    assert program.run("quit").returncode == 0
    assert program.ended() == 0
    assert "mailtray is not running" in left(watching, 5)


def test_a_program_that_starts_over_is_waited_for(program: Program, watching: Terminal) -> None:
    assert program.run("settings", "set", "log_level", "debug").returncode == 0
    # Its tokens were in memory alone.
    watching.wait_for("There is no keyring here")
    watching.press("q")
    left(watching, 0)


def test_without_a_program_it_says_so(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type(command(tmp_path / "home", tmp_path))
    screen = left(terminal, 5)
    assert "mailtray is not running\n" in screen
    assert "Start it with “mailtray run”." in screen


def test_without_a_terminal_the_messages_are_printed_once(
    program: Program, simulator: Simulator
) -> None:
    simulator.cloud.deliver(sender_name="Grace", subject="Rota")
    wait_until(lambda: "Grace: Rota" in program.run("watch").stdout, WAIT_S, 0.1)
