"""``mailtray`` with a resolver that fails while a file exists, and with little patience.

python -m tests.e2e.hindered FILE run ...
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

from mailtray.adapters import http_transport
from mailtray.cli import main

PATIENCE_S = 0.5


def hinder(flag: Path) -> None:
    """Let no name be resolved while ``flag`` exists, and no answer be waited for long."""
    resolve = socket.getaddrinfo

    def getaddrinfo(*args: Any, **options: Any) -> list[Any]:  # noqa: ANN401 - passed on as they come
        if flag.exists():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(*args, **options)

    socket.getaddrinfo = getaddrinfo
    http_transport.READ_S = PATIENCE_S


if __name__ == "__main__":
    hinder(Path(sys.argv.pop(1)))
    raise SystemExit(main())
