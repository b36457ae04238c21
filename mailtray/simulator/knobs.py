"""What can be turned on the simulated cloud, and the values it starts with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal


@dataclass(frozen=True)
class AuthorizeError:
    """How the next visit to the authorize page ends.

    With ``redirect`` the program is told through its redirect URI; without, the person is
    left on an error page and the program hears nothing, as with "needs admin approval".
    """

    code: int
    error: str
    description: str
    redirect: bool = True


@dataclass(kw_only=True)
class Knobs:
    """The settings of the simulated cloud; each may be changed at any time."""

    access_token_lifetime_s: int = 3599
    """Life of an access token, in seconds. MSAL renews one with less than 300 s left."""
    device_code_interval_s: int = 5
    """Seconds a device-code client is told to wait between two questions."""
    device_code_lifetime_s: int = 900
    """Seconds a person has for typing a device code."""
    max_page_size_before_504: int | None = None
    """Pages asked larger than this are answered 504 with an HTML body; ``None`` allows all."""
    largest_delta_page: int | None = None
    """Lines of a delta page at most, whatever was asked for; ``None`` for as many as asked."""
    read_basic_preview: Literal["omit", "forbid"] = "omit"
    """A ``$select`` of bodyPreview under Mail.ReadBasic: left out of the answer, or 403."""
    filter_on_delta: bool = True
    """False refuses every ``$filter`` on messages/delta with 400."""
    used_refresh_tokens_work: bool = False
    """A refresh token may be shown again, as the real service allows: a client whose answer was
    lost on the way has no other."""
    concurrency_limit: int = 4
    """Requests one mailbox serves at a time; one more is answered 429."""
    isread_partial: bool = True
    """A change of isRead alone comes as id, isRead and parentFolderId only."""
    pin_hidden_moves: bool = True
    """With immutable ids, a message moved out and back between two rounds stays "removed"."""
    empty_delta_page: bool = False
    """Each delta round begins with an empty page that has a nextLink."""
    replay_changes: bool = False
    """Each delta round repeats the changes of the round before it."""
    repeat_items: bool = False
    """A message changed several times in one round is listed once for each change."""
    unknown_client_ids: frozenset[str] = frozenset()
    """Client ids answered with AADSTS700016; any other GUID is known."""
    mailboxes_not_enabled: frozenset[str] = frozenset()
    """Usernames whose mailbox answers 404 MailboxNotEnabledForRESTAPI."""
    asks_password: bool = True
    """False takes the account that a person picks for signed in in that browser already."""
    admin_consent_required: bool = False
    """People of work accounts cannot consent to mail scopes themselves (AADSTS90094)."""
    authorize_error: AuthorizeError | None = field(default=None)
    """How the next visit to the authorize page ends; used once."""

    def turn(self, settings: Mapping[str, object]) -> None:
        """Change several knobs at once, all or none.

        Args:
            settings: Knob name to JSON value; lists stand for the sets, an object with
                ``code``, ``error``, ``description`` and ``redirect`` for `authorize_error`.

        Raises:
            ValueError: A name or a value is not one a knob can have; nothing was changed.
        """
        parsed = {name: _parse(name, value) for name, value in settings.items()}
        for name, value in parsed.items():
            setattr(self, name, value)

    def settings(self) -> dict[str, object]:
        """Give the value of each knob in JSON's types."""
        values = {each.name: getattr(self, each.name) for each in fields(Knobs)}
        return {name: _to_json(value) for name, value in values.items()}


def _to_json(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(vars(value)) if isinstance(value, AuthorizeError) else value


_NUMBERS = {
    "access_token_lifetime_s",
    "device_code_interval_s",
    "device_code_lifetime_s",
    "concurrency_limit",
    "max_page_size_before_504",
    "largest_delta_page",
}
_OPTIONAL_NUMBERS = {"max_page_size_before_504", "largest_delta_page"}
_SWITCHES = {
    "filter_on_delta",
    "isread_partial",
    "pin_hidden_moves",
    "empty_delta_page",
    "replay_changes",
    "repeat_items",
    "asks_password",
    "admin_consent_required",
    "used_refresh_tokens_work",
}
_SETS = {"unknown_client_ids", "mailboxes_not_enabled"}


def _parse(name: str, value: object) -> object:
    for names, parse in _PARSERS:
        if name in names:
            return parse(name, value)
    raise ValueError(f"There is no setting {name!r}.")


def _switch(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"{name} must be true or false.")


def _set(name: str, value: object) -> frozenset[str]:
    if isinstance(value, list | frozenset | set) and all(isinstance(v, str) for v in value):
        return frozenset(value)
    raise ValueError(f"{name} must be a list of texts.")


def _choice(name: str, value: object) -> object:
    if value in ("omit", "forbid"):
        return value
    raise ValueError(f'{name} must be "omit" or "forbid".')


def _number(name: str, value: object) -> int | None:
    if value is None and name in _OPTIONAL_NUMBERS:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{name} must be a whole number, 0 or more.")


def _authorize_error(name: str, value: object) -> AuthorizeError | None:
    if value is None or isinstance(value, AuthorizeError):
        return value
    match value:
        case {"code": int(code), "error": str(error), "description": str(text), **rest} if set(
            rest
        ) <= {"redirect"} and isinstance(rest.get("redirect", True), bool):
            return AuthorizeError(code, error, text, redirect=bool(rest.get("redirect", True)))
    raise ValueError(
        f"{name} must be null or have code (number), error and description (texts) "
        "and, if wanted, redirect (true or false)."
    )


_PARSERS: tuple[tuple[set[str], Callable[[str, object], object]], ...] = (
    (_NUMBERS, _number),
    (_SWITCHES, _switch),
    (_SETS, _set),
    ({"read_basic_preview"}, _choice),
    ({"authorize_error"}, _authorize_error),
)
