"""How a peer is told to poll."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
AUTHORITY = "https://login.microsoftonline.com/common"
SCOPES = ["Mail.Read"]


def drive(prepare: Callable[[str], Callable[[], object]]) -> None:
    """Serve the lines of the standard input.

    Args:
        prepare: Takes MSAL's serialized token cache; returns what polls once.
    """
    poll = prepare(sys.stdin.readline())
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            poll()
        print("done", flush=True)
