"""Text and legends in pictures of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from ocm_geo.plots.style import GREY, INK, POWER_CLASSES, UNKNOWN
from ocm_geo.widgets.raster import load_font, parse_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocm_geo.widgets.legends import Row

__all__ = ["Pen", "measure_rows", "wrap_text"]

_SIZE, _LINE, _PAD, _SYMBOL = 12.0, 18.0, 10.0, 26.0
_FINE = 4
"""Symbols are drawn larger and reduced, so that their edges are smooth."""
_RIM = "#999999"


def wrap_text(text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
    """
    Return a text in lines that fit a width.

    Parameters
    ----------
    text : str
        Any text; its own line breaks are kept.
    size, width : float
        Size of the letters and width, pixels of the screen.
    bold : bool
        Whether the letters are bold.

    Returns
    -------
    list of str
        The lines; none for an empty text.
    """
    lines: list[str] = []
    font = load_font(size, bold=bold)
    for part in text.split("\n") if text else ():
        line = ""
        for word in part.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def measure_rows(rows: Sequence[Row], width: float) -> float:
    """
    Return the height of a legend.

    Parameters
    ----------
    rows : sequence of Row
        The legend.
    width : float
        Its width, pixels of the screen.

    Returns
    -------
    float
        Pixels of the screen.
    """
    return sum(len(lines) * _LINE for lines in _wrap_rows(rows, width)) + 2 * _PAD if rows else 0.0


def _wrap_rows(rows: Sequence[Row], width: float) -> list[list[str]]:
    """Return the lines of each row."""
    found = []
    for row in rows:
        indent = 0.0 if row.kind in {"head", "text"} else _SYMBOL
        room = width - 2 * _PAD - indent
        found.append(wrap_text(row.label, _SIZE, room, bold=row.kind == "head") or [""])
    return found


class Pen:
    """
    Writes and draws legends on a picture.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture.
    scale : float
        Pixels of the picture for each pixel of the screen.
    """

    def __init__(self, picture: Image.Image, scale: float) -> None:
        self._picture, self._scale = picture, scale
        self._draw = ImageDraw.Draw(picture)

    def write_lines(
        self, x: float, y: float, lines: Sequence[str], *, size: float = _SIZE,
        bold: bool = False, fill: str = INK,
    ) -> None:  # fmt: skip
        """
        Write lines of text.

        Parameters
        ----------
        x, y : float
            Upper left corner, pixels of the screen.
        lines : sequence of str
            The lines.
        size : float
            Size of the letters, pixels of the screen.
        bold : bool
            Whether the letters are bold.
        fill : str
            Colour of the letters.
        """
        font = load_font(size * self._scale, bold=bold)
        for i, line in enumerate(lines):
            at = (x * self._scale, (y + (1.4 * i + 0.7) * size) * self._scale)
            self._draw.text(at, line, font=font, fill=fill, anchor="lm")

    def draw_rows(self, rows: Sequence[Row], x: float, y: float, width: float) -> None:
        """
        Draw a legend.

        Parameters
        ----------
        rows : sequence of Row
            The legend.
        x, y : float
            Upper left corner, pixels of the screen.
        width : float
            Width, pixels of the screen.
        """
        y += _PAD
        for row, lines in zip(rows, _wrap_rows(rows, width), strict=True):
            has_symbol = row.kind not in {"head", "text"}
            if has_symbol:
                self._paste_symbol(row, x + _PAD, y)
            left = x + _PAD + (_SYMBOL if has_symbol else 0)
            for i, line in enumerate(lines):
                top = y + i * _LINE + (_LINE - 1.4 * _SIZE) / 2
                self.write_lines(left, top, [line], bold=row.kind == "head")
            y += len(lines) * _LINE

    def _paste_symbol(self, row: Row, x: float, y: float) -> None:
        """Draw the symbol of a row, 18 by 18 pixels of the screen."""
        k = self._scale * _FINE
        image = Image.new("RGB", (round(_LINE * k), round(_LINE * k)), "#ffffff")
        draw = ImageDraw.Draw(image, "RGBA")
        {"circle": _draw_disc, "ring": _draw_pies, "area": _draw_swatch, "line": _draw_stroke}[
            row.kind
        ](draw, row.style, k)
        self._picture.paste(image.reduce(_FINE), (round(x * self._scale), round(y * self._scale)))


def _draw_disc(draw: ImageDraw.ImageDraw, style: dict[str, Any], k: float) -> None:
    """Draw the symbol of a station."""
    r, width = min(style["radius"], 7) * k, min(style["weight"], 2) * k
    edge = _RIM if style["color"] in {"#ffffff", "white"} else style["color"]
    c = 9 * k
    box = (c - r, c - r, c + r, c + r)
    draw.ellipse(box, fill=parse_colour(style["fillColor"], style.get("fillOpacity", 1.0)))
    if "dashArray" not in style:
        draw.ellipse(box, outline=edge, width=round(max(width, k)))
        return
    for start in range(0, 360, 40):
        draw.arc(box, start, start + 22, fill=edge, width=round(width))


def _draw_pies(draw: ImageDraw.ImageDraw, _: dict[str, Any], k: float) -> None:
    """Draw a group: the share of each class."""
    box = (k, k, 17 * k, 17 * k)
    for i, (*_lows, colour) in enumerate(POWER_CLASSES):
        draw.pieslice(box, -90 + 90 * i, 90 * i, fill=colour)
    draw.ellipse((4 * k, 4 * k, 14 * k, 14 * k), fill="#ffffff")


def _draw_swatch(draw: ImageDraw.ImageDraw, style: dict[str, Any], k: float) -> None:
    """Draw a swatch; what has no class is hatched, as in the figures."""
    colour = style["fillColor"]
    box = (0.0, 3 * k, 17.9 * k, 15 * k)
    draw.rectangle(box, fill=colour)
    if colour in {UNKNOWN, "#ffffff"}:
        for x in range(-12, 18, 6):
            draw.line((x * k, 15 * k, (x + 12) * k, 3 * k), fill=GREY, width=round(k))
            if colour != UNKNOWN:
                draw.line((x * k, 3 * k, (x + 12) * k, 15 * k), fill=GREY, width=round(k))
        draw.rectangle((0, 0, 18 * k, 3 * k - 1), fill="#ffffff")
        draw.rectangle((0, 15 * k + 1, 18 * k, 18 * k), fill="#ffffff")
    draw.rectangle(box, outline=_RIM, width=round(k))


def _draw_stroke(draw: ImageDraw.ImageDraw, style: dict[str, Any], k: float) -> None:
    """Draw a piece of a line."""
    box = (0.0, 6.5 * k, 18 * k, 11.5 * k)
    draw.rectangle(box, fill=style["color"])
    if "dashArray" in style:
        for x in range(0, 18, 4):
            for y in (6.5, 11):
                draw.rectangle((x * k, y * k, (x + 2) * k, (y + 0.5) * k), fill="#666666")
