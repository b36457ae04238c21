"""What the program is given: the adapters behind the ports, and the wishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from mailtray.core.compose import Places
    from mailtray.core.errors import MailtrayError
    from mailtray.core.peace import QuietHours
    from mailtray.ports import (
        Clock,
        EventSink,
        Hook,
        IdentityProvider,
        MailSource,
        Notifier,
        Opener,
        StateStore,
        Tray,
        Vault,
    )


@dataclass(frozen=True, slots=True)
class World:
    """The adapters."""

    clock: Clock
    vault: Vault
    state: StateStore
    identity: IdentityProvider
    mail: MailSource
    notifier: Notifier
    tray: Tray
    events: EventSink
    opener: Opener
    hook: Hook


@dataclass(frozen=True, slots=True)
class Wishes:
    """What of the settings the poller needs.

    Attributes:
        interval_s: Seconds between two polls of an account.
        scopes: Permissions to ask for, in the form in which token responses list them.
        least_scopes: Those of them that do where the rest is refused; empty where none is spare.
        places: Which links may be opened.
        max_single: Up to this many messages get a notification each.
        unconfigured: Where no client id is known: what to say of it.
        sign_in_deadline_s: How long the person may take in the browser, in seconds.
        quiet_hours: When nothing is shown.
        quiet_in_do_not_disturb: Whether nothing is shown while the desktop does not disturb.
        quiet_when_locked: Whether nothing is shown while the screen is locked.
        zone: Where the person is; one that knows when its clocks change.
    """

    interval_s: float
    scopes: tuple[str, ...]
    places: Places
    least_scopes: tuple[str, ...] = ()
    max_single: int = 3
    unconfigured: MailtrayError | None = None
    sign_in_deadline_s: float = 300.0
    quiet_hours: tuple[QuietHours, ...] = ()
    quiet_in_do_not_disturb: bool = True
    quiet_when_locked: bool = True
    zone: tzinfo = UTC
