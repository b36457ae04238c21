"""The first run: try it, enter an id that IT gave, or register one; and then sign in."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray.core.errors import AuthError, ConfigError, MailtrayError
from mailtray.core.language import _
from mailtray.core.settings import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from mailtray.pages.program import Program

STEPS = ("open", "name", "types", "redirect", "public", "permissions", "id")
"""The steps of a registration, in order."""
CODES: Mapping[str, frozenset[int]] = {
    "types": frozenset({50020, 50034, 50194, 90072, 9002346}),
    "redirect": frozenset({50011, 500113, 700054, 700084, 900971, 9002326}),
    "public": frozenset({7000215, 7000218}),
    "permissions": frozenset({65001, 70011, 90094, 90095, 90099, 650053, 650056}),
    "id": frozenset({50059, 50128, 90002, 90013, 700016, 900023, 7000112}),
}
"""The AADSTS numbers by which a mistake in a step comes back."""
_NUMBER = re.compile(r"(?:AADSTS)?\s*(\d{5,10})", re.IGNORECASE)


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
    turn: int = 0

    @property
    def wrong_step(self) -> str:
        """The step of :data:`STEPS` that is to be corrected, or empty."""
        code = self.error.code if isinstance(self.error, AuthError) else None
        return next((step for step, codes in CODES.items() if code in codes), "")

    def begin(self, program: Program) -> None:
        """Sign in on a thread of its own; nothing happens while one is running."""
        with self.lock:
            if self.is_running:
                return
            self.is_running, self.signed_in, self.error = True, "", None
            self.turn += 1
            args = (program, self.turn)
        Thread(target=self._run, args=args, name="first-sign-in", daemon=True).start()

    def refused(self, error: MailtrayError) -> None:
        """Note what the person read on Microsoft's page, which tells no program of it."""
        with self.lock:
            self.turn += 1
            self.is_running, self.error = False, error

    def _run(self, program: Program, turn: int) -> None:
        username, error = "", None
        try:
            username = program.sign_in()
        except MailtrayError as exc:
            error = exc
        with self.lock:
            # A good end counts whenever it comes, a bad one only where nobody has gone on since.
            if username or turn == self.turn:
                self.is_running, self.signed_in, self.error = False, username, error


def pages(program: Program) -> Blueprint:
    """Return the pages, and what their buttons do."""
    blueprint = Blueprint("first_run", __name__)
    sign_in = _SignIn()
    _add_doors(blueprint, program, sign_in)
    _add_sign_in(blueprint, program, sign_in)
    return blueprint


def _add_doors(blueprint: Blueprint, program: Program, sign_in: _SignIn) -> None:

    @blueprint.get("/first-run")
    def show() -> str:
        return _doors(program, sign_in, _set_already(program))

    @blueprint.post("/first-run/demo")
    def demo() -> str:
        program.start_demo()
        return render_template("first_run_demo.html")

    @blueprint.post("/first-run/id")
    def enter() -> tuple[str, int] | Response:
        wishes = {key: request.form.get(key, "").strip() for key in ("client_id", "tenant")}
        problem = _keep(program, wishes)
        if problem:
            return _doors(program, sign_in, wishes, problem), 422
        return redirect(url_for(".signing_in"), 303)


def _add_sign_in(blueprint: Blueprint, program: Program, sign_in: _SignIn) -> None:
    @blueprint.get("/first-run/sign-in")
    def signing_in() -> str:
        return _signing_in(sign_in)

    @blueprint.get("/first-run/sign-in/state")
    def state() -> str:
        return render_template("first_run_state.html", sign_in=sign_in, steps=STEPS)

    @blueprint.post("/first-run/sign-in")
    def begin() -> Response:
        sign_in.begin(program)
        return redirect(url_for(".signing_in"), 303)

    @blueprint.post("/first-run/sign-in/number")
    def number() -> tuple[str, int] | Response:
        found = _NUMBER.search(request.form.get("number", ""))
        if found is None:
            return _signing_in(sign_in, _("Type the number as it is shown: AADSTS50011.")), 422
        sign_in.refused(program.refusal(int(found[1])))
        return redirect(url_for(".signing_in"), 303)


def _signing_in(sign_in: _SignIn, problem: str = "") -> str:
    return render_template("first_run_sign_in.html", sign_in=sign_in, steps=STEPS, problem=problem)


def _keep(program: Program, wishes: Mapping[str, str]) -> str:
    """Put what was entered into the settings; returns what is wrong with it, or nothing."""
    if not wishes["client_id"]:
        return _("Paste the client id first.")
    try:
        for key, words in wishes.items():
            if words:
                program.set_setting(key, words)
            elif _set_already(program)[key]:
                program.edit_setting(key, lambda _now: None)
    except ConfigError as error:
        return error.problem
    return ""


def _set_already(program: Program) -> dict[str, str]:
    """Return what stands in the person's file, which may be corrected here."""
    with suppress(ConfigError):
        standings = program.settings()
        return {
            key: str(standings[key].value) if standings[key].place is Place.FILE else ""
            for key in ("client_id", "tenant")
        }
    return {"client_id": "", "tenant": ""}


def _doors(program: Program, sign_in: _SignIn, wishes: Mapping[str, str], problem: str = "") -> str:
    return render_template(
        "first_run.html",
        scopes=program.scopes(),
        problem=problem,
        steps=STEPS,
        sign_in=sign_in,
        **wishes,
    )
