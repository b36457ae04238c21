"""Troubles on the wire, and the limits of a mailbox."""

import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
import requests

from mailtray.simulator import Fault, Simulator

Graph = Callable[..., requests.Response]


def test_planned_answer_comes_as_often_as_told(sim: Simulator, graph: Graph) -> None:
    sim.cloud.add_fault(
        Fault(path="^/v1.0/me$", skip=1, times=2, status=429, headers={"Retry-After": "soon"})
    )
    answers = [graph("GET", "/me") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "soon"
    assert [each.fault for each in sim.cloud.log()] == [False, True, True, False]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param({"close": "before"}, requests.ConnectionError, id="no answer"),
        pytest.param({"close": "headers"}, requests.RequestException, id="torn headers"),
        pytest.param({"close": "body"}, requests.RequestException, id="torn body"),
        pytest.param({"gzip_truncated": True}, requests.RequestException, id="torn gzip"),
    ],
)
def test_torn_answers(
    sim: Simulator, graph: Graph, fault: dict[str, Any], error: type[Exception]
) -> None:
    sim.cloud.add_fault(Fault(**fault))
    with pytest.raises(error):
        graph("GET", "/me").json()
    assert graph("GET", "/me").status_code == 200


def test_answer_lost_after_the_deed(sim: Simulator, graph: Graph) -> None:
    (key,) = sim.cloud.deliver()
    before = sim.cloud.unread_count()
    sim.cloud.add_fault(Fault(method="PATCH", close="before", after=True))
    with pytest.raises(requests.ConnectionError):
        graph("PATCH", f"/me/messages/{key}", json={"isRead": True})
    assert sim.cloud.unread_count() == before - 1
    assert sim.cloud.log()[-1].status == 0


def test_header_of_a_real_answer_is_changed(sim: Simulator, graph: Graph) -> None:
    sim.cloud.add_fault(Fault(headers={"Date": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    answer = graph("GET", "/me")
    assert answer.status_code == 200
    assert answer.headers["Date"] == "Wed, 21 Oct 2015 07:28:00 GMT"


def test_outage_ends_by_the_clock(sim: Simulator, graph: Graph, clock: list[float]) -> None:
    sim.cloud.add_fault(Fault(times=None, status=503, until=clock[0] + 10))
    assert graph("GET", "/me").status_code == 503
    clock[0] += 10
    assert graph("GET", "/me").status_code == 200


def test_more_than_the_mailbox_serves_at_once(sim: Simulator, graph: Graph) -> None:
    sim.cloud.add_fault(Fault(times=None, delay_s=0.15))
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(graph("GET", "/me").status_code))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(statuses) == [200, 200, 200, 200, 429, 429]


def test_stopping_cuts_a_delay_short(sim: Simulator, graph: Graph) -> None:
    sim.cloud.add_fault(Fault(delay_s=60))
    asked = threading.Event()
    ended: list[Exception | int] = []

    def ask() -> None:
        asked.set()
        try:
            ended.append(graph("GET", "/me").status_code)
        except requests.RequestException as exc:
            ended.append(exc)

    thread = threading.Thread(target=ask)
    thread.start()
    asked.wait(5)
    started = perf_counter()
    sim.stop()
    thread.join(5)
    assert perf_counter() - started < 3
    assert ended


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"path": "("}, id="no regular expression"),
        pytest.param({"times": 0}, id="never"),
        pytest.param({"skip": -1}, id="negative skip"),
        pytest.param({"status": 99}, id="no status"),
    ],
)
def test_impossible_faults(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\."):
        Fault(**fields)


def test_stopped_and_started_again_it_is_where_it_was(sim: Simulator, graph: Graph) -> None:
    url = sim.url
    assert graph("GET", "/me").status_code == 200  # a connection that is kept open
    sim.stop()
    with pytest.raises(requests.ConnectionError):
        graph("GET", "/me")
    sim.start()
    assert sim.url == url
    assert graph("GET", "/me").status_code == 200


def test_control_is_never_hit(sim: Simulator) -> None:
    sim.cloud.add_fault(Fault(times=None, close="before"))
    assert requests.get(f"{sim.url}/_sim/state", timeout=5).status_code == 200
    assert requests.get(f"{sim.url}/", timeout=5).status_code == 200


def test_hundred_requests_share_a_connection_without_waiting(graph: Graph) -> None:
    started = perf_counter()
    assert all(graph("GET", "/me").status_code == 200 for _ in range(100))
    assert perf_counter() - started < 2  # a delayed ACK alone would take 4 s
