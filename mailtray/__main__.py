"""``python -m mailtray``."""

from mailtray.cli import main

raise SystemExit(main())
