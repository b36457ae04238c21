"""MSAL's ways, and what the identity provider makes of them."""

from __future__ import annotations

import base64
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from mailtray.adapters import msal_identity
from mailtray.adapters.msal_identity import FRESH_S, SECOND_TRY_S, MsalIdentity
from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    ConsentRequired,
    InvalidResponse,
    MailtrayError,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
    Throttled,
    Unreachable,
)
from mailtray.core.model import AccessToken, AccountId, AuthAction
from mailtray.simulator import AuthorizeError, Fault, Simulator
from mailtray.simulator.browser import enter_device_code, walk
from tests.adapters.rig import ADA, CLIENT_ID, GRAPH_ROOT, LOGIN_ROOT, SCOPES, Rig, microsoft_365

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailtray.core.model import SignedIn

CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["p1"]}}}'
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def rig(simulator: Simulator) -> Iterator[Rig]:
    with microsoft_365(simulator) as rig:
        yield rig


@pytest.fixture
def account(rig: Rig) -> AccountId:
    found = rig.sign_in().account.id
    rig.cloud.clear_log()
    return found


def acquire(
    rig: Rig, account: AccountId, scopes: list[str] = SCOPES, *, renew: bool = True
) -> AccessToken:
    return rig.identity.acquire_token(account, scopes, claims=None, renew=renew)


def answer(rig: Rig, status: int, body: object, *, times: int = 1, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    rig.cloud.add_fault(Fault(path="/token", status=status, body=body, headers=named, times=times))


def refusal(code: int, error: str = "invalid_grant", **more: object) -> dict[str, object]:
    return {
        "error": error,
        "error_description": f"AADSTS{code}: ada",
        "error_codes": [code],
        **more,
    }


def failure(rig: Rig, account: AccountId) -> MailtrayError:
    with pytest.raises(MailtrayError) as caught:
        acquire(rig, account)
    return caught.value


# --- silent


def test_nothing_is_asked_before_a_token_is(rig: Rig) -> None:
    signed_in = rig.sign_in()
    rig.cloud.clear_log()
    fresh = rig.another_identity()
    fresh.restore(signed_in.account.id, signed_in.cache)
    assert rig.cloud.log() == []


def test_discovery_is_asked_once_for_all_accounts(rig: Rig) -> None:
    rig.cloud.add_account("bob@fabrikam.example", "Bob")
    ada = rig.sign_in().account.id
    rig.person.username = "bob@fabrikam.example"
    bob = rig.sign_in().account.id
    assert ada != bob
    acquire(rig, ada)
    acquire(rig, bob)
    assert rig.cloud.counts()["discovery"] == 1


def test_a_refresh_takes_one_request_and_declares_what_we_understand(
    rig: Rig, account: AccountId
) -> None:
    acquire(rig, account)
    [logged] = rig.cloud.log()
    assert (logged.path, logged.grant_type) == ("/common/oauth2/v2.0/token", "refresh_token")


def test_scopes_listed_long_are_found_when_asked_for_short(rig: Rig) -> None:
    long = [f"{GRAPH_ROOT}/Mail.ReadBasic"]
    account = rig.sign_in(long).account.id
    rig.cloud.clear_log()
    for _ in range(3):
        token = acquire(rig, account, SCOPES, renew=False)
        assert token.scopes == frozenset(SCOPES)
    assert rig.cloud.log() == []


def test_a_permission_more_is_asked_for_when_it_is_needed(rig: Rig, account: AccountId) -> None:
    more = ["Mail.ReadWrite"]
    with pytest.raises(ConsentRequired) as missing:
        acquire(rig, account, more)
    assert missing.value.code == 65001
    rig.person.consents = False
    with pytest.raises(MailtrayError) as declined:
        rig.sign_in(more)
    assert getattr(declined.value, "code", None) == 65004
    assert "Mail.ReadBasic" in acquire(rig, account).scopes
    rig.person.consents = True
    rig.sign_in(more)
    assert "Mail.ReadWrite" in acquire(rig, account, more).scopes
    assert "Mail.ReadBasic" in acquire(rig, account).scopes


def test_a_scope_that_was_not_given_is_not_claimed(rig: Rig, account: AccountId) -> None:
    found = acquire(rig, account, SCOPES, renew=False)
    assert found.scopes == frozenset(SCOPES)
    with pytest.raises(ConsentRequired) as caught:
        acquire(rig, account, ["Mail.Read"], renew=False)
    assert caught.value.action is AuthAction.SIGN_IN


def test_a_refusal_is_not_remembered(rig: Rig, account: AccountId) -> None:
    """MSAL would answer the second one from memory for a minute."""
    answer(rig, 400, refusal(50076))
    assert isinstance(failure(rig, account), SignInRequired)
    acquire(rig, account)


def test_claims_of_a_refusal_are_kept(rig: Rig, account: AccountId) -> None:
    answer(rig, 400, refusal(50076, suberror="basic_action", claims=CLAIMS))
    error = failure(rig, account)
    assert isinstance(error, SignInRequired)
    assert error.claims == CLAIMS
    signed_in = rig.identity.sign_in(
        SCOPES, login_hint=ADA, claims=CLAIMS, deadline_s=60, on_url=lambda _url: None
    )
    assert signed_in.account.id == account


def test_odd_claims_are_left_out(rig: Rig, account: AccountId) -> None:
    rig.identity.acquire_token(account, SCOPES, claims="{no json", renew=True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (refusal(70043, suberror="token_expired"), SignInRequired),
        (refusal(700082, suberror="token_expired"), SignInRequired),
        (refusal(50173, suberror="bad_token"), SignInRequired),
        (refusal(50079, "interaction_required"), SignInRequired),
        (refusal(65001, suberror="consent_required"), ConsentRequired),
        (refusal(53003, "interaction_required", suberror="message_only"), AuthBlocked),
        (
            refusal(53005, "unauthorized_client", suberror="protection_policy_required"),
            AuthBlocked,
        ),
        (refusal(7000218, "invalid_client"), AuthBlocked),
        (refusal(700016, "unauthorized_client"), AuthBlocked),
        (refusal(7000112, "unauthorized_client"), AuthBlocked),
        (refusal(50020), AuthBlocked),
        (refusal(999999), SignInRequired),
    ],
)
def test_refusals(
    rig: Rig, account: AccountId, body: dict[str, object], kind: type[AuthError]
) -> None:
    answer(rig, 401 if body["error"] == "invalid_client" else 400, body)
    error = failure(rig, account)
    assert type(error) is kind
    assert isinstance(error, AuthError)
    assert [error.code] == body["error_codes"]
    assert len(rig.cloud.log()) == 1


def test_a_doubtful_refusal_is_tried_again_before_the_person_is_asked(
    rig: Rig, account: AccountId
) -> None:
    answer(rig, 400, refusal(70000), times=2)
    first = failure(rig, account)
    assert isinstance(first, ServiceUnavailable)
    assert first.retry_after_s == SECOND_TRY_S
    assert isinstance(failure(rig, account), SignInRequired)


def test_a_token_from_the_cache_dispels_no_doubt(rig: Rig, account: AccountId) -> None:
    """Each poll begins with it, and Graph may refuse it each time."""
    answer(rig, 400, refusal(70000), times=2)
    assert isinstance(failure(rig, account), ServiceUnavailable)
    acquire(rig, account, renew=False)
    assert isinstance(failure(rig, account), SignInRequired)


def test_a_doubt_is_forgotten_after_a_success(rig: Rig, account: AccountId) -> None:
    for _ in range(2):
        answer(rig, 400, refusal(70000))
        assert isinstance(failure(rig, account), ServiceUnavailable)
        acquire(rig, account)


@pytest.mark.parametrize(
    ("status", "body", "kind", "wait_s"),
    [
        pytest.param(429, {"error": "x"}, Throttled, 7.0, id="throttled"),
        pytest.param(500, "<html>", ServiceUnavailable, 7.0, id="500"),
        pytest.param(503, refusal(50173), ServiceUnavailable, 7.0, id="503 with a refusal"),
        pytest.param(504, "", ServiceUnavailable, 7.0, id="504"),
        pytest.param(408, "", ServiceUnavailable, 7.0, id="408"),
        pytest.param(400, refusal(90033), ServiceUnavailable, None, id="dressed as a refusal"),
        pytest.param(
            400, {"error": "temporarily_unavailable"}, ServiceUnavailable, None, id="by name"
        ),
    ],
)
def test_passing_trouble(
    rig: Rig,
    account: AccountId,
    status: int,
    body: object,
    kind: type[Throttled],
    wait_s: float | None,
) -> None:
    answer(rig, status, body, Retry_After="7" if wait_s else "")
    error = failure(rig, account)
    assert type(error) is kind
    assert isinstance(error, Throttled)
    assert error.retry_after_s == wait_s
    acquire(rig, account)


@pytest.mark.parametrize("close", ["before", "headers"])
def test_a_torn_answer_is_passing_trouble(
    rig: Rig, account: AccountId, close: Literal["before", "headers"]
) -> None:
    rig.cloud.add_fault(Fault(path="/token", close=close))
    error = failure(rig, account)
    assert isinstance(error, Unreachable)
    assert len(rig.cloud.log()) == 1
    acquire(rig, account)


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"h.{payload}.s"


GOOD = {"token_type": "Bearer", "access_token": "secret-at", "expires_in": 3599}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, "<html>Welcome to the hotel</html>", id="a portal"),
        pytest.param(302, "", id="a portal's redirect"),
        pytest.param(200, "", id="an empty body"),
        pytest.param(200, [], id="a list"),
        pytest.param(200, "null", id="null"),
        pytest.param(200, '{"access_token": "secret-at"', id="cut off"),
        pytest.param(200, "[" * 100_000, id="nested without end"),
        pytest.param(403, "<html>blocked</html>", id="a proxy's refusal"),
        pytest.param(407, {}, id="a proxy's question"),
        pytest.param(200, GOOD | {"expires_in": "soon"}, id="no number"),
        pytest.param(200, GOOD | {"client_info": "%%%"}, id="no client info"),
        pytest.param(200, GOOD | {"id_token": "x"}, id="no token"),
        pytest.param(200, GOOD | {"scope": 7}, id="scopes of a wrong type"),
        pytest.param(200, {"token_type": "Bearer"}, id="no token at all"),
        pytest.param(200, {}, id="an empty object"),
        pytest.param(200, GOOD | {"access_token": ["x"]}, id="a list of tokens"),
        pytest.param(200, GOOD | {"refresh_token": {"x": 1}}, id="no refresh token"),
        pytest.param(401, {"error": {"code": "x"}}, id="a gateway's refusal"),
        pytest.param(511, "<html>Welcome to the hotel</html>", id="a portal that says so"),
    ],
)
def test_unusable_answers_are_passing_trouble(
    rig: Rig,
    account: AccountId,
    status: int,
    body: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    answer(rig, status, body)
    assert failure(rig, account).transient
    assert "secret-at" not in caplog.text
    acquire(rig, account)


def test_a_token_just_received_is_good_for_the_next_call(rig: Rig) -> None:
    """MSAL takes a token with less than five minutes to live for none."""
    rig.cloud.access_token_lifetime_s = 60
    account = rig.sign_in().account.id
    rig.cloud.clear_log()
    first = acquire(rig, account, renew=False)
    assert rig.identity.take_changed_cache(account) is not None
    assert acquire(rig, account, renew=False) is first
    assert rig.identity.take_changed_cache(account) is None
    assert rig.cloud.counts()["token"] == 1
    acquire(rig, account, renew=False)
    assert rig.cloud.counts()["token"] == 2


@pytest.mark.parametrize("how", ["later", "renewed", "other scopes", "claims"])
def test_a_token_just_received_is_not_good_for_all(rig: Rig, how: str) -> None:
    rig.cloud.access_token_lifetime_s = 60
    both = ["Mail.Read", "Mail.ReadBasic"]
    account = rig.sign_in(both).account.id
    first = acquire(rig, account, both, renew=False)
    rig.clock.advance(FRESH_S if how == "later" else 0)
    second = rig.identity.acquire_token(
        account,
        SCOPES if how == "other scopes" else both,
        claims=CLAIMS if how == "claims" else None,
        renew=how == "renewed",
    )
    assert second.secret != first.secret


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"client_info": "e30"}, id="empty client info"),
        pytest.param({}, id="nothing: no new refresh token"),
        pytest.param({"expires_in": "3599"}, id="a number as text"),
    ],
)
def test_a_token_is_taken_whatever_comes_with_it(
    rig: Rig, account: AccountId, odd: dict[str, object]
) -> None:
    answer(rig, 200, GOOD | odd)
    assert acquire(rig, account).secret == "secret-at"
    cache = rig.identity.take_changed_cache(account)
    assert cache is not None
    assert rig.identity.restore(account, cache) is not None
    acquire(rig, account)


@pytest.mark.parametrize("claims", [[], {}])
def test_an_odd_id_token_is_passing_trouble_at_most(
    rig: Rig, account: AccountId, claims: object
) -> None:
    """Versions of MSAL differ in whether they look into it."""
    answer(rig, 200, GOOD | {"id_token": jwt(claims)})
    with suppress(InvalidResponse):
        acquire(rig, account)
    acquire(rig, account)


def age(cache: str) -> str:
    """Make a cached token one that is good still but should be renewed."""
    content = json.loads(cache)
    for entry in content["AccessToken"].values():
        entry["refresh_on"] = "1000"
    return json.dumps(content)


def test_a_long_lived_token_is_renewed_early(rig: Rig) -> None:
    signed_in = rig.sign_in()
    rig.identity.restore(signed_in.account.id, age(signed_in.cache))
    rig.cloud.clear_log()
    acquire(rig, signed_in.account.id, renew=False)
    assert rig.cloud.counts()["token"] == 1


@pytest.mark.parametrize("status", [429, 503, 302])
def test_trouble_in_renewing_early_is_none(rig: Rig, status: int) -> None:
    signed_in = rig.sign_in()
    rig.identity.restore(signed_in.account.id, age(signed_in.cache))
    answer(rig, status, "")
    assert acquire(rig, signed_in.account.id, renew=False).secret


def test_a_token_of_another_cloud_is_none(rig: Rig) -> None:
    signed_in = rig.sign_in()
    moved = signed_in.cache.replace("login.microsoftonline.com", "login.microsoftonline.us")
    rig.identity.restore(signed_in.account.id, moved)
    assert isinstance(failure(rig, signed_in.account.id), SignInRequired)


def test_a_cache_without_tokens_is_none(rig: Rig) -> None:
    signed_in = rig.sign_in()
    content = json.loads(signed_in.cache)
    del content["RefreshToken"]
    assert rig.identity.restore(signed_in.account.id, json.dumps(content)) is None


@pytest.mark.parametrize(
    "id_token", ["", "x", "a.b.c", "a.e30.c", jwt([]), jwt({"name": 7}), f"a.{'[' * 3}.c"]
)
def test_a_name_that_cannot_be_read_is_empty(rig: Rig, id_token: str) -> None:
    signed_in = rig.sign_in()
    content = json.loads(signed_in.cache)
    for entry in content["IdToken"].values():
        entry["secret"] = id_token
    restored = rig.identity.restore(signed_in.account.id, json.dumps(content))
    assert restored is not None
    assert (restored.username, restored.name) == (ADA, "")


@pytest.mark.parametrize("odd", ["soon", "", None, 7.5, {}])
def test_an_odd_cached_token_costs_a_request_and_no_sign_in(rig: Rig, odd: object) -> None:
    signed_in = rig.sign_in()
    content = json.loads(signed_in.cache)
    for entry in content["AccessToken"].values():
        entry["expires_on"] = odd
    content["IdToken"] = content["AppMetadata"] = "odd"
    unsound = {**next(iter(content["RefreshToken"].values())), "last_modification_time": odd}
    content["RefreshToken"]["odd"] = unsound
    content["Future"] = [1]
    rig.cloud.clear_log()
    assert rig.identity.restore(signed_in.account.id, json.dumps(content)) is not None
    acquire(rig, signed_in.account.id, renew=False)
    assert rig.cloud.counts()["token"] == 1


def test_nothing_secret_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    signed_in = rig.sign_in()
    token = acquire(rig, signed_in.account.id)
    secrets = [token.secret, ADA]
    for kind in ("AccessToken", "RefreshToken", "IdToken"):
        secrets += [e["secret"] for e in json.loads(signed_in.cache)[kind].values()]
    mine = [record.getMessage() for record in caplog.records if record.name != "simulator"]
    assert not [s for s in secrets if any(s in text for text in mine)]
    assert signed_in.cache not in repr(signed_in)
    assert token.secret not in repr(token)


# --- the authority


def test_an_organisation_that_is_not_there(rig: Rig) -> None:
    identity = rig.another_identity(tenant="nowhere.example")
    with pytest.raises(AuthBlocked) as caught:
        sign_in(identity)
    assert caught.value.code == 90002
    assert caught.value.action is AuthAction.CORRECT_TENANT


def test_a_client_id_that_is_not_there(rig: Rig) -> None:
    stranger = "11111111-2222-4333-8444-555555555555"
    rig.cloud.unknown_client_ids = frozenset({stranger})
    account = rig.sign_in().account.id
    signed_in_there = rig.another_identity(client_id=stranger)
    signed_in_there.adopt(rig.identity.sign_in(
        SCOPES, login_hint=None, claims=None, deadline_s=60, on_url=lambda _url: None
    ))  # fmt: skip
    with pytest.raises(AuthError):
        signed_in_there.acquire_token(account, SCOPES, claims=None, renew=True)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({}, id="empty"),
        pytest.param({"authorization_endpoint": "https://x.test/a"}, id="half"),
        pytest.param("<html>", id="a portal"),
        pytest.param({"error": {"code": "x"}}, id="a gateway's refusal"),
    ],
)
@pytest.mark.parametrize("status", [200, 401])
def test_a_discovery_document_that_is_none(rig: Rig, status: int, document: object) -> None:
    rig.cloud.add_fault(Fault(path="openid-configuration", status=status, body=document))
    identity = rig.another_identity()
    with pytest.raises(InvalidResponse):
        sign_in(identity)


def test_a_broken_discovery_document_is_not_kept(rig: Rig) -> None:
    rig.cloud.add_fault(Fault(path="openid-configuration", status=200, body={}))
    identity = rig.another_identity()
    with pytest.raises(InvalidResponse):
        sign_in(identity)
    assert sign_in(identity).account.username == ADA


def test_no_network_at_the_first_token(rig: Rig) -> None:
    signed_in = rig.sign_in()
    identity = rig.another_identity()
    identity.restore(signed_in.account.id, signed_in.cache)
    rig.cloud.add_fault(Fault(path="openid-configuration", close="before"))
    with pytest.raises(Unreachable):
        identity.acquire_token(signed_in.account.id, SCOPES, claims=None, renew=False)
    identity.acquire_token(signed_in.account.id, SCOPES, claims=None, renew=False)


@pytest.mark.parametrize("authority", ["", "login.microsoftonline.com", f"{LOGIN_ROOT}/"])
def test_an_authority_that_is_none(rig: Rig, authority: str) -> None:
    identity = MsalIdentity(CLIENT_ID, authority, rig.http, rig.clock, rig.person.browse)
    with pytest.raises(MailtrayError):
        sign_in(identity)


# --- interactive


def sign_in(identity: MsalIdentity, hint: str | None = None) -> SignedIn:
    return identity.sign_in(
        SCOPES, login_hint=hint, claims=None, deadline_s=300, on_url=lambda _url: None
    )


def asked_for(rig: Rig, hint: str | None) -> dict[str, list[str]]:
    """Return the parameters of the sign-in page's address."""
    addresses: list[str] = []
    rig.identity.sign_in(
        SCOPES, login_hint=hint, claims=CLAIMS, deadline_s=60, on_url=addresses.append
    )
    return parse_qs(urlsplit(addresses[0]).query)


def test_the_sign_in_page_is_asked_as_it_should_be(rig: Rig) -> None:
    asked = asked_for(rig, None)
    assert asked["response_mode"] == ["form_post"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["prompt"] == ["select_account"]
    assert asked["redirect_uri"][0].startswith("http://localhost:")
    assert set(asked["scope"][0].split()) == {
        "Mail.ReadBasic", "offline_access", "openid", "profile",
    }  # fmt: skip
    assert json.loads(asked["claims"][0])["access_token"] == {
        "capolids": {"essential": True, "values": ["p1"]},
        "xms_cc": {"values": ["cp1"]},
    }


def test_a_known_account_is_not_asked_which(rig: Rig) -> None:
    asked = asked_for(rig, ADA)
    assert asked["login_hint"] == [ADA]
    assert "prompt" not in asked


def test_the_page_says_how_it_went(rig: Rig) -> None:
    addresses: list[str] = []
    pages: list[str] = []
    rig.person.username = None

    def browse(url: str) -> None:
        addresses.append(url)
        pages.append(walk(url, username=ADA))

    rig.identity.sign_in(SCOPES, login_hint=None, claims=None, deadline_s=60, on_url=browse)
    _joined()
    assert "You are signed in" in pages[0]
    assert "You can close this tab and go back to your mail." in pages[0]


def _joined() -> None:
    for thread in threading.enumerate():
        if thread.name == "mailtray-browser":
            thread.join(PATIENCE_S)


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (refusal(7000218, "invalid_client"), "The registration is not a public client"),
        (refusal(50020), "This account is not in that organisation"),
        (refusal(123456), "Sign-in failed (AADSTS123456)"),
    ],
)
def test_a_refused_code_is_told_in_the_browser_too(
    rig: Rig, body: dict[str, object], title: str
) -> None:
    answer(rig, 400, body)
    with pytest.raises(AuthError) as caught:
        sign_in(rig.identity)
    _joined()
    assert caught.value.title == title
    assert title in rig.person.last_page
    assert "ada" not in rig.person.last_page.lower()


@pytest.mark.parametrize(
    ("code", "error", "kind", "action"),
    [
        (65004, "access_denied", ConsentRequired, AuthAction.SIGN_IN),
        (90094, "access_denied", ConsentRequired, AuthAction.ASK_ADMINISTRATOR),
        (90095, "access_denied", ConsentRequired, AuthAction.ASK_ADMINISTRATOR),
        (50105, "access_denied", AuthBlocked, AuthAction.NONE),
        (50011, "invalid_request", AuthBlocked, AuthAction.CORRECT_CLIENT_ID),
        (999999, "server_confused", AuthBlocked, AuthAction.REPORT),
    ],
)
def test_the_page_can_end_with_an_error(
    rig: Rig, code: int, error: str, kind: type[AuthError], action: AuthAction
) -> None:
    text = f"AADSTS{code}: x\r\nTrace ID: t\r\nCorrelation ID: c-1\r\nTimestamp: now"
    rig.cloud.authorize_error = AuthorizeError(code, error, text)
    with pytest.raises(kind) as caught:
        sign_in(rig.identity)
    assert type(caught.value) is kind
    assert caught.value.action is action
    assert caught.value.code == code


@pytest.mark.parametrize("code", [90094, 90099, 650056])
def test_what_an_administrator_has_to_approve_has_a_link(
    rig: Rig, account: AccountId, code: int
) -> None:
    tenant = account.partition(".")[2]
    answer(rig, 400, refusal(code, "access_denied"))
    error = failure(rig, account)
    assert isinstance(error, ConsentRequired)
    assert f"/{tenant}/v2.0/adminconsent?client_id={CLIENT_ID}&" in error.link
    rig.cloud.authorize_error = AuthorizeError(code, "access_denied", f"AADSTS{code}: x")
    with pytest.raises(ConsentRequired) as caught:
        sign_in(rig.identity)
    assert "/organizations/v2.0/adminconsent?" in caught.value.link


def test_what_no_administrator_can_approve_has_no_link(rig: Rig, account: AccountId) -> None:
    for code in (50173, 53003, 700016, 50020):
        answer(rig, 400, refusal(code))
        error = failure(rig, account)
        assert isinstance(error, AuthError)
        assert error.link == ""


def test_an_administrator_approves_by_the_link(rig: Rig) -> None:
    rig.cloud.admin_consent_required = True
    rig.cloud.authorize_error = AuthorizeError(90094, "access_denied", "AADSTS90094: x")
    identity = rig.another_identity(tenant="contoso.example")
    with pytest.raises(ConsentRequired) as caught:
        sign_in(identity)
    page = caught.value.link.replace(LOGIN_ROOT, rig.cloud.base_url)
    given = requests.post(page, {"action": "accept"}, timeout=10, allow_redirects=False)
    assert given.headers["Location"].startswith("http://localhost?admin_consent=True")
    assert sign_in(identity).account.username == ADA


def test_an_error_page_without_a_way_back_ends_by_the_deadline(rig: Rig) -> None:
    rig.cloud.authorize_error = AuthorizeError(90094, "access_denied", "x", redirect=False)
    opened = threading.Event()

    def browse(url: str) -> bool:
        rig.person.browse(url)
        opened.set()
        return True

    identity = MsalIdentity(CLIENT_ID, f"{LOGIN_ROOT}/common", rig.http, rig.clock, browse)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(sign_in, identity)
        assert opened.wait(PATIENCE_S)
        rig.clock.advance(300)
        with pytest.raises(SignInCancelled, match="administrator") as caught:
            future.result(PATIENCE_S)
    assert "/adminconsent?" in caught.value.link


def test_what_is_no_answer_changes_nothing(rig: Rig) -> None:
    def browse(url: str) -> bool:
        back = parse_qs(urlsplit(url).query)["redirect_uri"][0].replace("localhost", "127.0.0.1")
        wrong = {"code": "c", "state": "wrong"}
        assert requests.post(back, data=wrong, timeout=10).status_code == 400
        assert requests.get(f"{back}/?error=access_denied", timeout=10).status_code == 400
        return rig.person.browse(url)

    identity = MsalIdentity(CLIENT_ID, f"{LOGIN_ROOT}/common", rig.http, rig.clock, browse)
    assert sign_in(identity).account.username == ADA


@pytest.mark.parametrize("broken", [OSError("no browser"), None])
def test_without_a_browser_the_address_is_still_told(rig: Rig, broken: OSError | None) -> None:
    def browse(_url: str) -> bool:
        if broken:
            raise broken
        return False

    identity = MsalIdentity(CLIENT_ID, f"{LOGIN_ROOT}/common", rig.http, rig.clock, browse)
    signed_in = identity.sign_in(SCOPES, login_hint=None, claims=None, deadline_s=60, on_url=_walk)
    assert signed_in.account.username == ADA


def _walk(url: str) -> None:
    walk(url, username=ADA)


def test_an_answer_for_another_request_is_refused(rig: Rig) -> None:
    rig.sign_in()
    body = GOOD | {"id_token": jwt({"sub": "s", "nonce": "another"}), "client_info": "e30"}
    answer(rig, 200, body)
    with pytest.raises(InvalidResponse):
        sign_in(rig.identity)


def test_an_answer_without_an_account_is_refused(rig: Rig) -> None:
    answer(rig, 200, GOOD)
    with pytest.raises(InvalidResponse):
        sign_in(rig.identity)


def test_a_wrong_clock_is_named(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older versions of MSAL refuse an ID token from the future."""

    def refuse(*_args: object) -> None:
        raise RuntimeError("0. The ID token is not yet valid. Make sure your computer's time ...")

    monkeypatch.setattr(msal_identity, "_signed_in", refuse)
    with pytest.raises(AuthBlocked, match="clock") as caught:
        sign_in(rig.identity)
    assert caught.value.action is AuthAction.CHECK_CLOCK


def test_an_id_token_from_the_future_does_no_harm() -> None:
    with microsoft_365() as rig:
        ahead = rig.cloud.now() + 184
        rig.cloud.now = lambda: ahead
        assert rig.sign_in().account.username == ADA


def test_no_port_to_listen_on_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("permission denied")

    monkeypatch.setattr("mailtray.adapters.sign_in_listener.SignInListener", refuse)
    with pytest.raises(AuthBlocked, match=r"127\.0\.0\.1"):
        sign_in(rig.identity)
    monkeypatch.undo()
    assert sign_in(rig.identity).account.username == ADA


def test_a_page_that_is_no_web_page_is_not_opened(rig: Rig) -> None:
    document = {
        "authorization_endpoint": "file:///etc/hostname",
        "token_endpoint": f"{LOGIN_ROOT}/common/oauth2/v2.0/token",
        "issuer": "x",
    }
    rig.cloud.add_fault(Fault(path="openid-configuration", status=200, body=document))
    with pytest.raises(InvalidResponse):
        sign_in(rig.another_identity())
    assert rig.person.opened == 0


def test_the_systems_browser_is_the_default(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", rig.person.browse)
    identity = MsalIdentity(CLIENT_ID, f"{LOGIN_ROOT}/common", rig.http, rig.clock)
    assert sign_in(identity).account.username == ADA


# --- device code


def by_device_code(rig: Rig) -> SignedIn:
    return rig.identity.sign_in_by_device_code(
        SCOPES, claims=None, deadline_s=60, on_code=lambda _page, _code: None
    )


def test_a_device_code_refused_at_once(rig: Rig) -> None:
    body = refusal(7000218, "invalid_client")
    rig.cloud.add_fault(Fault(path="/devicecode", status=401, body=body))
    with pytest.raises(AuthBlocked) as caught:
        by_device_code(rig)
    assert caught.value.code == 7000218


@pytest.mark.parametrize("body", ["<html>", {}, {"device_code": "d"}, {"interval": "soon"}])
def test_a_device_code_that_is_none(rig: Rig, body: object) -> None:
    rig.cloud.add_fault(Fault(path="/devicecode", status=200, body=body))
    with pytest.raises(InvalidResponse):
        by_device_code(rig)


def test_a_device_code_declined_or_too_old(rig: Rig) -> None:
    rig.cloud.device_code_interval_s = 1
    answer(rig, 400, {"error": "authorization_declined"})
    with pytest.raises(SignInCancelled):
        by_device_code(rig)


def test_waiting_for_a_device_code_outlasts_passing_trouble(rig: Rig) -> None:
    rig.cloud.device_code_interval_s = 0
    answer(rig, 503, "<html>")

    def type_it(page: str, code: str) -> None:
        enter_device_code(page, code, username=ADA)

    signed_in = rig.identity.sign_in_by_device_code(
        SCOPES, claims=None, deadline_s=60, on_code=type_it
    )
    assert signed_in.account.username == ADA
    assert rig.cloud.counts()["token"] == 2


def test_a_device_code_ends_by_the_deadline(rig: Rig) -> None:
    with pytest.raises(SignInCancelled, match="administrator"):
        rig.identity.sign_in_by_device_code(
            SCOPES,
            claims=None,
            deadline_s=60,
            on_code=lambda _page, _code: rig.clock.advance(61),
        )
