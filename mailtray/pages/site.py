"""The pages put together: their frame, their way around, and what happens when one fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, render_template, send_file
from werkzeug.exceptions import HTTPException

from mailtray import look
from mailtray.core.errors import MailtrayError, NotRunning
from mailtray.core.language import _, ngettext, spoken
from mailtray.pages import (
    about,
    accounts,
    doctor,
    first_run,
    folders,
    messages,
    preview,
    rules,
    settings,
    trouble,
)
from mailtray.pages.safety import FORM_TOKEN
from mailtray.pages.stamps import Stamps

if TYPE_CHECKING:
    from flask import Response

    from mailtray.pages.program import Program
    from mailtray.pages.safety import Safety


def build(program: Program, safety: Safety) -> Flask:
    """Put the pages together.

    Args:
        program: What they show and change.
        safety: Who stands in front of them.
    """
    app = Flask(__name__, static_folder=look.FOLDER, static_url_path="/look")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    safety.guard(app)

    def icon() -> Response:
        return send_file(program.icon)

    app.add_url_rule(f"{safety.prefix}/icon", "icon", icon)
    stamps = Stamps()
    for module in (messages, preview, doctor, first_run, about, trouble):
        app.register_blueprint(module.pages(program), url_prefix=safety.prefix)
    for part in (settings, folders, accounts, rules):
        app.register_blueprint(part.pages(program, stamps), url_prefix=safety.prefix)

    @app.context_processor
    def common() -> dict[str, object]:
        return {
            "_": _,
            "ngettext": ngettext,
            "language": spoken() or "en",
            "form_token_name": FORM_TOKEN,
            "form_token": safety.form_token,
        }

    app.register_error_handler(MailtrayError, _trouble)
    app.register_error_handler(HTTPException, _refusal)
    return app


def _trouble(error: MailtrayError) -> tuple[str, int]:
    return render_template("trouble.html", title=error.title, hint=error.hint), (
        503 if isinstance(error, NotRunning) else 500
    )


def _refusal(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    # Werkzeug's own words are in English; those that were given with the error are said already.
    is_worded = "description" in vars(error)
    words = error.description if is_worded else _("There is no such page here.")
    return render_template("refusal.html", words=words), code
