"""What is wished for single accounts: their names, further addresses and sounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray.core.errors import ConfigError
from mailtray.pages import own
from mailtray.pages.stamps import ChangedMeanwhile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from mailtray.pages.program import Edit, Program
    from mailtray.pages.stamps import Stamps

KEYS = ("name", "addresses", "sound")
"""What is entered here; folders are chosen on a page of their own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was entered for an account and not written.

    Attributes:
        account: Whose it is.
        words: What was entered, by key.
        problems: What is wrong, by key, and of the whole under "".
        is_changed: True where the file says something else of the account by now.
    """

    account: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    is_changed: bool = False


def pages(program: Program, stamps: Stamps) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("settings_accounts", __name__)

    @blueprint.get("/settings/accounts")
    def show() -> str:
        return _page(program, stamps, Refusal())

    @blueprint.post("/settings/accounts")
    def save() -> tuple[str, int] | Response:
        account = request.form["account"].strip()
        words = {key: request.form[key] for key in KEYS}
        try:
            own.edit_table(program, account, _edit(stamps, request.form["stamp"], words))
        except ConfigError as error:
            key = error.key.rpartition(".")[2]
            problems = {key if key in KEYS else "": error.problem}
            return _page(program, stamps, Refusal(account, words, problems)), 422
        except ChangedMeanwhile:
            return _page(program, stamps, Refusal(account, words, is_changed=True)), 409
        return redirect(url_for(".show", saved=account), 303)

    return blueprint


def _edit(stamps: Stamps, stamp: str, words: Mapping[str, str]) -> Edit:
    """Return the edit of an account's table; what is entered elsewhere stays."""

    def edit(now: object) -> object:
        there = dict(now) if isinstance(now, dict) else {}
        stamps.unless_changed(stamp, _entered(words))(_part(there))
        kept = {key: value for key, value in there.items() if key not in KEYS}
        return {**kept, **_entered(words)}

    return edit


def _part(table: Mapping[str, object]) -> Mapping[str, object]:
    """Return what of an account's table is entered here."""
    return {key: table[key] for key in KEYS if key in table}


def _entered(words: Mapping[str, str]) -> Mapping[str, object]:
    lines = [line.strip() for line in words["addresses"].splitlines()]
    found: Mapping[str, object] = {
        "name": words["name"].strip(),
        "addresses": [line for line in lines if line],
        "sound": words["sound"].strip(),
    }
    return {key: value for key, value in found.items() if value}


def _shown(table: Mapping[str, object]) -> Mapping[str, str]:
    addresses = table.get("addresses", [])
    listed = addresses.split(";") if isinstance(addresses, str) else addresses
    return {
        "name": str(table.get("name", "")),
        "addresses": "\n".join(str(one).strip() for one in listed),  # type: ignore[attr-defined] # a list
        "sound": str(table.get("sound", "")),
    }


def _page(program: Program, stamps: Stamps, refused: Refusal) -> str:
    settings = program.own_settings()
    names = [*own.names(program)]
    asked = refused.account or request.args.get("account", "").strip()
    if asked and asked.lower() not in map(str.lower, names):
        names.append(asked)
    tables = {name: own.table(settings, name) for name in names}
    return render_template(
        "settings_accounts.html",
        accounts=[
            (
                name,
                refused.words if name.lower() == refused.account.lower() else _shown(table),
                stamps.of(_part(table)),
                table.get("folders"),
                _shown(table),
            )
            for name, table in tables.items()
        ],
        standing=program.settings()["accounts"],
        refused=refused,
    )
