"""Changes one key of a TOML text and leaves the rest as the person wrote it, comments too."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

_TABLE = re.compile(r"\s*\[")
_COMMENT = re.compile(r"\s*#")


def edited(text: str, said: Mapping[str, object], key: str, value: object | None) -> str:
    """Set a key at the top of a text, or take it out where the value is ``None``.

    Args:
        text: With the line ends of Unix.
        said: What the text says.
        key: The key.
        value: As TOML can have it.

    Raises:
        ValueError: The text cannot be changed so without harm.
    """
    if said.get(key) == value:
        return text
    wanted = {name: one for name, one in said.items() if name != key}
    if value is not None:
        wanted[key] = value
    for way in (_uncommented, _tables_moved, _merged):
        new = way(text, said, key, value)
        # What looked like a line of its own may be within a text, or below a table's head.
        if new is not None and _says(new) == wanted:
            return new
    raise ValueError


def _says(text: str) -> Mapping[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _uncommented(
    text: str, said: Mapping[str, object], key: str, value: object | None
) -> str | None:
    """Put a key in the place of the comment that stands for it, where there is one."""
    if value is None or key in said or _is_tables(value):
        return None
    line = _lines(key, value)
    new, count = re.subn(
        rf"^# {key} = .*\n", lambda _found: line, text, count=1, flags=re.MULTILINE
    )
    return new if count else None


def _lines(key: str, value: object) -> str:
    import tomlkit

    document = tomlkit.document()
    document[key] = value
    return document.as_string()


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


# -- a list of tables -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """Some lines that stay together.

    Attributes:
        number: Which table of the list it is, from 0 on; -1 for what is none.
    """

    text: str
    number: int = -1


def _tables_moved(
    text: str, said: Mapping[str, object], key: str, value: object | None
) -> str | None:
    """Move, change, add and remove ``[[key]]`` tables, each with the comment right above it."""
    before, after = said.get(key, []), [] if value is None else value
    if not (isinstance(before, list) and (_is_tables(before) or _is_tables(after))):
        return None
    blocks = [*_blocks(text, key)]
    tables = [block for block in blocks if block.number >= 0]
    if len(tables) != len(before) or not isinstance(after, list):
        return None
    new = iter(_arranged([block.text for block in tables], before, after, key))
    # The old places are filled first; what is more than they can hold follows the last of them.
    found = [
        _Block(next(new, ""), block.number) if block.number >= 0 else block for block in blocks
    ]
    last = max((at for at, block in enumerate(found) if block.number >= 0), default=len(found) - 1)
    parts = [block.text for block in found]
    return _joined([*parts[: last + 1], *new, *parts[last + 1 :]], text)


def _blocks(text: str, key: str) -> Iterator[_Block]:
    """Part a text before each head of a table."""
    head = re.compile(rf"""\s*\[\[\s*["']?{re.escape(key)}["']?\s*\]\]""")
    held: list[str] = []
    number, count = -1, 0
    for line in text.splitlines(keepends=True):
        if _TABLE.match(line):
            own = len(held)
            while own and _COMMENT.match(held[own - 1]):
                own -= 1
            yield _Block("".join(held[:own]), number)
            held = held[own:]
            number = count if head.match(line) else -1
            count += number >= 0
        held.append(line)
    yield _Block("".join(held), number)


def _arranged(
    texts: Sequence[str], before: Sequence[object], after: Sequence[object], key: str
) -> list[str]:
    """Return the text of each new table: its own where it was there, changed where one was."""
    left = [*range(len(before))]
    places: list[int | None] = []
    for table in after:
        at = next((number for number in left if before[number] == table), None)
        places.append(at)
        if at is not None:
            left.remove(at)
    if places.count(None) == 1 and len(left) == 1:
        places[places.index(None)] = left[0]
    return [
        _written(None if at is None else texts[at], table, key)
        for at, table in zip(places, after, strict=True)
    ]


def _written(text: str | None, table: object, key: str) -> str:
    import tomlkit

    if text is None:
        return tomlkit.dumps({key: [table]})
    document = tomlkit.parse(text)
    _merge({"": document[key][0]}, "", table)
    return document.as_string()


def _joined(parts: Sequence[str], text: str) -> str:
    """Put parts together, with a blank line between those that were not neighbours in the text."""
    found = before = ""
    for part in filter(None, parts):
        if found and before + part not in text:
            found = found.rstrip("\n") + "\n\n"
        found += part
        before = part
    return found


# -- anything else --------------------------------------------------------------------------------


def _merged(text: str, _said: Mapping[str, object], key: str, value: object | None) -> str | None:
    """Have tomlkit change what differs."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        if value is None:
            del document[key]
        else:
            _merge(document, key, value)
        return document.as_string()
    except (TOMLKitError, RecursionError):
        return None


def _merge(into: MutableMapping[str, object], key: str, value: object) -> None:
    there = into.get(key)
    if not (isinstance(there, MutableMapping) and isinstance(value, Mapping)):
        into[key] = _item(value)
        return
    for gone in [name for name in there if name not in value]:
        del there[gone]
    for name, one in value.items():
        if name not in there or there[name] != one:
            _merge(there, name, one)


def _item(value: object) -> object:
    import tomlkit

    if _is_tables(value):
        listed = tomlkit.array().multiline(multiline=True)
        for one in value:  # type: ignore[attr-defined] # a list
            table = tomlkit.inline_table()
            table.update(one)
            listed.append(table)
        return listed
    if isinstance(value, Mapping) and all(isinstance(one, Mapping) for one in value.values()):
        above = tomlkit.table(is_super_table=True)
        for name, one in value.items():
            above[name] = one
        return above
    return value
