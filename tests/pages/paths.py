"""The pages and buttons that there are, read from the site so that none is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from mailtray.pages import site
from mailtray.pages.safety import Safety
from tests.e2e.program import CLIENT_ID

if TYPE_CHECKING:
    from mailtray.pages.program import Program

PARTS = frozenset(
    {
        "open",
        "icon",
        "messages/list",
        "first-run/sign-in/state",
        "trouble-now",
        "settings/preview/notification",
        "settings/preview/icon",
    }
)
"""What is put into pages, and is none itself."""


def _paths(method: str) -> list[str]:
    safety = Safety()
    rules = site.build(cast("Program", object()), safety).url_map.iter_rules()
    return sorted(
        rule.rule.removeprefix(f"{safety.prefix}/")
        for rule in rules
        if method in (rule.methods or ()) and "<" not in rule.rule
    )


MAILTRAYS = [*(path for path in _paths("GET") if path not in PARTS), "no-such-page"]
"""mailtray's own pages, below their prefix."""
BUTTONS = _paths("POST")
"""Where mailtray's forms go, below their prefix."""
SIMULATORS = [
    "/",
    "/mail/",
    "/mail/no-such-message",
    "/devicelogin",
    "/contoso.example/v2.0/adminconsent?"
    + urlencode(
        {"client_id": CLIENT_ID, "redirect_uri": "http://localhost", "scope": "Mail.ReadBasic"}
    ),
    "/common/v2.0/adminconsent",
]
"""The simulator's pages, but for those on the way through a sign-in."""
