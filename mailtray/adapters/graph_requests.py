"""One request to Graph: under whose name, about which mailbox, and how it is refused.

Source: learn.microsoft.com/graph, "Use the Microsoft Graph API", "Obtain immutable identifiers for
Outlook resources", "Get Outlook messages in a shared or delegated folder".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from mailtray.adapters.graph_failures import ELSEWHERE, About, failure, made
from mailtray.core import folders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailtray.adapters.http import Http
    from mailtray.adapters.http_answer import Answer
    from mailtray.core.errors import MailSourceError
    from mailtray.core.model import AccessToken
    from mailtray.ports import Clock

IMMUTABLE_IDS = 'IdType="ImmutableId"'
_HOPED_FOR = {"GET": (200,), "POST": (200, 201), "PATCH": (200,)}


@dataclass(slots=True)
class Call:
    """One call of the port: its token, the mailbox it is about, and how many requests it took.

    Attributes:
        mailbox: The address of a shared mailbox; the token's own where empty.
    """

    token: AccessToken
    mailbox: str = ""
    requests: int = 0

    @property
    def about(self) -> About:
        """What all requests of this call are about."""
        return About.SHARED if self.mailbox else About.READING

    @property
    def may_preview(self) -> bool:
        """Whether the token's scopes cover the text of the mailbox's messages."""
        # Scopes come long or short: https://graph.microsoft.com/Mail.Read is Mail.Read.
        scopes = {scope.rpartition("/")[2].lower() for scope in self.token.scopes}
        suffix = ".shared" if self.mailbox else ""
        return bool(scopes & {f"mail.read{suffix}", f"mail.readwrite{suffix}"})


class Graph:
    """Graph's v1.0 as a place to send requests to.

    Args:
        root: ``https://graph.microsoft.com``, or another cloud's.
        http: How requests are sent.
        clock: Tells how far away a ``Retry-After`` date is.
    """

    def __init__(self, root: str, http: Http, clock: Clock) -> None:
        self._root = root.rstrip("/")
        self._http = http
        self._clock = clock

    def is_ours(self, url: str) -> bool:
        """Say whether an address is Graph's; no other is sent a token."""
        return url.lower().startswith(f"{self._root.lower()}/")

    def address(self, path: str) -> str:
        """Return the whole address of a path below the version."""
        return f"{self._root}/v1.0{path}"

    def get(
        self, call: Call, url: str, *, prefer: str = "", about: About = About.READING
    ) -> Answer:
        """Read something.

        Args:
            call: For whom.
            url: A whole address of :meth:`address`, or a link that Graph gave.
            prefer: A preference beside that for immutable ids.
            about: What is read, beside what the call tells.

        Raises:
            MailSourceError: As of the port.
        """
        headers = {"Prefer": f"{IMMUTABLE_IDS}, {prefer}" if prefer else IMMUTABLE_IDS}
        return self._send(call, "GET", url, headers, about=about)

    def send(self, call: Call, method: str, path: str, content: object, about: About) -> Answer:
        """Have something done: ``content`` is sent to a path as JSON.

        Raises:
            MailSourceError: As of the port.
        """
        headers = {"Prefer": IMMUTABLE_IDS, "Content-Type": "application/json"}
        body = json.dumps(content).encode()
        return self._send(call, method, self.address(path), headers, body, about=about)

    def refusal(self, answer: Answer, about: About) -> MailSourceError:
        """Return the error that an answer stands for."""
        return failure(answer, self._clock.now(), about)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(
        self,
        call: Call,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        about: About,
    ) -> Answer:
        if not self.is_ours(url):
            raise made(ELSEWHERE)
        call.requests += 1
        own = {"Accept": "application/json", "Authorization": f"Bearer {call.token.secret}"}
        answer = self._http.request(method, url, headers={**own, **headers}, data=body)
        if answer.status not in _HOPED_FOR[method]:
            raise self.refusal(answer, call.about | about)
        return answer


def mailbox_path(mailbox: str) -> str:
    """Return the path of a mailbox, the token's own where the address is empty."""
    return f"/users/{quote(mailbox, safe='@')}" if mailbox else "/me"


def folder_path(folder: str) -> str:
    """Return the path of the folder that a key names."""
    mailbox, folder_id = folders.split(folder)
    return f"{mailbox_path(mailbox)}/mailFolders/{quote(folder_id, safe='')}"
