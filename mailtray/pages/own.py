"""What single accounts have of their own in the person's file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mailtray.core.errors import MailtrayError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mailtray.pages.program import Edit, Program


def names(program: Program) -> tuple[str, ...]:
    """Return the usernames of all accounts that are signed in or in the file."""
    found = list(signed_in(program))
    known = {name.lower() for name in found}
    found += [name for name in _tables(program.own_settings()) if name.lower() not in known]
    return tuple(found)


def signed_in(program: Program) -> tuple[str, ...]:
    """Return the usernames of the accounts that the running program has, if one runs."""
    with suppress(MailtrayError):
        accounts: list[dict[str, Any]] = program.ask("status")["accounts"]  # type: ignore[assignment] # as JSON
        return tuple(str(one["username"]) for one in accounts)
    return ()


def table(own: Mapping[str, object], username: str) -> Mapping[str, object]:
    """Return what the file says of one account."""
    tables = _tables(own)
    found = tables.get(_written(tables, username))
    return found if isinstance(found, dict) else {}


def edit_table(program: Program, username: str, change: Edit) -> None:
    """Change one account's table in the file; see :data:`mailtray.pages.program.Edit`.

    An empty table stays where there was one, for the sake of the comments in it.
    """

    def edit(now: object) -> object:
        tables = dict(now) if isinstance(now, dict) else {}
        name = _written(tables, username)
        new = change(tables.get(name))
        if new or name in tables:
            tables[name] = new
        return tables or None

    program.edit_setting("accounts", edit)


def _tables(own: Mapping[str, object]) -> Mapping[str, object]:
    found = own.get("accounts")
    return found if isinstance(found, dict) else {}


def _written(tables: Mapping[str, object], username: str) -> str:
    """Return an account's name as the file writes it: capitals do not matter there."""
    same = [name for name in tables if name.lower() == username.lower()]
    return same[0] if same else username
