"""``mailtray`` that dies where a file tells it to, and writes down what it showed.

    python -P dying.py FOLDER run ...

FOLDER/shown gets the messages of each notification, a line each. While FOLDER/point exists, it
holds ``CALL WHEN NTH``: the process kills itself ``before`` or ``after`` that call, or ``within``
it, the NTH time from then on. FOLDER/died is written first. While FOLDER/later exists, the wall
clock that MSAL reads is an hour ahead.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mailtray import bootstrap
from mailtray.adapters import keyring_vault, msal_identity, sqlite_state
from mailtray.cli import main

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator

    from keyring.backend import KeyringBackend

    from mailtray.app.world import World
    from mailtray.core.model import Notification

PAGE_BYTES = 4_096
SECOND_TRY_S = 0.1
HOUR_S = 3_600.0


class Death:
    """Reads where to die, and does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._met = 0
        self._order = ""

    def wanted(self, call: str) -> str:
        """Return ``before``, ``after`` or ``within`` where this call is the one, else nothing."""
        try:
            order = (self.folder / "point").read_text()
        except FileNotFoundError:
            return ""
        if order != self._order:
            self._order, self._met = order, 0
        which, when, nth = order.split()
        if which not in {call, "any"}:
            return ""
        self._met += 1
        return when if self._met == int(nth) else ""

    def die(self, call: str) -> None:
        """End as a lost battery would."""
        self.note(call)
        os.kill(os.getpid(), signal.SIGKILL)

    def note(self, call: str) -> None:
        """Write down where it ends."""
        (self.folder / "died").write_text(call)

    @contextmanager
    def around(self, call: str) -> Iterator[str]:
        """Die before or after a call, if it is the one."""
        wanted = self.wanted(call)
        if wanted == "before":
            self.die(call)
        try:
            yield wanted
        finally:
            if wanted:
                self.die(call)


class Mortal:
    """Stands before an adapter and may die around each of its methods."""

    def __init__(self, inner: Any, name: str, death: Death) -> None:  # noqa: ANN401 - any adapter
        self._inner, self._name, self._death = inner, name, death

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any adapter's
        found = getattr(self._inner, name)
        return self._mortal(name, found) if callable(found) else found

    def _mortal(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - passed on as they come
            # Asked for because the last one was refused: only that goes over the network.
            word = f"{name}_anew" if options.get("renew") else name
            with self._death.around(f"{self._name}.{word}"):
                return method(*args, **options)

        return call


class PaperNotifier:
    """Shows a notification by writing it down; may die between that and its return."""

    name = "paper"

    def __init__(self, death: Death) -> None:
        self._death = death

    def show(self, notification: Notification) -> None:
        with (
            self._death.around("notifier.show"),
            (self._death.folder / "shown").open("a") as paper,
        ):
            paper.write(" ".join(notification.message_ids) + "\n")

    def withdraw(self, _tags: Iterable[str]) -> None:
        with self._death.around("notifier.withdraw"):
            pass

    def close(self) -> None:
        """Do nothing."""


class MortalKeyring:
    """A keyring that may die around each entry, or in the middle of replacing one."""

    def __init__(self, inner: Any, death: Death) -> None:  # noqa: ANN401 - keyring's
        self._inner, self._death = inner, death

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, *how: object) -> None:
        self._inner.__exit__(*how)

    def get_password(self, service: str, name: str) -> str | None:
        with self._death.around("keyring.get"):
            found: str | None = self._inner.get_password(service, name)
            return found

    def set_password(self, service: str, name: str, password: str) -> None:
        with self._death.around("keyring.set") as wanted:
            if wanted == "within":
                # As macOS replaces: by deleting and adding.
                if self._inner.get_password(service, name) is not None:
                    self._inner.delete_password(service, name)
                self._death.die("keyring.set")
            self._inner.set_password(service, name, password)

    def delete_password(self, service: str, name: str) -> None:
        with self._death.around("keyring.delete"):
            self._inner.delete_password(service, name)


def watch_statements(database: sqlite3.Connection, death: Death) -> None:
    """Die before a statement, or in the middle of a write to the disk that follows from it."""

    def on_statement(statement: str) -> None:
        if death.wanted("sqlite.statement"):
            death.die("sqlite.statement")
        if statement.startswith("BEGIN") and (wanted := death.wanted("sqlite.write")):
            # Files may grow no further than so many bytes, by a half-done write and a deadly
            # signal at the next: within the journal's head, within a page of it, or later.
            death.note("sqlite.write")
            size = int(wanted) if wanted.isdecimal() else PAGE_BYTES
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    database.set_trace_callback(on_statement)


def make_mortal(death: Death) -> None:
    """Put death between the program and its adapters."""
    build, find, connect = bootstrap._world, keyring_vault._system_keyring, sqlite_state._open

    def mortal_world(*args: Any) -> World:  # noqa: ANN401 - passed on as they come
        world = build(*args)
        parts = ("vault", "state", "identity", "mail", "tray", "events")
        mortals = {name: Mortal(getattr(world, name), name, death) for name in parts}
        return replace(world, notifier=PaperNotifier(death), **mortals)

    def mortal_keyring() -> KeyringBackend:
        return MortalKeyring(find(), death)  # type: ignore[return-value] # a stand-in

    def mortal_database(path: Path) -> sqlite3.Connection:
        database = connect(path)
        watch_statements(database, death)
        return database

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A doubtful refusal is tried again after a minute; here after a moment.
    msal_identity.SECOND_TRY_S = SECOND_TRY_S
    bootstrap._world = mortal_world  # type: ignore[assignment] # takes the same
    keyring_vault._system_keyring = mortal_keyring
    sqlite_state._open = mortal_database


def shift_clock(flag: Path) -> None:
    """Let access tokens look an hour older while a file exists."""
    now = time.time  # noqa: TID251 - MSAL's clock is shifted, not read

    def later() -> float:
        return now() + (HOUR_S if flag.exists() else 0.0)

    time.time = later  # noqa: TID251 - MSAL's clock is shifted, not read


if __name__ == "__main__":
    here = Path(sys.argv.pop(1))
    shift_clock(here / "later")
    make_mortal(Death(here))
    raise SystemExit(main())
