"""Every setting with its meaning, its value and where that comes from, to be changed."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for

from mailtray.core.errors import ConfigError, MailtrayError
from mailtray.core.language import N_, _
from mailtray.core.settings import DEFAULTS, FORMS
from mailtray.core.wish_forms import BUTTONS
from mailtray.pages.choices import word_for
from mailtray.pages.preview import preview
from mailtray.pages.stamps import ChangedMeanwhile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.wrappers import Response

    from mailtray.core.language import Sentence
    from mailtray.core.settings import Standing
    from mailtray.pages.program import Program
    from mailtray.pages.stamps import Stamps

GROUPS: tuple[tuple[str, Sentence, tuple[str, ...]], ...] = (
    ("account", N_("Account"), ("client_id", "tenant", "cloud", "accounts")),
    (
        "mail",
        N_("Which mail"),
        ("folders", "rules", "vip", "muted", "focused_only", "own_mail", "interval_s"),
    ),
    (
        "notifications",
        N_("Notifications"),
        ("preview", "privacy", "privacy_when_locked", "buttons", "group_conversations",
         "max_single_notifications", "open_in", "sound"),
    ),
    ("peace", N_("Peace"), ("quiet_hours", "quiet_in_do_not_disturb", "quiet_when_locked")),
    ("look", N_("Look and language"), ("icon_count", "tray", "notifier", "language")),
    ("network", N_("Network and scripts"), ("proxy", "ca_bundle", "hook", "log_level")),
)  # fmt: skip
"""The settings, each in one group, as the page shows them; the first is the group's anchor."""
OWN_PAGE = {
    "accounts": ("settings_accounts.show", N_("Edit accounts")),
    "folders": ("settings_folders.show", N_("Choose folders")),
    "rules": ("settings_rules.show", N_("Edit rules")),
}
"""What is too much for a line, and has a page to itself."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was entered and not written.

    Attributes:
        words: As it was entered.
        problem: What is wrong with it; empty where the file was changed meanwhile.
    """

    words: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a notification or a sound to try.

    Attributes:
        words: What to look or listen for.
        trouble: Why there is nothing.
    """

    words: str = ""
    trouble: MailtrayError | None = None


def pages(program: Program, stamps: Stamps) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("settings", __name__)

    @blueprint.get("/settings")
    def show() -> str:
        return _page(program, stamps)

    @blueprint.post("/settings")
    def change() -> tuple[str, int] | Response:
        return _change(program, stamps)

    @blueprint.post("/settings/try")
    def test() -> str:
        return _page(program, stamps, tried=_try(program))

    return blueprint


def _change(program: Program, stamps: Stamps) -> tuple[str, int] | Response:
    key, entered = request.form["key"], request.form.getlist("words")
    if key not in FORMS or key in OWN_PAGE:
        abort(404)
    try:
        is_default = request.form["action"] == "default"
        value = None if is_default else program.read_setting(key, _typed(key, entered))
        program.edit_setting(key, stamps.unless_changed(request.form["stamp"], value))
    except ConfigError as error:
        refusal = Refusal(_again(key, entered), error.problem)
        return _page(program, stamps, {key: refusal}), 422
    except ChangedMeanwhile:
        return _page(program, stamps, {key: Refusal(_again(key, entered))}), 409
    return redirect(url_for(".show", saved=key, _anchor=key), 303)


def _try(program: Program) -> Tried:
    try:
        if request.form["what"] == "sound":
            return Tried(_play(program))
        program.doctor.notify()
    except MailtrayError as error:
        return Tried(trouble=error)
    return Tried(_("A notification was sent. Did you see it?"))


def _play(program: Program) -> str:
    """Let the sound of the settings be heard, and say what to listen for."""
    sound = str(program.settings()["sound"].value)
    program.play(sound)
    if sound == "none":
        return _("No sound is set, so nothing is heard.")
    return _("The sound is played now.")


def _page(
    program: Program,
    stamps: Stamps,
    refused: Mapping[str, Refusal] | None = None,
    tried: Tried | None = None,
) -> str:
    refused = refused or {}
    try:
        # The file is read first: what is written meanwhile then asks once too often, never too
        # little.
        own = program.own_settings()
        found = program.settings()
    except ConfigError as mistake:
        return _mistake(program, stamps, mistake, refused.get(mistake.key))
    return render_template(
        "settings.html",
        groups=[(anchor, _(title), keys) for anchor, title, keys in GROUPS],
        found=found,
        preview=preview(found),
        forms=FORMS,
        defaults={key: _told(one) for key, one in DEFAULTS.items()},
        own=own,
        stamp={key: stamps.of(own.get(key)) for key in FORMS},
        refused=refused,
        tried=tried,
        own_page=OWN_PAGE,
        counts=_counts(own),
        words=words,
        told=_told,
        word_for=word_for,
        buttons=BUTTONS,
        path=program.places()["settings"],
    )


def _mistake(
    program: Program, stamps: Stamps, mistake: ConfigError, refused: Refusal | None
) -> str:
    """Return the page while a mistake keeps the others from being read: that one setting."""
    is_here = mistake.key in FORMS and mistake.key not in OWN_PAGE
    return render_template(
        "settings_mistake.html",
        mistake=mistake,
        key=mistake.key if is_here else "",
        stamp=stamps.of(program.own_settings().get(mistake.key)) if is_here else "",
        meaning=_(FORMS[mistake.key].meaning) if is_here else "",
        refused=refused,
        path=program.places()["settings"],
    )


def _counts(own: Mapping[str, object]) -> Mapping[str, int]:
    return {key: len(own[key]) for key in OWN_PAGE if isinstance(own.get(key), list | dict)}  # type: ignore[arg-type] # just seen


def is_list(key: str) -> bool:
    """Say whether a setting is a list, one entry a line."""
    return isinstance(DEFAULTS[key].value, tuple)


def _typed(key: str, entered: Sequence[str]) -> str:
    """Return what was entered as the words that stand for it."""
    if not is_list(key):
        return "".join(entered)
    lines = [line.strip() for each in entered for line in each.splitlines()]
    return json.dumps([line for line in lines if line])


def _again(key: str, entered: Sequence[str]) -> str:
    return ("\n" if is_list(key) else "").join(entered)


def words(standing: Standing) -> str:
    """Return a value as it is typed, a list by line; a password stays where it is."""
    match standing.shown:
        case bool() as value:
            return "true" if value else "false"
        case list() | tuple() as value:
            return "\n".join(map(str, value))
        case float() as value:
            return f"{value:g}"
        case value:
            return "" if standing.key == "proxy" else str(value)


def _told(standing: Standing) -> str:
    """Return a value in a line of text."""
    shown = standing.shown
    if isinstance(shown, bool):
        return _("yes") if shown else _("no")
    if isinstance(shown, list):
        return ", ".join(word_for(str(each)) for each in shown) or _("none")
    if FORMS[standing.key].choices:
        return word_for(str(shown))
    with suppress(ValueError, TypeError):
        return f"{float(str(shown)):g}"
    return str(shown) or _("none")
