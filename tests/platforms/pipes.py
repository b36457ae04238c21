"""Named pipes as Windows documents them, below the interpreter's own code for them.

``load_pipes`` runs the interpreter's ``multiprocessing.connection`` as it runs on Windows; what it
asks of ``_winapi`` is answered here, within this process. Kept are: messages stay apart, the first
instance is alone, a client needs a free one, more than a buffer waits to be read, whoever closes
wakes the other side, and each failure has its number.

Source: Win32 API, "Named Pipes", "CreateNamedPipeW", "ConnectNamedPipe", "ReadFile" (of zero bytes
too), "PeekNamedPipe"; CPython's ``Modules/_winapi.c`` for what raises and what is returned.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import itertools
import multiprocessing.connection as as_it_is_here
import os
import sys
from threading import Condition
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

NAME_MAX_CHARS = 256
WAITED_OUT = 258
_ERRNO = {
    2: errno.ENOENT,
    5: errno.EACCES,
    6: errno.EBADF,
    109: errno.EPIPE,
    121: errno.EAGAIN,
    231: errno.EINVAL,
    232: errno.EPIPE,
}


class WindowsOSError(OSError):
    """An ``OSError`` as it is on Windows: each has this attribute."""

    winerror: int = 0


def windows_error(number: int) -> WindowsOSError:
    """Return the error of a number, of the class that Python gives it on Windows."""
    own = type(OSError(_ERRNO[number], ""))
    kind = WindowsOSError if own is OSError else type(own.__name__, (WindowsOSError, own), {})
    error: WindowsOSError = kind(_ERRNO[number], f"[WinError {number}]")
    error.winerror = number
    return error


class Operation:
    """What ``_winapi`` calls ``Overlapped``."""

    def __init__(self, pipes: Pipes, *, wanted: int = 0, written: int = 0) -> None:
        self._pipes, self.wanted, self._written = pipes, wanted, written
        self.event = next(pipes.handles)
        pipes.operations[self.event] = self
        self.is_done, self.result, self.data = False, 0, b""

    def end(self, result: int = 0, data: bytes = b"") -> None:
        if not self.is_done:
            self.is_done, self.result, self.data = True, result, data
            self._pipes.changed.notify_all()

    def cancel(self) -> None:
        with self._pipes.changed:
            self.end(995)

    def GetOverlappedResult(self, wait: bool) -> tuple[int, int]:  # noqa: N802 - Windows' names
        with self._pipes.changed:
            if wait:
                self._pipes.changed.wait_for(lambda: self.is_done)
            if not self.is_done:
                return 0, 996
            if self.result not in {0, 234, 995}:
                raise windows_error(self.result)
            return len(self.data) or self._written, self.result

    def getbuffer(self) -> bytes:
        return self.data


class End:
    """One side of an instance."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes
        self.other: End | None = None
        self.messages: list[tuple[bytes, Operation]] = []
        self.readings: list[Operation] = []
        self.is_closed = False

    def settle(self) -> None:
        """Let readings have what there is, and writings go on that found room."""
        while self.readings and self.messages:
            self.give(self.readings.pop(0))
        if self.is_broken or self.is_closed:
            for reading in self.readings:
                reading.end(109)
            self.readings.clear()
        total = 0
        for message, writing in self.messages:
            total += len(message)
            if total <= self.room_bytes:
                writing.end()

    @property
    def is_broken(self) -> bool:
        return self.other is not None and self.other.is_closed and not self.messages

    def give(self, reading: Operation) -> None:
        message, writing = self.messages.pop(0)
        part, rest = message[: reading.wanted], message[reading.wanted :]
        if rest:
            self.messages.insert(0, (rest, writing))
        else:
            writing.end()
        reading.end(234 if rest else 0, part)


class Pipes(ModuleType):
    """Stands in for ``_winapi``."""

    NULL, INFINITE, WAIT_OBJECT_0, WAIT_ABANDONED_0, WAIT_TIMEOUT = 0, 0xFFFFFFFF, 0, 128, 258
    PIPE_ACCESS_DUPLEX, PIPE_ACCESS_INBOUND, FILE_FLAG_OVERLAPPED = 3, 1, 0x40000000
    FILE_FLAG_FIRST_PIPE_INSTANCE = 0x80000
    PIPE_TYPE_MESSAGE, PIPE_READMODE_MESSAGE, PIPE_WAIT = 4, 2, 0
    PIPE_UNLIMITED_INSTANCES, NMPWAIT_WAIT_FOREVER = 255, 0xFFFFFFFF
    GENERIC_READ, GENERIC_WRITE, OPEN_EXISTING = 0x80000000, 0x40000000, 3
    ERROR_IO_PENDING, ERROR_MORE_DATA, ERROR_OPERATION_ABORTED = 997, 234, 995
    ERROR_BROKEN_PIPE, ERROR_NETNAME_DELETED, ERROR_NO_DATA = 109, 64, 232
    ERROR_SEM_TIMEOUT, ERROR_PIPE_BUSY = 121, 231

    def __init__(self) -> None:
        super().__init__("_winapi")
        self.changed = Condition()
        self.handles = itertools.count(0x1_0000_0000)
        self.operations: dict[int, Operation] = {}
        self.ends: dict[int, End] = {}
        self.names: dict[str, list[End]] = {}
        self.connecting: dict[int, Operation] = {}

    def CreateNamedPipe(self, name: str, flags: int, *more: int) -> int:  # noqa: N802
        assert name.startswith("\\\\.\\pipe\\")
        assert "\\" not in name[9:]
        assert len(name) <= NAME_MAX_CHARS
        _mode, _most, _out, room_bytes, _timeout, _security = more
        with self.changed:
            if flags & self.FILE_FLAG_FIRST_PIPE_INSTANCE and self.names.get(name.lower()):
                raise windows_error(5)
            end = End(room_bytes)
            self.names.setdefault(name.lower(), []).append(end)
            self.changed.notify_all()
            return self._handle(end)

    def ConnectNamedPipe(self, handle: int, overlapped: bool) -> Operation:  # noqa: N802
        assert overlapped
        with self.changed:
            end, operation = self._end(handle), Operation(self)
            if end.other is None:
                self.connecting[id(end)] = operation
            elif end.other.is_closed:
                raise windows_error(232)
            else:
                operation.end()
            return operation

    def WaitNamedPipe(self, name: str, timeout_ms: int) -> None:  # noqa: N802
        with self.changed:
            if not self.names.get(name.lower()):
                raise windows_error(2)
            if not self.changed.wait_for(lambda: self._free(name), timeout_ms / 1000):
                raise windows_error(121)

    def CreateFile(self, name: str, *_more: int) -> int:  # noqa: N802
        with self.changed:
            if not self.names.get(name.lower()):
                raise windows_error(2)
            free = self._free(name)
            if free is None:
                raise windows_error(231)
            end = End(free.room_bytes)
            end.other, free.other = free, end
            if operation := self.connecting.pop(id(free), None):
                operation.end()
            return self._handle(end)

    def SetNamedPipeHandleState(self, handle: int, mode: int, *_more: None) -> None:  # noqa: N802
        with self.changed:
            self._end(handle)
            assert mode == self.PIPE_READMODE_MESSAGE

    def WriteFile(  # noqa: N802
        self, handle: int, content: bytes, overlapped: bool
    ) -> tuple[Operation, int]:
        assert overlapped
        with self.changed:
            end = self._end(handle)
            if end.other is None or end.other.is_closed:
                raise windows_error(232)
            operation = Operation(self, written=len(content))
            end.other.messages.append((bytes(content), operation))
            end.other.settle()
            self.changed.notify_all()
            return operation, 0 if operation.is_done else self.ERROR_IO_PENDING

    def ReadFile(  # noqa: N802
        self, handle: int, size: int, overlapped: bool
    ) -> tuple[Operation, int]:
        assert overlapped
        with self.changed:
            end, operation = self._end(handle), Operation(self, wanted=size)
            if end.is_broken:
                raise windows_error(109)
            end.readings.append(operation)
            end.settle()
            return operation, operation.result if operation.is_done else self.ERROR_IO_PENDING

    def PeekNamedPipe(self, handle: int) -> tuple[int, int]:  # noqa: N802
        with self.changed:
            end = self._end(handle)
            if end.is_broken:
                raise windows_error(109)
            sizes = [len(message) for message, _writing in end.messages]
            return sum(sizes), next(iter(sizes), 0)

    def WaitForMultipleObjects(  # noqa: N802
        self, events: list[int], wait_for_all: bool, timeout_ms: int
    ) -> int:
        assert not wait_for_all

        def ready() -> int | None:
            return next((n for n, e in enumerate(events) if self.operations[e].is_done), None)

        limit_s = None if timeout_ms == self.INFINITE else timeout_ms / 1000
        with self.changed:
            self.changed.wait_for(lambda: ready() is not None, limit_s)
            found = ready()
            return WAITED_OUT if found is None else found

    def BatchedWaitForMultipleObjects(  # noqa: N802 - from Python 3.13 on
        self, events: list[int], wait_for_all: bool, timeout_ms: int
    ) -> list[int]:
        found = self.WaitForMultipleObjects(events, wait_for_all, timeout_ms)
        if found == WAITED_OUT:
            raise TimeoutError
        return [found]

    def CloseHandle(self, handle: int) -> None:  # noqa: N802
        with self.changed:
            end = self._end(handle)
            del self.ends[handle]
            end.is_closed = True
            for ends in self.names.values():
                if end in ends:
                    ends.remove(end)
            for each in filter(None, (end, end.other)):
                each.settle()
            for _message, writing in end.messages:
                # Nobody will read them any more.
                writing.end(232)
            self.changed.notify_all()

    def _handle(self, end: End) -> int:
        handle = next(self.handles)
        self.ends[handle] = end
        return handle

    def _end(self, handle: int) -> End:
        if handle not in self.ends:
            raise windows_error(6)
        return self.ends[handle]

    def _free(self, name: str) -> End | None:
        return next((end for end in self.names.get(name.lower(), []) if end.other is None), None)


def load_pipes(monkeypatch: pytest.MonkeyPatch) -> tuple[Pipes, Any]:
    """Return the stand-in, and the interpreter's own module as it is on Windows."""
    sockets = importlib.import_module("_multiprocessing")
    pipes = Pipes()
    monkeypatch.setitem(sys.modules, "_winapi", pipes)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "getwindowsversion", lambda: (10, 0, 22631, 2, ""), raising=False)
    for name, function in (("closesocket", os.close), ("send", os.write), ("recv", os.read)):
        monkeypatch.setattr(sockets, name, function, raising=False)
    spec = importlib.util.spec_from_file_location(
        "multiprocessing.connection_on_windows", as_it_is_here.__file__
    )
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    vars(module)["OSError"] = WindowsOSError
    spec.loader.exec_module(module)
    return pipes, module
