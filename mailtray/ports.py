"""The program's seams: what the poller needs of the world, whoever provides it.

The contracts below are the whole truth; adapters repeat none of it. Each has a suite in
``tests/contract`` that the fake and the real adapter both pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mailtray.core.deeds import Errand
    from mailtray.core.errors import ConfigError, MailSourceError
    from mailtray.core.model import (
        AccessToken,
        Account,
        AccountId,
        Cursor,
        Deed,
        Delivery,
        FolderCount,
        FolderPlace,
        Notification,
        Seen,
        SignedIn,
        TrayView,
        UnreadList,
    )
    from mailtray.core.peace import Pause, Presence
    from mailtray.core.settings import Settings


class Clock(Protocol):
    """The time, as two clocks."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware UTC; it may jump in either direction."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that only grow; may stand still while the computer sleeps."""
        ...

    def dice(self) -> float:
        """Return a random number in [0, 1)."""
        ...


class Vault(Protocol):
    """Keeps one secret an account for the user, out of reach of other users.

    A crash in the middle of any method leaves the old secret or the new one, never a mixture.
    """

    def accounts(self) -> tuple[AccountId, ...]:
        """Return the accounts with a secret, in the order in which they were first saved.

        Raises:
            VaultLocked: The keyring is locked.
            NoVault: There is no keyring here.
            VaultError: Any other refusal.
        """
        ...

    def load(self, account: AccountId) -> str | None:
        """Return the account's secret, or ``None`` if none is kept or it is damaged.

        Raises:
            VaultError: As for :meth:`accounts`.
        """
        ...

    def save(self, account: AccountId, secret: str) -> None:
        """Replace the account's secret, of any length.

        Raises:
            VaultError: As for :meth:`accounts`; the old secret is then still there.
        """
        ...

    def clear(self, account: AccountId) -> None:
        """Erase the account's secret with all its pieces; nothing happens if there is none.

        Raises:
            VaultError: As for :meth:`accounts`.
        """
        ...


class StateStore(Protocol):
    """Remembers what the person was told, per account and folder, and whether they want peace.

    Attributes:
        set_aside: Where damaged memories were moved to, if that happened since the start; the
            store then began afresh.
    """

    set_aside: Path | None

    def load(self, account: AccountId, folder: str) -> Seen:
        """Return what was saved last, or an empty ``Seen`` (a baseline to come).

        Previews are text of the mail and do not come back.

        Raises:
            StateError: The file cannot be read at all.
        """
        ...

    def save(self, account: AccountId, folder: str, seen: Seen) -> None:
        """Remember ``seen`` instead of what was saved before, whole or not at all.

        Raises:
            StateError: It could not be written; what was saved before still stands.
        """
        ...

    def forget(self, account: AccountId) -> None:
        """Drop all that is remembered of an account.

        Raises:
            StateError: As for :meth:`save`.
        """
        ...

    def keep_only(self, account: AccountId, folders: Collection[str]) -> None:
        """Drop what is remembered of an account's folders other than these.

        Raises:
            StateError: As for :meth:`save`.
        """
        ...

    def load_errands(self, account: AccountId) -> tuple[Errand, ...]:
        """Return what the account's person wants done, as it was saved last.

        Raises:
            StateError: As for :meth:`load`.
        """
        ...

    def save_errands(self, account: AccountId, errands: Sequence[Errand]) -> None:
        """Remember what is to be done in place of what was before, whole or not at all.

        Raises:
            StateError: As for :meth:`save`.
        """
        ...

    def load_pause(self) -> Pause | None:
        """Return the pause that was saved last, or ``None``.

        Raises:
            StateError: As for :meth:`load`.
        """
        ...

    def save_pause(self, pause: Pause | None) -> None:
        """Remember a pause in place of any other; ``None`` where there is none.

        Raises:
            StateError: As for :meth:`save`.
        """
        ...

    def close(self) -> None:
        """Let go of the file; no other call follows."""
        ...


class IdentityProvider(Protocol):
    """Signs accounts in and acquires their access tokens; keeps each token cache in memory.

    All methods may be called from different threads, but never two at once for one account.
    """

    def restore(self, account: AccountId, cache: str) -> Account | None:
        """Take over a token cache from the vault; no network.

        Returns:
            The account it belongs to, or ``None`` where the cache is damaged or of another
            account; the account then has to sign in.
        """
        ...

    def adopt(self, signed_in: SignedIn) -> None:
        """Take over the cache of a finished sign-in in place of the account's old one."""
        ...

    def acquire_token(
        self, account: AccountId, scopes: Collection[str], *, claims: str | None, renew: bool
    ) -> AccessToken:
        """Return an access token: from the cache, else by the refresh token.

        Args:
            account: One that was restored or adopted.
            scopes: In the form in which the token response lists them (``Mail.ReadBasic``).
            claims: A claims challenge of Graph's to satisfy, plain JSON.
            renew: True to skip the cached access token (Graph refused it).

        Raises:
            SignInRequired, ConsentRequired, AuthBlocked: The person has to act.
            Unreachable, Throttled, ServiceUnavailable, InvalidResponse: Passing trouble.
        """
        ...

    def take_changed_cache(self, account: AccountId) -> str | None:
        """Return the account's serialized token cache if it changed since the last call.

        The cache counts as unchanged afterwards; whoever takes it has to keep it.
        """
        ...

    def forget(self, account: AccountId) -> None:
        """Drop the account's token cache from memory."""
        ...

    def sign_in(
        self,
        scopes: Collection[str],
        *,
        login_hint: str | None,
        claims: str | None,
        deadline_s: float,
        on_url: Callable[[str], None],
    ) -> SignedIn:
        """Sign an account in through the system browser (authorization code with PKCE).

        Blocks until the person is done, :meth:`cancel_sign_in` is called or ``deadline_s``
        seconds are over. At most one runs at a time.

        Args:
            scopes: Permissions to ask consent for.
            login_hint: The username to offer, or ``None``.
            claims: Claims request of an earlier refusal, plain JSON, or ``None``.
            deadline_s: How long the person may take, in seconds.
            on_url: Receives the sign-in page's address, on any thread, once the listener waits
                for its answer (for a console or where no browser opens).

        Raises:
            SignInCancelled: Not finished in time, cancelled here or on the page, or another one
                is running.
            ConsentRequired, AuthBlocked, SignInRequired: Microsoft refused.
            Unreachable, Throttled, ServiceUnavailable, InvalidResponse: Passing trouble.
        """
        ...

    def sign_in_by_device_code(
        self,
        scopes: Collection[str],
        *,
        claims: str | None,
        deadline_s: float,
        on_code: Callable[[str, str], None],
    ) -> SignedIn:
        """Sign an account in on another device (RFC 8628); otherwise as :meth:`sign_in`.

        Args:
            scopes: Permissions to ask consent for.
            claims: Claims request of an earlier refusal, plain JSON, or ``None``.
            deadline_s: How long the person may take, in seconds.
            on_code: Receives the page's address and the code to type there.
        """
        ...

    def cancel_sign_in(self) -> None:
        """Make a running :meth:`sign_in` end soon with ``SignInCancelled``; from any thread."""
        ...


class MailSource(Protocol):
    """Reads mailboxes. One instance serves all accounts; each call names its token.

    A ``folder`` is a key; see :mod:`mailtray.core.folders`.
    """

    def fetch(
        self,
        token: AccessToken,
        folder: str,
        cursor: Cursor | None,
        *,
        with_count: bool,
    ) -> Delivery:
        """Run one delta round to its end.

        Without a cursor it is a full round, bounded to the newest messages of the folder
        (``Delivery.floor``), and the counters are always asked for. With one it is one request
        where nothing changed; where something did, or ``with_count`` is set, the folder's
        counters are asked for as well.

        Raises:
            CursorExpired: Drop the cursor and fetch a full round.
            TokenRejected, AccessDenied, MailboxUnavailable: See the errors.
            Unreachable, Throttled, ServiceUnavailable, InvalidResponse: Passing trouble.
        """
        ...

    def count(self, token: AccessToken, folder: str) -> FolderCount:
        """Return the folder's own counters.

        Raises:
            MailSourceError: As for :meth:`fetch`, without ``CursorExpired``.
        """
        ...

    def list_unread(
        self, token: AccessToken, folder: str, *, since: datetime | None, limit: int
    ) -> UnreadList:
        """Return the newest unread messages, at most ``limit``, received from ``since`` on.

        Raises:
            MailSourceError: As for :meth:`fetch`, without ``CursorExpired``.
        """
        ...

    def folders(self, token: AccessToken, mailbox: str) -> tuple[FolderPlace, ...]:
        """Return a mailbox's folders, each after the one it is in.

        Args:
            token: Whose.
            mailbox: The address of a shared mailbox; the token's own where empty.

        Raises:
            MailSourceError: As for :meth:`count`.
        """
        ...

    def do(self, token: AccessToken, deeds: Sequence[Deed]) -> tuple[MailSourceError | None, ...]:
        """Do things to messages, in few requests.

        Returns:
            For each deed why it was not done, or ``None``; ``MessageGone`` where the message is
            no longer there, ``MailboxUnavailable`` where its mailbox or destination is not,
            ``AccessDenied`` where the token does not allow it, passing trouble that did not
            stop the others.

        Raises:
            MailSourceError: As for :meth:`count`; nothing is known then of what was done.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Notifier(Protocol):
    """Shows notifications and takes them back.

    Clicks come back through the callback given at construction, on any thread:
    ``on_click(notification, button)``, ``button`` being the pressed button's command, or empty
    for the notification itself.
    """

    name: str
    """What it is, for logs and diagnostics: ``freedesktop``, ``desktop-notifier``, ``console``."""

    def show(self, notification: Notification) -> None:
        """Show a notification in place of a shown one with the same tag.

        Returns within 5 s.

        Raises:
            NotifierError: It was not shown and will not be.
        """
        ...

    def withdraw(self, tags: Iterable[str]) -> None:
        """Take shown notifications back; unknown tags and servers that cannot are ignored."""
        ...

    def close(self) -> None:
        """Let go of the bus; no other call follows."""
        ...


class Tray(Protocol):
    """The icon and its menu. Clicks arrive on any thread as ``on_command(command, argument)``."""

    name: str
    """What it is, for logs and diagnostics: ``status-notifier``, ``pystray``, ``none``."""

    def render(self, view: TrayView) -> None:
        """Show a view; from any thread, never blocks, the last one wins."""
        ...

    def run(self, until_quit: Callable[[], None]) -> None:
        """Own the main thread until :meth:`stop`.

        Args:
            until_quit: Blocks until the program quits; a tray that needs no main loop calls it.
        """
        ...

    def stop(self) -> None:
        """Take the icon away and let :meth:`run` return; from any thread."""
        ...


class PresenceSource(Protocol):
    """Tells how it is with the person in front of the computer."""

    def look(self) -> Presence:
        """Return what the desktop tells; at once, from any thread, and never raises."""
        ...


class EventSink(Protocol):
    """Receives the event lines of ``--events jsonl``."""

    def emit(self, event: Mapping[str, object]) -> None:
        """Write one event; never raises and never blocks the poller for long."""
        ...

    def close(self) -> None:
        """Let the last events out, for a bounded time; no other call follows."""
        ...


class Hook(Protocol):
    """Hands each message that the person was told of to a program of theirs."""

    def run(self, message: Mapping[str, object]) -> None:
        """Have the program run once, with the message as JSON on its standard input.

        Returns at once and never raises; a message that cannot wait for its turn is logged.
        """
        ...

    def close(self) -> None:
        """End what runs, within a second; what waits is dropped and logged."""
        ...


class SettingsSource(Protocol):
    """Knows what the person wishes, and hears of it when they change their mind."""

    def changed(self) -> Settings | ConfigError | None:
        """Return the settings if they are others than at the last call, or their mistake.

        Where there was a mistake before, mended settings are returned whatever they are. Cheap
        where nothing changed, and never raises.
        """
        ...


class Opener(Protocol):
    """Opens web pages in the person's browser."""

    def open(self, url: str) -> bool:
        """Open a page; returns False where no browser could be started."""
        ...


class Pages(Protocol):
    """Opens the program's own pages, outside it and for as long as they are looked at."""

    def open(self, page: str) -> None:
        """Open a page in the person's browser, in place of one of the same kind.

        Returns at once and never raises; what goes wrong is logged.

        Args:
            page: Its kind: ``doctor``, ``messages``; behind a slash what it is about:
                ``trouble/vault``.
        """
        ...

    def close(self) -> None:
        """End the pages that are open; no other call follows."""
        ...


class Autostart(Protocol):
    """Starts the program at the person's login, from the next one on.

    Attributes:
        command: What :meth:`turn_on` has started, program and arguments.
    """

    command: tuple[str, ...]

    def turn_on(self) -> None:
        """Have ``command`` started at login, in place of what was before.

        Raises:
            MailtrayError: It cannot be had; what was before still stands.
        """
        ...

    def turn_off(self) -> None:
        """Have nothing started at login; nothing happens where nothing was.

        Raises:
            MailtrayError: As for :meth:`turn_on`.
        """
        ...

    def started(self) -> tuple[str, ...]:
        """Return what a login starts under this home's name; empty where nothing.

        Raises:
            MailtrayError: It cannot be found out.
        """
        ...
