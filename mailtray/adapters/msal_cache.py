"""MSAL's token cache: what may be taken over from the vault, and what it holds."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Any

from mailtray.core.model import Account

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mailtray.core.model import AccountId

_SECTIONS: dict[str, tuple[str, ...]] = {
    "Account": ("home_account_id", "environment", "username", "authority_type"),
    "RefreshToken": ("home_account_id", "environment", "secret", "client_id"),
    "AccessToken": ("environment", "secret", "expires_on", "target"),
    "IdToken": ("secret",),
    "AppMetadata": (),
}
"""The parts of a cache, and the texts that MSAL reads of each entry without asking."""
_NUMBERS = ("expires_on", "refresh_on", "last_modification_time")
"""What MSAL takes for a number where it is there."""


def new_cache() -> Any:  # noqa: ANN401 - msal has no types
    """Build an empty cache; loads ``msal``."""
    from msal import SerializableTokenCache

    # Its loggers print answers and codes whole.
    logging.getLogger("msal").setLevel(logging.CRITICAL + 1)
    return SerializableTokenCache()


def sound_parts(cache: str) -> dict[str, Any]:
    """Parse a serialized cache and leave out what MSAL would stumble over."""
    try:
        content = json.loads(cache)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    for name, texts in _SECTIONS.items():
        section = content.get(name)
        entries = section.items() if isinstance(section, dict) else ()
        content[name] = {key: entry for key, entry in entries if _is_entry(entry, texts)}
    return content


def account_in(content: Mapping[str, Any], account: AccountId) -> Account | None:
    """Find an account and its refresh token in the sound parts of a cache."""
    own = {
        name: [e for e in content.get(name, {}).values() if e.get("home_account_id") == account]
        for name in ("Account", "RefreshToken", "IdToken")
    }
    if not own["Account"] or not own["RefreshToken"]:
        return None
    name = next(iter(_names(own["IdToken"])), "")
    return Account(account, own["Account"][0]["username"], name)


def kept(cache: str, account: AccountId) -> tuple[str, frozenset[str]] | None:
    """Return the username of a serialized cache's account, and the permissions it was given.

    Permissions are those of the access tokens, which are kept until they are replaced; ``None``
    where the account has to sign in.
    """
    content = sound_parts(cache)
    found = account_in(content, account)
    if found is None:
        return None
    tokens = content.get("AccessToken", {}).values()
    scopes = {scope.rpartition("/")[2] for one in tokens for scope in one["target"].split()}
    return found.username, frozenset(scope for scope in scopes if scope.startswith("Mail."))


def _is_entry(entry: object, texts: tuple[str, ...]) -> bool:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(t), str) for t in texts):
        return False
    return all(str(entry.get(number, 0)).isdecimal() for number in _NUMBERS)


def _names(id_tokens: list[dict[str, str]]) -> Iterator[str]:
    for entry in id_tokens:
        try:
            payload = entry["secret"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            name = claims.get("name")
        except (ValueError, LookupError, AttributeError, RecursionError):
            continue
        if isinstance(name, str):
            yield name


def as_listed(cache: Any, scopes: Collection[str]) -> list[str]:  # noqa: ANN401 - msal has no types
    """Return the scopes in the form in which the last token response listed them.

    Some answers list them long (``https://graph.microsoft.com/Mail.Read``) though asked for
    short; asked otherwise than listed, MSAL would not find its own token and spend a request.
    """
    listed = {_short(scope): scope for scope in _targets(cache, None)}
    return [listed.get(_short(scope), scope) for scope in scopes]


def granted(cache: Any, result: Mapping[str, Any], asked: Collection[str]) -> frozenset[str]:  # noqa: ANN401 - msal has no types
    """Return those of the scopes asked for that the token holds; MSAL tells them only at times."""
    held = {_short(scope) for scope in _targets(cache, result["access_token"])}
    return frozenset(scope for scope in asked if _short(scope) in held)


def _targets(cache: Any, access_token: str | None) -> Iterator[str]:  # noqa: ANN401 - msal has no types
    query = {"secret": access_token} if access_token else None
    for entry in cache.search("AccessToken", query=query):
        yield from entry.get("target", "").split()


def _short(scope: str) -> str:
    return scope.rpartition("/")[2].lower()
