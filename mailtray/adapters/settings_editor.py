"""Changes the person's settings file, and leaves the rest of it as they wrote it."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mailtray.adapters.private_files import open_private
from mailtray.adapters.toml_edits import edited
from mailtray.adapters.toml_files import mistake, parse, read_raw
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_new(path: Path, content: bytes) -> None:
    """Make a file that only the person can read.

    Raises:
        ConfigError: There is one already, which stays as it is, or none can be made.
    """
    try:
        with open(path, "xb", opener=open_private) as file:  # Path.open has no opener
            failure = _fill(file.fileno(), content)
        if failure is not None:
            # Windows removes nothing that is open.
            path.unlink()
            raise failure
    except FileExistsError as exc:
        raise mistake(path, "", _("is there already, and was left as it is")) from exc
    except OSError as exc:
        raise _unwritable(path, exc) from exc


def _fill(descriptor: int, content: bytes) -> OSError | None:
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    except OSError as exc:
        return exc
    return None


def change(
    path: Path,
    key: str,
    edit: Callable[[object | None], object | None],
    check: Callable[[Mapping[str, object]], None],
) -> bool:
    """Change a key in a file; comments, order, mode and a link to it stay.

    Args:
        path: The file; one that is missing is made, for the person alone.
        key: The key, at the top of the file.
        edit: Given what the file says now, or ``None``, returns what it is to say as TOML can
            have it; ``None`` takes the key out. What it raises keeps it from being written.
        check: Receives what the file is going to say; what it raises keeps it from being written.

    Returns:
        Whether there was anything to change.

    Raises:
        ConfigError: The file cannot be read, edited or written, or somebody else has just
            changed it.
    """
    # A link stays one: what it points to is changed.
    target = Path(os.path.realpath(path))
    raw = read_raw(target)
    before = b"" if raw is None else raw
    after = _edited(target, before, key, edit)
    if after == before:
        return False
    check(parse(target, after))
    if raw is None:
        write_new(target, after)
    else:
        _replace(target, before, after)
    return True


def _edited(
    path: Path, raw: bytes, key: str, edit: Callable[[object | None], object | None]
) -> bytes:
    said = parse(path, raw)
    value = edit(said.get(key))
    mark = _BYTE_ORDER_MARK if raw.startswith(_BYTE_ORDER_MARK) else b""
    text = raw.decode("utf-8-sig")
    is_of_windows = "\r\n" in text
    text = text.replace("\r\n", "\n")
    try:
        new = edited(text, said, key, value)
    except ValueError as exc:
        raise mistake(path, key, _("cannot be changed by mailtray; edit the file")) from exc
    return mark + (new.replace("\n", "\r\n") if is_of_windows else new).encode()


def _replace(path: Path, before: bytes, after: bytes) -> None:
    """Put the new content in the old one's place at once, so that no crash leaves half of it."""
    draft = ""
    try:
        descriptor, draft = tempfile.mkstemp(prefix=".settings-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            if sys.platform != "win32":
                os.fchmod(descriptor, path.stat().st_mode & 0o7777)
            os.fsync(descriptor)
        if read_raw(path) != before:
            raise mistake(
                path, "", _("was changed by somebody else just now; look at it, and try again")
            )
        Path(draft).replace(path)
        _keep_name(path.parent)
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    finally:
        with suppress(OSError):
            # Gone where it took the old one's place.
            Path(draft).unlink()


def _keep_name(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, exc: OSError) -> Exception:
    return mistake(path, "", _("cannot be written: {reason}").format(reason=exc.strerror or exc))
