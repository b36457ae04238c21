"""A real terminal without a screen: tmux."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Self

from tests.desktop.rig import wait_until
from tests.e2e.program import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Terminal:
    """One terminal with a shell in it.

    Args:
        folder: Where its socket may lie.
        env: The shell's environment.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._socket = folder / "tmux"
        self._env = {**env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PS1": "$ "}

    def __enter__(self) -> Self:
        self._tmux("new-session", "-d", "-x", "80", "-y", "24", "sh")
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-u", "-f", "/dev/null", "-S", str(self._socket), *words],
            env=self._env, capture_output=True, text=True, check=True, timeout=WAIT_S,
        ).stdout  # fmt: skip

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._tmux("send-keys", *keys)

    def type(self, line: str) -> None:
        """Type a line for the shell."""
        self._tmux("send-keys", "-l", line)
        self.press("Enter")

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        """Return what is on the screen."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, words: str) -> str:
        """Wait until these words are on the screen; returns all of it."""
        return self._wait(words, is_there=True)

    def wait_without(self, words: str) -> str:
        """Wait until these words are no longer on the screen; returns all of it."""
        return self._wait(words, is_there=False)

    def _wait(self, words: str, *, is_there: bool) -> str:
        def look() -> str:
            screen = self.screen()
            return screen if (words in screen) is is_there else ""

        try:
            return wait_until(look, WAIT_S, 0.1)
        except AssertionError:
            raise AssertionError(f"{words!r}: not so in\n{self.screen()}") from None
