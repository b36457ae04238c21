"""What is new, what was read or removed elsewhere, and what to remember of it.

The rules, in words:

* A message is *new* when it is unread and none of its keys is known. Whoever was met once,
  read or unread, told or not, is known for good: marking it unread, flagging it, moving it away
  and back again makes it no newer.
* The first round of a folder is its baseline: everything in it is known, nothing is new.
* A delta round tells what changed, possibly twice, possibly late, possibly in part; the last
  entry of an id wins.
* The folder's own counter is the truth for the number. Where it disagrees with what the rounds
  add up to, a plain listing settles it (a message moved out and back between two rounds can be
  reported as removed and never again).
* A message that is known in one watched folder of a mailbox is no news in another one, unless
  the person has yet to be told of it.
* A message that leaves a folder before the person could be told of it is forgotten there.
* Of a great many unread messages only the newest are remembered one by one; the counter alone
  knows of the rest.

Source: learn.microsoft.com/graph: delta-query-messages, outlook-immutable-id.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from mailtray.core.model import Changes, Key, Message, MessageId, ReadState, Removed, Seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from mailtray.core.model import Delivery, Entry, UnreadList

KNOWN_MAX_KEYS = 6_000
"""Above this the oldest keys are dropped and the floor rises."""
KNOWN_KEPT_KEYS = 4_500
"""How many keys stay then."""
UNREAD_MAX_MESSAGES = 1_000
"""Above this the oldest unread messages are left to the folder's counter: some never read any."""
UNREAD_KEPT_MESSAGES = 800
"""How many stay then."""
LISTED_MAX_MESSAGES = 50
"""How many unread messages a settling listing asks for."""


def keys(message: Message) -> tuple[Key, ...]:
    """Return the digests by which a message is recognised.

    The immutable id alone is not enough: a drag in Outlook for Windows gives the message another
    one. The Message-ID alone is not enough either, since anybody may send a mail that bears the
    Message-ID of another; so it counts together with the time at which the server received it.
    """
    found = [_digest(message.id)]
    if message.internet_message_id and message.received is not None:
        found.append(_digest(f"{message.internet_message_id}|{message.received.isoformat()}"))
    return tuple(found)


def _digest(text: str) -> Key:
    raw = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return Key(int.from_bytes(raw) >> 1)


@dataclass(slots=True)
class _Fold:
    """The state of one folder while a round's entries are laid over it."""

    known: dict[Key, int]
    unread: dict[MessageId, Message]
    met: dict[MessageId, Message]
    fresh: set[MessageId]
    unlooked: set[MessageId]
    owed: frozenset[Key]
    elsewhere: tuple[Seen, ...]
    owed_elsewhere: frozenset[Key]
    floor: datetime | None
    is_baseline: bool
    removed: set[MessageId] = field(default_factory=set)

    def lay(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Message):
                self._lay_message(entry)
            elif isinstance(entry, Removed) or entry.is_read:
                self.unread.pop(entry.id, None)
                if isinstance(entry, Removed):
                    self.removed.add(entry.id)
            else:
                self._mark_unread(entry)

    def _lay_message(self, message: Message) -> None:
        its_keys = keys(message)
        is_new = not self._is_known(its_keys) and not self._is_old(message)
        is_owed = any(key in self.owed for key in its_keys)
        self.known.update(dict.fromkeys(its_keys, self._received_s(message)))
        self.met[message.id] = message
        if is_owed or is_new:
            self.fresh.add(message.id)
        if is_new:
            self.unlooked.add(message.id)
        if message.is_read:
            self.unread.pop(message.id, None)
        else:
            self.unread[message.id] = message

    def _is_known(self, its_keys: Iterable[Key]) -> bool:
        if self.is_baseline or any(key in self.known for key in its_keys):
            return True
        is_known = any(key in other.known for other in self.elsewhere for key in its_keys)
        return is_known and self.owed_elsewhere.isdisjoint(its_keys)

    def _received_s(self, message: Message) -> int:
        if message.received is not None:
            return int(message.received.timestamp())
        return max(self.known.values(), default=0)

    def _is_old(self, message: Message) -> bool:
        return (
            self.floor is not None
            and message.received is not None
            and message.received < self.floor
        )

    def _mark_unread(self, entry: ReadState) -> None:
        # Where only the id is known, the message counts now and a listing tells the rest.
        if entry.id not in self.unread:
            met = self.met.get(entry.id, Message(entry.id))
            self.unread[entry.id] = replace(met, is_read=False)

    def keep_only(self, ids: Collection[MessageId]) -> None:
        self.unread = {i: message for i, message in self.unread.items() if i in ids}

    def forget_gone(self, untold: Iterable[Message]) -> None:
        """Know nothing of those that left untold: wherever they turn up, they are news."""
        for message in untold:
            if message.id in self.removed and message.id not in self.unread:
                for key in keys(message):
                    self.known.pop(key, None)

    def arrived(self) -> tuple[Message, ...]:
        # Asked at the end only: who was removed or read may be back later in the same round.
        return tuple(
            sorted((self.unread[i] for i in self.fresh if i in self.unread), key=received_or_last)
        )

    def leave_oldest_to_counter(self) -> int:
        """Forget the oldest unread messages, where there are too many; returns how many."""
        if len(self.unread) <= UNREAD_MAX_MESSAGES:
            return 0
        newest = sorted(self.unread.values(), key=received_or_last, reverse=True)[
            :UNREAD_KEPT_MESSAGES
        ]
        before = len(self.unread)
        self.keep_only({message.id for message in newest} | self.fresh)
        return before - len(self.unread)

    def prune(self) -> None:
        if len(self.known) <= KNOWN_MAX_KEYS:
            return
        cut_s = sorted(self.known.values(), reverse=True)[KNOWN_KEPT_KEYS - 1]
        self.known = {key: at_s for key, at_s in self.known.items() if at_s >= cut_s}
        self.floor = _later(self.floor, datetime.fromtimestamp(cut_s, UTC))


def diff(
    seen: Seen,
    delivery: Delivery,
    listing: UnreadList | None = None,
    elsewhere: Collection[Seen] = (),
) -> Changes:
    """Pick the messages to tell about and what to remember of a round.

    Args:
        seen: What is remembered of the folder.
        delivery: The round.
        listing: The newest unread messages, asked for after the round; see :func:`is_unsettled`.
        elsewhere: What is remembered of the mailbox's other watched folders.
    """
    if not delivery.entries and listing is None and not delivery.is_full:
        return _nothing_changed(seen, delivery)
    fold = _Fold(
        known=dict(seen.known),
        unread=_out_of_reach(seen, delivery.floor) if delivery.is_full else dict(seen.unread),
        met=dict(seen.unread),
        fresh={message.id for message in seen.untold},
        unlooked=set(seen.unlooked),
        owed=_owed(seen),
        elsewhere=tuple(elsewhere),
        owed_elsewhere=frozenset(key for other in elsewhere for key in _owed(other)),
        floor=_later(seen.floor, delivery.floor),
        is_baseline=seen.is_baseline,
    )
    fold.lay(delivery.entries)
    if listing is not None:
        fold.lay(listing.messages)
        if listing.is_complete:
            fold.keep_only({message.id for message in listing.messages})
    fold.forget_gone(seen.untold)
    fold.prune()
    left = fold.leave_oldest_to_counter()
    retired = frozenset(seen.told - fold.unread.keys())
    arrived = fold.arrived()
    after = replace(
        seen,
        cursor=delivery.cursor,
        known=fold.known,
        floor=fold.floor,
        unread=fold.unread,
        untold=arrived,
        uncovered_unread=_uncovered(seen, delivery, len(fold.unread), left),
        told=seen.told - retired,
        unlooked=frozenset(fold.unlooked & fold.unread.keys()),
        is_baseline=False,
    )
    return Changes(arrived, retired, after, is_catch_up=bool(seen.untold))


def _owed(seen: Seen) -> frozenset[Key]:
    return frozenset(key for message in seen.untold for key in keys(message))


def _out_of_reach(seen: Seen, floor: datetime | None) -> dict[MessageId, Message]:
    """Return what is still to be told of and too old for a full round to tell anything about."""
    return {
        message.id: message
        for message in seen.untold
        if floor is not None and message.received is not None and message.received < floor
    }


def _nothing_changed(seen: Seen, delivery: Delivery) -> Changes:
    # The usual poll: the same objects stay, so that whoever stores them sees at once that
    # there is next to nothing to write.
    uncovered = _uncovered(seen, delivery, len(seen.unread), 0)
    after = replace(seen, cursor=delivery.cursor, uncovered_unread=uncovered)
    return Changes(seen.untold, frozenset(), after, is_catch_up=bool(seen.untold))


def _uncovered(seen: Seen, delivery: Delivery, covered: int, left: int) -> int:
    if delivery.count is None:
        return seen.uncovered_unread + left
    uncovered = delivery.count.unread - covered
    # A full round is counted before it is read: what arrives in between is in it, uncounted.
    return max(0, uncovered) if delivery.is_full else uncovered


def is_unsettled(seen: Seen, delivery: Delivery) -> bool:
    """Say whether a plain listing of the unread messages is due after a round.

    It is when the folder's counter disagrees with what was remembered plus what the round told,
    when a message became unread of which only the id is known, or when one was removed that the
    person has not been told of: it may be back without the server ever saying so.
    """
    if delivery.is_full:
        return False
    after = diff(seen, replace(delivery, count=None)).seen
    if any(after.unread[i].received is None for i in after.unread.keys() - seen.unread.keys()):
        return True
    if any(_is_doubtful(entry, seen, after) for entry in delivery.entries):
        return True
    return delivery.count is not None and delivery.count.unread != after.unread_count


def _is_doubtful(entry: Entry, seen: Seen, after: Seen) -> bool:
    if not isinstance(entry, Removed) or entry.id in after.unread:
        return False
    was_owed = any(message.id == entry.id for message in seen.untold)
    return was_owed or _digest(entry.id) not in seen.known


def advance(
    changes: Changes, shown: Collection[MessageId], left_out: Collection[MessageId] = ()
) -> Seen:
    """Say what to remember once the notifications of ``shown`` messages are on the screen.

    Args:
        changes: What a round brought.
        shown: Those of its messages that the person was told of.
        left_out: Those of which the person does not want to be told.
    """
    seen = changes.seen
    dealt_with = {*shown, *left_out}
    return replace(
        seen,
        untold=tuple(message for message in seen.untold if message.id not in dealt_with),
        told=seen.told | frozenset(shown),
    )


def deal_with(seen: Seen, ids: Collection[MessageId]) -> Seen:
    """Say what to remember once the person takes up messages: there is nothing to tell of them."""
    if seen.unread.keys().isdisjoint(ids):
        return seen
    return replace(
        seen,
        untold=tuple(message for message in seen.untold if message.id not in ids),
        told=seen.told - set(ids),
        unlooked=seen.unlooked - set(ids),
    )


def leave_out(changes: Changes, ids: Collection[MessageId]) -> Changes:
    """Return changes without messages that the person took up while the round was on its way."""
    return replace(
        changes,
        arrived=tuple(message for message in changes.arrived if message.id not in ids),
        seen=deal_with(changes.seen, ids),
    )


def follow_moves(before: Mapping[str, Seen], after: Mapping[str, Seen]) -> Mapping[str, Seen]:
    """Let what is remembered of a message go with it from one watched folder to another.

    Args:
        before: What was remembered of each folder before a poll, by key.
        after: What is after it; the same folders.
    """
    followed = dict(after)
    for key, seen in after.items():
        others = [one for one in before if one != key]
        told = {i for one in others for i in before[one].told - after[one].told}
        unlooked = {i for one in others for i in before[one].unlooked - after[one].unlooked}
        here = seen.unread.keys()
        if moved := (told | unlooked) & here:
            followed[key] = replace(
                seen,
                told=seen.told | (told & moved),
                unlooked=seen.unlooked | (unlooked & moved),
            )
    return followed


def merge_arrivals(found: Collection[Changes]) -> Changes:
    """Return what came into several folders as one, each message once, nothing to remember."""
    arrived = {message.id: message for one in found for message in one.arrived}
    return Changes(
        tuple(sorted(arrived.values(), key=received_or_last)),
        frozenset(),
        Seen(),
        is_catch_up=any(one.is_catch_up for one in found),
    )


def latest_unread(
    seen: Iterable[Seen], limit: int, uncounted: Collection[MessageId] = ()
) -> tuple[Message, ...]:
    """Return the newest unread messages whose sender and subject are known, newest first."""
    known = [message for one in seen for message in one.unread.values()]
    detailed = [m for m in known if m.received is not None and m.id not in uncounted]
    return tuple(sorted(detailed, key=received_or_last, reverse=True)[:limit])


def received_or_last(message: Message) -> tuple[datetime, str]:
    """Return by what messages are sorted: those without a time count as the newest."""
    return (message.received or datetime.max.replace(tzinfo=UTC), message.id)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
