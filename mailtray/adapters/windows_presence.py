"""What Windows tells of the person, when it is asked.

Windows' own "do not disturb" is told to nobody; Windows heeds it by itself, and shows later what it
kept back.

Source: Win32 API, ``SHQueryUserNotificationState`` (shellapi.h), ``WTSQuerySessionInformationW``
and ``WTSINFOEX_LEVEL1_W`` (wtsapi32.h).
"""

from __future__ import annotations

import ctypes
import logging
from typing import TYPE_CHECKING, Any

from mailtray.adapters.windows_library import windows_library
from mailtray.core.peace import Presence

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger(__name__)

NOT_PRESENT = 1
"""``QUNS_NOT_PRESENT``: locked, a screen saver, or another user's turn."""
UNDISTURBED = frozenset({2, 3, 4, 6})
"""``QUNS_BUSY`` (a full screen), ``_RUNNING_D3D_FULL_SCREEN``, ``_PRESENTATION_MODE``,
``_QUIET_TIME``; not ``_APP``, which an open start menu is as well."""

WTS_CURRENT_SESSION = 0xFFFF_FFFF
WTS_SESSION_INFO_EX = 25
WTS_SESSIONSTATE_LOCK = 0
LEVEL = 1


class SessionInfo(ctypes.Structure):
    """The beginning of ``WTSINFOEXW``; its union holds 64-bit numbers and is aligned to them."""

    _fields_ = (
        ("level", ctypes.c_uint32),
        ("gap", ctypes.c_uint32),
        ("session", ctypes.c_uint32),
        ("state", ctypes.c_int32),
        ("flags", ctypes.c_int32),
    )


class WindowsPresence:
    """Asks two functions that answer at once; see :class:`mailtray.ports.PresenceSource`."""

    def __init__(self, library: Callable[[str], Any] = windows_library) -> None:
        """Prepare; the libraries are loaded when first needed.

        Args:
            library: Returns a library by its name, or raises ``OSError``.
        """
        self._library = library

    def look(self) -> Presence:
        """See :meth:`mailtray.ports.PresenceSource.look`."""
        try:
            state = _notification_state(self._library("shell32"))
            # The picture on a locked screen is a full screen itself, so the lock comes first.
            if state == NOT_PRESENT or _is_locked(self._library("wtsapi32")):
                return Presence(is_locked=True)
        except (OSError, AttributeError) as exc:
            LOG.debug("Windows does not tell of the person: %s", exc)
            return Presence()
        return Presence(is_do_not_disturb=state in UNDISTURBED)


def _notification_state(shell32: Any) -> int | None:  # noqa: ANN401 - see above
    state = ctypes.c_int(0)
    failure = shell32.SHQueryUserNotificationState(ctypes.byref(state))
    return None if failure else state.value


def _is_locked(wtsapi32: Any) -> bool:  # noqa: ANN401 - see above
    buffer, size = ctypes.c_void_p(), ctypes.c_uint32(0)
    is_told = wtsapi32.WTSQuerySessionInformationW(
        None,
        ctypes.c_uint32(WTS_CURRENT_SESSION),
        WTS_SESSION_INFO_EX,
        ctypes.byref(buffer),
        ctypes.byref(size),
    )
    if not is_told or buffer.value is None:
        return False
    try:
        if size.value < ctypes.sizeof(SessionInfo):
            return False
        info = SessionInfo.from_address(buffer.value)
        return bool(info.level == LEVEL and info.flags == WTS_SESSIONSTATE_LOCK)
    finally:
        wtsapi32.WTSFreeMemory(buffer)
