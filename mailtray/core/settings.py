"""The person's wishes: what can be set, in which form, and where Microsoft lives."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.core.errors import ConfigError
from mailtray.core.peace import MINUTES_A_DAY, QuietHours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

INTERVAL_MIN_S = 10.0
"""Below this a fleet of notifiers would be a burden; a simulator on the loopback takes any."""
INTERVAL_MAX_S = 3_600.0
SINGLE_NOTIFICATIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where one of Microsoft's clouds lives; tokens and registrations do not cross over.

    Attributes:
        login_root: Root of the authority, ``https://host``.
        graph_root: Root of Graph, ``https://host``.
        mailbox: Web page of a work mailbox.
        webmail_hosts: Hosts on which a message's page may be.
        scopes_need_root: True where a bare scope name would mean another cloud's Graph.

    Source: learn.microsoft.com/graph/deployments; the webmail hosts as those clouds use them.
    """

    login_root: str
    graph_root: str
    mailbox: str
    webmail_hosts: frozenset[str]
    scopes_need_root: bool = True


CLOUDS: Mapping[str, Endpoints] = {
    "global": Endpoints(
        login_root="https://login.microsoftonline.com",
        graph_root="https://graph.microsoft.com",
        mailbox="https://outlook.office.com/mail/",
        webmail_hosts=frozenset(
            {"outlook.office.com", "outlook.office365.com", "outlook.live.com"},
        ),
        scopes_need_root=False,
    ),
    "usgov": Endpoints(
        login_root="https://login.microsoftonline.us",
        graph_root="https://graph.microsoft.us",
        mailbox="https://outlook.office365.us/mail/",
        webmail_hosts=frozenset({"outlook.office365.us"}),
    ),
    "dod": Endpoints(
        login_root="https://login.microsoftonline.us",
        graph_root="https://dod-graph.microsoft.us",
        mailbox="https://webmail.apps.mil/mail/",
        webmail_hosts=frozenset({"webmail.apps.mil"}),
    ),
    "china": Endpoints(
        login_root="https://login.partner.microsoftonline.cn",
        graph_root="https://microsoftgraph.chinacloudapi.cn",
        mailbox="https://partner.outlook.cn/mail/",
        webmail_hosts=frozenset({"partner.outlook.cn"}),
    ),
}
"""The clouds by the name that the setting ``cloud`` takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All wishes, each with its default.

    Attributes:
        client_id: "Application (client) ID" of the registration to sign in with; empty where
            none is known yet.
        tenant: Who may sign in: ``common``, ``organizations``, ``consumers``, or a directory by
            its GUID or domain.
        cloud: One of ``CLOUDS``.
        interval_s: Seconds between two polls.
        preview: True to show the beginning of each message, which needs a wider permission.
        notifier: ``auto`` for the desktop's own notifications, ``console`` for lines of text.
        tray: ``auto``, or ``none`` for no icon.
        max_single_notifications: Up to this many new messages get a notification each; more
            become one summary.
        quiet_hours: When nothing is shown; what came meanwhile is told afterwards.
        quiet_in_do_not_disturb: True to show nothing while the desktop's own "do not disturb" is
            on.
        quiet_when_locked: True to show nothing while the screen is locked.
        log_level: ``error``, ``warning``, ``info`` or ``debug``.
        ca_bundle: A PEM file of certificates to trust besides the system's; empty for none.
        proxy: The proxy to go through, with its password; empty to do as the system says.
        hook: The program to run for each message that the person is told of, and its arguments;
            empty for none.
    """

    client_id: str = ""
    tenant: str = "common"
    cloud: str = "global"
    interval_s: float = 60.0
    preview: bool = False
    notifier: str = "auto"
    tray: str = "auto"
    max_single_notifications: int = 3
    quiet_hours: tuple[QuietHours, ...] = ()
    quiet_in_do_not_disturb: bool = True
    quiet_when_locked: bool = True
    log_level: str = "info"
    ca_bundle: str = ""
    proxy: str = field(default="", repr=False)
    hook: tuple[str, ...] = ()

    @property
    def endpoints(self) -> Endpoints:
        """Return where the chosen cloud lives."""
        return CLOUDS[self.cloud]

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the least permissions that do what is wished, as the token response lists them."""
        return (self._scope("Mail.Read" if self.preview else "Mail.ReadBasic"),)

    @property
    def least_scopes(self) -> tuple[str, ...]:
        """Return what to make do with where ``scopes`` are refused; empty where nothing is."""
        return (self._scope("Mail.ReadBasic"),) if self.preview else ()

    def _scope(self, name: str) -> str:
        here = self.endpoints
        return f"{here.graph_root}/{name}" if here.scopes_need_root else name


KEYS = tuple(field.name for field in fields(Settings))
"""The names of all settings."""


def parse_settings(
    layers: Sequence[tuple[str, Mapping[str, object]]], *, interval_min_s: float = INTERVAL_MIN_S
) -> Settings:
    """Read wishes from several places; for each key the first place that has it wins.

    All places are checked, also where another one wins: a typing error is told on the day it
    is made.

    Args:
        layers: Pairs of an origin, as errors are to name it, and the keys with their values,
            as TOML's types or as words.
        interval_min_s: The shortest interval to accept, in seconds.

    Raises:
        ConfigError: A key is unknown or a value is not of its form; the problem names the
            right ones.
    """
    chosen: dict[str, object] = {}
    for origin, wishes in layers:
        for key, value in wishes.items():
            try:
                understood = _understand(key, value, interval_min_s)
            except ValueError as exc:
                raise ConfigError(origin=origin, key=key, problem=str(exc)) from exc
            chosen.setdefault(key, understood)
    return Settings(**chosen)  # type: ignore[arg-type] # each key's parser returns its type


def _understand(key: str, value: object, interval_min_s: float) -> object:
    if key == "interval_s":
        return _number(value, interval_min_s, INTERVAL_MAX_S, "seconds")
    if key not in _PARSERS:
        raise ValueError(_unknown(key))
    return _PARSERS[key](value)


def _unknown(key: str) -> str:
    if near := get_close_matches(key.lower().replace("-", "_"), KEYS, n=1):
        return f'there is no such setting; did you mean "{near[0]}"?'
    return f"there is no such setting; there are {', '.join(KEYS)}"


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}", re.IGNORECASE)
_MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_SHARED_TENANTS = ("common", "organizations", "consumers")
_WORDS = {"true": True, "yes": True, "on": True, "1": True,
          "false": False, "no": False, "off": False, "0": False}  # fmt: skip


def _client_id(value: object) -> str:
    # What was pasted here by mistake may be a secret, so no sentence repeats it.
    word = _word(value)
    if _MAIL_ADDRESS.fullmatch(word):
        raise ValueError(
            "that is a mail address, which you enter when you sign in; this is the "
            "“Application (client) ID” of an app registration"
        )
    if not _GUID.fullmatch(word):
        raise ValueError(
            "must be the “Application (client) ID” of an app registration, "
            "32 hexadecimal digits as 8-4-4-4-12"
        )
    return word.lower()


def _tenant(value: object) -> str:
    word = _word(value)
    if word.lower() in _SHARED_TENANTS:
        return word.lower()
    if _MAIL_ADDRESS.fullmatch(word):
        raise ValueError("that is a mail address; give only what follows the @")
    if _GUID.fullmatch(word) or _DOMAIN.fullmatch(word):
        return word
    raise ValueError(
        f"must be {_either(_SHARED_TENANTS)}, or a directory's GUID or domain (contoso.com)"
    )


def _ca_bundle(value: object) -> str:
    word = _word(value)
    if any(not each.isprintable() for each in word):
        raise ValueError("must be the path of a PEM file, on one line")
    is_whole = PurePosixPath(word).is_absolute() or PureWindowsPath(word).is_absolute()
    if word and not is_whole and not word.startswith(("~/", "~\\")):
        raise ValueError(
            "must be the whole path of a PEM file, from the root or from ~/; "
            "where a program starts decides what a shorter one means"
        )
    return word


def proxy_address(value: object) -> str:
    """Return a proxy's address, in the form that is spoken with here.

    Raises:
        ValueError: It is none; no sentence repeats it, for a password may be in it.
    """
    word = _word(value)
    if not word:
        return ""
    problem = (
        "must be a proxy's address, as http://host:port or https://name:password@host:port; "
        "in name and password write %40 for @, %3A for :, %2F for /, %23 for #"
    )
    try:
        parts = urlsplit(word)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(problem) from None
    extras = (parts.path.strip("/"), parts.query, parts.fragment)
    is_text = word.isprintable() and " " not in word
    if parts.scheme not in {"http", "https"} or not host or any(extras) or not is_text:
        raise ValueError(problem)
    return word


def _hook(value: object) -> tuple[str, ...]:
    problem = (
        'must be a list of a program and its arguments, ["/path/to/program", "argument"]; '
        "no shell reads it"
    )
    if isinstance(value, str) and value.lstrip().startswith("["):
        # As a variable has it.
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(problem) from None
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ValueError(problem)
    if not value:
        return ()
    if any("\0" in word for word in value) or not value[0].strip():
        raise ValueError(problem)
    program = value[0]
    is_whole = PurePosixPath(program).is_absolute() or PureWindowsPath(program).is_absolute()
    is_bare = not any(sign in program for sign in "/\\:")
    if not (is_whole or is_bare or program.startswith(("~/", "~\\"))):
        raise ValueError(
            "must begin with a program's whole path, from the root or from ~/, or with its bare "
            "name; where a program starts decides what a shorter path means"
        )
    return tuple(value)


def _one_of(*names: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        word = _word(value).lower()
        if word in names:
            return word
        near = get_close_matches(word, names, n=1)
        asked = f'; did you mean "{near[0]}"?' if near else ""
        raise ValueError(f"must be {_either(names)}{asked}")

    return parse


def _yes_or_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise ValueError("must be true or false")


def _single_notifications(value: object) -> int:
    count = _number(value, 0, SINGLE_NOTIFICATIONS_MAX, "messages")
    if count != int(count):
        raise ValueError("must be a whole number")
    return int(count)


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]?\d|2[0-3]):([0-5]\d)"
_SPAN = re.compile(rf"(.*?)\s*\b{_TIME}\s*-\s*(?:{_TIME}|24:00)")


def _quiet_hours(value: object) -> tuple[QuietHours, ...]:
    if isinstance(value, str):  # as variables have it
        value = [part for part in value.split(";") if part.strip()]
    if not isinstance(value, list | tuple):
        raise ValueError('must be a list, as ["mon-fri 22:00-07:00", "sat,sun 00:00-24:00"]')  # noqa: TRY004 # as in _number
    return tuple(map(_quiet_span, value))


def _quiet_span(value: object) -> QuietHours:
    word = _word(value).lower()
    span = _SPAN.fullmatch(word)
    if span is None:
        raise ValueError(
            f"“{word}” is no time of the week; must be days and hours, as “mon-fri 22:00-07:00” "
            "or “sat,sun 00:00-24:00”"
        )
    start_h, start_min, end_h, end_min = (int(part or 0) for part in span.groups()[1:])
    end = MINUTES_A_DAY if span[4] is None else end_h * 60 + end_min
    return QuietHours(_weekdays(span[1]), start_h * 60 + start_min, end)


def _weekdays(word: str) -> frozenset[int]:
    found: set[int] = set()
    for part in word.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        start, end = _weekday(first), _weekday(last or first)
        found.update((start + n) % 7 for n in range((end - start) % 7 + 1))
    return frozenset(found)


def _weekday(word: str) -> int:
    if word not in _DAYS:
        raise ValueError(f"“{word}” is no day; must be {_either(_DAYS)}")
    return _DAYS.index(word)


def _number(value: object, least: float, most: float, unit: str) -> float:
    problem = f"must be a number of {unit} from {least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(problem)  # noqa: TRY004 # a wish of the wrong type is a wrong value
    try:
        number = float(value)
    except (ValueError, OverflowError) as exc:
        raise ValueError(problem) from exc
    if not least <= number <= most:
        raise ValueError(problem)
    return number


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotation marks")  # noqa: TRY004 # as in _number
    return value.strip()


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


_PARSERS: Mapping[str, Callable[[object], object]] = {
    "client_id": _client_id,
    "tenant": _tenant,
    "cloud": _one_of(*CLOUDS),
    "preview": _yes_or_no,
    "notifier": _one_of("auto", "console"),
    "tray": _one_of("auto", "none"),
    "max_single_notifications": _single_notifications,
    "quiet_hours": _quiet_hours,
    "quiet_in_do_not_disturb": _yes_or_no,
    "quiet_when_locked": _yes_or_no,
    "log_level": _one_of("error", "warning", "info", "debug"),
    "ca_bundle": _ca_bundle,
    "proxy": proxy_address,
    "hook": _hook,
}
