"""The real adapters over a simulated Microsoft 365, with a person at the browser."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtray.adapters.graph_mail import GraphMail
from mailtray.adapters.http import Http
from mailtray.adapters.msal_identity import MsalIdentity
from mailtray.simulator import Simulator
from mailtray.simulator.browser import WalkError, walk
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailtray.core.model import AccessToken, SignedIn
    from mailtray.simulator import Cloud

LOGIN_ROOT = "https://login.microsoftonline.com"
GRAPH_ROOT = "https://graph.microsoft.com"
CLIENT_ID = "0e4c9f3a-5b1d-4a7e-9a53-2f6f0c1b8d11"
ADA = "ada@contoso.example"
SCOPES = ["Mail.ReadBasic"]


@dataclass
class Person:
    """Who sits at the browser.

    Attributes:
        username: Who they sign in as; ``None`` while nobody is there.
        consents: False to press Cancel where permissions are asked for.
        last_page: What they saw last.
    """

    username: str | None = ADA
    consents: bool = True
    last_page: str = ""
    opened: int = 0

    def browse(self, url: str) -> bool:
        self.opened += 1
        if self.username is not None:
            try:
                self.last_page = walk(url, username=self.username, consent=self.consents)
            except WalkError as exc:
                self.last_page = str(exc)
        return True


@dataclass(frozen=True)
class Rig:
    """Everything a test of the real adapters needs."""

    cloud: Cloud
    clock: FakeClock
    http: Http
    person: Person
    identity: MsalIdentity
    mail: GraphMail

    def another_identity(
        self, *, client_id: str = CLIENT_ID, tenant: str = "common"
    ) -> MsalIdentity:
        return MsalIdentity(
            client_id, f"{LOGIN_ROOT}/{tenant}", self.http, self.clock, self.person.browse
        )

    def sign_in(self, scopes: list[str] = SCOPES) -> SignedIn:
        """Sign the person in and adopt the account."""
        signed_in = self.identity.sign_in(
            scopes, login_hint=None, claims=None, deadline_s=60, on_url=lambda _url: None
        )
        self.identity.adopt(signed_in)
        return signed_in

    def token(self, scopes: list[str] = SCOPES) -> AccessToken:
        """Sign the person in and return their access token."""
        account = self.sign_in(scopes).account.id
        return self.identity.acquire_token(account, scopes, claims=None, renew=False)

    def asked(self, part: str) -> list[str]:
        """Return paths and queries of the requests so far that hold ``part``."""
        targets = [f"{each.path}?{each.query}" for each in self.cloud.log()]
        return [target for target in targets if part in target]


@contextmanager
def microsoft_365(simulator: Simulator | None = None) -> Iterator[Rig]:
    """Build the adapters over a simulator: the one given, begun anew, or one of its own."""
    clock, person = FakeClock(), Person()
    with nullcontext(simulator) if simulator else Simulator() as running:
        running.cloud.reset()
        http = Http(
            login_root=LOGIN_ROOT, graph_root=GRAPH_ROOT, clock=clock, service_url=running.url
        )
        identity = MsalIdentity(CLIENT_ID, f"{LOGIN_ROOT}/common", http, clock, person.browse)
        mail = GraphMail(GRAPH_ROOT, http, clock)
        yield Rig(running.cloud, clock, http, person, identity, mail)
        http.close()
