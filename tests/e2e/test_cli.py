"""The commands, as a person or a script types them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from mailtray import cli
from mailtray.command_line import EXIT_INTERRUPTED
from tests.desktop.rig import wait_until
from tests.e2e.program import CLIENT_ID, MAILTRAY, Program, bare_environment

if TYPE_CHECKING:
    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

USERNAME = "ada@contoso.example"


def mailtray(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a home of its own, on a machine with no desktop."""
    return subprocess.run(
        [*MAILTRAY, *words, "--home", str(home)],
        env=bare_environment(home),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def begun(home: Path, *words: str) -> subprocess.Popen[str]:
    """Begin a command on a machine with no desktop."""
    return subprocess.Popen(
        [*MAILTRAY, *words],
        env=bare_environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("command", ["status", "pause", "resume", "quit"])
def test_what_asks_a_running_program_says_that_there_is_none(tmp_path: Path, command: str) -> None:
    done = mailtray(tmp_path / "typo", command)
    assert done.returncode == 5
    assert done.stderr.startswith("mailtray is not running\n")
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("command", ["run", "check", "signin", "signout"])
def test_a_home_that_cannot_be_written_to(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    done = mailtray(tmp_path / "file" / "home", command)
    assert done.returncode == 2
    assert "Choose another folder with --home." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "status", "autostart"])
def test_a_home_without_a_name_is_refused(command: str) -> None:
    done = CliRunner().invoke(cli.cli, [command, "--home", ""])
    assert done.exit_code == 2
    assert "name a folder" in done.output


def test_an_error_is_json_where_that_is_wished(tmp_path: Path) -> None:
    done = mailtray(tmp_path, "status", "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["error"] == "mailtray is not running"
    done = mailtray(tmp_path, "check", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout).keys() == {"error", "hint"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nowhere to write to")
@pytest.mark.parametrize("words", [["autostart", "status"], ["completion", "bash"]])
def test_an_output_that_is_full(tmp_path: Path, words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*MAILTRAY, *words],
            env=bare_environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert "Standard output cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        pytest.param(["run", "--interval", "1"], "", "--interval: must be", id="interval"),
        pytest.param(
            ["run", "--service-url", "http://192.0.2.1"], "", "--service-url: ", id="service url"
        ),
        pytest.param(
            ["run", "--client-id", "ada@x.example"],
            "",
            "mail address",
            id="an address as client id",
        ),
        pytest.param(["run"], 'clientid = "x"', 'did you mean "client_id"', id="misspelt key"),
        pytest.param(["run"], "preview = 3", "true or false", id="wrong type"),
        pytest.param(["run"], "tray = \n", "line 1", id="broken file"),
        pytest.param(["check"], "tray = \n", "line 1", id="broken file, another command"),
    ],
)
def test_a_wrong_wish_is_named(tmp_path: Path, words: list[str], settings: str, said: str) -> None:
    (tmp_path / "settings.toml").write_text(settings)
    done = mailtray(tmp_path, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_for_an_administrator_is_printed(tmp_path: Path) -> None:
    words = ("admin-consent-url", "--client-id", CLIENT_ID, "--tenant", "contoso.com")
    page = mailtray(tmp_path, *words)
    start = f"https://login.microsoftonline.com/contoso.com/v2.0/adminconsent?client_id={CLIENT_ID}"
    assert page.stdout.startswith(start)
    assert "Mail.ReadBasic" in page.stdout
    mail = mailtray(tmp_path, *words, "--mail")
    assert page.stdout in mail.stdout


def test_without_a_client_id_sign_in_says_what_to_do(tmp_path: Path) -> None:
    done = mailtray(tmp_path, "signin")
    assert done.returncode == 2
    assert str(tmp_path / "settings.toml") in done.stderr
    assert "mailtray demo" in done.stderr


def test_the_simulator_says_where_it_is_and_ends_when_told(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*MAILTRAY, "simulator"], env=bare_environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
        process.terminate()
        assert process.wait(10) == 0


def test_a_running_program_answers(program: Program, simulator: Simulator) -> None:
    signed_out = program.run("status", "--json")
    assert signed_out.returncode == 4
    assert json.loads(signed_out.stdout)["state"] == "signed_out"
    signed_in = program.run("signin")
    assert (signed_in.returncode, signed_in.stdout) == (0, f"Signed in as {USERNAME}\n")
    simulator.cloud.deliver(sender_name="Grace", subject="From the command line")
    checked = program.run("check")
    assert checked.returncode == 0
    assert "Grace: From the command line" in checked.stdout
    state = json.loads(program.run("check", "--json").stdout)
    assert state["unread"] == simulator.cloud.unread_count()
    (account,) = state["accounts"]
    assert (account["username"], account["state"]) == (USERNAME, "ok")
    assert account["messages"][0]["subject"] == "From the command line"
    assert program.run("signout").returncode == 0
    assert json.loads(program.run("status", "--json").stdout)["accounts"] == []
    assert program.run("quit").returncode == 0
    assert program.ended() == 0


def test_orders_are_answered_in_json(program: Program) -> None:
    def answer(*words: str) -> object:
        return json.loads(program.run(*words, "--json").stdout)

    assert answer("signin") == {"signed_in": USERNAME}
    assert answer("pause") == {"quiet": "paused", "paused_until": None}
    assert answer("resume") == {"quiet": None, "paused_until": None}
    assert answer("settings", "path") == {"path": str(program.home / "settings.toml")}
    changed = answer("settings", "set", "sound", "none")
    assert isinstance(changed, dict)
    assert (changed["key"], changed["value"], changed["from"]) == ("sound", "none", "file")
    refused = answer("act", "nothing", "archive")
    assert isinstance(refused, dict)
    assert refused["error"]
    assert answer("signout") == {"signed_out": True}
    assert answer("quit") == {"quit": True}
    assert program.ended() == 0


def test_a_second_start_shows_the_messages(
    program: Program, keyring_session: DesktopSession
) -> None:
    program.sign_in()
    again = subprocess.run(
        [*MAILTRAY, "--home", str(program.home)],
        env=keyring_session.env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert again.returncode == 3
    assert again.stderr.startswith("mailtray is already running\n")
    wait_until(lambda: f"open messages --home {program.home}" in processes(), 20.0)


def processes() -> str:
    """Return the command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode())
    return "\n".join(found)


def test_commands_do_without_a_running_program(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    program = Program(tmp_path / "home", simulator.url, keyring_session.env)
    assert program.run("check").returncode == 4
    assert program.run("signin").stdout == f"Signed in as {USERNAME}\n"
    checked = program.run("check", "--json")
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["unread"] == simulator.cloud.unread_count()
    assert program.run("signout").returncode == 0
    assert program.run("check").returncode == 4


TEAM = "team@contoso.example"


def with_folders(simulator: Simulator, home: Path) -> None:
    """Let there be folders, a shared mailbox and one of somebody else; watch some of them."""
    cloud = simulator.cloud
    projects = cloud.add_folder("Projects", parent="msgfolderroot")
    cloud.add_folder("Alpha", parent=projects)
    cloud.deliver(folder=projects, count=2)
    for address in (TEAM, "boss@contoso.example"):
        cloud.add_account(address, "Another")
    cloud.share_mailbox(TEAM, reader=USERNAME)
    home.mkdir(mode=0o700)
    watched = json.dumps(["inbox", "projects/alpha", f"{TEAM}/inbox"])
    (home / "settings.toml").write_text(f"folders = {watched}")


def see_folders(program: Program) -> None:
    """Look at the folders that ``with_folders`` made."""
    shown = program.run("folders")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = {" ".join(line.split()[1:]): line for line in shown.stdout.splitlines()}
    assert lines["Projects"] == "        2/2  Projects"
    assert lines["Alpha (watched)"] == "        0/0    Alpha  (watched)"
    assert "Inbox (watched)" in lines
    asked = json.loads(program.run("folders", "--json", "--account", USERNAME).stdout)
    assert (asked["account"], asked["mailbox"]) == (USERNAME, USERNAME)
    watched = {folder["path"]: folder["id"] for folder in asked["folders"] if folder["watched"]}
    assert watched.keys() == {"Inbox", "Projects/Alpha"}
    assert watched["Inbox"] in program.run("folders", "--ids").stdout
    shared = json.loads(program.run("folders", "--mailbox", TEAM, "--json").stdout)
    assert shared["mailbox"] == TEAM
    assert [folder["path"] for folder in shared["folders"] if folder["watched"]] == ["Inbox"]
    refused = program.run("folders", "--mailbox", "boss@contoso.example")
    assert refused.returncode == 1
    assert refused.stderr.startswith("mailtray: Permission to read a shared mailbox is missing\n")


def test_the_folders_of_a_mailbox_and_of_a_shared_one(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    program = Program(tmp_path / "home", simulator.url, keyring_session.env)
    with_folders(simulator, program.home)
    assert program.run("folders").returncode == 4
    assert program.run("signin").returncode == 0
    see_folders(program)
    with program:
        program.wait(event="polled")
        see_folders(program)


def test_what_check_showed_is_still_told(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    program = Program(tmp_path / "home", simulator.url, keyring_session.env)
    assert program.run("signin").returncode == 0
    with program:
        program.wait(event="polled")
        assert program.run("quit").returncode == 0
        program.ended()
        ids = simulator.cloud.deliver()
        assert program.run("check").returncode == 0
        program.start()
        program.wait_told(ids)


def interrupted(process: subprocess.Popen[str]) -> int:
    """Press Ctrl+C once the page is told, and return the exit code."""
    assert process.stderr is not None
    assert "Sign in at" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    return process.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_interrupted_sign_ins_leave_nothing_behind(simulator: Simulator, tmp_path: Path) -> None:
    env = {**bare_environment(tmp_path), "BROWSER": "true %s"}
    with Program(tmp_path / "home", simulator.url, env) as program:
        many = [program.open("signin") for _ in range(3)]
        assert [interrupted(one) for one in many] == [EXIT_INTERRUPTED] * len(many)
        mark = program.mark()
        program.wait(mark - 1, event="status", state="attention")
        status = program.run("status", "--json")
        assert status.returncode == 4
        assert json.loads(status.stdout)["tooltip"].startswith("The sign-in was cancelled")
        by_code = program.open("signin", "--device-code")
        assert interrupted(by_code) == EXIT_INTERRUPTED


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
class TestSignals:
    def test_half_requests_do_not_keep_the_simulator(self, tmp_path: Path) -> None:
        with ExitStack() as stack:
            process = stack.enter_context(begun(tmp_path, "simulator"))
            assert process.stdout is not None
            port = urlsplit(json.loads(process.stdout.readline())["url"]).port
            for _ in range(15):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                client.sendall(b"GET /v1.0/me HTTP/1.1\r\nHost: x")
            process.terminate()
            assert process.wait(3) == 0

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interrupted_demo_says_so(self, tmp_path: Path, number: signal.Signals) -> None:
        with begun(tmp_path, "demo", "--headless") as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(number)
            said, complaint = process.communicate(timeout=20)
        assert process.returncode == 1
        assert said.endswith("Interrupted.\n")
        assert not complaint

    def test_a_demo_to_which_nobody_listens_ends(self, tmp_path: Path) -> None:
        with begun(tmp_path, "demo", "--headless") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.wait(20) == 1
            assert not process.stderr.read()

    def test_a_signal_that_comes_early_is_passed_on(self) -> None:
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.getsignal(one) for one in numbers]
        told: SimpleQueue[str] = SimpleQueue()
        try:
            ending = cli._Ending()
            signal.raise_signal(signal.SIGTERM)
            ending.passes_on(lambda: told.put("end"))
            assert told.get(timeout=20) == "end"
            signal.raise_signal(signal.SIGINT)
            assert told.get(timeout=20) == "end"
        finally:
            signal.set_wakeup_fd(-1)
            for one, handler in zip(numbers, before, strict=True):
                signal.signal(one, handler)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        begun(tmp_path, "simulator", "--port", str(taken.getsockname()[1])) as process,
    ):
        _, complaint = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cannot be had" in complaint
