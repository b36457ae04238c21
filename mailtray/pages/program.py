"""What the pages ask of the program; the composition root provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mailtray.core.doctor import Check
    from mailtray.core.errors import MailtrayError
    from mailtray.core.settings import Standing


Edit: TypeAlias = "Callable[[object | None], object | None]"
"""Given what the person's file says of a setting now, or ``None``, returns what it is to say.

``None`` takes it out; what is raised keeps the file from being written.
"""


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

    def scopes(self) -> tuple[str, ...]:
        """Return the names of the permissions that the settings ask for."""
        ...

    def settings(self) -> Mapping[str, Standing]:
        """Return how every setting stands.

        Raises:
            ConfigError: The file has a mistake.
        """
        ...

    def own_settings(self) -> Mapping[str, object]:
        """Return what the person's file says, as TOML has it.

        Raises:
            ConfigError: It cannot be read.
        """
        ...

    def read_setting(self, key: str, words: str) -> object:
        """Return what a setting's words stand for, as TOML has it.

        Raises:
            ConfigError: They are not of its form.
        """
        ...

    def edit_setting(self, key: str, edit: Edit) -> None:
        """Change a setting in the person's file; see :data:`Edit`.

        Raises:
            ConfigError: As for :meth:`set_setting`.
        """
        ...

    def set_setting(self, key: str, words: str) -> None:
        """Put a setting into the person's file.

        Raises:
            ConfigError: It is not of its form, or set by the administrator.
        """
        ...

    def draw_icon(self, count: int, size_px: int) -> bytes:
        """Return the tray's icon with a number of unread messages on it, as a PNG."""
        ...

    def play(self, sound: str) -> None:
        """Let a sound be heard, the desktop's own with a test notification.

        Args:
            sound: Of the kinds of the setting ``sound``.

        Raises:
            MailtrayError: It is no file, nothing here plays it, or no notification can be shown.
        """
        ...

    def sign_in(self) -> str:
        """Sign in by the browser; returns the username.

        Raises:
            MailtrayError: It did not end well.
        """
        ...

    def refusal(self, number: int) -> MailtrayError:
        """Return what a refusal of Microsoft's sign-in means.

        Args:
            number: The digits of ``AADSTS50011``, as Microsoft's own page shows them.
        """
        ...

    def start_demo(self) -> None:
        """Begin the demo, which opens its own page."""
        ...

    def ask(self, command: str, **more: object) -> Mapping[str, object]:
        """Ask the running program; see :class:`mailtray.app.commands.Ask`.

        Raises:
            NotRunning: There is none.
            MailtrayError: It answers that it could not.
        """
        ...
