"""Where a bundle begins.

Its first steps put the bundle's own libraries before the system's in this process's environment.
A browser or a hook that inherited that would load them too, so it is taken back before anything
is started; the libraries of this process were found with what it began with.

Source: PyInstaller's manual, "LD_LIBRARY_PATH / LIBPATH considerations" and "Independent
subprocess".
"""

from __future__ import annotations

import os
import sys


def give_back_environment() -> None:
    """Let what this process starts see the environment in which the person started it."""
    if sys.platform == "linux":
        before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
        os.environ.pop("LD_LIBRARY_PATH", None)
        if before is not None:
            os.environ["LD_LIBRARY_PATH"] = before
    # A hook may run this very bundle, which then is no part of this process.
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"


if __name__ == "__main__":
    give_back_environment()

    from mailtray.cli import main

    sys.exit(main())
