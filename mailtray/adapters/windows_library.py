"""The libraries of Windows itself, and how a function of theirs is declared.

What is not declared is taken for 32 bits, and a handle has 64.
"""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Signatures = Mapping[str, Mapping[str, Sequence[Any]]]

CALLBACK = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
"""Makes the type of a function that Windows calls, which 32-bit Windows does in its own way."""


def windows_library(name: str) -> Any:  # noqa: ANN401 - ctypes makes its functions up
    """Return a system library.

    Raises:
        OSError: There is none of this name.
    """
    if sys.platform == "win32":
        return ctypes.WinDLL(name)
    raise OSError(f"no {name} here")


def functions(library: Callable[[str], Any], signatures: Signatures) -> Any:  # noqa: ANN401 - as above
    """Return functions of system libraries under their names.

    Args:
        library: Returns a library by its name, or raises ``OSError``.
        signatures: By library and function the type of its result and those of its arguments.

    Raises:
        OSError: There is no such library.
        AttributeError: This Windows lacks a function.
    """
    found = SimpleNamespace()
    for name, functions_there in signatures.items():
        loaded = library(name)
        for function_name, (result, *arguments) in functions_there.items():
            function = getattr(loaded, function_name)
            function.restype, function.argtypes = result, arguments
            setattr(found, function_name, function)
    return found
