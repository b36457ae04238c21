"""The commands; the only place that prints, and where an error becomes an exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import wraps
from inspect import cleandoc
from io import TextIOWrapper
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from mailtray import __version__
from mailtray.adapters import translations
from mailtray.core import language, text
from mailtray.core.approval import letter
from mailtray.core.compose import clean
from mailtray.core.deeds import ON_MESSAGES, Action
from mailtray.core.errors import (
    AlreadyRunning,
    AuthError,
    ConfigError,
    MailtrayError,
    NotRunning,
    Unconfigured,
)
from mailtray.core.language import _
from mailtray.core.peace import RESUMED, UNTIL_RESUMED, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from mailtray.bootstrap import Options
    from mailtray.core.settings import Standing

P = ParamSpec("P")
R = TypeVar("R")

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_CONFIG = 2
EXIT_ALREADY_RUNNING = 3
EXIT_SIGN_IN_NEEDED = 4
EXIT_NOT_RUNNING = 5
EXIT_INTERRUPTED = 130

_ASK_S = 90.0
_SIGN_IN_S = 330.0


def main() -> int:
    """Run the command line; returns the exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal in an old encoding shows a question mark rather than nothing.
        sys.stdout.reconfigure(errors="replace")
    translations.speak()
    if language.spoken() != "en":
        say_help(cli)
    try:
        result = cli.main(standalone_mode=False)
    except MailtrayError as error:
        _complain(error)
        return exit_code(error)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return result if isinstance(result, int) else EXIT_OK


def say_help(command: click.Command) -> None:
    """Put the help of a command, and of those below it, in the language that is spoken.

    In the code it stands as a docstring, and as what an option says of itself.
    """
    command.help = _(cleandoc(command.help or ""))
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            option.help = _(option.help)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        say_help(below)


def exit_code(error: MailtrayError) -> int:
    """Return the exit code that an error stands for."""
    match error:
        case ConfigError() | Unconfigured():
            return EXIT_CONFIG
        case AlreadyRunning():
            return EXIT_ALREADY_RUNNING
        case AuthError():
            return EXIT_SIGN_IN_NEEDED
        case NotRunning():
            return EXIT_NOT_RUNNING
        case _:
            return EXIT_ERROR


def _complain(error: MailtrayError) -> None:
    title = _title(error)
    is_named = title.startswith("mailtray")
    click.echo(title if is_named else f"mailtray: {title}", err=True)
    if error.hint:
        click.echo(f"          {error.hint}", err=True)
    if isinstance(error, AuthError) and error.link:
        click.echo(error.link, err=True)


def _title(error: MailtrayError) -> str:
    if isinstance(error, ConfigError) and error.origin == "command line":
        option = error.key.removesuffix("_s").replace("_", "-")
        return f"--{option.lstrip('-')}: {error.problem}"
    return error.title


def _say(words: str) -> None:
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


def _common(command: Callable[P, R]) -> Callable[P, R]:
    for option in reversed(_COMMON_OPTIONS):
        command = option(command)
    return command


def _json(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command ``--json``, and let it print its errors so as well."""

    @wraps(command)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MailtrayError as error:
            if kwargs["as_json"]:
                with suppress(MailtrayError):
                    _say(json.dumps({"error": _title(error), "hint": error.hint}))
            raise

    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(reporting)


def _options(*, interval_s: float | None = None) -> Options:
    """Return what the person said, for the composition root."""
    from mailtray import bootstrap

    said = dict(click.get_current_context().ensure_object(dict))
    wishes = {key: said[key] for key in ("client_id", "tenant") if key in said}
    if interval_s is not None:
        wishes["interval_s"] = interval_s
    options = bootstrap.Options(
        home=said.get("home"),
        service_url=said.get("service_url"),
        said=wishes,
        verbose=said.get("verbose", False),
    )
    bootstrap.speak(options)
    return options


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailtray")
@_common
def cli() -> int | None:
    """Tell once about every new message in a Microsoft 365 or Outlook.com mailbox.

    Without a command: run.
    """
    context = click.get_current_context()
    if context.invoked_subcommand is not None:
        return None
    try:
        return context.invoke(run_command)  # type: ignore[no-any-return] # click returns Any
    except AlreadyRunning:
        # Who starts it a second time wants to see something of it, perhaps where no panel does.
        from mailtray import bootstrap

        bootstrap.ask(_options(), {"command": "show"}, timeout_s=_ASK_S)
        raise


# -- the resident program -------------------------------------------------------------------------


@cli.command("run")
@click.option("--tray", type=click.Choice(["auto", "none"]), help="In place of the setting.")
@click.option("--notifier", type=click.Choice(["auto", "console"]), help="In place of the setting.")
@click.option("--events", type=click.Choice(["jsonl"]), help="Write events to standard output.")
@click.option("--interval", "interval_s", type=float, metavar="SECONDS", help="Between two polls.")
@_common
def run_command(
    tray: str | None = None,
    notifier: str | None = None,
    events: str | None = None,
    interval_s: float | None = None,
) -> int:
    """Stay in the tray and notify until told to quit."""
    ending = _Ending()
    from mailtray import bootstrap

    options = replace(
        _options(interval_s=interval_s),
        tray=tray or "",
        notifier=notifier or "",
        events=sys.stdout if events else None,
        is_ending=lambda: ending.is_wished,
    )
    starts_over = True
    while starts_over:
        with bootstrap.resident(options) as app:
            ending.passes_on(app.quit)
            starts_over = app.run()
    return EXIT_OK


class _Ending:
    """Hears a signal to end, from now on, and passes it on; one that comes early, later.

    Attributes:
        is_wished: True once there was one.
    """

    def __init__(self) -> None:
        self._end: Callable[[], None] | None = None
        self.is_wished = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if sys.platform != "win32":
            # A handler runs on the main thread, and that may be just about to wait for ever.
            ear, mouth = os.pipe()
            os.set_blocking(mouth, False)
            signal.set_wakeup_fd(mouth)
            Thread(target=self._listen, args=(ear,), name="mailtray-signals", daemon=True).start()

    def passes_on(self, end: Callable[[], None]) -> None:
        """Call ``end`` for every signal, and at once if there was one."""
        self._end = end
        if self.is_wished:
            end()

    def _listen(self, ear: int) -> None:
        while os.read(ear, 1):
            self._pass_on()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if sys.platform == "win32":
            self._pass_on()

    def _pass_on(self) -> None:
        self.is_wished = True
        if self._end is not None:
            self._end()


@cli.command("demo")
@click.option("--headless", is_flag=True, help="No display, no browser: play it in the terminal.")
def demo_command(*, headless: bool) -> int:
    """Show all of it with a Microsoft 365 of its own: no account, no registration."""
    ending = _Ending()
    from mailtray.demo import Demo

    demo = Demo(click.echo, headless=headless)
    with demo.running() as app:
        ending.passes_on(app.quit)
        app.run()
    return EXIT_OK if demo.went_well else EXIT_ERROR


@cli.command("simulator")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0 picks a free one.")
def simulator_command(port: int) -> int:
    """Run Microsoft 365 on the loopback, alone, until interrupted."""
    over, ending = Event(), _Ending()
    ending.passes_on(over.set)
    from mailtray.simulator import Simulator

    simulator = Simulator(port=port)
    try:
        simulator.start()
    except OSError as exc:
        raise MailtrayError(
            _("Port {port} cannot be had: {reason}").format(port=port, reason=exc.strerror or exc),
            _("Choose another with --port."),
        ) from exc
    try:
        _say(json.dumps({"url": simulator.url}))
        # Windows hands signals over only between two waits.
        while not over.wait(0.5 if sys.platform == "win32" else None):
            pass
    finally:
        simulator.stop()
    return EXIT_OK


# -- questions and orders to a running program ----------------------------------------------------


@cli.command("check")
@_common
@_json
def check_command(*, as_json: bool) -> int:
    """Look for mail now and print the unread messages."""
    from mailtray import bootstrap

    answer = bootstrap.check(_options(), timeout_s=_ASK_S)
    code = _print_state(answer, as_json=as_json, with_messages=True)
    accounts: list[dict[str, Any]] = answer["accounts"]  # type: ignore[assignment] # as JSON
    if code == EXIT_OK and any(account["error"] for account in accounts):
        return EXIT_ERROR
    return code


@cli.command("status")
@_common
@_json
def status_command(*, as_json: bool) -> int:
    """Tell how the running program is."""
    from mailtray import bootstrap

    answer = bootstrap.ask(_options(), {"command": "status"}, timeout_s=_ASK_S)
    return _print_state(answer, as_json=as_json, with_messages=False)


def _print_state(answer: Mapping[str, Any], *, as_json: bool, with_messages: bool) -> int:
    accounts = answer["accounts"]
    if as_json:
        _say(json.dumps({key: answer[key] for key in answer if key != "done"}))
    elif not accounts:
        _say(answer["tooltip"])
        _print_link(answer)
    else:
        for account in accounts:
            _print_account(account, with_messages=with_messages)
    if not accounts or any(account["needs_sign_in"] for account in accounts):
        return EXIT_SIGN_IN_NEEDED
    return EXIT_OK


def _print_account(account: Mapping[str, Any], *, with_messages: bool) -> None:
    words = account["error"] or text.unread(account["unread"])
    _say(text.labelled(clean(account["username"]), words))
    if account["hint"]:
        _say(f"  {account['hint']}")
    if account["support"]:
        _say(f"  ({account['support']})")
    if account["notice"]:
        _say(f"  {account['notice']}")
    _print_link(account)
    for message in account["messages"] if with_messages else ():
        when = (message["received"] or "")[:16].replace("T", " ")
        _say(f"  {when:16}  {message['from']}: {message['subject']}")


def _print_link(answer: Mapping[str, Any]) -> None:
    """Print the page for an administrator on a line of its own, to be copied."""
    if answer.get("link"):
        _say(answer["link"])


@cli.command("folders")
@click.option("--account", metavar="USERNAME", default="", help="Where several are signed in.")
@click.option("--mailbox", metavar="ADDRESS", default="", help="One that is shared with you.")
@click.option("--ids", "with_ids", is_flag=True, help="Print each folder's id as well.")
@_common
@_json
def folders_command(*, account: str, mailbox: str, with_ids: bool, as_json: bool) -> int:
    """Print a mailbox's folders: unread/total, name, and whether it is watched."""
    from mailtray import bootstrap

    answer = bootstrap.folders(_options(), account=account, mailbox=mailbox, timeout_s=_ASK_S)
    if as_json:
        _say(json.dumps({key: answer[key] for key in answer if key != "done"}))
        return EXIT_OK
    above: list[str] = []
    folders: list[dict[str, Any]] = answer["folders"]  # type: ignore[assignment] # as JSON
    for folder in folders:
        path = folder["path"]
        while above and not path.startswith(above[-1]):
            above.pop()
        name = "  " * len(above) + path.removeprefix("".join(above[-1:]))
        counts = f"{folder['unread']}/{folder['total']}"
        words = [f"{counts:>11}", name]
        if folder["watched"]:
            words.append(_("(watched)"))
        if with_ids:
            words.append(folder["id"])
        _say("  ".join(words))
        above.append(f"{path}/")
    return EXIT_OK


@cli.command("signin")
@click.option("--device-code", is_flag=True, help="Sign in on another device.")
@_common
def signin_command(*, device_code: bool) -> int:
    """Sign in with the browser; ends when you are signed in."""
    from mailtray import bootstrap

    def on_page(url: str, code: str) -> None:
        words = _("Sign in at {url} with the code {code}") if code else _("Sign in at {url}")
        click.echo(words.format(url=url, code=code), err=True)

    answer = bootstrap.sign_in(
        _options(), on_page, by_device_code=device_code, timeout_s=_SIGN_IN_S
    )
    _say(_("Signed in as {username}").format(username=answer["signed_in"]))
    return EXIT_OK


@cli.command("admin-consent-url")
@click.option("--mail", is_flag=True, help="Print a mail to an administrator, with the page in it.")
@_common
def admin_consent_url_command(*, mail: bool) -> int:
    """Print the page on which an administrator approves mailtray."""
    from mailtray import bootstrap

    link = bootstrap.approval_link(_options())
    if mail:
        text = letter(link)
        _say(f"{text.subject}\n\n{text.body}".rstrip())
    else:
        _say(link)
    return EXIT_OK


@cli.command("signout")
@_common
def signout_command() -> int:
    """Sign every account out and erase its tokens."""
    from mailtray import bootstrap

    bootstrap.sign_out(_options(), timeout_s=_ASK_S)
    _say(_(text.SIGNED_OUT))
    return EXIT_OK


@cli.command("pause")
@click.argument("wish", metavar="[30m|2h|tomorrow|forever|off]", default=UNTIL_RESUMED)
@_common
def pause_command(*, wish: str) -> int:
    """Show no notifications for minutes, hours, until tomorrow, or until you resume.

    What comes meanwhile is counted, and told as one summary afterwards.
    """
    if wish.strip().lower() == RESUMED:
        return _ask_for_peace({"command": "resume"})
    return _ask_for_peace({"command": "pause", "for": wish})


@cli.command("resume")
@_common
def resume_command() -> int:
    """End a pause, and tell what came meanwhile."""
    return _ask_for_peace({"command": "resume"})


def _ask_for_peace(request: Mapping[str, object]) -> int:
    from mailtray import bootstrap

    answer = bootstrap.ask(_options(), request, timeout_s=_ASK_S)
    if answer["quiet"] != Why.PAUSED:
        _say(_("Not paused"))
    elif answer["paused_until"] is None:
        _say(_("Paused until you resume"))
    else:
        until = datetime.fromisoformat(str(answer["paused_until"])).astimezone()
        _say(_("Paused until {when}").format(when=text.day_and_clock(until)))
    return EXIT_OK


@cli.command("act")
@click.argument("message_id", metavar="ID")
@click.argument("action", type=click.Choice([each.value for each in (*ON_MESSAGES, Action.UNDO)]))
@_common
def act_command(message_id: str, action: str) -> int:
    """Do something to an unread message; “check --json” tells each one's id.

    What cannot be done at once waits in the running program: for the network, or for the
    permission to change your mail, which it then asks for.
    """
    from mailtray import bootstrap

    request = {"command": "act", "id": message_id, "action": action}
    answer = bootstrap.ask(_options(), request, timeout_s=_ASK_S)
    if answer["state"] == "waiting":
        _say(_("It waits: {reason}").format(reason=answer["why"]))
    else:
        _say(_("Done"))
    return EXIT_OK


@cli.command("quit")
@_common
def quit_command() -> int:
    """Let the running program end."""
    from mailtray import bootstrap

    bootstrap.leave(_options(), timeout_s=_ASK_S)
    return EXIT_OK


@cli.command("open")
@click.argument("page", type=click.Choice(["messages", "about"]), default="messages")
@_common
def open_command(*, page: str) -> int:
    """Open a page in the browser, and serve it until nobody looks any more."""
    ending = _Ending()
    from mailtray import bootstrap

    with bootstrap.pages(_options()) as server:
        ending.passes_on(server.close)
        link = server.link(page)
        if not bootstrap.open_in_browser(link):
            _say(link)
        server.wait()
    return EXIT_OK


# -- the settings ---------------------------------------------------------------------------------


@cli.group("settings", invoke_without_command=True)
@_common
@_json
def settings_group(*, as_json: bool) -> int | None:
    """Show the settings, or change them.

    Without a command: list.
    """
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        return context.invoke(settings_list, as_json=as_json)  # type: ignore[no-any-return] # click returns Any
    return None


@settings_group.command("list")
@_common
@_json
def settings_list(*, as_json: bool) -> int:
    """Show each setting, its value, and where that comes from."""
    from mailtray import bootstrap

    found = bootstrap.weigh_settings(_options())
    if as_json:
        _say(json.dumps({"settings": [_setting_json(one) for one in found.values()]}))
    else:
        for one in found.values():
            _say(_setting_line(one))
    return EXIT_OK


def _setting_json(one: Standing) -> Mapping[str, object]:
    return {
        "key": one.key,
        "value": one.shown,
        "from": one.place.value,
        "origin": one.origin,
        "locked": one.is_locked,
        "overruled": list(one.overruled),
    }


def _setting_line(one: Standing) -> str:
    from mailtray.core.commented import toml

    line = f"{one.key} = {toml(one.shown)}"
    if one.is_locked:
        words = _("set by your administrator")
        if one.overruled:
            words = _("{words}, not by {origins}").format(
                words=words, origins=", ".join(one.overruled)
            )
    else:
        words = one.origin or _("default")
    return f"{line:48}  # {words}"


def _keys(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    from mailtray.core.settings import KEYS

    return [key for key in KEYS if key.startswith(begun)]


@settings_group.command("set")
@click.argument("key", shell_complete=_keys)
@click.argument("value")
@_common
def settings_set(key: str, value: str) -> int:
    """Set KEY in your settings file; a list is parted by “;”."""
    from mailtray import bootstrap

    _say(_setting_line(bootstrap.set_setting(_options(), key, value)))
    return EXIT_OK


@settings_group.command("unset")
@click.argument("key", shell_complete=_keys)
@_common
def settings_unset(key: str) -> int:
    """Take KEY out of your settings file."""
    from mailtray import bootstrap

    left = bootstrap.unset_setting(_options(), key)
    if left is not None:
        _say(_setting_line(left))
    return EXIT_OK


@settings_group.command("init")
@_common
def settings_init() -> int:
    """Write a settings file in which every key is commented out."""
    from mailtray import bootstrap

    _say(str(bootstrap.begin_settings(_options())))
    return EXIT_OK


@settings_group.command("path")
@_common
def settings_path() -> int:
    """Print where your settings file is."""
    from mailtray import bootstrap

    _say(str(bootstrap.settings_path(_options())))
    return EXIT_OK


# -- what is around the program -------------------------------------------------------------------


@cli.command("autostart")
@click.argument("wish", type=click.Choice(["on", "off", "status"]))
@_common
@_json
def autostart_command(wish: str, *, as_json: bool) -> int:
    """Start mailtray at login, or no longer, or tell which."""
    from mailtray import bootstrap

    autostart = bootstrap.autostart(_options())
    if wish == "on":
        autostart.turn_on()
    elif wish == "off":
        autostart.turn_off()
    started = autostart.started()
    state = "off" if not started else "on" if started == autostart.command else "another"
    if as_json:
        _say(json.dumps({"autostart": state, "command": list(started)}))
    elif state == "another":
        words = _("Start at login: points to another mailtray: {command}")
        _say(words.format(command=" ".join(started)))
    else:
        _say(_("Start at login: on") if state == "on" else _("Start at login: off"))
    return EXIT_OK


@cli.command("install-desktop")
@click.option("--remove", "is_to_go", is_flag=True, help="Take it away again.")
def install_desktop_command(*, is_to_go: bool) -> int:
    """Put mailtray into your Linux desktop's menu, with its icon."""
    from mailtray import bootstrap

    files = bootstrap.desktop_files()
    if is_to_go:
        files.remove()
        _say(_("mailtray is no longer in your menu"))
    else:
        _say(_("mailtray is in your menu: {path}").format(path=files.install()))
    return EXIT_OK


@cli.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> int:
    """Print what lets a shell complete mailtray's commands and options."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise MailtrayError(_("There is no completion for {shell}").format(shell=shell))
    _say(kind(cli, {}, "mailtray", "_MAILTRAY_COMPLETE").source())
    return EXIT_OK
