"""The control page for people, at ``/``: everything a mailbox's day can bring, as buttons."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mailtray.simulator.cloud import Cloud, UnknownAccountError, UnknownItemError
from mailtray.simulator.faults import Fault
from mailtray.simulator.mailbox import Folder, Mailbox
from mailtray.simulator.resources import MEETING_TYPES
from mailtray.simulator.seed import Subject
from mailtray.simulator.web import cloud, page

if TYPE_CHECKING:
    from mailtray.simulator.accounts import Kind

SHOWN_MESSAGES = 25
SHOWN_REQUESTS = 40
MOST_AT_ONCE = 1000
LIVE_S = 2
"""Seconds between two showings of the page in its live form."""
SERVICES = r"^/v1\.0/|/oauth2/v2\.0/|/\.well-known/"

blueprint = Blueprint("control", __name__)

Form = Mapping[str, str]


@blueprint.get("/")
def overview() -> Response:
    """Show the state of the cloud, and the buttons."""
    here = cloud()
    with here.lock:
        response = _overview(here, request.args.get("done", ""), 200)
    if "live" in request.args:
        response.headers["Refresh"] = str(LIVE_S)
    return response


def _overview(here: Cloud, notice: str, status: int) -> Response:
    username = request.values.get("username", "")
    account = here.accounts.get(username.lower()) or here.account()
    mailbox = account.mailbox
    newest = list(mailbox.folder("inbox").keys())[:SHOWN_MESSAGES]
    return page(
        "control.html",
        status,
        account=account,
        accounts=list(here.accounts.values()),
        folders=mailbox.folders,
        places=_places(mailbox),
        inbox=mailbox.folder("inbox").id,
        meetings=list(MEETING_TYPES),
        messages=[mailbox.messages[key] for key in newest],
        counts=here.counts(),
        requests=here.log()[: -SHOWN_REQUESTS - 1 : -1],
        faults=here.faults.describe(),
        notice=notice,
        url=here.base_url,
        live="live" in request.args,
    )


def _places(mailbox: Mailbox) -> list[tuple[str, str]]:
    """List the folders by id, each with its path, in the order of the paths' beginnings."""
    found: list[tuple[str, str]] = []

    def walk(parent: Folder, above: str) -> None:
        for folder in mailbox.children(parent):
            found.append((folder.id, above + folder.name))
            walk(folder, f"{above}{folder.name}/")

    walk(mailbox.root, "")
    return found


@blueprint.post("/")
def act() -> AnyResponse:
    """Do what the button says, then show the page again."""
    here, form = cloud(), request.form.to_dict()
    action = ACTIONS.get(form.get("action", ""))
    with here.lock:
        if action is None:
            return _overview(here, "There is no such button.", 400)
        try:
            done = action(here, form)
        except (ValueError, UnknownAccountError, UnknownItemError) as exc:
            return _overview(here, str(exc), 400)
    return redirect(url_for("control.overview", username=form.get("username"), done=done), 303)


def _deliver(here: Cloud, form: Form) -> str:
    text = form.get("count", "1")
    if not text.isdecimal() or not 1 <= int(text) <= MOST_AT_ONCE:
        raise ValueError(f"The number of messages must be from 1 to {MOST_AT_ONCE}.")
    ids = here.deliver(
        form["username"],
        count=int(text),
        sender_name=form.get("sender_name") or None,
        sender_address=form.get("sender_address") or None,
        subject=form.get("subject") or Subject.NEXT,
        preview=form.get("preview", ""),
        folder=form.get("folder", "inbox"),
        cc=form.get("cc", "").replace(",", " ").split(),
        meeting=form.get("meeting") or None,
        starts=here.time() + timedelta(days=1),
        **_wishes(form),
    )
    return "One message delivered." if len(ids) == 1 else f"{len(ids)} messages delivered."


def _wishes(form: Form) -> dict[str, Any]:
    names = ("importance", "inference_classification")
    return {name: form[name] for name in names if form.get(name)}


def _mark_read(here: Cloud, form: Form) -> str:
    here.mark(form["id"], is_read=True)
    return "Marked read."


def _mark_unread(here: Cloud, form: Form) -> str:
    here.mark(form["id"], is_read=False)
    return "Marked unread."


def _archive(here: Cloud, form: Form) -> str:
    here.move(form["id"], "archive")
    return "Moved to Archive."


def _delete(here: Cloud, form: Form) -> str:
    here.delete(form["id"])
    return "Moved to Deleted Items."


def _expire(here: Cloud, form: Form) -> str:
    here.expire_access_tokens(form["username"])
    return "Access tokens expired: the next call is answered 401."


def _revoke(here: Cloud, form: Form) -> str:
    here.revoke_refresh_tokens(form["username"])
    here.expire_access_tokens(form["username"])
    return "Sign-in revoked: the program has to ask for a new one."


def _challenge(here: Cloud, form: Form) -> str:
    here.challenge_next(form["username"])
    return "The next call is answered with a claims challenge."


def _drop(here: Cloud, form: Form) -> str:
    here.drop_sync_state(form["username"])
    return "Sync state dropped: the next delta link is answered 410."


def _offline(here: Cloud, form: Form) -> str:
    seconds = form.get("seconds", "10")
    if not seconds.isdecimal() or not 1 <= int(seconds) <= 3600:  # noqa: PLR2004 (an hour)
        raise ValueError("The outage must last from 1 to 3600 seconds.")
    here.add_fault(
        Fault(path=SERVICES, times=None, close="before", until=here.now() + int(seconds))
    )
    return f"The services are away for {seconds} seconds."


def _throttle(here: Cloud, form: Form) -> str:  # noqa: ARG001 (all actions are called alike)
    error = {"error": {"code": "ApplicationThrottled", "message": "Too many requests."}}
    here.add_fault(Fault(path=r"^/v1\.0/", status=429, headers={"Retry-After": "15"}, body=error))
    return "The next Graph call is answered 429 with Retry-After 15."


def _break(here: Cloud, form: Form) -> str:  # noqa: ARG001 (all actions are called alike)
    error = {"error": {"code": "ErrorInternalServerError", "message": "Try again."}}
    here.add_fault(Fault(path=r"^/v1\.0/", status=500, body=error))
    return "The next Graph call is answered 500."


def _clear_faults(here: Cloud, form: Form) -> str:  # noqa: ARG001 (all actions are called alike)
    here.clear_faults()
    return "No fault is waiting any more."


def _clear_log(here: Cloud, form: Form) -> str:  # noqa: ARG001 (all actions are called alike)
    here.clear_log()
    return "The log is empty."


def _add_account(here: Cloud, form: Form) -> str:
    kind: Kind = "personal" if form.get("kind") == "personal" else "work"
    here.add_account(form.get("new_username", "").strip(), form.get("name", ""), kind=kind)
    return "Account added."


def _add_folder(here: Cloud, form: Form) -> str:
    name = form.get("folder_name", "").strip()
    if not name:
        raise ValueError("The folder needs a name.")
    here.add_folder(name, parent=form.get("parent", "inbox"), username=form["username"])
    return "Folder added."


def _share(here: Cloud, form: Form) -> str:
    here.share_mailbox(form["username"], reader=form.get("reader", ""))
    return "Mailbox shared: whoever may read shared mail can open it."


def _reset(here: Cloud, form: Form) -> str:  # noqa: ARG001 (all actions are called alike)
    here.reset()
    return "Everything is as at the start."


ACTIONS: dict[str, Callable[[Cloud, Form], str]] = {
    "deliver": _deliver,
    "read": _mark_read,
    "unread": _mark_unread,
    "archive": _archive,
    "delete": _delete,
    "expire": _expire,
    "revoke": _revoke,
    "challenge": _challenge,
    "drop": _drop,
    "offline": _offline,
    "throttle": _throttle,
    "break": _break,
    "clear_faults": _clear_faults,
    "clear_log": _clear_log,
    "add_account": _add_account,
    "add_folder": _add_folder,
    "share": _share,
    "reset": _reset,
}
"""What each button does; returns the sentence that tells it is done."""
