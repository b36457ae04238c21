"""The newest unread messages of each account: what opens where there is no tray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from mailtray.pages.program import Program


def pages(program: Program) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("messages", __name__)

    @blueprint.get("/messages")
    def show() -> str:
        return render_template("messages.html", state=program.ask("status"))

    @blueprint.get("/messages/list")
    def listed() -> str:
        return render_template("messages_list.html", state=program.ask("status"))

    @blueprint.post("/messages/check")
    def check() -> Response:
        program.ask("check")
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
