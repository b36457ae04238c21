"""macOS, as far as mailtray asks it for anything.

What stands in keeps what Apple documents: AppKit is for the main thread alone, whose run loop
delivers what the system tells; the Keychain's refusals are numbers.
"""

from __future__ import annotations

import queue
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from keyring.errors import KeyringError

from tests.fakes.keyrings import MemoryKeyring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

REFUSALS = {-25293: "errSecAuthFailed", -25308: "errSecInteractionNotAllowed"}


class Center:
    """A notification center."""

    def __init__(self, main: queue.SimpleQueue[Callable[[], None]]) -> None:
        self._main = main
        self.observers: dict[object, tuple[str, Callable[[object], None]]] = {}

    def addObserverForName_object_queue_usingBlock_(  # noqa: N802 - as PyObjC spells it
        self,
        name: str,
        sender: object,
        operations: object,
        block: Callable[[object], None],
    ) -> object:
        assert (sender, operations) == (None, None)
        observer = object()
        self.observers[observer] = (name, block)
        return observer

    def removeObserver_(self, observer: object) -> None:  # noqa: N802 - as PyObjC spells it
        del self.observers[observer]

    def tell(self, name: str) -> None:
        """Let the main run loop deliver a notification."""
        for wanted, block in tuple(self.observers.values()):
            if wanted == name:
                self._main.put(lambda block=block: block(SimpleNamespace(name=name)))  # type: ignore[misc] # a lambda's default


class Keychain(MemoryKeyring):
    """``keyring.backends.macOS.Keyring``.

    Attributes:
        refusal: The number of the error that each call ends with, or 0.
    """

    viable = True
    refusal = 0
    kept: ClassVar[dict[tuple[str, str], str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.entries = self.kept

    def get_password(self, service: str, username: str) -> str | None:
        if self.refusal:
            name = REFUSALS[self.refusal]
            raise KeyringError(f"Can't get password from keychain: ({self.refusal}, {name!r})")
        return super().get_password(service, username)


class Macos:
    """The system; a test's own, until ``monkeypatch`` is undone.

    Attributes:
        main: What the main run loop is to do; a test is on the main thread and calls ``run``.
        session: What the window server tells of the session, or ``None``.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.main: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.workspace, self.distributed = Center(self.main), Center(self.main)
        self.session: Mapping[str, object] | None = {}

        class Keyring(Keychain):
            """This one's; it keeps what it has from one object to the next, as the system does."""

            kept: ClassVar = {}

        self._keychain: type[Keychain] = Keyring
        Keyring.__module__, Keyring.__qualname__ = "keyring.backends.macOS", "Keyring"
        monkeypatch.setattr(sys, "platform", "darwin")
        for name, content in self._modules().items():
            module = ModuleType(name)
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, name, module)

    def _modules(self) -> dict[str, dict[str, Any]]:
        workspace = SimpleNamespace(notificationCenter=lambda: self.workspace)
        return {
            "AppKit": {
                "NSWorkspace": SimpleNamespace(sharedWorkspace=lambda: workspace),
                "NSWorkspaceDidWakeNotification": "NSWorkspaceDidWakeNotification",
            },
            "Foundation": {
                "NSDistributedNotificationCenter": SimpleNamespace(
                    defaultCenter=lambda: self.distributed
                )
            },
            "Quartz": {"CGSessionCopyCurrentDictionary": lambda: self.session},
            "PyObjCTools": {"AppHelper": SimpleNamespace(callAfter=self.main.put)},
            "keyring.backends.macOS": {"Keyring": self._keychain},
        }

    def refuse(self, number: int) -> None:
        """Let the Keychain refuse everything from now on, with the number of its error."""
        self._keychain.refusal = number

    def run(self, limit_s: float = 20.0) -> None:
        """Do the next thing of the main run loop, on the main thread."""
        assert threading.current_thread() is threading.main_thread()
        self.main.get(timeout=limit_s)()
