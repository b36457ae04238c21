"""Folders and shared mailboxes: settings, consent, notification, end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.simulator import Simulator
    from tests.e2e.program import Program

    Start = Callable[[str], Program]

TEAM = "team@contoso.example"
READER = "ada@contoso.example"


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
