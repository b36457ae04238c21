"""The list as lines of text, for a terminal of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.style import Style
from rich.text import Text

from mailtray.core import text
from mailtray.core.compose import clean, isolate
from mailtray.core.language import _
from mailtray.terminal.listing import Mode, helps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console

    from mailtray.core.language import Sentence
    from mailtray.terminal.listing import Listing, News, Part, Row

SENDER_CELLS = 24
_WHEN_CELLS = 5
_ALARM, _CARE = Style(bold=True, color="red"), Style(bold=False, color="yellow")
_NEWS, _PLAIN = Style(bold=True, color="green"), Style(bold=False)
_STYLES = {"attention": _ALARM, "signed_out": _ALARM, "offline": _CARE, "throttled": _CARE}


def draw(listing: Listing, console: Console, now: datetime) -> Group:
    """Return the whole screen.

    Args:
        listing: What to show.
        console: Where; tells the size.
        now: The time, aware, in the zone in which times are to be shown.
    """
    width, height = console.size
    top, bottom = [_title(listing.news, now)], _foot(listing)
    room = max(0, height - len(top) - len(bottom))
    body, at = _body(listing, console, now)
    start = max(0, min(at - room // 2, len(body) - room))
    shown = body[start : start + room]
    shown += [Text()] * (room - len(shown))
    lines = [*top, *shown, *bottom][:height]
    for line in lines:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis")
    return Group(*lines)


def _title(news: News, now: datetime) -> Text:
    title = Text(text.APP_NAME, style="bold")
    if news.quiet is not None:
        title.append(f" · {text.quiet(news.quiet, now)}", style=_CARE)
    return title


def _foot(listing: Listing) -> list[Text]:
    if listing.mode is not Mode.LIST:
        return []
    note = _(text.CHECKING) if listing.is_checking else listing.note
    keys = _("Enter open · r read · a archive · d delete · u undo · ? more keys · q quit")
    return [*([Text(clean(note), style="bold")] if note else []), Text(keys, style="dim")]


def _body(listing: Listing, console: Console, now: datetime) -> tuple[list[Text], int]:
    """Return all lines between title and foot, and which of them has to be seen."""
    if listing.mode is Mode.HELP:
        widest = max(cell_len(keys) for keys, _words in helps())
        return [Text(f"  {_fit(keys, widest)}  {words}") for keys, words in helps()], 0
    if listing.mode is Mode.PAUSES:
        labels = enumerate(text.MENU_PAUSES, 1)
        return [
            Text(_unmarked(text.MENU_PAUSE), style="bold"),
            *(Text(f"  {number}  {_unmarked(label)}") for number, (label, _wish) in labels),
        ], 0
    lines: list[Text] = []
    at = 0
    for line, is_chosen in _list(listing, console, now):
        at = len(lines) if is_chosen else at
        lines.append(line)
    return lines, at


def _unmarked(label: Sentence) -> str:
    """Return a menu's label without the mark of its mnemonic."""
    return _(label).replace("_", "", 1)


def _list(listing: Listing, console: Console, now: datetime) -> Iterator[tuple[Text, bool]]:
    """Yield each line, and whether it is the chosen message's."""
    for words in listing.news.words:
        yield from _wrapped(Text(clean(words)), console)
    yield from _wrapped(Text(listing.news.link), console)
    width = console.size.width
    for part in listing.news.parts:
        yield _head(part, now), False
        more_words = part.words[1:] if part.state in _STYLES else part.words
        for one in (*more_words, part.link):
            yield from _wrapped(Text(f"  {one}"), console)
        for row in part.rows:
            is_chosen = row.key == listing.chosen
            line = Text(_row(row, width, now, is_chosen=is_chosen))
            if row.key in listing.under_way:
                line.stylize("dim")
            if is_chosen:
                line.stylize("reverse")
            yield line, is_chosen
        more = part.unread - len(part.rows)
        if part.rows and more > 0:
            yield Text(f"  {text.and_more(more)}", style="dim"), False


def _wrapped(words: Text, console: Console) -> Iterator[tuple[Text, bool]]:
    """Yield what has to be read to its end, on as many lines as it takes."""
    if words.plain.strip():
        for line in words.wrap(console, console.size.width, overflow="fold"):
            yield line, False


def _head(part: Part, now: datetime) -> Text:
    head = Text(isolate(clean(part.username)), style="bold")
    if part.state in _STYLES and part.words:
        head.append(f"  {part.words[0]}", style=_STYLES[part.state])
        return head
    counts = text.unread(part.unread)
    if part.new:
        head.append(f"  {text.new(part.new)}", style=_NEWS)
        counts = f" · {counts}"
    else:
        counts = f"  {counts}"
    if part.checked is None:
        checked = _(text.CHECKING)
    else:
        checked = text.checked_at(part.checked.astimezone(now.tzinfo))
    return head.append(f"{counts} · {checked}", style=_PLAIN)


def _row(row: Row, width: int, now: datetime, *, is_chosen: bool) -> str:
    sender_cells = max(8, min(SENDER_CELLS, width // 4))
    fields = (">" if is_chosen else " ", _when(row.received, now), _fit(row.sender, sender_cells))
    before = " ".join(fields)
    return f"{before}  {_fit(row.subject, max(0, width - cell_len(before) - 2))}"


def _when(received: datetime | None, now: datetime) -> str:
    if received is None:
        return " " * _WHEN_CELLS
    there = received.astimezone(now.tzinfo)
    return _fit(text.clock(there) if there.date() == now.date() else text.day(there), _WHEN_CELLS)


def _fit(words: str, cells: int) -> str:
    """Return words in exactly so many cells, cut between two characters or filled up."""
    fitting = Text(words)
    fitting.truncate(cells, overflow="ellipsis")
    return isolate(fitting.plain) + " " * (cells - cell_len(fitting.plain))
