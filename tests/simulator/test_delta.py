"""The rounds of messages/delta, from the first page to a lost sync state."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import pytest
import requests

from mailtray.simulator import Simulator

Graph = Callable[..., requests.Response]
Item = dict[str, Any]
DELTA = "/me/mailFolders/inbox/messages/delta"
LONG_NAME = "/me/mailfolders('inbox')/messages/microsoft.graph.delta()"
SELECT = "$select=subject,isRead,receivedDateTime"


@pytest.fixture
def read(graph: Graph) -> Callable[..., tuple[list[Item], str]]:
    """Follow a round to its end; returns its items and the deltaLink."""

    def follow(link: str = f"{DELTA}?{SELECT}", **options: str) -> tuple[list[Item], str]:
        items: list[Item] = []
        for _ in range(200):
            answer = graph("GET", link, **options)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["value"]
            if "@odata.deltaLink" in page:
                assert "@odata.nextLink" not in page
                return items, page["@odata.deltaLink"]
            link = page["@odata.nextLink"]
        raise AssertionError("The round does not end.")

    return follow


Read = Callable[..., tuple[list[Item], str]]


def test_first_round_is_everything_and_the_second_nothing(read: Read) -> None:
    items, link = read()
    assert len(items) == 6
    assert set(items[0]) == {
        "@odata.type", "@odata.etag", "id", "subject", "isRead", "receivedDateTime",
    }  # fmt: skip
    assert link.startswith("https://graph.microsoft.com/v1.0/me/mailFolders('")
    assert read(link)[0] == []


def test_new_mail_comes_whole(sim: Simulator, read: Read) -> None:
    _, link = read()
    (key,) = sim.cloud.deliver(subject="New")
    items, link = read(link)
    assert [(each["id"], each["subject"]) for each in items] == [(key, "New")]
    assert read(link)[0] == []


def test_lost_answer_is_given_again(sim: Simulator, read: Read) -> None:
    _, link = read()
    sim.cloud.deliver()
    assert [each["id"] for each in read(link)[0]] == [each["id"] for each in read(link)[0]]


@pytest.mark.parametrize(
    ("path", "size", "pages"),
    [
        pytest.param(DELTA, 'odata.maxpagesize=4', 2, id="page size by preference"),
        pytest.param(f"{DELTA}?$top=2", "", 3, id="page size by $top, kept in the token"),
        pytest.param(LONG_NAME, "", 1, id="long name"),
    ],
)  # fmt: skip
def test_pages(sim: Simulator, graph: Graph, path: str, size: str, pages: int) -> None:
    count, link = 0, path
    while link:
        page = graph("GET", link, prefer=size).json()
        count, link = count + 1, page.get("@odata.nextLink", "")
    assert count == pages
    assert sim.cloud.counts()["delta"] == pages


@pytest.mark.parametrize(
    ("select", "partial", "expected"),
    [
        pytest.param(SELECT, True, {"id", "isRead", "parentFolderId"}, id="only what changed"),
        pytest.param(SELECT, False, {"id", "isRead", "subject", "receivedDateTime"}, id="in full"),
        pytest.param("$select=subject", True, None, id="not reported unless selected"),
    ],
)
def test_read_elsewhere(
    sim: Simulator, read: Read, select: str, partial: bool, expected: set[str] | None
) -> None:
    sim.cloud.isread_partial = partial
    (key,) = sim.cloud.deliver()
    _, link = read(f"{DELTA}?{select}")
    sim.cloud.mark([key], is_read=True)
    items, _ = read(link)
    named = [{name for name in each if not name.startswith("@")} for each in items]
    assert named == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda cloud, ids: cloud.move(ids, "archive"), id="moved away"),
        pytest.param(lambda cloud, ids: cloud.delete(ids), id="deleted"),
    ],
)
def test_gone_is_removed(sim: Simulator, read: Read, act: Callable[..., None]) -> None:
    ids = sim.cloud.deliver()
    _, link = read()
    act(sim.cloud, ids)
    items, link = read(link)
    assert [(each["id"], each["@removed"]) for each in items] == [(ids[0], {"reason": "deleted"})]
    assert read(link)[0] == []


def test_moved_out_and_back_stays_removed_until_it_changes(sim: Simulator, read: Read) -> None:
    ids = sim.cloud.deliver()
    _, link = read()
    sim.cloud.move(ids, "archive")
    sim.cloud.move(ids, "inbox")
    items, link = read(link)
    assert [("@removed" in each, each["id"]) for each in items] == [(True, ids[0])]
    assert read(link)[0] == []
    sim.cloud.touch(ids)
    assert [each["id"] for each in read(link)[0]] == ids


def test_moved_out_and_back_is_reported_without_the_pin(sim: Simulator, read: Read) -> None:
    sim.cloud.pin_hidden_moves = False
    ids = sim.cloud.deliver()
    _, link = read()
    sim.cloud.move(ids, "archive")
    sim.cloud.move(ids, "inbox")
    assert [each["id"] for each in read(link)[0] if "subject" in each] == ids


def test_moved_out_and_back_under_ordinary_ids_is_two_messages(sim: Simulator, read: Read) -> None:
    ids = sim.cloud.deliver(subject="Wanderer")
    items, link = read(prefer="")
    old = next(each["id"] for each in items if each["subject"] == "Wanderer")
    sim.cloud.move(ids, "archive")
    sim.cloud.move(ids, "inbox")
    removed, back = read(link, prefer="")[0]
    assert (removed["id"], "@removed" in removed) == (old, True)
    assert back["subject"] == "Wanderer"
    assert back["id"] != old


def test_move_into_the_folder_is_new_there(sim: Simulator, read: Read) -> None:
    ids = sim.cloud.deliver(folder="archive")
    _, link = read()
    sim.cloud.move(ids, "inbox")
    assert [each["id"] for each in read(link)[0]] == ids


def test_filter_bounds_the_first_round_and_all_later_ones(sim: Simulator, read: Read) -> None:
    old = sim.cloud.deliver(received=datetime(2026, 1, 1, tzinfo=UTC), subject="Old")
    floor = (sim.cloud.time() - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    items, link = read(f"{DELTA}?{SELECT}&$filter=receivedDateTime ge {floor}")
    assert len(items) == 3
    sim.cloud.mark(old, is_read=True)
    assert read(link)[0] == []


def test_filtered_first_round_is_capped(sim: Simulator, read: Read) -> None:
    sim.cloud.deliver(count=5_001)
    link = f"{DELTA}?$select=id&$filter=receivedDateTime ge 2026-01-01T00:00:00Z"
    items, link = read(link, prefer="odata.maxpagesize=1000")
    assert len(items) == 5_000
    assert read(link)[0] == []


@pytest.mark.parametrize(
    ("options", "knob"),
    [
        pytest.param("$filter=isRead eq false", True, id="filtered by read state"),
        pytest.param("$filter=receivedDateTime le 2026-01-01T00:00:00Z", True, id="older than"),
        pytest.param("$filter=receivedDateTime ge 2026-01-01T00:00:00Z", False, id="by the knob"),
        pytest.param("$orderby=receivedDateTime asc", True, id="oldest first"),
        pytest.param("$orderby=subject desc", True, id="sorted by subject"),
        pytest.param("$search=a", True, id="search"),
        pytest.param("changeType=renamed", True, id="unknown change type"),
    ],
)
def test_options_delta_refuses(sim: Simulator, graph: Graph, options: str, knob: bool) -> None:
    sim.cloud.filter_on_delta = knob
    answer = graph("GET", f"{DELTA}?{options}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ErrorInvalidUrlQuery")


def test_change_type_acts_from_the_second_round(sim: Simulator, read: Read) -> None:
    kept, gone = sim.cloud.deliver(count=2)
    items, link = read(f"{DELTA}?{SELECT}&changeType=created")
    assert len(items) == 8
    sim.cloud.mark([kept], is_read=True)
    sim.cloud.delete([gone])
    new = sim.cloud.deliver()
    assert [each["id"] for each in read(link)[0]] == new


def test_lost_sync_state(sim: Simulator, graph: Graph, read: Read) -> None:
    _, link = read()
    sim.cloud.drop_sync_state()
    answer = graph("GET", link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "SyncStateNotFound")
    assert answer.headers["Location"].endswith("/messages/delta?$deltatoken=")
    assert len(read(answer.headers["Location"])[0]) == 6


def test_sync_state_lost_between_two_pages(sim: Simulator, graph: Graph) -> None:
    page = graph("GET", DELTA, prefer="odata.maxpagesize=2").json()
    sim.cloud.drop_sync_state("ada@contoso.example")
    assert graph("GET", page["@odata.nextLink"]).status_code == 410


def test_empty_page_with_a_next_link(sim: Simulator, graph: Graph, read: Read) -> None:
    sim.cloud.empty_delta_page = True
    first = graph("GET", DELTA).json()
    assert first["value"] == []
    assert len(read(first["@odata.nextLink"])[0]) == 6


def test_replayed_changes(sim: Simulator, read: Read) -> None:
    _, link = read()
    ids = sim.cloud.deliver()
    _, link = read(link)
    sim.cloud.replay_changes = True
    assert [each["id"] for each in read(link)[0]] == ids


def test_one_message_several_times_ends_with_its_last_state(sim: Simulator, read: Read) -> None:
    sim.cloud.repeat_items = True
    _, link = read()
    ids = sim.cloud.deliver()
    sim.cloud.mark(ids, is_read=True)
    assert [(each["id"], each["isRead"]) for each in read(link)[0]] == [
        (ids[0], False), (ids[0], True),
    ]  # fmt: skip


def test_gateway_times_out_on_large_pages(sim: Simulator, graph: Graph) -> None:
    sim.cloud.max_page_size_before_504 = 50
    heavy = graph("GET", DELTA, prefer="odata.maxpagesize=51")
    assert (heavy.status_code, heavy.headers["Content-Type"]) == (504, "text/html")
    assert graph("GET", DELTA, prefer="odata.maxpagesize=50").status_code == 200


def test_quiet_poll_of_a_huge_folder_is_as_quick_as_of_a_small_one(
    sim: Simulator, read: Read
) -> None:
    def twenty_quiet_polls() -> float:
        started = process_time()
        for _ in range(20):
            assert read(link)[0] == []
        return process_time() - started

    floor = sim.cloud.time().strftime("%Y-%m-%dT%H:%M:%SZ")
    first = f"{DELTA}?{SELECT}&$filter=receivedDateTime ge {floor}"
    _, link = read(first)
    small = twenty_quiet_polls()
    sim.cloud.deliver(count=10_000, received=datetime(2026, 1, 1, tzinfo=UTC))
    _, link = read(first)
    assert twenty_quiet_polls() < small * 5 + 0.1


def test_pages_may_be_smaller_than_asked(sim: Simulator, graph: Graph, read: Read) -> None:
    _, link = read()
    sim.cloud.turn({"largest_delta_page": 2})
    sim.cloud.deliver(count=3)
    page = graph("GET", link, prefer="odata.maxpagesize=50").json()
    assert (len(page["value"]), "@odata.nextLink" in page) == (2, True)
    page = graph("GET", page["@odata.nextLink"]).json()
    assert (len(page["value"]), "@odata.deltaLink" in page) == (1, True)
