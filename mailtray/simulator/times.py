"""Times as the two services write them: aware UTC datetimes inside, text on the wire."""

from datetime import UTC, datetime


def utc(epoch_s: float) -> datetime:
    """Turn seconds since 1970 into an aware UTC time of whole seconds.

    Graph keeps no fractions of a second for messages.
    """
    return datetime.fromtimestamp(int(epoch_s), UTC)


def wire_time(moment: datetime) -> str:
    """Write a time as Graph does: ``2026-11-25T09:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone counts as UTC.

    Raises:
        ValueError: The text is no such time.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
