"""What Graph's refusals are to the rest.

Source: learn.microsoft.com/graph, "Microsoft Graph error responses and resource types",
"Microsoft Graph throttling guidance", "JSON batching".
"""

from __future__ import annotations

import logging
from enum import Flag, auto
from typing import TYPE_CHECKING, Any

from mailtray.adapters import graph_json
from mailtray.adapters.http_answer import retry_after_s
from mailtray.core.errors import (
    AccessDenied,
    CursorExpired,
    FolderGone,
    InvalidResponse,
    MailboxUnavailable,
    MailSourceError,
    MessageGone,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
)
from mailtray.core.language import N_, Sentence, _

if TYPE_CHECKING:
    from datetime import datetime

    from mailtray.adapters.http_answer import Answer

_log = logging.getLogger(__name__)

_STATE_LOST = frozenset({"syncstatenotfound", "resyncrequired"})
_FOLDERS_GONE = frozenset({"errorfoldernotfound", "errortofoldernotfound"})
_ITEM_GONE = "erroritemnotfound"
_NOT_FOUND, _GONE, _SERVER_ERRORS = 404, 410, 500
AGAIN = N_("Nothing to do; it is tried again.")


class BadRequest(InvalidResponse):
    """Graph did not understand the request (400)."""


class Endless(InvalidResponse):
    """A round did not come to its end within bounds."""


class GatewayTimeout(ServiceUnavailable):
    """Graph needed too long for the request (504)."""


class About(Flag):
    """What a request was about; it decides what its refusal means."""

    READING = 0
    DELTA = auto()
    """A delta or next link: only those can expire."""
    SHARED = auto()
    """A mailbox that is not the account's own."""
    DEED = auto()
    """Something to be done to a message."""


_Words = tuple[type[MailSourceError], Sentence, Sentence]

EXPIRED: _Words = (CursorExpired, N_("The mailbox has to be read anew"), AGAIN)
NOT_GRAPH: _Words = (
    InvalidResponse,
    N_("Something else answered in place of Microsoft 365"),
    N_("Open any web page; this network may want you to sign in to it first."),
)
ELSEWHERE: _Words = (InvalidResponse, N_("A page of mail links to another server"), AGAIN)
CUT_OFF: _Words = (InvalidResponse, N_("A page of mail came without its link"), AGAIN)
ENDLESS: _Words = (Endless, N_("A folder has no end"), AGAIN)
UNANSWERED: _Words = (InvalidResponse, N_("Microsoft 365 left something unanswered"), AGAIN)
THROTTLED: _Words = (Throttled, N_("Microsoft 365 asks mailtray to wait"), AGAIN)
_REJECTED: _Words = (
    TokenRejected,
    N_("Microsoft 365 refused the sign-in"),
    N_("Sign in again."),
)
_DENIED: _Words = (
    AccessDenied,
    N_("Permission to read this mailbox is missing"),
    N_("Sign in again and accept the permissions, or ask your administrator."),
)
_NO_MAILBOX: _Words = (
    MailboxUnavailable,
    N_("This account has no Microsoft 365 mailbox we can read"),
    N_("Use another account, or ask your administrator whether it has a mailbox in the cloud."),
)
_NO_FOLDER: _Words = (
    FolderGone,
    N_("A watched folder no longer exists"),
    N_("Choose another folder in the settings."),
)
_TOO_MUCH: _Words = (GatewayTimeout, N_("Microsoft 365 needs too long to answer"), AGAIN)
_BUSY: _Words = (ServiceUnavailable, N_("Microsoft 365 is in trouble"), AGAIN)
_BAD_REQUEST: _Words = (BadRequest, N_("Microsoft 365 did not understand a request"), AGAIN)

_BY_CODE: tuple[tuple[frozenset[str], _Words], ...] = (
    (frozenset({"errormailboxmoveinprogress", "mailboxinfostale"}), _BUSY),
    (frozenset({"mailboxnotenabledforrestapi", "extensionerror"}), _NO_MAILBOX),
)
"""What these codes mean under any status."""
_BY_STATUS: dict[int, _Words] = {
    400: _BAD_REQUEST,
    401: _REJECTED,
    403: _DENIED,
    404: _NO_MAILBOX,
    408: _BUSY,
    409: _BUSY,
    412: _BUSY,
    425: _BUSY,
    429: THROTTLED,
    504: _TOO_MUCH,
    511: NOT_GRAPH,
}
_OF_SHARED: dict[type[MailSourceError], _Words] = {
    AccessDenied: (
        AccessDenied,
        N_("Permission to read a shared mailbox is missing"),
        N_("Ask its owner to share it with you, or sign in again and accept the permissions."),
    ),
    MailboxUnavailable: (
        MailboxUnavailable,
        N_("A shared mailbox, or a folder in it, cannot be found"),
        N_("Check its name in the settings."),
    ),
}
_OF_SHARED[FolderGone] = (FolderGone, *_OF_SHARED[MailboxUnavailable][1:])
"""How a refusal is worded where the mailbox is not the account's own."""
_OF_DEED: dict[type[MailSourceError], _Words] = {
    AccessDenied: (
        AccessDenied,
        N_("Permission to change mail is missing"),
        N_("Sign in again and accept the permissions, or ask your administrator."),
    ),
}
"""How a refusal is worded where something was to be done to a message."""
_MESSAGE_GONE: _Words = (MessageGone, N_("The message is no longer there"), Sentence(""))
_NO_DESTINATION: _Words = (
    MailboxUnavailable,
    N_("The folder to move the message to does not exist"),
    N_("Choose another folder in the settings."),
)


def failure(answer: Answer, now: datetime, about: About) -> MailSourceError:
    """Return the error that an answer other than the hoped for stands for.

    Args:
        answer: The answer.
        now: The time, aware, from which a ``Retry-After`` date counts.
        about: What was asked for.
    """
    body = graph_json.error(answer.body)
    challenge = answer.headers.get("www-authenticate")
    kind, title, hint = _words(answer, frozenset(body.codes), challenge, about)
    _log.info("Graph answered %d %s", answer.status, "/".join(body.codes) or "without a code")
    extras: dict[str, Any] = {}
    if issubclass(kind, Throttled):
        extras["retry_after_s"] = retry_after_s(answer.headers.get("retry-after"), now)
    if kind is TokenRejected:
        extras["claims"] = graph_json.claims(challenge)
    request_id = answer.headers.get("request-id") or body.request_id
    return kind(_(title), _(hint), request_id=request_id, server_time=answer.server_time, **extras)


def made(words: _Words, answer: Answer | None = None) -> MailSourceError:
    """Return an error with its words, and with what an answer tells for support."""
    kind, title, hint = words
    if answer is None:
        return kind(_(title), _(hint))
    request_id = answer.headers.get("request-id")
    return kind(_(title), _(hint), request_id=request_id, server_time=answer.server_time)


def _words(answer: Answer, codes: frozenset[str], challenge: str | None, about: About) -> _Words:
    if About.DELTA in about and (answer.status == _GONE or codes & _STATE_LOST):
        return EXPIRED
    if graph_json.is_insufficient_claims(challenge):
        return _REJECTED
    for known, words in _BY_CODE:
        if codes & known:
            return words
    if answer.status < _SERVER_ERRORS and answer.body.lstrip().startswith(b"<"):
        return NOT_GRAPH
    words = _plain_words(answer.status, codes, about)
    if About.DEED in about:
        return _OF_DEED.get(words[0], words)
    return _OF_SHARED.get(words[0], words) if About.SHARED in about else words


def _plain_words(status: int, codes: frozenset[str], about: About) -> _Words:
    is_item, is_folder = _ITEM_GONE in codes, bool(codes & _FOLDERS_GONE)
    if status == _NOT_FOUND and (is_item or is_folder):
        if About.DEED not in about:
            return _NO_FOLDER
        return _NO_DESTINATION if is_folder else _MESSAGE_GONE
    # Who answers with an error in Graph's form is Graph.
    is_graph = bool(codes) or status >= _SERVER_ERRORS
    return _BY_STATUS.get(status, _BUSY if is_graph else NOT_GRAPH)
