"""keyring's Secret Service, over one connection for a whole piece of work.

keyring connects anew for each entry. That is slow for a secret of many pieces, and worse:
gnome-keyring 42 aborts now and then where a client leaves just as the next one arrives, which
locks every secret of the person's. It also waits for an answer without end.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import secretstorage
from keyring.backends import SecretService
from keyring.errors import KeyringLocked

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

ANSWER_S = 20.0
"""How long the service may take for an answer, in seconds."""
PROMPT_S = 120.0
"""How long the person may take to unlock the keyring, in seconds."""


class SecretServiceKeyring(SecretService.Keyring):
    """A keyring that answers between its ``__enter__`` and its ``__exit__``."""

    def __enter__(self) -> Self:
        """Connect, asking the person to unlock the keyring where it is locked."""
        self._connection = _Lasting(secretstorage.dbus_init())
        try:
            self._collection = self._unlocked()
        except BaseException:
            self._connection.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        del self._collection
        self._connection.end()

    def get_preferred_collection(self) -> secretstorage.Collection:
        """Return the collection that was unlocked at the beginning."""
        return self._collection

    def _unlocked(self) -> secretstorage.Collection:
        collection = secretstorage.get_default_collection(self._connection)
        if collection.is_locked():
            with suppress(TimeoutError):
                collection.unlock()
            if collection.is_locked():
                raise KeyringLocked("not unlocked")
        return collection


class _Lasting:
    """A connection that stays open when keyring closes it, and does not wait without end."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 # jeepney has no types
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # jeepney has no types
        return getattr(self._connection, name)

    def send_and_get_reply(self, message: object) -> object:
        return self._connection.send_and_get_reply(message, timeout=ANSWER_S)

    def recv_until_filtered(self, signals: object, *, timeout: float | None = None) -> object:
        return self._connection.recv_until_filtered(signals, timeout=timeout or PROMPT_S)

    def close(self) -> None:
        """Do nothing: keyring has read one entry."""

    def end(self) -> None:
        self._connection.close()
