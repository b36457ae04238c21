"""The poller: one thread that owns status, state, vault and schedule, and serves one inbox."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from mailtray.app import answers
from mailtray.app.barrier import attempt
from mailtray.app.commands import (
    Ask,
    CancelSignIn,
    CheckNow,
    Clicked,
    Command,
    Fetched,
    Gone,
    HookTrouble,
    NetworkUp,
    NotifierAvailable,
    OpenMailbox,
    OpenMessage,
    OpenPage,
    PauseFor,
    PresenceSeen,
    Quit,
    Resume,
    SignIn,
    SignInEnded,
    SignInPage,
    SignOut,
    TellNotice,
    TrayMissing,
    TrayShown,
    Woke,
    from_menu,
)
from mailtray.app.cycle import KeepFirst, Order, Reading, read_mailbox
from mailtray.app.doorman import Doorman
from mailtray.app.front_desk import FrontDesk
from mailtray.app.herald import Herald
from mailtray.app.keeper import Keeper
from mailtray.app.sign_in import SignInFlow
from mailtray.app.watch import Watch
from mailtray.core import changes, schedule, status, text
from mailtray.core.compose import compose
from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    MailtrayError,
    SignInCancelled,
    SignInRequired,
    StateError,
    VaultError,
)
from mailtray.core.model import Account, AuthAction, Changes, Seen, SignedIn
from mailtray.core.status import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailtray.app.workers import Workers
    from mailtray.app.world import Wishes, World
    from mailtray.core.model import AccountId, Message, TrayView
    from mailtray.core.peace import Pause

_log = logging.getLogger(__name__)

AFTER_FAULT_S = 30.0
TRAY_HINT_S = 15.0
LAST_FETCH_S = 0.5


def _attention_tag(account_id: AccountId) -> str:
    return f"attention-{account_id}"


def _permission_tag(account_id: AccountId) -> str:
    return f"permission-{account_id}"


class Poller:
    """Decides when; the whole of the program's state is in here.

    Attributes:
        inbox: Where every other thread puts its commands.
    """

    def __init__(
        self, world: World, wishes: Wishes, inbox: SimpleQueue[Command], workers: Workers
    ) -> None:
        self._world = world
        self._wishes = wishes
        self.inbox = inbox
        self._workers = workers
        self._clock = world.clock
        self._watches: dict[AccountId, Watch] = {}
        self._herald = Herald(world.notifier, world.events, self._username)
        self._flow = SignInFlow(world.identity, inbox.put, workers)
        self._keeper = Keeper(world.vault, world.clock)
        self._doorman = Doorman(world.state, world.clock, wishes)
        self._told_pause: Pause | None = None
        self._desk = FrontDesk(self._watches, self._state)
        self._status = status.Status(is_configured=wishes.unconfigured is None)
        self._signing_in: AccountId | None = None
        self._sign_in_wish: SignIn | None = None
        self._next_sign_in: SignIn | None = None
        self._tray_hint: tuple[float, MailtrayError] | None = None
        self._same_wake_until_s = -math.inf
        self._shown_status: status.Status | None = None
        self._shown_view: TrayView | None = None
        self._told_state: dict[str, object] = {}

    # -- the thread ---------------------------------------------------------------------------

    def run(self) -> None:
        """Serve the inbox until ``Quit``."""
        # A keyring may ask for its password before anything else can be known.
        attempt(self._publish)
        command: Command | None = None
        woke = False
        while not isinstance(command, Quit):
            wait_s = self._guarded_step(command, woke=woke)
            asked, asked_s = self._clock.now(), self._clock.monotonic_s()
            try:
                command = self.inbox.get(timeout=wait_s)
            except Empty:
                command = None
            waited_s = self._clock.monotonic_s() - asked_s
            wall_s = (self._clock.now() - asked).total_seconds()
            woke = schedule.has_slept(wait_s, waited_s, wall_s)
        self.close()

    def _guarded_step(self, command: Command | None, *, woke: bool) -> float | None:
        outcome = attempt(lambda: self.step(command, woke=woke))
        if isinstance(outcome, MailtrayError):
            self._notice(Source.PROGRAM, outcome)
            return AFTER_FAULT_S
        return outcome

    def close(self) -> None:
        """Let go of everything that outlives a poll."""
        world = self._world
        for let_go in (
            self._keep_last,
            self._flow.cancel,
            world.hook.close,
            world.state.close,
            world.notifier.close,
            world.mail.close,
            world.tray.stop,
        ):
            attempt(let_go)

    def _keep_last(self) -> None:
        """Keep the refresh tokens that are just being rotated; the old ones may be void."""
        deadline_s = self._clock.monotonic_s() + LAST_FETCH_S
        while any(watch.is_busy for watch in self._watches.values()):
            try:
                command = self.inbox.get(timeout=max(0.0, deadline_s - self._clock.monotonic_s()))
            except Empty:
                return
            if isinstance(command, Fetched):
                watch = self._watches.get(command.order.account.id)
                if watch is None or watch.order is not command.order:
                    continue
                watch.order = None
                if isinstance(command.outcome, KeepFirst):
                    self._keeper.keep(watch.account.id, command.outcome.cache, is_asked=False)

    def step(self, command: Command | None, *, woke: bool = False) -> float | None:
        """Handle one command, start the polls that are due, and show how it is.

        Returns:
            Seconds until something is due, or ``None`` where nothing is.
        """
        now_s = self._clock.monotonic_s()
        if woke or (isinstance(command, Woke) and now_s >= self._same_wake_until_s):
            self._wake(now_s)
        for watch in self._watches.values():
            watch.look_at_clock(self._clock_offset_s(), now_s)
        if self._keeper.due_s is not None and self._keeper.due_s <= now_s:
            self._restore()
        self._mind_peace()
        if command is not None:
            self._handle(command)
        self._give_tray_hint(now_s)
        self._start_due_polls()
        self._desk.release()
        self._publish()
        return self._wait_s()

    def _clock_offset_s(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic_s()

    def _wake(self, now_s: float) -> None:
        _log.info("the computer slept")
        # The clocks and the system tell of the same sleep, each in its own time.
        self._same_wake_until_s = now_s + schedule.SAME_WAKE_S
        for watch in self._watches.values():
            watch.wake(now_s)

    def _wait_s(self) -> float | None:
        dues = [w.due_s for w in self._watches.values() if w.due_s is not None and not w.is_busy]
        if self._keeper.due_s is not None:
            dues.append(self._keeper.due_s)
        if self._tray_hint is not None:
            dues.append(self._tray_hint[0])
        if any(watch.clock_offset_s is not None for watch in self._watches.values()):
            dues.append(self._clock.monotonic_s() + schedule.CLOCK_LOOK_S)
        waits = [max(0.0, due_s - self._clock.monotonic_s()) for due_s in dues]
        if (peace_s := self._doorman.wait_s()) is not None:
            waits.append(peace_s)
        return min(waits, default=None)

    # -- commands -----------------------------------------------------------------------------

    def _handle(self, command: Command) -> None:
        match command:
            case Fetched(order, outcome):
                self._fetched(order, outcome)
            case CheckNow():
                self._check_now()
            case SignIn() | CancelSignIn() | SignInPage() | SignInEnded() | SignOut():
                self._handle_sign_in(command)
            case Ask(request, replies):
                self._answer(request, replies)
            case Gone(replies):
                self._desk.drop(replies)
                self._give_up_unwaited()
            case _:
                self._handle_click(command)

    def _handle_sign_in(
        self, command: SignIn | CancelSignIn | SignInPage | SignInEnded | SignOut
    ) -> None:
        match command:
            case SignIn():
                self._sign_in(command)
            case CancelSignIn():
                self._cancel_sign_in()
            case SignInPage():
                self._sign_in_page(command)
            case SignInEnded(outcome):
                self._sign_in_ended(outcome)
            case SignOut(account):
                if account is None:
                    self._sign_out_all()
                elif account in self._watches:
                    self._sign_out(account)

    def _handle_click(self, command: Command) -> None:
        match command:
            case OpenMailbox() | OpenMessage() | OpenPage():
                self._open_wished(command)
            case TellNotice():
                self._tell_notice()
            case Clicked(notification):
                self._herald.clicked(notification)
                if notification.link:
                    self._open(notification.link)
                elif notification.command:
                    self._handle(from_menu(notification.command, notification.account or ""))
            case NotifierAvailable():
                self._pay_debts()
                self._tell_leftovers()
            case _:
                self._handle_tray(command)

    def _handle_tray(self, command: Command) -> None:
        match command:
            case TrayMissing(error):
                # Panels come up late after a login; only one that stays away is worth a word.
                self._tray_hint = (self._clock.monotonic_s() + TRAY_HINT_S, error)
            case TrayShown():
                self._tray_hint = None
                self._herald.retract("tray")
            case _:
                self._handle_system(command)

    def _handle_system(self, command: Command) -> None:
        match command:
            case NetworkUp():
                now_s = self._clock.monotonic_s()
                for watch in self._watches.values():
                    watch.network_up(now_s, self._clock.dice())
            case HookTrouble(error):
                if error is None:
                    self._herald.retract("hook")
                else:
                    self._herald.announce("hook", error, command="")
            case PauseFor() | Resume() | PresenceSeen():
                self._handle_peace(command)

    def _handle_peace(self, command: PauseFor | Resume | PresenceSeen) -> None:
        match command:
            case PauseFor(wish):
                self._doorman.pause_for(wish)
            case Resume():
                self._doorman.keep(None)
            case PresenceSeen(presence):
                self._doorman.see(presence)
        self._mind_peace()

    def _mind_peace(self) -> None:
        """Find out whether the person may be disturbed; once they may, tell what waited."""
        quiet, was_quiet = self._doorman.look(), self._herald.is_quiet
        self._herald.is_quiet = quiet is not None
        if self._doorman.trouble is not None:
            error, self._doorman.trouble = self._doorman.trouble, None
            self._state_failed(error)
        if self._doorman.pause != self._told_pause:
            self._told_pause = self._doorman.pause
            self._world.events.emit(answers.pause_event(self._told_pause))
        if quiet != self._status.quiet:
            _log.info("quiet: %s", None if quiet is None else quiet.why.value)
            self._reduce(status.QuietChanged(quiet))
        if was_quiet and quiet is None:
            self._pay_debts()
            self._tell_leftovers()

    def _give_tray_hint(self, now_s: float) -> None:
        if self._tray_hint is not None and self._tray_hint[0] <= now_s:
            self._herald.announce("tray", self._tray_hint[1], command="")
            self._tray_hint = None

    def _check_now(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._keeper.is_owed:
            self._restore()
        for watch in self._watches.values():
            watch.ask(now_s)

    def _open_wished(self, command: OpenMailbox | OpenMessage | OpenPage) -> None:
        match command:
            case OpenMailbox():
                self._open(self._wishes.places.mailbox)
            case OpenMessage(message_id):
                self._open_message(message_id)
            case OpenPage(url):
                self._open(url)

    def _open_message(self, message_id: str) -> None:
        for watch in self._watches.values():
            for known, message in watch.seen.unread.items():
                if known == message_id:
                    self._open(self._wishes.places.allow(message.web_link))
                    return
        self._open(self._wishes.places.mailbox)

    def _open(self, url: str) -> None:
        # A text browser runs until its user quits it, so this has a thread of its own.
        def work() -> None:
            attempt(lambda: self._world.opener.open(url))

        self._workers.start("mailtray-open", work)

    def _tell_notice(self) -> None:
        error = self._wishes.unconfigured or self._status.notice
        if error is not None:
            is_vault = isinstance(error, VaultError)
            self._herald.remind("notice", error, command="check_now" if is_vault else "tell_notice")

    # -- accounts -----------------------------------------------------------------------------

    def _restore(self) -> None:
        """Take over the accounts that the vault keeps, and give it what it still lacks."""
        if self._wishes.unconfigured is not None:
            self._keeper.due_s = None
            self._notice(Source.SETTINGS, self._wishes.unconfigured)
            self._herald.announce("notice", self._wishes.unconfigured, command="tell_notice")
            return
        caches = self._keeper.settle(self._watches)
        self._note_vault()
        if self._keeper.is_owed:
            return
        found = [self._restored(account_id, cache) for account_id, cache in caches.items()]
        self._watches.update({watch.account.id: watch for watch in found})
        self._reduce(status.Started(tuple(watch.account for watch in found)))
        for watch in found:
            if watch.error is not None:
                self._failed(watch, watch.error)

    def _restored(self, account_id: AccountId, cache: str | None) -> Watch:
        account = None if cache is None else self._world.identity.restore(account_id, cache)
        if account is None:
            watch = Watch(Account(account_id, "this account"), due_s=None)
            watch.error = SignInRequired("The saved sign-in is damaged", "Choose “Sign in again”.")
        else:
            watch = Watch(account)
        return watch

    def _load(self, watch: Watch) -> None:
        """Take over what is remembered, or put the poll off while it cannot be read.

        Another program may hold the file for a moment, and a baseline in its stead would lose
        what arrived since. Where it stays unreadable, mailtray goes on in memory.
        """
        state = self._world.state
        try:
            watch.seen = state.load(watch.account.id, watch.folder)
        except StateError as error:
            self._notice(Source.STATE, error)
            watch.put_off_loading(self._clock.monotonic_s())
            if watch.is_loaded:
                self._state_failed(error)
            return
        watch.is_loaded = True
        if state.set_aside is not None:
            damaged = StateError(
                text.STATE_SET_ASIDE, text.state_set_aside_hint(state.set_aside.name)
            )
            self._herald.announce("state-set-aside", damaged, command="tell_notice")

    def _sign_in(self, wish: SignIn) -> None:
        if self._wishes.unconfigured is not None:
            self._tell_notice()
            self._desk.end_sign_in(answers.failure(self._wishes.unconfigured))
            return
        if self._flow.is_running:
            self._sign_in_again(wish)
            return
        self._sign_in_wish = wish
        if wish.account or wish.is_another:
            watch = self._watches.get(wish.account) if wish.account else None
        else:
            watch = self._only_stopped_watch()
        self._signing_in = None if watch is None else watch.account.id
        is_known = watch is not None and "@" in watch.account.username
        self._flow.start(
            self._wishes.scopes,
            login_hint=watch.account.username if watch is not None and is_known else None,
            claims=watch.claims if watch is not None else None,
            deadline_s=self._wishes.sign_in_deadline_s,
            by_device_code=wish.by_device_code,
        )
        self._reduce(status.SignInStarted())

    def _sign_in_again(self, wish: SignIn) -> None:
        """Go on with the sign-in that runs, or end it where it is not what is wished."""
        is_other = wish.is_waited_for and wish.by_device_code != self._flow.by_device_code
        if self._flow.is_cancelled or is_other:
            self._cancel_sign_in()
            self._next_sign_in = wish
            return
        if not wish.is_waited_for:
            self._sign_in_wish = wish
        if self._flow.page is not None:
            self._open(self._flow.page.url)

    def _cancel_sign_in(self) -> None:
        self._next_sign_in = None
        self._flow.cancel()

    def _give_up_unwaited(self) -> None:
        """End a sign-in that was only for those who have gone."""
        if self._desk.awaits_sign_in:
            return
        if self._next_sign_in is not None and self._next_sign_in.is_waited_for:
            self._next_sign_in = None
        if self._sign_in_wish is not None and self._sign_in_wish.is_waited_for:
            self._flow.cancel()

    def _sign_in_page(self, page: SignInPage) -> None:
        if self._flow.opened(page):
            self._world.events.emit({"event": "sign_in", "url": page.url, "code": page.code})
            self._desk.tell_page(page)
            self._reduce(status.SignInAt(page.url, page.code))

    def _only_stopped_watch(self) -> Watch | None:
        stopped = [
            one
            for one in self._watches.values()
            if isinstance(one.error, AuthError) or one.lacking is not None
        ]
        return stopped[0] if len(stopped) == 1 else None

    def _sign_in_ended(self, outcome: SignedIn | MailtrayError) -> None:
        wish, self._next_sign_in = self._next_sign_in, None
        was_cancelled = self._flow.is_cancelled
        self._flow.ended()
        if wish is not None:
            self._sign_in(wish)
            return
        if was_cancelled and isinstance(outcome, SignedIn):
            # The person finished a page that they, or a sign-out, had given up.
            outcome = SignInCancelled(*text.SIGN_IN_CANCELLED)
        if isinstance(outcome, SignedIn):
            self._signed_in(outcome)
        else:
            self._sign_in_failed(outcome)

    def _sign_in_failed(self, outcome: MailtrayError) -> None:
        self._reduce(status.SignInFailed(outcome))
        asked = self._watches.get(self._signing_in) if self._signing_in else None
        if isinstance(outcome, AuthBlocked) and asked and isinstance(asked.error, AuthError):
            self._blocked(asked, outcome)
        elif not isinstance(outcome, SignInCancelled):
            command = "sign_in" if outcome.transient else status.remedy(outcome)
            self._herald.remind("sign-in", outcome, command=command)
        self._desk.end_sign_in(answers.failure(outcome))

    def _signed_in(self, outcome: SignedIn) -> None:
        account = outcome.account
        self._herald.retract("sign-in")
        self._keep(account.id, outcome.cache, is_asked=True)
        self._world.identity.adopt(outcome)
        if account.id not in self._watches:
            self._watches[account.id] = Watch(account)
        self._watches[account.id].resume(account, self._clock.monotonic_s())
        self._reduce(status.SignInSucceeded(account))
        self._herald.retract(_attention_tag(account.id))
        self._herald.retract(_permission_tag(account.id))
        self._desk.end_sign_in(answers.signed_in(account))

    def _sign_out_all(self) -> MailtrayError | None:
        """Erase everything of everybody; returns why something was left, or ``None``."""
        self._cancel_sign_in()
        known = [*self._watches]
        if self._keeper.is_owed:
            known += self._keeper.settle(self._watches)
        troubles = [trouble for one in known if (trouble := self._sign_out(one)) is not None]
        return next(iter(troubles), self._keeper.trouble)

    def _blocked(self, watch: Watch, error: AuthBlocked) -> None:
        """Take back the offer to sign in again: that led to something it does not help against."""
        watch.error = error
        self._reduce(status.Failed(watch.account.id, error, self._clock.now()))
        self._herald.remind(
            _attention_tag(watch.account.id),
            error,
            command=status.remedy(error) or "check_now",
            account=watch.account.id,
        )

    def _sign_out(self, account_id: AccountId) -> MailtrayError | None:
        """Erase everything of one account; returns why something was left, or ``None``."""
        self._watches.pop(account_id, None)
        self._world.identity.forget(account_id)
        self._herald.withdraw(account_id, frozenset())
        self._herald.retract(_attention_tag(account_id))
        self._herald.retract(_permission_tag(account_id))
        self._reduce(status.SignedOut(account_id))
        self._keep(account_id, None, is_asked=True)
        try:
            self._world.state.forget(account_id)
        except StateError as error:
            self._state_failed(error)
            return error
        return self._keeper.trouble

    def _keep(self, account_id: AccountId, cache: str | None, *, is_asked: bool = False) -> None:
        self._keeper.keep(account_id, cache, is_asked=is_asked)
        self._note_vault()

    def _note_vault(self) -> None:
        trouble = self._keeper.trouble
        self._notice(Source.VAULT, trouble)
        if trouble is None:
            self._herald.retract("vault")
        else:
            self._herald.announce("vault", trouble, command="check_now")

    # -- polls --------------------------------------------------------------------------------

    def _start_due_polls(self) -> None:
        now_s = self._clock.monotonic_s()
        for watch in self._watches.values():
            if watch.is_due(now_s) and not watch.is_loaded:
                self._load(watch)
            if watch.is_due(now_s):
                watch.start()
                is_whole = watch.lacking is None
                self._submit(
                    watch,
                    Order(
                        account=watch.account,
                        folder=watch.folder,
                        scopes=self._wishes.scopes if is_whole else self._wishes.least_scopes,
                        least_scopes=self._wishes.least_scopes if is_whole else (),
                        lacking=watch.lacking,
                        seen=watch.seen,
                        with_count=watch.count_due_s <= now_s,
                    ),
                )

    def _submit(self, watch: Watch, order: Order) -> None:
        watch.order = order
        world, post = self._world, self.inbox.put

        def work() -> None:
            outcome = attempt(lambda: read_mailbox(world.identity, world.mail, world.clock, order))
            post(Fetched(order, outcome))

        self._workers.submit(work)

    def _fetched(self, order: Order, outcome: Reading | KeepFirst | MailtrayError) -> None:
        watch = self._watches.get(order.account.id)
        if watch is None or watch.order is not order:
            return  # signed out, or in again, while the request was on its way
        if isinstance(outcome, KeepFirst):
            # Watched over by the keeper, whatever the keyring raises.
            self._keep(order.account.id, outcome.cache)
            self._submit(watch, outcome.order)
            return
        # A fault of mailtray's own must not leave the account waiting for ever.
        result = attempt(lambda: self._take(watch, outcome))
        if isinstance(result, MailtrayError) and watch.is_busy:
            self._failed(watch, result)

    def _take(self, watch: Watch, outcome: Reading | MailtrayError) -> None:
        if isinstance(outcome, Reading):
            self._read(watch, outcome)
        else:
            self._failed(watch, outcome)

    def _read(self, watch: Watch, reading: Reading) -> None:
        found = reading.changes
        self._pay_debts()
        self._tell(watch, found)
        if found.retired:
            self._herald.withdraw(watch.account.id, watch.seen.told)
        self._herald.retract(_attention_tag(watch.account.id))
        self._note_lacking(watch, reading.lacking)
        self._told_polled(watch, reading)

    def _note_lacking(self, watch: Watch, lacking: AuthError | None) -> None:
        watch.lacking = lacking
        if lacking is not None:
            account = watch.account.id
            tag = _permission_tag(account)
            self._herald.announce(tag, lacking, command="sign_in", account=account)

    def _pay_debts(self) -> None:
        self._herald.pay()
        self._notice(Source.NOTIFIER, self._herald.trouble)

    def _tell(self, watch: Watch, found: Changes) -> None:
        """Show, then advance: what could not be shown stays untold."""
        notifications = compose(
            found,
            watch.account,
            self._wishes.places,
            max_single=self._wishes.max_single,
            name_account=len(self._watches) > 1,
        )
        told = self._herald.tell(notifications)
        self._run_hook(watch, [message for message in found.arrived if message.id in told])
        self._notice(Source.NOTIFIER, self._herald.trouble)
        self._remember(watch, changes.advance(found, told))

    def _run_hook(self, watch: Watch, told: Sequence[Message]) -> None:
        for message in told:
            link = self._wishes.places.allow(message.web_link)
            username = watch.account.username
            self._world.hook.run(answers.told_message(username, message, link))

    def _told_polled(self, watch: Watch, reading: Reading) -> None:
        next_s = watch.succeed(
            self._clock.monotonic_s(),
            interval_s=self._wishes.interval_s,
            dice=self._clock.dice(),
            counted=reading.counted,
        )
        latest = changes.latest_unread(watch.seen, status.LATEST_SHOWN)
        count = watch.seen.unread_count
        self._reduce(
            status.Polled(watch.account.id, count, latest, self._clock.now(), watch.lacking)
        )
        self._notice(Source.PROGRAM, None)
        self._world.events.emit(
            {
                "event": "polled",
                "account": watch.account.username,
                "arrived": len(reading.changes.arrived),
                "requests": reading.requests,
                "next_s": round(next_s, 3),
            }
        )

    def _remember(self, watch: Watch, seen: Seen) -> None:
        watch.seen = seen
        try:
            self._world.state.save(watch.account.id, watch.folder, seen)
        except StateError as error:
            self._state_failed(error)
        else:
            self._notice(Source.STATE, None)
            self._herald.retract("state")

    def _state_failed(self, error: StateError) -> None:
        self._notice(Source.STATE, error)
        self._herald.announce("state", error, command="tell_notice")

    def _tell_leftovers(self) -> None:
        """Tell at once, without a poll, what quiet or a missing notification server left untold."""
        for watch in self._watches.values():
            if watch.seen.untold and not watch.is_busy:
                left = Changes(watch.seen.untold, frozenset(), watch.seen, is_catch_up=True)
                self._tell(watch, left)

    def _failed(self, watch: Watch, error: MailtrayError) -> None:
        now = self._clock.now()
        delay_s = watch.fail(
            error,
            self._clock.monotonic_s(),
            interval_s=self._wishes.interval_s,
            dice=self._clock.dice(),
        )
        retry = None if delay_s is None else now + timedelta(seconds=delay_s)
        self._reduce(status.Failed(watch.account.id, error, now, retry))
        if isinstance(error, AuthError):
            watch.claims = error.claims or watch.claims
            if error.action is AuthAction.CHECK_CLOCK:
                watch.clock_offset_s = self._clock_offset_s()
        if not error.transient:
            self._herald.announce(
                _attention_tag(watch.account.id),
                error,
                command=status.remedy(error) or "check_now",
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

    # -- words --------------------------------------------------------------------------------

    def _reduce(self, event: status.Event) -> None:
        self._status = status.reduce(self._status, event)

    def _notice(self, source: Source, error: MailtrayError | None) -> None:
        self._reduce(status.Noticed(source, error))

    def _state(self) -> Mapping[str, object]:
        return answers.state(self._status, self._doorman.now())

    def _username(self, account_id: AccountId | None) -> str:
        watch = self._watches.get(account_id) if account_id else None
        return "" if watch is None else watch.account.username

    def _publish(self) -> None:
        """Show the status on the tray and, where it changed, as event lines."""
        if self._status is self._shown_status:
            return
        self._shown_status = self._status
        view = status.view(self._status, self._doorman.now())
        if view != self._shown_view:
            self._world.tray.render(view)
            self._shown_view = view
        told_before, self._told_state = self._told_state, {}
        for key, event in answers.status_events(self._status, view):
            self._told_state[key] = (event["state"], event["unread"], event["error"])
            if self._told_state[key] != told_before.get(key):
                self._world.events.emit(event)

    # -- other processes ----------------------------------------------------------------------

    def _answer(
        self, request: Mapping[str, object], replies: SimpleQueue[Mapping[str, object]]
    ) -> None:
        match request.get("command"):
            case "status":
                replies.put(self._state())
            case "check" if self._wishes.unconfigured is not None:
                replies.put(answers.failure(self._wishes.unconfigured))
            case "check":
                self._check_now()
                self._desk.wait_for_polls(replies, self._clock.monotonic_s())
            case "signin":
                self._answer_sign_in(by_device_code=bool(request.get("by_device_code")), to=replies)
            case "signout":
                left = self._sign_out_all()
                replies.put({"done": True} if left is None else answers.failure(left))
            case "pause" | "resume":
                self._answer_peace(request, replies)
            case "quit":
                replies.put({"done": True})
                self.inbox.put(Quit())
            case unknown:
                replies.put({"done": True, "error": f"unknown command {unknown!r}"})

    def _answer_peace(
        self, request: Mapping[str, object], replies: SimpleQueue[Mapping[str, object]]
    ) -> None:
        is_pause = request.get("command") == "pause"
        try:
            self._handle_peace(PauseFor(str(request.get("for"))) if is_pause else Resume())
        except ValueError as exc:
            replies.put({"done": True, "error": str(exc), "kind": "settings"})
        else:
            replies.put(self._state())

    def _answer_sign_in(
        self, *, by_device_code: bool, to: SimpleQueue[Mapping[str, object]]
    ) -> None:
        wish = SignIn(by_device_code=by_device_code, is_waited_for=True)
        coming = self._next_sign_in
        is_other = by_device_code != (coming or self._flow).by_device_code
        if self._flow.is_running and (is_other or (coming is None and self._flow.is_cancelled)):
            # Who waits for that one hears of its end before the new one is waited for.
            self._desk.end_sign_in(answers.failure(SignInCancelled(*text.SIGN_IN_CANCELLED)))
            self._flow.cancel()
        self._desk.wait_for_sign_in(to, self._flow.page)
        self._sign_in(wish)
