"""Windows and macOS for a test: the platform's name, and what stands in for the platform."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import coverage
import pytest

from tests.platforms.macos import Macos
from tests.platforms.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Anew = Callable[[str], Any]


@pytest.fixture
def windows(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Windows]:
    del tmp_path  # pytest makes it as the system at hand does
    system = Windows(monkeypatch)
    _measure_as("win32", request)
    yield system
    _measure_as("")
    monkeypatch.undo()


@pytest.fixture
def macos(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Macos]:
    del tmp_path
    system = Macos(monkeypatch)
    _measure_as("darwin", request)
    yield system
    _measure_as("")
    monkeypatch.undo()


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Anew:
    """Return what imports a module as the platform has it, until the test is over."""

    def load(name: str) -> Any:  # noqa: ANN401 - a module
        package_name, _, last = name.rpartition(".")
        package = importlib.import_module(package_name)
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setattr(package, last, getattr(package, last, None), raising=False)
        module = importlib.import_module(name)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return load


def _measure_as(platform: str, request: pytest.FixtureRequest | None = None) -> None:
    """Tell who measures, if anybody does, which test runs lines on which platform from now on."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        function = "" if request is None else request.function.__name__
        measuring.switch_context(f"{platform} {function}".strip())
