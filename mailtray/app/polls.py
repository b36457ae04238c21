"""The polls: when each starts, what becomes of what it brought, and when the next is due."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from mailtray.app import answers
from mailtray.app.barrier import attempt
from mailtray.app.commands import Fetched
from mailtray.app.cycle import Acted, KeepFirst, Listed, Located, Order, Reading, read_mailbox
from mailtray.app.herald import attention_tag, folder_tag, permission_tag
from mailtray.app.judge import Judge
from mailtray.app.watch import clock_offset_s
from mailtray.core import changes, panel, status, text
from mailtray.core.compose import Wording, compose
from mailtray.core.deeds import Action
from mailtray.core.errors import AccessDenied, AuthError, MailSourceError, MailtrayError, StateError
from mailtray.core.history import History
from mailtray.core.language import _
from mailtray.core.model import AuthAction, Changes, Seen
from mailtray.core.rules import Verdict
from mailtray.core.status import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mailtray.app.board import Board
    from mailtray.app.commands import Command
    from mailtray.app.deeds import Deeds
    from mailtray.app.herald import Herald
    from mailtray.app.keeper import Keeper
    from mailtray.app.memory import Memory
    from mailtray.app.trees import Trees
    from mailtray.app.watch import Watch
    from mailtray.app.workers import Workers
    from mailtray.app.world import Wishes, World
    from mailtray.core.model import AccountId, Message, MessageId

_log = logging.getLogger(__name__)


class Polls:
    """Runs the polls of all accounts; used by the poller only.

    Args:
        world: The adapters.
        wishes: The settings.
        workers: Where fetches wait for the network.
        post: Takes what they bring.
        watches: The poller's own.
        board: The status.
        herald: Who tells.
        keeper: Who keeps the token caches.
        memory: Who remembers.
        deeds: What is to be done besides reading.
        trees: Who waits for trees of folders.

    Attributes:
        history: What the last day was like.
    """

    def __init__(  # noqa: PLR0913 - the poller's parts, all by keyword
        self,
        *,
        world: World,
        wishes: Wishes,
        workers: Workers,
        post: Callable[[Command], None],
        watches: Mapping[AccountId, Watch],
        board: Board,
        herald: Herald,
        keeper: Keeper,
        memory: Memory,
        deeds: Deeds,
        trees: Trees,
    ) -> None:
        self._world = world
        self._wishes = wishes
        self._workers = workers
        self._post = post
        self._clock = world.clock
        self._watches = watches
        self._board = board
        self._herald = herald
        self._keeper = keeper
        self._memory = memory
        self._deeds = deeds
        self._trees = trees
        self.history = History()
        self._judge = Judge(wishes)

    def start_due(self) -> None:
        """Start the polls that are due."""
        now_s = self._clock.monotonic_s()
        for watch in self._watches.values():
            if watch.is_due(now_s):
                watch.wish_for(self._wishes.settings.folders_for(watch.account.username))
                self._load(watch)
            if watch.is_due(now_s):
                watch.start()
                self._submit(watch, self._order(watch, with_count=watch.count_due_s <= now_s))

    def _order(self, watch: Watch, *, with_count: bool) -> Order:
        settings, username = self._wishes.settings, watch.account.username
        scopes, least_scopes = settings.scopes_for(username), settings.least_scopes_for(username)
        watch.wish_scopes(scopes)
        is_whole = watch.lacking is None
        return Order(
            account=watch.account,
            scopes=scopes if is_whole else least_scopes,
            least_scopes=least_scopes if is_whole else (),
            lacking=watch.lacking,
            seen=dict(watch.seen),
            to_find=watch.to_find(anew=with_count),
            with_count=with_count,
            step=self._deeds.next_step(watch),
            to_list=self._trees.wanted(watch.account),
        )

    def _load(self, watch: Watch) -> None:
        """Take over what is remembered, or put the poll off while it cannot be read.

        Another program may hold the file for a moment, and a baseline in its stead would lose
        what arrived since. Where it stays unreadable, mailtray goes on in memory.
        """
        state, account = self._world.state, watch.account.id
        try:
            self._deeds.load(account)
            watch.seen |= {key: state.load(account, key) for key in watch.unloaded()}
            if not watch.is_pruned and not watch.to_find(anew=True):
                # What came into a folder while it was not watched is not to be told of later.
                state.keep_only(account, watch.keys)
                watch.is_pruned = True
        except StateError as error:
            self._board.notice(Source.STATE, error)
            if not watch.put_off_loading(self._clock.monotonic_s()):
                watch.seen |= {key: Seen() for key in watch.unloaded()}
                watch.is_pruned = True
                self._memory.failed(error)
            return
        if state.set_aside is not None:
            damaged = StateError(
                _(text.STATE_SET_ASIDE), text.state_set_aside_hint(state.set_aside.name)
            )
            self._herald.announce("state-set-aside", damaged, command="")

    def _submit(self, watch: Watch, order: Order) -> None:
        watch.order = order
        world, post = self._world, self._post

        def work() -> None:
            outcome = attempt(lambda: read_mailbox(world.identity, world.mail, world.clock, order))
            post(Fetched(order, outcome))

        self._workers.submit(work)

    def fetched(
        self,
        order: Order,
        outcome: Reading | KeepFirst | Located | Listed | Acted | MailtrayError,
    ) -> None:
        """Take what a fetch thread brought."""
        watch = self._watches.get(order.account.id)
        if watch is None or watch.order is not order:
            return  # signed out, or in again, while the request was on its way
        if isinstance(outcome, KeepFirst):
            # Watched over by the keeper, whatever the keyring raises.
            self._keeper.keep(order.account.id, outcome.cache, is_asked=False)
            self._submit(watch, outcome.order)
            return
        if isinstance(outcome, Acted):
            attempt(lambda: self._deeds.acted(watch, outcome))
            self._submit(watch, outcome.order)
            return
        if isinstance(outcome, Listed):
            self._trees.listed(watch.account, outcome.trees)
            self._submit(watch, outcome.order)
            return
        if isinstance(outcome, Located):
            self._go_on(watch, outcome)
            return
        # A fault of mailtray's own must not leave the account waiting for ever.
        result = attempt(lambda: self._take(watch, outcome))
        if isinstance(result, MailtrayError) and watch.is_busy:
            self.failed(watch, result)

    def _go_on(self, watch: Watch, found: Located) -> None:
        """Go on with a poll now that it is known where the folders are."""
        watch.places.update(found.places)
        self._load(watch)
        if watch.unloaded():
            watch.put_off()
        elif watch.seen:
            self._submit(watch, replace(found.order, seen=dict(watch.seen)))
        else:
            nowhere = [one for one in watch.places.values() if isinstance(one, MailSourceError)]
            self.failed(watch, nowhere[0])

    def _take(self, watch: Watch, outcome: Reading | MailtrayError) -> None:
        if isinstance(outcome, Reading):
            self._read(watch, outcome)
        else:
            self.failed(watch, outcome)

    def _read(self, watch: Watch, reading: Reading) -> None:
        found = self._deeds.leave_out(watch, reading.changes)
        had_gap = not watch.is_current
        self.pay_debts()
        self._tell(watch, found, at_rest=not reading.counted)
        watch.was_tried(reading.tried)
        watch.granted = reading.scopes
        watch.looked.clear()
        if any(one.retired for one in found.values()):
            self._herald.withdraw(watch.account.id, watch.told)
        self._note_lacking(watch, reading.lacking)
        self._note_troubles(watch, reading)
        if reading.stopped is not None:
            self.failed(watch, reading.stopped)
            return
        self._herald.retract(attention_tag(watch.account.id))
        self._told_polled(watch, reading)
        self._deeds.was_read(watch, had_gap=had_gap)

    def _note_troubles(self, watch: Watch, reading: Reading) -> None:
        """Say which folders cannot be read while others can."""
        found = {wish.words: one for wish, one in watch.places.items()}
        troubles = {path: one for path, one in found.items() if isinstance(one, MailtrayError)}
        troubles |= {watch.place_of(key)[1].path: one for key, one in reading.troubles.items()}
        account = watch.account.id
        for path in [path for path in watch.troubles if path not in troubles]:
            self._herald.retract(folder_tag(account, path))
        watch.troubles = {
            path: type(one)(text.in_folder(path, one.title), one.hint, request_id=one.request_id)
            for path, one in troubles.items()
        }
        for path, trouble in troubles.items():
            # What is missing for want of a permission was said already.
            is_said = watch.lacking is not None and isinstance(trouble, AccessDenied)
            if not (trouble.transient or is_said):
                tag = folder_tag(account, path)
                self._herald.announce(
                    tag, watch.troubles[path], command=status.EXPLAIN, account=account
                )

    def _note_lacking(self, watch: Watch, lacking: AuthError | None) -> None:
        watch.lacking = lacking
        account = watch.account.id
        tag = permission_tag(account)
        if lacking is None:
            self._herald.retract(tag)
        else:
            command = status.remedy(lacking)
            self._herald.announce(tag, lacking, command=command, account=account)

    def pay_debts(self) -> None:
        """Try again to tell what is owed of mailtray itself."""
        self._herald.pay()
        self._board.notice(Source.NOTIFIER, self._herald.trouble)

    def _tell(self, watch: Watch, found: Mapping[str, Changes], *, at_rest: bool = False) -> None:
        """Show, then advance: what could not be shown stays untold."""
        together = changes.merge_arrivals(found.values())
        rulings = self._judge.rule(watch, found)
        left_out = frozenset(i for i, one in rulings.items() if one.verdict is not Verdict.NOTIFY)
        together = replace(
            together, arrived=tuple(one for one in together.arrived if one.id not in left_out)
        )
        told: frozenset[MessageId] = frozenset()
        if together.arrived:
            told = self._herald.tell(compose(together, watch.account, self._wording(), rulings))
            self._run_hook(watch, [message for message in together.arrived if message.id in told])
        self._board.notice(Source.NOTIFIER, self._herald.trouble)
        after = {key: changes.advance(one, told, left_out) for key, one in found.items()}
        followed = changes.follow_moves(watch.seen, {**watch.seen, **after})
        self._memory.remember(watch, followed, at_rest=at_rest)

    def _wording(self) -> Wording:
        settings = self._wishes.settings
        return Wording(
            places=self._wishes.places,
            now=self._clock.now().astimezone(self._wishes.zone),
            max_single=settings.max_single_notifications,
            name_account=len(self._watches) > 1,
            privacy=self._wishes.privacy(self._world.presence.look()),
            group_conversations=settings.group_conversations,
            buttons=tuple(map(Action, settings.buttons)),
        )

    def look(self) -> None:
        """Remember that the person has looked at all that came so far."""
        for watch in self._watches.values():
            watch.looked |= {one for seen in watch.seen.values() for one in seen.unlooked}
            # What a fetch on its way knows of the folders is from before the look.
            if watch.looked and not watch.is_busy:
                self._memory.remember(watch, watch.seen)
                watch.looked.clear()

    def tell_leftovers(self) -> None:
        """Tell at once, without a poll, what quiet or a missing notification server left untold."""
        for watch in self._watches.values():
            left = {
                key: Changes(seen.untold, frozenset(), seen, is_catch_up=True)
                for key, seen in watch.seen.items()
                if seen.untold
            }
            if left and not watch.is_busy:
                self._tell(watch, left)

    def _run_hook(self, watch: Watch, told: Sequence[Message]) -> None:
        for message in told:
            link = self._wishes.places.allow(message.web_link)
            username = watch.account.username
            self._world.hook.run(answers.told_message(username, message, link))

    def _told_polled(self, watch: Watch, reading: Reading) -> None:
        next_s = watch.succeed(
            self._clock.monotonic_s(),
            interval_s=self._wishes.settings.interval_s,
            dice=self._clock.dice(),
            counted=reading.counted,
        )
        uncounted = self._judge.uncounted(watch)
        latest = changes.latest_unread(watch.seen.values(), panel.LATEST_KEPT, uncounted)
        unlooked = frozenset(one for seen in watch.seen.values() for one in seen.unlooked)
        self._board.reduce(
            status.Polled(
                watch.account.id,
                max(0, watch.unread_count - len(uncounted)),
                latest,
                self._clock.now(),
                new=len(unlooked - uncounted),
                lacking=watch.lacking,
                troubles=tuple(watch.troubles.values()),
            )
        )
        self._board.notice(Source.PROGRAM, None)
        arrived = sum(len(one.arrived) for one in reading.changes.values())
        self.history.note(self._clock.now(), polls=1, arrivals=arrived)
        self._world.events.emit(
            {
                "event": "polled",
                "account": watch.account.username,
                "arrived": arrived,
                "requests": reading.requests,
                "next_s": round(next_s, 3),
            }
        )

    def failed(self, watch: Watch, error: MailtrayError) -> None:
        """Say why an account's mail cannot be read, and decide when to try again."""
        now, step = self._clock.now(), None if watch.order is None else watch.order.step
        self.history.note(now, faults=1)
        watch.was_tried([*watch.seen][:1])
        delay_s = watch.fail(
            error,
            self._clock.monotonic_s(),
            interval_s=self._wishes.settings.interval_s,
            dice=self._clock.dice(),
        )
        self._deeds.failed(watch, error, step)
        retry = None if delay_s is None else now + timedelta(seconds=delay_s)
        self._board.reduce(status.Failed(watch.account.id, error, now, retry))
        if isinstance(error, AuthError):
            watch.claims = error.claims or watch.claims
            if error.action is AuthAction.CHECK_CLOCK:
                watch.clock_offset_s = clock_offset_s(self._clock)
        if not error.transient:
            self._herald.announce(
                attention_tag(watch.account.id),
                error,
                command=status.remedy(error),
                account=watch.account.id,
            )
        _log.info("poll failed: %s, next in %s s", type(error).__name__, delay_s)
        self._world.events.emit(
            {
                "event": "failed",
                "account": watch.account.username,
                "error": error.title,
                "next_s": None if delay_s is None else round(delay_s, 3),
            }
        )
