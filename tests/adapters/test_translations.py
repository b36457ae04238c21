from __future__ import annotations

import plistlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters import translations
from mailtray.core import language, text
from mailtray.core.language import _, ngettext
from tests.e2e.program import MAILTRAY, bare_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    translations.speak("en")


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ((), "en"),
        (("de",), "de"),
        (("de_AT.UTF-8",), "de"),
        (("pt-BR", "en-US"), "pt"),
        (("ja_JP.eucJP",), "ja"),
        (("sr_RS@latin", "fr_CA"), "fr"),
        (("en_GB", "de"), "en"),
        (("tlh",), "en"),
    ],
)
def test_the_first_language_that_is_known_is_spoken(tags: tuple[str, ...], code: str) -> None:
    assert translations.understood(tags) == code


@pytest.mark.parametrize(
    ("variables", "tags"),
    [
        ({}, ()),
        ({"LANG": "de_DE.UTF-8"}, ("de_DE.UTF-8",)),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "fr_FR"}, ("fr_FR",)),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "es_ES"}, ("es_ES",)),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, ("de_DE.UTF-8",)),
        ({"LANG": "de_DE", "LANGUAGE": "nds:ja"}, ("nds", "ja", "de_DE")),
        ({"LANG": "de_DE", "LC_ALL": "C.UTF-8"}, ()),
        ({"LANG": "C", "LANGUAGE": "de"}, ()),
        ({"LANGUAGE": "de"}, ()),
    ],
)
def test_the_variables_of_unix(variables: Mapping[str, str], tags: tuple[str, ...]) -> None:
    assert translations.unix_tags(variables) == tags


def test_the_list_of_macos(tmp_path: Path) -> None:
    preferences = tmp_path / "preferences.plist"
    preferences.write_bytes(plistlib.dumps({"AppleLanguages": ["de-CH", "en-CH"]}))
    assert translations.mac_tags(preferences) == ("de-CH", "en-CH")


@pytest.mark.parametrize(
    "content",
    [b"", b"bplist00 cut off", plistlib.dumps([]), plistlib.dumps({"AppleLanguages": "de"})],
)
def test_a_list_of_macos_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    preferences = tmp_path / "preferences.plist"
    assert translations.mac_tags(preferences) == ()
    preferences.write_bytes(content)
    assert translations.mac_tags(preferences) == ()


@pytest.mark.parametrize(
    ("number", "tags"), [(0x0407, ("de_DE",)), (0x0416, ("pt_BR",)), (0xFFFF, ())]
)
def test_the_language_of_windows(number: int, tags: tuple[str, ...]) -> None:
    class Kernel:
        def GetUserDefaultUILanguage(self) -> int:  # noqa: N802 - as Windows has it
            return number

    assert translations.windows_tags(Kernel()) == tags


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_each_system_is_asked_in_its_own_way(
    platform: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    preferences = tmp_path / "preferences.plist"
    preferences.write_bytes(plistlib.dumps({"AppleLanguages": ["ja-JP"]}))
    monkeypatch.setattr(translations, "_PREFERENCES", preferences)
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert translations.system_tags() == {"linux": ("de_DE.UTF-8",), "darwin": ("ja-JP",)}[platform]


def test_a_language_is_spoken_from_the_next_sentence_on() -> None:
    translations.speak("de")
    assert language.spoken() == "de"
    assert _(text.SIGNED_OUT) == "Abgemeldet"
    assert f"{text.SIGNED_OUT}" == "Abgemeldet"
    assert ngettext("{count} new message", "{count} new messages", 2) == "{count} neue Nachrichten"
    translations.speak("en")
    assert language.spoken() == "en"
    assert _(text.SIGNED_OUT) == "Signed out"


def test_nothing_is_nothing_in_every_language() -> None:
    translations.speak("de")
    assert _("") == ""


def test_a_language_without_a_catalogue_is_english(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    translations.speak("de")
    assert _("Sign in") == "Sign in"


def answer(home: Path, variables: Mapping[str, str], *words: str, encoding: str = "utf-8") -> str:
    done = subprocess.run(
        [*MAILTRAY, "--home", str(home), *words],
        env={**bare_environment(home), **variables},
        capture_output=True,
        encoding=encoding,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variables", "setting", "said"),
    [
        ({"LANG": "de_DE.UTF-8"}, "", "mailtray läuft nicht"),
        ({"LANG": "en_US.UTF-8"}, 'language = "de"', "mailtray läuft nicht"),
        ({"LANG": "de_DE.UTF-8"}, 'language = "en"', "mailtray is not running"),
        ({"LANG": "de_DE.UTF-8"}, "interval_s = 1", "mailtray läuft nicht"),
    ],
)
def test_a_command_answers_in_the_language_of_the_person(
    tmp_path: Path, variables: Mapping[str, str], setting: str, said: str
) -> None:
    (tmp_path / "settings.toml").write_text(f"{setting}\n")
    utf8 = {**variables, "PYTHONIOENCODING": "utf-8"}
    assert said in answer(tmp_path, utf8, "status")


def test_a_terminal_in_an_old_encoding_shows_what_it_can(tmp_path: Path) -> None:
    variables = {"LANG": "de_DE", "PYTHONIOENCODING": "latin-1"}
    help_in_latin_1 = answer(tmp_path, variables, "settings", "set", "--help", encoding="latin-1")
    assert "mit ?;? getrennt" in " ".join(help_in_latin_1.split())


def test_help_is_in_the_language_of_the_person(tmp_path: Path) -> None:
    german = {"LANG": "de_DE.UTF-8", "PYTHONIOENCODING": "utf-8"}
    assert "Jetzt nach Nachrichten sehen" in answer(tmp_path, german, "--help")
