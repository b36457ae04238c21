"""One look at the mail without the resident program."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailtray.app.check import check_once
from mailtray.core.errors import SignInRequired, TokenRejected, Unreachable, VaultLocked
from mailtray.core.rules import Rule, Verdict
from mailtray.core.status import State, Status, overall, unread_count
from tests.app.rig import ANN, BEN, Rig


def checked(rig: Rig) -> Status:
    return check_once(rig.poller._world, rig.poller._wishes)


def test_it_lists_what_is_unread_and_moves_no_cursor() -> None:
    rig = Rig(ANN, BEN)
    rig.do()
    rig.box(ANN).deliver("A", "B")
    found = checked(rig)
    assert unread_count(found) == 2
    assert [message.id for message in found.accounts[ANN.id].latest] == ["B", "A"]
    rig.check()
    assert dict(rig.told()) == {"A": 1, "B": 1}


def test_what_rules_ignore_is_left_out() -> None:
    rig = Rig(ANN)
    rig.box().deliver("A", "B")
    rules = (Rule(subject=("of a",), do=Verdict.IGNORE),)
    rig.poller._wishes.settings = replace(rig.poller._wishes.settings, rules=rules)
    found = checked(rig)
    assert unread_count(found) == 1
    assert [message.id for message in found.accounts[ANN.id].latest] == ["B"]


def test_nobody_is_signed_in() -> None:
    assert overall(checked(Rig())) is State.SIGNED_OUT


def test_one_account_in_trouble_does_not_hide_the_other() -> None:
    rig = Rig(ANN, BEN)
    rig.box(ANN).refusal = Unreachable("No connection")
    rig.box(BEN).deliver("B")
    found = checked(rig)
    assert found.accounts[ANN.id].state is State.OFFLINE
    assert found.accounts[BEN.id].unread == 1


def test_a_damaged_cache() -> None:
    rig = Rig(ANN)
    rig.vault.save(ANN.id, "null")
    found = checked(rig)
    assert isinstance(found.accounts[ANN.id].error, SignInRequired)


def test_a_rotated_token_is_kept() -> None:
    rig = Rig(ANN)
    rig.box().troubles.append(TokenRejected("Refused"))
    kept = rig.vault.load(ANN.id)
    assert checked(rig).accounts[ANN.id].state is State.OK
    assert rig.vault.load(ANN.id) != kept


def test_a_new_token_that_is_refused_as_well() -> None:
    rig = Rig(ANN)
    rig.box().refusal = TokenRejected("Refused")
    assert checked(rig).accounts[ANN.id].state is State.ATTENTION


def test_a_locked_keyring_is_the_callers() -> None:
    rig = Rig(ANN)
    rig.vault.error = VaultLocked("Locked")
    with pytest.raises(VaultLocked):
        checked(rig)
