"""Where the log goes, and what never gets into it."""

from __future__ import annotations

import copy
import logging
import os
import re
import sys
import time
import unicodedata
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, TextIO

from mailtray.adapters.private_files import make_private_folder, open_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper
    from pathlib import Path

LOG_MAX_BYTES = 1_000_000
LOG_OLD_FILES = 1
_OURS = "mailtray"
_FORMAT = "%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s"

_QUERY = re.compile(r"\?[^\s\"'<>)]+")
_OPAQUE = re.compile(r"[A-Za-z0-9+_!*$=-]{32,}")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@contextmanager
def configure_logs(
    path: Path, level: str, *, verbose: bool, stream: TextIO | None = None
) -> Iterator[None]:
    """Send the program's own records to a file while the context lasts.

    The file is for its owner alone, and two megabytes at most with its predecessor. Of other
    libraries only warnings are kept, without whatever looks like a token. A file that cannot be
    written never stops the program.

    Args:
        path: The file; the one before it gets a ``.1``.
        level: ``error``, ``warning``, ``info`` or ``debug``, for the file.
        verbose: True to send everything to ``stream`` as well.
        stream: Standard error if left out.
    """
    handlers: list[logging.Handler] = []
    with suppress(OSError):
        make_private_folder(path.parent)
        file = _PrivateFile(path)
        file.setLevel(level.upper())
        handlers.append(file)
    if verbose or not handlers:
        console = _Quiet(stream or sys.stderr)
        console.setLevel(logging.DEBUG if verbose else logging.ERROR)
        handlers.append(console)
    root, ours = logging.getLogger(), logging.getLogger(_OURS)
    before = root.level, ours.level
    root.setLevel(logging.WARNING)
    ours.setLevel(min(handler.level for handler in handlers))
    for handler in handlers:
        handler.setFormatter(CleanFormatter(_FORMAT))
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(before[0])
        ours.setLevel(before[1])


class CleanFormatter(logging.Formatter):
    """Makes each record one line that cannot deceive, and its traceback lines that begin with |.

    Text of other libraries, and every traceback, loses query strings and long opaque strings.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, its traceback too where another handler has already done so."""
        record = copy.copy(record)
        record.exc_text = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 # logging's name
        """Format the line itself."""
        line = super().formatMessage(record)
        is_ours = record.name == _OURS or record.name.startswith(f"{_OURS}.")
        return _visible(line if is_ours else redact(line))

    def formatException(self, ei: logging._SysExcInfoType) -> str:  # noqa: N802 # logging's name
        """Format a traceback."""
        lines = redact(super().formatException(ei)).splitlines()
        return "\n".join(f"| {_visible(line)}" for line in lines)


def redact(text: str) -> str:
    """Take out query strings, and runs of characters as tokens have them; GUIDs stay."""
    text = _QUERY.sub("?…", text)
    return _OPAQUE.sub(lambda run: run[0] if _GUID.fullmatch(run[0]) else "…", text)


def _visible(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in _UNSEEN
        else char
        for char in line
    )


class _Quiet(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 # logging's name
        """Lose a line rather than bother the person: the disk is full, or nobody listens."""


class _PrivateFile(RotatingFileHandler):
    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LOG_MAX_BYTES, backupCount=LOG_OLD_FILES, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        descriptor = open_private(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 # logging's name
        """Lose a line rather than bother the person: the disk is full."""
