"""The settings, as a person reads and changes them from a terminal."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mailtray.core.settings import KEYS
from tests.e2e.program import MAILTRAY, bare_environment

if TYPE_CHECKING:
    from pathlib import Path

    Done = subprocess.CompletedProcess[str]


def settings(
    home: Path, *words: str, variables: dict[str, str] | None = None, is_own_home: bool = True
) -> Done:
    """Run ``mailtray settings``."""
    return subprocess.run(
        [*MAILTRAY, "settings", *words, *(["--home", str(home)] if is_own_home else [])],
        env={**bare_environment(home), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def stands(done: Done, key: str) -> dict[str, object]:
    """Return how a setting stands, as ``--json`` tells it."""
    assert done.returncode == 0, done.stderr
    (found,) = [one for one in json.loads(done.stdout)["settings"] if one["key"] == key]
    assert isinstance(found, dict)
    return found


def test_each_setting_is_listed_with_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('interval_s = 30\nvip = ["ann@x.test"]\n')
    variables = {"MAILTRAY_PREVIEW": "yes", "MAILTRAY_PROXY": "http://ada:hunter2@proxy:1"}
    done = settings(tmp_path, "--json", "--tenant", "consumers", variables=variables)
    assert [one["key"] for one in json.loads(done.stdout)["settings"]] == [*KEYS]
    assert stands(done, "tenant") == {
        "key": "tenant",
        "value": "consumers",
        "from": "option",
        "origin": "command line",
        "locked": False,
        "overruled": [],
    }
    assert stands(done, "preview")["from"] == "variable"
    assert stands(done, "vip")["value"] == ["ann@x.test"]
    assert stands(done, "sound")["from"] == "default"
    listed = settings(tmp_path, "list", variables=variables).stdout
    assert f"# {tmp_path / 'settings.toml'}\n" in listed
    assert "preview = true" in listed
    assert "hunter2" not in done.stdout + listed


def test_looking_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "typo"
    assert settings(home, "path").stdout == f"{home / 'settings.toml'}\n"
    assert settings(home).returncode == 0
    assert not home.exists()


def test_a_setting_is_set_and_taken_out_again(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    begun = settings(tmp_path, "init")
    assert (begun.returncode, begun.stdout) == (0, f"{path}\n")
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fresh = path.read_text(encoding="utf-8")
    for key, value, line in (
        ("interval_s", "30", "interval_s = 30\n"),
        ("preview", "on", "preview = true\n"),
        ("folders", "inbox;Projects/Alpha", 'folders = ["inbox", "Projects/Alpha"]\n'),
        ("quiet_hours", "mon 1:00-2:00; tue 1:00-2:00", '["mon 1:00-2:00", "tue 1:00-2:00"]\n'),
        ("hook", '["/bin/x", "$HOME"]', 'hook = ["/bin/x", "$HOME"]\n'),
    ):
        done = settings(tmp_path, "set", key, value)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{key} = ")
        assert str(path) in done.stdout
        assert line in path.read_text(encoding="utf-8")
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(fresh.splitlines())
    done = settings(tmp_path, "unset", "preview")
    assert done.stdout.split() == ["preview", "=", "false", "#", "default"]
    assert "\npreview" not in path.read_text(encoding="utf-8")
    assert settings(tmp_path, "init").returncode == 2
    assert "interval_s = 30\n" in path.read_text(encoding="utf-8")


def test_what_goes_before_a_new_value_is_said(tmp_path: Path) -> None:
    done = settings(tmp_path, "set", "sound", "none", variables={"MAILTRAY_SOUND": "desktop"})
    assert done.returncode == 0
    assert done.stdout.split()[-2:] == ["#", "MAILTRAY_SOUND"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["set", "intervall_s", "5"], 'did you mean "interval_s"', id="no such key"),
        pytest.param(["set", "interval_s", "5"], "from 10 to 3600", id="out of range"),
        pytest.param(["set", "accounts", "x"], "[accounts.", id="a table"),
        pytest.param(["unset", "intervall_s"], 'did you mean "interval_s"', id="nothing to unset"),
        pytest.param(["set", "sound", "none"], "vip", id="while something else is wrong"),
    ],
)
def test_what_is_wrong_is_said_and_not_written(tmp_path: Path, words: list[str], said: str) -> None:
    mine = "vip = 5\n" if "vip" in said else "# mine\n"
    (tmp_path / "settings.toml").write_text(mine)
    done = settings(tmp_path, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "settings.toml").read_text() == mine


def test_a_mistake_is_mended_by_the_command_that_it_is_about(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\ninterval_s = 5\n")
    assert settings(tmp_path, "set", "interval_s", "50").returncode == 0
    path.write_text(path.read_text() + "clientid = 5\n")
    assert settings(tmp_path, "unset", "clientid").returncode == 0
    assert path.read_text() == "# mine\ninterval_s = 50\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG folders")
def test_what_the_administrator_locked_stays(tmp_path: Path) -> None:
    (tmp_path / "etc" / "mailtray").mkdir(parents=True)
    (tmp_path / "etc" / "mailtray" / "settings.toml").write_text(
        'locked = ["tenant", "hook"]\ntenant = "contoso.com"\ninterval_s = 120\n'
    )
    (tmp_path / "mine" / "mailtray").mkdir(parents=True, mode=0o700)
    mine = tmp_path / "mine" / "mailtray" / "settings.toml"
    mine.write_text('tenant = "consumers"\n')
    places = {
        "XDG_CONFIG_DIRS": str(tmp_path / "etc"),
        "XDG_CONFIG_HOME": str(tmp_path / "mine"),
    }

    def here(*words: str) -> Done:
        return settings(tmp_path, *words, variables=places, is_own_home=False)

    found = here("list", "--json")
    assert stands(found, "tenant") == {
        "key": "tenant",
        "value": "contoso.com",
        "from": "administrator",
        "origin": str(tmp_path / "etc" / "mailtray" / "settings.toml"),
        "locked": True,
        "overruled": [str(mine)],
    }
    assert (stands(found, "hook")["locked"], stands(found, "hook")["value"]) == (True, [])
    assert stands(found, "interval_s")["from"] == "administrator"
    assert f"# set by your administrator, not by {mine}\n" in here("list").stdout
    for words in (["set", "hook", '["/bin/x"]'], ["unset", "tenant"]):
        refused = here(*words)
        assert refused.returncode == 2
        assert "is set by your administrator" in refused.stderr
    assert mine.read_text() == 'tenant = "consumers"\n'
    assert here("set", "interval_s", "30").returncode == 0
    assert stands(here("--json"), "interval_s")["value"] == 30
