"""The one look of all pages, mailtray's own and the simulator's: a style sheet and a mark."""

from pathlib import Path

FOLDER = Path(__file__).parent
