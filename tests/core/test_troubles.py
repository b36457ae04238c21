"""Which trouble means what, and which one button it gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce as fold
from typing import TYPE_CHECKING

import pytest

from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    ConfigError,
    ConsentRequired,
    CursorExpired,
    FolderGone,
    InvalidResponse,
    MailboxUnavailable,
    MailtrayError,
    NotifierError,
    NoVault,
    ProxyRefused,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
    StateError,
    Throttled,
    Unconfigured,
    Unreachable,
    UntrustedCertificate,
    VaultError,
    VaultLocked,
)
from mailtray.core.model import Account, AccountId, AuthAction
from mailtray.core.status import (
    DeedsChanged,
    Failed,
    Noticed,
    Polled,
    SignInFailed,
    Source,
    Started,
    Status,
    reduce,
)
from mailtray.core.troubles import SIGN_IN, Remedy, Trouble, as_json, of_error, troubles

if TYPE_CHECKING:
    from mailtray.core import errors
    from mailtray.core.status import Event

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ANN = Account(AccountId("ann.home"), "ann@example.test")
BEN = Account(AccountId("ben.home"), "ben@example.test")
LINK = "https://login.example/organizations/v2.0/adminconsent"


def refused(action: AuthAction | None, kind: type[errors.AuthError] = AuthBlocked) -> MailtrayError:
    return kind("a title", "a hint", action=action)


def approval() -> ConsentRequired:
    error = ConsentRequired("Not approved", action=AuthAction.ASK_ADMINISTRATOR)
    error.link = LINK
    return error


@pytest.mark.parametrize(
    ("error", "remedy", "key"),
    [
        (refused(AuthAction.SIGN_IN, SignInRequired), Remedy.SIGN_IN, ""),
        (refused(None, SignInRequired), Remedy.SIGN_IN, ""),
        (refused(AuthAction.SIGN_IN, SignInCancelled), Remedy.SIGN_IN, ""),
        (refused(AuthAction.SIGN_IN, ConsentRequired), Remedy.SIGN_IN, ""),
        (approval(), Remedy.ASK_APPROVAL, ""),
        (refused(AuthAction.ASK_ADMINISTRATOR, ConsentRequired), Remedy.SIGN_IN, ""),
        (refused(AuthAction.CORRECT_CLIENT_ID), Remedy.SETTINGS, "client_id"),
        (refused(AuthAction.CORRECT_TENANT), Remedy.SETTINGS, "tenant"),
        (refused(AuthAction.OTHER_ACCOUNT), Remedy.ADD_ACCOUNT, ""),
        (refused(AuthAction.CHECK_CLOCK), Remedy.CHECK_NOW, ""),
        (refused(AuthAction.REPORT), Remedy.REPORT, ""),
        (refused(AuthAction.NONE), Remedy.CHECK_NOW, ""),
        (refused(None), Remedy.CHECK_NOW, ""),
        (Unconfigured("a title"), Remedy.SET_UP, ""),
        (
            ConfigError(origin="f", key='accounts."a".name', problem="is odd"),
            Remedy.SETTINGS,
            'accounts."a".name',
        ),
        (ConfigError(origin="f", key="", problem="is no TOML"), Remedy.SETTINGS, ""),
        (NoVault("a title"), Remedy.CHECK_NOW, ""),
        (VaultLocked("a title"), Remedy.CHECK_NOW, ""),
        (VaultError("a title"), Remedy.CHECK_NOW, ""),
        (StateError("a title"), Remedy.CHECK_NOW, ""),
        (NotifierError("a title"), Remedy.CHECK_NOW, ""),
        (Unreachable("a title"), Remedy.CHECK_NOW, ""),
        (UntrustedCertificate("a title"), Remedy.SETTINGS, "ca_bundle"),
        (ProxyRefused("a title"), Remedy.SETTINGS, "proxy"),
        (Throttled("a title"), Remedy.CHECK_NOW, ""),
        (ServiceUnavailable("a title"), Remedy.CHECK_NOW, ""),
        (CursorExpired("a title"), Remedy.CHECK_NOW, ""),
        (InvalidResponse("a title"), Remedy.CHECK_NOW, ""),
        (AccessDenied("a title"), Remedy.SIGN_IN, ""),
        (FolderGone("a title"), Remedy.SETTINGS, "folders"),
        (MailboxUnavailable("a title"), Remedy.CHECK_NOW, ""),
        (MailtrayError("a title"), Remedy.CHECK_NOW, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MailtrayError) else str(value),
)
def test_each_error_has_one_button(error: MailtrayError, remedy: Remedy, key: str) -> None:
    found = of_error(error, "x")
    assert (found.remedy, found.key) == (remedy, key)
    assert found.means.english


@pytest.mark.parametrize("action", AuthAction)
def test_no_action_is_forgotten(action: AuthAction) -> None:
    # What a sign-in mends, and what is approved by a link, is known by its kind.
    by_kind = {AuthAction.SIGN_IN, AuthAction.ASK_ADMINISTRATOR}
    plain = of_error(MailtrayError("a title"), "x").means
    assert (of_error(refused(action), "x").means == plain) is (action in by_kind)


def found(*events: Event, status: Status | None = None) -> tuple[Trouble, ...]:
    return troubles(fold(reduce, events, status or Status()))


MAIL = Polled(ANN.id, 0, (), NOON)
OFFLINE, SIGNED_OUT = Unreachable("No connection"), SignInRequired("Signed out")
LACKING, GONE = ConsentRequired("Previews need a permission"), FolderGone("Gone: no folder")
NO_VAULT, NO_STATE = NoVault("No keyring"), StateError("No memory")
CANCELLED = SignInCancelled("Cancelled")


@pytest.mark.parametrize(
    ("events", "abouts"),
    [
        pytest.param([], [], id="starting"),
        pytest.param([Started((ANN,)), MAIL], [], id="all is well"),
        pytest.param([Started(())], [(SIGN_IN, "Signed out")], id="nobody is signed in"),
        pytest.param(
            [Started(()), SignInFailed(CANCELLED)], [(SIGN_IN, "Cancelled")], id="nobody yet"
        ),
        pytest.param(
            [Started((ANN,)), MAIL, SignInFailed(CANCELLED)], [], id="no other account after all"
        ),
        pytest.param(
            [Started((ANN,)), MAIL, SignInFailed(refused(AuthAction.NONE))],
            [(SIGN_IN, "a title")],
            id="another account is blocked",
        ),
        pytest.param(
            [Started((ANN,)), Failed(ANN.id, SIGNED_OUT, NOON), SignInFailed(SIGNED_OUT)],
            [(ANN.id, "Signed out")],
            id="told once",
        ),
        pytest.param(
            [
                Started((ANN, BEN)),
                Failed(ANN.id, OFFLINE, NOON),
                Failed(BEN.id, SIGNED_OUT, NOON),
                Noticed(Source.STATE, NO_STATE),
                Noticed(Source.VAULT, NO_VAULT),
            ],
            [
                (BEN.id, "Signed out"),
                (ANN.id, "No connection"),
                ("vault", "No keyring"),
                ("state", "No memory"),
            ],
            id="the worst first",
        ),
        pytest.param(
            [
                Started((ANN,)),
                replace(MAIL, lacking=LACKING, troubles=(GONE,)),
                DeedsChanged(ANN.id, 2, ConsentRequired("May not change mail")),
            ],
            [
                (ANN.id, "Previews need a permission"),
                (ANN.id, "Gone: no folder"),
                (ANN.id, "May not change mail"),
            ],
            id="all of an account goes by one name",
        ),
    ],
)
def test_what_is_wrong(events: list[Event], abouts: list[tuple[str, str]]) -> None:
    assert [(one.about, one.error.title) for one in found(*events)] == abouts


def test_since_when() -> None:
    offline = found(
        Started((ANN,)),
        Failed(ANN.id, OFFLINE, NOON),
        Failed(ANN.id, OFFLINE, LATER, retry=LATER + timedelta(minutes=5)),
    )
    assert [(one.since, one.retry) for one in offline] == [(NOON, LATER + timedelta(minutes=5))]
    lacking = replace(MAIL, lacking=LACKING)
    assert [one.since for one in found(Started((ANN,)), lacking, replace(lacking, at=LATER))] == [
        NOON
    ]
    vault = Noticed(Source.VAULT, NO_VAULT, NOON)
    again = Noticed(Source.VAULT, NoVault("No keyring"), LATER)
    assert [one.since for one in found(vault, again)] == [NOON]
    mended = Noticed(Source.VAULT, None, LATER)
    assert [one.since for one in found(vault, mended, again)] == [LATER]
    assert [one.since for one in found(Started(()), SignInFailed(CANCELLED, LATER))] == [LATER]


def test_what_waits_for_a_permission_is_mended_by_giving_it() -> None:
    plain, known = ConsentRequired("May not change mail"), approval()
    asked = [
        found(Started((ANN,)), MAIL, DeedsChanged(ANN.id, 1, error))[0] for error in (plain, known)
    ]
    assert [one.remedy for one in asked] == [Remedy.ALLOW_CHANGES, Remedy.ASK_APPROVAL]


def test_other_processes_are_told_all_that_support_asks_for() -> None:
    refusal = AuthBlocked(
        "Blocked", "Ask.", code=53003, correlation_id="1-2", action=AuthAction.NONE
    )
    told = as_json(found(Started((ANN,)), Failed(ANN.id, refusal, NOON))[0])
    assert told["means"]
    assert {key: told[key] for key in told if key != "means"} == {
        "about": ANN.id,
        "account": ANN.username,
        "kind": "AuthBlocked",
        "title": "Blocked",
        "hint": "Ask.",
        "remedy": "check_now",
        "key": "",
        "since": "2026-03-02T12:00:00+00:00",
        "retry": None,
        "code": 53003,
        "correlation_id": "1-2",
        "request_id": None,
        "link": None,
    }
    graph = as_json(of_error(AccessDenied("Denied", request_id="3-4"), "x"))
    assert (graph["request_id"], graph["code"], graph["account"]) == ("3-4", None, None)
    assert as_json(of_error(approval(), "x"))["link"] == LINK
