"""Sounds, played by stand-ins for the players that write down what they were given."""

from __future__ import annotations

import logging
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.sound_player import SoundPlayer
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from pathlib import Path

RECORD = '#!/bin/sh\nprintf "%s\\n" "${0##*/}" "$@" "" >> "$HEARD"\n'
HOLD = f'{RECORD}read _ < "$DOOR"\n'
LINUX = [
    pytest.param(("aplay", "canberra-gtk-play", "paplay", "pw-play"), "pw-play", id="PipeWire"),
    pytest.param(("aplay", "canberra-gtk-play", "paplay"), "paplay", id="PulseAudio"),
    pytest.param(("aplay", "canberra-gtk-play"), "canberra-gtk-play", id="theme"),
    pytest.param(("aplay",), "aplay", id="ALSA"),
]


class Room:
    """A computer with some players, and what was heard there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._programs = folder / "bin"
        self._programs.mkdir()
        self._heard = folder / "heard"
        monkeypatch.setenv("PATH", str(self._programs))
        monkeypatch.setenv("HEARD", str(self._heard))

    def has(self, *names: str, script: str = RECORD) -> None:
        for name in names:
            program = self._programs / name
            program.write_text(script)
            program.chmod(0o755)

    def heard(self) -> list[list[str]]:
        text = self._heard.read_text() if self._heard.exists() else ""
        return [entry.splitlines() for entry in text.split("\n\n") if entry]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(tmp_path, monkeypatch)


def is_done(player: SoundPlayer) -> bool:
    return not player._turn.locked()


if sys.platform == "win32":
    pytest.skip("the players are scripts", allow_module_level=True)


@pytest.mark.parametrize(("players", "best"), LINUX)
def test_the_best_player_there_is_gets_the_file_as_one_argument(
    room: Room, players: tuple[str, ...], best: str
) -> None:
    room.has(*players)
    player = SoundPlayer(platform="linux")
    player.play("/home/ann/my $(sounds)/ping pong.wav")
    wait_until(lambda: is_done(player))
    ((program, *arguments),) = room.heard()
    assert program == best
    assert arguments[-1] == "/home/ann/my $(sounds)/ping pong.wav"


def test_what_is_no_wav_file_is_no_noise(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.has("aplay", "afplay")
    player = SoundPlayer(platform="linux")
    player.play("/sounds/ping.ogg")
    wait_until(lambda: is_done(player))
    assert room.heard() == []
    assert "No program" in caplog.text


def test_macos_has_its_own(room: Room) -> None:
    room.has("aplay", "afplay")
    player = SoundPlayer(platform="darwin")
    player.play("/sounds/ping.aiff")
    wait_until(lambda: is_done(player))
    assert room.heard() == [["afplay", "/sounds/ping.aiff"]]


def test_of_several_at_once_one_is_heard(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = tmp_path / "door"
    os.mkfifo(door)
    monkeypatch.setenv("DOOR", str(door))
    room.has("pw-play", script=HOLD)
    player = SoundPlayer(platform="linux")
    for name in ("one", "two", "three"):
        player.play(f"/sounds/{name}.wav")
    door.write_text("\n")
    wait_until(lambda: is_done(player))
    player.play("/sounds/four.wav")
    door.write_text("\n")
    wait_until(lambda: is_done(player))
    assert [heard[-1] for heard in room.heard()] == ["/sounds/one.wav", "/sounds/four.wav"]


def test_an_endless_one_is_cut_short(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    door = tmp_path / "door"
    os.mkfifo(door)
    monkeypatch.setenv("DOOR", str(door))
    room.has("pw-play", script=HOLD)
    caplog.set_level(logging.INFO)
    player = SoundPlayer(platform="linux", limit_s=0.1)
    player.play("/sounds/one.wav")
    wait_until(lambda: is_done(player))
    assert "cut short" in caplog.text


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 3\n", "#!/nowhere/sh\n"])
def test_a_player_that_fails_is_only_logged(
    room: Room, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    room.has("paplay", script=script)
    player = SoundPlayer(platform="linux")
    player.play("/home/ann/ping.wav")
    wait_until(lambda: is_done(player))
    assert "sound" in caplog.text
    assert "/home" not in caplog.text


class StandInWinsound(ModuleType):
    SND_FILENAME, SND_ASYNC, SND_NODEFAULT = 0x20000, 1, 2

    def __init__(self) -> None:
        super().__init__("winsound")
        self.played: list[tuple[str, int]] = []

    def PlaySound(self, sound: str, flags: int) -> None:  # noqa: N802 - as winsound spells it
        if not sound.endswith(".wav"):
            raise RuntimeError("Failed to play sound")
        self.played.append((sound, flags))


def test_windows_plays_wav_files_without_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    winsound = StandInWinsound()
    monkeypatch.setitem(sys.modules, "winsound", winsound)
    player = SoundPlayer(platform="win32")
    player.play("C:\\ping.wav")
    player.play("C:\\ping.mp3")
    assert winsound.played == [("C:\\ping.wav", 0x20003)]
    assert "cannot be played" in caplog.text
