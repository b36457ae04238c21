"""What Microsoft's refusals mean: the state by ``error``, the words by the AADSTS number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.msal_errors import (
    MEANINGS,
    approval_link,
    claims_request,
    meaning,
    refusal,
)
from mailtray.core.compose import Places
from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    ConsentRequired,
    MailtrayError,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
)
from mailtray.core.model import AccountId, AuthAction
from tests.adapters.sign_in_troubles import PAGE, page

if TYPE_CHECKING:
    from collections.abc import Mapping

CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["p1"]}}}'
LOGIN = "https://login.microsoftonline.com"
TENANT = "5f3d7a52-12c4-5e2a-9d0b-0f2a6cbd9c11"
WORK = f"8f0a5ad2-0f0e-5b0a-8b0e-2a5f8f6c1d22.{TENANT}"
PERSONAL = "8f0a5ad2-0f0e-5b0a-8b0e-2a5f8f6c1d22.9188040d-6c67-4ac5-b112-36a0b124cc28"
SIGN_IN = (
    50058, 50072, 50079, 50074, 50076, 50078, 50158, 50055, 50126, 50173, 65001, 65004, 70000,
    70008, 700082, 70043, 50089, 50132, 50133, 54005, 16000, 50144,
)  # fmt: skip
POLICY = (50053, 50057, 50105, 53000, 53001, 53002, 53003, 53004, 53005, 530032, 530036)
ADMINISTRATOR = (90094, 90095, 90099, 650056, 500011)
REGISTRATION = (
    50011, 500113, 900971, 700016, 7000112, 7000218, 70011, 9002326, 700084, 700054, 7000215,
    650052, 650053, 50194, 9002346,
)  # fmt: skip
NO_TENANT = (50059, 50128, 90002, 90013, 900023)
OTHER_ACCOUNT = (50020, 50034, 90072)
REPORT = (900144, 9002313)


def body(code: int, error: str = "invalid_grant", **more: object) -> dict[str, object]:
    """Build a refusal as the token endpoint sends it."""
    return {
        "error": error,
        "error_description": f"AADSTS{code}: ada@contoso.example did something secret.\r\n"
        "Trace ID: 11aa\r\nCorrelation ID: 22bb-33cc\r\nTimestamp: 2026-11-25 09:00:00Z",
        "error_codes": [code],
        "correlation_id": "22bb-33cc",
        **more,
    }


def auth_error(answer: Mapping[str, object], *, interactive: bool = False) -> AuthError:
    error = meaning(answer, interactive=interactive)
    assert isinstance(error, AuthError)
    return error


@pytest.mark.parametrize(
    ("codes", "action"),
    [
        pytest.param(SIGN_IN, AuthAction.SIGN_IN, id="sign in again"),
        pytest.param(POLICY, AuthAction.NONE, id="a policy"),
        pytest.param(ADMINISTRATOR, AuthAction.ASK_ADMINISTRATOR, id="an administrator"),
        pytest.param(REGISTRATION, AuthAction.CORRECT_CLIENT_ID, id="the registration"),
        pytest.param(NO_TENANT, AuthAction.CORRECT_TENANT, id="the organisation's name"),
        pytest.param(OTHER_ACCOUNT, AuthAction.OTHER_ACCOUNT, id="another account"),
        pytest.param(REPORT, AuthAction.REPORT, id="report it"),
    ],
)
def test_each_number_has_its_action(codes: tuple[int, ...], action: AuthAction) -> None:
    for code in codes:
        error = auth_error(body(code))
        assert error.action is action, code
        assert error.code == code


def test_the_table_holds_no_number_beyond_those_tested() -> None:
    tested = {*SIGN_IN, *POLICY, *ADMINISTRATOR, *REGISTRATION, *NO_TENANT, *OTHER_ACCOUNT, *REPORT}
    assert tested == MEANINGS.keys()


def test_the_page_for_people_says_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
    assert all(str(code) in page() for code in MEANINGS)


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_the_words_fit(code: int) -> None:
    title, hint = MEANINGS[code].title.english, MEANINGS[code].hint.english
    assert 0 < len(title) <= 60
    assert title[-1].isalnum()
    assert hint.endswith(".")
    assert hint.count(". ") == 0
    assert "AADSTS" not in title + hint


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(body(70043, suberror="token_expired"), SignInRequired, id="too old"),
        pytest.param(body(700082, suberror="token_expired"), SignInRequired, id="unused"),
        pytest.param(body(50173, suberror="bad_token"), SignInRequired, id="revoked"),
        pytest.param(body(50076, suberror="basic_action"), SignInRequired, id="second check"),
        pytest.param(
            body(53003, "interaction_required", suberror="message_only"), AuthBlocked, id="policy"
        ),
        pytest.param(body(65001, suberror="consent_required"), ConsentRequired, id="consent"),
        pytest.param(body(50079, "interaction_required"), SignInRequired, id="set up a check"),
        pytest.param(
            body(53005, "unauthorized_client", suberror="protection_policy_required"),
            AuthBlocked,
            id="protected applications only",
        ),
        pytest.param(body(7000218, "invalid_client"), AuthBlocked, id="no public client"),
        pytest.param(body(700016, "unauthorized_client"), AuthBlocked, id="unknown client id"),
        pytest.param(body(65004, "access_denied"), ConsentRequired, id="declined"),
        pytest.param(body(90094, "access_denied"), ConsentRequired, id="administrator"),
        pytest.param({"error": "access_denied"}, SignInCancelled, id="cancelled on the page"),
        pytest.param({"error": "authorization_declined"}, SignInCancelled, id="device declined"),
        pytest.param({"error": "expired_token"}, SignInCancelled, id="device code expired"),
        pytest.param({"error": "consent_required"}, ConsentRequired, id="consent, no number"),
        pytest.param({"error": "invalid_grant"}, SignInRequired, id="no number"),
        pytest.param({"error": "login_required"}, SignInRequired, id="login_required"),
        pytest.param({"error": "invalid_scope"}, AuthBlocked, id="invalid_scope"),
        pytest.param({"error": "something new"}, AuthBlocked, id="an unknown error"),
        pytest.param({"error": None, "error_codes": "no list"}, AuthBlocked, id="wrong types"),
    ],
)
def test_the_state(answer: dict[str, object], kind: type[AuthError]) -> None:
    error = auth_error(answer)
    assert type(error) is kind
    assert not error.transient


@pytest.mark.parametrize("code", [90033, 90012, 50196])
def test_passing_trouble_dressed_as_a_refusal(code: int) -> None:
    assert isinstance(meaning(body(code), interactive=False), ServiceUnavailable)


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_passing_trouble_by_its_name(error: str) -> None:
    assert isinstance(meaning({"error": error}, interactive=True), ServiceUnavailable)


def test_claims_are_kept_for_the_next_sign_in() -> None:
    assert auth_error(body(50076, claims=CLAIMS)).claims == CLAIMS


@pytest.mark.parametrize("claims", ["", "{", "[]", "7", "null", "x" * 20_000, "[" * 9_000])
def test_claims_that_msal_could_not_take_are_dropped(claims: str) -> None:
    assert claims_request(claims) is None
    assert auth_error(body(50076, claims=claims)).claims is None


def test_an_unknown_number_is_shown_with_the_correlation_id() -> None:
    error = auth_error(body(999999))
    assert error.title == "Sign-in failed (AADSTS999999)"
    assert error.hint == "Sign in again (correlation id 22bb-33cc)."
    assert error.support == "AADSTS999999, correlation id 22bb-33cc"


def test_what_is_to_be_reported_has_its_number() -> None:
    error = auth_error(body(900144, "invalid_request"))
    assert error.title == "The sign-in request lacked a part (AADSTS900144)"
    assert "22bb-33cc" in error.hint


@pytest.mark.parametrize(
    ("authority", "scope", "account", "expected"),
    [
        pytest.param(f"{LOGIN}/common", "Mail.Read", None, "/organizations/", id="nobody yet"),
        pytest.param(f"{LOGIN}/common", "Mail.Read", WORK, f"/{TENANT}/", id="their organisation"),
        pytest.param(f"{LOGIN}/common", "Mail.Read", PERSONAL, "/organizations/", id="personal"),
        pytest.param(f"{LOGIN}/common", "Mail.Read", "odd", "/organizations/", id="an odd id"),
        pytest.param(f"{LOGIN}/consumers", "Mail.Read", None, "/organizations/", id="consumers"),
        pytest.param(f"{LOGIN}/a.example", "Mail.Read", WORK, "/a.example/", id="as set"),
        pytest.param(
            "https://login.microsoftonline.us/common",
            "https://graph.microsoft.us/Mail.Read",
            None,
            "https%3A%2F%2Fgraph.microsoft.us%2FMail.Read&",
            id="another cloud",
        ),
    ],
)
def test_the_link_for_an_administrator(
    authority: str, scope: str, account: str | None, expected: str
) -> None:
    link = approval_link(authority, "c-1", [scope], AccountId(account) if account else None)
    root = authority.rpartition("/")[0]
    assert link.startswith(f"{root}/")
    assert expected in link
    assert "/v2.0/adminconsent?client_id=c-1&scope=https%3A%2F%2Fgraph.microsoft." in link
    assert link.endswith("&redirect_uri=http%3A%2F%2Flocalhost&state=mailtray")
    assert "/common/" not in link
    assert Places("", frozenset()).allow(link) == ""  # none of the pages that mail may open


def test_the_number_is_found_in_the_prose() -> None:
    answer = {"error": "invalid_request", "error_description": "AADSTS50011: The redirect ..."}
    error = auth_error(answer)
    assert error.code == 50011
    assert "http://localhost" in error.hint


def test_the_first_known_number_words_it() -> None:
    error = auth_error(body(50173, error_codes=[123456, 50173]))
    assert error.title == "Your sign-in was revoked"
    assert error.code == 123456


def test_the_correlation_id_is_found_in_the_prose() -> None:
    assert refusal(body(50173, correlation_id=None)).correlation_id == "22bb-33cc"


@pytest.mark.parametrize("odd", ["<script>", "a" * 65, "x y", 7, None])
def test_an_odd_correlation_id_is_not_taken(odd: object) -> None:
    answer = {"error": "invalid_grant", "correlation_id": odd}
    assert refusal(answer).correlation_id is None


def test_consent_that_the_person_could_not_give_is_the_administrators() -> None:
    answer = body(65001, suberror="consent_required")
    assert auth_error(answer).action is AuthAction.SIGN_IN
    assert auth_error(answer, interactive=True).action is AuthAction.ASK_ADMINISTRATOR


@pytest.mark.parametrize("code", [*sorted(MEANINGS), 999999, 90033])
def test_nothing_of_the_prose_is_repeated(code: int) -> None:
    error: MailtrayError = meaning(body(code), interactive=False)
    assert "ada@contoso.example" not in str(error)
    assert "secret" not in repr(error).replace("client secret", "")
