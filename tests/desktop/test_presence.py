"""What the desktop tells of the person, from stand-ins on real buses, and from dunst."""

from __future__ import annotations

from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.freedesktop_presence import SAVERS, FreedesktopPresence
from mailtray.core.peace import Presence
from tests.desktop.presence_services import (
    OTHER_PATH,
    Inhibiting,
    LogindSessions,
    ScreenSaver,
    Xfconf,
)
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailtray.adapters.desktop_loop import DesktopLoop
    from tests.desktop.rig import DesktopSession

pytestmark = pytest.mark.desktop

HERE, LOCKED, UNDISTURBED = Presence(), Presence(is_locked=True), Presence(is_do_not_disturb=True)
WAIT_S = 5.0


@pytest.fixture
def address(bare_bus: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> str:
    address = bare_bus.env["DBUS_SESSION_BUS_ADDRESS"]
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    return address


def into(told: SimpleQueue[Presence], loop: DesktopLoop) -> FreedesktopPresence:
    """Return what puts each presence in a queue once it is another."""
    presence = FreedesktopPresence(loop, lambda: told.put(presence.look()))
    return presence


@contextmanager
def listening(loop: DesktopLoop) -> Iterator[SimpleQueue[Presence]]:
    """Yield what is told, from the moment from which on everything is heard."""
    with both(loop) as (_, told):
        yield told


@contextmanager
def both(loop: DesktopLoop) -> Iterator[tuple[FreedesktopPresence, SimpleQueue[Presence]]]:
    """Yield who listens as well, for what is told on two buses has an order on each alone."""
    told: SimpleQueue[Presence] = SimpleQueue()
    presence = into(told, loop)
    presence.start()
    wait_until(lambda: presence._session.is_open and presence._system.is_open)
    wait_until(lambda: loop.call(_nothing_is_asked(presence), WAIT_S))
    yield presence, told
    presence.close()
    assert told.empty()


async def _nothing_is_asked(presence: FreedesktopPresence) -> bool:
    await presence._session.owner_of("test.Nobody")
    return not presence._asking


@pytest.mark.parametrize("name", SAVERS)
def test_a_screen_saver_tells_of_a_locked_screen(
    address: str, loop: DesktopLoop, name: str
) -> None:
    with ScreenSaver(address, name) as saver, listening(loop) as told:
        for is_locked, presence in ((True, LOCKED), (False, HERE)):
            saver.switch(to=is_locked)
            assert told.get(timeout=WAIT_S) == presence


def test_a_screen_that_is_locked_already_is_asked_for(address: str, loop: DesktopLoop) -> None:
    saver = ScreenSaver(address)
    saver.is_active = True
    with saver, listening(loop) as told:
        assert told.get(timeout=WAIT_S) == LOCKED
        saver.vanish()
        assert told.get(timeout=WAIT_S) == HERE
        saver.appear()
        assert told.get(timeout=WAIT_S) == LOCKED
        saver.switch(to=False)
        assert told.get(timeout=WAIT_S) == HERE


def test_logind_tells_of_the_persons_session_alone(address: str, loop: DesktopLoop) -> None:
    with LogindSessions(address) as logind, listening(loop) as told:
        logind.lock(OTHER_PATH)
        logind.lock()
        assert told.get(timeout=WAIT_S) == LOCKED
        logind.lock(OTHER_PATH, to=False)
        logind.lock(to=False)
        assert told.get(timeout=WAIT_S) == HERE
        logind.lock()
        assert told.get(timeout=WAIT_S) == LOCKED
        logind.vanish()
        assert told.get(timeout=WAIT_S) == HERE


def test_two_who_tell_of_one_lock_are_one(address: str, loop: DesktopLoop) -> None:
    with (
        LogindSessions(address) as logind,
        ScreenSaver(address) as saver,
        both(loop) as (presence, told),
    ):
        logind.lock()
        assert told.get(timeout=WAIT_S) == LOCKED
        saver.switch(to=True)
        wait_until(lambda: len(presence._locked) == 2)
        saver.switch(to=False)
        wait_until(lambda: len(presence._locked) == 1)
        logind.lock(to=False)
        assert told.get(timeout=WAIT_S) == HERE


def test_a_notification_server_tells_not_to_disturb(address: str, loop: DesktopLoop) -> None:
    with Inhibiting(address) as server, listening(loop) as told:
        server.switch(to=True)
        assert told.get(timeout=WAIT_S) == UNDISTURBED
        server.vanish()
        assert told.get(timeout=WAIT_S) == HERE
        server.appear()
        assert told.get(timeout=WAIT_S) == UNDISTURBED
        server.forget(now=False)
        assert told.get(timeout=WAIT_S) == HERE


def test_xfce_tells_not_to_disturb(address: str, loop: DesktopLoop) -> None:
    with (
        Xfconf(address) as settings,
        Inhibiting(address, "Xfce Notify Daemon") as server,
        listening(loop) as told,
    ):
        settings.switch(to=True)
        assert told.get(timeout=WAIT_S) == UNDISTURBED
        settings.switch(to=False)
        assert told.get(timeout=WAIT_S) == HERE
        settings.switch(to=True)
        assert told.get(timeout=WAIT_S) == UNDISTURBED
        server.vanish()
        assert told.get(timeout=WAIT_S) == HERE
        server.appear()
        assert told.get(timeout=WAIT_S) == UNDISTURBED
        settings.switch(to=None)
        assert told.get(timeout=WAIT_S) == HERE


def test_what_xfce_was_told_once_does_not_count_on_another_desktop(
    address: str, loop: DesktopLoop
) -> None:
    with Xfconf(address) as settings, Inhibiting(address) as server:
        settings.switch(to=True)
        with listening(loop) as told:
            server.switch(to=True)
            assert told.get(timeout=WAIT_S) == UNDISTURBED
            server.switch(to=False)
            assert told.get(timeout=WAIT_S) == HERE


def test_dunst_tells_that_it_is_paused(
    desktop: DesktopSession, loop: DesktopLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", desktop.env["DBUS_SYSTEM_BUS_ADDRESS"])
    with listening_to_session(loop) as told:
        for is_paused, presence in (("true", UNDISTURBED), ("false", HERE)):
            desktop.run("dunstctl", "set-paused", is_paused)
            assert told.get(timeout=WAIT_S) == presence


@contextmanager
def listening_to_session(loop: DesktopLoop) -> Iterator[SimpleQueue[Presence]]:
    """Yield what is told where there is no system bus."""
    told: SimpleQueue[Presence] = SimpleQueue()
    presence = into(told, loop)
    presence.start()
    wait_until(lambda: presence._session.is_open)
    wait_until(lambda: loop.call(_nothing_is_asked(presence), WAIT_S))
    yield told
    presence.close()


def test_without_any_bus_the_person_may_be_disturbed(
    no_bus: None, loop: DesktopLoop, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    del no_bus
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    told: SimpleQueue[Presence] = SimpleQueue()
    presence = into(told, loop)
    presence.start()
    presence.close()
    assert told.empty()


def test_a_bus_that_breaks_tells_nothing_more(address: str, loop: DesktopLoop) -> None:
    with ScreenSaver(address) as saver, LogindSessions(address) as logind:
        told: SimpleQueue[Presence] = SimpleQueue()
        presence = into(told, loop)
        presence.start()
        wait_until(lambda: presence._session.is_open and presence._system.is_open)
        wait_until(lambda: loop.call(_nothing_is_asked(presence), WAIT_S))
        saver.switch(to=True)
        logind.lock()
        assert told.get(timeout=WAIT_S) == LOCKED
        for bus in (presence._session, presence._system):
            vendor = bus._bus
            assert vendor is not None
            loop.post(vendor.disconnect)
        assert told.get(timeout=WAIT_S) == HERE
        presence.close()
