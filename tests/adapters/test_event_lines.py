from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from threading import Thread
from typing import TYPE_CHECKING

from mailtray.adapters import event_lines
from mailtray.adapters.event_lines import JsonLines, NoEvents

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

EVENT: Mapping[str, object] = {
    "event": "notification",
    "title": "Zoë \N{WAVING HAND SIGN} \u2028 \ud83d",
    "n": 1,
}


def test_an_event_is_one_line_of_compact_ascii() -> None:
    stream = io.StringIO()
    lines = JsonLines(stream)
    lines.emit(EVENT)
    lines.close()
    line = stream.getvalue()
    assert line.isascii()
    assert line.count("\n") == 1
    assert ", " not in line
    assert json.loads(line) == EVENT


def test_a_line_is_there_at_once() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as end, os.fdopen(writer, "w", encoding="utf-8") as stream:
        JsonLines(stream).emit({"event": "status"})
        assert end.readline() == b'{"event":"status"}\n'


def test_lines_of_many_threads_stay_whole() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as end:
        with os.fdopen(writer, "w", encoding="utf-8") as stream:
            lines = JsonLines(stream)
            threads = [
                Thread(target=lines.emit, args=({"n": n, "x": "y" * 3_000},)) for n in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
            lines.close()
        assert sorted(json.loads(line)["n"] for line in end) == list(range(8))


def test_a_reader_that_stalls_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_lines, "CLOSE_PATIENCE_S", 0.05)
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        lines = JsonLines(stream)
        with os.fdopen(reader, "rb"):
            lines.emit({"x": "y" * 1_000_000})  # more than a pipe holds
            for _ in range(event_lines.WAITING_MAX_LINES + 10):
                lines.emit({"event": "polled"})
            lines.close()
        lines._writer.join(10)  # type: ignore[union-attr] # it has written
    assert [record.message for record in caplog.records] == ["Nobody reads the events any more"]


def test_a_stream_that_is_closed_on_this_side() -> None:
    stream = io.StringIO()
    stream.close()
    lines = JsonLines(stream)
    lines.emit(EVENT)
    lines.emit(EVENT)
    lines.close()


_EMITTING = """
import sys
from mailtray.adapters.event_lines import JsonLines
lines = JsonLines(sys.stdout)
sys.stdin.read()
for n in range(3):
    lines.emit({"n": n})
lines.close()
print("still alive", file=sys.stderr)
"""


def test_a_closed_pipe_neither_ends_the_program_nor_spoils_its_end() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _EMITTING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=30)
    told = [line for line in errors.decode().splitlines() if "Nobody reads" not in line]
    assert (process.returncode, told) == (0, ["still alive"])


def test_where_nobody_listens() -> None:
    NoEvents().emit(EVENT)
