"""The token service as programs without MSAL see it: discovery and refusals."""

from typing import Any

import pytest
import requests

from mailtray.simulator import Simulator
from mailtray.simulator.grants import Permission

ADA = "ada@contoso.example"
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
OTHER_ID = "99999999-2222-3333-4444-555555555555"
LOGIN = "https://login.microsoftonline.com"
SCOPES = frozenset({"Mail.Read", "openid", "offline_access"})


@pytest.fixture
def refresh_token(sim: Simulator) -> str:
    """A refresh token as a finished sign-in leaves it."""
    with sim.cloud.lock:
        sim.cloud.account().consents[CLIENT_ID] = set(SCOPES)
        return sim.cloud.grants.issue_refresh_token(Permission(ADA, CLIENT_ID, SCOPES))


def ask(http: requests.Session, form: dict[str, str], tenant: str = "common") -> requests.Response:
    return http.post(f"{LOGIN}/{tenant}/oauth2/v2.0/token", data=form, timeout=5)


def test_discovery_document(sim: Simulator, http: requests.Session) -> None:
    url = f"{LOGIN}/common/v2.0/.well-known/openid-configuration"
    found: dict[str, Any] = http.get(url, timeout=5).json()
    assert found["issuer"] == f"{LOGIN}/{{tenantid}}/v2.0"
    assert found["token_endpoint"] == f"{LOGIN}/common/oauth2/v2.0/token"
    assert found["authorization_endpoint"] == f"{sim.url}/common/oauth2/v2.0/authorize"
    assert http.get(found["jwks_uri"], timeout=5).json() == {"keys": []}
    instance = http.get(f"{LOGIN}/common/discovery/instance", timeout=5).json()
    assert instance["tenant_discovery_endpoint"] == url


@pytest.mark.parametrize(
    ("tenant", "issuer_tenant"),
    [
        pytest.param("consumers", "9188040d-6c67-4ac5-b112-36a0b124cc28", id="personal accounts"),
        pytest.param("organizations", "{tenantid}", id="any organisation"),
        pytest.param("contoso.example", "b05aafed-15fd-5db6-8981-4fa0293ccc6a", id="by domain"),
        pytest.param(
            "b05aafed-15fd-5db6-8981-4fa0293ccc6a", "b05aafed-15fd-5db6-8981-4fa0293ccc6a",
            id="by tenant id",
        ),
    ],
)  # fmt: skip
def test_issuer_by_tenant(http: requests.Session, tenant: str, issuer_tenant: str) -> None:
    url = f"{LOGIN}/{tenant}/v2.0/.well-known/openid-configuration"
    assert http.get(url, timeout=5).json()["issuer"] == f"{LOGIN}/{issuer_tenant}/v2.0"


def test_refresh_without_a_scope_gives_what_was_granted(
    http: requests.Session, refresh_token: str
) -> None:
    form = {
        "client_id": CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_info": "1",
    }
    body = ask(http, form).json()
    assert body["scope"] == "openid Mail.Read"
    assert set(body) == {
        "token_type", "scope", "expires_in", "ext_expires_in", "access_token", "refresh_token",
        "id_token", "client_info",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "tenant", "error", "code"),
    [
        pytest.param({"client_id": ""}, "common", "invalid_request", 900144, id="no client id"),
        pytest.param({"client_id": "me"}, "common", "unauthorized_client", 700016, id="no GUID"),
        pytest.param({"client_id": OTHER_ID}, "common", "invalid_grant", 70000, id="not its token"),
        pytest.param({"grant_type": ""}, "common", "invalid_request", 900144, id="no grant"),
        pytest.param(
            {"grant_type": "password"}, "common", "unsupported_grant_type", 70003, id="password"
        ),
        pytest.param({"refresh_token": ""}, "common", "invalid_request", 900144, id="no token"),
        pytest.param({"refresh_token": "x"}, "common", "invalid_grant", 9002313, id="made up"),
        pytest.param({"scope": "Mail.All"}, "common", "invalid_scope", 70011, id="unknown scope"),
        pytest.param({"scope": "Mail.ReadWrite"}, "common", "invalid_grant", 65001, id="not asked"),
        pytest.param({}, "consumers", "invalid_grant", 50020, id="other kind of account"),
        pytest.param({}, "nowhere.example", "invalid_tenant", 90002, id="unknown tenant"),
        pytest.param(
            {"grant_type": "authorization_code", "code": "x", "redirect_uri": "http://localhost"},
            "common", "invalid_grant", 70000, id="made-up code",
        ),
        pytest.param(
            {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
            "common", "bad_verification_code", 70019, id="made-up device code",
        ),
    ],
)  # fmt: skip
def test_refusals(
    http: requests.Session,
    refresh_token: str,
    changed: dict[str, str],
    tenant: str,
    error: str,
    code: int,
) -> None:
    form = {
        "client_id": CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "scope": "Mail.Read",
    }
    answer = ask(http, form | changed, tenant)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (400, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert f"Correlation ID: {body['correlation_id']}" in body["error_description"]


def test_refused_attempt_does_not_use_up_the_token(
    http: requests.Session, refresh_token: str
) -> None:
    form = {
        "client_id": CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
    }
    assert ask(http, form | {"scope": "Mail.ReadWrite"}).status_code == 400
    assert ask(http, form | {"scope": "https://graph.microsoft.com/.default"}).status_code == 200


@pytest.mark.parametrize(("patient", "status"), [(False, 400), (True, 200)])
def test_used_token_works_again_where_the_service_is_patient(
    sim: Simulator, http: requests.Session, refresh_token: str, patient: bool, status: int
) -> None:
    sim.cloud.turn({"used_refresh_tokens_work": patient})
    form = {
        "client_id": CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
    }
    assert ask(http, form).status_code == 200
    assert ask(http, form).status_code == status


def test_device_code_expires(sim: Simulator, http: requests.Session, clock: list[float]) -> None:
    sim.cloud.device_code_lifetime_s = 60
    form = {"client_id": CLIENT_ID, "scope": "Mail.Read"}
    started = http.post(f"{LOGIN}/common/oauth2/v2.0/devicecode", data=form, timeout=5).json()
    clock[0] += 61
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    poll = {"client_id": CLIENT_ID, "grant_type": grant, "device_code": started["device_code"]}
    assert ask(http, poll).json()["error"] == "expired_token"
    typed = {"user_code": started["user_code"]}
    page = requests.post(f"{sim.url}/devicelogin", data=typed, timeout=5).text
    assert "not known, or too old" in page
