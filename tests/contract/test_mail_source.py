"""What every mail source does, the fake and Graph's alike."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from mailtray.adapters import graph_mail
from mailtray.core import folders
from mailtray.core.errors import (
    CursorExpired,
    MailboxUnavailable,
    MailSourceError,
    MessageGone,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
)
from mailtray.core.model import (
    INBOX,
    AccessToken,
    Act,
    Deed,
    Delivery,
    Entry,
    FolderPlace,
    Importance,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    ReadState,
    Removed,
)
from mailtray.simulator import Fault, Simulator
from tests.adapters.rig import ADA, Rig, microsoft_365
from tests.fakes.mail import FIRST_RECEIVED, FakeMail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mailtray.core.model import Cursor
    from mailtray.ports import MailSource

SMALL = 20
"""How many messages the full rounds of these tests cover."""
TEAM = "team@contoso.example"
STARTS = FIRST_RECEIVED + timedelta(days=2)
INVITATION = Message(
    MessageId("invitation"),
    subject="Shall we meet?",
    received=FIRST_RECEIVED,
    importance=Importance.HIGH,
    is_focused=False,
    conversation_id="AAQk1",
    to=(ADA, TEAM),
    cc=("bo@contoso.example",),
    meeting=Meeting(MeetingKind.REQUEST, STARTS),
)
DETAILS = ("subject", "importance", "is_focused", "conversation_id", "to", "cc", "meeting")
SCOPES = ["Mail.ReadWrite", "Mail.ReadWrite.Shared"]


class World(Protocol):
    """A mail source and the mailbox behind it, its Inbox empty at first."""

    mail: MailSource
    token: AccessToken

    def deliver(
        self,
        how_many: int = 1,
        *,
        received: datetime | None = None,
        is_read: bool = False,
        folder: str = INBOX,
    ) -> list[MessageId]:
        """Put new messages into a folder, at different times, the last at ``received``."""
        ...

    def deliver_invitation(self) -> MessageId:
        """Put ``INVITATION`` into the Inbox; returns its id."""
        ...

    def add_folder(self, name: str, *, parent: str = "") -> str:
        """Make a folder within the one of a key, or at the top; returns its key."""
        ...

    def share(self, mailbox: str) -> None:
        """Share a mailbox with the person."""

    def refuse(self, message_id: MessageId, error: MailSourceError) -> None:
        """Do nothing to a message, for this reason."""

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
        self.token = AccessToken("at1", frozenset(SCOPES))

    def deliver(
        self,
        how_many: int = 1,
        *,
        received: datetime | None = None,
        is_read: bool = False,
        folder: str = INBOX,
    ) -> list[MessageId]:
        last = received or FIRST_RECEIVED + timedelta(days=1)
        return [
            message_id
            for number in range(how_many, 0, -1)
            for message_id in self.fake.deliver_new(
                received=last - timedelta(seconds=number - 1), is_read=is_read, folder=folder
            )
        ]

    def deliver_invitation(self) -> MessageId:
        self.fake.deliver(INVITATION)
        return INVITATION.id

    def add_folder(self, name: str, *, parent: str = "") -> str:
        return self.fake.add_folder(name, parent=parent)

    def share(self, mailbox: str) -> None:
        self.fake.add_mailbox(mailbox)

    def refuse(self, message_id: MessageId, error: MailSourceError) -> None:
        self.fake.refusals[message_id] = error

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
        self.token = rig.token(SCOPES)
        seeded = self.mail.fetch(self.token, INBOX, None, with_count=False)
        self._cloud.delete([entry.id for entry in seeded.entries])
        self._cloud.clear_log()

    def deliver(
        self,
        how_many: int = 1,
        *,
        received: datetime | None = None,
        is_read: bool = False,
        folder: str = INBOX,
    ) -> list[MessageId]:
        mailbox, folder_id = folders.split(folder)
        ids = self._cloud.deliver(
            mailbox or None,
            count=how_many,
            received=received or FIRST_RECEIVED + timedelta(days=1),
            is_read=is_read,
            subject="Rota",
            folder=folder_id,
        )
        return [MessageId(each) for each in ids]

    def deliver_invitation(self) -> MessageId:
        (message_id,) = self._cloud.deliver(
            subject=INVITATION.subject,
            importance="high",
            inference_classification="other",
            conversation_id=INVITATION.conversation_id,
            to=["Ada@contoso.example", TEAM],
            cc=["Bo@contoso.example"],
            meeting="meetingRequest",
            starts=STARTS,
        )
        return MessageId(message_id)

    def add_folder(self, name: str, *, parent: str = "") -> str:
        return self._cloud.add_folder(name, parent=parent or "msgfolderroot")

    def share(self, mailbox: str) -> None:
        self._cloud.add_account(mailbox, "Team")
        self._cloud.share_mailbox(mailbox, reader=ADA)

    def refuse(self, message_id: MessageId, error: MailSourceError) -> None:
        self.trouble(error, path=re.escape(message_id))

    def mark(self, ids: list[MessageId], *, is_read: bool) -> None:
        self._cloud.mark(ids, is_read=is_read)

    def remove(self, ids: list[MessageId]) -> None:
        self._cloud.delete(ids)

    def expire_cursors(self) -> None:
        self._cloud.drop_sync_state()

    def trouble(self, error: MailSourceError, *, path: str = "") -> None:
        waits = error.retry_after_s if isinstance(error, Throttled) else None
        fault = Fault(
            path=path,
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

    # --- what a message tells of itself

    def test_ordinary_mail_is_nothing_special(self, world: World) -> None:
        world.deliver()
        [message] = full(world).entries
        assert isinstance(message, Message)
        assert (message.importance, message.is_focused) == (Importance.NORMAL, True)
        assert message.meeting is None

    def test_an_invitation_and_its_details(self, world: World) -> None:
        cursor = full(world).cursor
        message_id = world.deliver_invitation()
        listed = world.mail.list_unread(world.token, INBOX, since=None, limit=1).messages
        for [found] in (changes(world, cursor).entries, full(world).entries, listed):
            assert isinstance(found, Message)
            assert found.id == message_id
            assert [getattr(found, name) for name in DETAILS] == [
                getattr(INVITATION, name) for name in DETAILS
            ]

    # --- folders

    def test_the_folders_of_a_mailbox(self, world: World) -> None:
        projects = world.add_folder("Reports")
        alpha = world.add_folder("Alpha", parent=projects)
        deep = world.add_folder("Deep", parent=alpha)
        world.deliver(2, folder=deep)
        world.deliver(is_read=True, folder=deep)
        places = world.mail.folders(world.token, "")
        paths = [place.path for place in places]
        assert {"Inbox", "Archive"} < set(paths)
        assert paths.index("Reports") < paths.index("Reports/Alpha")
        assert FolderPlace(deep, "Reports/Alpha/Deep", unread=2, total=3) in places
        assert len({place.key for place in places}) == len(places)

    def test_a_folder_found_is_one_that_can_be_watched(self, world: World) -> None:
        world.add_folder("Übersicht 日本")
        place = folders.find(folders.parse_wish("übersicht 日本"), places(world))
        assert place is not None
        ids = world.deliver(2, folder=place.key)
        delivery = world.mail.fetch(world.token, place.key, None, with_count=False)
        assert {entry.id for entry in delivery.entries} == set(ids)
        new = world.deliver(folder=place.key)
        world.deliver()
        delivery = world.mail.fetch(world.token, place.key, delivery.cursor, with_count=True)
        assert [entry.id for entry in delivery.entries] == new
        assert delivery.count is not None
        assert delivery.count.unread == 3

    def test_a_count_tells_which_folder_of_the_tree_it_is_of(self, world: World) -> None:
        world.share(TEAM)
        for mailbox in ("", TEAM):
            (inbox,) = [place for place in places(world, mailbox) if place.path == "Inbox"]
            found = world.mail.count(world.token, folders.key(mailbox, INBOX)).folder_id
            assert folders.key(mailbox, found) == inbox.key

    def test_more_folders_than_a_page_holds(self, world: World) -> None:
        keys = {world.add_folder(f"F{number:03}") for number in range(130)}
        assert keys <= {place.key for place in places(world)}

    def test_a_shared_mailbox_is_watched_like_ones_own(self, world: World) -> None:
        world.share(TEAM)
        (inbox, *others) = [
            place for place in places(world, TEAM) if place.path in {"Inbox", "Archive"}
        ]
        assert {folders.split(place.key)[0] for place in (inbox, *others)} == {TEAM}
        shared = folders.key(TEAM, INBOX)
        cursor = world.mail.fetch(world.token, shared, None, with_count=False).cursor
        world.deliver()
        ids = world.deliver(2, folder=shared)
        delivery = world.mail.fetch(world.token, shared, cursor, with_count=True)
        assert [entry.id for entry in delivery.entries] == ids
        assert world.mail.count(world.token, shared).unread == 2
        listed = world.mail.list_unread(world.token, shared, since=None, limit=9)
        assert {message.id for message in listed.messages} == set(ids)

    # --- deeds

    @pytest.mark.parametrize("act", [Act.MARK_READ, Act.MARK_UNREAD])
    @pytest.mark.parametrize("how_many", [1, 3])
    def test_messages_are_marked(self, world: World, act: Act, how_many: int) -> None:
        is_read = act is Act.MARK_READ
        ids = world.deliver(how_many, is_read=not is_read)
        cursor = full(world).cursor
        for _ in range(2):
            outcomes = world.mail.do(world.token, [Deed(act, each) for each in ids])
            assert outcomes == (None,) * how_many
        assert world.mail.count(world.token, INBOX).unread == (0 if is_read else how_many)
        last = {entry.id: entry for entry in changes(world, cursor).entries}
        assert {each: getattr(last[each], "is_read", None) for each in ids} == dict.fromkeys(
            ids, is_read
        )

    @pytest.mark.parametrize("how_many", [1, 3])
    @pytest.mark.parametrize("to", ["archive", "a folder of theirs"])
    def test_messages_are_moved(self, world: World, how_many: int, to: str) -> None:
        ids = world.deliver(how_many)
        to = to if to == "archive" else world.add_folder("Done")
        cursor = full(world).cursor
        for _ in range(2):
            deeds = [Deed(Act.MOVE, each, destination=to) for each in ids]
            assert world.mail.do(world.token, deeds) == (None,) * how_many
        assert set(changes(world, cursor).entries) == {Removed(each) for each in ids}
        there = world.mail.list_unread(world.token, to, since=None, limit=9)
        assert {message.id for message in there.messages} == set(ids)

    def test_a_moved_message_is_reached_where_it_was(self, world: World) -> None:
        [one] = world.deliver()
        world.mail.do(world.token, [Deed(Act.MOVE, one, destination="archive")])
        assert world.mail.do(world.token, [Deed(Act.MARK_READ, one)]) == (None,)
        assert world.mail.do(world.token, [Deed(Act.MOVE, one, destination=INBOX)]) == (None,)
        assert world.mail.count(world.token, INBOX).unread == 0
        assert world.mail.count(world.token, INBOX).total == 1

    def test_two_things_done_to_one_message(self, world: World) -> None:
        [one] = world.deliver()
        deeds = [Deed(Act.MARK_READ, one), Deed(Act.MOVE, one, destination="archive")]
        assert world.mail.do(world.token, deeds) == (None, None)
        archive = world.mail.fetch(world.token, "archive", None, with_count=False)
        moved = next(entry for entry in archive.entries if entry.id == one)
        assert isinstance(moved, Message)
        assert moved.is_read

    def test_many_deeds(self, world: World) -> None:
        ids = world.deliver(45)
        outcomes = world.mail.do(world.token, [Deed(Act.MARK_READ, each) for each in ids])
        assert outcomes == (None,) * 45
        assert world.mail.count(world.token, INBOX).unread == 0

    def test_no_deeds(self, world: World) -> None:
        assert world.mail.do(world.token, []) == ()

    def test_a_message_that_is_gone(self, world: World) -> None:
        [one, other] = world.deliver(2)
        gone = MessageId("AAMkgone/+=")
        (alone,) = world.mail.do(world.token, [Deed(Act.MARK_READ, gone)])
        assert isinstance(alone, MessageGone)
        among = world.mail.do(world.token, [Deed(Act.MARK_READ, each) for each in (one, gone)])
        assert among[0] is None
        assert isinstance(among[1], MessageGone)
        (moved,) = world.mail.do(world.token, [Deed(Act.MOVE, gone, destination="archive")])
        assert isinstance(moved, MessageGone)
        assert world.mail.count(world.token, INBOX).unread == len([other])

    @pytest.mark.parametrize("how_many", [1, 2])
    def test_a_destination_that_is_gone(self, world: World, how_many: int) -> None:
        ids = world.deliver(how_many)
        deeds = [Deed(Act.MOVE, each, destination="AAMkgone") for each in ids]
        for outcome in world.mail.do(world.token, deeds):
            assert isinstance(outcome, MailboxUnavailable)
        assert world.mail.count(world.token, INBOX).unread == how_many

    def test_a_message_of_a_shared_mailbox(self, world: World) -> None:
        world.share(TEAM)
        shared = folders.key(TEAM, INBOX)
        [one] = world.deliver(folder=shared)
        elsewhere = world.mail.do(world.token, [Deed(Act.MARK_READ, one)])
        assert isinstance(elsewhere[0], MessageGone)
        [mine] = world.deliver()
        deeds = [
            Deed(Act.MOVE, one, folder=shared, destination="archive"),
            Deed(Act.MOVE, mine, destination="archive"),
        ]
        assert world.mail.do(world.token, deeds) == (None, None)
        assert world.mail.count(world.token, folders.key(TEAM, "archive")).unread == 1
        assert world.mail.count(world.token, shared).unread == 0

    @pytest.mark.parametrize(
        "error", [Throttled("Wait", retry_after_s=7.0), ServiceUnavailable("Trouble")]
    )
    def test_what_is_not_done_among_others(self, world: World, error: Throttled) -> None:
        ids = world.deliver(3)
        world.refuse(ids[1], error)
        outcomes = world.mail.do(world.token, [Deed(Act.MARK_READ, each) for each in ids])
        assert (outcomes[0], outcomes[2]) == (None, None)
        assert type(outcomes[1]) is type(error)
        assert getattr(outcomes[1], "retry_after_s", None) == error.retry_after_s
        assert world.mail.count(world.token, INBOX).unread == 1

    @pytest.mark.parametrize("how_many", [1, 2])
    @pytest.mark.parametrize(
        "error", [Throttled("Wait", retry_after_s=7.0), TokenRejected("No"), ServiceUnavailable("")]
    )
    def test_deeds_in_trouble(self, world: World, how_many: int, error: MailSourceError) -> None:
        ids = world.deliver(how_many)
        world.trouble(error)
        with pytest.raises(type(error)) as caught:
            world.mail.do(world.token, [Deed(Act.MARK_READ, each) for each in ids])
        assert getattr(caught.value, "retry_after_s", None) == getattr(error, "retry_after_s", None)
        assert world.mail.count(world.token, INBOX).unread == how_many


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


def places(world: World, mailbox: str = "") -> tuple[FolderPlace, ...]:
    return world.mail.folders(world.token, mailbox)
