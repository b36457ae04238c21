"""What mailtray is, in which version, and where it keeps things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template

from mailtray import __version__

if TYPE_CHECKING:
    from mailtray.pages.program import Program


def pages(program: Program) -> Blueprint:
    """Return the page."""
    blueprint = Blueprint("about", __name__)

    @blueprint.get("/about")
    def show() -> str:
        return render_template("about.html", version=__version__, places=program.places())

    return blueprint
