"""What makes a Linux desktop know the program: an entry of its menu, and icons.

Who installed the program from a package of the system has them already; this is for everybody
else, and for making that package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from mailtray.adapters import icons
from mailtray.adapters.entry_syntax import escape, quote_exec
from mailtray.core.errors import MailtrayError
from mailtray.core.language import N_, _
from mailtray.core.model import IconKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SIZES_PX = (16, 22, 24, 32, 48, 64, 128, 256)
"""Which sizes of PNG go into the theme ``hicolor``, where every other theme looks last."""
FILE_MODE = 0o644
ENTRY = Path("applications", "mailtray.desktop")
THEME = Path("icons", "hicolor")
REFRESH_S = 20.0
_TITLE = N_("mailtray cannot be put into the menu")


class DesktopFiles:
    """The entry and the icons in one folder of data.

    Source: Desktop Entry Specification 1.5; Icon Theme Specification 0.13, "Installing
    Application Icons"; XDG Base Directory Specification 0.8.
    """

    def __init__(self, data_folder: Path, command: Sequence[str]) -> None:
        """Prepare.

        Args:
            data_folder: ``XDG_DATA_HOME``, or a package's ``usr/share``.
            command: What the entry starts, program and arguments.
        """
        self._folder = data_folder
        self._command = tuple(command)

    def install(self) -> Path:
        """Write all of it, in place of what was before; return the entry's path.

        Raises:
            MailtrayError: It cannot be had here.
        """
        entry = self._entry()
        with _explained():
            for path, content in self._icons():
                _write(self._folder / path, content)
            # Last, so that who sees the entry finds its icon.
            _write(self._folder / ENTRY, entry)
        self._refresh()
        return self._folder / ENTRY

    def remove(self) -> None:
        """Remove all of it, and the folders that are empty then.

        Raises:
            MailtrayError: Something could not be removed.
        """
        with _explained():
            for path in (ENTRY, *(path for path, _content in self._icons())):
                (self._folder / path).unlink(missing_ok=True)
                self._remove_empty(path.parent)
        self._refresh()

    def _entry(self) -> bytes:
        program = self._command[0]
        if "=" in program:
            problem = _("An entry cannot start a program with “=” in its path: {path}.")
            raise MailtrayError(_(_TITLE), problem.format(path=program))
        own = {"Exec": quote_exec(self._command), "TryExec": program}
        lines = icons.asset_path(ENTRY.name).read_text(encoding="utf-8").splitlines()
        written = [
            f"{key}={escape(own[key])}" if (key := line.partition("=")[0]) in own else line
            for line in lines
        ]
        try:
            return "".join(f"{line}\n" for line in written).encode()
        except UnicodeEncodeError as exc:
            problem = _("A folder's name in the program's path is not UTF-8.")
            raise MailtrayError(_(_TITLE), problem) from exc

    def _icons(self) -> Iterator[tuple[Path, bytes]]:
        for size in SIZES_PX:
            drawn = BytesIO()
            icons.draw(IconKind.NORMAL, 0, size).save(drawn, "PNG")
            yield THEME / f"{size}x{size}" / "apps" / "mailtray.png", drawn.getvalue()
        svg = icons.asset_path("mailtray.svg").read_bytes()
        yield THEME / "scalable" / "apps" / "mailtray.svg", svg

    def _remove_empty(self, folder: Path) -> None:
        while folder != Path():
            try:
                (self._folder / folder).rmdir()
            except OSError:
                return
            folder = folder.parent

    def _refresh(self) -> None:
        """Let desktops that run see the icons now.

        They look anew where the theme's folder is younger than what they remember. A cache that
        is there is made anew; a first one would hide what other programs put there later. Menus
        watch their folder, and the cache of entries holds kinds of files only.
        """
        theme = self._folder / THEME
        with suppress(OSError):
            os.utime(theme)
        tool = shutil.which("gtk-update-icon-cache")
        if tool and (theme / "icon-theme.cache").exists():
            with suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(  # noqa: S603 - found above, with a path of our own
                    [tool, "--force", "--quiet", "--ignore-theme-index", str(theme)],
                    check=False,
                    timeout=REFRESH_S,
                )


def own_desktop_files(command: Sequence[str], environment: Mapping[str, str]) -> DesktopFiles:
    """Return what the person's own desktop reads.

    Args:
        command: What the entry starts.
        environment: Says where, as ``XDG_DATA_HOME``.

    Raises:
        MailtrayError: This system has no such menus.
    """
    if sys.platform in {"win32", "darwin"}:
        raise MailtrayError(
            _(_TITLE), _("That is for Linux. Start mailtray here as you start other programs.")
        )
    # A relative path is to be ignored (XDG Base Directory Specification).
    wished = Path(environment.get("XDG_DATA_HOME", ""))
    folder = wished if wished.is_absolute() else Path.home() / ".local" / "share"
    return DesktopFiles(folder, command)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        problem = _("{path} cannot be written: {reason}.")
        raise MailtrayError(
            _(_TITLE), problem.format(path=exc.filename, reason=exc.strerror or exc)
        ) from exc


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a desktop may read it at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(content)
        beside.chmod(FILE_MODE)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
