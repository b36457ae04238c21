"""Addresses for the desktop's mail program, with stand-ins for the desktop's own commands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.mail_program import is_for_mail_program
from mailtray.adapters.system import BrowserOpener

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE = "mid:1%40example.test"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="xdg-utils are Linux's")


class Desktop:
    """``xdg-mime`` and ``xdg-open`` that note what they are asked."""

    def __init__(self, folder: Path, handler: str) -> None:
        self._opened = folder / "opened"
        for name, script in {
            "xdg-mime": f'test "$3" = x-scheme-handler/mid && echo "{handler}" || true',
            "xdg-open": f'echo "$1" >>"{self._opened}"',
        }.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)

    def opened(self) -> list[str]:
        return self._opened.read_text().split() if self._opened.exists() else []


@pytest.mark.parametrize("handler", ["thunderbird.desktop", ""])
def test_a_message_is_opened_where_a_program_takes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, handler: str
) -> None:
    desktop = Desktop(tmp_path, handler)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert BrowserOpener().open(MESSAGE) is bool(handler)
    assert desktop.opened() == ([MESSAGE] if handler else [])


def test_without_the_desktops_commands_nothing_is_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not BrowserOpener().open(MESSAGE)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "mid:a b", "mid:a\n", "javascript:1", ""])
def test_nothing_else_is_a_mail_programs(url: str) -> None:
    assert not is_for_mail_program(url)
