"""Keyring backends in memory, each with one real system's manner of failing."""

from __future__ import annotations

from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, PasswordDeleteError

WINDOWS_MAX_BYTES = 2_560


class MemoryKeyring(KeyringBackend):
    """A keyring that keeps and counts.

    Attributes:
        entries: (service, user name) -> password.
        calls: The calls so far, in order, as (name of the method, user name).
    """

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # keyring leaves it untyped
        self.entries: dict[tuple[str, str], str] = {}
        self.calls: list[tuple[str, str]] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.calls.append(("get", username))
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.calls.append(("set", username))
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.calls.append(("delete", username))
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")


class WindowsSizedKeyring(MemoryKeyring):
    """Windows' Credential Manager: 2,560 bytes of UTF-16 an entry, and an error of its own."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > WINDOWS_MAX_BYTES:
            raise OSError(1783, "CredWrite", "The stub received bad data")
        super().set_password(service, username, password)


class Crash(BaseException):
    """The process ends here; nobody catches it."""


class CrashingKeyring(WindowsSizedKeyring):
    """A keyring whose process dies at one of its calls.

    Attributes:
        calls_left: Calls that still work; ``None`` for any number.
        moment: When the call after those dies: ``before`` its work, ``after`` it, or ``within``,
            which is after the deletion that macOS makes out of the first half of a replacement.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls_left: int | None = None
        self.moment = "before"

    def get_password(self, service: str, username: str) -> str | None:
        dies = self._is_last()
        found = super().get_password(service, username)
        self._end(dies=dies)
        return found

    def set_password(self, service: str, username: str, password: str) -> None:
        dies = self._is_last()
        if dies and self.moment == "within":
            self.entries.pop((service, username), None)
            raise Crash
        super().set_password(service, username, password)
        self._end(dies=dies)

    def delete_password(self, service: str, username: str) -> None:
        dies = self._is_last()
        super().delete_password(service, username)
        self._end(dies=dies)

    def _is_last(self) -> bool:
        if self.calls_left is None:
            return False
        self.calls_left -= 1
        if self.calls_left < 0 and self.moment == "before":
            raise Crash
        return self.calls_left < 0

    def _end(self, *, dies: bool) -> None:
        if dies:
            raise Crash


class RefusingKeyring(WindowsSizedKeyring):
    """A keyring that refuses while it is told to.

    Attributes:
        refusal: What every call raises, or ``None``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refusal: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        found = super().get_password(service, username)
        self._refuse()
        return found

    def set_password(self, service: str, username: str, password: str) -> None:
        self._refuse()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._refuse()
        super().delete_password(service, username)

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal


class HoldingKeyring(WindowsSizedKeyring):
    """A keyring that gives nothing up."""

    def delete_password(self, service: str, username: str) -> None:
        self.calls.append(("delete", username))
        if (service, username) in self.entries:
            raise PasswordDeleteError("denied")


ACCESS_LOST = KeyringError("Can't get password from keychain: (-25293, 'Security Auth Failure')")
"""macOS after a new interpreter took the place of the one that wrote the entry."""
SCREEN_LOCKED = KeyringError("Can't get password from keychain: (-25308, 'Unknown Error')")
"""macOS while nobody could answer its question."""
