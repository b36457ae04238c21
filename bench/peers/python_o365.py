"""python-O365: unread messages of the inbox, by its own query."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from O365 import Account
from O365.utils.token import EnvTokenBackend

from bench.peers.driven import CLIENT_ID, drive

if TYPE_CHECKING:
    from collections.abc import Callable


def prepare(token_cache: str) -> Callable[[], object]:
    """Return what polls once."""
    os.environ["O365TOKEN"] = token_cache
    account = Account(
        (CLIENT_ID,),
        auth_flow_type="public",
        token_backend=EnvTokenBackend(),
        requests_delay=0,  # it would sleep 200 ms before each, which costs time and no CPU
    )
    inbox = account.mailbox().inbox_folder()

    def poll() -> object:
        return list(inbox.get_messages(limit=5, query="isRead eq false"))

    return poll


if __name__ == "__main__":
    drive(prepare)
