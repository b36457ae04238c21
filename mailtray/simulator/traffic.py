"""The log of what was asked of the simulator, and the sums a test looks at."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

LOGGED_HEADERS = ("Prefer", "User-Agent", "Accept-Encoding", "client-request-id", "If-Match")
KEPT_REQUESTS = 10_000
"""Older requests leave the log; the counts still hold them."""

COUNTED = (
    "total",
    "graph",
    "delta",
    "batch_parts",
    "token",
    "token_authorization_code",
    "token_refresh_token",
    "token_device_code",
    "used_refresh_tokens_refused",
    "authorize",
    "sign_in_pages",
    "device_code",
    "discovery",
    "webmail",
    "other",
)
"""What is counted; ``delta`` is part of ``graph``, the ``token_...`` are parts of ``token``."""


@dataclass
class LoggedRequest:
    """One request as it arrived; neither tokens nor bodies are kept."""

    n: int
    """Running number, from 1."""
    at: float
    """Arrival, in seconds since 1970 of the simulator's clock."""
    method: str
    host: str
    path: str
    query: str
    """As sent, percent-encoding included."""
    status: int | None = None
    """Status of the answer; 0 if the connection was closed instead, ``None`` while open."""
    grant_type: str | None = None
    """For the token endpoint: what the client offered."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The few request headers of `LOGGED_HEADERS`."""
    fault: bool = False
    """A queued fault changed the answer."""


class RequestLog:
    """The newest requests, and counts of all since the last `clear`."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=KEPT_REQUESTS)
        self._counts: Counter[str] = Counter()
        self._n = 0

    def next_number(self) -> int:
        """Return the number for the next request."""
        self._n += 1
        return self._n

    def add(self, request: LoggedRequest) -> None:
        """Append a request and count it by kind."""
        self._requests.append(request)
        self._counts["total"] += 1
        self._counts[kind_of(request.path)] += 1
        if _is_delta(request.path):
            self._counts["delta"] += 1
        if request.grant_type is not None:
            self._counts[f"token_{request.grant_type.rpartition(':')[2]}"] += 1

    def note(self, what: str) -> None:
        """Count something that is not a request, such as a refused refresh token."""
        self._counts[what] += 1

    def requests(self) -> list[LoggedRequest]:
        """Return the kept requests, oldest first."""
        return list(self._requests)

    def counts(self) -> dict[str, int]:
        """Sum up: requests by kind, and those for tokens also by what was offered for them."""
        return {name: self._counts[name] for name in COUNTED}

    def clear(self) -> None:
        """Forget requests and counts; numbers go on from where they were."""
        self._requests.clear()
        self._counts.clear()


_KINDS = (
    ("/oauth2/v2.0/token", "token"),
    ("/oauth2/v2.0/authorize", "authorize"),
    ("/oauth2/v2.0/devicecode", "device_code"),
    ("/.well-known/openid-configuration", "discovery"),
    ("/discovery/", "discovery"),
    ("/signin/", "sign_in_pages"),
    ("/devicelogin", "sign_in_pages"),
    ("/oauth2/v2.0/logout", "sign_in_pages"),
)


def kind_of(path: str) -> str:
    """Name the kind of a request by its path."""
    lowered = path.lower()
    if lowered.startswith("/v1.0/"):
        return "graph"
    if lowered.startswith("/mail"):
        return "webmail"
    return next((kind for part, kind in _KINDS if part in lowered), "other")


def _is_delta(path: str) -> bool:
    last = path.lower().rstrip("/").rpartition("/")[2]
    return kind_of(path) == "graph" and last.removesuffix("()") in {
        "delta",
        "microsoft.graph.delta",
    }
