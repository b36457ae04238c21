"""``mailtray`` without its least wait between two polls.

python -P hasty.py run ...
"""

from __future__ import annotations

import faulthandler
import signal

from mailtray.cli import main
from mailtray.core import schedule

if __name__ == "__main__":
    # Asked where it stands, should it stand still.
    faulthandler.register(signal.SIGUSR1)
    schedule.MIN_DELAY_S = 0.0
    raise SystemExit(main())
