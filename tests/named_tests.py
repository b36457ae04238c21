"""Tests that a page names by file and function, and whether they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def named_in(page: str) -> list[tuple[str, str]]:
    """Return file and function of each test that a page names."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)


def is_there(file: str, test: str) -> bool:
    """Return whether the file has the test."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def rows_of(page: str) -> list[str]:
    """Return the lines of a page's tables, their heads among them."""
    return [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
