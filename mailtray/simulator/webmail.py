"""A small webmail, the place a message's ``webLink`` leads to."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mailtray.simulator.cloud import Cloud, UnknownAccountError, UnknownItemError
from mailtray.simulator.mailbox import Message
from mailtray.simulator.web import cloud, page

SHOWN = 100
"""The newest messages of an inbox that its page lists."""

blueprint = Blueprint("webmail", __name__)


@blueprint.get("/mail/")
def inbox() -> Response:
    """List the newest messages of an account's inbox."""
    here = cloud()
    with here.lock:
        try:
            account = here.account(request.args.get("username") or None)
        except UnknownAccountError as exc:
            return page("message.html", 404, title="No such account", text=str(exc))
        folder = account.mailbox.folder("inbox")
        keys = list(folder.keys())[:SHOWN]
        messages = [account.mailbox.messages[key] for key in keys]
        return page(
            "inbox.html", account=account, accounts=here.accounts.values(), messages=messages,
            folder=folder,
        )  # fmt: skip


@blueprint.get("/mail/<message_id>")
def read(message_id: str) -> Response:
    """Show a message; opening it marks it read."""
    here = cloud()
    with here.lock:
        try:
            mailbox, message = here.find(message_id)
        except UnknownItemError:
            text = "It has been deleted, or it never was."
            return page("message.html", 404, title="This message is not here", text=text)
        mailbox.mark(message, is_read=True)
        return page("mail.html", message=message, folder=mailbox.folders[message.folder_id],
                    username=_owner(here, message))  # fmt: skip


@blueprint.post("/mail/<message_id>")
def act(message_id: str) -> AnyResponse:
    """Do what a button under a message says, then show the inbox."""
    here = cloud()
    with here.lock:
        try:
            username = _owner(here, here.find(message_id)[1])
            match request.form.get("action"):
                case "unread":
                    here.mark(message_id, is_read=False)
                case "archive":
                    here.move(message_id, "archive")
                case "delete":
                    here.delete(message_id)
        except UnknownItemError:
            text = "It has been deleted, or it never was."
            return page("message.html", 404, title="This message is not here", text=text)
    return redirect(url_for("webmail.inbox", username=username), 303)


def _owner(here: Cloud, message: Message) -> str:
    for account in here.accounts.values():
        if message.key in account.mailbox.messages:
            return account.username
    raise UnknownItemError(message.key)
