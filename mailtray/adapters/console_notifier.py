"""Notifications as lines of text, where there is no desktop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.core.errors import NotifierError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from mailtray.core.model import Notification

BETWEEN_LINES = " · "


class ConsoleNotifier:
    """Writes one line a notification; see :class:`mailtray.ports.Notifier`.

    A line that was written cannot be taken back, and nothing on it can be clicked.
    """

    name = "console"

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``, which stays the caller's."""
        self._stream = stream

    def show(self, notification: Notification) -> None:
        """See :meth:`mailtray.ports.Notifier.show`; fails where the stream is closed."""
        body = BETWEEN_LINES.join(notification.body.splitlines())
        line = f"{notification.title}: {body}" if body else notification.title
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        # A terminal in an old encoding shows a question mark rather than nothing.
        writable = line.encode(encoding, "replace").decode(encoding)
        try:
            self._stream.write(f"{writable}\n")
            self._stream.flush()
        except (OSError, ValueError) as exc:
            raise NotifierError(_("Notifications cannot be printed: the output is closed")) from exc

    def withdraw(self, tags: Iterable[str]) -> None:
        """See :meth:`mailtray.ports.Notifier.withdraw`; nothing to take back."""

    def close(self) -> None:
        """See :meth:`mailtray.ports.Notifier.close`; the stream stays open."""
