"""Mailboxes' trees of folders, as another process asks for them.

A running program reads one as part of an account's next poll, brought forward: an account's token
cache serves one thread at a time, and its mailbox one request.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtray.app import answers
from mailtray.core import folders, text
from mailtray.core.errors import (
    AccessDenied,
    MailboxUnavailable,
    MailSourceError,
    MailtrayError,
    SignInRequired,
    Throttled,
    TokenRejected,
    Unreachable,
)
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from queue import SimpleQueue

    from mailtray.app.watch import Watch
    from mailtray.app.world import Wishes
    from mailtray.core.folders import Wish
    from mailtray.core.model import AccessToken, Account, AccountId, FolderPlace
    from mailtray.ports import Clock, MailSource

    Replies = SimpleQueue[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Tree:
    """A mailbox's folders.

    Attributes:
        places: Each after the one it is in.
        watched: How the settings name those that are watched, by their keys.
    """

    places: tuple[FolderPlace, ...]
    watched: Mapping[str, str]


def read_tree(mail: MailSource, token: AccessToken, mailbox: str, wishes: Iterable[Wish]) -> Tree:
    """Read a mailbox's tree.

    Args:
        mail: Reads it.
        token: Whose.
        mailbox: The address of a shared mailbox; the token's own where empty.
        wishes: The folders of that mailbox that are watched.

    Raises:
        MailSourceError: As for :meth:`mailtray.ports.MailSource.folders`.
    """
    if mailbox and not any(scope.endswith(".Shared") for scope in token.scopes):
        raise AccessDenied(text.shared_unasked_title(), text.shared_unasked_hint(mailbox))
    places = mail.folders(token, mailbox)
    return Tree(places, dict(_watched(mail, token, places, wishes)))


def _watched(
    mail: MailSource, token: AccessToken, places: Sequence[FolderPlace], wishes: Iterable[Wish]
) -> Iterator[tuple[str, str]]:
    for wish in wishes:
        if wish.key:
            # The tree tells names in the mailbox's language, and ids.
            with suppress(MailboxUnavailable):
                found = folders.key(wish.mailbox, mail.count(token, wish.key).folder_id)
                yield found, wish.words
        elif (place := folders.find(wish, places)) is not None:
            yield place.key, wish.words


def read_trees(
    mail: MailSource, token: AccessToken, wanted: Mapping[str, tuple[Wish, ...]]
) -> Mapping[str, Tree | MailSourceError]:
    """Read several; see :func:`read_tree`.

    Raises:
        MailSourceError: What is not about one mailbox alone.
    """
    found: dict[str, Tree | MailSourceError] = {}
    for mailbox, wishes in wanted.items():
        try:
            found[mailbox] = read_tree(mail, token, mailbox, wishes)
        except (Throttled, TokenRejected, Unreachable):
            raise
        except MailSourceError as error:
            found[mailbox] = error
    return found


def whose(accounts: Sequence[Account], username: str) -> Account:
    """Return the account that is meant; without a name, the only one.

    Raises:
        MailtrayError: There is none, or there are several.
    """
    named = [one for one in accounts if one.username.casefold() == username.casefold()]
    if username and named:
        return named[0]
    if not accounts:
        raise SignInRequired(_(text.SIGNED_OUT), _("Run “mailtray signin”."))
    if username:
        raise MailtrayError(
            _("{account} is not signed in").format(account=username),
            _("“mailtray status” shows which accounts are."),
        )
    if len(accounts) > 1:
        names = ", ".join(one.username for one in accounts)
        raise MailtrayError(
            _("More than one account is signed in"),
            _("Choose one with --account: {accounts}.").format(accounts=names),
        )
    return accounts[0]


def which(account: Account, address: str) -> str:
    """Return the mailbox that is meant: empty for the account's own.

    Raises:
        MailtrayError: It is no mailbox's address.
    """
    if not address or address.casefold() == account.username.casefold():
        return ""
    if not folders.is_address(address):
        raise MailtrayError(
            _("{mailbox} is no mail address").format(mailbox=address),
            _("Write --mailbox as team@contoso.com."),
        )
    return address.lower()


def watched_in(wishes: Iterable[Wish], mailbox: str) -> tuple[Wish, ...]:
    """Return those wishes that are of one mailbox."""
    return tuple(wish for wish in wishes if wish.mailbox == mailbox)


@dataclass(frozen=True, slots=True)
class _Waiter:
    """One who waits for a tree."""

    replies: Replies
    account: AccountId
    mailbox: str


class Trees:
    """Has trees read for those who wait for one; used by the poller only.

    Args:
        watches: The poller's own.
        wishes: The settings.
        clock: Tells the time.
    """

    def __init__(self, watches: Mapping[AccountId, Watch], wishes: Wishes, clock: Clock) -> None:
        self._watches = watches
        self._wishes = wishes
        self._clock = clock
        self._waiters: list[_Waiter] = []

    def ask(self, request: Mapping[str, object], replies: Replies) -> None:
        """Have a tree read, or answer why it cannot be."""
        try:
            accounts = [watch.account for watch in self._watches.values()]
            account = whose(accounts, str(request.get("account") or ""))
            mailbox = which(account, str(request.get("mailbox") or ""))
        except MailtrayError as error:
            replies.put(answers.failure(error))
        else:
            self._waiters.append(_Waiter(replies, account.id, mailbox))
            self._watches[account.id].ask(self._clock.monotonic_s())

    def wanted(self, account: Account) -> Mapping[str, tuple[Wish, ...]]:
        """Return the mailboxes whose trees an account's poll has to read, and what is watched."""
        mailboxes = {one.mailbox for one in self._waiters if one.account == account.id}
        wishes = self._wishes.settings.folders_for(account.username) if mailboxes else ()
        return {mailbox: watched_in(wishes, mailbox) for mailbox in mailboxes}

    def listed(self, account: Account, trees: Mapping[str, Tree | MailSourceError]) -> None:
        """Answer those who waited for these trees."""
        for waiter in list(self._waiters):
            if waiter.account != account.id or (tree := trees.get(waiter.mailbox)) is None:
                continue
            self._answer(
                waiter,
                answers.tree(account, waiter.mailbox, tree.places, tree.watched)
                if isinstance(tree, Tree)
                else answers.failure(tree),
            )

    def release(self) -> None:
        """Answer those for whom no poll is on its way any more: it failed, or cannot start."""
        for waiter in list(self._waiters):
            watch = self._watches.get(waiter.account)
            if watch is None:
                self._answer(waiter, answers.failure(SignInRequired(_(text.SIGNED_OUT))))
            elif not watch.is_busy:
                error = watch.error or MailtrayError(*map(_, text.BUSY))
                self._answer(waiter, answers.failure(error))

    def _answer(self, waiter: _Waiter, answer: Mapping[str, object]) -> None:
        self._waiters.remove(waiter)
        waiter.replies.put(answer)

    def drop(self, replies: Replies) -> None:
        """Forget one who does not wait any more."""
        self._waiters = [one for one in self._waiters if one.replies is not replies]
