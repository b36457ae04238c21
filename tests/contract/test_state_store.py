"""What every state store promises, and what the one on the disk must survive."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtray.adapters.sqlite_state import SET_ASIDE_MAX, SqliteStateStore
from mailtray.core.deeds import Action, Errand, Older
from mailtray.core.errors import StateError
from mailtray.core.model import (
    INBOX,
    AccountId,
    Act,
    Cursor,
    Deed,
    Importance,
    Key,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    Seen,
)
from mailtray.core.peace import Pause
from tests.fakes.state import FakeStateStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mailtray.ports import StateStore

ADA, BOB = AccountId("ada.home"), AccountId("bob.home")
AT = datetime(2026, 3, 2, 6, 0, 0, 123456, tzinfo=UTC)
HELLO = Message(
    id=MessageId("AAMk=1"),
    subject="Hello \N{WAVING HAND SIGN}",
    sender_name="Zoë",
    sender_address="zoe@example.test",
    received=AT,
    web_link="https://outlook.office.com/mail/id/1",
    internet_message_id="<1@example.test>",
)
INVITED = replace(
    HELLO,
    id=MessageId("AAMk=3"),
    importance=Importance.HIGH,
    is_focused=False,
    conversation_id="AAQk=1",
    to=("ada@example.test", "zoë@example.test"),
    cc=("team@example.test",),
    meeting=Meeting(MeetingKind.TENTATIVE, AT),
)
BARE = Message(id=MessageId("AAMk=2"))
ODD = replace(HELLO, id=MessageId("aamk=1"), subject="half a pair \ud83d and \x00", received=None)
FULL = Seen(
    cursor=Cursor("https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages/delta?$x=1"),
    known={Key(1): 1_772_431_200, Key(2**63 - 1): 0},
    floor=AT,
    unread={message.id: message for message in (HELLO, BARE, ODD, INVITED)},
    untold=(BARE, HELLO, INVITED),
    uncovered_unread=7,
    told=frozenset({HELLO.id, ODD.id}),
    unlooked=frozenset({BARE.id, ODD.id}),
    is_baseline=False,
)
LESS = replace(
    FULL,
    known={Key(1): 5},
    floor=None,
    unread={BARE.id: BARE},
    untold=(BARE,),
    unlooked=frozenset({BARE.id, HELLO.id}),
)
OTHER_ORDER = replace(FULL, untold=(INVITED, HELLO, BARE))
LESS_TELLING = replace(FULL, untold=(replace(INVITED, meeting=Meeting(MeetingKind.REQUEST)), BARE))
CHANGED = replace(FULL, unread={HELLO.id: replace(HELLO, subject="Hello again")})
EMPTIED = replace(FULL, known={}, unread={}, untold=(), told=frozenset(), cursor=None)
LOOKED_AT = replace(FULL, unlooked=frozenset())


_MOVED = Deed(Act.MOVE, HELLO.id, "team@fabrikam.example:AAf=", "archive")
_MARKED = Deed(Act.MARK_READ, INVITED.id)
ERRANDS = (
    Errand(Action.ARCHIVE, (_MOVED,), "Half an emoji \ud83d", tries=2),
    Errand(
        Action.MARK_ALL_READ,
        (_MARKED,),
        older=(Older(INBOX, AT),),
        done=(_MOVED,),
        undone=(replace(_MARKED, act=Act.MARK_UNREAD),),
    ),
)


class StateStoreContract:
    """Each subclass provides the fixture ``store``, empty."""

    def test_knows_nothing_at_first(self, store: StateStore) -> None:
        assert store.load(ADA, INBOX) == Seen()

    @pytest.mark.parametrize(
        "after", [FULL, LESS, LESS_TELLING, OTHER_ORDER, CHANGED, EMPTIED, LOOKED_AT, Seen()]
    )
    @pytest.mark.parametrize("before", [Seen(), FULL, LESS])
    def test_gives_back_what_was_saved_last(
        self, store: StateStore, before: Seen, after: Seen
    ) -> None:
        store.save(ADA, INBOX, before)
        store.save(ADA, INBOX, after)
        assert store.load(ADA, INBOX) == after

    def test_forgets_previews(self, store: StateStore) -> None:
        long = replace(HELLO, preview="The body begins here")
        store.save(ADA, INBOX, replace(FULL, unread={long.id: long}, untold=(long,)))
        seen = store.load(ADA, INBOX)
        assert (seen.unread, seen.untold) == ({HELLO.id: HELLO}, (HELLO,))

    def test_accounts_and_folders_stand_alone(self, store: StateStore) -> None:
        store.save(ADA, INBOX, FULL)
        store.save(ADA, "archive", LESS)
        store.save(BOB, INBOX, CHANGED)
        store.forget(ADA)
        assert store.load(ADA, INBOX) == store.load(ADA, "archive") == Seen()
        assert store.load(BOB, INBOX) == CHANGED

    def test_only_folders_still_watched_are_remembered(self, store: StateStore) -> None:
        for folder in (INBOX, "AAMk1", "team@contoso.com:inbox"):
            store.save(ADA, folder, FULL)
        store.save(BOB, "AAMk1", LESS)
        store.keep_only(ADA, (INBOX, "team@contoso.com:inbox"))
        assert store.load(ADA, INBOX) == store.load(ADA, "team@contoso.com:inbox") == FULL
        assert store.load(ADA, "AAMk1") == Seen()
        assert store.load(BOB, "AAMk1") == LESS

    def test_can_be_filled_again_after_forgetting(self, store: StateStore) -> None:
        store.save(ADA, INBOX, FULL)
        store.forget(ADA)
        store.save(ADA, INBOX, FULL)
        assert store.load(ADA, INBOX) == FULL

    def test_forgetting_nothing_is_no_error(self, store: StateStore) -> None:
        store.forget(ADA)

    @pytest.mark.parametrize("after", [None, Pause(), Pause(AT)])
    @pytest.mark.parametrize("before", [None, Pause(), Pause(AT + timedelta(hours=1))])
    def test_gives_back_the_last_pause(
        self, store: StateStore, before: Pause | None, after: Pause | None
    ) -> None:
        assert store.load_pause() is None
        store.save_pause(before)
        store.save(ADA, INBOX, FULL)
        store.save_pause(after)
        store.forget(ADA)
        assert store.load_pause() == after

    def test_gives_back_what_is_to_be_done(self, store: StateStore) -> None:
        assert store.load_errands(ADA) == ()
        store.save_errands(ADA, ERRANDS)
        store.save_errands(BOB, ERRANDS[:1])
        assert store.load_errands(ADA) == ERRANDS
        store.save_errands(ADA, ERRANDS[1:])
        assert store.load_errands(ADA) == ERRANDS[1:]
        store.keep_only(ADA, [])
        assert store.load_errands(ADA) == ERRANDS[1:]
        store.forget(ADA)
        assert (store.load_errands(ADA), store.load_errands(BOB)) == ((), ERRANDS[:1])


class TestFakeStateStore(StateStoreContract):
    @pytest.fixture
    def store(self) -> StateStore:
        return FakeStateStore()


class TestSqliteStateStore(StateStoreContract):
    @pytest.fixture
    def store(self, path: Path) -> Iterator[StateStore]:
        with closing(SqliteStateStore(path)) as store:
            yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


def _loaded(path: Path) -> Seen:
    with closing(SqliteStateStore(path)) as store:
        return store.load(ADA, INBOX)


def _save(path: Path, *states: Seen) -> None:
    with closing(SqliteStateStore(path)) as store:
        for seen in states:
            store.save(ADA, INBOX, seen)


any_text = st.text(st.characters(exclude_categories=()), max_size=40)
any_time = st.none() | st.datetimes(timezones=st.just(UTC))
messages = st.builds(
    Message,
    id=any_text.map(MessageId),
    subject=any_text,
    sender_name=any_text,
    sender_address=any_text,
    received=any_time,
    is_read=st.booleans(),
    web_link=any_text,
    internet_message_id=any_text,
    importance=st.sampled_from(Importance),
    is_focused=st.booleans(),
    conversation_id=any_text,
    to=st.lists(any_text, max_size=3).map(tuple),
    cc=st.lists(any_text, max_size=3).map(tuple),
    meeting=st.none() | st.builds(Meeting, st.sampled_from(MeetingKind), any_time),
)
states = st.builds(
    Seen,
    cursor=st.none() | any_text.map(Cursor),
    known=st.dictionaries(
        st.integers(0, 2**63 - 1).map(Key), st.integers(-(2**40), 2**40), max_size=5
    ),
    floor=any_time,
    unread=st.lists(messages, max_size=4).map(lambda them: {one.id: one for one in them}),
    untold=st.lists(messages, max_size=4, unique_by=lambda one: one.id).map(tuple),
    uncovered_unread=st.integers(0, 10_000),
    told=st.frozensets(any_text.map(MessageId), max_size=4),
    unlooked=st.frozensets(any_text.map(MessageId), max_size=4),
    is_baseline=st.booleans(),
)


@given(st.lists(states, min_size=1, max_size=3))
def test_any_state_survives_the_disk(
    tmp_path_factory: pytest.TempPathFactory, them: list[Seen]
) -> None:
    path = tmp_path_factory.mktemp("home") / "state.db"
    for seen in them:
        _save(path, seen)
        assert _loaded(path) == seen


def test_a_restart_finds_the_state(path: Path) -> None:
    _save(path, FULL, CHANGED)
    assert _loaded(path) == CHANGED


VERSION_2 = """
PRAGMA auto_vacuum = FULL;
CREATE TABLE folder (
  id INTEGER PRIMARY KEY,
  account BLOB NOT NULL,
  name BLOB NOT NULL,
  cursor BLOB,
  floor_us INTEGER,
  uncovered_unread INTEGER NOT NULL,
  is_baseline INTEGER NOT NULL,
  UNIQUE (account, name)
);
CREATE TABLE known (
  folder INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  key INTEGER NOT NULL,
  received_s INTEGER NOT NULL,
  PRIMARY KEY (folder, key)
) WITHOUT ROWID;
CREATE TABLE told (
  folder INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  id BLOB NOT NULL,
  PRIMARY KEY (folder, id)
) WITHOUT ROWID;
CREATE TABLE message (
  folder INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('unread', 'untold')),
  id BLOB NOT NULL,
  position INTEGER NOT NULL,
  subject BLOB NOT NULL,
  sender_name BLOB NOT NULL,
  sender_address BLOB NOT NULL,
  received_us INTEGER,
  is_read INTEGER NOT NULL,
  web_link BLOB NOT NULL,
  internet_message_id BLOB NOT NULL,
  PRIMARY KEY (folder, role, id)
) WITHOUT ROWID;
CREATE TABLE pause (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  until_us INTEGER
);
INSERT INTO folder VALUES
  (1, CAST('ada.home' AS BLOB), CAST('inbox' AS BLOB), CAST('https://x' AS BLOB), NULL, 7, 0);
INSERT INTO known VALUES (1, 1, 1772431200), (1, 9223372036854775807, 0);
INSERT INTO told VALUES (1, CAST('AAMk=1' AS BLOB));
INSERT INTO message VALUES
  (1, 'unread', CAST('AAMk=1' AS BLOB), 0, CAST('Hello' AS BLOB), CAST('Zoë' AS BLOB),
   CAST('zoe@example.test' AS BLOB), 1772431200123456, 0, x'', CAST('<1@example.test>' AS BLOB)),
  (1, 'untold', CAST('AAMk=2' AS BLOB), 0, x'', x'', x'', NULL, 0, x'', x'');
INSERT INTO pause VALUES (1, 1772431200123456);
PRAGMA application_id = 1836348025;
PRAGMA user_version = 2;
"""
"""A file as the second version made it."""
OF_VERSION_2 = Seen(
    # It was made for fewer properties of messages than are asked for now.
    cursor=None,
    known=FULL.known,
    unread={
        HELLO.id: Message(
            id=HELLO.id,
            subject="Hello",
            sender_name="Zoë",
            sender_address="zoe@example.test",
            received=AT,
            internet_message_id="<1@example.test>",
        )
    },
    untold=(BARE,),
    uncovered_unread=7,
    told=frozenset({HELLO.id}),
    is_baseline=False,
)


@pytest.mark.parametrize(
    ("made", "pause"),
    [
        pytest.param(VERSION_2, Pause(AT), id="2"),
        pytest.param(VERSION_2 + "DROP TABLE pause; PRAGMA user_version = 1;", None, id="1"),
    ],
)
def test_a_file_of_an_older_version_is_taken_over(
    path: Path, made: str, pause: Pause | None
) -> None:
    path.parent.mkdir()
    _change(path, made)
    with closing(SqliteStateStore(path)) as store:
        assert store.load(ADA, INBOX) == OF_VERSION_2
        assert (store.load_pause(), store.load_errands(ADA)) == (pause, ())
        store.save(ADA, INBOX, FULL)
        store.save_pause(Pause(AT))
        assert store.set_aside is None
    with closing(SqliteStateStore(path)) as store:
        assert (store.load(ADA, INBOX), store.load_pause()) == (FULL, Pause(AT))


def test_a_pause_of_another_kind_is_damage(path: Path) -> None:
    with closing(SqliteStateStore(path)) as store:
        store.save_pause(Pause(AT))
    _change(path, "UPDATE pause SET until_us = 'x'")
    with closing(SqliteStateStore(path)) as store:
        assert store.load_pause() is None
        assert store.set_aside is not None


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"action":"burn"}', '{"action":"archive","deeds":[{"act":"move"}]}'],
)
def test_a_wish_of_another_kind_is_damage(path: Path, content: str) -> None:
    with closing(SqliteStateStore(path)) as store:
        store.save_errands(ADA, ERRANDS)
    _change(path, f"UPDATE errand SET content = CAST('{content}' AS BLOB)")  # noqa: S608 - a table above
    with closing(SqliteStateStore(path)) as store:
        assert store.load_errands(ADA) == ()
        assert store.set_aside is not None


def test_what_was_done_is_overwritten(path: Path) -> None:
    with closing(SqliteStateStore(path)) as store:
        store.save_errands(ADA, [replace(ERRANDS[0], subject="Quarterly figures")])
        assert b"Quarterly figures" in path.read_bytes()
        store.save_errands(ADA, [])
        assert b"Quarterly figures" not in path.read_bytes()


def test_times_of_another_zone_are_the_same_moments(path: Path) -> None:
    _save(path, replace(Seen(), floor=AT.astimezone(timezone(timedelta(hours=5)))))
    assert _loaded(path).floor == AT


# -- the file ------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_file_and_folder_are_for_their_owner_alone(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with closing(SqliteStateStore(path)) as store:
            store.save(ADA, INBOX, FULL)
            modes = {p.name: p.stat().st_mode & 0o777 for p in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}


def test_nothing_is_made_before_the_first_call(path: Path) -> None:
    SqliteStateStore(path).close()
    assert not path.parent.exists()


def test_what_is_deleted_is_overwritten(path: Path) -> None:
    secret = replace(HELLO, subject="Quarterly figures", preview="Dear all")
    with closing(SqliteStateStore(path)) as store:
        store.save(ADA, INBOX, replace(FULL, unread={secret.id: secret}))
        before = path.read_bytes()
        assert b"Quarterly figures" in before
        assert b"Dear all" not in before
        store.save(ADA, INBOX, LESS)
        assert b"Quarterly figures" not in path.read_bytes()


def test_a_file_of_many_messages_shrinks_when_they_go(path: Path) -> None:
    many = {Key(n): n for n in range(6_000)}
    with closing(SqliteStateStore(path)) as store:
        store.save(ADA, INBOX, replace(FULL, known=many))
        full_bytes = path.stat().st_size
        store.save(ADA, INBOX, FULL)
        assert path.stat().st_size < full_bytes / 2
    assert full_bytes < 1_000_000


def test_saving_what_is_stored_writes_nothing(path: Path) -> None:
    with closing(SqliteStateStore(path)) as store:
        store.save(ADA, INBOX, FULL)
        writes = _watch_writes(store)
        store.save(ADA, INBOX, FULL)
        store.save(ADA, INBOX, replace(FULL, known=dict(FULL.known)))
        assert writes == []


def test_only_what_differs_is_written(path: Path) -> None:
    many = {Key(n): n for n in range(6_000)}
    with closing(SqliteStateStore(path)) as store:
        store.save(ADA, INBOX, replace(FULL, known=many))
    with closing(SqliteStateStore(path)) as store:
        seen = store.load(ADA, INBOX)
        writes = _watch_writes(store)
        store.save(ADA, INBOX, replace(seen, known={**seen.known, Key(6_000): 1}))
        store.save(ADA, INBOX, replace(seen, unread=_without(seen.unread, HELLO.id)))
    assert [text.split()[:3] for text in writes if "known" in text] == [
        ["INSERT", "OR", "REPLACE"],
        ["DELETE", "FROM", "known"],
    ]
    assert [text.split()[0] for text in writes if "message" in text] == ["DELETE"]


def _without(
    messages: Mapping[MessageId, Message], message_id: MessageId
) -> dict[MessageId, Message]:
    return {each: message for each, message in messages.items() if each != message_id}


def _watch_writes(store: SqliteStateStore) -> list[str]:
    writes: list[str] = []
    assert store._open is not None

    def note(statement: str) -> None:
        if statement.startswith(("INSERT", "DELETE", "UPDATE", "BEGIN")):
            writes.append(statement)

    store._open.set_trace_callback(note)
    return writes


# -- damage --------------------------------------------------------------------------------------


def _overwrite(path: Path, at: int, raw: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(raw)


def _change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(statement)


def _other_program(path: Path) -> None:
    path.unlink()
    _change(path, "CREATE TABLE folder (x); PRAGMA user_version = 1")


DAMAGES = [
    pytest.param(lambda p: p.write_bytes(b"not a database" * 500), id="no database"),
    pytest.param(lambda p: p.write_bytes(p.read_bytes()[:5_000]), id="cut short"),
    pytest.param(lambda p: _overwrite(p, 4_096, b"\xff" * 4_096), id="a page overwritten"),
    pytest.param(lambda p: _change(p, "PRAGMA user_version = 99"), id="a newer version's"),
    pytest.param(_other_program, id="another program's"),
    pytest.param(lambda p: _change(p, "UPDATE folder SET floor_us = 'x'"), id="no number"),
    pytest.param(
        lambda p: _change(p, "UPDATE folder SET floor_us = 4611686018427387904"), id="no time"
    ),
    pytest.param(lambda p: _change(p, "UPDATE message SET subject = 5"), id="no text"),
    pytest.param(lambda p: _change(p, "UPDATE message SET details = 5"), id="no details"),
    pytest.param(lambda p: _change(p, "UPDATE message SET details = '[]'"), id="other details"),
    pytest.param(
        lambda p: _change(p, """UPDATE message SET details = '{"meeting":["x",1]}'"""),
        id="no meeting",
    ),
    pytest.param(
        lambda p: _change(p, """UPDATE message SET details = '{"later":1}'"""),
        id="details of a later version",
    ),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_unreadable_file_is_kept_aside_and_a_fresh_one_is_made(
    path: Path, damage: Callable[[Path], object]
) -> None:
    _save(path, FULL)
    damage(path)
    damaged = path.read_bytes()
    with closing(SqliteStateStore(path)) as store:
        assert store.load(ADA, INBOX) == Seen()
        assert store.set_aside == path.with_name("state.db.bad-1")
        assert store.set_aside.read_bytes() == damaged
        store.save(ADA, INBOX, LESS)
    assert _loaded(path) == LESS


def test_a_file_that_breaks_while_in_use_is_replaced_whole(path: Path) -> None:
    with closing(SqliteStateStore(path)) as store:
        store.save(ADA, INBOX, FULL)
        _overwrite(path, 0, b"\x00" * 40_000)
        store.save(ADA, INBOX, CHANGED)
        assert store.set_aside is not None
    assert _loaded(path) == CHANGED


def test_unreadable_files_do_not_pile_up(path: Path) -> None:
    for n in range(SET_ASIDE_MAX + 2):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"damage {n}".encode() * 100)
        _save(path, FULL)
    aside = sorted(p.name for p in path.parent.iterdir() if p.name[-6:-1] == ".bad-")
    assert aside == [f"state.db.bad-{n}" for n in range(1, SET_ASIDE_MAX + 1)]


def test_forgetting_an_account_forgets_unreadable_files_too(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"Subject: secret" * 100)
    with closing(SqliteStateStore(path)) as store:
        store.load(ADA, INBOX)
        store.forget(ADA)
    assert not [p for p in path.parent.iterdir() if "bad" in p.name]


def test_a_whole_file_is_not_set_aside(path: Path) -> None:
    _save(path, FULL)
    with closing(SqliteStateStore(path)) as store:
        store.load(ADA, INBOX)
        assert store.set_aside is None


# -- trouble -------------------------------------------------------------------------------------


def test_a_file_in_another_programs_hands_keeps_what_was_saved(path: Path) -> None:
    with closing(SqliteStateStore(path)) as store:
        store.save(ADA, INBOX, FULL)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StateError) as caught:
                store.save(ADA, INBOX, CHANGED)
            assert str(path.parent) in caught.value.hint
        assert store.load(ADA, INBOX) == FULL
        store.save(ADA, INBOX, CHANGED)
        assert store.set_aside is None
    assert _loaded(path) == CHANGED


def test_a_full_disk_keeps_what_was_saved(path: Path) -> None:
    much = replace(FULL, known={Key(n): n for n in range(6_000)})
    with closing(SqliteStateStore(path)) as store:
        store.save(ADA, INBOX, FULL)
        assert store._open is not None
        store._open.execute("PRAGMA max_page_count = 1").fetchall()
        with pytest.raises(StateError):
            store.save(ADA, INBOX, much)
        store._open.execute("PRAGMA max_page_count = 100000").fetchall()
        assert store.load(ADA, INBOX) == FULL
        store.save(ADA, INBOX, much)
        assert store.load(ADA, INBOX) == much


@pytest.mark.parametrize("call", ["load", "save", "forget"])
def test_a_folder_that_cannot_be_made_is_a_state_error(tmp_path: Path, call: str) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    store = SqliteStateStore(tmp_path / "file" / "state.db")
    calls: dict[str, Callable[[], object]] = {
        "load": lambda: store.load(ADA, INBOX),
        "save": lambda: store.save(ADA, INBOX, FULL),
        "forget": lambda: store.forget(ADA),
    }
    with pytest.raises(StateError):
        calls[call]()


# -- a killed process ----------------------------------------------------------------------------

_SAVING = """
import sys
from pathlib import Path
from mailtray.adapters.sqlite_state import SqliteStateStore
from mailtray.core.model import (
    INBOX,
    AccountId,
    Cursor,
    Importance,
    Key,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    Seen,
)
store = SqliteStateStore(Path(sys.argv[1]))
n = 0
while True:
    n += 1
    ids = [MessageId(f"{n}-{m}") for m in range(40)]
    seen = Seen(
        cursor=Cursor(str(n)),
        known={Key(n * 1_000 + k): n for k in range(200)},
        unread={i: Message(i, subject=str(n)) for i in ids},
        told=frozenset(ids),
        is_baseline=False,
    )
    store.save(AccountId("ada.home"), INBOX, seen)
    print(n, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize("saves", [1, 2, 5, 9, 14])
def test_a_killed_process_leaves_the_last_state_or_the_next_one(path: Path, saves: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _SAVING, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        for _ in range(saves):
            told = int(process.stdout.readline())
        process.kill()
        told = max([told, *map(int, process.stdout.read().split())])
    process.wait(timeout=10)
    with closing(SqliteStateStore(path)) as store:
        seen = store.load(ADA, INBOX)
        assert store.set_aside is None
    n = int(seen.cursor or 0)
    assert n in {told, told + 1}
    assert set(seen.known) == {Key(n * 1_000 + k) for k in range(200)}
    assert {message.subject for message in seen.unread.values()} == {str(n)}
    assert seen.told == frozenset(seen.unread)
