"""How Graph is asked, and what its refusals become."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeGuard
from urllib.parse import unquote

import pytest

from mailtray.adapters import graph_folders, graph_mail, http_transport
from mailtray.adapters.graph_mail import GraphMail
from mailtray.adapters.http_answer import TooSlow
from mailtray.core.errors import (
    AccessDenied,
    CursorExpired,
    InvalidResponse,
    MailboxUnavailable,
    MailSourceError,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
    Unreachable,
)
from mailtray.core.model import (
    INBOX,
    AccessToken,
    Act,
    Cursor,
    Deed,
    Delivery,
    Entry,
    FolderPlace,
    Importance,
    Message,
    MessageId,
)
from mailtray.simulator import Fault, Simulator
from tests.adapters.rig import ADA, GRAPH_ROOT, Rig, microsoft_365

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailtray.adapters.http_answer import Answer

LEAST = "$select=subject,from,sender,receivedDateTime,isRead,webLink,internetMessageId"
DETAILED = f"{LEAST},importance,inferenceClassification,conversationId,toRecipients,ccRecipients"
SELECT = (
    f"{DETAILED},microsoft.graph.eventMessage/meetingMessageType"
    ",microsoft.graph.eventMessage/startDateTime"
)
BASIC = ["Mail.ReadBasic"]
PREVIEW = ["Mail.Read"]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def rig(simulator: Simulator) -> Iterator[Rig]:
    with microsoft_365(simulator) as rig:
        yield rig


@pytest.fixture
def token(rig: Rig) -> AccessToken:
    token = rig.token()
    rig.cloud.clear_log()
    return token


def full(rig: Rig, token: AccessToken) -> Delivery:
    return rig.mail.fetch(token, INBOX, None, with_count=False)


def asked(rig: Rig) -> list[str]:
    """Return what was asked of Graph, readable."""
    return [unquote(target) for target in rig.asked("/v1.0/")]


# --- how it is asked


def test_a_full_round_asks_for_the_folder_and_then_for_read_states(
    rig: Rig, token: AccessToken
) -> None:
    full(rig, token)
    assert asked(rig) == [
        "/v1.0/me/mailFolders/inbox?$select=id,displayName,unreadItemCount,totalItemCount",
        f"/v1.0/me/mailFolders/inbox/messages/delta?{SELECT}",
    ]


def test_every_request_asks_for_immutable_ids_and_small_pages(
    rig: Rig, token: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_mail, "FIRST_PAGE_SIZE", 2)
    mail = GraphMail(GRAPH_ROOT, rig.http, rig.clock)
    cursor = mail.fetch(token, INBOX, None, with_count=True).cursor
    mail.fetch(token, INBOX, cursor, with_count=True)
    mail.list_unread(token, INBOX, since=None, limit=9)
    preferences = [(each.path, each.headers["Prefer"]) for each in rig.cloud.log()]
    assert len(preferences) > 6
    for path, preference in preferences:
        ids, _, size = preference.partition(", ")
        assert ids == 'IdType="ImmutableId"'
        assert size == ("odata.maxpagesize=2" if path.endswith("/delta") else "")


def test_a_cursor_is_used_as_it_was_given(rig: Rig, token: AccessToken) -> None:
    cursor = full(rig, token).cursor
    rig.cloud.clear_log()
    rig.mail.fetch(token, INBOX, cursor, with_count=False)
    [logged] = rig.cloud.log()
    assert f"https://{logged.host}{logged.path}?{logged.query}".lower() == cursor.lower()


def test_the_number_of_requests_is_told(rig: Rig, token: AccessToken) -> None:
    delivery = full(rig, token)
    assert delivery.requests == len(rig.cloud.log())
    rig.cloud.clear_log()
    rig.cloud.deliver(count=3)
    delivery = rig.mail.fetch(token, INBOX, delivery.cursor, with_count=False)
    assert delivery.requests == len(rig.cloud.log()) == 2


def test_folder_names_are_quoted(rig: Rig, token: AccessToken) -> None:
    with pytest.raises(MailSourceError):
        rig.mail.count(token, "../../me?x=1")
    [target] = rig.asked("x=1")
    assert target.startswith("/v1.0/me/mailFolders/..%2F..%2Fme")


def test_the_preview_is_asked_for_where_it_may_be_had(rig: Rig) -> None:
    rig.cloud.deliver(preview="Who has the keys?")
    delivery = full(rig, rig.token(PREVIEW))
    assert f"{SELECT},bodyPreview" in asked(rig)[-1]
    assert "Who has the keys?" in {e.preview for e in delivery.entries if isinstance(e, Message)}


@pytest.mark.parametrize("scope", ["Mail.ReadWrite", f"{GRAPH_ROOT}/Mail.Read"])
def test_the_preview_is_asked_for_however_the_scope_is_written(rig: Rig, scope: str) -> None:
    full(rig, rig.token([scope]))
    assert "bodyPreview" in asked(rig)[-1]


def test_a_refused_preview_is_done_without_from_then_on(rig: Rig) -> None:
    rig.cloud.read_basic_preview = "forbid"
    basic = rig.token(BASIC)
    hopeful = AccessToken(basic.secret, frozenset(PREVIEW))
    rig.cloud.clear_log()
    assert full(rig, hopeful).entries
    assert full(rig, hopeful).entries
    assert ["bodyPreview" in target for target in rig.asked("/delta")] == [True, False, False]


def test_a_missing_permission_is_not_taken_for_the_preview(rig: Rig) -> None:
    token = AccessToken(rig.token(BASIC).secret, frozenset(PREVIEW))
    denied = {"error": {"code": "ErrorAccessDenied", "message": "x"}}
    rig.cloud.add_fault(Fault(path="/delta", status=403, body=denied, times=2))
    with pytest.raises(AccessDenied):
        full(rig, token)
    full(rig, token)
    assert ["bodyPreview" in target for target in rig.asked("/delta")] == [True, False, True]


NOT_A_PROPERTY = {"error": {"code": "RequestBroker--ParseUri", "message": "No such property."}}


def refuse_property(rig: Rig, name: str) -> None:
    """Answer 400 to whoever selects a property."""
    rig.cloud.add_fault(Fault(path=name, status=400, body=NOT_A_PROPERTY, times=None))


def selected(rig: Rig) -> list[str]:
    targets = [unquote(each) for each in rig.asked("/messages")]
    return [target.partition("?")[2].partition("&")[0] for target in targets]


@pytest.mark.parametrize(
    ("refused", "selects"),
    [
        pytest.param("eventMessage", [SELECT, DETAILED, DETAILED, DETAILED], id="meetings"),
        pytest.param("importance", [SELECT, DETAILED, LEAST, LEAST, LEAST], id="all that is new"),
    ],
)
def test_a_refused_property_is_done_without_from_then_on(
    rig: Rig, token: AccessToken, refused: str, selects: list[str]
) -> None:
    refuse_property(rig, refused)
    assert full(rig, token).entries
    assert full(rig, token).entries
    assert rig.mail.list_unread(token, INBOX, since=None, limit=9).messages
    assert selected(rig) == selects


def test_a_refused_property_is_not_taken_for_the_filter(
    rig: Rig, token: AccessToken, large: GraphMail
) -> None:
    refuse_property(rig, "eventMessage")
    for _ in range(2):
        assert len(large.fetch(token, INBOX, None, with_count=False).entries) == 30
    asked_for = [("eventMessage" in target, "$filter" in target) for target in rig.asked("/delta")]
    assert asked_for == [(True, True), (True, False), (False, True), (False, True)]


def test_a_refused_property_beside_a_refused_preview(rig: Rig) -> None:
    rig.cloud.read_basic_preview = "forbid"
    refuse_property(rig, "eventMessage")
    hopeful = AccessToken(rig.token(BASIC).secret, frozenset(PREVIEW))
    for _ in range(2):
        assert full(rig, hopeful).entries
    assert selected(rig) == [SELECT + ",bodyPreview", DETAILED + ",bodyPreview", DETAILED, DETAILED]


def test_what_is_not_understood_at_all_is_not_taken_for_a_property(
    rig: Rig, token: AccessToken
) -> None:
    rig.cloud.add_fault(Fault(path="/delta", status=400, body=code("BadRequest"), times=3))
    with pytest.raises(InvalidResponse):
        full(rig, token)
    full(rig, token)
    assert selected(rig) == [SELECT, DETAILED, LEAST, SELECT]


def test_a_cursor_goes_on_asking_for_what_it_was_made_for(rig: Rig, token: AccessToken) -> None:
    refuse_property(rig, "importance")
    cursor = full(rig, token).cursor
    rig.cloud.clear_faults()
    rig.cloud.deliver(importance="high")
    mail = GraphMail(GRAPH_ROOT, rig.http, rig.clock)
    [old] = mail.fetch(token, INBOX, cursor, with_count=False).entries
    assert isinstance(old, Message)
    assert old.importance is Importance.NORMAL
    again = mail.fetch(token, INBOX, None, with_count=False).entries
    assert Importance.HIGH in {each.importance for each in again if isinstance(each, Message)}


# --- large folders


@pytest.fixture
def large(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> GraphMail:
    """A source whose full rounds cover 30 of the folder's 90 messages."""
    monkeypatch.setattr(graph_mail, "FIRST_SYNC_MESSAGES", 30)
    rig.cloud.deliver(count=90, received=NOON + timedelta(days=300))
    return GraphMail(GRAPH_ROOT, rig.http, rig.clock)


def test_a_large_folder_is_read_from_a_floor_on(
    rig: Rig, token: AccessToken, large: GraphMail
) -> None:
    delivery = large.fetch(token, INBOX, None, with_count=False)
    assert len(delivery.entries) == 30
    assert delivery.floor == NOON + timedelta(days=300, seconds=-29)
    assert asked(rig)[1:] == [
        "/v1.0/me/mailFolders/inbox/messages?$select=receivedDateTime"
        "&$orderby=receivedDateTime desc&$top=1&$skip=29",
        f"/v1.0/me/mailFolders/inbox/messages/delta?{SELECT}"
        "&$filter=receivedDateTime ge 2026-12-27T11:59:31Z",
    ]


def test_a_refused_filter_is_done_without_from_then_on(
    rig: Rig, token: AccessToken, large: GraphMail
) -> None:
    rig.cloud.filter_on_delta = False
    deliveries = [large.fetch(token, INBOX, None, with_count=False) for _ in range(2)]
    assert [len(delivery.entries) for delivery in deliveries] == [30, 30]
    assert deliveries[0].floor == deliveries[1].floor == NOON + timedelta(days=300, seconds=-29)
    assert ["$filter" in target for target in rig.asked("/delta")] == [True, False, False]


def test_a_page_too_large_is_halved_and_the_size_remembered(
    rig: Rig, token: AccessToken, large: GraphMail
) -> None:
    rig.cloud.max_page_size_before_504 = 25
    delivery = large.fetch(token, INBOX, None, with_count=False)
    assert len(delivery.entries) == 30
    delta = [each for each in rig.cloud.log() if each.path.endswith("/delta")]
    sizes = [each.headers["Prefer"].rpartition("=")[2] for each in delta]
    assert sizes == ["200", "100", "50", "25", "25"]
    large.fetch(token, INBOX, delivery.cursor, with_count=False)
    assert rig.cloud.log()[-1].headers["Prefer"].endswith("=25")
    assert len(rig.cloud.log()) == 8


def test_a_page_that_is_always_too_large_is_given_up(rig: Rig, token: AccessToken) -> None:
    rig.cloud.add_fault(Fault(path="/delta", status=504, body="<html>", times=None))
    with pytest.raises(ServiceUnavailable):
        full(rig, token)
    assert len(rig.asked("/delta")) == 6
    with pytest.raises(ServiceUnavailable):
        full(rig, token)
    assert len(rig.asked("/delta")) == 7


def test_a_page_that_takes_too_long_is_smaller_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with microsoft_365() as rig:
        token = rig.token()
        rig.cloud.add_fault(Fault(path="/delta", delay_s=5))
        monkeypatch.setattr(http_transport, "READ_S", 0.05)
        with pytest.raises(TooSlow):
            full(rig, token)
        monkeypatch.undo()
        full(rig, token)
        assert rig.cloud.log()[-1].headers["Prefer"].endswith("=100")


def test_the_list_of_unread_is_smaller_after_a_504(rig: Rig, token: AccessToken) -> None:
    rig.cloud.deliver(count=150)
    rig.cloud.max_page_size_before_504 = 100
    with pytest.raises(ServiceUnavailable):
        rig.mail.list_unread(token, INBOX, since=None, limit=200)
    listed = rig.mail.list_unread(token, INBOX, since=None, limit=200)
    assert len(listed.messages) == 152
    assert listed.is_complete


def test_the_list_of_unread_is_read_page_by_page(
    rig: Rig, token: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_mail, "FIRST_PAGE_SIZE", 10)
    mail = GraphMail(GRAPH_ROOT, rig.http, rig.clock)
    ids = rig.cloud.deliver(count=35)
    rig.cloud.clear_log()
    listed = mail.list_unread(token, INBOX, since=None, limit=25)
    assert [message.id for message in listed.messages] == ids[:9:-1]
    assert not listed.is_complete
    assert len(rig.cloud.log()) == 3


def test_a_round_of_endless_changes_becomes_a_full_one(
    rig: Rig, token: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_mail, "MAX_ENTRIES", 20)
    monkeypatch.setattr(graph_mail, "FIRST_PAGE_SIZE", 10)
    mail = GraphMail(GRAPH_ROOT, rig.http, rig.clock)
    cursor = mail.fetch(token, INBOX, None, with_count=False).cursor
    rig.cloud.deliver(count=60)
    with pytest.raises(CursorExpired):
        mail.fetch(token, INBOX, cursor, with_count=False)
    with pytest.raises(InvalidResponse):
        mail.fetch(token, INBOX, None, with_count=False)


# --- what comes in pages


@pytest.mark.parametrize("knob", ["empty_delta_page", "replay_changes", "repeat_items"])
def test_the_ways_of_real_mailboxes(rig: Rig, token: AccessToken, knob: str) -> None:
    setattr(rig.cloud, knob, True)
    first = full(rig, token)
    new = rig.cloud.deliver(count=3)
    rig.cloud.mark(new[0], is_read=True)
    delivery = rig.mail.fetch(token, INBOX, first.cursor, with_count=False)
    assert set(new) <= {entry.id for entry in delivery.entries}
    again = rig.mail.fetch(token, INBOX, delivery.cursor, with_count=False)
    assert not {e.id for e in again.entries} - {*new, *(e.id for e in first.entries)}


NO_HEADERS: dict[str, str] = {}


def answer_once(
    rig: Rig,
    status: int,
    body: object,
    *,
    path: str = "/delta",
    headers: dict[str, str] = NO_HEADERS,
) -> None:
    rig.cloud.add_fault(Fault(path=path, status=status, body=body, headers=headers))


NEXT, DELTA = "@odata.nextLink", "@odata.deltaLink"
LINK = f"{GRAPH_ROOT}/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=x"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"value": []}, id="no link"),
        pytest.param({"value": [], NEXT: LINK, DELTA: LINK}, id="both links"),
        pytest.param({"value": [], NEXT: "https://example.test/v1.0/x"}, id="another server"),
        pytest.param({"value": [], NEXT: f"{GRAPH_ROOT}@example.test/v1.0/x"}, id="disguised"),
        pytest.param({"value": [], NEXT: "http://graph.microsoft.com/v1.0/x"}, id="unencrypted"),
        pytest.param({"value": [], NEXT: "/v1.0/me"}, id="no address"),
        pytest.param({}, id="nothing"),
        pytest.param("", id="an empty body"),
        pytest.param("<html>Welcome to the hotel</html>", id="a portal"),
        pytest.param('{"value": [{"id": ', id="cut off"),
    ],
)
def test_what_is_no_page(rig: Rig, token: AccessToken, body: object) -> None:
    cursor = full(rig, token).cursor
    answer_once(rig, 200, body)
    with pytest.raises(InvalidResponse) as caught:
        rig.mail.fetch(token, INBOX, cursor, with_count=False)
    assert caught.value.transient
    assert rig.mail.fetch(token, INBOX, cursor, with_count=False).entries == ()


def test_a_page_cut_off_within_its_packing(rig: Rig, token: AccessToken) -> None:
    rig.cloud.add_fault(Fault(path="/delta", gzip_truncated=True))
    with pytest.raises(InvalidResponse):
        full(rig, token)


def test_a_page_that_links_to_itself_ends(rig: Rig, token: AccessToken) -> None:
    rig.cloud.add_fault(Fault(path="/delta", status=200, body={"value": [], NEXT: LINK}, times=9))
    with pytest.raises(InvalidResponse):
        full(rig, token)
    assert len(rig.asked("/delta")) == 2


# --- refusals


def refused(
    rig: Rig,
    token: AccessToken,
    status: int,
    body: object,
    headers: dict[str, str] = NO_HEADERS,
) -> MailSourceError:
    """Return the error that an answer to the counters becomes."""
    answer_once(rig, status, body, path="/mailFolders", headers=headers)
    with pytest.raises(MailSourceError) as caught:
        rig.mail.count(token, INBOX)
    return caught.value


def code(text: str) -> dict[str, object]:
    return {"error": {"code": text, "message": "x", "innerError": {"request-id": "r1"}}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(400, code("BadRequest"), InvalidResponse, id="400"),
        pytest.param(401, code("InvalidAuthenticationToken"), TokenRejected, id="401"),
        pytest.param(401, "", TokenRejected, id="401 without a body"),
        pytest.param(403, code("ErrorAccessDenied"), AccessDenied, id="403"),
        pytest.param(403, "<html>blocked by the proxy</html>", InvalidResponse, id="a proxy's 403"),
        pytest.param(404, code("MailboxNotEnabledForRESTAPI"), MailboxUnavailable, id="no mailbox"),
        pytest.param(404, code("ResourceNotFound"), MailboxUnavailable, id="nothing found"),
        pytest.param(404, code("SomethingElse"), MailboxUnavailable, id="404"),
        pytest.param(403, code("extensionError"), MailboxUnavailable, id="on premises"),
        pytest.param(404, code("ErrorItemNotFound"), MailboxUnavailable, id="the folder is gone"),
        pytest.param(404, "<html>not here</html>", InvalidResponse, id="a proxy's 404"),
        pytest.param(404, code("MailboxInfoStale"), ServiceUnavailable, id="being moved"),
        pytest.param(408, "", ServiceUnavailable, id="408"),
        pytest.param(409, code("Conflict"), ServiceUnavailable, id="409"),
        pytest.param(412, code("PreconditionFailed"), ServiceUnavailable, id="412"),
        pytest.param(410, "", InvalidResponse, id="410 of no cursor"),
        pytest.param(410, code("Gone"), ServiceUnavailable, id="Graph's 410 of no cursor"),
        pytest.param(511, "<html>sign in to the hotel</html>", InvalidResponse, id="511"),
        pytest.param(418, "", InvalidResponse, id="an unknown status"),
        pytest.param(429, code("UnknownError"), Throttled, id="429"),
        pytest.param(500, code("ErrorInternalServerError"), ServiceUnavailable, id="500"),
        pytest.param(502, "<html>bad gateway</html>", ServiceUnavailable, id="502"),
        pytest.param(503, "", ServiceUnavailable, id="503"),
        pytest.param(509, code("BandwidthLimitExceeded"), ServiceUnavailable, id="509"),
        pytest.param(302, "", InvalidResponse, id="a portal's redirect"),
        pytest.param(204, "", InvalidResponse, id="204"),
        pytest.param(200, "<html>sign in to the hotel</html>", InvalidResponse, id="a portal"),
        pytest.param(200, {}, InvalidResponse, id="no folder"),
    ],
)
def test_what_a_refusal_becomes(
    rig: Rig, token: AccessToken, status: int, body: object, kind: type[MailSourceError]
) -> None:
    error = refused(rig, token, status, body)
    assert isinstance(error, kind)
    assert isinstance(error, Throttled) is issubclass(kind, Throttled)
    assert isinstance(error, ServiceUnavailable) is issubclass(kind, ServiceUnavailable)
    assert 0 < len(error.title) <= 60
    assert error.hint.endswith(".")
    assert rig.mail.count(token, INBOX).total > 0


def test_no_mailbox_and_no_folder_are_told_apart(rig: Rig, token: AccessToken) -> None:
    gone = refused(rig, token, 404, code("ErrorItemNotFound"))
    none = refused(rig, token, 404, code("mailboxnotenabledforrestapi"))
    assert gone.title == "A watched folder no longer exists"
    assert none.title == "This account has no Microsoft 365 mailbox we can read"


@pytest.mark.parametrize("status", [429, 500, 503, 504])
@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7.0),
        ("7.2", 8.0),
        ("Mon, 02 Mar 2026 06:01:30 GMT", 90.0),
        ("Mon, 02 Mar 2026 05:00:00 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
def test_how_long_to_wait(
    rig: Rig, token: AccessToken, status: int, header: str, wait_s: float | None
) -> None:
    error = refused(rig, token, status, "", headers={"Retry-After": header})
    assert isinstance(error, Throttled)
    assert error.retry_after_s == wait_s


def test_the_request_and_the_servers_time_are_told(rig: Rig, token: AccessToken) -> None:
    date = "Mon, 02 Mar 2026 12:00:00 GMT"
    error = refused(rig, token, 401, code("x"), headers={"Date": date, "request-id": "r9"})
    assert error.request_id == "r9"
    assert error.server_time == NOON
    assert refused(rig, token, 403, code("x")).request_id == "r1"


def test_the_servers_time_comes_with_the_counters(rig: Rig, token: AccessToken) -> None:
    assert rig.mail.count(token, INBOX).server_time is not None


@pytest.mark.parametrize("status", [401, 403])
def test_a_claims_challenge_is_decoded(rig: Rig, token: AccessToken, status: int) -> None:
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1764000000"}}}'
    header = f'Bearer realm="", error="insufficient_claims", claims="{_base64(claims)}"'
    error = refused(rig, token, status, code("x"), headers={"WWW-Authenticate": header})
    assert isinstance(error, TokenRejected)
    assert error.claims == claims


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_challenge_is_met_by_a_token_for_its_claims(rig: Rig) -> None:
    account = rig.sign_in().account.id
    token = rig.identity.acquire_token(account, BASIC, claims=None, renew=False)
    rig.cloud.challenge_next()
    with pytest.raises(TokenRejected) as caught:
        rig.mail.count(token, INBOX)
    claims = caught.value.claims
    assert claims is not None
    better = rig.identity.acquire_token(account, BASIC, claims=claims, renew=False)
    assert rig.mail.count(better, INBOX).total > 0


# --- cursors


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        pytest.param(410, code("SyncStateNotFound"), {}, id="as seen"),
        pytest.param(410, code("syncStateNotFound"), {}, id="as documented"),
        pytest.param(410, code("resyncRequired"), {}, id="resync"),
        pytest.param(400, code("SyncStateNotFound"), {}, id="400"),
        pytest.param(404, code("SyncStateNotFound"), {}, id="404"),
        pytest.param(400, {"error": {"code": "x", "innererror": {"code": "ResyncRequired"}}}, {},
                     id="within"),
        pytest.param(410, code("x"), {"Location": f"{LINK}"}, id="another place"),
        pytest.param(410, "", {}, id="an empty body"),
        pytest.param(410, "<html>gone</html>", {}, id="a page"),
    ],
)  # fmt: skip
def test_an_expired_cursor(
    rig: Rig, token: AccessToken, status: int, body: object, headers: dict[str, str]
) -> None:
    cursor = full(rig, token).cursor
    answer_once(rig, status, body, headers=headers)
    with pytest.raises(CursorExpired):
        rig.mail.fetch(token, INBOX, cursor, with_count=False)
    assert rig.mail.fetch(token, INBOX, None, with_count=False).is_full


def test_a_cursor_that_is_refused_twice_is_not_kept(rig: Rig, token: AccessToken) -> None:
    cursor = full(rig, token).cursor
    rig.cloud.add_fault(Fault(path="/delta", status=400, body=code("BadRequest"), times=2))
    with pytest.raises(InvalidResponse):
        rig.mail.fetch(token, INBOX, cursor, with_count=False)
    with pytest.raises(CursorExpired):
        rig.mail.fetch(token, INBOX, cursor, with_count=False)


def test_a_cursor_of_another_server_is_not_sent_the_token(rig: Rig, token: AccessToken) -> None:
    cursor = Cursor("https://example.test/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=x")
    with pytest.raises(CursorExpired):
        rig.mail.fetch(token, INBOX, cursor, with_count=False)
    assert rig.cloud.log() == []


def test_four_mailboxes_at_once(rig: Rig) -> None:
    tokens = {}
    for name in ("ada@contoso.example", "b@a.example", "c@a.example", "d@a.example"):
        if name != ADA:
            rig.cloud.add_account(name, name)
        rig.cloud.deliver(name, count=30, subject=f"For {name}")
        rig.person.username = name
        tokens[name] = rig.token()

    def read(name: str) -> set[str]:
        found = set()
        for _ in range(10):
            delivery = rig.mail.fetch(tokens[name], INBOX, None, with_count=False)
            found |= {e.subject.partition(" (")[0] for e in delivery.entries if _is_ours(e)}
        return found

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(read, tokens))
    assert results == [{f"For {name}"} for name in tokens]


def test_one_mailbox_is_asked_one_thing_at_a_time(rig: Rig, token: AccessToken) -> None:
    # magodo/terraform-provider-outlook#21
    rig.cloud.concurrency_limit = 1
    cursor = rig.mail.fetch(token, INBOX, None, with_count=True).cursor
    rig.mail.fetch(token, INBOX, cursor, with_count=True)
    assert {each.status for each in rig.cloud.log()} == {200}


# --- shared mailboxes and trees of folders

TEAM = "team@contoso.example"
SHARED = f"{TEAM}:inbox"
BOTH = ["Mail.Read", "Mail.Read.Shared"]


@pytest.fixture
def team(rig: Rig) -> str:
    rig.cloud.add_account(TEAM, "Team")
    rig.cloud.share_mailbox(TEAM, reader=ADA)
    return TEAM


@pytest.mark.usefixtures("team")
def test_a_shared_mailbox_is_asked_by_its_address(rig: Rig) -> None:
    token = rig.token(BOTH)
    rig.cloud.clear_log()
    rig.mail.fetch(token, SHARED, None, with_count=False)
    rig.mail.folders(token, TEAM)
    assert asked(rig)[:2] == [
        f"/v1.0/users/{TEAM}/mailFolders/inbox"
        "?$select=id,displayName,unreadItemCount,totalItemCount",
        f"/v1.0/users/{TEAM}/mailFolders/inbox/messages/delta?{SELECT},bodyPreview",
    ]
    assert all(target.startswith(f"/v1.0/users/{TEAM}/mailFolders") for target in asked(rig))


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("scope", ["Mail.Read", "Mail.ReadWrite"])
def test_the_preview_of_shared_mail_has_a_scope_of_its_own(rig: Rig, scope: str) -> None:
    token = rig.token([scope, "Mail.ReadBasic.Shared"])
    rig.mail.fetch(token, SHARED, None, with_count=False)
    full(rig, token)
    assert ["bodyPreview" in target for target in rig.asked("/delta")] == [False, True]


@pytest.mark.usefixtures("team")
def test_refusals_of_a_shared_mailbox_speak_of_it(rig: Rig) -> None:
    with pytest.raises(AccessDenied) as denied:
        rig.mail.count(rig.token(PREVIEW), SHARED)
    with pytest.raises(MailboxUnavailable) as nobody:
        rig.mail.count(rig.token(BOTH), "nobody@contoso.example:inbox")
    with pytest.raises(MailboxUnavailable) as nowhere:
        rig.mail.count(rig.token(BOTH), f"{TEAM}:nowhere")
    assert denied.value.title == "Permission to read a shared mailbox is missing"
    assert nobody.value.title == "A shared mailbox, or a folder in it, cannot be found"
    assert nowhere.value.title == nobody.value.title


def test_a_mailbox_that_nobody_shared(rig: Rig) -> None:
    rig.cloud.add_account(TEAM, "Team")
    for call in (rig.mail.count, rig.mail.folders):
        with pytest.raises(AccessDenied):
            call(rig.token(BOTH), SHARED if call == rig.mail.count else TEAM)


def test_only_folders_with_folders_in_them_are_asked_for_more(rig: Rig, token: AccessToken) -> None:
    deep = rig.cloud.add_folder("Deep", parent=rig.cloud.add_folder("Work", parent="archive"))
    places = rig.mail.folders(token, "")
    assert "Archive/Work/Deep" in {place.path for place in places if place.key == deep}
    fields = "$select=id,displayName,childFolderCount,unreadItemCount,totalItemCount&$top=100"
    assert asked(rig)[0] == f"/v1.0/me/mailFolders?{fields}"
    assert len(asked(rig)) == 4


@pytest.mark.parametrize(
    ("bound", "value", "how_many"),
    [("MAX_FOLDERS", 5, 5), ("MAX_DEPTH", 3, 11), ("MAX_REQUESTS", 3, 10)],
)
def test_an_endless_tree_is_cut(
    rig: Rig, token: AccessToken, monkeypatch: pytest.MonkeyPatch, bound: str, value: int,
    how_many: int,
) -> None:  # fmt: skip
    below = "archive"
    for number in range(6):
        below = rig.cloud.add_folder(f"{number}", parent=below)
    monkeypatch.setattr(graph_folders, bound, value)
    assert len(rig.mail.folders(token, "")) == how_many


def test_a_folder_within_itself_is_listed_once(rig: Rig, token: AccessToken) -> None:
    own = {"id": "F1", "displayName": "Loop", "childFolderCount": 1}
    rig.cloud.add_fault(Fault(path="/mailFolders", status=200, body={"value": [own]}, times=None))
    assert rig.mail.folders(token, "") == (FolderPlace("F1", "Loop"),)


def test_folders_that_cannot_be_named_are_left_out(rig: Rig, token: AccessToken) -> None:
    odd: list[object] = [
        None, "x", {}, {"id": "F1"}, {"displayName": "No id"}, {"id": "F2", "displayName": " "},
        {"id": 3, "displayName": "A number"},
        {"id": "F4", "displayName": "A\nB", "childFolderCount": "many", "unreadItemCount": -1},
    ]  # fmt: skip
    answer_once(rig, 200, {"value": odd}, path="/mailFolders")
    assert rig.mail.folders(token, "") == (FolderPlace("F4", "A B"),)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param("<html>Welcome to the hotel</html>", id="a portal"),
        pytest.param({"value": [], NEXT: "https://example.test/v1.0/x"}, id="another server"),
    ],
)
def test_what_is_no_page_of_folders(rig: Rig, token: AccessToken, body: object) -> None:
    answer_once(rig, 200, body, path="/mailFolders")
    with pytest.raises(InvalidResponse):
        rig.mail.folders(token, "")


# --- deeds


@pytest.fixture
def writer(rig: Rig) -> AccessToken:
    token = rig.token(["Mail.ReadWrite"])
    rig.cloud.clear_log()
    return token


def marked(*ids: str) -> list[Deed]:
    return [Deed(Act.MARK_READ, MessageId(each)) for each in ids]


def test_one_deed_is_a_plain_request(rig: Rig, writer: AccessToken) -> None:
    (one,) = rig.cloud.deliver()
    rig.mail.do(writer, marked(one))
    rig.mail.do(writer, [Deed(Act.MOVE, MessageId(one), destination="archive")])
    told = [(each.method, each.path, each.headers["Prefer"]) for each in rig.cloud.log()]
    path = f"/v1.0/me/messages/{one}"
    assert told == [
        ("PATCH", path, 'IdType="ImmutableId"'),
        ("POST", f"{path}/move", 'IdType="ImmutableId"'),
    ]


def test_several_deeds_are_batches_of_twenty(rig: Rig, writer: AccessToken) -> None:
    ids = rig.cloud.deliver(count=45)
    assert rig.mail.do(writer, marked(*ids)) == (None,) * 45
    assert [each.path for each in rig.cloud.log()] == ["/v1.0/$batch"] * 3
    assert rig.cloud.counts()["batch_parts"] == 45


def test_a_network_lost_between_two_batches_is_not_taken_for_nothing_done(
    rig: Rig, writer: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = rig.cloud.deliver(count=21)
    request, lost = rig.http.request, Unreachable("No connection")
    lost.was_sent = False

    def never(*_: object, **__: object) -> Answer:
        raise lost

    def once(
        method: str, url: str, *, headers: Mapping[str, str], data: bytes | None = None
    ) -> Answer:
        monkeypatch.setattr(rig.http, "request", never)
        return request(method, url, headers=headers, data=data)

    monkeypatch.setattr(rig.http, "request", once)
    with pytest.raises(Unreachable) as caught:
        rig.mail.do(writer, marked(*ids))
    assert caught.value.was_sent
    lost.was_sent = False
    with pytest.raises(Unreachable) as caught:
        rig.mail.do(writer, marked(*ids))
    assert not caught.value.was_sent


def test_a_batch_moves_under_immutable_ids(rig: Rig, writer: AccessToken) -> None:
    ids = rig.cloud.deliver(count=2)
    for destination in ("archive", "inbox", "archive"):
        deeds = [Deed(Act.MOVE, MessageId(each), destination=destination) for each in ids]
        assert rig.mail.do(writer, deeds) == (None, None)
    assert {rig.cloud.find(each)[1].key for each in ids} == set(ids)


def test_a_deed_without_permission_says_so(rig: Rig, token: AccessToken) -> None:
    ids = rig.cloud.deliver(count=2)
    for deeds in (marked(*ids), marked(ids[0])):
        for outcome in rig.mail.do(token, deeds):
            assert isinstance(outcome, AccessDenied)
            assert outcome.title == "Permission to change mail is missing"


def parts(*responses: object) -> dict[str, object]:
    return {"responses": list(responses)}


def test_an_unanswered_part_is_not_taken_for_done(rig: Rig, writer: AccessToken) -> None:
    body = parts({"id": "1", "status": 200}, None, {"id": "0"}, {"status": 200})
    answer_once(rig, 200, body, path="batch")
    unanswered, done = rig.mail.do(writer, marked("a", "b"))
    assert isinstance(unanswered, InvalidResponse)
    assert done is None


@pytest.mark.parametrize(
    ("part", "kind", "wait_s"),
    [
        pytest.param(
            {"status": 429, "headers": {"retry-after": "7"}, "body": code("x")}, Throttled, 7.0,
            id="429",
        ),
        pytest.param(
            {"status": 503, "headers": {"RETRY-AFTER": 9}}, ServiceUnavailable, 9.0, id="503"
        ),
        pytest.param({"status": 504, "body": "PGh0bWw+"}, ServiceUnavailable, None, id="a gateway"),
        pytest.param({"status": 424, "headers": None}, InvalidResponse, None, id="424"),
        pytest.param({"status": 412, "body": code("x")}, ServiceUnavailable, None, id="412"),
    ],
)  # fmt: skip
def test_what_a_refused_part_becomes(
    rig: Rig, writer: AccessToken, part: dict[str, object], kind: type[MailSourceError],
    wait_s: float | None,
) -> None:  # fmt: skip
    body = parts({"id": "1", "status": 200}, {"id": "0", **part})
    answer_once(rig, 200, body, path="batch")
    refused, done = rig.mail.do(writer, marked("a", "b"))
    assert isinstance(refused, kind)
    assert getattr(refused, "retry_after_s", None) == wait_s
    assert done is None


def test_a_part_that_refuses_the_token_fails_all(rig: Rig, writer: AccessToken) -> None:
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1764000000"}}}'
    header = f'Bearer realm="", error="insufficient_claims", claims="{_base64(claims)}"'
    refused = {"id": "0", "status": 401, "headers": {"WWW-Authenticate": header}}
    answer_once(rig, 200, parts(refused, {"id": "1", "status": 200}), path="batch")
    with pytest.raises(TokenRejected) as caught:
        rig.mail.do(writer, marked("a", "b"))
    assert caught.value.claims == claims


@pytest.mark.parametrize("ids", [("a",), ("a", "b")])
@pytest.mark.parametrize("body", ["<html>Welcome to the hotel</html>", "", []])
def test_a_portal_does_no_deeds(
    rig: Rig, writer: AccessToken, ids: tuple[str, ...], body: object
) -> None:
    answer_once(rig, 200, body, path="a|batch")
    with pytest.raises(InvalidResponse):
        rig.mail.do(writer, marked(*ids))


def test_deeds_are_done_again_after_a_lost_answer(rig: Rig, writer: AccessToken) -> None:
    ids = rig.cloud.deliver(count=2)
    deeds = [Deed(Act.MOVE, MessageId(each), destination="archive") for each in ids]
    rig.cloud.add_fault(Fault(path="batch", close="before", after=True))
    with pytest.raises(Unreachable):
        rig.mail.do(writer, deeds)
    assert rig.mail.do(writer, deeds) == (None, None)


def test_other_folders_are_not_counted(rig: Rig, token: AccessToken) -> None:
    # gyunaev/birdtray#322
    first = rig.mail.fetch(token, INBOX, None, with_count=True)
    rig.cloud.deliver(count=5, folder="archive")
    rig.cloud.deliver(count=2, folder="drafts")
    second = rig.mail.fetch(token, INBOX, first.cursor, with_count=True)
    assert second.entries == ()
    assert first.count is not None
    assert second.count is not None
    assert second.count == replace(first.count, server_time=second.count.server_time)


def _is_ours(entry: Entry) -> TypeGuard[Message]:
    return isinstance(entry, Message) and entry.subject.startswith("For ")


def test_a_stolen_look_shows_no_token(token: AccessToken) -> None:
    assert token.secret not in repr(token)
