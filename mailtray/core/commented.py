"""A settings file to begin with: every key with its default, commented out."""

from __future__ import annotations

import json

from mailtray.core.language import _
from mailtray.core.settings import DEFAULTS, FORMS

_TABLES = {
    "accounts": (
        '[accounts."anna@contoso.com"]',
        '  name = "Work"',
        '  folders = ["inbox", "Projects/Alpha"]',
        '  addresses = ["anna.smith@contoso.com"]',
        '  sound = "none"',
    ),
    "rules": (
        "[[rules]]",
        '  from = ["@contoso.com"]',
        '  subject = ["invoice"]',
        '  do = "silent"',
    ),
}
"""What has to stand at the end of a file, as an example of it."""


def toml(value: object) -> str:
    """Return a value as TOML has it, for values that JSON writes alike."""
    return json.dumps(value, ensure_ascii=False)


def commented() -> str:
    """Return the file's content."""
    head = _("Settings of mailtray. A line counts once the # before it is taken away.")
    parts = [f"# {head}\n"]
    parts += [
        _part(key, f"{key} = {toml(DEFAULTS[key].shown)}") for key in FORMS if key not in _TABLES
    ]
    parts += [_part(key, *lines) for key, lines in _TABLES.items()]
    return "\n".join(parts)


def _part(key: str, *lines: str) -> str:
    return "".join(f"# {line}\n" for line in (_(FORMS[key].meaning), *lines))
