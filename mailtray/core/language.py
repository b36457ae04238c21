"""The language in which everything is said.

Sentences are written in English where they are used, inside :func:`_`, and looked up when they are
said: a change of language holds from the next sentence on.

Source: the gettext manual; ``gettext`` in Python's documentation.
"""

from __future__ import annotations

from gettext import NullTranslations

_spoken: NullTranslations = NullTranslations()


def speak(translations: NullTranslations) -> None:
    """Say everything in another language from now on."""
    global _spoken  # noqa: PLW0603 - one program speaks one language
    _spoken = translations


def _(sentence: str) -> str:
    """Return a sentence in the language that is spoken."""
    return _spoken.gettext(sentence)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a sentence that ``count`` asks for in the language that is spoken."""
    return _spoken.ngettext(one, many, count)


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name
    """Mark a sentence that is looked up elsewhere, when it is said."""
    return sentence
