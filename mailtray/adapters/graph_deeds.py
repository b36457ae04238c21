"""Things done to messages: one by a plain request, several by batches.

Batches follow one another: the server runs no more than four parts of one at a time, which is all
that a mailbox allows.

Source: learn.microsoft.com/graph, "Update message", "message: move", "Combine multiple HTTP
requests using JSON batching", "Microsoft Graph throttling guidance".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mailtray.adapters import graph_json
from mailtray.adapters.graph_failures import NOT_GRAPH, UNANSWERED, About, made
from mailtray.adapters.graph_requests import IMMUTABLE_IDS, Call, Graph, mailbox_path
from mailtray.core import folders
from mailtray.core.errors import (
    AccessDenied,
    MailboxUnavailable,
    MailSourceError,
    MessageGone,
    TokenRejected,
    Unreachable,
)
from mailtray.core.model import Act

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailtray.core.model import Deed

MAX_PARTS = 20
"""More parts are refused by Graph."""
_FIRST_FAILURE = 400

Outcome = MailSourceError | None


def do(graph: Graph, call: Call, deeds: Sequence[Deed]) -> tuple[Outcome, ...]:
    """See the port."""
    if len(deeds) == 1:
        return (_do_alone(graph, call, deeds[0]),)
    outcomes: dict[int, Outcome] = {}
    for numbers in _batches(deeds):
        try:
            outcomes |= _do_together(graph, call, {number: deeds[number] for number in numbers})
        except Unreachable as exc:
            exc.was_sent |= bool(outcomes)
            raise
    return tuple(outcomes[number] for number in range(len(deeds)))


def _batches(deeds: Sequence[Deed]) -> Iterator[list[int]]:
    """Part the deeds, by number: parts of a batch run side by side, so each has its message."""
    waiting = list(range(len(deeds)))
    while waiting:
        batch: dict[str, int] = {}
        for number in waiting:
            if len(batch) < MAX_PARTS:
                batch.setdefault(deeds[number].message, number)
        yield list(batch.values())
        waiting = [number for number in waiting if number not in batch.values()]


def _do_alone(graph: Graph, call: Call, deed: Deed) -> Outcome:
    method, path, content = _request(deed)
    try:
        answer = graph.send(call, method, path, content, About.DEED)
    except (MessageGone, MailboxUnavailable, AccessDenied) as exc:
        return exc
    if not graph_json.is_object(answer.body):
        raise made(NOT_GRAPH, answer)
    return None


def _do_together(graph: Graph, call: Call, deeds: Mapping[int, Deed]) -> dict[int, Outcome]:
    parts = [_part(number, *_request(deed)) for number, deed in deeds.items()]
    answer = graph.send(call, "POST", "/$batch", {"requests": parts}, About.DEED)
    try:
        answers = graph_json.batch(answer.body)
    except ValueError as exc:
        raise made(NOT_GRAPH, answer) from exc
    outcomes: dict[int, Outcome] = {}
    for number in deeds:
        part = answers.get(str(number))
        if part is None:
            outcomes[number] = made(UNANSWERED, answer)
        else:
            is_done = part.status < _FIRST_FAILURE
            outcomes[number] = None if is_done else graph.refusal(part, About.DEED)
    for outcome in outcomes.values():
        # All parts show one token: another one mends them all, and a deed may be done twice.
        if isinstance(outcome, TokenRejected):
            raise outcome
    return outcomes


def _request(deed: Deed) -> tuple[str, str, dict[str, object]]:
    """Return method, path and content of what does a deed."""
    mailbox, _ = folders.split(deed.folder)
    path = f"{mailbox_path(mailbox)}/messages/{quote(deed.message, safe='')}"
    if deed.act is Act.MOVE:
        return "POST", f"{path}/move", {"destinationId": deed.destination}
    return "PATCH", path, {"isRead": deed.act is Act.MARK_READ}


def _part(number: int, method: str, path: str, content: object) -> dict[str, object]:
    # A batch's own headers do not reach its parts.
    headers = {"Content-Type": "application/json", "Prefer": IMMUTABLE_IDS}
    part = {"id": str(number), "method": method, "url": path, "headers": headers}
    return {**part, "body": content}
