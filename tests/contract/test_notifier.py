"""What every notifier promises; those of a desktop join in ``tests/desktop``."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from mailtray.adapters.console_notifier import ConsoleNotifier
from mailtray.adapters.notifier_ladder import NotifierLadder
from mailtray.core.errors import NotifierError
from mailtray.core.model import Button, Manner, MessageId, Notification, Urgency
from tests.fakes.notifier import FakeNotifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.ports import Notifier

Click = tuple[Notification, str]
"""What comes back: the notification, and the pressed button's command or an empty string."""

MARKUP = (
    'AT&T <b>50%</b> off & "more" &amp; '
    '<img src="http://x.test/a.png"/> <a href="http://x.test">tap</a>'
)


def about(tag: str, title: str = "Ann Example", body: str = "Hello") -> Notification:
    """Return a notification of one message, which opens a page when it is clicked."""
    return Notification(
        tag, title, body, message_ids=(MessageId(tag),), link=f"https://mail.example.test/{tag}"
    )


def with_buttons(tag: str, title: str = "Ann Example") -> Notification:
    """Return a notification of one message, with something to do to it."""
    buttons = (Button("mark_read", "Mark as read"), Button("move archive", "Archive"))
    return replace(about(tag, title), buttons=buttons)


def into(clicked: list[Click]) -> Callable[[Notification, str], None]:
    """Return an ``on_click`` that writes down what comes back."""
    return lambda notification, button: clicked.append((notification, button))


class Stage(Protocol):
    """A notifier, and what a person in front of it sees and does."""

    notifier: Notifier
    clicked: list[Click]
    can_take_back: bool
    can_click: bool

    def read(self) -> list[tuple[str, str]]:
        """Return title and body of what is shown, as a person reads them, oldest first."""
        ...

    def click(self, title: str) -> None:
        """Click what is shown with this title."""
        ...

    def reach(self, title: str, command: str) -> Callable[[], None]:
        """Return what presses a button of what is shown, even where that is gone by then."""
        ...

    def came_back(self, count: int) -> list[Click]:
        """Return all that was clicked and pressed, once it is so much."""
        ...

    def break_down(self) -> None:
        """Take away what shows notifications."""
        ...

    def mend(self) -> None:
        """Put it back."""
        ...


class NotifierContract:
    """Each subclass provides the fixture ``stage``."""

    def test_shows_title_and_body(self, stage: Stage) -> None:
        stage.notifier.show(about("a", "Ann Example", "Hello there"))
        assert stage.read() == [("Ann Example", "Hello there")]

    def test_shows_several(self, stage: Stage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.notifier.show(about("b", "Ben"))
        assert [title for title, _ in stage.read()] == ["Ann", "Ben"]

    def test_markup_is_read_as_it_was_written(self, stage: Stage) -> None:
        stage.notifier.show(about("a", "R&D <Team>", MARKUP))
        assert stage.read() == [("R&D <Team>", MARKUP)]

    @pytest.mark.parametrize(
        ("title", "body"),
        [
            pytest.param("שלום (3) world", "می‌خواهم", id="right to left"),
            pytest.param("👩‍💻 🇫🇷", "Zoë", id="joined emoji"),
            pytest.param("Ann", "", id="no body"),
        ],
    )
    def test_any_script_is_shown(self, stage: Stage, title: str, body: str) -> None:
        stage.notifier.show(about("a", title, body))
        assert stage.read() == [(title, body)]

    def test_the_same_tag_replaces(self, stage: Stage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.notifier.show(about("b", "Ben"))
        stage.notifier.show(about("a", "Ann again"))
        if stage.can_take_back:
            assert sorted(title for title, _ in stage.read()) == ["Ann again", "Ben"]

    def test_withdraws_by_tag(self, stage: Stage) -> None:
        stage.notifier.show(about("a", "Ann"))
        stage.notifier.show(about("b", "Ben"))
        stage.notifier.withdraw(["a", "unknown"])
        if stage.can_take_back:
            assert [title for title, _ in stage.read()] == ["Ben"]

    def test_withdrawing_twice_or_nothing_is_ignored(self, stage: Stage) -> None:
        stage.notifier.withdraw(["never shown"])
        stage.notifier.show(about("a", "Ann"))
        stage.notifier.withdraw(["a"])
        stage.notifier.withdraw(["a"])
        stage.notifier.withdraw([])
        stage.notifier.show(about("a", "Ann once more"))
        assert stage.read()[-1][0] == "Ann once more"

    def test_a_click_tells_which(self, stage: Stage) -> None:
        ann, ben = about("a", "Ann"), about("b", "Ben")
        stage.notifier.show(ann)
        stage.notifier.show(ben)
        if stage.can_click:
            stage.click("Ann")
            assert stage.clicked == [(ann, "")]

    def test_a_pressed_button_comes_back_once_and_tells_of_which(self, stage: Stage) -> None:
        ann, ben = with_buttons("a", "Ann"), with_buttons("b", "Ben")
        stage.notifier.show(ann)
        stage.notifier.show(ben)
        if stage.can_click:
            archive = stage.reach("Ann", "move archive")
            archive()
            archive()
            stage.reach("Ben", "mark_read")()
            assert stage.came_back(2) == [(ann, "move archive"), (ben, "mark_read")]

    def test_a_button_that_was_not_offered_is_ignored(self, stage: Stage) -> None:
        ann, ben = with_buttons("a", "Ann"), with_buttons("b", "Ben")
        stage.notifier.show(ann)
        stage.notifier.show(ben)
        if stage.can_click:
            stage.reach("Ann", "move nowhere")()
            stage.reach("Ben", "mark_read")()
            assert stage.came_back(1) == [(ben, "mark_read")]

    def test_a_button_of_a_withdrawn_one_is_pressed_too_late(self, stage: Stage) -> None:
        ann, ben = with_buttons("a", "Ann"), with_buttons("b", "Ben")
        stage.notifier.show(ann)
        stage.notifier.show(ben)
        if stage.can_click:
            press, other = stage.reach("Ann", "mark_read"), stage.reach("Ben", "mark_read")
            stage.notifier.withdraw(["a"])
            assert stage.read() == [("Ben", "Hello")]
            press()
            other()
            assert stage.came_back(1) == [(ben, "mark_read")]

    def test_every_manner_is_shown(self, stage: Stage) -> None:
        manners = [Manner(sound, urgency) for sound in ("desktop", "none") for urgency in Urgency]
        manners += [Manner(stays=True), Manner("/sounds/ping.wav")]
        for number, manner in enumerate(manners):
            stage.notifier.show(replace(about(str(number), f"Ann {number}"), manner=manner))
        assert [title for title, _ in stage.read()] == [f"Ann {n}" for n in range(len(manners))]

    def test_says_what_it_could_not_show(self, stage: Stage) -> None:
        stage.break_down()
        with pytest.raises(NotifierError) as caught:
            stage.notifier.show(about("a"))
        assert 0 < len(caught.value.title) <= 60

    def test_works_again_after_a_failure(self, stage: Stage) -> None:
        stage.break_down()
        with pytest.raises(NotifierError):
            stage.notifier.show(about("a", "Lost"))
        stage.notifier.withdraw(["a"])
        stage.mend()
        stage.notifier.show(about("b", "Ben"))
        assert [title for title, _ in stage.read()] == ["Ben"]

    def test_has_a_name(self, stage: Stage) -> None:
        assert stage.notifier.name


class FakeStage:
    can_take_back = True
    can_click = True

    def __init__(self, *, is_on_ladder: bool = False) -> None:
        self.clicked: list[Click] = []
        self.fake = FakeNotifier(into(self.clicked))
        self.notifier: Notifier = NotifierLadder([lambda: self.fake]) if is_on_ladder else self.fake

    def read(self) -> list[tuple[str, str]]:
        return [(shown.title, shown.body) for shown in self.fake.on_screen.values()]

    def click(self, title: str) -> None:
        shown = self.fake.on_screen.items()
        self.fake.click(next(tag for tag, shown in shown if shown.title == title))

    def reach(self, title: str, command: str) -> Callable[[], None]:
        tags = [tag for tag, shown in self.fake.on_screen.items() if shown.title == title]
        return lambda: self.fake.press(tags[0], command)

    def came_back(self, count: int) -> list[Click]:
        assert len(self.clicked) >= count
        return self.clicked

    def break_down(self) -> None:
        self.fake.error = NotifierError("The fake refuses")

    def mend(self) -> None:
        self.fake.error = None


class TestFakeNotifier(NotifierContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return FakeStage()


class TestNotifierLadder(NotifierContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return FakeStage(is_on_ladder=True)


class UnpluggableStream(io.StringIO):
    is_unplugged = False

    def write(self, text: str) -> int:
        if self.is_unplugged:
            raise BrokenPipeError
        return super().write(text)


class ConsoleStage:
    can_take_back = False
    can_click = False

    def __init__(self) -> None:
        self.clicked: list[Click] = []
        self.stream = UnpluggableStream()
        self.notifier: Notifier = ConsoleNotifier(self.stream)

    def read(self) -> list[tuple[str, str]]:
        lines = (line.partition(": ") for line in self.stream.getvalue().splitlines())
        return [(title, body) for title, _, body in lines]

    def click(self, title: str) -> None:
        pytest.fail(f"the console takes no click on {title}")

    def reach(self, title: str, command: str) -> Callable[[], None]:
        pytest.fail(f"the console has no button {command} on {title}")

    def came_back(self, count: int) -> list[Click]:
        pytest.fail(f"the console takes no {count} clicks")

    def break_down(self) -> None:
        self.stream.is_unplugged = True

    def mend(self) -> None:
        self.stream.is_unplugged = False


class TestConsoleNotifier(NotifierContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return ConsoleStage()
