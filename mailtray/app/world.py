"""What the program is given: the adapters behind the ports, and the wishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from mailtray.core.compose import Privacy

if TYPE_CHECKING:
    from datetime import tzinfo

    from mailtray.core.compose import Places
    from mailtray.core.errors import MailtrayError
    from mailtray.core.peace import Presence
    from mailtray.core.settings import Settings
    from mailtray.ports import (
        Autostart,
        Clock,
        EventSink,
        Hook,
        IdentityProvider,
        MailSource,
        Notifier,
        Opener,
        Pages,
        PresenceSource,
        SettingsSource,
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
    pages: Pages
    hook: Hook
    presence: PresenceSource
    settings: SettingsSource
    autostart: Autostart


@dataclass(slots=True)
class Wishes:
    """What the person wishes, as it is now: one object for all, changed where the settings are.

    Attributes:
        settings: The settings.
        places: Which links may be opened.
        unconfigured: Where no client id is known: what to say of it.
        sign_in_deadline_s: How long the person may take in the browser, in seconds.
        zone: Where the person is; one that knows when its clocks change.
    """

    settings: Settings
    places: Places
    unconfigured: MailtrayError | None = None
    sign_in_deadline_s: float = 300.0
    zone: tzinfo = UTC

    def privacy(self, presence: Presence) -> Privacy:
        """Return how much of mail may be seen while the person is so."""
        settings = self.settings
        return Privacy(settings.privacy_when_locked if presence.is_locked else settings.privacy)
