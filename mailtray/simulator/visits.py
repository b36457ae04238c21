"""Sign-ins under way, and who is signed in in which browser."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailtray.simulator.accounts import Account
from mailtray.simulator.grants import DeviceCode


@dataclass
class Visit:
    """One person on the way through the sign-in pages."""

    tenant: str
    client_id: str
    asked: frozenset[str]
    params: Mapping[str, str]
    """The authorize request, as sent."""
    device: DeviceCode | None = None
    """The device the sign-in is for, where it is not for a program on this machine."""
    account: Account | None = None
    has_password: bool = False

    @property
    def prompt(self) -> str:
        """What the program wants shown in any case."""
        return self.params.get("prompt", "")

    @property
    def wanted(self) -> frozenset[str]:
        """The scopes that need the person's consent."""
        return self.asked - {".default"}

    @property
    def missing(self) -> frozenset[str]:
        """The wanted scopes the chosen account has not accepted for this program yet."""
        known = self.account.consents.get(self.client_id, set()) if self.account else set()
        return self.wanted - known


@dataclass
class Desk:
    """Visits by number and, per browser cookie, the usernames signed in there."""

    visits: dict[str, Visit] = field(default_factory=dict)
    sessions: dict[str, list[str]] = field(default_factory=dict)

    def open(self, visit: Visit) -> str:
        """Keep a visit and return its number, which nobody can guess."""
        number = secrets.token_urlsafe(18)
        self.visits[number] = visit
        return number

    def signed_in(self, cookie: str) -> list[str]:
        """List the usernames signed in in a browser."""
        return self.sessions.get(cookie, [])

    def remember(self, cookie: str, username: str) -> str:
        """Note a sign-in in a browser; returns its cookie, a new one if it had none."""
        if cookie not in self.sessions:
            cookie = secrets.token_urlsafe(24)
        names = self.sessions.setdefault(cookie, [])
        if username not in names:
            names.append(username)
        return cookie
