"""The rules: in order, changed one by one, and tried on the mail that is there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for

from mailtray.core.errors import ConfigError, NotRunning
from mailtray.core.rules import CONDITIONS, parse_rules
from mailtray.core.wish_forms import InnerMistake
from mailtray.pages import rule_form
from mailtray.pages.choices import word_for
from mailtray.pages.stamps import ChangedMeanwhile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug.wrappers import Response

    from mailtray.pages.program import Program
    from mailtray.pages.stamps import Stamps

    Table = Mapping[str, object]

NEW = 0
"""The number of a rule that is not there yet; others are counted from 1 on."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule's form, and what is to be said about it.

    Attributes:
        number: Which rule it is, or :data:`NEW`.
        stamp: Of the rule as the form was made from it.
        words: What its fields hold.
        problems: What is wrong with fields, by key; what is wrong with the whole under "".
        is_changed: True where the file says something else of this rule by now.
        tried: What the running program says of its mail.
    """

    number: int
    stamp: str
    words: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    is_changed: bool = False
    tried: Mapping[str, object] | None = None


class _Rules:
    """Reads and changes the rules of the person's file.

    Args:
        program: Has them.
        stamps: Tells rules apart.
    """

    def __init__(self, program: Program, stamps: Stamps) -> None:
        self._program = program
        self._stamps = stamps

    def tables(self, now: object | None = None) -> list[Table]:
        """Return the rules of the person's file, or those that count where it has none."""
        own = self._program.own_settings().get("rules") if now is None else now
        if isinstance(own, list):
            return [*own]
        written = self._program.settings()["rules"].written
        return [*written] if isinstance(written, list) else []

    def find(self, tables: Sequence[Table], number: int, stamp: str) -> int | None:
        """Return at which place a rule is that a form was made from; it may have been moved."""
        there = [at for at, one in enumerate(tables) if self._stamps.of(one) == stamp]
        return number - 1 if number - 1 in there else next(iter(there), None)

    def put(self, tables: list[Table], number: int, stamp: str, table: Table) -> list[Table]:
        """Return the rules with one changed or added.

        Raises:
            ChangedMeanwhile: It is not there any more as it was.
        """
        if number == NEW:
            # Behind a rule that every message meets none would count.
            is_last_open = bool(tables) and _is_for_all(tables[-1])
            tables.insert(len(tables) - 1 if is_last_open else len(tables), table)
            return tables
        at = self.find(tables, number, stamp)
        if at is None:
            raise ChangedMeanwhile
        tables[at] = table
        return tables

    def moved(self, tables: list[Table], number: int, stamp: str, action: str) -> list[Table]:
        """Return the rules with one moved ``up`` or ``down``, or left out by ``delete``.

        Raises:
            ChangedMeanwhile: It is not there any more as it was.
        """
        at = self.find(tables, number, stamp)
        if at is None:
            raise ChangedMeanwhile
        one = tables.pop(at)
        if action != "delete":
            tables.insert(max(0, at - 1) if action == "up" else at + 1, one)
        return tables

    def edit(self, change: Callable[[list[Table]], list[Table]]) -> None:
        """Change the rules of the file; where none is left the file says nothing of them."""
        self._program.edit_setting("rules", lambda now: change(self.tables(now)) or None)


def _is_for_all(table: Table) -> bool:
    return not any(key in table for key in CONDITIONS)


def pages(program: Program, stamps: Stamps) -> Blueprint:
    """Return the pages, and what their buttons do."""
    blueprint = Blueprint("settings_rules", __name__)
    rules = _Rules(program, stamps)

    @blueprint.get("/settings/rules")
    def show() -> str:
        return _list(program, stamps, rules)

    @blueprint.post("/settings/rules")
    def move() -> tuple[str, int] | Response:
        return _moved(program, stamps, rules)

    @blueprint.get("/settings/rules/tried")
    def tried() -> str:
        return _list(program, stamps, rules, tried=program.ask("try_rules"))

    @blueprint.get("/settings/rule")
    def edit() -> str:
        number, tables = request.args.get("number", NEW, type=int), rules.tables()
        if not NEW <= number <= len(tables):
            abort(404)
        table = tables[number - 1] if number else {}
        return _form(Draft(number, stamps.of(table), rule_form.shown(table)), rules)

    @blueprint.post("/settings/rule")
    def save() -> tuple[str, int] | Response:
        return _saved(program, stamps, rules)

    return blueprint


def _moved(program: Program, stamps: Stamps, rules: _Rules) -> tuple[str, int] | Response:
    """Move or delete the rule that was chosen."""
    form = request.form
    number, stamp, action = form.get("number", NEW, type=int), form["stamp"], form["action"]
    try:
        rules.edit(lambda tables: rules.moved(tables, number, stamp, action))
    except ChangedMeanwhile:
        return _list(program, stamps, rules, is_changed=True), 409
    except ConfigError as error:
        return _list(program, stamps, rules, problem=error.problem), 422
    return redirect(url_for(".show"), 303)


def _saved(program: Program, stamps: Stamps, rules: _Rules) -> tuple[str, int] | Response:
    """Save or try the rule that was entered."""
    entered, action = request.form, request.form["action"]
    words = {one.key: entered.get(one.key, "") for one in rule_form.FIELDS}
    number, stamp = entered.get("number", NEW, type=int), entered["stamp"]
    if action == "as_new":
        number = NEW
    draft = Draft(number, stamp, words)
    table = rule_form.table(words)
    try:
        parse_rules([table])
        if action == "try":
            answer = program.ask("try_rules", rules=rules.put(rules.tables(), number, stamp, table))
            return _form(replace(draft, tried=answer), rules), 200
        rules.edit(lambda tables: rules.put(tables, number, stamp, table))
    except InnerMistake as mistake:
        key = mistake.where.rpartition(".")[2] if "." in mistake.where else ""
        return _form(replace(draft, problems={key: str(mistake)}), rules), 422
    except ConfigError as error:
        return _form(replace(draft, problems={"": error.problem}), rules), 422
    except NotRunning as error:
        return _form(replace(draft, problems={"": f"{error.title}. {error.hint}"}), rules), 503
    except ChangedMeanwhile:
        return _conflict(draft, rules, stamps), 409
    return redirect(url_for(".show", saved=1), 303)


def _conflict(draft: Draft, rules: _Rules, stamps: Stamps) -> str:
    """Show what was entered beside what stands at its place by now, and ask."""
    tables = rules.tables()
    there = tables[draft.number - 1] if draft.number <= len(tables) else None
    asked = replace(draft, is_changed=True, stamp=stamps.of(there) if there else "")
    return _form(asked, rules, there)


def _form(draft: Draft, rules: _Rules, there: Table | None = None) -> str:
    return render_template(
        "settings_rule.html",
        draft=draft,
        fields=rule_form.FIELDS,
        conditions=CONDITIONS,
        there=None if there is None else rule_form.described(there),
        count=len(rules.tables()),
        word_for=word_for,
    )


def _list(
    program: Program,
    stamps: Stamps,
    rules: _Rules,
    *,
    tried: Mapping[str, object] | None = None,
    problem: str = "",
    is_changed: bool = False,
) -> str:
    standing = program.settings()["rules"]
    return render_template(
        "settings_rules.html",
        rules=[
            (number, one, rule_form.described(one), stamps.of(one))
            for number, one in enumerate(rules.tables(), 1)
        ],
        standing=standing,
        tried=tried,
        problem=problem,
        is_changed=is_changed,
    )
