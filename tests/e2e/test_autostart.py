"""``mailtray autostart``, and a session that starts what it left behind as sessions do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.desktop.conftest import require
from tests.desktop.login import command_at_login
from tests.desktop.rig import DesktopSession, wait_until
from tests.e2e.program import MAILTRAY, WAIT_S, bare_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLIENT_ID = "0e4c9f3a-5b1d-4a7e-9a53-2f6f0c1b8d11"
LATE_S = 40.0
"""A keyring that stays away is asked again twice a minute, and sooner at first."""


def autostart(
    env: Mapping[str, str], *words: str, launcher: tuple[str, ...] = MAILTRAY
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*launcher, "autostart", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def told(env: Mapping[str, str], *words: str) -> str:
    done = autostart(env, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


class TestCommand:
    @pytest.fixture
    def env(self, tmp_path: Path) -> dict[str, str]:
        return {**bare_environment(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    def test_is_off_until_it_is_turned_on_and_off_again(
        self, env: dict[str, str], tmp_path: Path
    ) -> None:
        config = tmp_path / "config"
        assert told(env, "status") == "Start at login: off\n"
        assert not config.exists()
        assert told(env, "on") == "Start at login: on\n"
        assert told(env, "status") == "Start at login: on\n"
        command = command_at_login(config)
        assert json.loads(told(env, "status", "--json")) == {"autostart": "on", "command": command}
        assert told(env, "off") == "Start at login: off\n"
        assert command_at_login(config) is None

    def test_tells_of_another_mailtray(self, env: dict[str, str], tmp_path: Path) -> None:
        told(env, "on")
        (entry,) = (tmp_path / "config" / "autostart").iterdir()
        entry.write_text(entry.read_text().replace("Exec=", "Exec=/old"))
        assert told(env, "status").startswith("Start at login: points to another mailtray: /old/")
        assert json.loads(told(env, "status", "--json"))["autostart"] == "another"
        assert told(env, "on") == "Start at login: on\n"

    def test_each_home_has_its_own(self, env: dict[str, str], tmp_path: Path) -> None:
        home = tmp_path / "my 100% $HOME"
        assert told(env, "on", "--home", str(home)) == "Start at login: on\n"
        assert told(env, "status") == "Start at login: off\n"
        command = command_at_login(tmp_path / "config")
        assert command is not None
        assert command[-3:] == ["run", "--home", str(home)]

    def test_says_where_it_cannot_be_had(self, env: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "config").touch()
        done = autostart(env, "on")
        assert done.returncode == 1
        assert "Start at login cannot be set here" in done.stderr
        assert "Traceback" not in done.stderr


@contextmanager
def login(session: DesktopSession, home: Path) -> Iterator[None]:
    """Turn it on, and start what there is to start, as the session does at its beginning."""
    home.mkdir()
    (home / "settings.toml").write_text(f'client_id = "{CLIENT_ID}"\n')
    assert told(session.env, "on", "--home", str(home)) == "Start at login: on\n"
    command = command_at_login(Path(session.env["XDG_CONFIG_HOME"]))
    assert command is not None
    with subprocess.Popen(
        command,
        env=session.env,
        cwd=session.env["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: answers(session, home), WAIT_S)
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_S) == 0
        finally:
            process.kill()


def answers(session: DesktopSession, home: Path) -> dict[str, str]:
    """Return how the program that runs for a home is, or nothing where none does."""
    done = subprocess.run(
        [*MAILTRAY, "status", "--json", "--home", str(home)],
        env={**session.env, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    answer: dict[str, str] = json.loads(done.stdout) if done.stdout else {}
    return answer if "state" in answer else {}


@pytest.mark.desktop
class TestLogin:
    def test_brings_the_icon(self, tmp_path: Path) -> None:
        require("bus", "display", "keyring", "notify", "tray")
        with DesktopSession() as session, login(session, tmp_path / "a home"):
            wait_until(lambda: len(session.registered_items()) == 1)

    def test_waits_for_the_panel_and_the_notifications(self, tmp_path: Path) -> None:
        require("bus", "display", "keyring", "notify", "tray")
        with DesktopSession(keyring=None) as session:
            session.stop_panel()
            session.stop_notify()
            with login(session, tmp_path / "home"):
                session.start_panel()
                wait_until(lambda: len(session.registered_items()) == 1)
                session.start_notify()
                wait_until(lambda: session.displayed_notifications() == 1)
                (said,) = session.read_notifications()
                assert "keyring" in said.lower()

    def test_waits_for_the_keyring(self, tmp_path: Path) -> None:
        require("bus", "display", "keyring", "notify", "tray")
        home = tmp_path / "home"
        with DesktopSession(keyring=None) as session, login(session, home):
            assert "keyring" in answers(session, home)["tooltip"].lower()
            session._start_keyring()
            wait_until(lambda: answers(session, home)["state"] != "attention", LATE_S, 0.5)
