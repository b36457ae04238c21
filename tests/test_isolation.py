from __future__ import annotations

import socket

import pytest


@pytest.mark.parametrize("name", ["connect", "connect_ex"])
def test_no_test_reaches_the_network(name: str) -> None:
    with socket.socket() as outside, pytest.raises(AssertionError):
        getattr(outside, name)(("192.0.2.1", 443))
