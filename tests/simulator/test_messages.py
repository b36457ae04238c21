"""Folders and messages as Graph gives them, and what may be done to them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from mailtray.simulator import OMIT, Simulator

Graph = Callable[..., requests.Response]
ADA = "ada@contoso.example"
CHARLES = "charles@contoso.example"


def code(response: requests.Response) -> str:
    found: str = response.json()["error"]["code"]
    return found


def test_profile(graph: Graph) -> None:
    assert graph("GET", "/me").json()["displayName"] == "Ada Lovelace"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/me/mailFolders/inbox", id="well-known name"),
        pytest.param("/me/mailfolders/INBOX", id="any letter case"),
        pytest.param("/me/mailFolders('inbox')", id="in quotes and brackets"),
        pytest.param(f"/users/{ADA}/mailFolders/Inbox", id="by username"),
    ],
)
def test_folder_is_found(graph: Graph, path: str) -> None:
    folder = graph("GET", path).json()
    assert (folder["displayName"], folder["unreadItemCount"], folder["totalItemCount"]) == (
        "Inbox", 2, 6,
    )  # fmt: skip


def test_folders_come_ten_a_page(sim: Simulator, graph: Graph) -> None:
    for number in range(5):
        sim.cloud.add_folder(f"Folder {number}", parent="msgfolderroot")
    first = graph("GET", "/me/mailFolders?$select=displayName").json()
    rest = graph("GET", first["@odata.nextLink"]).json()
    assert (len(first["value"]), len(rest["value"])) == (10, 3)
    assert "@odata.nextLink" not in rest
    assert set(rest["value"][0]) == {"id", "displayName"}


def test_child_folders(graph: Graph) -> None:
    children = graph("GET", "/me/mailFolders/inbox/childFolders").json()["value"]
    assert [each["displayName"] for each in children] == ["Projects"]


def test_seed_query_lists_unread_newest_first(sim: Simulator, graph: Graph) -> None:
    sim.cloud.deliver(subject="Newest")
    options = (
        "$filter=receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq false"
        "&$orderby=receivedDateTime desc&$top=2&$select=subject&$count=true"
    )
    page = graph("GET", f"/me/mailFolders/inbox/messages?{options}").json()
    assert [each["subject"] for each in page["value"]] == ["Newest", "Notes on your notes"]
    assert page["@odata.count"] == 3
    last = graph("GET", page["@odata.nextLink"]).json()
    assert [each["subject"] for each in last["value"]] == ["Reading list"]


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        pytest.param(
            "$filter=isRead eq false&$orderby=receivedDateTime desc", "InefficientFilter",
            id="sorted by what is not filtered",
        ),
        pytest.param(
            "$filter=isRead eq false and receivedDateTime ge 2026-01-01T00:00:00Z"
            "&$orderby=receivedDateTime desc", "InefficientFilter", id="filtered in another order",
        ),
        pytest.param("$select=meetingMessageType", "RequestBroker--ParseUri", id="derived"),
        pytest.param("$top=1001", "ErrorInvalidUrlQuery", id="too large a page"),
        pytest.param("$filter=startswith(subject,'a')", "ErrorInvalidUrlQuery", id="a function"),
        pytest.param("$search=\"a\"", "ErrorInvalidUrlQuery", id="search"),
    ],
)  # fmt: skip
def test_refused_queries(graph: Graph, options: str, refusal: str) -> None:
    answer = graph("GET", f"/me/mailFolders/inbox/messages?{options}")
    assert (answer.status_code, code(answer)) == (400, refusal)


@pytest.mark.parametrize(
    ("method", "path", "scopes", "status"),
    [
        pytest.param("GET", "/me", "Mail.Read", 403, id="profile without User.Read"),
        pytest.param("GET", "/me/messages", "User.Read", 403, id="mail without a mail scope"),
        pytest.param("GET", "/me/messages", "Mail.ReadBasic", 200, id="mail with the least scope"),
        pytest.param("PATCH", "/me/messages/x", "Mail.Read", 403, id="change with too little"),
        pytest.param("PATCH", "/me/messages/x", "Mail.ReadWrite", 404, id="change nothing"),
        pytest.param("GET", f"/users/{CHARLES}/messages", "Mail.Read", 403, id="not shared"),
        pytest.param("GET", "/users/no@contoso.example/messages", "Mail.Read", 404, id="nobody"),
    ],
)  # fmt: skip
def test_scopes_are_enforced(
    sim: Simulator, graph: Graph, method: str, path: str, scopes: str, status: int
) -> None:
    sim.cloud.add_account(CHARLES, "Charles Babbage")
    answer = graph(method, path, scopes=scopes, json={"isRead": True} if method != "GET" else None)
    assert answer.status_code == status


def test_shared_mailbox_needs_the_shared_scope(sim: Simulator, graph: Graph) -> None:
    sim.cloud.add_account(CHARLES, "Charles Babbage")
    sim.cloud.share_mailbox(CHARLES, reader=ADA)
    sim.cloud.deliver(CHARLES, subject="For both")
    path = f"/users/{CHARLES}/mailFolders/inbox/messages"
    assert graph("GET", path, scopes="Mail.Read").status_code == 403
    shared = graph("GET", path, scopes="Mail.Read.Shared").json()
    assert shared["value"][0]["subject"] == "For both"


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        pytest.param("PATCH", "", {"isRead": True}, id="mark"),
        pytest.param("POST", "/move", {"destinationId": "archive"}, id="move"),
    ],
)
def test_changing_a_shared_mailbox_needs_a_scope_of_its_own(
    sim: Simulator, graph: Graph, method: str, suffix: str, body: object
) -> None:
    sim.cloud.add_account(CHARLES, "Charles Babbage")
    (key,) = sim.cloud.deliver(CHARLES)
    path = f"/users/{CHARLES}/messages/{key}{suffix}"
    everything = "Mail.ReadWrite Mail.ReadWrite.Shared"
    stranger = graph(method, path, scopes=everything, json=body)
    assert (stranger.status_code, code(stranger)) == (403, "ErrorAccessDenied")
    sim.cloud.share_mailbox(CHARLES, reader=ADA)
    for scopes in ("Mail.ReadWrite", "Mail.Read.Shared"):
        refused = graph(method, path, scopes=scopes, json=body)
        assert (refused.status_code, code(refused)) == (403, "ErrorAccessDenied")
    assert graph(method, path, scopes=everything, json=body).status_code in {200, 201}


def test_properties_of_meetings_are_selected_by_their_type(sim: Simulator, graph: Graph) -> None:
    sim.cloud.deliver(meeting="meetingRequest", starts=datetime(2026, 3, 2, tzinfo=UTC))
    names = ("meetingMessageType", "startDateTime")
    select = ",".join(f"microsoft.graph.eventMessage/{name}" for name in names)
    page = graph("GET", f"/me/mailFolders/inbox/messages?$top=2&$select=subject,{select}").json()
    invitation, other = page["value"]
    assert set(invitation) == {"@odata.type", "@odata.etag", "id", "subject", *names}
    assert set(other) == {"@odata.etag", "id", "subject"}


@pytest.mark.parametrize(
    ("knob", "status"),
    [pytest.param("omit", 200, id="left out"), pytest.param("forbid", 403, id="refused")],
)
def test_preview_under_read_basic(sim: Simulator, graph: Graph, knob: str, status: int) -> None:
    sim.cloud.turn({"read_basic_preview": knob})
    answer = graph("GET", "/me/messages?$select=subject,bodyPreview", scopes="Mail.ReadBasic")
    assert answer.status_code == status
    assert "bodyPreview" not in answer.text


def test_ordinary_id_changes_on_move_and_immutable_id_does_not(
    sim: Simulator, graph: Graph
) -> None:
    (key,) = sim.cloud.deliver()
    ordinary = graph("GET", f"/me/messages/{key}", prefer="").json()["id"]
    moved = graph(
        "POST", f"/me/messages/{ordinary}/move", prefer="", json={"destinationId": "archive"}
    )
    assert moved.status_code == 201
    assert moved.json()["id"] not in {ordinary, key}
    assert graph("GET", f"/me/messages/{ordinary}").status_code == 404
    answer = graph("GET", f"/me/messages/{key}")
    assert answer.json()["id"] == key
    assert answer.headers["Preference-Applied"] == "IdType=ImmutableId"


def test_a_folder_to_move_to_that_is_not_there(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver()
    gone = graph("POST", f"/me/messages/{key}/move", json={"destinationId": "AAMkgone"})
    assert (gone.status_code, code(gone)) == (404, "ErrorFolderNotFound")


def test_patch_marks_read(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver()
    before = sim.cloud.unread_count(ADA)
    answer = graph("PATCH", f"/me/messages/{key}", json={"isRead": True})
    assert (answer.status_code, answer.json()["isRead"]) == (200, True)
    assert sim.cloud.unread_count(ADA) == before - 1


def test_delete_goes_to_deleted_items_and_from_there_away(graph: Graph, sim: Simulator) -> None:
    (key,) = sim.cloud.deliver()
    assert graph("DELETE", f"/me/messages/{key}").status_code == 204
    assert graph("GET", f"/me/mailFolders/deleteditems/messages/{key}").status_code == 200
    assert graph("DELETE", f"/me/messages/{key}").status_code == 204
    gone = graph("GET", f"/me/messages/{key}")
    assert (gone.status_code, code(gone)) == (404, "ErrorItemNotFound")


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        pytest.param({"subject": None}, {"subject": None}, id="null subject"),
        pytest.param({"subject": ""}, {"subject": ""}, id="empty subject"),
        pytest.param(
            {"sender_name": None, "sender_address": None}, {"from": None}, id="no sender"
        ),
        pytest.param(
            {"sender_address": None}, {"from": {"emailAddress": {"name": "Grace Hopper"}}},
            id="a name without an address",
        ),
        pytest.param({"overrides": {"from": {}}}, {"from": {}}, id="overridden"),
        pytest.param(
            {"odata_type": "#microsoft.graph.eventMessageRequest"},
            {"@odata.type": "#microsoft.graph.eventMessageRequest"}, id="a meeting request",
        ),
        pytest.param({"subject": "\ud83d oops"}, {"subject": "\ud83d oops"}, id="a lone surrogate"),
    ],
)  # fmt: skip
def test_strange_messages(
    sim: Simulator, graph: Graph, delivery: dict[str, Any], expected: dict[str, Any]
) -> None:
    (key,) = sim.cloud.deliver(**delivery)
    message = graph("GET", f"/me/messages/{key}").json()
    assert {name: message.get(name, "absent") for name in expected} == expected


def test_omitted_property_is_absent(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver(overrides={"from": OMIT})
    assert "from" not in graph("GET", f"/me/messages/{key}").json()


def test_received_is_as_delivered(sim: Simulator, graph: Graph) -> None:
    moment = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    first, second = sim.cloud.deliver(received=moment, count=2)
    times = [
        graph("GET", f"/me/messages/{key}").json()["receivedDateTime"] for key in (first, second)
    ]
    assert times == ["2026-03-02T05:59:59Z", "2026-03-02T06:00:00Z"]


def test_expired_token_is_refused_with_a_challenge(sim: Simulator, graph: Graph) -> None:
    sim.cloud.challenge_next(ADA)
    answer = graph("GET", "/me")
    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in answer.headers["WWW-Authenticate"]
    assert "claims=" in answer.headers["WWW-Authenticate"]


def test_mailbox_that_is_not_there(sim: Simulator, graph: Graph) -> None:
    sim.cloud.mailboxes_not_enabled = frozenset({ADA})
    answer = graph("GET", "/me/mailFolders/inbox")
    assert (answer.status_code, code(answer)) == (404, "MailboxNotEnabledForRESTAPI")
    assert graph("GET", "/me").status_code == 200


def test_token_words(sim: Simulator, http: requests.Session) -> None:
    assert sim.url
    answer = http.get("https://graph.microsoft.com/v1.0/me", timeout=5)
    assert (answer.status_code, code(answer)) == (401, "InvalidAuthenticationToken")
    assert set(answer.json()["error"]["innerError"]) == {
        "date", "request-id", "client-request-id",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "subjects"),
    [
        pytest.param(
            "$filter=subject eq 'payslip for this month'", ["Payslip for this month"],
            id="by text, in any letter case",
        ),
        pytest.param(
            "$filter=from/emailAddress/address eq 'mary@adatum.example'", ["Reading list"],
            id="by sender",
        ),
        pytest.param(
            "$orderby=subject desc&$top=2", ["Your trip to Turin", "Reading list"],
            id="sorted by subject",
        ),
        pytest.param(
            "$orderby=receivedDateTime asc&$top=1", ["Drawings, second set"], id="oldest first"
        ),
        pytest.param("$skip=5", ["Drawings, second set"], id="the last one"),
    ],
)  # fmt: skip
def test_queries(graph: Graph, options: str, subjects: list[str]) -> None:
    page = graph("GET", f"/me/mailFolders/inbox/messages?$select=subject&{options}").json()
    assert [each["subject"] for each in page["value"]] == subjects


def test_all_folders_together(graph: Graph) -> None:
    page = graph("GET", "/me/messages?$orderby=subject asc&$top=1&$count=true").json()
    assert (page["@odata.count"], page["value"][0]["subject"]) == (7, "Drawings, second set")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("GET", "/me/mailFolders/nowhere", None, 404, id="unknown folder"),
        pytest.param("GET", "/me/calendar", None, 400, id="not mail"),
        pytest.param("GET", "/organization", None, 400, id="not a mailbox"),
        pytest.param("POST", "/me", {}, 405, id="profile is read only"),
        pytest.param("PATCH", "/me/messages/{id}", {"isRead": "yes"}, 400, id="text for a flag"),
        pytest.param("PATCH", "/me/messages/{id}", {"subject": "x"}, 400, id="not to be changed"),
        pytest.param("POST", "/me/messages/{id}/move", {}, 400, id="move to nowhere"),
        pytest.param(
            "POST", "/me/messages/{id}/move", {"destinationId": "x"}, 404, id="move to the unknown"
        ),
        pytest.param("GET", "/me/mailFolders/archive/messages/{id}", None, 404, id="elsewhere"),
    ],
)  # fmt: skip
def test_refused_calls(
    sim: Simulator, graph: Graph, method: str, path: str, body: object, status: int
) -> None:
    (key,) = sim.cloud.deliver()
    assert graph(method, path.replace("{id}", key), json=body).status_code == status


def test_stale_etag_is_refused(sim: Simulator, graph: Graph, http: requests.Session) -> None:
    (key,) = sim.cloud.deliver()
    known = graph("GET", f"/me/messages/{key}")
    url = f"https://graph.microsoft.com/v1.0/me/messages/{key}"
    token = str(known.request.headers["Authorization"])
    sim.cloud.touch([key], subject="Changed")
    headers = {"Authorization": token, "If-Match": known.json()["@odata.etag"]}
    assert http.patch(url, json={"isRead": True}, headers=headers, timeout=5).status_code == 412
