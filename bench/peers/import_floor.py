"""The same libraries, and nothing done with them: what a program of this stack cannot go below.

python -m bench.peers.import_floor LIBRARY ...
"""

from __future__ import annotations

import importlib
import signal
import sys

if __name__ == "__main__":
    for name in sys.argv[1:]:
        importlib.import_module(name)
    print("ready", flush=True)
    signal.pause()
