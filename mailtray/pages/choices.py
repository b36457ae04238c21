"""The words of settings and rules of which there are few, as the pages call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.core.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailtray.core.language import Sentence

WORDS: Mapping[str, Sentence] = {
    "global": N_("worldwide"),
    "usgov": N_("US government"),
    "dod": N_("US Department of Defense"),
    "china": N_("China"),
    "notify": N_("tell me"),
    "silent": N_("count only, do not tell"),
    "ignore": N_("neither tell nor count"),
    "subject": N_("sender and subject"),
    "sender": N_("sender alone"),
    "hidden": N_("that there is mail, no more"),
    "webmail": N_("in the browser"),
    "mail_program": N_("in the mail program"),
    "unread": N_("all unread mail"),
    "new": N_("what came since you last looked"),
    "auto": N_("as the desktop has it"),
    "console": N_("lines of text"),
    "none": N_("none"),
    "error": N_("errors"),
    "warning": N_("warnings too"),
    "info": N_("what happens too"),
    "debug": N_("everything"),
    "mark_read": N_("Mark read"),
    "archive": N_("Archive"),
    "delete": N_("Delete"),
    "": N_("as the system has it"),
    "me": N_("me"),
    "only_me": N_("me alone"),
    "cc": N_("me as a copy only"),
    "not_me": N_("not me, as of a mailing list"),
    "high": N_("high"),
    "normal": N_("normal"),
    "low": N_("low"),
    "critical": N_("urgent"),
    "request": N_("an invitation"),
    "cancelled": N_("a cancellation"),
    "accepted": N_("an acceptance"),
    "tentative": N_("a “maybe”"),
    "declined": N_("a refusal"),
    "true": N_("yes"),
    "false": N_("no"),
}

_LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "ja": "日本語",
}
"""Each in itself, so that whoever speaks it finds it."""


def word_for(value: str) -> str:
    """Return how a person calls a word of a setting; any other as it is."""
    found = WORDS.get(value)
    return _LANGUAGES.get(value, value) if found is None else _(found)
