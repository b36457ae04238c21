"""What a session does with an autostart entry at login, by the specifications alone."""

from __future__ import annotations

import configparser
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
QUOTED_ESCAPES = '"`$\\'
RESERVED = set(" \t\n\"'\\><~|&;$*?#()`")


def read_entry(path: Path) -> dict[str, str]:
    """Return an entry's keys, their escapes undone; refuses what no session would take."""
    parser = configparser.RawConfigParser(
        delimiters="=", comment_prefixes="#", strict=True, empty_lines_in_values=False
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys have a case
    text = path.read_text(encoding="utf-8")
    assert text.startswith("[Desktop Entry]\n")
    parser.read_string(text)
    assert parser.sections() == ["Desktop Entry"]
    return {key: unescape(value) for key, value in parser["Desktop Entry"].items()}


def unescape(value: str) -> str:
    """Undo the escapes of a value of type string."""
    found, rest = "", iter(value)
    for character in rest:
        found += ESCAPES[next(rest)] if character == "\\" else character
    return found


def split_exec(value: str) -> list[str]:
    """Return the program and the arguments of an ``Exec`` value.

    Source: Desktop Entry Specification 1.5, "The Exec key".
    """
    words: list[str] = []
    rest = iter(value)
    for first in rest:
        if first == " ":
            continue
        word = ""
        if first == '"':
            while (character := next(rest)) != '"':
                if character == "\\":
                    character = next(rest)
                    assert character in QUOTED_ESCAPES, value
                else:
                    assert character not in "`$", value
                word += character
            assert next(rest, " ") == " ", value
        else:
            word = first
            while (character := next(rest, " ")) != " ":
                word += character
            assert RESERVED.isdisjoint(word), value
        words.append(without_field_codes(word))
    return words


def without_field_codes(word: str) -> str:
    """Undo ``%%``; there are no files to put in the place of a field code."""
    halves = word.split("%%")
    assert not any("%" in half for half in halves), word
    return "%".join(halves)


def command_at_login(config_home: Path) -> list[str] | None:
    """Return what a session starts for the one entry there, or ``None``."""
    entries = list((config_home / "autostart").glob("*.desktop"))
    assert len(entries) <= 1
    for path in entries:
        entry = read_entry(path)
        assert entry["Type"] == "Application"
        is_off = entry.get("Hidden") == "true" or entry["X-GNOME-Autostart-enabled"] == "false"
        if not is_off and shutil.which(entry["TryExec"]) is not None:
            return split_exec(entry["Exec"])
    return None
