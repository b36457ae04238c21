"""The poller: one thread that owns status, state, vault and schedule, and serves one inbox."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING
from urllib.parse import quote

from mailtray.app import answers
from mailtray.app.accounts import Accounts
from mailtray.app.barrier import attempt
from mailtray.app.board import Board
from mailtray.app.commands import (
    Act,
    Ask,
    CancelSignIn,
    CheckNow,
    Clicked,
    Command,
    Fetched,
    Gone,
    HookTrouble,
    Looked,
    MarkAllRead,
    NetworkUp,
    NotifierAvailable,
    OpenMailbox,
    OpenMessage,
    OpenOwnPage,
    OpenPage,
    PauseFor,
    Quit,
    Resume,
    SignIn,
    SignInEnded,
    SignInPage,
    SignOut,
    ToggleAutostart,
    TrayMissing,
    TrayShown,
    Undo,
    Woke,
    from_menu,
)
from mailtray.app.cycle import KeepFirst
from mailtray.app.deeds import Deeds
from mailtray.app.doorman import Doorman
from mailtray.app.front_desk import FrontDesk
from mailtray.app.herald import Herald
from mailtray.app.inbox import take
from mailtray.app.keeper import Keeper
from mailtray.app.memory import Memory
from mailtray.app.polls import Polls
from mailtray.app.sign_in import SignInFlow
from mailtray.app.steward import Steward
from mailtray.app.trees import Trees
from mailtray.app.trial import tried
from mailtray.app.watch import clock_offset_s
from mailtray.core import schedule, status, troubles
from mailtray.core.errors import (
    MailtrayError,
    VaultLocked,
)
from mailtray.core.language import _
from mailtray.core.status import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from queue import SimpleQueue

    from mailtray.app.watch import Watch
    from mailtray.app.workers import Workers
    from mailtray.app.world import Wishes, World
    from mailtray.core.model import AccountId, MessageId, Notification
    from mailtray.core.peace import Pause

_log = logging.getLogger(__name__)

AFTER_FAULT_S = 30.0
TRAY_HINT_S = 15.0
LAST_FETCH_S = 0.5


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
        self._keeper = Keeper(world.vault, world.clock)
        self._doorman = Doorman(world.state, world.clock, world.presence, wishes)
        self._told_pause: Pause | None = None
        self._board = Board(
            world.tray,
            world.events,
            self._doorman.now,
            wishes,
        )
        self._steward = Steward(world.settings, wishes, self._board, self._herald)
        self._memory = Memory(world.state, self._board, self._herald)
        self._deeds = Deeds(
            world=world,
            wishes=wishes,
            watches=self._watches,
            board=self._board,
            herald=self._herald,
            memory=self._memory,
            open_message=self._open_message,
        )
        self._desk = FrontDesk(self._watches, self._board.answer)
        self._trees = Trees(self._watches, wishes, world.clock)
        self._polls = Polls(
            world=world,
            wishes=wishes,
            workers=workers,
            post=inbox.put,
            watches=self._watches,
            board=self._board,
            herald=self._herald,
            keeper=self._keeper,
            memory=self._memory,
            deeds=self._deeds,
            trees=self._trees,
        )
        self._accounts = Accounts(
            world=world,
            wishes=wishes,
            watches=self._watches,
            flow=SignInFlow(world.identity, inbox.put, workers),
            board=self._board,
            herald=self._herald,
            keeper=self._keeper,
            desk=self._desk,
            polls=self._polls,
            memory=self._memory,
            deeds=self._deeds,
            open_page=self._open,
        )
        self._tray_hint: tuple[float, MailtrayError] | None = None
        self._same_wake_until_s = -math.inf

    # -- the thread ---------------------------------------------------------------------------

    def run(self) -> None:
        """Serve the inbox until ``Quit``."""
        self._see_autostart()
        # A keyring may ask for its password before anything else can be known.
        attempt(self._board.publish)
        command: Command | None = None
        woke = False
        while not isinstance(command, Quit):
            wait_s = self._guarded_step(command, woke=woke)
            asked, asked_s = self._clock.now(), self._clock.monotonic_s()
            command = take(self.inbox, wait_s)
            waited_s = self._clock.monotonic_s() - asked_s
            wall_s = (self._clock.now() - asked).total_seconds()
            woke = schedule.has_slept(wait_s, waited_s, wall_s)
        self.close()

    def _guarded_step(self, command: Command | None, *, woke: bool) -> float | None:
        outcome = attempt(lambda: self.step(command, woke=woke))
        if isinstance(outcome, MailtrayError):
            self._board.notice(Source.PROGRAM, outcome)
            return AFTER_FAULT_S
        return outcome

    def close(self) -> None:
        """Let go of everything that outlives a poll."""
        world = self._world
        for let_go in (
            self._keep_last,
            self._accounts.cancel_sign_in,
            world.hook.close,
            world.state.close,
            world.notifier.close,
            world.mail.close,
            world.tray.stop,
        ):
            attempt(let_go)
        if not self.starts_over:
            # A page that changed the settings is to show what came of it.
            attempt(world.pages.close)

    def _keep_last(self) -> None:
        """Keep the refresh tokens that are just being rotated; the old ones may be void."""
        deadline_s = self._clock.monotonic_s() + LAST_FETCH_S
        while any(watch.is_busy for watch in self._watches.values()):
            command = take(self.inbox, max(0.0, deadline_s - self._clock.monotonic_s()))
            if command is None:
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
            watch.look_at_clock(clock_offset_s(self._clock), now_s)
        if self._keeper.due_s is not None and self._keeper.due_s <= now_s:
            self._accounts.restore()
        self._mind_settings()
        self._mind_peace()
        if command is not None:
            self._handle(command)
        self._give_tray_hint(now_s)
        self._deeds.look(now_s)
        self._polls.start_due()
        self._desk.release()
        self._trees.release()
        self._note_vault()
        self._board.publish()
        return self._wait_s()

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
        if self._deeds.due_s is not None:
            dues.append(self._deeds.due_s)
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
                self._polls.fetched(order, outcome)
            case CheckNow():
                self._check_now()
            case SignIn() | CancelSignIn() | SignInPage() | SignInEnded() | SignOut():
                self._handle_sign_in(command)
            case Ask(request, replies):
                self._answer(request, replies)
            case Gone(replies):
                self._board.drop(replies)
                self._desk.drop(replies)
                self._deeds.drop(replies)
                self._trees.drop(replies)
                self._accounts.give_up_unwaited()
            case _:
                self._handle_click(command)

    def _handle_sign_in(
        self, command: SignIn | CancelSignIn | SignInPage | SignInEnded | SignOut
    ) -> None:
        match command:
            case SignIn():
                self._accounts.sign_in(command)
            case CancelSignIn():
                self._accounts.cancel_sign_in()
            case SignInPage():
                self._accounts.sign_in_page(command)
            case SignInEnded(outcome):
                self._accounts.sign_in_ended(outcome)
            case SignOut(account):
                if account is None:
                    self._accounts.sign_out_all()
                elif account in self._watches:
                    self._accounts.sign_out(account)

    def _handle_click(self, command: Command) -> None:
        match command:
            case Looked() | OpenMailbox() | OpenMessage() | OpenPage():
                self._open_wished(command)
            case OpenOwnPage(page):
                self._world.pages.open(page)
            case Clicked(notification, ""):
                self._clicked(notification)
            case Clicked(notification, button):
                self._deeds.press(notification, button)
                self._look()
            case Act() | MarkAllRead() | Undo():
                self._deeds.handle(command)
            case NotifierAvailable():
                self._polls.pay_debts()
                self._polls.tell_leftovers()
            case _:
                self._handle_tray(command)

    def _clicked(self, notification: Notification) -> None:
        self._herald.clicked(notification)
        self._look()
        if len(notification.message_ids) == 1:
            self._open_message(notification.message_ids[0], notification.link)
        elif notification.link:
            self._open(notification.link)
        elif notification.command:
            program = notification.tag if notification.command == status.EXPLAIN else ""
            self._handle(from_menu(notification.command, notification.account or program))

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
            case ToggleAutostart():
                self._toggle_autostart()
            case NetworkUp():
                now_s = self._clock.monotonic_s()
                for watch in self._watches.values():
                    watch.network_up(now_s, self._clock.dice())
            case HookTrouble(error):
                if error is None:
                    self._herald.retract("hook")
                else:
                    self._herald.announce("hook", error, command="")
            case PauseFor() | Resume():
                self._handle_peace(command)

    def _handle_peace(self, command: PauseFor | Resume) -> None:
        match command:
            case PauseFor(wish):
                self._doorman.pause_for(wish)
            case Resume():
                self._doorman.keep(None)
        self._mind_peace()

    def _mind_settings(self) -> None:
        """Take changed settings over, and look at once at the mail that they are about."""
        if not self._steward.look():
            return
        if self._steward.starts_over:
            self.inbox.put(Quit())
        else:
            self._check_now()

    @property
    def starts_over(self) -> bool:
        """Whether the program is to begin anew once it has ended, with other settings."""
        return self._steward.starts_over

    def _mind_peace(self) -> None:
        """Find out whether the person may be disturbed; once they may, tell what waited."""
        quiet, was_quiet = self._doorman.look(), self._herald.is_quiet
        self._herald.is_quiet = quiet is not None
        if self._doorman.trouble is not None:
            error, self._doorman.trouble = self._doorman.trouble, None
            self._memory.failed(error)
        if self._doorman.pause != self._told_pause:
            self._told_pause = self._doorman.pause
            self._world.events.emit(answers.pause_event(self._told_pause))
        if quiet != self._board.status.quiet:
            _log.info("quiet: %s", None if quiet is None else quiet.why.value)
            self._board.reduce(status.QuietChanged(quiet))
        if was_quiet and quiet is None:
            self._polls.pay_debts()
            self._polls.tell_leftovers()

    def _give_tray_hint(self, now_s: float) -> None:
        if self._tray_hint is not None and self._tray_hint[0] <= now_s:
            self._herald.announce("tray", self._tray_hint[1], command="")
            self._tray_hint = None

    def _check_now(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._keeper.is_owed:
            self._accounts.restore()
        for watch in self._watches.values():
            watch.ask(now_s)

    def _toggle_autostart(self) -> None:
        autostart, is_on = self._world.autostart, self._board.status.starts_at_login
        error = attempt(autostart.turn_off if is_on else autostart.turn_on)
        if isinstance(error, MailtrayError):
            self._herald.remind("autostart", error, command="")
        self._see_autostart()

    def _see_autostart(self) -> None:
        """Find out whether a login starts the program; who else may change it tells nobody."""
        started = attempt(self._world.autostart.started)
        is_on = None if isinstance(started, MailtrayError) else bool(started)
        if is_on != self._board.status.starts_at_login:
            self._board.reduce(status.StartAtLogin(is_on))

    def _look(self) -> None:
        """Count as new from now on what comes from now on."""
        self._polls.look()
        self._board.reduce(status.Looked())
        self._see_autostart()

    def _open_wished(self, command: Looked | OpenMailbox | OpenMessage | OpenPage) -> None:
        match command:
            case OpenPage(url):
                self._open(url)
                return
            case OpenMailbox():
                self._open(self._wishes.places.mailbox)
            case OpenMessage(message_id):
                self._open_message(message_id)
            case Looked():
                pass
        self._look()

    def _open_message(self, message_id: MessageId, link: str = "") -> None:
        """Open a message as the person wishes; one that is not known by its link."""
        places = self._wishes.places
        for watch in self._watches.values():
            for seen in watch.seen.values():
                message = seen.unread.get(message_id)
                if message is not None:
                    name = message.internet_message_id.strip("<> ")
                    in_program = self._wishes.settings.open_in == "mail_program" and name
                    first = [f"mid:{quote(name)}"] if in_program else []
                    self._open(*first, places.allow(message.web_link))
                    return
        self._open(link or places.mailbox)

    def _open(self, *urls: str) -> None:
        """Open the first of some addresses that can be opened."""

        # A text browser runs until its user quits it, so this has a thread of its own.
        def work() -> None:
            for url in urls:
                if attempt(lambda url=url: self._world.opener.open(url)) is True:  # type: ignore[misc] # bound now
                    return

        self._workers.start("mailtray-open", work)

    def _note_vault(self) -> None:
        trouble = self._keeper.trouble
        self._board.notice(Source.VAULT, trouble)
        if trouble is None:
            self._herald.retract("vault")
        else:
            # To ask it again is what has it ask for its password.
            is_locked = isinstance(trouble, VaultLocked)
            command = "check_now" if is_locked else status.EXPLAIN
            self._herald.announce("vault", trouble, command=command)

    def _username(self, account_id: AccountId | None) -> str:
        watch = self._watches.get(account_id) if account_id else None
        return "" if watch is None else watch.account.username

    # -- other processes ----------------------------------------------------------------------

    def _answer(
        self, request: Mapping[str, object], replies: SimpleQueue[Mapping[str, object]]
    ) -> None:
        match request.get("command"):
            case "status" | "history" | "try_rules":
                replies.put(self._told(request))
            case "check" | "folders" if self._wishes.unconfigured is not None:
                replies.put(answers.failure(self._wishes.unconfigured))
            case "check":
                self._check_now()
                self._desk.wait_for_polls(replies, self._clock.monotonic_s())
            case "signin":
                self._accounts.answer_sign_in(
                    by_device_code=bool(request.get("by_device_code")), to=replies
                )
            case "signout":
                left = self._accounts.sign_out_all()
                replies.put({"done": True} if left is None else answers.failure(left))
            case "pause" | "resume":
                self._answer_peace(request, replies)
            case _:
                self._answer_more(request, replies)

    def _answer_more(
        self, request: Mapping[str, object], replies: SimpleQueue[Mapping[str, object]]
    ) -> None:
        match request.get("command"):
            case "act" | "mark_all_read":
                self._deeds.answer(request, replies)
            case "folders":
                self._trees.ask(request, replies)
            case "watch":
                self._board.be_watched(replies)
            case "looked":
                self._look()
                replies.put({"done": True})
            case "mend":
                replies.put({"done": True})
                self._mend(str(request.get("remedy")), str(request.get("about") or ""))
            case "show":
                self._world.pages.open("messages")
                replies.put({"done": True})
            case "quit":
                replies.put({"done": True})
                self.inbox.put(Quit())
            case unknown:
                problem = _("unknown command “{command}”").format(command=unknown)
                replies.put({"done": True, "error": problem})

    def _mend(self, remedy: str, about: str) -> None:
        """Do what mends a trouble, as far as mailtray can; see :mod:`mailtray.core.troubles`."""
        if remedy in troubles.MENDS:
            account = about if about in self._watches else ""
            self._handle(from_menu(remedy, account))

    def _told(self, request: Mapping[str, object]) -> Mapping[str, object]:
        if request["command"] == "status":
            return self._board.answer()
        if request["command"] == "try_rules":
            return tried(self._watches.values(), self._wishes.settings, request)
        scopes = {one.account.username: one.granted for one in self._watches.values()}
        return answers.history(self._polls.history.hours(self._clock.now()), scopes)

    def _answer_peace(
        self, request: Mapping[str, object], replies: SimpleQueue[Mapping[str, object]]
    ) -> None:
        is_pause = request.get("command") == "pause"
        try:
            self._handle_peace(PauseFor(str(request.get("for"))) if is_pause else Resume())
        except ValueError as exc:
            replies.put({"done": True, "error": str(exc), "kind": "settings"})
        else:
            replies.put(self._board.answer())
