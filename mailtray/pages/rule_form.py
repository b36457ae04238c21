"""A rule between its table in the settings and the fields of its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtray.core.language import N_, Sentence, _
from mailtray.core.model import Importance, Urgency
from mailtray.core.rules import CONDITIONS, IN_CC, ME, MEETINGS, NOT_ME, ONLY_ME, Verdict
from mailtray.pages.choices import word_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_NOTHING = Sentence("")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a rule's form.

    Attributes:
        key: The key of the rule's table.
        label: What it is called.
        choices: The words it can be; a list by line, or a line of text, where there are none.
        is_list: True where each line is one of several.
        hint: An example, or what nothing means.
    """

    key: str
    label: Sentence
    choices: tuple[str, ...] = ()
    is_list: bool = False
    hint: Sentence = _NOTHING


_YES_NO = ("true", "false")
FIELDS = (
    Field("name", N_("Name"), hint=N_("What you call the rule.")),
    Field(
        "from",
        N_("Sender"),
        is_list=True,
        hint=N_("One address or domain a line: anna@contoso.com, @contoso.com."),
    ),
    Field(
        "subject",
        N_("Subject contains"),
        is_list=True,
        hint=N_("One word or phrase a line; one of them is enough."),
    ),
    Field("to", N_("Addressed to"), (ME, ONLY_ME, IN_CC, NOT_ME)),
    Field("importance", N_("Importance"), tuple(one.value for one in Importance)),
    Field("focused", N_("Under “Focused”"), _YES_NO),
    Field("meeting", N_("About a meeting"), (*_YES_NO, *MEETINGS)),
    Field(
        "folder",
        N_("Folder"),
        is_list=True,
        hint=N_("One watched folder a line, as in the setting folders."),
    ),
    Field("account", N_("Account"), is_list=True, hint=N_("One address a line.")),
    Field("do", N_("What then"), tuple(Verdict)),
    Field("urgency", N_("Urgency"), tuple(one.name.lower() for one in Urgency)),
    Field("stays", N_("Stays until it is closed"), _YES_NO),
    Field("sound", N_("Sound"), hint=N_("desktop, none, or the whole path of a sound file.")),
)
"""All that a rule can have, as its form shows it."""


def shown(table: Mapping[str, object]) -> Mapping[str, str]:
    """Return what the fields of a rule's form hold."""
    return {field.key: _words(table.get(field.key)) for field in FIELDS}


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


def table(entered: Mapping[str, str]) -> dict[str, object]:
    """Return a rule's table from what is entered in its fields; empty ones are left out."""
    found: dict[str, object] = {}
    for field in FIELDS:
        words = entered.get(field.key, "").strip()
        if field.is_list:
            lines = [line.strip() for line in words.splitlines()]
            found[field.key] = [line for line in lines if line]
        elif words in _YES_NO:
            found[field.key] = words == "true"
        else:
            found[field.key] = words
    return {key: value for key, value in found.items() if value not in ("", [])}


def described(rule: Mapping[str, object]) -> Sequence[tuple[str, str]]:
    """Return each of a rule's conditions, and what then becomes of a message: label and words."""
    lines = [
        (_(field.label), ", ".join(map(word_for, _words(rule[field.key]).splitlines())))
        for field in FIELDS
        if field.key in rule and field.key != "name"
    ]
    if not any(key in rule for key in CONDITIONS):
        lines.insert(0, (_("Every message"), ""))
    if "do" not in rule:
        lines.append((_("What then"), word_for(Verdict.NOTIFY)))
    return lines
