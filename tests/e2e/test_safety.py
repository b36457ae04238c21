"""What others may try, and what the real program does about it; see docs/threat-model.md."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
import threading
from functools import partial
from multiprocessing.connection import Client
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from mailtray.adapters import control_socket
from mailtray.adapters.console_notifier import BETWEEN_LINES
from mailtray.adapters.settings_file import Home
from mailtray.core.errors import NotRunning
from mailtray.simulator import Fault, entra
from mailtray.simulator.browser import enter_device_code, walk
from tests.desktop.rig import wait_until
from tests.desktop.services import NotificationServer
from tests.e2e.program import WAIT_S, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailtray.simulator import Simulator
    from tests.desktop.rig import DesktopSession

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc and file modes")

ADA = "ada@contoso.example"
BOB, BOB_NAME = "bob.babbage@fabrikam.example", "Bob Babbage-Underhill"
SENDER, ADDRESS = "Wilhelmina Quokka", "wilhelmina@quokka.example"
SUBJECTS = ("Zanzibar invoice overdue", "Quagmire acquisition", "Salary of the heron")
PREVIEW = "The password of the safe is periwinkle"
LOG_LINE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ +|\| )")
LISTENING = "0A"
LOOPBACK = {"0100007F", "0" * 24 + "01000000"}


@pytest.fixture
def notifications(keyring_session: DesktopSession) -> Iterator[NotificationServer]:
    """A notification server, so that nothing is said on standard error but the log."""
    with NotificationServer(keyring_session.env["DBUS_SESSION_BUS_ADDRESS"]) as server:
        yield server


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """A file that gets a line for every page that a browser was asked to open."""
    file = tmp_path / "opened"
    file.touch()
    return file


@pytest.fixture
def noting(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path, opened: Path
) -> Iterator[Program]:
    """The program at debug level, with a browser that only notes what it is to open."""
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" >>"{opened}"\n')
    script.chmod(0o755)
    env = {**keyring_session.env, "BROWSER": f"{script} %s", "MAILTRAY_LOG_LEVEL": "debug"}
    options = ("--tray", "none", "--notifier", "auto", "--verbose")
    with Program(tmp_path / "home", simulator.url, env, *options) as running:
        yield running


def sign_in(program: Program, username: str = ADA, *, by_device_code: bool = False) -> None:
    """Sign in, with a person at the browser who takes their time."""
    mark = program.mark()
    words = ["signin", *(["--device-code"] if by_device_code else [])]
    command = threading.Thread(target=program.run, args=words)
    command.start()
    page = program.wait(mark, event="sign_in")
    if by_device_code:
        enter_device_code(page["url"], page["code"], username=username)
    else:
        walk(page["url"], username=username)
    command.join()
    program.wait(mark, event="polled", account=username)


# -- another local user, a stolen disk ------------------------------------------------------------


@pytest.fixture
def _umask_0() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask_0")
def test_all_of_a_home_is_for_its_owner_alone(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with Program(home, simulator.url, keyring_session.env) as program:
        program.sign_in()
        program.wait_told(simulator.cloud.deliver())
        program.kill(signal.SIGKILL)
        (home / "state" / "state.db").write_bytes(b"not a database" * 1_000)
        mark = program.mark()
        program.start()
        program.wait(mark, event="polled")
        program.wait_told(simulator.cloud.deliver())
        modes = {
            str(path.relative_to(tmp_path)): stat.S_IMODE(path.lstat().st_mode)
            for path in [home, *home.rglob("*")]
        }
        kinds = {name: (tmp_path / name).is_dir() for name in modes}
    assert {"home/state/state.db", "home/state/state.db.bad-1"} < modes.keys()
    assert {"home/state/control.key", "home/state/mailtray.log"} < modes.keys()
    assert {n: oct(m) for n, m in modes.items() if m != (0o700 if kinds[n] else 0o600)} == {}


# -- another program of the same user -------------------------------------------------------------


def ask_regardless(address: str, proof: bytes) -> bytes:
    """Ask for the end as one who does not care who answers; return the answer."""
    with Client(address) as stranger:
        stranger.recv_bytes()
        stranger.send_bytes(bytes(32) + proof)
        stranger.send_bytes(b'{"command":"quit"}')
        stranger.recv_bytes()
        return stranger.recv_bytes()


def test_a_wrong_key_commands_nothing(program: Program) -> None:
    home = Home.at(program.home)
    sockets = [path for path in program.home.rglob("*") if path.is_socket()]
    sockets += [path for path in [Path(home.socket_address)] if path not in sockets]
    assert [oct(stat.S_IMODE(path.lstat().st_mode)) for path in sockets] == ["0o600"]
    for proof in (b"", bytes(32), b"x" * 32):
        with pytest.raises((EOFError, OSError)):
            ask_regardless(home.socket_address, proof)
    assert program.run("status").stdout.startswith("Signed out")


# -- a hostile network ----------------------------------------------------------------------------


def listeners(pid: int) -> set[str]:
    """Return the local addresses, as the kernel writes them, at which a process listens."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    own = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTENING and rest[5] in own:
                found.add(local.partition(":")[0])
    return found


def test_nothing_listens_but_on_the_loopback_and_only_during_a_sign_in(
    noting: Program, notifications: NotificationServer
) -> None:
    assert listeners(noting.pid) == set()
    mark = noting.mark()
    command = threading.Thread(target=noting.run, args=["signin"])
    command.start()
    page = noting.wait(mark, event="sign_in")
    during = wait_until(lambda: listeners(noting.pid))
    assert during <= LOOPBACK
    walk(page["url"], username=ADA)
    command.join()
    noting.wait(mark, event="polled")
    assert listeners(noting.pid) == set()
    assert notifications.on_screen == {}


# -- attacker-controlled mail ---------------------------------------------------------------------

KNOWN = "https://outlook.office.com/mail/$(id);`id`|id"
LINKS = {
    KNOWN: True,
    "file:///etc/passwd": False,
    "javascript:alert(1)": False,
    "https://evil.example/mail/1": False,
    "https://outlook.office.com.evil.example/": False,
    "https://outlook.office.com@evil.example/": False,
    "http://outlook.office.com/mail/1": False,
    "ms-msdt:/id PCWDiagnostic": False,
    "--version": False,
    "": False,
}


def test_a_click_opens_known_pages_only(
    noting: Program, simulator: Simulator, notifications: NotificationServer, opened: Path
) -> None:
    sign_in(noting)
    opened.write_text("")
    for count, (link, is_known) in enumerate(LINKS.items(), start=1):
        noting.wait_told(simulator.cloud.deliver(overrides={"webLink": link}))
        notifications.act(max(notifications.on_screen))
        (*_, page) = wait_until(partial(lines_of, opened, at_least=count))
        assert page == (link if is_known else f"{simulator.url}/mail/")


def lines_of(file: Path, *, at_least: int) -> list[str]:
    """Return a file's lines, or none where there are too few yet."""
    lines = file.read_text().splitlines()
    return lines if len(lines) >= at_least else []


HOSTILE = (
    '<b>Bold</b> <a href="https://evil.example">here</a> <img src="file:///etc/passwd">',
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x00\x08\x7f\x9b31m",
    'line one\r\n{"event":"quit"}\u2028line three\x85line four',
    "gnp.\u202eexe\u2066\u2067 \u200f\u061ctext",
    "-h --help; $(touch pwned) `touch pwned` %s %n {0} {{}}",
    "a\ud800b\ufffe\uffff\U000e0001\U000e0041",
    "Z\u0335\u0321" + "\u0300" * 500,
    "x" * 5_000,
)
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\ud800-\udfff\ufffe\uffff]"
)


def test_hostile_mail_is_harmless_to_the_event_line_and_the_screen(
    noting: Program, simulator: Simulator, notifications: NotificationServer
) -> None:
    sign_in(noting)
    for text in HOSTILE:
        ids = simulator.cloud.deliver(sender_name=text, sender_address=text, subject=text)
        noting.wait_told(ids)
        told = noting.wait(event="notification", ids=ids)
        for said in (told["title"], told["body"]):
            assert said
            assert not UNSAFE.search(said.replace("\n", "")), ascii(said)
            assert len(said) <= 1_000
        assert "\n" not in told["title"]
    status = noting.wait(noting.mark() - 1)
    assert not UNSAFE.search(str(status.get("tooltip", "")).replace("\n", ""))
    # What the server takes for markup is escaped, so that it reads as it was written.
    bodies = [shown.body for shown in notifications.on_screen.values()]
    assert not [body for body in bodies if re.search("<[a-zA-Z/]", body)]
    assert any("<b>Bold</b>" in body for _, body in notifications.read())
    assert not list(Path.cwd().glob("pwned"))
    simulator.cloud.deliver(subject="And goes on")
    noting.wait(event="notification", body="And goes on")


# -- what a log tells -----------------------------------------------------------------------------


@pytest.fixture
def handed_out(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every token that the simulator's token endpoint hands out."""
    secrets: set[str] = set()
    issue = entra._tokens

    def noted(*args: object, **options: object) -> dict[str, object]:
        body: dict[str, object] = issue(*args, **options)  # type: ignore[arg-type] # passed on
        names = ("access_token", "refresh_token", "id_token", "client_info")
        secrets.update(str(body[name]) for name in names if name in body)
        return body

    monkeypatch.setattr(entra, "_tokens", noted)
    return secrets


def gossip(secrets: set[str]) -> Iterator[Fault]:
    """Yield troubles whose answers tell all that the log must not."""
    said = " ".join([*SUBJECTS, SENDER, ADDRESS, ADA, BOB, PREVIEW, *sorted(secrets)[:3]])
    error = {"error": {"code": "ErrorInternalServerError", "message": said}}
    for status in (400, 401, 403, 404, 410, 429, 500, 503):
        yield Fault(path="delta", status=status, body=error, headers={"Retry-After": "0"})
    yield Fault(path="delta", body=f"<html>{said}</html>")
    yield Fault(path="delta", body={"value": [{"id": said, "subject": {"x": said}}, said]})
    yield Fault(path="delta", status=302, headers={"Location": f"https://{ADDRESS}/?{ADA}"})
    yield Fault(path="delta", close="before")
    yield Fault(path="delta", close="headers")
    yield Fault(path="delta", close="body")
    yield Fault(path="delta", gzip_truncated=True)
    yield Fault(path="/token", status=500, body=said)
    refusal = {"error": "temporarily_unavailable", "error_description": said}
    yield Fault(path="/token", status=400, body=refusal)


def live_badly(program: Program, simulator: Simulator, secrets: set[str]) -> None:
    """Let two people sign in, get mail and meet every trouble."""
    cloud = simulator.cloud
    cloud.add_account(BOB, BOB_NAME)
    cloud.device_code_interval_s = 1
    sign_in(program)
    sign_in(program, BOB, by_device_code=True)
    mail = {"sender_name": SENDER, "sender_address": ADDRESS, "preview": PREVIEW}
    for username in (ADA, BOB):
        for subject in SUBJECTS[:2]:
            program.wait_told(cloud.deliver(username, subject=subject, **mail))  # type: ignore[arg-type] # names and values fit
        cloud.deliver(username, overrides={"from": SUBJECTS[2], "subject": {"x": SUBJECTS[2]}})
    for fault in gossip(secrets):
        mark = program.mark()
        if fault.path == "/token":
            cloud.expire_access_tokens()
        cloud.add_fault(fault)
        wait_until(lambda: not cloud.faults.describe(), WAIT_S)
        if fault.status in {403, 404}:
            program.run("check")  # it would be an hour
        program.wait(mark, event="polled", account=ADA, times=2)


def end_badly(program: Program, simulator: Simulator, notifications: NotificationServer) -> None:
    """Lose the notification server, a sign-in and the network, meet a stranger, and sign out."""
    cloud = simulator.cloud
    notifications.vanish()
    program.wait_told(cloud.deliver(subject=SUBJECTS[1], sender_name=SENDER))
    notifications.appear()
    address = Home.at(program.home).socket_address
    with pytest.raises(NotRunning):
        control_socket.ask(address, b"x" * 32, {"command": SUBJECTS[0]}, timeout_s=5.0)
    mark = program.mark()
    cloud.revoke_refresh_tokens(BOB)
    cloud.expire_access_tokens()
    program.wait(mark, event="failed", account=BOB)
    simulator.stop()
    program.wait(mark, event="failed", account=ADA)
    simulator.start()
    assert program.run("signout").returncode == 0
    assert program.kill(signal.SIGTERM) == 0


def test_nothing_that_was_handed_out_is_logged(
    noting: Program,
    simulator: Simulator,
    notifications: NotificationServer,
    handed_out: set[str],
) -> None:
    live_badly(noting, simulator, handed_out)
    end_badly(noting, simulator, notifications)
    grants = simulator.cloud.grants
    secrets = {*handed_out, *grants._codes, *grants._access, *grants._refresh, *grants._devices}
    assert len(secrets) >= 12
    told = [*SUBJECTS, SENDER, ADDRESS, ADA, BOB, BOB_NAME, "Ada Lovelace", PREVIEW]
    words = {part.lower() for text in told for part in (text, quote(text), quote_plus(text))}
    files = [path for path in noting.home.rglob("*.log*") if path.is_file()]
    lines = [line for line in noting.output if LOG_LINE.match(line)]
    # What is no log was said to the person, while the notification server was gone.
    told_of = [event for event in noting.events if event["event"] == "notification"]
    spoken = {f"{e['title']}: {BETWEEN_LINES.join(e['body'].splitlines())}" for e in told_of}
    assert {line for line in noting.output if not LOG_LINE.match(line)} <= spoken
    logged = "\n".join([*lines, *(path.read_text(encoding="utf-8") for path in files)])
    assert len(lines) >= 15
    assert len(files) == 1
    assert [one for one in words if one in logged.lower()] == []
    # Not even a part of a token is there.
    assert [one for one in secrets if any(one[n : n + 20] in logged for n in (0, 20, 40))] == []
