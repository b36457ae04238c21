"""Everything that can come in place of a good answer, and what the program makes of it.

One line a cell: the fault, where it strikes, the state and the words on the icon, how many
requests it spoils (then it is over), how many polls fail of it, and what brings the mail back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mailtray.simulator import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Place(StrEnum):
    """Which request a fault strikes."""

    TOKEN = "token endpoint"
    DISCOVERY = "discovery"
    FIRST = "first page"
    LATER = "later page"
    LAST = "last page"


PAGES = (Place.FIRST, Place.LATER, Place.LAST)
PATHS = {
    Place.TOKEN: r"/oauth2/v2\.0/token$",
    Place.DISCOVERY: r"/\.well-known/openid-configuration$",
    Place.FIRST: r"/messages/delta\?(?!.*skiptoken)",
    Place.LATER: r"/messages/delta\?.*skiptoken",
    Place.LAST: r"/messages/delta\?.*skiptoken",
}
PAGE_SIZES = {Place.LATER: 1, Place.LAST: 2}
"""Three messages are a round of three pages, or of two: the second is a later one, or the last."""


class WayBack(StrEnum):
    """What it takes once the fault is over."""

    BY_ITSELF = "by itself"
    CHECK = "by itself within the hour, or “Check now”"
    SIGN_IN = "sign in again"


BY_ITSELF, CHECK, SIGN_IN = WayBack


@dataclass(frozen=True)
class Seen:
    """What the person sees of it; ``words`` is empty where that is nothing."""

    state: str
    words: str = ""


FINE = Seen("ok")
UNREACHABLE = Seen("offline", "Microsoft 365 cannot be reached")
SLOW = Seen("offline", "Microsoft 365 takes too long to answer")
NOT_GRAPH = Seen("offline", "Something else answered in place of Microsoft 365")
NOT_UNDERSTOOD = Seen("offline", "Microsoft 365 did not understand a request")
READ_ANEW = Seen("offline", "The mailbox has to be read anew")
BUSY = Seen("throttled", "Microsoft 365 is in trouble")
TOO_MUCH = Seen("throttled", "Microsoft 365 needs too long to answer")
WAIT = Seen("throttled", "Microsoft 365 asks mailtray to wait")
REJECTED = Seen("attention", "Microsoft 365 refused the sign-in")
DENIED = Seen("attention", "Permission to read this mailbox is missing")
NO_MAILBOX = Seen("attention", "This account has no Microsoft 365 mailbox we can read")
NO_FOLDER = Seen("attention", "A watched folder no longer exists")
LOGIN_UNUSABLE = Seen("offline", "Microsoft's sign-in gave an unusable answer")
LOGIN_BUSY = Seen("throttled", "Microsoft's sign-in is in trouble")
LOGIN_WAIT = Seen("throttled", "Microsoft's sign-in asks mailtray to wait")
LOGIN_PORTAL = Seen("offline", "Something else answered in place of Microsoft's sign-in")


class Stage(StrEnum):
    """Where a fault is played."""

    ANSWER = "an answer of the simulator's"
    LISTENER = "the simulator does not listen"
    RESOLVER = "the program's resolver fails"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a fault is played.

    Attributes:
        answer: Fields of the simulator's fault.
        carried_out: True where the request was carried out and only its answer is lost.
        is_hindered: True where the program has to run with little patience or a failing resolver.
        shrinks_pages: True where the program asks for smaller pages for the rest of its life.
    """

    stage: Stage = Stage.ANSWER
    answer: Mapping[str, Any] = field(default_factory=dict)
    carried_out: bool = False
    is_hindered: bool = False
    shrinks_pages: bool = False


def _status(status: int, code: str = "x", **headers: str) -> Kind:
    """Return an answer with an error in Graph's form."""
    body = {"error": {"code": code, "message": "A made-up message."}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Kind(answer={"status": status, "body": body, "headers": named})


def _text(text: str, content_type: str = "application/json") -> Kind:
    return Kind(answer={"body": text, "headers": {"Content-Type": content_type}})


DATE = "a date"
"""Stands for a date a few seconds after the fault began."""
_CLAIMS = (
    'Bearer realm="", error="insufficient_claims", claims="'
    'eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzY0MDAwMDAwIn19fQ=="'
)
_WRONG_TYPES = {
    "value": {"id": 7},
    "@odata.deltaLink": ["x"],
    "token_endpoint": 7,
    "issuer": ["x"],
    "access_token": ["x"],
    "refresh_token": {"x": 1},
    "expires_in": "3599",
    "scope": 5,
}
_HTML = "<!doctype html><title>Hotel</title><p>Please accept our terms."

KINDS: dict[str, Kind] = {
    "refused": Kind(stage=Stage.LISTENER),
    "DNS failing": Kind(stage=Stage.RESOLVER, is_hindered=True),
    "reset in the headers": Kind(answer={"close": "headers"}),
    "reset in the body": Kind(answer={"close": "body"}, carried_out=True),
    "slow beyond the timeout": Kind(
        answer={"delay_s": 1.0}, carried_out=True, is_hindered=True, shrinks_pages=True
    ),
    "truncated JSON": _text('{"value": [{"id": "AAk'),
    "truncated gzip": Kind(answer={"gzip_truncated": True}, carried_out=True),
    "HTML with 200": _text(_HTML, "text/html"),
    "empty 200": _text(""),
    "`{}`": _text("{}"),
    "wrong types": Kind(answer={"body": _WRONG_TYPES}),
    "302 to elsewhere": Kind(
        answer={"status": 302, "headers": {"Location": "https://portal.example/terms"}}
    ),
    "400 filter": _status(400, "ErrorInvalidUrlQuery"),
    "401 plain, once": _status(401, "InvalidAuthenticationToken"),
    "401 plain": _status(401, "InvalidAuthenticationToken"),
    "401 with claims, once": _status(401, WWW_Authenticate=_CLAIMS),
    "401 with claims": _status(401, WWW_Authenticate=_CLAIMS),
    "403": _status(403, "ErrorAccessDenied"),
    "404 mailbox": _status(404, "MailboxNotEnabledForRESTAPI"),
    "404 folder": _status(404, "ErrorItemNotFound"),
    "408": _status(408),
    "409": _status(409, "Conflict"),
    "410, once": _status(410, "SyncStateNotFound"),
    "410": _status(410, "SyncStateNotFound"),
    "412": _status(412, "ErrorIrresolvableConflict"),
    "429, Retry-After in seconds": _status(429, "ApplicationThrottled", Retry_After="1"),
    "429, Retry-After as a date": _status(429, "ApplicationThrottled", Retry_After=DATE),
    "429, Retry-After that is junk": _status(429, "ApplicationThrottled", Retry_After="soon"),
    "429 without Retry-After": _status(429, "TooManyRequests"),
    "500": _status(500, "ErrorInternalServerError"),
    "502": Kind(answer={"status": 502, "body": "<h1>502 Bad Gateway</h1>"}),
    "503": _status(503, "ServiceNotAvailable"),
    "504": Kind(answer={"status": 504, "body": "<h1>504 Gateway Timeout</h1>"}, shrinks_pages=True),
    "507": _status(507, "ErrorQuotaExceeded"),
    "509": _status(509, "BandwidthLimitExceeded"),
    "511": Kind(answer={"status": 511, "body": _HTML}),
}


@dataclass(frozen=True)
class Cell:
    """One fault at one place.

    Attributes:
        hits: Requests the fault spoils; 0 where none gets as far as the simulator.
        tries: Polls that fail of it.
    """

    fault: str
    place: Place
    seen: Seen
    hits: int = 2
    tries: int = 2
    way_back: WayBack = WayBack.BY_ITSELF

    def __str__(self) -> str:
        return f"{self.fault}, {self.place}"

    @property
    def kind(self) -> Kind:
        """How the fault is played."""
        return KINDS[self.fault]

    def answer(self, date: datetime) -> Fault:
        """Return the fault for the simulator, with the date it may need."""
        fault = Fault(path=PATHS[self.place], times=self.hits, **self.kind.answer)
        if fault.headers.get("Retry-After") != DATE:
            return fault
        return replace(fault, headers={"Retry-After": format_datetime(date, usegmt=True)})


# fmt: off
CELLS = (
    Cell("refused", Place.TOKEN, UNREACHABLE, hits=0),
    Cell("refused", Place.DISCOVERY, UNREACHABLE, hits=0),
    Cell("refused", Place.FIRST, UNREACHABLE, hits=0),
    Cell("DNS failing", Place.TOKEN, UNREACHABLE, hits=0),
    Cell("DNS failing", Place.DISCOVERY, UNREACHABLE, hits=0),
    Cell("DNS failing", Place.FIRST, UNREACHABLE, hits=0),
    Cell("reset in the headers", Place.TOKEN, UNREACHABLE),
    Cell("reset in the headers", Place.DISCOVERY, UNREACHABLE),
    Cell("reset in the headers", Place.FIRST, UNREACHABLE),
    Cell("reset in the headers", Place.LATER, UNREACHABLE),
    Cell("reset in the headers", Place.LAST, UNREACHABLE),
    Cell("reset in the body", Place.TOKEN, UNREACHABLE),
    Cell("reset in the body", Place.DISCOVERY, UNREACHABLE),
    Cell("reset in the body", Place.FIRST, UNREACHABLE),
    Cell("reset in the body", Place.LATER, UNREACHABLE),
    Cell("reset in the body", Place.LAST, UNREACHABLE),
    Cell("slow beyond the timeout", Place.TOKEN, SLOW),
    Cell("slow beyond the timeout", Place.DISCOVERY, SLOW),
    Cell("slow beyond the timeout", Place.FIRST, SLOW),
    Cell("slow beyond the timeout", Place.LATER, SLOW),
    Cell("slow beyond the timeout", Place.LAST, SLOW),
    Cell("truncated JSON", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("truncated JSON", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("truncated JSON", Place.FIRST, NOT_GRAPH),
    Cell("truncated JSON", Place.LATER, NOT_GRAPH),
    Cell("truncated JSON", Place.LAST, NOT_GRAPH),
    Cell("truncated gzip", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("truncated gzip", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("truncated gzip", Place.FIRST, NOT_GRAPH),
    Cell("truncated gzip", Place.LATER, NOT_GRAPH),
    Cell("truncated gzip", Place.LAST, NOT_GRAPH),
    Cell("HTML with 200", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("HTML with 200", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("HTML with 200", Place.FIRST, NOT_GRAPH),
    Cell("HTML with 200", Place.LATER, NOT_GRAPH),
    Cell("HTML with 200", Place.LAST, NOT_GRAPH),
    Cell("empty 200", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("empty 200", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("empty 200", Place.FIRST, NOT_GRAPH),
    Cell("empty 200", Place.LATER, NOT_GRAPH),
    Cell("empty 200", Place.LAST, NOT_GRAPH),
    Cell("`{}`", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("`{}`", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("`{}`", Place.FIRST, NOT_GRAPH),
    Cell("`{}`", Place.LATER, NOT_GRAPH),
    Cell("`{}`", Place.LAST, NOT_GRAPH),
    Cell("wrong types", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("wrong types", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("wrong types", Place.FIRST, NOT_GRAPH),
    Cell("wrong types", Place.LATER, NOT_GRAPH),
    Cell("wrong types", Place.LAST, NOT_GRAPH),
    Cell("302 to elsewhere", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("302 to elsewhere", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("302 to elsewhere", Place.FIRST, NOT_GRAPH),
    Cell("302 to elsewhere", Place.LATER, NOT_GRAPH),
    Cell("302 to elsewhere", Place.LAST, NOT_GRAPH),
    Cell("400 filter", Place.FIRST, NOT_UNDERSTOOD, hits=5),
    Cell("400 filter", Place.LATER, NOT_UNDERSTOOD, hits=3),
    Cell("400 filter", Place.LAST, NOT_UNDERSTOOD, hits=3),
    Cell("401 plain, once", Place.FIRST, FINE, hits=1, tries=0),
    Cell("401 plain, once", Place.LATER, FINE, hits=1, tries=0),
    Cell("401 plain, once", Place.LAST, FINE, hits=1, tries=0),
    Cell("401 plain", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("401 plain", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("401 plain", Place.FIRST, REJECTED, tries=1, way_back=SIGN_IN),
    Cell("401 plain", Place.LATER, REJECTED, tries=1, way_back=SIGN_IN),
    Cell("401 plain", Place.LAST, REJECTED, tries=1, way_back=SIGN_IN),
    Cell("401 with claims, once", Place.FIRST, FINE, hits=1, tries=0),
    Cell("401 with claims, once", Place.LATER, FINE, hits=1, tries=0),
    Cell("401 with claims, once", Place.LAST, FINE, hits=1, tries=0),
    Cell("401 with claims", Place.FIRST, REJECTED, tries=1, way_back=SIGN_IN),
    Cell("401 with claims", Place.LATER, REJECTED, tries=1, way_back=SIGN_IN),
    Cell("401 with claims", Place.LAST, REJECTED, tries=1, way_back=SIGN_IN),
    Cell("403", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("403", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("403", Place.FIRST, DENIED, hits=1, tries=1, way_back=CHECK),
    Cell("403", Place.LATER, DENIED, hits=1, tries=1, way_back=CHECK),
    Cell("403", Place.LAST, DENIED, hits=1, tries=1, way_back=CHECK),
    Cell("404 mailbox", Place.FIRST, NO_MAILBOX, hits=1, tries=1, way_back=CHECK),
    Cell("404 mailbox", Place.LATER, NO_MAILBOX, hits=1, tries=1, way_back=CHECK),
    Cell("404 mailbox", Place.LAST, NO_MAILBOX, hits=1, tries=1, way_back=CHECK),
    Cell("404 folder", Place.FIRST, NO_FOLDER, hits=1, tries=1, way_back=CHECK),
    Cell("404 folder", Place.LATER, NO_FOLDER, hits=1, tries=1, way_back=CHECK),
    Cell("404 folder", Place.LAST, NO_FOLDER, hits=1, tries=1, way_back=CHECK),
    Cell("408", Place.TOKEN, LOGIN_BUSY),
    Cell("408", Place.DISCOVERY, LOGIN_BUSY),
    Cell("408", Place.FIRST, BUSY),
    Cell("408", Place.LATER, BUSY),
    Cell("408", Place.LAST, BUSY),
    Cell("409", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("409", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("409", Place.FIRST, BUSY),
    Cell("409", Place.LATER, BUSY),
    Cell("409", Place.LAST, BUSY),
    Cell("410, once", Place.FIRST, FINE, hits=1, tries=0),
    Cell("410, once", Place.LATER, FINE, hits=1, tries=0),
    Cell("410, once", Place.LAST, FINE, hits=1, tries=0),
    Cell("410", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("410", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("410", Place.FIRST, BUSY, hits=4),
    Cell("410", Place.LATER, READ_ANEW, hits=4),
    Cell("410", Place.LAST, READ_ANEW, hits=4),
    Cell("412", Place.TOKEN, LOGIN_UNUSABLE),
    Cell("412", Place.DISCOVERY, LOGIN_UNUSABLE),
    Cell("412", Place.FIRST, BUSY),
    Cell("412", Place.LATER, BUSY),
    Cell("412", Place.LAST, BUSY),
    Cell("429, Retry-After in seconds", Place.TOKEN, LOGIN_WAIT, hits=1, tries=1),
    Cell("429, Retry-After in seconds", Place.DISCOVERY, LOGIN_WAIT, hits=1, tries=1),
    Cell("429, Retry-After in seconds", Place.FIRST, WAIT, hits=1, tries=1),
    Cell("429, Retry-After in seconds", Place.LATER, WAIT, hits=1, tries=1),
    Cell("429, Retry-After in seconds", Place.LAST, WAIT, hits=1, tries=1),
    Cell("429, Retry-After as a date", Place.TOKEN, LOGIN_WAIT, hits=1, tries=1),
    Cell("429, Retry-After as a date", Place.DISCOVERY, LOGIN_WAIT, hits=1, tries=1),
    Cell("429, Retry-After as a date", Place.FIRST, WAIT, hits=1, tries=1),
    Cell("429, Retry-After as a date", Place.LATER, WAIT, hits=1, tries=1),
    Cell("429, Retry-After as a date", Place.LAST, WAIT, hits=1, tries=1),
    Cell("429, Retry-After that is junk", Place.TOKEN, LOGIN_WAIT),
    Cell("429, Retry-After that is junk", Place.DISCOVERY, LOGIN_WAIT),
    Cell("429, Retry-After that is junk", Place.FIRST, WAIT),
    Cell("429, Retry-After that is junk", Place.LATER, WAIT),
    Cell("429, Retry-After that is junk", Place.LAST, WAIT),
    Cell("429 without Retry-After", Place.TOKEN, LOGIN_WAIT),
    Cell("429 without Retry-After", Place.DISCOVERY, LOGIN_WAIT),
    Cell("429 without Retry-After", Place.FIRST, WAIT),
    Cell("429 without Retry-After", Place.LATER, WAIT),
    Cell("429 without Retry-After", Place.LAST, WAIT),
    Cell("500", Place.TOKEN, LOGIN_BUSY),
    Cell("500", Place.DISCOVERY, LOGIN_BUSY),
    Cell("500", Place.FIRST, BUSY),
    Cell("500", Place.LATER, BUSY),
    Cell("500", Place.LAST, BUSY),
    Cell("502", Place.TOKEN, LOGIN_BUSY),
    Cell("502", Place.DISCOVERY, LOGIN_BUSY),
    Cell("502", Place.FIRST, BUSY),
    Cell("502", Place.LATER, BUSY),
    Cell("502", Place.LAST, BUSY),
    Cell("503", Place.TOKEN, LOGIN_BUSY),
    Cell("503", Place.DISCOVERY, LOGIN_BUSY),
    Cell("503", Place.FIRST, BUSY),
    Cell("503", Place.LATER, BUSY),
    Cell("503", Place.LAST, BUSY),
    Cell("504", Place.TOKEN, LOGIN_BUSY),
    Cell("504", Place.DISCOVERY, LOGIN_BUSY),
    Cell("504", Place.FIRST, TOO_MUCH, hits=7),
    Cell("504", Place.LATER, TOO_MUCH, hits=7),
    Cell("504", Place.LAST, TOO_MUCH, hits=7),
    Cell("507", Place.TOKEN, LOGIN_BUSY),
    Cell("507", Place.DISCOVERY, LOGIN_BUSY),
    Cell("507", Place.FIRST, BUSY),
    Cell("507", Place.LATER, BUSY),
    Cell("507", Place.LAST, BUSY),
    Cell("509", Place.TOKEN, LOGIN_BUSY),
    Cell("509", Place.DISCOVERY, LOGIN_BUSY),
    Cell("509", Place.FIRST, BUSY),
    Cell("509", Place.LATER, BUSY),
    Cell("509", Place.LAST, BUSY),
    Cell("511", Place.TOKEN, LOGIN_PORTAL),
    Cell("511", Place.DISCOVERY, LOGIN_PORTAL),
    Cell("511", Place.FIRST, NOT_GRAPH),
    Cell("511", Place.LATER, NOT_GRAPH),
    Cell("511", Place.LAST, NOT_GRAPH),
)
# fmt: on

_ROUND = "A round's pages come over one connection, which is reset rather than opened anew"
_GRAPH_ONLY = "Only Graph answers so"
LEFT_OUT: dict[tuple[str, Place], str] = {
    **{(f, p): _ROUND for f in ("refused", "DNS failing") for p in (Place.LATER, Place.LAST)},
    **{
        (f, p): _GRAPH_ONLY
        for f in (
            "400 filter",
            "401 plain, once",
            "401 with claims, once",
            "401 with claims",
            "404 mailbox",
            "404 folder",
            "410, once",
        )
        for p in (Place.TOKEN, Place.DISCOVERY)
    },
}
"""Cells that make no sense, and why."""
