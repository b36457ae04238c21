"""A page of mailtray's own, opened by its command and looked at in a browser."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING, Self

from tests.desktop.rig import wait_until
from tests.e2e.program import MAILTRAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.desktop.rig import DesktopSession

MENU = "com.canonical.dbusmenu"


def choose_from_menu(session: DesktopSession, label: str) -> None:
    """Choose an item of the one tray icon's menu, by its label with the underscore."""
    item = wait_until(session.registered_items, 20.0)[0].partition("/")[0]
    menu = ["dbus-send", "--print-reply", f"--dest={item}", "/MenuBar"]
    bus = f"--bus={session.env['DBUS_SESSION_BUS_ADDRESS']}"

    def number() -> str:
        everything = ("int32:0", "int32:-1", "array:string:")
        layout = session.run(*menu, bus, f"{MENU}.GetLayout", *everything)
        before, there, _after = layout.partition(f'"{label}')
        return re.findall(r"int32 (\d+)", before)[-1] if there else ""

    clicked = (f"int32:{wait_until(number, 20.0)}", "string:clicked", "variant:int32:0", "uint32:0")
    session.run(*menu, bus, f"{MENU}.Event", *clicked)


def noting_browser(folder: Path) -> tuple[Path, str]:
    """Return a file that gets a line for every page, and the ``BROWSER`` that writes it."""
    opened, script = folder / "opened", folder / "note-page"
    opened.touch()
    script.write_text(f'#!/bin/sh\necho "$1" >>"{opened}"\n')
    script.chmod(0o755)
    return opened, f"{script} %s"


class OpenedPage:
    """``mailtray open``, whose page goes to nobody's browser but is told here.

    Attributes:
        link: The address that opens the page, once.
    """

    def __init__(
        self, home: Path, env: Mapping[str, str], page: str, *options: str, folder: Path
    ) -> None:
        self._opened_path = folder / f"opened-{page}"
        script = folder / "note-page"
        script.write_text(f'#!/bin/sh\necho "$1" >>"{self._opened_path}"\n')
        script.chmod(0o755)
        self.process = subprocess.Popen(
            [*MAILTRAY, "open", page, "--home", str(home), *options],
            env={**env, "BROWSER": f"{script} %s"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.link = ""

    def __enter__(self) -> Self:
        wait_until(self._opened_path.exists, 20.0)
        self.link = wait_until(self._opened_path.read_text, 5.0).strip()
        return self

    def __exit__(self, *_problem: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        _output, complaints = self.process.communicate(timeout=10)
        assert (self.process.returncode, complaints) == (0, "")
