"""From changes to the words of notifications.

Mail text comes from strangers: it is cleaned of what could break a notification, a menu or a
terminal, or deceive the eye, and cut to what the narrowest desktop shows. What depends on the
notification server (markup) is escaped by the adapter that knows it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.core import text
from mailtray.core.changes import keys
from mailtray.core.deeds import Action
from mailtray.core.language import _
from mailtray.core.model import Button, Notification

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from mailtray.core.model import Account, Changes, Message

TITLE_UNITS = 63
"""UTF-16 units of a title; a Windows balloon holds no more (NOTIFYICONDATA.szInfoTitle)."""
BODY_UNITS = 255
"""UTF-16 units of a body; a Windows balloon holds no more (NOTIFYICONDATA.szInfo)."""
SUMMARY_LINES = 3
MARKS_MAX = 4
"""Combining marks kept on one character; no living script needs more."""

_SCAN_CHARS = 2_000
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_MARKS = frozenset({"Mn", "Me"})
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_LAST_TWO = 0xFFFE
_NONCHARACTERS = range(0xFDD0, 0xFDF0)
_JOINERS = frozenset("\u200c\u200d")
_ZWJ = "\u200d"
_FSI, _PDI = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_SPACES = re.compile(r"\s+")
_REGIONAL = range(0x1F1E6, 0x1F200)
_TAGS = range(0xE0020, 0xE0080)
_HTTPS_PORT = 443
_SKIN_TONES = range(0x1F3FB, 0x1F400)


@dataclass(frozen=True, slots=True)
class Places:
    """Which web pages may be opened for an account.

    Attributes:
        mailbox: Address of the mailbox's own page.
        hosts: Hosts whose https pages may be opened, in lower case.
        origin: One more origin that may be opened (``http://127.0.0.1:8080``), or empty.
    """

    mailbox: str
    hosts: frozenset[str]
    origin: str = ""

    def allow(self, link: str) -> str:
        """Return ``link`` where it may be opened, else the mailbox's page."""
        return link if self._is_known(link) else self.mailbox

    def _is_known(self, link: str) -> bool:
        # urlsplit leaves line breaks, tabs and spaces around a link out unseen; a browser may not.
        if not link.isprintable() or " " in link:
            return False
        try:
            parts = urlsplit(link)
            port = parts.port
        except ValueError:
            return False
        if self.origin and f"{parts.scheme}://{parts.netloc}" == self.origin:
            return True
        is_plain = parts.username is None and port in {None, _HTTPS_PORT}
        return parts.scheme == "https" and is_plain and parts.hostname in self.hosts


def clean(raw: str) -> str:
    """Make a stranger's text safe for one line of a notification, menu, tooltip or terminal.

    Control characters, line breaks, direction overrides, non-characters and lone surrogates go;
    letters of every script, emoji with their joiners and up to ``MARKS_MAX`` combining marks stay.
    Text of which nothing would be seen is no text.

    Source: Unicode Standard Annex 9 (bidirectional algorithm), XML 1.0 section 2.2.
    """
    if raw.isascii() and raw.isprintable():
        return _SPACES.sub(" ", raw[:_SCAN_CHARS]).strip()
    kept: list[str] = []
    marks = 0
    for char in raw[:_SCAN_CHARS]:
        category = unicodedata.category(char)
        if category in _MARKS:
            marks += 1
            kept.append(char if marks <= MARKS_MAX else "")
            continue
        shown = _shown(char, category)
        if shown and category != "Cf":
            marks = 0  # what is not drawn starts no new pile of marks
        kept.append(shown)
    line = _SPACES.sub(" ", "".join(kept)).strip()
    return line if any(_is_visible(char) for char in line) else ""


def _shown(char: str, category: str) -> str:
    if category in {"Cc", "Zl", "Zp"}:
        return " " if char.isspace() else ""
    if category == "Cs":
        return "\ufffd"
    return "" if _is_noncharacter(ord(char)) or char in _BIDI_CONTROLS else char


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in {"Cf", "Zs", *_MARKS} and char not in _BLANKS


def _is_noncharacter(code: int) -> bool:
    return code & _LAST_TWO == _LAST_TWO or code in _NONCHARACTERS


def clip(line: str, units: int) -> str:
    """Cut a line to ``units`` UTF-16 units, between two visible characters, with an ellipsis.

    Source: Unicode Standard Annex 29, as far as text that was cleaned needs it.
    """
    if _units(line) <= units:
        return line
    kept, used = "", 0
    for cluster in _clusters(line):
        used += _units(cluster)
        if used > units - 1:
            break
        kept += cluster
    return kept.rstrip(f" {_ZWJ}") + "…"


def _units(line: str) -> int:
    return len(line.encode("utf-16-le", "surrogatepass")) // 2


def _clusters(line: str) -> list[str]:
    found: list[str] = []
    for char in line:
        if found and _continues(found[-1], char):
            found[-1] += char
        else:
            found.append(char)
    return found


def _continues(cluster: str, char: str) -> bool:
    code = ord(char)
    if unicodedata.category(char) in {"Mc", *_MARKS} or char in _JOINERS:
        return True
    if code in _SKIN_TONES or code in _TAGS:
        return True
    if code in _REGIONAL:
        return len(cluster) == 1 and ord(cluster) in _REGIONAL
    return cluster.endswith(_ZWJ)


def isolate(field: str) -> str:
    """Wrap a field that runs from right to left so that it cannot reorder what is joined to it."""
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in field):
        return f"{_FSI}{field}{_PDI}"
    return field


def sender_of(message: Message) -> str:
    """Return the name to show for a message's sender: name, else address, else a neutral word."""
    return clean(message.sender_name) or clean(message.sender_address) or _(text.UNKNOWN_SENDER)


def subject_of(message: Message) -> str:
    """Return the subject to show, or a neutral word where there is none."""
    return clean(message.subject) or _(text.NO_SUBJECT)


def headline(message: Message, units: int) -> str:
    """Return ``Sender: subject`` on one line of at most ``units`` UTF-16 units."""
    sender = clip(sender_of(message), max(8, units // 3))
    room = units - _units(sender) - 6
    return f"{isolate(sender)}: {isolate(clip(subject_of(message), room))}"


def tag_of(message: Message) -> str:
    """Return the tag of the message's own notification."""
    return f"message-{keys(message)[0]:x}"


def compose(
    changes: Changes,
    account: Account,
    places: Places,
    *,
    max_single: int,
    name_account: bool,
    buttons: Sequence[Action] = (),
) -> tuple[Notification, ...]:
    """Word the notifications of one poll.

    Args:
        changes: What the poll brought.
        account: Whose mail it is.
        places: Which links may be opened.
        max_single: Up to this many messages get a notification each; more become one summary.
        name_account: True where there are several accounts, so that each names its own.
        buttons: What is offered to be done to a message; of these, a summary has the marking.
    """
    arrived = changes.arrived
    if not arrived:
        return ()
    if len(arrived) > max_single or (changes.is_catch_up and len(arrived) > 1):
        summary = _summary(arrived, account, places, name_account=name_account)
        return (replace(summary, buttons=_for_summary(buttons)),)
    owner = account.username if name_account else ""
    return tuple(
        replace(_single(message, account, places, owner), buttons=_for_message(buttons))
        for message in arrived
    )


def _for_message(buttons: Iterable[Action]) -> tuple[Button, ...]:
    return tuple(Button(each.value, text.action(each)) for each in buttons)


def _for_summary(buttons: Collection[Action]) -> tuple[Button, ...]:
    if Action.MARK_READ not in buttons:
        return ()  # to archive or delete many unseen is no one button's matter
    return (Button(Action.MARK_READ.value, text.mark_all_read()),)


def _single(message: Message, account: Account, places: Places, owner: str) -> Notification:
    last = f"\n{isolate(clip(clean(owner), BODY_UNITS // 4))}" if owner else ""
    body = subject_of(message)
    if preview := clean(message.preview):
        body = f"{clip(body, BODY_UNITS // 2)}\n{preview}"
    return Notification(
        tag=tag_of(message),
        title=clip(sender_of(message), TITLE_UNITS),
        body=clip(body, BODY_UNITS - _units(last)) + last,
        account=account.id,
        message_ids=(message.id,),
        link=places.allow(message.web_link),
    )


def _summary(
    arrived: Sequence[Message], account: Account, places: Places, *, name_account: bool
) -> Notification:
    newest = arrived[: -SUMMARY_LINES - 1 : -1]
    room = BODY_UNITS // (SUMMARY_LINES + 1)
    lines = [headline(message, room) for message in newest]
    if hidden := len(arrived) - len(newest):
        lines.append(text.and_more(hidden))
    title = text.new_messages(len(arrived))
    if name_account:
        title = f"{title} · {isolate(clean(account.username))}"
    return Notification(
        tag=f"summary-{keys(arrived[-1])[0]:x}",
        title=clip(title, TITLE_UNITS),
        body=clip("\n".join(lines), BODY_UNITS),
        account=account.id,
        message_ids=tuple(message.id for message in arrived),
        link=places.mailbox,
    )
