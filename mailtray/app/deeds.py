"""What the person wants done to messages: waits, goes out with a poll, and can be undone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailtray.app import answers
from mailtray.app.commands import Act, MarkAllRead, Undo
from mailtray.app.herald import changes_tag
from mailtray.core import changes, deeds, status, text
from mailtray.core.compose import Privacy, clip, isolate, subject_of
from mailtray.core.deeds import ON_MESSAGES, Action, Outcome
from mailtray.core.errors import (
    AuthBlocked,
    AuthError,
    ConsentRequired,
    MailSourceError,
    MailtrayError,
    MessageGone,
    Unreachable,
)
from mailtray.core.language import _
from mailtray.core.model import MessageId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from queue import SimpleQueue

    from mailtray.app.board import Board
    from mailtray.app.cycle import Acted
    from mailtray.app.herald import Herald
    from mailtray.app.memory import Memory
    from mailtray.app.watch import Watch
    from mailtray.app.world import Wishes, World
    from mailtray.core.deeds import Errand, Step
    from mailtray.core.errors import AccessDenied
    from mailtray.core.language import Sentence
    from mailtray.core.model import AccountId, Changes, Message, Notification

    Replies = SimpleQueue[Mapping[str, object]]

SUBJECT_UNITS = 40
"""UTF-16 units of a subject in a sentence."""


@dataclass(slots=True)
class _Wish:
    """An errand that is not done yet.

    Attributes:
        replies: Other processes that wait for its end.
        is_fresh: True while the person has reason to look for its end.
    """

    errand: Errand
    replies: list[Replies] = field(default_factory=list)
    is_fresh: bool = True


@dataclass(slots=True)
class _Queue:
    """What waits for one account.

    Attributes:
        kept: What is remembered of it.
        asking: Why nothing goes out before the person allows it.
    """

    wishes: list[_Wish] = field(default_factory=list)
    kept: tuple[Errand, ...] = ()
    asking: MailtrayError | None = None


@dataclass(frozen=True, slots=True)
class _Undoable:
    account: AccountId
    errand: Errand
    until_s: float


class Deeds:
    """Knows what is still to be done, and what was done just now; used by the poller only.

    Args:
        world: The adapters.
        wishes: The settings.
        watches: The poller's own.
        board: The status.
        herald: Who tells.
        memory: Who remembers.
        open_message: Opens a message in the browser.
    """

    def __init__(  # noqa: PLR0913 - the poller's parts, all by keyword
        self,
        *,
        world: World,
        wishes: Wishes,
        watches: Mapping[AccountId, Watch],
        board: Board,
        herald: Herald,
        memory: Memory,
        open_message: Callable[[MessageId], None],
    ) -> None:
        self._world = world
        self._wishes = wishes
        self._watches = watches
        self._board = board
        self._herald = herald
        self._memory = memory
        self._open_message = open_message
        self._queues: dict[AccountId, _Queue] = {}
        self._undoable: dict[str, _Undoable] = {}
        self._names = itertools.count(1)

    # -- what is wished -----------------------------------------------------------------------

    def handle(self, command: Act | MarkAllRead | Undo) -> None:
        """Take a wish from the menu."""
        match command:
            case Act(action, message):
                self._act(action, (message,), None)
            case MarkAllRead(account):
                if (watch := self._watches.get(account)) is not None:
                    self._want(watch, deeds.mark_all(watch.seen))
            case Undo(name):
                self._undo(name)

    def press(self, notification: Notification, button: str) -> None:
        """Take a wish from a notification's button; nothing where it is another version's."""
        if button not in ON_MESSAGES:
            return
        if not self._act(Action(button), notification.message_ids, notification.account):
            self._herald.clicked(notification)
            word = MailtrayError(text.done_elsewhere(""), text.done_elsewhere_hint())
            self._say(notification.account, word)

    def _act(
        self,
        action: Action,
        ids: Iterable[MessageId],
        account: AccountId | None,
        replies: Replies | None = None,
    ) -> bool:
        """Want something done to messages of one account; False where none is unread there."""
        for watch in self._watches.values():
            if account not in {None, watch.account.id}:
                continue
            if found := _unread(watch, ids):
                subject = _subject(next(iter(found))) if len(found) == 1 else ""
                self._want(watch, deeds.errand(action, found, subject), replies)
                return True
        return False

    def _shown_subject(self, errand: Errand) -> str:
        """Return the subject where a notification may show it now, else an empty string."""
        privacy = self._wishes.privacy(self._world.presence.look())
        return errand.subject if privacy is Privacy.SUBJECT else ""

    def _undo(self, name: str, replies: Replies | None = None) -> None:
        undoable = self._undoable.pop(name, None)
        if undoable is not None and (watch := self._watches.get(undoable.account)) is not None:
            self._want(watch, deeds.undoing(undoable.errand), replies)
        self._show_undoable()

    def _want(self, watch: Watch, errand: Errand, replies: Replies | None = None) -> None:
        account, queue = watch.account.id, self._queue(watch.account.id)
        wish = _same(queue, errand)
        if wish is None:
            wish = _Wish(errand)
            queue.wishes.append(wish)
        if replies is not None:
            wish.replies.append(replies)
        dealt_with = {key: changes.deal_with(one, errand.ids) for key, one in watch.seen.items()}
        self._memory.remember(watch, dealt_with)
        self._herald.withdraw(account, watch.told)
        if errand.is_finished:
            self._end(watch, wish, None)
        self._keep(account)
        if queue.asking is not None:
            self._ask(watch, queue.asking)
        elif not watch.ask(self._world.clock.monotonic_s()) and watch.error is not None:
            self.failed(watch, watch.error)

    # -- the queues ---------------------------------------------------------------------------

    def _queue(self, account: AccountId) -> _Queue:
        return self._queues.setdefault(account, _Queue())

    def _keep(self, account: AccountId) -> None:
        queue = self._queue(account)
        errands = tuple(one.errand for one in queue.wishes)
        if errands != queue.kept:
            queue.kept = errands
            self._memory.remember_errands(account, errands)
        self._show(account)

    def _show(self, account: AccountId) -> None:
        queue = self._queue(account)
        self._board.reduce(status.DeedsChanged(account, len(queue.wishes), queue.asking))

    def load(self, account: AccountId) -> None:
        """Take over what was left undone when the program last ended.

        Raises:
            StateError: It cannot be read.
        """
        if account not in self._queues:
            left = self._world.state.load_errands(account)
            wishes = [_Wish(errand, is_fresh=False) for errand in left]
            self._queues[account] = _Queue(wishes, left)
            self._show(account)

    def forget(self, account: AccountId) -> None:
        """Drop what is to be done to an account's mail, and what could be undone: it signed out."""
        error = _error(text.NO_ACCOUNT)
        for wish in self._queues.pop(account, _Queue()).wishes:
            _reply(wish, answers.failure(error))
        self._herald.retract(changes_tag(account))
        self._undoable = {
            name: one for name, one in self._undoable.items() if one.account != account
        }
        self._show_undoable()

    def leave_out(self, watch: Watch, found: Mapping[str, Changes]) -> Mapping[str, Changes]:
        """Return what a poll brought without what the person took up while it was on its way."""
        ids = {one for wish in self._queue(watch.account.id).wishes for one in wish.errand.ids}
        if not ids:
            return found
        return {key: changes.leave_out(one, ids) for key, one in found.items()}

    # -- with the polls -----------------------------------------------------------------------

    def next_step(self, watch: Watch) -> Step | None:
        """Return what the poll that is about to start has to do first.

        After a gap it is nothing: what happened meanwhile has to be known before.
        """
        account, queue = watch.account.id, self._queue(watch.account.id)
        if not queue.wishes or queue.asking is not None or not watch.is_current:
            return None
        for wish in list(queue.wishes):
            if wish.errand.tries >= deeds.TRIES_MAX:
                error = MailSourceError(
                    text.not_done(self._shown_subject(wish.errand)), text.not_done_hint()
                )
                self._end(watch, wish, error)
        step = deeds.step((wish.errand for wish in queue.wishes), self._scopes(watch))
        for wish in queue.wishes:
            wish.errand = deeds.begun(wish.errand, step)
        self._keep(account)
        return step if queue.wishes else None

    def _scopes(self, watch: Watch) -> tuple[str, ...]:
        settings, username = self._wishes.settings, watch.account.username
        wanted = settings.change_scopes_for(username)
        if watch.lacking is None:
            return wanted
        # Of what was refused for reading nothing more is asked for writing.
        refused = {*settings.scopes_for(username)} - {*settings.least_scopes_for(username)}
        if any(scope.endswith(".Shared") for scope in refused):
            refused.update(scope for scope in wanted if scope.endswith(".Shared"))
        return tuple(scope for scope in wanted if scope not in refused)

    def acted(self, watch: Watch, acted: Acted) -> None:
        """Take what became of a step."""
        queue = self._queue(watch.account.id)
        match acted.outcome:
            case Outcome() as outcome:
                for wish in list(queue.wishes):
                    self._went_on(watch, wish, acted.step, outcome)
            case AuthBlocked() as error:
                self._drop(watch, error, error)
            case error:
                watch.claims = getattr(error, "claims", None) or watch.claims
                self._ask(watch, _without_changes(error))
        self._keep(watch.account.id)

    def _went_on(self, watch: Watch, wish: _Wish, step: Step, outcome: Outcome) -> None:
        before = wish.errand
        wish.errand = deeds.after_step(before, step, outcome)
        errors = [error for deed in before.deeds if (error := outcome.deeds.get(deed)) is not None]
        if len(before.deeds) > 1:
            errors = [error for error in errors if not isinstance(error, MessageGone)]
        if wish.errand.is_finished:
            self._end(
                watch, wish, _about(self._shown_subject(before), errors[0]) if errors else None
            )

    def was_read(self, watch: Watch, *, had_gap: bool) -> None:
        """Go on after a poll that brought the mail.

        Args:
            watch: Whose.
            had_gap: True where it is only known by now what happened while something waited.
        """
        queue = self._queue(watch.account.id)
        if not queue.wishes:
            return
        if had_gap:
            self._drop_the_settled(watch)
        if queue.wishes and queue.asking is None:
            watch.ask(self._world.clock.monotonic_s())

    def _drop_the_settled(self, watch: Watch) -> None:
        unread = {one for seen in watch.seen.values() for one in seen.unread}
        for wish in list(self._queue(watch.account.id).wishes):
            wish.errand = deeds.after_gap(wish.errand, unread)
            if wish.errand.is_finished:
                words = (
                    text.done_elsewhere(self._shown_subject(wish.errand)),
                    text.done_elsewhere_hint(),
                )
                self._end(watch, wish, None if wish.errand.done else MailSourceError(*words))
        self._keep(watch.account.id)

    def failed(self, watch: Watch, error: MailtrayError, step: Step | None = None) -> None:
        """Tell those who wait that it may take long.

        Args:
            watch: Whose.
            error: Why.
            step: What was to be done by the poll that failed, if nothing is known of it.
        """
        queue = self._queue(watch.account.id)
        for wish in queue.wishes:
            wish.is_fresh = False
            _reply(wish, answers.wish_waits(error))
            if step is not None and isinstance(error, Unreachable) and not error.was_sent:
                wish.errand = deeds.not_begun(wish.errand, step)
        if queue.wishes:
            self._keep(watch.account.id)

    # -- the end of an errand -----------------------------------------------------------------

    def _end(self, watch: Watch, wish: _Wish, error: MailtrayError | None) -> None:
        """Let an errand be over, with a word where something was not done."""
        self._queue(watch.account.id).wishes.remove(wish)
        errand = wish.errand
        is_ok = bool(errand.done) or error is None
        if error is not None:
            self._say(watch.account.id, error, is_answer=wish.is_fresh)
        self._tell_ended(watch, wish, None if is_ok else error)
        if errand.done and errand.action is not Action.UNDO:
            until_s = self._world.clock.monotonic_s() + deeds.UNDO_S
            self._undoable[str(next(self._names))] = _Undoable(watch.account.id, errand, until_s)
            self._show_undoable()

    def _tell_ended(self, watch: Watch, wish: _Wish, error: MailtrayError | None) -> None:
        event = answers.acted(watch.account, wish.errand, error)
        self._world.events.emit(event)
        _reply(wish, answers.wish_done(wish.errand) if error is None else answers.failure(error))

    def _drop(self, watch: Watch, error: MailtrayError, word: MailtrayError) -> None:
        """Give up all that waits, with one word."""
        queue = self._queue(watch.account.id)
        if not queue.wishes:
            return
        for wish in queue.wishes:
            self._tell_ended(watch, wish, error)
        queue.wishes = []
        self._say(watch.account.id, word)
        self._keep(watch.account.id)

    def _say(
        self, account: AccountId | None, word: MailtrayError, *, is_answer: bool = True
    ) -> None:
        tag = f"deed-{next(self._names)}"
        self._herald.remind(tag, word, command="", account=account, is_answer=is_answer)

    # -- the permission -----------------------------------------------------------------------

    def _ask(self, watch: Watch, error: MailtrayError) -> None:
        """Ask the person for the permission, and tell those who wait that it is asked for."""
        account, queue = watch.account.id, self._queue(watch.account.id)
        queue.asking = error
        self._herald.remind(
            changes_tag(account),
            error,
            command=status.EXPLAIN if status.link_of(error) else "allow_changes",
            account=account,
            is_answer=any(wish.is_fresh for wish in queue.wishes),
        )
        self.failed(watch, error)
        self._show(account)

    def permission_given(self, account: AccountId) -> None:
        """Go on, once the mail was read: the person signed in."""
        queue = self._queue(account)
        if queue.asking is not None:
            queue.asking = None
            self._herald.retract(changes_tag(account))
            self._show(account)

    def permission_refused(self, account: AccountId) -> None:
        """Give up what waits for the permission; the next press asks again."""
        watch, queue = self._watches.get(account), self._queue(account)
        self._herald.retract(changes_tag(account))
        queue.asking = None
        if watch is not None:
            word = _error(text.UNCHANGED)
            self._drop(watch, word, word)
            self._show(account)

    # -- what can be undone -------------------------------------------------------------------

    @property
    def due_s(self) -> float | None:
        """When something can be undone no longer, monotonic."""
        return min((one.until_s for one in self._undoable.values()), default=None)

    def look(self, now_s: float) -> None:
        """Forget what can be undone no longer."""
        if self.due_s is not None and self.due_s <= now_s:
            self._undoable = {n: one for n, one in self._undoable.items() if one.until_s > now_s}
            self._show_undoable()

    def _show_undoable(self) -> None:
        newest_first = reversed(self._undoable.items())
        words = {name: text.undo(one.errand) for name, one in newest_first}
        self._board.reduce(status.UndoChanged(words))

    # -- other processes ----------------------------------------------------------------------

    def answer(self, request: Mapping[str, object], replies: Replies) -> None:
        """Take another process's wish; it hears when that is done, or why it is not."""
        error = self._take(request, replies)
        if error is not None:
            replies.put(answers.failure(error))

    def _take(self, request: Mapping[str, object], replies: Replies) -> MailtrayError | None:
        name, watches = request.get("account"), list(self._watches.values())
        if name is not None:
            watches = [one for one in watches if name in {one.account.username, one.account.id}]
        if not watches or (len(watches) > 1 and request.get("command") == "mark_all_read"):
            return _error(text.NO_ACCOUNT)
        if request.get("command") == "mark_all_read":
            self._want(watches[0], deeds.mark_all(watches[0].seen), replies)
            return None
        account = None if name is None else watches[0].account.id
        action, message = str(request.get("action")), MessageId(str(request.get("id")))
        return self._take_act(action, message, account, replies)

    def _take_act(
        self, action: str, message: MessageId, account: AccountId | None, replies: Replies
    ) -> MailtrayError | None:
        if action == "open":
            self._open_message(message)
            replies.put({"done": True})
        elif action == Action.UNDO:
            newest_first = reversed(self._undoable.items())
            name = next((n for n, one in newest_first if message in one.errand.ids), None)
            if name is None:
                return _error(text.NOTHING_TO_UNDO)
            self._undo(name, replies)
        elif action not in ON_MESSAGES:
            return _error(text.NO_ACTION)
        elif not self._act(Action(action), (message,), account, replies):
            return _error(text.NOT_UNREAD)
        return None

    def drop(self, replies: Replies) -> None:
        """Forget one who does not wait any more."""
        for queue in self._queues.values():
            for wish in queue.wishes:
                wish.replies = [one for one in wish.replies if one is not replies]


def _reply(wish: _Wish, answer: Mapping[str, object]) -> None:
    for replies in wish.replies:
        replies.put(answer)
    wish.replies = []


def _same(queue: _Queue, errand: Errand) -> _Wish | None:
    """Return the wish that is for the same already."""
    wished = (errand.action, errand.ids)
    return next((w for w in queue.wishes if (w.errand.action, w.errand.ids) == wished), None)


def _unread(watch: Watch, ids: Iterable[MessageId]) -> dict[Message, str]:
    """Return those messages that are unread as far as is known, with their folders."""
    found = {
        message_id: (seen.unread[message_id], folder)
        for message_id in ids
        for folder, seen in watch.seen.items()
        if message_id in seen.unread
    }
    return dict(found.values())


def _error(words: tuple[Sentence, Sentence]) -> MailtrayError:
    return MailtrayError(*map(_, words))


def _subject(message: Message) -> str:
    return isolate(clip(subject_of(message), SUBJECT_UNITS))


def _about(subject: str, error: MailSourceError) -> MailSourceError:
    """Say which message something could not be done to."""
    if isinstance(error, MessageGone):
        return MessageGone(text.message_gone(subject))
    return MailSourceError(text.not_done(subject), error.title)


def _without_changes(refused: AuthError | AccessDenied) -> ConsentRequired:
    """Say what the permission is for that is missing."""
    link = status.link_of(refused)
    error = ConsentRequired(
        _(text.NO_CHANGES_TITLE), _(text.NO_CHANGES_ASK if link else text.NO_CHANGES_HINT)
    )
    error.link = link
    return error
