"""The mark is told apart and its digits are readable at every size, on every panel."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from PIL import Image as ImageModule
from PIL import ImageChops

from mailtray.adapters import icons
from mailtray.core.model import IconKind

if TYPE_CHECKING:
    from PIL.Image import Image

PANELS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
COUNTS = (0, 1, 9, 10, 99, 100, 5000)
SEEN = 3.0
"""Contrast that WCAG 2.2 asks for graphics (1.4.11)."""


def luminance(colour: tuple[int, int, int]) -> float:
    """Return relative luminance. Source: WCAG 2.2, "relative luminance"."""
    red, green, blue = (
        value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4
        for value in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def on_panel(image: Image, panel: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """Return the pixels as they look on a panel."""
    ground = ImageModule.new("RGBA", image.size, (*panel, 255))
    pixels = ImageModule.alpha_composite(ground, image).convert("RGB").tobytes()
    return [(pixels[i], pixels[i + 1], pixels[i + 2]) for i in range(0, len(pixels), 3)]


@pytest.mark.parametrize("size", icons.SIZES_PX)
@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
@pytest.mark.parametrize("kind", IconKind)
def test_a_good_part_of_every_picture_stands_out(
    kind: IconKind, panel: tuple[int, int, int], size: int
) -> None:
    pixels = on_panel(icons.draw(kind, 7, size), panel)
    outstanding = sum(contrast(pixel, panel) >= SEEN for pixel in pixels)
    # On black only the lines do: 19 pixels of 256 make a V and a U of one and a half pixels.
    assert outstanding / len(pixels) > 0.12


@pytest.mark.parametrize("size", icons.SIZES_PX)
@pytest.mark.parametrize("count", COUNTS[1:])
def test_digits_stand_out_from_their_ground(count: int, size: int) -> None:
    assert contrast(icons.LINE[:3], icons.BADGE[:3]) >= SEEN
    image = icons.draw(IconKind.UNREAD, count, size)
    pixels = on_panel(image, PANELS["black"])
    lower = pixels[len(pixels) // 2 :]
    # Whole pixels of both colours, not a blend: strokes are not melted.
    digits = len(icons.count_text(IconKind.UNREAD, count))
    assert lower.count(icons.LINE[:3]) >= 5 * digits
    assert lower.count(icons.BADGE[:3]) >= 8 * digits


@pytest.mark.parametrize(
    ("light", "dark"),
    [
        pytest.param(icons.LINE, icons.TILE, id="tray"),
        pytest.param(icons.FLAP, icons.TILE, id="flap"),
        pytest.param(icons.FADED, icons.TILE, id="offline"),
        pytest.param(icons.LINE, icons.SIGN_IN_BADGE, id="arrow"),
        pytest.param(icons.WARNING_BADGE, icons.TILE, id="exclamation mark"),
        pytest.param(icons.LINE, icons.PAUSE_BADGE, id="pause"),
    ],
)
def test_lines_stand_out_from_what_they_are_on(
    light: tuple[int, int, int, int], dark: tuple[int, int, int, int]
) -> None:
    assert contrast(light[:3], dark[:3]) >= SEEN


@pytest.mark.parametrize("size", icons.SIZES_PX)
def test_kinds_and_counts_are_told_apart(size: int) -> None:
    counts = (*range(10), 10, 47, 74, 89, 98, 99, 100)
    pictures = [icons.draw(kind, 0, size) for kind in IconKind]
    pictures += [icons.draw(IconKind.UNREAD, count, size) for count in counts[1:]]
    for one, other in itertools.combinations(pictures, 2):
        difference = ImageChops.difference(one.convert("L"), other.convert("L"))
        clearly_other = sum(difference.histogram()[48:])
        assert clearly_other >= 2


@pytest.mark.parametrize(
    ("kind", "count", "text"),
    [
        (IconKind.UNREAD, 0, ""),
        (IconKind.UNREAD, -1, ""),
        (IconKind.UNREAD, 1, "1"),
        (IconKind.UNREAD, 99, "99"),
        (IconKind.UNREAD, 100, "99+"),
        (IconKind.UNREAD, 5000, "99+"),
        (IconKind.OFFLINE, 5, ""),
        (IconKind.NORMAL, 5, ""),
    ],
)
def test_count_text(kind: IconKind, count: int, text: str) -> None:
    assert icons.count_text(kind, count) == text


@pytest.mark.parametrize("size", icons.SIZES_PX)
@pytest.mark.parametrize("count", COUNTS)
def test_the_picture_has_the_size_asked_for_and_is_the_same_again(count: int, size: int) -> None:
    first = icons.draw(IconKind.UNREAD, count, size).tobytes()
    icons._draw.cache_clear()
    again = icons.draw(IconKind.UNREAD, count, size)
    assert again.size == (size, size)
    assert again.mode == "RGBA"
    assert again.tobytes() == first


def test_argb32_puts_alpha_first() -> None:
    image = ImageModule.new("RGBA", (1, 1), (1, 2, 3, 4))
    assert icons.argb32(image) == bytes([4, 1, 2, 3])


def test_the_pictures_of_notifications_are_there() -> None:
    path = icons.app_icon_path()
    with ImageModule.open(path) as image:
        assert image.size == (256, 256)
    with ImageModule.open(path.with_suffix(".ico")) as image:
        assert (16, 16) in image.info["sizes"]


def test_the_shipped_picture_is_what_is_drawn() -> None:
    with ImageModule.open(icons.app_icon_path()) as image:
        assert image.convert("RGBA").tobytes() == icons.draw(IconKind.NORMAL, 0, 256).tobytes()
