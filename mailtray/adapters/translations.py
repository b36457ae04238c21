"""The catalogues of translated sentences, and which of them the person reads.

``make messages`` makes them: ``locale/<language>/LC_MESSAGES/mailtray.mo``, beside the code.
English is in the code itself and loads nothing.
"""

from __future__ import annotations

import os
import sys
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from mailtray.core import language
from mailtray.core.language import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENGLISH = "en"
LOCALE = Path(__file__).resolve().parent.parent / "locale"
_PREFERENCES = Path("~/Library/Preferences/.GlobalPreferences.plist")
"""Where macOS keeps what the person chose for all programs."""
_NO_LANGUAGE = frozenset({"", "C", "POSIX"})


def speak(wished: str = "") -> None:
    """Say everything from now on in a language.

    Args:
        wished: One of ``LANGUAGES``; where empty, the one that the person's system speaks.
    """
    language.speak(catalogue(wished or understood(system_tags())))


def catalogue(code: str) -> NullTranslations:
    """Return a language's sentences, or none of its own where there is no catalogue."""
    if code == ENGLISH:
        return NullTranslations()
    try:
        with (LOCALE / code / "LC_MESSAGES" / "mailtray.mo").open("rb") as file:
            return GNUTranslations(file)
    except FileNotFoundError:
        return NullTranslations()


def understood(tags: Iterable[str]) -> str:
    """Return the first of ``LANGUAGES`` among tags such as ``de_AT.UTF-8`` and ``pt-BR``."""
    codes = (tag.replace("-", "_").partition("_")[0].partition(".")[0].lower() for tag in tags)
    return next((code for code in codes if code in LANGUAGES), ENGLISH)


def system_tags() -> tuple[str, ...]:
    """Return the tags of the languages that the person's system speaks, the dearest first."""
    match sys.platform:
        case "win32":
            return _windows_tags()
        case "darwin":
            return mac_tags(_PREFERENCES.expanduser())
        case _:
            return unix_tags(os.environ)


def unix_tags(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the variables say.

    Source: the gettext manual, "Locale Environment Variables" and "The LANGUAGE variable".
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    if locale.partition(".")[0] in _NO_LANGUAGE:
        return ()
    return (*filter(None, environment.get("LANGUAGE", "").split(":")), locale)


def mac_tags(preferences: Path) -> tuple[str, ...]:
    """Return the languages of the system settings' list.

    Args:
        preferences: The property list with ``AppleLanguages``.
    """
    import plistlib

    try:
        found = plistlib.loads(preferences.read_bytes()).get("AppleLanguages", [])
    except (OSError, ValueError, AttributeError, plistlib.InvalidFileException):
        return ()
    return tuple(tag for tag in found if isinstance(tag, str)) if isinstance(found, list) else ()


def _windows_tags() -> tuple[str, ...]:
    import ctypes

    return windows_tags(getattr(ctypes, "windll").kernel32)  # noqa: B009 - on Windows only


def windows_tags(kernel: object) -> tuple[str, ...]:
    """Return the language in which Windows itself speaks to the person.

    Args:
        kernel: ``kernel32``, with ``GetUserDefaultUILanguage``.
    """
    from locale import windows_locale

    found: int = kernel.GetUserDefaultUILanguage()  # type: ignore[attr-defined] # as ctypes has it
    return tuple(filter(None, (windows_locale.get(found),)))
