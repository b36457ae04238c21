"""The doctor, as a command: on desktops that lack something, and where something is wrong."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from mailtray.core.doctor import Part, Verdict
from mailtray.simulator import Simulator
from tests.desktop.conftest import require
from tests.desktop.rig import DesktopSession
from tests.e2e.company_network import MICROSOFT, ForwardProxy, TlsFront, server_context
from tests.e2e.program import CLIENT_ID, MAILTRAY, Program, bare_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYTHING = {part.value for part in Part}


class Findings:
    """What ``mailtray doctor --json`` said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert done.stderr == ""
        self.code = done.returncode
        told: dict[str, Any] = json.loads(done.stdout)
        assert told.keys() == {"checks"}
        self.checks: list[dict[str, str]] = told["checks"]
        for one in self.checks:
            assert one.keys() == {"name", "status", "found", "action"}
            assert one["found"]

    def __getitem__(self, name: str) -> dict[str, str]:
        return next(one for one in self.checks if one["name"] == name)

    def names_exactly(self, wrong: set[str]) -> None:
        """Hold that all is looked at, and that what is not good is this and has an action."""
        assert {one["name"] for one in self.checks} == EVERYTHING
        assert {one["name"] for one in self.checks if one["status"] != "ok"} == wrong, self.checks
        assert self.code == int(bool(self.names(Verdict.FAIL)))
        for one in self.checks:
            assert one["action"] or one["status"] in {"ok", "unknown"}, one

    def names(self, *statuses: Verdict) -> set[str]:
        return {one["name"] for one in self.checks if one["status"] in statuses}


def examine(home: Path, env: Mapping[str, str], *options: str) -> Findings:
    words = [*MAILTRAY, "doctor", "--json", "--home", str(home), *options]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=40, check=False)
    return Findings(done)


# -- desktops that lack something ------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole_session() -> Iterator[DesktopSession]:
    require("bus", "display", "keyring", "notify", "tray")
    with DesktopSession() as session:
        yield session


@pytest.fixture(scope="module")
def microsoft() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


def on_desktop(session: DesktopSession, microsoft: Simulator, folder: Path) -> Findings:
    options = ("--service-url", microsoft.url, "--client-id", CLIENT_ID)
    return examine(folder / "home", silent(session), *options)


def silent(session: DesktopSession) -> dict[str, str]:
    """Return a desktop's environment with no sound wished, as the rig's server plays none."""
    return {**session.env, "MAILTRAY_SOUND": "none"}


@pytest.mark.desktop
@pytest.mark.parametrize(
    ("lacking", "missing"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({"tray": False}, {"tray"}, id="tray"),
        pytest.param({"notify": False}, {"notifications"}, id="notification server"),
        pytest.param({"keyring": None}, {"keyring"}, id="keyring"),
        pytest.param({"keyring": "locked"}, {"keyring"}, id="unlocked keyring"),
        pytest.param({"bus": False}, {"tray", "notifications", "keyring"}, id="bus"),
        # What needs a display is not there without one.
        pytest.param(
            {"display": False}, {"display", "tray", "notifications", "browser"}, id="display"
        ),
    ],
)
def test_in_each_lame_desktop_it_names_exactly_the_missing_part(
    simulator: Simulator, tmp_path: Path, lacking: dict[str, Any], missing: set[str]
) -> None:
    require("bus", "display", "keyring", "notify", "tray")
    with (
        DesktopSession(**lacking) as session,
        Program(tmp_path / "home", simulator.url, silent(session)) as program,
    ):
        program.sign_in()
        # On its own environment, for the program's names a browser of the tests.
        found = on_desktop(session, simulator, tmp_path)
    found.names_exactly(missing)


# -- one thing wrong, on a desktop that has everything ---------------------------------------------

Wrong = Callable[[Program, Simulator, ExitStack], Mapping[str, str]]
"""Makes one thing wrong; returns more options for the doctor, and variables in capitals."""


def signed_out(program: Program, _simulator: Simulator, _stack: ExitStack) -> Mapping[str, str]:
    assert program.run("signout").returncode == 0
    return {}


def broken_settings(
    program: Program, _simulator: Simulator, _stack: ExitStack
) -> Mapping[str, str]:
    (program.home / "settings.toml").write_text("preview = 3\n")
    return {}


def no_client_id(_program: Program, _simulator: Simulator, _stack: ExitStack) -> Mapping[str, str]:
    return {"--client-id": ""}


def no_network(_program: Program, _simulator: Simulator, _stack: ExitStack) -> Mapping[str, str]:
    with Simulator() as gone:
        return {"--service-url": gone.url}


def slow_clock(_program: Program, _simulator: Simulator, stack: ExitStack) -> Mapping[str, str]:
    now = time.time  # noqa: TID251 - the simulator's clock is shifted by it
    elsewhere = stack.enter_context(Simulator(now=lambda: now() + 3600))
    return {"--service-url": elsewhere.url}


def wrong_proxy(_program: Program, _simulator: Simulator, _stack: ExitStack) -> Mapping[str, str]:
    return {"--service-url": "", "HTTPS_PROXY": "http://127.0.0.1:9"}


def untrusted(_program: Program, simulator: Simulator, stack: ExitStack) -> Mapping[str, str]:
    port = int(simulator.url.rpartition(":")[2])
    front = stack.enter_context(TlsFront(server_context(trustme.CA()), port))
    proxy = stack.enter_context(ForwardProxy(dict.fromkeys(MICROSOFT, front.port)))
    return {"--service-url": "", "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}


UNREACHED = {"sign_in_service", "mail_service", "clock"}
"""What cannot be good where Microsoft is not met; the clock has nothing to be compared with."""


@pytest.mark.parametrize(
    ("go_wrong", "wrong"),
    [
        pytest.param(signed_out, {"sign_in", "mailbox"}, id="signed out"),
        pytest.param(broken_settings, {"settings"}, id="broken settings"),
        pytest.param(no_client_id, {"client_id"}, id="no client id"),
        pytest.param(no_network, UNREACHED, id="no network"),
        pytest.param(slow_clock, {"clock"}, id="clock an hour behind"),
        pytest.param(wrong_proxy, UNREACHED | {"proxy", "certificate"}, id="proxy"),
        pytest.param(untrusted, UNREACHED | {"certificate"}, id="untrusted certificate"),
    ],
)
@pytest.mark.desktop
def test_of_one_thing_wrong_it_names_exactly_that(
    simulator: Simulator,
    whole_session: DesktopSession,
    tmp_path: Path,
    go_wrong: Wrong,
    wrong: set[str],
) -> None:
    with (
        Program(tmp_path / "home", simulator.url, silent(whole_session)) as program,
        ExitStack() as stack,
    ):
        program.sign_in()
        said = {"--service-url": simulator.url, "--client-id": CLIENT_ID}
        said |= go_wrong(program, simulator, stack)
        env = silent(whole_session) | {key: said.pop(key) for key in tuple(said) if key.isupper()}
        options = [word for option in said.items() if option[1] for word in option]
        found = examine(program.home, env, *options)
    found.names_exactly(wrong)


@pytest.mark.desktop
def test_a_whole_desktop_is_described(
    microsoft: Simulator, whole_session: DesktopSession, tmp_path: Path
) -> None:
    found = on_desktop(whole_session, microsoft, tmp_path)
    assert found["keyring"]["found"] == "Secret Service writes, reads and erases"
    assert found["notifications"]["found"].startswith("dunst ")
    assert "clicks" in found["notifications"]["found"]
    assert found["tray"]["found"] == "a panel shows icons (StatusNotifier)"
    assert found["display"]["found"].startswith("X11, :")


# -- where nothing works ---------------------------------------------------------------------------


def test_it_works_where_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = bare_environment(tmp_path) | {"HTTPS_PROXY": "http://127.0.0.1:9"}
    found = examine(tmp_path / "file" / "home", env)
    assert found.code == 1
    assert {one["name"] for one in found.checks} == EVERYTHING
    assert found.names(Verdict.FAIL) >= {"settings", "proxy"}
    assert found["versions"]["status"] == "ok"


def test_it_makes_nothing(tmp_path: Path) -> None:
    env = bare_environment(tmp_path) | {"HTTPS_PROXY": "http://127.0.0.1:9"}
    found = examine(tmp_path / "home", env)
    assert found["client_id"]["status"] == "fail"
    assert found["state_file"]["found"] == "there is none yet"
    assert not (tmp_path / "home").exists()


def test_a_broken_settings_file_is_told_and_the_rest_is_looked_at(
    microsoft: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text("preview = 3\n")
    found = examine(tmp_path, bare_environment(tmp_path), "--service-url", microsoft.url)
    assert found["settings"]["status"] == "fail"
    assert "preview" in found["settings"]["found"]
    assert "true or false" in found["settings"]["found"]
    assert found["client_id"]["status"] == "unknown"
    assert found["mail_service"]["status"] == "ok"


def test_for_people_it_is_one_line_a_check(microsoft: Simulator, tmp_path: Path) -> None:
    words = [*MAILTRAY, "doctor", "--home", str(tmp_path), "--service-url", microsoft.url]
    done = subprocess.run(
        words, env=bare_environment(tmp_path), capture_output=True, text=True, timeout=40,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) == len(EVERYTHING)
    assert lines[1].startswith("fails      Client id: none is set → Put client_id")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"no database at all, but long enough" * 40, "cannot be read", id="rubbish"),
        pytest.param(b"", "is damaged", id="empty"),
    ],
)
def test_a_damaged_state_file(tmp_path: Path, content: bytes, words: str) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "state.db").write_bytes(content)
    env = bare_environment(tmp_path) | {"HTTPS_PROXY": "http://127.0.0.1:9"}
    found = examine(tmp_path, env)
    assert found["state_file"]["status"] == "fail"
    assert words in found["state_file"]["found"]
    assert (state / "state.db").read_bytes() == content


# -- the services ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_s", "status", "words"),
    [
        pytest.param(0, "ok", "agrees with Microsoft's", id="right"),
        pytest.param(-120, "attention", "2 minutes ahead", id="a little ahead"),
        pytest.param(3600, "fail", "60 minutes behind", id="an hour behind"),
    ],
)
def test_the_clock(tmp_path: Path, ahead_s: float, status: str, words: str) -> None:
    now = time.time  # noqa: TID251 - the simulator's clock is shifted by it
    with Simulator(now=lambda: now() + ahead_s) as elsewhere:
        found = examine(tmp_path, bare_environment(tmp_path), "--service-url", elsewhere.url)
    assert (found["clock"]["status"], found["clock"]["found"]) == (status, words)
    assert found["sign_in_service"]["status"] == "ok"


def test_nothing_answers(tmp_path: Path) -> None:
    with Simulator() as gone:
        url = gone.url
    found = examine(tmp_path, bare_environment(tmp_path), "--service-url", url)
    services = {"sign_in_service", "mail_service"}
    assert found.names(Verdict.FAIL) == services | {"client_id"}
    assert found["clock"]["status"] == "unknown"


# -- beside the running program --------------------------------------------------------------------


def test_signed_out(program: Program) -> None:
    found = Findings(program.run("doctor", "--json"))
    assert found.code == 1
    assert found["sign_in"]["status"] == "fail"
    assert "Sign in" in found["sign_in"]["action"]
    assert found["program"]["status"] == "ok"


def test_signed_in_and_then_revoked(program: Program, simulator: Simulator) -> None:
    program.sign_in()
    found = Findings(program.run("doctor", "--json"))
    assert found["sign_in"]["found"].endswith(": signed in, allowed Mail.ReadBasic")
    assert found["mailbox"]["status"] == found["polls"]["status"] == "ok"
    assert found["state_file"]["status"] == "ok"
    assert found["folders"]["status"] == "ok"
    mark = program.mark()
    simulator.cloud.revoke_refresh_tokens()
    simulator.cloud.expire_access_tokens()
    program.wait(mark, event="status", state="attention")
    found = Findings(program.run("doctor", "--json"))
    assert "revoked" in found["sign_in"]["found"]
    assert found["sign_in"]["action"]
    assert found["mailbox"]["status"] == "unknown"


def test_without_the_program_it_tells_what_the_keyring_keeps_and_asks_for_no_token(
    program: Program, simulator: Simulator
) -> None:
    program.sign_in()
    assert program.run("quit").returncode == 0
    program.ended()
    simulator.cloud.clear_log()
    found = Findings(program.run("doctor", "--json"))
    assert found["program"]["status"] == "attention"
    assert found["sign_in"]["found"].endswith(": signed in, allowed Mail.ReadBasic")
    assert not [one for one in simulator.cloud.log() if one.path.endswith("/token")]
