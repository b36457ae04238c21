"""What a terminal tells: keys, its new size, and that it is time to end.

Each is a word: a printable character as it is, or one of ``up``, ``down``, ``page_up``,
``page_down``, ``home``, ``end``, ``enter``, ``escape``, ``interrupt``, ``resized``, ``resumed``.

Source: ECMA-48 and xterm's "ctlseqs" for the sequences; Microsoft's documentation of ``_getwch``.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType, TracebackType
    from typing import Self

_READ_BYTES = 1024
_ESCAPE_S = 0.1
"""How long the rest of a sequence may take; what has none by then was the Escape key alone."""
_INPUT = 0
"""The standard input's descriptor."""


class Ears(Protocol):
    """Hears a terminal; a context manager within which keys come one by one and unseen."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back as it was."""
        ...

    def listen(self, hear: Callable[[str], None]) -> None:
        """Tell what is heard; on a thread of its own, until the end."""
        ...

    def begin_again(self) -> None:
        """Take the terminal once more, after a shell had it."""
        ...


# -- Unix -----------------------------------------------------------------------------------------

_SEQUENCE = re.compile(r"\x1b[\[O]([0-9;:<=>?]*)[ -/]*([@-~])")
_BEGUN = re.compile(r"\x1b(?:[\[O][0-9;:<=>?]*[ -/]*)?")
_BY_LETTER = {"A": "up", "B": "down", "H": "home", "F": "end"}
_BY_NUMBER = {
    "1": "home", "7": "home", "4": "end", "8": "end", "5": "page_up", "6": "page_down",
}  # fmt: skip
_KEYPAD_ENTER = "\x1bOM"
_CONTROL = {"\r": "enter", "\n": "enter", "\x03": "interrupt"}
_ESCAPE = "\x1b"


def keys(typed: str) -> tuple[list[str], str]:
    """Tell the keys of what a terminal sent; returns also the beginning of one not whole yet."""
    found: list[str] = []
    at = 0
    while at < len(typed):
        if (sequence := _SEQUENCE.match(typed, at)) is not None:
            numbers, letter = sequence.groups()
            name = _BY_NUMBER.get(numbers) if letter == "~" else _BY_LETTER.get(letter)
            name = "enter" if sequence[0] == _KEYPAD_ENTER else name
            found += [name] if name else []
            at = sequence.end()
        elif (begun := _BEGUN.match(typed, at)) is not None and begun.end() == len(typed):
            return found, typed[at:]
        else:
            # An Escape before another key is Alt, and that says nothing here.
            name = "" if typed[at] == _ESCAPE else _named(typed[at])
            found += [name] if name else []
            at += 1
    return found, ""


def _named(char: str) -> str:
    return _CONTROL.get(char) or (char if char.isprintable() else "")


if sys.platform != "win32":
    import termios

    _ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    _WORDS: Mapping[int, str] = {
        **dict.fromkeys(_ENDS, "interrupt"),
        signal.SIGWINCH: "resized",
        signal.SIGCONT: "resumed",
    }
    _CLOSED = 0
    """A byte that is no signal's."""

    def _leave_to_the_pipe(_number: int, _frame: FrameType | None) -> None:
        """Let the interpreter write the signal's number to the wakeup descriptor, and no more."""

    class UnixEars:
        """Hears a terminal, and the signals that are about it; to be entered by the main thread.

        Args:
            terminal: Its descriptor.
        """

        def __init__(self, terminal: int = _INPUT) -> None:
            self._terminal = terminal

        def __enter__(self) -> Self:
            """Begin."""
            self._before = termios.tcgetattr(self._terminal)
            self._ear, self._mouth = os.pipe()
            os.set_blocking(self._mouth, False)
            self._wakeup_before = signal.set_wakeup_fd(self._mouth, warn_on_full_buffer=False)
            self._handlers = {
                number: signal.signal(number, _leave_to_the_pipe) for number in _WORDS
            }
            self.begin_again()
            return self

        def begin_again(self) -> None:
            """See the protocol."""
            mode = termios.tcgetattr(self._terminal)
            mode[0] &= ~termios.IXON  # Ctrl+S would hold the list up
            mode[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, mode)

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            """Give the terminal back."""
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._wakeup_before)
            with suppress(BrokenPipeError):
                os.write(self._mouth, bytes([_CLOSED]))
            os.close(self._mouth)
            with suppress(termios.error):  # a terminal that is gone
                # Keys pressed too late are not for the shell.
                termios.tcsetattr(self._terminal, termios.TCSAFLUSH, self._before)

        def listen(self, hear: Callable[[str], None]) -> None:
            """See the protocol."""
            for word in self._words():
                hear(word)

        def _words(self) -> Iterator[str]:
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            begun = ""
            is_over = False
            while not is_over:
                waits_s = _ESCAPE_S if begun else None
                ready, _, _ = select.select([self._ear, self._terminal], [], [], waits_s)
                if not ready:
                    yield "escape"
                    begun = ""
                elif self._ear in ready:
                    numbers = os.read(self._ear, _READ_BYTES)
                    is_over = _CLOSED in numbers
                    yield from (_WORDS[one] for one in numbers if one in _WORDS)
                elif typed := self._read():
                    found, begun = keys(begun + decoder.decode(typed))
                    yield from found
                else:
                    is_over = True
                    yield "interrupt"
            os.close(self._ear)

        def _read(self) -> bytes:
            try:
                return os.read(self._terminal, _READ_BYTES)
            except OSError:
                return b""  # a terminal that is gone


# -- Windows --------------------------------------------------------------------------------------

_WINDOWS_PREFIXES = frozenset("\x00\xe0")
_BY_SCAN_CODE = {
    "H": "up", "P": "down", "I": "page_up", "Q": "page_down", "G": "home", "O": "end",
}  # fmt: skip


class WindowsEars:
    """Hears a console; it tells no new size, so the next key or message brings that.

    Args:
        getwch: ``msvcrt.getwch``.
    """

    def __init__(self, getwch: Callable[[], str]) -> None:
        self._getwch = getwch

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def begin_again(self) -> None:
        """See the protocol."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back."""

    def listen(self, hear: Callable[[str], None]) -> None:
        """See the protocol."""
        is_over = False
        while not is_over:
            char = self._getwch()
            if char in _WINDOWS_PREFIXES:
                name = _BY_SCAN_CODE.get(self._getwch(), "")
            elif char == _ESCAPE:
                name = "escape"
            else:
                name = _named(char)
            if name:
                hear(name)
            is_over = name == "interrupt"


def own_ears() -> Ears:
    """Return what hears this process's terminal."""
    if sys.platform == "win32":
        import msvcrt

        return WindowsEars(msvcrt.getwch)
    else:  # noqa: RET505 - mypy reads the other systems' code here
        return UnixEars()
