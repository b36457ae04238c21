"""How MSAL speaks to Microsoft's sign-in: over our connections, and by our rules.

Source: learn.microsoft.com/entra/msal/python, ``http_client`` and ``http_cache``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailtray.adapters.http_answer import retry_after_s
from mailtray.adapters.msal_errors import IN_TROUBLE, TRIED_AGAIN, meaning
from mailtray.core.errors import InvalidResponse, ServiceUnavailable, Throttled
from mailtray.core.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailtray.adapters.http import Http
    from mailtray.adapters.http_answer import Answer
    from mailtray.ports import Clock

UNUSABLE = (N_("Microsoft's sign-in gave an unusable answer"), TRIED_AGAIN)
PORTAL = (
    N_("Something else answered in place of Microsoft's sign-in"),
    N_("Open any web page; this network may want you to sign in to it first."),
)
_SECRET_ENDPOINTS = ("token_endpoint", "issuer")
"""Parts of a discovery document that have to be there and encrypted."""
_TOKEN_TEXTS = ("refresh_token", "id_token", "client_info", "scope")
"""Parts of a token answer that need not be there, but are texts if they are."""


class EntraHttp:
    """Carries MSAL's requests, and lets it see only answers it can handle.

    Discovery is asked once for all accounts. MSAL's own memory of refusals is left empty (see
    :class:`NoMemory`); it would hide ``Retry-After`` and answer for the server.
    """

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._discovered: dict[str, MsalAnswer] = {}

    def get(self, url: str, **options: Any) -> MsalAnswer:  # noqa: ANN401 - as MSAL calls it
        """Ask for a discovery document."""
        known = self._discovered.get(url)
        if known is not None:
            return known
        # Two at once do no harm; a lock would let one slow answer hold up every account.
        answer = self._send("GET", url, options)
        if answer.status_code != 200:  # noqa: PLR2004 - a status is its own name
            raise meaning(answer.content, interactive=False)
        if not all(_is_https(answer.content.get(name)) for name in _SECRET_ENDPOINTS):
            raise InvalidResponse(*map(_, UNUSABLE))
        self._discovered[url] = answer
        return answer

    def post(self, url: str, **options: Any) -> MsalAnswer:  # noqa: ANN401 - as MSAL calls it
        """Ask for tokens."""
        answer = self._send("POST", url, options)
        is_for_tokens = "grant_type" in (options.get("data") or {})
        is_refusal = "error" in answer.content
        if is_for_tokens and not (is_refusal or _has_tokens(answer.content)):
            raise InvalidResponse(*map(_, UNUSABLE))
        return answer

    def close(self) -> None:
        """Leave the connections to their owner."""

    def _send(self, method: str, url: str, options: Mapping[str, Any]) -> MsalAnswer:
        answer = self._http.request(
            method,
            url,
            headers={name: str(value) for name, value in (options.get("headers") or {}).items()},
            params=options.get("params"),
            data=options.get("data"),
        )
        return MsalAnswer(answer, self._checked(answer))

    def _checked(self, answer: Answer) -> Mapping[str, object]:
        """Return the JSON of an answer, or raise what it stands for."""
        wait_s = retry_after_s(answer.headers.get("Retry-After"), self._clock.now())
        at = answer.server_time
        if answer.status == 429:  # noqa: PLR2004 - a status is its own name
            title = _("Microsoft's sign-in asks mailtray to wait")
            raise Throttled(title, _(TRIED_AGAIN), retry_after_s=wait_s, server_time=at)
        if answer.status == 511:  # noqa: PLR2004 - a status is its own name
            raise InvalidResponse(*map(_, PORTAL), server_time=at)
        if answer.status >= 500 or answer.status == 408:  # noqa: PLR2004 - statuses are their own names
            raise ServiceUnavailable(
                _(IN_TROUBLE), _(TRIED_AGAIN), retry_after_s=wait_s, server_time=at
            )
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError) as exc:
            raise InvalidResponse(*map(_, UNUSABLE), server_time=at) from exc
        is_refusal = answer.status != 200  # noqa: PLR2004 - a status is its own name
        # A gateway's refusal has an object where OAuth has a word.
        missing = None if is_refusal else ""
        if not (isinstance(content, dict) and isinstance(content.get("error", missing), str)):
            raise InvalidResponse(*map(_, UNUSABLE), server_time=at)
        return content


def _has_tokens(content: Mapping[str, object]) -> bool:
    """Say whether MSAL may put an answer into its cache."""
    token = content.get("access_token")
    texts = [content.get(name, "") for name in _TOKEN_TEXTS]
    return isinstance(token, str) and token != "" and all(isinstance(text, str) for text in texts)


def _is_https(address: object) -> bool:
    return isinstance(address, str) and urlsplit(address).scheme == "https"


class MsalAnswer:
    """An answer in the shape MSAL reads."""

    def __init__(self, answer: Answer, content: Mapping[str, object]) -> None:
        self.status_code = answer.status
        self.text = answer.body.decode(errors="replace")
        self.headers = answer.headers
        self.content = content

    def raise_for_status(self) -> None:
        """Do nothing: what is to be raised was raised before MSAL saw the answer."""


class NoMemory(dict[str, object]):
    """MSAL's memory of HTTP answers, kept empty.

    It would answer a token request from memory for a minute after a refusal (also the first one
    after the person mended the cause) and forget what ``Retry-After`` said; when to ask again
    is the poller's to decide.
    """

    def __setitem__(self, key: str, value: object) -> None:
        """Remember nothing."""
