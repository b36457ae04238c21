"""The newest unread messages of each account: what opens where there is no tray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray.core import text
from mailtray.core.troubles import Remedy

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from mailtray.pages.program import Program


def pages(program: Program) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("messages", __name__)

    @blueprint.get("/messages")
    def show() -> str:
        return _page("messages.html", program)

    @blueprint.get("/messages/list")
    def listed() -> str:
        return _page("messages_list.html", program)

    @blueprint.post("/messages/check")
    def check() -> Response:
        program.ask("check")
        return redirect(url_for(".show"), 303)

    @blueprint.post("/messages/sign-in")
    def sign_in() -> Response:
        program.ask("mend", about="", remedy=Remedy.SIGN_IN)
        return redirect(url_for(".show"), 303)

    @blueprint.post("/messages/act")
    def act() -> Response:
        program.ask(
            "act",
            account=request.form["account"],
            id=request.form["id"],
            action=request.form["action"],
        )
        return redirect(url_for(".show"), 303)

    return blueprint


def _page(template: str, program: Program) -> str:
    return render_template(template, state=program.ask("status"), counts=text.counts)
