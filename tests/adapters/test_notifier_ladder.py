"""Each notification is shown once, by the best way that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailtray.adapters import notifier_ladder
from mailtray.adapters.notifier_ladder import NotifierLadder
from mailtray.core.errors import NotifierError
from tests.contract.test_notifier import about
from tests.fakes.notifier import FakeNotifier

if TYPE_CHECKING:
    from mailtray.ports import Notifier

REFUSED = NotifierError("Refused", "Try again.")


def unanswered() -> NotifierError:
    error = NotifierError("No answer")
    error.__cause__ = TimeoutError()
    return error


@pytest.fixture
def upper() -> FakeNotifier:
    return FakeNotifier(name="upper")


@pytest.fixture
def lower() -> FakeNotifier:
    return FakeNotifier(name="lower")


@pytest.fixture
def ladder(upper: FakeNotifier, lower: FakeNotifier) -> NotifierLadder:
    return NotifierLadder([lambda: upper, lambda: lower])


def test_the_upper_rung_shows_what_it_can(
    ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier
) -> None:
    ladder.show(about("a"))
    assert (list(upper.on_screen), list(lower.on_screen)) == (["a"], [])
    assert ladder.name == "upper"


def test_the_lower_rung_shows_what_the_upper_cannot_and_only_that(
    ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier
) -> None:
    upper.error = REFUSED
    ladder.show(about("a"))
    assert ladder.name == "lower"
    upper.error = None
    ladder.show(about("b"))
    assert ladder.name == "upper"
    assert (list(upper.on_screen), list(lower.on_screen)) == (["b"], ["a"])


def test_what_may_yet_be_shown_is_shown_by_no_other(
    ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier
) -> None:
    upper.error = unanswered()
    with pytest.raises(NotifierError, match="No answer"):
        ladder.show(about("a"))
    assert lower.history == []


def test_all_fail(ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier) -> None:
    upper.error, lower.error = REFUSED, NotifierError("Closed")
    with pytest.raises(NotifierError) as caught:
        ladder.show(about("a"))
    assert (caught.value.title, caught.value.hint) == ("Refused", "Try again.")


def test_no_rungs() -> None:
    ladder = NotifierLadder([])
    assert ladder.name == "none"
    with pytest.raises(NotifierError):
        ladder.show(about("a"))


def test_each_is_withdrawn_where_it_was_shown(
    ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier
) -> None:
    ladder.show(about("a"))
    upper.error = REFUSED
    ladder.show(about("b"))
    ladder.withdraw(["b", "unknown"])
    assert (list(upper.on_screen), list(lower.on_screen)) == (["a"], [])
    ladder.withdraw(["a", "b"])
    assert upper.on_screen == {}


def test_the_same_tag_replaces_across_rungs(
    ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier
) -> None:
    upper.error = REFUSED
    ladder.show(about("a"))
    upper.error = None
    ladder.show(about("a"))
    assert (list(upper.on_screen), list(lower.on_screen)) == (["a"], [])


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(-2143420155, "the notification platform is unavailable"), id="WinRT"),
        pytest.param(RuntimeError("Could not get ToastNotifier"), id="package"),
        pytest.param(ImportError("no pyobjus"), id="import"),
        pytest.param(NotifierError("No"), id="our own"),
    ],
)
def test_a_rung_that_cannot_be_built_is_passed_over_until_it_can(
    lower: FakeNotifier, upper: FakeNotifier, error: Exception
) -> None:
    errors = [error, error]

    def build() -> Notifier:
        if errors:
            raise errors.pop()
        return upper

    ladder = NotifierLadder([build, lambda: lower])
    assert ladder.name == "lower"
    ladder.show(about("a"))
    ladder.show(about("b"))
    assert (list(upper.on_screen), list(lower.on_screen)) == (["b"], ["a"])


def test_fails_from_the_twentieth_on(
    ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier
) -> None:
    for number in range(30):
        upper.error = REFUSED if number >= 19 else None
        ladder.show(about(str(number)))
    assert (len(upper.history), len(lower.history)) == (19, 11)


def test_remembers_a_bounded_number_of_tags(
    ladder: NotifierLadder, upper: FakeNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_ladder, "KEPT_TAGS", 2)
    for tag in "abc":
        ladder.show(about(tag))
    ladder.withdraw("abc")
    assert list(upper.on_screen) == ["a"]


def test_closing_closes_all(
    ladder: NotifierLadder, upper: FakeNotifier, lower: FakeNotifier
) -> None:
    ladder.close()
    assert upper.is_closed
    assert lower.is_closed


def test_closing_passes_over_what_was_never_built() -> None:
    def build() -> Notifier:
        raise REFUSED

    NotifierLadder([build]).close()
