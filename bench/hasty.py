"""``mailtray`` as its user runs it, but with any interval, and a list of what it has loaded.

    python -P hasty.py run ...

On SIGUSR2 it writes the names of its modules to the file that ``BENCH_MODULES`` names.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from mailtray import bootstrap
from mailtray.cli import main
from mailtray.core import schedule


def _tell(_signal: int, _frame: object) -> None:
    Path(os.environ["BENCH_MODULES"]).write_text("\n".join(sys.modules), encoding="utf-8")


if __name__ == "__main__":
    if "BENCH_MODULES" in os.environ:
        signal.signal(signal.SIGUSR2, _tell)
    schedule.MIN_DELAY_S = 0.0
    vars(bootstrap)["INTERVAL_MIN_S"] = 0.0
    raise SystemExit(main())
