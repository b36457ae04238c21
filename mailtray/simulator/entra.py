"""The token service's endpoints for programs: discovery, tokens, device codes.

Source: learn.microsoft.com/entra/identity-platform/v2-protocols-oidc and
learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify, request

from mailtray.simulator.accounts import CONSUMER_TENANT, Account
from mailtray.simulator.cloud import Cloud
from mailtray.simulator.grants import Permission, Redeemed, narrow
from mailtray.simulator.oauth_errors import (
    OAuthError,
    missing_parameter,
    unknown_client,
    unknown_scope,
    unknown_tenant,
)
from mailtray.simulator.scopes import UnknownScopeError, echo, short_names
from mailtray.simulator.web import cloud

LOGIN = "login.microsoftonline.com"
LOGIN_HOSTS = (
    LOGIN,
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})
ID_TOKEN_LIFETIME_S = 3600

blueprint = Blueprint("entra", __name__)


# Who may ask


def check_tenant(here: Cloud, tenant: str) -> None:
    """Accept the shared tenants and those that have accounts, by id or domain.

    Raises:
        OAuthError: AADSTS90002.
    """
    if tenant.lower() not in SHARED_TENANTS and not any(
        belongs(account, tenant) for account in here.accounts.values()
    ):
        raise unknown_tenant(tenant)


def belongs(account: Account, tenant: str) -> bool:
    """Say whether an account may sign in at a tenant's address."""
    wanted = tenant.lower()
    if wanted in SHARED_TENANTS:
        return {"common": True, "organizations": account.kind == "work"}.get(
            wanted, account.kind == "personal"
        )
    if wanted == account.tenant_id:
        return True
    return account.kind == "work" and wanted == account.username.lower().rpartition("@")[2]


def check_client(here: Cloud, client_id: str) -> None:
    """Accept any GUID that the knob `unknown_client_ids` does not list.

    Raises:
        OAuthError: AADSTS900144 for none, AADSTS700016 for an unknown one.
    """
    if not client_id:
        raise missing_parameter("client_id")
    unknown = {each.lower() for each in here.unknown_client_ids}
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", client_id) or (
        client_id.lower() in unknown
    ):
        raise unknown_client(client_id)


def read_scopes(scope: str) -> frozenset[str]:
    """Reduce a request's scopes to the names of permissions.

    Raises:
        OAuthError: AADSTS70011.
    """
    try:
        return short_names(scope)
    except UnknownScopeError as exc:
        raise unknown_scope(str(exc)) from exc


# Discovery


def _login_host() -> str:
    host = request.host.partition(":")[0].lower()
    return host if host in LOGIN_HOSTS else LOGIN


@blueprint.get("/<tenant>/v2.0/.well-known/openid-configuration")
def discovery(tenant: str) -> Response:
    """Answer with the OpenID configuration of a tenant."""
    here = cloud()
    with here.lock:
        try:
            check_tenant(here, tenant)
        except OAuthError as exc:
            return refusal(here, exc)
        login, tenant_id = f"https://{_login_host()}", _tenant_id(here, tenant)
    return jsonify(
        {
            "token_endpoint": f"{login}/{tenant}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["none"],
            "jwks_uri": f"{login}/{tenant}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{login}/{tenant_id}/v2.0",
            "authorization_endpoint": f"{here.base_url}/{tenant}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{login}/{tenant}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{here.base_url}/{tenant}/oauth2/v2.0/logout",
            "tenant_region_scope": None if tenant.lower() in SHARED_TENANTS else "EU",
            "cloud_instance_name": login.removeprefix("https://login."),
            "msgraph_host": "graph.microsoft.com",
        }
    )


def _tenant_id(here: Cloud, tenant: str) -> str:
    if tenant.lower() == "consumers":
        return CONSUMER_TENANT
    if tenant.lower() in SHARED_TENANTS:
        return "{tenantid}"
    return next(a.tenant_id for a in here.accounts.values() if belongs(a, tenant))


@blueprint.get("/<tenant>/discovery/instance")
def instance_discovery(tenant: str) -> Response:
    """Answer a client that asks which hosts are one cloud."""
    endpoint = f"https://{_login_host()}/{tenant}/v2.0/.well-known/openid-configuration"
    metadata = [
        {"preferred_network": LOGIN, "preferred_cache": "login.windows.net", "aliases": [LOGIN]}
    ]
    return jsonify(
        {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata}
    )


@blueprint.get("/<tenant>/discovery/v2.0/keys")
def keys(tenant: str) -> Response:  # noqa: ARG001 (part of the address)
    """Answer with no keys: the simulator's ID tokens carry no real signature."""
    return jsonify({"keys": []})


# Tokens


@blueprint.post("/<tenant>/oauth2/v2.0/token")
def token(tenant: str) -> Response:
    """Trade a code, a refresh token or a device code for tokens."""
    here = cloud()
    with here.lock:
        try:
            check_tenant(here, tenant)
            check_client(here, request.form.get("client_id", ""))
            response = jsonify(_redeem(here, tenant, request.form))
        except OAuthError as exc:
            return refusal(here, exc)
    response.headers["Cache-Control"] = "no-store"
    return response


def refusal(here: Cloud, error: OAuthError) -> Response:
    """Answer a program with a refusal."""
    correlation_id = request.headers.get("client-request-id") or str(uuid.uuid4())
    response = jsonify(error.body(here.time(), correlation_id))
    response.status_code = error.status
    response.headers["Cache-Control"] = "no-store"
    return response


Form = Mapping[str, str]


def _redeem(here: Cloud, tenant: str, form: Form) -> dict[str, object]:
    grant_type = _field(form, "grant_type")
    flow = _FLOWS.get(grant_type)
    if flow is None:
        text = f"The grant type '{grant_type}' is not supported."
        raise OAuthError("unsupported_grant_type", 70003, text)
    redeemed = flow(here, form)
    account = here.account(redeemed.permission.username)
    if not belongs(account, tenant):
        text = f"The account '{account.username}' does not exist in tenant '{tenant}'."
        raise OAuthError("invalid_grant", 50020, text)
    asked = form.get("scope") or redeemed.scope or " ".join(sorted(redeemed.permission.scopes))
    consented = account.consents.get(redeemed.permission.client_id, set())
    permission = narrow(redeemed.permission, read_scopes(asked), consented)
    if grant_type == "refresh_token" and not here.used_refresh_tokens_work:
        here.grants.retire_refresh_token(form["refresh_token"])
    return _tokens(here, account, permission, asked=asked, form=form, nonce=redeemed.nonce)


def _field(form: Form, name: str) -> str:
    if not form.get(name):
        raise missing_parameter(name)
    return form[name]


def _by_code(here: Cloud, form: Form) -> Redeemed:
    return here.grants.redeem_code(
        _field(form, "code"),
        client_id=form["client_id"],
        redirect_uri=_field(form, "redirect_uri"),
        verifier=form.get("code_verifier", ""),
    )


def _by_refresh_token(here: Cloud, form: Form) -> Redeemed:
    refresh_token = _field(form, "refresh_token")
    return here.grants.redeem_refresh_token(refresh_token, client_id=form["client_id"])


def _by_device_code(here: Cloud, form: Form) -> Redeemed:
    return here.grants.redeem_device_code(_field(form, "device_code"), client_id=form["client_id"])


_FLOWS: dict[str, Callable[[Cloud, Form], Redeemed]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
    DEVICE_GRANT: _by_device_code,
}


def _tokens(
    here: Cloud,
    account: Account,
    permission: Permission,
    *,
    asked: str,
    form: Form,
    nonce: str | None,
) -> dict[str, object]:
    lifetime_s = here.access_token_lifetime_s
    answers = account.challenge if _answers_challenge(form.get("claims", "")) else None
    body: dict[str, object] = {
        "token_type": "Bearer",
        "scope": echo(asked, permission.scopes),
        "expires_in": lifetime_s,
        "ext_expires_in": lifetime_s,
        "access_token": here.grants.issue_access_token(
            permission, lifetime_s=lifetime_s, answers=answers
        ),
    }
    if "offline_access" in permission.scopes:
        body["refresh_token"] = here.grants.issue_refresh_token(permission)
    if "openid" in permission.scopes:
        body["id_token"] = _id_token(here, account, permission, nonce)
    if form.get("client_info") == "1":
        body["client_info"] = client_info(account)
    return body


def _answers_challenge(claims: str) -> bool:
    """Whether the claims hold more than what a client declares about itself (``xms_cc``)."""
    try:
        wanted = json.loads(claims)["access_token"]
    except (ValueError, LookupError, TypeError):
        return False
    return isinstance(wanted, dict) and bool(set(wanted) - {"xms_cc"})


def client_info(account: Account) -> str:
    """Encode the ids of the account's home, from which MSAL makes its cache key."""
    return _base64url({"uid": account.object_id, "utid": account.tenant_id})


def _id_token(here: Cloud, account: Account, permission: Permission, nonce: str | None) -> str:
    issued = int(here.now())
    claims: dict[str, object] = {
        "aud": permission.client_id,
        "iss": f"https://{_login_host()}/{account.tenant_id}/v2.0",
        "iat": issued,
        "nbf": issued,
        "exp": issued + ID_TOKEN_LIFETIME_S,
        "name": account.name,
        "oid": account.object_id,
        "preferred_username": account.username,
        "sub": str(uuid.uuid5(uuid.UUID(account.object_id), permission.client_id)),
        "tid": account.tenant_id,
        "ver": "2.0",
    }
    if nonce is not None:
        claims["nonce"] = nonce
    header = _base64url({"typ": "JWT", "alg": "RS256", "kid": "simulator"})
    return f"{header}.{_base64url(claims)}.{_base64url('not a signature')}"


def _base64url(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@blueprint.post("/<tenant>/oauth2/v2.0/devicecode")
def device_code(tenant: str) -> Response:
    """Begin a sign-in for a device that has no browser of its own."""
    here = cloud()
    with here.lock:
        try:
            check_tenant(here, tenant)
            check_client(here, request.form.get("client_id", ""))
            scope = _field(request.form, "scope")
            read_scopes(scope)
        except OAuthError as exc:
            return refusal(here, exc)
        lifetime_s = here.device_code_lifetime_s
        secret, device = here.grants.start_device(
            client_id=request.form["client_id"], scope=scope, lifetime_s=lifetime_s
        )
    address = f"{here.base_url}/devicelogin"
    return jsonify(
        {
            "device_code": secret,
            "user_code": device.user_code,
            "verification_uri": address,
            "expires_in": lifetime_s,
            "interval": here.device_code_interval_s,
            "message": f"To sign in, open {address} in a browser and enter {device.user_code}.",
        }
    )
