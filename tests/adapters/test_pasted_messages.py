"""Messages as a person has them at hand."""

from __future__ import annotations

import json

import pytest

from mailtray.adapters.pasted_messages import read
from mailtray.core.model import Importance, Meeting, MeetingKind, Message, MessageId

GRAPH = {
    "@odata.etag": "W/1",
    "id": "AAMk1",
    "receivedDateTime": "2026-03-02T06:00:00Z",
    "subject": "Numbers",
    "from": {"emailAddress": {"name": "Bea", "address": "bea@contoso.com"}},
    "toRecipients": [{"emailAddress": {"address": "Ann@Example.test"}}],
}


def test_a_page_a_list_and_a_single_message_are_read_alike() -> None:
    (single,) = read(json.dumps(GRAPH).encode())
    assert (single.id, single.sender_address, single.to) == (
        "AAMk1",
        "bea@contoso.com",
        ("ann@example.test",),
    )
    assert read(json.dumps([GRAPH, GRAPH]).encode()) == (single, single)
    assert read(json.dumps({"@odata.nextLink": "x", "value": [GRAPH]}).encode()) == (single,)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_windows_writes_is_read(encoding: str) -> None:
    assert read('{"subject": "Grüße"}'.encode(encoding))[0].subject == "Grüße"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param({"from": "bo@x.test"}, Message(MessageId("1"), sender_address="bo@x.test"),
                     id="an address"),
        pytest.param({"from": '"Bo B." <bo@x.test>'},
                     Message(MessageId("1"), sender_name="Bo B.", sender_address="bo@x.test"),
                     id="a name and an address"),
        pytest.param({"subject": "S", "to": "Ann@x.test", "cc": ["Bo <bo@x.test>", "c@x.test"]},
                     Message(MessageId("1"), "S", to=("ann@x.test",),
                             cc=("bo@x.test", "c@x.test")), id="recipients"),
        pytest.param({"subject": "S", "importance": "high", "focused": False,
                      "meeting": "declined"},
                     Message(MessageId("1"), "S", importance=Importance.HIGH, is_focused=False,
                             meeting=Meeting(MeetingKind.DECLINED)), id="all a rule asks"),
    ],
)  # fmt: skip
def test_by_hand_a_message_is_short(item: dict[str, object], message: Message) -> None:
    assert read(json.dumps(item).encode()) == (message,)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b'{\n"from":', "is not JSON from line 2 on", id="half a file"),
        pytest.param(b"", "is not JSON from line 1 on", id="nothing"),
        pytest.param(b"\xff\xff\xff", "is not JSON", id="a picture"),
        pytest.param(b"[" * 100_000, "is not JSON", id="far too deep"),
        pytest.param(b"[]", "has no message", id="an empty list"),
        pytest.param(b'{"value": []}', "has no message", id="an empty page"),
        pytest.param(b'[{"subject": "S"}, 7]', "message 2 has neither", id="a number"),
        pytest.param(b'{"error": {"code": "x"}}', "message 1 has neither", id="Graph's error"),
        pytest.param(b'{"subject": "S", "@removed": {}}', "has no message", id="a removed one"),
    ],
)
def test_a_bad_file_is_told_why(content: bytes, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read(content)
