"""Every sentence a person can read that is not an error's own.

Errors carry their sentences themselves (``title`` and ``hint``); those that Microsoft's answers
lead to stand in ``adapters/msal_errors.py``. What is a :class:`~mailtray.core.language.Sentence`
here is said by ``_`` where it is shown.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mailtray.core import peace
from mailtray.core.deeds import Action
from mailtray.core.language import N_, _, ngettext
from mailtray.core.model import MeetingKind
from mailtray.core.peace import Why

if TYPE_CHECKING:
    from datetime import datetime

    from mailtray.core.deeds import Errand
    from mailtray.core.model import Meeting
    from mailtray.core.peace import Quiet

APP_NAME = "mailtray"

UNKNOWN_SENDER = N_("Unknown sender")
NO_SUBJECT = N_("(no subject)")

CHECKING = N_("Checking mail…")
SIGNED_OUT = N_("Signed out")
FINISH_SIGN_IN = N_("Finish signing in in your browser")
SIGN_IN_CANCELLED = (N_("The sign-in was cancelled"), N_("Choose “Sign in” to try again."))
SIGN_IN_TO_START = N_("Choose “Sign in” to start")

MENU_CHECK_NOW = N_("_Check now")
MENU_OPEN_MAILBOX = N_("_Open mailbox")
MENU_MESSAGES = N_("_Messages…")
MENU_SETTINGS = N_("S_ettings…")
MENU_SIGN_IN = N_("_Sign in")
MENU_SIGN_IN_AGAIN = N_("_Sign in again")
MENU_ADD_ACCOUNT = N_("_Add account…")
MENU_GIVE_PERMISSION = N_("Gi_ve permission…")
MENU_ASK_APPROVAL = N_("As_k my administrator…")
MENU_APPROVAL_PAGE = N_("Open the page for your a_dministrator")
MENU_OPEN_SIGN_IN = N_("Open the sign-in page a_gain")
MENU_CANCEL_SIGN_IN = N_("Ca_ncel sign-in")
MENU_SIGN_OUT = N_("Sign o_ut")
MENU_SET_UP = N_("_How to set up…")
MENU_START_AT_LOGIN = N_("Start at _login")
MENU_DIAGNOSTICS = N_("D_iagnostics…")
MENU_ABOUT = N_("A_bout mailtray…")
OPEN_MESSAGE = N_("_Open")
MENU_ACTIONS = {
    Action.MARK_READ: N_("Mark _read"),
    Action.ARCHIVE: N_("_Archive"),
    Action.DELETE: N_("_Delete"),
}
MENU_MARK_ALL = N_("Mark all as r_ead…")
MENU_ALLOW_CHANGES = N_("Allo_w changes…")
MENU_QUIT = N_("_Quit")
MENU_PAUSE = N_("_Pause notifications")
MENU_RESUME = N_("_Resume notifications")
MENU_PAUSES = (
    (N_("For _30 minutes"), "30m"),
    (N_("For _1 hour"), "1h"),
    (N_("For _2 hours"), "2h"),
    (N_("Until _tomorrow"), peace.TOMORROW),
    (N_("Until I _resume"), peace.UNTIL_RESUMED),
)
"""The label of each pause on offer, and the wish that it stands for.

In the labels of menus an underscore stands before the letter that chooses them from the keyboard.
"""


def click_label(command: str) -> str:
    """Return what a click on a notification does, for desktops that draw it as a button.

    Args:
        command: The notification's; empty where a click opens its link.
    """
    labels = {
        "": _("Open"),
        "sign_in": _("Sign in"),
        "check_now": _("Check now"),
        "allow_changes": _("Allow"),
    }
    return labels.get(command, _("Show"))


_QUIET = {
    Why.PAUSED: N_("Paused"),
    Why.QUIET_HOURS: N_("Quiet"),
    Why.DO_NOT_DISTURB: N_("Do not disturb"),
    Why.LOCKED: N_("Locked"),
}
_QUIET_UNTIL = {
    Why.PAUSED: N_("Paused until {when}"),
    Why.QUIET_HOURS: N_("Quiet until {when}"),
}
_WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))

_MEETINGS = {
    MeetingKind.REQUEST: N_("Meeting: {subject}"),
    MeetingKind.CANCELLED: N_("Cancelled: {subject}"),
    MeetingKind.ACCEPTED: N_("Accepted: {subject}"),
    MeetingKind.TENTATIVE: N_("Tentative: {subject}"),
    MeetingKind.DECLINED: N_("Declined: {subject}"),
}
_CALENDARS_WORDS = ("Accepted:", "Declined:", "Tentative:", "Canceled:", "Cancelled:")
"""What calendars write before a meeting's name, in English."""

LACKING_ASK = N_("Let your administrator approve it, then choose “Give permission…”.")
NO_CLIENT_ID_TITLE = N_("mailtray needs a client id")
STATE_SET_ASIDE = N_("What mailtray remembered was damaged")
HOOK_TITLE = N_("Your hook cannot be started")
BUSY = (N_("mailtray is busy"), N_("Try again in a moment."))
NO_AUTOSTART_TITLE = N_("Start at login cannot be set here")
AUTOSTART_COMMENT = N_("Tells once about every new message")
NO_TRAY_TITLE = N_("No panel shows mailtray's icon")
NO_TRAY_HINT = N_("Notifications work; “mailtray status” and “mailtray quit” do the rest.")


def lacking(*, previews: bool, shared: bool) -> tuple[str, str]:
    """Return title and hint where a permission is missing without which mail is still told of.

    Args:
        previews: Whether it is about the beginnings of messages.
        shared: Whether it is about mailboxes that are shared.
    """
    if previews and shared:
        return (
            _("Previews and shared mailboxes need a permission"),
            _("Choose “Give permission…” and accept it."),
        )
    if shared:
        return (
            _("A shared mailbox needs a permission"),
            _("Choose “Give permission…” and accept it, or watch other folders."),
        )
    return (
        _("Previews need a permission"),
        _("Choose “Give permission…” and accept it, or set preview = false."),
    )


def folder_gone_title() -> str:
    """Say that a folder of the settings is not in the mailbox."""
    return _("A watched folder no longer exists")


def folder_gone_hint() -> str:
    """Say what to do where a folder of the settings is not in the mailbox."""
    return _("Choose another folder in the settings; “mailtray folders” lists them.")


def shared_unasked_title() -> str:
    """Say that shared mailboxes cannot be read yet."""
    return _("Permission to read a shared mailbox is missing")


def shared_unasked_hint(mailbox: str) -> str:
    """Say how to have mailtray ask for the permission to read a shared mailbox."""
    return _("Add “{mailbox}/inbox” to the setting folders, then sign in again.").format(
        mailbox=mailbox
    )


def in_folder(path: str, trouble: str) -> str:
    """Say in which folder something is wrong."""
    return _("{path}: {trouble}").format(path=path, trouble=trouble)


def no_client_id_hint(settings_path: str) -> str:
    """Say what to do where no client id is set."""
    return _(
        'Put client_id = "…" into {path} (README: “A real account”), '
        "or try it without an account: mailtray demo"
    ).format(path=settings_path)


def finish_on_device(url: str, code: str) -> str:
    """Return where to go on with a sign-in on another device, and what to type there."""
    return _("Open {url} and type {code}").format(url=url, code=code)


def unread(count: int) -> str:
    """Return the count in words."""
    if count == 0:
        return _("No unread messages")
    return ngettext("{count} unread", "{count} unread", count).format(count=count)


def new(count: int) -> str:
    """Return how many messages came since the person last looked, in words."""
    return ngettext("{count} new", "{count} new", count).format(count=count)


def counts(new_count: int, unread_count: int) -> str:
    """Return how many are unread, and first how many of them are new."""
    words = unread(unread_count)
    return f"{new(new_count)} · {words}" if new_count else words


def new_messages(count: int) -> str:
    """Return the title of a summary."""
    return ngettext("{count} new message", "{count} new messages", count).format(count=count)


def new_mail(count: int) -> str:
    """Return what is said of new messages where no more is to be shown."""
    return _("New message") if count == 1 else new_messages(count)


def several_of(count: int, sender: str) -> str:
    """Return the title of several messages of one sender."""
    return _("{sender} ({count})").format(sender=sender, count=count)


def and_others(count: int, sender: str) -> str:
    """Return the title of the messages of a sender and ``count`` others."""
    return ngettext("{sender} and {count} other", "{sender} and {count} others", count).format(
        sender=sender, count=count
    )


def meeting(found: Meeting, now: datetime, subject: str) -> str:
    """Return what a message says of a meeting, and when that is where it is known.

    Args:
        found: What it says.
        now: The time, aware, in the zone in which times are to be shown.
        subject: The meeting's name.
    """
    if found.starts is not None:
        when = _when(found.starts, now)
        subject = _("{meeting}, {when}").format(meeting=subject, when=when)
    return _(_MEETINGS[found.kind]).format(subject=subject)


def meeting_beginnings(kind: MeetingKind) -> tuple[str, ...]:
    """Return what a calendar may have put before a meeting's name to say the same."""
    return (_(_MEETINGS[kind]).format(subject="").rstrip(), *_CALENDARS_WORDS)


def and_more(count: int) -> str:
    """Return the last line of a summary."""
    return ngettext("and {count} more", "and {count} more", count).format(count=count)


def labelled(name: str, words: str) -> str:
    """Say whose words these are."""
    return _("{name}: {words}").format(name=name, words=words)


def clock(at: datetime) -> str:
    """Return hours and minutes."""
    return at.strftime(_("%H:%M"))


def day_and_clock(at: datetime) -> str:
    """Return a day, with its year, and hours and minutes."""
    return at.strftime(_("%Y-%m-%d %H:%M"))


def day(at: datetime) -> str:
    """Return month and day, in five characters."""
    return at.strftime(_("%m-%d"))


def checked_at(at: datetime) -> str:
    """Return when mail was last read."""
    return _("Checked {time}").format(time=clock(at))


def quiet(found: Quiet, now: datetime) -> str:
    """Return why nothing is shown, and until when where that is known.

    Args:
        found: Why.
        now: The time, aware, in the zone in which times are to be shown.
    """
    if found.until is None or found.why not in _QUIET_UNTIL:
        return _(_QUIET[found.why])
    return _(_QUIET_UNTIL[found.why]).format(when=_coming(found.until, now))


def _coming(at: datetime, now: datetime) -> str:
    there = at.astimezone(now.tzinfo)
    days = there.date() - now.date()
    if days <= timedelta(0):
        return clock(there)
    if days == timedelta(1):
        return _("tomorrow {time}").format(time=clock(there))
    weekday = _(_WEEKDAYS[there.weekday()])
    return _("{weekday} {time}").format(weekday=weekday, time=clock(there))


def _when(at: datetime, now: datetime) -> str:
    """Return a time of the coming week by its weekday, any other by its date."""
    try:
        there = at.astimezone(now.tzinfo)
    except OverflowError:
        there = at  # the last hours of the calendar, where they are over elsewhere
    days = (there.date() - now.date()).days
    return _coming(there, now) if 0 <= days < len(_WEEKDAYS) else day_and_clock(there)


def offline_since(at: datetime) -> str:
    """Return since when there is no connection."""
    return _("since {time}, trying again by itself").format(time=clock(at))


def state_set_aside_hint(name: str) -> str:
    """Say what became of a damaged state file, kept under ``name``."""
    return _(
        "It starts afresh: mail that is there is counted, not announced. Kept as {name}."
    ).format(name=name)


def mistaken_settings_title(key: str) -> str:
    """Say that the settings were changed and have a mistake, at ``key`` or as a whole."""
    if not key:
        return _("Your settings have a mistake")
    return _("Your settings have a mistake at {key}").format(key=key)


def mistaken_settings_hint(path: str, problem: str) -> str:
    """Say what the mistake is, and what counts until it is mended."""
    return _("{path}: {problem}. Until you correct it, the settings from before count.").format(
        path=path, problem=problem
    )


def hook_hint(program: str, reason: str) -> str:
    """Say which program is the hook, and why it does not run."""
    return _("{program}: {reason}. Correct the setting hook.").format(
        program=program, reason=reason
    )


# -- what the person wants done ---------------------------------------------------------------

_BUTTONS = {
    Action.MARK_READ: N_("Mark read"),
    Action.ARCHIVE: N_("Archive"),
    Action.DELETE: N_("Delete"),
}
_UNDO_ONE = {
    Action.MARK_READ: N_("Undo: mark “{subject}” as read"),
    Action.ARCHIVE: N_("Undo: archive “{subject}”"),
    Action.DELETE: N_("Undo: delete “{subject}”"),
}
NO_CHANGES_TITLE = N_("mailtray may not change your mail yet")
NO_CHANGES_HINT = N_(
    "To mark, archive or delete mail, mailtray needs the permission to change it. Click to allow."
)
NO_CHANGES_ASK = N_("Let your administrator approve it, then choose “Allow changes…”.")
UNCHANGED = (
    N_("Your mail was not changed"),
    N_("The permission was not given. Press a button again to be asked again."),
)
NOT_UNREAD = (
    N_("There is no such unread message"),
    N_("“mailtray check --json” lists those that there are."),
)
NOTHING_TO_UNDO = (
    N_("There is nothing to undo"),
    N_("What was done can be undone for half a minute."),
)
NO_ACTION = (
    N_("mailtray cannot do that to a message"),
    N_("It can: mark_read, archive, delete, open, undo."),
)
NO_ACCOUNT = (N_("There is no such account"), N_("“mailtray status” tells which there are."))


def action(one: Action) -> str:
    """Return what to write on the button that does something to a message."""
    return _(_BUTTONS[one])


def mark_all_read() -> str:
    """Return what to write on the button that marks a summary's messages as read."""
    return _("Mark all read")


def mark_all_now(count: int) -> str:
    """Say what is about to be marked."""
    return ngettext("Mark {count} message as read", "Mark {count} messages as read", count).format(
        count=count
    )


def undo(errand: Errand) -> str:
    """Say what can be undone."""
    if errand.subject and errand.action in _UNDO_ONE:
        return _(_UNDO_ONE[errand.action]).format(subject=errand.subject)
    count = len(errand.done)
    if errand.action is Action.ARCHIVE:
        words = ngettext("Undo: archive {count} message", "Undo: archive {count} messages", count)
    elif errand.action is Action.DELETE:
        words = ngettext("Undo: delete {count} message", "Undo: delete {count} messages", count)
    else:
        words = ngettext(
            "Undo: mark {count} message as read", "Undo: mark {count} messages as read", count
        )
    return words.format(count=count)


def waits_for_network(count: int) -> str:
    """Say how much is done once there is a network."""
    return ngettext(
        "{count} action waits for the network", "{count} actions wait for the network", count
    ).format(count=count)


def waits_for_permission(count: int) -> str:
    """Say how much is done once the person allows it."""
    return ngettext(
        "{count} action waits for your permission",
        "{count} actions wait for your permission",
        count,
    ).format(count=count)


def waits(count: int) -> str:
    """Say how much is done once the mailbox can be reached."""
    return ngettext("{count} action waits", "{count} actions wait", count).format(count=count)


def message_gone(subject: str) -> str:
    """Say that a message something was to be done to was deleted or moved away."""
    if not subject:
        return _("The message is no longer there")
    return _("“{subject}” is no longer there").format(subject=subject)


def done_elsewhere(subject: str) -> str:
    """Say that somebody saw to a message before mailtray could."""
    if not subject:
        return _("The message was read or moved elsewhere")
    return _("“{subject}” was read or moved elsewhere").format(subject=subject)


def done_elsewhere_hint() -> str:
    """Say what follows where somebody saw to a message before mailtray could."""
    return _("What you wanted done to it was left undone.")


def not_done(subject: str) -> str:
    """Say that something could not be done."""
    if not subject:
        return _("Your mail could not be changed")
    return _("“{subject}” could not be changed").format(subject=subject)


def not_done_hint() -> str:
    """Say what to do where something could not be done after several tries."""
    return _("Microsoft 365 refused it several times. Try it in your mailbox.")
