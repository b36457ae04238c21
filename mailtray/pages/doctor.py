"""The doctor: everything that mailtray needs, looked at now, and a notification to try."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray.core.doctor import PARTS, VERDICTS, Verdict
from mailtray.core.errors import MailtrayError
from mailtray.core.language import _
from mailtray.pages.chart import chart

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from mailtray.core.doctor import Check
    from mailtray.pages.chart import Chart
    from mailtray.pages.program import Program


_URGENCY = (Verdict.FAIL, Verdict.ATTENTION, Verdict.UNKNOWN, Verdict.OK)
"""What asks for the person comes first."""


@dataclass(slots=True)
class Visit:
    """What the page knows; there is one person in front of it.

    Attributes:
        checks: What was found last; empty before the first look.
        test: How far the test notification is: ``sent``, ``seen``, ``unseen``, or empty.
        trouble: Why it was not shown.
    """

    checks: tuple[Check, ...] = ()
    test: str = ""
    trouble: MailtrayError | None = None


def pages(program: Program) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("doctor", __name__)
    visit, turn = Visit(), Lock()

    @blueprint.get("/doctor")
    def show() -> str:
        with turn:
            if not visit.checks:
                visit.checks = tuple(program.doctor.examine())
        return render_template(
            "doctor.html",
            checks=sorted(visit.checks, key=lambda one: _URGENCY.index(one.verdict)),
            count=_count(visit.checks),
            parts=PARTS,
            verdicts=VERDICTS,
            visit=visit,
            chart=_last_day(program),
            report=_report(program, visit),
        )

    @blueprint.post("/doctor/again")
    def again() -> Response:
        visit.checks = ()
        return redirect(url_for(".show"), 303)

    @blueprint.post("/doctor/test")
    def test() -> Response:
        visit.test, visit.trouble = "sent", None
        try:
            program.doctor.notify()
        except MailtrayError as error:
            visit.test, visit.trouble = "", error
        return redirect(url_for(".show", _anchor="test"), 303)

    @blueprint.post("/doctor/seen")
    def seen() -> Response:
        visit.test = "seen" if request.form["seen"] == "yes" else "unseen"
        return redirect(url_for(".show", _anchor="test"), 303)

    return blueprint


def _count(checks: tuple[Check, ...]) -> dict[Verdict, int]:
    return {verdict: sum(one.verdict is verdict for one in checks) for verdict in Verdict}


def _last_day(program: Program) -> Chart | None:
    """Return the last day as a chart, where something runs that knows it."""
    with suppress(MailtrayError):
        return chart(program.ask("history")["hours"])
    return None


def _report(program: Program, visit: Visit) -> str:
    lines = [program.doctor.report(visit.checks)]
    if visit.test == "seen":
        lines.append(_("A test notification was seen."))
    if visit.test == "unseen":
        lines.append(_("A test notification was not seen."))
    return "\n".join(lines)
