"""The first run: try it, enter an id that IT gave, or register one; and then sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray.core.errors import ConfigError, MailtrayError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from mailtray.pages.program import Program


@dataclass
class _SignIn:
    """The sign-in that the page began.

    Attributes:
        is_running: True while the person is at it.
        signed_in: Who did.
        error: Why nobody did.
    """

    is_running: bool = False
    signed_in: str = ""
    error: MailtrayError | None = None
    lock: Lock = field(default_factory=Lock)

    def begin(self, program: Program) -> None:
        """Sign in on a thread of its own; nothing happens while one is running."""
        with self.lock:
            if self.is_running:
                return
            self.is_running, self.signed_in, self.error = True, "", None
        Thread(target=self._run, args=(program,), name="first-sign-in", daemon=True).start()

    def _run(self, program: Program) -> None:
        try:
            self.signed_in = program.sign_in()
        except MailtrayError as error:
            self.error = error
        finally:
            self.is_running = False


def pages(program: Program) -> Blueprint:
    """Return the pages, and what their buttons do."""
    blueprint = Blueprint("first_run", __name__)
    sign_in = _SignIn()

    @blueprint.get("/first-run")
    def show() -> str:
        return _doors(program)

    @blueprint.post("/first-run/demo")
    def demo() -> str:
        program.start_demo()
        return render_template("first_run_demo.html")

    @blueprint.post("/first-run/id")
    def enter() -> tuple[str, int] | Response:
        wishes = {key: request.form.get(key, "").strip() for key in ("client_id", "tenant")}
        problem = _keep(program, wishes)
        if problem:
            return _doors(program, problem=problem, **wishes), 422
        return redirect(url_for(".signing_in"), 303)

    @blueprint.get("/first-run/sign-in")
    def signing_in() -> str:
        return render_template("first_run_sign_in.html", sign_in=sign_in)

    @blueprint.get("/first-run/sign-in/state")
    def state() -> str:
        return render_template("first_run_state.html", sign_in=sign_in)

    @blueprint.post("/first-run/sign-in")
    def begin() -> Response:
        sign_in.begin(program)
        return redirect(url_for(".signing_in"), 303)

    return blueprint


def _keep(program: Program, wishes: Mapping[str, str]) -> str:
    """Put what was entered into the settings; returns what is wrong with it, or nothing."""
    if not wishes["client_id"]:
        return _("Paste the client id first.")
    try:
        for key, words in wishes.items():
            if words:
                program.set_setting(key, words)
    except ConfigError as error:
        return error.problem
    return ""


def _doors(program: Program, *, problem: str = "", client_id: str = "", tenant: str = "") -> str:
    return render_template(
        "first_run.html",
        scopes=program.scopes(),
        problem=problem,
        client_id=client_id,
        tenant=tenant,
    )
