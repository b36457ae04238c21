"""What holds for every test: nothing leaves this machine."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator

os.environ["LANGUAGE"] = "en"  # whatever the developer speaks
# How long an example takes says how busy the machine is; each test has its limit besides.
settings.register_profile("mailtray", deadline=None)
settings.load_profile("mailtray")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write half a surrogate pair in what was logged as an escape.

    Between the processes of pytest-xdist a report travels as UTF-8; one that cannot ends them all.
    """
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: tuple[str, int] | str) -> None:
        assert _stays_here(address), f"a test called {address}"
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: tuple[str, int] | str) -> int:
        assert _stays_here(address), f"a test called {address}"
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)


def _stays_here(address: tuple[str, int] | str) -> bool:
    # An address that is no pair is a path: a socket file, the session bus.
    if not isinstance(address, tuple):
        return True
    return address[0] == "localhost" or ip_address(address[0]).is_loopback
