"""What to write to an administrator who has to approve mailtray for an organisation.

Source: learn.microsoft.com/entra/identity-platform/v2-admin-consent; RFC 6068 (mailto).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from mailtray.core.language import _

GUIDE = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"
"""Microsoft's own page on what is asked of the administrator."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that asks for approval."""

    subject: str
    body: str

    @property
    def mailto(self) -> str:
        """The address that opens it in a mail program, with nobody yet to send it to."""
        return f"mailto:?{urlencode({'subject': self.subject, 'body': self.body}, quote_via=quote)}"


def letter(link: str) -> Letter:
    """Write the mail to send along with an approval page's address.

    Args:
        link: The page; what it asks for is read off it.
    """
    asked = parse_qs(urlsplit(link).query)
    client_id = asked.get("client_id", [""])[0]
    scopes = [scope.rpartition("/")[2] for scope in asked.get("scope", [""])[0].split()]
    body = _(
        "Hello,\n"
        "\n"
        "I would like to use mailtray, a small program on my own computer that tells me about new "
        "mail. Our organisation wants an administrator to approve it first. Please open this page "
        "and accept:\n"
        "\n"
        "{link}\n"
        "\n"
        "It asks for the delegated permissions {scopes}, for the application (client) id "
        "{client_id}. Delegated means: it sees the mail of whoever signs in, on their computer, "
        "and nothing else. After you accept, your browser may end on a page at “localhost” that "
        "does not open; the approval has worked nevertheless.\n"
        "\n"
        "What approving means, and how to limit it to some people: {guide}\n"
    )
    return Letter(
        subject=_("Please approve mailtray for our organisation"),
        body=body.format(link=link, scopes=", ".join(scopes), client_id=client_id, guide=GUIDE),
    )
