"""What the keyring holds of a program's sign-in, read behind its back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mailtray.adapters.keyring_vault import KeyringVault
from mailtray.adapters.secret_service import SecretServiceKeyring
from mailtray.adapters.settings_file import Home

if TYPE_CHECKING:
    from pathlib import Path


def vault_of(home: Path) -> KeyringVault:
    """Return a home's vault, on the session bus of this process's environment."""
    keyring = SecretServiceKeyring()  # type: ignore[no-untyped-call] # keyring leaves it untyped
    return KeyringVault(Home.at(home).vault_service, keyring)


def kept_refresh_token(home: Path) -> str:
    """Return the one refresh token of the one account, from a cache that is whole."""
    vault = vault_of(home)
    (account,) = vault.accounts()
    cache = vault.load(account)
    assert cache is not None
    content = json.loads(cache)
    (token,) = content["RefreshToken"].values()
    (owner,) = content["Account"].values()
    assert token["home_account_id"] == owner["home_account_id"] == account
    return str(token["secret"])
