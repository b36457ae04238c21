"""What every vault promises, and what the keyring's must survive."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.errors import (
    InitError,
    KeyringError,
    KeyringLocked,
    NoKeyringError,
)

from mailtray.adapters import keyring_vault
from mailtray.adapters.keyring_vault import ENTRY_CHARS, KeyringVault
from mailtray.adapters.memory_vault import MemoryVault
from mailtray.core.errors import NoVault, VaultError, VaultLocked
from mailtray.core.model import AccountId
from tests.fakes.keyrings import (
    ACCESS_LOST,
    SCREEN_LOCKED,
    WINDOWS_MAX_BYTES,
    Crash,
    CrashingKeyring,
    HoldingKeyring,
    MemoryKeyring,
    RefusingKeyring,
    WindowsSizedKeyring,
)
from tests.fakes.vault import FakeVault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mailtray.ports import Vault

ADA = AccountId("00000000-0000-0000-1111-222222222222.9188040d-6c67-4c5b-b112-36a304b66dad")
BOB = AccountId("33333333-3333-4333-8333-333333333333.44444444-4444-4444-8444-444444444444")

SIZES = (0, 1, 1_199, 1_200, 1_201, 1_279, 1_280, 1_281, 2_560, 9_000, 60_000)
SECRETS = [
    *(pytest.param("s" * size, id=f"{size} characters") for size in SIZES),
    pytest.param('{"name": "Zoë \N{PILE OF POO}"}' * 300, id="names outside the first plane"),
    pytest.param("s" * 1_198 + "\N{GRINNING FACE}" * 700, id="a pair across every cut"),
    pytest.param("half a pair: \ud83d", id="half a surrogate pair"),
    pytest.param("\x00 \r\n\t\\ \\n \x7f", id="control characters and backslashes"),
    pytest.param(" ", id="a blank"),
]


class VaultContract:
    """Each subclass provides the fixture ``vault``, empty."""

    @pytest.mark.parametrize("secret", SECRETS)
    def test_gives_back_what_was_saved(self, vault: Vault, secret: str) -> None:
        vault.save(ADA, secret)
        assert vault.load(ADA) == secret

    def test_knows_nothing_at_first(self, vault: Vault) -> None:
        assert vault.accounts() == ()
        assert vault.load(ADA) is None

    @pytest.mark.parametrize(("first", "second"), [(9_000, 10), (10, 9_000), (2_500, 2_600)])
    def test_the_last_secret_counts(self, vault: Vault, first: int, second: int) -> None:
        vault.save(ADA, "1" * first)
        vault.save(ADA, "2" * second)
        assert vault.load(ADA) == "2" * second

    def test_accounts_keep_the_order_in_which_they_came(self, vault: Vault) -> None:
        vault.save(BOB, "b")
        vault.save(ADA, "a")
        vault.save(BOB, "b again")
        assert vault.accounts() == (BOB, ADA)

    def test_accounts_cannot_harm_each_other(self, vault: Vault) -> None:
        vault.save(ADA, "a" * 5_000)
        vault.save(BOB, "b" * 5_000)
        vault.clear(ADA)
        assert (vault.load(ADA), vault.load(BOB)) == (None, "b" * 5_000)
        assert vault.accounts() == (BOB,)

    def test_clearing_nothing_is_no_error(self, vault: Vault) -> None:
        vault.clear(ADA)
        assert vault.accounts() == ()

    def test_lists_more_accounts_than_an_entry_holds(self, vault: Vault) -> None:
        many = tuple(AccountId(f"{n:036d}.{n:036d}") for n in range(20))
        for account in many:
            vault.save(account, "s")
        assert vault.accounts() == many


class TestMemoryVault(VaultContract):
    @pytest.fixture
    def vault(self) -> Vault:
        return MemoryVault()


class TestFakeVault(VaultContract):
    @pytest.fixture
    def vault(self) -> Vault:
        return FakeVault()


class TestKeyringVault(VaultContract):
    @pytest.fixture
    def vault(self) -> Vault:
        return KeyringVault("test", WindowsSizedKeyring())


@given(secrets=st.lists(st.text(st.characters(exclude_categories=()), max_size=4_000), min_size=1))
def test_any_text_survives_the_keyring(secrets: list[str]) -> None:
    keyring = WindowsSizedKeyring()
    for secret in secrets:
        KeyringVault("test", keyring).save(ADA, secret)
        assert KeyringVault("test", keyring).load(ADA) == secret
    assert len(_pieces_of_secrets(keyring)) == 1 + _further_pieces(secrets[-1])


def _further_pieces(secret: str) -> int:
    escaped = len(secret.encode("unicode_escape"))
    head = len(f"mailtray1 1 {escaped} {'0' * 32} ")
    return max(0, -(-(escaped + head - ENTRY_CHARS) // ENTRY_CHARS))


# -- entries -------------------------------------------------------------------------------------


def _pieces_of_secrets(keyring: MemoryKeyring) -> dict[tuple[str, str], str]:
    """Return the entries other than those of the list, which the first save writes first."""
    written = [name for call, name in keyring.calls if call == "set"]
    of_list = written[0].partition("/")[0]
    return {at: entry for at, entry in keyring.entries.items() if not at[1].startswith(of_list)}


def test_the_longest_entry_leaves_room_below_windows_limit() -> None:
    keyring = MemoryKeyring()
    KeyringVault("test", keyring).save(ADA, "s" * 60_000)
    longest = max(len(entry.encode("utf-16-le")) for entry in keyring.entries.values())
    assert longest <= 2 * ENTRY_CHARS < WINDOWS_MAX_BYTES


def test_a_shorter_secret_leaves_no_pieces_of_the_longer_one() -> None:
    keyring = WindowsSizedKeyring()
    vault = KeyringVault("test", keyring)
    vault.save(ADA, "s" * 60_000)
    vault.save(ADA, "t" * 10)
    assert len(_pieces_of_secrets(keyring)) == 1
    assert not any("ss" in entry for entry in keyring.entries.values())


def test_clearing_erases_every_entry() -> None:
    keyring = WindowsSizedKeyring()
    vault = KeyringVault("test", keyring)
    for size in (60_000, 9_000):
        vault.save(ADA, "s" * size)
    vault.clear(ADA)
    assert keyring.entries == {}


def test_two_services_do_not_share() -> None:
    keyring = WindowsSizedKeyring()
    KeyringVault("one", keyring).save(ADA, "s")
    other = KeyringVault("other", keyring)
    assert (other.accounts(), other.load(ADA)) == ((), None)


def test_names_of_entries_do_not_tell_whose_they_are() -> None:
    keyring = WindowsSizedKeyring()
    KeyringVault("test", keyring).save(ADA, "s")
    assert not any(ADA[:8] in name for _, name in keyring.entries)


def test_reads_one_entry_for_each_piece_and_looks_at_the_other_slot() -> None:
    keyring = WindowsSizedKeyring()
    vault = KeyringVault("test", keyring)
    vault.save(ADA, "s" * 7_000)
    keyring.calls.clear()
    vault.load(ADA)
    assert len(keyring.calls) == len(_SEVEN_THOUSAND) + 1


_SEVEN_THOUSAND = range(0, 7_000 + 60, ENTRY_CHARS)


def test_macos_is_given_fewer_and_larger_entries() -> None:
    name = {"__module__": "keyring.backends.macOS", "__qualname__": "Keyring"}
    keyring = type("Keyring", (MemoryKeyring,), name)()
    vault = KeyringVault("test", keyring)
    vault.save(ADA, "s" * 9_000)
    assert len(keyring.entries) == 2
    assert vault.load(ADA) == "s" * 9_000


# -- crashes -------------------------------------------------------------------------------------

OLD, NEW = "old " * 900, "new " * 1_500


@pytest.fixture(params=["before", "within", "after"])
def moment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _crash_at_each_call(
    moment: str, prepare: Callable[[Vault], None], act: Callable[[Vault], None]
) -> Iterator[CrashingKeyring]:
    """Yield what is left of a keyring for every call of ``act`` at which its process died."""
    for calls in range(1_000):
        keyring = CrashingKeyring()
        prepare(KeyringVault("test", keyring))
        keyring.calls_left, keyring.moment = calls, moment
        try:
            act(KeyringVault("test", keyring))
        except Crash:
            keyring.calls_left = None
            yield keyring
        else:
            return


def _save_old(vault: Vault) -> None:
    vault.save(BOB, "b")
    vault.save(ADA, "older" * 500)
    vault.save(ADA, OLD)


def test_a_crash_in_a_save_leaves_old_or_new(moment: str) -> None:
    found = set()
    for keyring in _crash_at_each_call(moment, _save_old, lambda vault: vault.save(ADA, NEW)):
        vault = KeyringVault("test", keyring)
        found.add(vault.load(ADA))
        assert vault.accounts() == (BOB, ADA)
        assert vault.load(BOB) == "b"
    assert found == {OLD, NEW}


def test_a_crash_in_the_first_save_leaves_no_secret_that_nobody_lists(moment: str) -> None:
    found = set()
    for keyring in _crash_at_each_call(moment, _nothing, lambda vault: vault.save(ADA, NEW)):
        vault = KeyringVault("test", keyring)
        found.add(vault.load(ADA))
        assert vault.load(ADA) is None or vault.accounts() == (ADA,)
    assert found == {None, NEW}


def test_a_crash_in_a_clear_never_brings_an_older_secret_back(moment: str) -> None:
    found = set()
    for keyring in _crash_at_each_call(moment, _save_old, lambda vault: vault.clear(ADA)):
        found.add(KeyringVault("test", keyring).load(ADA))
    assert found == {OLD, None}


@pytest.mark.parametrize("in_force", [OLD, NEW], ids=["old in force", "new in force"])
def test_a_crash_while_a_crash_is_tidied_up_is_no_worse(moment: str, in_force: str) -> None:
    def save_and_crash(vault: Vault) -> None:
        _crash_at_the_last_moment_with(in_force, vault)

    for act in (lambda vault: vault.save(ADA, "newest"), lambda vault: vault.clear(ADA)):
        for keyring in _crash_at_each_call(moment, save_and_crash, act):
            vault = KeyringVault("test", keyring)
            assert vault.load(ADA) in {in_force, "newest", None}
            _expect_no_trace(vault, keyring)


def _crash_at_the_last_moment_with(in_force: str, vault: Vault) -> None:
    """Leave pieces of both secrets: all of the new one but its head, or its head as well."""
    _save_old(vault)
    assert isinstance(vault, KeyringVault)
    keyring = vault._backend
    assert isinstance(keyring, CrashingKeyring)
    keyring.calls.clear()
    before = dict(keyring.entries)
    vault.save(ADA, NEW)
    head = max(n for n, (call, _) in enumerate(keyring.calls) if call == "set")
    keyring.entries = before
    keyring.calls_left = head if in_force == OLD else head + 1
    with pytest.raises(Crash):
        vault.save(ADA, NEW)
    keyring.calls_left = None
    assert vault.load(ADA) == in_force


@pytest.mark.parametrize("secret", ["short", "long" * 3_000])
def test_the_next_save_leaves_nothing_of_a_crash(moment: str, secret: str) -> None:
    fresh = WindowsSizedKeyring()
    for account, its in ((BOB, "b"), (ADA, secret)):
        KeyringVault("test", fresh).save(account, its)
    for act in (lambda vault: vault.save(ADA, NEW), lambda vault: vault.clear(ADA)):
        for keyring in _crash_at_each_call(moment, _save_old, act):
            vault = KeyringVault("test", keyring)
            vault.save(ADA, secret)
            assert vault.load(ADA) == secret
            assert len(keyring.entries) == len(fresh.entries)
            _expect_no_trace(vault, keyring)


def _expect_no_trace(vault: Vault, keyring: MemoryKeyring) -> None:
    for account in (ADA, BOB):
        vault.clear(account)
    assert keyring.entries == {}


def _nothing(_: Vault) -> None:
    return


# -- damage --------------------------------------------------------------------------------------

DAMAGES = [
    "",
    " ",
    "null",
    "[]",
    '{"Account": {"',
    '{"Account": {}}}',
    '{"version": 9}',
    "mailtray2 ",
]


def _damaged_at_each_entry() -> Iterator[tuple[WindowsSizedKeyring, tuple[str, str]]]:
    keyring = WindowsSizedKeyring()
    KeyringVault("test", keyring).save(ADA, OLD)
    whole = dict(keyring.entries)
    for at in whole:
        keyring.entries = dict(whole)
        yield keyring, at


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_reads_as_no_secret_and_a_sign_in_mends_it(
    damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    for keyring, at in _damaged_at_each_entry():
        keyring.entries[at] = damage
        _expect_mending(keyring)
    assert "damaged" in caplog.text
    assert "old" not in caplog.text


def test_a_missing_entry_reads_as_no_secret_and_a_sign_in_mends_it() -> None:
    for keyring, at in _damaged_at_each_entry():
        del keyring.entries[at]
        _expect_mending(keyring)


def test_bytes_that_are_no_text_read_as_no_secret() -> None:
    class Garbled(WindowsSizedKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            entry = super().get_password(service, username)
            return entry if entry is None else b"\xff\xfe\xff".decode("utf-8")

    keyring = Garbled()
    vault = KeyringVault("test", keyring)
    vault.save(ADA, OLD)
    assert (vault.accounts(), vault.load(ADA)) == ((), None)
    vault.clear(ADA)


@pytest.mark.parametrize("text", ["null", "{", "[1]", '{"a": 1}', ""])
def test_a_list_of_accounts_of_another_kind_is_none(text: str) -> None:
    keyring = WindowsSizedKeyring()
    vault = KeyringVault("test", keyring)
    keyring_vault._Entries(keyring, "test")._text("accounts").save(text)
    assert vault.accounts() == ()
    vault.save(ADA, "s")
    assert vault.accounts() == (ADA,)


def _expect_mending(keyring: WindowsSizedKeyring) -> None:
    vault = KeyringVault("test", keyring)
    # The list of accounts and the secret stand alone: one of them is always whole.
    assert (vault.accounts(), vault.load(ADA)) in [((ADA,), None), ((), OLD)]
    vault.save(ADA, NEW)
    assert (vault.accounts(), vault.load(ADA)) == ((ADA,), NEW)
    vault.clear(ADA)
    assert keyring.entries == {}


# -- refusals ------------------------------------------------------------------------------------

REFUSALS = [
    pytest.param(KeyringLocked("x"), VaultLocked, id="locked"),
    pytest.param(SCREEN_LOCKED, VaultLocked, id="macOS: nobody at the screen"),
    pytest.param(ACCESS_LOST, VaultError, id="macOS: another interpreter"),
    pytest.param(NoKeyringError("x"), NoVault, id="none"),
    pytest.param(InitError("x"), VaultError, id="did not start"),
    pytest.param(KeyringError("x"), VaultError, id="any other of keyring's"),
    pytest.param(OSError(1783, "CredWrite", "x"), VaultError, id="Windows: too long"),
    pytest.param(ConnectionResetError(), VaultError, id="the bus went away"),
]


@pytest.mark.parametrize(("refusal", "kind"), REFUSALS)
def test_the_first_refusal_ends_the_call_and_erases_nothing(
    refusal: Exception, kind: type[VaultError]
) -> None:
    keyring = RefusingKeyring()
    vault = KeyringVault("test", keyring)
    vault.save(ADA, "s" * 12 * ENTRY_CHARS)
    before = dict(keyring.entries)
    keyring.refusal = refusal
    for call in (
        lambda: vault.load(ADA),
        vault.accounts,
        lambda: vault.save(ADA, "t"),
        lambda: vault.clear(ADA),
    ):
        keyring.calls.clear()
        with pytest.raises(VaultError) as caught:
            call()
        assert type(caught.value) is kind
        assert caught.value.__cause__ is refusal
        assert len(keyring.calls) == 1
    assert keyring.entries == before
    keyring.refusal = None
    assert vault.load(ADA) == "s" * 12 * ENTRY_CHARS


def test_refused_to_store_keeps_the_old_secret() -> None:
    class Full(WindowsSizedKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            if "new" in password:
                raise OSError(1783, "CredWrite", "x")
            super().set_password(service, username, password)

    vault = KeyringVault("test", Full())
    vault.save(ADA, OLD)
    with pytest.raises(VaultError):
        vault.save(ADA, NEW)
    assert vault.load(ADA) == OLD


def test_refused_to_erase_the_old_secret_keeps_the_new_one() -> None:
    vault = KeyringVault("test", HoldingKeyring())
    for secret in (OLD, NEW):
        vault.save(ADA, secret)
        assert vault.load(ADA) == secret
    with pytest.raises(VaultError):
        vault.clear(ADA)


def _vendor_exceptions() -> list[type[Exception]]:
    modules = [name.rpartition(".")[0] for name, _, _ in keyring_vault.VENDOR_ERRORS]
    return sorted(
        {
            kind
            for module in map(_module, modules)
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, Exception) and kind is not Exception
        },
        key=str,
    )


def _module(name: str) -> ModuleType:
    is_here = name != "builtins" and importlib.util.find_spec(name.partition(".")[0])
    # keyring's macOS module loads on macOS alone.
    return importlib.import_module(name) if is_here and "macOS" not in name else ModuleType(name)


@pytest.mark.parametrize("kind", _vendor_exceptions(), ids=keyring_vault._qualified)
def test_no_vendor_exception_goes_unmapped(kind: type[Exception]) -> None:
    names = {keyring_vault._qualified(ancestor) for ancestor in kind.__mro__}
    assert names & {name for name, _, _ in keyring_vault.VENDOR_ERRORS}
    assert issubclass(kind, keyring_vault._vendor_errors())


def test_errors_of_a_vendor_that_is_not_installed_here_have_a_meaning() -> None:
    pywintypes_error = type("error", (Exception,), {"__module__": "pywintypes"})
    assert type(keyring_vault.translate(pywintypes_error(1783, "CredWrite", "x"))) is VaultError


@pytest.mark.parametrize("row", keyring_vault.VENDOR_ERRORS, ids=lambda row: str(row[0]))
def test_words_fit_a_tooltip_and_are_one_sentence(
    row: tuple[str, type[VaultError], tuple[str, str]],
) -> None:
    title, hint = map(str, row[2])
    assert len(title) <= 60
    assert hint.count(".") == 1
    assert hint.endswith(".")


# -- which keyring -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.fail.Keyring",
        "keyring.backends.null.Keyring",
        "tests.fakes.keyrings.MemoryKeyring",
        "keyrings.alt.file.PlaintextKeyring",
        "no.such.Keyring",
        "nonsense",
    ],
)
@pytest.mark.parametrize("place", ["variable", "file"])
def test_a_keyring_that_is_not_the_systems_is_refused(
    name: str, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    if place == "variable":
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    else:
        config = tmp_path / "python_keyring" / "keyringrc.cfg"
        config.parent.mkdir()
        config.write_text(f"[backend]\ndefault-keyring={name}\n", encoding="utf-8")
    vault = KeyringVault("test")
    with pytest.raises(NoVault) as caught:
        vault.save(ADA, "s")
    assert caught.value.hint


def test_no_bus_means_no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    vault = KeyringVault("test")
    with pytest.raises(NoVault) as caught:
        vault.accounts()
    assert "gnome-keyring" in caught.value.hint


def test_keyring_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from mailtray.adapters.keyring_vault import KeyringVault; KeyringVault();"
        "sys.exit('keyring' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
