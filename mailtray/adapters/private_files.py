"""Files and folders that nobody but the person can read, from their first moment on.

On Windows the profile's access list does this already, and file modes mean nothing.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from mailtray.core.language import N_, _

if TYPE_CHECKING:
    from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600
OTHER_HOME_HINT = N_("Choose another folder with --home.")


def make_private_folder(folder: Path) -> None:
    """Make a folder with mode 0700, its parents as the umask says; one that exists is kept.

    Raises:
        OSError: It cannot be made, or what stands there is no folder of this user's (in a shared
            ``/tmp`` somebody else may have been first).
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        _expect_own_folder(folder)
        return
    if sys.platform != "win32":
        # The umask may have taken even the owner's bits.
        folder.chmod(FOLDER_MODE)


def _expect_own_folder(folder: Path) -> None:
    found = folder.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(_("{folder} is not a folder").format(folder=folder))
    if sys.platform == "win32":
        return
    if found.st_uid not in {os.geteuid(), 0}:
        raise PermissionError(_("{folder} belongs to another user").format(folder=folder))
    if found.st_mode & stat.S_IWOTH:
        # /tmp itself, say, behind a link that somebody else laid there.
        raise PermissionError(_("everybody can write to {folder}").format(folder=folder))


def open_private(path: str, flags: int) -> int:
    """Open a file as the ``opener`` of :func:`open`; if that makes it, its mode is 0600.

    Raises:
        OSError: As :func:`os.open` does.
    """
    descriptor = os.open(path, flags, FILE_MODE)
    if sys.platform != "win32" and flags & os.O_CREAT:
        # The umask may have taken even the owner's bits, and an older file may be wide open.
        os.fchmod(descriptor, FILE_MODE)
    return descriptor
