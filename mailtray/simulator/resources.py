"""Folders and messages as Graph's JSON.

Source: learn.microsoft.com/graph/api/resources/message and .../resources/mailfolder.
"""

from collections.abc import Iterable
from typing import Final

from mailtray.simulator.mailbox import Folder, Mailbox, Message
from mailtray.simulator.times import wire_time


class Omit:
    """The type of `OMIT`."""

    def __repr__(self) -> str:
        """Name the sentinel."""
        return "OMIT"


OMIT: Final = Omit()
"""As a value in a message's overrides: the property is absent from the JSON."""

PREVIEW_LENGTH = 255

MESSAGE_PROPERTIES = frozenset(
    {
        "id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories",
        "receivedDateTime", "sentDateTime", "hasAttachments", "internetMessageId", "subject",
        "bodyPreview", "importance", "parentFolderId", "conversationId", "conversationIndex",
        "isDeliveryReceiptRequested", "isReadReceiptRequested", "isRead", "isDraft", "webLink",
        "inferenceClassification", "body", "sender", "from", "toRecipients", "ccRecipients",
        "bccRecipients", "replyTo", "flag", "internetMessageHeaders", "uniqueBody",
        "microsoft.graph.eventMessage/meetingMessageType",
        "microsoft.graph.eventMessage/startDateTime",
    }
)  # fmt: skip
"""What may stand in the ``$select`` of messages."""

MEETING_TYPES = {
    "meetingRequest": "#microsoft.graph.eventMessageRequest",
    "meetingCancelled": "#microsoft.graph.eventMessage",
    "meetingAccepted": "#microsoft.graph.eventMessageResponse",
    "meetingTenativelyAccepted": "#microsoft.graph.eventMessageResponse",
    "meetingDeclined": "#microsoft.graph.eventMessageResponse",
}
"""Each ``meetingMessageType``, in the service's own spelling, and the type of its message.

Source: learn.microsoft.com/graph/api/resources/eventmessage.
"""

FOLDER_PROPERTIES = frozenset(
    {
        "id", "displayName", "parentFolderId", "childFolderCount", "unreadItemCount",
        "totalItemCount", "isHidden", "sizeInBytes",
    }
)  # fmt: skip

TEXT_PROPERTIES = frozenset({"body", "bodyPreview", "uniqueBody"})
"""What Mail.ReadBasic does not show."""


def folder_json(mailbox: Mailbox, folder: Folder) -> dict[str, object]:
    """Build a mailFolder resource."""
    return {
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent_id or folder.id,
        "childFolderCount": len(mailbox.children(folder)),
        "unreadItemCount": folder.unread,
        "totalItemCount": folder.total,
        "sizeInBytes": folder.total * 4096,
        "isHidden": False,
    }


def message_json(
    message: Message, *, owner: str, immutable: bool, base_url: str
) -> dict[str, object]:
    """Build a whole message resource, overrides laid over it.

    Args:
        message: The message.
        owner: Username of the mailbox, the recipient.
        immutable: Give the immutable id rather than the ordinary one.
        base_url: Where the simulator's own webmail is.
    """
    sender = _sender(message)
    text = message.preview
    etag = f'W/"CQAAABYAAAD{message.version:08d}"'
    whole: dict[str, object] = {
        "@odata.etag": etag,
        "id": message.key if immutable else message.rest_id,
        "createdDateTime": wire_time(message.received),
        "lastModifiedDateTime": wire_time(message.received),
        "changeKey": etag[3:-1],
        "categories": [],
        "receivedDateTime": wire_time(message.received),
        "sentDateTime": wire_time(message.received),
        "hasAttachments": False,
        "internetMessageId": message.internet_message_id,
        "subject": message.subject,
        "bodyPreview": None if text is None else text[:PREVIEW_LENGTH],
        "importance": message.importance,
        "parentFolderId": message.folder_id,
        "conversationId": message.conversation_id,
        "isDeliveryReceiptRequested": False,
        "isReadReceiptRequested": False,
        "isRead": message.is_read,
        "isDraft": False,
        "webLink": f"{base_url}/mail/{message.key}",
        "inferenceClassification": message.inference_classification,
        "body": {"contentType": "text", "content": text or ""},
        "sender": sender,
        "from": sender,
        "toRecipients": _recipients((owner,) if message.to is None else message.to),
        "ccRecipients": _recipients(message.cc),
        "bccRecipients": [],
        "replyTo": [],
        "flag": {"flagStatus": "notFlagged"},
    }
    whole |= _meeting(message)
    if message.odata_type is not None:
        whole = {"@odata.type": message.odata_type, **whole}
    overrides = {name: value for name, value in message.overrides.items() if name != "id"}
    return {name: value for name, value in (whole | overrides).items() if value is not OMIT}


def _recipients(addresses: Iterable[str]) -> list[dict[str, object]]:
    return [{"emailAddress": {"name": address, "address": address}} for address in addresses]


def _meeting(message: Message) -> dict[str, object]:
    if message.meeting is None:
        return {}
    starts = message.starts and {
        "dateTime": message.starts.strftime("%Y-%m-%dT%H:%M:%S.0000000"),
        "timeZone": "UTC",
    }
    return {
        "@odata.type": MEETING_TYPES[message.meeting],
        "meetingMessageType": message.meeting,
        "startDateTime": starts,
    }


def _sender(message: Message) -> dict[str, object] | None:
    parts = {"name": message.sender_name, "address": message.sender_address}
    known = {name: value for name, value in parts.items() if value is not None}
    return {"emailAddress": known} if known else None


def project(resource: dict[str, object], select: Iterable[str] | None) -> dict[str, object]:
    """Keep the selected properties; the id and OData's own notes always stay."""
    if select is None:
        return resource
    kept = {each.rpartition("/")[2] for each in select} | {"id"}
    return {n: v for n, v in resource.items() if n in kept or n.startswith("@odata.")}
