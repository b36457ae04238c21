"""The form that each wish has: what is understood, and the sentence for what is not.

Every function here takes a value as TOML's types or as words, the way variables and command lines
have it, returns it understood, and raises ``ValueError`` with what is the right form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.core.folders import meant, parse_wish
from mailtray.core.language import _
from mailtray.core.model import SOUND_DESKTOP, SOUND_NONE
from mailtray.core.peace import MINUTES_A_DAY, QuietHours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SINGLE_NOTIFICATIONS_MAX = 20
FOLDERS_MAX = 50
BUTTONS = ("mark_read", "archive", "delete")
BUTTONS_MAX = 2
"""More than two do not fit beside a notification on most desktops."""
NAME_MAX = 60


@dataclass(frozen=True, slots=True)
class AccountWishes:
    """What is wished for one account alone.

    Attributes:
        name: What the menu calls it; empty for its address.
        folders: What to watch in place of the general ``folders``; empty for those.
        addresses: Further addresses, in lower case, that are the person's own.
        sound: In place of the general ``sound``; empty for that one.
    """

    name: str = ""
    folders: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    sound: str = ""


class InnerMistake(ValueError):
    """A mistake within a table, or a list of them.

    Attributes:
        where: The key in it that is meant, dotted; of a list of tables first which, as ``[1]``.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(problem)
        self.where = where

    def within(self, key: str) -> str:
        """Return the whole place, given the key of the table or the list of tables."""
        return f"{key}{self.where}" if self.where.startswith("[") else f"{key}.{self.where}"


# -- of every kind --------------------------------------------------------------------------------

_WORDS = {"true": True, "yes": True, "on": True, "1": True,
          "false": False, "no": False, "off": False, "0": False}  # fmt: skip


def word(value: object) -> str:
    """Return text, without the blanks around it."""
    if not isinstance(value, str):
        raise ValueError(_("must be text in quotation marks"))  # noqa: TRY004 # a wish of the wrong type is a wrong value
    return value.strip()


def yes_or_no(value: object) -> bool:
    """Return a truth value."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise ValueError(_("must be true or false"))


def number(value: object, least: float, most: float, unit: str) -> float:
    """Return a number in a range."""
    problem = _("must be a number of {unit} from {least:g} to {most:g}").format(
        unit=unit, least=least, most=most
    )
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(problem)  # noqa: TRY004 # as in word
    try:
        found = float(value)
    except (ValueError, OverflowError) as exc:
        raise ValueError(problem) from exc
    if not least <= found <= most:
        raise ValueError(problem)
    return found


def one_of(*names: str) -> Callable[[object], str]:
    """Return the form of one word out of several."""

    def read(value: object) -> str:
        found = word(value).lower()
        if found in names:
            return found
        near = get_close_matches(found, names, n=1)
        problem = _("must be {names}").format(names=either([name or '""' for name in names]))
        asked = _('; did you mean "{name}"?').format(name=near[0]) if near else ""
        raise ValueError(problem + asked)

    return read


def words(value: object, problem: str) -> list[str]:
    """Return a list of texts; in words it is JSON, or parted by semicolons."""
    if isinstance(value, str):
        value = _json(value, problem) if value.lstrip().startswith("[") else value.split(";")
    if not isinstance(value, list | tuple):
        raise ValueError(problem)  # noqa: TRY004 # as in word
    found = [word(each) for each in value]
    return [each for each in found if each]


def _json(value: str, problem: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError(problem) from None


def either(names: Sequence[str]) -> str:
    """Return names as the choice between them."""
    return _("{names} or {last}").format(names=", ".join(names[:-1]), last=names[-1])


def unknown(key: str, keys: Sequence[str]) -> str:
    """Return the sentence for a key that there is not, with the nearest that there is."""
    if near := get_close_matches(key.lower().replace("-", "_"), keys, n=1):
        return _('there is no such setting; did you mean "{key}"?').format(key=near[0])
    return _("there is no such setting; there are {keys}").format(keys=", ".join(keys))


def name(value: object) -> str:
    """Return a name to be shown."""
    found = word(value)
    if not found.isprintable() or len(found) > NAME_MAX:
        raise ValueError(
            _("must be a name on one line, of at most {most} letters").format(most=NAME_MAX)
        )
    return found


def _twice(found: Iterable[str]) -> str:
    """Return the first that is there a second time, or an empty string."""
    known: set[str] = set()
    for each in found:
        if each in known:
            return each
        known.add(each)
    return ""


def _is_whole_path(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


# -- the way to Microsoft -------------------------------------------------------------------------

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}", re.IGNORECASE)
_MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_SHARED_TENANTS = ("common", "organizations", "consumers")


def client_id(value: object) -> str:
    """Return the client id of an app registration."""
    # What was pasted here by mistake may be a secret, so no sentence repeats it.
    found = word(value)
    if _MAIL_ADDRESS.fullmatch(found):
        raise ValueError(
            _(
                "that is a mail address, which you enter when you sign in; this is the "
                "“Application (client) ID” of an app registration"
            )
        )
    if not _GUID.fullmatch(found):
        raise ValueError(
            _(
                "must be the “Application (client) ID” of an app registration, "
                "32 hexadecimal digits as 8-4-4-4-12"
            )
        )
    return found.lower()


def tenant(value: object) -> str:
    """Return who may sign in."""
    found = word(value)
    if found.lower() in _SHARED_TENANTS:
        return found.lower()
    if _MAIL_ADDRESS.fullmatch(found):
        raise ValueError(_("that is a mail address; give only what follows the @"))
    if _GUID.fullmatch(found) or _DOMAIN.fullmatch(found):
        return found
    raise ValueError(
        _("must be {names}, or a directory's GUID or domain (contoso.com)").format(
            names=either(_SHARED_TENANTS)
        )
    )


def ca_bundle(value: object) -> str:
    """Return the path of a PEM file, or nothing."""
    found = word(value)
    if any(not each.isprintable() for each in found):
        raise ValueError(_("must be the path of a PEM file, on one line"))
    if found and not _is_whole_path(found) and not found.startswith(("~/", "~\\")):
        raise ValueError(
            _(
                "must be the whole path of a PEM file, from the root or from ~/; "
                "where a program starts decides what a shorter one means"
            )
        )
    return found


def proxy_address(value: object) -> str:
    """Return a proxy's address, in the form that is spoken with here.

    No sentence repeats a wrong one, for a password may be in it.
    """
    found = word(value)
    if not found:
        return ""
    problem = _(
        "must be a proxy's address, as http://host:port or https://name:password@host:port; "
        "in name and password write %40 for @, %3A for :, %2F for /, %23 for #"
    )
    try:
        parts = urlsplit(found)
        # A port that cannot be is found out when it is asked for.
        host = parts.hostname if parts.port is None or parts.port >= 0 else None
    except ValueError:
        raise ValueError(problem) from None
    extras = (parts.path.strip("/"), parts.query, parts.fragment)
    is_text = found.isprintable() and " " not in found
    if parts.scheme not in {"http", "https"} or not host or any(extras) or not is_text:
        raise ValueError(problem)
    return found


# -- what is told, and how ------------------------------------------------------------------------


def single_notifications(value: object) -> int:
    """Return how many messages get a notification each."""
    count = number(value, 0, SINGLE_NOTIFICATIONS_MAX, _("messages"))
    if count != int(count):
        raise ValueError(_("must be a whole number"))
    return int(count)


def hook(value: object) -> tuple[str, ...]:
    """Return a program and its arguments."""
    problem = _(
        'must be a list of a program and its arguments, ["/path/to/program", "argument"]; '
        "no shell reads it"
    )
    if isinstance(value, str) and value.lstrip().startswith("["):
        # As a variable has it.
        value = _json(value, problem)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(problem)
    if not value:
        return ()
    if any("\0" in each for each in value) or not value[0].strip():
        raise ValueError(problem)
    program = value[0]
    is_bare = not any(sign in program for sign in "/\\:")
    if not (_is_whole_path(program) or is_bare or program.startswith(("~/", "~\\"))):
        raise ValueError(
            _(
                "must begin with a program's whole path, from the root or from ~/, or with its "
                "bare name; where a program starts decides what a shorter path means"
            )
        )
    return tuple(value)


def sound(value: object) -> str:
    """Return what is heard: a sound file's path, or one of two words."""
    found = word(value)
    if found.lower() in {SOUND_DESKTOP, SOUND_NONE}:
        return found.lower()
    if not _is_whole_path(found) or not found.isprintable():
        raise ValueError(
            _(
                "must be “desktop” for the desktop's own sound, “none”, or the whole path of a "
                "sound file"
            )
        )
    return found


def buttons(value: object) -> tuple[str, ...]:
    """Return the buttons of a notification."""
    problem = _("must be a list of at most two of {names}; [] for none").format(
        names=either([f'"{name}"' for name in BUTTONS])
    )
    found = words(value, problem)
    if len(found) > BUTTONS_MAX or not set(found) <= set(BUTTONS) or _twice(found):
        raise ValueError(problem)
    return tuple(found)


# -- which mail -----------------------------------------------------------------------------------


def folders(value: object) -> tuple[str, ...]:
    """Return folders as the person names them; see :func:`mailtray.core.folders.parse_wish`."""
    problem = _(
        'must be a list of folders, as ["inbox", "Projects/Alpha", "team@contoso.com/inbox"]'
    )
    found = words(value, problem)
    if not found:
        raise ValueError(_('must name a folder at least, as ["inbox"]'))
    if len(found) > FOLDERS_MAX:
        raise ValueError(_("must be at most {most} folders").format(most=FOLDERS_MAX))
    if again := _twice(_meant(each) for each in found):
        raise ValueError(_("names “{folder}” twice").format(folder=again))
    return tuple(found)


def _meant(folder: str) -> str:
    try:
        return meant(parse_wish(folder).words)
    except ValueError as exc:
        raise ValueError(_("“{folder}” {problem}").format(folder=folder, problem=exc)) from exc


def senders(value: object) -> tuple[str, ...]:
    """Return addresses, and domains as ``@contoso.com`` or ``contoso.com``, in lower case.

    The latter stands for the domain and all within it.
    """
    problem = _('must be a list of addresses or @domains, as ["anna@contoso.com", "@contoso.com"]')
    found = [each.lower() for each in words(value, problem)]
    for each in found:
        if not (_MAIL_ADDRESS.fullmatch(each) or _DOMAIN.fullmatch(each.removeprefix("@"))):
            raise ValueError(
                _("“{sender}” is neither an address (anna@contoso.com) nor a domain (@contoso.com)")
                .format(sender=each)
            )  # fmt: skip
    return tuple(dict.fromkeys(found))


def addresses(value: object) -> tuple[str, ...]:
    """Return mail addresses, in lower case."""
    problem = _('must be a list of mail addresses, as ["anna@contoso.com"]')
    found = [each.lower() for each in words(value, problem)]
    if not all(map(_MAIL_ADDRESS.fullmatch, found)):
        raise ValueError(problem)
    return tuple(dict.fromkeys(found))


def accounts(value: object) -> Mapping[str, AccountWishes]:
    """Return what is wished for single accounts, by their usernames in lower case."""
    problem = _('must be a table for each account, as [accounts."anna@contoso.com"]')
    if not isinstance(value, Mapping):
        raise ValueError(problem)  # noqa: TRY004 # as in word
    found: dict[str, AccountWishes] = {}
    for username, wishes in value.items():
        if not _MAIL_ADDRESS.fullmatch(username):
            raise InnerMistake(f"{username}", problem)
        if username.lower() in found:
            raise InnerMistake(f'"{username}"', _("is there twice, but for capitals"))
        found[username.lower()] = _account(f'"{username}"', wishes)
    return found


def _account(where: str, wishes: object) -> AccountWishes:
    if not isinstance(wishes, Mapping):
        raise InnerMistake(where, _("must be a table"))
    understood = {}
    for key, value in wishes.items():
        read = _OF_ACCOUNTS.get(key)
        try:
            if read is None:
                raise ValueError(unknown(key, [*_OF_ACCOUNTS]))  # noqa: TRY301 # named as the others
            understood[key] = read(value)
        except ValueError as exc:
            raise InnerMistake(f"{where}.{key}", str(exc)) from exc
    return AccountWishes(**understood)  # type: ignore[arg-type] # each key's form returns its type


_OF_ACCOUNTS: Mapping[str, Callable[[object], object]] = {
    "name": name,
    "folders": folders,
    "addresses": addresses,
    "sound": sound,
}


# -- times of the week ----------------------------------------------------------------------------

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]?\d|2[0-3]):([0-5]\d)"
_SPAN = re.compile(rf"(.*?)\s*\b{_TIME}\s*-\s*(?:{_TIME}|24:00)")


def quiet_hours(value: object) -> tuple[QuietHours, ...]:
    """Return spans of the week."""
    problem = _('must be a list, as ["mon-fri 22:00-07:00", "sat,sun 00:00-24:00"]')
    return tuple(map(_quiet_span, words(value, problem)))


def _quiet_span(wished: str) -> QuietHours:
    span = _SPAN.fullmatch(wished.lower())
    if span is None:
        raise ValueError(
            _(
                "“{words}” is no time of the week; must be days and hours, as "
                "“mon-fri 22:00-07:00” or “sat,sun 00:00-24:00”"
            ).format(words=wished.lower())
        )
    start_h, start_min, end_h, end_min = (int(part or 0) for part in span.groups()[1:])
    end = MINUTES_A_DAY if span[4] is None else end_h * 60 + end_min
    return QuietHours(_weekdays(span[1]), start_h * 60 + start_min, end)


def _weekdays(wished: str) -> frozenset[int]:
    found: set[int] = set()
    for part in wished.replace(" ", "").split(","):
        first, _dash, last = part.partition("-")
        start, end = _weekday(first), _weekday(last or first)
        found.update((start + n) % 7 for n in range((end - start) % 7 + 1))
    return frozenset(found)


def _weekday(wished: str) -> int:
    if wished not in _DAYS:
        raise ValueError(_("“{word}” is no day; must be {days}").format(
            word=wished, days=either(_DAYS)))  # fmt: skip
    return _DAYS.index(wished)
