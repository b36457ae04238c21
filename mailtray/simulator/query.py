"""OData's query options as far as mail uses them; everything else is refused, not ignored.

Source: learn.microsoft.com/graph/query-parameters and
learn.microsoft.com/graph/api/user-list-messages.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailtray.simulator.times import parse_time

MAX_TOP = 1000


class QueryError(Exception):
    """A query option is refused, with Graph's code for it."""

    def __init__(self, message: str, *, code: str = "ErrorInvalidUrlQuery") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Clause:
    """One comparison of a filter: ``isRead eq false``."""

    field: str
    operator: str
    value: object

    def holds(self, resource: Mapping[str, object]) -> bool:
        """Say whether a resource passes."""
        found: object = resource
        for part in self.field.split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        if isinstance(self.value, datetime) and isinstance(found, str):
            return _COMPARISONS[self.operator](parse_time(found), self.value)
        if isinstance(self.value, str) and isinstance(found, str):
            return _COMPARISONS[self.operator](found.lower(), self.value.lower())
        if found is None or type(found) is not type(self.value):
            return self.operator == "ne"
        return _COMPARISONS[self.operator](found, self.value)


_COMPARISONS: dict[str, Callable[..., bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "ge": lambda a, b: a >= b,
    "gt": lambda a, b: a > b,
    "le": lambda a, b: a <= b,
    "lt": lambda a, b: a < b,
}

_FILTERABLE = {
    "receivedDateTime": datetime,
    "sentDateTime": datetime,
    "isRead": bool,
    "isDraft": bool,
    "hasAttachments": bool,
    "importance": str,
    "inferenceClassification": str,
    "subject": str,
    "internetMessageId": str,
    "conversationId": str,
    "from/emailAddress/address": str,
    "flag/flagStatus": str,
}

_CLAUSE = re.compile(r"([\w/]+)\s+(eq|ne|ge|gt|le|lt)\s+('(?:[^']|'')*'|[^\s'()]+)")


@dataclass(frozen=True)
class Query:
    """The options of one request."""

    select: frozenset[str] | None = None
    filter: tuple[Clause, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    """Properties to sort by, each with True for descending."""
    top: int | None = None
    skip: int = 0
    count: bool = False


_KNOWN = {"$select", "$filter", "$orderby", "$top", "$skip", "$count"}


def parse_query(options: Mapping[str, str], *, allowed: frozenset[str]) -> Query:
    """Read the query options of a list or of one resource.

    Args:
        options: Name to value, as sent.
        allowed: The properties ``$select`` may name.

    Raises:
        QueryError: An option is unknown, unsupported or malformed.
    """
    for name in options:
        if name.startswith("$") and name not in _KNOWN:
            raise QueryError(f"The query option '{name}' is not supported.")
    return Query(
        select=parse_select(options.get("$select"), allowed),
        filter=parse_filter(options.get("$filter")),
        order=parse_order(options.get("$orderby")),
        top=_whole_number(options, "$top", least=1, most=MAX_TOP),
        skip=_whole_number(options, "$skip", least=0, most=None) or 0,
        count=options.get("$count", "false").lower() == "true",
    )


def parse_select(text: str | None, allowed: frozenset[str]) -> frozenset[str] | None:
    """Read ``$select``.

    Raises:
        QueryError: It names a property the resource does not have.
    """
    if not text or not text.strip():
        return None
    names = frozenset(name.strip() for name in text.split(","))
    unknown = sorted(names - allowed)
    if unknown:
        raise QueryError(
            f"Could not find a property named '{unknown[0]}' on this type.",
            code="RequestBroker--ParseUri",
        )
    return names


def parse_filter(text: str | None) -> tuple[Clause, ...]:
    """Read ``$filter``: comparisons joined by ``and``.

    Raises:
        QueryError: It is anything else.
    """
    if not text or not text.strip():
        return ()
    rest, clauses = text.strip(), []
    while True:
        match = _CLAUSE.match(rest)
        if match is None:
            raise QueryError(f"The filter '{text}' is not supported.")
        clauses.append(_clause(*match.groups()))
        rest = rest[match.end() :]
        if not rest:
            return tuple(clauses)
        joined = re.match(r"\s+and\s+", rest)
        if joined is None:
            raise QueryError(f"The filter '{text}' is not supported.")
        rest = rest[joined.end() :]


def _clause(name: str, operator: str, literal: str) -> Clause:
    kind = _FILTERABLE.get(name)
    if kind is None:
        raise QueryError(f"The property '{name}' cannot be filtered by.")
    if kind is bool and literal in {"true", "false"}:
        return Clause(name, operator, literal == "true")
    if kind is str and literal.startswith("'"):
        return Clause(name, operator, literal[1:-1].replace("''", "'"))
    if kind is datetime:
        try:
            return Clause(name, operator, parse_time(literal.strip("'")))
        except ValueError:
            pass
    raise QueryError(f"The value {literal} does not fit the property '{name}'.")


def parse_order(text: str | None) -> tuple[tuple[str, bool], ...]:
    """Read ``$orderby``.

    Raises:
        QueryError: A direction or property is unknown.
    """
    order = []
    for part in (text or "").split(","):
        words = part.split()
        if not words:
            continue
        name, direction = words[0], words[1].lower() if words[1:] else "asc"
        if words[2:] or direction not in {"asc", "desc"} or name not in _FILTERABLE:
            raise QueryError(f"Cannot sort by '{part.strip()}'.")
        order.append((name, direction == "desc"))
    return tuple(order)


def refuse_inefficient(query: Query) -> None:
    """Enforce the rule that sort properties come first in the filter, in the same order.

    Raises:
        QueryError: They do not; the code is InefficientFilter.
    """
    if not query.filter or not query.order:
        return
    filtered = list(dict.fromkeys(clause.field for clause in query.filter))
    ordered = [name for name, _ in query.order]
    if filtered[: len(ordered)] != ordered:
        raise QueryError(
            "The restriction or sort order is too complex for this operation.",
            code="InefficientFilter",
        )


def _whole_number(
    options: Mapping[str, str], name: str, *, least: int, most: int | None
) -> int | None:
    if name not in options:
        return None
    text = options[name]
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        raise QueryError(f"The value '{text}' of {name} is not allowed.")
    return int(text)
