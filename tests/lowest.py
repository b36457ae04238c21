"""Print the lowest versions that ``pyproject.toml`` allows, for ``make test-lowest``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def lowest() -> list[str]:
    """Return a line for each package that the program needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [re.fullmatch(r"([\w-]+)>=([\w.]+)(;.*)?", line) for line in project["dependencies"]]
    return [f"{each[1]}=={each[2]}{each[3] or ''}" for each in found if each is not None]


if __name__ == "__main__":
    print(*lowest(), sep="\n")  # noqa: T201 - its output is its purpose
