"""A vault over the operating system's keyring, for secrets larger than one of its entries.

Windows keeps at most 2,560 bytes an entry and a token cache is three times that, so a text is
cut into pieces. Each text has two *slots*. A save fills the slot that is not in force, its head
last: that is the first piece, and it bears a number higher than the other slot's, how many pieces
there are and a checksum of them all. With it the new text is in force, and only then is the other
slot emptied: the head first, then the rest from its end, so that an interrupted save or erasure
leaves pieces without a gap, which the next one finds by counting. Nothing ever relies on an entry
being replaced in one go, which macOS does by deleting and adding.

Entry ``<digest of the account>/<slot>/<n>`` holds a piece, ``0`` being the head. The list of
accounts is kept like one more secret, since keyrings cannot tell what they hold.

Source: CREDENTIALW.CredentialBlobSize in wincred.h (CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 * 512).
"""

from __future__ import annotations

import configparser
import hashlib
import json
import logging
import re
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from mailtray.core.errors import NoVault, VaultError, VaultLocked
from mailtray.core.language import N_, Sentence, _
from mailtray.core.model import AccountId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyring.backend import KeyringBackend

LOG = logging.getLogger(__name__)

ENTRY_CHARS = 1_200
"""ASCII characters of an entry; Windows takes 1,280 UTF-16 units."""
SLOTS = ("a", "b")
GAP_PIECES = 64
"""So many pieces are looked for one by one, should somebody have taken one from among them."""
_HEAD = re.compile(r"mailtray1 (\d{1,18}) (\d{1,6}) ([0-9a-f]{32}) ")

OS_KEYRINGS = {
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
    "darwin": ("keyring.backends.macOS.Keyring",),
}
"""The keyrings that keep secrets from other users, by platform, the best first."""
FREEDESKTOP_KEYRINGS = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.libsecret.Keyring",
)

NAMES = {
    "keyring.backends.Windows.WinVaultKeyring": "Windows Credential Manager",
    "keyring.backends.macOS.Keyring": "macOS Keychain",
    "keyring.backends.SecretService.Keyring": "Secret Service",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.libsecret.Keyring": "libsecret",
}
"""What each keyring is called."""
_STAND_INS = {
    "keyring.backends.SecretService.Keyring": (
        "mailtray.adapters.secret_service.SecretServiceKeyring"
    ),
}
ROOMS = {"keyring.backends.macOS.Keyring": 16_000}
"""Characters of an entry where they are not ``ENTRY_CHARS``: macOS may ask the person for a
password for each entry that is read."""


class KeyringVault:
    """Keeps each account's secret in the keyring; one thread and one process use it at a time."""

    def __init__(self, service: str = "mailtray", backend: KeyringBackend | None = None) -> None:
        """Prepare; nothing is loaded and nobody is asked before the first call.

        Args:
            service: Name under which the keyring keeps the entries.
            backend: A keyring to use as it is; the system's own if left out.
        """
        self._service = service
        self._backend = backend

    @property
    def keyring_name(self) -> str:
        """What the keyring that was used last is called; empty before any was."""
        kinds = () if self._backend is None else map(_qualified, type(self._backend).__mro__)
        return next((NAMES[kind] for kind in kinds if kind in NAMES), "")

    def accounts(self) -> tuple[AccountId, ...]:
        """Return the accounts with a secret."""
        with self._at_work() as entries:
            return entries.accounts()

    def load(self, account: AccountId) -> str | None:
        """Return the account's secret, reading its pieces and one place more."""
        with self._at_work() as entries:
            return entries.secret(account).load()

    def save(self, account: AccountId, secret: str) -> None:
        """Replace the account's secret, listing the account first if it is new.

        An account that is listed and has no secret asks for a sign-in; a secret that nobody
        lists could never be erased.
        """
        with self._at_work() as entries:
            listed = entries.accounts()
            if account not in listed:
                entries.list_accounts((*listed, account))
            entries.secret(account).save(secret)

    def clear(self, account: AccountId) -> None:
        """Erase the account's secret with all its pieces, and then its place in the list."""
        with self._at_work() as entries:
            entries.secret(account).clear()
            listed = entries.accounts()
            if account in listed:
                entries.list_accounts(tuple(other for other in listed if other != account))

    @contextmanager
    def _at_work(self) -> Iterator[_Entries]:
        with _translated():
            if self._backend is None:
                self._backend = _system_keyring()
            keyring = self._backend
            with keyring if isinstance(keyring, AbstractContextManager) else nullcontext():
                yield _Entries(keyring, self._service)


class _Entries:
    """What a keyring keeps under the service's name."""

    def __init__(self, backend: KeyringBackend, service: str) -> None:
        self._backend = backend
        self._service = service

    def secret(self, account: AccountId) -> _Text:
        return self._text(f"account {account}")

    def accounts(self) -> tuple[AccountId, ...]:
        text = self._text("accounts").load()
        try:
            names = [] if text is None else json.loads(text)
        except ValueError:
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            LOG.warning("The keyring's list of accounts is damaged")
            return ()
        return tuple(AccountId(name) for name in names)

    def list_accounts(self, accounts: tuple[AccountId, ...]) -> None:
        if accounts:
            self._text("accounts").save(json.dumps(accounts))
        else:
            self._text("accounts").clear()

    def _text(self, name: str) -> _Text:
        # A digest: some keyrings ignore case, and some show the names to whoever looks.
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=10)
        return _Text(self._backend, self._service, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class _Head:
    """What the first piece of a filled slot tells; a damaged one tells nothing."""

    slot: str
    number: int = 0
    pieces: int = 0
    checksum: str = ""
    first: str = ""


class _Text:
    """One text of any length in the keyring."""

    def __init__(self, backend: KeyringBackend, service: str, name: str) -> None:
        self._backend = backend
        self._service = service
        self._name = name
        self._room = ROOMS.get(_qualified(type(backend)), ENTRY_CHARS)

    def load(self) -> str | None:
        heads = self._heads()
        for head in reversed(heads):
            if (text := self._assemble(head)) is not None:
                return text
        if heads:
            LOG.warning("An entry of the keyring is damaged")
        return None

    def save(self, text: str) -> None:
        heads = {head.slot: head for head in self._heads()}
        newest = max(heads.values(), key=_number, default=_Head("b"))
        target, other = ("b", "a") if newest.slot == "a" else ("a", "b")
        self._fill(target, _escape(text), newest.number + 1)
        try:
            self._empty(other, heads.get(other))
        except _vendor_errors():
            # The new text is in force all the same, and the next one overwrites them.
            LOG.warning("Old pieces are left in the keyring")

    def clear(self) -> None:
        heads = self._heads()
        for slot in SLOTS:
            if slot not in {head.slot for head in heads}:
                self._empty(slot, None)
        # The newest goes last: erased before an older one, it would put that in force again.
        for head in heads:
            self._empty(head.slot, head)

    def _fill(self, slot: str, text: str, number: int) -> None:
        checksum = _checksum(text)
        first = self._room - len(f"mailtray1 {number} {len(text)} {checksum} ")
        pieces = [text[at : at + self._room] for at in range(first, len(text), self._room)]
        for n, piece in enumerate(pieces, start=1):
            self._write(slot, n, piece)
        self._trim(slot, len(pieces) + 1)
        self._write(slot, 0, f"mailtray1 {number} {len(pieces) + 1} {checksum} {text[:first]}")

    def _heads(self) -> list[_Head]:
        """Return the heads that are there, the one in force last."""
        heads = [self._head(slot) for slot in SLOTS]
        return sorted((head for head in heads if head is not None), key=_number)

    def _head(self, slot: str) -> _Head | None:
        entry = self._read(slot, 0)
        if entry is None:
            return None
        if (told := _HEAD.match(entry)) is None:
            return _Head(slot)
        number, pieces, checksum = told.groups()
        return _Head(slot, int(number), int(pieces), checksum, entry[told.end() :])

    def _assemble(self, head: _Head) -> str | None:
        text = head.first
        for n in range(1, head.pieces):
            if not (piece := self._read(head.slot, n)):
                return None
            text += piece
        return _unescape(text) if _checksum(text) == head.checksum else None

    def _empty(self, slot: str, head: _Head | None) -> None:
        known = 1
        if head is not None:
            self._erase(slot, 0)
            known = max(1, min(head.pieces, GAP_PIECES))
        self._trim(slot, known)
        for n in reversed(range(1, known)):
            self._erase(slot, n)

    def _trim(self, slot: str, start: int) -> None:
        """Erase from piece ``start`` on, from the end, what an unfinished save left behind."""
        end = start
        while self._read(slot, end) is not None:
            end += 1
        for n in reversed(range(start, end)):
            self._erase(slot, n)

    def _entry(self, slot: str, n: int) -> str:
        return f"{self._name}/{slot}/{n}"

    def _read(self, slot: str, n: int) -> str | None:
        try:
            return self._backend.get_password(self._service, self._entry(slot, n))
        except UnicodeDecodeError:
            return ""

    def _write(self, slot: str, n: int, piece: str) -> None:
        self._backend.set_password(self._service, self._entry(slot, n), piece)

    def _erase(self, slot: str, n: int) -> None:
        from keyring.errors import PasswordDeleteError

        try:
            self._backend.delete_password(self._service, self._entry(slot, n))
        except PasswordDeleteError:
            # Keyrings say this of an entry that is not there, and of one they will not erase.
            if self._read(slot, n) is not None:
                raise


def _number(head: _Head) -> int:
    return head.number


def _escape(text: str) -> str:
    # Plain ASCII can be cut anywhere, and no keyring stumbles over a character of it.
    return text.encode("unicode_escape").decode("ascii")


def _unescape(escaped: str) -> str:
    return escaped.encode("ascii").decode("unicode_escape")


def _checksum(escaped: str) -> str:
    return hashlib.blake2b(escaped.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _system_keyring() -> KeyringBackend:
    """Return this system's keyring.

    keyring's own choice is not asked for: it is made once a process, so that a keyring that
    starts late would never be found, and it takes add-ons that keep plain files.
    """
    allowed = OS_KEYRINGS.get(sys.platform, FREEDESKTOP_KEYRINGS)
    wished = _configured_keyring()
    if wished is not None and _qualified(type(wished)) != "keyring.backends.chainer.ChainerBackend":
        if _qualified(type(wished)) not in allowed:
            raise NoVault(
                _("keyring is set to a place that is not safe for tokens"),
                _(
                    "Remove PYTHON_KEYRING_BACKEND or default-keyring from keyringrc.cfg; until "
                    "then sign-ins last until mailtray quits."
                ),
            )
        allowed = (_qualified(type(wished)),)
    for name in allowed:
        module, _dot, kind = _STAND_INS.get(name, name).rpartition(".")
        found: type[KeyringBackend] = getattr(import_module(module), kind)
        if found.viable:
            return found()
    raise NoVault(*map(_, _NO_KEYRING))


def _configured_keyring() -> KeyringBackend | None:
    from keyring import core

    try:
        return core.load_env() or core.load_config()
    except (ImportError, AttributeError, ValueError, RuntimeError, configparser.Error) as exc:
        raise NoVault(
            _("The keyring that is configured cannot be used"),
            _(
                "Correct PYTHON_KEYRING_BACKEND or keyringrc.cfg; until then sign-ins last until "
                "mailtray quits."
            ),
        ) from exc


_NO_KEYRING = (
    N_("There is no keyring here"),
    N_(
        "Install and start gnome-keyring, KWallet or KeePassXC; until then sign-ins last until "
        "mailtray quits."
    ),
)
_LOCKED = (
    N_("The keyring is locked"),
    N_("Unlock it; until then mailtray keeps sign-ins in memory only."),
)
_REFUSED = (
    N_("The keyring does not answer as it should"),
    N_(
        "Allow mailtray to use it, or sign out of your desktop and in again; until then mailtray "
        "keeps sign-ins in memory only."
    ),
)
_SCREEN_LOCKED = "-25308"
"""errSecInteractionNotAllowed: macOS would have to ask, and nobody is at the screen."""

VENDOR_ERRORS: tuple[tuple[str, type[VaultError], tuple[Sentence, Sentence]], ...] = (
    ("keyring.errors.NoKeyringError", NoVault, _NO_KEYRING),
    ("keyring.errors.KeyringLocked", VaultLocked, _LOCKED),
    ("keyring.errors.KeyringError", VaultError, _REFUSED),
    ("keyring.backends.macOS.api.Error", VaultError, _REFUSED),
    ("secretstorage.exceptions.LockedException", VaultLocked, _LOCKED),
    ("secretstorage.exceptions.PromptDismissedException", VaultLocked, _LOCKED),
    ("secretstorage.exceptions.SecretStorageException", VaultError, _REFUSED),
    ("jeepney.wrappers.DBusErrorResponse", VaultError, _REFUSED),
    ("jeepney.auth.AuthenticationError", VaultError, _REFUSED),
    ("jeepney.low_level.SizeLimitError", VaultError, _REFUSED),
    ("jeepney.fds.NoFDError", VaultError, _REFUSED),
    ("jeepney.io.common.RouterClosed", VaultError, _REFUSED),
    ("dbus.exceptions.DBusException", VaultError, _REFUSED),
    ("gi._error.GError", VaultError, _REFUSED),
    ("pywintypes.error", VaultError, _REFUSED),
    ("win32ctypes.pywin32.pywintypes.error", VaultError, _REFUSED),
    ("builtins.OSError", VaultError, _REFUSED),
)
"""What keyrings raise, the narrower class first; named, since most are not installed here."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _vendor_errors() as exc:
        raise translate(exc) from exc


def _vendor_errors() -> tuple[type[Exception], ...]:
    # What was not imported cannot have been raised.
    names = [name.rpartition(".") for name, _, _ in VENDOR_ERRORS]
    found = [getattr(sys.modules.get(module), kind, None) for module, _, kind in names]
    return tuple(kind for kind in found if kind is not None)


def translate(error: Exception) -> VaultError:
    """Say what a keyring's error means for the person."""
    if _SCREEN_LOCKED in str(error):
        return VaultLocked(*map(_, _LOCKED))
    ancestry = {_qualified(kind) for kind in type(error).__mro__}
    return next(
        (meaning(*map(_, words)) for name, meaning, words in VENDOR_ERRORS if name in ancestry),
        VaultError(*map(_, _REFUSED)),
    )


def _qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
