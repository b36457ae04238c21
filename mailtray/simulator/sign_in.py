"""The pages a person meets while signing in, and the ways they end.

A visit begins at ``/authorize`` (or at the page for device codes), goes through at most three
forms - which account, password, permissions - and ends with an answer to the program, or on an
error page that tells the program nothing.

Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow and
learn.microsoft.com/entra/identity-platform/v2-admin-consent.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, request

from mailtray.simulator.accounts import Account
from mailtray.simulator.cloud import Cloud, UnknownAccountError
from mailtray.simulator.entra import belongs, check_client, check_tenant, client_info, read_scopes
from mailtray.simulator.grants import Permission
from mailtray.simulator.oauth_errors import OAuthError, missing_parameter
from mailtray.simulator.scopes import IN_WORDS, OPENID_SCOPES
from mailtray.simulator.visits import Visit
from mailtray.simulator.web import cloud, page

COOKIE = "simulator_session"
PROMPTS = frozenset({"", "none", "login", "consent", "select_account", "create"})
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d{1,5})?(/[^\s#]*)?")

blueprint = Blueprint("sign_in", __name__)


def _cookie() -> str:
    return request.cookies.get(COOKIE, "")


# The way in


@blueprint.route("/<tenant>/oauth2/v2.0/authorize", methods=["GET", "POST"])
def authorize(tenant: str) -> Response:
    """Begin a sign-in for a program that waits on this machine."""
    here, params = cloud(), request.values.to_dict()
    with here.lock:
        try:
            check_tenant(here, tenant)
            check_client(here, params.get("client_id", ""))
            _check_redirect(params.get("redirect_uri", ""))
        except OAuthError as exc:
            # Nobody is told who cannot be trusted to be the right one.
            return error_page(here, exc)
        try:
            return _begin(here, tenant, params)
        except OAuthError as exc:
            return reply_to_program(params, _error_fields(here, exc))


def _check_redirect(redirect_uri: str) -> None:
    if not redirect_uri:
        raise missing_parameter("redirect_uri")
    if not _LOOPBACK.fullmatch(redirect_uri):
        text = f"The redirect URI '{redirect_uri}' is not registered for the application."
        raise OAuthError("invalid_request", 50011, text)


def _begin(here: Cloud, tenant: str, params: Mapping[str, str]) -> Response:
    if params.get("response_type") != "code":
        raise OAuthError(
            "unsupported_response_type", 700054, "Only the response type 'code' works."
        )
    if params.get("code_challenge") and params.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", 501491, "The code_challenge_method must be S256.")
    if params.get("response_mode", "query") not in {"query", "form_post"}:
        raise OAuthError("invalid_request", 70007, "The response_mode is not supported.")
    if params.get("prompt", "") not in PROMPTS:
        raise OAuthError("invalid_request", 90023, "The prompt is not supported.")
    planned, here.authorize_error = here.authorize_error, None
    if planned is not None:
        error = OAuthError(planned.error, planned.code, planned.description)
        if planned.redirect:
            raise error
        return error_page(here, error)
    if not params.get("scope"):
        raise missing_parameter("scope")
    asked = read_scopes(params["scope"])
    visit = Visit(tenant, params["client_id"], asked, params)
    _recognise(here, visit)
    return _next_page(here, visit, here.desk.open(visit))


def _recognise(here: Cloud, visit: Visit) -> None:
    """Take the account from the hint, and the password from the browser's session."""
    signed_in = here.desk.signed_in(_cookie())
    hint = visit.params.get("login_hint", "").lower()
    if visit.prompt == "none" and not hint and len(signed_in) == 1:
        hint = signed_in[0].lower()
    hinted = here.accounts.get(hint)
    picks = visit.prompt in {"select_account", "create"}
    # A hint at an account of another tenant is no more than a wrong guess.
    if hinted is not None and not picks and belongs(hinted, visit.tenant):
        _choose(here, visit, hinted)
    if visit.prompt != "none":
        return
    if visit.account is None or not visit.has_password:
        raise OAuthError("login_required", 50058, "No one is signed in in this browser.")
    if visit.missing:
        raise OAuthError("consent_required", 65001, "The account has not consented yet.")


def _choose(here: Cloud, visit: Visit, account: Account) -> None:
    if not belongs(account, visit.tenant):
        text = f"The account '{account.username}' does not exist in tenant '{visit.tenant}'."
        raise OAuthError("invalid_request", 50020, text)
    visit.account = account
    is_signed_in = not here.asks_password or account.username in here.desk.signed_in(_cookie())
    visit.has_password = is_signed_in and visit.prompt != "login"


# The pages in order


def _next_page(here: Cloud, visit: Visit, number: str, problem: str = "") -> Response:
    common: dict[str, Any] = {
        "action": f"/signin/{number}",
        "problem": problem,
        "client_id": visit.client_id,
    }
    if visit.account is None:
        able = [a for a in here.accounts.values() if belongs(a, visit.tenant)]
        return page(
            "account.html", accounts=able, signed_in=here.desk.signed_in(_cookie()), **common
        )
    if not visit.has_password:
        return page("password.html", account=visit.account, **common)
    missing = visit.wanted if visit.prompt == "consent" else visit.missing
    if not missing - OPENID_SCOPES and not (missing and visit.prompt == "consent"):
        return _finish(here, visit, number)
    if here.admin_consent_required and visit.account.kind == "work" and missing - OPENID_SCOPES:
        text = "An administrator must approve this application before you can use it."
        return error_page(here, OAuthError("access_denied", 90094, text), status=200)
    words = [(name, IN_WORDS[name]) for name in IN_WORDS if name in missing]
    return page("consent.html", account=visit.account, scopes=words, **common)


@blueprint.post("/signin/<number>")
def signin(number: str) -> Response:
    """Take what a person chose or typed on one of the pages."""
    here = cloud()
    with here.lock:
        visit = here.desk.visits.get(number)
        if visit is None:
            text = "This sign-in is over. Start it again from the program."
            return error_page(here, OAuthError("invalid_request", 16000, text))
        action = request.form.get("action", "")
        if action == "cancel":
            return _decline(here, visit, number)
        try:
            problem = _take(here, visit, action)
        except OAuthError as exc:
            return error_page(here, exc)
        response = _next_page(here, visit, number, problem)
        if action == "password" and not problem and visit.account is not None:
            cookie = here.desk.remember(_cookie(), visit.account.username)
            response.set_cookie(COOKIE, cookie, httponly=True, samesite="Lax")
        return response


def _take(here: Cloud, visit: Visit, action: str) -> str:
    """Carry out one step; returns what is wrong with the input, or an empty text."""
    if action == "account":
        try:
            account = here.account(request.form.get("username", "").strip())
        except UnknownAccountError:
            return "We know no account with that address."
        _choose(here, visit, account)
    elif action == "back":
        visit.account, visit.has_password = None, False
    elif action == "password" and visit.account is not None:
        if not request.form.get("password"):
            return "Type a password. Any will do."
        visit.has_password = True
    elif action == "accept" and visit.account is not None and visit.has_password:
        visit.account.consents.setdefault(visit.client_id, set()).update(visit.wanted)
        visit.params = {**visit.params, "prompt": ""}
    else:
        return "That did not fit this page. Try again."
    return ""


# The ways out


def _finish(here: Cloud, visit: Visit, number: str) -> Response:
    assert visit.account is not None  # noqa: S101 (pages come in order: account first)
    del here.desk.visits[number]
    consents = visit.account.consents.setdefault(visit.client_id, set())
    consents |= visit.wanted & OPENID_SCOPES
    granted = visit.wanted | (consents if ".default" in visit.asked else frozenset())
    permission = Permission(visit.account.username, visit.client_id, frozenset(granted))
    if visit.device is not None:
        visit.device.permission = permission
        return page("message.html", title="You are signed in", text=DEVICE_DONE)
    code = here.grants.issue_code(
        permission,
        redirect_uri=visit.params["redirect_uri"],
        code_challenge=visit.params.get("code_challenge"),
        nonce=visit.params.get("nonce"),
    )
    fields = {"code": code, "session_state": str(uuid.uuid4())}
    if visit.params.get("client_info") == "1":
        fields["client_info"] = client_info(visit.account)
    return reply_to_program(visit.params, fields)


DEVICE_DONE = "The device goes on by itself in a few seconds. You can close this page."


def _decline(here: Cloud, visit: Visit, number: str) -> Response:
    del here.desk.visits[number]
    if visit.device is not None:
        visit.device.declined = True
        return page("message.html", title="Cancelled", text="The device was not signed in.")
    error = OAuthError("access_denied", 65004, "The person declined to consent to the application.")
    return reply_to_program(visit.params, _error_fields(here, error))


def _error_fields(here: Cloud, error: OAuthError) -> dict[str, str]:
    body = error.body(here.time(), str(uuid.uuid4()))
    names = ("error", "error_description", "error_uri", "suberror")
    return {name: str(body[name]) for name in names if name in body}


def reply_to_program(params: Mapping[str, str], fields: Mapping[str, str]) -> Response:
    """Send the browser to the program's redirect URI with an answer.

    With ``response_mode=form_post`` by a form that submits itself, or by its button where
    scripts are off; else by a redirect with a query.
    """
    state = {"state": params["state"]} if "state" in params else {}
    answer = {**fields, **state}
    target = params["redirect_uri"]
    if params.get("response_mode") == "form_post":
        return page("form_post.html", target=target, fields=answer)
    joint = "&" if "?" in target else "?"
    response = make_response(redirect(f"{target}{joint}{urlencode(answer)}", 302))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def error_page(here: Cloud, error: OAuthError, *, status: int = 400) -> Response:
    """Leave the person on a page that says what went wrong; the program hears nothing."""
    body = error.body(here.time(), str(uuid.uuid4()))
    return page("sign_in_error.html", status, error=error, details=body)


# Device codes, signing out, an administrator's consent


@blueprint.get("/devicelogin")
def device_form() -> Response:
    """Ask for the code a device shows."""
    return page("device.html", problem="")


@blueprint.post("/devicelogin")
def device_entered() -> Response:
    """Take the code a device shows and go on to the account."""
    here = cloud()
    with here.lock:
        device = here.grants.device_by_user_code(request.form.get("user_code", ""))
        if device is None or device.permission is not None or device.declined:
            return page("device.html", problem="That code is not known, or too old.")
        asked = read_scopes(device.scope)
        visit = Visit("common", device.client_id, asked, {}, device=device)
        return _next_page(here, visit, here.desk.open(visit))


@blueprint.get("/<tenant>/oauth2/v2.0/logout")
def logout(tenant: str) -> Response:  # noqa: ARG001 (part of the address)
    """Forget who is signed in in this browser."""
    here, back = cloud(), request.args.get("post_logout_redirect_uri", "")
    with here.lock:
        here.desk.sessions.pop(_cookie(), None)
    link = back if _LOOPBACK.fullmatch(back) else ""
    text = "No account is signed in in this browser any more."
    response = page("message.html", title="You are signed out", text=text, link=link)
    response.delete_cookie(COOKIE)
    return response


@blueprint.route("/<tenant>/v2.0/adminconsent", methods=["GET", "POST"])
def admin_consent(tenant: str) -> Response:
    """Let an administrator accept scopes for everyone in a tenant."""
    here, params = cloud(), request.args.to_dict()
    with here.lock:
        try:
            asked = _check_admin_consent(here, tenant, params)
        except OAuthError as exc:
            return error_page(here, exc)
        if request.method == "GET":
            words = [(name, IN_WORDS[name]) for name in IN_WORDS if name in asked]
            return page("admin_consent.html", scopes=words, client_id=params["client_id"])
        params["response_mode"] = "query"
        if request.form.get("action") != "accept":
            error = OAuthError("access_denied", 65004, "The administrator declined.")
            return reply_to_program(params, _error_fields(here, error))
        members = [each for each in here.accounts.values() if belongs(each, tenant)]
        for account in members:
            account.consents.setdefault(params["client_id"], set()).update(asked)
    scope = " ".join(sorted(asked))
    given = {"admin_consent": "True", "tenant": members[0].tenant_id, "scope": scope}
    return reply_to_program(params, given)


def _check_admin_consent(here: Cloud, tenant: str, params: Mapping[str, str]) -> frozenset[str]:
    check_tenant(here, tenant)
    if tenant.lower() in {"common", "consumers"}:
        raise OAuthError("invalid_request", 90002, "Name the organisation in the address.")
    check_client(here, params.get("client_id", ""))
    _check_redirect(params.get("redirect_uri", ""))
    return read_scopes(params.get("scope", "")) - {".default"}
