"""What the doctor finds: checks, their order, and how they read, on a screen and in a report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mailtray.core.compose import clean
from mailtray.core.language import N_, Sentence, _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Verdict(StrEnum):
    """How a check ended; the values are those of the JSON."""

    OK = "ok"
    ATTENTION = "attention"
    FAIL = "fail"
    UNKNOWN = "unknown"


VERDICTS: Mapping[Verdict, Sentence] = {
    Verdict.OK: N_("good"),
    Verdict.ATTENTION: N_("attention"),
    Verdict.FAIL: N_("fails"),
    Verdict.UNKNOWN: N_("unknown"),
}
"""How a verdict is called."""


class Part(StrEnum):
    """What is checked, in the order in which it is told; the values are those of the JSON."""

    SETTINGS = "settings"
    CLIENT_ID = "client_id"
    PROGRAM = "program"
    SIGN_IN = "sign_in"
    MAILBOX = "mailbox"
    POLLS = "polls"
    PROXY = "proxy"
    LOGIN = "sign_in_service"
    GRAPH = "mail_service"
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    DISPLAY = "display"
    TRAY = "tray"
    NOTIFICATIONS = "notifications"
    SOUND = "sound"
    KEYRING = "keyring"
    BROWSER = "browser"
    STATE = "state_file"
    FOLDERS = "folders"
    DISK = "disk"
    AUTOSTART = "autostart"
    VERSIONS = "versions"


PARTS: Mapping[Part, Sentence] = {
    Part.SETTINGS: N_("Settings"),
    Part.CLIENT_ID: N_("Client id"),
    Part.PROGRAM: N_("Running program"),
    Part.SIGN_IN: N_("Sign-in"),
    Part.MAILBOX: N_("Mailbox"),
    Part.POLLS: N_("Last 24 hours"),
    Part.PROXY: N_("Proxy"),
    Part.LOGIN: N_("Microsoft's sign-in"),
    Part.GRAPH: N_("Microsoft's mail service"),
    Part.CERTIFICATE: N_("Certificate"),
    Part.CLOCK: N_("Clock"),
    Part.DISPLAY: N_("Display"),
    Part.TRAY: N_("Tray"),
    Part.NOTIFICATIONS: N_("Notifications"),
    Part.SOUND: N_("Sound"),
    Part.KEYRING: N_("Keyring"),
    Part.BROWSER: N_("Browser"),
    Part.STATE: N_("State file"),
    Part.FOLDERS: N_("Folders"),
    Part.DISK: N_("Disk space"),
    Part.AUTOSTART: N_("Start at login"),
    Part.VERSIONS: N_("Versions"),
}
"""How a part is called."""
_PLACES = {part: place for place, part in enumerate(Part)}


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one part.

    Attributes:
        found: The fact, in one sentence or less; may name the person's folders.
        action: The one thing to do, or empty.
        account: The username of the account that it is about, or empty.
    """

    part: Part
    verdict: Verdict
    found: str
    action: str = ""
    account: str = ""

    @property
    def told(self) -> str:
        """What was found, and of which account."""
        if not self.account:
            return self.found
        return _("{name}: {words}").format(name=self.account, words=self.found)


def good(part: Part, found: str) -> Check:
    """Return that a part is as it should be."""
    return Check(part, Verdict.OK, found)


def attention(part: Part, found: str, action: str) -> Check:
    """Return that mailtray works, and would better with this part mended."""
    return Check(part, Verdict.ATTENTION, found, action)


def fails(part: Part, found: str, action: str) -> Check:
    """Return that mailtray cannot do its work because of this part."""
    return Check(part, Verdict.FAIL, found, action)


def unknown(part: Part, found: str, action: str = "") -> Check:
    """Return that a part could not be looked at."""
    return Check(part, Verdict.UNKNOWN, found, action)


def in_order(checks: Iterable[Check]) -> list[Check]:
    """Return checks part by part; those of one part as they came."""
    return sorted(checks, key=lambda one: _PLACES[one.part])


def has_failed(checks: Iterable[Check]) -> bool:
    """Say whether something keeps mailtray from its work."""
    return any(one.verdict is Verdict.FAIL for one in checks)


def as_json(checks: Iterable[Check]) -> dict[str, list[dict[str, str]]]:
    """Return checks as other programs read them."""
    told = [
        {"name": one.part.value, "status": one.verdict.value, "found": one.told,
         "action": one.action}
        for one in checks
    ]  # fmt: skip
    return {"checks": told}


def lines(checks: Sequence[Check]) -> list[str]:
    """Return checks as lines for people, each with its verdict in a word."""
    width = max((len(_(words)) for words in VERDICTS.values()), default=0)
    return [f"{_(VERDICTS[one.verdict]):{width}}  {_line(one)}" for one in checks]


def _line(one: Check) -> str:
    line = _("{name}: {words}").format(name=_(PARTS[one.part]), words=clean(one.told))
    return f"{line} → {clean(one.action)}" if one.action else line


# -- what may be passed on ------------------------------------------------------------------------

_ADDRESS = re.compile(r"[^\s@:,;<>()“”\"']+@[^\s@:,;<>()“”\"']+\.[^\W\d_]{2,}")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/@\s]*@")
_QUERY = re.compile(r"\?[^\s“”\"')]+")
_OPAQUE = re.compile(r"[A-Za-z0-9+_!*$=-]{32,}")


def report(checks: Sequence[Check], homes: Iterable[str]) -> str:
    """Return checks as a text to pass on: no address, no account, no id, no secret.

    Args:
        checks: What was found.
        homes: The person's own folder, in each form in which it may be written.
    """
    text = "\n".join(lines(checks))
    text = _LOGIN.sub("", text)
    for home in sorted(filter(None, homes), key=len, reverse=True):
        text = text.replace(home.rstrip("/\\") or home, "~")
    numbers: dict[str, int] = {}
    for name in (one.account for one in checks if one.account):
        numbers.setdefault(name.lower(), len(numbers) + 1)
    for name, number in sorted(numbers.items(), key=lambda one: -len(one[0])):
        text = re.sub(re.escape(name), _account(number), text, flags=re.IGNORECASE)

    def numbered(found: re.Match[str]) -> str:
        return _account(numbers.setdefault(found[0].lower(), len(numbers) + 1))

    text = _ADDRESS.sub(numbered, text)
    for pattern in (_GUID, _QUERY, _OPAQUE):
        text = pattern.sub("…", text)
    return text


def _account(number: int) -> str:
    return _("account {number}").format(number=number)
