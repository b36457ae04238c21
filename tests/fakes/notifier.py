"""A notifier whose screen a test can look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailtray.core.errors import NotifierError
    from mailtray.core.model import Notification


class FakeNotifier:
    """Keeps what it shows.

    Attributes:
        on_screen: What is shown now, by tag.
        history: All that was ever shown, in order.
        error: What :meth:`show` raises instead, or ``None``.
        is_closed: Whether :meth:`close` was called.
    """

    def __init__(
        self, on_click: Callable[[Notification, str], None] = lambda *_: None, *, name: str = "fake"
    ) -> None:
        self.name = name
        self.on_screen: dict[str, Notification] = {}
        self.history: list[Notification] = []
        self.error: NotifierError | None = None
        self.is_closed = False
        self._on_click = on_click

    def show(self, notification: Notification) -> None:
        if self.error is not None:
            raise self.error
        self.on_screen[notification.tag] = notification
        self.history.append(notification)

    def withdraw(self, tags: Iterable[str]) -> None:
        for tag in tags:
            self.on_screen.pop(tag, None)

    def close(self) -> None:
        self.is_closed = True

    def click(self, tag: str) -> None:
        """Click a shown notification, which closes it as desktops do."""
        self._on_click(self.on_screen.pop(tag), "")

    def press(self, tag: str, command: str) -> None:
        """Press a button of what has this tag, which closes it; nothing happens without one."""
        shown = self.on_screen.get(tag)
        if shown is not None and command in {button.command for button in shown.buttons}:
            self._on_click(self.on_screen.pop(tag), command)
