"""Notifications over a real bus, to a server with every bad habit."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters import freedesktop_notifier
from mailtray.adapters.desktop_notifier import DesktopNotifierNotifier
from mailtray.adapters.freedesktop_notifier import FreedesktopNotifier
from mailtray.adapters.icons import app_icon_path
from mailtray.core.errors import NotifierError
from mailtray.core.model import Button, Manner, Notification, Urgency
from tests.contract.test_notifier import (
    MARKUP,
    Click,
    NotifierContract,
    Stage,
    about,
    into,
    with_buttons,
)
from tests.desktop.rig import DesktopSession, wait_until
from tests.desktop.services import NotificationServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailtray.adapters.desktop_loop import DesktopLoop
    from mailtray.ports import Notifier

pytestmark = pytest.mark.desktop


@pytest.fixture
def server(bare_bus: DesktopSession) -> Iterator[NotificationServer]:
    with NotificationServer(bare_bus.env["DBUS_SESSION_BUS_ADDRESS"]) as server:
        yield server


class ServerStage:
    can_take_back = True
    can_click = True

    def __init__(self, notifier: Notifier, server: NotificationServer) -> None:
        self.notifier = notifier
        self.server = server
        self.clicked: list[Click] = []

    def read(self) -> list[tuple[str, str]]:
        # Withdrawals do not wait for the server; one that is asked after them has done them.
        settled = self.server.read()
        for _ in range(5):
            threading.Event().wait(0.02)
            before, settled = settled, self.server.read()
            if before == settled:
                break
        return settled

    def click(self, title: str) -> None:
        self.server.click(title)
        wait_until(lambda: self.clicked)

    def reach(self, title: str, command: str) -> Callable[[], None]:
        return partial(self.server.press, self.server.number_of(title), command)

    def came_back(self, count: int) -> list[Click]:
        wait_until(lambda: len(self.clicked) >= count)
        return self.clicked

    def break_down(self) -> None:
        self.server.vanish()
        self.server.on_screen.clear()

    def mend(self) -> None:
        self.server.appear()


class TestFreedesktopNotifier(NotifierContract):
    @pytest.fixture
    def stage(self, server: NotificationServer, loop: DesktopLoop) -> Iterator[Stage]:
        clicked: list[Click] = []
        self.played: list[str] = []
        notifier = FreedesktopNotifier(
            loop, into(clicked), icon=app_icon_path(), play=self.played.append
        )
        stage = ServerStage(notifier, server)
        stage.clicked = clicked
        yield stage
        notifier.close()

    @pytest.mark.parametrize(
        "capabilities",
        [
            pytest.param(("body",), id="plain"),
            pytest.param(("body", "body-markup", "body-hyperlinks", "body-images"), id="markup"),
            pytest.param((), id="none at all"),
        ],
    )
    def test_capabilities_are_asked_of_each_server_anew(
        self, stage: ServerStage, capabilities: tuple[str, ...]
    ) -> None:
        stage.notifier.show(about("a", "R&D <Team>", MARKUP))
        stage.server.restart(capabilities=capabilities)
        stage.notifier.show(about("b", "R&D <Team>", MARKUP))
        assert stage.read() == [("R&D <Team>", MARKUP)]
        (shown,) = stage.server.on_screen.values()
        assert (shown.body == MARKUP) == ("body-markup" not in capabilities)
        assert shown.actions == []

    def test_has_our_picture_and_says_what_it_is(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a"))
        (shown,) = stage.server.on_screen.values()
        assert shown.icon == app_icon_path().as_uri()
        assert shown.hints == {
            "urgency": 1,
            "desktop-entry": "mailtray",
            "category": "email.arrived",
        }
        assert shown.actions[0] == "default"

    def test_one_about_the_program_is_no_mail_and_opens_nothing(self, stage: ServerStage) -> None:
        stage.notifier.show(Notification("hint", "mailtray", "needs a client id"))
        (shown,) = stage.server.on_screen.values()
        assert "category" not in shown.hints
        assert shown.actions == []

    def test_buttons_follow_the_click_on_the_notification_itself(self, stage: ServerStage) -> None:
        stage.notifier.show(with_buttons("a"))
        stage.notifier.show(Notification("b", "Ben", "", buttons=(Button("undo", "Undo"),)))
        actions = [shown.actions for shown in stage.server.on_screen.values()]
        buttons = ["mark_read", "Mark as read", "move archive", "Archive"]
        assert actions == [["default", "Open", *buttons], ["undo", "Undo"]]

    @pytest.mark.parametrize(
        ("command", "label"),
        [("sign_in", "Sign in"), ("check_now", "Check now"), ("explain", "Show")],
    )
    def test_a_click_drawn_as_a_button_says_what_it_does(
        self, stage: ServerStage, command: str, label: str
    ) -> None:
        stage.notifier.show(Notification("a", "Signed out", "Sign in again.", command=command))
        (shown,) = stage.server.on_screen.values()
        assert shown.actions == ["default", label]

    def test_a_server_without_buttons_is_asked_for_none(self, stage: ServerStage) -> None:
        stage.server.restart(capabilities=("body",))
        stage.notifier.show(with_buttons("a"))
        (shown,) = stage.server.on_screen.values()
        assert shown.actions == []

    @pytest.mark.parametrize(
        ("manner", "with_sound", "without"),
        [
            pytest.param(
                Manner(), {"sound-name": "message-new-email"}, {}, id="as the desktop likes"
            ),
            pytest.param(
                Manner("none"), {"suppress-sound": True}, {"suppress-sound": True}, id="silent"
            ),
            pytest.param(
                Manner("/sounds/ping.wav"), {"sound-file": "/sounds/ping.wav"}, {}, id="file"
            ),
        ],
    )
    def test_the_sound_is_the_servers_where_it_has_one(
        self,
        stage: ServerStage,
        manner: Manner,
        with_sound: dict[str, object],
        without: dict[str, object],
    ) -> None:
        for capabilities, expected in ((("body", "sound"), with_sound), (("body",), without)):
            stage.server.restart(capabilities=capabilities)
            stage.notifier.show(replace(about("a"), manner=manner))
            (shown,) = stage.server.on_screen.values()
            assert {name: shown.hints[name] for name in shown.hints if "sound" in name} == expected
        assert self.played == ([manner.sound_file] if manner.sound_file else [])

    def test_what_is_not_shown_makes_no_sound(self, stage: ServerStage) -> None:
        stage.server.restart(capabilities=("body",))
        stage.server.refusal = "org.freedesktop.DBus.Error.Failed"
        with pytest.raises(NotifierError):
            stage.notifier.show(replace(about("a"), manner=Manner("/sounds/ping.wav")))
        assert self.played == []

    @pytest.mark.parametrize("urgency", Urgency)
    @pytest.mark.parametrize("stays", [True, False])
    def test_urgency_and_how_long(self, stage: ServerStage, urgency: Urgency, stays: bool) -> None:
        stage.notifier.show(replace(about("a"), manner=Manner(urgency=urgency, stays=stays)))
        (shown,) = stage.server.on_screen.values()
        assert shown.hints["urgency"] == urgency
        assert shown.expires_ms == (0 if stays else -1)

    def test_a_withdrawn_one_cannot_be_pressed_in_the_list_of_old_ones(
        self, stage: ServerStage
    ) -> None:
        stage.notifier.show(with_buttons("a", "Ann"))
        stage.notifier.show(with_buttons("b", "Ben"))
        stage.server.close(1, reason=1)
        stage.read()
        stage.notifier.withdraw(["a"])
        stage.read()
        stage.server.act(1, "mark_read")
        stage.reach("Ben", "mark_read")()
        assert [clicked.tag for clicked, _ in stage.came_back(1)] == ["b"]

    def test_one_whose_button_was_pressed_is_closed(self, stage: ServerStage) -> None:
        stage.notifier.show(with_buttons("a", "Ann"))
        stage.server.act(1, "mark_read")
        assert len(stage.came_back(1)) == 1
        assert stage.read() == []
        stage.notifier.show(with_buttons("a", "Ann again"))
        assert stage.read() == [("Ann again", "Hello")]

    def test_clicks_on_other_programs_notifications_are_ignored(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.server.act(4242)
        stage.server.close(4242, reason=2)
        stage.server.act(1, "some other action")
        stage.click("Ann")
        assert [clicked.tag for clicked, _ in stage.clicked] == ["a"]

    def test_a_click_told_after_the_close_still_counts(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.server.close(1, reason=2)
        stage.server.act(1)
        wait_until(lambda: stage.clicked)

    def test_an_expired_one_can_be_clicked_in_the_list_of_old_ones(
        self, stage: ServerStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(freedesktop_notifier, "LATE_CLICK_S", 0.0)
        stage.notifier.show(about("a", "Ann"))
        stage.notifier.show(about("b", "Ben"))
        stage.server.close(1, reason=1)
        stage.server.close(2, reason=2)
        stage.read()
        stage.server.act(2)
        stage.server.act(1)
        wait_until(lambda: stage.clicked)
        assert [clicked.tag for clicked, _ in stage.clicked] == ["a"]

    def test_an_id_given_again_by_a_new_server_opens_nothing_old(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.server.restart()
        stage.server.act(1)
        stage.notifier.show(about("b", "Ben"))
        assert stage.read() == [("Ben", "Hello")]
        stage.click("Ben")
        assert [clicked.tag for clicked, _ in stage.clicked] == ["b"]

    def test_a_new_server_is_never_asked_to_replace_an_old_id(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.server.restart()
        stage.notifier.show(about("b", "Ben"))
        stage.notifier.show(about("a", "Ann again"))
        stage.notifier.withdraw(["a"])
        assert stage.read() == [("Ben", "Hello")]

    def test_signals_of_strangers_are_no_clicks(
        self, stage: ServerStage, bare_bus: DesktopSession
    ) -> None:
        stage.notifier.show(about("a", "Ann"))
        bare_bus.run(
            "dbus-send",
            f"--bus={bare_bus.env['DBUS_SESSION_BUS_ADDRESS']}",
            "--type=signal",
            "/org/freedesktop/Notifications",
            "org.freedesktop.Notifications.ActionInvoked",
            "uint32:1",
            "string:default",
        )
        stage.read()
        assert stage.clicked == []

    def test_a_server_that_refuses(self, stage: ServerStage) -> None:
        stage.server.refusal = "org.freedesktop.DBus.Error.ServiceUnknown"
        with pytest.raises(NotifierError):
            stage.notifier.show(about("a", "Lost"))
        stage.server.refusal = ""
        stage.notifier.show(about("b", "Ben"))
        assert stage.read() == [("Ben", "Hello")]

    def test_many_stay_bounded(self, stage: ServerStage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(freedesktop_notifier, "KEPT_IDS", 3)
        for number in range(6):
            stage.notifier.show(about(str(number), f"Ann {number}"))
        stage.notifier.withdraw(["5", "0"])
        assert [title for title, _ in stage.read()] == [f"Ann {n}" for n in range(5)]


class TestASilentServer:
    @pytest.fixture
    def stage(
        self, server: NotificationServer, loop: DesktopLoop, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[ServerStage]:
        monkeypatch.setattr(freedesktop_notifier, "SHOW_TIMEOUT_S", 0.3)
        self.available: list[bool] = []
        notifier = FreedesktopNotifier(
            loop,
            lambda *_: None,
            icon=app_icon_path(),
            on_available=lambda: self.available.append(True),
        )
        server.is_silent = True
        yield ServerStage(notifier, server)
        server.speak()
        notifier.close()

    def test_is_given_up_as_unknown(self, stage: ServerStage) -> None:
        with pytest.raises(NotifierError) as caught:
            stage.notifier.show(about("a"))
        assert isinstance(caught.value.__cause__, TimeoutError)

    def test_what_it_shows_late_is_closed_and_can_be_shown_again(self, stage: ServerStage) -> None:
        for _ in range(3):
            with pytest.raises(NotifierError):
                stage.notifier.show(about("a", "Ann"))
        assert stage.server.asked == 1
        stage.server.speak()
        wait_until(lambda: self.available)
        stage.notifier.show(about("a", "Ann"))
        assert stage.read() == [("Ann", "Hello")]

    def test_one_that_is_replaced_is_not_waited_for(self, stage: ServerStage) -> None:
        with pytest.raises(NotifierError):
            stage.notifier.show(about("a", "Ann"))
        stage.server.is_silent = False
        stage.server.restart()
        wait_until(lambda: self.available)
        stage.notifier.show(about("a", "Ann"))
        assert stage.read() == [("Ann", "Hello")]


class TestComingAndGoing:
    @pytest.mark.usefixtures("no_bus")
    def test_no_bus(self, loop: DesktopLoop) -> None:
        notifier = FreedesktopNotifier(loop, lambda *_: None, icon=app_icon_path())
        with pytest.raises(NotifierError, match="bus"):
            notifier.show(about("a"))
        notifier.withdraw(["a"])
        notifier.close()

    @pytest.mark.usefixtures("no_bus")
    @pytest.mark.parametrize("address", ["", "nonsense", "tcp:host=localhost", "unix:path=/"])
    def test_an_address_that_leads_nowhere(
        self, monkeypatch: pytest.MonkeyPatch, loop: DesktopLoop, address: str
    ) -> None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        monkeypatch.delenv("HOME", raising=False)
        notifier = FreedesktopNotifier(loop, lambda *_: None, icon=app_icon_path())
        with pytest.raises(NotifierError, match="bus"):
            notifier.show(about("a"))
        notifier.close()

    @pytest.mark.usefixtures("bare_bus")
    def test_no_server(self, loop: DesktopLoop) -> None:
        notifier = FreedesktopNotifier(loop, lambda *_: None, icon=app_icon_path())
        with pytest.raises(NotifierError, match="no notification server"):
            notifier.show(about("a"))
        notifier.close()

    def test_a_server_that_starts_late_is_told_of(
        self, bare_bus: DesktopSession, loop: DesktopLoop
    ) -> None:
        available = threading.Event()
        notifier = FreedesktopNotifier(
            loop, lambda *_: None, icon=app_icon_path(), on_available=available.set
        )
        with pytest.raises(NotifierError):
            notifier.show(about("a"))
        with NotificationServer(bare_bus.env["DBUS_SESSION_BUS_ADDRESS"]) as server:
            assert available.wait(5)
            notifier.show(about("a", "Ann"))
            assert server.read() == [("Ann", "Hello")]
            notifier.close()

    @pytest.mark.usefixtures("no_bus")
    def test_a_bus_that_comes_later(
        self, monkeypatch: pytest.MonkeyPatch, loop: DesktopLoop
    ) -> None:
        notifier = FreedesktopNotifier(loop, lambda *_: None, icon=app_icon_path())
        with pytest.raises(NotifierError):
            notifier.show(about("a"))
        parts = {"keyring": None, "notify": False, "tray": False, "display": False}
        for _ in range(2):
            with DesktopSession(**parts) as session:  # type: ignore[arg-type]  # all are flags
                address = session.env["DBUS_SESSION_BUS_ADDRESS"]
                monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
                with NotificationServer(address) as server:
                    notifier.show(about("a", "Ann"))
                    assert server.read() == [("Ann", "Hello")]
            # The bus is gone, without a word.
            with pytest.raises(NotifierError):
                notifier.show(about("b"))
        notifier.close()


class TestDesktopNotifierPackage:
    """The package itself, in whose place FreedesktopNotifier stands only on Linux."""

    @pytest.fixture
    def stage(self, server: NotificationServer, loop: DesktopLoop) -> Iterator[ServerStage]:
        clicked: list[Click] = []
        notifier = DesktopNotifierNotifier(loop, into(clicked), icon=app_icon_path())
        stage = ServerStage(notifier, server)
        stage.clicked = clicked
        yield stage
        # On Linux the package has a connection and no way to close it.
        bus = getattr(getattr(notifier._vendor, "_backend", None), "bus", None)
        if bus is not None:
            loop.post(bus.disconnect)
            # "connected" is over with the wish; the socket is closed a round of the loop later.
            wait_until(lambda: bus._disconnected)

    def test_shows_with_our_picture(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        (shown,) = stage.server.on_screen.values()
        assert (shown.title, shown.body) == ("Ann", "Hello")
        assert shown.icon == app_icon_path().as_uri()

    def test_a_click_tells_which(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.notifier.show(about("b", "Ben"))
        stage.click("Ann")
        assert [clicked.tag for clicked, _ in stage.clicked] == ["a"]

    def test_a_pressed_button_tells_which(self, stage: ServerStage) -> None:
        ann, ben, cid = (with_buttons(name[0].lower(), name) for name in ("Ann", "Ben", "Cid"))
        for notification in (ann, ben, cid):
            stage.notifier.show(notification)
        late = stage.reach("Ann", "mark_read")
        stage.notifier.withdraw(["a"])
        assert [title for title, _ in stage.read()] == ["Ben", "Cid"]
        late()
        stage.reach("Ben", "unknown")()
        stage.reach("Cid", "move archive")()
        assert stage.came_back(1) == [(cid, "move archive")]

    def test_replaces_and_withdraws(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.notifier.show(about("a", "Ann again"))
        assert stage.read() == [("Ann again", "Hello")]
        stage.notifier.withdraw(["a", "unknown"])
        assert stage.read() == []

    def test_a_failure_it_only_logs_is_an_error(self, stage: ServerStage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.server.refusal = "org.freedesktop.DBus.Error.Failed"
        with pytest.raises(NotifierError):
            stage.notifier.show(about("b", "Ben"))
