"""desktop-notifier where the system refuses notifications."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import desktop_notifier
import pytest
from desktop_notifier import DEFAULT_SOUND, Capability, Icon, Sound

from mailtray.adapters import desktop_notifier as adapter
from mailtray.adapters.desktop_loop import DesktopLoop
from mailtray.adapters.desktop_notifier import DesktopNotifierNotifier
from mailtray.adapters.icons import app_icon_path
from mailtray.core.errors import NotifierError
from mailtray.core.model import Manner, Urgency
from tests.contract.test_notifier import Click, about, into, with_buttons
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailtray.ports import Notifier


class Package:
    """The package's notifier on a system in a mood.

    Attributes:
        error: What its constructor raises, or ``None``.
    """

    error: Exception | None = None
    capabilities = frozenset({Capability.TITLE})
    is_allowed = True
    is_taken = True
    hangs: asyncio.Event | None = None
    shown: list[desktop_notifier.Notification]
    cleared: list[str]
    on_clicked: Callable[[str], None]
    on_button_pressed: Callable[[str, str], None]
    made: Package

    def __init__(self, app_name: str, app_icon: Icon) -> None:
        if self.error is not None:
            raise self.error
        type(self).made = self
        assert app_name == "mailtray"
        assert app_icon.path == app_icon_path()

    async def get_capabilities(self) -> frozenset[Capability]:
        return self.capabilities

    async def request_authorisation(self) -> bool:
        return self.is_allowed

    async def send_notification(self, notification: desktop_notifier.Notification) -> str:
        if self.hangs is not None:
            await self.hangs.wait()
        self.shown.append(notification)
        assert notification.on_dispatched is not None
        if self.is_taken:
            notification.on_dispatched()
        return notification.identifier

    async def clear(self, identifier: str) -> None:
        self.cleared.append(identifier)
        raise KeyError(identifier)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> type[Package]:
    fresh = type("Fresh", (Package,), {"shown": [], "cleared": []})
    monkeypatch.setattr(desktop_notifier, "DesktopNotifier", fresh)
    return fresh


@pytest.fixture
def notifier() -> Iterator[DesktopNotifierNotifier]:
    loop = DesktopLoop()
    yield DesktopNotifierNotifier(loop, lambda *_: None, icon=app_icon_path())
    loop.close()


def test_a_constructor_that_raises_is_tried_again(
    package: type[Package], notifier: DesktopNotifierNotifier
) -> None:
    package.error = OSError(-2143420155, "the notification platform is unavailable")
    with pytest.raises(NotifierError):
        notifier.show(about("a"))
    package.error = None
    notifier.show(about("a"))
    assert len(package.shown) == 1


def test_the_stand_in_of_an_unsigned_macos_program_shows_nothing(
    package: type[Package], notifier: DesktopNotifierNotifier
) -> None:
    package.capabilities = frozenset()
    with pytest.raises(NotifierError) as caught:
        notifier.show(about("a"))
    assert "signed" in caught.value.hint


def test_notifications_switched_off(
    package: type[Package], notifier: DesktopNotifierNotifier
) -> None:
    package.is_allowed = False
    with pytest.raises(NotifierError) as caught:
        notifier.show(about("a"))
    assert "settings" in caught.value.hint


def test_a_notification_that_the_system_did_not_take(
    package: type[Package], notifier: DesktopNotifierNotifier
) -> None:
    package.is_taken = False
    with pytest.raises(NotifierError, match="refused"):
        notifier.show(about("a"))


def test_a_notification_is_withdrawn_by_its_tag(
    package: type[Package], notifier: DesktopNotifierNotifier
) -> None:
    notifier.withdraw(["a"])
    for tag in "ab":
        notifier.show(about(tag))
    notifier.withdraw(["a", "unknown"])
    wait_until(lambda: bool(package.cleared))
    assert package.cleared == [package.shown[0].identifier]


def test_a_system_that_hangs(
    package: type[Package], notifier: DesktopNotifierNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "SHOW_TIMEOUT_S", 0.05)
    package.hangs = asyncio.Event()
    with pytest.raises(NotifierError) as caught:
        notifier.show(about("a"))
    assert isinstance(caught.value.__cause__, TimeoutError)
    # What appears late is taken back: it counts as untold, and will be told again.
    notifier._loop.post(package.hangs.set)
    late = notifier._late
    assert late is not None
    wait_until(late.done)
    assert package.cleared == [package.shown[0].identifier]


def test_forgetting_what_the_person_closed_is_no_error(
    package: type[Package], notifier: DesktopNotifierNotifier
) -> None:
    notifier.show(about("a", "Ann"))
    notifier.show(about("a", "Ann again"))
    assert package.cleared == [package.shown[0].identifier]


def test_remembers_a_bounded_number_of_tags(
    package: type[Package], notifier: DesktopNotifierNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "KEPT_TOASTS", 2)
    for tag in "abcd":
        notifier.show(about(tag))
    assert len(package.shown) == 4
    assert [shown.tag for shown in notifier._shown.values()] == ["c", "d"]


class TestWhatThePackageIsGiven:
    @pytest.fixture
    def clicked(self) -> list[Click]:
        return []

    @pytest.fixture
    def played(self) -> list[str]:
        return []

    @pytest.fixture
    def notifier(self, clicked: list[Click], played: list[str]) -> Iterator[Notifier]:
        loop = DesktopLoop()
        yield DesktopNotifierNotifier(loop, into(clicked), icon=app_icon_path(), play=played.append)
        loop.close()

    def test_a_click_long_after_it_left_the_screen_still_counts(
        self, package: type[Package], notifier: Notifier, clicked: list[Click]
    ) -> None:
        ann = with_buttons("a")
        notifier.show(ann)
        (shown,) = package.shown
        # The package's own callbacks of one notification are gone by then.
        assert shown.on_clicked is None
        assert all(button.on_pressed is None for button in shown.buttons)
        package.made.on_clicked(shown.identifier)
        package.made.on_button_pressed(shown.identifier, "mark_read")
        package.made.on_button_pressed(shown.identifier, "mark_read")
        assert clicked == [(ann, ""), (ann, "mark_read")]

    def test_the_same_button_has_the_same_name_on_each(
        self, package: type[Package], notifier: Notifier
    ) -> None:
        notifier.show(with_buttons("a"))
        notifier.show(with_buttons("b"))
        for shown in package.shown:
            buttons = [(button.identifier, button.title) for button in shown.buttons]
            assert buttons == [("mark_read", "Mark as read"), ("move archive", "Archive")]

    def test_what_is_not_shown_any_more_is_not_clicked(
        self, package: type[Package], notifier: Notifier, clicked: list[Click]
    ) -> None:
        notifier.show(with_buttons("a"))
        notifier.show(with_buttons("a"))
        package.made.on_clicked(package.shown[0].identifier)
        package.made.on_button_pressed(package.shown[0].identifier, "mark_read")
        package.made.on_button_pressed(package.shown[1].identifier, "unknown")
        assert clicked == []

    @pytest.mark.parametrize(
        ("manner", "sound", "file"),
        [
            pytest.param(Manner(), DEFAULT_SOUND, [], id="as the system likes"),
            pytest.param(Manner("none"), None, [], id="silent"),
            pytest.param(Manner("/ping.wav"), None, ["/ping.wav"], id="file"),
        ],
    )
    def test_sounds(
        self,
        package: type[Package],
        notifier: Notifier,
        played: list[str],
        manner: Manner,
        sound: Sound | None,
        file: list[str],
    ) -> None:
        notifier.show(replace(about("a"), manner=manner))
        assert package.shown[0].sound == sound
        assert played == file

    @pytest.mark.parametrize("urgency", Urgency)
    def test_urgencies(self, package: type[Package], notifier: Notifier, urgency: Urgency) -> None:
        notifier.show(replace(about("a"), manner=Manner(urgency=urgency)))
        assert package.shown[0].urgency.name.upper() == urgency.name
