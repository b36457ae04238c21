"""The program's icon in each system's own form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.adapters import icons
from mailtray.core.model import IconKind

if TYPE_CHECKING:
    from pathlib import Path

ICO_SIZES_PX = (16, 20, 24, 32, 40, 48, 64, 128, 256)
"""Source: learn.microsoft.com/windows/apps/design/style/iconography/app-icon-construction."""
ICNS_SIZES_PX = (32, 64, 128, 256, 512, 1024)
"""Pillow writes no smaller one; macOS scales."""
PNG_SIZE_PX = 512


def draw_icons(folder: Path) -> None:
    """Draw ``mailtray.ico``, ``mailtray.icns`` and ``mailtray.png``, each size by itself."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {size: icons.draw(IconKind.NORMAL, 0, size) for size in {*ICO_SIZES_PX, *ICNS_SIZES_PX}}
    for name, sizes in (("mailtray.ico", ICO_SIZES_PX), ("mailtray.icns", ICNS_SIZES_PX)):
        *smaller, largest = (drawn[size] for size in sizes)
        largest.save(folder / name, sizes=[(size, size) for size in sizes], append_images=smaller)
    drawn[PNG_SIZE_PX].save(folder / "mailtray.png")
