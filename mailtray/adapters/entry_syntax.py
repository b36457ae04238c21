"""How values stand in a desktop entry.

Source: Desktop Entry Specification 1.5, "Possible value types" for the escapes that every value
has, and "The Exec key" for the quoting, which comes before them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_PLAIN = re.compile(r"[A-Za-z0-9_@%+,./:=-]+")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^ \t\n]+)', re.DOTALL)


def quote_exec(command: Sequence[str]) -> str:
    """Return a command as the value of ``Exec``, before the escapes that every value has."""
    return " ".join(_quote(word) for word in command)


def _quote(word: str) -> str:
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    return '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'


def unquote_exec(value: str) -> list[str]:
    """Return the words of an ``Exec`` value whose escapes are undone; field codes stay."""
    found = [
        plain or re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        for quoted, plain in _WORD.findall(value)
    ]
    return [word.replace("%%", "%") for word in found]


def escape(value: str) -> str:
    """Return a value as it is written."""
    return "".join(_ESCAPES.get(character, character) for character in value)


def unescape(value: str) -> str:
    """Return a value as it is meant."""
    return re.sub(r"\\([sntr\\])", lambda found: _UNESCAPES[found[1]], value)


def first_group(content: str) -> dict[str, str]:
    """Return the keys of the first group, as they stand."""
    found: dict[str, str] = {}
    groups = 0
    for line in content.split("\n"):
        groups += line.startswith("[")
        key, equals, value = line.partition("=")
        if groups == 1 and equals and not line.startswith("#"):
            found[key.strip()] = value.strip()
    return found
