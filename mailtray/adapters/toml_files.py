"""Settings files as they lie on the disk."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from mailtray.core.errors import ConfigError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SETTINGS_MAX_BYTES = 256 * 1024
_PLACE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")


def read_raw(path: Path) -> bytes | None:
    """Return what is in a file, or ``None`` where there is none.

    Raises:
        ConfigError: It cannot be read, or is far too long.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(SETTINGS_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        problem = _("cannot be read: {reason}").format(reason=exc.strerror or exc)
        raise mistake(path, "", problem) from exc
    if len(raw) > SETTINGS_MAX_BYTES:
        raise mistake(path, "", _("is too long for a settings file"))
    return raw


def parse(path: Path, raw: bytes) -> Mapping[str, object]:
    """Return what a file says.

    Raises:
        ConfigError: It is not TOML, or not UTF-8.
    """
    try:
        # Windows' editors like to put a byte order mark in front.
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        where = _("line {number}").format(number=line)
        raise mistake(path, where, _("is not UTF-8; save the file as UTF-8")) from exc
    except tomllib.TOMLDecodeError as exc:
        place = _PLACE.search(str(exc))
        problem = _('is not TOML (key = "value"): {reason}').format(reason=_PLACE.sub("", str(exc)))
        number = place and place.group(1)
        where = _("line {number}").format(number=number) if number else _("last line")
        raise mistake(path, where, problem) from exc
    except RecursionError as exc:
        raise mistake(path, "", _("is nested too deeply")) from exc


def mistake(path: Path, key: str, problem: str) -> ConfigError:
    """Return the error that a file has something wrong in it."""
    return ConfigError(origin=str(path), key=key, problem=problem)
