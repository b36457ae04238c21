"""The commands, and where an error becomes an exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime
from inspect import cleandoc
from io import TextIOWrapper
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from mailtray import __version__
from mailtray.adapters import translations
from mailtray.command_line import (
    EXIT_ALREADY_RUNNING,
    EXIT_CONFIG,
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_NOT_RUNNING,
    EXIT_OK,
    EXIT_SIGN_IN_NEEDED,
    common,
    said,
    say,
    tell,
    title_of,
    with_json,
)
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
from mailtray.rules_commands import rules_group
from mailtray.settings_commands import settings_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from mailtray.bootstrap import Options

P = ParamSpec("P")
R = TypeVar("R")

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
    title = title_of(error)
    is_named = title.startswith("mailtray")
    click.echo(title if is_named else f"mailtray: {title}", err=True)
    if error.hint:
        click.echo(f"          {error.hint}", err=True)
    if isinstance(error, AuthError) and error.link:
        click.echo(error.link, err=True)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailtray")
@common
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

        bootstrap.ask(said(), {"command": "show"}, timeout_s=_ASK_S)
        raise


# -- the resident program -------------------------------------------------------------------------


@cli.command("run")
@click.option("--tray", type=click.Choice(["auto", "none"]), help="In place of the setting.")
@click.option("--notifier", type=click.Choice(["auto", "console"]), help="In place of the setting.")
@click.option("--events", type=click.Choice(["jsonl"]), help="Write events to standard output.")
@click.option("--interval", "interval_s", type=float, metavar="SECONDS", help="Between two polls.")
@common
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
        said(interval_s=interval_s),
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
        say(json.dumps({"url": simulator.url}))
        # Windows hands signals over only between two waits.
        while not over.wait(0.5 if sys.platform == "win32" else None):
            pass
    finally:
        simulator.stop()
    return EXIT_OK


# -- questions and orders to a running program ----------------------------------------------------


@cli.command("check")
@common
@with_json
def check_command(*, as_json: bool) -> int:
    """Look for mail now and print the unread messages."""
    from mailtray import bootstrap

    answer = bootstrap.check(said(), timeout_s=_ASK_S)
    code = _print_state(answer, as_json=as_json, with_messages=True)
    accounts: list[dict[str, Any]] = answer["accounts"]  # type: ignore[assignment] # as JSON
    if code == EXIT_OK and any(account["error"] for account in accounts):
        return EXIT_ERROR
    return code


@cli.command("status")
@common
@with_json
def status_command(*, as_json: bool) -> int:
    """Tell how the running program is."""
    from mailtray import bootstrap

    answer = bootstrap.ask(said(), {"command": "status"}, timeout_s=_ASK_S)
    return _print_state(answer, as_json=as_json, with_messages=False)


@cli.command("watch")
@common
def watch_command() -> int:
    """Show the unread messages in this terminal, keep them up to date, and act on them by key.

    Where there is no terminal: print them once.
    """
    from mailtray import bootstrap

    options = said()
    if not _is_interactive():
        answer = bootstrap.ask(options, {"command": "status"}, timeout_s=_ASK_S)
        return _print_state(answer, as_json=False, with_messages=True)
    from mailtray.terminal.ears import own_ears
    from mailtray.terminal.live import LiveList

    LiveList(_Running(options), own_ears(), bootstrap.local_now).run()
    return EXIT_OK


def _is_interactive() -> bool:
    is_plain = os.environ.get("TERM", "") in {"dumb", "unknown"}
    return sys.stdin.isatty() and sys.stdout.isatty() and not is_plain


class _Running:
    """The running program as a list sees it; see :class:`mailtray.terminal.live.Program`."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def ask(self, request: Mapping[str, object]) -> Mapping[str, object]:
        """See the protocol."""
        from mailtray import bootstrap

        return bootstrap.ask(self._options, request, timeout_s=_ASK_S)

    def follow(self, on_state: Callable[[Mapping[str, object]], None]) -> None:
        """See the protocol."""
        from mailtray import bootstrap

        bootstrap.follow(self._options, on_state, timeout_s=_ASK_S)


def _print_state(answer: Mapping[str, Any], *, as_json: bool, with_messages: bool) -> int:
    accounts = answer["accounts"]
    if as_json:
        say(json.dumps({key: answer[key] for key in answer if key != "done"}))
    elif not accounts:
        say(answer["tooltip"])
        _print_link(answer)
    else:
        for account in accounts:
            _print_account(account, with_messages=with_messages)
    if not accounts or any(account["needs_sign_in"] for account in accounts):
        return EXIT_SIGN_IN_NEEDED
    return EXIT_OK


def _print_account(account: Mapping[str, Any], *, with_messages: bool) -> None:
    words = account["error"] or text.unread(account["unread"])
    say(text.labelled(clean(account["username"]), words))
    if account["hint"]:
        say(f"  {account['hint']}")
    if account["support"]:
        say(f"  ({account['support']})")
    if account["notice"]:
        say(f"  {account['notice']}")
    _print_link(account)
    for message in account["messages"] if with_messages else ():
        when = (message["received"] or "")[:16].replace("T", " ")
        say(f"  {when:16}  {message['from']}: {message['subject']}")


def _print_link(answer: Mapping[str, Any]) -> None:
    """Print the page for an administrator on a line of its own, to be copied."""
    if answer.get("link"):
        say(answer["link"])


@cli.command("folders")
@click.option("--account", metavar="USERNAME", default="", help="Where several are signed in.")
@click.option("--mailbox", metavar="ADDRESS", default="", help="One that is shared with you.")
@click.option("--ids", "with_ids", is_flag=True, help="Print each folder's id as well.")
@common
@with_json
def folders_command(*, account: str, mailbox: str, with_ids: bool, as_json: bool) -> int:
    """Print a mailbox's folders: unread/total, name, and whether it is watched."""
    from mailtray import bootstrap

    answer = bootstrap.folders(said(), account=account, mailbox=mailbox, timeout_s=_ASK_S)
    if as_json:
        say(json.dumps({key: answer[key] for key in answer if key != "done"}))
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
        say("  ".join(words))
        above.append(f"{path}/")
    return EXIT_OK


@cli.command("signin")
@click.option("--device-code", is_flag=True, help="Sign in on another device.")
@common
@with_json
def signin_command(*, device_code: bool, as_json: bool) -> int:
    """Sign in with the browser; ends when you are signed in."""
    from mailtray import bootstrap

    def on_page(url: str, code: str) -> None:
        words = _("Sign in at {url} with the code {code}") if code else _("Sign in at {url}")
        click.echo(words.format(url=url, code=code), err=True)

    answer = bootstrap.sign_in(said(), on_page, by_device_code=device_code, timeout_s=_SIGN_IN_S)
    username = answer["signed_in"]
    words = _("Signed in as {username}").format(username=username)
    tell(words, {"signed_in": username}, as_json=as_json)
    return EXIT_OK


@cli.command("admin-consent-url")
@click.option("--mail", is_flag=True, help="Print a mail to an administrator, with the page in it.")
@common
@with_json
def admin_consent_url_command(*, mail: bool, as_json: bool) -> int:
    """Print the page on which an administrator approves mailtray."""
    from mailtray import bootstrap

    link = bootstrap.approval_link(said())
    asked = letter(link)
    words = f"{asked.subject}\n\n{asked.body}".rstrip() if mail else link
    found = {"link": link, "subject": asked.subject, "body": asked.body}
    tell(words, found, as_json=as_json)
    return EXIT_OK


@cli.command("signout")
@common
@with_json
def signout_command(*, as_json: bool) -> int:
    """Sign every account out and erase its tokens."""
    from mailtray import bootstrap

    bootstrap.sign_out(said(), timeout_s=_ASK_S)
    tell(_(text.SIGNED_OUT), {"signed_out": True}, as_json=as_json)
    return EXIT_OK


@cli.command("pause")
@click.argument("wish", metavar="[30m|2h|tomorrow|forever|off]", default=UNTIL_RESUMED)
@common
@with_json
def pause_command(*, wish: str, as_json: bool) -> int:
    """Show no notifications for minutes, hours, until tomorrow, or until you resume.

    What comes meanwhile is counted, and told as one summary afterwards.
    """
    if wish.strip().lower() == RESUMED:
        return _ask_for_peace({"command": "resume"}, as_json=as_json)
    return _ask_for_peace({"command": "pause", "for": wish}, as_json=as_json)


@cli.command("resume")
@common
@with_json
def resume_command(*, as_json: bool) -> int:
    """End a pause, and tell what came meanwhile."""
    return _ask_for_peace({"command": "resume"}, as_json=as_json)


def _ask_for_peace(request: Mapping[str, object], *, as_json: bool) -> int:
    from mailtray import bootstrap

    answer = bootstrap.ask(said(), request, timeout_s=_ASK_S)
    if answer["quiet"] != Why.PAUSED:
        words = _("Not paused")
    elif answer["paused_until"] is None:
        words = _("Paused until you resume")
    else:
        until = datetime.fromisoformat(str(answer["paused_until"])).astimezone()
        words = _("Paused until {when}").format(when=text.day_and_clock(until))
    found = {key: answer[key] for key in ("quiet", "paused_until")}
    tell(words, found, as_json=as_json)
    return EXIT_OK


@cli.command("act")
@click.argument("message_id", metavar="ID")
@click.argument("action", type=click.Choice([each.value for each in (*ON_MESSAGES, Action.UNDO)]))
@common
@with_json
def act_command(message_id: str, action: str, *, as_json: bool) -> int:
    """Do something to an unread message; “check --json” tells each one's id.

    What cannot be done at once waits in the running program: for the network, or for the
    permission to change your mail, which it then asks for.
    """
    from mailtray import bootstrap

    request = {"command": "act", "id": message_id, "action": action}
    answer = bootstrap.ask(said(), request, timeout_s=_ASK_S)
    if answer["state"] == "waiting":
        words = _("It waits: {reason}").format(reason=answer["why"])
    else:
        words = _("Done")
    tell(words, {"state": answer["state"], "why": answer.get("why")}, as_json=as_json)
    return EXIT_OK


@cli.command("quit")
@common
@with_json
def quit_command(*, as_json: bool) -> int:
    """Let the running program end."""
    from mailtray import bootstrap

    bootstrap.leave(said(), timeout_s=_ASK_S)
    if as_json:
        say(json.dumps({"quit": True}))
    return EXIT_OK


@cli.command("doctor")
@common
@with_json
def doctor_command(*, as_json: bool) -> int:
    """Look at everything that mailtray needs, and say what to do about what is missing."""
    from mailtray.core import doctor
    from mailtray.diagnosis import Doctor

    with Doctor(said()) as own:
        checks = own.examine()
    if as_json:
        say(json.dumps(doctor.as_json(checks)))
    else:
        for line in doctor.lines(checks):
            say(line)
    return EXIT_ERROR if doctor.has_failed(checks) else EXIT_OK


@cli.command("open")
@click.argument(
    "page",
    type=click.Choice(["messages", "trouble", "settings", "doctor", "first-run", "about"]),
    default="messages",
)
@click.option(
    "--about",
    metavar="NAME",
    default="",
    help="Which trouble, as “status --json” names it; the worst where it is left out.",
)
@common
def open_command(*, page: str, about: str) -> int:
    """Open a page in the browser, and serve it until nobody looks any more."""
    ending = _Ending()
    from mailtray import bootstrap
    from mailtray.diagnosis import Doctor

    options = said()
    with Doctor(options) as doctor, bootstrap.pages(options, doctor) as server:
        ending.passes_on(server.close)
        link = server.link(f"{page}/{about}" if about else page)
        if not bootstrap.open_in_browser(link):
            say(link)
        server.wait()
    return EXIT_OK


# -- what is around the program -------------------------------------------------------------------


@cli.command("autostart")
@click.argument("wish", type=click.Choice(["on", "off", "status"]))
@common
@with_json
def autostart_command(wish: str, *, as_json: bool) -> int:
    """Start mailtray at login, or no longer, or tell which."""
    from mailtray import bootstrap

    autostart = bootstrap.autostart(said())
    if wish == "on":
        autostart.turn_on()
    elif wish == "off":
        autostart.turn_off()
    started = autostart.started()
    state = "off" if not started else "on" if started == autostart.command else "another"
    if as_json:
        say(json.dumps({"autostart": state, "command": list(started)}))
    elif state == "another":
        words = _("Start at login: points to another mailtray: {command}")
        say(words.format(command=" ".join(started)))
    else:
        say(_("Start at login: on") if state == "on" else _("Start at login: off"))
    return EXIT_OK


@cli.command("install-desktop")
@click.option("--remove", "is_to_go", is_flag=True, help="Take it away again.")
@with_json
def install_desktop_command(*, is_to_go: bool, as_json: bool) -> int:
    """Put mailtray into your Linux desktop's menu, with its icon."""
    from mailtray import bootstrap

    files = bootstrap.desktop_files()
    if is_to_go:
        files.remove()
        tell(_("mailtray is no longer in your menu"), {"path": None}, as_json=as_json)
    else:
        path = str(files.install())
        words = _("mailtray is in your menu: {path}").format(path=path)
        tell(words, {"path": path}, as_json=as_json)
    return EXIT_OK


@cli.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> int:
    """Print what lets a shell complete mailtray's commands and options."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise MailtrayError(_("There is no completion for {shell}").format(shell=shell))
    say(kind(cli, {}, "mailtray", "_MAILTRAY_COMPLETE").source())
    return EXIT_OK


# -- commands of their own modules ----------------------------------------------------------------

cli.add_command(settings_group)
cli.add_command(rules_group)
