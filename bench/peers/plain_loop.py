"""The loop that tutorials show: a token from MSAL's cache, and ``requests.get``, per poll.

With ``--select`` it asks for the fields it shows and no others.
"""

from __future__ import annotations

import sys

import msal
import requests

from bench.peers.driven import AUTHORITY, CLIENT_ID, SCOPES, drive

URL = "https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages"


class Loop:
    """The plain loop."""

    def __init__(self, token_cache: str, *, with_select: bool) -> None:
        cache = msal.SerializableTokenCache()
        cache.deserialize(token_cache)
        self._app = msal.PublicClientApplication(CLIENT_ID, authority=AUTHORITY, token_cache=cache)
        self._options = {"$filter": "isRead eq false", "$top": "5"}
        if with_select:
            self._options["$select"] = "id,subject,from,receivedDateTime"

    def poll(self) -> list[object]:
        """Return the five unread messages."""
        (account,) = self._app.get_accounts()
        token = self._app.acquire_token_silent(SCOPES, account=account)
        response = requests.get(
            URL,
            params=self._options,
            headers={"Authorization": f"Bearer {token['access_token']}"},
            timeout=30,
        )
        response.raise_for_status()
        return list(response.json()["value"])


if __name__ == "__main__":
    drive(lambda cache: Loop(cache, with_select="--select" in sys.argv).poll)
