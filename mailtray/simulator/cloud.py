"""The state of Microsoft 365 on the loopback, and what may be done to it from behind.

One lock guards everything. The routes hold it for the whole of a request, the methods here
for the whole of a call, so a test and a client never see a half-made change.
"""

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from mailtray.simulator.accounts import Account, Kind, new_account
from mailtray.simulator.delta import DeltaTokens
from mailtray.simulator.faults import Fault, FaultQueue
from mailtray.simulator.grants import Grants
from mailtray.simulator.knobs import Knobs
from mailtray.simulator.mailbox import Folder, Mailbox, Message
from mailtray.simulator.oauth_errors import OAuthError
from mailtray.simulator.resources import MEETING_TYPES
from mailtray.simulator.seed import SUBJECTS, Subject, fill
from mailtray.simulator.times import utc
from mailtray.simulator.traffic import LoggedRequest, RequestLog
from mailtray.simulator.visits import Desk

Importance = Literal["low", "normal", "high"]
Classification = Literal["focused", "other"]

DEFAULT_USERNAME = "ada@contoso.example"
DEFAULT_NAME = "Ada Lovelace"


class UnknownAccountError(LookupError):
    """No account has this username."""


class UnknownItemError(LookupError):
    """No message or folder has this id."""


class Cloud(Knobs):
    """Accounts, mail, tokens, faults and the request log, all in memory.

    The knobs of `Knobs` are plain attributes: ``cloud.filter_on_delta = False``.

    Args:
        now: The clock, in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.now = now
        self.lock = threading.RLock()
        self.base_url = ""
        """Where a browser finds the simulator; set when it starts."""
        self._begin()

    def _begin(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.faults = FaultQueue(self.now)
        self.traffic = RequestLog()
        self.delta_tokens = DeltaTokens()
        self.grants = Grants(self.now, lambda: self.traffic.note("used_refresh_tokens_refused"))
        self.desk = Desk()
        self._subjects_used = 0
        fill(self.add_account(DEFAULT_USERNAME, DEFAULT_NAME).mailbox, self.time())

    def reset(self) -> None:
        """Begin anew: one account with its few older messages, no tokens, no faults, no log."""
        with self.lock:
            self.turn(Knobs().settings())
            self._begin()

    def time(self) -> datetime:
        """Return the simulator's time, aware and in UTC."""
        return utc(self.now())

    # Accounts

    def add_account(self, username: str, name: str, *, kind: Kind = "work") -> Account:
        """Add a person with an empty mailbox.

        Args:
            username: The mail address they sign in with.
            name: The name to show.
            kind: ``work`` makes them a member of their domain's tenant, ``personal`` of the
                one all Outlook.com accounts share.

        Raises:
            ValueError: The name is taken, or is no mail address.
        """
        local, _, domain = username.partition("@")
        if not local or not domain or any(c.isspace() for c in username):
            raise ValueError(f"{username!r} is not a mail address.")
        with self.lock:
            if username.lower() in self.accounts:
                raise ValueError(f"There is already an account {username}.")
            account = new_account(username, name, kind)
            self.accounts[username.lower()] = account
            return account

    def account(self, username: str | None = None) -> Account:
        """Find an account by username, in any letter case; the first one without.

        Raises:
            UnknownAccountError: There is none.
        """
        with self.lock:
            if username is None:
                return next(iter(self.accounts.values()))
            try:
                return self.accounts[username.lower()]
            except KeyError:
                raise UnknownAccountError(f"There is no account {username}.") from None

    def share_mailbox(self, owner: str, *, reader: str) -> None:
        """Let one account open another's mailbox (with the ``.Shared`` scopes).

        Raises:
            UnknownAccountError: One of them does not exist.
        """
        with self.lock:
            self.account(owner).shared_with.add(self.account(reader).username.lower())

    def add_folder(self, name: str, *, parent: str = "inbox", username: str | None = None) -> str:
        """Make a mail folder and return its id.

        Raises:
            UnknownItemError: There is no such parent folder.
        """
        with self.lock:
            mailbox = self.account(username).mailbox
            return mailbox.add_folder(name, parent=_folder(mailbox, parent).id).id

    # Mail

    def deliver(  # noqa: PLR0913 (each is one property of the message, all by keyword)
        self,
        username: str | None = None,
        *,
        count: int = 1,
        sender_name: str | None = "Grace Hopper",
        sender_address: str | None = "grace@fabrikam.example",
        subject: str | Subject | None = Subject.NEXT,
        preview: str | None = "Shall we look at it together this afternoon?",
        folder: str = "inbox",
        is_read: bool = False,
        received: datetime | None = None,
        importance: Importance = "normal",
        inference_classification: Classification = "focused",
        to: Iterable[str] | None = None,
        cc: Iterable[str] = (),
        conversation_id: str | None = None,
        meeting: str | None = None,
        starts: datetime | None = None,
        odata_type: str | None = None,
        overrides: Mapping[str, object] | None = None,
    ) -> list[str]:
        """Put new messages into a folder and return their (immutable) ids.

        Args:
            username: Whose; the first account's without.
            count: How many. They are received one second apart, the last at `received`.
            sender_name: Name of the sender; with `sender_address` ``None`` too there is none.
            sender_address: Address of the sender.
            subject: Subject; believable ones in turn if not given; ``None`` is sent as null.
                Several messages with a given subject are numbered.
            preview: Text of the message; its first 255 characters are the bodyPreview.
            folder: Id or well-known name.
            is_read: Whether they are read already.
            received: Time of arrival, now if not given.
            importance: What its sender says of it.
            inference_classification: Whether it is shown under "Focused" or under "Other".
            to: Addresses it is to; the mailbox's own if not given.
            cc: Addresses it is copied to.
            conversation_id: The conversation they all belong to; each its own if not given.
            meeting: For meeting mail, its ``meetingMessageType``, as ``meetingRequest``.
            starts: When the meeting begins, aware.
            odata_type: The type its JSON says it has, whatever it is.
            overrides: Graph properties laid over the JSON as they are; `OMIT` leaves one out.

        Raises:
            UnknownAccountError: No such account.
            UnknownItemError: No such folder.
            ValueError: `count` is less than 1, or a value is none of those Graph knows.
        """
        if count < 1:
            raise ValueError("count must be 1 or more.")
        content: dict[str, object] = {
            "is_read": is_read,
            "sender_name": sender_name,
            "sender_address": sender_address,
            "preview": preview,
            "importance": _one_of(get_args(Importance), importance),
            "inference_classification": _one_of(get_args(Classification), inference_classification),
            "to": None if to is None else tuple(to),
            "cc": tuple(cc),
            "meeting": meeting and _one_of(MEETING_TYPES, meeting),
            "starts": starts and starts.astimezone(UTC),
            "odata_type": odata_type,
        }
        if conversation_id is not None:
            content["conversation_id"] = conversation_id
        with self.lock:
            mailbox = self.account(username).mailbox
            target = _folder(mailbox, folder)
            last = received or self.time()
            ids = []
            for number in range(1, count + 1):
                own: dict[str, object] = {
                    "received": last - timedelta(seconds=count - number),
                    "subject": self._subject(subject, number, count),
                    "overrides": dict(overrides or {}),
                }
                ids.append(mailbox.deliver(target, {**content, **own}).key)
            return ids

    def _subject(self, subject: str | Subject | None, number: int, count: int) -> str | None:
        if not isinstance(subject, Subject):
            return f"{subject} ({number})" if subject and count > 1 else subject
        self._subjects_used += 1
        turn, index = divmod(self._subjects_used - 1, len(SUBJECTS))
        return SUBJECTS[index] + (f" ({turn + 1})" if turn else "")

    def mark(self, ids: str | Iterable[str], *, is_read: bool) -> None:
        """Set the read state of messages, as another device would.

        Raises:
            UnknownItemError: One of the messages does not exist; none is changed.
        """
        with self.lock:
            for mailbox, message in self._found(ids):
                mailbox.mark(message, is_read=is_read)

    def move(self, ids: str | Iterable[str], folder: str) -> None:
        """Move messages to a folder of their mailbox, as another device would.

        Raises:
            UnknownItemError: A message or the folder does not exist; nothing is moved.
        """
        with self.lock:
            found = [(box, message, _folder(box, folder)) for box, message in self._found(ids)]
            for mailbox, message, target in found:
                mailbox.move(message, target)

    def delete(self, ids: str | Iterable[str]) -> None:
        """Delete messages: into Deleted Items or, from there, for good.

        Raises:
            UnknownItemError: One of the messages does not exist; none is deleted.
        """
        with self.lock:
            for mailbox, message in self._found(ids):
                mailbox.delete(message)

    def touch(self, ids: str | Iterable[str], *, subject: str | None = None) -> None:
        """Change messages in a way other than their read state, as a flag or category does.

        Raises:
            UnknownItemError: One of the messages does not exist; none is changed.
        """
        with self.lock:
            for mailbox, message in self._found(ids):
                message.subject = message.subject if subject is None else subject
                mailbox.touch(message)

    def _found(self, ids: str | Iterable[str]) -> list[tuple[Mailbox, Message]]:
        wanted = [ids] if isinstance(ids, str) else list(ids)
        return [self.find(message_id) for message_id in wanted]

    def find(self, message_id: str) -> tuple[Mailbox, Message]:
        """Find a message, by either of its ids, in whichever mailbox it is.

        Raises:
            UnknownItemError: It is in none.
        """
        with self.lock:
            for account in self.accounts.values():
                try:
                    return account.mailbox, account.mailbox.find(message_id)
                except KeyError:
                    continue
            raise UnknownItemError(f"There is no message {message_id}.")

    def unread_count(self, username: str | None = None, folder: str = "inbox") -> int:
        """Return how many unread messages a folder holds."""
        with self.lock:
            return _folder(self.account(username).mailbox, folder).unread

    # Tokens

    def expire_access_tokens(self, username: str | None = None) -> None:
        """Let Graph refuse the access tokens handed out so far (401), of one account or all."""
        with self.lock:
            self.grants.expire_access_tokens(self._name(username))

    def revoke_refresh_tokens(
        self,
        username: str | None = None,
        *,
        aadsts: int = 50173,
        suberror: str | None = "bad_token",
        error: str = "invalid_grant",
        claims: Mapping[str, object] | str | None = None,
    ) -> None:
        """Refuse the refresh tokens handed out so far, until the person signs in anew.

        Args:
            username: Whose; everybody's without.
            aadsts: The number in the refusal.
            suberror: The finer reason in the refusal, or none.
            error: OAuth's error in the refusal.
            claims: For "a second check is wanted": claims the next sign-in has to bring along.
        """
        text = json.dumps(claims) if isinstance(claims, Mapping) else claims
        sentence = "The saved sign-in no longer holds. A fresh sign-in is needed."
        with self.lock:
            refusal = OAuthError(error, aadsts, sentence, suberror=suberror, claims=text)
            self.grants.revoke_refresh_tokens(self._name(username), refusal)

    def challenge_next(self, username: str | None = None) -> None:
        """Answer Graph calls 401 with a claims challenge until a token obtained for it is shown.

        Source: learn.microsoft.com/entra/identity-platform/claims-challenge.
        """
        with self.lock:
            not_before = str(int(self.now()))
            claims = {"access_token": {"nbf": {"essential": True, "value": not_before}}}
            self.account(username).challenge = json.dumps(claims, separators=(",", ":"))

    def drop_sync_state(self, username: str | None = None) -> None:
        """Let every delta link handed out so far, of one account or all, be answered 410."""
        with self.lock:
            self.delta_tokens.drop(self._name(username))

    def _name(self, username: str | None) -> str | None:
        return None if username is None else self.account(username).username

    # Faults and the log

    def add_fault(self, fault: Fault) -> int:
        """Queue a fault for coming requests and return its number."""
        with self.lock:
            return self.faults.add(fault)

    def clear_fault(self, number: int) -> bool:
        """Forget one fault by its number; False if it was used up already."""
        with self.lock:
            return self.faults.remove(number)

    def clear_faults(self) -> None:
        """Forget all faults."""
        with self.lock:
            self.faults.clear()

    def log(self) -> list[LoggedRequest]:
        """Return the newest requests (10,000 at most), oldest first."""
        with self.lock:
            return self.traffic.requests()

    def counts(self) -> dict[str, int]:
        """Return the number of requests by kind, and of token requests by grant type."""
        with self.lock:
            return self.traffic.counts()

    def clear_log(self) -> None:
        """Forget the log and its counts."""
        with self.lock:
            self.traffic.clear()


def _one_of(known: Collection[str], value: str) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}.")
    return value


def _folder(mailbox: Mailbox, name_or_id: str) -> Folder:
    try:
        return mailbox.folder(name_or_id)
    except KeyError:
        raise UnknownItemError(f"There is no folder {name_or_id}.") from None
