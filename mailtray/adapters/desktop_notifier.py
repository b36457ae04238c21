"""Notifications on Windows and macOS, through the desktop-notifier package.

On Linux :mod:`mailtray.adapters.freedesktop_notifier` takes this place and says why.

Source: desktop-notifier 6.2, ``DesktopNotifier`` and ``Capability``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from mailtray.core.errors import NotifierError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from desktop_notifier import DesktopNotifier

    from mailtray.adapters.desktop_loop import DesktopLoop
    from mailtray.core.model import Notification

log = logging.getLogger(__name__)

APP_NAME = "mailtray"
SHOW_TIMEOUT_S = 4.5
CLEAR_TIMEOUT_S = 2.0
KEPT_TAGS = 256

UNAVAILABLE = "This system offers no notifications to mailtray"
UNAVAILABLE_HINT = "On macOS only a signed application may notify: use the packaged mailtray."
SWITCHED_OFF = "Notifications from mailtray are switched off"
SWITCHED_OFF_HINT = "Allow them in the system's notification settings."
REFUSED = "The system refused a notification"
NO_ANSWER = "The system's notifications do not answer"


class DesktopNotifierNotifier:
    """Shows notifications through desktop-notifier; see :class:`mailtray.ports.Notifier`.

    The package logs its failures instead of raising them; it calls ``on_dispatched`` only where
    the system took the notification, and that is what counts here. Clicks need a running main
    loop on macOS, which the tray has.
    """

    name = "desktop-notifier"

    def __init__(
        self, loop: DesktopLoop, on_click: Callable[[Notification, str], None], *, icon: Path
    ) -> None:
        """Prepare; the system is asked with the first notification.

        Args:
            loop: Where the package's coroutines run.
            on_click: Called on any thread.
            icon: Our picture; the package's own would be Python's logo.
        """
        self._loop = loop
        self._on_click = on_click
        self._icon = icon
        self._vendor: DesktopNotifier | None = None
        self._shown: OrderedDict[str, str] = OrderedDict()
        self._late: asyncio.Task[None] | None = None

    def show(self, notification: Notification) -> None:
        """See :meth:`mailtray.ports.Notifier.show`."""
        try:
            self._loop.call(self._show_in_time(notification), SHOW_TIMEOUT_S + 0.5)
        except TimeoutError as exc:
            raise NotifierError(NO_ANSWER) from exc

    def withdraw(self, tags: Iterable[str]) -> None:
        """See :meth:`mailtray.ports.Notifier.withdraw`; does not wait for the system."""
        self._loop.submit(self._withdraw(tuple(tags)))

    def close(self) -> None:
        """See :meth:`mailtray.ports.Notifier.close`; the package keeps nothing to let go of."""

    async def _show_in_time(self, notification: Notification) -> None:
        """Show it, or take it back as soon as it appears late: it will be told again."""
        showing = asyncio.create_task(self._show(notification))
        await asyncio.wait({showing}, timeout=SHOW_TIMEOUT_S)
        if showing.done():
            return showing.result()
        self._late = asyncio.create_task(self._take_back(showing, notification.tag))
        raise TimeoutError

    async def _take_back(self, showing: asyncio.Task[None], tag: str) -> None:
        await asyncio.wait({showing})
        if showing.exception() is None:
            await self._withdraw((tag,))

    async def _show(self, notification: Notification) -> None:
        from desktop_notifier import Notification as VendorNotification

        vendor = await self._usable()
        dispatched = asyncio.Event()
        wanted = VendorNotification(
            title=notification.title,
            message=notification.body,
            on_dispatched=dispatched.set,
            on_clicked=lambda: self._on_click(notification, ""),
        )
        await vendor.send_notification(wanted)
        if not dispatched.is_set():
            raise NotifierError(REFUSED)
        await self._withdraw((notification.tag,))
        self._shown[notification.tag] = wanted.identifier
        while len(self._shown) > KEPT_TAGS:
            self._shown.popitem(last=False)

    async def _usable(self) -> DesktopNotifier:
        """Return the package's notifier where the system lets it show anything.

        It is built anew until it works: Windows' service may come up after the program.
        """
        from desktop_notifier import Capability, DesktopNotifier, Icon

        if self._vendor is None:
            try:
                self._vendor = DesktopNotifier(APP_NAME, Icon(path=self._icon))
            except (OSError, RuntimeError, ImportError) as exc:
                raise NotifierError(UNAVAILABLE, UNAVAILABLE_HINT) from exc
        # Where the system allows nothing the package puts a stand-in that can nothing.
        if Capability.TITLE not in await self._vendor.get_capabilities():
            raise NotifierError(UNAVAILABLE, UNAVAILABLE_HINT)
        if not await self._vendor.request_authorisation():
            raise NotifierError(SWITCHED_OFF, SWITCHED_OFF_HINT)
        return self._vendor

    async def _withdraw(self, tags: tuple[str, ...]) -> None:
        for tag in tags:
            identifier = self._shown.pop(tag, None)
            if identifier is None or self._vendor is None:
                continue
            try:
                async with asyncio.timeout(CLEAR_TIMEOUT_S):
                    await self._vendor.clear(identifier)
            # KeyError: the package forgot it already, for the person closed it.
            except (KeyError, OSError, RuntimeError, TimeoutError) as exc:
                log.debug("A notification could not be withdrawn: %s", exc)
