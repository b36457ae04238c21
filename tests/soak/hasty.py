"""``mailtray`` without its least wait between two polls.

python -P hasty.py run ...
"""

from __future__ import annotations

from mailtray.cli import main
from mailtray.core import schedule

if __name__ == "__main__":
    schedule.MIN_DELAY_S = 0.0
    raise SystemExit(main())
