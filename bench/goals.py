"""What it is to cost at most, as ratios of one run where somebody else can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import arriving, idle, resting, starting, syncing
from bench.idle import OURS, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.results import Results


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table.

    Attributes:
        what: What is held to it.
        limit: The most that is good.
        unit: Of what; ``x`` for a ratio.
        found: Works it out; raises ``KeyError`` where a part was not measured.
        reason: What there is to say where it is not met.
    """

    what: str
    limit: float
    unit: str
    found: Callable[[Results], float]
    reason: str = ""


def _of(measure: str, who: str, beside: str) -> Callable[[Results], float]:
    return lambda all_: all_.middle(measure, who) / all_.middle(measure, beside)


def _is(measure: str, who: str) -> Callable[[Results], float]:
    return lambda all_: all_.middle(measure, who)


def _further_account(all_: Results) -> float:
    five, one = (all_.middle(resting.USS, who) for who in (resting.FIVE, OURS))
    return (five - one) / 4


def _first_sync(all_: Results) -> float:
    large, small = (all_.middle(syncing.PEAK, syncing.told(size)) for size in (60_000, 10))
    return large - small


_START = "half of it is Python making mailtray's classes; MSAL and requests come after the icon."
GOALS = (
    Goal("CPU of an idle poll, beside the plain loop", 0.2, "x", _of(idle.CPU, OURS, PLAIN),
         "requests and urllib3 alone need about a fifth; the rest is the status, the menu and the "
         "schedule, worked out anew each time. Writing to the disk was taken out of it."),
    Goal("Bytes of an idle poll, beside the plain loop", 1 / 7, "x", _of(idle.BYTES, OURS, PLAIN)),
    Goal("Token requests between expiries", 0, "", _is(idle.TOKENS, OURS)),
    Goal("Memory at rest, beside the import floor", 1.1, "x",
         _of(resting.PSS, OURS, resting.FLOOR),
         "what is above it is mailtray's own modules, the connections and the mail that the menu "
         "shows; the floor has no icon and no connection."),
    Goal("Memory at rest, beside email-oauth2-proxy", 1, "x",
         _of(resting.PSS, OURS, resting.PROXY),
         "measured with its icon by Xorg and not by GTK, which was not tried; it loads no keyring "
         "and keeps no connection and no mail."),
    Goal("Memory of each further account", 1.5, "MB", _further_account),
    Goal("Memory grown over 10,000 polls", 1, "MB", _is(resting.GROWTH, OURS)),
    Goal("Wake-ups a minute at rest", 4, "", _is(resting.WAKEUPS, OURS),
         "counted are all threads' waits, those for a signal of the bus among them."),
    Goal("Start to icon", 250, "ms", _is(starting.ICON, OURS), _START),
    Goal("Start to icon, beside the import floor", 0.5, "x",
         _of(starting.ICON, OURS, resting.FLOOR), _START),
    Goal("From “Check now” to the notification", 60, "ms", _is(arriving.SHOWN, "1 new"),
         "the request to Graph is in it, and the panel and the server run on the same processors."),
    Goal("From “Check now” to the summary of 1,000", 1_000, "ms", _is(arriving.SHOWN, "1,000 new")),
    Goal("Requests of a first sync of 60,000", 15, "", _is(syncing.REQUESTS, "60,000 messages")),
    Goal("Memory of a first sync of 60,000, above that of 10", 10, "MB", _first_sync),
)  # fmt: skip
