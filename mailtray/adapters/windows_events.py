"""What Windows tells by itself: a sleep is over, the network is back, the screen was locked.

It tells windows, so there is one that nobody sees, with a thread of its own. It is no window for
messages alone: those do not hear of a sleep.

Source: Win32 API: ``WM_POWERBROADCAST`` and ``PBT_APMRESUMEAUTOMATIC`` (winuser.h),
``WM_WTSSESSION_CHANGE`` and ``WTSRegisterSessionNotification`` (wtsapi32.h),
``NotifyUnicastIpAddressChange`` (netioapi.h).
"""

from __future__ import annotations

import ctypes
import logging
from enum import IntEnum
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from mailtray.adapters.windows_library import CALLBACK, functions, windows_library

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.adapters.windows_library import Signatures

LOG = logging.getLogger(__name__)

CLASS_NAME = "mailtray-events"
PBT_APMRESUMEAUTOMATIC = 0x12
WTS_SESSION_LOCK, WTS_SESSION_UNLOCK = 0x7, 0x8
NOTIFY_FOR_THIS_SESSION = 0
AF_UNSPEC = 0
MIB_ADD_INSTANCE = 1
"""Of the kinds of changes the one in which an address is new: the way out may be back."""
CLOSE_TIMEOUT_S = 1.0

_POINTER, _UINT, _INT = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32
_WORD = ctypes.c_size_t
"""As wide as a pointer: ``WPARAM``; ``LPARAM`` and ``LRESULT`` are signed."""
_SIGNED_WORD = ctypes.c_ssize_t
_WINDOW_PROCEDURE = CALLBACK(_SIGNED_WORD, _POINTER, _UINT, _WORD, _SIGNED_WORD)
_ADDRESS_CHANGED = CALLBACK(None, _POINTER, _POINTER, _INT)


class Told(IntEnum):
    """The messages that matter here, of all that a window gets."""

    CLOSE = 0x0010
    """``WM_CLOSE``."""
    POWER = 0x0218
    """``WM_POWERBROADCAST``."""
    SESSION = 0x02B1
    """``WM_WTSSESSION_CHANGE``."""


class WindowClass(ctypes.Structure):
    """``WNDCLASSW``."""

    _fields_ = (
        ("style", _UINT),
        ("procedure", _WINDOW_PROCEDURE),
        ("class_extra", _INT),
        ("window_extra", _INT),
        ("instance", _POINTER),
        ("icon", _POINTER),
        ("cursor", _POINTER),
        ("background", _POINTER),
        ("menu_name", ctypes.c_wchar_p),
        ("class_name", ctypes.c_wchar_p),
    )


class Message(ctypes.Structure):
    """``MSG``."""

    _fields_ = (
        ("window", _POINTER),
        ("message", _UINT),
        ("wparam", _WORD),
        ("lparam", _SIGNED_WORD),
        ("time", _UINT),
        ("x", _INT),
        ("y", _INT),
    )


_SIGNATURES: Signatures = {
    "iphlpapi": {
        "NotifyUnicastIpAddressChange": (
            *(_UINT, ctypes.c_uint16, _ADDRESS_CHANGED, _POINTER, ctypes.c_uint8),
            ctypes.POINTER(_POINTER),
        ),
        "CancelMibChangeNotify2": (_UINT, _POINTER),
    },
    "kernel32": {"GetModuleHandleW": (_POINTER, ctypes.c_wchar_p)},
    "user32": {
        "RegisterClassW": (ctypes.c_uint16, ctypes.POINTER(WindowClass)),
        "UnregisterClassW": (_INT, ctypes.c_wchar_p, _POINTER),
        "CreateWindowExW": (
            *(_POINTER, _UINT, ctypes.c_wchar_p, ctypes.c_wchar_p, _UINT, _INT, _INT, _INT, _INT),
            *(_POINTER, _POINTER, _POINTER, _POINTER),
        ),
        "DestroyWindow": (_INT, _POINTER),
        "DefWindowProcW": (_SIGNED_WORD, _POINTER, _UINT, _WORD, _SIGNED_WORD),
        "GetMessageW": (_INT, ctypes.POINTER(Message), _POINTER, _UINT, _UINT),
        "DispatchMessageW": (_SIGNED_WORD, ctypes.POINTER(Message)),
        "PostMessageW": (_INT, _POINTER, _UINT, _WORD, _SIGNED_WORD),
        "PostQuitMessage": (None, _INT),
    },
    "wtsapi32": {
        "WTSRegisterSessionNotification": (_INT, _POINTER, _UINT),
        "WTSUnRegisterSessionNotification": (_INT, _POINTER),
    },
}


class WindowsEvents:
    """Listens from :meth:`start` to :meth:`close`."""

    def __init__(
        self,
        *,
        on_network_up: Callable[[], None],
        on_wake: Callable[[], None],
        on_presence: Callable[[], None],
        library: Callable[[str], Any] = windows_library,
    ) -> None:
        """Prepare; all are called on threads that must not be kept.

        Args:
            on_network_up: Called when the computer has a new address.
            on_wake: Called when the computer woke from a sleep.
            on_presence: Called when the screen was locked or unlocked.
            library: Returns a library by its name, or raises ``OSError``.
        """
        self._on_network_up = on_network_up
        self._on_wake = on_wake
        self._on_presence = on_presence
        self._library = library
        self._windows: Any = None
        self._window: int | None = None
        self._is_settled = Event()
        self._thread = Thread(target=self._serve, name="mailtray-windows", daemon=True)

    def start(self) -> None:
        """Begin to listen, in the background; a Windows that lacks a function tells nothing."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._is_settled.wait(CLOSE_TIMEOUT_S)
        if self._window is not None:
            self._windows.PostMessageW(self._window, Told.CLOSE, 0, 0)
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            LOG.warning("The window that hears of sleeps did not close in time")

    def _serve(self) -> None:
        try:
            self._windows = functions(self._library, _SIGNATURES)
            self._listen()
        except (OSError, AttributeError) as exc:
            LOG.info("Windows does not tell of sleeps, networks and locks: %s", exc)
        finally:
            self._is_settled.set()

    def _listen(self) -> None:
        """Hear of everything until the window is closed."""
        windows, handle = self._windows, _POINTER()
        # Both are called for as long as they are held here.
        on_address = _ADDRESS_CHANGED(self._on_address)
        procedure = _WINDOW_PROCEDURE(self._on_message)
        failure = windows.NotifyUnicastIpAddressChange(
            AF_UNSPEC, on_address, None, 0, ctypes.byref(handle)
        )
        if failure:
            raise OSError(f"no news of addresses: error {failure}")
        try:
            self._serve_window(procedure)
        finally:
            windows.CancelMibChangeNotify2(handle)

    def _serve_window(self, procedure: object) -> None:
        windows = self._windows
        instance = windows.GetModuleHandleW(None)
        kind = WindowClass(procedure=procedure, instance=instance, class_name=CLASS_NAME)
        if not windows.RegisterClassW(ctypes.byref(kind)):
            raise OSError("no class for a window")
        try:
            window = windows.CreateWindowExW(
                0, CLASS_NAME, CLASS_NAME, 0, 0, 0, 0, 0, None, None, instance, None
            )
            if not window:
                raise OSError("no window")
            windows.WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION)
            self._window = window
            self._is_settled.set()
            message = Message()
            while windows.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
                windows.DispatchMessageW(ctypes.byref(message))
        finally:
            windows.UnregisterClassW(CLASS_NAME, instance)

    def _on_address(self, _context: object, _row: object, kind: int) -> None:
        if kind == MIB_ADD_INSTANCE:
            self._on_network_up()

    def _on_message(self, window: int, message: int, wparam: int, lparam: int) -> int:
        match message:
            case Told.POWER:
                if wparam == PBT_APMRESUMEAUTOMATIC:
                    self._on_wake()
                return 1
            case Told.SESSION:
                if wparam in {WTS_SESSION_LOCK, WTS_SESSION_UNLOCK}:
                    self._on_presence()
                return 0
            case Told.CLOSE:
                self._window = None
                self._windows.WTSUnRegisterSessionNotification(window)
                self._windows.DestroyWindow(window)
                self._windows.PostQuitMessage(0)
                return 0
            case _:
                return int(self._windows.DefWindowProcW(window, message, wparam, lparam))
