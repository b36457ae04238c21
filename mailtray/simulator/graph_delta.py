"""The HTTP side of messages/delta: options in, one page with its link out."""

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from mailtray.simulator.delta import DeltaOptions, Item, Place, first_round, next_round
from mailtray.simulator.graph_call import Call, GraphError, Reply
from mailtray.simulator.mailbox import Folder
from mailtray.simulator.query import QueryError, parse_query
from mailtray.simulator.resources import MESSAGE_PROPERTIES

CHANGE_TYPES = frozenset({"created", "updated", "deleted"})


def delta(call: Call, folder: Folder) -> Reply:
    """Answer one request of a delta series.

    Args:
        call: The request; its options are read in the first request of a series only.
        folder: The folder asked for.

    Raises:
        GraphError: 410 if the token is gone, 504 for too large a page.
        QueryError: 400 for an option delta does not take.
    """
    options = {name.lower(): value for name, value in call.request.options.items()}
    token = options.get("$deltatoken") or options.get("$skiptoken")
    if token:
        place = _resume(call, folder, token)
    else:
        asked = _first_options(call)
        place = first_round(call.owner.mailbox, folder, call.owner.username, asked)
    call.refuse_hidden_text(place.options.select)
    size = call.request.max_page_size
    call.refuse_heavy_page(size)
    # A knob's empty page stands before the round's first line only.
    fresh = place.position == 0 and not (token and "$skiptoken" in options)
    if call.cloud.empty_delta_page and fresh:
        size = 0
    elif size is None:
        size = place.options.page_size
    most = call.cloud.largest_delta_page
    return _page(call, folder, place, size if most is None else min(size, most))


def _resume(call: Call, folder: Folder, token: str) -> Place:
    place = call.cloud.delta_tokens.find(token)
    if place is None or (place.username, place.folder_id) != (call.owner.username, folder.id):
        text = f"The sync state generation is not found; [highest={call.owner.mailbox.seq}]."
        location = f"{_link(call, folder)}?$deltatoken="
        raise GraphError(410, "SyncStateNotFound", text, {"Location": location})
    if not place.is_between_rounds:
        return place
    immutable = call.request.immutable
    return next_round(call.owner.mailbox, place, call.cloud, immutable=immutable)


def _first_options(call: Call) -> DeltaOptions:
    options = dict(call.request.options)
    change_type = options.pop("changeType", None)
    for name in [name for name in options if name.lower() in {"$deltatoken", "$skiptoken"}]:
        del options[name]
    query = parse_query(options, allowed=MESSAGE_PROPERTIES)
    if query.skip or query.count:
        raise QueryError("Delta takes neither $skip nor $count.")
    if query.order not in {(), (("receivedDateTime", True),)}:
        raise QueryError("Delta can only be ordered by receivedDateTime desc.")
    call.refuse_heavy_page(query.top)
    types = CHANGE_TYPES if change_type is None else frozenset(change_type.split(","))
    if not types <= CHANGE_TYPES:
        raise QueryError(f"The changeType '{change_type}' is not known.")
    defaults = DeltaOptions()
    return DeltaOptions(
        select=query.select,
        at_least=_floor(call, options.get("$filter")),
        newest_first=bool(query.order),
        change_types=types,
        page_size=query.top or defaults.page_size,
    )


def _floor(call: Call, text: str | None) -> datetime | None:
    if not text:
        return None
    refusal = QueryError("The filter value is not supported by delta.")
    if not call.cloud.filter_on_delta:
        raise refusal
    clauses = parse_query({"$filter": text}, allowed=frozenset()).filter
    match clauses:
        case [clause] if clause.field == "receivedDateTime" and clause.operator in {"ge", "gt"}:
            moment = clause.value
            if isinstance(moment, datetime):
                # Times of arrival are whole seconds, so "after" is "from the next second on".
                return moment if clause.operator == "ge" else moment + timedelta(seconds=1)
    raise refusal


def _page(call: Call, folder: Folder, place: Place, size: int) -> Reply:
    pending = place.pending or ()
    end = place.position + size
    lines = [_line(call, folder, item, place) for item in pending[place.position : end]]
    body: dict[str, object] = {
        "@odata.context": call.context("Collection(message)"),
        "value": lines,
    }
    link, tokens = _link(call, folder), call.cloud.delta_tokens
    if end < len(pending) or size == 0:
        token = tokens.issue(replace(place, pending=pending, position=end))
        body["@odata.nextLink"] = f"{link}?$skiptoken={token}"
    else:
        token = tokens.issue(replace(place, pending=None, position=0))
        body["@odata.deltaLink"] = f"{link}?$deltatoken={token}"
    return Reply(200, body)


def _link(call: Call, folder: Folder) -> str:
    return f"{call.root}/mailFolders('{quote(folder.id, safe='=')}')/messages/delta"


def _line(call: Call, folder: Folder, item: Item, place: Place) -> dict[str, object]:
    kind = {"@odata.type": "#microsoft.graph.message"}
    item_id = item.key if call.request.immutable else item.rest_id
    message = call.owner.mailbox.messages.get(item.key)
    gone = message is None or message.folder_id != folder.id
    if message is None or gone or item.kind == "removed":
        return kind | {"id": item_id, "@removed": {"reason": "deleted"}}
    if item.kind == "read":
        is_read = message.is_read if item.is_read is None else item.is_read
        return kind | {"id": item_id, "isRead": is_read, "parentFolderId": folder.id}
    shown = call.render(message, place.options.select)
    if item.is_read is not None and "isRead" in shown:
        shown["isRead"] = item.is_read
    return kind | shown
