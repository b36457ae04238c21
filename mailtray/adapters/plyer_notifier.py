"""Notifications through plyer: the plain way, without clicks, withdrawal or answers.

Source: plyer 2.1, ``plyer/platforms/{linux,win,macosx}/notification.py``.
"""

from __future__ import annotations

import html
import importlib
import sys
import threading
import warnings
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailtray.adapters.session_bus import BUS, BUS_PATH, BusUnavailable, Refused, SessionBus
from mailtray.core.compose import clip
from mailtray.core.errors import NotifierError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailtray.adapters.desktop_loop import DesktopLoop
    from mailtray.core.model import Notification

APP_NAME = "mailtray"
SERVER = "org.freedesktop.Notifications"
FLATPAK_ROOT = Path("/app")

SHOW_TIMEOUT_S = 4.0
BUS_TIMEOUT_S = 0.9
BALLOON_S = 10

WINDOWS_TITLE_UNITS = 63
"""UTF-16 units; ``szInfoTitle`` holds one more, its end mark. A longer text raises."""
WINDOWS_BODY_UNITS = 255
"""UTF-16 units; ``szInfo`` holds one more."""

UNAVAILABLE = "plyer has no notifications for this system"
FLATPAK = "plyer's notifications are unsafe within Flatpak"
NO_SERVER = "No desktop notifications: no notification server runs"
REFUSED = "The system refused a notification"
NO_ANSWER = "The system's notifications do not answer"


class PlyerNotifier:
    """Shows notifications through plyer; see :class:`mailtray.ports.Notifier`.

    plyer on Linux ignores whether ``notify-send`` succeeded, so the bus is asked first whether
    anybody would show it.
    """

    name = "plyer"

    def __init__(self, loop: DesktopLoop, *, icon: Path, platform: str = sys.platform) -> None:
        """Prepare; plyer is imported with the first notification.

        Args:
            loop: Where the bus is asked, on Linux.
            icon: Our picture; Windows takes the ``.ico`` file of the same name beside it.
            platform: As :data:`sys.platform`.
        """
        self._loop = loop
        self._is_linux = platform == "linux"
        self._is_windows = platform == "win32"
        self._icon = icon.with_suffix(".ico") if self._is_windows else icon
        self._vendor: Any = None
        self._unanswered: Future[None] | None = None

    def show(self, notification: Notification) -> None:
        """See :meth:`mailtray.ports.Notifier.show`; nothing is ever replaced."""
        if self._unanswered is not None and not self._unanswered.done():
            raise NotifierError(NO_ANSWER) from TimeoutError()
        if self._vendor is None:
            self._vendor = self._load()
        if self._is_linux:
            self._require_server()
        title, body = self._fitted(notification.title, notification.body)
        self._notify(title, body)

    def withdraw(self, tags: Iterable[str]) -> None:
        """See :meth:`mailtray.ports.Notifier.withdraw`; plyer cannot."""

    def close(self) -> None:
        """See :meth:`mailtray.ports.Notifier.close`; plyer keeps nothing to let go of."""

    def _load(self) -> Any:  # noqa: ANN401  # plyer has no types
        # Within Flatpak plyer pastes the texts into a GVariant: a subject could break out of it.
        if self._is_linux and FLATPAK_ROOT.is_dir():
            raise NotifierError(FLATPAK)
        try:
            from plyer.utils import platform

            module = importlib.import_module(f"plyer.platforms.{platform}.notification")
            with warnings.catch_warnings():
                # It warns of a missing dbus-python, which nobody here needs to hear.
                warnings.simplefilter("ignore")
                vendor = module.instance()
        except (ImportError, OSError) as exc:
            raise NotifierError(UNAVAILABLE) from exc
        return vendor

    def _require_server(self) -> None:
        try:
            is_there = self._loop.call(_is_server_there(), BUS_TIMEOUT_S)
        except (BusUnavailable, Refused) as exc:
            raise NotifierError(NO_SERVER) from exc
        except TimeoutError:
            # No cause: nothing was shown yet, so that another way may be tried.
            raise NotifierError(NO_SERVER) from None
        if not is_there:
            raise NotifierError(NO_SERVER)

    def _fitted(self, title: str, body: str) -> tuple[str, str]:
        """Return the texts as this system's plyer takes them."""
        if self._is_windows:
            # A balloon without a text is not shown at all.
            return clip(title, WINDOWS_TITLE_UNITS), clip(body, WINDOWS_BODY_UNITS) or " "
        if self._is_linux:
            return _no_option(title), _no_option(html.escape(body, quote=False))
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
            # plyer itself raises bare Exceptions, and its Linux half passes dbus-python's on.
            except Exception as exc:  # noqa: BLE001
                outcome.set_exception(exc)
            else:
                outcome.set_result(None)

        threading.Thread(target=notify, name="mailtray-plyer", daemon=True).start()
        self._unanswered = outcome
        try:
            error = outcome.exception(SHOW_TIMEOUT_S)
        except TimeoutError as exc:
            raise NotifierError(NO_ANSWER) from exc
        if error is not None:
            raise NotifierError(REFUSED) from error


async def _is_server_there() -> bool:
    """Say whether a notification server runs, or would be started when asked."""
    bus = SessionBus(lambda _: None, ())
    await bus.open()
    try:
        if await bus.owner_of(SERVER):
            return True
        (startable,) = await bus.call(BUS, BUS_PATH, f"{BUS}.ListActivatableNames")
    finally:
        await bus.close()
    return SERVER in startable


def _no_option(text: str) -> str:
    """Keep ``notify-send`` from reading a text as an option."""
    return f"\N{HYPHEN}{text[1:]}" if text.startswith("-") else text
