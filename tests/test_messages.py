"""What is said goes through the catalogues, and they are whole."""

from __future__ import annotations

import ast
import re
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.http_transport import ERRORS
from mailtray.adapters.msal_errors import MEANINGS
from mailtray.core import text
from mailtray.core.language import Sentence
from tests import messages
from tests.messages import (
    TEMPLATE,
    TRANSLATED,
    catalogue_path,
    compiled,
    forms,
    is_whole,
    read,
    sources,
    template,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babel.messages.catalog import Catalog

# --- catalogues


def _sentences(catalogue: Catalog) -> set[tuple[str, ...]]:
    return {forms(one.id) for one in catalogue if one.id}


def _pairs(code: str) -> Iterator[tuple[str, str]]:
    """Yield each sentence and its translation; of plural forms each with what it stands for."""
    for one in read(catalogue_path(code), code):
        if not one.id:
            continue
        sentences, done = forms(one.id), forms(one.string)
        yield from (
            (sentences[min(number, len(sentences) - 1)], translation)
            for number, translation in enumerate(done)
            if translation
        )


def test_the_template_has_the_sentences_of_the_code() -> None:
    assert _sentences(read(TEMPLATE)) == _sentences(template()), "run make messages"


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_has_the_sentences_of_the_code(code: str) -> None:
    assert _sentences(read(catalogue_path(code), code)) == _sentences(template()), (
        "run make messages"
    )


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_sentence_is_left_untranslated(code: str) -> None:
    catalogue = read(catalogue_path(code), code)
    assert [one.id for one in catalogue if one.id and (one.fuzzy or not is_whole(one))] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_counts_have_as_many_forms_as_the_language(code: str) -> None:
    catalogue = read(catalogue_path(code), code)
    found = {len(forms(one.string)) for one in catalogue if isinstance(one.id, tuple | list)}
    assert found == {catalogue.num_plurals}


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_the_program_reads_is_what_the_translator_wrote(code: str) -> None:
    path = catalogue_path(code)
    assert path.with_suffix(".mo").read_bytes() == compiled(read(path, code)), "run make messages"


@pytest.mark.parametrize("code", TRANSLATED)
def test_placeholders_are_kept(code: str) -> None:
    assert [pair for pair in _pairs(code) if _fields(pair[0]) != _fields(pair[1])] == []


def _fields(sentence: str) -> set[tuple[str, str]]:
    parsed = Formatter().parse(sentence)
    return {(name, spec or "") for _text, name, spec, _conversion in parsed if name is not None}


MENU = [
    one.english
    for name, one in vars(text).items()
    if name.startswith("MENU_") and isinstance(one, Sentence)
]
PAUSES = [label.english for label, _wish in text.MENU_PAUSES]


WORDS_TO_TYPE = re.compile(
    r"mailtray [a-z]+(?=”)|--[a-z-]+|https?://[^\s,;)]+|\b[a-z]+(?:_[a-z]+)+\b|\b[A-Z]{2,}_[A-Z_]+"
    r"|%(?:40|3A|2F|23)|[\w@.-]+@[\w.]+\w|(?<!client)/[\w.]+(?=[ .”])|AADSTS"
)


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_is_to_be_typed_or_quoted_is_kept(code: str) -> None:
    odd = [
        (word, translation)
        for sentence, translation in _pairs(code)
        if sentence not in MENU
        for word in WORDS_TO_TYPE.findall(sentence)
        if word not in translation
    ]
    assert odd == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_times_use_what_no_locale_of_the_system_words(code: str) -> None:
    formats = [done for sentence, done in _pairs(code) if sentence.startswith("%")]
    assert len(formats) == 3
    assert all(set(re.findall(r"%(.)", each)) <= set("YmdHM") for each in formats)


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_is_to_be_chosen_is_called_as_the_menu_calls_it(code: str) -> None:
    known = dict(_pairs(code))
    called = {_called(label): _called(known.get(label, "")) for label in MENU}
    odd = [
        (quoted, translation)
        for sentence, translation in known.items()
        for quoted in re.findall(r"“([^”]+)”", sentence)
        if quoted in called and called[quoted] not in translation
    ]
    assert odd == []


def _called(label: str) -> str:
    """Return a label without its letter, which Japanese adds in brackets of its own."""
    return re.sub(r"\(_.\)|_", "", label)


@pytest.mark.parametrize("code", TRANSLATED)
@pytest.mark.parametrize("menu", [MENU, PAUSES], ids=["menu", "pauses"])
def test_letters_choose_from_the_menu_as_they_do_in_english(code: str, menu: list[str]) -> None:
    known = dict(_pairs(code))
    letters: dict[str, set[str]] = {}
    for label in menu:
        letters.setdefault(_letter(known.get(label, "")), set()).add(_letter(label))
    # What has one letter in English is never shown together.
    assert all(letter and len(english) == 1 for letter, english in letters.items()), letters


def _letter(label: str) -> str:
    _before, mark, after = label.partition("_")
    assert "_" not in after
    return after[:1].lower() if mark else ""


@pytest.mark.parametrize("code", TRANSLATED)
def test_sentences_begin_and_end_alike(code: str) -> None:
    assert [pair for pair in _pairs(code) if _frame(pair[0]) != _frame(pair[1])] == []


def _frame(sentence: str) -> tuple[str, str, int]:
    """Return the space before, what ends it, and how many paragraphs it has."""
    before = sentence[: len(sentence) - len(sentence.lstrip())]
    end = {"。": ".", "\uff1a": ":"}.get(sentence[-1], sentence[-1])
    return before, end if end in ".…:\n" else "", sentence.count("\n\n")


TITLES = {
    *(one.title.english for one in MEANINGS.values()),
    *(title.english for _theirs, _ours, (title, _hint) in ERRORS),
}


@pytest.mark.parametrize("code", TRANSLATED)
def test_titles_fit_a_line_of_the_menu(code: str) -> None:
    known = dict(_pairs(code))
    assert [known[title] for title in TITLES if len(known[title]) > 60] == []


# --- nothing is left out

SPOKEN_BY = frozenset({"_", "N_", "ngettext"})
NOT_FOR_PEOPLE = frozenset({"_log", "LOG", "log", "re", "database"})
"""What is called on these is for the log, a pattern or a database."""
TWO_WORDS = re.compile(r"[^\W\d_]{2,}[,.:;]? [^\W\d_“{]|[^\W\d_]{3,} \{\}|\{\} [^\W\d_]{3,}")
MARKUP = re.compile(r"\s*(<|PRAGMA|BEGIN|CREATE|SELECT|INSERT|UPDATE|DELETE|\[Desktop Entry\])")
EXCEPTIONS = {
    # Caught within the module, or a fault of ours that the last barrier words.
    "mailtray/adapters/control_socket.py": {"not listening", "not an object"},
    "mailtray/adapters/graph_json.py": {
        "no counters", "nested too deeply", "not an object", "no list of {}",
    },
    "mailtray/adapters/certificate_met.py": {"cut off"},
    "mailtray/adapters/secret_service.py": {"not unlocked"},
    "mailtray/adapters/session_bus.py": {"not connected", "the connection closed"},
    "mailtray/adapters/sqlite_state.py": {
        "is of another program or a newer version", "failed its check",
        "holds values of another kind",
    },
    "mailtray/adapters/status_notifier_menu.py": {"no item {}", "no property {}"},
    "mailtray/adapters/windows_events.py": {
        "no news of addresses: error {}", "no class for a window", "no window",
    },
    "mailtray/adapters/windows_library.py": {"no {} here"},
    # Names of others.
    "mailtray/adapters/check_network.py": {
        "Microsoft Corporation", "DigiCert Inc", "DigiCert, Inc.",
    },
    "mailtray/adapters/check_system.py": {"mailtray {}", "Python {}"},
    "mailtray/pages/trouble.py": {"mailtray {}"},
    # Protocols.
    "mailtray/adapters/graph_mail.py": {
        "receivedDateTime ge {} and isRead eq false", "receivedDateTime desc",
        "receivedDateTime ge {}",
    },
    "mailtray/adapters/graph_requests.py": {"Bearer {}"},
    "mailtray/adapters/http_transport.py": {"Basic {}"},
    "mailtray/adapters/sign_in_listener.py": {"text/html; charset=utf-8"},
    "mailtray/adapters/freedesktop_presence.py": {"Xfce Notify Daemon"},
    # Names by which the program itself tells things apart.
    "mailtray/adapters/settings_file.py": {"command line", "this release"},
    "mailtray/bootstrap.py": {"command line"},
    "mailtray/command_line.py": {"command line"},
    # What KWallet and Seahorse call an entry; it must not change with the language.
    "mailtray/adapters/keyring_vault.py": {
        "account {}", "macOS Keychain", "Windows Credential Manager", "Secret Service",
    },
    # As the settings write it.
    "mailtray/core/rules.py": {"sound {}"},
    # Names and words of made-up mail.
    "mailtray/demo.py": {
        "Build server", "Nightly build finished", "Grace Hopper", "Found a moth in the relay",
        "Alan Turing", "Written while you were offline", "Katherine Johnson",
        "Sent while you were signed out", "Edsger Dijkstra", "Goto considered forgotten",
        "Lunch on Thursday?", "The place by the harbour, at noon.", "It goes on and on.",
        "Notes on the halting problem",
    },
}  # fmt: skip


@pytest.mark.parametrize("path", sources("*.py"), ids=lambda path: path.stem)
def test_every_sentence_of_the_code_is_one_of_the_catalogues(path: Path) -> None:
    name = path.relative_to(messages.PACKAGE.parent).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {words for words in _unsaid(tree) if not MARKUP.match(words)}
    assert found == EXCEPTIONS.get(name, set())


@pytest.mark.parametrize("path", sources("*.html"), ids=lambda path: path.stem)
def test_every_sentence_of_a_page_is_one_of_the_catalogues(path: Path) -> None:
    markup = re.sub(r"{[{%#].*?[}%#]}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    spoken = re.findall(r"(?:alt|title|aria-label|placeholder|content)=\"([^\"]*)\"", markup)
    shown = re.sub(r"<[^>]*>", "", markup, flags=re.DOTALL)
    words = {word for each in (shown, *spoken) for word in re.findall(r"[^\W\d_]+", each)}
    names = {"mailtray", "entra", "microsoft", "contoso", "com", "AADSTS"}
    assert words <= names | {"light", "dark", "width", "device", "initial", "scale", "wide"}


def _unsaid(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of several words that are no docstring, no help and not said."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if _is_elsewhere(node):
            skipped.update(id(each) for each in ast.walk(node))
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(each) for each in ast.walk(node))
            words = "".join(
                str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values
            )
        else:
            words = str(node.value) if isinstance(node, ast.Constant) else ""
        if TWO_WORDS.search(words):
            yield words


def _is_elsewhere(node: ast.AST) -> bool:
    match node:
        case ast.Expr(ast.Constant()):
            return True
        case ast.Call(ast.Name(name)):
            return name in SPOKEN_BY
        case ast.Call(ast.Attribute(ast.Name(name))):
            return name in NOT_FOR_PEOPLE
        case ast.keyword(arg="help"):
            return True  # click's, and found there
        case _:
            return False
