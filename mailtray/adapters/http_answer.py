"""What HTTP answers are to the rest: read to their end, with their dates and waits understood."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from mailtray.core.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 32 * 1024 * 1024
"""An answer larger than this, unpacked, is not read to its end."""
MAX_ANSWER_S = 120.0
"""An answer that is still dripping after this is given up, in seconds."""
MAX_RETRY_AFTER_S = 3600.0
"""The longest wait a server may ask for, in seconds; more is cut to it."""
_MAX_HEADER_CHARS = 64
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


class TooSlow(Unreachable):
    """The server took the request and did not answer it in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read to its end and unpacked.

    Attributes:
        headers: Names in any letter case; repeated ones are joined by commas.
        server_time: Its ``Date``, aware UTC, or ``None``.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def server_time(self) -> datetime | None:
        """The ``Date`` header, aware UTC, or ``None`` where it is absent or nonsense."""
        return http_date(self.headers.get("Date"))


@dataclass(frozen=True, slots=True)
class Route:
    """The way to Microsoft's services.

    Attributes:
        roots: Where sign-in and Graph live, each ``https://host``.
        service_url: A loopback address that plays both of them, if any; no proxy and no
            certificate is asked for then.
        ca_bundle: A PEM file of certificates to trust besides the system's, or empty.
        proxy: The proxy to go through whatever the environment says, or empty.
    """

    roots: tuple[str, str]
    service_url: str | None = None
    ca_bundle: str = ""
    proxy: str = field(default="", repr=False)


def http_date(value: str | None) -> datetime | None:
    """Return an HTTP date as aware UTC, or ``None`` where it is absent or nonsense.

    Source: RFC 9110, 5.6.7 "Date/Time Formats".
    """
    if value is None or len(value) > _MAX_HEADER_CHARS:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Say how long a ``Retry-After`` header asks to wait.

    Args:
        value: The header: seconds, or an HTTP date; anything else counts as absent.
        now: The time, aware.

    Returns:
        Whole seconds, rounded up, from 1 to ``MAX_RETRY_AFTER_S``; ``None`` where the header is
        absent, in the past or nonsense.

    Source: RFC 9110, 10.2.3 "Retry-After".
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        wait_s = math.ceil(float(text))
    else:
        moment = http_date(text)
        wait_s = math.ceil((moment - now).total_seconds()) if moment else 0
    return float(min(wait_s, MAX_RETRY_AFTER_S)) if wait_s > 0 else None
