"""How it is, and where that is shown: on the tray, in the event lines, to other processes."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty
from typing import TYPE_CHECKING

from mailtray.app import answers
from mailtray.core import panel, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from queue import SimpleQueue

    from mailtray.app.world import Wishes
    from mailtray.core.errors import MailtrayError
    from mailtray.core.model import TrayView
    from mailtray.core.status import Source
    from mailtray.ports import EventSink, Tray

    Replies = SimpleQueue[Mapping[str, object]]


class Board:
    """Holds the status and shows it; used by the poller only.

    Args:
        tray: Where it is drawn.
        events: Where its changes are written.
        now: Tells the time in the person's zone.
        wishes: The settings.

    Attributes:
        status: How it is.
    """

    def __init__(
        self, tray: Tray, events: EventSink, now: Callable[[], datetime], wishes: Wishes
    ) -> None:
        self._tray = tray
        self._events = events
        self._now = now
        self._wishes = wishes
        self.status = status.Status(is_configured=wishes.unconfigured is None)
        self._shown_status: status.Status | None = None
        self._shown_view: TrayView | None = None
        self._told_state: dict[str, object] = {}
        self._watchers: list[Replies] = []

    def reduce(self, event: status.Event) -> None:
        """Take an event into the status."""
        self.status = status.reduce(self.status, event)

    def notice(self, source: Source, error: MailtrayError | None) -> None:
        """Say what keeps a part of the program from working, or that it works again."""
        self.reduce(status.Noticed(source, error, self._now()))

    def answer(self) -> Mapping[str, object]:
        """Return the status for another process."""
        return answers.state(self.status, self._view())

    def be_watched(self, replies: Replies) -> None:
        """Tell another process the status, now and after every change."""
        self._watchers.append(replies)
        _put_newest(replies, {**self.answer(), "done": False})

    def drop(self, replies: Replies) -> None:
        """Tell somebody no more."""
        self._watchers = [one for one in self._watchers if one is not replies]

    def _view(self) -> TrayView:
        settings = self._wishes.settings
        return panel.view(
            self.status,
            self._now(),
            counts_new=settings.icon_count == "new",
            names={username: one.name for username, one in settings.accounts.items()},
        )

    def publish(self) -> None:
        """Show the status on the tray and, where it changed, as event lines."""
        if self.status is self._shown_status:
            return
        self._shown_status = self.status
        view = self._view()
        for replies in self._watchers:
            _put_newest(replies, {**answers.state(self.status, view), "done": False})
        if view != self._shown_view:
            self._tray.render(view)
            self._shown_view = view
        told_before, self._told_state = self._told_state, {}
        for key, event in answers.status_events(self.status, view):
            self._told_state[key] = (event["state"], event["unread"], event["error"])
            if self._told_state[key] != told_before.get(key):
                self._events.emit(event)


def _put_newest(replies: Replies, answer: Mapping[str, object]) -> None:
    """Leave one answer to be read: who reads slowly has no use for those in between."""
    with suppress(Empty):
        replies.get_nowait()
    replies.put(answer)
