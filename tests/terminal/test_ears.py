"""What a terminal tells, and how it is left."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from mailtray.terminal.ears import WindowsEars, keys

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 10.0


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("jk?", ["j", "k", "?"]),
        ("\x1b[A\x1b[B", ["up", "down"]),
        ("\x1bOA\x1bOB\x1bOM", ["up", "down", "enter"]),
        ("\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~", ["home", "end"] * 3),
        ("\x1b[5~\x1b[6~", ["page_up", "page_down"]),
        ("\r\n", ["enter", "enter"]),
        ("\x03", ["interrupt"]),
        ("é日", ["é", "日"]),
        pytest.param("\x1b[1;5A", ["up"], id="with Ctrl"),
        pytest.param("\x1b[3~\x1b[15~\x1b[Z", [], id="keys of no meaning"),
        pytest.param("\x1b[<0;3;4M\x1b[200~", [], id="mouse and paste"),
        pytest.param("\x1bd", ["d"], id="with Alt"),
        pytest.param("\x00\x01\x1a\t", [], id="other control characters"),
    ],
)
def test_keys(typed: str, found: list[str]) -> None:
    assert keys(typed) == (found, "")


@pytest.mark.parametrize("whole", ["\x1b[A", "\x1bOB", "\x1b[15~", "\x1b[1;5A"])
def test_a_key_that_comes_in_pieces(whole: str) -> None:
    for at in range(1, len(whole)):
        found, begun = keys(f"j{whole[:at]}")
        assert (found, begun) == (["j"], whole[:at])
        assert keys(begun + whole[at:]) == keys(whole)


def test_a_windows_console() -> None:
    typed = iter("j\xe0H\x00P\xe0Sé\r\x1b\t\x03never")
    heard: list[str] = []
    with WindowsEars(lambda: next(typed)) as ears:
        ears.listen(heard.append)
    assert heard == ["j", "up", "down", "é", "enter", "escape", "interrupt"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals")
class TestUnix:
    @pytest.fixture
    def terminal(self) -> Iterator[tuple[int, int]]:
        import pty

        ours, theirs = pty.openpty()
        yield ours, theirs
        for one in (ours, theirs):
            try:
                os.close(one)
            except OSError:
                continue

    @contextmanager
    def heard(self, terminal: int) -> Iterator[SimpleQueue[str]]:
        from mailtray.terminal.ears import UnixEars

        words: SimpleQueue[str] = SimpleQueue()
        ears = UnixEars(terminal)
        thread = Thread(target=ears.listen, args=(words.put,))
        try:
            with ears:
                thread.start()
                yield words
        finally:
            thread.join(PATIENCE_S)
        assert not thread.is_alive()

    def test_keys_come_one_by_one_and_the_terminal_is_left_as_it_was(
        self, terminal: tuple[int, int]
    ) -> None:
        import termios

        ours, theirs = terminal
        before = termios.tcgetattr(theirs)
        with self.heard(theirs) as words:
            assert termios.tcgetattr(theirs) != before
            os.write(ours, b"j\x1b[")
            assert words.get(timeout=PATIENCE_S) == "j"
            os.write(ours, b"A\xc3")
            assert words.get(timeout=PATIENCE_S) == "up"
            os.write(ours, b"\xa9\x1b")
            assert words.get(timeout=PATIENCE_S) == "é"
            assert words.get(timeout=PATIENCE_S) == "escape"
            os.write(ours, b"\x03\x13q")
            assert [words.get(timeout=PATIENCE_S) for _ in range(2)] == ["interrupt", "q"]
        assert termios.tcgetattr(theirs) == before

    def test_it_is_left_as_it_was_after_a_fault_as_well(self, terminal: tuple[int, int]) -> None:
        import termios

        before = termios.tcgetattr(terminal[1])
        handler = signal.getsignal(signal.SIGTERM)
        with pytest.raises(ZeroDivisionError), self.heard(terminal[1]):
            raise ZeroDivisionError
        assert termios.tcgetattr(terminal[1]) == before
        assert signal.getsignal(signal.SIGTERM) is handler

    @pytest.mark.parametrize(
        ("name", "word"),
        [
            ("SIGTERM", "interrupt"),
            ("SIGHUP", "interrupt"),
            ("SIGINT", "interrupt"),
            ("SIGWINCH", "resized"),
            ("SIGCONT", "resumed"),
        ],
    )
    def test_signals(self, terminal: tuple[int, int], name: str, word: str) -> None:
        with self.heard(terminal[1]) as words:
            signal.raise_signal(getattr(signal, name))
            assert words.get(timeout=PATIENCE_S) == word

    def test_a_terminal_that_goes_away_is_the_end(self, terminal: tuple[int, int]) -> None:
        ours, theirs = terminal
        with self.heard(theirs) as words:
            os.close(ours)
            assert words.get(timeout=PATIENCE_S) == "interrupt"
