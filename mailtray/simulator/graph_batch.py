"""JSON batching: up to twenty calls in one request, each with its own answer.

Source: learn.microsoft.com/graph/json-batching.
"""

import base64
import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from mailtray.simulator.cloud import Cloud
from mailtray.simulator.faults import Fault
from mailtray.simulator.graph import answer, authenticate
from mailtray.simulator.graph_call import GraphError, GraphRequest, Reply, error_reply

MAX_PARTS = 20
METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
FIRST_FAILURE = 400


def answer_batch(cloud: Cloud, outer: GraphRequest, pause: Callable[[float], None]) -> Reply:
    """Answer a batch: 200 with one response per part, or 400 for a malformed one.

    Args:
        cloud: The simulated cloud.
        outer: The request that carries the batch.
        pause: Waits a number of seconds, for faults of parts that delay.
    """
    try:
        with cloud.lock:
            authenticate(cloud, outer)
        parts = _parts(outer.body)
    except GraphError as exc:
        return error_reply(exc, outer, cloud)
    replies: dict[str, Reply] = {}
    for part_id, part in parts.items():
        failed = any(replies[parent].status >= FIRST_FAILURE for parent in _parents(part))
        replies[part_id] = (
            _failed_dependency(cloud, outer) if failed else _answer_part(cloud, outer, part, pause)
        )
    return Reply(200, {"responses": [_response(name, reply) for name, reply in replies.items()]})


def _parts(body: object) -> dict[str, Mapping[str, object]]:
    requests = body.get("requests") if isinstance(body, Mapping) else None
    if not isinstance(requests, list) or not 0 < len(requests) <= MAX_PARTS:
        raise _malformed(f"A batch holds 1 to {MAX_PARTS} requests.")
    parts: dict[str, Mapping[str, object]] = {}
    for part in requests:
        part_id = _checked(part)
        if part_id in parts:
            raise _malformed(f"The id '{part_id}' occurs twice.")
        if any(parent not in parts for parent in _parents(part)):
            raise _malformed(f"The part '{part_id}' depends on one that is not before it.")
        parts[part_id] = part
    return parts


def _checked(part: object) -> str:
    match part:
        case {"id": str(part_id), "method": str(method), "url": str(), **rest}:
            if method.upper() not in METHODS:
                raise _malformed(f"The method '{method}' is not supported.")
            if rest.get("body") is not None and not isinstance(rest.get("headers"), Mapping):
                raise _malformed(f"The part '{part_id}' has a body and no Content-Type header.")
            return part_id
    raise _malformed("Each part needs an id, a method and a url, all texts.")


def _parents(part: Mapping[str, object]) -> list[str]:
    parents = part.get("dependsOn") or []
    if not isinstance(parents, list) or not all(isinstance(each, str) for each in parents):
        raise _malformed("dependsOn must be a list of ids.")
    return parents


def _malformed(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def _failed_dependency(cloud: Cloud, outer: GraphRequest) -> Reply:
    text = "A request this one depends on has failed."
    return error_reply(GraphError(424, "FailedDependency", text), outer, cloud)


def _answer_part(
    cloud: Cloud,
    outer: GraphRequest,
    part: Mapping[str, object],
    pause: Callable[[float], None],
) -> Reply:
    method, url = str(part["method"]).upper(), str(part["url"])
    pieces = urlsplit(url)
    own = part.get("headers")
    headers = {str(k).lower(): str(v) for k, v in own.items()} if isinstance(own, Mapping) else {}
    headers.setdefault("authorization", outer.headers.get("authorization", ""))
    request = GraphRequest(
        method=method,
        path=pieces.path,
        options=dict(parse_qsl(pieces.query, keep_blank_values=True)),
        headers=headers,
        body=part.get("body"),
        origin=outer.origin,
    )
    with cloud.lock:
        cloud.traffic.note("batch_parts")
        fault = cloud.faults.take(method, f"/v1.0/{unquote(url).lstrip('/')}")
    if fault is None:
        return answer(cloud, request)
    pause(fault.delay_s)
    carried_out = (
        answer(cloud, request) if fault.after or not (fault.replaces or fault.close) else None
    )
    return _faulty(cloud, request, fault, carried_out)


def _faulty(cloud: Cloud, request: GraphRequest, fault: Fault, real: Reply | None) -> Reply:
    if fault.replaces:
        return Reply(fault.status or 200, fault.body, dict(fault.headers))
    if real is not None and fault.close is None:
        real.headers.update(fault.headers)
        return real
    # A part has no connection of its own to lose: the batch's server lost its own, inside.
    return error_reply(GraphError(504, "UnknownError", ""), request, cloud)


def _response(part_id: str, reply: Reply) -> dict[str, object]:
    response: dict[str, object] = {"id": part_id, "status": reply.status}
    headers = dict(reply.headers)
    if reply.body is not None:
        headers.setdefault("Content-Type", "application/json")
        plain = isinstance(reply.body, str)
        # Bodies that are not JSON travel base64-encoded.
        response["body"] = _base64(reply.body) if plain else json.loads(json.dumps(reply.body))
    return response | {"headers": headers}


def _base64(body: object) -> str:
    return base64.b64encode(str(body).encode()).decode()
