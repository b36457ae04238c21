"""Where other processes wait for their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtray.app import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from queue import SimpleQueue

    from mailtray.app.commands import SignInPage
    from mailtray.app.watch import Watch
    from mailtray.core.model import AccountId

    Replies = SimpleQueue[Mapping[str, object]]


@dataclass(slots=True)
class _Waiter:
    """One who waits for polls to come back."""

    replies: Replies
    polls: dict[AccountId, int]


class FrontDesk:
    """Answers once what was asked for has happened; used by the poller only.

    Args:
        watches: The poller's own.
        state: Returns how it is, as the last answer to a waiter.
    """

    def __init__(
        self, watches: Mapping[AccountId, Watch], state: Callable[[], Mapping[str, object]]
    ) -> None:
        self._watches = watches
        self._state = state
        self._waiters: list[_Waiter] = []
        self._signing_in: list[Replies] = []

    def wait_for_polls(self, replies: Replies, now_s: float) -> None:
        """Answer once every poll that was just asked for has come back."""
        polls = {
            watch.account.id: watch.started + 1
            for watch in self._watches.values()
            if (watch.is_busy and watch.is_asked) or watch.is_due(now_s)
        }
        self._waiters.append(_Waiter(replies, polls))

    def release(self) -> None:
        """Answer those whose polls have come back."""
        for waiter in list(self._waiters):
            if not any(self._is_open(one, number) for one, number in waiter.polls.items()):
                self._waiters.remove(waiter)
                waiter.replies.put(self._state())

    def _is_open(self, account_id: AccountId, poll: int) -> bool:
        """Say whether a poll is still to come back: not where it cannot start for now."""
        watch = self._watches.get(account_id)
        return watch is not None and watch.is_busy and watch.finished < poll

    def wait_for_sign_in(self, replies: Replies, page: SignInPage | None) -> None:
        """Tell the page, now or once it is known, and answer when the sign-in has ended."""
        self._signing_in.append(replies)
        if page is not None:
            replies.put(answers.sign_in_page(page.url, page.code))

    def tell_page(self, page: SignInPage) -> None:
        """Tell the sign-in page to those who wait."""
        for replies in self._signing_in:
            replies.put(answers.sign_in_page(page.url, page.code))

    @property
    def awaits_sign_in(self) -> bool:
        """Whether anybody waits for the sign-in."""
        return bool(self._signing_in)

    def drop(self, replies: Replies) -> None:
        """Forget one who does not wait any more."""
        self._waiters = [one for one in self._waiters if one.replies is not replies]
        self._signing_in = [one for one in self._signing_in if one is not replies]

    def end_sign_in(self, answer: Mapping[str, object]) -> None:
        """Answer those who wait for the sign-in."""
        for replies in self._signing_in:
            replies.put(answer)
        self._signing_in.clear()
