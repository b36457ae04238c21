"""Never miss, never repeat: random lives of two mailboxes against a plain reference.

The machine does to the mailboxes what people, rules and servers do, and to the program what
desktops and crashes do. The reference knows nothing of rounds, cursors and keys: after each poll
that came back it looks into the mailboxes themselves.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from mailtray.app.commands import (
    Act,
    Clicked,
    MarkAllRead,
    NotifierAvailable,
    PauseFor,
    Resume,
    SignIn,
    Undo,
)
from mailtray.core.deeds import ON_MESSAGES
from mailtray.core.errors import (
    CursorExpired,
    InvalidResponse,
    ServiceUnavailable,
    SignInCancelled,
    Throttled,
    TokenRejected,
    Unreachable,
)
from tests.app.rig import ANN, BEN, Rig
from tests.fakes.state import FakeStateStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.app.watch import Watch
    from mailtray.core.model import Account, AccountId, MessageId, Seen

FIRST_SYNC_MESSAGES = 12
OLD_MESSAGES = 15
IS_SOAK = os.environ.get("MAILTRAY_SOAK") == "1"

ACCOUNTS = st.sampled_from([ANN, BEN])
TROUBLES = st.sampled_from(
    [
        Unreachable("No connection"),
        Throttled("Busy", retry_after_s=30.0),
        Throttled("Busy"),
        ServiceUnavailable("Down"),
        InvalidResponse("?"),
        CursorExpired("?"),
        TokenRejected("?"),
        TokenRejected("?", claims="{}"),
    ]
)


class Killed(BaseException):
    """The program is killed in the middle of a poll."""


class MortalStore(FakeStateStore):
    """A state store that kills the program in place of a save."""

    def __init__(self) -> None:
        super().__init__()
        self.saves_left: int | None = None

    def save(self, account: AccountId, folder: str, seen: Seen) -> None:
        if self.saves_left == 0:
            raise Killed
        if self.saves_left is not None:
            self.saves_left -= 1
        super().save(account, folder, seen)


@dataclass
class Reference:
    """What a person who looks into the mailbox after each poll would expect of one account.

    Attributes:
        met: Messages that were in the Inbox at some poll.
        owed: Messages that were new and unread then and not told of yet.
        told: How often each message was told of in polls that were remembered.
    """

    is_baseline: bool = True
    met: set[MessageId] = field(default_factory=set)
    owed: set[MessageId] = field(default_factory=set)
    told: Counter[MessageId] = field(default_factory=Counter)

    def polled(self, covered: set[MessageId], unread: set[MessageId]) -> None:
        # Who left before the person heard of it is news wherever it turns up.
        self.met -= self.owed - covered
        if not self.is_baseline:
            self.owed |= (covered & unread) - self.met
        self.is_baseline = False
        self.met |= covered
        self.owed &= unread

    def shown(self, messages: Counter[MessageId]) -> None:
        assert set(messages) <= self.owed, "told of a message that is not new"
        assert set(messages.values()) <= {1}, "told twice in one poll"
        self.told += messages
        self.owed -= set(messages)


class TwoMailboxes(RuleBasedStateMachine):
    """Two accounts and one program."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(ANN, BEN)
        self.store = MortalStore()
        self.rig.state = self.store
        self.rig = Rig(before=self.rig)
        self.references = {account.id: Reference() for account in (ANN, BEN)}
        self.names = 0
        for account in (ANN, BEN):
            box = self.rig.box(account)
            box.first_sync_messages = FIRST_SYNC_MESSAGES
            for n in range(OLD_MESSAGES):
                box.deliver(f"{account.id}-old{n}", is_read=n % 2 == 0)
        self._watch(self.rig.do)

    # -- what happens to the mail -------------------------------------------------------------

    @rule(account=ACCOUNTS, how_many=st.integers(1, 5), is_read=st.booleans())
    def deliver(self, account: Account, how_many: int, is_read: bool) -> None:
        self._deliver(account, how_many, is_read=is_read, to_inbox=True)

    @rule(account=ACCOUNTS)
    def deliver_elsewhere(self, account: Account) -> None:
        self._deliver(account, 1, is_read=False, to_inbox=False)

    def _deliver(self, account: Account, how_many: int, *, is_read: bool, to_inbox: bool) -> None:
        names = [f"{account.id}-{self.names + n}" for n in range(how_many)]
        self.names += how_many
        self.rig.box(account).deliver(*names, is_read=is_read, to_inbox=to_inbox)

    @rule(account=ACCOUNTS, data=st.data(), is_read=st.booleans())
    def mark(self, account: Account, data: st.DataObject, is_read: bool) -> None:
        if name := self._any(data, set(self.rig.box(account).messages)):
            self.rig.box(account).mark(name, is_read=is_read)

    @rule(account=ACCOUNTS, data=st.data())
    def move_out(self, account: Account, data: st.DataObject) -> None:
        if name := self._any(data, self.rig.box(account).inbox):
            self.rig.box(account).move_out(name)

    @rule(account=ACCOUNTS, data=st.data())
    def move_in(self, account: Account, data: st.DataObject) -> None:
        box = self.rig.box(account)
        if name := self._any(data, box.messages.keys() - box.inbox):
            box.move_in(name)

    @rule(account=ACCOUNTS, data=st.data())
    def move_out_and_back(self, account: Account, data: st.DataObject) -> None:
        if name := self._any(data, self.rig.box(account).inbox):
            self.rig.box(account).move_out(name)
            self.rig.box(account).move_in(name)

    @rule(account=ACCOUNTS, data=st.data())
    def delete(self, account: Account, data: st.DataObject) -> None:
        if name := self._any(data, set(self.rig.box(account).messages)):
            self.rig.box(account).delete(name)

    @staticmethod
    def _any(data: st.DataObject, names: set[MessageId]) -> MessageId | None:
        # The newest first: what happens to old mail matters less, and examples shrink better.
        return data.draw(st.sampled_from(sorted(names, reverse=True))) if names else None

    # -- what the person does -----------------------------------------------------------------

    @rule(data=st.data(), is_menu=st.booleans(), is_undone=st.booleans())
    def act(self, data: st.DataObject, is_menu: bool, is_undone: bool) -> None:
        known = {one: watch for watch in self._watches() for one in _unread(watch)}
        name = self._any(data, set(known))
        if name is None:
            return
        action = data.draw(st.sampled_from(ON_MESSAGES))
        shown = [one for one in self.rig.notifier.on_screen.values() if name in one.message_ids]
        # Whoever acts on a message knows of it.
        self.references[known[name].account.id].owed.discard(name)
        if is_menu or not shown:
            self._watch(lambda: self.rig.do(Act(action, name)))
        else:
            for one in shown[0].message_ids:
                self.references[known[name].account.id].owed.discard(one)
            self._watch(lambda: self.rig.do(Clicked(shown[0], action)))
        if is_undone:
            self.undo_last()

    @rule()
    def undo_last(self) -> None:
        offered = [item.argument for item in self.rig.view.menu if item.command == "undo"]
        if offered:
            self._watch(lambda: self.rig.do(Undo(offered[0])))

    @rule(account=ACCOUNTS)
    def mark_all_read(self, account: Account) -> None:
        for watch in self._watches():
            if watch.account.id == account.id:
                self.references[account.id].owed -= _unread(watch)
        self._watch(lambda: self.rig.do(MarkAllRead(account.id)))

    @rule()
    def lack_the_permission_to_change(self) -> None:
        self.rig.identity.refused_scopes = {"Mail.ReadWrite"}

    @rule(account=ACCOUNTS, is_willing=st.booleans())
    def answer_for_the_permission(self, account: Account, is_willing: bool) -> None:
        asked = [item for item in self.rig.view.menu if item.command == "allow_changes"]
        if account.id in {item.argument for item in asked}:
            self.rig.identity.person = account
            refusal = None if is_willing else SignInCancelled("Cancelled")
            self.rig.identity.answers_with = refusal
            self._watch(lambda: self._sign_in_to_change(account))
            self.rig.identity.answers_with = None

    def _sign_in_to_change(self, account: Account) -> None:
        self.rig.do(SignIn(account.id, is_to_change=True))
        self.rig.finish_sign_in()

    # -- what happens to the server -----------------------------------------------------------

    @rule(account=ACCOUNTS)
    def drop_sync_state(self, account: Account) -> None:
        self.rig.box(account).drop_sync_state()

    @rule(account=ACCOUNTS, troubles=st.lists(TROUBLES, min_size=1, max_size=3))
    def get_into_trouble(self, account: Account, troubles: list[Unreachable]) -> None:
        self.rig.box(account).troubles += troubles

    @rule(account=ACCOUNTS, data=st.data())
    def take_up_habits(self, account: Account, data: st.DataObject) -> None:
        habits = self.rig.box(account).habits
        for habit in ("forgets_returns", "tells_in_part", "repeats", "replays", "newest_first"):
            setattr(habits, habit, data.draw(st.booleans()))

    @rule()
    def expire_tokens(self) -> None:
        self.rig.identity.expire_tokens()

    # -- what happens to the program ----------------------------------------------------------

    @rule()
    def check(self) -> None:
        self._watch(self.rig.check)

    @rule(seconds=st.sampled_from([1.0, 61.0, 1_000.0]))
    def pass_time(self, seconds: float) -> None:
        self._watch(lambda: self.rig.pass_time(seconds))

    @rule(hours=st.sampled_from([-9.0, 9.0]), woke=st.booleans())
    def jump_clock(self, hours: float, woke: bool) -> None:
        self.rig.clock.jump(hours * 3_600.0)
        self._watch(lambda: self.rig.do(woke=woke))

    @rule(shows=st.integers(0, 2))
    def lose_notification_server(self, shows: int) -> None:
        self.rig.notifier.shows_left = shows

    @rule()
    def find_notification_server(self) -> None:
        self.rig.notifier.shows_left = None
        self._watch(lambda: self.rig.do(NotifierAvailable()))

    @rule(wish=st.sampled_from(["10m", "forever"]))
    def pause(self, wish: str) -> None:
        self._watch(lambda: self.rig.do(PauseFor(wish)))
        shown = len(self.rig.notifier.shown)
        self._watch(self.rig.check)
        assert len(self.rig.notifier.shown) == shown, "disturbed in a pause"

    @rule()
    def resume(self) -> None:
        self._watch(lambda: self.rig.do(Resume()))

    @rule()
    def restart(self) -> None:
        self.rig.poller.close()
        self._start()

    @rule(saves=st.integers(0, 1))
    def kill_between_showing_and_remembering(self, saves: int) -> None:
        self.store.saves_left = saves
        self._watch(self.rig.check)
        self.store.saves_left = None
        self._start()

    def _start(self) -> None:
        self.rig = Rig(before=self.rig)
        self._watch(self.rig.do)

    @precondition(lambda self: any(w.due_s is None for w in self._watches()))
    @rule()
    def sign_in_again(self) -> None:
        self._watch(self._sign_in_where_needed)

    def _watches(self) -> list[Watch]:
        return list(self.rig.poller._watches.values())

    def _sign_in_where_needed(self) -> None:
        for watch in list(self.rig.poller._watches.values()):
            if watch.due_s is None:
                self.rig.identity.person = watch.account
                self.rig.sign_in(watch.account)

    # -- what must hold -----------------------------------------------------------------------

    def _watch(self, act: Callable[[], None]) -> None:
        """Let the program do something and hold it against the references."""
        shown, events = len(self.rig.notifier.shown), len(self.rig.sink.events)
        is_killed = False
        try:
            act()
        except Killed:
            is_killed = True
        polled = {
            event["account"]
            for event in self.rig.sink.events[events:]
            if event["event"] == "polled"
        }
        for account in (ANN, BEN):
            told = Counter(
                one
                for notification in self.rig.notifier.shown[shown:]
                if notification.account == account.id
                for one in notification.message_ids
            )
            reference, box = self.references[account.id], self.rig.box(account)
            if account.username in polled:
                reference.polled(box.covered(), box.unread())
                reference.shown(told)
            elif is_killed and told:
                # Shown and not remembered: a repeat is allowed, but of what is new only.
                assert set(told) <= reference.owed | (
                    (box.covered() & box.unread()) - reference.met
                )
            else:
                reference.shown(told)

    def teardown(self) -> None:
        self.at_peace()

    @rule()
    def at_peace(self) -> None:
        """Let all faults end: then everything is told and the number is the truth."""
        for account in (ANN, BEN):
            self.rig.box(account).troubles.clear()
        self.rig.notifier.shows_left = None
        self._watch(lambda: self.rig.do(Resume()))
        self._watch(self._sign_in_where_needed)
        self._watch(lambda: self.rig.pass_time(31.0))
        self._watch(self.rig.check)
        for account in (ANN, BEN):
            assert self.references[account.id].owed == set(), "a message was missed"
        truth = sum(len(self.rig.box(account).unread()) for account in (ANN, BEN))
        assert self.rig.view.count == truth


def _unread(watch: Watch) -> set[MessageId]:
    """Return the messages that the program knows to be unread."""
    return {one for seen in watch.seen.values() for one in seen.unread}


TwoMailboxes.TestCase.settings = settings(
    max_examples=20_000 if IS_SOAK else 300,
    stateful_step_count=50 if IS_SOAK else 30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(7_200 if IS_SOAK else 180)
class TestTwoMailboxes(TwoMailboxes.TestCase):  # type: ignore[misc, valid-type] # made by Hypothesis
    """Runs the machine; a slow computer is no fault."""
