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
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    del tmp_path  # pytest makes it as the system at hand does
    system = Windows(monkeypatch)
    _measure_as("win32")
    yield system
    _measure_as("")
    monkeypatch.undo()


@pytest.fixture
def macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Macos]:
    del tmp_path
    system = Macos(monkeypatch)
    _measure_as("darwin")
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


def _measure_as(platform: str) -> None:
    """Tell who measures, if anybody does, on which platform lines are run from now on."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.switch_context(platform)
