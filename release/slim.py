"""What a bundle can do without."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

KEPT_PICTURES = frozenset({"Bmp", "Gif", "Icns", "Ico", "Jpeg", "Png", "Ppm"})
"""Forms of pictures that are written, or that Pillow loads before any other."""

EXCLUDED = (
    # Never imported while the program runs: they come along for a vendor's tests, its command
    # line, its debugger or another toolkit.
    "IPython", "_curses", "curses", "distutils", "doctest", "ensurepip", "lib2to3", "numpy",
    "pdb", "pip", "pkg_resources", "pydoc", "pydoc_data", "readline", "rlcompleter", "setuptools",
    "test", "tkinter", "trustme", "turtle", "unittest", "werkzeug.debug", "xmlrpc",
    # For pages of text and source, which rich can draw and mailtray has none of.
    "markdown_it", "mdurl", "pygments",
    "PIL.ImageQt", "PIL.ImageTk", "PIL._avif", "PIL._imagingcms", "PIL._imagingmath",
    "PIL._imagingmorph", "PIL._imagingtk", "PIL._webp",
)  # fmt: skip
EXCLUDED_ON_LINUX = ("desktop_notifier", "plyer")
"""Where our own client of the notification server takes their place."""


def excluded(platform: str) -> list[str]:
    """Return the modules to leave out on a system, as ``sys.platform`` names it."""
    from PIL import _plugins

    pictures = [
        f"PIL.{name}" for name in _plugins if name.removesuffix("ImagePlugin") not in KEPT_PICTURES
    ]
    return [*EXCLUDED, *pictures, *(EXCLUDED_ON_LINUX if platform == "linux" else ())]


def without_debug_symbols(source: str, folder: Path) -> str:
    """Return a copy of one of Python's own libraries without its debug symbols.

    Libraries out of wheels stay as they are: what rewrote their paths does not survive it.

    Args:
        source: A library.
        folder: Where copies go.
    """
    is_pythons = Path(source).resolve().is_relative_to(Path(sys.base_prefix).resolve())
    if sys.platform != "linux" or not is_pythons:
        return source
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / Path(source).name
    shutil.copyfile(source, copy)
    subprocess.run(["strip", "--strip-debug", str(copy)], check=True)  # noqa: S603, S607 - binutils
    return str(copy)
