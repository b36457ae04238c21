from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtray.adapters import entry_syntax
from mailtray.adapters.autostart import (
    APPROVED_KEY,
    RUN_KEY,
    DesktopEntry,
    LaunchAgent,
    RunKey,
    own_autostart,
    start_command,
)
from mailtray.core.errors import MailtrayError
from tests.adapters.winreg_stand_in import StandInRegistry
from tests.desktop.login import read_entry, split_exec, unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailtray.ports import Autostart

ICON = Path("/opt/mail tray/mailtray.png")
COMMAND = ("/opt/venv/bin/mailtray", "run")
IN_A_HOME = (*COMMAND, "--home", "/home/Ada L/50% off; $HOME \\ `x` \"q\" 'p' #~é")


@pytest.fixture(params=["desktop entry", "launch agent", "run key"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Sequence[str]], Autostart]:
    registry = StandInRegistry()

    def build(command: Sequence[str]) -> Autostart:
        folder = tmp_path / "missing" / "folder"
        if request.param == "desktop entry":
            return DesktopEntry("mailtray", command, folder, ICON)
        if request.param == "launch agent":
            return LaunchAgent("mailtray", command, folder)
        return RunKey("mailtray", command, registry)

    return build


class TestEverySystem:
    @pytest.mark.parametrize("command", [COMMAND, IN_A_HOME])
    def test_goes_on_and_off(
        self, make: Callable[[Sequence[str]], Autostart], command: Sequence[str]
    ) -> None:
        one = make(command)
        assert one.started() == ()
        one.turn_off()
        for _ in range(2):
            one.turn_on()
            assert one.started() == one.command == tuple(command)
        one.turn_off()
        assert one.started() == ()

    def test_tells_another_mailtray_apart_and_takes_its_place(
        self, make: Callable[[Sequence[str]], Autostart]
    ) -> None:
        other, one = make(("/elsewhere/mailtray", "run")), make(COMMAND)
        other.turn_on()
        assert one.started()
        assert one.started() != one.command
        one.turn_on()
        assert one.started() == one.command


class TestDesktopEntry:
    @pytest.fixture
    def entry(self, tmp_path: Path) -> DesktopEntry:
        return DesktopEntry("mailtray", IN_A_HOME, tmp_path, ICON)

    def test_is_an_entry_by_the_specification(self, entry: DesktopEntry) -> None:
        entry.turn_on()
        keys = read_entry(entry.path)
        assert keys["Type"] == "Application"
        assert keys["Name"] == "mailtray"
        assert keys["TryExec"] == COMMAND[0]
        assert keys["Icon"] == str(ICON)
        assert keys["X-GNOME-Autostart-enabled"] == "true"
        assert "DBusActivatable" not in keys
        assert tuple(split_exec(keys["Exec"])) == IN_A_HOME
        assert [path.name for path in entry.path.parent.iterdir()] == ["mailtray.desktop"]

    @pytest.mark.skipif(
        shutil.which("desktop-file-validate") is None, reason="needs desktop-file-validate"
    )
    def test_satisfies_the_validator(self, entry: DesktopEntry) -> None:
        entry.turn_on()
        done = subprocess.run(
            ["desktop-file-validate", str(entry.path)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "")

    @given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
    def test_any_words_come_back_by_the_specification(self, words: list[str]) -> None:
        value = entry_syntax.quote_exec(words)
        assert split_exec(value) == words == entry_syntax.unquote_exec(value)
        escaped = entry_syntax.escape(value)
        assert escaped.isprintable() or "\n" not in escaped
        assert unescape(escaped) == value == entry_syntax.unescape(escaped)

    @pytest.mark.parametrize("switch", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
    def test_a_desktops_own_switch_counts(self, entry: DesktopEntry, switch: str) -> None:
        entry.turn_on()
        kept = entry.path.read_text().replace("X-GNOME-Autostart-enabled=true\n", "")
        entry.path.write_text(f"{kept}{switch}\n[Desktop Action x]\nExec=other\n")
        assert entry.started() == ()
        entry.turn_on()
        assert entry.started() == entry.command

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[Desktop Entry]\nType=Application\n"])
    def test_what_starts_nothing_known_is_another(
        self, entry: DesktopEntry, content: bytes
    ) -> None:
        entry.path.write_bytes(content)
        assert entry.started() == (str(entry.path),)

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            pytest.param(("/a=b/mailtray", "run"), "=", id="an equals sign in the program"),
            pytest.param((*COMMAND, "--home", os.fsdecode(b"/\xff")), "UTF-8", id="not UTF-8"),
        ],
    )
    def test_says_what_no_entry_can_hold(
        self, tmp_path: Path, command: tuple[str, ...], words: str
    ) -> None:
        entry = DesktopEntry("mailtray", command, tmp_path, ICON)
        with pytest.raises(MailtrayError) as caught:
            entry.turn_on()
        assert words in caught.value.hint
        assert not list(tmp_path.iterdir())

    def test_says_where_it_cannot_write(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        entry = DesktopEntry("mailtray", COMMAND, tmp_path / "file", ICON)
        with pytest.raises(MailtrayError, match=str(entry.path)):
            entry.turn_on()
        entry.turn_off()
        assert entry.started() == ()

    def test_says_what_it_cannot_read_or_remove(self, entry: DesktopEntry) -> None:
        entry.path.mkdir()
        with pytest.raises(MailtrayError, match="cannot be read"):
            entry.started()
        with pytest.raises(MailtrayError, match="cannot be removed"):
            entry.turn_off()
        with pytest.raises(MailtrayError, match="cannot be written"):
            entry.turn_on()
        assert list(entry.path.parent.iterdir()) == [entry.path]


class TestLaunchAgent:
    def test_is_what_launchd_reads(self, tmp_path: Path) -> None:
        agent = LaunchAgent("mailtray", IN_A_HOME, tmp_path)
        agent.turn_on()
        read = plistlib.loads(agent.path.read_bytes())
        assert agent.path.name == f"{read['Label']}.plist"
        assert read["ProgramArguments"] == list(IN_A_HOME)
        assert read["RunAtLoad"] is True
        assert "KeepAlive" not in read  # a quit is a quit

    @pytest.mark.parametrize(
        ("content", "is_off"),
        [
            pytest.param(b"no plist", False, id="no property list"),
            pytest.param(b"<?xml version='1.0'?><plist><dict>", False, id="half of one"),
            pytest.param(plistlib.dumps(["x"]), False, id="a list"),
            pytest.param(plistlib.dumps({"RunAtLoad": True}), False, id="starts nothing"),
            pytest.param(plistlib.dumps({"ProgramArguments": ["x"]}), True, id="not at load"),
            pytest.param(plistlib.dumps({"RunAtLoad": True, "Disabled": True}), True, id="off"),
        ],
    )
    def test_reads_what_others_wrote(self, tmp_path: Path, content: bytes, is_off: bool) -> None:
        agent = LaunchAgent("mailtray", COMMAND, tmp_path)
        agent.path.write_bytes(content)
        assert agent.started() == (() if is_off else (str(agent.path),))


class TestRunKey:
    @pytest.fixture
    def registry(self) -> StandInRegistry:
        return StandInRegistry()

    def test_writes_a_line_as_windows_takes_it_apart(self, registry: StandInRegistry) -> None:
        command = (r"C:\Program Files\m\mailtray-gui.exe", "run", "--home", "D:\\a b\\")
        RunKey("mailtray", command, registry).turn_on()
        with registry.OpenKey(registry.HKEY_CURRENT_USER, RUN_KEY) as key:
            line, kind = registry.QueryValueEx(key, "mailtray")
        assert line == r'"C:\Program Files\m\mailtray-gui.exe" run --home "D:\a b\\"'
        assert kind == registry.REG_SZ

    def test_says_that_a_line_is_too_long(self, registry: StandInRegistry) -> None:
        long = RunKey("mailtray", (*COMMAND, "x" * 240), registry)
        with pytest.raises(MailtrayError, match="260"):
            long.turn_on()
        assert long.started() == ()

    def test_the_task_managers_switch_counts(self, registry: StandInRegistry) -> None:
        one = RunKey("mailtray", COMMAND, registry)
        one.turn_on()
        for first, started in ((3, ()), (2, COMMAND)):
            with registry.CreateKey(registry.HKEY_CURRENT_USER, APPROVED_KEY) as key:
                registry.SetValueEx(
                    key, "mailtray", 0, registry.REG_BINARY, bytes([first, *[0] * 11])
                )
            assert one.started() == started
        with registry.CreateKey(registry.HKEY_CURRENT_USER, APPROVED_KEY) as key:
            registry.SetValueEx(key, "mailtray", 0, registry.REG_BINARY, b"\x03")
        one.turn_on()
        assert one.started() == COMMAND

    def test_says_that_a_policy_forbids_it(self, registry: StandInRegistry) -> None:
        one = RunKey("mailtray", COMMAND, registry)
        one.turn_on()
        registry.is_denied = True
        for refused in (one.turn_on, one.turn_off):
            with pytest.raises(MailtrayError, match="registry refused"):
                refused()
        assert one.started() == COMMAND
        registry.is_sealed = True
        with pytest.raises(MailtrayError, match="registry refused"):
            one.started()


class TestStartCommand:
    @pytest.mark.parametrize(
        ("platform", "files", "command"),
        [
            pytest.param("linux", ["mailtray"], ["mailtray"], id="the script"),
            pytest.param("darwin", ["mailtray"], ["mailtray"], id="the script on macOS"),
            pytest.param("linux", [], ["python", "-m", "mailtray"], id="no script"),
            pytest.param(
                "win32", ["mailtray.exe", "mailtray-gui.exe"], ["mailtray-gui.exe"], id="windowless"
            ),
            pytest.param(
                "win32", ["pythonw.exe"], ["pythonw.exe", "-m", "mailtray"], id="no console"
            ),
        ],
    )
    def test_is_the_script_beside_the_interpreter(
        self, tmp_path: Path, platform: str, files: list[str], command: list[str]
    ) -> None:
        for name in files:
            (tmp_path / name).touch()
        program, *more = command
        found = start_command(None, str(tmp_path / "python"), platform)
        assert found == (str(tmp_path / program), *more, "run")

    def test_keeps_the_home_as_a_whole_path(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert start_command(Path("my home"))[-2:] == ("--home", str(tmp_path / "my home"))

    @pytest.mark.parametrize(
        ("platform", "program", "started"),
        [
            pytest.param("linux", "mailtray", "mailtray", id="Linux"),
            pytest.param("darwin", "mailtray", "mailtray", id="macOS"),
            pytest.param("win32", "mailtray.exe", "mailtray.exe", id="Windows"),
            pytest.param("win32", "mailtray-cli.exe", "mailtray.exe", id="from Windows' console"),
            pytest.param("win32", "mailtray-1.0-cli.exe", "mailtray-1.0.exe", id="one file"),
        ],
    )
    def test_a_bundle_starts_itself(
        self, monkeypatch: pytest.MonkeyPatch, platform: str, program: str, started: str
    ) -> None:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        assert start_command(None, f"/apps/{program}", platform) == (f"/apps/{started}", "run")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's own place")
@pytest.mark.parametrize(
    ("wished", "folder"),
    [
        pytest.param("{home}/config", "config/autostart", id="as wished"),
        pytest.param("", ".config/autostart", id="not said"),
        pytest.param("relative", ".config/autostart", id="a relative path is ignored"),
    ],
)
def test_the_entry_lies_where_the_session_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wished: str, folder: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", wished.format(home=tmp_path))
    own_autostart("mailtray-abc", None, ICON).turn_on()
    assert (tmp_path / folder / "mailtray-abc.desktop").is_file()
