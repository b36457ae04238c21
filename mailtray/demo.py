"""``mailtray demo``: the whole program against its own Microsoft 365, told as a story.

Nothing here is played: the program is the ordinary one, composed as always, with its two hosts
carried to the loopback and its tokens kept in memory. The story only does to the simulator what
other people, other devices and bad days do to a mailbox, and watches the program's event lines.
"""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING

from mailtray import bootstrap
from mailtray.app.commands import SignIn
from mailtray.core.language import _, ngettext
from mailtray.simulator import Fault, Simulator
from mailtray.simulator.browser import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mailtray.app.lifecycle import App

USERNAME = "ada@contoso.example"
CLIENT_ID = "6d61696c-7472-6179-8000-64656d6f0001"
OUTAGE_S = 10.0
_INTERVAL_S = 2.0
_HEADLESS_INTERVAL_S = 0.5
_PERSON_S = 600.0
_PROGRAM_S = 40.0


class StoryStoppedError(Exception):
    """The program was quit, or did not do in time what the story waited for."""


class Stage:
    """Keeps the program's events and lets the story wait for them."""

    def __init__(self) -> None:
        self._events: list[Mapping[str, object]] = []
        self._changed = Condition()
        self._is_over = False

    def emit(self, event: Mapping[str, object]) -> None:
        """Note an event."""
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def close(self) -> None:
        """Let whoever waits give up."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def mark(self) -> int:
        """Return the present moment, for :meth:`wait`."""
        with self._changed:
            return len(self._events)

    def wait(
        self, since: int, deadline_s: float, missing: str, **wanted: object
    ) -> Mapping[str, object]:
        """Return the first event after ``since`` that has all the ``wanted`` values.

        Args:
            since: See :meth:`mark`.
            deadline_s: How long to wait, in seconds.
            missing: What to say where it does not come.
            wanted: Keys and their values.

        Raises:
            StoryStoppedError: It did not come within ``deadline_s`` seconds.
        """

        def found() -> Mapping[str, object] | None:
            for event in self._events[since:]:
                if wanted.items() <= event.items():
                    return event
            return None

        with self._changed:
            self._changed.wait_for(lambda: self._is_over or found() is not None, deadline_s)
            event = found()
        if event is None:
            raise StoryStoppedError("quit" if self._is_over else missing)
        return event

    def wait_for_count(self, truth: Callable[[], int], deadline_s: float) -> None:
        """Wait until the program shows the true count.

        Raises:
            StoryStoppedError: It did not within ``deadline_s`` seconds.
        """

        def is_true() -> bool:
            counts = [one["unread"] for one in self._events if one["event"] == "status"]
            return bool(counts) and counts[-1] == truth()

        with self._changed:
            self._changed.wait_for(lambda: self._is_over or is_true(), deadline_s)
            if not is_true():
                raise StoryStoppedError(
                    "quit" if self._is_over else _("the true count did not come")
                )

    def told(self) -> Counter[str]:
        """Return how often the person was told of each message."""
        with self._changed:
            return Counter(
                str(one)
                for event in self._events
                if event["event"] == "notification"
                for one in _ids(event)
            )


def _ids(event: Mapping[str, object]) -> list[object]:
    ids = event["ids"]
    return ids if isinstance(ids, list) else []


class Demo:
    """The story and the program that plays in it.

    Args:
        say: Receives each sentence of the story.
        headless: True forces the terminal; else it is used where there is no display or browser.
    """

    def __init__(self, say: Callable[[str], None], *, headless: bool) -> None:
        self._say = say
        self._headless = headless or not _has_desktop()
        self._simulator = Simulator()
        self._simulator.cloud.asks_password = False
        self._stage = Stage()
        self._over = Event()
        self._delivered: list[str] = []
        self.went_well = False

    @contextmanager
    def running(self) -> Iterator[App]:
        """Yield the program, with the simulator and the story started."""
        with tempfile.TemporaryDirectory(prefix="mailtray-demo-") as home, self._simulator:
            options = bootstrap.Options(
                home=Path(home),
                service_url=self._simulator.url,
                said={"client_id": CLIENT_ID, "interval_s": self._interval_s},
                tray="none" if self._headless else "auto",
                notifier="console" if self._headless else "auto",
                console=sys.stdout,
                event_sink=self._stage,
                tokens_in_memory=True,
                open_browser=self._walk if self._headless else None,
            )
            with bootstrap.resident(options) as app:
                story = Thread(target=self._tell, args=(app,), name="mailtray-demo", daemon=True)
                story.start()
                try:
                    yield app
                finally:
                    self._over.set()
                    self._stage.close()
                    story.join(_PROGRAM_S)

    @property
    def _interval_s(self) -> float:
        return _HEADLESS_INTERVAL_S if self._headless else _INTERVAL_S

    def _walk(self, url: str) -> bool:
        def person() -> None:
            with suppress(OSError):  # the program has gone meanwhile
                walk(url, username=USERNAME)

        Thread(target=person, name="mailtray-demo-person", daemon=True).start()
        return True

    def _pause(self) -> None:
        """Leave a person the time to look; a terminal needs none."""
        if not self._headless and self._over.wait(4.0):
            raise StoryStoppedError("quit")

    # -- the story ----------------------------------------------------------------------------

    def _tell(self, app: App) -> None:
        is_told = False
        try:
            self._tell_chapters(app)
            is_told = True
        except OSError:
            # Nobody listens any more.
            self.went_well = False
        finally:
            if self._headless or not is_told:
                app.quit()

    def _tell_chapters(self, app: App) -> None:
        try:
            for chapter in (
                self._sign_in,
                self._two_messages,
                self._burst,
                self._read_elsewhere,
                self._token_expires,
                self._outage,
                self._revocation,
                self._goes_on,
            ):
                chapter(app)
                self._pause()
            self._summary()
        except StoryStoppedError as stop:
            if not self._over.is_set():
                self._say(_("The story stopped: {reason}.").format(reason=stop))
            elif self._headless:
                self._say(_("Interrupted."))
            else:
                self.went_well = True

    def _sign_in(self, app: App) -> None:
        self._say(
            _("Microsoft 365 is played by {url} (open it to play yourself).").format(
                url=self._simulator.url
            )
        )
        self._say(_("Sign in: pick Ada and accept."))
        mark = self._stage.mark()
        app.poller.inbox.put(SignIn())
        self._stage.wait(mark, _PERSON_S, _("the sign-in did not come"), event="polled")
        self._say(
            ngettext(
                "Signed in. {count} unread message was there before: counted, not told.",
                "Signed in. {count} unread messages were there before: counted, not told.",
                self._unread(),
            ).format(count=self._unread())
        )

    def _two_messages(self, _app: App) -> None:
        self._say(_("Two messages arrive, one after the other: a notification each."))
        for name, address, subject, preview in _FIRST_TWO:
            self._arrive(sender_name=name, sender_address=address, subject=subject, preview=preview)
            self._pause()

    def _burst(self, _app: App) -> None:
        self._say(_("Eight at once: one notification sums them up."))
        self._arrive(count=8, sender_name="Build server", sender_address="ci@contoso.example",
                     subject="Nightly build finished")  # fmt: skip

    def _read_elsewhere(self, _app: App) -> None:
        self._say(_("One is read on the phone: its notification goes, the count falls."))
        self._simulator.cloud.mark(self._still_unread(), is_read=True)
        self._stage.wait_for_count(self._unread, _PROGRAM_S)

    def _still_unread(self) -> str:
        """Return a message of the story; whoever watches may have read some of them meanwhile."""
        for one in self._delivered:
            if not self._simulator.cloud.find(one)[1].is_read:
                return one
        return self._arrive(sender_name="Grace Hopper", sender_address="grace@contoso.example")[0]

    def _token_expires(self, _app: App) -> None:
        self._say(_("The access token expires: renewed silently, nobody notices."))
        before = self._refreshes()
        mark = self._stage.mark()
        self._simulator.cloud.expire_access_tokens()
        self._stage.wait(mark, _PROGRAM_S, _("a poll did not come"), event="polled")
        self._arrive(sender_name="Grace Hopper", sender_address="grace@contoso.example",
                     subject="Found a moth in the relay")  # fmt: skip
        refreshes = self._refreshes() - before
        self._say(_("  token refreshes: {count}").format(count=refreshes))

    def _outage(self, _app: App) -> None:
        self._say(
            _(
                "The service is out of reach for {seconds:.0f} seconds; "
                "a message arrives meanwhile."
            ).format(seconds=OUTAGE_S)
        )
        mark = self._stage.mark()
        self._simulator.cloud.add_fault(Fault(path="/v1.0/", close="before", times=None))
        self._stage.wait(
            mark, _PROGRAM_S, _("the offline state did not come"), event="status", state="offline"
        )
        self._say(_("  the icon and the tooltip say so; no notification nags about it"))
        self._deliver(sender_name="Alan Turing", sender_address="alan@contoso.example",
                      subject="Written while you were offline")  # fmt: skip
        if self._over.wait(OUTAGE_S):
            raise StoryStoppedError("quit")
        mark = self._stage.mark()
        self._simulator.cloud.clear_faults()
        self._stage.wait(
            mark, _PROGRAM_S, _("the message of the outage did not come"), event="notification"
        )
        self._say(_("  back again by itself, and the message was told"))

    def _revocation(self, app: App) -> None:
        self._say(
            _("An administrator revokes the sign-in: one word about it, and no further tries.")
        )
        mark = self._stage.mark()
        self._simulator.cloud.revoke_refresh_tokens()
        self._simulator.cloud.expire_access_tokens()
        self._stage.wait(
            mark, _PROGRAM_S, _("attention did not come"), event="status", state="attention"
        )
        self._deliver(sender_name="Katherine Johnson", sender_address="kj@contoso.example",
                      subject="Sent while you were signed out")  # fmt: skip
        mark = self._stage.mark()
        if self._headless:
            app.poller.inbox.put(SignIn())
        else:
            self._say(_("Click that notification, or choose “Sign in again” in the menu."))
        self._stage.wait(mark, _PERSON_S, _("the second sign-in did not come"), event="polled")
        self._say(_("Signed in again; polling went on from where it was."))

    def _goes_on(self, _app: App) -> None:
        self._say(_("And mail goes on."))
        self._arrive(sender_name="Edsger Dijkstra", sender_address="edsger@contoso.example",
                     subject="Goto considered forgotten")  # fmt: skip

    def _summary(self) -> None:
        told, counts = self._stage.told(), self._simulator.cloud.counts()
        lost = [one for one in self._delivered if told[one] == 0]
        repeated = [one for one, times in told.items() if times > 1]
        strange = [one for one in told if one not in self._delivered]
        self._say(
            _(
                "Delivered {delivered} messages; told {told}, lost {lost}, repeated {repeated}."
            ).format(
                delivered=len(self._delivered),
                told=sum(told.values()),
                lost=len(lost),
                repeated=len(repeated),
            )
        )
        requests = _("Requests the simulator counted: {counts}.")
        self._say(requests.format(counts=_in_words(counts)))
        self.went_well = not (lost or repeated or strange)
        if not self._headless:
            self._say(
                _("It stays now. Play at {url}; “Quit” in the menu or Ctrl+C ends it.").format(
                    url=self._simulator.url
                )
            )
            webbrowser.open(self._simulator.url)

    # -- what the story does ------------------------------------------------------------------

    def _deliver(self, **message: str | int) -> list[str]:
        ids = self._simulator.cloud.deliver(USERNAME, **message)  # type: ignore[arg-type] # a story's own literals
        self._delivered += ids
        return ids

    def _arrive(self, **message: str | int) -> list[str]:
        mark = self._stage.mark()
        ids = self._deliver(**message)
        told: set[object] = set()
        while not told.issuperset(ids):
            event = self._stage.wait(
                mark, _PROGRAM_S, _("the notification did not come"), event="notification"
            )
            mark = self._stage.mark()
            told.update(_ids(event))
        return ids

    def _unread(self) -> int:
        return self._simulator.cloud.unread_count(USERNAME)

    def _refreshes(self) -> int:
        return sum(one.grant_type == "refresh_token" for one in self._simulator.cloud.log())


_FIRST_TWO = (
    (
        "Grace Hopper",
        "grace@contoso.example",
        "Lunch on Thursday?",
        "The place by the harbour, at noon.",
    ),
    ("Alan Turing", "alan@contoso.example", "Notes on the halting problem", "It goes on and on."),
)


def _in_words(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _has_desktop() -> bool:
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
