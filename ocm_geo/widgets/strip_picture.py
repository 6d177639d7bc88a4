"""The strip chart of a route in the picture of its map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from ocm_geo.plots.style import GREY, INK
from ocm_geo.widgets.raster import load_font

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["draw_strip"]

_FINE = 2
_MID, _REACH, _GAPS, _HEIGHT, _LEFT, _RIGHT = 74, 52, 146, 206, 54, 16
"""The measures of the live strip, pixels."""
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_MOST_TICKS = 9
_TEXT = 11.0


def draw_strip(content: dict[str, Any], width: float, scale: float) -> Image.Image:
    """
    Draw stations by kilometre and side, with the gaps below.

    Parameters
    ----------
    content : dict
        What the live strip shows.
    width : float
        Width, pixels of the screen.
    scale : float
        Pixels of the picture for each pixel of the screen.

    Returns
    -------
    PIL.Image.Image
        The strip.
    """
    k = scale * _FINE
    image = Image.new("RGB", (round(width * k), round(_HEIGHT * k)), "#ffffff")
    draw = ImageDraw.Draw(image)
    length = content["length_km"] or 1.0

    def x_of(km: float) -> float:
        return (_LEFT + km / length * (width - _LEFT - _RIGHT)) * k

    draw.line((x_of(0), _MID * k, x_of(length), _MID * k), fill=INK, width=round(1.5 * k))
    for station in content["stations"]:
        _draw_station(draw, station, x_of(station["km"]), k)
    for gap in content["gaps"]:
        _draw_gap(draw, gap, (x_of(gap["start"]), x_of(gap["end"])), k)
    _draw_axis(draw, content, x_of, k)
    return image.reduce(_FINE)


def _draw_station(draw: ImageDraw.ImageDraw, station: dict[str, Any], x: float, k: float) -> None:
    """Draw a station at its side of the route, the higher the more powerful."""
    up = -1 if station["side"] == "left" else 1
    y = (_MID + up * _REACH * station["height"]) * k
    draw.line((x, _MID * k, x, y), fill=station["stroke"], width=round(k))
    r = 4 * k
    draw.ellipse((x - r, y - r, x + r, y + r), fill=station["fill"], outline=station["stroke"])


def _draw_gap(
    draw: ImageDraw.ImageDraw, gap: dict[str, Any], ends: tuple[float, float], k: float
) -> None:
    """Draw a gap, with its length where it fits."""
    left, right = ends
    draw.rectangle((left, _GAPS * k, right, (_GAPS + 20) * k), fill=gap["fill"], outline="#ffffff")
    font = load_font(_TEXT * k)
    text = gap["word"] or f"{gap['km']:.0f}"
    if font.getlength(text) < right - left - 4 * k:
        at = ((left + right) / 2, (_GAPS + 10) * k)
        draw.text(at, text, font=font, fill=gap["ink"], anchor="mm")


def _draw_axis(
    draw: ImageDraw.ImageDraw, content: dict[str, Any], x_of: Callable[[float], float], k: float
) -> None:
    """Draw the axis of kilometres, and name the rows."""
    font, words, length = load_font(_TEXT * k), content["words"], content["length_km"]
    step = next((s for s in _STEPS if length / s <= _MOST_TICKS), 5000)
    y = (_GAPS + 22) * k
    for km in range(0, int(length) + 1, step):
        x = x_of(km)
        draw.line((x, y, x, y + 4 * k), fill=GREY, width=round(k))
        draw.text((x, y + 11 * k), f"{km}", font=font, fill=INK, anchor="mm")
    middle = (x_of(0) + x_of(length)) / 2
    draw.text((middle, y + 26 * k), words["axis"], font=font, fill=INK, anchor="mm")
    for y_row, name in ((_MID - 30, "left"), (_MID + 30, "right"), (_GAPS + 10, "gaps")):
        draw.text((6 * k, y_row * k), words[name], font=font, fill=INK, anchor="lm")
