"""How it is, as icon, tooltip and menu."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailtray.core import text
from mailtray.core.compose import clean, clip, headline, isolate
from mailtray.core.deeds import ON_MESSAGES
from mailtray.core.errors import SignInRequired
from mailtray.core.language import Sentence, _
from mailtray.core.model import IconKind, MenuItem, TrayView
from mailtray.core.status import (
    EXPLAIN,
    AccountStatus,
    Source,
    State,
    Status,
    is_paused,
    link_of,
    needs_sign_in,
    new_count,
    overall,
    unread_count,
    worst_first,
)
from mailtray.core.troubles import SIGN_IN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mailtray.core.model import Message

TOOLTIP_UNITS = 127
"""UTF-16 units of a tooltip; Windows holds no more (NOTIFYICONDATA.szTip)."""
LATEST_KEPT = 50
"""Of so many of the newest unread messages other programs and the pages are told."""
LATEST_SHOWN = 5
"""So many of them the menu has room for."""
_MENU_LINE_UNITS = 60


def view(
    status: Status,
    now: datetime,
    *,
    counts_new: bool = False,
    names: Mapping[str, str] | None = None,
) -> TrayView:
    """Say what the tray shows.

    Args:
        status: How it is.
        now: The time, aware, in the zone in which times are to be shown.
        counts_new: True where the icon counts what came since the person last looked, and not
            all that is unread.
        names: What accounts are to be called, by their usernames in lower case.
    """
    status = _named(status, names or {})
    count = new_count(status) if counts_new else unread_count(status)
    return TrayView(
        icon=_icon(status, count),
        count=count,
        tooltip=clip(_tooltip(status, now), TOOLTIP_UNITS),
        menu=_menu(status, now),
    )


def _named(status: Status, names: Mapping[str, str]) -> Status:
    called = {i: names.get(one.account.username.lower()) for i, one in status.accounts.items()}
    accounts = {
        i: replace(one, account=replace(one.account, username=called[i] or one.account.username))
        for i, one in status.accounts.items()
    }
    return replace(status, accounts=accounts) if any(called.values()) else status


def _icon(status: Status, count: int) -> IconKind:
    match overall(status):
        case State.SIGNING_IN:
            return IconKind.SIGNING_IN
        case State.ATTENTION | State.SIGNED_OUT:
            return IconKind.ATTENTION
        case State.OFFLINE | State.THROTTLED:
            return IconKind.OFFLINE
        case _ if is_paused(status) and status.accounts:
            return IconKind.PAUSED
        case _:
            return IconKind.UNREAD if count else IconKind.NORMAL


def _tooltip(status: Status, now: datetime) -> str:
    if status.is_signing_in:
        return _finish_sign_in(status)
    if not status.accounts:
        return "\n".join(_program_lines(status))
    if len(status.accounts) == 1:
        one = next(iter(status.accounts.values()))
        lines = [*_state_lines(one, now), *_waiting_lines(one)]
        lines.append(isolate(clean(one.account.username)))
    else:
        lines = [_counts(status)]
        lines += [
            text.labelled(_who(one), _state_lines(one, now)[0]) for one in worst_first(status)
        ]
        lines += [line for one in status.accounts.values() for line in _waiting_lines(one)]
    if status.quiet is not None:
        lines = _quiet_lines(text.quiet(status.quiet, now), lines, status)
    if status.notice is not None:
        lines.append(status.notice.title)
    return "\n".join(lines)


def _waiting_lines(one: AccountStatus) -> list[str]:
    """Say what is not done yet, where it is more than a moment's matter."""
    if one.asking is not None:
        return [text.waits_for_permission(one.waiting)]
    if one.waiting and one.error is not None:
        transient = one.error.transient
        return [text.waits_for_network(one.waiting) if transient else text.waits(one.waiting)]
    return []


def _quiet_lines(words: str, lines: list[str], status: Status) -> list[str]:
    """Put why nothing is shown first, or last where something asks for the person."""
    if overall(status) is not State.OK:
        return [*lines, words]
    return [f"{words} · {_counts(status)}", *lines[1:]]


def _counts(of: Status | AccountStatus) -> str:
    """Say how many are unread, and first how many of them are new."""
    if isinstance(of, Status):
        return text.counts(new_count(of), unread_count(of))
    return text.counts(of.new, of.unread)


def _finish_sign_in(status: Status) -> str:
    if status.sign_in_at is None or not status.sign_in_at.code:
        return _(text.FINISH_SIGN_IN)
    return text.finish_on_device(status.sign_in_at.url, status.sign_in_at.code)


def _program_lines(status: Status) -> list[str]:
    if not status.is_configured:
        return [_(text.NO_CLIENT_ID_TITLE)]
    if status.sign_in_error is not None:
        return [status.sign_in_error.title, status.sign_in_error.hint]
    if status.notice is not None:
        return [status.notice.title, status.notice.hint]
    if status.is_starting:
        return [_(text.CHECKING)]
    return [_(text.SIGNED_OUT), _(text.SIGN_IN_TO_START)]


def _state_lines(one: AccountStatus, now: datetime) -> list[str]:
    if one.error is None:
        if one.checked is None:
            return [_(text.CHECKING)]
        return [f"{_counts(one)} · {text.checked_at(_there(one.checked, now))}"]
    lines = [one.error.title]
    if one.error.transient and one.since is not None:
        lines.append(text.offline_since(_there(one.since, now)))
    elif one.error.hint:
        lines.append(one.error.hint)
    if one.unread:
        lines.append(_counts(one))
    return lines


def _there(at: datetime, now: datetime) -> datetime:
    return at.astimezone(now.tzinfo)


def _who(one: AccountStatus) -> str:
    return isolate(clip(clean(one.account.username), 32))


_LINE = MenuItem(is_separator=True)


def _item(  # noqa: PLR0913 - as a menu's item has it
    sentence: Sentence,
    command: str = "",
    argument: str = "",
    *,
    suffix: str = "",
    is_default: bool = False,
    is_checked: bool | None = None,
    children: tuple[MenuItem, ...] = (),
) -> MenuItem:
    """Return an item whose label is a sentence with its mnemonic marked."""
    before, mark, after = _(sentence).partition("_")
    return MenuItem(
        label=before + after + suffix,
        command=command,
        argument=argument,
        is_default=is_default,
        children=children,
        is_checked=is_checked,
        mnemonic=after[:1] if mark else "",
    )


def _menu(status: Status, now: datetime) -> tuple[MenuItem, ...]:
    items = [
        MenuItem(clip(words, _MENU_LINE_UNITS), "undo", name)
        for name, words in status.undoable.items()
    ]
    for one in status.accounts.values():
        items += _account_items(one, now)
    items += _program_items(status)
    items.append(_LINE)
    if _can_check(status):
        is_default = bool(status.accounts)
        items.append(_item(text.MENU_CHECK_NOW, "check_now", is_default=is_default))
    if status.accounts:
        items += [_item(text.MENU_OPEN_MAILBOX, "open_mailbox"), _pause_item(status), _LINE]
    items += _sign_in_items(status)
    items += [_LINE, *_own_items(status), _LINE, _item(text.MENU_QUIT, "quit")]
    return tuple(items)


def _own_items(status: Status) -> list[MenuItem]:
    """Return the items about mailtray itself."""
    items = [_item(text.MENU_MESSAGES, "open_own_page", "messages")] if status.accounts else []
    if status.starts_at_login is not None:
        is_checked = status.starts_at_login
        items.append(_item(text.MENU_START_AT_LOGIN, "toggle_autostart", is_checked=is_checked))
    pages = [
        ("settings", text.MENU_SETTINGS),
        ("doctor", text.MENU_DIAGNOSTICS),
        ("about", text.MENU_ABOUT),
    ]
    return [*items, *(_item(label, "open_own_page", page) for page, label in pages)]


def _pause_item(status: Status) -> MenuItem:
    if is_paused(status):
        return _item(text.MENU_RESUME, "resume")
    pauses = (_item(label, "pause", wish) for label, wish in text.MENU_PAUSES)
    return _item(text.MENU_PAUSE, children=tuple(pauses))


def _program_items(status: Status) -> list[MenuItem]:
    if status.accounts:
        return [] if status.notice is None else [_notice_item(status)]
    if status.is_signing_in:
        return [MenuItem(clip(_finish_sign_in(status), _MENU_LINE_UNITS))]
    if status.is_configured and status.sign_in_error is not None:
        return [_trouble_item(status.sign_in_error.title, SIGN_IN)]
    if status.notice is not None:
        return [_notice_item(status)]
    return [MenuItem(clip(_program_lines(status)[0], _MENU_LINE_UNITS))]


def _notice_item(status: Status) -> MenuItem:
    source = min(status.notices)
    return _trouble_item(status.notices[source].title, source.name.lower())


def _trouble_item(title: str, about: str) -> MenuItem:
    """Return an item that says what is wrong, and opens the page about it."""
    return MenuItem(clip(title, _MENU_LINE_UNITS - 1).rstrip("…") + "…", EXPLAIN, about)


def _can_check(status: Status) -> bool:
    if Source.VAULT in status.notices:
        return True  # it asks the keyring again
    return any(not isinstance(one.error, SignInRequired) for one in status.accounts.values())


def _account_items(one: AccountStatus, now: datetime) -> list[MenuItem]:
    items = [MenuItem(_who(one))]
    lines = _state_lines(one, now)
    if one.error is not None:
        items.append(_trouble_item(lines.pop(0), one.account.id))
    items += [MenuItem(clip(line, _MENU_LINE_UNITS)) for line in lines]
    impaired = [*filter(None, [one.lacking]), *one.troubles]
    items += [_trouble_item(error.title, one.account.id) for error in impaired]
    items += [_waiting_item(one, line) for line in _waiting_lines(one)]
    items += _approval_items(link_of(one.error) or link_of(one.lacking) or link_of(one.asking))
    items += [_message_item(message) for message in one.latest[:LATEST_SHOWN]]
    if one.unread > 0:
        confirmation = MenuItem(text.mark_all_now(one.unread), "mark_all_read", one.account.id)
        items.append(_item(text.MENU_MARK_ALL, children=(confirmation,)))
    return items


def _waiting_item(one: AccountStatus, line: str) -> MenuItem:
    if one.asking is not None:
        return _trouble_item(line, one.account.id)
    return MenuItem(clip(line, _MENU_LINE_UNITS))


def _message_item(message: Message) -> MenuItem:
    doing = [
        _item(text.MENU_ACTIONS[action], "act", f"{action}:{message.id}") for action in ON_MESSAGES
    ]
    children = (_item(text.OPEN_MESSAGE, "open_message", message.id), *doing)
    return MenuItem(headline(message, _MENU_LINE_UNITS), children=children)


def _approval_items(link: str) -> list[MenuItem]:
    if not link:
        return []
    return [
        _item(text.MENU_ASK_APPROVAL, "ask_approval", link),
        _item(text.MENU_APPROVAL_PAGE, "open_page", link),
    ]


def _sign_in_items(status: Status) -> list[MenuItem]:
    if not status.is_configured:
        return [_item(text.MENU_SET_UP, "set_up", is_default=True)]
    if status.is_signing_in:
        return [
            _item(text.MENU_OPEN_SIGN_IN, "sign_in"),
            _item(text.MENU_CANCEL_SIGN_IN, "cancel_sign_in"),
        ]
    items = _approval_items(link_of(status.sign_in_error))
    if not status.accounts:
        return [*items, _item(text.MENU_SIGN_IN, "sign_in", is_default=True)]
    several = len(status.accounts) > 1
    for one in status.accounts.values():
        suffix = f" · {_who(one)}" if several else ""
        if needs_sign_in(one.error):
            is_default = not (_can_check(status) or any(item.is_default for item in items))
            items.append(
                _item(
                    text.MENU_SIGN_IN_AGAIN,
                    "sign_in",
                    one.account.id,
                    suffix=suffix,
                    is_default=is_default,
                )
            )
        elif one.lacking is not None:
            items.append(_item(text.MENU_GIVE_PERMISSION, "sign_in", one.account.id, suffix=suffix))
        if one.asking is not None:
            items.append(
                _item(text.MENU_ALLOW_CHANGES, "allow_changes", one.account.id, suffix=suffix)
            )
        items.append(_item(text.MENU_SIGN_OUT, "sign_out", one.account.id, suffix=suffix))
    items.append(_item(text.MENU_ADD_ACCOUNT, "add_account"))
    return items
