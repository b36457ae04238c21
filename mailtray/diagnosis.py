"""The doctor put together: which checks there are, each made on a thread of its own.

A check that hangs or breaks says so and stops no other: the doctor is asked when something is
wrong, and must work when nothing else does.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from mailtray import bootstrap
from mailtray.adapters.settings_file import Home
from mailtray.adapters.system import SystemClock
from mailtray.core import findings, text
from mailtray.core.doctor import (
    Check,
    Part,
    Verdict,
    attention,
    fails,
    good,
    in_order,
    report,
    unknown,
)
from mailtray.core.errors import ConfigError, MailtrayError, NotRunning, VaultError
from mailtray.core.language import _
from mailtray.core.model import Notification
from mailtray.core.settings import DEFAULTS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from mailtray.adapters.check_desktop import DesktopChecks
    from mailtray.adapters.check_network import NetworkChecks
    from mailtray.bootstrap import Options
    from mailtray.core.settings import Standing
    from mailtray.ports import Notifier

LIMIT_S = 8.0
"""How long a check may take, in seconds."""
NETWORK_LIMIT_S = 12.0
"""The same where a connection is made, which is itself given up after ten."""
ASK_S = 5.0
"""How long the running program may take to answer, in seconds."""
TEST_TAG = "doctor"

Found = Check | list[Check] | tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """A check to make.

    Attributes:
        parts: What it tells of.
        look: Finds out; may raise anything and take any time.
        limit_s: How long it is waited for, in seconds.
        late: What it means where that was not enough.
    """

    parts: tuple[Part, ...]
    look: Callable[[], Found]
    limit_s: float = LIMIT_S
    late: Verdict = Verdict.UNKNOWN


def look_at_all(probes: Sequence[Probe]) -> list[Check]:
    """Make checks side by side and return what they found, in order."""
    clock, begun = SystemClock(), []
    started_s = clock.monotonic_s()
    for probe in probes:
        answers: SimpleQueue[Found] = SimpleQueue()
        name = f"mailtray-check-{probe.parts[0]}"
        # Daemons: one that hangs must not keep the process from ending.
        Thread(target=_look, args=(probe, answers), name=name, daemon=True).start()
        begun.append((probe, answers))
    checks: list[Check] = []
    for probe, answers in begun:
        left_s = max(0.0, started_s + probe.limit_s - clock.monotonic_s())
        try:
            found = answers.get(timeout=left_s)
        except Empty:
            found = [_late(part, probe) for part in probe.parts]
        checks += [found] if isinstance(found, Check) else found
    return in_order(checks)


def _look(probe: Probe, answers: SimpleQueue[Found]) -> None:
    try:
        found = probe.look()
    except MailtrayError as error:
        found = [unknown(part, error.title, error.hint) for part in probe.parts]
    except Exception as exc:  # noqa: BLE001 - whatever it is, the others go on
        words = _("could not be looked at ({kind})").format(kind=type(exc).__name__)
        found = [unknown(part, words) for part in probe.parts]
    answers.put(found)


def _late(part: Part, probe: Probe) -> Check:
    found = _("no answer within {seconds} seconds").format(seconds=round(probe.limit_s))
    return Check(part, probe.late, found)


class Doctor:
    """Looks for what keeps a home's mailtray from working; a context manager.

    Args:
        options: Whose home, and what else was said.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._home = Home.of(options.home)
        self._stack = ExitStack()
        self._desktop = _this_desktop(self._stack)
        self._notifier: Notifier | None = None

    def __enter__(self) -> Self:
        """Prepare; nothing is asked yet."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Let go of what was needed to look and to notify."""
        self._stack.close()

    def examine(self) -> list[Check]:
        """Look at everything now."""
        standings, mistake = self._standings()
        settings = Settings(**{key: one.value for key, one in standings.items()})  # type: ignore[arg-type] # each key's form returns its type
        checks = [findings.settings(standings, mistake), self._client_id(settings, mistake)]
        program = (Part.PROGRAM, Part.SIGN_IN, Part.MAILBOX, Part.POLLS)
        probes = [
            Probe(program, self._program, 2 * ASK_S),
            *self._network_probes(settings),
            *self._desktop_probes(settings),
            *self._system_probes(),
        ]
        return in_order([*checks, *look_at_all(probes)])

    def report(self, checks: Sequence[Check]) -> str:
        """Return checks as a text to pass on."""
        homes = {os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~"))}  # noqa: PTH111 - Path.home raises
        return report(checks, homes - {"~", "/"})

    def notify(self) -> None:
        """Show a notification to try, kept for as long as the doctor is there."""
        if self._notifier is None:
            settings, _mistake = self._standings()
            wish = str(settings["notifier"].value)
            self._notifier = self._stack.enter_context(bootstrap.own_notifier(wish))
        self._notifier.show(
            Notification(TEST_TAG, _("This is a test"), _("mailtray shows new mail like this."))
        )

    # -- the settings ------------------------------------------------------------------------------

    def _standings(self) -> tuple[Mapping[str, Standing], ConfigError | None]:
        """Return how settings stand as far as they can be understood, and what cannot be."""
        try:
            return bootstrap.weigh_settings(self._options), None
        except ConfigError as mistake:
            # What was said and what the environment says may still be sound.
            nowhere = replace(self._options, home=self._home.config_dir / "none")
            try:
                return bootstrap.weigh_settings(nowhere), mistake
            except ConfigError:
                return DEFAULTS, mistake

    def _client_id(self, settings: Settings, mistake: ConfigError | None) -> Check:
        if settings.client_id:
            return good(Part.CLIENT_ID, settings.client_id)
        if mistake is not None:
            return unknown(Part.CLIENT_ID, _("the settings cannot be read"))
        hint = text.no_client_id_hint(str(self._home.settings_path))
        return fails(Part.CLIENT_ID, _("none is set"), hint)

    # -- the running program -----------------------------------------------------------------------

    def _program(self) -> list[Check]:
        try:
            state = self._ask("status")
            history = self._ask("history")
        except NotRunning as error:
            return self._without_program(error)
        return findings.of_program(state, history)

    def _ask(self, command: str) -> Any:  # noqa: ANN401 - as JSON
        return bootstrap.ask(self._options, {"command": command}, timeout_s=ASK_S)

    def _without_program(self, error: NotRunning) -> list[Check]:
        nobody = _("nothing runs that could tell")
        checks = [
            attention(Part.PROGRAM, error.title, error.hint),
            unknown(Part.MAILBOX, nobody),
            unknown(Part.POLLS, nobody),
        ]
        try:
            kept = list(self._kept_sign_ins())
        except VaultError as locked:
            return [*checks, unknown(Part.SIGN_IN, locked.title, locked.hint)]
        return [*checks, *(kept or [findings.signed_out()])]

    def _kept_sign_ins(self) -> Iterator[Check]:
        """Yield what the keyring keeps, without asking to unlock it and without any request."""
        from mailtray.adapters.keyring_vault import KeyringVault
        from mailtray.adapters.msal_cache import kept

        if self._is_keyring_locked():
            yield unknown(Part.SIGN_IN, _("the keyring is locked"))
            return
        vault = KeyringVault(self._home.vault_service)
        for account in vault.accounts():
            found = kept(vault.load(account) or "", account)
            if found is None:
                yield findings.signed_out()
            else:
                username, scopes = found
                yield findings.signed_in(username, scopes)

    # -- around it ---------------------------------------------------------------------------------

    def _network_probes(self, settings: Settings) -> Iterator[Probe]:
        from mailtray.adapters.check_network import NetworkChecks
        from mailtray.adapters.http import Http

        here, clock, service_url = settings.endpoints, SystemClock(), self._options.service_url

        def of(look: Callable[[NetworkChecks], Found]) -> Callable[[], Found]:
            def with_http() -> Found:
                http = Http(
                    login_root=here.login_root,
                    graph_root=here.graph_root,
                    clock=clock,
                    service_url=service_url,
                    ca_bundle=settings.ca_bundle,
                    proxy=settings.proxy,
                )
                with closing(http):
                    return look(NetworkChecks(http, clock, settings, service_url))

            return with_http

        login = (Part.PROXY, Part.LOGIN, Part.CLOCK)
        yield Probe(login, of(NetworkChecks.login), NETWORK_LIMIT_S)
        yield Probe((Part.GRAPH,), of(NetworkChecks.graph), NETWORK_LIMIT_S)
        yield Probe((Part.CERTIFICATE,), of(NetworkChecks.certificate), NETWORK_LIMIT_S)

    def _desktop_probes(self, settings: Settings) -> Iterator[Probe]:
        from mailtray.adapters import check_desktop, check_system

        yield Probe((Part.BROWSER,), check_system.browser)
        yield Probe((Part.KEYRING,), self._keyring)
        if self._desktop is None:
            yield Probe(
                (Part.DISPLAY, Part.TRAY, Part.NOTIFICATIONS, Part.SOUND),
                lambda: check_desktop.other_system(settings.sound),
            )
            return
        desktop = self._desktop
        yield Probe((Part.DISPLAY,), desktop.display)
        yield Probe((Part.TRAY,), lambda: desktop.tray(settings.tray))
        yield Probe(
            (Part.NOTIFICATIONS, Part.SOUND),
            lambda: desktop.notifications(settings.notifier, settings.sound),
        )

    def _keyring(self) -> Check:
        from mailtray.adapters.check_system import keyring
        from mailtray.adapters.keyring_vault import KeyringVault

        if self._is_keyring_locked():
            return attention(
                Part.KEYRING,
                _("it is locked"),
                _("Unlock it; until then mailtray keeps sign-ins in memory only."),
            )
        return keyring(KeyringVault(f"{self._home.vault_service}-doctor"))

    def _is_keyring_locked(self) -> bool:
        return self._desktop is not None and self._desktop.is_keyring_locked()

    def _system_probes(self) -> Iterator[Probe]:
        from mailtray.adapters import check_system

        home = self._home
        wanted = (home.config_dir, home.state_dir, home.runtime_dir)
        yield Probe((Part.STATE,), lambda: check_system.state_file(home.state_path))
        yield Probe((Part.FOLDERS,), lambda: check_system.folders(wanted))
        yield Probe((Part.DISK,), lambda: check_system.disk(home.state_dir))
        yield Probe(
            (Part.AUTOSTART,), lambda: check_system.autostart(bootstrap.autostart(self._options))
        )
        yield Probe((Part.VERSIONS,), lambda: check_system.versions(os.environ))


def _this_desktop(stack: ExitStack) -> DesktopChecks | None:
    """Return what looks at the desktop, where it is one that can be looked at."""
    if sys.platform != "linux":
        return None
    from mailtray.adapters.check_desktop import DesktopChecks
    from mailtray.adapters.desktop_loop import DesktopLoop

    loop = DesktopLoop()
    stack.callback(loop.close)
    desktop = DesktopChecks(loop, os.environ)
    stack.callback(desktop.close)
    return desktop
