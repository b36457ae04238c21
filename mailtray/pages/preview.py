"""What settings make of a new message and of the icon, before they are saved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from mailtray.core.compose import Places, Privacy, Wording, compose
from mailtray.core.deeds import Action
from mailtray.core.language import _
from mailtray.core.model import Account, AccountId, Changes, Message, MessageId, Seen
from mailtray.core.wish_forms import BUTTONS, BUTTONS_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailtray.core.model import Notification
    from mailtray.core.settings import Standing
    from mailtray.pages.program import Program

UNREAD, NEW = 12, 3
"""What the icon is shown with."""
ICON_SIZES_PX = (64, 44, 22)
COUNT_MAX = 1_000
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""Only mail about a meeting is worded by the time."""


def pages(program: Program) -> Blueprint:
    """Return the parts of a page that show them, and the icon's picture."""
    blueprint = Blueprint("settings_preview", __name__)

    @blueprint.get("/settings/preview/notification")
    def notification() -> str:
        return render_template("settings_notification.html", preview=preview(program.settings()))

    @blueprint.get("/settings/preview/icon")
    def tray() -> str:
        return render_template("settings_icon.html", preview=preview(program.settings()))

    @blueprint.get("/settings/icon/<int:count>/<int:size_px>")
    def icon(count: int, size_px: int) -> Response:
        size_px = min(max(size_px, ICON_SIZES_PX[-1]), 2 * ICON_SIZES_PX[0])
        return Response(program.draw_icon(min(count, COUNT_MAX), size_px), mimetype="image/png")

    return blueprint


def preview(found: Mapping[str, Standing]) -> Mapping[str, object]:
    """Return what the page shows, by the settings and what is entered in place of them."""

    def wish(key: str) -> str:
        value = found[key].value
        usual = str(value).lower() if isinstance(value, bool) else str(value)
        return request.args.get(key, usual)

    usual: tuple[str, ...] = found["buttons"].value  # type: ignore[assignment] # its type
    entered = request.args.getlist("buttons") if "buttons" in request.args else usual
    buttons = tuple(one for one in entered if one in BUTTONS)
    is_quiet = wish("quiet_when_locked") == "true"
    return {
        "open": sample(wish("privacy"), buttons, with_preview=wish("preview") == "true"),
        "locked": None
        if is_quiet
        else sample(wish("privacy_when_locked"), buttons, with_preview=wish("preview") == "true"),
        "count": NEW if wish("icon_count") == "new" else UNREAD,
        "unread": UNREAD,
        "new": NEW,
        "sizes": ICON_SIZES_PX,
    }


def sample(privacy: str, buttons: tuple[str, ...], *, with_preview: bool) -> Notification:
    """Return the notification of a message that might have come."""
    message = Message(
        MessageId("sample"),
        subject=_("Lunch on Thursday?"),
        sender_name=_("Anna Smith"),
        sender_address="anna@contoso.com",
        preview=_("Shall we try the new place by the river at noon?") if with_preview else "",
    )
    wording = Wording(
        Places("https://outlook.office.com/mail/", frozenset()),
        _ANY_TIME,
        privacy=Privacy(privacy) if privacy in set(Privacy) else Privacy.HIDDEN,
        buttons=tuple(map(Action, buttons[:BUTTONS_MAX])),
    )
    account = Account(AccountId("sample"), "you@contoso.com")
    (found,) = compose(Changes((message,), frozenset(), Seen()), account, wording, {})
    return found
