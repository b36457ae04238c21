"""The language in which everything is said.

Sentences are written in English where they are used, inside :func:`_`, and looked up when they are
said: a change of language holds from the next sentence on. Those of tables stand inside :func:`N_`,
which makes a :class:`Sentence` of them: no text, so that a type checker finds the place where one
was not said.

Source: the gettext manual; ``gettext`` in Python's documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations

LANGUAGES = ("en", "de", "fr", "es", "pt", "ja")
"""Those that there are sentences in, as tags (BCP 47)."""

_spoken: NullTranslations = NullTranslations()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or none, that waits to be said by :func:`_`.

    Attributes:
        english: As it stands in the code, and in the catalogues.
    """

    english: str

    def __str__(self) -> str:
        """Return it in the language that is spoken."""
        return _(self)


def speak(translations: NullTranslations) -> None:
    """Say everything in another language from now on."""
    global _spoken  # noqa: PLW0603 - one program speaks one language
    _spoken = translations


def spoken() -> str:
    """Return the tag of the language that is spoken, as ``de`` (BCP 47)."""
    return _spoken.info().get("language", "en")


def _(sentence: str | Sentence) -> str:
    """Return a sentence in the language that is spoken; nothing stays nothing."""
    english = sentence.english if isinstance(sentence, Sentence) else sentence
    return _spoken.gettext(english) if english else ""  # gettext keeps its header under ""


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a sentence that ``count`` asks for in the language that is spoken."""
    return _spoken.ngettext(one, many, count)


def N_(sentence: str) -> Sentence:  # noqa: N802 - gettext's own name
    """Mark a sentence that is said elsewhere, later."""
    return Sentence(sentence)
