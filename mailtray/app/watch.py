"""One account under watch: what is remembered of it and when it is polled next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mailtray.core import schedule
from mailtray.core.errors import SignInRequired, Unreachable
from mailtray.core.model import FolderPlace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mailtray.app.cycle import Order
    from mailtray.core.errors import AuthError, MailSourceError, MailtrayError
    from mailtray.core.folders import Wish
    from mailtray.core.model import Account, Message, MessageId, Seen
    from mailtray.core.rules import Rulebook
    from mailtray.ports import Clock


LOAD_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""How long to wait after each time that the state could not be read."""


def clock_offset_s(clock: Clock) -> float:
    """Return how far the wall clock is ahead of the monotonic one, in seconds."""
    return clock.now().timestamp() - clock.monotonic_s()


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Which unread messages of a folder are not counted, kept while nothing changes.

    Attributes:
        unread: Those of which it was asked.
        rules: Those by which it was found.
    """

    unread: Mapping[MessageId, Message]
    rules: Rulebook
    ids: frozenset[MessageId]


@dataclass(slots=True)
class Watch:
    """One account's place in the schedule; all times are monotonic seconds.

    Attributes:
        due_s: When the next poll is due; ``None`` until the person acts.
        not_before_s: Until when the server asked to be left alone; not even "Check now" cuts it.
        places: The folders to watch, each with where it is: ``None`` before that is known, or why
            it is nowhere.
        is_current: True while what is known of the mail is as new as the last poll: nothing failed
            since, and the computer did not sleep.
        seen: What is remembered of each folder that was found, by key, those first that have not
            been read for longest.
        uncounted: Which messages of each folder are not counted, by key.
        looked: Unread messages that the person has looked at since the present poll began.
        is_pruned: True once folders that are no longer watched are forgotten.
        order: What a fetch is on its way for, if one is.
        is_asked: True where somebody wants a poll that starts after the present one.
        is_network_new: True where the network came up after the present poll began.
        started: Polls started so far.
        finished: The number of the last poll that came back.
        count_due_s: When a quiet folder's counter is asked for next.
        load_tries: How often it could not be read.
        claims: Claims request to pass to the next interactive sign-in.
        troubles: Why some folders cannot be read, by what they are called.
        scopes: The permissions that were wished for last.
        granted: The permissions with which mail was read last.
        lacking: Why mail is read with less permission than wished.
        clock_offset_s: While a wrong clock keeps it from polling: how far the wall clock was ahead
            of the monotonic one when that was found.
    """

    account: Account
    places: dict[Wish, FolderPlace | MailSourceError | None] = field(default_factory=dict)
    is_current: bool = False
    seen: dict[str, Seen] = field(default_factory=dict)
    uncounted: dict[str, Uncounted] = field(default_factory=dict)
    looked: set[MessageId] = field(default_factory=set)
    is_pruned: bool = False
    due_s: float | None = 0.0
    not_before_s: float = 0.0
    failures: int = 0
    failing_since_s: float = 0.0
    order: Order | None = None
    is_asked: bool = False
    is_network_new: bool = False
    started: int = 0
    finished: int = 0
    count_due_s: float = 0.0
    load_tries: int = 0
    claims: str | None = None
    error: MailtrayError | None = None
    troubles: dict[str, MailSourceError] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    granted: frozenset[str] = frozenset()
    lacking: AuthError | None = None
    clock_offset_s: float | None = None

    def is_due(self, now_s: float) -> bool:
        """Say whether a poll should start now."""
        return not self.is_busy and self.due_s is not None and self.due_s <= now_s

    def ask(self, now_s: float) -> bool:
        """Bring the next poll forward as far as the server allows.

        Returns:
            False where polling makes no sense: the account has to sign in first.
        """
        if isinstance(self.error, SignInRequired):
            return False
        self.count_due_s = now_s
        if self.is_busy:
            self.is_asked = True
        else:
            self.due_s = max(now_s, self.not_before_s)
        return True

    @property
    def is_busy(self) -> bool:
        """Whether a fetch is on its way."""
        return self.order is not None

    def wish_for(self, wishes: Collection[Wish]) -> None:
        """Watch these folders from now on, and no others."""
        if self.places.keys() == set(wishes):
            return
        self.places = {
            wish: self.places.get(wish) or (FolderPlace(wish.key, wish.words) if wish.key else None)
            for wish in wishes
        }
        self.seen = {key: seen for key, seen in self.seen.items() if key in self.keys}
        self.uncounted.clear()
        self.is_pruned = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the folders that were found."""
        found = [one.key for one in self.places.values() if isinstance(one, FolderPlace)]
        return tuple(dict.fromkeys(found))

    def to_find(self, *, anew: bool) -> tuple[Wish, ...]:
        """Return the folders to look for; where ``anew``, those that were nowhere as well."""
        found = self.places.items()
        return tuple(
            wish
            for wish, place in found
            if place is None or (anew and not isinstance(place, FolderPlace))
        )

    def wish_scopes(self, scopes: tuple[str, ...]) -> None:
        """Ask for these permissions from now on, for all that they give."""
        if self.scopes not in {(), scopes}:
            self._forget_lacking()
        self.scopes = scopes

    def _forget_lacking(self) -> None:
        # What an old cursor asks for is what could be had then.
        self.seen = {key: replace(seen, cursor=None) for key, seen in self.seen.items()}
        self.lacking = None

    def place_of(self, key: str) -> tuple[Wish, FolderPlace]:
        """Return as what a watched folder was wished for, and where it is."""
        return next(
            (wish, place)
            for wish, place in self.places.items()
            if isinstance(place, FolderPlace) and place.key == key
        )

    def unloaded(self) -> tuple[str, ...]:
        """Return the keys of the folders of which it is not known yet what is remembered."""
        return tuple(key for key in self.keys if key not in self.seen)

    def was_tried(self, keys: Collection[str]) -> None:
        """Let the folders that were just tried come last the next time."""
        self.seen = {
            key: self.seen[key]
            for is_last in (False, True)
            for key in self.seen
            if (key in keys) is is_last
        }

    @property
    def told(self) -> frozenset[MessageId]:
        """The messages that have a notification."""
        return frozenset(one for seen in self.seen.values() for one in seen.told)

    @property
    def unread_count(self) -> int:
        """How many unread messages its folders hold, as far as is known."""
        return sum(seen.unread_count for seen in self.seen.values())

    def put_off_loading(self, now_s: float) -> bool:
        """Try again soon to read what is remembered; False where it is time to do without."""
        if self.load_tries >= len(LOAD_PAUSES_S):
            return False
        self.due_s = now_s + LOAD_PAUSES_S[self.load_tries]
        self.load_tries += 1
        return True

    def put_off(self) -> None:
        """Give the present poll up: the next is due as soon as what is remembered can be read."""
        self.order = None
        self.finished = self.started

    def start(self) -> None:
        """Note that a poll starts."""
        self.is_asked = self.is_network_new = False
        self.started += 1

    def succeed(self, now_s: float, *, interval_s: float, dice: float, counted: bool) -> float:
        """Note a good poll; returns the seconds until the next."""
        delay_s = schedule.next_delay(interval_s, dice)
        self._end(now_s, delay_s)
        self.failures, self.error, self.not_before_s = 0, None, 0.0
        self.is_current = True
        if counted:
            self.count_due_s = now_s + schedule.COUNT_EVERY_S
        return delay_s

    def fail(
        self, error: MailtrayError, now_s: float, *, interval_s: float, dice: float
    ) -> float | None:
        """Note a failed poll; returns the seconds until the next, or ``None``."""
        if self.failures == 0:
            self.failing_since_s = now_s
        self.failures += 1
        self.error = error
        self.is_current = False
        delay_s = schedule.retry_delay(
            error,
            interval_s=interval_s,
            failures=self.failures,
            failing_s=now_s - self.failing_since_s,
            dice=dice,
        )
        self.not_before_s = now_s + (getattr(error, "retry_after_s", None) or 0.0)
        if self.is_network_new and isinstance(error, Unreachable):
            delay_s, self.failures = schedule.network_up_delay(dice), 0
        self._end(now_s, delay_s)
        return delay_s

    def _end(self, now_s: float, delay_s: float | None) -> None:
        self.order = self.clock_offset_s = None
        self.finished = self.started
        self.due_s = None if delay_s is None else now_s + delay_s
        if self.is_asked and self.due_s is not None:
            self.due_s = max(now_s, self.not_before_s)

    def wake(self, now_s: float) -> None:
        """Start afresh after a sleep of the computer: the network may be another one."""
        self.failures = 0
        self.is_current = False
        if self.due_s is not None:
            self.due_s = max(now_s + schedule.WAKE_GRACE_S, self.not_before_s)

    def network_up(self, now_s: float, dice: float) -> None:
        """Begin the back-off anew where it was for want of a network."""
        if self.is_busy:
            self.is_network_new = True  # what is on its way may have begun without one
        elif isinstance(self.error, Unreachable) and self.due_s is not None:
            self.failures = 0
            soon_s = max(now_s + schedule.network_up_delay(dice), self.not_before_s)
            self.due_s = min(self.due_s, soon_s)

    def look_at_clock(self, offset_s: float, now_s: float) -> None:
        """Try once more where a wrong clock was the trouble and it was set."""
        if self.clock_offset_s is not None and schedule.was_set(self.clock_offset_s, offset_s):
            self.clock_offset_s, self.due_s = None, now_s

    def resume(self, account: Account, now_s: float) -> None:
        """Go on from the old cursor after a sign-in; what is on its way is of the old one."""
        self.order = None
        self.account = account
        self.is_current = False
        self.claims, self.error, self.failures = None, None, 0
        if self.lacking is not None:
            self._forget_lacking()
        self.clock_offset_s = None
        self.due_s = max(now_s, self.not_before_s)
