"""Every sentence a person can read that is not an error's own.

Errors carry their sentences themselves (``title`` and ``hint``); those that Microsoft's answers
lead to stand in ``adapters/msal_errors.py``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mailtray.core import peace
from mailtray.core.language import _
from mailtray.core.peace import Why

if TYPE_CHECKING:
    from datetime import datetime

    from mailtray.core.peace import Quiet

APP_NAME = "mailtray"

UNKNOWN_SENDER = "Unknown sender"
NO_SUBJECT = "(no subject)"

CHECKING = "Checking mail…"
SIGNED_OUT = "Signed out"
FINISH_SIGN_IN = "Finish signing in in your browser"
SIGN_IN_CANCELLED = ("The sign-in was cancelled", "Choose Sign in to try again.")
SIGN_IN_TO_START = "Choose “Sign in” to start"

MENU_CHECK_NOW = "Check now"
MENU_OPEN_MAILBOX = "Open mailbox"
MENU_SIGN_IN = "Sign in"
MENU_SIGN_IN_AGAIN = "Sign in again"
MENU_ADD_ACCOUNT = "Add account…"
MENU_ALLOW_PREVIEWS = "Allow previews…"
MENU_ASK_APPROVAL = "Ask my administrator…"
MENU_APPROVAL_PAGE = "Open the page for your administrator"
MENU_OPEN_SIGN_IN = "Open the sign-in page again"
MENU_CANCEL_SIGN_IN = "Cancel sign-in"
MENU_SIGN_OUT = "Sign out"
MENU_SET_UP = "How to set up…"
MENU_QUIT = "Quit"
MENU_PAUSE = "Pause notifications"
MENU_RESUME = "Resume notifications"
MENU_PAUSES = (
    ("For 30 minutes", "30m"),
    ("For 1 hour", "1h"),
    ("For 2 hours", "2h"),
    ("Until tomorrow", peace.TOMORROW),
    ("Until I resume", peace.UNTIL_RESUMED),
)
"""The label of each pause on offer, and the wish that it stands for."""


def click_label(command: str) -> str:
    """Return what a click on a notification does, for desktops that draw it as a button.

    Args:
        command: The notification's; empty where a click opens its link.
    """
    labels = {"": _("Open"), "sign_in": _("Sign in"), "check_now": _("Check now")}
    return labels.get(command, _("Show"))


_QUIET = {
    Why.PAUSED: "Paused",
    Why.QUIET_HOURS: "Quiet",
    Why.DO_NOT_DISTURB: "Do not disturb",
    Why.LOCKED: "Locked",
}

NO_PREVIEWS_TITLE = "Previews need a permission"
NO_PREVIEWS_HINT = "Choose “Allow previews…” and accept it, or set preview = false."
NO_PREVIEWS_ASK = "Let your administrator approve it, then choose “Allow previews…”."
NO_CLIENT_ID_TITLE = "mailtray needs a client id"
STATE_SET_ASIDE = "What mailtray remembered was damaged"
HOOK_TITLE = "Your hook cannot be started"
NO_AUTOSTART_TITLE = "Start at login cannot be set here"
AUTOSTART_COMMENT = "Tells once about every new message"
NO_TRAY_TITLE = "No panel shows mailtray's icon"
NO_TRAY_HINT = "Notifications work; “mailtray status” and “mailtray quit” do the rest."


def folder_gone_title() -> str:
    """Say that a folder of the settings is not in the mailbox."""
    return _("A watched folder no longer exists")


def folder_gone_hint() -> str:
    """Say what to do where a folder of the settings is not in the mailbox."""
    return _("Choose another folder in the settings; “mailtray folders” lists them.")


def in_folder(path: str, trouble: str) -> str:
    """Say in which folder something is wrong."""
    return _("{path}: {trouble}").format(path=path, trouble=trouble)


def no_client_id_hint(settings_path: str) -> str:
    """Say what to do where no client id is set."""
    return (
        f'Put client_id = "…" into {settings_path} (README: “A real account”), '
        "or try it without an account: mailtray demo"
    )


def finish_on_device(url: str, code: str) -> str:
    """Return where to go on with a sign-in on another device, and what to type there."""
    return f"Open {url} and type {code}"


def unread(count: int) -> str:
    """Return the count in words."""
    return "No unread messages" if count == 0 else f"{count} unread"


def new_messages(count: int) -> str:
    """Return the title of a summary."""
    return "1 new message" if count == 1 else f"{count} new messages"


def and_more(count: int) -> str:
    """Return the last line of a summary."""
    return f"and {count} more"


def checked_at(clock_time: str) -> str:
    """Return when mail was last read, ``clock_time`` being hours and minutes."""
    return f"Checked {clock_time}"


def quiet(found: Quiet, now: datetime) -> str:
    """Return why nothing is shown, and until when where that is known.

    Args:
        found: Why.
        now: The time, aware, in the zone in which times are to be shown.
    """
    words = _QUIET[found.why]
    return words if found.until is None else f"{words} until {_coming(found.until, now)}"


def _coming(at: datetime, now: datetime) -> str:
    there = at.astimezone(now.tzinfo)
    days = there.date() - now.date()
    if days <= timedelta(0):
        return f"{there:%H:%M}"
    return f"tomorrow {there:%H:%M}" if days == timedelta(1) else f"{there:%a %H:%M}"


def offline_since(clock_time: str) -> str:
    """Return since when there is no connection."""
    return f"since {clock_time}, trying again by itself"


def state_set_aside_hint(name: str) -> str:
    """Say what became of a damaged state file, kept under ``name``."""
    return f"It starts afresh: mail that is there is counted, not announced. Kept as {name}."


def hook_hint(program: str, reason: str) -> str:
    """Say which program is the hook, and why it does not run."""
    return f"{program}: {reason}. Correct the setting hook."
