"""The list, alive: it is drawn when something changed, and waits for the next thing to hear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.live import Live

from mailtray.core.errors import MailtrayError, NotRunning
from mailtray.core.language import _
from mailtray.terminal.drawing import draw
from mailtray.terminal.listing import LOOKED, Listing, answered, press, read, take

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mailtray.terminal.ears import Ears
    from mailtray.terminal.listing import News, Request


class Program(Protocol):
    """The running program."""

    def ask(self, request: Request) -> Mapping[str, object]:
        """Ask it something; from any thread, and it may take long.

        Raises:
            MailtrayError: It answers that it could not, or not at all.
        """
        ...

    def follow(self, on_state: Callable[[Mapping[str, object]], None]) -> None:
        """Hand on how it is, now and after every change, for as long as it runs.

        Raises:
            MailtrayError: Why there is no more to hear.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Told:
    """The program tells how it is."""

    state: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Heard:
    """The terminal tells something; see :mod:`mailtray.terminal.ears`."""

    word: str


@dataclass(frozen=True, slots=True)
class _Answered:
    """The program answers a request."""

    request: Request
    answer: Mapping[str, object] | MailtrayError


@dataclass(frozen=True, slots=True)
class _Ended:
    """The program tells no more."""

    error: MailtrayError


_Event = _Told | _Heard | _Answered | _Ended


class LiveList:
    """Shows the unread messages in a terminal until the person leaves.

    Args:
        program: Whose messages.
        ears: The terminal's.
        now: Tells the time in the person's zone.
        console: Where to draw; the standard output where ``None``.
    """

    def __init__(
        self,
        program: Program,
        ears: Ears,
        now: Callable[[], datetime],
        console: Console | None = None,
    ) -> None:
        self._program = program
        self._ears = ears
        self._now = now
        self._console = Console() if console is None else console
        self._events: SimpleQueue[_Event] = SimpleQueue()
        self._lanes: dict[str, SimpleQueue[Request]] = {}
        self._looked_at: News | None = None

    def run(self) -> None:
        """Show the list; returns when the person leaves.

        Raises:
            MailtrayError: The program does not answer, or not any more.
        """
        self._start("follow", self._follow)
        first = self._events.get()
        if isinstance(first, _Ended):
            raise first.error
        with (
            self._ears,
            Live(
                console=self._console,
                screen=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            ) as live,
        ):
            self._start("keys", self._listen)
            listing = self._after(Listing(), first, live)
            self._look(listing)
            while not listing.is_over:
                if self._events.empty():
                    live.update(draw(listing, self._console, self._now()), refresh=True)
                listing = self._after(listing, self._events.get(), live)

    def _after(self, listing: Listing, event: _Event, live: Live) -> Listing:
        match event:
            case _Ended(error):
                raise error
            case _Told(state):
                return take(listing, read(state))
            case _Answered(request, answer):
                return answered(listing, request, answer)
            case _Heard("resized"):
                return listing
            case _Heard("resumed"):
                self._ears.begin_again()
                live.stop()
                live.start()
                return listing
            case _Heard(key):
                return self._press(listing, key)

    def _press(self, listing: Listing, key: str) -> Listing:
        listing, request = press(listing, key)
        if request is not None:
            self._ask(request)
        self._look(listing)
        return listing

    def _look(self, listing: Listing) -> None:
        """Say that the person has seen what there is; who presses a key looks at the list."""
        if listing.news.new and listing.news is not self._looked_at:
            self._looked_at = listing.news
            self._ask(LOOKED)

    # -- other threads ------------------------------------------------------------------------

    def _start(self, name: str, work: Callable[[], None]) -> None:
        Thread(target=work, name=f"mailtray-{name}", daemon=True).start()

    def _listen(self) -> None:
        self._ears.listen(lambda word: self._events.put(_Heard(word)))

    def _follow(self) -> None:
        error: MailtrayError = NotRunning(_("mailtray does not answer"), _("Try again."))
        try:
            self._program.follow(lambda state: self._events.put(_Told(state)))
        except MailtrayError as exc:
            error = exc
        finally:
            self._events.put(_Ended(error))

    def _ask(self, request: Request) -> None:
        """Ask without waiting; what is done to messages is done one after the other."""
        lane = self._lanes.get(request["command"])
        if lane is None:
            lane = self._lanes[request["command"]] = SimpleQueue()
            self._start(request["command"], partial(self._serve, lane))
        lane.put(request)

    def _serve(self, lane: SimpleQueue[Request]) -> None:
        while True:
            request = lane.get()
            answer: Mapping[str, object] | MailtrayError
            try:
                answer = self._program.ask(request)
            except MailtrayError as error:
                answer = error
            self._events.put(_Answered(request, answer))
