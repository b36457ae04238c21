"""The command that tries the rules on messages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from mailtray.command_line import EXIT_OK, common, said, say, with_json
from mailtray.core import text
from mailtray.core.errors import MailtrayError
from mailtray.core.language import _

STANDARD_INPUT = "-"
_MAX_BYTES = 32 * 1024 * 1024


@click.group("rules")
@common
def rules_group() -> None:
    """Try your rules before mail does."""


@rules_group.command("test")
@click.argument("file")
@click.option("--account", metavar="USERNAME", default="", help="Whose mail it is.")
@click.option("--folder", metavar="FOLDER", default="inbox", help="The folder it came into.")
@common
@with_json
def rules_test(*, file: str, account: str, folder: str, as_json: bool) -> int:
    """Tell which rule each message of FILE meets, and what becomes of it; - reads standard input.

    FILE is JSON: a message as Microsoft Graph has it, a list of them, or Graph's whole answer.
    By hand it may be as short as {"from": "anna@contoso.com", "subject": "Lunch?"}; further keys
    are to, cc, importance, focused and meeting, as in rules.
    """
    from mailtray import bootstrap

    answer = bootstrap.try_rules(said(), _content(file), account=account, folder=folder)
    if as_json:
        say(json.dumps(answer))
        return EXIT_OK
    messages: list[dict[str, Any]] = answer["messages"]  # type: ignore[assignment] # as JSON
    for message in messages:
        say(text.labelled(message["from"], message["subject"]))
        say(f"  {message['why']}")
    if answer["account"] is None:
        click.echo(
            _("No rule knows what is to you; say whose mail it is with --account."), err=True
        )
    return EXIT_OK


def _content(file: str) -> bytes:
    """Return what is in a file.

    Raises:
        MailtrayError: It cannot be read, or is far too long.
    """
    try:
        if file == STANDARD_INPUT:
            content = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror or exc if isinstance(exc, OSError) else exc
        raise MailtrayError(
            _("{path} cannot be read: {reason}").format(path=file, reason=reason),
            _("Name a file with messages as JSON."),
        ) from exc
    if len(content) > _MAX_BYTES:
        raise MailtrayError(
            _("{path} is too long").format(path=file), _("Name a file of a few messages.")
        )
    return content
