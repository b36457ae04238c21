"""The pages a person meets while signing in, and the ways they end.

A visit begins at ``/authorize`` (or at the page for device codes), goes through at most three
forms - which account, password, permissions - and ends with an answer to the program, or on an
error page that tells the program nothing.

Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow and
learn.microsoft.com/entra/identity-platform/v2-admin-consent.
"""

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, request

from mailtray.simulator.accounts import Account
from mailtray.simulator.cloud import Cloud, UnknownAccountError
from mailtray.simulator.entra import belongs, check_client, check_tenant, client_info, read_scopes
from mailtray.simulator.grants import DeviceCode, Permission
from mailtray.simulator.oauth_errors import OAuthError, missing_parameter
from mailtray.simulator.scopes import IN_WORDS, OPENID_SCOPES
from mailtray.simulator.web import cloud, page

COOKIE = "simulator_session"
PROMPTS = frozenset({"", "none", "login", "consent", "select_account", "create"})
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d{1,5})?(/[^\s#]*)?")

blueprint = Blueprint("sign_in", __name__)


@dataclass
class Visit:
    """One person on the way through the pages."""

    tenant: str
    client_id: str
    asked: frozenset[str]
    params: Mapping[str, str]
    device: DeviceCode | None = None
    account: Account | None = None
    has_password: bool = False

    @property
    def prompt(self) -> str:
        """What the program wants shown in any case."""
        return self.params.get("prompt", "")

    @property
    def wanted(self) -> frozenset[str]:
        """The scopes that need the person's consent."""
        return self.asked - {".default"}


@dataclass
class Desk:
    """Visits under way and, per browser, who is signed in there."""

    visits: dict[str, Visit] = field(default_factory=dict)
    sessions: dict[str, list[str]] = field(default_factory=dict)

    def signed_in(self) -> list[str]:
        """List the usernames signed in in the browser of the request at hand."""
        return self.sessions.get(request.cookies.get(COOKIE, ""), [])


def desk() -> Desk:
    """Return the desk of the cloud at hand; it starts empty again after a reset."""
    here = cloud()
    found = here.desk
    if not isinstance(found, Desk):
        found = here.desk = Desk()
    return found


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
    return _next_page(here, visit, _keep(visit))


def _keep(visit: Visit) -> str:
    number = secrets.token_urlsafe(18)
    desk().visits[number] = visit
    return number


def _recognise(here: Cloud, visit: Visit) -> None:
    """Take the account from the hint, and the password from the browser's session."""
    hint, signed_in = visit.params.get("login_hint", "").lower(), desk().signed_in()
    if visit.prompt == "none" and not hint and len(signed_in) == 1:
        hint = signed_in[0].lower()
    if hint in here.accounts and visit.prompt not in {"select_account", "create"}:
        _choose(visit, here.accounts[hint])
    if visit.prompt != "none":
        return
    if visit.account is None or not visit.has_password:
        raise OAuthError("login_required", 50058, "No one is signed in in this browser.")
    if _missing(visit):
        raise OAuthError("consent_required", 65001, "The account has not consented yet.")


def _choose(visit: Visit, account: Account) -> None:
    if not belongs(account, visit.tenant):
        text = f"The account '{account.username}' does not exist in tenant '{visit.tenant}'."
        raise OAuthError("invalid_request", 50020, text)
    visit.account = account
    visit.has_password = account.username in desk().signed_in() and visit.prompt != "login"


def _missing(visit: Visit) -> frozenset[str]:
    assert visit.account is not None  # noqa: S101 (pages come in order: account first)
    return visit.wanted - visit.account.consents.get(visit.client_id, set())


# The pages in order


def _next_page(here: Cloud, visit: Visit, number: str, problem: str = "") -> Response:
    common: dict[str, Any] = {"action": f"/signin/{number}", "problem": problem, "client_id": visit.client_id}
    if visit.account is None:
        able = [a for a in here.accounts.values() if belongs(a, visit.tenant)]
        return page("account.html", accounts=able, signed_in=desk().signed_in(), **common)
    if not visit.has_password:
        return page("password.html", account=visit.account, **common)
    missing = visit.wanted if visit.prompt == "consent" else _missing(visit)
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
        visit = desk().visits.get(number)
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
        if action == "password" and not problem:
            _remember_browser(response, visit)
        return response


def _take(here: Cloud, visit: Visit, action: str) -> str:
    """Carry out one step; returns what is wrong with the input, or an empty text."""
    if action == "account":
        try:
            account = here.account(request.form.get("username", "").strip())
        except UnknownAccountError:
            return "We know no account with that address."
        _choose(visit, account)
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


def _remember_browser(response: Response, visit: Visit) -> None:
    assert visit.account is not None  # noqa: S101 (the password page follows the account page)
    key = request.cookies.get(COOKIE, "")
    if key not in desk().sessions:
        key = secrets.token_urlsafe(24)
        desk().sessions[key] = []
        response.set_cookie(COOKIE, key, httponly=True, samesite="Lax")
    if visit.account.username not in desk().sessions[key]:
        desk().sessions[key].append(visit.account.username)


# The ways out


def _finish(here: Cloud, visit: Visit, number: str) -> Response:
    assert visit.account is not None  # noqa: S101 (pages come in order: account first)
    del desk().visits[number]
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
    del desk().visits[number]
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
        return _next_page(here, visit, _keep(visit))


@blueprint.get("/<tenant>/oauth2/v2.0/logout")
def logout(tenant: str) -> Response:  # noqa: ARG001 (part of the address)
    """Forget who is signed in in this browser."""
    here, back = cloud(), request.args.get("post_logout_redirect_uri", "")
    with here.lock:
        desk().sessions.pop(request.cookies.get(COOKIE, ""), None)
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
            check_tenant(here, tenant)
            if tenant.lower() in {"common", "consumers"}:
                raise OAuthError("invalid_request", 90002, "Name the organisation in the address.")
            check_client(here, params.get("client_id", ""))
            _check_redirect(params.get("redirect_uri", ""))
            asked = read_scopes(params.get("scope", "")) - {".default"}
        except OAuthError as exc:
            return error_page(here, exc)
        members = [a for a in here.accounts.values() if belongs(a, tenant)]
        if request.method == "GET":
            words = [(name, IN_WORDS[name]) for name in IN_WORDS if name in asked]
            return page("admin_consent.html", scopes=words, client_id=params["client_id"])
        params = {**params, "response_mode": "query"}
        if request.form.get("action") != "accept":
            error = OAuthError("access_denied", 65004, "The administrator declined.")
            return reply_to_program(params, _error_fields(here, error))
        for account in members:
            account.consents.setdefault(params["client_id"], set()).update(asked)
    given = {"admin_consent": "True", "tenant": members[0].tenant_id, "scope": " ".join(asked)}
    return reply_to_program(params, given)
