from __future__ import annotations

import io
import logging
import re
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters import logs
from mailtray.adapters.logs import configure_logs, redact

if TYPE_CHECKING:
    from pathlib import Path

OURS = logging.getLogger("mailtray.app.poller")
THEIRS = logging.getLogger("another.library")
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9"
GUID = "0a1b2c3d-0000-4000-8000-00000000abcd"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "mailtray.log"


def _written(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_record_is_one_line_with_time_level_thread_and_name(path: Path) -> None:
    with configure_logs(path, "info", verbose=False):
        OURS.info("Polled %d messages", 3)
    (line,) = _written(path)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO +MainThread ", line)
    assert line.endswith("mailtray.app.poller: Polled 3 messages")


@pytest.mark.parametrize(
    ("level", "kept"),
    [("error", ["e"]), ("warning", ["e", "w"]), ("info", ["e", "w", "i"]), ("debug", [*"ewid"])],
)
def test_the_level_counts_for_our_own_records(path: Path, level: str, kept: list[str]) -> None:
    with configure_logs(path, level, verbose=False):
        OURS.error("e")
        OURS.warning("w")
        OURS.info("i")
        OURS.debug("d")
    assert [line[-1] for line in _written(path)] == kept


def test_of_others_only_warnings_are_kept(path: Path) -> None:
    with configure_logs(path, "debug", verbose=False):
        THEIRS.info("sent a request")
        THEIRS.warning("odd answer")
    assert [line.rpartition(" ")[2] for line in _written(path)] == ["answer"]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are a Unix matter")
def test_the_file_is_for_its_owner_alone_and_bounded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_MAX_BYTES", 5_000)
    with configure_logs(path, "info", verbose=False):
        for n in range(500):
            OURS.info("Line %d of a long night", n)
    files = list(path.parent.iterdir())
    assert {file.name for file in files} == {"mailtray.log", "mailtray.log.1"}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert all(file.stat().st_size <= 5_000 for file in files)
    assert "Line 499" in _written(path)[-1]


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        pytest.param("x\r\n2026-01-01 forged", r"x\r\n2026-01-01 forged", id="a line break"),
        pytest.param("\x1b[31mred", r"\x1b[31mred", id="a terminal's colour"),
        pytest.param("a\u202eb", r"a\u202eb", id="a direction override"),
        pytest.param("a\u2028b", r"a\u2028b", id="a line separator"),
        pytest.param("half \ud83d", r"half \ud83d", id="half a surrogate pair"),
        pytest.param("Zoë \N{WAVING HAND SIGN}", "Zoë \N{WAVING HAND SIGN}", id="honest text"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(path: Path, hostile: str, shown: str) -> None:
    with configure_logs(path, "info", verbose=False):
        OURS.info("Got %s", hostile)
    (line,) = _written(path)
    assert line.endswith(f"Got {shown}")


def test_a_traceback_cannot_pass_for_records_and_loses_tokens(path: Path) -> None:
    with configure_logs(path, "info", verbose=False):
        error = ValueError(f"bad\n2026 INFO forged {TOKEN} https://x.test/?code=secret")
        OURS.error("A poll failed", exc_info=error)
    first, *rest = _written(path)
    assert first.endswith("A poll failed")
    assert all(line.startswith("| ") for line in rest)
    assert TOKEN not in "".join(rest)
    assert "secret" not in rest[-1]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param(f"Bearer {TOKEN}.{TOKEN}.sig", "Bearer ….….sig", id="a token"),
        pytest.param(
            "GET https://h.test/p?code=1&b=2 302", "GET https://h.test/p?… 302", id="query"
        ),
        pytest.param(f"correlation {GUID}", f"correlation {GUID}", id="a GUID stays"),
        pytest.param("/home/ada/.local/state/x", "/home/ada/.local/state/x", id="a path stays"),
    ],
)
def test_redact(text: str, kept: str) -> None:
    assert redact(text) == kept


def test_others_lose_tokens_and_queries(path: Path) -> None:
    with configure_logs(path, "info", verbose=False):
        THEIRS.warning("refused %s at https://x.test/a?b=c", TOKEN)
    assert _written(path)[0].endswith("refused … at https://x.test/a?…")


def test_verbose_tells_everything_on_the_stream_as_well(path: Path) -> None:
    stream = io.StringIO()
    with configure_logs(path, "warning", verbose=True, stream=stream):
        OURS.debug("detail")
    assert "detail" in stream.getvalue()
    assert _written(path) == []


def test_a_file_that_cannot_be_made_leaves_errors_to_the_stream(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    stream = io.StringIO()
    with configure_logs(tmp_path / "file" / "x.log", "info", verbose=False, stream=stream):
        OURS.info("small talk")
        OURS.error("trouble")
    assert stream.getvalue().count("\n") == 1
    assert "trouble" in stream.getvalue()


def test_a_stream_that_is_gone_is_no_trouble(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    with configure_logs(path, "info", verbose=True, stream=stream):
        stream.close()
        OURS.info("to the file alone")
    assert len(_written(path)) == 1
    assert capsys.readouterr().err == ""


def test_everything_is_undone_in_the_end(path: Path) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level, logging.getLogger("mailtray").level
    with configure_logs(path, "debug", verbose=True, stream=io.StringIO()):
        pass
    assert (list(root.handlers), root.level, logging.getLogger("mailtray").level) == before
