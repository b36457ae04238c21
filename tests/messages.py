"""The catalogues of what mailtray says: ``make messages`` brings them up to date with the code.

``mailtray.pot`` has every sentence of the code; each language's ``mailtray.po`` beside it gets
those that are new and loses those that are gone, and is compiled to the ``mailtray.mo`` that
the program reads. What is not translated yet is left empty, never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from inspect import cleandoc
from io import BytesIO
from typing import TYPE_CHECKING

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from mailtray.adapters.translations import LOCALE
from mailtray.cli import cli
from mailtray.core.language import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from babel.messages.catalog import Message

PACKAGE = LOCALE.parent
TEMPLATE = LOCALE / "mailtray.pot"
TRANSLATED = tuple(code for code in LANGUAGES if code != "en")
HEADER = "# What mailtray says; “make messages” keeps it with the code."
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
FOR_TRANSLATORS = "Translators:"
_CHANGES_WITH_EACH_RUN = re.compile(
    r'^"(POT-Creation-Date|Report-Msgid-Bugs-To|PO-Revision-Date|Last-Translator|Language-Team'
    r'|Generated-By): .*\\n"\n',
    re.MULTILINE,
)


def catalogue_path(code: str) -> Path:
    return LOCALE / code / "LC_MESSAGES" / "mailtray.po"


def sources(pattern: str) -> list[Path]:
    """Return the files that speak; the simulator plays Microsoft, and that is in English."""
    found = sorted(PACKAGE.rglob(pattern))
    return [path for path in found if "simulator" not in path.relative_to(PACKAGE).parts]


def template() -> Catalog:
    """Return every sentence of the code."""
    found = Catalog(project="mailtray", version="1", charset="utf-8", fuzzy=False)
    spoken = [("python", path) for path in sources("*.py")]
    spoken += [("jinja2", path) for path in sources("*.html")]
    for method, path in spoken:
        name = path.relative_to(PACKAGE.parent).as_posix()
        extracted = extract_from_file(
            method, path, keywords=KEYWORDS, comment_tags=[FOR_TRANSLATORS]
        )
        for line, sentence, comments, _context in extracted:
            found.add(sentence, locations=[(name, line)], auto_comments=comments)
    for sentence in helps(cli):
        found.add(sentence, locations=[("mailtray/cli.py", 1)], auto_comments=["Help"])
    return found


def helps(command: click.Command) -> Iterator[str]:
    """Yield what a command, and those below it, say of themselves."""
    if command.help:
        yield cleandoc(command.help)
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            yield option.help
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from helps(below)


def read(path: Path, code: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def written(catalogue: Catalog) -> bytes:
    """Return a catalogue as a file: the places without lines, which change with every change."""
    catalogue.header_comment = HEADER
    raw = BytesIO()
    write_po(
        raw, catalogue, width=100, sort_by_file=True, include_lineno=False, ignore_obsolete=True
    )
    return _CHANGES_WITH_EACH_RUN.sub("", raw.getvalue().decode()).encode()


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as the program reads it; the same at every time."""
    raw = BytesIO()
    catalogue.creation_date = catalogue.revision_date = datetime.fromtimestamp(0, UTC)
    write_mo(raw, catalogue)
    return raw.getvalue()


def update() -> None:
    LOCALE.mkdir(exist_ok=True)
    sentences = template()
    TEMPLATE.write_bytes(written(sentences))
    for code in TRANSLATED:
        path = catalogue_path(code)
        catalogue = read(path, code)
        catalogue.update(sentences, no_fuzzy_matching=True)
        path.write_bytes(written(catalogue))
        path.with_suffix(".mo").write_bytes(compiled(read(path, code)))
        told = [one for one in catalogue if one.id]
        lacking = [one for one in told if not is_whole(one)]
        print(f"{code}: {len(told)} sentences, {len(lacking)} to be translated")  # noqa: T201 - a tool


def forms(texts: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the forms of a sentence, or of its translation; one where it tells of no count."""
    return (texts or "",) if texts is None or isinstance(texts, str) else tuple(texts)


def is_whole(one: Message) -> bool:
    return all(forms(one.string))


if __name__ == "__main__":
    update()
