"""What holds for every test: nothing leaves this machine."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest


def _stays_here(family: int, address: Any) -> bool:
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True
    host = address[0]
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return bool(host == "localhost")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any, real: Any = real) -> Any:
            assert _stays_here(self.family, address), f"a test called {address[0]}"
            return real(self, address)

        monkeypatch.setattr(socket.socket, name, guarded)
