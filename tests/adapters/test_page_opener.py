"""Pages in processes of their own, started for real."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.no_pages import NoPages
from mailtray.adapters.page_opener import PageOpener
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGE = """
import os, pathlib, sys, time
note = pathlib.Path(sys.argv[1]) / str(os.getpid())
print("a secret address")
print("a warning", file=sys.stderr, flush=True)
note.with_suffix(".new").write_text(" ".join(sys.argv[2:]))
note.with_suffix(".new").rename(note)
if "brief" not in sys.argv:
    while True:
        time.sleep(60)
"""


@pytest.fixture
def started(tmp_path: Path) -> Callable[[int], list[str]]:
    """Wait until so many processes were ever started; returns their words, in any order."""

    def wait(how_many: int) -> list[str]:
        def found() -> list[Path]:
            return [path for path in tmp_path.iterdir() if path.name.isdecimal()]

        wait_until(lambda: len(found()) == how_many, 20.0)
        return [path.read_text() for path in found()]

    return wait


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[PageOpener]:
    program = (sys.executable, "-c", PAGE, str(tmp_path))
    opener = PageOpener(["--home", "a folder; rm -rf x"], program)
    yield opener
    opener.close()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def processes(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]


def test_a_page_gets_its_name_and_the_options_word_by_word(
    opener: PageOpener, started: Callable[[int], list[str]]
) -> None:
    opener.open("doctor")
    assert started(1) == ["open doctor --home a folder; rm -rf x"]


def test_a_page_takes_the_place_of_one_of_its_kind_and_of_no_other(
    opener: PageOpener, started: Callable[[int], list[str]], tmp_path: Path
) -> None:
    opener.open("doctor")
    started(1)
    (first,) = processes(tmp_path)
    opener.open("messages")
    started(2)
    opener.open("doctor")
    started(3)
    wait_until(lambda: not is_alive(first), 10.0)
    assert [is_alive(one) for one in processes(tmp_path)].count(True) == 2


def test_all_pages_end_with_the_program(
    opener: PageOpener, started: Callable[[int], list[str]], tmp_path: Path
) -> None:
    opener.open("doctor")
    opener.open("messages")
    started(2)
    opener.close()
    wait_until(lambda: not any(map(is_alive, processes(tmp_path))), 10.0)


def test_what_a_page_complains_of_is_logged_and_its_address_is_not(
    opener: PageOpener, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        opener.open("brief")
        wait_until(lambda: "The page brief ended with 0" in caplog.text, 20.0)
    assert "The page brief says: a warning" in caplog.text
    assert "secret" not in caplog.text


def test_a_program_that_is_gone_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    PageOpener([], [str(tmp_path / "gone")]).open("doctor")
    assert "The page doctor cannot be opened: No such file or directory" in caplog.text


def test_no_pages_does_nothing() -> None:
    NoPages().open("doctor")
    NoPages().close()
