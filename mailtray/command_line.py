"""What all commands share: how they print, the options that each takes, and the exit codes."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from mailtray.core.errors import ConfigError, MailtrayError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mailtray.bootstrap import Options

P = ParamSpec("P")
R = TypeVar("R")

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_CONFIG = 2
EXIT_ALREADY_RUNNING = 3
EXIT_SIGN_IN_NEEDED = 4
EXIT_NOT_RUNNING = 5
EXIT_INTERRUPTED = 130


def title_of(error: MailtrayError) -> str:
    """Return what happened, of an option as it is written."""
    if isinstance(error, ConfigError) and error.origin == "command line":
        option = error.key.removesuffix("_s").replace("_", "-")
        return f"--{option.lstrip('-')}: {error.problem}"
    return error.title


def say(words: str) -> None:
    """Print a line on standard output.

    Raises:
        MailtrayError: It cannot be written to; where only nobody reads it, click ends quietly.
    """
    try:
        click.echo(words)
    except BrokenPipeError:
        raise
    except OSError as exc:
        # What is left of the line would be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reason = exc.strerror or exc
        raise MailtrayError(
            _("Standard output cannot be written to: {reason}").format(reason=reason),
            _("Send it somewhere else."),
        ) from exc


# -- options that every command takes, before or after its name ---------------------------------


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if value and option.name is not None:
        context.ensure_object(dict)[option.name] = value


class _Folder(click.Path):
    """A folder that has a name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(
        self,
        value: Any,  # noqa: ANN401 # as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 # as click has it
        if value == "":
            self.fail(_("name a folder."), param, ctx)
        return super().convert(value, param, ctx)


_COMMON_OPTIONS = (
    click.option("--home", type=_Folder(), metavar="DIR",
                 help="Keep settings, state and lock under DIR.",
                 expose_value=False, callback=_remember),
    click.option("--service-url", metavar="URL",
                 help="Talk to a simulator on the loopback instead of Microsoft 365.",
                 expose_value=False, callback=_remember),
    click.option("--client-id", metavar="GUID", help="Application (client) id to sign in with.",
                 expose_value=False, callback=_remember),
    click.option("--tenant", metavar="TENANT", help="Directory to sign in to (default: common).",
                 expose_value=False, callback=_remember),
    click.option("--verbose", is_flag=True, help="Log to standard error as well.",
                 expose_value=False, callback=_remember),
)  # fmt: skip


def common(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the options that all have."""
    for option in reversed(_COMMON_OPTIONS):
        command = option(command)
    return command


def with_json(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command ``--json``, and let it print its errors so as well."""

    @wraps(command)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MailtrayError as error:
            if kwargs["as_json"]:
                with suppress(MailtrayError):
                    say(json.dumps({"error": title_of(error), "hint": error.hint}))
            raise

    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(reporting)


def tell(words: str, found: Mapping[str, object], *, as_json: bool) -> None:
    """Print an answer, in words or as one JSON object.

    Raises:
        MailtrayError: As for :func:`say`.
    """
    say(json.dumps(found) if as_json else words)


def said(*, interval_s: float | None = None) -> Options:
    """Return what the person said, for the composition root."""
    from mailtray import bootstrap

    given = dict(click.get_current_context().ensure_object(dict))
    wishes = {key: given[key] for key in ("client_id", "tenant") if key in given}
    if interval_s is not None:
        wishes["interval_s"] = interval_s
    options = bootstrap.Options(
        home=given.get("home"),
        service_url=given.get("service_url"),
        said=wishes,
        verbose=given.get("verbose", False),
    )
    bootstrap.speak(options)
    return options
