"""The accounts: taken over from the vault, signed in, signed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.app import answers
from mailtray.app.commands import SignIn
from mailtray.app.herald import attention_tag, permission_tag
from mailtray.app.watch import Watch
from mailtray.core import status, text
from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    MailtrayError,
    SignInCancelled,
    SignInRequired,
    StateError,
)
from mailtray.core.language import _
from mailtray.core.model import Account, SignedIn
from mailtray.core.status import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from queue import SimpleQueue

    from mailtray.app.board import Board
    from mailtray.app.commands import SignInPage
    from mailtray.app.deeds import Deeds
    from mailtray.app.front_desk import FrontDesk
    from mailtray.app.herald import Herald
    from mailtray.app.keeper import Keeper
    from mailtray.app.memory import Memory
    from mailtray.app.polls import Polls
    from mailtray.app.sign_in import SignInFlow
    from mailtray.app.world import Wishes, World
    from mailtray.core.model import AccountId


def _cancelled() -> SignInCancelled:
    return SignInCancelled(*map(_, text.SIGN_IN_CANCELLED))


class Accounts:
    """Knows who is signed in; used by the poller only.

    Args:
        world: The adapters.
        wishes: The settings.
        watches: The poller's own, filled and emptied here.
        flow: The one sign-in at a time.
        board: The status.
        herald: Who tells.
        keeper: Who keeps the token caches.
        desk: Where other processes wait.
        polls: Who says what is wrong with an account.
        memory: Who says what cannot be remembered.
        deeds: What may wait for a permission.
        open_page: Opens a page in the browser.
    """

    def __init__(  # noqa: PLR0913 - the poller's parts, all by keyword
        self,
        *,
        world: World,
        wishes: Wishes,
        watches: dict[AccountId, Watch],
        flow: SignInFlow,
        board: Board,
        herald: Herald,
        keeper: Keeper,
        desk: FrontDesk,
        polls: Polls,
        memory: Memory,
        deeds: Deeds,
        open_page: Callable[[str], None],
    ) -> None:
        self._world = world
        self._wishes = wishes
        self._clock = world.clock
        self._watches = watches
        self._flow = flow
        self._board = board
        self._herald = herald
        self._keeper = keeper
        self._desk = desk
        self._polls = polls
        self._memory = memory
        self._deeds = deeds
        self._open_page = open_page
        self._signing_in: AccountId | None = None
        self._is_to_change = False
        self._sign_in_wish: SignIn | None = None
        self._next_sign_in: SignIn | None = None

    def restore(self) -> None:
        """Take over the accounts that the vault keeps, and give it what it still lacks."""
        if self._wishes.unconfigured is not None:
            self._keeper.due_s = None
            self._board.notice(Source.SETTINGS, self._wishes.unconfigured)
            self._herald.announce("notice", self._wishes.unconfigured, command="set_up")
            return
        caches = self._keeper.settle(self._watches)
        if self._keeper.is_owed:
            return
        found = [self._restored(account_id, cache) for account_id, cache in caches.items()]
        self._watches.update({watch.account.id: watch for watch in found})
        self._board.reduce(status.Started(tuple(watch.account for watch in found)))
        for watch in found:
            if watch.error is not None:
                self._polls.failed(watch, watch.error)

    def _restored(self, account_id: AccountId, cache: str | None) -> Watch:
        account = None if cache is None else self._world.identity.restore(account_id, cache)
        if account is None:
            watch = Watch(Account(account_id, _("this account")), due_s=None)
            watch.error = SignInRequired(
                _("The saved sign-in is damaged"), _("Choose “Sign in again”.")
            )
        else:
            watch = Watch(account)
        return watch

    def sign_in(self, wish: SignIn) -> None:
        """Start a sign-in, or go on with the one that runs."""
        if self._wishes.unconfigured is not None:
            self._herald.remind("notice", self._wishes.unconfigured, command="set_up")
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
        self._is_to_change = wish.is_to_change and watch is not None
        username, settings = "" if watch is None else watch.account.username, self._wishes.settings
        scopes = settings.change_scopes_for if self._is_to_change else settings.scopes_for
        self._flow.start(
            scopes(username),
            login_hint=username if "@" in username else None,
            claims=watch.claims if watch is not None else None,
            deadline_s=self._wishes.sign_in_deadline_s,
            by_device_code=wish.by_device_code,
        )
        self._board.reduce(status.SignInStarted())

    def _sign_in_again(self, wish: SignIn) -> None:
        """Go on with the sign-in that runs, or end it where it is not what is wished."""
        is_other = wish.is_waited_for and wish.by_device_code != self._flow.by_device_code
        is_other |= wish.is_to_change and not self._is_to_change
        if self._flow.is_cancelled or is_other:
            self.cancel_sign_in()
            self._next_sign_in = wish
            return
        if not wish.is_waited_for:
            self._sign_in_wish = wish
        if self._flow.page is not None:
            self._open_page(self._flow.page.url)

    def answer_sign_in(
        self, *, by_device_code: bool, to: SimpleQueue[Mapping[str, object]]
    ) -> None:
        """Sign in for another process, which hears of the page and of the end."""
        wish = SignIn(by_device_code=by_device_code, is_waited_for=True)
        coming = self._next_sign_in
        is_other = by_device_code != (coming or self._flow).by_device_code
        if self._flow.is_running and (is_other or (coming is None and self._flow.is_cancelled)):
            # Who waits for that one hears of its end before the new one is waited for.
            self._desk.end_sign_in(answers.failure(_cancelled()))
            self._flow.cancel()
        self._desk.wait_for_sign_in(to, self._flow.page)
        self.sign_in(wish)

    def cancel_sign_in(self) -> None:
        """Give the running sign-in up."""
        self._next_sign_in = None
        self._flow.cancel()

    def give_up_unwaited(self) -> None:
        """End a sign-in that was only for those who have gone."""
        if self._desk.awaits_sign_in:
            return
        if self._next_sign_in is not None and self._next_sign_in.is_waited_for:
            self._next_sign_in = None
        if self._sign_in_wish is not None and self._sign_in_wish.is_waited_for:
            self._flow.cancel()

    def sign_in_page(self, page: SignInPage) -> None:
        """Tell where the person goes on."""
        if self._flow.opened(page):
            self._world.events.emit({"event": "sign_in", "url": page.url, "code": page.code})
            self._desk.tell_page(page)
            self._board.reduce(status.SignInAt(page.url, page.code))

    def _only_stopped_watch(self) -> Watch | None:
        stopped = [
            one
            for one in self._watches.values()
            if isinstance(one.error, AuthError) or one.lacking is not None
        ]
        return stopped[0] if len(stopped) == 1 else None

    def sign_in_ended(self, outcome: SignedIn | MailtrayError) -> None:
        """Take the end of the running sign-in."""
        wish, self._next_sign_in = self._next_sign_in, None
        was_cancelled = self._flow.is_cancelled
        self._flow.ended()
        if wish is not None:
            self.sign_in(wish)
            return
        if was_cancelled and isinstance(outcome, SignedIn):
            # The person finished a page that they, or a sign-out, had given up.
            outcome = _cancelled()
        if self._is_to_change and self._signing_in is not None:
            self._permission_answered(self._signing_in, outcome)
        if isinstance(outcome, SignedIn):
            self._signed_in(outcome)
        else:
            self._sign_in_failed(outcome)

    def _permission_answered(self, asked: AccountId, outcome: SignedIn | MailtrayError) -> None:
        """Go on with what waited for the permission, or give it up."""
        if isinstance(outcome, SignedIn) and outcome.account.id == asked:
            self._deeds.permission_given(asked)
        elif isinstance(outcome, SignedIn) or not outcome.transient:
            self._deeds.permission_refused(asked)

    def _sign_in_failed(self, outcome: MailtrayError) -> None:
        self._board.reduce(status.SignInFailed(outcome, self._clock.now()))
        asked = self._watches.get(self._signing_in) if self._signing_in else None
        if isinstance(outcome, AuthBlocked) and asked and isinstance(asked.error, AuthError):
            self._blocked(asked, outcome)
        elif self._is_to_change and outcome.transient:
            command, account = "allow_changes", self._signing_in
            self._herald.remind("sign-in", outcome, command=command, account=account)
        elif not (isinstance(outcome, SignInCancelled) or self._is_to_change):
            command = "sign_in" if outcome.transient else status.remedy(outcome)
            self._herald.remind("sign-in", outcome, command=command)
        self._desk.end_sign_in(answers.failure(outcome))

    def _signed_in(self, outcome: SignedIn) -> None:
        account = outcome.account
        self._herald.retract("sign-in")
        self._keeper.keep(account.id, outcome.cache, is_asked=True)
        self._world.identity.adopt(outcome)
        if account.id not in self._watches:
            self._watches[account.id] = Watch(account)
        self._watches[account.id].resume(account, self._clock.monotonic_s())
        self._board.reduce(status.SignInSucceeded(account))
        self._herald.retract(attention_tag(account.id))
        self._herald.retract(permission_tag(account.id))
        self._desk.end_sign_in(answers.signed_in(account))

    def _blocked(self, watch: Watch, error: AuthBlocked) -> None:
        """Take back the offer to sign in again: that led to something it does not help against."""
        watch.error = error
        self._board.reduce(status.Failed(watch.account.id, error, self._clock.now()))
        self._herald.remind(
            attention_tag(watch.account.id),
            error,
            command=status.remedy(error),
            account=watch.account.id,
        )

    def sign_out_all(self) -> MailtrayError | None:
        """Erase everything of everybody; returns why something was left, or ``None``."""
        self.cancel_sign_in()
        known = [*self._watches]
        if self._keeper.is_owed:
            known += self._keeper.settle(self._watches)
        troubles = [trouble for one in known if (trouble := self.sign_out(one)) is not None]
        return next(iter(troubles), self._keeper.trouble)

    def sign_out(self, account_id: AccountId) -> MailtrayError | None:
        """Erase everything of one account; returns why something was left, or ``None``."""
        self._watches.pop(account_id, None)
        self._deeds.forget(account_id)
        self._world.identity.forget(account_id)
        self._herald.withdraw(account_id, frozenset())
        self._herald.retract(attention_tag(account_id))
        self._herald.retract(permission_tag(account_id))
        self._board.reduce(status.SignedOut(account_id))
        self._keeper.keep(account_id, None, is_asked=True)
        try:
            self._world.state.forget(account_id)
        except StateError as error:
            self._memory.failed(error)
            return error
        return self._keeper.trouble
