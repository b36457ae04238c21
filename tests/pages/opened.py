"""A page of mailtray's own, opened by its command and looked at in a browser."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Self

from tests.desktop.rig import wait_until
from tests.e2e.program import MAILTRAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
