"""What Microsoft's refusals mean, as data.

What happens next is decided by OAuth's ``error`` and ``suberror``; the AADSTS number chooses the
words and the one thing to do. A number that is not in the table has words of its own.

Source: learn.microsoft.com/entra/identity-platform, "Microsoft Entra authentication and
authorization error codes", and RFC 6749, 4.1.2.1 and 5.2.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    ConsentRequired,
    MailtrayError,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
)
from mailtray.core.language import N_, Sentence, _
from mailtray.core.model import AuthAction

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mailtray.core.model import AccountId


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an AADSTS number means for the person.

    Attributes:
        title: What happened; fits a tooltip.
        hint: One sentence with one thing to do.
        action: The same as data.
    """

    kind: type[AuthError]
    title: Sentence
    hint: Sentence
    action: AuthAction


_AGAIN = N_("Sign in again.")


def _sign_in(title: Sentence, hint: Sentence = _AGAIN) -> Meaning:
    return Meaning(SignInRequired, title, hint, AuthAction.SIGN_IN)


def _policy(title: Sentence, hint: Sentence) -> Meaning:
    return Meaning(AuthBlocked, title, hint, AuthAction.NONE)


def _consent(title: Sentence, hint: Sentence) -> Meaning:
    return Meaning(ConsentRequired, title, hint, AuthAction.ASK_ADMINISTRATOR)


def _registration(title: Sentence, hint: Sentence) -> Meaning:
    return Meaning(AuthBlocked, title, hint, AuthAction.CORRECT_CLIENT_ID)


def _tenant(title: Sentence) -> Meaning:
    hint = N_("Check the organisation's name in the settings.")
    return Meaning(AuthBlocked, title, hint, AuthAction.CORRECT_TENANT)


def _other_account(title: Sentence) -> Meaning:
    hint = N_("Sign in with an account of that organisation.")
    return Meaning(AuthBlocked, title, hint, AuthAction.OTHER_ACCOUNT)


def _report(title: Sentence) -> Meaning:
    hint = N_("Please report this to mailtray's authors, with the number.")
    return Meaning(AuthBlocked, title, hint, AuthAction.REPORT)


IN_TROUBLE = N_("Microsoft's sign-in is in trouble")
TRIED_AGAIN = N_("Nothing to do; it is tried again.")
_HELPDESK = N_("Ask your administrator for help.")
_CLIENT_ID = N_("Check the client id in the settings.")

MEANINGS: dict[int, Meaning] = {
    # Sign in again.
    16000: _sign_in(
        N_("More than one account is signed in"), N_("Sign in and choose one account.")
    ),
    50055: _sign_in(N_("Your password has expired"), N_("Sign in to change your password.")),
    50058: _sign_in(N_("No one is signed in in the browser")),
    50072: _sign_in(
        N_("Your organisation wants a second check set up"),
        N_("Sign in and follow the steps shown."),
    ),
    50074: _sign_in(
        N_("The second check was not passed"), N_("Sign in and pass the second check.")
    ),
    50076: _sign_in(
        N_("Your organisation now wants a second check"), N_("Sign in and pass the second check.")
    ),
    50078: _sign_in(N_("Your second check has expired"), N_("Sign in and pass the second check.")),
    50079: _sign_in(
        N_("Your organisation wants a second check set up"),
        N_("Sign in and follow the steps shown."),
    ),
    50089: _sign_in(N_("The sign-in took too long")),
    50126: _sign_in(N_("The name or the password was wrong")),
    50132: _sign_in(N_("The sign-in is no longer valid")),
    50133: _sign_in(N_("The sign-in ended with a changed password")),
    50144: _sign_in(N_("Your password has expired"), N_("Sign in to change your password.")),
    50158: _sign_in(N_("An outside security check is missing"), N_("Sign in and pass the check.")),
    50173: _sign_in(N_("Your sign-in was revoked")),
    54005: _sign_in(N_("The sign-in was used already")),
    65001: Meaning(
        ConsentRequired,
        N_("mailtray is not approved for this account yet"),
        N_("Sign in and accept the permissions."),
        AuthAction.SIGN_IN,
    ),
    65004: Meaning(
        ConsentRequired,
        N_("You declined the permissions"),
        N_("Sign in again and accept them if you want to be told about mail."),
        AuthAction.SIGN_IN,
    ),
    70000: _sign_in(N_("The saved sign-in is not valid")),
    70008: _sign_in(N_("The sign-in expired from disuse")),
    70043: _sign_in(N_("Your organisation wants sign-ins more often")),
    700082: _sign_in(N_("The sign-in expired from disuse")),
    700084: _registration(
        N_("The sign-in lasts one day only"),
        N_("Register http://localhost under mobile and desktop applications, not as a web page."),
    ),
    # A policy or the account itself; signing in again does not help.
    50053: _policy(
        N_("The account is locked or the address blocked"), N_("Wait a while, then try again.")
    ),
    50057: _policy(N_("This account is disabled"), _HELPDESK),
    50105: _policy(
        N_("You are not assigned to this application"),
        N_("Ask your administrator to assign it to you."),
    ),
    53000: _policy(N_("This computer does not meet your organisation's rules"), _HELPDESK),
    53001: _policy(N_("This computer does not belong to your organisation"), _HELPDESK),
    53002: _policy(N_("Your organisation does not allow this application"), _HELPDESK),
    53003: _policy(N_("Your organisation blocked the access"), _HELPDESK),
    53004: _policy(
        N_("Your second check has to be registered first"),
        N_("Finish registering it where your administrator tells you to."),
    ),
    53005: _policy(N_("Your organisation allows protected applications only"), _HELPDESK),
    530032: _policy(N_("Your organisation's security rules blocked it"), _HELPDESK),
    530036: _policy(N_("Your organisation's security rules blocked it"), _HELPDESK),
    # An administrator has to approve.
    90094: _consent(
        N_("An administrator must approve mailtray"),
        N_("Send your administrator the approval link."),
    ),
    90095: _consent(
        N_("An administrator must approve mailtray"),
        N_("Wait for the answer to your request, then sign in."),
    ),
    90099: _consent(
        N_("mailtray is not approved in that organisation"),
        N_("Send your administrator the approval link."),
    ),
    650056: _consent(
        N_("Permissions are missing or not approved"),
        N_("Send your administrator the approval link."),
    ),
    500011: _consent(
        N_("That organisation does not know Microsoft Graph"),
        N_("Ask your administrator, or choose another cloud in the settings."),
    ),
    # The registration or the settings.
    50011: _registration(
        N_("The return address is not registered"),
        N_("Add http://localhost to the registration, under mobile and desktop applications."),
    ),
    50194: _registration(
        N_("The registration is for one organisation only"),
        N_("Enter its tenant, or allow more account types in the registration."),
    ),
    50059: _tenant(N_("The organisation is not named")),
    50128: _tenant(N_("The organisation was not found")),
    70011: _registration(N_("The name of a permission is not valid"), _CLIENT_ID),
    90002: _tenant(N_("The organisation was not found")),
    90013: _tenant(N_("The organisation's name is not valid")),
    500113: _registration(
        N_("No return address is registered"),
        N_("Add http://localhost to the registration, under mobile and desktop applications."),
    ),
    650052: _registration(N_("The organisation has no access to this service"), _HELPDESK),
    650053: _registration(N_("A permission does not exist in that organisation"), _CLIENT_ID),
    700016: _registration(N_("The client id was not found there"), _CLIENT_ID),
    700054: _registration(
        N_("The registration does not allow this kind of sign-in"),
        N_("Register http://localhost under mobile and desktop applications."),
    ),
    900023: _tenant(N_("The organisation's name is not valid")),
    900971: _registration(
        N_("No return address is registered"),
        N_("Add http://localhost to the registration, under mobile and desktop applications."),
    ),
    7000112: _registration(
        N_("This application is disabled"),
        N_("Ask its owner to enable it, or use another client id."),
    ),
    7000215: _registration(
        N_("The registration wants a client secret"),
        N_('Set "Allow public client flows" to Yes in the registration.'),
    ),
    7000218: _registration(
        N_("The registration is not a public client"),
        N_('Set "Allow public client flows" to Yes in the registration.'),
    ),
    9002326: _registration(
        N_("The return address is registered as a web page"),
        N_("Register http://localhost under mobile and desktop applications."),
    ),
    9002346: _registration(
        N_("The registration is for personal accounts only"),
        N_("Allow more account types in the registration, or enter the tenant consumers."),
    ),
    # Another account.
    50020: _other_account(N_("This account is not in that organisation")),
    50034: _other_account(N_("This account is not in that organisation")),
    90072: _other_account(N_("That organisation does not know this account")),
    # Ours.
    900144: _report(N_("The sign-in request lacked a part")),
    9002313: _report(N_("The sign-in request was malformed")),
}
"""AADSTS number -> what it means."""

PASSING = frozenset({50196, 90012, 90033})
"""Passing troubles that real services have dressed as ``invalid_grant``."""
MAYBE_PASSING = 70000
"""Worth one quiet second try before the person is asked."""

_SIGN_IN_ERRORS = frozenset({"invalid_grant", "interaction_required", "login_required"})
_CANCEL_ERRORS = frozenset({"access_denied", "authorization_declined", "expired_token"})
_PASSING_ERRORS = frozenset({"temporarily_unavailable", "server_error"})
_BY_SUBERROR: dict[str, type[AuthError]] = {
    "consent_required": ConsentRequired,
    "message_only": AuthBlocked,
    "protection_policy_required": AuthBlocked,
    "device_authentication_failed": AuthBlocked,
}
_WORDS: dict[type[AuthError], tuple[Sentence, Sentence, AuthAction]] = {
    SignInRequired: (N_("Sign-in is needed"), _AGAIN, AuthAction.SIGN_IN),
    ConsentRequired: (
        N_("A permission is missing"),
        N_("Sign in and accept the permissions."),
        AuthAction.SIGN_IN,
    ),
    SignInCancelled: (
        N_("The sign-in was cancelled"),
        N_("Choose “Sign in” to try again."),
        AuthAction.SIGN_IN,
    ),
    AuthBlocked: (N_("Microsoft refused the sign-in"), _HELPDESK, AuthAction.REPORT),
}
"""Words for a refusal without any number."""

_FAILED = N_("Sign-in failed")

_SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})
_PERSONAL = "9188040d-6c67-4ac5-b112-36a0b124cc28"
"""The one tenant of all personal accounts; it has no administrator."""
_GLOBAL_GRAPH = "https://graph.microsoft.com"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_AADSTS = re.compile(r"\bAADSTS(\d{5,10})\b")
_CORRELATION = re.compile(r"Correlation ID:\s*([0-9A-Za-z-]{1,64})")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_MAX_CLAIMS_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class Refusal:
    """The parts of an error answer that matter; its prose is for no one.

    Attributes:
        error: OAuth's error, such as ``invalid_grant``.
        codes: AADSTS numbers, first first.
        claims: Claims request to satisfy interactively, plain JSON, or ``None``.
    """

    error: str
    suberror: str
    codes: tuple[int, ...]
    correlation_id: str | None
    claims: str | None


def refusal(answer: Mapping[str, object]) -> Refusal:
    """Read an error answer of the token endpoint or of the sign-in page, whatever it holds."""
    prose = _text(answer, "error_description")
    numbers = answer.get("error_codes")
    codes = [n for n in numbers if _is_number(n)] if isinstance(numbers, list) else []
    codes += [int(n) for n in _AADSTS.findall(prose)]
    correlation = _CORRELATION.search(prose)
    given_id = _text(answer, "correlation_id")
    return Refusal(
        error=_text(answer, "error"),
        suberror=_text(answer, "suberror"),
        codes=tuple(codes),
        correlation_id=given_id
        if _ID.fullmatch(given_id)
        else (correlation.group(1) if correlation else None),
        claims=claims_request(_text(answer, "claims")),
    )


def claims_request(text: str | None) -> str | None:
    """Return a claims request if it is one MSAL can take: a JSON object."""
    try:
        content = json.loads(text or "") if len(text or "") <= _MAX_CLAIMS_CHARS else None
    except (ValueError, RecursionError):
        return None
    return text if isinstance(content, dict) else None


def meaning(answer: Mapping[str, object], *, interactive: bool) -> MailtrayError:
    """Return the error that an error answer stands for.

    Args:
        answer: What MSAL or the sign-in page gave, with an ``error``.
        interactive: True where the person was just asked.
    """
    found = refusal(answer)
    if found.error in _PASSING_ERRORS or PASSING.intersection(found.codes):
        return ServiceUnavailable(_(IN_TROUBLE), _(TRIED_AGAIN))
    row = next((MEANINGS[code] for code in found.codes if code in MEANINGS), None)
    kind = _BY_SUBERROR.get(found.suberror) or (row.kind if row else _kind(found.error))
    happened, advice, action = _words(found, row, kind, interactive=interactive)
    title, hint = _(happened), _(advice)
    if found.codes and (row is None or action is AuthAction.REPORT):
        title, hint = _for_support(found, _(_FAILED) if row is None else title, hint)
    return kind(
        title,
        hint,
        code=next(iter(found.codes), None),
        correlation_id=found.correlation_id,
        claims=found.claims,
        action=action,
    )


def approval_link(
    authority: str, client_id: str, scopes: Collection[str], account: AccountId | None
) -> str:
    """Return the page on which an administrator approves mailtray for an organisation.

    Args:
        authority: Where people sign in, ``https://login.microsoftonline.com/common``.
        client_id: Of the registration.
        scopes: The permissions to approve; a bare name is one of the global cloud's Graph.
        account: Whose organisation it is, where that is known.

    Source: learn.microsoft.com/entra/identity-platform/v2-admin-consent.
    """
    login_root, _, tenant = authority.rstrip("/").rpartition("/")
    if tenant in _SHARED_TENANTS:
        home = (account or "").rpartition(".")[2]
        tenant = home if _GUID.fullmatch(home) and home != _PERSONAL else "organizations"
    asked = {
        "client_id": client_id,
        "scope": " ".join(s if "/" in s else f"{_GLOBAL_GRAPH}/{s}" for s in scopes),
        "redirect_uri": "http://localhost",
        "state": "mailtray",
    }
    return f"{login_root}/{tenant}/v2.0/adminconsent?{urlencode(asked, quote_via=quote)}"


def _kind(error: str) -> type[AuthError]:
    if error in _SIGN_IN_ERRORS:
        return SignInRequired
    if error == "consent_required":
        return ConsentRequired
    return SignInCancelled if error in _CANCEL_ERRORS else AuthBlocked


def _words(
    found: Refusal, row: Meaning | None, kind: type[AuthError], *, interactive: bool
) -> tuple[Sentence, Sentence, AuthAction]:
    if row is not None:
        if interactive and kind is ConsentRequired and 65001 in found.codes:  # noqa: PLR2004 - AADSTS65001
            # The person was just asked and could not approve it.
            approve = MEANINGS[90094]
            return approve.title, approve.hint, approve.action
        return row.title, row.hint, row.action
    return _WORDS[kind]


def _for_support(found: Refusal, title: str, hint: str) -> tuple[str, str]:
    """Add what has to be quoted where the number is all there is to go by."""
    title = f"{title} (AADSTS{found.codes[0]})"
    if found.correlation_id:
        hint = _("{hint} (correlation id {number}).").format(
            hint=hint.rstrip(".。"), number=found.correlation_id
        )
    return title, hint


def _text(answer: Mapping[str, object], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
