"""The folders to watch, picked from the mailboxes' trees; typed where nothing tells the trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mailtray.core.errors import ConfigError, MailtrayError
from mailtray.core.folders import is_address, meant, parse_wish
from mailtray.core.language import _
from mailtray.pages import own
from mailtray.pages.stamps import ChangedMeanwhile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from werkzeug.wrappers import Response

    from mailtray.pages.program import Program
    from mailtray.pages.stamps import Stamps


@dataclass(frozen=True, slots=True)
class Choice:
    """A folder that can be chosen.

    Attributes:
        words: As the settings name it, or would.
        name: Its last name; ``depth`` says below how many others it is.
        unread: How many unread messages are in it, where that is known.
    """

    words: str
    name: str
    depth: int = 0
    unread: int | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox of which folders can be chosen.

    Attributes:
        address: Empty for the account's own.
        trouble: Why its tree is not known; its choices are then what is chosen already.
    """

    address: str
    choices: tuple[Choice, ...]
    trouble: MailtrayError | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was chosen and not written.

    Attributes:
        chosen: The folders.
        problem: What is wrong; empty where the file was changed meanwhile.
    """

    chosen: tuple[str, ...]
    problem: str = ""


def pages(program: Program, stamps: Stamps) -> Blueprint:
    """Return the page, and what its buttons do."""
    blueprint = Blueprint("settings_folders", __name__)

    @blueprint.get("/settings/folders")
    def show() -> str:
        return _page(program, stamps, request.args.get("account", ""))

    @blueprint.post("/settings/folders")
    def save() -> tuple[str, int] | Response:
        account, stamp = request.form["account"], request.form["stamp"]
        typed = [line.strip() for line in request.form.get("typed", "").splitlines()]
        wished = [*request.form.getlist("folder"), *filter(None, typed)]
        chosen = tuple(dict.fromkeys(wished))
        value = None if request.form["action"] == "default" else [*chosen]
        try:
            _write(program, stamps, account, stamp, value)
        except ConfigError as error:
            return _page(program, stamps, account, Refusal(chosen, error.problem)), 422
        except ChangedMeanwhile:
            return _page(program, stamps, account, Refusal(chosen)), 409
        return redirect(url_for(".show", account=account or None, saved=1), 303)

    return blueprint


def _write(
    program: Program, stamps: Stamps, account: str, stamp: str, value: list[str] | None
) -> None:
    edit = stamps.unless_changed(stamp, value)
    if not account:
        program.edit_setting("folders", edit)
        return

    def edit_table(now: object) -> object:
        there = dict(now) if isinstance(now, dict) else {}
        new = edit(there.pop("folders", None))
        return there if new is None else {**there, "folders": new}

    own.edit_table(program, account, edit_table)


def _page(program: Program, stamps: Stamps, account: str, refused: Refusal | None = None) -> str:
    settings = program.own_settings()
    written = own.table(settings, account).get("folders") if account else settings.get("folders")
    standing = program.settings()
    general: Sequence[str] = standing["folders"].value  # type: ignore[assignment] # its type
    wishes = standing["accounts"].value
    of_account = wishes.get(account.lower()) if isinstance(wishes, dict) else None
    there = tuple((of_account.folders if of_account else ()) or general)
    chosen = refused.chosen if refused else there
    return render_template(
        "settings_folders.html",
        account=account,
        names=("", *own.names(program)),
        mailboxes=_mailboxes(program, account, chosen, request.args.get("mailbox", "").strip()),
        chosen=chosen,
        there=there,
        is_own=written is not None,
        is_locked=standing["accounts" if account else "folders"].is_locked,
        stamp=stamps.of(written),
        refused=refused,
    )


def _mailboxes(
    program: Program, account: str, chosen: Sequence[str], asked: str
) -> tuple[Mailbox, ...]:
    """Return the account's own mailbox, those that are watched, and the one asked for."""
    whose = account or next(iter(own.signed_in(program)), "")
    addresses = ["", *(mailbox_of(one) for one in chosen), asked.lower()]
    return tuple(_mailbox(program, whose, address, chosen) for address in dict.fromkeys(addresses))


def mailbox_of(folder: str) -> str:
    """Return the shared mailbox that a folder is of; empty for the account's own."""
    try:
        return parse_wish(folder).mailbox
    except ValueError:
        return ""


def _mailbox(program: Program, account: str, address: str, chosen: Sequence[str]) -> Mailbox:
    wished = [one for one in chosen if mailbox_of(one) == address]
    known = tuple(Choice(one, one) for one in wished)
    if address and not is_address(address):
        problem = _("{mailbox} is no mail address").format(mailbox=address)
        return Mailbox(address, known, MailtrayError(problem, _("Write it as team@contoso.com.")))
    try:
        answer = program.ask("folders", account=account, mailbox=address)
    except MailtrayError as error:
        inbox = f"{address}/inbox"
        if address and inbox not in wished:
            known = (Choice(inbox, inbox), *known)
        return Mailbox(address, known, error)
    listed: list[dict[str, Any]] = answer["folders"]  # type: ignore[assignment] # as JSON
    return Mailbox(address, tuple(_choices(address, listed, wished)))


def _choices(
    address: str, listed: Iterable[dict[str, Any]], wished: Sequence[str]
) -> Iterable[Choice]:
    """Yield the folders of a tree, and in the end those that are chosen and not in it."""
    left = {meant(one): one for one in wished}
    for folder in listed:
        words = _called(address, folder, left)
        parts = str(folder["path"]).split("/")
        yield Choice(words, parts[-1], len(parts) - 1, folder["unread"])
    for one in left.values():
        yield Choice(one, one)


def _called(address: str, folder: dict[str, Any], left: dict[str, str]) -> str:
    """Return how the settings name a folder: as they do already, else by its path."""
    path = str(folder["path"])
    bare = path if ":" not in path else str(folder["id"])
    words = f"{address}/{bare}" if address else bare
    for name in (folder["wish"], words):
        if name and (known := left.pop(meant(name), None)):
            return known
    return words
