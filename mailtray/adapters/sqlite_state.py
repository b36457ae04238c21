"""What the person was told, kept in one SQLite file.

On the disk, for each account and folder: the cursor, a 63-bit digest of every message met, the
ids that have a notification or came since the person last looked, and what is told of each
message that is unread (sender, recipients, subject, link), since the menu and the rules need it
after a restart; and what the person wants done and is not done yet. Never a body, nor its preview.
The file is for its owner alone (0600), and what is deleted from it is overwritten.

Rollback journal, truncated, and full synchronisation: one small transaction a poll does not
need more speed, and so the state is one file at rest that also works on a network home, and
survives a killed process and a lost battery with the last poll in it.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from mailtray.adapters.private_files import make_private_folder, open_private
from mailtray.core.deeds import Action, Errand, Older
from mailtray.core.errors import StateError
from mailtray.core.language import _
from mailtray.core.model import (
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

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mailtray.core.model import AccountId

LOG = logging.getLogger(__name__)

APPLICATION_ID = 0x6D747279
"""Marks the file as this program's."""
SCHEMA_VERSION = 4
BUSY_S = 1.0
"""How long another program may hold the file before it counts as unwritable, in seconds."""
SET_ASIDE_MAX = 3
"""How many unreadable files are kept; the last is replaced by the next."""

_PAUSE_SCHEMA = """
CREATE TABLE pause (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  until_us INTEGER
);
"""
_ERRAND_SCHEMA = """
CREATE TABLE errand (
  account BLOB NOT NULL,
  position INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (account, position)
) WITHOUT ROWID;
"""
_UNLOOKED_SCHEMA = """
CREATE TABLE unlooked (
  folder INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  id BLOB NOT NULL,
  PRIMARY KEY (folder, id)
) WITHOUT ROWID;
"""
_SCHEMA = f"""
PRAGMA auto_vacuum = FULL;
BEGIN;
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
  details BLOB,
  PRIMARY KEY (folder, role, id)
) WITHOUT ROWID;
{_UNLOOKED_SCHEMA}
{_PAUSE_SCHEMA}
{_ERRAND_SCHEMA}
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_CURSORS_GONE = "UPDATE folder SET cursor = NULL;"
_UPGRADES = {
    1: f"BEGIN; {_PAUSE_SCHEMA} PRAGMA user_version = 2; COMMIT;",
    # A cursor goes on asking for what was known of messages when it was made. Without it the
    # folder is read whole once; what is known is not told again.
    2: f"BEGIN; ALTER TABLE message ADD COLUMN details BLOB; {_UNLOOKED_SCHEMA} {_CURSORS_GONE}"
    " PRAGMA user_version = 3; COMMIT;",
    3: f"BEGIN; {_ERRAND_SCHEMA} PRAGMA user_version = 4; COMMIT;",
}
"""What makes a file of each older version one of the next."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAMAGED_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF
_COMPANIONS = ("-journal", "-wal", "-shm")

Row = tuple[Any, ...]
Result = TypeVar("Result")


class _Damaged(Exception):
    """The file is no state of this program's."""


class SqliteStateStore:
    """A store in a file; opened by the first call, used by one thread at a time.

    Attributes:
        set_aside: Where an unreadable file was moved to, if that happened; told once by whoever
            reads it.
    """

    def __init__(self, path: Path) -> None:
        self.set_aside: Path | None = None
        self._path = path
        self._open: sqlite3.Connection | None = None
        self._stored: dict[tuple[AccountId, str], Seen] = {}

    def load(self, account: AccountId, folder: str) -> Seen:
        """Return what was saved last, without previews."""
        seen = self._attempt(lambda database: _read(database, account, folder))
        self._stored[account, folder] = seen
        return seen

    def save(self, account: AccountId, folder: str, seen: Seen) -> None:
        """Write what differs from what is stored, in one transaction; nothing if nothing does."""

        def write(database: sqlite3.Connection) -> None:
            before = self._stored.get((account, folder)) or _read(database, account, folder)
            if before == seen:
                return
            with _transaction(database):
                _write(database, _folder_id(database, account, folder), before, seen)

        self._attempt(write)
        self._stored[account, folder] = seen

    def forget(self, account: AccountId) -> None:
        """Drop an account, and the unreadable files, which may tell of it."""

        def drop(database: sqlite3.Connection) -> None:
            with _transaction(database):
                for table in ("folder", "errand"):
                    database.execute(f"DELETE FROM {table} WHERE account = ?", (_blob(account),))  # noqa: S608 - a name of ours
            for path in self._aside_paths():
                for suffix in ("", *_COMPANIONS):
                    _beside(path, suffix).unlink(missing_ok=True)

        self._attempt(drop)
        self._stored = {at: seen for at, seen in self._stored.items() if at[0] != account}

    def keep_only(self, account: AccountId, folders: Collection[str]) -> None:
        """Drop an account's other folders, in one transaction; nothing where there are none."""

        def drop(database: sqlite3.Connection) -> None:
            rows = database.execute(
                "SELECT id, name FROM folder WHERE account = ?", (_blob(account),)
            )
            gone = [(number,) for number, name in rows if _text(name) not in folders]
            if gone:
                with _transaction(database):
                    database.executemany("DELETE FROM folder WHERE id = ?", gone)

        self._attempt(drop)
        self._stored = {
            at: seen for at, seen in self._stored.items() if at[0] != account or at[1] in folders
        }

    def load_errands(self, account: AccountId) -> tuple[Errand, ...]:
        """Return what is to be done."""
        return self._attempt(lambda database: _read_errands(database, account))

    def save_errands(self, account: AccountId, errands: Sequence[Errand]) -> None:
        """Write what is to be done, in one transaction."""
        rows = [
            (_blob(account), position, json.dumps(asdict(one), default=_wire).encode())
            for position, one in enumerate(errands)
        ]

        def write(database: sqlite3.Connection) -> None:
            with _transaction(database):
                database.execute("DELETE FROM errand WHERE account = ?", (_blob(account),))
                database.executemany("INSERT INTO errand VALUES (?, ?, ?)", rows)

        self._attempt(write)

    def load_pause(self) -> Pause | None:
        """Return the pause that was saved last."""
        return self._attempt(_read_pause)

    def save_pause(self, pause: Pause | None) -> None:
        """Write a pause, or take it away."""

        def write(database: sqlite3.Connection) -> None:
            with _transaction(database):
                database.execute("DELETE FROM pause")
                if pause is not None:
                    until_us = _microseconds(pause.until)
                    database.execute("INSERT INTO pause VALUES (1, ?)", (until_us,))

        self._attempt(write)

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _attempt(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            try:
                return work(self._database())
            except (sqlite3.Error, _Damaged) as exc:
                if not _is_damage(exc):
                    raise
                self._put_aside()
                return work(self._database())
        except (sqlite3.Error, OSError, _Damaged) as exc:
            raise StateError(
                _("What you were told cannot be stored"),
                _(
                    "Check that {folder} can be written to; until then a restart may "
                    "repeat notifications."
                ).format(folder=self._path.parent),
            ) from exc

    def _database(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = _open(self._path)
        return self._open

    def _put_aside(self) -> None:
        self.close()
        self._stored.clear()
        places = list(self._aside_paths())
        place = next((path for path in places if not path.exists()), places[-1])
        for suffix in _COMPANIONS:
            # A journal must never be found beside another file than its own.
            _beside(place, suffix).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                _beside(self._path, suffix).replace(_beside(place, suffix))
        self._path.replace(place)
        self.set_aside = place
        LOG.warning("The state file was unreadable and is now %s", place)

    def _aside_paths(self) -> Iterable[Path]:
        for n in range(1, SET_ASIDE_MAX + 1):
            yield _beside(self._path, f".bad-{n}")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _open(path: Path) -> sqlite3.Connection:
    make_private_folder(path.parent)
    with suppress(FileExistsError):
        # SQLite would make it as the umask says; the journal takes over the file's own mode.
        os.close(open_private(str(path), os.O_RDWR | os.O_CREAT | os.O_EXCL))
    # The last call may come from another thread than the first, never at the same time.
    database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    for pragma in ("journal_mode = TRUNCATE", "synchronous = FULL", "secure_delete = ON"):
        database.execute(f"PRAGMA {pragma}").fetchall()
    kind = _kind(database)
    while kind[0] == APPLICATION_ID and kind[1] in _UPGRADES:
        database.executescript(_UPGRADES[kind[1]])
        kind = _kind(database)
    if kind == [0, 0] and not database.execute("SELECT 1 FROM sqlite_master").fetchone():
        database.executescript(_SCHEMA)
    elif kind != [APPLICATION_ID, SCHEMA_VERSION]:
        raise _Damaged("is of another program or a newer version")
    elif database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _Damaged("failed its check")
    database.execute("PRAGMA foreign_keys = ON")


def _kind(database: sqlite3.Connection) -> list[int]:
    names = ("application_id", "user_version")
    return [database.execute(f"PRAGMA {name}").fetchone()[0] for name in names]


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _is_damage(error: Exception) -> bool:
    if isinstance(error, _Damaged):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY_CODE in _DAMAGED_CODES


# -- reading -------------------------------------------------------------------------------------


def _read(database: sqlite3.Connection, account: AccountId, folder: str) -> Seen:
    row = database.execute(
        "SELECT id, cursor, floor_us, uncovered_unread, is_baseline FROM folder"
        " WHERE account = ? AND name = ?",
        (_blob(account), _blob(folder)),
    ).fetchone()
    if row is None:
        return Seen()
    try:
        return _seen(database, *row)
    except (TypeError, ValueError, OverflowError, AttributeError) as exc:
        raise _Damaged("holds values of another kind") from exc


def _read_errands(database: sqlite3.Connection, account: AccountId) -> tuple[Errand, ...]:
    rows = database.execute(
        "SELECT content FROM errand WHERE account = ? ORDER BY position", (_blob(account),)
    )
    try:
        return tuple(_errand(json.loads(content)) for (content,) in rows)
    except (TypeError, ValueError, OverflowError, AttributeError, LookupError) as exc:
        raise _Damaged("holds values of another kind") from exc


def _errand(content: Mapping[str, Any]) -> Errand:
    return Errand(
        action=Action(content["action"]),
        deeds=tuple(map(_deed, content["deeds"])),
        subject=str(content["subject"]),
        older=tuple(
            Older(one["folder"], datetime.fromisoformat(one["before"])) for one in content["older"]
        ),
        done=tuple(map(_deed, content["done"])),
        undone=tuple(map(_deed, content["undone"])),
        tries=int(content["tries"]),
    )


def _deed(content: Mapping[str, str]) -> Deed:
    return Deed(**{**content, "act": Act(content["act"])})  # type: ignore[arg-type] # as it was written


def _wire(moment: datetime) -> str:
    return moment.isoformat()


def _read_pause(database: sqlite3.Connection) -> Pause | None:
    row = database.execute("SELECT until_us FROM pause").fetchone()
    try:
        return None if row is None else Pause(_moment(row[0]))
    except (TypeError, OverflowError) as exc:
        raise _Damaged("holds values of another kind") from exc


def _seen(
    database: sqlite3.Connection,
    folder_id: int,
    cursor: bytes | None,
    floor_us: int | None,
    uncovered_unread: int,
    is_baseline: int,
) -> Seen:
    known = database.execute("SELECT key, received_s FROM known WHERE folder = ?", (folder_id,))
    unread = _messages(database, folder_id, "unread")
    return Seen(
        cursor=None if cursor is None else Cursor(_text(cursor)),
        known={Key(int(key)): int(received_s) for key, received_s in known},
        floor=_moment(floor_us),
        unread={message.id: message for message in unread},
        untold=tuple(_messages(database, folder_id, "untold")),
        uncovered_unread=int(uncovered_unread),
        told=_ids(database, folder_id, "told"),
        unlooked=_ids(database, folder_id, "unlooked"),
        is_baseline=bool(is_baseline),
    )


def _ids(database: sqlite3.Connection, folder_id: int, table: str) -> frozenset[MessageId]:
    rows = database.execute(f"SELECT id FROM {table} WHERE folder = ?", (folder_id,))  # noqa: S608 - a name of ours
    return frozenset(MessageId(_text(row[0])) for row in rows)


def _messages(database: sqlite3.Connection, folder_id: int, role: str) -> list[Message]:
    rows = database.execute(
        "SELECT id, subject, sender_name, sender_address, received_us, is_read, web_link,"
        " internet_message_id, details FROM message WHERE folder = ? AND role = ?"
        " ORDER BY position",
        (folder_id, role),
    )
    return [
        Message(
            id=MessageId(_text(message_id)),
            subject=_text(subject),
            sender_name=_text(sender_name),
            sender_address=_text(sender_address),
            received=_moment(received_us),
            is_read=bool(is_read),
            web_link=_text(web_link),
            internet_message_id=_text(internet_message_id),
            **_details(details),
        )
        for (
            message_id,
            subject,
            sender_name,
            sender_address,
            received_us,
            is_read,
            web_link,
            internet_message_id,
            details,
        ) in rows
    ]


def _details(raw: bytes | None) -> dict[str, Any]:
    """Read what :func:`_packed_details` wrote, as fields of a message."""
    found: dict[str, Any] = {} if raw is None else json.loads(raw)
    if "importance" in found:
        found["importance"] = Importance(found["importance"])
    if "meeting" in found:
        kind, starts_us = found["meeting"]
        found["meeting"] = Meeting(MeetingKind(kind), _moment(starts_us))
    found |= {name: tuple(found[name]) for name in ("to", "cc") if name in found}
    return found


# -- writing -------------------------------------------------------------------------------------


def _folder_id(database: sqlite3.Connection, account: AccountId, folder: str) -> int:
    names = (_blob(account), _blob(folder))
    database.execute(
        "INSERT INTO folder (account, name, uncovered_unread, is_baseline) VALUES (?, ?, 0, 1)"
        " ON CONFLICT DO NOTHING",
        names,
    )
    row = database.execute("SELECT id FROM folder WHERE account = ? AND name = ?", names)
    return int(row.fetchone()[0])


def _write(database: sqlite3.Connection, folder_id: int, before: Seen, seen: Seen) -> None:
    database.execute(
        "UPDATE folder SET cursor = ?, floor_us = ?, uncovered_unread = ?, is_baseline = ?"
        " WHERE id = ?",
        (
            None if seen.cursor is None else _blob(seen.cursor),
            _microseconds(seen.floor),
            seen.uncovered_unread,
            seen.is_baseline,
            folder_id,
        ),
    )
    _write_known(database, folder_id, before.known, seen.known)
    _write_ids(database, "told", folder_id, before.told, seen.told)
    _write_ids(database, "unlooked", folder_id, before.unlooked, seen.unlooked)
    if seen.unread is not before.unread:
        _write_messages(database, folder_id, "unread", before.unread.values(), seen.unread.values())
    if seen.untold is not before.untold:
        _write_messages(database, folder_id, "untold", before.untold, seen.untold)


def _write_known(
    database: sqlite3.Connection, folder_id: int, before: Mapping[Key, int], now: Mapping[Key, int]
) -> None:
    if now is before:
        return
    gone = [(folder_id, key) for key in before.keys() - now.keys()]
    new = [(folder_id, key, at_s) for key, at_s in now.items() if before.get(key) != at_s]
    database.executemany("DELETE FROM known WHERE folder = ? AND key = ?", gone)
    database.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", new)


def _write_ids(
    database: sqlite3.Connection,
    table: str,
    folder_id: int,
    before: frozenset[MessageId],
    now: frozenset[MessageId],
) -> None:
    gone = [(folder_id, _blob(message_id)) for message_id in before - now]
    new = [(folder_id, _blob(message_id)) for message_id in now - before]
    database.executemany(f"DELETE FROM {table} WHERE folder = ? AND id = ?", gone)  # noqa: S608 - a name of ours
    database.executemany(f"INSERT INTO {table} VALUES (?, ?)", new)  # noqa: S608 - a name of ours


def _write_messages(
    database: sqlite3.Connection,
    folder_id: int,
    role: str,
    before: Collection[Message],
    now: Collection[Message],
) -> None:
    old = dict(_message_rows(role, before))
    new = dict(_message_rows(role, now))
    gone = [(folder_id, role, message_id) for message_id in old.keys() - new.keys()]
    changed = [
        (folder_id, role, message_id, *row)
        for message_id, row in new.items()
        if old.get(message_id) != row
    ]
    database.executemany("DELETE FROM message WHERE folder = ? AND role = ? AND id = ?", gone)
    database.executemany(
        "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", changed
    )


def _message_rows(role: str, messages: Collection[Message]) -> Iterator[tuple[bytes, Row]]:
    for position, message in enumerate(messages):
        yield (
            _blob(message.id),
            (
                position if role == "untold" else 0,
                _blob(message.subject),
                _blob(message.sender_name),
                _blob(message.sender_address),
                _microseconds(message.received),
                message.is_read,
                _blob(message.web_link),
                _blob(message.internet_message_id),
                _packed_details(message),
            ),
        )


def _packed_details(message: Message) -> bytes | None:
    """Return what few messages have and no statement asks for; ``None`` where it has nothing."""
    meeting = message.meeting
    fields = {
        "importance": "" if message.importance is Importance.NORMAL else message.importance,
        "conversation_id": message.conversation_id,
        "to": message.to,
        "cc": message.cc,
        "meeting": meeting and (meeting.kind, _microseconds(meeting.starts)),
    }
    kept: dict[str, object] = {name: value for name, value in fields.items() if value}
    if not message.is_focused:
        kept["is_focused"] = False
    return json.dumps(kept, separators=(",", ":")).encode() if kept else None


# -- values --------------------------------------------------------------------------------------


def _blob(text: str) -> bytes:
    # Mail may hold half a surrogate pair, which SQLite would not take as text.
    return text.encode("utf-8", "surrogatepass")


def _text(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogatepass")


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + microseconds * _MICROSECOND
