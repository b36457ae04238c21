"""What every identity provider does, the fake and MSAL's alike."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import pytest

from mailtray.core.errors import (
    AuthBlocked,
    ConsentRequired,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
    Throttled,
)
from mailtray.core.model import Account, AccountId
from mailtray.simulator import Fault, Simulator
from mailtray.simulator.browser import enter_device_code
from tests.adapters.rig import ADA, Rig, microsoft_365
from tests.fakes.clock import FakeClock
from tests.fakes.identity import FakeIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailtray.core.model import SignedIn
    from mailtray.ports import IdentityProvider

SCOPES = ["Mail.ReadBasic"]
DEADLINE_S = 300.0
PATIENCE_S = 20.0
STRANGER = AccountId("somebody.else")


class World(Protocol):
    """The service behind a provider, and the person in front of it."""

    identity: IdentityProvider
    clock: FakeClock

    def person_leaves(self) -> None:
        """Nobody is at the browser any more."""

    def person_declines(self) -> None:
        """The person presses Cancel where permissions are asked for."""

    def expire_access_tokens(self) -> None:
        """Make the next call need the refresh token."""

    def revoke(self) -> None:
        """Refuse the refresh token from now on."""

    def throttle_once(self) -> None:
        """Answer the next token request 429 with ``Retry-After: 7``."""

    def break_once(self) -> None:
        """Answer the next token request 503."""

    def block(self) -> None:
        """Refuse the refresh token by a policy that no sign-in mends."""

    def withhold_previews(self) -> None:
        """Let ``Mail.Read`` be something nobody approved."""

    def token_requests(self) -> int:
        """Count the token requests so far."""
        ...

    def type_code(self, page: str, code: str) -> None:
        """Type a device code at its page and sign in."""


class FakeWorld:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeIdentity(self.clock)
        self.identity: IdentityProvider = self.fake

    def person_leaves(self) -> None:
        self.fake.person = None

    def person_declines(self) -> None:
        self.fake.answers_with = SignInCancelled("You cancelled")

    def expire_access_tokens(self) -> None:
        self.fake.expire_tokens()

    def revoke(self) -> None:
        self.fake.refusal = SignInRequired("Your sign-in was revoked", code=50173)

    def throttle_once(self) -> None:
        self.fake.troubles.append(Throttled("Wait", retry_after_s=7.0))

    def break_once(self) -> None:
        self.fake.troubles.append(ServiceUnavailable("Trouble"))

    def block(self) -> None:
        self.fake.refusal = AuthBlocked("Blocked", code=53003)

    def withhold_previews(self) -> None:
        self.fake.refused_scopes = {"Mail.Read"}

    def token_requests(self) -> int:
        return self.fake.token_requests

    def type_code(self, page: str, code: str) -> None:
        assert page
        assert code


class SimulatedWorld:
    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.identity: IdentityProvider = rig.identity
        self.clock = rig.clock
        rig.cloud.device_code_interval_s = 1

    def person_leaves(self) -> None:
        self._rig.person.username = None

    def person_declines(self) -> None:
        self._rig.person.consents = False

    def expire_access_tokens(self) -> None:
        """MSAL goes by the lifetime it was told, so the tokens have to be short-lived."""
        self._rig.cloud.access_token_lifetime_s = 60

    def revoke(self) -> None:
        self._rig.cloud.revoke_refresh_tokens()

    def throttle_once(self) -> None:
        refused = Fault(path="/token", status=429, headers={"Retry-After": "7"}, body={})
        self._rig.cloud.add_fault(refused)

    def break_once(self) -> None:
        self._rig.cloud.add_fault(Fault(path="/token", status=503, body="<html>down</html>"))

    def block(self) -> None:
        self._rig.cloud.revoke_refresh_tokens(
            aadsts=53003, suberror="message_only", error="interaction_required"
        )

    def withhold_previews(self) -> None:
        """The simulator knows what the person approved."""

    def token_requests(self) -> int:
        return self._rig.cloud.counts()["token"]

    def type_code(self, page: str, code: str) -> None:
        enter_device_code(page, code, username=ADA)


class IdentityContract:
    """Each subclass provides the ``world``."""

    def test_signs_in_and_says_who(self, world: World) -> None:
        addresses: queue.SimpleQueue[str] = queue.SimpleQueue()
        signed_in = sign_in(world, addresses)
        assert signed_in.account.username == ADA
        assert signed_in.account.name == "Ada Lovelace"
        assert signed_in.account.id
        assert addresses.get(timeout=PATIENCE_S).startswith("http")

    def test_a_hint_and_claims_are_passed_on(self, world: World) -> None:
        claims = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
        signed_in = world.identity.sign_in(
            SCOPES, login_hint=ADA, claims=claims, deadline_s=DEADLINE_S, on_url=_ignore
        )
        assert signed_in.account.username == ADA

    def test_the_first_token_costs_no_request(self, world: World) -> None:
        account = adopted(world)
        before = world.token_requests()
        token = world.identity.acquire_token(account, SCOPES, claims=None, renew=False)
        assert token.secret
        assert token.scopes == frozenset(SCOPES)
        assert world.token_requests() == before

    def test_between_expiries_a_token_costs_no_request(self, world: World) -> None:
        account = adopted(world)
        before = world.token_requests()
        tokens = {
            world.identity.acquire_token(account, SCOPES, claims=None, renew=False).secret
            for _ in range(100)
        }
        assert len(tokens) == 1
        assert world.token_requests() == before
        assert world.identity.take_changed_cache(account) is None

    def test_renew_skips_the_cached_token(self, world: World) -> None:
        account = adopted(world)
        old = world.identity.acquire_token(account, SCOPES, claims=None, renew=False)
        before = world.token_requests()
        new = world.identity.acquire_token(account, SCOPES, claims=None, renew=True)
        assert new.secret != old.secret
        assert world.token_requests() == before + 1
        again = world.identity.acquire_token(account, SCOPES, claims=None, renew=False)
        assert again.secret == new.secret

    def test_claims_skip_the_cached_token(self, world: World) -> None:
        account = adopted(world)
        before = world.token_requests()
        claims = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
        world.identity.acquire_token(account, SCOPES, claims=claims, renew=False)
        assert world.token_requests() == before + 1

    def test_a_changed_cache_is_given_once_and_holds_the_new_refresh_token(
        self, world: World
    ) -> None:
        account = adopted(world)
        world.identity.acquire_token(account, SCOPES, claims=None, renew=True)
        cache = world.identity.take_changed_cache(account)
        assert cache is not None
        assert world.identity.take_changed_cache(account) is None
        assert world.identity.restore(account, cache) is not None
        # The service takes each refresh token once: only the new one can do this.
        world.identity.acquire_token(account, SCOPES, claims=None, renew=True)

    def test_a_restored_cache_needs_no_network(self, world: World) -> None:
        signed_in = sign_in(world)
        before = world.token_requests()
        restored = world.identity.restore(signed_in.account.id, signed_in.cache)
        assert restored == signed_in.account
        assert world.token_requests() == before
        world.identity.acquire_token(signed_in.account.id, SCOPES, claims=None, renew=False)
        assert world.token_requests() == before

    @pytest.mark.parametrize(
        "damaged",
        [
            "",
            " ",
            "null",
            "[]",
            '"text"',
            "7",
            '{"Account": {',
            "{}",
            '{"version": 9, "vaults": [{"kind": "future"}]}',
            '{"Account": [], "RefreshToken": []}',
            '{"Account": {"a": 7}, "RefreshToken": {"r": null}}',
            "[" * 50_000,
        ],
        ids=lambda text: text[:20] or "empty",
    )
    def test_a_damaged_cache_is_not_restored(self, world: World, damaged: str) -> None:
        account = sign_in(world).account.id
        assert world.identity.restore(account, damaged) is None

    def test_a_cut_or_lengthened_cache_is_not_restored(self, world: World) -> None:
        signed_in = sign_in(world)
        for damaged in (signed_in.cache[:-20], signed_in.cache + "}"):
            assert world.identity.restore(signed_in.account.id, damaged) is None

    def test_a_cache_of_another_account_is_not_restored(self, world: World) -> None:
        assert world.identity.restore(STRANGER, sign_in(world).cache) is None

    def test_an_unknown_account_has_to_sign_in(self, world: World) -> None:
        with pytest.raises(SignInRequired):
            world.identity.acquire_token(STRANGER, SCOPES, claims=None, renew=False)
        assert world.identity.take_changed_cache(STRANGER) is None

    def test_a_forgotten_account_has_to_sign_in(self, world: World) -> None:
        account = adopted(world)
        world.identity.forget(account)
        world.identity.forget(account)
        with pytest.raises(SignInRequired):
            world.identity.acquire_token(account, SCOPES, claims=None, renew=False)

    def test_a_revoked_account_has_to_sign_in_and_then_goes_on(self, world: World) -> None:
        account = adopted(world)
        world.revoke()
        with pytest.raises(SignInRequired) as caught:
            world.identity.acquire_token(account, SCOPES, claims=None, renew=True)
        assert caught.value.code == 50173
        assert caught.value.title == "Your sign-in was revoked"
        if isinstance(world, FakeWorld):
            world.fake.refusal = None
        assert adopted(world) == account
        world.identity.acquire_token(account, SCOPES, claims=None, renew=True)

    def test_a_policy_blocks(self, world: World) -> None:
        account = adopted(world)
        world.block()
        with pytest.raises(AuthBlocked) as caught:
            world.identity.acquire_token(account, SCOPES, claims=None, renew=True)
        assert caught.value.code == 53003

    def test_a_refused_scope_does_not_cost_the_one_that_works(self, world: World) -> None:
        account = adopted(world)
        world.withhold_previews()
        with pytest.raises(ConsentRequired):
            world.identity.acquire_token(account, ["Mail.Read"], claims=None, renew=False)
        before = world.token_requests()
        token = world.identity.acquire_token(account, SCOPES, claims=None, renew=False)
        assert token.scopes == frozenset(SCOPES)
        assert world.token_requests() == before
        world.identity.acquire_token(account, SCOPES, claims=None, renew=True)

    def test_throttled_says_how_long_and_is_over_at_once(self, world: World) -> None:
        account = adopted(world)
        world.throttle_once()
        with pytest.raises(Throttled) as caught:
            world.identity.acquire_token(account, SCOPES, claims=None, renew=True)
        assert caught.value.retry_after_s == 7.0
        world.identity.acquire_token(account, SCOPES, claims=None, renew=True)

    def test_trouble_of_the_service_is_passing(self, world: World) -> None:
        account = adopted(world)
        world.break_once()
        with pytest.raises(ServiceUnavailable) as caught:
            world.identity.acquire_token(account, SCOPES, claims=None, renew=True)
        assert caught.value.transient
        world.identity.acquire_token(account, SCOPES, claims=None, renew=True)

    def test_declining_ends_the_sign_in(self, world: World) -> None:
        world.person_declines()
        with pytest.raises((SignInCancelled, ConsentRequired)):
            sign_in(world)

    def test_cancelling_ends_the_sign_in(self, world: World) -> None:
        world.person_leaves()
        with under_way(world) as future:
            world.identity.cancel_sign_in()
            with pytest.raises(SignInCancelled):
                future.result(timeout=2)

    def test_cancelling_nothing_does_nothing(self, world: World) -> None:
        world.identity.cancel_sign_in()
        assert sign_in(world).account.username == ADA

    def test_the_deadline_ends_the_sign_in_and_names_the_administrator(self, world: World) -> None:
        world.person_leaves()
        with under_way(world) as future:
            world.clock.advance(DEADLINE_S)
            with pytest.raises(SignInCancelled, match="administrator"):
                future.result(timeout=PATIENCE_S)

    def test_a_second_sign_in_is_refused_while_one_is_open(self, world: World) -> None:
        world.person_leaves()
        with under_way(world) as future:
            with pytest.raises(SignInCancelled):
                sign_in(world)
            assert not future.done()
            world.identity.cancel_sign_in()
            with pytest.raises(SignInCancelled):
                future.result(timeout=PATIENCE_S)

    def test_signs_in_by_device_code(self, world: World) -> None:
        signed_in = world.identity.sign_in_by_device_code(
            SCOPES, claims=None, deadline_s=DEADLINE_S, on_code=world.type_code
        )
        assert signed_in.account.username == ADA
        world.identity.adopt(signed_in)
        world.identity.acquire_token(signed_in.account.id, SCOPES, claims=None, renew=False)

    def test_cancelling_ends_the_sign_in_by_device_code(self, world: World) -> None:
        world.person_leaves()
        announced = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(
                world.identity.sign_in_by_device_code,
                SCOPES,
                claims=None,
                deadline_s=DEADLINE_S,
                on_code=lambda _page, _code: announced.set(),
            )
            assert announced.wait(PATIENCE_S)
            world.identity.cancel_sign_in()
            with pytest.raises(SignInCancelled):
                future.result(timeout=2)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


class TestFakeIdentity(IdentityContract):
    @pytest.fixture
    def world(self) -> World:
        return FakeWorld()


class TestMsalIdentity(IdentityContract):
    @pytest.fixture
    def world(self, simulator: Simulator) -> Iterator[World]:
        with microsoft_365(simulator) as rig:
            yield SimulatedWorld(rig)


def _ignore(_address: str) -> None:
    pass


def sign_in(world: World, addresses: queue.SimpleQueue[str] | None = None) -> SignedIn:
    on_url = _ignore if addresses is None else addresses.put
    return world.identity.sign_in(
        SCOPES, login_hint=None, claims=None, deadline_s=DEADLINE_S, on_url=on_url
    )


def adopted(world: World) -> AccountId:
    """Sign in, adopt the account and return its id."""
    signed_in = sign_in(world)
    world.identity.adopt(signed_in)
    assert isinstance(signed_in.account, Account)
    return signed_in.account.id


@contextmanager
def under_way(world: World) -> Iterator[Future[SignedIn]]:
    """Run a sign-in on a thread, from the moment its page was shown."""
    addresses: queue.SimpleQueue[str] = queue.SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(sign_in, world, addresses)
        addresses.get(timeout=PATIENCE_S)
        try:
            yield future
        finally:
            world.identity.cancel_sign_in()
