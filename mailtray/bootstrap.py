"""The composition root: from what the person said to a program ready to run.

With :mod:`mailtray.desktop` the only module that names concrete adapters. Nothing here talks to
the network, and the tray comes before everything that is slow to load.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from mailtray.adapters import translations
from mailtray.adapters.no_hook import NoHook
from mailtray.adapters.no_pages import NoPages
from mailtray.adapters.no_presence import NoPresence
from mailtray.adapters.no_tray import NoTray
from mailtray.adapters.settings_file import Home, SettingsWatch, load_settings, read_layers
from mailtray.adapters.system import BrowserOpener, LocalZone, SystemClock
from mailtray.app import answers
from mailtray.app.check import check_once, list_folders
from mailtray.app.commands import (
    Ask,
    Command,
    Gone,
    HookTrouble,
    OpenOwnPage,
)
from mailtray.app.judge import context_of, rulebook
from mailtray.app.lifecycle import App
from mailtray.app.poller import Poller
from mailtray.app.workers import FetchThreads
from mailtray.app.world import Wishes, World
from mailtray.core import panel, text
from mailtray.core.compose import Places
from mailtray.core.errors import (
    AlreadyRunning,
    ConfigError,
    MailtrayError,
    NotRunning,
    Unconfigured,
)
from mailtray.core.folders import parse_wish
from mailtray.core.language import _
from mailtray.core.model import SOUND_DESKTOP, SOUND_NONE, Account, AccountId, IconKind
from mailtray.core.rules import judge
from mailtray.core.settings import (
    INTERVAL_MIN_S,
    KEYS,
    Place,
    locked_keys,
    read_words,
    weigh,
)
from mailtray.core.wish_forms import unknown
from mailtray.desktop import Desktop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import TextIO

    from mailtray.adapters.desktop_files import DesktopFiles
    from mailtray.adapters.http import Http
    from mailtray.core.settings import Settings, Standing
    from mailtray.pages.program import Doctor
    from mailtray.pages.server import PageServer
    from mailtray.ports import (
        Autostart,
        Clock,
        EventSink,
        Hook,
        IdentityProvider,
        Notifier,
        Pages,
        Tray,
        Vault,
    )

_log = logging.getLogger(__name__)

T = TypeVar("T")

STARTING_TRIES, STARTING_WAIT_S = 20, 0.25
"""A program that holds the home and does not answer yet is waited for this long."""
TOLD_S = 5.0
"""How long a command that changed the settings waits for the running program to see that."""
LONE_TRIES = 240
"""A command that acts alone may wait for a slow network so long: as many waits, a minute."""
ANY_INTERVAL_S = 0.001
"""A simulator on the loopback may be polled as fast as one likes."""
PAGE_ASK_S = 30.0
SIGN_IN_S = 330.0
PAGE_OPTIONS = ("client_id", "tenant")
"""Which settings given as options the pages are given too."""
LOOK_FOR_ACCOUNTS_S = 5.0
LOOK_FOR_CLIENT_S = 1.0
"""How often it is looked whether a client that waits is still there; only while one waits."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the person said on the command line, or the demo in their place.

    Attributes:
        home: Where everything is kept; the system's own places where ``None``.
        service_url: A simulator on the loopback to talk to instead of Microsoft 365.
        said: Settings given as options.
        tray: ``auto`` or ``none``; the setting where empty. Likewise ``notifier``.
        events: Receives event lines.
        console: Receives the console notifier's lines; standard error where ``None``.
        event_sink: Receives the events themselves.
        tokens_in_memory: True to leave the keyring alone.
        open_browser: Opens the sign-in page; the system's browser where ``None``.
        is_ending: Says that the person wants the program to end before it has begun.
    """

    home: Path | None = None
    service_url: str | None = None
    said: Mapping[str, object] = field(default_factory=dict)
    verbose: bool = False
    tray: str = ""
    notifier: str = ""
    events: TextIO | None = None
    console: TextIO | None = None
    event_sink: EventSink | None = None
    tokens_in_memory: bool = False
    open_browser: Callable[[str], bool] | None = None
    is_ending: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class _Parts:
    """What every command needs: the wishes, and the ways to Microsoft and to the keyring."""

    home: Home
    source: SettingsWatch
    settings: Settings
    wishes: Wishes
    clock: Clock
    http: Http
    identity: IdentityProvider
    vault: Vault


def _home(options: Options) -> Home:
    return Home.of(options.home)


def speak(options: Options) -> None:
    """Say everything from now on in the language that is wished for, else in the system's."""
    # Whoever needs the settings tells of what is wrong in them.
    with suppress(ConfigError):
        translations.speak(_settings(options).language)


def _settings(options: Options) -> Settings:
    """Read the wishes.

    Raises:
        ConfigError: One cannot be understood.
    """
    return load_settings(_home(options), options.said, interval_min_s=_interval_min_s(options))


def _parts(options: Options) -> _Parts:
    """Read the wishes and build what hangs on nothing else.

    Raises:
        ConfigError: A wish cannot be understood.
    """
    from mailtray.adapters.http import Http
    from mailtray.adapters.msal_identity import MsalIdentity

    home = _home(options)
    home.prepare()
    source = SettingsWatch(home, options.said, interval_min_s=_interval_min_s(options))
    settings = source.settings
    clock = SystemClock()
    here = settings.endpoints
    try:
        http = Http(
            login_root=here.login_root,
            graph_root=here.graph_root,
            clock=clock,
            service_url=options.service_url,
            ca_bundle=settings.ca_bundle,
            proxy=settings.proxy,
        )
    except ValueError as exc:
        raise ConfigError(origin="command line", key="--service-url", problem=str(exc)) from exc
    identity = MsalIdentity(
        settings.client_id,
        f"{here.login_root}/{settings.tenant}",
        http,
        clock,
        open_browser=options.open_browser or BrowserOpener().open,
    )
    wishes = _wishes(settings, home, options.service_url)
    return _Parts(home, source, settings, wishes, clock, http, identity, _vault(options, home))


def _interval_min_s(options: Options) -> float:
    return INTERVAL_MIN_S if options.service_url is None else ANY_INTERVAL_S


def _wishes(settings: Settings, home: Home, service_url: str | None) -> Wishes:
    here = settings.endpoints
    origin = (service_url or "").rstrip("/")
    unconfigured = None
    if not settings.client_id:
        hint = text.no_client_id_hint(str(home.settings_path))
        unconfigured = Unconfigured(_(text.NO_CLIENT_ID_TITLE), hint)
    return Wishes(
        settings=settings,
        places=Places(
            mailbox=f"{origin}/mail/" if origin else here.mailbox,
            hosts=here.webmail_hosts,
            origin=origin,
        ),
        zone=LocalZone(),
        unconfigured=unconfigured,
    )


def _vault(options: Options, home: Home) -> Vault:
    if options.tokens_in_memory:
        from mailtray.adapters.memory_vault import MemoryVault

        return MemoryVault()
    from mailtray.adapters.keyring_vault import KeyringVault

    return KeyringVault(home.vault_service)


# -- the resident program -------------------------------------------------------------------------


@contextmanager
def resident(options: Options) -> Iterator[App]:
    """Yield the program, ready to run, holding the home's lock and answering its socket.

    Raises:
        ConfigError: A wish cannot be understood.
        AlreadyRunning: Another mailtray holds this home.
    """
    from mailtray.adapters.control_socket import (
        ControlServer,
        SingleInstance,
        is_answered,
        load_authkey,
    )
    from mailtray.adapters.logs import configure_logs

    with ExitStack() as stack:
        parts = _parts(options)
        home, settings = parts.home, parts.settings
        translations.speak(settings.language)
        # A command that acts alone, at a login say, gives the home back soon.
        _patiently(
            lambda: stack.enter_context(SingleInstance(home.lock_path)),
            tries=LONE_TRIES,
            is_hopeless=lambda: options.is_ending() or is_answered(home.socket_address),
        )
        stack.enter_context(
            configure_logs(home.log_path, settings.log_level, verbose=options.verbose)
        )
        inbox: SimpleQueue[Command] = SimpleQueue()
        desktop = Desktop(inbox.put, options.console or sys.stderr)
        stack.callback(desktop.close)
        tray = desktop.tray(options.tray or settings.tray)
        world = _world(
            parts, options, desktop.notifier(options.notifier or settings.notifier), tray
        )
        world = replace(
            world,
            hook=_hook(settings.hook, inbox.put),
            presence=desktop.presence(),
            pages=_page_opener(options),
        )
        stack.callback(world.events.close)
        app = App(Poller(world, parts.wishes, inbox, FetchThreads()), tray)
        desktop.on_quit = app.quit
        desktop.listen_to_system()
        authkey = load_authkey(home.authkey_path)
        answer = partial(_answer, inbox, app.quit)
        stack.enter_context(ControlServer(home.socket_address, authkey, answer))
        if parts.wishes.unconfigured is not None and tray.name != NoTray.name:
            inbox.put(OpenOwnPage("first-run"))
        yield app


def _world(parts: _Parts, options: Options, notifier: Notifier, tray: Tray) -> World:
    from mailtray.adapters.graph_mail import GraphMail
    from mailtray.adapters.sqlite_state import SqliteStateStore

    return World(
        clock=parts.clock,
        vault=parts.vault,
        state=SqliteStateStore(parts.home.state_path),
        identity=parts.identity,
        mail=GraphMail(parts.settings.endpoints.graph_root, parts.http, parts.clock),
        notifier=notifier,
        tray=tray,
        events=_events(options),
        opener=BrowserOpener(),
        pages=NoPages(),
        hook=NoHook(),
        presence=NoPresence(),
        settings=parts.source,
        autostart=autostart(options),
    )


def _page_opener(options: Options) -> Pages:
    from mailtray.adapters.page_opener import PageOpener

    given: dict[str, object] = {"--home": options.home, "--service-url": options.service_url}
    given |= {f"--{key.replace('_', '-')}": options.said.get(key) for key in PAGE_OPTIONS}
    return PageOpener([word for name, one in given.items() if one for word in (name, str(one))])


def _hook(command: Sequence[str], post: Callable[[Command], None]) -> Hook:
    if not command:
        return NoHook()
    from mailtray.adapters.hook_command import HookCommand

    return HookCommand(command, lambda error: post(HookTrouble(error)))


def _events(options: Options) -> EventSink:
    from mailtray.adapters.event_lines import JsonLines, NoEvents

    if options.event_sink is not None:
        return options.event_sink
    return NoEvents() if options.events is None else JsonLines(options.events)


def _answer(
    inbox: SimpleQueue[Command], leave: Callable[[], None], request: Mapping[str, object]
) -> Iterator[Mapping[str, object] | None]:
    """Yield the poller's answers to another process, and ``None`` while it thinks."""
    if request.get("command") == "quit":
        # Past the inbox, as the menu's "Quit": the poller may wait for a keyring.
        try:
            yield {"done": True}
        finally:
            # Once the answer is sent: the end hangs up.
            leave()
        return
    replies: SimpleQueue[Mapping[str, object]] = SimpleQueue()
    inbox.put(Ask(request, replies))
    is_done = False
    try:
        while not is_done:
            try:
                reply = replies.get(timeout=LOOK_FOR_CLIENT_S)
            except Empty:
                yield None
            else:
                is_done = bool(reply["done"])
                yield reply
    finally:
        if not is_done:
            inbox.put(Gone(replies))


# -- commands of other processes, with or without a running program -------------------------------


def ask(
    options: Options,
    request: Mapping[str, object],
    *,
    timeout_s: float,
    on_progress: Callable[[Mapping[str, object]], None] | None = None,
) -> Mapping[str, object]:
    """Ask the running program something and return its last answer.

    Args:
        options: Whose home.
        request: See :class:`mailtray.app.commands.Ask`.
        timeout_s: How long to wait for each answer, in seconds.
        on_progress: Receives the answers before the last.

    Raises:
        NotRunning: No mailtray answers for this home.
        MailtrayError: It answers that it could not.
    """
    from mailtray.adapters import control_socket

    home = _home(options)
    authkey = control_socket.read_authkey(home.authkey_path)
    answer = control_socket.ask(
        home.socket_address, authkey, request, timeout_s=timeout_s, on_progress=on_progress
    )
    if "error" in answer:
        raise answers.failed(answer)
    return answer


def follow(
    options: Options, on_state: Callable[[Mapping[str, object]], None], *, timeout_s: float
) -> None:
    """Hand on how the running program is, now and after every change, until it ends.

    One that starts over, for a setting say, is waited for.

    Args:
        options: Whose home.
        on_state: Receives what ``status`` would be answered.
        timeout_s: How long the program may take to begin, in seconds.

    Raises:
        NotRunning: No mailtray answers for this home, or none any more.
        MailtrayError: It answers that it cannot.
    """
    from mailtray.adapters import control_socket

    home, pause = _home(options), Event()
    tries = STARTING_TRIES

    def on_answer(answer: Mapping[str, object]) -> None:
        nonlocal tries
        if "error" in answer:
            raise answers.failed(answer)
        tries = 0
        on_state(answer)

    while True:
        try:
            authkey = control_socket.read_authkey(home.authkey_path)
            control_socket.follow(
                home.socket_address,
                authkey,
                {"command": "watch"},
                timeout_s=timeout_s,
                on_answer=on_answer,
            )
        except NotRunning:
            if tries >= STARTING_TRIES:
                raise
            tries += 1
            pause.wait(STARTING_WAIT_S)


def local_now() -> datetime:
    """Return the time in the person's zone."""
    return SystemClock().now().astimezone(LocalZone())


def leave(options: Options, *, timeout_s: float) -> None:
    """Let the running program end, and wait until it has.

    Raises:
        NotRunning: There is none.
        AlreadyRunning: It was asked and did not end in time.
    """
    from mailtray.adapters.control_socket import SingleInstance

    ask(options, {"command": "quit"}, timeout_s=timeout_s)
    home = _home(options)

    def see_it_gone() -> None:
        with SingleInstance(home.lock_path):
            pass

    _patiently(see_it_gone)


def ask_or(
    options: Options,
    request: Mapping[str, object],
    alone: Callable[[_Parts], Mapping[str, object]],
    *,
    timeout_s: float,
    on_progress: Callable[[Mapping[str, object]], None] | None = None,
) -> Mapping[str, object]:
    """Ask the running program or, where there is none, do it alone.

    The one who acts alone holds the home's lock meanwhile, so that two processes never share a
    token cache.

    Args:
        options: Whose home.
        request: See :func:`ask`.
        alone: Does it without a running program.
        timeout_s: See :func:`ask`.
        on_progress: See :func:`ask`.

    Raises:
        AlreadyRunning: A program holds the home and does not answer.
        ConfigError: A wish cannot be understood.
        MailtrayError: What ``alone`` raises.
    """
    from mailtray.adapters.control_socket import SingleInstance

    def do() -> Mapping[str, object]:
        try:
            return ask(options, request, timeout_s=timeout_s, on_progress=on_progress)
        except NotRunning:
            parts = _parts(options)
            with SingleInstance(parts.home.lock_path):
                return alone(parts)

    return _patiently(do)


def _patiently(
    work: Callable[[], T],
    *,
    tries: int = STARTING_TRIES,
    is_hopeless: Callable[[], bool] = lambda: False,
) -> T:
    """Do it as soon as whoever starts, ends or acts alone just now has done so.

    Args:
        work: Raises ``AlreadyRunning`` while somebody else holds the home.
        tries: How often to wait.
        is_hopeless: Says that whoever holds the home is there to stay.
    """
    pause = Event()
    for _try in range(tries):
        try:
            return work()
        except AlreadyRunning:
            if is_hopeless():
                raise
            pause.wait(STARTING_WAIT_S)
    return work()


def check(options: Options, *, timeout_s: float) -> Mapping[str, object]:
    """Look for mail now.

    Raises:
        ConfigError: A wish cannot be understood.
        VaultError: The keyring does not tell which accounts there are.
    """

    def alone(parts: _Parts) -> Mapping[str, object]:
        now_is = check_once(_lone_world(parts, options), parts.wishes)
        view = panel.view(now_is, parts.clock.now().astimezone(LocalZone()))
        return answers.state(now_is, view)

    return ask_or(options, {"command": "check"}, alone, timeout_s=timeout_s)


def folders(
    options: Options, *, account: str, mailbox: str, timeout_s: float
) -> Mapping[str, object]:
    """Read a mailbox's tree of folders.

    Args:
        options: Whose home.
        account: Whose permission to read it with; the only account's where empty.
        mailbox: The address of a shared mailbox; the account's own where empty.
        timeout_s: How long to wait for an answer of the running program, in seconds.

    Raises:
        ConfigError: A wish cannot be understood.
        VaultError: The keyring does not tell which accounts there are.
        MailtrayError: It cannot be read.
    """

    def alone(parts: _Parts) -> Mapping[str, object]:
        return list_folders(_lone_world(parts, options), parts.wishes, account, mailbox)

    request = {"command": "folders", "account": account, "mailbox": mailbox}
    return ask_or(options, request, alone, timeout_s=timeout_s)


def _lone_world(parts: _Parts, options: Options) -> World:
    """Build what a command that acts alone needs to read mail.

    Raises:
        Unconfigured: No client id is known.
    """
    if parts.wishes.unconfigured is not None:
        raise parts.wishes.unconfigured
    desktop = Desktop(lambda _: None, sys.stderr)
    return _world(parts, options, desktop.notifier("console"), NoTray())


def sign_in(
    options: Options,
    on_page: Callable[[str, str], None],
    *,
    by_device_code: bool,
    timeout_s: float,
) -> Mapping[str, object]:
    """Sign in, by the running program where there is one.

    Args:
        options: Whose home.
        on_page: Receives the address to go to and the code to type there, or an empty one.
        by_device_code: True to sign in on another device.
        timeout_s: How long to wait for each answer of the running program, in seconds.

    Raises:
        ConfigError: A wish cannot be understood.
        AuthError, MailSourceError: It did not end well.
        VaultError: The keyring did not take the tokens, so there is no use in them.
    """

    def alone(parts: _Parts) -> Mapping[str, object]:
        if parts.wishes.unconfigured is not None:
            raise parts.wishes.unconfigured
        scopes, deadline_s = parts.wishes.settings.scopes_for(""), parts.wishes.sign_in_deadline_s
        if by_device_code:
            signed_in = parts.identity.sign_in_by_device_code(
                scopes, claims=None, deadline_s=deadline_s, on_code=on_page
            )
        else:
            signed_in = parts.identity.sign_in(
                scopes,
                login_hint=None,
                claims=None,
                deadline_s=deadline_s,
                on_url=lambda url: on_page(url, ""),
            )
        parts.vault.save(signed_in.account.id, signed_in.cache)
        return answers.signed_in(signed_in.account)

    return ask_or(
        options,
        {"command": "signin", "by_device_code": by_device_code},
        alone,
        timeout_s=timeout_s,
        on_progress=lambda reply: on_page(str(reply["sign_in_page"]), str(reply["code"])),
    )


class _Behind:
    """The program as the pages see it; see :class:`mailtray.pages.program.Program`."""

    def __init__(self, options: Options, icon: Path, doctor: Doctor) -> None:
        self._options = options
        self.icon = icon
        self.doctor = doctor

    def places(self) -> Mapping[str, Path]:
        """See the protocol."""
        home = _home(self._options)
        return {"settings": home.settings_path, "state": home.state_path, "log": home.log_path}

    def scopes(self) -> tuple[str, ...]:
        """See the protocol."""
        found = _settings(self._options).scopes_for("")
        return tuple(scope.rpartition("/")[2] for scope in found)

    def settings(self) -> Mapping[str, Standing]:
        """See the protocol."""
        return weigh_settings(self._options)

    def own_settings(self) -> Mapping[str, object]:
        """See the protocol."""
        layers = read_layers(_home(self._options), self._options.said, os.environ)
        return next((one.wishes for one in layers if one.place is Place.FILE), {})

    def read_setting(self, key: str, words: str) -> object:
        """See the protocol."""
        return read_setting(self._options, key, words)

    def edit_setting(self, key: str, edit: Callable[[object | None], object | None]) -> None:
        """See the protocol."""
        edit_setting(self._options, key, edit)

    def set_setting(self, key: str, words: str) -> None:
        """See the protocol."""
        set_setting(self._options, key, words)

    def draw_icon(self, count: int, size_px: int) -> bytes:
        """See the protocol."""
        from mailtray.adapters.icons import png

        return png(IconKind.UNREAD if count else IconKind.NORMAL, count, size_px)

    def play(self, sound: str) -> None:
        """See the protocol."""
        from mailtray.adapters.sound_player import play_now

        if sound == SOUND_DESKTOP:
            self.doctor.notify()
        elif sound != SOUND_NONE:
            play_now(sound)

    def sign_in(self) -> str:
        """See the protocol."""
        answer = sign_in(
            self._options, lambda *_page: None, by_device_code=False, timeout_s=SIGN_IN_S
        )
        return str(answer["signed_in"])

    def refusal(self, number: int) -> MailtrayError:
        """See the protocol."""
        from mailtray.adapters import msal_errors

        return msal_errors.meaning({"error": "", "error_codes": [number]}, interactive=True)

    def start_demo(self) -> None:
        """See the protocol."""
        from mailtray.adapters.page_opener import start_demo

        start_demo()

    def ask(self, command: str, **more: object) -> Mapping[str, object]:
        """See the protocol."""
        return ask(self._options, {"command": command, **more}, timeout_s=PAGE_ASK_S)


@contextmanager
def pages(options: Options, doctor: Doctor) -> Iterator[PageServer]:
    """Yield a server of the pages, serving.

    Args:
        options: Whose home.
        doctor: Who looks for faults.

    Raises:
        MailtrayError: No port of the loopback can be had.
    """
    from mailtray.adapters.icons import app_icon_path
    from mailtray.pages.server import PageServer
    from mailtray.pages.site import build

    with PageServer(partial(build, _Behind(options, app_icon_path(), doctor))) as server:
        yield server


@contextmanager
def own_notifier(wish: str) -> Iterator[Notifier]:
    """Yield a notifier as the running program has it; what it shows may go with it.

    Args:
        wish: The setting ``notifier``.
    """
    desktop = Desktop(lambda _command: None, sys.stderr)
    notifier = desktop.notifier(wish)
    try:
        yield notifier
    finally:
        notifier.close()
        desktop.close()


def open_in_browser(url: str) -> bool:
    """Open a page; returns False where no browser could be started."""
    return BrowserOpener().open(url)


def approval_link(options: Options) -> str:
    """Return the page on which an administrator approves mailtray for an organisation.

    Raises:
        ConfigError: A wish cannot be understood.
        Unconfigured: No client id is known.
    """
    from mailtray.adapters import msal_errors

    parts = _parts(options)
    if parts.wishes.unconfigured is not None:
        raise parts.wishes.unconfigured
    settings = parts.settings
    authority = f"{settings.endpoints.login_root}/{settings.tenant}"
    return msal_errors.approval_link(authority, settings.client_id, settings.scopes, None)


def sign_out(options: Options, *, timeout_s: float) -> Mapping[str, object]:
    """Erase every account's tokens and what is remembered of it.

    Raises:
        ConfigError: A wish cannot be understood.
        VaultError, StateError: Something could not be erased.
    """

    def alone(parts: _Parts) -> Mapping[str, object]:
        from mailtray.adapters.sqlite_state import SqliteStateStore

        state = SqliteStateStore(parts.home.state_path)
        for account in parts.vault.accounts():
            parts.vault.clear(account)
            state.forget(account)
        state.close()
        return {"done": True}

    return ask_or(options, {"command": "signout"}, alone, timeout_s=timeout_s)


def autostart(options: Options) -> Autostart:
    """Return how this system starts this home's mailtray at login."""
    from mailtray.adapters.autostart import own_autostart
    from mailtray.adapters.icons import app_icon_path

    home = _home(options)
    # The keyring's name for the home is one that no other home has.
    return own_autostart(home.vault_service, options.home, app_icon_path())


# -- the settings ---------------------------------------------------------------------------------


def settings_path(options: Options) -> Path:
    """Return where the person's settings are, or would be."""
    return _home(options).settings_path


def begin_settings(options: Options) -> Path:
    """Write a settings file in which every key is commented out; returns where.

    Raises:
        ConfigError: There is one already, or none can be made.
    """
    from mailtray.adapters.settings_editor import write_new
    from mailtray.core.commented import commented

    home = _home(options)
    home.prepare()
    write_new(home.settings_path, commented().encode())
    return home.settings_path


def weigh_settings(options: Options) -> Mapping[str, Standing]:
    """Return how every setting stands.

    Raises:
        ConfigError: A wish cannot be understood.
    """
    layers = read_layers(_home(options), options.said, os.environ)
    return weigh(layers, interval_min_s=_interval_min_s(options))


def set_setting(options: Options, key: str, words: str) -> Standing:
    """Set a key in the person's file, and return how it stands then.

    Args:
        options: Whose home.
        key: The setting.
        words: Its value.

    Raises:
        ConfigError: The key is locked or unknown, the value is not of its form, or the file
            cannot be changed.
    """
    value = read_setting(options, key, words)
    return edit_setting(options, key, lambda _now: value)[key]


def read_setting(options: Options, key: str, words: str) -> object:
    """Return what a setting's words stand for, as TOML has it.

    Raises:
        ConfigError: The key is unknown, or the words are not of its form.
    """
    try:
        return read_words(key, words, interval_min_s=_interval_min_s(options))
    except ValueError as exc:
        raise ConfigError(origin=text.APP_NAME, key=key, problem=str(exc)) from exc


def unset_setting(options: Options, key: str) -> Standing | None:
    """Take a key out of the person's file; returns how it stands then, if there is such a one.

    Raises:
        ConfigError: The key is locked, unknown and not in the file, or the file cannot be changed.
    """
    return edit_setting(options, key, lambda _now: None).get(key)


def edit_setting(
    options: Options, key: str, edit: Callable[[object | None], object | None]
) -> Mapping[str, Standing]:
    """Change a key in the person's file, and return how everything stands then.

    Args:
        options: Whose home.
        key: The setting.
        edit: Given what the file says now, returns what it is to say; see
            :func:`mailtray.adapters.settings_editor.change`.

    Raises:
        ConfigError: As for :func:`set_setting`.
    """
    from mailtray.adapters.settings_editor import change

    home, least_s = _home(options), _interval_min_s(options)
    layers = read_layers(home, options.said, os.environ)
    if key in locked_keys(layers):
        problem = _("is set by your administrator, so it cannot be changed here")
        raise ConfigError(origin=text.APP_NAME, key=key, problem=problem)
    if key not in KEYS and not any(key in one.wishes for one in layers if one.place is Place.FILE):
        raise ConfigError(origin=text.APP_NAME, key=key, problem=unknown(key, KEYS))

    def check(wishes: Mapping[str, object]) -> None:
        edited = [replace(one, wishes=wishes) if one.place is Place.FILE else one for one in layers]
        weigh(edited, interval_min_s=least_s)

    home.prepare()
    if change(home.settings_path, key, edit, check):
        with suppress(NotRunning):
            # Whatever is asked, a running program sees that its settings were changed.
            ask(options, {"command": "status"}, timeout_s=TOLD_S)
    return weigh_settings(options)


def try_rules(
    options: Options, content: bytes, *, account: str, folder: str
) -> Mapping[str, object]:
    """Return what the rules of the settings say of messages.

    Args:
        options: Whose home.
        content: The messages, see :func:`mailtray.adapters.pasted_messages.read`.
        account: Whose mail it is; the only account's where empty.
        folder: The folder that it came into, as settings name it.

    Raises:
        ConfigError: A wish cannot be understood.
        MailtrayError: The messages cannot.
    """
    from mailtray.adapters import pasted_messages

    settings = _settings(options)
    try:
        wish = parse_wish(folder)
    except ValueError as exc:
        raise ConfigError(origin="command line", key="folder", problem=str(exc)) from exc
    try:
        messages = pasted_messages.read(content)
    except ValueError as exc:
        raise MailtrayError(
            _("No messages: {reason}").format(reason=exc),
            _("Copy a message from Graph, or see “mailtray rules test --help”."),
        ) from exc
    whose = account or _only_account(options, settings)
    context = context_of(
        settings, Account(AccountId(""), whose), wish.key or wish.words, wish=wish.words
    )
    rules = rulebook(settings)
    judged = [answers.judged(one, judge(one, context, rules)) for one in messages]
    return {"account": whose or None, "messages": judged}


def _only_account(options: Options, settings: Settings) -> str:
    """Return the username of the only account that is known without the keyring, or nothing."""
    known = [*settings.accounts]
    with suppress(MailtrayError):
        answer = ask(options, {"command": "status"}, timeout_s=LOOK_FOR_ACCOUNTS_S)
        known = [account["username"] for account in answer["accounts"]]  # type: ignore[attr-defined] # as JSON
    return known[0] if len(known) == 1 else ""


def desktop_files() -> DesktopFiles:
    """Return what makes the person's Linux desktop know this mailtray.

    Raises:
        MailtrayError: This system has no such thing.
    """
    from mailtray.adapters.autostart import start_command
    from mailtray.adapters.desktop_files import own_desktop_files

    return own_desktop_files(start_command(None), os.environ)
