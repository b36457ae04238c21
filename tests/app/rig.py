"""The poller in a world of fakes, with every thread's work done when the test says so."""

from __future__ import annotations

from collections import Counter
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from mailtray.adapters.system import LocalZone
from mailtray.app.commands import Ask, CheckNow, Command, SignIn
from mailtray.app.poller import Poller
from mailtray.app.world import Wishes, World
from mailtray.core.compose import Places
from mailtray.core.errors import NotifierError
from mailtray.core.model import INBOX, Account, AccountId, Notification, SignedIn
from mailtray.core.peace import Presence
from mailtray.core.settings import Settings
from tests.app.mailbox_model import Mailbox, Mailboxes
from tests.fakes.clock import FakeClock
from tests.fakes.identity import FakeIdentity
from tests.fakes.settings import FakeSettingsSource
from tests.fakes.state import FakeStateStore
from tests.fakes.vault import FakeVault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

    from mailtray.core.errors import MailtrayError
    from mailtray.core.model import MessageId, TrayView
    from mailtray.core.peace import QuietHours
    from mailtray.ports import MailSource

ANN = Account(AccountId("ann.home"), "ann@example.test", "Ann")
BEN = Account(AccountId("ben.home"), "ben@example.test")
MAILBOX = "https://outlook.office.com/mail/"
SCOPES = ("Mail.ReadBasic",)
INTERVAL_S = 60.0


class ScreenNotifier:
    """Notifications on a screen.

    Attributes:
        on_screen: What is shown, by tag.
        shown: All that was ever shown.
        shows_left: How many more are shown before it fails; ``None`` for all.
    """

    name = "screen"

    def __init__(self) -> None:
        self.on_screen: dict[str, Notification] = {}
        self.shown: list[Notification] = []
        self.shows_left: int | None = None
        self.is_closed = False

    def show(self, notification: Notification) -> None:
        if self.shows_left == 0:
            raise NotifierError("No notification server")
        if self.shows_left is not None:
            self.shows_left -= 1
        self.on_screen[notification.tag] = notification
        self.shown.append(notification)

    def withdraw(self, tags: Iterable[str]) -> None:
        for tag in tags:
            self.on_screen.pop(tag, None)

    def close(self) -> None:
        self.is_closed = True


class LastViewTray:
    """Keeps the views."""

    name = "views"

    def __init__(self) -> None:
        self.views: list[TrayView] = []
        self.is_stopped = False

    def render(self, view: TrayView) -> None:
        self.views.append(view)

    def run(self, until_quit: Callable[[], None]) -> None:
        until_quit()

    def stop(self) -> None:
        self.is_stopped = True


class EventList:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, object]] = []

    def emit(self, event: Mapping[str, object]) -> None:
        self.events.append(event)

    def close(self) -> None:
        return


class Desktop:
    """Tells what it is set to.

    Attributes:
        presence: How it is with the person.
    """

    def __init__(self) -> None:
        self.presence = Presence()

    def look(self) -> Presence:
        return self.presence


class OpenedPages:
    """Keeps the addresses.

    Attributes:
        refused: Beginnings of addresses that nothing opens.
    """

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.refused: tuple[str, ...] = ()

    def open(self, url: str) -> bool:
        if url.startswith(self.refused):
            return False
        self.urls.append(url)
        return True


class OwnPages:
    """Keeps which pages were opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.is_closed = False

    def open(self, page: str) -> None:
        self.opened.append(page)

    def close(self) -> None:
        self.is_closed = True


class HookedMessages:
    """Keeps what the person's hook was given."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, object]] = []
        self.is_closed = False

    def run(self, message: Mapping[str, object]) -> None:
        self.messages.append(message)

    def close(self) -> None:
        self.is_closed = True


class FakeAutostart:
    """Keeps whether a login starts the program.

    Attributes:
        error: What every change raises, or ``None``.
    """

    command: tuple[str, ...] = ("mailtray",)

    def __init__(self) -> None:
        self.error: MailtrayError | None = None
        self._started: tuple[str, ...] = ()

    def turn_on(self) -> None:
        self._change(self.command)

    def turn_off(self) -> None:
        self._change(())

    def started(self) -> tuple[str, ...]:
        return self._started

    def _change(self, started: tuple[str, ...]) -> None:
        if self.error is not None:
            raise self.error
        self._started = started


class HandCranked:
    """``Workers`` whose work waits until somebody turns the crank.

    Attributes:
        waiting: Submitted and not done.
        flows: Sign-in flows started and not done.
    """

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.flows: list[Callable[[], None]] = []

    def submit(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def start(self, name: str, work: Callable[[], None]) -> None:
        if name == "mailtray-sign-in":
            self.flows.append(work)
        else:
            work()


class Rig:
    """A poller and its world; whatever outlives a process is taken over from ``before``."""

    def __init__(
        self,
        *accounts: Account,
        before: Rig | None = None,
        unconfigured: MailtrayError | None = None,
        interval_s: float = INTERVAL_S,
        scopes: tuple[str, ...] = SCOPES,
        quiet_hours: tuple[QuietHours, ...] = (),
        is_heedful: bool = True,
        zone: tzinfo | None = None,
        mail: MailSource | None = None,
        folders: tuple[str, ...] = (INBOX,),
        icon_count: str = "unread",
    ) -> None:
        self.clock: FakeClock = before.clock if before else FakeClock()
        self.vault: FakeVault = before.vault if before else FakeVault()
        self.state: FakeStateStore = before.state if before else FakeStateStore()
        self.mail: Mailboxes = before.mail if before else Mailboxes(ANN, BEN)
        self.notifier: ScreenNotifier = before.notifier if before else ScreenNotifier()
        self.identity = FakeIdentity(self.clock)
        self.tray, self.sink, self.pages = LastViewTray(), EventList(), OpenedPages()
        self.hook, self.desktop, self.own_pages = HookedMessages(), Desktop(), OwnPages()
        self.autostart = FakeAutostart()
        self.workers = HandCranked()
        for account in accounts:
            self.vault.save(account.id, self.cache_of(account))
        self.settings = FakeSettingsSource(
            Settings(
                interval_s=interval_s,
                preview=scopes != SCOPES,
                quiet_hours=quiet_hours,
                quiet_in_do_not_disturb=is_heedful,
                quiet_when_locked=is_heedful,
                folders=folders,
                icon_count=icon_count,
            )
        )
        world = World(
            clock=self.clock,
            vault=self.vault,
            state=self.state,
            identity=self.identity,
            mail=mail or self.mail,
            notifier=self.notifier,
            tray=self.tray,
            events=self.sink,
            opener=self.pages,
            pages=self.own_pages,
            hook=self.hook,
            presence=self.desktop,
            settings=self.settings,
            autostart=self.autostart,
        )
        wishes = Wishes(
            settings=self.settings.settings,
            places=Places(MAILBOX, frozenset({"outlook.office.com"})),
            unconfigured=unconfigured,
            zone=zone or LocalZone(),
        )
        self.inbox: SimpleQueue[Command] = SimpleQueue()
        self.poller = Poller(world, wishes, self.inbox, self.workers)

    # -- turning the crank --------------------------------------------------------------------

    def do(self, *commands: Command, woke: bool = False) -> None:
        """Handle commands, and all that follows from them at once."""
        for command in commands or (None,):
            self.poller.step(command, woke=woke)
        self.settle()

    def settle(self) -> None:
        """Let all submitted work be done and all posted commands be handled."""
        while self.workers.waiting or not self.inbox.empty():
            self.work()
            self.read_inbox()

    def work(self) -> None:
        """Let the submitted work be done."""
        for work in self.workers.waiting.copy():
            self.workers.waiting.remove(work)
            work()

    def read_inbox(self) -> None:
        """Let the posted commands be handled."""
        while not self.inbox.empty():
            self.poller.step(self.inbox.get_nowait())

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with every poll at its time."""
        end_s = self.clock.monotonic_s() + seconds
        while True:
            self.do()
            wait_s = self.poller.step(None)
            left_s = end_s - self.clock.monotonic_s()
            if wait_s is None or wait_s > left_s:
                self.clock.advance(left_s)
                return
            self.clock.advance(wait_s)

    def check(self) -> None:
        """Poll every account now."""
        self.do(CheckNow())

    def ask(self, command: str, **more: object) -> SimpleQueue[Mapping[str, object]]:
        """Ask as another process does; the answers arrive in what is returned."""
        replies: SimpleQueue[Mapping[str, object]] = SimpleQueue()
        self.poller.step(Ask({"command": command, **more}, replies))
        return replies

    def sign_in(self, account: Account) -> None:
        """Sign in from the menu, with ``account``'s owner at the browser."""
        self.identity.person = account
        self.do(SignIn())
        self.finish_sign_in()

    def finish_sign_in(self) -> None:
        """Let the person at the browser answer."""
        for flow in self.workers.flows.copy():
            self.workers.flows.remove(flow)
            flow()
        self.settle()

    def cache_of(self, account: Account) -> str:
        """Return a token cache as a sign-in leaves it."""
        return self.signed_in(account).cache

    def signed_in(self, account: Account) -> SignedIn:
        """Return what a sign-in ends with."""
        other = FakeIdentity(self.clock)
        other.person = account
        return other.sign_in(
            SCOPES, login_hint=None, claims=None, deadline_s=300.0, on_url=lambda _: None
        )

    def troubles(self) -> list[dict[str, Any]]:
        """Return what other processes are told is wrong."""
        answer: Any = self.ask("status").get_nowait()
        return list(answer["troubles"])

    # -- what can be seen ---------------------------------------------------------------------

    def box(self, account: Account = ANN) -> Mailbox:
        return self.mail.of(account)

    @property
    def view(self) -> TrayView:
        return self.tray.views[-1]

    def events(self, kind: str) -> list[Mapping[str, object]]:
        return [event for event in self.sink.events if event["event"] == kind]

    def told(self) -> Counter[MessageId]:
        """Return how often each message was told of."""
        return Counter(one for shown in self.notifier.shown for one in shown.message_ids)

    def titles(self) -> list[str]:
        """Return the titles of all notifications that were shown."""
        return [shown.title for shown in self.notifier.shown]
