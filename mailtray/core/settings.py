"""The person's wishes: what can be set, what it is unless it is, and whose word counts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.core import wish_forms
from mailtray.core.clouds import CLOUDS
from mailtray.core.errors import ConfigError
from mailtray.core.folders import parse_wish
from mailtray.core.language import LANGUAGES, N_, Sentence, _
from mailtray.core.model import INBOX, SOUND_DESKTOP
from mailtray.core.rules import parse_rules
from mailtray.core.wish_forms import AccountWishes, InnerMistake, one_of, yes_or_no

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mailtray.core.clouds import Endpoints
    from mailtray.core.folders import Wish
    from mailtray.core.peace import QuietHours
    from mailtray.core.rules import Rule

INTERVAL_MIN_S = 10.0
"""Below this a fleet of notifiers would be a burden; a simulator on the loopback takes any."""
INTERVAL_MAX_S = 3_600.0
LOCKED = "locked"
"""The key of the administrator's file that lists the settings for which it alone counts."""


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
        folders: The folders to watch, as the person names them; see ``folders_for``.
        accounts: What is wished for single accounts, by their usernames in lower case.
        rules: What becomes of which message, tried from the first on.
        vip: Senders, as addresses or ``@domains``, who are always told of, and first.
        muted: Senders who are never told of; their mail is still counted.
        focused_only: True to tell only of what Outlook's focused inbox puts under "Focused".
        own_mail: ``silent`` or ``notify``: what to do about mail that the person sent themselves.
        preview: True to show the beginning of each message, which needs a wider permission.
        privacy: How much a notification shows: ``subject`` for sender and subject, ``sender``
            for the sender alone, ``hidden`` for neither.
        privacy_when_locked: The same, while the screen is locked.
        group_conversations: True to tell of one conversation's messages in one notification.
        max_single_notifications: Up to this many new messages get a notification each; more
            become one summary.
        buttons: What a notification offers beside the click, out of ``BUTTONS``.
        open_in: ``webmail`` or ``mail_program``: where a click opens a message.
        sound: ``SOUND_DESKTOP``, ``SOUND_NONE`` or the whole path of a sound file.
        quiet_hours: When nothing is shown; what came meanwhile is told afterwards.
        quiet_in_do_not_disturb: True to show nothing while the desktop's own "do not disturb" is
            on.
        quiet_when_locked: True to show nothing while the screen is locked.
        icon_count: ``unread``, or ``new`` for what came since the person last looked.
        notifier: ``auto`` for the desktop's own notifications, ``console`` for lines of text.
        tray: ``auto``, or ``none`` for no icon.
        language: One of ``LANGUAGES``; empty for the system's.
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
    folders: tuple[str, ...] = (INBOX,)
    accounts: Mapping[str, AccountWishes] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    vip: tuple[str, ...] = ()
    muted: tuple[str, ...] = ()
    focused_only: bool = False
    own_mail: str = "silent"
    preview: bool = False
    privacy: str = "subject"
    privacy_when_locked: str = "hidden"
    group_conversations: bool = True
    max_single_notifications: int = 3
    buttons: tuple[str, ...] = ("mark_read", "archive")
    open_in: str = "webmail"
    sound: str = SOUND_DESKTOP
    quiet_hours: tuple[QuietHours, ...] = ()
    quiet_in_do_not_disturb: bool = True
    quiet_when_locked: bool = True
    icon_count: str = "unread"
    notifier: str = "auto"
    tray: str = "auto"
    language: str = ""
    log_level: str = "info"
    ca_bundle: str = ""
    proxy: str = field(default="", repr=False)
    hook: tuple[str, ...] = ()

    @property
    def endpoints(self) -> Endpoints:
        """Return where the chosen cloud lives."""
        return CLOUDS[self.cloud]

    def account(self, username: str) -> AccountWishes:
        """Return what is wished for one account alone."""
        return self.accounts.get(username.lower(), AccountWishes())

    def folders_for(self, username: str) -> tuple[Wish, ...]:
        """Return the folders to watch for an account."""
        return tuple(map(parse_wish, self.account(username).folders or self.folders))

    def sound_for(self, username: str) -> str:
        """Return the sound of an account's notifications, of the kinds of ``sound``."""
        return self.account(username).sound or self.sound

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the least permissions that do what is wished, as the token response lists them."""
        return (self._scope("Mail.Read" if self._shows_previews else "Mail.ReadBasic"),)

    def scopes_for(self, username: str) -> tuple[str, ...]:
        """Return ``scopes``, and their twins where the account watches a shared mailbox."""
        return self._with_shared(username, self.scopes)

    def least_scopes_for(self, username: str) -> tuple[str, ...]:
        """Return what to make do with where ``scopes_for`` are refused; empty where nothing is."""
        least = (self._scope("Mail.ReadBasic"),)
        return () if self.scopes_for(username) == least else least

    def change_scopes_for(self, username: str) -> tuple[str, ...]:
        """Return what is needed to change an account's messages as well as to read them."""
        written = self._with_shared(username, (self._scope("Mail.ReadWrite"),))
        return self.scopes_for(username) + written

    def _with_shared(self, username: str, scopes: tuple[str, ...]) -> tuple[str, ...]:
        # Source: learn.microsoft.com/graph/permissions-reference: a mailbox that is shared with
        # a person is read by the twin alone.
        is_shared = any(wish.mailbox for wish in self.folders_for(username))
        return scopes + tuple(f"{each}.Shared" for each in scopes) if is_shared else scopes

    @property
    def _shows_previews(self) -> bool:
        return self.preview and self.privacy == "subject"

    def _scope(self, name: str) -> str:
        here = self.endpoints
        return f"{here.graph_root}/{name}" if here.scopes_need_root else name


KEYS = tuple(field.name for field in fields(Settings))
"""The names of all settings."""


_FROM_THE_START = frozenset(
    {"client_id", "tenant", "cloud", "notifier", "tray", "language", "log_level", "ca_bundle",
     "proxy", "hook"}
)  # fmt: skip


def needs_fresh_start(before: Settings, after: Settings) -> bool:
    """Say whether settings differ in what counts from a program's start only."""
    return any(getattr(before, key) != getattr(after, key) for key in _FROM_THE_START)


_NOTHING = Sentence("")


@dataclass(frozen=True, slots=True)
class Form:
    """How a setting is written, and what it is for.

    Attributes:
        read: Returns a value understood; raises ``ValueError`` with the right form.
        meaning: One sentence.
        choices: The words it can be, where these are few.
        least: The smallest number it can be, where it is one; ``most`` alike.
        unit: Of what it is a number.
    """

    read: Callable[[object], object]
    meaning: Sentence
    choices: tuple[str, ...] = ()
    least: float = 0.0
    most: float = 0.0
    unit: Sentence = _NOTHING


def _choice(meaning: Sentence, *names: str) -> Form:
    return Form(one_of(*names), meaning, names)


_PRIVACY = ("subject", "sender", "hidden")

FORMS: Mapping[str, Form] = {
    "client_id": Form(
        wish_forms.client_id,
        N_("The “Application (client) ID” of the app registration to sign in with."),
    ),
    "tenant": Form(
        wish_forms.tenant,
        N_("Who may sign in: common, organizations, consumers, or a directory's GUID or domain."),
    ),
    "cloud": _choice(N_("Microsoft's cloud: global, usgov, dod or china."), *CLOUDS),
    "interval_s": Form(
        lambda value: _interval_s(value, INTERVAL_MIN_S),
        N_("Seconds between two looks for mail, 10 to 3600."),
        least=INTERVAL_MIN_S,
        most=INTERVAL_MAX_S,
        unit=N_("seconds"),
    ),
    "folders": Form(
        wish_forms.folders,
        N_("The folders to watch; one of a shared mailbox is team@contoso.com/inbox."),
    ),
    "accounts": Form(
        wish_forms.accounts,
        N_("For one account alone: name, folders, addresses that are yours too, sound."),
    ),
    "rules": Form(
        parse_rules,
        N_("What becomes of which message; the first rule whose conditions it meets decides."),
    ),
    "vip": Form(
        wish_forms.senders,
        N_("Senders who are always told of, and first: addresses, or domains as @contoso.com."),
    ),
    "muted": Form(
        wish_forms.senders,
        N_("Senders who are never told of; their mail is still counted."),
    ),
    "focused_only": Form(
        yes_or_no,
        N_("Tell only of what Outlook puts under “Focused”."),
    ),
    "own_mail": _choice(
        N_("What you sent yourself: silent or notify."),
        "silent",
        "notify",
    ),
    "preview": Form(
        yes_or_no,
        N_("Show the beginning of each message, for which mailtray asks to read your mail."),
    ),
    "privacy": _choice(
        N_("What a notification shows: subject (and sender), sender alone, or hidden."),
        *_PRIVACY,
    ),
    "privacy_when_locked": _choice(
        N_("The same while the screen is locked."),
        *_PRIVACY,
    ),
    "group_conversations": Form(
        yes_or_no,
        N_("Tell of a conversation's messages in one notification."),
    ),
    "max_single_notifications": Form(
        wish_forms.single_notifications,
        N_("Up to this many new messages get a notification each; more become one summary."),
        most=wish_forms.SINGLE_NOTIFICATIONS_MAX,
        unit=N_("messages"),
    ),
    "buttons": Form(
        wish_forms.buttons,
        N_("At most two of mark_read, archive and delete; the first use asks for permission."),
    ),
    "open_in": _choice(
        N_("Where a click opens a message: webmail or mail_program."),
        "webmail",
        "mail_program",
    ),
    "sound": Form(
        wish_forms.sound,
        N_("What is heard: desktop, none, or the whole path of a sound file."),
    ),
    "quiet_hours": Form(
        wish_forms.quiet_hours,
        N_("When nothing is shown, as “mon-fri 22:00-07:00”; what came is told afterwards."),
    ),
    "quiet_in_do_not_disturb": Form(
        yes_or_no,
        N_("Show nothing while the desktop's own “do not disturb” is on."),
    ),
    "quiet_when_locked": Form(
        yes_or_no,
        N_("Show nothing while the screen is locked."),
    ),
    "icon_count": _choice(
        N_("The number on the icon: unread, or new for what came since you last looked."),
        "unread",
        "new",
    ),
    "notifier": _choice(
        N_("auto for the desktop's notifications, console for lines of text."),
        "auto",
        "console",
    ),
    "tray": _choice(N_("auto, or none for no icon."), "auto", "none"),
    "language": _choice(
        N_("The language of all words: en, de, fr, es, pt or ja; empty for the system's."),
        "",
        *LANGUAGES,
    ),
    "log_level": _choice(
        N_("How much the log tells: error, warning, info or debug."),
        "error",
        "warning",
        "info",
        "debug",
    ),
    "ca_bundle": Form(
        wish_forms.ca_bundle,
        N_("A PEM file of certificates to trust besides the system's."),
    ),
    "proxy": Form(
        wish_forms.proxy_address,
        N_("The proxy to go through, as http://name:password@host:port; empty for the system's."),
    ),
    "hook": Form(
        wish_forms.hook,
        N_("A program and its arguments, run for each message you are told of."),
    ),
}
"""The settings, in the order in which they are shown."""


def _interval_s(value: object, least_s: float) -> float:
    return wish_forms.number(value, least_s, INTERVAL_MAX_S, _("seconds"))


# -- whose word counts ----------------------------------------------------------------------------


class Place(StrEnum):
    """Where a wish can come from, the strongest first."""

    OPTION = "option"
    VARIABLE = "variable"
    FILE = "file"
    ADMINISTRATOR = "administrator"
    RELEASE = "release"
    DEFAULT = "default"


_PERSONAL = frozenset({Place.OPTION, Place.VARIABLE, Place.FILE})


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says.

    Attributes:
        origin: Its name, as errors are to tell it: a file's path, a variable.
        wishes: The keys with their values, as TOML's types or as words.
    """

    place: Place
    origin: str
    wishes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one setting stands.

    Attributes:
        value: As it is understood.
        written: As it was written.
        is_locked: True where the administrator's file alone counts.
        overruled: Where the person wished it otherwise, in vain; origins.
    """

    key: str
    value: object
    written: object
    place: Place = Place.DEFAULT
    origin: str = ""
    is_locked: bool = False
    overruled: tuple[str, ...] = ()

    @property
    def shown(self) -> object:
        """The value as JSON and TOML can have it, with no password in it."""
        if self.key == "proxy":
            return _without_password(str(self.value))
        if isinstance(self.value, tuple) and all(isinstance(each, str) for each in self.value):
            return [*self.value]
        return self.value if isinstance(self.value, str | int | float) else self.written


def parse_settings(layers: Sequence[Layer], *, interval_min_s: float = INTERVAL_MIN_S) -> Settings:
    """Read wishes from several places; see :func:`weigh`."""
    found = weigh(layers, interval_min_s=interval_min_s)
    return Settings(**{key: one.value for key, one in found.items()})  # type: ignore[arg-type] # each key's form returns its type


def weigh(
    layers: Sequence[Layer], *, interval_min_s: float = INTERVAL_MIN_S
) -> Mapping[str, Standing]:
    """Find out how every setting stands: the first place that has it wins, but for the locked.

    All places are checked, also where another one wins: a typing error is told on the day it
    is made.

    Args:
        layers: What each place says, the strongest first.
        interval_min_s: The shortest interval to accept, in seconds.

    Raises:
        ConfigError: A key is unknown or a value is not of its form; the problem names the
            right ones.
    """
    locked = locked_keys(layers)
    chosen: dict[str, Standing] = {}
    overruled: dict[str, list[Standing]] = {}
    for layer in layers:
        for one in _understood(layer, interval_min_s):
            if one.key in locked and layer.place in _PERSONAL:
                overruled.setdefault(one.key, []).append(one)
            else:
                chosen.setdefault(one.key, one)
    return {
        key: _standing(chosen.get(key), default, overruled.get(key, ()), is_locked=key in locked)
        for key, default in DEFAULTS.items()
    }


def locked_keys(layers: Iterable[Layer]) -> frozenset[str]:
    """Return the settings for which the administrator's file alone counts.

    Raises:
        ConfigError: It names one that there is not.
    """
    locked: set[str] = set()
    for layer in layers:
        if layer.place is Place.ADMINISTRATOR and LOCKED in layer.wishes:
            try:
                problem = _('must be a list of settings, as ["client_id", "tenant"]')
                named = wish_forms.words(layer.wishes[LOCKED], problem)
                _expect_keys(named)
            except ValueError as exc:
                raise ConfigError(origin=layer.origin, key=LOCKED, problem=str(exc)) from exc
            locked.update(named)
    return frozenset(locked)


def _expect_keys(named: Iterable[str]) -> None:
    for key in named:
        if key not in FORMS:
            raise ValueError(
                _("“{key}”: {problem}").format(key=key, problem=wish_forms.unknown(key, KEYS))
            )


def _understood(layer: Layer, interval_min_s: float) -> Iterable[Standing]:
    for key, written in layer.wishes.items():
        if key == LOCKED and layer.place is Place.ADMINISTRATOR:
            continue
        try:
            value = _understand(key, written, interval_min_s)
        except InnerMistake as exc:
            raise ConfigError(origin=layer.origin, key=exc.within(key), problem=str(exc)) from exc
        except ValueError as exc:
            raise ConfigError(origin=layer.origin, key=key, problem=str(exc)) from exc
        yield Standing(key, value, written, layer.place, layer.origin)


def _understand(key: str, value: object, interval_min_s: float) -> object:
    if key == "interval_s":
        return _interval_s(value, interval_min_s)
    if key == LOCKED:
        raise ValueError(_("only the administrator's file has this"))
    if key not in FORMS:
        raise ValueError(wish_forms.unknown(key, KEYS))
    return FORMS[key].read(value)


def read_words(key: str, words: str, *, interval_min_s: float = INTERVAL_MIN_S) -> object:
    """Return a wish that is given in words as TOML is to have it.

    Raises:
        ValueError: The key is unknown or the words are not of its form.
    """
    value = _understand(key, words, interval_min_s)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | float):
        return value
    listed: Sequence[object] = value if isinstance(value, tuple) else ()
    is_plain = all(isinstance(each, str) for each in listed)
    return [*listed] if is_plain else wish_forms.words(words, "")


def _standing(
    chosen: Standing | None, default: Standing, overruled: Sequence[Standing], *, is_locked: bool
) -> Standing:
    one = chosen or default
    otherwise = tuple(wish.origin for wish in overruled if wish.value != one.value)
    return Standing(one.key, one.value, one.written, one.place, one.origin, is_locked, otherwise)


def _without_password(proxy: str) -> str:
    found = urlsplit(proxy).password
    return proxy if found is None else proxy.replace(f":{found}@", ":…@", 1)


def _defaults() -> Mapping[str, Standing]:
    values = {key: getattr(Settings(), key) for key in KEYS}
    return {
        key: Standing(key, value, [*value] if isinstance(value, tuple) else value)
        for key, value in values.items()
    }


DEFAULTS = _defaults()
"""How every setting stands where nobody wishes anything."""
