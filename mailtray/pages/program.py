"""What the pages ask of the program; the composition root provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Program(Protocol):
    """The program behind the pages, running or not.

    Attributes:
        icon: The program's picture, an SVG or a PNG.
    """

    icon: Path

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
