"""Plays a sound file where whatever shows the notification cannot.

On Linux one of the desktop's own small players, on macOS ``afplay``, on Windows ``winsound``,
which plays WAV files alone.

Source: pw-cat(1), paplay(1), aplay(1), afplay(1); Python's ``winsound``.
"""

from __future__ import annotations

import importlib
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Lock, Thread

from mailtray.core.errors import MailtrayError
from mailtray.core.language import _

LOG = logging.getLogger(__name__)

LINUX_PLAYERS = (
    ("pw-play", "--media-role", "Notification"),
    ("paplay", "--property=media.role=event"),
    ("canberra-gtk-play", "--file"),
)
"""PipeWire's, PulseAudio's and the sound theme's own player; they tell file formats apart."""
LINUX_WAV_PLAYERS = (("aplay", "--quiet"),)
"""ALSA's takes whatever is no WAV file for raw sound, and makes noise of it."""
MACOS_PLAYERS = (("afplay",),)
TIME_LIMIT_S = 15.0
"""A longer file is cut short: it is to catch an ear, not to entertain."""


class SoundPlayer:
    """Plays one sound at a time: of several notifications at once only the first is heard."""

    def __init__(self, *, platform: str = sys.platform, limit_s: float = TIME_LIMIT_S) -> None:
        """Prepare; players are looked for with each sound.

        Args:
            platform: As :data:`sys.platform`.
            limit_s: How long a sound may take, in seconds; Windows knows no limit.
        """
        self._platform = platform
        self._limit_s = limit_s
        self._turn = Lock()

    def play(self, file: str) -> None:
        """Begin to play a file, given by its whole path; returns at once and never raises."""
        if self._platform == "win32":
            _play_on_windows(file)
        elif self._turn.acquire(blocking=False):
            Thread(target=self._play, args=(file,), name="mailtray-sound", daemon=True).start()

    def _play(self, file: str) -> None:
        try:
            player = player_for(self._platform, file)
            if player:
                self._run((*player, file))
            else:
                LOG.warning("No program that plays sounds was found")
        finally:
            self._turn.release()

    def _run(self, command: tuple[str, ...]) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - a known player and a file, never a shell's
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Ctrl+C ends mailtray, and need not end a sound.
                start_new_session=True,
                timeout=self._limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            LOG.info("A sound was cut short after %g s", self._limit_s)
        except (OSError, ValueError) as exc:
            LOG.warning("A sound cannot be played: %s", type(exc).__name__)
        else:
            if done.returncode:
                LOG.warning("A sound was not played: its player ended with %d", done.returncode)


def play_now(file: str) -> None:
    """Begin to play a file for somebody who listens for it.

    Raises:
        MailtrayError: There is no such file, or nothing that plays it.
    """
    if not Path(file).is_file():
        raise MailtrayError(
            _("{path} is no file").format(path=file), _("Choose a sound file that is there.")
        )
    if sys.platform != "win32" and not player_for(sys.platform, file):
        raise MailtrayError(
            _("Nothing on this computer plays {path}").format(path=file),
            _("Install pw-play, paplay or canberra-gtk-play."),
        )
    SoundPlayer().play(file)


def player_for(platform: str, file: str) -> tuple[str, ...]:
    """Return the first player there is with its options, or nothing."""
    players: tuple[tuple[str, ...], ...] = LINUX_PLAYERS
    if platform == "darwin":
        players = MACOS_PLAYERS
    elif file.lower().endswith(".wav"):
        players += LINUX_WAV_PLAYERS
    for name, *options in players:
        program = shutil.which(name)
        if program is not None:
            return (program, *options)
    return ()


def _play_on_windows(file: str) -> None:
    winsound = importlib.import_module("winsound")
    try:
        # Silence rather than the system's "ding" for a file that is gone.
        winsound.PlaySound(
            file, winsound.SND_FILENAME | winsound.SND_ASYNC | winsound.SND_NODEFAULT
        )
    except RuntimeError as exc:
        LOG.warning("A sound cannot be played: %s", type(exc).__name__)
