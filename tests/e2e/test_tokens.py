# ruff: noqa: E501 - the table has one line a code
"""Every end of a saved sign-in: what is said, what is asked of Microsoft, and how it goes on.

The table is played by the simulator against the real adapters in this process, on a clock that
moves when told; a handful of its lines against the real program.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from mailtray.adapters.msal_errors import MEANINGS
from mailtray.app.commands import Clicked, SignIn
from mailtray.app.poller import Poller
from mailtray.core.errors import AuthBlocked, AuthError, ConsentRequired, SignInRequired
from mailtray.core.model import AccountId, AuthAction
from mailtray.simulator import Fault, Simulator
from mailtray.simulator.browser import walk
from tests.adapters.rig import ADA, LOGIN_ROOT, Rig, microsoft_365
from tests.app.rig import Rig as Desk
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailtray.core.model import Notification
    from mailtray.simulator.traffic import LoggedRequest
    from tests.desktop.rig import DesktopSession

CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["p1"]}}}'
SECOND_TRY_S = 65.0
LONG_S = 4 * 3_600.0
ASK, PAGE, REGISTRATION, TENANT, OTHER, REPORT, NOTHING = (
    AuthAction.SIGN_IN,
    AuthAction.ASK_ADMINISTRATOR,
    AuthAction.CORRECT_CLIENT_ID,
    AuthAction.CORRECT_TENANT,
    AuthAction.OTHER_ACCOUNT,
    AuthAction.REPORT,
    AuthAction.NONE,
)


@dataclass(frozen=True)
class Line:
    """One refusal: what is answered, and what becomes of it."""

    code: int
    error: str
    suberror: str | None
    kind: type[AuthError]
    action: AuthAction
    words: str

    def __str__(self) -> str:
        return str(self.code)


# fmt: off
TABLE = (
    Line(16000, "interaction_required", None, SignInRequired, ASK, "More than one account is signed in"),
    Line(50055, "invalid_grant", "user_password_expired", SignInRequired, ASK, "Your password has expired"),
    Line(50058, "login_required", None, SignInRequired, ASK, "No one is signed in in the browser"),
    Line(50072, "interaction_required", None, SignInRequired, ASK, "Your organisation wants a second check set up"),
    Line(50074, "interaction_required", None, SignInRequired, ASK, "The second check was not passed"),
    Line(50076, "invalid_grant", "basic_action", SignInRequired, ASK, "Your organisation now wants a second check"),
    Line(50078, "invalid_grant", "additional_action", SignInRequired, ASK, "Your second check has expired"),
    Line(50079, "interaction_required", "basic_action", SignInRequired, ASK, "Your organisation wants a second check set up"),
    Line(50089, "invalid_grant", None, SignInRequired, ASK, "The sign-in took too long"),
    Line(50126, "invalid_grant", None, SignInRequired, ASK, "The name or the password was wrong"),
    Line(50132, "invalid_grant", "bad_token", SignInRequired, ASK, "The sign-in is no longer valid"),
    Line(50133, "invalid_grant", "bad_token", SignInRequired, ASK, "The sign-in ended with a changed password"),
    Line(50144, "invalid_grant", "user_password_expired", SignInRequired, ASK, "Your password has expired"),
    Line(50158, "interaction_required", "additional_action", SignInRequired, ASK, "An outside security check is missing"),
    Line(50173, "invalid_grant", "bad_token", SignInRequired, ASK, "Your sign-in was revoked"),
    Line(54005, "invalid_grant", None, SignInRequired, ASK, "The sign-in was used already"),
    Line(65001, "invalid_grant", "consent_required", ConsentRequired, ASK, "mailtray is not approved for this account yet"),
    Line(65004, "access_denied", None, ConsentRequired, ASK, "You declined the permissions"),
    Line(70000, "invalid_grant", "bad_token", SignInRequired, ASK, "The saved sign-in is not valid"),
    Line(70008, "invalid_grant", "token_expired", SignInRequired, ASK, "The sign-in expired from disuse"),
    Line(70043, "invalid_grant", "token_expired", SignInRequired, ASK, "Your organisation wants sign-ins more often"),
    Line(700082, "invalid_grant", "token_expired", SignInRequired, ASK, "The sign-in expired from disuse"),
    Line(700084, "invalid_grant", "token_expired", AuthBlocked, REGISTRATION, "The sign-in lasts one day only"),
    Line(50053, "invalid_grant", None, AuthBlocked, NOTHING, "The account is locked or the address blocked"),
    Line(50057, "invalid_grant", "bad_token", AuthBlocked, NOTHING, "This account is disabled"),
    Line(50105, "interaction_required", None, AuthBlocked, NOTHING, "You are not assigned to this application"),
    Line(53000, "invalid_grant", "device_authentication_failed", AuthBlocked, NOTHING, "This computer does not meet your organisation's rules"),
    Line(53001, "invalid_grant", "device_authentication_failed", AuthBlocked, NOTHING, "This computer does not belong to your organisation"),
    Line(53002, "interaction_required", "message_only", AuthBlocked, NOTHING, "Your organisation does not allow this application"),
    Line(53003, "interaction_required", "message_only", AuthBlocked, NOTHING, "Your organisation blocked the access"),
    Line(53004, "interaction_required", "message_only", AuthBlocked, NOTHING, "Your second check has to be registered first"),
    Line(53005, "unauthorized_client", "protection_policy_required", AuthBlocked, NOTHING, "Your organisation allows protected applications only"),
    Line(530032, "invalid_grant", "message_only", AuthBlocked, NOTHING, "Your organisation's security rules blocked it"),
    Line(530036, "invalid_grant", "message_only", AuthBlocked, NOTHING, "Your organisation's security rules blocked it"),
    Line(90094, "access_denied", None, ConsentRequired, PAGE, "An administrator must approve mailtray"),
    Line(90095, "access_denied", None, ConsentRequired, PAGE, "An administrator must approve mailtray"),
    Line(90099, "invalid_grant", None, ConsentRequired, PAGE, "mailtray is not approved in that organisation"),
    Line(500011, "invalid_resource", None, ConsentRequired, PAGE, "That organisation does not know Microsoft Graph"),
    Line(650056, "invalid_client", None, ConsentRequired, PAGE, "Permissions are missing or not approved"),
    Line(50011, "invalid_client", None, AuthBlocked, REGISTRATION, "The return address is not registered"),
    Line(50194, "invalid_request", None, AuthBlocked, REGISTRATION, "The registration is for one organisation only"),
    Line(9002346, "invalid_request", None, AuthBlocked, REGISTRATION, "The registration is for personal accounts only"),
    Line(50059, "invalid_request", None, AuthBlocked, TENANT, "The organisation is not named"),
    Line(50128, "invalid_client", None, AuthBlocked, TENANT, "The organisation was not found"),
    Line(70011, "invalid_scope", None, AuthBlocked, REGISTRATION, "The name of a permission is not valid"),
    Line(90002, "invalid_request", None, AuthBlocked, TENANT, "The organisation was not found"),
    Line(90013, "invalid_request", None, AuthBlocked, TENANT, "The organisation's name is not valid"),
    Line(500113, "invalid_client", None, AuthBlocked, REGISTRATION, "No return address is registered"),
    Line(650052, "access_denied", None, AuthBlocked, REGISTRATION, "The organisation has no access to this service"),
    Line(650053, "invalid_client", None, AuthBlocked, REGISTRATION, "A permission does not exist in that organisation"),
    Line(700016, "unauthorized_client", None, AuthBlocked, REGISTRATION, "The client id was not found there"),
    Line(700054, "unsupported_response_type", None, AuthBlocked, REGISTRATION, "The registration does not allow this kind of sign-in"),
    Line(900023, "invalid_request", None, AuthBlocked, TENANT, "The organisation's name is not valid"),
    Line(900971, "invalid_request", None, AuthBlocked, REGISTRATION, "No return address is registered"),
    Line(7000112, "unauthorized_client", None, AuthBlocked, REGISTRATION, "This application is disabled"),
    Line(7000215, "invalid_client", None, AuthBlocked, REGISTRATION, "The registration wants a client secret"),
    Line(7000218, "invalid_client", None, AuthBlocked, REGISTRATION, "The registration is not a public client"),
    Line(9002326, "invalid_request", None, AuthBlocked, REGISTRATION, "The return address is registered as a web page"),
    Line(50020, "invalid_grant", None, AuthBlocked, OTHER, "This account is not in that organisation"),
    Line(50034, "invalid_grant", None, AuthBlocked, OTHER, "This account is not in that organisation"),
    Line(90072, "invalid_request", None, AuthBlocked, OTHER, "That organisation does not know this account"),
    Line(900144, "invalid_request", None, AuthBlocked, REPORT, "The sign-in request lacked a part (AADSTS900144)"),
    Line(9002313, "invalid_request", None, AuthBlocked, REPORT, "The sign-in request was malformed (AADSTS9002313)"),
    Line(999999, "invalid_grant", None, SignInRequired, ASK, "Sign-in failed (AADSTS999999)"),
    Line(888888, "invalid_something", None, AuthBlocked, REPORT, "Sign-in failed (AADSTS888888)"),
)
# fmt: on
UNKNOWN = {999999, 888888}


def test_the_table_has_a_line_for_every_code() -> None:
    assert {line.code for line in TABLE} == MEANINGS.keys() | UNKNOWN
    assert len({line.code for line in TABLE}) == len(TABLE)


# -- in this process ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared_simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def entra(shared_simulator: Simulator) -> Iterator[Rig]:
    with microsoft_365(shared_simulator) as rig:
        yield rig


@pytest.fixture
def desk(entra: Rig) -> Desk:
    """The poller over the real adapters, with Ada signed in, one message told and a cursor."""
    desk = over(entra)
    desk.do(SignIn())
    desk.finish_sign_in()
    entra.cloud.deliver(subject="Before")
    desk.check()
    assert len(desk.told()) == 1
    return desk


def over(
    entra: Rig, scopes: tuple[str, ...] = ("Mail.ReadBasic",), before: Desk | None = None
) -> Desk:
    """Return the poller over the real adapters."""
    desk = Desk(before=before, scopes=scopes)
    desk.clock = entra.clock
    world = replace(desk.poller._world, clock=entra.clock, identity=entra.identity, mail=entra.mail)
    desk.poller = Poller(world, desk.poller._wishes, desk.inbox, desk.workers)
    desk.do()
    return desk


def refuse(entra: Rig, line: Line) -> None:
    """Let the saved sign-in be refused from now on, with no access token left."""
    entra.cloud.revoke_refresh_tokens(
        aadsts=line.code, suberror=line.suberror, error=line.error, claims=CLAIMS
    )
    entra.cloud.expire_access_tokens()


def error_of(desk: Desk) -> AuthError:
    (one,) = desk.poller._board.status.accounts.values()
    assert isinstance(one.error, AuthError)
    return one.error


def only_account(desk: Desk) -> AccountId:
    (found,) = desk.poller._board.status.accounts
    return found


@pytest.mark.parametrize("line", TABLE, ids=str)
def test_an_end_of_the_sign_in(entra: Rig, desk: Desk, line: Line) -> None:
    refuse(entra, line)
    desk.check()
    if line.code == 70000:
        assert desk.events("status")[-1]["state"] == "throttled"
        assert len(desk.notifier.shown) == 1
        desk.pass_time(SECOND_TRY_S + 1)
    told = said_once(entra, desk, line)
    nothing_is_asked_until_the_person_acts(entra, desk)
    entra.cloud.deliver(subject="Meanwhile")
    desk.do(Clicked(told) if line.action is ASK else SignIn(only_account(desk)))
    desk.finish_sign_in()
    goes_on_from_where_it_was(entra, desk)
    assert told.tag not in desk.notifier.on_screen


def said_once(entra: Rig, desk: Desk, line: Line) -> Notification:
    """Expect one state in words, one notification and what mends it."""
    error = error_of(desk)
    assert (type(error), error.code, error.action) == (line.kind, line.code, line.action)
    assert desk.view.tooltip.startswith(line.words)
    assert desk.events("status")[-1]["state"] == "attention"
    (told,) = [one for one in desk.notifier.shown if not one.message_ids]
    assert (told.title, told.body) == (line.words, f"{error.hint}\n{ADA}")
    assert told.command == {ASK: "sign_in", OTHER: "add_account"}.get(line.action, "explain")
    assert bool(error.link) is (line.action is PAGE)
    assert error.correlation_id
    if line.code in UNKNOWN or line.action is REPORT:
        assert error.correlation_id in told.body
    shown = f"{told}{desk.view}{error!r}{desk.sink.events}"
    assert not [secret for secret in secrets_of(entra) if secret in shown]
    return told


def nothing_is_asked_until_the_person_acts(entra: Rig, desk: Desk) -> None:
    shown, opened = len(desk.notifier.shown), entra.person.opened
    entra.cloud.clear_log()
    desk.pass_time(LONG_S)
    assert entra.cloud.counts()["total"] == 0
    assert (len(desk.notifier.shown), entra.person.opened) == (shown, opened)


def goes_on_from_where_it_was(entra: Rig, desk: Desk) -> None:
    """Expect one sign-in page asked as it should be, the old cursor, and no flood."""
    asked_as_it_should_be(entra.cloud.log())
    assert sorted(desk.told().values()) == [1, 1]
    assert desk.events("status")[-1]["state"] == "ok"


def asked_as_it_should_be(log: list[LoggedRequest]) -> None:
    (page,) = [each for each in log if each.path.endswith("/authorize")]
    asked = parse_qs(page.query)
    assert asked["login_hint"] == [ADA]
    claims = json.loads(asked["claims"][0])["access_token"]
    assert claims["capolids"] == {"essential": True, "values": ["p1"]}
    rounds = [each.query for each in log if each.path.endswith("/delta")]
    assert rounds
    assert all("token=" in query for query in rounds)


def secrets_of(entra: Rig) -> list[str]:
    grants = entra.cloud.grants
    return [*grants._codes, *grants._access, *grants._refresh]


@pytest.mark.parametrize("line", [each for each in TABLE if each.kind is AuthBlocked], ids=str)
def test_what_blocks_is_tried_once_a_click_and_told_once(
    entra: Rig, desk: Desk, line: Line
) -> None:
    refuse(entra, line)
    desk.check()
    entra.cloud.clear_log()
    for tries in (1, 2):
        desk.check()
        assert entra.cloud.counts()["token"] == tries
    assert len(desk.notifier.shown) == 2
    assert "Sign in again" not in [item.label for item in desk.view.menu]


@pytest.mark.parametrize(
    ("status", "code"), [(400, 90033), (400, 90012), (400, 50196), (429, 50173), (503, 50173)]
)
def test_passing_trouble_dressed_as_a_refusal_bothers_nobody(
    entra: Rig, desk: Desk, status: int, code: int
) -> None:
    body = {"error": "invalid_grant", "error_codes": [code], "error_description": f"AADSTS{code}"}
    entra.cloud.expire_access_tokens()
    entra.cloud.add_fault(Fault(path="/token", status=status, body=body, times=3))
    entra.cloud.deliver()
    entra.cloud.clear_log()
    desk.check()
    assert desk.events("status")[-1]["state"] == "throttled"
    desk.pass_time(LONG_S)
    assert [one for one in desk.notifier.shown if not one.message_ids] == []
    assert desk.events("status")[-1]["state"] == "ok"
    assert entra.cloud.counts()["token"] == 4
    assert sorted(desk.told().values()) == [1, 1]


def test_a_doubtful_refusal_that_passes_bothers_nobody(entra: Rig, desk: Desk) -> None:
    body = {"error": "invalid_grant", "error_codes": [70000], "error_description": "AADSTS70000"}
    entra.cloud.expire_access_tokens()
    entra.cloud.add_fault(Fault(path="/token", status=400, body=body))
    entra.cloud.clear_log()
    desk.check()
    desk.check()
    assert entra.cloud.counts()["token"] == 1  # not even a click cuts the wait
    desk.pass_time(SECOND_TRY_S + 1)
    assert entra.cloud.counts()["token"] == 2
    assert len(desk.notifier.shown) == 1


def test_a_refused_permission_costs_only_what_it_is_for(entra: Rig, desk: Desk) -> None:
    later = over(entra, ("Mail.Read",), before=desk)
    entra.cloud.clear_log()
    entra.cloud.deliver(subject="Plain", preview="The beginning of the text")
    later.pass_time(600.0)
    assert entra.cloud.counts()["token"] <= 2
    assert sorted(later.told().values()) == [1, 1]
    (told,) = [one for one in later.notifier.shown if not one.message_ids]
    assert told.title == "Previews need a permission"
    assert later.events("status")[-1]["state"] == "ok"

    later.do(Clicked(told))
    later.finish_sign_in()
    entra.cloud.deliver(subject="Whole", preview="The beginning of the text")
    later.check()
    assert later.notifier.shown[-1].body == "Whole\nThe beginning of the text"
    assert sorted(later.told().values()) == [1, 1, 1]
    assert told.tag not in later.notifier.on_screen


def test_a_permission_that_an_administrator_took_back(entra: Rig) -> None:
    desk = over(entra, ("Mail.Read",))
    desk.do(SignIn())
    desk.finish_sign_in()
    account = entra.cloud.account()
    for consents in account.consents.values():
        consents.discard("Mail.Read")
        consents.add("Mail.ReadBasic")
    entra.cloud.read_basic_preview = "forbid"
    entra.cloud.expire_access_tokens()
    entra.cloud.deliver(subject="Plain", preview="The beginning of the text")
    desk.check()
    assert sorted(desk.told().values()) == [1]
    assert desk.events("status")[-1]["state"] == "ok"


# -- the real program -----------------------------------------------------------------------------


def notices(program: Program) -> list[dict[str, object]]:
    return [e for e in program.events if e["event"] == "notification" and not e["ids"]]


@pytest.mark.parametrize(
    "line", [each for each in TABLE if each.code in {50076, 70043, 53003, 90094, 999999}], ids=str
)
def test_the_program_says_it_once_and_waits_for_the_person(
    program: Program, simulator: Simulator, line: Line
) -> None:
    program.sign_in()
    before = simulator.cloud.deliver()
    program.wait_told(before)
    mark = program.mark()
    simulator.cloud.revoke_refresh_tokens(
        aadsts=line.code, suberror=line.suberror, error=line.error, claims=CLAIMS
    )
    simulator.cloud.expire_access_tokens()
    status = program.wait(mark, event="status", state="attention")
    assert status["tooltip"].startswith(line.words)
    assert program.wait(mark, event="notification", ids=[])["title"] == line.words
    simulator.cloud.clear_log()
    missed = simulator.cloud.deliver(count=2)
    link = link_told(program, line)
    assert simulator.cloud.counts()["total"] == 0
    if line.action is PAGE:
        page = link.replace(LOGIN_ROOT, simulator.url)
        given = requests.post(page, {"action": "accept"}, timeout=10, allow_redirects=False)
        assert "admin_consent=True" in given.headers["Location"]
    program.sign_in()
    program.wait_told(missed)
    asked_as_it_should_be(simulator.cloud.log())
    assert program.told() == dict.fromkeys(before + missed, 1)
    assert len(notices(program)) == 1


def link_told(program: Program, line: Line) -> str:
    """Expect what ``mailtray status`` says of it, and return the link for an administrator."""
    said = program.run("status")
    assert line.words in said.stdout
    assert f"AADSTS{line.code}, correlation id " in said.stdout
    told = json.loads(program.run("status", "--json").stdout)["accounts"][0]
    assert bool(told["link"]) is (line.action is PAGE)
    assert (told["link"] in said.stdout.splitlines()) is (line.action is PAGE)
    return str(told["link"])


def test_the_program_bothers_nobody_with_passing_trouble(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    mark = program.mark()
    body = {"error": "invalid_grant", "error_codes": [90033], "error_description": "AADSTS90033"}
    simulator.cloud.clear_log()
    simulator.cloud.add_fault(Fault(path="/token", status=400, body=body, times=2))
    simulator.cloud.expire_access_tokens()
    ids = simulator.cloud.deliver()
    program.wait(mark, event="status", state="throttled")
    program.wait_told(ids)
    program.wait(mark, event="status", state="ok")
    assert notices(program) == []
    assert simulator.cloud.counts()["token"] == 3


def test_the_program_goes_on_without_a_refused_permission(
    program: Program, simulator: Simulator, keyring_session: DesktopSession
) -> None:
    program.sign_in()
    program.wait_told(simulator.cloud.deliver())
    assert program.run("quit").returncode == 0
    program.ended()
    env = {**keyring_session.env, "MAILTRAY_PREVIEW": "true"}
    with Program(program.home, simulator.url, env) as wishful:
        ids = simulator.cloud.deliver(subject="Plain", preview="The beginning")
        wishful.wait_told(ids)
        assert wishful.wait(event="notification", ids=ids)["body"] == "Plain"
        wishful.wait(event="polled", times=5)
        assert [e["title"] for e in notices(wishful)] == ["Previews need a permission"]
        said = wishful.run("status")
        assert (said.returncode, "Previews need a permission" in said.stdout) == (0, True)
        mark = wishful.mark()
        wishful.sign_in()
        more = simulator.cloud.deliver(subject="Whole", preview="The beginning")
        wishful.wait_told(more)
        told = wishful.wait(mark, event="notification", ids=more)
        assert told["body"] == "Whole\nThe beginning"
        assert wishful.told() == dict.fromkeys(ids + more, 1)


def test_the_program_names_a_wrong_clock_and_goes_on(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    mark = program.mark()
    ahead = simulator.cloud.time() + timedelta(hours=2)
    simulator.cloud.add_fault(
        Fault(
            path="/v1.0/",
            status=401,
            headers={"Date": format_datetime(ahead, usegmt=True)},
            body={"error": {"code": "InvalidAuthenticationToken", "message": "x"}},
            times=2,
        )
    )
    status = program.wait(mark, event="status", state="attention")
    assert status["tooltip"].startswith("The clock of this computer is wrong")
    assert simulator.cloud.counts()["token_refresh_token"] == 1
    ids = simulator.cloud.deliver()
    assert program.run("check").returncode == 0
    program.wait_told(ids)
    assert len(notices(program)) == 1


def test_what_is_no_answer_to_a_sign_in_changes_nothing(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    env = {**keyring_session.env, "BROWSER": f"{sys.executable} -c pass %s"}
    with Program(tmp_path / "home", simulator.url, env) as program, ThreadPoolExecutor(1) as pool:
        command = pool.submit(program.run, "signin")
        url = str(program.wait(event="sign_in")["url"])
        asked = parse_qs(urlsplit(url).query)
        assert len(asked["nonce"][0]) >= 32
        back, state = asked["redirect_uri"][0], asked["state"][0]
        assert urlsplit(back).hostname == "localhost"
        for wrong in (
            {"code": "c", "state": "wrong"},
            {"code": "c"},
            {"error": "access_denied", "state": state[:-1]},
            {"state": state},
        ):
            assert requests.post(back, wrong, timeout=10).status_code == 400
        for fields in ({"code": "c", "state": state}, {"error": "access_denied", "state": state}):
            assert requests.get(back, fields, timeout=10).status_code == 400
        assert not command.done()
        assert "You are signed in" in walk(url, username=ADA)
        assert command.result(20).stdout == f"Signed in as {ADA}\n"
        with pytest.raises(requests.ConnectionError):
            requests.post(back, {"error": "access_denied", "state": state}, timeout=10)
        program.wait(event="polled")
        program.wait(event="status", state="ok", account=ADA)
        assert notices(program) == []


def test_an_answer_for_another_sign_in_is_not_taken(program: Program, simulator: Simulator) -> None:
    """The nonce of the ID token ties the answer to the sign-in that was begun."""
    body = {
        "token_type": "Bearer",
        "access_token": "a",
        "expires_in": 3599,
        "id_token": "h.eyJzdWIiOiJzIiwibm9uY2UiOiJhbm90aGVyIn0.s",
        "client_info": "e30",
    }
    simulator.cloud.add_fault(Fault(path="/token", status=200, body=body))
    refused = program.run("signin")
    assert refused.returncode == 1
    assert "unusable answer" in refused.stderr
    program.sign_in()
    program.wait(event="status", state="ok", account=ADA)
