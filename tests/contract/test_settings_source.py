"""The contract of ``SettingsSource``, for the fake and for settings in files."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from mailtray.adapters.settings_file import Home, SettingsWatch
from mailtray.core.errors import ConfigError
from mailtray.core.settings import INTERVAL_MIN_S, Settings
from tests.fakes.settings import FakeSettingsSource

if TYPE_CHECKING:
    from pathlib import Path

    from mailtray.ports import SettingsSource

BEGUN_WITH = Settings(interval_s=30.0)


class World(Protocol):
    """A source, and who writes to it.

    Attributes:
        source: Begins with ``BEGUN_WITH``.
    """

    @property
    def source(self) -> SettingsSource: ...
    def wish(self, interval_s: float) -> None: ...
    def mistake(self) -> None: ...


class FakeWorld:
    def __init__(self) -> None:
        self.source = FakeSettingsSource(BEGUN_WITH)

    def wish(self, interval_s: float) -> None:
        self.source.write(replace(BEGUN_WITH, interval_s=interval_s))

    def mistake(self) -> None:
        self.source.write(ConfigError(origin="it", key="interval_s", problem="wrong"))


class FileWorld:
    def __init__(self, home: Home) -> None:
        home.prepare()
        self.path = home.settings_path
        self._ticks = 0
        self.wish(30)
        self.source = SettingsWatch(home, {}, interval_min_s=INTERVAL_MIN_S)

    def wish(self, interval_s: float) -> None:
        self.write(f"interval_s = {interval_s}\n")

    def mistake(self) -> None:
        self.write("interval_s = 1\n")

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")
        # As after a moment: a file system's clock may tick more slowly than a test writes.
        self._ticks += 1
        os.utime(self.path, ns=(self._ticks, self._ticks))


@pytest.fixture(params=["fake", "file"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return FakeWorld() if request.param == "fake" else FileWorld(Home.at(tmp_path / "home"))


def test_nothing_changed(world: World) -> None:
    assert world.source.changed() is None
    assert world.source.changed() is None


def test_a_change_is_told_once(world: World) -> None:
    world.wish(40)
    assert world.source.changed() == replace(BEGUN_WITH, interval_s=40.0)
    assert world.source.changed() is None


def test_written_again_the_same_is_no_change(world: World) -> None:
    world.wish(30)
    assert world.source.changed() is None


def test_a_mistake_is_told_once_and_its_mending_too(world: World) -> None:
    world.mistake()
    assert isinstance(world.source.changed(), ConfigError)
    assert world.source.changed() is None
    world.wish(30)
    assert world.source.changed() == BEGUN_WITH
    assert world.source.changed() is None


def test_only_the_last_of_several_changes_counts(world: World) -> None:
    world.mistake()
    world.wish(50)
    found = world.source.changed()
    assert found == replace(BEGUN_WITH, interval_s=50.0)


# -- settings in files ---------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> FileWorld:
    return FileWorld(Home.at(tmp_path / "home"))


def test_a_file_that_is_taken_away_leaves_the_defaults(files: FileWorld) -> None:
    files.path.unlink()
    assert files.source.changed() == Settings()
    files.wish(40)
    assert files.source.changed() == replace(BEGUN_WITH, interval_s=40.0)


def test_another_file_put_in_its_place_is_seen(files: FileWorld) -> None:
    times = files.path.stat()
    beside = files.path.with_name("draft")
    beside.write_text("interval_s = 40\n", encoding="utf-8")
    os.utime(beside, ns=(times.st_atime_ns, times.st_mtime_ns))
    beside.replace(files.path)
    assert files.source.changed() == replace(BEGUN_WITH, interval_s=40.0)


def test_the_administrators_file_is_seen(tmp_path: Path) -> None:
    machine = tmp_path / "machine.toml"
    home = replace(Home.at(tmp_path / "home"), machine_settings_path=machine)
    source = FileWorld(home).source
    machine.write_text('locked = ["interval_s"]\n', encoding="utf-8")
    assert source.changed() == Settings()
    machine.write_text('locked = ["zzz"]\n', encoding="utf-8")
    found = source.changed()
    assert isinstance(found, ConfigError)
    assert found.origin == str(machine)


def test_a_file_that_did_not_change_is_not_read(files: FileWorld) -> None:
    times = files.path.stat()
    files.path.write_text("interval_s = 99\n".rjust(times.st_size), encoding="utf-8")
    os.utime(files.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    is_same = files.path.stat().st_size == times.st_size
    assert (files.source.changed() is None) is is_same
