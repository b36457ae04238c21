"""Mail as Microsoft Graph serves it: delta rounds, counters, and a plain list of the unread.

Source: learn.microsoft.com/graph, "message: delta", "Get incremental changes to messages in a
folder", "Obtain immutable identifiers for Outlook resources", "Microsoft Graph error responses",
"Microsoft Graph throttling guidance".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mailtray.adapters import graph_json
from mailtray.adapters.http_answer import TooSlow, retry_after_s
from mailtray.core.errors import (
    AccessDenied,
    CursorExpired,
    InvalidResponse,
    MailboxUnavailable,
    MailSourceError,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
)
from mailtray.core.model import Cursor, Delivery, Entry, FolderCount, Message, UnreadList

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.adapters.http import Http
    from mailtray.adapters.http_answer import Answer
    from mailtray.core.model import AccessToken
    from mailtray.ports import Clock

_log = logging.getLogger(__name__)

FIRST_SYNC_MESSAGES = 2_000
"""How many of a folder's newest messages a full round covers."""
FIRST_PAGE_SIZE = 200
SMALLEST_PAGE_SIZE = 10
MAX_PAGES = 2_000
"""A round of more pages than this is given up."""
MAX_ENTRIES = 50_000
"""A round of more entries than this is given up."""

_FIELDS = "subject,from,sender,receivedDateTime,isRead,webLink,internetMessageId"
_FOLDER_FIELDS = "id,displayName,unreadItemCount,totalItemCount"
_PREVIEW_SCOPES = frozenset({"mail.read", "mail.readwrite"})
_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)

_STATE_LOST = frozenset({"syncstatenotfound", "resyncrequired"})
_FOLDER_CODES = frozenset({"erroritemnotfound", "errorfoldernotfound"})
_OK, _NOT_FOUND, _GONE, _SERVER_ERRORS = 200, 404, 410, 500
_NO_CURSOR = Cursor("")
_AGAIN = "Nothing to do; it is tried again."


class _BadRequest(InvalidResponse):
    """Graph did not understand the request (400)."""


class _Endless(InvalidResponse):
    """A round did not come to its end within bounds."""


class _GatewayTimeout(ServiceUnavailable):
    """Graph needed too long for the request (504)."""


class GraphMail:
    """A mail source over Graph's v1.0.

    What a mailbox refuses once (a page size, a filter, the preview) is not asked of any again
    for the life of the instance.

    Args:
        graph_root: ``https://graph.microsoft.com``, or another cloud's.
        http: How requests are sent.
        clock: Tells how far away a ``Retry-After`` date is.
    """

    def __init__(self, graph_root: str, http: Http, clock: Clock) -> None:
        self._root = graph_root.rstrip("/")
        self._http = http
        self._clock = clock
        self._page_size = FIRST_PAGE_SIZE
        self._takes_filter = True
        self._takes_preview = True
        self._doubted: frozenset[Cursor] = frozenset()

    def fetch(
        self, token: AccessToken, folder: str, cursor: Cursor | None, *, with_count: bool
    ) -> Delivery:
        """See the port."""
        call = _Call(token)
        if cursor is None:
            return self._full_round(call, folder)
        if not self._is_ours(cursor):
            # The person chose another of Microsoft's clouds.
            raise CursorExpired("The place in the mailbox is another server's", _AGAIN)
        read = self._changes(call, cursor)
        count = self._count(call, folder) if read.entries or with_count else None
        return Delivery(tuple(read.entries), read.cursor, count=count, requests=call.requests)

    def count(self, token: AccessToken, folder: str) -> FolderCount:
        """See the port."""
        return self._count(_Call(token), folder)

    def list_unread(
        self, token: AccessToken, folder: str, *, since: datetime | None, limit: int
    ) -> UnreadList:
        """See the port."""
        call = _Call(token)
        # Graph wants what a list is sorted by to be filtered by as well, and first.
        unread = f"receivedDateTime ge {_wire(since or _BEGINNING)} and isRead eq false"
        page = self._with_preview(
            call,
            lambda fields: self._messages(
                folder,
                select=fields,
                filter=unread,
                orderby="receivedDateTime desc",
                top=str(min(limit, self._page_size)),
            ),
        )
        messages = [entry for entry in page.entries if isinstance(entry, Message)]
        for _ in range(MAX_PAGES):
            if page.next_link is None or len(messages) >= limit:
                break
            page = self._page(call, page.next_link)
            messages += [entry for entry in page.entries if isinstance(entry, Message)]
        is_complete = page.next_link is None and len(messages) <= limit
        return UnreadList(tuple(messages[:limit]), is_complete, call.requests)

    def close(self) -> None:
        """See the port."""
        self._http.close()

    # --- delta rounds

    def _full_round(self, call: _Call, folder: str) -> Delivery:
        count = self._count(call, folder)
        floor = self._floor(call, folder) if count.total > FIRST_SYNC_MESSAGES else None
        read = self._follow(call, self._first_page(call, folder, floor), floor)
        return Delivery(
            tuple(read.entries),
            read.cursor,
            is_full=True,
            floor=floor,
            count=count,
            requests=call.requests,
        )

    def _first_page(self, call: _Call, folder: str, floor: datetime | None) -> graph_json.Page:
        def plain(fields: str) -> str:
            return self._messages(folder, "/delta", select=fields)

        if floor is None or not self._takes_filter:
            return self._with_preview(call, plain)

        def filtered(fields: str) -> str:
            return f"{plain(fields)}&$filter={_quoted(f'receivedDateTime ge {_wire(floor)}')}"

        try:
            return self._with_preview(call, filtered)
        except _BadRequest:
            # What the filter would have kept out is dropped on arrival instead.
            _log.info("a filter on a delta round was refused; folders are read whole from now on")
            self._takes_filter = False
            return self._with_preview(call, plain)

    def _floor(self, call: _Call, folder: str) -> datetime | None:
        """Find when the oldest message of a bounded full round was received."""
        url = self._messages(
            folder,
            select="receivedDateTime",
            orderby="receivedDateTime desc",
            top="1",
            skip=str(FIRST_SYNC_MESSAGES - 1),
        )
        oldest = [entry for entry in self._page(call, url).entries if isinstance(entry, Message)]
        received = oldest[0].received if oldest else None
        return received.replace(microsecond=0) if received else None

    def _changes(self, call: _Call, cursor: Cursor) -> _Read:
        try:
            return self._follow(call, self._page(call, cursor, is_delta=True), None)
        except _Endless as exc:
            # A full round is bounded to the newest messages and thus the shorter way.
            raise _made(_EXPIRED) from exc
        except _BadRequest as exc:
            # Once may be a passing trouble; a cursor that is refused for ever must not be kept.
            if cursor not in self._doubted:
                self._doubted |= {cursor}
                raise
            self._doubted -= {cursor}
            raise _made(_EXPIRED) from exc

    def _follow(self, call: _Call, page: graph_json.Page, floor: datetime | None) -> _Read:
        """Read a round to its end, page by page."""
        read = _Read()
        for _ in range(MAX_PAGES):
            read.entries += [entry for entry in page.entries if not _is_older(entry, floor)]
            if page.delta_link is not None and page.next_link is None:
                read.cursor = Cursor(page.delta_link)
                return read
            if page.next_link is None or page.delta_link is not None:
                raise InvalidResponse("A page of mail came without its link", _AGAIN)
            if len(read.entries) > MAX_ENTRIES:
                break
            asked = page.next_link
            page = self._page(call, asked, is_delta=True)
            if page.next_link == asked:
                break
        raise _Endless("A folder has no end", _AGAIN)

    # --- requests

    def _count(self, call: _Call, folder: str) -> FolderCount:
        answer = self._get(call, f"{self._folder(folder)}?$select={_FOLDER_FIELDS}")
        try:
            return graph_json.folder_count(answer.body, answer.server_time)
        except ValueError as exc:
            raise _made(_NOT_GRAPH, answer) from exc

    def _with_preview(self, call: _Call, url: Callable[[str], str]) -> graph_json.Page:
        """Ask for the first page of something, with the preview where it may be had."""
        # Scopes come long or short: https://graph.microsoft.com/Mail.Read is Mail.Read.
        scopes = {scope.rpartition("/")[2].lower() for scope in call.token.scopes}
        if not (self._takes_preview and scopes & _PREVIEW_SCOPES):
            return self._page(call, url(_FIELDS))
        try:
            return self._page(call, url(f"{_FIELDS},bodyPreview"))
        except AccessDenied:
            page = self._page(call, url(_FIELDS))
            _log.info("the preview was refused; messages are read without it from now on")
            self._takes_preview = False
            return page

    def _page(self, call: _Call, url: str, *, is_delta: bool = False) -> graph_json.Page:
        try:
            answer = self._get(call, url, is_delta=is_delta)
        except TooSlow:
            self._shrink()
            raise
        except _GatewayTimeout:
            # Where the size is part of the address only the next call is smaller.
            if not self._shrink() or not _is_sized_by_header(url):
                raise
            return self._page(call, url, is_delta=is_delta)
        try:
            return graph_json.page(answer.body)
        except ValueError as exc:
            raise _made(_NOT_GRAPH, answer) from exc

    def _shrink(self) -> bool:
        """Halve the page size; False where it is the smallest already."""
        if self._page_size <= SMALLEST_PAGE_SIZE:
            return False
        self._page_size = max(self._page_size // 2, SMALLEST_PAGE_SIZE)
        _log.info("a page was too much for the server; pages of %d from now on", self._page_size)
        return True

    def _get(self, call: _Call, url: str, *, is_delta: bool = False) -> Answer:
        if not self._is_ours(url):
            raise InvalidResponse("A page of mail links to another server", _AGAIN)
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {call.token.secret}",
            "Prefer": 'IdType="ImmutableId"',
        }
        if _is_sized_by_header(url):
            headers["Prefer"] += f", odata.maxpagesize={self._page_size}"
        call.requests += 1
        answer = self._http.request("GET", url, headers=headers)
        if answer.status != _OK:
            raise failure(answer, self._clock.now(), is_delta=is_delta)
        return answer

    def _is_ours(self, url: str) -> bool:
        return url.lower().startswith(f"{self._root.lower()}/")

    def _folder(self, folder: str) -> str:
        return f"{self._root}/v1.0/me/mailFolders/{quote(folder, safe='')}"

    def _messages(self, folder: str, suffix: str = "", **options: str) -> str:
        query = "&".join(f"${name}={_quoted(value)}" for name, value in options.items())
        return f"{self._folder(folder)}/messages{suffix}?{query}"


@dataclass(slots=True)
class _Call:
    """One call of the port: its token and how many requests it took."""

    token: AccessToken
    requests: int = 0


@dataclass(slots=True)
class _Read:
    """What a delta round gathered."""

    entries: list[Entry] = field(default_factory=list)
    cursor: Cursor = _NO_CURSOR


_Words = tuple[type[MailSourceError], str, str]

_EXPIRED: _Words = (CursorExpired, "The mailbox has to be read anew", _AGAIN)
_REJECTED: _Words = (TokenRejected, "Microsoft 365 refused the sign-in", "Sign in again.")
_DENIED: _Words = (
    AccessDenied,
    "Permission to read this mailbox is missing",
    "Sign in again and accept the permissions, or ask your administrator.",
)
_NO_MAILBOX: _Words = (
    MailboxUnavailable,
    "This account has no Microsoft 365 mailbox we can read",
    "Use another account, or ask your administrator whether it has a mailbox in the cloud.",
)
_NO_FOLDER: _Words = (
    MailboxUnavailable,
    "A watched folder no longer exists",
    "Choose another folder in the settings.",
)
_THROTTLED: _Words = (Throttled, "Microsoft 365 asks mailtray to wait", _AGAIN)
_TOO_MUCH: _Words = (_GatewayTimeout, "Microsoft 365 needs too long to answer", _AGAIN)
_BUSY: _Words = (ServiceUnavailable, "Microsoft 365 is in trouble", _AGAIN)
_BAD_REQUEST: _Words = (_BadRequest, "Microsoft 365 did not understand a request", _AGAIN)
_NOT_GRAPH: _Words = (
    InvalidResponse,
    "Something else answered in place of Microsoft 365",
    "Open any web page; this network may want you to sign in to it first.",
)

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
    429: _THROTTLED,
    504: _TOO_MUCH,
    511: _NOT_GRAPH,
}


def failure(answer: Answer, now: datetime, *, is_delta: bool) -> MailSourceError:
    """Return the error that an answer other than 200 stands for.

    Args:
        answer: The answer.
        now: The time, aware, from which a ``Retry-After`` date counts.
        is_delta: True where a delta or next link was asked: only those can expire.
    """
    body = graph_json.error(answer.body)
    challenge = answer.headers.get("WWW-Authenticate")
    kind, title, hint = _words(answer, frozenset(body.codes), challenge, is_delta=is_delta)
    _log.info("Graph answered %d %s", answer.status, "/".join(body.codes) or "without a code")
    extras: dict[str, Any] = {}
    if issubclass(kind, Throttled):
        extras["retry_after_s"] = retry_after_s(answer.headers.get("Retry-After"), now)
    if kind is TokenRejected:
        extras["claims"] = graph_json.claims(challenge)
    request_id = answer.headers.get("request-id") or body.request_id
    return kind(title, hint, request_id=request_id, server_time=answer.server_time, **extras)


def _words(
    answer: Answer, codes: frozenset[str], challenge: str | None, *, is_delta: bool
) -> _Words:
    if is_delta and (answer.status == _GONE or codes & _STATE_LOST):
        return _EXPIRED
    if graph_json.is_insufficient_claims(challenge):
        return _REJECTED
    for known, words in _BY_CODE:
        if codes & known:
            return words
    if answer.status < _SERVER_ERRORS and answer.body.lstrip().startswith(b"<"):
        return _NOT_GRAPH
    if answer.status == _NOT_FOUND and codes & _FOLDER_CODES:
        return _NO_FOLDER
    # Who answers with an error in Graph's form is Graph.
    is_graph = bool(codes) or answer.status >= _SERVER_ERRORS
    return _BY_STATUS.get(answer.status, _BUSY if is_graph else _NOT_GRAPH)


def _made(words: _Words, answer: Answer | None = None) -> MailSourceError:
    kind, title, hint = words
    if answer is None:
        return kind(title, hint)
    request_id = answer.headers.get("request-id")
    return kind(title, hint, request_id=request_id, server_time=answer.server_time)


def _is_sized_by_header(url: str) -> bool:
    """Say whether an address leaves the size of its pages to the ``Prefer`` header."""
    return "/messages" in url and "$top=" not in url


def _is_older(entry: Entry, floor: datetime | None) -> bool:
    """Say whether a filter by date would have kept a message out."""
    received = entry.received if isinstance(entry, Message) else None
    return floor is not None and received is not None and received < floor


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _quoted(value: str) -> str:
    return quote(value, safe=",:/")
