"""The list, alive, with a program and a terminal that do as they are told."""

from __future__ import annotations

import io
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

import pytest
from rich.console import Console, ConsoleDimensions

from mailtray.core.errors import MailtrayError, NotRunning
from mailtray.terminal.listing import LOOKED
from mailtray.terminal.live import LiveList
from tests.terminal.states import ANN, NOW, account, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mailtray.terminal.listing import Request

PATIENCE_S = 10.0
ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"


class FakeProgram:
    """A running program.

    Attributes:
        asked: What it was asked.
        answer: What it answers, or raises.
        may_answer: Held back while it is clear.
    """

    def __init__(self) -> None:
        self.told: SimpleQueue[Mapping[str, Any] | MailtrayError] = SimpleQueue()
        self.asked: SimpleQueue[Request] = SimpleQueue()
        self.answer: Mapping[str, object] | MailtrayError = {"done": True, "state": "done"}
        self.may_answer = Event()
        self.may_answer.set()

    def ask(self, request: Request) -> Mapping[str, object]:
        self.asked.put(request)
        assert self.may_answer.wait(PATIENCE_S)
        if isinstance(self.answer, MailtrayError):
            raise self.answer
        return self.answer

    def follow(self, on_state: Callable[[Mapping[str, object]], None]) -> None:
        while True:
            told = self.told.get(timeout=PATIENCE_S)
            if isinstance(told, MailtrayError):
                raise told
            on_state(told)


class FakeEars:
    """A terminal in which keys are pressed.

    Attributes:
        is_open: True while the terminal is not what it was.
    """

    def __init__(self) -> None:
        self.words: SimpleQueue[str] = SimpleQueue()
        self.is_open = False
        self.begun = 0

    def __enter__(self) -> Self:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

    def begin_again(self) -> None:
        self.begun += 1

    def listen(self, hear: Callable[[str], None]) -> None:
        word = ""
        while word not in {"q", "interrupt"}:
            word = self.words.get(timeout=PATIENCE_S)
            hear(word)


class Screen(io.StringIO):
    """What is drawn; it can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: SimpleQueue[str] = SimpleQueue()

    def write(self, text: str) -> int:
        self._drawn.put(text)
        return super().write(text)

    def wait_for(self, words: str) -> None:
        """Wait until a drawing of the whole screen holds these words."""
        while words not in self._drawn.get(timeout=PATIENCE_S):
            continue


class Here:
    """The list with its world, on a thread of its own."""

    def __init__(self) -> None:
        self.program, self.ears, self.screen = FakeProgram(), FakeEars(), Screen()
        console = Console(file=self.screen, width=80, height=24, force_terminal=True)
        self.live = LiveList(self.program, self.ears, lambda: NOW, console)
        self.error: MailtrayError | None = None
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.live.run()
        except MailtrayError as error:
            self.error = error

    def start(self) -> None:
        self._thread.start()

    def ended(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def press(self, *words: str) -> None:
        for word in words:
            self.ears.words.put(word)

    def tell(self, *messages: str, new: int = 0) -> None:
        self.program.told.put(state(account(*messages, new=new)))

    def asked(self) -> Request:
        return self.program.asked.get(timeout=PATIENCE_S)


@contextmanager
def running(*messages: str, new: int = 0) -> Iterator[Here]:
    here = Here()
    here.tell(*messages, new=new)
    here.start()
    here.screen.wait_for("Enter open")
    yield here
    here.press("q")
    here.program.told.put(NotRunning("over"))
    here.ended()


def test_new_messages_appear_by_themselves() -> None:
    with running("A") as here:
        here.tell("B", "A")
        here.screen.wait_for("Subject of B")


def test_keys_act_on_the_program() -> None:
    with running("A", "B") as here:
        here.press("down", "a")
        assert here.asked() == {
            "command": "act", "account": ANN, "id": "B", "action": "archive",
        }  # fmt: skip
        here.screen.wait_for("Archived; u undoes it.")


def test_a_slow_answer_keeps_no_key_waiting() -> None:
    with running("A", "B") as here:
        here.program.may_answer.clear()
        here.press("c", "r", "u")
        assert {here.asked()["command"], here.asked()["command"]} == {"check", "act"}
        here.press("?")
        here.screen.wait_for("leave the list")
        assert here.program.asked.empty()
        here.program.may_answer.set()
        assert here.asked()["action"] == "undo"


def test_what_the_program_refuses_is_said() -> None:
    with running("A") as here:
        here.program.answer = MailtrayError("mailtray is busy", "Try again in a moment.")
        here.press("c")
        here.screen.wait_for("mailtray is busy. Try again in a moment.")


def test_showing_the_list_counts_as_a_look_and_so_does_each_key() -> None:
    with running("A", new=1) as here:
        assert here.asked() == LOOKED
        here.tell("A", new=0)
        here.tell("B", "A", new=1)
        here.screen.wait_for("Subject of B")
        assert here.program.asked.empty()
        here.press("down")
        assert here.asked() == LOOKED
        here.tell("C", "B", "A", new=0)
        here.screen.wait_for("3 unread")
        here.press("up", "?")
        here.screen.wait_for("leave the list")
        assert here.program.asked.empty()


def test_a_new_size_is_drawn() -> None:
    with running("A") as here:
        here.live._console.size = ConsoleDimensions(30, 8)
        here.press("resized")
        here.screen.wait_for("Enter open · r read · a archi…")


def test_a_terminal_that_a_shell_had_is_taken_again() -> None:
    with running("A") as here:
        here.press("resumed")
        here.screen.wait_for(ENTER_SCREEN)
        assert here.ears.begun == 1


@pytest.mark.parametrize("word", ["q", "interrupt"])
def test_leaving_gives_the_terminal_back(word: str) -> None:
    with running("A") as here:
        assert here.ears.is_open
        here.press(word)
        here.ended()
        assert here.error is None
        assert here.screen.getvalue().rindex(LEAVE_SCREEN) > here.screen.getvalue().rindex("A")
    assert not here.ears.is_open


def test_the_end_of_the_program_is_the_lists() -> None:
    with running("A") as here:
        here.program.told.put(NotRunning("mailtray is not running", "Start it."))
        here.ended()
        assert isinstance(here.error, NotRunning)
        assert not here.ears.is_open
        assert LEAVE_SCREEN in here.screen.getvalue()


def test_without_a_program_the_screen_is_left_alone() -> None:
    here = Here()
    here.program.told.put(NotRunning("mailtray is not running", "Start it."))
    here.start()
    here.ended()
    assert isinstance(here.error, NotRunning)
    assert here.screen.getvalue() == ""


def test_it_is_drawn_when_something_changed_and_never_besides() -> None:
    with running("A") as here:
        drawn = here.screen.getvalue()
        here.press("x")
        here.press("?")
        here.screen.wait_for("leave the list")
        assert here.screen.getvalue().count("mailtray") <= drawn.count("mailtray") + 3
