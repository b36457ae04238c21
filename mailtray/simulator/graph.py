"""Graph's answers about people, folders and messages.

Paths are read loosely, as the service reads them: any letter case, ``mailFolders/inbox`` or
``mailFolders('inbox')``, ``delta`` or ``microsoft.graph.delta()``.

Source: learn.microsoft.com/graph/api/resources/mail-api-overview.
"""

import base64
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from urllib.parse import quote, unquote, urlencode

from mailtray.simulator.accounts import Account
from mailtray.simulator.cloud import Cloud
from mailtray.simulator.graph_call import (
    ACCESS_DENIED,
    NOT_FOUND,
    Call,
    GraphError,
    GraphRequest,
    Reply,
    error_reply,
)
from mailtray.simulator.graph_delta import delta
from mailtray.simulator.mailbox import Folder, Message
from mailtray.simulator.query import (
    Clause,
    Query,
    QueryError,
    parse_query,
    parse_select,
    refuse_inefficient,
)
from mailtray.simulator.resources import (
    FOLDER_PROPERTIES,
    MESSAGE_PROPERTIES,
    folder_json,
    project,
)
from mailtray.simulator.times import wire_time

DEFAULT_PAGE_SIZE = 10
PROFILE_PROPERTIES = frozenset({"id", "displayName", "userPrincipalName", "mail"})


def answer(cloud: Cloud, request: GraphRequest) -> Reply:
    """Answer one call, alone or from a batch; refusals become Graph's error bodies."""
    with cloud.lock:
        try:
            reply = _dispatch(cloud, request)
        except QueryError as exc:
            reply = error_reply(GraphError(400, exc.code, str(exc)), request, cloud)
        except GraphError as exc:
            reply = error_reply(exc, request, cloud)
    applied = ["IdType=ImmutableId"] if request.immutable else []
    if request.max_page_size is not None:
        applied.append(f"odata.maxpagesize={request.max_page_size}")
    if applied:
        reply.headers.setdefault("Preference-Applied", ", ".join(applied))
    reply.headers.setdefault("request-id", request.request_id)
    reply.headers.setdefault("client-request-id", request.client_request_id)
    return reply


def _dispatch(cloud: Cloud, request: GraphRequest) -> Reply:
    caller, granted = authenticate(cloud, request)
    segments = split_path(request.path)
    owner, rest = _mailbox_of(cloud, caller, segments)
    call = Call(cloud, request, caller, owner, granted)
    if not rest:
        return _profile(call)
    _refuse_unusable(call)
    handler, names = _route(request.method, rest)
    return handler(call, *names)


def authenticate(cloud: Cloud, request: GraphRequest) -> tuple[Account, frozenset[str]]:
    """Find who calls, and with which scopes.

    Raises:
        GraphError: 401; the token is missing, unknown or expired, or Graph wants a token that
            answers its claims challenge.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("Access token is empty.", 'error="invalid_request"')
    known = cloud.grants.access_token(token.strip())
    if known is None:
        text = "Lifetime validation failed, the token is expired."
        raise _unauthorized(text, 'error="invalid_token"')
    caller = cloud.account(known.permission.username)
    if caller.challenge is not None and known.answers != caller.challenge:
        claims = base64.b64encode(caller.challenge.encode()).decode()
        text = "Continuous access evaluation wants a new token for this account."
        raise _unauthorized(text, f'error="insufficient_claims", claims="{claims}"')
    caller.challenge = None
    return caller, known.permission.scopes


def _unauthorized(message: str, detail: str) -> GraphError:
    authority = "https://login.microsoftonline.com/common/oauth2/authorize"
    header = f'Bearer realm="", authorization_uri="{authority}", {detail}'
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": header})


def split_path(path: str) -> list[str]:
    """Cut a path into decoded segments; ``name('id')`` becomes two, ``name()`` one."""
    segments: list[str] = []
    for part in path.strip("/").split("/"):
        segment = unquote(part)
        keyed = re.fullmatch(r"([\w.]+)\((?:'(.*)')?\)", segment)
        segments += [each for each in keyed.groups() if each is not None] if keyed else [segment]
    return segments


def _mailbox_of(cloud: Cloud, caller: Account, segments: list[str]) -> tuple[Account, list[str]]:
    match segments:
        case [me, *rest] if me.lower() == "me":
            return caller, rest
        case [users, who, *rest] if users.lower() == "users":
            found = [a for a in cloud.accounts.values() if who.lower() in _names(a)]
            if not found:
                text = f"Resource '{who}' does not exist."
                raise GraphError(404, "Request_ResourceNotFound", text)
            if found[0] is not caller and caller.username.lower() not in found[0].shared_with:
                raise ACCESS_DENIED
            return found[0], rest
    raise _no_such_path(segments)


def _names(account: Account) -> set[str]:
    return {account.username.lower(), account.object_id}


def _no_such_path(segments: list[str]) -> GraphError:
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segments[0]}'.")


def _refuse_unusable(call: Call) -> None:
    off = {name.lower() for name in call.cloud.mailboxes_not_enabled}
    if call.owner.username.lower() in off:
        raise GraphError(
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        )


Handler = Callable[..., Reply]


def _route(method: str, segments: list[str]) -> tuple[Handler, list[str]]:
    for wanted_method, pattern, handler in ROUTES:
        if wanted_method != method or len(pattern) != len(segments):
            continue
        pairs = list(zip(pattern, segments, strict=True))
        if all(want in {"*", have.lower()} for want, have in pairs):
            return handler, [have for want, have in pairs if want == "*"]
    raise _no_such_path(segments)


def _profile(call: Call) -> Reply:
    if call.request.method != "GET":
        raise GraphError(405, "Request_BadRequest", "Only GET is supported here.")
    call.require(allowed="User.Read" in call.scopes)
    select = parse_select(call.request.options.get("$select"), PROFILE_PROPERTIES)
    profile: dict[str, object] = {
        "@odata.context": call.context("users/$entity"),
        "id": call.owner.object_id,
        "displayName": call.owner.name,
        "userPrincipalName": call.owner.username,
        "mail": call.owner.username,
    }
    return Reply(200, project(profile, select))


# Folders


def find_folder(call: Call, name_or_id: str) -> Folder:
    """Find a folder of the call's mailbox.

    Raises:
        GraphError: 404; there is none.
    """
    try:
        return call.owner.mailbox.folder(name_or_id)
    except KeyError:
        raise NOT_FOUND from None


def _list_folders(call: Call, parent: str = "msgfolderroot") -> Reply:
    call.require_read()
    query = parse_query(call.request.options, allowed=FOLDER_PROPERTIES)
    if query.filter or query.order:
        raise QueryError("Folders cannot be filtered or sorted.")
    mailbox = call.owner.mailbox
    folders = mailbox.children(find_folder(call, parent))
    size = _page_size(call, query)
    page = folders[query.skip : query.skip + size]
    body: dict[str, object] = {"@odata.context": call.context("users/mailFolders")}
    if query.count:
        body["@odata.count"] = len(folders)
    body["value"] = [project(folder_json(mailbox, each), query.select) for each in page]
    if query.skip + size < len(folders):
        body["@odata.nextLink"] = _next_link(call, query.skip + size)
    return Reply(200, body)


def _get_folder(call: Call, name_or_id: str) -> Reply:
    call.require_read()
    query = parse_query(call.request.options, allowed=FOLDER_PROPERTIES)
    folder = folder_json(call.owner.mailbox, find_folder(call, name_or_id))
    context = {"@odata.context": call.context("users/mailFolders/$entity")}
    return Reply(200, context | project(folder, query.select))


def _page_size(call: Call, query: Query) -> int:
    size = call.request.max_page_size or query.top
    call.refuse_heavy_page(size)
    return size or DEFAULT_PAGE_SIZE


def _next_link(call: Call, skip: int) -> str:
    options = {**call.request.options, "$skip": str(skip)}
    path = "/".join(quote(part, safe="$()'=") for part in call.request.path.strip("/").split("/"))
    return f"{call.request.origin}/v1.0/{path}?{urlencode(options, safe='$,/:', quote_via=quote)}"


# Messages


def _list_messages(call: Call, folder: str | None = None) -> Reply:
    call.require_read()
    query = parse_query(call.request.options, allowed=MESSAGE_PROPERTIES)
    refuse_inefficient(query)
    call.refuse_hidden_text(query.select)
    size = _page_size(call, query)
    matches = _matching(call, None if folder is None else find_folder(call, folder), query)
    body: dict[str, object] = {"@odata.context": call.context("users/messages")}
    if query.count:
        found = list(matches)
        body["@odata.count"] = len(found)
        matches = iter(found)
    page = list(islice(matches, query.skip, query.skip + size + 1))
    body["value"] = [call.render(each, query.select) for each in page[:size]]
    if len(page) > size:
        body["@odata.nextLink"] = _next_link(call, query.skip + size)
    return Reply(200, body)


def _matching(call: Call, folder: Folder | None, query: Query) -> Iterator[Message]:
    messages = call.owner.mailbox.messages
    if folder is None:
        found = iter(sorted(messages.values(), key=lambda m: m.place, reverse=True))
    else:
        floor = [c.value for c in query.filter if isinstance(c.value, datetime) and _is_floor(c)]
        keys = folder.keys(
            at_least=max(floor, default=None),
            newest_first=query.order != (("receivedDateTime", False),),
        )
        found = (messages[key] for key in keys)
    kept = (each for each in found if not query.filter or _holds(call, each, query))
    if not query.order or (folder is not None and query.order[0][0] == "receivedDateTime"):
        return kept
    return iter(_sorted(call, list(kept), query))


def _is_floor(clause: Clause) -> bool:
    return clause.field == "receivedDateTime" and clause.operator in {"ge", "gt"}


def _holds(call: Call, message: Message, query: Query) -> bool:
    whole = _stored(call, message)
    return all(clause.holds(whole) for clause in query.filter)


def _stored(call: Call, message: Message) -> dict[str, object]:
    """Return it as the store knows it: a time that is overridden only looks different."""
    at = wire_time(message.received)
    return {**call.whole(message), "receivedDateTime": at, "sentDateTime": at}


def _sorted(call: Call, messages: list[Message], query: Query) -> list[Message]:
    for name, descending in reversed(query.order):

        def key(message: Message, name: str = name) -> str:
            found: object = _stored(call, message)
            for part in name.split("/"):
                found = found.get(part) if isinstance(found, dict) else None
            return str(found)

        messages.sort(key=key, reverse=descending)
    return messages


def _find_message(call: Call, message_id: str) -> Message:
    try:
        return call.owner.mailbox.find(message_id)
    except KeyError:
        raise NOT_FOUND from None


def _entity(call: Call, message: Message, select: frozenset[str] | None, status: int) -> Reply:
    context = {"@odata.context": call.context("users/messages/$entity")}
    return Reply(status, context | call.render(message, select))


def _get_message(call: Call, *names: str) -> Reply:
    call.require_read()
    query = parse_query(call.request.options, allowed=MESSAGE_PROPERTIES)
    call.refuse_hidden_text(query.select)
    return _entity(call, _in_folder(call, names), query.select, 200)


def _in_folder(call: Call, names: tuple[str, ...]) -> Message:
    message = _find_message(call, names[-1])
    if names[:-1] and find_folder(call, names[0]).id != message.folder_id:
        raise NOT_FOUND
    return message


def _patch_message(call: Call, *names: str) -> Reply:
    call.require_write()
    message = _in_folder(call, names)
    wanted = call.request.headers.get("if-match", "*")
    if wanted not in {"*", call.whole(message)["@odata.etag"]}:
        raise GraphError(412, "ErrorIrresolvableConflict", "The change key does not match.")
    match call.request.body:
        case {"isRead": bool(is_read), **rest} if not rest:
            call.owner.mailbox.mark(message, is_read=is_read)
        case _:
            text = "Only isRead can be updated, and it must be true or false."
            raise GraphError(400, "ErrorInvalidRequest", text)
    return _entity(call, message, None, 200)


def _move_message(call: Call, *names: str) -> Reply:
    call.require_write()
    message = _in_folder(call, names)
    match call.request.body:
        case {"destinationId": str(target)}:
            call.owner.mailbox.move(message, _destination(call, target))
        case _:
            text = "The body must be an object with a destinationId."
            raise GraphError(400, "ErrorInvalidRequest", text)
    return _entity(call, message, None, 201)


def _destination(call: Call, name_or_id: str) -> Folder:
    try:
        return find_folder(call, name_or_id)
    except GraphError:
        text = "The specified folder could not be found in the store."
        raise GraphError(404, "ErrorFolderNotFound", text) from None


def _delete_message(call: Call, *names: str) -> Reply:
    call.require_write()
    call.owner.mailbox.delete(_in_folder(call, names))
    return Reply(204)


def _delta(call: Call, folder: str) -> Reply:
    call.require_read()
    return delta(call, find_folder(call, folder))


ROUTES: tuple[tuple[str, tuple[str, ...], Handler], ...] = (
    ("GET", ("mailfolders",), _list_folders),
    ("GET", ("mailfolders", "*"), _get_folder),
    ("GET", ("mailfolders", "*", "childfolders"), _list_folders),
    ("GET", ("mailfolders", "*", "messages"), _list_messages),
    ("GET", ("mailfolders", "*", "messages", "delta"), _delta),
    ("GET", ("mailfolders", "*", "messages", "microsoft.graph.delta"), _delta),
    ("GET", ("mailfolders", "*", "messages", "*"), _get_message),
    ("PATCH", ("mailfolders", "*", "messages", "*"), _patch_message),
    ("DELETE", ("mailfolders", "*", "messages", "*"), _delete_message),
    ("POST", ("mailfolders", "*", "messages", "*", "move"), _move_message),
    ("GET", ("messages",), _list_messages),
    ("GET", ("messages", "*"), _get_message),
    ("PATCH", ("messages", "*"), _patch_message),
    ("DELETE", ("messages", "*"), _delete_message),
    ("POST", ("messages", "*", "move"), _move_message),
)
"""Method, segments below the mailbox (``*`` for an id) and handler, in order of precedence."""
