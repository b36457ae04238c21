"""The control panel: JSON for programs, pages for people."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from mailtray.simulator import Simulator

Graph = Callable[..., requests.Response]
ADA = "ada@contoso.example"


def post(sim: Simulator, path: str, body: object = None) -> requests.Response:
    return requests.post(f"{sim.url}/_sim/{path}", json=body, timeout=5)


def state(sim: Simulator) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{sim.url}/_sim/state", timeout=5).json()
    return found


def test_a_message_through_its_life(sim: Simulator) -> None:
    sent = post(sim, "deliver", {"subject": "Hello", "sender_name": "Eva", "count": 1})
    assert sent.status_code == 201
    ids = sent.json()["ids"]

    def now() -> tuple[bool, str]:
        mail = {each["id"]: each for each in state(sim)["accounts"][0]["messages"]}
        return mail[ids[0]]["is_read"], mail[ids[0]]["folder"]

    assert now() == (False, "inbox")
    post(sim, "mark", {"ids": ids, "is_read": True})
    assert now() == (True, "inbox")
    post(sim, "move", {"ids": ids, "folder": "archive"})
    assert now() == (True, "archive")
    post(sim, "delete", {"ids": ids})
    assert now() == (True, "deleteditems")


def test_overrides_and_omissions(sim: Simulator, graph: Graph) -> None:
    body = {"overrides": {"subject": None}, "omit": ["from"], "received": "2026-03-02T06:00:00Z"}
    (key,) = post(sim, "deliver", body).json()["ids"]
    message = graph("GET", f"/me/messages/{key}").json()
    assert message["subject"] is None
    assert "from" not in message
    assert message["receivedDateTime"] == "2026-03-02T06:00:00Z"


def test_accounts_and_folders(sim: Simulator) -> None:
    account = {"username": "m@outlook.example", "name": "Mary", "kind": "personal"}
    assert post(sim, "accounts", account).status_code == 201
    assert post(sim, "accounts", account).status_code == 400
    assert post(sim, "folders", {"name": "Receipts"}).status_code == 201
    assert [each["kind"] for each in state(sim)["accounts"]] == ["work", "personal"]


def test_a_tree_of_folders_and_a_shared_mailbox(sim: Simulator, graph: Graph) -> None:
    team = {"username": "team@contoso.example", "name": "Team"}
    assert post(sim, "accounts", team).status_code == 201
    post(sim, "share", {"owner": team["username"], "reader": ADA})
    owner = {"username": team["username"]}
    above = post(sim, "folders", {"name": "Cases", "parent": "msgfolderroot", **owner}).json()["id"]
    below = post(sim, "folders", {"name": "Open", "parent": above, **owner}).json()["id"]
    post(sim, "deliver", {**owner, "folder": below, "subject": "For the team"})
    path = f"/users/{team['username']}/mailFolders"
    scopes = "Mail.ReadBasic.Shared"
    tops = graph("GET", f"{path}?$top=100", scopes=scopes).json()["value"]
    assert {each["displayName"]: each["childFolderCount"] for each in tops}["Cases"] == 1
    [child] = graph("GET", f"{path}/{above}/childFolders", scopes=scopes).json()["value"]
    assert (child["id"], child["unreadItemCount"]) == (below, 1)
    told = {each["username"]: each for each in state(sim)["accounts"]}[team["username"]]
    assert told["shared_with"] == [ADA]
    assert {each["id"]: each["parent"] for each in told["folders"]}[below] == above


def test_what_a_message_tells_of_itself(sim: Simulator, graph: Graph) -> None:
    body = {
        "importance": "high", "inference_classification": "other", "conversation_id": "AAQk1",
        "to": ["team@contoso.example"], "cc": [ADA], "meeting": "meetingTenativelyAccepted",
        "starts": "2026-03-02T07:00:00+01:00", "count": 2,
    }  # fmt: skip
    (key, other) = post(sim, "deliver", body).json()["ids"]
    message = graph("GET", f"/me/messages/{key}").json()
    assert message["@odata.type"] == "#microsoft.graph.eventMessageResponse"
    assert message["meetingMessageType"] == "meetingTenativelyAccepted"
    assert message["startDateTime"] == {
        "dateTime": "2026-03-02T06:00:00.0000000",
        "timeZone": "UTC",
    }
    assert (message["importance"], message["inferenceClassification"]) == ("high", "other")
    assert message["toRecipients"][0]["emailAddress"]["address"] == "team@contoso.example"
    assert message["ccRecipients"][0]["emailAddress"]["address"] == ADA
    assert graph("GET", f"/me/messages/{other}").json()["conversationId"] == "AAQk1"


def test_tokens_and_sync(sim: Simulator, graph: Graph) -> None:
    link = graph("GET", "/me/mailFolders/inbox/messages/delta").json()["@odata.deltaLink"]
    for path in ("sync/drop", "tokens/expire", "tokens/revoke", "tokens/challenge"):
        assert post(sim, path).status_code == 200, path
    assert graph("GET", link).status_code == 401
    sim.cloud.account().challenge = None
    assert graph("GET", link).status_code == 410


def test_faults_are_listed_and_cleared(sim: Simulator, graph: Graph) -> None:
    number = post(sim, "faults", {"path": "/me", "status": 500, "times": None}).json()["fault_id"]
    assert graph("GET", "/me").status_code == 500
    listed = requests.get(f"{sim.url}/_sim/faults", timeout=5).json()["faults"]
    assert [(each["fault_id"], each["hits"]) for each in listed] == [(number, 1)]
    requests.delete(f"{sim.url}/_sim/faults", timeout=5)
    assert graph("GET", "/me").status_code == 200


def test_log_and_counts(sim: Simulator, graph: Graph) -> None:
    graph("GET", "/me/mailFolders/inbox/messages/delta?$top=1")
    log = requests.get(f"{sim.url}/_sim/log", timeout=5).json()
    (entry,) = log["requests"]
    assert (entry["n"], entry["host"], entry["status"]) == (1, "graph.microsoft.com", 200)
    assert entry["headers"]["Prefer"] == 'IdType="ImmutableId"'
    assert "Bearer" not in str(log)
    assert (log["counts"]["graph"], log["counts"]["delta"], log["counts"]["token"]) == (1, 1, 0)
    requests.delete(f"{sim.url}/_sim/log", timeout=5)
    assert sim.cloud.counts()["total"] == 0


def test_settings_and_reset(sim: Simulator) -> None:
    settings = {
        "isread_partial": False,
        "unknown_client_ids": ["a"],
        "authorize_error": {"code": 53003, "error": "access_denied", "description": "Blocked."},
    }
    answer = post(sim, "settings", settings).json()
    assert answer["unknown_client_ids"] == ["a"]
    assert answer["authorize_error"]["redirect"] is True
    assert not sim.cloud.isread_partial
    sim.cloud.deliver()
    post(sim, "reset")
    assert state(sim)["settings"]["isread_partial"] is True
    assert len(state(sim)["accounts"][0]["messages"]) == 7


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        pytest.param("deliver", {"count": "two"}, 400, "count", id="wrong type"),
        pytest.param("deliver", {"count": True}, 400, "count", id="a flag for a number"),
        pytest.param("deliver", {"colour": "red"}, 400, "colour", id="unknown field"),
        pytest.param("deliver", {"received": "noon"}, 400, "received", id="no time"),
        pytest.param("deliver", {"username": "x@y.example"}, 404, "x@y", id="no such account"),
        pytest.param("deliver", {"count": 0}, 400, "count", id="none to deliver"),
        pytest.param("deliver", {"importance": "urgent"}, 400, "urgent", id="no importance"),
        pytest.param("deliver", {"meeting": "party"}, 400, "party", id="no kind of meeting"),
        pytest.param("deliver", {"starts": "noon"}, 400, "starts", id="no start"),
        pytest.param("deliver", {"cc": [1]}, 400, "cc", id="no addresses"),
        pytest.param("share", {"owner": ADA}, 400, "reader", id="shared with nobody"),
        pytest.param("share", {"owner": ADA, "reader": "x"}, 404, "x", id="shared with a stranger"),
        pytest.param("folders", {"name": "x", "parent": "y"}, 404, "y", id="within no folder"),
        pytest.param("deliver", [1], 400, "object", id="no object"),
        pytest.param("mark", {"ids": ["x"], "is_read": True}, 404, "x", id="no such message"),
        pytest.param("mark", {"ids": ["x"]}, 400, "is_read", id="field missing"),
        pytest.param("move", {"ids": [1], "folder": "archive"}, 400, "ids", id="ids no texts"),
        pytest.param("accounts", {"username": "x", "name": "X"}, 400, "mail", id="no address"),
        pytest.param("faults", {"path": "("}, 400, "path", id="no regular expression"),
        pytest.param("faults", {"colour": 1}, 400, "colour", id="unknown fault field"),
        pytest.param("faults", {"close": "late"}, 400, "close", id="unknown way to close"),
        pytest.param("settings", {"colour": 1}, 400, "colour", id="unknown setting"),
        pytest.param("settings", {"isread_partial": 1}, 400, "isread", id="number for a flag"),
        pytest.param("settings", {"authorize_error": {}}, 400, "authorize", id="half an error"),
    ],
)
def test_bad_input_is_explained(
    sim: Simulator, path: str, body: object, status: int, word: str
) -> None:
    answer = post(sim, path, body)
    assert answer.status_code == status
    assert word in answer.json()["error"]


def test_forms_of_other_sites_do_nothing(sim: Simulator) -> None:
    body, kind = '{"count": 1}', {"Content-Type": "text/plain"}
    plain = requests.post(f"{sim.url}/_sim/deliver", data=body, headers=kind, timeout=5)
    assert plain.status_code == 400
    for origin in ("https://evil.example", "null"):
        answer = requests.post(
            f"{sim.url}/", data={"action": "reset"}, headers={"Origin": origin}, timeout=5
        )
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("graph.microsoft.com", 401, id="the global cloud"),
        pytest.param("graph.microsoft.us", 401, id="the US government's"),
        pytest.param("microsoftgraph.chinacloudapi.cn", 401, id="the one in China"),
        pytest.param("evil.example", 403, id="a name rebound to this address"),
        pytest.param("localhost:1", 403, id="another port"),
    ],
)
def test_hosts(sim: Simulator, host: str, status: int) -> None:
    answer = requests.get(f"{sim.url}/v1.0/me", headers={"Host": host}, timeout=5)
    assert answer.status_code == status


def press(sim: Simulator, action: str, **fields: str) -> requests.Response:
    form = {"action": action, "username": ADA, **fields}
    return requests.post(f"{sim.url}/", data=form, timeout=5)


def test_control_page_buttons(sim: Simulator) -> None:
    assert "3 messages delivered." in press(sim, "deliver", count="3").text
    (key, *_) = sim.cloud.deliver(subject="Here")
    for action in ("read", "unread", "archive", "delete"):
        assert press(sim, action, id=key).status_code == 200
    for action in ("expire", "revoke", "challenge", "drop", "throttle", "break", "clear_faults"):
        assert 'role="status"' in press(sim, action).text
    assert "10 seconds" in press(sim, "offline", seconds="10").text
    press(sim, "add_account", new_username="m@outlook.example", name="Mary", kind="personal")
    assert "m@outlook.example" in requests.get(f"{sim.url}/?live=1", timeout=5).text
    assert "Mailbox shared" in press(sim, "share", reader="m@outlook.example").text
    assert sim.cloud.account(ADA).shared_with == {"m@outlook.example"}


def test_control_page_delivers_into_any_folder(sim: Simulator, graph: Graph) -> None:
    projects = sim.cloud.add_folder("Reports", parent="msgfolderroot")
    assert "Reports/Alpha" in press(sim, "add_folder", folder_name="Alpha", parent=projects).text
    alpha = graph("GET", f"/me/mailFolders/{projects}/childFolders").json()["value"][0]["id"]
    press(
        sim, "deliver", folder=alpha, importance="high", inference_classification="other",
        cc="bo@a.example, cy@a.example", meeting="meetingCancelled",
    )  # fmt: skip
    [message] = graph("GET", f"/me/mailFolders/{alpha}/messages").json()["value"]
    assert message["@odata.type"] == "#microsoft.graph.eventMessage"
    assert (message["importance"], message["inferenceClassification"]) == ("high", "other")
    copied = [each["emailAddress"]["address"] for each in message["ccRecipients"]]
    assert copied == ["bo@a.example", "cy@a.example"]


@pytest.mark.parametrize(
    ("action", "fields", "sentence"),
    [
        pytest.param("dance", {}, "There is no such button.", id="unknown button"),
        pytest.param("deliver", {"count": "0"}, "from 1 to 1000", id="no message"),
        pytest.param("read", {"id": "x"}, "There is no message x.", id="unknown message"),
        pytest.param("deliver", {"importance": "x"}, "is none of low", id="unknown importance"),
        pytest.param("add_folder", {"folder_name": " "}, "needs a name", id="a nameless folder"),
        pytest.param("share", {"reader": "x"}, "There is no account x.", id="unknown reader"),
        pytest.param("offline", {"seconds": "-1"}, "1 to 3600", id="negative outage"),
    ],
)
def test_control_page_explains(
    sim: Simulator, action: str, fields: dict[str, str], sentence: str
) -> None:
    answer = press(sim, action, **fields)
    assert answer.status_code == 400
    assert sentence in answer.text


def test_webmail_shows_a_message_and_marks_it_read(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver(subject="<b>Bold</b>", preview="<script>alert(1)</script>")
    before = sim.cloud.unread_count()
    link = graph("GET", f"/me/messages/{key}?$select=webLink").json()["webLink"]
    page = requests.get(link, timeout=5).text
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<script>alert" not in page
    assert sim.cloud.unread_count() == before - 1
    inbox = requests.post(link, data={"action": "unread"}, timeout=5)
    assert inbox.url.startswith(f"{sim.url}/mail/")
    assert sim.cloud.unread_count() == before
    requests.post(link, data={"action": "archive"}, timeout=5)
    requests.post(link, data={"action": "delete"}, timeout=5)
    requests.post(link, data={"action": "delete"}, timeout=5)
    assert requests.get(link, timeout=5).status_code == 404


class Labels(HTMLParser):
    """Collects the fields of a page that a person fills in, and the labels they have."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[str | None] = []
        self.labelled: set[str | None] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            self.fields.append(given.get("id"))
        if tag == "label":
            self.labelled.add(given.get("for"))
        self.outside += [
            str(url) for name, url in attrs if name in {"src", "href"} and "//" in str(url)
        ]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="control"),
        pytest.param("/mail/", id="inbox"),
        pytest.param("/devicelogin", id="device code"),
        pytest.param(
            "/common/oauth2/v2.0/authorize?client_id=11111111-2222-3333-4444-555555555555"
            "&response_type=code&redirect_uri=http://localhost:1&scope=openid", id="account",
        ),
    ],
)  # fmt: skip
def test_pages_label_their_fields_and_load_nothing_from_elsewhere(
    sim: Simulator, path: str
) -> None:
    answer = requests.get(sim.url + path, timeout=5)
    labels = Labels()
    labels.feed(answer.text)
    assert [each for each in labels.fields if each not in labels.labelled] == []
    assert labels.outside == []
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert requests.get(f"{sim.url}/static/look.css", timeout=5).status_code == 200


@pytest.mark.parametrize("shown", ["yesterday", 7, None])
def test_a_time_that_is_none_only_looks_so(sim: Simulator, graph: Graph, shown: object) -> None:
    sim.cloud.deliver()
    sim.cloud.deliver(subject="Strange", overrides={"receivedDateTime": shown})
    since = "receivedDateTime ge 2020-01-01T00:00:00Z and isRead eq false"
    options = {"$filter": since, "$orderby": "receivedDateTime desc"}
    reply = graph("GET", f"/me/mailFolders/inbox/messages?{urlencode(options)}")
    assert reply.status_code == 200
    assert reply.json()["value"][0]["receivedDateTime"] == shown
