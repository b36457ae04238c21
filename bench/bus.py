"""What happens on the session's bus, and when."""

from __future__ import annotations

import subprocess
from threading import Condition, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = (
    "type='signal',member='StatusNotifierItemRegistered'",
    "type='method_call',interface='org.freedesktop.Notifications',member='Notify'",
)
WAIT_S = 60.0


class BusWatch:
    """Looks on as dbus-monitor does, while the context lasts."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._monitor = subprocess.Popen(
            ["stdbuf", "-oL", "dbus-monitor", "--profile", *RULES],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._happened: list[tuple[float, str]] = []
        self._new = Condition()
        self._reader = Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        # It says the names that it is given itself, and then it listens.
        self.wait("NameLost", 0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._monitor.terminate()
        self._monitor.wait(WAIT_S)
        self._reader.join(WAIT_S)
        if self._monitor.stdout is not None:
            self._monitor.stdout.close()

    def wait(self, member: str, since_s: float) -> float:
        """Return when a member was first called or signalled after a moment of the same clock."""

        def found() -> list[float]:
            return [at for at, line in self._happened if at >= since_s and member in line]

        with self._new:
            if not self._new.wait_for(found, WAIT_S):
                raise TimeoutError(f"No {member} on the bus")
            return found()[0]

    def _read(self) -> None:
        for line in self._monitor.stdout or ():
            with self._new:
                self._happened.append((perf_counter(), line))
                self._new.notify_all()
