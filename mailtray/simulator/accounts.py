"""Accounts of the simulated cloud, and the tenants they belong to."""

import uuid
from dataclasses import dataclass, field
from typing import Literal

from mailtray.simulator.mailbox import Mailbox

CONSUMER_TENANT = "9188040d-6c67-4ac5-b112-36a0b124cc28"
"""The tenant all personal accounts share, as in the real service."""

Kind = Literal["work", "personal"]


@dataclass
class Account:
    """One person: the name in the account picker, and the mailbox behind it."""

    username: str
    name: str
    kind: Kind
    object_id: str
    """The person's id in the tenant (``oid``; also ``uid`` in client_info)."""
    tenant_id: str
    mailbox: Mailbox
    consents: dict[str, set[str]] = field(default_factory=dict)
    """Client id to the scopes this person accepted for it."""
    shared_with: set[str] = field(default_factory=set)
    """Usernames that may open this mailbox through the ``.Shared`` scopes."""
    challenge: str | None = None
    """While set, Graph refuses access tokens that do not answer this claims challenge."""

    @property
    def home_account_id(self) -> str:
        """MSAL's key of the account: ``uid.utid``."""
        return f"{self.object_id}.{self.tenant_id}"


def new_account(username: str, name: str, kind: Kind) -> Account:
    """Make an account with an empty mailbox; the ids follow from the username."""
    domain = username.rpartition("@")[2]
    tenant_id = CONSUMER_TENANT if kind == "personal" else tenant_of(domain)
    object_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{username.lower()}"))
    return Account(username, name, kind, object_id, tenant_id, Mailbox())


def tenant_of(domain: str) -> str:
    """Return the tenant id of an organisation's domain."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, domain.lower()))
