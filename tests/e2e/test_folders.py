"""Folders and shared mailboxes: settings, consent, notification, end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

    Start = Callable[[str], Program]

TEAM = "team@contoso.example"
READER = "ada@contoso.example"


@pytest.fixture
def start(simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path) -> Iterator[Start]:
    """Starts the program with a settings file."""
    running: list[Program] = []

    def begin(settings: str) -> Program:
        home = tmp_path / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "settings.toml").write_text(settings)
        program = Program(home, simulator.url, keyring_session.env)
        running.append(program)
        program.start()
        return program

    yield begin
    for program in running:
        program.__exit__()


def test_a_folder_by_its_path_and_a_shared_mailbox(simulator: Simulator, start: Start) -> None:
    cloud = simulator.cloud
    team = cloud.add_account(TEAM, "Team").username
    cloud.share_mailbox(team, reader=READER)
    letters = cloud.add_folder("Letters")
    program = start(f'folders = ["inbox", "Inbox/Letters", "{team}"]\n')
    program.sign_in()
    told = [
        *cloud.deliver(),
        *cloud.deliver(folder=letters),
        *cloud.deliver(username=team),
    ]
    program.wait_told(told)
    assert program.told() == dict.fromkeys(told, 1)
    assert program.wait(event="status", state="ok", unread=cloud.unread_count() + 2)


def test_a_mailbox_that_is_not_shared_keeps_nothing_else_waiting(
    simulator: Simulator, start: Start
) -> None:
    cloud = simulator.cloud
    other = cloud.add_account(TEAM, "Team").username
    program = start(f'folders = ["inbox", "{other}"]\n')
    program.sign_in()
    refused = program.wait(event="notification", ids=[])
    assert refused["title"].startswith(f"{other}/inbox: ")
    told = cloud.deliver()
    program.wait_told(told)
    mark = program.mark()
    program.wait(mark, event="polled", times=3)
    assert not [e for e in program.events[mark:] if e["event"] == "notification"]
