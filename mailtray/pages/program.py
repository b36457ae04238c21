"""What the pages ask of the program; the composition root provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mailtray.core.doctor import Check


class Doctor(Protocol):
    """Who looks for what keeps the program from working; needs nothing to run but a computer."""

    def examine(self) -> Sequence[Check]:
        """Look at everything now, within half a minute; never raises."""
        ...

    def report(self, checks: Sequence[Check]) -> str:
        """Return checks as a text to pass on; see :func:`mailtray.core.doctor.report`."""
        ...

    def notify(self) -> None:
        """Show a notification to try.

        Raises:
            NotifierError: It was not shown.
        """
        ...


class Program(Protocol):
    """The program behind the pages, running or not.

    Attributes:
        icon: The program's picture, an SVG or a PNG.
        doctor: Who looks for faults.
    """

    icon: Path
    doctor: Doctor

    def places(self) -> Mapping[str, Path]:
        """Return where the files are: ``settings``, ``state`` and ``log``."""
        ...

    def ask(self, command: str, **more: object) -> Mapping[str, object]:
        """Ask the running program; see :class:`mailtray.app.commands.Ask`.

        Raises:
            NotRunning: There is none.
            MailtrayError: It answers that it could not.
        """
        ...
