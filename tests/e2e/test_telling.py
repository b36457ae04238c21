"""What is told and how, from the settings file to the notification."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.simulator import Simulator
    from tests.e2e.program import Program

    Start = Callable[[str], Program]

RULES = """\
vip = ["boss@contoso.example"]
muted = ["news@fabrikam.example"]
focused_only = true

[[rules]]
subject = ["robot"]
do = "ignore"

[[rules]]
to = "cc"
do = "silent"
"""


def signed_in(start: Start, settings: str) -> Program:
    """Start the program with a settings file, and sign in."""
    program = start(settings)
    program.sign_in()
    return program


def shown(program: Program) -> list[tuple[str, str]]:
    """Return title and body of every notification."""
    return [(e["title"], e["body"]) for e in program.events if e["event"] == "notification"]


def test_rules_and_their_shorthands(simulator: Simulator, start: Start) -> None:
    program, cloud = signed_in(start, RULES), simulator.cloud
    before = cloud.unread_count()
    cloud.deliver(subject="A robot writes")
    cloud.deliver(subject="News", sender_address="news@fabrikam.example")
    cloud.deliver(subject="Elsewhere", inference_classification="other")
    cloud.deliver(subject="For you to know", to=["x@contoso.example"], cc=["ada@contoso.example"])
    boss = cloud.deliver(
        subject="A robot for you", sender_address="boss@contoso.example",
        inference_classification="other",
    )  # fmt: skip
    plain = cloud.deliver(subject="Lunch?")
    program.wait_told(boss + plain)
    assert program.told() == dict.fromkeys(boss + plain, 1)
    # All but the robot's is counted.
    program.wait(event="status", state="ok", unread=before + 5)


@pytest.mark.parametrize(
    ("privacy", "title", "words"),
    [
        ("subject", "Grace Hopper", {"Lunch?"}),
        ("sender", "Grace Hopper", set()),
        ("hidden", "New message", set()),
    ],
)
def test_as_much_as_may_be_seen(
    simulator: Simulator, start: Start, privacy: str, title: str, words: set[str]
) -> None:
    program = signed_in(start, f'privacy = "{privacy}"\n')
    program.wait_told(simulator.cloud.deliver(subject="Lunch?"))
    ((found, body),) = shown(program)
    assert found == title
    assert ("Lunch?" in body) == ("Lunch?" in words)


def test_a_conversation_is_one_notification(simulator: Simulator, start: Start) -> None:
    program, cloud = signed_in(start, ""), simulator.cloud
    with cloud.lock:
        told = [
            one
            for name in ("Grace Hopper", "Alan Turing")
            for one in cloud.deliver(subject="Re: plan", sender_name=name, conversation_id="c1")
        ]
    program.wait_told(told)
    assert len(shown(program)) == 1


def test_a_meeting_says_when(simulator: Simulator, start: Start) -> None:
    program, cloud = signed_in(start, ""), simulator.cloud
    cloud.deliver(
        subject="Sync", meeting="meetingRequest", starts=datetime(2031, 7, 21, 6, 0, tzinfo=UTC)
    )
    program.wait(event="notification")
    ((_title, body),) = shown(program)
    assert body.startswith("Meeting: Sync, ")
    assert "2031" in body
