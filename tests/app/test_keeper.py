from __future__ import annotations

from mailtray.app.keeper import Keeper
from mailtray.core.errors import NoVault
from tests.fakes.clock import FakeClock
from tests.fakes.vault import FakeVault


def waits(keeper: Keeper, clock: FakeClock, times: int) -> list[float]:
    """Return how long it waits after each of so many refusals."""
    found = []
    for _ in range(times):
        keeper.settle({})
        assert keeper.due_s is not None
        found.append(keeper.due_s - clock.monotonic_s())
        clock.advance(found[-1])
    return found


def test_a_keyring_that_may_only_be_late_is_asked_again_soon() -> None:
    vault, clock = FakeVault(), FakeClock()
    keeper = Keeper(vault, clock)
    vault.error = NoVault("There is no keyring")
    assert waits(keeper, clock, 7) == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    vault.error = None
    keeper.settle({})
    assert keeper.due_s is None
    vault.error = NoVault("There is no keyring")
    assert waits(keeper, clock, 2) == [1.0, 2.0]
