"""Troubles queued for the coming requests: wrong answers, late ones, torn ones, none at all."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import count
from typing import Literal

Close = Literal["before", "headers", "body"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One trouble for the requests that match.

    A fault without `status`, `body`, `close` and `gzip_truncated` only delays.
    """

    path: str = ""
    """Regular expression searched in path and query, as ``/v1.0/me?$top=5``."""
    method: str | None = None
    """HTTP method it is for; ``None`` for all."""
    times: int | None = 1
    """How many requests it hits; ``None`` until it is cleared."""
    skip: int = 0
    """How many matching requests pass before it begins."""
    status: int | None = None
    """Status of the answer given instead of the real one; 200 if there is only a `body`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of that answer, or set on the real one where there is no other."""
    body: object = None
    """Body of that answer: a text as it is, anything else as JSON."""
    delay_s: float = 0.0
    """Seconds before the answer begins."""
    close: Close | None = None
    """The connection ends without an answer, within the headers or within the body."""
    after: bool = False
    """The request is carried out and only its answer is lost or replaced."""
    until: float | None = None
    """End of an outage, in seconds since 1970 of the simulator's clock; ``None`` for none."""
    gzip_truncated: bool = False
    """The body is sent compressed and cut off in the middle, with a matching length."""

    def __post_init__(self) -> None:
        """Refuse what could never match or never be sent.

        Raises:
            ValueError: `path` is no regular expression or a number is out of range.
        """
        try:
            re.compile(self.path)
        except re.error as exc:
            raise ValueError(f"path is not a regular expression: {exc}.") from exc
        if self.status is not None and not 200 <= self.status <= 599:  # noqa: PLR2004 (HTTP's final statuses)
            raise ValueError("status must be between 200 and 599.")
        if self.skip < 0 or self.delay_s < 0 or (self.times is not None and self.times < 1):
            raise ValueError("times must be 1 or more, skip and delay_s 0 or more.")

    @property
    def replaces(self) -> bool:
        """Whether another answer is given instead of the real one."""
        return self.status is not None or self.body is not None

    def matches(self, method: str, target: str) -> bool:
        """Say whether the fault is meant for this request.

        Args:
            method: HTTP method in capitals.
            target: Decoded path and query.
        """
        return self.method in {None, method} and re.search(self.path, target) is not None


_TYPES: dict[str, type | tuple[type, ...]] = {
    "path": str,
    "method": str,
    "times": int,
    "skip": int,
    "status": int,
    "headers": dict,
    "delay_s": (int, float),
    "until": (int, float),
    "after": bool,
    "gzip_truncated": bool,
}


def fault_from_json(value: Mapping[str, object]) -> Fault:
    """Build a fault from a program's JSON object.

    Raises:
        ValueError: A name is unknown or a value has the wrong type.
    """
    unknown = set(value) - {each.name for each in fields(Fault)}
    if unknown:
        raise ValueError(f"A fault has no field {sorted(unknown)[0]!r}.")
    for name, kind in _TYPES.items():
        given = value.get(name)
        if given is not None and not isinstance(given, kind):
            raise ValueError(f"The field {name!r} of a fault has the wrong type.")
    if value.get("close") not in {None, "before", "headers", "body"}:
        raise ValueError('close must be null, "before", "headers" or "body".')
    known: dict[str, object] = {
        name: given for name, given in value.items() if given is not None or name == "times"
    }
    if isinstance(known.get("method"), str):
        known["method"] = str(known["method"]).upper()
    headers = known.get("headers", {})
    known["headers"] = {str(k): str(v) for k, v in headers.items()}  # type: ignore[attr-defined]  # checked in the table above
    return Fault(**known)  # type: ignore[arg-type]  # each was checked by the table above


@dataclass
class _Queued:
    fault: Fault
    skip: int
    left: int | None
    hits: int = 0


class FaultQueue:
    """The faults in force, oldest first; a request meets the first that matches.

    Args:
        now: The simulator's clock, in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._numbers = count(1)
        self._queued: dict[int, _Queued] = {}

    def add(self, fault: Fault) -> int:
        """Queue a fault and return its number."""
        number = next(self._numbers)
        self._queued[number] = _Queued(fault, fault.skip, fault.times)
        return number

    def clear(self) -> None:
        """Forget all faults."""
        self._queued.clear()

    def remove(self, number: int) -> bool:
        """Forget one fault; False if it is not (any longer) in force."""
        return self._queued.pop(number, None) is not None

    def take(self, method: str, target: str) -> Fault | None:
        """Use up one hit of the first fault that matches, and return it."""
        for number, queued in list(self._queued.items()):
            if queued.fault.until is not None and queued.fault.until <= self._now():
                del self._queued[number]
                continue
            if not queued.fault.matches(method, target):
                continue
            if queued.skip:
                queued.skip -= 1
                continue
            queued.hits += 1
            if queued.left is not None:
                queued.left -= 1
                if not queued.left:
                    del self._queued[number]
            return queued.fault
        return None

    def describe(self) -> list[dict[str, object]]:
        """List the faults in force with their number, hits so far and hits left."""
        return [
            {"fault_id": n, **_as_json(q.fault), "skip": q.skip, "left": q.left, "hits": q.hits}
            for n, q in self._queued.items()
        ]


def _as_json(fault: Fault) -> dict[str, object]:
    return {**vars(fault), "headers": dict(fault.headers)}
