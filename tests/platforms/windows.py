"""Windows, as far as mailtray asks it for anything: libraries, modules, and what it lacks.

Paths stay those of the system at hand. What stands in keeps what Windows' documentation says: which
arguments a function takes, which thread may do what to a window, that a file which is open can be
neither removed nor replaced, that a handle is wider than 32 bits.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from mailtray.adapters.windows_events import Message, WindowClass
from tests.adapters.test_system_presence import Windows as Session
from tests.adapters.winreg_stand_in import StandInRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

POSIX_ALONE = {
    os: (
        *("chown", "fchmod", "fchown", "fork", "getegid", "geteuid", "getgid", "getpgid"),
        *("getuid", "killpg", "mkfifo", "set_blocking", "setsid", "statvfs"),
    ),
    signal: ("SIGCONT", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGSTOP", "SIGUSR1", "SIGWINCH"),
}
"""What Python does not have there, of what programs like this one use."""
HWND_FIRST = 0x1_2345_0000
APP_ID_MAX_CHARS = 128
CLASS_NAME_MAX_CHARS = 256
NO_PROGRAM = 1155


class Function:
    """A function of a library; it takes what is declared, and nothing undeclared."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work
        self.restype: Any = ctypes.c_int
        self.argtypes: Any = None

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 - as in C
        if self.argtypes is not None:
            assert len(arguments) == len(self.argtypes), self._work
            for kind, argument in zip(self.argtypes, arguments, strict=True):
                kind.from_param(argument)
        return self._work(*arguments)


class Windows:
    """The system; a test's own, until ``monkeypatch`` is undone.

    Attributes:
        registry: What ``winreg`` opens.
        session: What tells whether the person is there.
        lacks: Names of functions that an older Windows does not have.
        identity: The process' ``AppUserModelID``.
        opened: What was given to ``os.startfile``.
        keys: What is typed, for ``msvcrt.getwch``.
        sounds: What ``winsound`` played.
        processes: Flags with which processes were made.
        language: What ``GetUserDefaultUILanguage`` says.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.registry, self.session, self.desktop = StandInRegistry(), Session(), WindowManager()
        self.lacks: set[str] = set()
        self.identity, self.language = "", 0x0407
        self.opened: list[str] = []
        self.sounds: list[tuple[str, int]] = []
        self.keys: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.processes: list[int] = []
        self._dpi_awareness: int | None = None
        self._on_address: Callable[[object, object, int], None] | None = None
        monkeypatch.setattr(sys, "platform", "win32")
        for module, names in POSIX_ALONE.items():
            for name in names:
                monkeypatch.delattr(module, name, raising=False)
        for name, module in self._modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(ctypes, "WinDLL", self.library, raising=False)
        monkeypatch.setattr(
            ctypes, "windll", SimpleNamespace(kernel32=self.library("kernel32")), raising=False
        )
        monkeypatch.setattr(os, "startfile", self._start_file, raising=False)
        self._make_processes()
        self._keep_open_files()

    # -- libraries --------------------------------------------------------------------------------

    def library(self, name: str) -> SimpleNamespace:
        """Return a library with what is used of it."""
        functions = self._functions().get(name)
        if functions is None:
            raise FileNotFoundError(errno.ENOENT, f"Could not find module {name!r}")
        return SimpleNamespace(
            **{key: Function(work) for key, work in functions.items() if key not in self.lacks}
        )

    def _functions(self) -> dict[str, dict[str, Callable[..., Any]]]:
        return {
            "shell32": {
                "SetCurrentProcessExplicitAppUserModelID": self._identify,
                **vars(self.session.library("shell32")),
            },
            "wtsapi32": {
                "WTSRegisterSessionNotification": self.desktop.watch_session,
                "WTSUnRegisterSessionNotification": self.desktop.leave_session,
                **vars(self.session.library("wtsapi32")),
            },
            "iphlpapi": {
                "NotifyUnicastIpAddressChange": self._watch_addresses,
                "CancelMibChangeNotify2": self._leave_addresses,
            },
            "kernel32": {
                "GetModuleHandleW": lambda _name: 0x7FF6_0000_0000,
                "GetUserDefaultUILanguage": lambda: self.language,
            },
            "user32": {
                "SetProcessDpiAwarenessContext": self._set_dpi_awareness,
                **self.desktop.functions(),
            },
        }

    def _identify(self, name: str) -> int:
        assert 0 < len(name) <= APP_ID_MAX_CHARS
        assert " " not in name
        # It has to be known before anything is shown.
        assert not self.desktop.windows
        self.identity = name
        return 0

    def _set_dpi_awareness(self, context: int) -> int:
        assert context in range(-5, 0)
        if self._dpi_awareness is not None:
            return 0
        self._dpi_awareness = context
        return 1

    def _watch_addresses(self, *arguments: Any) -> int:  # noqa: ANN401 - as in C
        family, callback, _context, is_asked_at_once, handle = arguments
        assert (family, is_asked_at_once) == (0, 0)
        self._on_address = callback
        handle._obj.value = 0x1_0000_0001
        return 0

    def _leave_addresses(self, handle: ctypes.c_void_p) -> int:
        assert handle.value == 0x1_0000_0001
        self._on_address = None
        return 0

    def change_address(self, kind: int) -> None:
        """Let an address be changed (0), added (1) or deleted (2); told by a thread of Windows'."""
        if self._on_address is not None:
            thread = threading.Thread(target=self._on_address, args=(None, 0x1_0000_0002, kind))
            thread.start()
            thread.join()

    # -- modules ----------------------------------------------------------------------------------

    def _modules(self) -> dict[str, ModuleType]:
        # What only Unix has raises where it is imported.
        missing: dict[str, Any] = dict.fromkeys(
            ("fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty")
        )
        there = {
            "winreg": self.registry,
            "msvcrt": SimpleNamespace(getwch=self.keys.get),
            "winsound": SimpleNamespace(
                SND_FILENAME=0x20000, SND_ASYNC=1, SND_NODEFAULT=2, PlaySound=self._play
            ),
        }
        return missing | there

    def _play(self, file: str, flags: int) -> None:
        if not file.lower().endswith(".wav"):
            raise RuntimeError("Failed to play sound")
        self.sounds.append((file, flags))

    def _start_file(self, name: str) -> None:
        if not name.startswith("mailto:"):
            raise OSError(errno.EINVAL, f"[WinError {NO_PROGRAM}] No application is associated")
        self.opened.append(name)

    def _make_processes(self) -> None:
        flags = {"CREATE_NEW_PROCESS_GROUP": 0x200, "CREATE_NO_WINDOW": 0x8000000}
        for name, flag in flags.items():
            self._monkeypatch.setattr(subprocess, name, flag, raising=False)
        made = self.processes

        class Popen(subprocess.Popen[bytes]):
            """Takes Windows' flags, and is ended as there: at once and alone."""

            def __init__(self, command: Any, *, creationflags: int = 0, **more: Any) -> None:  # noqa: ANN401 - as the original
                made.append(creationflags)
                super().__init__(command, **more)

            def kill(self) -> None:
                if self.poll() is None:
                    os.kill(self.pid, 9)

        self._monkeypatch.setattr(subprocess, "Popen", Popen)

    def _keep_open_files(self) -> None:
        for name in ("replace", "rename", "unlink", "remove"):
            self._monkeypatch.setattr(os, name, _refusing(getattr(os, name)))


def _refusing(work: Callable[..., None]) -> Callable[..., None]:
    """Return what does it unless one of the files is open in this process."""

    def refuse_or_do(*paths: Any, **more: Any) -> None:  # noqa: ANN401 - as os has it
        there = {os.path.realpath(path) for path in paths if isinstance(path, str | Path)}
        held = {os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()}
        if there & held:
            raise PermissionError(errno.EACCES, "[WinError 32] used by another process", *there)
        work(*paths, **more)

    return refuse_or_do


class WindowManager:
    """Windows, their classes and the messages that they get.

    Attributes:
        windows: By handle, the thread that made it and the name of its class.
    """

    def __init__(self) -> None:
        self._handles = itertools.count(HWND_FIRST)
        self._classes: dict[str, Any] = {}
        self._queues: dict[int, queue.SimpleQueue[tuple[int, int, int, int] | None]] = {}
        self.windows: dict[int, tuple[int, str]] = {}
        self._watching: set[int] = set()

    def functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "RegisterClassW": self._register,
            "UnregisterClassW": self._unregister,
            "CreateWindowExW": self._create,
            "DestroyWindow": self._destroy,
            "DefWindowProcW": lambda _window, _message, _wparam, _lparam: 0,
            "GetMessageW": self._next,
            "DispatchMessageW": self._dispatch,
            "PostMessageW": self._post,
            "PostQuitMessage": lambda _code: self._queue().put(None),
        }

    def resume(self, kind: int = 0x12) -> None:
        """Let the computer wake; every window at the top is told."""
        for window in tuple(self.windows):
            self._post(window, 0x0218, kind, 0)

    def lock(self, reason: int = 0x7) -> None:
        """Let the session be locked (7), unlocked (8) or change otherwise."""
        for window in tuple(self._watching):
            self._post(window, 0x02B1, reason, 1)

    def watch_session(self, window: int, flags: int) -> int:
        assert flags == 0
        assert window in self.windows
        self._watching.add(window)
        return 1

    def leave_session(self, window: int) -> int:
        self._watching.remove(window)
        return 1

    def _register(self, reference: Any) -> int:  # noqa: ANN401 - what byref returns
        kind = reference._obj
        assert isinstance(kind, WindowClass)
        assert 0 < len(kind.class_name) < CLASS_NAME_MAX_CHARS
        assert kind.instance
        if kind.class_name in self._classes:
            return 0
        self._classes[kind.class_name] = kind.procedure
        return 0xC001

    def _unregister(self, name: str, _instance: int) -> int:
        if name in {each for _thread, each in self.windows.values()}:
            return 0
        return int(self._classes.pop(name, None) is not None)

    def _create(self, _style: int, name: str, *_more: object) -> int | None:
        if name not in self._classes:
            return None
        window = next(self._handles)
        self.windows[window] = (threading.get_ident(), name)
        # Windows speaks with it before it is there.
        assert self._classes[name](window, 0x0081, 0, 0) == 0
        return window

    def _destroy(self, window: int) -> int:
        thread, _name = self.windows[window]
        assert thread == threading.get_ident()
        # Whoever watches the session has to leave it first.
        assert window not in self._watching
        del self.windows[window]
        return 1

    def _queue(self, thread: int = 0) -> queue.SimpleQueue[tuple[int, int, int, int] | None]:
        return self._queues.setdefault(thread or threading.get_ident(), queue.SimpleQueue())

    def _post(self, window: int, message: int, wparam: int, lparam: int) -> int:
        if window not in self.windows:
            return 0
        self._queue(self.windows[window][0]).put((window, message, wparam, lparam))
        return 1

    def _next(self, reference: Any, *_filter: object) -> int:  # noqa: ANN401 - what byref returns
        assert isinstance(reference._obj, Message)
        told = self._queue().get(timeout=50)
        if told is None:
            return 0
        found = reference._obj
        found.window, found.message, found.wparam, found.lparam = told
        return 1

    def _dispatch(self, reference: Any) -> int:  # noqa: ANN401 - what byref returns
        told = reference._obj
        thread, name = self.windows[told.window]
        assert thread == threading.get_ident()
        answer: int = self._classes[name](told.window, told.message, told.wparam, told.lparam)
        return answer
