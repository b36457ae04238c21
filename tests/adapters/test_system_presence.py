"""Windows and macOS, asked about the person, by stand-ins for their functions."""

from __future__ import annotations

import ctypes
import importlib
import sys
from types import SimpleNamespace
from typing import Any, Protocol

import pytest

from mailtray.adapters.macos_presence import MacosPresence
from mailtray.adapters.no_presence import NoPresence
from mailtray.adapters.windows_presence import SessionInfo, WindowsPresence
from mailtray.core.peace import Presence

HERE, LOCKED, UNDISTURBED = Presence(), Presence(is_locked=True), Presence(is_do_not_disturb=True)
LOCK, UNLOCK, UNKNOWN = 0, 1, -1
ACCEPTS = 5


class ByReference(Protocol):
    """What ``ctypes.byref`` returns."""

    _obj: Any


class Windows:
    """The two libraries; their memory is counted.

    Attributes:
        state: What ``SHQueryUserNotificationState`` answers; negative where it fails.
        flags: ``SessionFlags``, or ``None`` where the session is not told of.
        level: Which form the session's description has.
        size_bytes: How much of the description is said to be there.
    """

    def __init__(self) -> None:
        self.state, self.level = ACCEPTS, 1
        self.flags: int | None = UNLOCK
        self.size_bytes = ctypes.sizeof(SessionInfo)
        self.lent: list[SessionInfo] = []

    def library(self, name: str) -> SimpleNamespace:
        if name == "shell32":
            return SimpleNamespace(SHQueryUserNotificationState=self._query_state)
        assert name == "wtsapi32"
        return SimpleNamespace(
            WTSQuerySessionInformationW=self._query_session, WTSFreeMemory=self._free
        )

    def _query_state(self, state: ByReference) -> int:
        if self.state < 0:
            return self.state
        state._obj.value = self.state
        return 0

    def _query_session(
        self,
        server: object,
        session: ctypes.c_uint32,
        kind: int,
        buffer: ByReference,
        size: ByReference,
    ) -> int:
        assert (server, session.value, kind) == (None, 0xFFFF_FFFF, 25)
        if self.flags is None:
            return 0
        info = SessionInfo(level=self.level, session=2, state=0, flags=self.flags)
        self.lent.append(info)
        buffer._obj.value, size._obj.value = ctypes.addressof(info), self.size_bytes
        return 1

    def _free(self, buffer: ctypes.c_void_p) -> None:
        self.lent = [info for info in self.lent if ctypes.addressof(info) != buffer.value]


@pytest.fixture
def windows() -> Windows:
    return Windows()


@pytest.mark.parametrize(
    ("state", "presence"),
    [
        pytest.param(1, LOCKED, id="not present"),
        pytest.param(2, UNDISTURBED, id="full screen"),
        pytest.param(3, UNDISTURBED, id="game"),
        pytest.param(4, UNDISTURBED, id="presentation"),
        pytest.param(5, HERE, id="accepts notifications"),
        pytest.param(6, UNDISTURBED, id="quiet time"),
        pytest.param(7, HERE, id="app or start menu"),
        pytest.param(99, HERE, id="of a later Windows"),
        pytest.param(-2147467259, HERE, id="it fails"),
    ],
)
def test_windows_tells_what_its_person_does(
    windows: Windows, state: int, presence: Presence
) -> None:
    windows.state = state
    assert WindowsPresence(windows.library).look() == presence
    assert windows.lent == []


@pytest.mark.parametrize("state", [1, 2, 5, -1])
def test_a_locked_windows_is_locked_whatever_else_it_tells(windows: Windows, state: int) -> None:
    windows.state, windows.flags = state, LOCK
    assert WindowsPresence(windows.library).look() == LOCKED
    assert windows.lent == []


def test_a_session_that_does_not_tell_is_not_locked(windows: Windows) -> None:
    presence = WindowsPresence(windows.library)
    for windows.flags in (None, UNLOCK, UNKNOWN):
        assert presence.look() == HERE
    windows.flags = LOCK
    assert presence.look() == LOCKED
    windows.level = 2
    assert presence.look() == HERE
    windows.level, windows.size_bytes = 1, 8
    assert presence.look() == HERE
    assert windows.lent == []


def test_a_windows_without_these_functions_may_be_disturbed() -> None:
    assert WindowsPresence(lambda _: SimpleNamespace()).look() == HERE


@pytest.mark.skipif(sys.platform == "win32", reason="it has the libraries")
def test_no_windows_at_all() -> None:
    assert WindowsPresence().look() == HERE


@pytest.mark.parametrize(
    ("session", "presence"),
    [
        pytest.param({"CGSSessionScreenIsLocked": True}, LOCKED, id="locked"),
        pytest.param({"CGSSessionScreenIsLocked": 1}, LOCKED, id="locked, as a number"),
        pytest.param({"CGSSessionScreenIsLocked": False}, HERE, id="unlocked"),
        pytest.param({"kCGSSessionOnConsoleKey": True}, HERE, id="never locked"),
        pytest.param(None, HERE, id="no session"),
    ],
)
def test_macos_tells_of_a_locked_screen(
    session: dict[str, object] | None, presence: Presence
) -> None:
    def module(name: str) -> object:
        assert name == "Quartz"
        return SimpleNamespace(CGSessionCopyCurrentDictionary=lambda: session)

    assert MacosPresence(module).look() == presence


def test_macos_without_its_framework_may_be_disturbed() -> None:
    assert MacosPresence(lambda _: importlib.import_module("no.such.framework")).look() == HERE
    assert MacosPresence(lambda _: SimpleNamespace()).look() == HERE


def test_where_nothing_tells_the_person_may_be_disturbed() -> None:
    assert NoPresence().look() == HERE
