"""Notifications through plyer: the plain way, without clicks, buttons, withdrawal or answers.

Sound, urgency and how long one stays are the system's to choose.

Source: plyer 2.1, ``plyer/platforms/{win,macosx}/notification.py``.
"""

from __future__ import annotations

import importlib
import sys
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from mailtray.core.compose import clip
from mailtray.core.errors import NotifierError
from mailtray.core.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mailtray.core.model import Notification

APP_NAME = "mailtray"

SHOW_TIMEOUT_S = 4.0
BALLOON_S = 10

WINDOWS_TITLE_UNITS = 63
"""UTF-16 units; ``szInfoTitle`` holds one more, its end mark. A longer text raises."""
WINDOWS_BODY_UNITS = 255
"""UTF-16 units; ``szInfo`` holds one more."""

UNAVAILABLE = N_("plyer has no notifications for this system")
REFUSED = N_("The system refused a notification")
NO_ANSWER = N_("The system's notifications do not answer")


class PlyerNotifier:
    """Shows notifications through plyer; see :class:`mailtray.ports.Notifier`.

    For Windows and macOS. On Linux plyer asks the very server that our own client asks, but
    by ``notify-send``: it ignores whether that succeeded, and every user of the computer can
    read sender and subject in the list of processes.
    """

    name = "plyer"

    def __init__(self, *, icon: Path, platform: str = sys.platform) -> None:
        """Prepare; plyer is imported with the first notification.

        Args:
            icon: Our picture; Windows takes the ``.ico`` file of the same name beside it.
            platform: As :data:`sys.platform`.
        """
        self._is_windows = platform == "win32"
        self._icon = icon.with_suffix(".ico") if self._is_windows else icon
        self._vendor: Any = None
        self._unanswered: Future[None] | None = None

    def show(self, notification: Notification) -> None:
        """See :meth:`mailtray.ports.Notifier.show`; nothing is ever replaced."""
        if self._unanswered is not None and not self._unanswered.done():
            raise NotifierError(_(NO_ANSWER)) from TimeoutError()
        if self._vendor is None:
            self._vendor = self._load()
        title, body = self._fitted(notification.title, notification.body)
        self._notify(title, body)

    def withdraw(self, tags: Iterable[str]) -> None:
        """See :meth:`mailtray.ports.Notifier.withdraw`; plyer cannot."""

    def close(self) -> None:
        """See :meth:`mailtray.ports.Notifier.close`; plyer keeps nothing to let go of."""

    def _load(self) -> Any:  # noqa: ANN401  # plyer has no types
        try:
            from plyer.utils import platform

            module = importlib.import_module(f"plyer.platforms.{platform}.notification")
            vendor = module.instance()
        except (ImportError, OSError) as exc:
            raise NotifierError(_(UNAVAILABLE)) from exc
        return vendor

    def _fitted(self, title: str, body: str) -> tuple[str, str]:
        """Return the texts as this system's plyer takes them."""
        if self._is_windows:
            # A balloon without a text is not shown at all.
            return clip(title, WINDOWS_TITLE_UNITS), clip(body, WINDOWS_BODY_UNITS) or " "
        return title, body

    def _notify(self, title: str, body: str) -> None:
        """Have plyer show it on a thread that may hang without holding anyone."""
        outcome: Future[None] = Future()
        vendor, icon = self._vendor, str(self._icon)

        def notify() -> None:
            try:
                vendor.notify(
                    title=title, message=body, app_name=APP_NAME, app_icon=icon, timeout=BALLOON_S
                )
            # plyer itself raises bare Exceptions.
            except Exception as exc:  # noqa: BLE001
                outcome.set_exception(exc)
            else:
                outcome.set_result(None)

        threading.Thread(target=notify, name="mailtray-plyer", daemon=True).start()
        self._unanswered = outcome
        try:
            error = outcome.exception(SHOW_TIMEOUT_S)
        except TimeoutError as exc:
            raise NotifierError(_(NO_ANSWER)) from exc
        if error is not None:
            raise NotifierError(_(REFUSED)) from error
