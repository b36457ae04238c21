"""Looks at what a computer gives mailtray, for the doctor: keyring, files, disk, versions."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import sqlite3
import stat
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from mailtray import __version__
from mailtray.adapters.sqlite_state import APPLICATION_ID, BUSY_S, SCHEMA_VERSION
from mailtray.adapters.system import browser_command
from mailtray.core.doctor import Check, Part, attention, fails, good, unknown
from mailtray.core.errors import MailtrayError, VaultError
from mailtray.core.language import _
from mailtray.core.model import AccountId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mailtray.adapters.keyring_vault import KeyringVault
    from mailtray.ports import Autostart

DISK_LOW_BYTES = 200 * 1024 * 1024
DISK_FULL_BYTES = 10 * 1024 * 1024
_MEGABYTE = 1024 * 1024
_OTHERS = 0o077
PROBE = AccountId("probe")
PACKAGES = ("msal", "requests", "truststore", "keyring", "dbus-fast", "desktop-notifier", "pystray")
"""The packages whose versions a report is asked for."""


def keyring(vault: KeyringVault) -> Check:
    """Write an entry, read it and erase it.

    Args:
        vault: One under a name of its own, with nothing in it.
    """
    written = secrets.token_urlsafe()
    try:
        vault.save(PROBE, written)
        is_kept = vault.load(PROBE) == written
        vault.clear(PROBE)
    except VaultError as error:
        return attention(Part.KEYRING, error.title, error.hint)
    if not is_kept:
        return attention(
            Part.KEYRING,
            _("{keyring} does not keep what it is given").format(keyring=vault.keyring_name),
            _("Sign out of your desktop and in again."),
        )
    return good(
        Part.KEYRING, _("{keyring} writes, reads and erases").format(keyring=vault.keyring_name)
    )


def browser() -> Check:
    """Say which program opens pages."""
    command = browser_command()
    if command:
        return good(Part.BROWSER, _("opened by {program}").format(program=command))
    return attention(
        Part.BROWSER,
        _("there is none"),
        _("Install one, or sign in on another device: mailtray signin --device-code"),
    )


def state_file(path: Path) -> Check:
    """Read the whole file once, as SQLite checks it."""
    try:
        size_bytes = path.stat().st_size
        uri = f"{path.as_uri()}?mode=ro"
        database = sqlite3.connect(uri, uri=True, timeout=BUSY_S)
        try:
            ((owner,), (number,), (result,)) = (
                database.execute(f"PRAGMA {name}").fetchone()
                for name in ("application_id", "user_version", "quick_check")
            )
        finally:
            database.close()
    except (FileNotFoundError, NotADirectoryError):
        return good(Part.STATE, _("there is none yet"))
    except (OSError, sqlite3.Error) as exc:
        reason = type(exc).__name__ if isinstance(exc, sqlite3.Error) else exc.strerror
        return _bad_state(path, _("cannot be read: {reason}").format(reason=reason))
    if owner != APPLICATION_ID or result != "ok":
        return _bad_state(path, _("is damaged"))
    if number > SCHEMA_VERSION:
        return _bad_state(path, _("is of a newer mailtray"))
    return good(
        Part.STATE,
        _("whole, version {version}, {size} KB").format(
            version=number, size=max(1, round(size_bytes / 1024))
        ),
    )


def _bad_state(path: Path, problem: str) -> Check:
    found = _("{path} {problem}").format(path=path, problem=problem)
    return fails(Part.STATE, found, _("Quit mailtray, move the file away and start it again."))


def folders(wanted: Iterable[Path]) -> Check:
    """Say whether the program's folders can be written to, and by nobody else read."""
    there = [folder for folder in dict.fromkeys(wanted) if os.path.lexists(folder)]
    for folder in there:
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return fails(
                Part.FOLDERS,
                _("{path} is no folder that mailtray can write to").format(path=folder),
                _("Make it yours, or choose another with --home."),
            )
    open_ones = [folder for folder in there if _is_open_to_others(folder)]
    if open_ones:
        return attention(
            Part.FOLDERS,
            _("other users can look into {path}").format(path=open_ones[0]),
            _("Take the others' rights away: chmod 700 {path}").format(path=open_ones[0]),
        )
    if not there:
        return good(Part.FOLDERS, _("made when mailtray first runs"))
    return good(Part.FOLDERS, ", ".join(map(str, there)))


def _is_open_to_others(folder: Path) -> bool:
    return sys.platform != "win32" and bool(stat.S_IMODE(folder.stat().st_mode) & _OTHERS)


def disk(folder: Path) -> Check:
    """Say how much room there is where the program keeps what it remembers."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free_bytes = shutil.disk_usage(there).free
    found = _("{size} MB free").format(size=f"{free_bytes // _MEGABYTE:,}")
    action = _("Free some space on the disk of {path}.").format(path=there)
    if free_bytes < DISK_FULL_BYTES:
        return fails(Part.DISK, found, action)
    return (
        good(Part.DISK, found)
        if free_bytes > DISK_LOW_BYTES
        else attention(Part.DISK, found, action)
    )


def autostart(own: Autostart) -> Check:
    """Say whether a login starts this mailtray."""
    try:
        started = own.started()
    except MailtrayError as error:
        return unknown(Part.AUTOSTART, error.title, error.hint)
    if not started:
        return good(Part.AUTOSTART, _("off"))
    if started == own.command:
        return good(Part.AUTOSTART, _("on"))
    return attention(
        Part.AUTOSTART,
        _("starts another mailtray: {command}").format(command=" ".join(started)),
        _("Point it to this one: mailtray autostart on"),
    )


def versions(environment: Mapping[str, str]) -> Check:
    """Name the program, what it stands on, and the system."""
    desktop = environment.get("XDG_CURRENT_DESKTOP", "")
    parts = [f"mailtray {__version__}", f"Python {platform.python_version()}", _system(), desktop]
    for package in PACKAGES:
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue  # not of this system, or a bundle without its papers
    return good(Part.VERSIONS, ", ".join(filter(None, parts)))


def _system() -> str:
    system = f"{platform.system()} {platform.release()}"
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return system
    return f"{system} ({name})" if name else system
