"""From changes to the words of notifications.

Mail text comes from strangers: it is cleaned of what could break a notification, a menu or a
terminal, or deceive the eye, and cut to what the narrowest desktop shows. What depends on the
notification server (markup) is escaped by the adapter that knows it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.core import text
from mailtray.core.changes import keys
from mailtray.core.deeds import Action
from mailtray.core.language import _
from mailtray.core.model import SOUND_DESKTOP, SOUND_NONE, Button, Manner, Notification, Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from mailtray.core.model import Account, Changes, Message, MessageId
    from mailtray.core.rules import Ruling

TITLE_UNITS = 63
"""UTF-16 units of a title; a Windows balloon holds no more (NOTIFYICONDATA.szInfoTitle)."""
BODY_UNITS = 255
"""UTF-16 units of a body; a Windows balloon holds no more (NOTIFYICONDATA.szInfo)."""
SUMMARY_LINES = 3
STANDING_OUT_MAX = 10
"""More notifications at once would hide one another."""
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
_LOUDNESS = {SOUND_NONE: 0, SOUND_DESKTOP: 1}
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
    if not field.isascii() and any(
        unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in field
    ):
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


class Privacy(StrEnum):
    """How much a notification shows; the values are those of settings."""

    SUBJECT = "subject"
    """Sender and subject, and the preview where there is one."""
    SENDER = "sender"
    HIDDEN = "hidden"
    """That there is mail, and no more."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How notifications are worded.

    Attributes:
        places: Which links may be opened.
        now: The time, aware, in the person's zone.
        max_single: Up to this many get a notification each; more become one summary.
        name_account: True where there are several accounts, so that each names its own.
        group_conversations: True to tell of one conversation in one notification.
        buttons: What is offered to be done; of these, a summary has the marking.
    """

    places: Places
    now: datetime
    max_single: int = 3
    name_account: bool = False
    privacy: Privacy = Privacy.SUBJECT
    group_conversations: bool = True
    buttons: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class _Group:
    """Messages that are told of in one notification.

    Attributes:
        messages: Oldest first; never none.
        manner: The strongest of theirs.
    """

    messages: tuple[Message, ...]
    manner: Manner
    is_vip: bool

    @property
    def newest(self) -> Message:
        return self.messages[-1]

    @property
    def stands_out(self) -> bool:
        is_pressing = self.manner.stays or self.manner.urgency is Urgency.CRITICAL
        return self.is_vip or is_pressing


def compose(
    changes: Changes, account: Account, wording: Wording, rulings: Mapping[MessageId, Ruling]
) -> tuple[Notification, ...]:
    """Word the notifications of one poll, those of VIPs first.

    What stands out, by its sender or by a rule, has a notification to itself also where the rest
    becomes a summary; of very many only the newest ``STANDING_OUT_MAX``.

    Args:
        changes: What the poll brought, all of it to be told.
        account: Whose mail it is.
        wording: How it is told.
        rulings: What was decided about single messages; others are told in the plain manner.
    """
    groups = _grouped(changes.arrived, wording, rulings)
    if len(groups) > wording.max_single or (changes.is_catch_up and len(groups) > 1):
        single = [group for group in groups if group.stands_out][-STANDING_OUT_MAX:]
        rest = [group for group in groups if group not in single]
        if len(rest) == 1 and wording.max_single:
            single += rest
            rest = []
    else:
        single, rest = groups, []
    single.sort(key=lambda group: not group.is_vip)
    found = [_single(group, account, wording) for group in single]
    return (*found, *([_summary(rest, account, wording)] if rest else []))


def _grouped(
    arrived: Iterable[Message], wording: Wording, rulings: Mapping[MessageId, Ruling]
) -> list[_Group]:
    """Return what is told together, in the order of the newest message of each."""
    found: dict[tuple[str, str], list[Message]] = {}
    for message in arrived:
        thread = message.conversation_id if wording.group_conversations else ""
        name = (thread, "" if thread else message.id)
        found[name] = [*found.pop(name, ()), message]
    return [_group(messages, rulings) for messages in found.values()]


def _group(messages: Sequence[Message], rulings: Mapping[MessageId, Ruling]) -> _Group:
    given = [rulings[message.id] for message in messages if message.id in rulings]
    manner = _strongest([ruling.manner for ruling in given])
    return _Group(tuple(messages), manner, any(ruling.is_vip for ruling in given))


def _strongest(manners: Sequence[Manner]) -> Manner:
    if not manners:
        return Manner()
    return Manner(
        max((one.sound for one in manners), key=lambda sound: _LOUDNESS.get(sound, len(_LOUDNESS))),
        max(one.urgency for one in manners),
        stays=any(one.stays for one in manners),
    )


def _single(group: _Group, account: Account, wording: Wording) -> Notification:
    owner = isolate(clip(clean(account.username), BODY_UNITS // 4)) if wording.name_account else ""
    last = f"\n{owner}" if owner else ""
    body = clip(_body(group, wording), BODY_UNITS - _units(last)) + last
    kind = "message" if len(group.messages) == 1 else "conversation"
    return Notification(
        tag=f"{kind}-{keys(group.newest)[0]:x}",
        title=_title(group.messages, wording),
        body=body.lstrip("\n"),
        account=account.id,
        message_ids=tuple(message.id for message in group.messages),
        link=wording.places.allow(group.newest.web_link),
        buttons=_for_messages(wording.buttons),
        manner=group.manner,
    )


def _title(messages: Sequence[Message], wording: Wording) -> str:
    if wording.privacy is Privacy.HIDDEN:
        return text.new_mail(len(messages))
    return _senders(messages, TITLE_UNITS)


def _body(group: _Group, wording: Wording) -> str:
    if wording.privacy is Privacy.HIDDEN:
        return ""
    if wording.privacy is Privacy.SENDER:
        return text.new_mail(len(group.messages))
    preview = clean(group.newest.preview)
    room = BODY_UNITS // 2 if preview else BODY_UNITS
    subject = _subject(group.newest, room, wording.now)
    return f"{subject}\n{preview}" if preview else subject


def _senders(messages: Sequence[Message], units: int) -> str:
    """Return the newest message's sender, and how many messages or others there are."""
    sender = sender_of(messages[-1])
    others = len({_identity(message) for message in messages}) - 1
    if len(messages) == 1:
        return clip(sender, units)
    if others == 0:
        return _said(partial(text.several_of, len(messages)), sender, units)
    return _said(partial(text.and_others, others), sender, units)


def _subject(message: Message, units: int, now: datetime) -> str:
    """Return the subject, of a message about a meeting behind what it says of it."""
    subject, meeting = subject_of(message), message.meeting
    if meeting is None:
        return clip(subject, units)
    for begun in text.meeting_beginnings(meeting.kind):
        subject = subject.removeprefix(begun).lstrip() or subject
    return _said(partial(text.meeting, meeting, now), subject, units)


def _said(say: Callable[[str], str], field: str, units: int) -> str:
    """Say a sentence with a stranger's text in it, of which alone is cut what is too much."""
    room = units - _units(say("")) - len(_FSI + _PDI)
    return clip(say(isolate(clip(field, max(1, room)))), units)


def _headline(messages: Sequence[Message], units: int, now: datetime) -> str:
    sender = _senders(messages, max(8, units // 3))
    room = units - _units(sender) - 6
    return f"{isolate(sender)}: {isolate(_subject(messages[-1], room, now))}"


def _for_messages(buttons: Iterable[Action]) -> tuple[Button, ...]:
    return tuple(Button(each.value, text.action(each)) for each in buttons)


def _for_summary(buttons: Collection[Action]) -> tuple[Button, ...]:
    if Action.MARK_READ not in buttons:
        return ()  # to archive or delete many unseen is no one button's matter
    return (Button(Action.MARK_READ.value, text.mark_all_read()),)


def _summary(groups: Sequence[_Group], account: Account, wording: Wording) -> Notification:
    messages = [message for group in groups for message in group.messages]
    title = text.new_messages(len(messages))
    if wording.name_account:
        title = f"{title} · {isolate(clean(account.username))}"
    return Notification(
        tag=f"summary-{keys(groups[-1].newest)[0]:x}",
        title=clip(title, TITLE_UNITS),
        body=clip("\n".join(_summary_lines(groups, wording)), BODY_UNITS),
        account=account.id,
        message_ids=tuple(message.id for message in messages),
        link=wording.places.mailbox,
        buttons=_for_summary(wording.buttons),
        manner=_strongest([group.manner for group in groups]),
    )


def _summary_lines(groups: Sequence[_Group], wording: Wording) -> list[str]:
    """Return a line for each of the newest conversations, or senders, and one for the others."""
    room = BODY_UNITS // (SUMMARY_LINES + 1)
    if wording.privacy is Privacy.HIDDEN:
        return []
    if wording.privacy is Privacy.SENDER:
        told = _by_sender([message for group in groups for message in group.messages])
        lines = [_senders(messages, room) for messages in told[: -SUMMARY_LINES - 1 : -1]]
    else:
        told = [group.messages for group in groups]
        lines = [
            _headline(messages, room, wording.now) for messages in told[: -SUMMARY_LINES - 1 : -1]
        ]
    left = sum(map(len, told[:-SUMMARY_LINES]))
    return [*lines, text.and_more(left)] if left else lines


def _by_sender(messages: Iterable[Message]) -> list[tuple[Message, ...]]:
    """Return each sender's messages, in the order of the newest of each."""
    found: dict[str, tuple[Message, ...]] = {}
    for message in messages:
        sender = _identity(message)
        found[sender] = (*found.pop(sender, ()), message)
    return [*found.values()]


def _identity(message: Message) -> str:
    return message.sender_address.lower() or sender_of(message)
