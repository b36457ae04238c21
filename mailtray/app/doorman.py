"""Knows whether the person may be disturbed, and keeps their pause."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mailtray.core import peace
from mailtray.core.errors import StateError
from mailtray.core.peace import Presence

if TYPE_CHECKING:
    from datetime import datetime

    from mailtray.app.world import Wishes
    from mailtray.core.peace import Pause, Quiet
    from mailtray.ports import Clock, PresenceSource, StateStore


class Doorman:
    """Asked at every step, since nothing is shown without asking; used by the poller only.

    Attributes:
        pause: What the person asked for, if anything.
        trouble: Why the pause could not be kept; it then lasts as long as the program.
    """

    def __init__(
        self, state: StateStore, clock: Clock, presence: PresenceSource, wishes: Wishes
    ) -> None:
        self._state = state
        self._clock = clock
        self._presence = presence
        self._wishes = wishes
        self._quiet: Quiet | None = None
        self._is_pause_known = False
        self.pause: Pause | None = None
        self.trouble: StateError | None = None

    def look(self) -> Quiet | None:
        """Say whether it is quiet now; a pause that is over is forgotten."""
        self._recall()
        now = self.now()
        if self.pause is not None and peace.quiet(now, self.pause, (), Presence()) is None:
            self.keep(None)
        self._quiet = peace.quiet(
            now, self.pause, self._wishes.settings.quiet_hours, self._heeded()
        )
        return self._quiet

    def wait_s(self) -> float | None:
        """Return the seconds until it may be otherwise than at the last look, or ``None``."""
        now = self.now()
        if self._quiet is not None:
            at = self._quiet.until
        else:
            at = peace.next_quiet_hours(now, self._wishes.settings.quiet_hours)
        return None if at is None else max(0.0, at.timestamp() - now.timestamp())

    def pause_for(self, wish: str) -> None:
        """Pause, in place of any pause before.

        Raises:
            ValueError: See :func:`mailtray.core.peace.pause_for`.
        """
        self.keep(peace.pause_for(wish, self.now()))

    def keep(self, pause: Pause | None) -> None:
        """Take a pause over, or end one."""
        self.pause, self._is_pause_known = pause, True
        try:
            self._state.save_pause(pause)
        except StateError as error:
            self.trouble = error

    def _heeded(self) -> Presence:
        """Return what the desktop tells, as far as the person wants it heeded."""
        wishes, presence = self._wishes.settings, self._presence.look()
        return Presence(
            is_do_not_disturb=presence.is_do_not_disturb and wishes.quiet_in_do_not_disturb,
            is_locked=presence.is_locked and wishes.quiet_when_locked,
        )

    def now(self) -> datetime:
        """Return the time where the person is."""
        return self._clock.now().astimezone(self._wishes.zone)

    def _recall(self) -> None:
        if self._is_pause_known:
            return
        # Until the state can be read nobody's mail is, and so nothing is shown too early.
        with suppress(StateError):
            self.pause = self._state.load_pause()
            self._is_pause_known = True
