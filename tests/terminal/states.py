"""What a program may answer, as the list is told it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

ANN, BEN = "ann@example.test", "ben@example.test"
NOW = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)


def message(
    name: str,
    *,
    sender: str = "Bo",
    subject: str = "",
    received: str | None = "2026-03-02T13:00:00+00:00",
) -> dict[str, Any]:
    return {
        "id": name,
        "from": sender,
        "subject": subject or f"Subject of {name}",
        "received": received,
        "web_link": "",
    }


def account(*messages: dict[str, Any] | str, username: str = ANN, **more: object) -> dict[str, Any]:
    found = [message(one) if isinstance(one, str) else one for one in messages]
    plain = {
        "username": username,
        "state": "ok",
        "unread": len(found),
        "new": 0,
        "checked": "2026-03-02T14:02:00+00:00",
        "error": None,
        "hint": None,
        "support": None,
        "notice": None,
        "link": None,
        "needs_sign_in": False,
        "messages": found,
    }
    return {**plain, **more}


def state(*accounts: dict[str, Any], **more: object) -> dict[str, Any]:
    plain = {
        "done": False,
        "state": "ok",
        "unread": sum(one["unread"] for one in accounts),
        "new": sum(one["new"] for one in accounts),
        "tooltip": "Signed out\nChoose “Sign in” to start",
        "link": None,
        "quiet": None,
        "paused_until": None,
        "accounts": list(accounts),
    }
    return {**plain, **more}
