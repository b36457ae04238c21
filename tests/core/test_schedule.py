"""When the next poll is due; every wait in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    ConsentRequired,
    CursorExpired,
    InvalidResponse,
    MailboxUnavailable,
    MailtrayError,
    ServiceUnavailable,
    SignInRequired,
    StateError,
    Throttled,
    TokenRejected,
    Unreachable,
    UntrustedCertificate,
)
from mailtray.core.schedule import (
    HOPELESS_RETRY_S,
    OFFLINE_MAX_RETRY_S,
    SERVICE_MAX_RETRY_S,
    has_slept,
    next_delay,
    retry_delay,
)

OFFLINE = Unreachable("No connection")
BUSY = Throttled("Busy")
DOWN = ServiceUnavailable("Down")
MIDDLE, LOW, HIGH = 0.5, 0.0, 0.999
HOUR_S = 3_600.0


def busy_for(retry_after_s: float) -> Throttled:
    return Throttled("Busy", retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("interval_s", "dice", "delay_s"),
    [
        pytest.param(60.0, MIDDLE, 60.0, id="the interval"),
        pytest.param(60.0, LOW, 57.0, id="a twentieth sooner"),
        pytest.param(0.0, MIDDLE, 0.05, id="never without a breath"),
    ],
)
def test_after_a_success(interval_s: float, dice: float, delay_s: float) -> None:
    assert next_delay(interval_s, dice) == pytest.approx(delay_s)


@pytest.mark.parametrize(
    ("error", "failures", "failing_s", "delay_s"),
    [
        pytest.param(OFFLINE, 1, 0.0, 8.0, id="offline: soon"),
        pytest.param(OFFLINE, 9, 90.0, 8.55, id="offline for 90 s: a tenth of that"),
        pytest.param(OFFLINE, 50, 1_000.0, 95.0, id="offline for a quarter of an hour"),
        pytest.param(OFFLINE, 99, 3 * HOUR_S, 285.0, id="offline for 3 h: at most 5 minutes"),
        pytest.param(UntrustedCertificate("?"), 1, 0.0, 8.0, id="a stranger's certificate"),
        pytest.param(DOWN, 1, 0.0, 66.0, id="in trouble once"),
        pytest.param(DOWN, 2, 66.0, 132.0, id="in trouble twice: double"),
        pytest.param(DOWN, 30, HOUR_S, 990.0, id="in trouble for long: a quarter of an hour"),
        pytest.param(BUSY, 1, 0.0, 66.0, id="throttled without a word"),
        pytest.param(busy_for(120.0), 1, 0.0, 120.0, id="Retry-After to the second"),
        pytest.param(busy_for(5.0), 1, 0.0, 60.0, id="a short one is no licence to hurry"),
        pytest.param(busy_for(0.0), 7, HOUR_S, 60.0, id="one in the past"),
        pytest.param(busy_for(7_200.0), 1, 0.0, 7_200.0, id="a long one is kept"),
        pytest.param(
            ServiceUnavailable("Down", retry_after_s=300.0),
            1,
            0.0,
            300.0,
            id="503 with Retry-After",
        ),
        pytest.param(InvalidResponse("?"), 1, 0.0, 66.0, id="a portal's page"),
        pytest.param(CursorExpired("?"), 1, 0.0, 66.0, id="no fresh start either"),
        pytest.param(StateError("?"), 3, 0.0, 264.0, id="anything else"),
        pytest.param(MailboxUnavailable("?"), 1, 0.0, HOUR_S, id="no mailbox"),
        pytest.param(AccessDenied("?"), 9, 0.0, HOUR_S, id="no permission"),
        pytest.param(
            SignInRequired("?"), 1, 0.0, None, id="signed out: not before the person acts"
        ),
        pytest.param(ConsentRequired("?"), 1, 0.0, None, id="no consent: the same"),
        pytest.param(AuthBlocked("?"), 1, 0.0, None, id="blocked: the same"),
        pytest.param(TokenRejected("?"), 1, 0.0, None, id="token refused: the same"),
    ],
)
def test_after_a_failure(
    error: MailtrayError, failures: int, failing_s: float, delay_s: float | None
) -> None:
    found = retry_delay(error, interval_s=60.0, failures=failures, failing_s=failing_s, dice=MIDDLE)
    assert found == (None if delay_s is None else pytest.approx(delay_s))


@dataclass
class Tries:
    """Tries until the fault ends, each at the time the one before asked for."""

    error: MailtrayError
    interval_s: float = 60.0
    dice: float = MIDDLE

    def until(self, end_s: float) -> list[float]:
        """Return when tries were made, the first at 0, the last at or after ``end_s``."""
        tried_s = [0.0]
        while tried_s[-1] < end_s:
            delay_s = retry_delay(
                self.error,
                interval_s=self.interval_s,
                failures=len(tried_s),
                failing_s=tried_s[-1],
                dice=self.dice,
            )
            assert delay_s is not None
            tried_s.append(tried_s[-1] + delay_s)
        return tried_s


@pytest.mark.parametrize("dice", [LOW, MIDDLE, HIGH])
@pytest.mark.parametrize(
    ("offline_s", "late_s", "tries"),
    [
        pytest.param(90.0, 10.0, 13, id="back after 90 s"),
        pytest.param(600.0, 60.0, 35, id="back after 10 minutes"),
        pytest.param(3 * HOUR_S, 300.0, 90, id="back after 3 h"),
        pytest.param(8 * HOUR_S, 300.0, 160, id="back after a night"),
    ],
)
def test_recovery_from_being_offline(
    offline_s: float, late_s: float, tries: int, dice: float
) -> None:
    # abraunegg/onedrive#693 and #1908
    made = Tries(OFFLINE, dice=dice).until(offline_s)
    assert made[-1] - offline_s <= late_s
    assert len(made) <= tries


@pytest.mark.parametrize("error", [BUSY, DOWN])
@pytest.mark.parametrize("dice", [LOW, MIDDLE, HIGH])
def test_throttled_without_a_word_is_left_alone(error: MailtrayError, dice: float) -> None:
    # OfficeDev/outlook-dev-docs#144: at most 4 requests in 5 minutes, growing gaps
    made = Tries(error, dice=dice).until(HOUR_S)
    assert sum(at_s <= 300.0 for at_s in made) <= 4
    gaps_s = [later - sooner for sooner, later in pairwise(made)]
    assert all(gap_s <= 1.001 * next_s for gap_s, next_s in pairwise(gaps_s))
    assert max(gaps_s) <= SERVICE_MAX_RETRY_S * 1.2


@given(
    retry_after_s=st.floats(0, 1e6),
    interval_s=st.floats(0.01, 1e5),
    failures=st.integers(1, 10_000),
    failing_s=st.floats(0, 1e9),
    dice=st.floats(0, 0.999),
)
def test_a_server_is_never_asked_sooner_than_it_said(
    retry_after_s: float, interval_s: float, failures: int, failing_s: float, dice: float
) -> None:
    found = retry_delay(
        busy_for(retry_after_s),
        interval_s=interval_s,
        failures=failures,
        failing_s=failing_s,
        dice=dice,
    )
    assert found is not None
    assert found >= max(retry_after_s, interval_s)


@given(
    error=st.sampled_from([OFFLINE, BUSY, DOWN, InvalidResponse("?"), MailboxUnavailable("?")]),
    interval_s=st.floats(0.01, 1e5),
    failures=st.integers(1, 10_000),
    failing_s=st.floats(0, 1e9),
    dice=st.floats(0, 0.999),
)
def test_waits_are_bounded(
    error: MailtrayError, interval_s: float, failures: int, failing_s: float, dice: float
) -> None:
    found = retry_delay(
        error, interval_s=interval_s, failures=failures, failing_s=failing_s, dice=dice
    )
    assert found is not None
    assert 0.05 <= found <= HOPELESS_RETRY_S * 1.1


@pytest.mark.parametrize("interval_s", [0.2, 10.0, 60.0, 600.0])
def test_no_wait_offline_is_longer_than_promised(interval_s: float) -> None:
    made = Tries(OFFLINE, interval_s=interval_s, dice=HIGH).until(8 * HOUR_S)
    gaps_s = [later - sooner for sooner, later in pairwise(made)]
    assert max(gaps_s) <= OFFLINE_MAX_RETRY_S


@pytest.mark.parametrize(
    ("wait_s", "waited_s", "wall_s", "slept"),
    [
        pytest.param(60.0, 60.0, 60.0, False, id="an ordinary wait"),
        pytest.param(60.0, 5.0, 5.0, False, id="cut short by a command"),
        pytest.param(None, HOUR_S, HOUR_S, False, id="nothing was due, a command came"),
        pytest.param(0.0, 0.0, 0.0, False, id="no wait at all"),
        pytest.param(60.0, 60.0, 8 * HOUR_S, True, id="a sleep, monotonic stands still"),
        pytest.param(60.0, 8 * HOUR_S, 8 * HOUR_S, True, id="a sleep, both clocks go on"),
        pytest.param(None, 3.0, 8 * HOUR_S, True, id="a sleep with nothing due"),
        pytest.param(60.0, 60.0, 60.0 - HOUR_S, False, id="the clock is set back"),
        pytest.param(60.0, 60.0, 60.0 + HOUR_S, True, id="set forward: a poll more does no harm"),
        pytest.param(60.0, 100.0, 100.0, False, id="a busy computer"),
    ],
)
def test_a_sleep_is_noticed(
    wait_s: float | None, waited_s: float, wall_s: float, slept: bool
) -> None:
    # abraunegg/onedrive#693
    assert has_slept(wait_s, waited_s, wall_s) is slept


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        pytest.param(OFFLINE, True, id="offline"),
        pytest.param(BUSY, True, id="throttled"),
        pytest.param(DOWN, True, id="in trouble"),
        pytest.param(InvalidResponse("?"), True, id="a portal's page"),
        pytest.param(CursorExpired("?"), True, id="no fresh start either"),
        pytest.param(MailboxUnavailable("?"), False, id="no mailbox"),
        pytest.param(AccessDenied("?"), False, id="no permission"),
        pytest.param(SignInRequired("?"), False, id="signed out"),
        pytest.param(AuthBlocked("?"), False, id="blocked"),
        pytest.param(StateError("?"), False, id="anything else"),
    ],
)
def test_what_may_pass_by_itself(error: MailtrayError, passing: bool) -> None:
    assert error.transient is passing
