"""What Windows is to know of this process before it shows anything.

Its identity: the icon, the balloons and the toasts belong to one program, of the name under which
desktop-notifier registers that program's name and picture, and not to Python. And that what it
draws is as sharp as the screen, and need not be enlarged.

Source: Win32 API, ``SetCurrentProcessExplicitAppUserModelID`` (shobjidl_core.h; at most 128
characters without spaces), ``SetProcessDpiAwarenessContext`` (winuser.h).
"""

from __future__ import annotations

import ctypes
import logging
from typing import TYPE_CHECKING, Any

from mailtray.adapters.windows_library import functions, windows_library

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.adapters.windows_library import Signatures

LOG = logging.getLogger(__name__)

APP_ID = "mailtray"
PER_MONITOR_AWARE_V2 = -4
"""``DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2``."""

_SIGNATURES: Signatures = {
    "shell32": {"SetCurrentProcessExplicitAppUserModelID": (ctypes.c_int32, ctypes.c_wchar_p)},
    "user32": {"SetProcessDpiAwarenessContext": (ctypes.c_int32, ctypes.c_void_p)},
}


def introduce_process(library: Callable[[str], Any] = windows_library) -> None:
    """Tell Windows; one older than Windows 10 of 2017 goes without.

    Args:
        library: Returns a library by its name, or raises ``OSError``.
    """
    try:
        windows = functions(library, _SIGNATURES)
    except (OSError, AttributeError) as exc:
        LOG.debug("Windows is not told of this process: %s", exc)
        return
    if failure := windows.SetCurrentProcessExplicitAppUserModelID(APP_ID):
        LOG.info("Windows does not take the program's identity: %#x", failure & 0xFFFF_FFFF)
    # It refuses where the program's own description said something already.
    windows.SetProcessDpiAwarenessContext(PER_MONITOR_AWARE_V2)
