"""What is told to other processes and into the event lines, as JSON-ready values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray import __version__
from mailtray.core import folders, status, troubles
from mailtray.core.compose import clean, sender_of, subject_of
from mailtray.core.errors import AuthError, MailtrayError, Unconfigured
from mailtray.core.peace import Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mailtray.core.deeds import Errand
    from mailtray.core.history import Hour
    from mailtray.core.model import Account, FolderPlace, Message, TrayView
    from mailtray.core.peace import Pause, Quiet
    from mailtray.core.rules import Ruling


def state(now_is: status.Status, view: TrayView) -> Mapping[str, object]:
    """Return how it is: the tray's words, and each account with its latest unread messages."""
    return {
        "done": True,
        "state": status.overall(now_is).value,
        "unread": status.unread_count(now_is),
        "new": status.new_count(now_is),
        "tooltip": view.tooltip,
        "link": status.link_of(now_is.sign_in_error) or None,
        "quiet": None if now_is.quiet is None else now_is.quiet.why.value,
        "paused_until": _paused_until(now_is.quiet),
        "troubles": [troubles.as_json(one) for one in troubles.troubles(now_is)],
        "accounts": [account(one) for one in now_is.accounts.values()],
    }


def _paused_until(quiet: Quiet | None) -> str | None:
    if quiet is None or quiet.why is not Why.PAUSED or quiet.until is None:
        return None
    return quiet.until.isoformat(timespec="seconds")


def pause_event(pause: Pause | None) -> Mapping[str, object]:
    """Return the event that a pause began, or that it is over."""
    if pause is None:
        return {"event": "resumed"}
    until = None if pause.until is None else pause.until.isoformat(timespec="seconds")
    return {"event": "paused", "until": until}


def account(one: status.AccountStatus) -> Mapping[str, object]:
    """Return how one account is."""
    return {
        "username": one.account.username,
        "state": one.state.value,
        "unread": one.unread,
        "new": one.new,
        "checked": None if one.checked is None else one.checked.isoformat(timespec="seconds"),
        "error": None if one.error is None else one.error.title,
        "hint": None if one.error is None else one.error.hint,
        "support": one.error.support if isinstance(one.error, AuthError) else None,
        "notice": None if one.lacking is None else f"{one.lacking.title}. {one.lacking.hint}",
        "link": status.link_of(one.error) or status.link_of(one.lacking) or None,
        "needs_sign_in": status.needs_sign_in(one.error),
        "messages": [message(one_message) for one_message in one.latest],
    }


def message(one: Message) -> Mapping[str, object]:
    """Return one message, cleaned for a terminal."""
    return {
        "id": one.id,
        "from": sender_of(one),
        "subject": subject_of(one),
        "received": None if one.received is None else one.received.isoformat(timespec="seconds"),
        "web_link": one.web_link,
    }


def judged(one: Message, ruling: Ruling) -> Mapping[str, object]:
    """Return what becomes of a message, and why; rules are counted from 1 on."""
    return {
        **message(one),
        "verdict": ruling.verdict.value,
        "rule": None if ruling.rule is None else ruling.rule + 1,
        "why": ruling.why,
        "sound": ruling.manner.sound,
        "urgency": ruling.manner.urgency.name.lower(),
        "stays": ruling.manner.stays,
        "vip": ruling.is_vip,
    }


def told_message(account_name: str, one: Message, link: str) -> Mapping[str, object]:
    """Return what a hook is given: a message, with a link that may be opened."""
    return {"account": account_name, **message(one), "web_link": link}


def tree(
    who: Account, mailbox: str, places: Iterable[FolderPlace], watched: Mapping[str, str]
) -> Mapping[str, object]:
    """Return a mailbox's tree of folders.

    Args:
        who: Whose permission it was read with.
        mailbox: The address of a shared mailbox; the account's own where empty.
        places: The folders, each after the one it is in.
        watched: How the settings name those that are watched, by their keys.
    """
    return {
        "done": True,
        "account": who.username,
        "mailbox": mailbox or who.username,
        "folders": [
            {
                "id": folders.split(place.key)[1],
                "path": clean(place.path),
                "unread": place.unread,
                "total": place.total,
                "watched": place.key in watched,
                "wish": watched.get(place.key),
            }
            for place in places
        ],
    }


def status_events(
    now_is: status.Status, view: TrayView
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the ``status`` event of each account, or of the program where there is none."""
    if not now_is.accounts or now_is.is_signing_in:
        error = now_is.sign_in_error or now_is.notice
        yield "", _status_event(now_is, status.overall(now_is), view, error)
    for one in now_is.accounts.values():
        yield one.account.id, _status_event(one, one.state, view, one.error)


def _status_event(
    of: status.AccountStatus | status.Status,
    state_is: status.State,
    view: TrayView,
    error: MailtrayError | None,
) -> Mapping[str, object]:
    if isinstance(of, status.Status):
        account_name, unread = None, status.unread_count(of)
    else:
        account_name, unread = of.account.username, of.unread
    return {
        "event": "status",
        "account": account_name,
        "state": state_is.value,
        "unread": unread,
        "tooltip": view.tooltip,
        "error": None if error is None else error.title,
    }


def acted(who: Account, errand: Errand, error: MailtrayError | None) -> Mapping[str, object]:
    """Return the event that something was done to messages, or could not be."""
    return {
        "event": "acted",
        "account": who.username,
        "action": errand.action.value,
        "ids": list(errand.ids),
        "ok": error is None,
        "error": None if error is None else error.title,
    }


def wish_done(errand: Errand) -> Mapping[str, object]:
    """Return that what was asked for is done, and to which messages."""
    return {"done": True, "state": "done", "ids": [deed.message for deed in errand.done]}


def wish_waits(why: MailtrayError) -> Mapping[str, object]:
    """Return that what was asked for is done later, and why not now."""
    return {"done": True, "state": "waiting", "why": why.title}


def history(hours: Sequence[Hour], scopes: Mapping[str, Iterable[str]]) -> Mapping[str, object]:
    """Return what the last hours were like, and for whoever looks for faults what else is so.

    Args:
        hours: The hours.
        scopes: The permissions with which each account's mail was read, by username.
    """
    told = [
        {
            "starts": one.starts.isoformat(timespec="seconds"),
            "polls": one.polls,
            "arrivals": one.arrivals,
            "faults": one.faults,
        }
        for one in hours
    ]
    allowed = {username: sorted(names) for username, names in scopes.items()}
    return {"done": True, "version": __version__, "hours": told, "scopes": allowed}


def sign_in_page(url: str, code: str) -> Mapping[str, object]:
    """Return the address at which the person goes on, and the code to type there if any."""
    return {"done": False, "sign_in_page": url, "code": code}


def signed_in(who: Account) -> Mapping[str, object]:
    """Return the good end of a sign-in."""
    return {"done": True, "signed_in": who.username}


def failure(error: MailtrayError) -> Mapping[str, object]:
    """Return an error; :func:`failed` reads it."""
    kind = next((name for name, one in _KINDS.items() if isinstance(error, one)), None)
    return {
        "done": True,
        "error": error.title,
        "hint": error.hint,
        "link": status.link_of(error) or None,
        "code": error.code if isinstance(error, AuthError) else None,
        "kind": kind,
    }


def failed(answer: Mapping[str, object]) -> MailtrayError:
    """Return the error that an answer tells of."""
    kind = _KINDS.get(str(answer.get("kind")), MailtrayError)
    error = kind(str(answer["error"]), str(answer.get("hint") or ""))
    if isinstance(error, AuthError):
        error.link = str(answer.get("link") or "")
        code = answer.get("code")
        error.code = code if isinstance(code, int) else None
    return error


_KINDS: Mapping[str, type[MailtrayError]] = {"sign_in": AuthError, "settings": Unconfigured}
