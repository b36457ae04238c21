"""What settings and the running program tell of themselves, as the doctor's checks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailtray import __version__
from mailtray.core.doctor import Check, Part, Verdict, attention, fails, good, unknown
from mailtray.core.language import _, ngettext
from mailtray.core.settings import Place
from mailtray.core.status import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mailtray.core.errors import ConfigError
    from mailtray.core.settings import Standing

Json = Any
"""An answer of the running program."""
_WAITING = frozenset({State.OFFLINE, State.THROTTLED})


def settings(standings: Mapping[str, Standing], mistake: ConfigError | None) -> Check:
    """Say where settings come from and which are locked, or which is mistaken.

    Args:
        standings: How each stands, as far as can be understood.
        mistake: What cannot be, or ``None``.
    """
    if mistake is not None:
        action = mistake.hint or _("Correct it; “mailtray settings” shows what counts.")
        return fails(Part.SETTINGS, mistake.title, action)
    chosen = [one for one in standings.values() if one.place is not Place.DEFAULT]
    origins = dict.fromkeys(one.origin for one in chosen)
    locked = [one.key for one in chosen if one.is_locked]
    found = _("all are the defaults")
    if chosen:
        found = ngettext(
            "{count} is set, in {origins}", "{count} are set, in {origins}", len(chosen)
        ).format(count=len(chosen), origins=", ".join(origins))
    if locked:
        words = _("set by your administrator: {keys}").format(keys=", ".join(locked))
        found = f"{found}; {words}"
    return good(Part.SETTINGS, found)


def signed_in(username: str, scopes: Iterable[str]) -> Check:
    """Return that an account is signed in, and with which permissions."""
    allowed = ", ".join(sorted(scopes))
    found = _("signed in")
    if allowed:
        found = _("signed in, allowed {scopes}").format(scopes=allowed)
    return Check(Part.SIGN_IN, Verdict.OK, found, account=username)


def signed_out() -> Check:
    """Return that nobody is signed in."""
    action = _("Choose “Sign in” in the menu, or type: mailtray signin")
    return fails(Part.SIGN_IN, _("nobody is signed in"), action)


def of_program(state: Json, history: Json) -> list[Check]:
    """Return what a running program tells.

    Args:
        state: Its answer to ``status``.
        history: Its answer to ``history``.
    """
    checks = [_version(history["version"])]
    for one in state["accounts"]:
        checks += _account(one, history["scopes"].get(one["username"], ()))
    if not state["accounts"]:
        checks += [signed_out(), unknown(Part.MAILBOX, _("nobody is signed in"))]
    return [*checks, _polls(history["hours"])]


def _version(running: str) -> Check:
    if running == __version__:
        return good(Part.PROGRAM, _("answers"))
    return attention(
        Part.PROGRAM,
        _("is version {version}, and this is another").format(version=running),
        _("Quit it and start it again."),
    )


def _account(one: Json, scopes: Iterable[str]) -> Iterator[Check]:
    username, hint = one["username"], one["hint"] or ""
    if one["needs_sign_in"]:
        yield Check(Part.SIGN_IN, Verdict.FAIL, one["error"], hint, username)
        yield Check(Part.MAILBOX, Verdict.UNKNOWN, _("read again after a sign-in"), "", username)
        return
    yield signed_in(username, scopes)
    if one["error"]:
        verdict = Verdict.ATTENTION if one["state"] in _WAITING else Verdict.FAIL
        yield Check(Part.MAILBOX, verdict, one["error"], hint, username)
    elif one["notice"]:
        yield Check(Part.MAILBOX, Verdict.ATTENTION, one["notice"], "", username)
    elif one["checked"] is None:
        yield Check(Part.MAILBOX, Verdict.UNKNOWN, _("not read yet"), "", username)
    else:
        checked = datetime.fromisoformat(one["checked"]).astimezone()
        found = ngettext(
            "{count} unread, checked {when}", "{count} unread, checked {when}", one["unread"]
        ).format(count=one["unread"], when=f"{checked:%Y-%m-%d %H:%M}")
        yield Check(Part.MAILBOX, Verdict.OK, found, "", username)


def _polls(hours: Json) -> Check:
    polls, arrivals, faults = (
        sum(one[name] for one in hours) for name in ("polls", "arrivals", "faults")
    )
    found = _("{polls} looks for mail, {arrivals} messages, {faults} faults").format(
        polls=polls, arrivals=arrivals, faults=faults
    )
    if faults and not hours[-1]["polls"] and hours[-1]["faults"]:
        return attention(Part.POLLS, found, _("Look at what fails above and below."))
    return good(Part.POLLS, found)
