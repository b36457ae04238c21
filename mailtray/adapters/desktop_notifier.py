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
from mailtray.core.language import N_, _
from mailtray.core.model import SOUND_DESKTOP, Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from desktop_notifier import DesktopNotifier
    from desktop_notifier import Notification as VendorNotification

    from mailtray.adapters.desktop_loop import DesktopLoop
    from mailtray.core.model import Notification

log = logging.getLogger(__name__)

APP_NAME = "mailtray"
SHOW_TIMEOUT_S = 4.5
CLEAR_TIMEOUT_S = 2.0
KEPT_TOASTS = 256

UNAVAILABLE = N_("This system offers no notifications to mailtray")
UNAVAILABLE_HINT = N_("On macOS only a signed application may notify: use the packaged mailtray.")
SWITCHED_OFF = N_("Notifications from mailtray are switched off")
SWITCHED_OFF_HINT = N_("Allow them in the system's notification settings.")
REFUSED = N_("The system refused a notification")
NO_ANSWER = N_("The system's notifications do not answer")


class DesktopNotifierNotifier:
    """Shows notifications through desktop-notifier; see :class:`mailtray.ports.Notifier`.

    The package logs its failures instead of raising them; it calls ``on_dispatched`` only where
    the system took the notification, and that is what counts here. Clicks need a running main
    loop on macOS, which the tray has.

    The package forgets a notification that left the screen, and with it the callbacks that it was
    given; its own ``on_clicked`` and ``on_button_pressed`` are also told of those that are clicked
    later, in the system's list of past ones. So the notifications are kept here.

    How long one stays is the system's and the person's to say: neither can be told. A sound file
    is played beside a silent notification: macOS takes names of sounds only, Windows only
    addresses of files in an installed package.
    """

    name = "desktop-notifier"

    def __init__(
        self,
        loop: DesktopLoop,
        on_click: Callable[[Notification, str], None],
        *,
        icon: Path,
        play: Callable[[str], None] = lambda _path: None,
    ) -> None:
        """Prepare; the system is asked with the first notification.

        Args:
            loop: Where the package's coroutines run.
            on_click: Called on any thread.
            icon: Our picture; the package's own would be Python's logo.
            play: Plays a sound file, given its path; returns at once.
        """
        self._loop = loop
        self._on_click = on_click
        self._icon = icon
        self._play = play
        self._vendor: DesktopNotifier | None = None
        self._shown: OrderedDict[str, Notification] = OrderedDict()
        self._late: asyncio.Task[None] | None = None

    def show(self, notification: Notification) -> None:
        """See :meth:`mailtray.ports.Notifier.show`."""
        try:
            self._loop.call(self._show_in_time(notification), SHOW_TIMEOUT_S + 0.5)
        except TimeoutError as exc:
            raise NotifierError(_(NO_ANSWER)) from exc

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
        vendor = await self._usable()
        dispatched = asyncio.Event()
        wanted = _translated(notification, on_dispatched=dispatched.set)
        await vendor.send_notification(wanted)
        if not dispatched.is_set():
            raise NotifierError(_(REFUSED))
        await self._withdraw((notification.tag,))
        self._shown[wanted.identifier] = notification
        while len(self._shown) > KEPT_TOASTS:
            self._shown.popitem(last=False)
        if notification.manner.sound_file:
            self._play(notification.manner.sound_file)

    def _on_clicked(self, identifier: str) -> None:
        notification = self._shown.get(identifier)
        if notification is not None:
            self._on_click(notification, "")

    def _on_button_pressed(self, identifier: str, command: str) -> None:
        notification = self._shown.get(identifier)
        if notification is not None and notification.has_button(command):
            # A deed is done once; both systems take the notification away with the press.
            del self._shown[identifier]
            self._on_click(notification, command)

    async def _usable(self) -> DesktopNotifier:
        """Return the package's notifier where the system lets it show anything.

        It is built anew until it works: Windows' service may come up after the program.
        """
        from desktop_notifier import Capability, DesktopNotifier, Icon

        if self._vendor is None:
            try:
                self._vendor = DesktopNotifier(APP_NAME, Icon(path=self._icon))
            except (OSError, RuntimeError, ImportError) as exc:
                raise NotifierError(_(UNAVAILABLE), _(UNAVAILABLE_HINT)) from exc
            self._vendor.on_clicked = self._on_clicked
            self._vendor.on_button_pressed = self._on_button_pressed
        # Where the system allows nothing the package puts a stand-in that can nothing.
        if Capability.TITLE not in await self._vendor.get_capabilities():
            raise NotifierError(_(UNAVAILABLE), _(UNAVAILABLE_HINT))
        if not await self._vendor.request_authorisation():
            raise NotifierError(_(SWITCHED_OFF), _(SWITCHED_OFF_HINT))
        return self._vendor

    async def _withdraw(self, tags: tuple[str, ...]) -> None:
        vendor = self._vendor
        if vendor is None:
            return
        for identifier in [each for each, shown in self._shown.items() if shown.tag in tags]:
            del self._shown[identifier]
            try:
                async with asyncio.timeout(CLEAR_TIMEOUT_S):
                    await vendor.clear(identifier)
            # KeyError: the package forgot it already, for the person closed it.
            except (KeyError, OSError, RuntimeError, TimeoutError) as exc:
                log.debug("A notification could not be withdrawn: %s", exc)


def _translated(
    notification: Notification, on_dispatched: Callable[[], None]
) -> VendorNotification:
    """Return it as the package has it."""
    import desktop_notifier as vendor

    urgency = {
        Urgency.LOW: vendor.Urgency.Low,
        Urgency.NORMAL: vendor.Urgency.Normal,
        Urgency.CRITICAL: vendor.Urgency.Critical,
    }
    manner = notification.manner
    return vendor.Notification(
        title=notification.title,
        message=notification.body,
        urgency=urgency[manner.urgency],
        # macOS keeps one set of buttons for each set of labels: only an identifier that is the
        # same for all notifications comes back right.
        buttons=tuple(
            vendor.Button(button.label, identifier=button.command)
            for button in notification.buttons
        ),
        sound=vendor.DEFAULT_SOUND if manner.sound == SOUND_DESKTOP else None,
        on_dispatched=on_dispatched,
    )
