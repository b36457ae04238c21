"""The vault over a real Secret Service: the contract once more, and what a desktop can lack."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from typing import TYPE_CHECKING, Literal

import pytest

from mailtray.adapters import secret_service
from mailtray.adapters.keyring_vault import KeyringVault
from mailtray.core.errors import NoVault, VaultError, VaultLocked
from tests.contract.test_vault import ADA, VaultContract
from tests.desktop.rig import DesktopSession, missing_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailtray.ports import Vault

if sys.platform == "win32":
    pytest.skip("the Secret Service is a Unix matter", allow_module_level=True)

pytestmark = pytest.mark.desktop

_services = count()


def _session(keyring: Literal["unlocked", "locked"] | None) -> DesktopSession:
    if missing := missing_programs(("bus", "keyring")):
        report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        report(f"needs {', '.join(missing)}")
    return DesktopSession(keyring=keyring, notify=False, tray=False, display=False)


@pytest.fixture(scope="module")
def _unlocked() -> Iterator[DesktopSession]:
    with _session("unlocked") as session:
        yield session


def _enter(session: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.env["DBUS_SESSION_BUS_ADDRESS"])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(session.folder))
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)


class TestKeyringVaultOnDesktop(VaultContract):
    @pytest.fixture
    def vault(self, _unlocked: DesktopSession, monkeypatch: pytest.MonkeyPatch) -> Vault:
        _enter(_unlocked, monkeypatch)
        return KeyringVault(f"mailtray-test-{next(_services)}")


@pytest.mark.parametrize(
    ("keyring", "kind"),
    [pytest.param("locked", VaultLocked, id="locked"), pytest.param(None, NoVault, id="none")],
)
def test_a_keyring_that_is_not_to_be_had(
    keyring: Literal["locked"] | None, kind: type[VaultError], monkeypatch: pytest.MonkeyPatch
) -> None:
    with _session(keyring) as session:
        _enter(session, monkeypatch)
        vault = KeyringVault()
        assert _refusal(vault.accounts) is kind
        assert _refusal(lambda: vault.load(ADA)) is kind
        assert _refusal(lambda: vault.save(ADA, "s")) is kind


def _refusal(call: Callable[[], object]) -> type[VaultError] | None:
    try:
        call()
    except VaultError as error:
        return type(error)
    return None


def test_a_keyring_that_starts_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with _session(None) as none, _session("unlocked") as unlocked:
        vault = KeyringVault()
        _enter(none, monkeypatch)
        assert _refusal(vault.accounts) is NoVault
        _enter(unlocked, monkeypatch)
        vault.save(ADA, "s")
        assert vault.load(ADA) == "s"


def test_a_keyring_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_service, "ANSWER_S", 0.2)
    with _session("unlocked") as session:
        _enter(session, monkeypatch)
        vault = KeyringVault()
        vault.save(ADA, "s")
        daemon = session._running["keyring"]
        daemon.send_signal(signal.SIGSTOP)
        assert _refusal(lambda: vault.load(ADA)) is VaultError
        daemon.send_signal(signal.SIGCONT)
        assert vault.load(ADA) == "s"


def test_a_keyring_that_dies_is_an_error_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with _session("unlocked") as session:
        _enter(session, monkeypatch)
        vault = KeyringVault()
        vault.save(ADA, "s")
        daemon = session._running["keyring"]
        daemon.kill()
        daemon.wait(10)
        assert _refusal(lambda: vault.load(ADA)) is VaultError
