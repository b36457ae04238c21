"""Every setting with its meaning, its value and where that comes from, to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray.core.errors import ConfigError
from mailtray.core.language import N_, _
from mailtray.core.settings import FORMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from mailtray.core.language import Sentence
    from mailtray.core.settings import Standing
    from mailtray.pages.program import Program

GROUPS: tuple[tuple[Sentence, tuple[str, ...]], ...] = (
    (N_("Account"), ("client_id", "tenant", "cloud")),
    (
        N_("Which mail"),
        ("folders", "accounts", "rules", "vip", "muted", "focused_only", "own_mail", "interval_s"),
    ),
    (
        N_("Notifications"),
        ("preview", "privacy", "privacy_when_locked", "group_conversations",
         "max_single_notifications", "buttons", "open_in", "sound"),
    ),
    (N_("Peace"), ("quiet_hours", "quiet_in_do_not_disturb", "quiet_when_locked")),
    (N_("Look and language"), ("icon_count", "tray", "notifier", "language")),
    (N_("Network and scripts"), ("proxy", "ca_bundle", "hook", "log_level")),
)  # fmt: skip
"""The settings, each in one group, as the page shows them."""
IN_FILE = frozenset({"accounts", "rules"})
"""What is too much for a line; the person's file has it."""


def pages(program: Program) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("settings", __name__)

    @blueprint.get("/settings")
    def show() -> str:
        return _page(program, {})

    @blueprint.post("/settings")
    def change() -> tuple[str, int] | Response:
        key, words = request.form["key"], request.form.get("words", "")
        try:
            if request.form["action"] == "default":
                program.unset_setting(key)
            else:
                program.set_setting(key, words)
        except ConfigError as error:
            return _page(program, {key: (words, error.problem)}), 422
        return redirect(url_for(".show", _anchor=key), 303)

    return blueprint


def _page(program: Program, refused: Mapping[str, tuple[str, str]]) -> str:
    return render_template(
        "settings.html",
        groups=[(_(title), keys) for title, keys in GROUPS],
        found=program.settings(),
        meanings={key: _(form.meaning) for key, form in FORMS.items()},
        refused=refused,
        in_file=IN_FILE,
        words=_words,
        path=program.places()["settings"],
    )


def _words(standing: Standing) -> str:
    """Return a value as it is typed; a password stays where it is."""
    match standing.shown:
        case bool() as value:
            return "true" if value else "false"
        case list() | tuple() as value:
            return "; ".join(map(str, value))
        case float() as value:
            return f"{value:g}"
        case value:
            return "" if standing.key == "proxy" else str(value)
