"""The program's mark, drawn by Pillow for the size at which it is shown.

The mark is a dark tile with a letter's flap falling into an open tray. Dark tile and light lines
together stand out on white, black and mid-grey panels alike, which no single colour does. The
same mark stands in ``assets/mailtray.svg``, drawn by hand for printing and packaging.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailtray.core.model import IconKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SIZES_PX = (16, 22, 24, 32, 44, 48, 64)
"""The sizes in which panels ask for tray icons, at one and two device pixels a dot."""

TILE = (13, 45, 54, 255)
LINE = (255, 255, 255, 255)
FLAP = (255, 190, 64, 255)
FADED = (171, 184, 188, 255)
BADGE = (190, 30, 45, 255)
SIGN_IN_BADGE = (31, 122, 77, 255)
WARNING_BADGE = (255, 190, 64, 255)
PAUSE_BADGE = (74, 84, 190, 255)
CLEAR = (0, 0, 0, 0)

_BADGES = {
    "dot": BADGE,
    "arrow": SIGN_IN_BADGE,
    "exclamation": WARNING_BADGE,
    "pause": PAUSE_BADGE,
}
_OVERSAMPLE = 8
_MIDDLE_DIGITS_FROM_PX = 22
_FINE_DIGITS_FROM_PX = 32
_LONG_TEXT = 3
_MOST_COUNTED = 99

# Fonts melt at these sizes; digits set dot by dot stay sharp. One string a row.
_SMALL_DIGITS: Mapping[str, tuple[str, ...]] = {
    "0": ("0110", "1001", "1001", "1001", "1001", "1001", "0110"),
    "1": ("0010", "0110", "1010", "0010", "0010", "0010", "0111"),
    "2": ("0110", "1001", "0001", "0010", "0100", "1000", "1111"),
    "3": ("1110", "0001", "0001", "0110", "0001", "0001", "1110"),
    "4": ("0010", "0110", "1010", "1010", "1111", "0010", "0010"),
    "5": ("1111", "1000", "1110", "0001", "0001", "1001", "0110"),
    "6": ("0110", "1000", "1000", "1110", "1001", "1001", "0110"),
    "7": ("1111", "0001", "0010", "0010", "0100", "0100", "0100"),
    "8": ("0110", "1001", "1001", "0110", "1001", "1001", "0110"),
    "9": ("0110", "1001", "1001", "0111", "0001", "0001", "0110"),
    "+": ("000", "000", "010", "111", "010", "000", "000"),
}
_MIDDLE_DIGITS: Mapping[str, tuple[str, ...]] = {
    "0": (
        "011110", "111111", "110011", "110011", "110011",
        "110011", "110011", "110011", "111111", "011110",
    ),
    "1": (
        "001100", "011100", "111100", "001100", "001100",
        "001100", "001100", "001100", "111111", "111111",
    ),
    "2": (
        "011110", "111111", "110011", "000011", "000110",
        "001100", "011000", "110000", "111111", "111111",
    ),
    "3": (
        "011110", "111111", "110011", "000011", "001110",
        "001110", "000011", "110011", "111111", "011110",
    ),
    "4": (
        "000110", "001110", "001110", "011110", "010110",
        "110110", "111111", "111111", "000110", "000110",
    ),
    "5": (
        "111111", "111111", "110000", "111110", "111111",
        "000011", "000011", "110011", "111111", "011110",
    ),
    "6": (
        "001110", "011110", "110000", "110000", "111110",
        "111111", "110011", "110011", "111111", "011110",
    ),
    "7": (
        "111111", "111111", "000011", "000110", "000110",
        "001100", "001100", "011000", "011000", "011000",
    ),
    "8": (
        "011110", "111111", "110011", "110011", "011110",
        "111111", "110011", "110011", "111111", "011110",
    ),
    "9": (
        "011110", "111111", "110011", "110011", "111111",
        "011111", "000011", "000011", "011110", "011100",
    ),
    "+": (
        "00000", "00000", "00000", "00100", "00100",
        "11111", "00100", "00100", "00000", "00000",
    ),
}  # fmt: skip


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom are just outside."""

    left: int
    top: int
    right: int
    bottom: int


def count_text(kind: IconKind, count: int) -> str:
    """Return what the icon says in digits: nothing, ``1`` to ``99``, or ``99+``."""
    if kind is not IconKind.UNREAD or count <= 0:
        return ""
    return str(count) if count <= _MOST_COUNTED else f"{_MOST_COUNTED}+"


def draw(kind: IconKind, count: int, size_px: int) -> Image:
    """Draw the tray icon.

    Args:
        kind: Which picture.
        count: Number on it; counts for ``IconKind.UNREAD`` only.
        size_px: Edge length in pixels, at least 16.

    Returns:
        An RGBA picture of ``size_px`` by ``size_px``; the caller must not change it.
    """
    return _draw(kind, count_text(kind, count), size_px)


def png(kind: IconKind, count: int, size_px: int) -> bytes:
    """Return what :func:`draw` draws, as a PNG."""
    drawn = BytesIO()
    draw(kind, count, size_px).save(drawn, "PNG")
    return drawn.getvalue()


def argb32(image: Image) -> bytes:
    """Return the pixels as ARGB32 in network byte order, row by row.

    Source: StatusNotifierItem, "Icons".
    """
    from PIL import Image as ImageModule

    red, green, blue, alpha = image.split()
    return ImageModule.merge("RGBA", (alpha, red, green, blue)).tobytes()


def app_icon_path() -> Path:
    """Return the picture shown in notifications.

    Beside it lies the same as an ``.ico`` file.
    """
    return asset_path("mailtray.png")


def asset_path(name: str) -> Path:
    """Return a file of ``assets``: in a checkout, in an installed package and in a bundle."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "assets" / name
    return installed if installed.is_file() else package.parent / "assets" / name


@lru_cache(maxsize=64)
def _draw(kind: IconKind, text: str, size_px: int) -> Image:
    image = _mark(size_px, is_faded=kind is IconKind.OFFLINE)
    if text:
        _add_count(image, text)
    elif kind is IconKind.UNREAD:
        _add_sign(image, "dot")
    elif kind is IconKind.SIGNING_IN:
        _add_sign(image, "arrow")
    elif kind is IconKind.ATTENTION:
        _add_sign(image, "exclamation")
    elif kind is IconKind.PAUSED:
        _add_sign(image, "pause")
    elif kind is IconKind.OFFLINE:
        _add_slash(image)
    return image


def _mark(size_px: int, *, is_faded: bool) -> Image:
    canvas, pen, unit = _canvas(size_px)
    pen.rounded_rectangle((0, 0, 16 * unit - 1, 16 * unit - 1), radius=3 * unit, fill=TILE)
    tray, flap = (FADED, FADED) if is_faded else (LINE, FLAP)
    _polyline(pen, ((3, 7), (3, 13), (13, 13), (13, 7)), unit, width=2, fill=tray)
    _polyline(pen, ((3, 3.4), (8, 8.4), (13, 3.4)), unit, width=2, fill=flap)
    return _reduced(canvas, size_px)


def _add_count(image: Image, text: str) -> None:
    """Put a pill with the number at the lower right, as large as the picture allows."""
    from PIL import Image as ImageModule

    size = image.width
    digits = _digits(text, size)
    gap = max(1, size // 16)
    height = digits.height + 2 * gap
    width = min(max(digits.width + 2 * gap + (gap if len(text) < _LONG_TEXT else 0), height), size)
    box = Box(size - width, size - height, size, size)
    _plate(image, box, BADGE, radius=height / 3.2)
    at = (box.left + (width - digits.width + 1) // 2, box.top + gap)
    image.paste(ImageModule.new("RGBA", digits.size, LINE), at, digits)


def _digits(text: str, size_px: int) -> Image:
    """Return the text as a mask of coverage."""
    if size_px >= _FINE_DIGITS_FROM_PX:
        return _fine_digits(text, size_px)
    return _dotted(text, _SMALL_DIGITS if size_px < _MIDDLE_DIGITS_FROM_PX else _MIDDLE_DIGITS)


def _dotted(text: str, digits: Mapping[str, tuple[str, ...]]) -> Image:
    from PIL import Image as ImageModule

    rows = ["0".join(parts) for parts in zip(*(digits[c] for c in text), strict=True)]
    mask = ImageModule.new("L", (len(rows[0]), len(rows)))
    mask.putdata([255 * int(dot) for row in rows for dot in row])
    return mask


def _fine_digits(text: str, size_px: int) -> Image:
    from PIL import Image as ImageModule
    from PIL import ImageDraw, ImageFont

    zoom = 4
    height = round(size_px * (0.46 if len(text) < _LONG_TEXT else 0.40))
    font = ImageFont.load_default(height * zoom * 1.3)
    stroke = max(1, height * zoom // 22)
    left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
    mask = ImageModule.new("L", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font, stroke_width=stroke)
    width = min(round(mask.width * height / mask.height), size_px - 2)
    return mask.resize((width, height), ImageModule.Resampling.LANCZOS)


def _add_sign(image: Image, sign: str) -> None:
    """Put a round badge with one sign at the lower right."""
    size = image.width
    edge = round(size * 10 / 16)
    box = Box(size - edge, size - edge, size, size)
    fill = _BADGES[sign]
    _plate(image, box, fill, radius=edge / 2)
    canvas, pen, unit = _canvas(edge, grid=10)
    if sign == "exclamation":
        pen.rectangle((4 * unit, 1.6 * unit, 6 * unit - 1, 6 * unit - 1), fill=TILE)
        pen.rectangle((4 * unit, 7 * unit, 6 * unit - 1, 9 * unit - 1), fill=TILE)
    elif sign == "arrow":
        pen.rectangle((1.5 * unit, 4 * unit, 5 * unit, 6 * unit - 1), fill=LINE)
        pen.polygon(
            ((4.5 * unit, 1.5 * unit), (8.5 * unit, 5 * unit), (4.5 * unit, 8.5 * unit)), LINE
        )
    elif sign == "pause":
        pen.rectangle((2 * unit, 2 * unit, 4 * unit - 1, 8 * unit - 1), fill=LINE)
        pen.rectangle((6 * unit, 2 * unit, 8 * unit - 1, 8 * unit - 1), fill=LINE)
    else:
        pen.ellipse((3 * unit, 3 * unit, 7 * unit - 1, 7 * unit - 1), fill=LINE)
    image.alpha_composite(_reduced(canvas, edge), (box.left, box.top))


def _add_slash(image: Image) -> None:
    canvas, pen, unit = _canvas(image.width)
    _polyline(pen, ((2, 14), (14, 2)), unit, width=5, fill=TILE)
    _polyline(pen, ((2, 14), (14, 2)), unit, width=2, fill=LINE)
    image.alpha_composite(_reduced(canvas, image.width))


def _plate(image: Image, box: Box, fill: tuple[int, int, int, int], *, radius: float) -> None:
    """Lay a badge's ground, cut free of the mark by a clear gap."""
    from PIL import Image as ImageModule

    gap = max(1, round(image.width / 20))
    width, height = box.right - box.left, box.bottom - box.top
    canvas, pen, unit = _canvas(image.width, grid=image.width)
    outer = (
        (box.left - gap) * unit,
        (box.top - gap) * unit,
        (box.right + gap) * unit,
        (box.bottom + gap) * unit,
    )
    pen.rounded_rectangle(outer, radius=(radius + gap) * unit, fill=LINE)
    cut = _reduced(canvas, image.width).getchannel("A")
    image.paste(ImageModule.new("RGBA", image.size, CLEAR), (0, 0), cut)
    canvas, pen, unit = _canvas(image.width, grid=image.width)
    inner = (
        box.left * unit,
        box.top * unit,
        (box.left + width) * unit - 1,
        (box.top + height) * unit - 1,
    )
    pen.rounded_rectangle(inner, radius=radius * unit, fill=fill)
    image.alpha_composite(_reduced(canvas, image.width))


def _canvas(size_px: int, *, grid: int = 16) -> tuple[Image, ImageDraw, float]:
    """Return an empty picture larger than asked for, its pen, and a grid unit in its pixels."""
    from PIL import Image as ImageModule
    from PIL import ImageDraw

    edge = size_px * _OVERSAMPLE
    canvas = ImageModule.new("RGBA", (edge, edge), CLEAR)
    return canvas, ImageDraw.Draw(canvas), edge / grid


def _reduced(canvas: Image, size_px: int) -> Image:
    from PIL import Image as ImageModule

    # Alpha is multiplied in meanwhile, or the clear pixels' black would darken the edges.
    return (
        canvas.convert("RGBa")
        .resize((size_px, size_px), ImageModule.Resampling.BOX)
        .convert("RGBA")
    )


def _polyline(
    pen: ImageDraw,
    points: tuple[tuple[float, float], ...],
    unit: float,
    *,
    width: float,
    fill: tuple[int, int, int, int],
) -> None:
    scaled = [(x * unit, y * unit) for x, y in points]
    pen.line(scaled, fill=fill, width=round(width * unit), joint="curve")
    radius = width * unit / 2
    for x, y in (scaled[0], scaled[-1]):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
