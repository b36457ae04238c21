"""When to poll next.

Three kinds of failure wait in three ways. With no network a try costs nobody anything, so it
comes back soon and then ever more rarely: after a tenth of the time already spent offline. A
service in trouble is left alone twice as long each time. And what only hours or an administrator
can mend (no mailbox, no permission) is asked for again after an hour. What only the person can
mend is not asked for at all until they act.

Source: learn.microsoft.com/graph/throttling, "Best practices to handle throttling".
"""

from __future__ import annotations

from mailtray.core.errors import (
    AccessDenied,
    AuthError,
    MailboxUnavailable,
    MailtrayError,
    ProxyRefused,
    Throttled,
    TokenRejected,
    Unreachable,
)

OFFLINE_FIRST_RETRY_S = 8.0
OFFLINE_MAX_RETRY_S = 300.0
OFFLINE_SHARE = 0.1
SERVICE_FIRST_RETRY_S = 60.0
SERVICE_MAX_RETRY_S = 900.0
HOPELESS_RETRY_S = 3_600.0
MIN_DELAY_S = 0.05
WAKE_GAP_S = 60.0
"""A clock that moved this much more than was waited means that the computer slept."""
CLOCK_LOOK_S = 30.0
"""How often the clock is looked at while a wrong one keeps an account from its mail."""
WAKE_GRACE_S = 3.0
"""After a sleep the network needs a moment to come back."""
SAME_WAKE_S = 30.0
"""Within this time of a sleep that was noticed, word of a wake is word of that one."""
NETWORK_UP_GRACE_S = 0.2
"""A network that has just come up needs a breath for its names and routes."""
COUNT_EVERY_S = 900.0
"""How often a quiet folder's own counter is asked for: reads of mail older than the first round's
floor change nothing else."""


def has_slept(wait_s: float | None, waited_s: float, wall_s: float) -> bool:
    """Say whether the computer slept during a wait.

    The monotonic clock stands still in a sleep on some systems and goes on on others; the wall
    clock goes on on all of them, but may also be set.

    Args:
        wait_s: How long the wait was to be at most, in seconds; ``None`` or 0 where there was none.
        waited_s: How long it was by the monotonic clock.
        wall_s: How long it was by the wall clock; less than 0 where that was set back.
    """
    overslept_s = max(wall_s, waited_s) - min(waited_s, wait_s or waited_s)
    return overslept_s > WAKE_GAP_S


def network_up_delay(dice: float) -> float:
    """Say how long to wait after the network came back, in seconds; spread over as much again."""
    return NETWORK_UP_GRACE_S * (1.0 + dice)


def was_set(offset_s: float, offset_now_s: float) -> bool:
    """Say whether the wall clock was set, to either side, or the computer slept.

    Args:
        offset_s: How far the wall clock was ahead of the monotonic one, in seconds.
        offset_now_s: How far it is now.
    """
    return abs(offset_now_s - offset_s) > WAKE_GAP_S


def next_delay(interval_s: float, dice: float) -> float:
    """Say how long to wait after a successful poll, in seconds.

    Spread by a tenth, so that a fleet started at the same minute drifts apart.
    """
    return max(MIN_DELAY_S, interval_s * (0.95 + 0.1 * dice))


def retry_delay(
    error: MailtrayError, *, interval_s: float, failures: int, failing_s: float, dice: float
) -> float | None:
    """Say how long to wait after a failed poll, in seconds, or ``None``: until the person acts.

    A ``Retry-After`` of the server's is kept to the second, but never undercuts the interval.

    Args:
        error: Why it failed.
        interval_s: The polling interval wished for, in seconds.
        failures: Polls failed in a row, this one included.
        failing_s: Time since the first of them, in seconds.
        dice: A number in [0, 1), drawn by the caller.
    """
    if isinstance(error, AuthError | TokenRejected):
        return None
    if isinstance(error, MailboxUnavailable | AccessDenied | ProxyRefused):
        return HOPELESS_RETRY_S * (0.9 + 0.2 * dice)
    if isinstance(error, Throttled) and error.retry_after_s is not None:
        return max(error.retry_after_s, interval_s, MIN_DELAY_S)
    if isinstance(error, Unreachable):
        first_s = min(OFFLINE_FIRST_RETRY_S, interval_s)
        grown_s = min(OFFLINE_MAX_RETRY_S, OFFLINE_SHARE * failing_s)
        return max(MIN_DELAY_S, first_s, grown_s * (0.9 + 0.1 * dice))
    first_s = min(SERVICE_FIRST_RETRY_S, interval_s)
    grown_s = min(SERVICE_MAX_RETRY_S, first_s * 2.0 ** min(failures - 1, 10))
    return max(MIN_DELAY_S, grown_s * (1.0 + 0.2 * dice))
