"""What every mail source does, the fake and Graph's alike."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from mailtray.adapters import graph_mail
from mailtray.core.errors import (
    CursorExpired,
    MailboxUnavailable,
    MailSourceError,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
)
from mailtray.core.model import (
    INBOX,
    AccessToken,
    Delivery,
    Entry,
    Message,
    MessageId,
    ReadState,
    Removed,
)
from mailtray.simulator import Fault, Simulator
from tests.adapters.rig import Rig, microsoft_365
from tests.fakes.mail import FIRST_RECEIVED, FakeMail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mailtray.core.model import Cursor
    from mailtray.ports import MailSource

SMALL = 20
"""How many messages the full rounds of these tests cover."""


class World(Protocol):
    """A mail source and the mailbox behind it, empty at first."""

    mail: MailSource
    token: AccessToken

    def deliver(
        self, how_many: int = 1, *, received: datetime | None = None, is_read: bool = False
    ) -> list[MessageId]:
        """Put new messages into the Inbox, at different times, the last at ``received``."""
        ...

    def mark(self, ids: list[MessageId], *, is_read: bool) -> None:
        """Mark messages on another device."""

    def remove(self, ids: list[MessageId]) -> None:
        """Delete messages on another device."""

    def expire_cursors(self) -> None:
        """Refuse every cursor handed out so far."""

    def trouble(self, error: MailSourceError) -> None:
        """Meet the next request with this trouble."""


class FakeWorld:
    def __init__(self) -> None:
        self.fake = FakeMail(first_sync_messages=SMALL)
        self.mail: MailSource = self.fake
        self.token = AccessToken("at1", frozenset({"Mail.ReadBasic"}))

    def deliver(
        self, how_many: int = 1, *, received: datetime | None = None, is_read: bool = False
    ) -> list[MessageId]:
        last = received or FIRST_RECEIVED + timedelta(days=1)
        return [
            message_id
            for number in range(how_many, 0, -1)
            for message_id in self.fake.deliver_new(
                received=last - timedelta(seconds=number - 1), is_read=is_read
            )
        ]

    def mark(self, ids: list[MessageId], *, is_read: bool) -> None:
        self.fake.mark(ids, is_read=is_read)

    def remove(self, ids: list[MessageId]) -> None:
        self.fake.remove(ids)

    def expire_cursors(self) -> None:
        self.fake.expire_cursors()

    def trouble(self, error: MailSourceError) -> None:
        self.fake.troubles.append(error)


STATUSES = {TokenRejected: 401, MailboxUnavailable: 404, Throttled: 429, ServiceUnavailable: 503}


class SimulatedWorld:
    def __init__(self, rig: Rig) -> None:
        self._cloud = rig.cloud
        self.mail: MailSource = rig.mail
        self.token = rig.token()
        seeded = self.mail.fetch(self.token, INBOX, None, with_count=False)
        self._cloud.delete([entry.id for entry in seeded.entries])
        self._cloud.clear_log()

    def deliver(
        self, how_many: int = 1, *, received: datetime | None = None, is_read: bool = False
    ) -> list[MessageId]:
        ids = self._cloud.deliver(
            count=how_many,
            received=received or FIRST_RECEIVED + timedelta(days=1),
            is_read=is_read,
            subject="Rota",
        )
        return [MessageId(each) for each in ids]

    def mark(self, ids: list[MessageId], *, is_read: bool) -> None:
        self._cloud.mark(ids, is_read=is_read)

    def remove(self, ids: list[MessageId]) -> None:
        self._cloud.delete(ids)

    def expire_cursors(self) -> None:
        self._cloud.drop_sync_state()

    def trouble(self, error: MailSourceError) -> None:
        waits = error.retry_after_s if isinstance(error, Throttled) else None
        fault = Fault(
            status=STATUSES[type(error)],
            headers={"Retry-After": f"{waits:.0f}"} if waits else {},
            body={"error": {"code": "UnknownError", "message": ""}},
        )
        self._cloud.add_fault(fault)


class MailSourceContract:
    """Each subclass provides the ``world``."""

    def test_a_full_round_brings_everything(self, world: World) -> None:
        ids = world.deliver(3)
        read = world.deliver(is_read=True)
        delivery = full(world)
        assert delivery.is_full
        assert delivery.floor is None
        assert {entry.id for entry in delivery.entries} == {*ids, *read}
        messages = {entry.id: entry for entry in delivery.entries if isinstance(entry, Message)}
        assert [messages[each].is_read for each in (*ids, *read)] == [False, False, False, True]
        assert messages[ids[-1]].received == FIRST_RECEIVED + timedelta(days=1)
        assert messages[ids[-1]].subject.startswith("Rota")
        assert messages[ids[-1]].sender_name == "Grace Hopper"
        assert messages[ids[-1]].sender_address == "grace@fabrikam.example"
        assert messages[ids[-1]].web_link.startswith("http")

    def test_a_full_round_counts(self, world: World) -> None:
        world.deliver(3)
        world.deliver(2, is_read=True)
        count = full(world).count
        assert count is not None
        assert (count.unread, count.total) == (3, 5)

    def test_an_empty_folder_is_no_trouble(self, world: World) -> None:
        delivery = full(world)
        assert delivery.entries == ()
        assert delivery.cursor
        assert changes(world, delivery.cursor).entries == ()

    def test_a_full_round_of_a_large_folder_is_bounded(self, world: World) -> None:
        old = world.deliver(7, received=FIRST_RECEIVED)
        new = world.deliver(SMALL)
        delivery = full(world)
        assert {entry.id for entry in delivery.entries} == set(new)
        received = [entry.received for entry in delivery.entries if isinstance(entry, Message)]
        assert delivery.floor is not None
        assert delivery.floor == min(moment for moment in received if moment)
        assert delivery.count is not None
        assert delivery.count.total == len(old) + len(new)

    def test_a_folder_of_just_the_bound_is_whole(self, world: World) -> None:
        world.deliver(SMALL)
        delivery = full(world)
        assert delivery.floor is None
        assert len(delivery.entries) == SMALL

    def test_nothing_new_costs_one_request(self, world: World) -> None:
        world.deliver()
        cursor = full(world).cursor
        for _ in range(3):
            delivery = changes(world, cursor)
            cursor = delivery.cursor
            assert delivery.entries == ()
            assert not delivery.is_full
            assert delivery.count is None
            assert delivery.requests == 1

    def test_only_what_is_new_comes(self, world: World) -> None:
        world.deliver(3)
        cursor = full(world).cursor
        new = world.deliver(2)
        delivery = changes(world, cursor)
        assert [entry.id for entry in delivery.entries] == new
        assert all(isinstance(entry, Message) for entry in delivery.entries)
        assert changes(world, delivery.cursor).entries == ()

    def test_a_change_brings_the_counters(self, world: World) -> None:
        cursor = full(world).cursor
        world.deliver(2)
        delivery = changes(world, cursor)
        assert delivery.count is not None
        assert (delivery.count.unread, delivery.count.total) == (2, 2)
        assert delivery.requests == 2

    def test_the_counters_come_when_asked_for(self, world: World) -> None:
        world.deliver()
        cursor = full(world).cursor
        delivery = world.mail.fetch(world.token, INBOX, cursor, with_count=True)
        assert delivery.entries == ()
        assert delivery.count is not None
        assert delivery.count.unread == 1
        assert delivery.requests == 2

    @pytest.mark.parametrize("is_read", [True, False])
    def test_read_state_comes(self, world: World, is_read: bool) -> None:
        [one, _] = world.deliver(2, is_read=not is_read)
        cursor = full(world).cursor
        world.mark([one], is_read=is_read)
        [entry] = changes(world, cursor).entries
        assert entry.id == one
        assert isinstance(entry, ReadState | Message)
        assert entry.is_read is is_read

    def test_a_removal_comes(self, world: World) -> None:
        [one, _] = world.deliver(2)
        cursor = full(world).cursor
        world.remove([one])
        assert changes(world, cursor).entries == (Removed(one),)

    def test_the_last_entry_of_a_message_holds(self, world: World) -> None:
        cursor = full(world).cursor
        [one] = world.deliver()
        world.mark([one], is_read=True)
        [two] = world.deliver()
        world.remove([two])
        last: dict[MessageId, Entry] = {entry.id: entry for entry in changes(world, cursor).entries}
        found = last[one]
        assert isinstance(found, ReadState | Message)
        assert found.is_read
        assert last.get(two, Removed(two)) == Removed(two)

    def test_an_old_cursor_can_be_used_again(self, world: World) -> None:
        cursor = full(world).cursor
        new = world.deliver()
        for _ in range(2):
            assert [entry.id for entry in changes(world, cursor).entries] == new

    def test_an_expired_cursor_says_so_and_a_full_round_goes_on(self, world: World) -> None:
        world.deliver()
        cursor = full(world).cursor
        world.expire_cursors()
        world.deliver()
        with pytest.raises(CursorExpired):
            changes(world, cursor)
        delivery = full(world)
        assert len(delivery.entries) == 2
        assert changes(world, delivery.cursor).entries == ()

    def test_the_counters_alone(self, world: World) -> None:
        world.deliver(4)
        world.deliver(is_read=True)
        count = world.mail.count(world.token, INBOX)
        assert (count.unread, count.total) == (4, 5)

    def test_lists_the_unread_newest_first(self, world: World) -> None:
        ids = world.deliver(3)
        world.deliver(2, is_read=True, received=FIRST_RECEIVED)
        listed = world.mail.list_unread(world.token, INBOX, since=None, limit=10)
        assert [message.id for message in listed.messages] == ids[::-1]
        assert listed.is_complete
        assert not any(message.is_read for message in listed.messages)

    def test_a_list_of_just_the_limit_is_complete(self, world: World) -> None:
        world.deliver(3)
        listed = world.mail.list_unread(world.token, INBOX, since=None, limit=3)
        assert len(listed.messages) == 3
        assert listed.is_complete

    def test_a_longer_list_is_cut_and_says_so(self, world: World) -> None:
        ids = world.deliver(5)
        listed = world.mail.list_unread(world.token, INBOX, since=None, limit=3)
        assert [message.id for message in listed.messages] == ids[:1:-1]
        assert not listed.is_complete

    def test_a_list_begins_where_asked(self, world: World) -> None:
        world.deliver(2, received=FIRST_RECEIVED)
        ids = world.deliver(2)
        since = FIRST_RECEIVED + timedelta(hours=1)
        listed = world.mail.list_unread(world.token, INBOX, since=since, limit=10)
        assert {message.id for message in listed.messages} == set(ids)
        assert listed.is_complete

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(Throttled("Wait", retry_after_s=7.0), id="throttled"),
            pytest.param(Throttled("Wait"), id="throttled without a word when"),
            pytest.param(ServiceUnavailable("Trouble", retry_after_s=30.0), id="unavailable"),
            pytest.param(TokenRejected("No"), id="token rejected"),
            pytest.param(MailboxUnavailable("None"), id="no mailbox"),
        ],
    )
    def test_trouble_is_told_and_loses_nothing(self, world: World, error: MailSourceError) -> None:
        cursor = full(world).cursor
        new = world.deliver()
        world.trouble(error)
        with pytest.raises(type(error)) as caught:
            changes(world, cursor)
        assert getattr(caught.value, "retry_after_s", None) == getattr(error, "retry_after_s", None)
        assert [entry.id for entry in changes(world, cursor).entries] == new


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


class TestFakeMail(MailSourceContract):
    @pytest.fixture
    def world(self) -> World:
        return FakeWorld()


class TestGraphMail(MailSourceContract):
    @pytest.fixture
    def world(self, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        monkeypatch.setattr(graph_mail, "FIRST_SYNC_MESSAGES", SMALL)
        monkeypatch.setattr(graph_mail, "FIRST_PAGE_SIZE", 6)
        with microsoft_365(simulator) as rig:
            yield SimulatedWorld(rig)


def full(world: World) -> Delivery:
    return world.mail.fetch(world.token, INBOX, None, with_count=False)


def changes(world: World, cursor: Cursor) -> Delivery:
    return world.mail.fetch(world.token, INBOX, cursor, with_count=False)
