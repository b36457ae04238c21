"""Mail as Microsoft Graph serves it: delta rounds, counters, and a plain list of the unread.

Source: learn.microsoft.com/graph, "message: delta", "Get incremental changes to messages in a
folder", "Obtain immutable identifiers for Outlook resources", "Microsoft Graph error responses",
"Microsoft Graph throttling guidance".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from mailtray.adapters import graph_deeds, graph_folders, graph_json
from mailtray.adapters.graph_failures import (
    CUT_OFF,
    ENDLESS,
    EXPIRED,
    NOT_GRAPH,
    About,
    BadRequest,
    Endless,
    GatewayTimeout,
    made,
)
from mailtray.adapters.graph_requests import Call, Graph, folder_path
from mailtray.adapters.http_answer import TooSlow
from mailtray.core import folders
from mailtray.core.errors import AccessDenied
from mailtray.core.model import Cursor, Delivery, Entry, FolderCount, Message, UnreadList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailtray.adapters.http import Http
    from mailtray.core.errors import MailSourceError
    from mailtray.core.model import AccessToken, Deed, FolderPlace
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
_DETAILS = ",importance,inferenceClassification,conversationId,toRecipients,ccRecipients"
_MEETING = "".join(
    f",microsoft.graph.eventMessage/{name}" for name in ("meetingMessageType", "startDateTime")
)
_BREADTHS = (f"{_FIELDS}{_DETAILS}{_MEETING}", f"{_FIELDS}{_DETAILS}", _FIELDS)
"""What is asked of a message: the first of these that the server takes."""
_FOLDER_FIELDS = "id,displayName,unreadItemCount,totalItemCount"
_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
_NO_CURSOR = Cursor("")


class GraphMail:
    """A mail source over Graph's v1.0.

    What a mailbox refuses once (a page size, a filter, a property) is not asked of any again for
    the life of the instance. A cursor goes on asking for what it was made for.

    Args:
        graph_root: ``https://graph.microsoft.com``, or another cloud's.
        http: How requests are sent.
        clock: Tells how far away a ``Retry-After`` date is.
    """

    def __init__(self, graph_root: str, http: Http, clock: Clock) -> None:
        self._graph = Graph(graph_root, http, clock)
        self._page_size = FIRST_PAGE_SIZE
        self._takes_filter = True
        self._takes_preview = True
        self._breadth = 0
        self._doubted: frozenset[Cursor] = frozenset()

    def fetch(
        self, token: AccessToken, folder: str, cursor: Cursor | None, *, with_count: bool
    ) -> Delivery:
        """See the port."""
        call = Call(token, folders.split(folder)[0])
        if cursor is None:
            return self._full_round(call, folder)
        if not self._graph.is_ours(cursor):
            # The person chose another of Microsoft's clouds.
            raise made(EXPIRED)
        read = self._changes(call, cursor)
        count = self._count(call, folder) if read.entries or with_count else None
        return Delivery(tuple(read.entries), read.cursor, count=count, requests=call.requests)

    def count(self, token: AccessToken, folder: str) -> FolderCount:
        """See the port."""
        return self._count(Call(token, folders.split(folder)[0]), folder)

    def list_unread(
        self, token: AccessToken, folder: str, *, since: datetime | None, limit: int
    ) -> UnreadList:
        """See the port."""
        call = Call(token, folders.split(folder)[0])
        # Graph wants what a list is sorted by to be filtered by as well, and first.
        unread = f"receivedDateTime ge {_wire(since or _BEGINNING)} and isRead eq false"

        def listing(fields: str) -> str:
            return self._messages(
                folder,
                select=fields,
                filter=unread,
                orderby="receivedDateTime desc",
                top=str(min(limit, self._page_size)),
            )

        page = self._broadest(lambda fields: self._with_preview(call, listing, fields))
        messages = [entry for entry in page.entries if isinstance(entry, Message)]
        for _ in range(MAX_PAGES):
            if page.next_link is None or len(messages) >= limit:
                break
            page = self._page(call, page.next_link)
            messages += [entry for entry in page.entries if isinstance(entry, Message)]
        is_complete = page.next_link is None and len(messages) <= limit
        return UnreadList(tuple(messages[:limit]), is_complete, call.requests)

    def folders(self, token: AccessToken, mailbox: str) -> tuple[FolderPlace, ...]:
        """See the port."""
        return graph_folders.tree(self._graph, Call(token, mailbox))

    def do(self, token: AccessToken, deeds: Sequence[Deed]) -> tuple[MailSourceError | None, ...]:
        """See the port."""
        return graph_deeds.do(self._graph, Call(token), deeds)

    def close(self) -> None:
        """See the port."""
        self._graph.close()

    # --- delta rounds

    def _full_round(self, call: Call, folder: str) -> Delivery:
        count = self._count(call, folder)
        floor = self._floor(call, folder) if count.total > FIRST_SYNC_MESSAGES else None
        first = self._broadest(lambda fields: self._first_page(call, folder, floor, fields))
        read = self._follow(call, first, floor)
        return Delivery(
            tuple(read.entries),
            read.cursor,
            is_full=True,
            floor=floor,
            count=count,
            requests=call.requests,
        )

    def _first_page(
        self, call: Call, folder: str, floor: datetime | None, fields: str
    ) -> graph_json.Page:
        def plain(select: str) -> str:
            return self._messages(folder, "/delta", select=select)

        if floor is None or not self._takes_filter:
            return self._with_preview(call, plain, fields)
        since = _quoted(f"receivedDateTime ge {_wire(floor)}")
        try:
            return self._with_preview(
                call, lambda select: f"{plain(select)}&$filter={since}", fields
            )
        except BadRequest:
            # What the filter would have kept out is dropped on arrival instead.
            page = self._with_preview(call, plain, fields)
            _log.info("a filter on a delta round was refused; folders are read whole from now on")
            self._takes_filter = False
            return page

    def _floor(self, call: Call, folder: str) -> datetime | None:
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

    def _changes(self, call: Call, cursor: Cursor) -> _Read:
        try:
            return self._follow(call, self._page(call, cursor, is_delta=True), None)
        except Endless as exc:
            # A full round is bounded to the newest messages and thus the shorter way.
            raise made(EXPIRED) from exc
        except BadRequest as exc:
            # Once may be a passing trouble; a cursor that is refused for ever must not be kept.
            if cursor not in self._doubted:
                self._doubted |= {cursor}
                raise
            self._doubted -= {cursor}
            raise made(EXPIRED) from exc

    def _follow(self, call: Call, page: graph_json.Page, floor: datetime | None) -> _Read:
        """Read a round to its end, page by page."""
        read = _Read()
        for _ in range(MAX_PAGES):
            read.entries += [entry for entry in page.entries if not _is_older(entry, floor)]
            if page.delta_link is not None and page.next_link is None:
                read.cursor = Cursor(page.delta_link)
                return read
            if page.next_link is None or page.delta_link is not None:
                raise made(CUT_OFF)
            if len(read.entries) > MAX_ENTRIES:
                break
            asked = page.next_link
            page = self._page(call, asked, is_delta=True)
            if page.next_link == asked:
                break
        raise made(ENDLESS)

    # --- requests

    def _count(self, call: Call, folder: str) -> FolderCount:
        url = self._graph.address(f"{folder_path(folder)}?$select={_FOLDER_FIELDS}")
        answer = self._graph.get(call, url)
        try:
            return graph_json.folder_count(answer.body, answer.server_time)
        except ValueError as exc:
            raise made(NOT_GRAPH, answer) from exc

    def _broadest(self, ask: Callable[[str], graph_json.Page]) -> graph_json.Page:
        """Ask for the first page of something, with all that may be had of each message."""
        for breadth in range(self._breadth, len(_BREADTHS) - 1):
            try:
                page = ask(_BREADTHS[breadth])
            except BadRequest:
                continue
            self._settle_on(breadth)
            return page
        # Who refuses this as well has something else to refuse.
        page = ask(_BREADTHS[-1])
        self._settle_on(len(_BREADTHS) - 1)
        return page

    def _settle_on(self, breadth: int) -> None:
        if breadth > self._breadth:
            _log.info("a property was refused; less is asked of messages from now on")
            self._breadth = breadth

    def _with_preview(self, call: Call, url: Callable[[str], str], fields: str) -> graph_json.Page:
        if not (self._takes_preview and call.may_preview):
            return self._page(call, url(fields))
        try:
            return self._page(call, url(f"{fields},bodyPreview"))
        except AccessDenied:
            page = self._page(call, url(fields))
            _log.info("the preview was refused; messages are read without it from now on")
            self._takes_preview = False
            return page

    def _page(self, call: Call, url: str, *, is_delta: bool = False) -> graph_json.Page:
        size = f"odata.maxpagesize={self._page_size}" if _is_sized_by_header(url) else ""
        about = About.DELTA if is_delta else About.READING
        try:
            answer = self._graph.get(call, url, prefer=size, about=about)
        except TooSlow:
            self._shrink()
            raise
        except GatewayTimeout:
            # Where the size is part of the address only the next call is smaller.
            if not self._shrink() or not _is_sized_by_header(url):
                raise
            return self._page(call, url, is_delta=is_delta)
        try:
            return graph_json.page(answer.body)
        except ValueError as exc:
            raise made(NOT_GRAPH, answer) from exc

    def _shrink(self) -> bool:
        """Halve the page size; False where it is the smallest already."""
        if self._page_size <= SMALLEST_PAGE_SIZE:
            return False
        self._page_size = max(self._page_size // 2, SMALLEST_PAGE_SIZE)
        _log.info("a page was too much for the server; pages of %d from now on", self._page_size)
        return True

    def _messages(self, folder: str, suffix: str = "", **options: str) -> str:
        query = "&".join(f"${name}={_quoted(value)}" for name, value in options.items())
        return self._graph.address(f"{folder_path(folder)}/messages{suffix}?{query}")


@dataclass(slots=True)
class _Read:
    """What a delta round gathered."""

    entries: list[Entry] = field(default_factory=list)
    cursor: Cursor = _NO_CURSOR


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
