"""Graph's bodies, also the odd ones real mailboxes have been seen to send."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mailtray.adapters import graph_json
from mailtray.core.model import (
    Entry,
    Importance,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    ReadState,
    Removed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SIX = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1764000000"}}}'


def page(*items: object, **links: object) -> graph_json.Page:
    return graph_json.page(json.dumps({"value": items, **links}).encode())


def only(item: object) -> Entry:
    [entry] = page(item).entries
    return entry


def message(**properties: object) -> Message:
    item = {"id": "B1", "receivedDateTime": "2026-03-02T06:00:00Z", "isRead": False, **properties}
    entry = only(item)
    assert isinstance(entry, Message)
    return entry


def sender(**properties: object) -> tuple[str, str]:
    found = message(**properties)
    return found.sender_name, found.sender_address


def test_a_whole_message() -> None:
    entry = only(
        {
            "@odata.type": "#microsoft.graph.message",
            "@odata.etag": 'W/"CQAA1"',
            "id": "AAk1",
            "subject": "Rota",
            "bodyPreview": "Who has\r\n the keys?",
            "from": {"emailAddress": {"name": "Eva", "address": "eva@example.test"}},
            "receivedDateTime": "2026-03-02T06:00:00Z",
            "isRead": False,
            "webLink": "https://outlook.office365.com/owa/?ItemID=AAk1",
            "internetMessageId": "<1@example.test>",
        }
    )
    assert entry == Message(
        id=MessageId("AAk1"),
        subject="Rota",
        sender_name="Eva",
        sender_address="eva@example.test",
        received=SIX,
        is_read=False,
        preview="Who has the keys?",
        web_link="https://outlook.office365.com/owa/?ItemID=AAk1",
        internet_message_id="<1@example.test>",
    )


INVITATION: dict[str, object] = {
    "@odata.type": "#microsoft.graph.eventMessageRequest",
    "id": "E1",
    "subject": "Sync",
    "isRead": False,
    "meetingMessageType": "meetingRequest",
    "startDateTime": {"dateTime": "2026-03-02T06:00:00.0000000", "timeZone": "UTC"},
    "event": None,
    "from": {"emailAddress": {"name": "Eva", "address": "eva@example.test"}},
    "receivedDateTime": "2026-03-01T06:00:00Z",
}
RESPONSE, BASE = "#microsoft.graph.eventMessageResponse", "#microsoft.graph.eventMessage"


@pytest.mark.parametrize(
    ("properties", "meeting"),
    [
        pytest.param({}, Meeting(MeetingKind.REQUEST, SIX), id="an invitation"),
        pytest.param(
            {"@odata.type": RESPONSE, "meetingMessageType": "meetingTenativelyAccepted"},
            Meeting(MeetingKind.TENTATIVE, SIX),
            id="a tentative answer, in the API's spelling",
        ),
        pytest.param(
            {"@odata.type": BASE, "meetingMessageType": "meetingCancelled", "startDateTime": None},
            Meeting(MeetingKind.CANCELLED),
            id="a cancellation without a start",
        ),
        pytest.param(
            {"meetingMessageType": None}, Meeting(MeetingKind.REQUEST, SIX), id="only its type"
        ),
        pytest.param({"meetingMessageType": "none"}, None, id="none"),
        pytest.param({"meetingMessageType": "meetingSomethingNew"}, None, id="an unknown kind"),
        pytest.param({"meetingMessageType": 7}, None, id="a kind of a wrong type"),
        pytest.param(
            {"@odata.type": RESPONSE, "meetingMessageType": None}, None, id="some answer"
        ),
        pytest.param(
            {"@odata.type": "#microsoft.graph.somethingNew", "meetingMessageType": "newer"}, None,
            id="an unknown type",
        ),
        pytest.param({"@odata.type": None, "meetingMessageType": None}, None, id="no type"),
        *(
            pytest.param({"startDateTime": start}, Meeting(MeetingKind.REQUEST), id=f"{start}")
            for start in (
                "2026-03-02T06:00:00Z",
                {},
                {"dateTime": "soon", "timeZone": "UTC"},
                {"dateTime": "2026-03-02T06:00:00", "timeZone": "W. Europe Standard Time"},
                {"dateTime": ["2026"], "timeZone": 3},
            )
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_a_meeting(properties: Mapping[str, Any], meeting: Meeting | None) -> None:
    found = only({**INVITATION, **properties})
    assert isinstance(found, Message)
    assert found.meeting == meeting
    assert (found.subject, found.sender_name, found.is_read) == ("Sync", "Eva", False)


@pytest.mark.parametrize(
    ("sent", "importance"),
    [("high", Importance.HIGH), ("Low", Importance.LOW), ("normal", Importance.NORMAL),
     ("urgent", Importance.NORMAL), (None, Importance.NORMAL), (2, Importance.NORMAL)],
)  # fmt: skip
def test_importance(sent: object, importance: Importance) -> None:
    assert message(importance=sent).importance is importance


@pytest.mark.parametrize(
    ("sent", "is_focused"),
    [("focused", True), ("other", False), ("Other", False), ("new", True), (None, True), (0, True)],
)
def test_the_focused_inbox(sent: object, is_focused: bool) -> None:
    assert message(inferenceClassification=sent).is_focused is is_focused


@pytest.mark.parametrize(
    ("sent", "addresses"),
    [
        pytest.param([{"emailAddress": {"address": " Eva@Example.test"}}], ("eva@example.test",),
                     id="lower case"),
        pytest.param([{"emailAddress": {"name": "A list"}}, None, 7, {}, {"emailAddress": None}],
                     (), id="none of them with an address"),
        pytest.param(None, (), id="null"),
        pytest.param({"emailAddress": {"address": "a@b"}}, (), id="no list"),
        pytest.param([{"emailAddress": {"address": f"{n}@b"}} for n in range(1_000)],
                     tuple(f"{n}@b" for n in range(20)), id="the first of very many"),
    ],
)  # fmt: skip
def test_recipients(sent: object, addresses: tuple[str, ...]) -> None:
    found = message(toRecipients=sent, ccRecipients=sent)
    assert (found.to, found.cc) == (addresses, addresses)


def test_a_conversation() -> None:
    assert message(conversationId="AAQk1").conversation_id == "AAQk1"
    assert message(conversationId=None) == message()


CALENDAR = {"emailAddress": {"name": "Calendar"}}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param({"from": CALENDAR}, ("Calendar", ""), id="a name and no address"),
        pytest.param(
            {"from": {"emailAddress": {"address": "x@example.test"}}},
            ("", "x@example.test"),
            id="an address and no name",
        ),
        pytest.param({"from": {"emailAddress": {}}}, ("", ""), id="neither"),
        pytest.param({"from": {}}, ("", ""), id="an empty from"),
        pytest.param({"from": None}, ("", ""), id="a null from"),
        pytest.param({}, ("", ""), id="no from at all"),
        pytest.param({"from": {"emailAddress": None}}, ("", ""), id="a null address"),
        pytest.param({"from": "Eva"}, ("", ""), id="a from of the wrong type"),
        pytest.param(
            {"from": {"emailAddress": {"name": 7}}}, ("", ""), id="a name of a wrong type"
        ),
        pytest.param({"from": None, "sender": CALENDAR}, ("Calendar", ""), id="only a sender"),
        pytest.param(
            {"from": {"emailAddress": {"name": " ", "address": ""}}, "sender": CALENDAR},
            ("Calendar", ""),
            id="a blank from and a sender",
        ),
        pytest.param(
            {"from": {"emailAddress": {"name": "Eva"}}, "sender": CALENDAR},
            ("Eva", ""),
            id="from comes first",
        ),
    ],
)
def test_the_sender(properties: Mapping[str, Any], expected: tuple[str, str]) -> None:
    assert sender(**properties) == expected


@pytest.mark.parametrize("subject", [None, "", "   ", "\r\n\t", 7, ["Rota"], {"a": 1}])
def test_a_subject_that_is_none(subject: object) -> None:
    assert message(subject=subject).subject == ""


def test_an_absent_subject_and_preview_are_empty() -> None:
    assert message(bodyPreview=None, webLink=None, internetMessageId=None) == message()
    assert message().subject == ""


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param("\ud83d oops", "� oops", id="half a surrogate pair"),
        pytest.param("\U0001f469‍\U0001f4bb", "\U0001f469‍\U0001f4bb", id="an emoji"),
        pytest.param("a\u0000b", "a\u0000b", id="control characters are left to the wording"),
        pytest.param("A" * 100_000, "A" * 1_024, id="endless"),
    ],
)
def test_odd_text(sent: str, kept: str) -> None:
    found = message(subject=sent).subject
    assert found == kept
    found.encode()


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        pytest.param("2026-03-02T06:00:00Z", SIX, id="as documented"),
        pytest.param("2026-03-02T06:00:00.0000000Z", SIX, id="seven digits of a second"),
        pytest.param("2026-03-02T08:00:00+02:00", SIX, id="another zone"),
        pytest.param("2026-03-02T06:00:00", SIX, id="no zone"),
        pytest.param(" 2026-03-02T06:00:00Z ", SIX, id="space around"),
        pytest.param("0001-01-01T00:00:00Z", None, id="the null of another language"),
        pytest.param("9999-12-31T23:59:59-14:00", None, id="beyond the calendar"),
        pytest.param("2026-02-30T06:00:00Z", None, id="no such day"),
        pytest.param("yesterday", None, id="a word"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param(1772431200, None, id="a number"),
    ],
)
def test_the_time(sent: object, received: datetime | None) -> None:
    assert message(receivedDateTime=sent).received == received


@pytest.mark.parametrize(
    ("sent", "is_read"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("True", True),
        ("false", False),
        ("perhaps", False),
        (None, False),
        (1, False),
    ],
)
def test_the_read_state_of_a_message(sent: object, is_read: bool) -> None:
    assert message(isRead=sent).is_read is is_read


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({"id": "A", "isRead": True}, ReadState(MessageId("A"), True), id="read"),
        pytest.param({"id": "A", "isRead": "true"}, ReadState(MessageId("A"), True), id="as text"),
        pytest.param(
            {"id": "A", "isRead": False, "parentFolderId": "F"},
            ReadState(MessageId("A"), False),
            id="unread",
        ),
        pytest.param(
            {"id": "A", "@removed": {"reason": "deleted"}}, Removed(MessageId("A")), id="deleted"
        ),
        pytest.param(
            {"id": "A", "@removed": {"reason": "changed"}}, Removed(MessageId("A")), id="restorable"
        ),
        pytest.param({"id": "A", "@removed": {}}, Removed(MessageId("A")), id="no reason"),
        pytest.param(
            {"id": "A", "@removed": {"reason": "deleted"}, "isRead": True, "subject": "Rota"},
            Removed(MessageId("A")),
            id="removed comes first",
        ),
    ],
)
def test_partial_items(item: object, expected: Entry) -> None:
    assert only(item) == expected


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(None, id="null"),
        pytest.param("text", id="a text"),
        pytest.param(7, id="a number"),
        pytest.param([], id="a list"),
        pytest.param({}, id="nothing"),
        pytest.param({"id": None, "isRead": True}, id="a null id"),
        pytest.param({"id": "", "isRead": True}, id="an empty id"),
        pytest.param({"id": 7, "isRead": True}, id="an id of a wrong type"),
        pytest.param({"id": "A"}, id="an id alone"),
        pytest.param({"id": "A", "subject": "Rota"}, id="a change that tells nothing we keep"),
        pytest.param({"id": "A", "isRead": 1}, id="a read state of a wrong type"),
    ],
)
def test_an_odd_item_is_left_out_and_harms_no_other(
    odd: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="mailtray")
    read = {"id": "A", "isRead": True}
    assert page(read, odd, read).entries == (ReadState(MessageId("A"), True),) * 2
    assert "1 of 3 items" in caplog.text
    assert "Rota" not in caplog.text


def test_the_order_is_kept() -> None:
    ids = [entry.id for entry in page(*({"id": f"m{n}", "isRead": True} for n in range(9))).entries]
    assert ids == [f"m{n}" for n in range(9)]


def test_links() -> None:
    found = page(**{"@odata.nextLink": "https://n", "@odata.deltaLink": "https://d"})
    assert (found.next_link, found.delta_link) == ("https://n", "https://d")


@pytest.mark.parametrize("odd", [None, "", 7, ["https://n"]])
def test_a_link_that_is_none(odd: object) -> None:
    found = page(**{"@odata.nextLink": odd, "@odata.deltaLink": odd})
    assert (found.next_link, found.delta_link) == (None, None)


NOT_A_PAGE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"<html>sign in</html>", id="a portal"),
    pytest.param(b"{}", id="an empty object"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"null", id="null"),
    pytest.param(b'{"value": {}}', id="no list"),
    pytest.param(b'{"value": null}', id="null for a list"),
    pytest.param(b'{"value": [{"id": "A", ', id="cut off"),
    pytest.param(b"\xff\xfe\xff", id="no text"),
    pytest.param(b"[" * 100_000, id="nested without end"),
    pytest.param(b'{"value": [' + b"9" * 5_000 + b"]}", id="a number without end"),
]


@pytest.mark.parametrize("body", NOT_A_PAGE)
def test_what_is_no_page(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        graph_json.page(body)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert graph_json.page(b'\xef\xbb\xbf{"value": []}').entries == ()


def test_counters() -> None:
    body = json.dumps(
        {"id": "F", "displayName": "Posteingang", "unreadItemCount": 3, "totalItemCount": 41}
    )
    count = graph_json.folder_count(body.encode(), SIX)
    assert (count.unread, count.total, count.server_time) == (3, 41, SIX)


@pytest.mark.parametrize(
    "body",
    [
        *NOT_A_PAGE,
        b'{"unreadItemCount": 3}',
        b'{"unreadItemCount": "3", "totalItemCount": 4}',
        b'{"unreadItemCount": -1, "totalItemCount": 4}',
        b'{"unreadItemCount": true, "totalItemCount": 4}',
        b'{"unreadItemCount": 3.5, "totalItemCount": 4}',
    ],
)
def test_what_are_no_counters(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        graph_json.folder_count(body, None)


@pytest.mark.parametrize(
    ("error", "codes", "request_id"),
    [
        pytest.param(
            {"code": "SyncStateNotFound", "message": "x", "innerError": {"request-id": "r1"}},
            ("syncstatenotfound",),
            "r1",
            id="as documented",
        ),
        pytest.param(
            {"code": "BadRequest", "innererror": {"code": "InefficientFilter", "request-id": "r2"}},
            ("badrequest", "inefficientfilter"),
            "r2",
            id="spelt otherwise, with a finer code",
        ),
        pytest.param(
            {"code": "a", "innerError": {"code": "b", "innererror": {"code": "c"}}},
            ("a", "b", "c"),
            None,
            id="nested",
        ),
        pytest.param({"code": "UnknownError", "message": ""}, ("unknownerror",), None, id="empty"),
        pytest.param({"code": None, "innerError": "x"}, (), None, id="of wrong types"),
        pytest.param("invalid_grant", (), None, id="another service's"),
        pytest.param(None, (), None, id="null"),
    ],
)
def test_errors(error: object, codes: tuple[str, ...], request_id: str | None) -> None:
    found = graph_json.error(json.dumps({"error": error}).encode())
    assert (found.codes, found.request_id) == (codes, request_id)


@pytest.mark.parametrize("body", NOT_A_PAGE)
def test_what_is_no_error(body: bytes) -> None:
    assert graph_json.error(body).codes == ()


def test_an_endlessly_nested_error_has_an_end() -> None:
    error: dict[str, object] = {"code": "deepest"}
    for _ in range(50):
        error = {"code": "x", "innerError": error}
    assert set(graph_json.error(json.dumps({"error": error}).encode()).codes) == {"x"}


def encoded(text: str, *, urlsafe: bool = False, padded: bool = True) -> str:
    raw = text.encode()
    found = (base64.urlsafe_b64encode(raw) if urlsafe else base64.b64encode(raw)).decode()
    return found if padded else found.rstrip("=")


PLAIN = encoded(CLAIMS)
ODD_ALPHABET = '{"access_token":{"x":"???>>>~~~"}}'


@pytest.mark.parametrize(
    ("header", "found"),
    [
        pytest.param(
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/'
            f'authorize", error="insufficient_claims", claims="{PLAIN}"',
            CLAIMS,
            id="as documented",
        ),
        pytest.param(f'Bearer claims="{PLAIN}", realm=""', CLAIMS, id="in another order"),
        pytest.param(
            f'Basic realm="x", Bearer error="insufficient_claims", CLAIMS="{PLAIN}"',
            CLAIMS,
            id="after another challenge",
        ),
        pytest.param(
            f'Bearer claims="{encoded(CLAIMS, padded=False)}"', CLAIMS, id="without padding"
        ),
        pytest.param(
            f'Bearer claims="{encoded(ODD_ALPHABET)}"', ODD_ALPHABET, id="the standard alphabet"
        ),
        pytest.param(
            f'Bearer claims="{encoded(ODD_ALPHABET, urlsafe=True, padded=False)}"',
            ODD_ALPHABET,
            id="the other alphabet",
        ),
        pytest.param('Bearer claims="%%%"', None, id="no base64"),
        pytest.param(f'Bearer claims="{encoded("[]")}"', None, id="no object"),
        pytest.param(f'Bearer claims="{encoded("{")}"', None, id="no JSON"),
        pytest.param('Bearer claims="/w=="', None, id="no text"),
        pytest.param('Bearer claims=""', None, id="empty"),
        pytest.param('Bearer realm=""', None, id="none"),
        pytest.param("", None, id="an empty header"),
        pytest.param(None, None, id="no header"),
    ],
)
def test_a_claims_challenge(header: str | None, found: str | None) -> None:
    assert graph_json.claims(header) == found


def test_a_refusal_for_its_claims_is_known_by_its_error() -> None:
    assert graph_json.is_insufficient_claims('Bearer realm="", error="insufficient_claims"')
    assert not graph_json.is_insufficient_claims('Bearer error="invalid_token"')
    assert not graph_json.is_insufficient_claims(None)
