"""Which message the person is told of, and how: their rules, and the settings that stand for some.

Rules are tried from the first on, and the first that a message meets decides. The settings ``vip``,
``muted``, ``own_mail`` and ``focused_only`` are rules that come before those, in this order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mailtray.core import folders, wish_forms
from mailtray.core.language import _
from mailtray.core.model import INBOX, SOUND_DESKTOP, Importance, Manner, MeetingKind, Urgency
from mailtray.core.wish_forms import InnerMistake, one_of, yes_or_no

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailtray.core.model import Meeting, Message, MessageId

RULES_MAX = 200
ME, ONLY_ME, IN_CC, NOT_ME = "me", "only_me", "cc", "not_me"
MEETINGS = {kind.name.lower(): kind for kind in MeetingKind}
"""What a message may say of a meeting, as rules call it."""
_URGENCIES = {each.name.lower(): each for each in Urgency}
_DOMAIN_MAX = 253
"""Longer is no domain. Source: RFC 1035, section 2.3.4."""


class Verdict(StrEnum):
    """What becomes of a message; the values are those of settings."""

    NOTIFY = "notify"
    SILENT = "silent"
    """It is counted, and not told."""
    IGNORE = "ignore"
    """It is neither told nor counted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions, all of which a message must meet, and what then becomes of it.

    A condition that is not given is met by every message; of several words one must hold.

    Attributes:
        from_: Senders: addresses, domains as ``@contoso.com``, or with their subdomains as
            ``contoso.com``.
        subject: What the subject contains, whatever the case.
        to: ``ME``: in To; ``ONLY_ME``: nobody else is told; ``IN_CC``: only in Cc; ``NOT_ME``:
            in neither, as of a list.
        focused: Where Outlook's focused inbox puts it.
        meeting: Whether it is about a meeting, or what it says of one.
        folder: The watched folder it is in: its name, path or key.
        account: Usernames.
        name: What the person calls the rule.
        sound: Empty for the account's own, else as of :class:`~mailtray.core.model.Manner`.
    """

    from_: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    to: str = ""
    importance: Importance | None = None
    focused: bool | None = None
    meeting: bool | MeetingKind | None = None
    folder: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    name: str = ""
    do: Verdict = Verdict.NOTIFY
    sound: str = ""
    urgency: Urgency = Urgency.NORMAL
    stays: bool = False


# -- from settings --------------------------------------------------------------------------------


def parse_rules(value: object) -> tuple[Rule, ...]:
    """Read rules from TOML's list of tables; the first is called ``[1]`` in mistakes.

    Raises:
        InnerMistake: One is not of its form; it names the place and the right form.
        ValueError: The whole is not.
    """
    if not isinstance(value, list | tuple):
        raise ValueError(_("must be a list of tables, each of which begins with [[rules]]"))  # noqa: TRY004 # a wish of the wrong type is a wrong value
    if len(value) > RULES_MAX:
        raise ValueError(_("must be at most {most} rules").format(most=RULES_MAX))
    found = tuple(_rule(f"[{number}]", table) for number, table in enumerate(value, 1))
    for number, rule in enumerate(found[:-1], 1):
        if not _asked(rule):
            raise InnerMistake(
                f"[{number}]",
                _("is met by every message, so that no later rule counts; put it last, or give it "
                  "a condition: {keys}").format(keys=", ".join(CONDITIONS)),
            )  # fmt: skip
    return found


def _rule(where: str, table: object) -> Rule:
    if not isinstance(table, Mapping):
        raise InnerMistake(where, _("must be a table, which begins with [[rules]]"))
    understood = {}
    for key, value in table.items():
        try:
            if key not in _FORMS:
                raise ValueError(wish_forms.unknown(str(key), [*_FORMS]))  # noqa: TRY301 # named as the others
            understood["from_" if key == "from" else key] = _FORMS[key](value)
        except ValueError as exc:
            raise InnerMistake(f"{where}.{key}", str(exc)) from exc
    return Rule(**understood)  # type: ignore[arg-type] # each key's form returns its type


def _some(form: Callable[[object], tuple[str, ...]]) -> Callable[[object], tuple[str, ...]]:
    """Return a form that takes no empty list: of a condition nothing could meet it."""

    def read(value: object) -> tuple[str, ...]:
        found = form(value)
        if not found:
            raise ValueError(_("must not be empty; leave it out if it does not matter"))
        return found

    return read


def _words(value: object) -> tuple[str, ...]:
    return tuple(wish_forms.words(value, _('must be a list of words, as ["invoice", "offer"]')))


def _importance(value: object) -> Importance:
    return Importance(one_of("high", "normal", "low")(value))


def _meeting(value: object) -> bool | MeetingKind:
    if isinstance(value, str) and value.strip().lower() in MEETINGS:
        return MEETINGS[value.strip().lower()]
    try:
        return yes_or_no(value)
    except ValueError:
        kinds = wish_forms.either([f'"{kind}"' for kind in MEETINGS])
        raise ValueError(_("must be true, false, {kinds}").format(kinds=kinds)) from None


def _verdict(value: object) -> Verdict:
    return Verdict(one_of(*Verdict)(value))


def _urgency(value: object) -> Urgency:
    return _URGENCIES[one_of(*_URGENCIES)(value)]


_FORMS: Mapping[str, Callable[[object], object]] = {
    "from": _some(wish_forms.senders),
    "subject": _some(_words),
    "to": one_of(ME, ONLY_ME, IN_CC, NOT_ME),
    "importance": _importance,
    "focused": yes_or_no,
    "meeting": _meeting,
    "folder": wish_forms.folders,
    "account": _some(wish_forms.addresses),
    "name": wish_forms.name,
    "do": _verdict,
    "sound": wish_forms.sound,
    "urgency": _urgency,
    "stays": yes_or_no,
}
"""The form of each key of a rule."""
CONDITIONS = (*_FORMS,)[:8]
"""The keys of a rule that are conditions."""


# -- what a message meets -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Context:
    """Where a message came.

    Attributes:
        account: The username.
        addresses: Further addresses, in lower case, that are the person's own.
        folder: The key of the watched folder.
        wish: As what the settings name that folder, or empty.
        path: What the mailbox calls it, or empty.
        sound: What is heard where no rule says otherwise.
    """

    account: str
    addresses: frozenset[str] = frozenset()
    folder: str = INBOX
    wish: str = ""
    path: str = ""
    sound: str = SOUND_DESKTOP


@dataclass(frozen=True, slots=True)
class _Facts:
    """What rules ask of a message, in the words in which they ask.

    Attributes:
        words: For each condition but ``subject`` the words for which it is met, the narrowest
            first.
        subject: Folded.
    """

    words: Mapping[str, tuple[str, ...]]
    subject: str


def _facts(message: Message, context: Context) -> _Facts:
    mine = context.addresses | {context.account.lower()}
    places = (context.folder, context.wish, context.path)
    words = {
        "from": _senders(message.sender_address.strip().lower(), mine),
        "to": _addressed(frozenset(message.to), frozenset(message.cc), mine),
        "importance": (message.importance.value,),
        "focused": (_truth(message.is_focused),),
        "meeting": _about(message.meeting),
        "folder": tuple(folders.meant(place) for place in places if place),
        "account": (context.account.lower(),),
    }
    return _Facts(words, _folded(message.subject))


def _senders(address: str, mine: frozenset[str]) -> tuple[str, ...]:
    """Return all that a rule may call a sender."""
    found = [ME] if address and address in mine else []
    name, _at, domain = address.rpartition("@")
    if name and len(domain) <= _DOMAIN_MAX:
        labels = domain.split(".")
        found += [address, f"@{domain}", *(".".join(labels[n:]) for n in range(len(labels)))]
    return tuple(found)


def _addressed(to: frozenset[str], cc: frozenset[str], mine: frozenset[str]) -> tuple[str, ...]:
    if to.isdisjoint(mine):
        return (NOT_ME,) if cc.isdisjoint(mine) else (IN_CC,)
    return (ONLY_ME, ME) if to | cc <= mine else (ME,)


def _about(meeting: Meeting | None) -> tuple[str, ...]:
    return (_truth(None),) if meeting is None else (meeting.kind.name.lower(), _truth(meeting))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _truth(value: object) -> str:
    return "true" if value else "false"


def _asked(rule: Rule) -> Mapping[str, frozenset[str]]:
    """Return the words of each condition that a rule has; a message must meet one of each."""
    asked = {
        "from": rule.from_,
        "to": [rule.to] if rule.to else [],
        "importance": [] if rule.importance is None else [rule.importance.value],
        "focused": [] if rule.focused is None else [_truth(rule.focused)],
        "meeting": [] if rule.meeting is None else [_kind_of(rule.meeting)],
        "folder": map(folders.meant, rule.folder),
        "account": rule.account,
        "subject": map(_folded, rule.subject),
    }
    given = {key: frozenset(words) for key, words in asked.items()}
    return {key: words for key, words in given.items() if words}


def _kind_of(meeting: bool | MeetingKind) -> str:  # noqa: FBT001 # as a rule has it
    return meeting.name.lower() if isinstance(meeting, MeetingKind) else _truth(meeting)


# -- what becomes of it ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of one message.

    Attributes:
        manner: How it is told, where it is.
        rule: The rule that decided, from 0 on; ``None`` where a setting did, or nothing.
        why: What decided and what follows, on one line.
        is_vip: True where the sender is one of those who are always told of.
    """

    verdict: Verdict
    manner: Manner
    rule: int | None
    why: str
    is_vip: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """A rule made ready to be tried.

    Attributes:
        setting: The name of the setting that the rule stands for, or empty.
        asked: What the message must meet; see :func:`_asked`.
        subject: What its subject must contain one of, folded; empty where it does not matter.
    """

    rule: Rule
    number: int | None
    setting: str
    asked: tuple[tuple[str, frozenset[str]], ...]
    subject: tuple[str, ...]

    @classmethod
    def of(cls, rule: Rule, number: int | None = None, setting: str = "") -> _Line:
        asked = dict(_asked(rule))
        subject = tuple(sorted(asked.pop("subject", ())))
        return cls(rule, number, setting, tuple(asked.items()), subject)

    def is_met(self, facts: _Facts) -> bool:
        for key, words in self.asked:
            if words.isdisjoint(facts.words[key]):
                return False
        # Said out, for this is what takes the time where there are many rules.
        for word in self.subject:
            if word in facts.subject:
                return True
        return not self.subject

    def why(self, facts: _Facts) -> str:
        met = [
            f"{key} {next(word for word in facts.words[key] if word in words)}"
            for key, words in self.asked
        ]
        if self.subject:
            met.append(f"subject “{next(word for word in self.subject if word in facts.subject)}”")
        return _("{rule}: {conditions} → {outcome}").format(
            rule=self.setting or _named(self.number, self.rule.name),
            conditions=", ".join(met) or _("every message"),
            outcome=_outcome(self.rule),
        )


def _named(number: int | None, name: str) -> str:
    shown = _("rule {number}").format(number=1 + (number or 0))
    return f"{shown} “{name}”" if name else shown


def _outcome(rule: Rule) -> str:
    said = [rule.do.value]
    if rule.do is Verdict.NOTIFY:
        said += [rule.urgency.name.lower()] if rule.urgency is not Urgency.NORMAL else []
        said += ["stays"] if rule.stays else []
        said += [f"sound {rule.sound}"] if rule.sound else []
    return ", ".join(said)


class Rulebook:
    """All rules, made ready to be tried on many messages."""

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        vip: tuple[str, ...] = (),
        muted: tuple[str, ...] = (),
        own_mail: Verdict = Verdict.SILENT,
        focused_only: bool = False,
    ) -> None:
        shorthands = {
            "vip": Rule(from_=vip) if vip else None,
            "muted": Rule(from_=muted, do=Verdict.SILENT) if muted else None,
            "own_mail": Rule(from_=(ME,), do=own_mail) if own_mail is not Verdict.NOTIFY else None,
            "focused_only": Rule(focused=False, do=Verdict.SILENT) if focused_only else None,
        }
        self._lines = (
            *(_Line.of(rule, setting=key) for key, rule in shorthands.items() if rule),
            *(_Line.of(rule, number) for number, rule in enumerate(rules)),
        )

    @property
    def ignores(self) -> bool:
        """Whether there is a rule that leaves messages uncounted."""
        return any(line.rule.do is Verdict.IGNORE for line in self._lines)

    def find(self, facts: _Facts) -> _Line | None:
        """Return the first line that is met."""
        for line in self._lines:
            if line.is_met(facts):
                return line
        return None


def judge(message: Message, context: Context, rules: Rulebook) -> Ruling:
    """Decide what becomes of a message, by the first rule that it meets."""
    facts = _facts(message, context)
    line = rules.find(facts)
    if line is None:
        why = _("no rule: {outcome}").format(outcome=_outcome(Rule()))
        return Ruling(Verdict.NOTIFY, Manner(context.sound), None, why)
    rule = line.rule
    manner = Manner(rule.sound or context.sound, rule.urgency, rule.stays)
    return Ruling(rule.do, manner, line.number, line.why(facts), is_vip=line.setting == "vip")


def uncounted(
    messages: Iterable[Message], context: Context, rules: Rulebook
) -> frozenset[MessageId]:
    """Return which messages are not even counted."""
    return frozenset(
        message.id
        for message in messages
        if judge(message, context, rules).verdict is Verdict.IGNORE
    )
