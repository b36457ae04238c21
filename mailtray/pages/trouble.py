"""What went wrong: each trouble explained, with the one thing to do about it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray import __version__
from mailtray.core import text, troubles
from mailtray.core.approval import letter
from mailtray.core.errors import ConfigError, NotRunning
from mailtray.core.language import N_, _
from mailtray.core.troubles import Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from mailtray.core.language import Sentence
    from mailtray.pages.program import Program

BUTTONS: Mapping[str, Sentence] = {
    Remedy.SIGN_IN: N_("Sign in"),
    Remedy.ADD_ACCOUNT: N_("Sign in with another account"),
    Remedy.ALLOW_CHANGES: N_("Allow changes"),
    Remedy.CHECK_NOW: N_("Check now"),
    Remedy.ASK_APPROVAL: N_("Copy the mail to your administrator"),
    Remedy.SETTINGS: N_("Open the settings"),
    Remedy.SET_UP: N_("Set it up"),
    Remedy.REPORT: N_("Copy the details"),
}


def pages(program: Program) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("trouble", __name__)

    @blueprint.get("/trouble", defaults={"about": ""})
    @blueprint.get("/trouble/<about>")
    def show(about: str) -> str:
        return _page("what_is_wrong.html", program, about)

    @blueprint.get("/trouble-now", defaults={"about": ""})
    @blueprint.get("/trouble-now/<about>")
    def now(about: str) -> str:
        return _page("what_is_wrong_now.html", program, about)

    @blueprint.post("/trouble")
    def mend() -> Response:
        about = request.form["about"]
        program.ask("mend", about=about, remedy=request.form["remedy"])
        return redirect(url_for(".show", about=about), 303)

    return blueprint


def _page(template: str, program: Program, about: str) -> str:
    state = _state(program)
    wrong: list[dict[str, Any]] = state["troubles"]
    asked = about or (wrong[0]["about"] if wrong else "")
    others = {one["about"]: one for one in reversed(wrong) if one["about"] != asked}
    return render_template(
        template,
        about=about,
        state=state,
        shown=[one for one in wrong if one["about"] == asked],
        others=list(others.values()),
        buttons={remedy: _(words) for remedy, words in BUTTONS.items()},
        mends=troubles.MENDS,
        anchor=_setting,
        details=_details,
        letter=_letter,
        there=_there,
    )


def _state(program: Program) -> Mapping[str, Any]:
    """Return how the program is; where a mistake in the settings keeps it from running, so.

    Raises:
        NotRunning: It does not run, and nothing keeps it from running.
    """
    try:
        return program.ask("status")
    except NotRunning:
        try:
            program.settings()
        except ConfigError as mistake:
            wrong = troubles.as_json(troubles.of_error(mistake, "settings"))
            return {"state": "attention", "tooltip": "", "troubles": [wrong]}
        raise


def _setting(key: str) -> str:
    """Return the setting that a dotted key belongs to."""
    return re.split(r"[.\[]", key)[0]


def _there(at: str) -> str:
    """Return a time of the program's as the person's clock shows it."""
    return text.day_and_clock(datetime.fromisoformat(at).astimezone())


def _letter(link: str) -> str:
    written = letter(link)
    return f"{written.subject}\n\n{written.body}".rstrip()


def _details(one: Mapping[str, Any]) -> str:
    """Return what support asks for; nothing private is in it."""
    code = one["code"] and f"AADSTS{one['code']}"
    correlation = _("correlation id {number}").format(number=one["correlation_id"])
    asked = _("request id {number}").format(number=one["request_id"])
    lines = [
        f"mailtray {__version__}",
        one["kind"],
        code,
        one["correlation_id"] and correlation,
        one["request_id"] and asked,
        one["since"],
    ]
    return "\n".join(filter(None, lines))
