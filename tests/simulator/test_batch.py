"""Twenty calls in one."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from mailtray.simulator import Fault, Simulator

Graph = Callable[..., requests.Response]
Part = dict[str, Any]


def patch(part_id: str, message_id: str, **more: object) -> Part:
    return {
        "id": part_id,
        "method": "PATCH",
        "url": f"/me/messages/{message_id}",
        "headers": {"Content-Type": "application/json", "Prefer": 'IdType="ImmutableId"'},
        "body": {"isRead": True},
        **more,
    }


def send(graph: Graph, *parts: Part) -> dict[str, Part]:
    answer = graph("POST", "/$batch", json={"requests": list(parts)})
    assert answer.status_code == 200, answer.text
    return {part["id"]: part for part in answer.json()["responses"]}


def test_parts_need_the_scopes_of_plain_requests(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver()
    body = {"requests": [patch("1", key)]}
    answer = graph("POST", "/$batch", json=body, scopes="Mail.Read")
    [part] = answer.json()["responses"]
    assert (answer.status_code, part["status"]) == (200, 403)
    assert part["body"]["error"]["code"] == "ErrorAccessDenied"


def test_parts_are_carried_out(sim: Simulator, graph: Graph) -> None:
    first, second = sim.cloud.deliver(count=2)
    before = sim.cloud.unread_count()
    replies = send(graph, patch("1", first), patch("2", second), patch("3", "gone"))
    assert [replies[n]["status"] for n in "123"] == [200, 200, 404]
    assert replies["1"]["body"]["id"] == first
    assert sim.cloud.unread_count() == before - 2
    assert sim.cloud.counts()["batch_parts"] == 3


def test_preference_of_the_batch_is_not_inherited(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver()
    part = {"id": "1", "method": "GET", "url": f"/me/messages/{key}"}
    assert send(graph, part)["1"]["body"]["id"] != key


def test_dependent_part_fails_with_its_parent(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver()
    replies = send(graph, patch("1", "gone"), patch("2", key, dependsOn=["1"]))
    assert replies["2"]["status"] == 424


def test_one_part_is_throttled(sim: Simulator, graph: Graph) -> None:
    first, second = sim.cloud.deliver(count=2)
    error = {"error": {"code": "ApplicationThrottled", "message": ""}}
    fault = Fault(path=f"^/v1.0/me/messages/{first}", status=429, body=error,
                  headers={"Retry-After": "7"})  # fmt: skip
    sim.cloud.add_fault(fault)
    replies = send(graph, patch("1", first), patch("2", second))
    assert [replies[n]["status"] for n in "12"] == [429, 200]
    assert replies["1"]["headers"]["Retry-After"] == "7"
    assert send(graph, patch("1", first))["1"]["status"] == 200


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="empty"),
        pytest.param([patch(str(n), "x") for n in range(21)], id="more than twenty"),
        pytest.param([patch("1", "x"), patch("1", "y")], id="an id twice"),
        pytest.param([patch("1", "x", dependsOn=["2"])], id="depends on nothing"),
        pytest.param([patch("1", "x", headers=None)], id="a body without headers"),
        pytest.param([patch("1", "x", method="BREW")], id="unknown method"),
    ],
)
def test_malformed_batches(graph: Graph, parts: list[Part]) -> None:
    assert graph("POST", "/$batch", json={"requests": parts}).status_code == 400
