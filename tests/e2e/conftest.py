"""A simulator, a keyring and the real program between them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from mailtray.simulator import Simulator
from tests.desktop.rig import DesktopSession, missing_programs
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture(scope="session")
def keyring_session() -> Iterator[DesktopSession]:
    """A session bus with an unlocked keyring, and no screen."""
    if missing := missing_programs(["bus", "keyring"]):
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing: {missing}")
        pytest.skip(f"missing: {missing}")
    with DesktopSession(display=False) as session:
        yield session


@pytest.fixture
def start(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> Iterator[Callable[[str], Program]]:
    """Starts the program with a settings file, and no account."""
    with ExitStack() as running:

        def begin(settings: str) -> Program:
            home = tmp_path / "home"
            home.mkdir(mode=0o700)
            (home / "settings.toml").write_text(settings)
            return running.enter_context(Program(home, simulator.url, keyring_session.env))

        yield begin


@pytest.fixture
def program(
    simulator: Simulator, keyring_session: DesktopSession, tmp_path: Path
) -> Iterator[Program]:
    """The program, started, with a keyring and no account."""
    with Program(tmp_path / "home", simulator.url, keyring_session.env) as running:
        yield running
