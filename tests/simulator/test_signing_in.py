"""The whole of a sign-in, with the real MSAL on one side and a walking person on the other."""

import re
import sys
import webbrowser
from base64 import b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msal
import pytest
import requests
from msal.oauth2cli import authcode

from mailtray.simulator import AuthorizeError, Simulator
from mailtray.simulator.browser import WalkError, enter_device_code, main, walk

ADA = "ada@contoso.example"
SCOPES = ["Mail.ReadBasic", "User.Read"]
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
TOKEN_URL = "https://login.microsoftonline.com/common/oauth2/v2.0/token"

SignIn = Callable[..., dict[str, Any]]


@pytest.fixture
def sign_in(
    app: msal.PublicClientApplication, redirect_uri: str, answers: list[dict[str, str]]
) -> SignIn:
    """Sign in by MSAL's two halves of the code flow, without the wait of its own listener."""

    def run(
        scopes: list[str] = SCOPES, *, consent: bool = True, mode: str = "form_post", **hints: str
    ) -> dict[str, Any]:
        flow = app.initiate_auth_code_flow(
            scopes, redirect_uri=redirect_uri, response_mode=mode, **hints
        )
        walk(flow["auth_uri"], username=ADA, consent=consent)
        result: dict[str, Any] = app.acquire_token_by_auth_code_flow(flow, answers[-1])
        return result

    return run


def authorize_url(sim: Simulator, tenant: str = "common", **changed: str) -> str:
    asked = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": "http://localhost:1",
        "scope": "Mail.ReadBasic openid profile offline_access",
        "state": "s",
    }
    query = urlencode({name: text for name, text in (asked | changed).items() if text})
    return f"{sim.url}/{tenant}/oauth2/v2.0/authorize?{query}"


def test_interactive_sign_in_through_the_browser_command(
    app: msal.PublicClientApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"{sys.executable} -m mailtray.simulator.browser %s"

    def browse(url: str, browser_name: str | None = None) -> bool:
        assert browser_name is None
        return webbrowser.get(command).open(url)

    monkeypatch.setattr(authcode, "_browse", browse)
    monkeypatch.setenv("MAILTRAY_SIM_USERNAME", ADA)
    result = app.acquire_token_interactive(SCOPES, timeout=20)
    assert result["id_token_claims"]["preferred_username"] == ADA
    assert result["scope"] == "openid profile Mail.ReadBasic User.Read"


def test_between_expiries_the_cache_answers(
    sim: Simulator, app: msal.PublicClientApplication, sign_in: SignIn
) -> None:
    sign_in()
    account = app.get_accounts()[0]
    assert account["home_account_id"] == sim.cloud.account().home_account_id
    for _ in range(5):
        assert app.acquire_token_silent_with_error(SCOPES, account)["token_source"] == "cache"
    assert sim.cloud.counts()["token"] == 1


def test_refresh_rotates_the_refresh_token(
    sim: Simulator, app: msal.PublicClientApplication, sign_in: SignIn, http: requests.Session
) -> None:
    first = sign_in()
    account = app.get_accounts()[0]
    renewed = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert renewed["token_source"] == "identity_provider"
    form = {
        "client_id": CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "scope": "Mail.ReadBasic",
    }
    refused = http.post(TOKEN_URL, data=form, timeout=5)
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_grant"
    assert refused.json()["error_codes"] == [70000]
    assert sim.cloud.counts()["used_refresh_tokens_refused"] == 1
    again = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert "access_token" in again


@pytest.mark.parametrize(
    ("revocation", "refusal"),
    [
        pytest.param({}, ("invalid_grant", [50173], "bad_token"), id="revoked"),
        pytest.param(
            {"aadsts": 700082, "suberror": "token_expired"},
            ("invalid_grant", [700082], "token_expired"),
            id="expired from disuse",
        ),
        pytest.param(
            {"aadsts": 53003, "suberror": "message_only", "error": "interaction_required"},
            ("interaction_required", [53003], "message_only"),
            id="blocked by a policy",
        ),
    ],
)
def test_revoked_until_the_next_sign_in(
    sim: Simulator,
    app: msal.PublicClientApplication,
    sign_in: SignIn,
    revocation: dict[str, Any],
    refusal: tuple[str, list[int], str],
) -> None:
    sign_in()
    sim.cloud.revoke_refresh_tokens(ADA, **revocation)
    account = app.get_accounts()[0]
    refused = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert (refused["error"], refused["error_codes"], refused["suberror"]) == refusal
    sign_in()
    renewed = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert "access_token" in renewed


def test_claims_challenge_is_met_by_a_token_asked_for_with_it(
    sim: Simulator, app: msal.PublicClientApplication, sign_in: SignIn, http: requests.Session
) -> None:
    token = sign_in()["access_token"]
    account = app.get_accounts()[0]

    def call(token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return http.get("https://graph.microsoft.com/v1.0/me", headers=headers, timeout=5)

    sim.cloud.challenge_next()
    refused = call(token)
    assert refused.status_code == 401
    plain = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert call(plain["access_token"]).status_code == 401
    claims = b64decode(re.findall(r'claims="([^"]*)"', refused.headers["WWW-Authenticate"])[0])
    answer = app.acquire_token_silent_with_error(SCOPES, account, claims_challenge=claims.decode())
    assert call(answer["access_token"]).status_code == 200


def test_claims_of_a_revocation_reach_the_client(
    sim: Simulator, app: msal.PublicClientApplication, sign_in: SignIn
) -> None:
    sign_in()
    claims = {"access_token": {"capolids": {"essential": True, "values": ["p1"]}}}
    sim.cloud.revoke_refresh_tokens(aadsts=50076, suberror="basic_action", claims=claims)
    refused = app.acquire_token_silent_with_error(SCOPES, app.get_accounts()[0], force_refresh=True)
    assert (
        refused["claims"] == '{"access_token": {"capolids": {"essential": true, "values": ["p1"]}}}'
    )


def test_long_scope_names_are_echoed_long(sign_in: SignIn) -> None:
    result = sign_in(["https://graph.microsoft.com/Mail.Read"])
    assert result["scope"] == "openid profile https://graph.microsoft.com/Mail.Read"


def test_unaccepted_scope_needs_consent(app: msal.PublicClientApplication, sign_in: SignIn) -> None:
    sign_in()
    account = app.get_accounts()[0]
    refused = app.acquire_token_silent_with_error(["Mail.ReadWrite"], account)
    assert (refused["error"], refused["suberror"]) == ("invalid_grant", "consent_required")
    assert refused["error_codes"] == [65001]


def test_declining_more_leaves_what_was_accepted(
    sim: Simulator, app: msal.PublicClientApplication, sign_in: SignIn
) -> None:
    sign_in()
    before = {name: set(given) for name, given in sim.cloud.account().consents.items()}
    declined = sign_in(["Mail.ReadWrite"], consent=False)
    assert (declined["error"], "AADSTS65004" in declined["error_description"]) == (
        "access_denied", True,
    )  # fmt: skip
    assert sim.cloud.account().consents == before
    account = app.get_accounts()[0]
    again = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert "Mail.ReadBasic" in again["scope"]
    refused = app.acquire_token_silent_with_error(["Mail.ReadWrite"], account, force_refresh=True)
    assert refused["error_codes"] == [65001]


def test_accepting_more_keeps_what_was_accepted(
    app: msal.PublicClientApplication, sign_in: SignIn
) -> None:
    sign_in()
    assert "Mail.ReadWrite" in sign_in(["Mail.ReadWrite"])["scope"]
    account = app.get_accounts()[0]
    for scopes in (SCOPES, ["Mail.ReadWrite"], [*SCOPES, "Mail.ReadWrite"]):
        renewed = app.acquire_token_silent_with_error(scopes, account, force_refresh=True)
        assert set(scopes) <= set(renewed["scope"].split())


def test_consent_page_asks_only_for_what_is_new(sim: Simulator, sign_in: SignIn) -> None:
    sign_in()
    url = authorize_url(sim, scope="Mail.ReadBasic Mail.ReadWrite", login_hint=ADA)
    with requests.Session() as browser:
        entered = browser.get(url, timeout=5).text
        number = entered.split('action="/signin/')[1].split('"')[0]
        form = {"action": "password", "password": "x"}
        consent = browser.post(f"{sim.url}/signin/{number}", data=form, timeout=5).text
    assert "mark it read" in consent
    assert "See who wrote" not in consent


def test_second_sign_in_asks_for_no_consent(sim: Simulator, sign_in: SignIn) -> None:
    sign_in()
    before = sim.cloud.counts()["sign_in_pages"]
    sign_in()
    assert sim.cloud.counts()["sign_in_pages"] - before == 2


def test_cancel_tells_the_program(sign_in: SignIn, answers: list[dict[str, str]]) -> None:
    result = sign_in(consent=False)
    assert result["error"] == "access_denied"
    assert "AADSTS65004" in result["error_description"]
    assert answers[-1]["state"]


def test_query_mode_redirects(sign_in: SignIn) -> None:
    with pytest.warns(UserWarning, match="form_post"):
        assert "access_token" in sign_in(mode="query")


def test_nobody_signed_in_with_prompt_none(sign_in: SignIn) -> None:
    result = sign_in(prompt="none")
    assert result["error"] == "login_required"
    assert "AADSTS50058" in result["error_description"]


def test_device_code(sim: Simulator, app: msal.PublicClientApplication) -> None:
    sim.cloud.device_code_interval_s = 1
    flow = app.initiate_device_flow(SCOPES)
    pending = app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    assert pending["error"] == "authorization_pending"
    enter_device_code(flow["verification_uri"], flow["user_code"], username=ADA)
    assert "refresh_token" in app.acquire_token_by_device_flow(flow)


def test_declined_device_code(sim: Simulator, app: msal.PublicClientApplication) -> None:
    sim.cloud.device_code_interval_s = 1
    flow = app.initiate_device_flow(SCOPES)
    enter_device_code(flow["verification_uri"], flow["user_code"], username=ADA, consent=False)
    assert app.acquire_token_by_device_flow(flow)["error"] == "authorization_declined"


@pytest.mark.parametrize(
    ("tenant", "changed", "code"),
    [
        pytest.param("nowhere.example", {}, 90002, id="tenant that does not exist"),
        pytest.param("common", {"client_id": "me@contoso.example"}, 700016, id="no GUID"),
        pytest.param("common", {"client_id": ""}, 900144, id="no client id at all"),
        pytest.param("common", {"redirect_uri": ""}, 900144, id="no redirect URI at all"),
        pytest.param("common", {"redirect_uri": "https://evil.example/"}, 50011, id="elsewhere"),
        pytest.param(
            "common", {"redirect_uri": "http://localhost.evil.example/"}, 50011, id="looks local"
        ),
    ],
)
def test_error_pages_tell_the_program_nothing(
    sim: Simulator, tenant: str, changed: dict[str, str], code: int
) -> None:
    url = authorize_url(sim, tenant, **changed)
    answer = requests.get(url, timeout=5, allow_redirects=False)
    assert answer.status_code == 400
    assert f"AADSTS{code}" in answer.text


def test_account_of_another_kind_is_turned_away(sim: Simulator) -> None:
    entered = requests.get(authorize_url(sim, "consumers", login_hint=ADA), timeout=5).text
    number = entered.split('action="/signin/')[1].split('"')[0]
    form = {"action": "account", "username": ADA}
    assert "AADSTS50020" in requests.post(f"{sim.url}/signin/{number}", data=form, timeout=5).text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"scope": "Mail.Everything"}, "invalid_scope", id="unknown scope"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="implicit flow"),
        pytest.param(
            {"code_challenge": "abc", "code_challenge_method": "plain"}, "invalid_request",
            id="PKCE by plain text",
        ),
    ],
)  # fmt: skip
def test_errors_sent_back_to_the_program(
    sim: Simulator, changed: dict[str, str], error: str
) -> None:
    answer = requests.get(authorize_url(sim, **changed), timeout=5, allow_redirects=False)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["error"] == [error]
    assert query["state"] == ["s"]


def test_planned_error_comes_once(sim: Simulator, sign_in: SignIn) -> None:
    sim.cloud.authorize_error = AuthorizeError(90094, "access_denied", "Ask an administrator.")
    assert "AADSTS90094" in sign_in()["error_description"]
    assert "access_token" in sign_in()


def test_planned_error_page_leaves_the_program_waiting(
    sim: Simulator, sign_in: SignIn, answers: list[dict[str, str]]
) -> None:
    sim.cloud.authorize_error = AuthorizeError(53003, "access_denied", "Blocked.", redirect=False)
    with pytest.raises(WalkError):
        sign_in()
    assert answers == []


def test_code_is_good_once_for_ten_minutes_with_its_verifier(
    sim: Simulator,
    http: requests.Session,
    redirect_uri: str,
    answers: list[dict[str, str]],
    clock: list[float],
) -> None:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}

    def redeem(verifier: str) -> dict[str, Any]:
        form = {
            "client_id": CLIENT_ID,
            "grant_type": "authorization_code",
            "code": answers[-1]["code"],
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        body: dict[str, Any] = http.post(TOKEN_URL, data=form, timeout=5).json()
        return body

    walk(authorize_url(sim, redirect_uri=redirect_uri, **pkce), username=ADA)
    assert redeem("wrong")["error_codes"] == [50148]
    assert "access_token" in redeem("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert redeem("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")["error_codes"] == [54005]
    walk(authorize_url(sim, redirect_uri=redirect_uri), username=ADA)
    clock[0] += 601
    assert redeem("")["error_codes"] == [70008]


def test_unknown_tenant_stops_msal(sim: Simulator, http: requests.Session) -> None:
    assert sim.url
    with pytest.raises(ValueError, match="nowhere"):
        msal.PublicClientApplication(
            CLIENT_ID,
            authority="https://login.microsoftonline.com/nowhere.example",
            instance_discovery=False,
            http_client=http,
        ).get_accounts()


def test_admin_consent_covers_the_tenant(sim: Simulator) -> None:
    query = urlencode(
        {"client_id": CLIENT_ID, "scope": "Mail.Read", "redirect_uri": "http://localhost:1"}
    )
    url = f"{sim.url}/contoso.example/v2.0/adminconsent?{query}"
    assert "Read your mail" in requests.get(url, timeout=5).text
    form = {"action": "accept"}
    answer = requests.post(url, data=form, timeout=5, allow_redirects=False)
    assert "admin_consent=True" in answer.headers["Location"]
    assert sim.cloud.account().consents[CLIENT_ID] == {"Mail.Read"}


def test_work_accounts_may_need_an_administrator(sim: Simulator, sign_in: SignIn) -> None:
    sim.cloud.admin_consent_required = True
    with pytest.raises(IndexError):
        sign_in()


def test_browser_command_line(
    sim: Simulator,
    redirect_uri: str,
    answers: list[dict[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = authorize_url(sim, redirect_uri=redirect_uri, response_mode="form_post")
    assert main([good, "--wait", "--username", ADA]) == 0
    assert answers[-1]["code"]
    assert main([authorize_url(sim, client_id="x"), "--wait"]) == 1
    assert "400" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("prompt", "heading"),
    [
        pytest.param("", "Going back", id="nothing to ask"),
        pytest.param("none", "Going back", id="nothing may be asked"),
        pytest.param("login", "Enter the password", id="password again"),
        pytest.param("select_account", "Who is signing in?", id="account again"),
        pytest.param("consent", "Let this program in?", id="permissions again"),
    ],
)
def test_prompts_in_a_browser_that_is_signed_in(sim: Simulator, prompt: str, heading: str) -> None:
    url = authorize_url(sim, login_hint=ADA, response_mode="form_post", prompt=prompt)
    with requests.Session() as browser:
        first = browser.get(url.replace("prompt=none", ""), timeout=5).text
        if prompt == "select_account":
            first = browser.get(authorize_url(sim, login_hint=ADA), timeout=5).text
        number = first.split('action="/signin/')[1].split('"')[0]
        for form in ({"action": "password", "password": "x"}, {"action": "accept"}):
            browser.post(f"{sim.url}/signin/{number}", data=form, timeout=5, allow_redirects=False)
        assert heading in browser.get(url, timeout=5).text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        pytest.param(
            {"action": "account", "username": "who@x.example"}, "We know no account",
            id="unknown account",
        ),
        pytest.param({"action": "accept"}, "did not fit this page", id="consent before anything"),
        pytest.param({"action": "password"}, "did not fit this page", id="password for nobody"),
    ],
)  # fmt: skip
def test_slips_on_the_sign_in_pages(sim: Simulator, form: dict[str, str], sentence: str) -> None:
    first = requests.get(authorize_url(sim), timeout=5).text
    number = first.split('action="/signin/')[1].split('"')[0]
    answer = requests.post(f"{sim.url}/signin/{number}", data=form, timeout=5)
    assert sentence in answer.text


def test_sign_in_that_is_over(sim: Simulator) -> None:
    form = {"action": "accept"}
    assert "is over" in requests.post(f"{sim.url}/signin/nothing", data=form, timeout=5).text


def test_signing_out_forgets_the_browser_session(sim: Simulator) -> None:
    with requests.Session() as browser:
        page = browser.get(authorize_url(sim, login_hint=ADA), timeout=5).text
        number = page.split('action="/signin/')[1].split('"')[0]
        form = {"action": "password", "password": "x"}
        browser.post(f"{sim.url}/signin/{number}", data=form, timeout=5)
        assert (
            "Enter the password"
            not in browser.get(authorize_url(sim, login_hint=ADA), timeout=5).text
        )
        browser.get(f"{sim.url}/common/oauth2/v2.0/logout", timeout=5)
        assert (
            "Enter the password" in browser.get(authorize_url(sim, login_hint=ADA), timeout=5).text
        )


def test_an_account_that_is_signed_in_in_that_browser_is_asked_no_password(sim: Simulator) -> None:
    sim.cloud.asks_password = False
    with requests.Session() as browser:
        page = browser.get(authorize_url(sim), timeout=5).text
        number = page.split('action="/signin/')[1].split('"')[0]
        form = {"action": "account", "username": ADA}
        answer = browser.post(f"{sim.url}/signin/{number}", data=form, timeout=5)
    assert "Let this program in?" in answer.text
