"""Graph's bodies as values of ours, whatever they hold: one odd item never harms the others.

Source: learn.microsoft.com/graph, "message: delta", "message resource type", "mailFolder
resource type", "Microsoft Graph error responses and resource types".
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from mailtray.adapters.http_answer import Answer
from mailtray.core.model import (
    Entry,
    FolderCount,
    Importance,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    ReadState,
    Removed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_log = logging.getLogger(__name__)

_EARLIEST_YEAR = 1970
"""Times before it stand for "none": .NET writes 0001-01-01."""
_MAX_ERROR_DEPTH = 8
_MAX_TEXT_CHARS = 1_024
"""What is to be read by a person is cut here; Exchange keeps 255 characters of a subject."""
_MAX_ADDRESSES = 20
"""How many recipients of a message count; a mailing may have thousands."""
_INVITATION = "#microsoft.graph.eventmessagerequest"
_UTC = frozenset({"", "utc", "etc/utc", "gmt", "etc/gmt"})
_IMPORTANCES = {each.value: each for each in Importance}
_MEETING_KINDS = {each.value.lower(): each for each in MeetingKind}
_CHALLENGE_FIELD = re.compile(r'(\w+)\s*=\s*"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection.

    Attributes:
        entries: What could be understood, in the server's order.
        next_link: Where the collection goes on, or ``None``.
        delta_link: Where the next round starts, or ``None``.
    """

    entries: tuple[Entry, ...]
    next_link: str | None
    delta_link: str | None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a page of folders.

    Attributes:
        children: How many folders are directly within it.
    """

    id: str
    name: str
    children: int
    unread: int
    total: int


@dataclass(frozen=True, slots=True)
class FolderPage:
    """One page of folders; see :class:`Page`."""

    folders: tuple[Folder, ...]
    next_link: str | None


@dataclass(frozen=True, slots=True)
class GraphError:
    """An error body.

    Attributes:
        codes: In lower case, outermost first; empty where the body is not Graph's.
        request_id: As the body tells it, or ``None``.
    """

    codes: tuple[str, ...]
    request_id: str | None


def page(body: bytes) -> Page:
    """Decode a page of messages or of changes.

    Raises:
        ValueError: It is not a page at all.
    """
    content = _object(body)
    return Page(
        tuple(_entries(_list(content, "value"))),
        _link(content, "@odata.nextLink"),
        _link(content, "@odata.deltaLink"),
    )


def folder_count(body: bytes, server_time: datetime | None) -> FolderCount:
    """Decode a folder's counters.

    Raises:
        ValueError: It is not a folder.
    """
    content = _object(body)
    unread, total = content.get("unreadItemCount"), content.get("totalItemCount")
    if not (_is_count(unread) and _is_count(total)):
        raise ValueError("no counters")
    return FolderCount(
        unread=int(str(unread)),
        total=int(str(total)),
        server_time=server_time,
        folder_id=_text(content, "id"),
    )


def folder_page(body: bytes) -> FolderPage:
    """Decode a page of folders.

    Raises:
        ValueError: It is none.
    """
    content = _object(body)
    found = [_folder(item) for item in _list(content, "value") if isinstance(item, dict)]
    named = tuple(folder for folder in found if folder.id and folder.name)
    return FolderPage(named, _link(content, "@odata.nextLink"))


def batch(body: bytes) -> dict[str, Answer]:
    """Decode the answers of a batch, by the ids of its parts; odd ones are left out.

    Names of their headers are in lower case.

    Raises:
        ValueError: It is no answer to a batch.
    """
    parts = [part for part in _list(_object(body), "responses") if isinstance(part, dict)]
    return {_text(part, "id"): _part(part) for part in parts if _is_count(part.get("status"))}


def is_object(body: bytes) -> bool:
    """Say whether a body is a JSON object."""
    try:
        _object(body)
    except ValueError:
        return False
    return True


def error(body: bytes) -> GraphError:
    """Decode an error body; one that is not Graph's has no codes.

    The inner error is spelt ``innerError`` or ``innererror`` and may nest.
    """
    try:
        level = _object(body).get("error")
    except ValueError:
        return GraphError((), None)
    codes: list[str] = []
    request_id: str | None = None
    for _ in range(_MAX_ERROR_DEPTH):
        if not isinstance(level, dict):
            break
        codes += [code.lower()] if (code := _text(level, "code")) else []
        request_id = request_id or _text(level, "request-id") or None
        level = level.get("innerError", level.get("innererror"))
    return GraphError(tuple(codes), request_id)


def claims(www_authenticate: str | None) -> str | None:
    """Return the claims challenge of a refusal, as plain JSON, or ``None``.

    Fields come in any order, from any number of challenges; the claims are base64 in either
    alphabet, with or without padding.

    Source: learn.microsoft.com/entra/identity-platform, "Claims challenges, claims requests and
    client capabilities".
    """
    for name, value in _CHALLENGE_FIELD.findall(www_authenticate or ""):
        if name.lower() == "claims" and (found := _decoded_claims(value)):
            return found
    return None


def is_insufficient_claims(www_authenticate: str | None) -> bool:
    """Say whether a refusal asks for other claims, whatever its status."""
    fields = _CHALLENGE_FIELD.findall(www_authenticate or "")
    return any(field == ("error", "insufficient_claims") for field in fields)


def moment(value: object) -> datetime | None:
    """Return one of Graph's times as aware UTC, or ``None`` where it is none.

    It may have seven digits of a second, an offset, or no zone (then it is UTC).
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        parsed = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.year >= _EARLIEST_YEAR else None


def _object(body: bytes) -> Mapping[str, object]:
    """Decode a JSON object.

    Raises:
        ValueError: It is none.
    """
    try:
        content = json.loads(body)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    if not isinstance(content, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a wrong type from outside is a wrong value
    return content


def _list(content: Mapping[str, object], key: str) -> list[object]:
    """Return a list.

    Raises:
        ValueError: It is none.
    """
    items = content.get(key)
    if not isinstance(items, list):
        raise ValueError(f"no list of {key}")  # noqa: TRY004 - a wrong type from outside is a wrong value
    return items


def _folder(item: Mapping[str, object]) -> Folder:
    return Folder(
        id=_text(item, "id"),
        name=" ".join(_text(item, "displayName")[:_MAX_TEXT_CHARS].split()),
        children=_number(item, "childFolderCount"),
        unread=_number(item, "unreadItemCount"),
        total=_number(item, "totalItemCount"),
    )


def _part(part: Mapping[str, object]) -> Answer:
    given = part.get("headers")
    headers = {name.lower(): str(v) for name, v in given.items()} if isinstance(given, dict) else {}
    return Answer(_number(part, "status"), headers, json.dumps(part.get("body")).encode())


def _entries(items: list[object]) -> Iterator[Entry]:
    skipped = 0
    for item in items:
        found = _entry(item)
        if found is None:
            skipped += 1
            _log.debug("an item was not understood: id digest %s", _digest(item))
        else:
            yield found
    if skipped:
        _log.info("%d of %d items were not understood", skipped, len(items))


def _entry(item: object) -> Entry | None:
    """Decode one item of a delta page; ``None`` where it tells nothing."""
    if not isinstance(item, dict):
        return None
    message_id = MessageId(_text(item, "id"))
    is_read = _flag(item.get("isRead"))
    if not message_id:
        return None
    if item.get("@removed") is not None:
        return Removed(message_id)
    if "receivedDateTime" in item:
        return _message(message_id, item, is_read=bool(is_read))
    # A change of isRead alone comes without the rest; it never is a new message.
    return None if is_read is None else ReadState(message_id, is_read=is_read)


def _message(message_id: MessageId, item: Mapping[str, object], *, is_read: bool) -> Message:
    name, address = _address(item.get("from"))
    if not (name or address):
        name, address = _address(item.get("sender"))
    return Message(
        id=message_id,
        subject=_text(item, "subject")[:_MAX_TEXT_CHARS],
        sender_name=name,
        sender_address=address,
        received=moment(item.get("receivedDateTime")),
        is_read=is_read,
        preview=" ".join(_text(item, "bodyPreview")[:_MAX_TEXT_CHARS].split()),
        web_link=_text(item, "webLink"),
        internet_message_id=_text(item, "internetMessageId"),
        importance=_IMPORTANCES.get(_text(item, "importance").lower(), Importance.NORMAL),
        is_focused=_text(item, "inferenceClassification").lower() != "other",
        conversation_id=_text(item, "conversationId"),
        to=_addresses(item.get("toRecipients")),
        cc=_addresses(item.get("ccRecipients")),
        meeting=_meeting(item),
    )


def _meeting(item: Mapping[str, object]) -> Meeting | None:
    """Decode what a message says of a meeting.

    Servers have left ``meetingMessageType`` out although it was selected; a type of message that
    is only used for invitations then tells as much.

    Source: microsoftgraph/microsoft-graph-docs#2211.
    """
    kind = _MEETING_KINDS.get(_text(item, "meetingMessageType").lower())
    if kind is None and item.get("meetingMessageType") is None:
        is_invitation = _text(item, "@odata.type").lower() == _INVITATION
        kind = MeetingKind.REQUEST if is_invitation else None
    return None if kind is None else Meeting(kind, _zoned_moment(item.get("startDateTime")))


def _zoned_moment(value: object) -> datetime | None:
    """Decode a dateTimeTimeZone; no other zone than UTC, which comes where none is asked for."""
    if not isinstance(value, dict) or _text(value, "timeZone").lower() not in _UTC:
        return None
    return moment(value.get("dateTime"))


def _addresses(recipients: object) -> tuple[str, ...]:
    if not isinstance(recipients, list):
        return ()
    found = (_address(each)[1].lower() for each in recipients[:_MAX_ADDRESSES])
    return tuple(address for address in found if address)


def _address(recipient: object) -> tuple[str, str]:
    inner = recipient.get("emailAddress") if isinstance(recipient, dict) else None
    if not isinstance(inner, dict):
        return "", ""
    return _text(inner, "name")[:_MAX_TEXT_CHARS], _text(inner, "address")[:_MAX_TEXT_CHARS]


def _text(item: Mapping[str, object], key: str) -> str:
    """Return a text without the space around it, or an empty one; always valid Unicode."""
    value = item.get(key)
    if not isinstance(value, str):
        return ""
    # JSON can escape half a surrogate pair, which no file and no bus takes.
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()


def _flag(value: object) -> bool | None:
    """Return a truth value, also one written as text; ``None`` where it is neither."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _number(item: Mapping[str, object], key: str) -> int:
    """Return a whole number from 0 on; 0 for anything else."""
    value = item.get(key)
    return int(str(value)) if _is_count(value) else 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _link(content: Mapping[str, object], key: str) -> str | None:
    value = content.get(key)
    return value if isinstance(value, str) and value else None


def _digest(item: object) -> str:
    found = item.get("id") if isinstance(item, dict) else None
    return sha256(repr(found).encode()).hexdigest()[:12]


def _decoded_claims(value: str) -> str | None:
    standard = value.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode()
        content = json.loads(text)
    except (ValueError, binascii.Error, RecursionError):
        return None
    return text if isinstance(content, dict) else None
