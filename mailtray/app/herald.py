"""Tells the person: shows notifications, takes them back, and knows which are still owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.app.barrier import attempt
from mailtray.core.compose import clean, isolate
from mailtray.core.errors import NotifierError
from mailtray.core.model import Notification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailtray.core.errors import MailtrayError
    from mailtray.core.model import AccountId, MessageId
    from mailtray.ports import EventSink, Notifier

SHOWN_MAX = 200
"""Notifications about mail that can still be taken back; older ones are left to the desktop."""


def attention_tag(account: AccountId) -> str:
    """Return the tag of the word that an account needs its person."""
    return f"attention-{account}"


def permission_tag(account: AccountId) -> str:
    """Return the tag of the word that an account lacks a permission."""
    return f"permission-{account}"


def changes_tag(account: AccountId) -> str:
    """Return the tag of the question whether an account's mail may be changed."""
    return f"changes-{account}"


def folder_tag(account: AccountId, path: str) -> str:
    """Return the tag of the word that one of an account's folders cannot be read."""
    return f"folder-{account}-{path}"


class Herald:
    """Speaks through the notifier and into the event lines; used by the poller only.

    Attributes:
        is_quiet: True while the person is not to be disturbed; what is to be shown is then not
            shown, as where there is no notification server, and that is no trouble.
        trouble: Why the last notification could not be shown, or ``None``.
    """

    def __init__(
        self, notifier: Notifier, events: EventSink, username: Callable[[AccountId | None], str]
    ) -> None:
        self._notifier = notifier
        self._events = events
        self._username = username
        self._shown: dict[str, Notification] = {}
        self._said: dict[str, str] = {}
        self._owed: dict[str, Notification] = {}
        self.is_quiet = False
        self.trouble: NotifierError | None = None

    def tell(self, notifications: Iterable[Notification]) -> frozenset[MessageId]:
        """Show notifications about messages, until one cannot be shown.

        Returns:
            The messages the person was told of.
        """
        told: set[MessageId] = set()
        for notification in notifications:
            if not self._show(notification):
                break
            told.update(notification.message_ids)
        return frozenset(told)

    def announce(
        self, tag: str, error: MailtrayError, *, command: str, account: AccountId | None = None
    ) -> None:
        """Tell once what the person has to know of mailtray itself; owed until it was shown.

        Another title under the same tag is another trouble, and takes the first one's place.
        """
        owed = self._owed.get(tag)
        if error.title in (self._said.get(tag), owed.title if owed else None):
            return
        self.remind(tag, error, command=command, account=account, is_answer=False)

    def remind(
        self,
        tag: str,
        error: MailtrayError,
        *,
        command: str,
        account: AccountId | None = None,
        is_answer: bool = True,
    ) -> None:
        """Tell it, whether it was told before or not; says whose trouble it is."""
        owner = isolate(clean(self._username(account)))
        notification = Notification(
            tag=tag,
            title=error.title,
            body="\n".join(line for line in (error.hint, owner) if line),
            account=account,
            command=command,
        )
        if not self._show(notification, is_answer=is_answer):
            self._owed[tag] = notification

    def pay(self) -> None:
        """Try again what is owed."""
        for tag, notification in list(self._owed.items()):
            if not self._show(notification):
                return
            del self._owed[tag]

    def retract(self, tag: str) -> None:
        """Take a word about mailtray itself back: it holds no longer."""
        self._owed.pop(tag, None)
        if tag in self._said:
            del self._said[tag]
            self._notifier.withdraw([tag])

    def withdraw(self, account: AccountId, still_told: frozenset[MessageId]) -> None:
        """Take back the account's notifications none of whose messages is still to be told."""
        gone = [
            one
            for one in self._shown.values()
            if one.account == account and still_told.isdisjoint(one.message_ids)
        ]
        if not gone:
            return
        self._notifier.withdraw([one.tag for one in gone])
        for one in gone:
            del self._shown[one.tag]
            self._events.emit({"event": "withdrawn", "ids": list(one.message_ids)})

    def clicked(self, notification: Notification) -> None:
        """Note that the person has seen a notification."""
        self._shown.pop(notification.tag, None)

    def _show(self, notification: Notification, *, is_answer: bool = False) -> bool:
        # An answer to what the person has just done is shown even while it is quiet.
        if self.is_quiet and not is_answer:
            return False
        error = attempt(lambda: self._notifier.show(notification))
        if error is not None:
            self.trouble = NotifierError(error.title, error.hint)
            return False
        self.trouble = None
        if notification.message_ids:
            self._shown[notification.tag] = notification
        else:
            self._said[notification.tag] = notification.title
        while len(self._shown) > SHOWN_MAX:
            del self._shown[next(iter(self._shown))]
        self._events.emit(
            {
                "event": "notification",
                "account": self._username(notification.account),
                "ids": list(notification.message_ids),
                "title": notification.title,
                "body": notification.body,
            }
        )
        return True
