"""One call to Graph as the handlers see it, whether it came alone or inside a batch."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mailtray.simulator import scopes
from mailtray.simulator.accounts import Account
from mailtray.simulator.cloud import Cloud
from mailtray.simulator.mailbox import Message
from mailtray.simulator.resources import TEXT_PROPERTIES, message_json, project
from mailtray.simulator.times import wire_time


@dataclass
class Reply:
    """An answer: status, JSON body (``None`` for none) and extra headers."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class GraphError(Exception):
    """A refusal with Graph's code and message."""

    status: int
    code: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)


NOT_FOUND = GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
ACCESS_DENIED = GraphError(
    403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
)


@dataclass(frozen=True)
class GraphRequest:
    """Method, path below the version, decoded query options, headers and JSON body."""

    method: str
    path: str
    options: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: object
    origin: str
    """The official https address the client believes it talks to."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def client_request_id(self) -> str:
        """The client's own number of the request, or ours where it has none."""
        return self.headers.get("client-request-id", self.request_id)

    @cached_property
    def preferences(self) -> dict[str, str]:
        """The ``Prefer`` header, names in lower case, values without quotes."""
        parts = re.findall(
            r'([\w.-]+)\s*=\s*(?:"([^"]*)"|([^\s,;]+))', self.headers.get("prefer", "")
        )
        return {name.lower(): quoted or bare for name, quoted, bare in parts}

    @property
    def immutable(self) -> bool:
        """Whether ids are wanted, and given, in the form that survives a move."""
        return self.preferences.get("idtype", "").lower() == "immutableid"

    @property
    def max_page_size(self) -> int | None:
        """``odata.maxpagesize``, if sent and a number above 0."""
        text = self.preferences.get("odata.maxpagesize", "")
        return int(text) if text.isdecimal() and int(text) > 0 else None


@dataclass(frozen=True)
class Call:
    """A request by someone known, to a mailbox that may be theirs or shared with them."""

    cloud: Cloud
    request: GraphRequest
    caller: Account
    owner: Account
    scopes: frozenset[str]

    @property
    def is_shared(self) -> bool:
        """Whether the mailbox is somebody else's."""
        return self.caller is not self.owner

    @property
    def may_preview(self) -> bool:
        """Whether the caller's permission covers the text of messages."""
        return scopes.may_preview(self.scopes, shared=self.is_shared)

    @property
    def root(self) -> str:
        """Address of the mailbox: ``https://graph.microsoft.com/v1.0/me`` or ``.../users/x``."""
        who = f"users/{self.owner.username}" if self.is_shared else "me"
        return f"{self.request.origin}/v1.0/{who}"

    def context(self, what: str) -> str:
        """Build the ``@odata.context`` of an answer."""
        return f"{self.request.origin}/v1.0/$metadata#{what}"

    def require(self, *, allowed: bool) -> None:
        """Refuse the call unless it is allowed.

        Raises:
            GraphError: 403 ErrorAccessDenied.
        """
        if not allowed:
            raise ACCESS_DENIED

    def require_read(self) -> None:
        """Refuse a caller that may not read mail at all."""
        self.require(allowed=scopes.may_read(self.scopes, shared=self.is_shared))

    def require_write(self) -> None:
        """Refuse a caller that may not change mail."""
        self.require(allowed=scopes.may_write(self.scopes, shared=self.is_shared))

    def refuse_heavy_page(self, size: int | None) -> None:
        """Fail as a gateway does when a page takes too long to build.

        Raises:
            GraphError: 504, if the page asked for is larger than the knob allows.
        """
        limit = self.cloud.max_page_size_before_504
        if limit is not None and size is not None and size > limit:
            raise GraphError(504, "", "<html><body><h1>504 Gateway Time-out</h1></body></html>")

    def whole(self, message: Message) -> dict[str, object]:
        """Build all properties of a message, whatever the caller may see."""
        return message_json(
            message,
            owner=self.owner.username,
            immutable=self.request.immutable,
            base_url=self.cloud.base_url,
        )

    def render(self, message: Message, select: frozenset[str] | None) -> dict[str, object]:
        """Build a message as this caller may see it."""
        shown = self.whole(message)
        if not self.may_preview:
            shown = {name: value for name, value in shown.items() if name not in TEXT_PROPERTIES}
        return project(shown, select)

    def refuse_hidden_text(self, select: frozenset[str] | None) -> None:
        """Refuse a select of the text where the scope hides it and the knob says so.

        Raises:
            GraphError: 403 ErrorAccessDenied.
        """
        hidden = select is not None and bool(select & TEXT_PROPERTIES) and not self.may_preview
        self.require(allowed=not (hidden and self.cloud.read_basic_preview == "forbid"))


def error_reply(error: GraphError, request: GraphRequest, cloud: Cloud) -> Reply:
    """Put a refusal into Graph's error body; an empty code means a gateway's HTML page."""
    if not error.code:
        return Reply(error.status, error.message, {**error.headers, "Content-Type": "text/html"})
    inner = {
        "date": wire_time(cloud.time()).removesuffix("Z"),
        "request-id": request.request_id,
        "client-request-id": request.client_request_id,
    }
    body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
    return Reply(error.status, body, dict(error.headers))
