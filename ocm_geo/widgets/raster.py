"""Features of a map drawn as a raster picture, without a browser."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ocm_geo.widgets.view import View, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Canvas", "load_font", "parse_colour"]

_FINE = 2
"""Pixels drawn for each one of the picture, in both directions: edges become smooth."""
_DEFAULTS: dict[str, Any] = {"color": "#3388ff", "weight": 3, "opacity": 1.0, "fillOpacity": 0.2}
"""Leaflet's own look of shapes."""
_RADIUS = 10
_AREAS, _LINES, _POINTS = ("Polygon", "MultiPolygon"), ("LineString", "MultiLineString"), ("Point",)


class Canvas:
    """
    A map in pixels of a web map, on which GeoJSON is drawn with Leaflet's styles.

    Parameters
    ----------
    view : View
        What the map shows.
    size : tuple of int
        Width and height of the map, pixels of the screen.
    scale : float
        Pixels of the picture for each pixel of the screen.
    ground : str
        Colour of the empty map.
    """

    def __init__(self, view: View, size: tuple[int, int], scale: float, ground: str) -> None:
        self.view, self.size, self._scale = view, size, scale
        self._k = scale * _FINE
        (self._x0,), (self._y0,) = pixels_of(
            np.array([view.west]), np.array([view.north]), view.zoom
        )
        shape = (round(size[0] * self._k), round(size[1] * self._k))
        self._image = Image.new("RGB", shape, ground)
        # Drawn in RGBA on RGB, so that every shape is blended with what is below it.
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def picture(self) -> Image.Image:
        """
        Return the map as drawn so far.

        Returns
        -------
        PIL.Image.Image
            The picture, ``scale`` times the size of the map.
        """
        return self._image.reduce(_FINE)

    def place(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return positions in pixels of the canvas.

        Parameters
        ----------
        lonlat : numpy.ndarray
            Degrees, two columns.

        Returns
        -------
        numpy.ndarray
            Pixels, two columns.
        """
        x, y = pixels_of(lonlat[:, 0], lonlat[:, 1], self.view.zoom)
        return np.column_stack([x - self._x0, y - self._y0]) * self._k

    def draw_feature(self, feature: dict[str, Any], style: dict[str, Any]) -> None:
        """
        Draw a GeoJSON feature.

        Parameters
        ----------
        feature : dict
            The feature; its own ``style`` takes precedence.
        style : dict
            Style in Leaflet's terms.
        """
        geometry = feature.get("geometry") or {}
        kind, coordinates = geometry.get("type", ""), geometry.get("coordinates", ())
        look = {**_DEFAULTS, **style, **feature.get("properties", {}).get("style", {})}
        if kind.startswith("Multi"):
            for part in coordinates:
                self._draw_part(kind.removeprefix("Multi"), part, look)
        else:
            self._draw_part(kind, coordinates, look)

    def _draw_part(self, kind: str, coordinates: Any, look: dict[str, Any]) -> None:  # noqa: ANN401
        """Draw a polygon, a line or a point."""
        if kind in _AREAS:
            rings = [self.place(np.asarray(ring, dtype=float)[:, :2]) for ring in coordinates]
            self._fill_area(rings, look)
            for ring in rings if look.get("stroke", True) else ():
                self._draw_line(ring, look)
        elif kind in _LINES:
            self._draw_line(self.place(np.asarray(coordinates, dtype=float)[:, :2]), look)
        elif kind in _POINTS:
            ((x, y),) = self.place(np.array([coordinates[:2]], dtype=float)).tolist()
            self.draw_circle(x, y, look)

    def _fill_area(self, rings: Sequence[NDArray[np.float64]], look: dict[str, Any]) -> None:
        """Fill a polygon, except its holes."""
        opacity = look["fillOpacity"] * bool(look.get("fill", True))
        if not rings or not opacity:
            return
        colour = parse_colour(look.get("fillColor") or look["color"], opacity)
        outline = _list_pairs(rings[0])
        if len(rings) == 1:
            self._draw.polygon(outline, fill=colour)
            return
        mask = Image.new("L", self._image.size)
        pen = ImageDraw.Draw(mask)
        pen.polygon(outline, fill=colour[3])
        for hole in rings[1:]:
            pen.polygon(_list_pairs(hole), fill=0)
        self._image.paste(colour[:3], mask=mask)

    def _draw_line(self, points: NDArray[np.float64], look: dict[str, Any]) -> None:
        """Draw a line, or its dashes."""
        width = max(round(look["weight"] * self._k), 1)
        colour = parse_colour(look["color"], look["opacity"])
        pieces = [points]
        if dashes := look.get("dashArray"):
            lengths = [float(part) * self._k for part in str(dashes).replace(",", " ").split()]
            pieces = list(_cut_dashes(points, lengths))
        for piece in pieces:
            self._draw.line(_list_pairs(piece), fill=colour, width=width, joint="curve")

    def draw_circle(self, x: float, y: float, look: dict[str, Any]) -> None:
        """
        Draw the circle of a station.

        Parameters
        ----------
        x, y : float
            Centre, pixels of the canvas.
        look : dict
            Style in Leaflet's terms.
        """
        r = look.get("radius", _RADIUS) * self._k
        box = (x - r, y - r, x + r, y + r)
        if opacity := look["fillOpacity"] * bool(look.get("fill", True)):
            self._draw.ellipse(
                box, fill=parse_colour(look.get("fillColor", look["color"]), opacity)
            )
        if not look.get("stroke", True):
            return
        half = look["weight"] * self._k / 2
        rim = (box[0] - half, box[1] - half, box[2] + half, box[3] + half)
        width, colour = (
            max(round(2 * half), 1),
            parse_colour(look["color"], look.get("opacity", 1.0)),
        )
        if "dashArray" not in look:
            self._draw.ellipse(rim, outline=colour, width=width)
            return
        for start in range(0, 360, 30):
            self._draw.arc(rim, start, start + 15, fill=colour, width=width)

    def draw_ring(
        self, x: float, y: float, radius: float, *, arcs: Iterable[tuple[str, float]], text: str
    ) -> None:
        """
        Draw a group of stations: the share of each class, around their number.

        Parameters
        ----------
        x, y : float
            Centre, pixels of the canvas.
        radius : float
            Pixels of the screen.
        arcs : iterable of tuple
            Colours, with their shares.
        text : str
            Number of stations.
        """
        r, inner = radius * self._k, (radius - RING_WIDTH) * self._k
        rim = r + self._k
        self._draw.ellipse((x - rim, y - rim, x + rim, y + rim), fill="#ffffff")
        start = -90.0
        for colour, share in arcs:
            end = start + 360 * share
            self._draw.pieslice((x - r, y - r, x + r, y + r), start, end, fill=colour)
            start = end
        self._draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill="#ffffff")
        self.write(x, y, text, size=10.5, anchor="mm", bold=True)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 12,
        anchor: str = "lm",
        bold: bool = False,
        halo: str = "",
        fill: str = "#222222",
    ) -> None:  # fmt: skip
        """
        Write a text.

        Parameters
        ----------
        x, y : float
            Position, pixels of the canvas.
        text : str
            One line.
        size : float
            Size, pixels of the screen.
        anchor : str
            Which point of the text is at the position, in the terms of Pillow.
        bold : bool
            Whether the letters are bold.
        halo : str
            Colour around the letters.
        fill : str
            Colour of the letters.
        """
        font = load_font(size * self._k, bold=bold)
        around: dict[str, Any] = (
            {"stroke_width": round(1.5 * self._k), "stroke_fill": halo} if halo else {}
        )
        self._draw.text((x, y), text, font=font, fill=fill, anchor=anchor, **around)

    def draw_bar(self, left: float, bottom: float, length: float, text: str) -> None:
        """
        Draw a scale bar.

        Parameters
        ----------
        left, bottom : float
            Lower left corner, pixels of the screen.
        length : float
            Length, pixels of the screen.
        text : str
            The length in words.
        """
        k = self._k
        box = (left * k, (bottom - 24) * k, (left + length + 10) * k, bottom * k)
        self._draw.rectangle(box, fill=(255, 255, 255, 200))
        x0, x1, y = (left + 5) * k, (left + 5 + length) * k, (bottom - 5) * k
        for line in (((x0, y), (x1, y)), ((x0, y), (x0, y - 5 * k)), ((x1, y), (x1, y - 5 * k))):
            self._draw.line(line, fill="#444444", width=round(1.5 * k))
        self.write(x0 + 4 * k, y - 10 * k, text, size=11)

    def paste(self, picture: Image.Image, box: tuple[float, float, float, float]) -> None:
        """
        Draw a picture that covers a box.

        Parameters
        ----------
        picture : PIL.Image.Image
            Picture with transparency.
        box : tuple of float
            ``(west, south, east, north)``, degrees.
        """
        west, south, east, north = box
        (left, top), (right, bottom) = self.place(np.array([[west, north], [east, south]])).tolist()
        size = (max(round(right - left), 1), max(round(bottom - top), 1))
        sized = picture.convert("RGBA").resize(size, Image.Resampling.NEAREST)
        self._image.paste(sized, (round(left), round(top)), mask=sized.getchannel("A"))


RING_WIDTH = 5
"""Width of the ring of a group, pixels."""


def parse_colour(text: str, opacity: float = 1.0) -> tuple[int, int, int, int]:
    """
    Return a colour of CSS with an opacity.

    Parameters
    ----------
    text : str
        Such as ``#ffffff`` or ``white``.
    opacity : float
        0 to 1.

    Returns
    -------
    tuple of int
        Red, green, blue and opacity, 0 to 255.
    """
    from PIL import ImageColor  # noqa: PLC0415 - loaded when needed

    red, green, blue = ImageColor.getrgb(text)[:3]
    return red, green, blue, round(255 * opacity)


@cache
def load_font(size: float, *, bold: bool = False) -> Any:  # noqa: ANN401 - of Pillow
    """
    Return the font of pictures, which comes with matplotlib: the one of the figures.

    Parameters
    ----------
    size : float
        Size, pixels.
    bold : bool
        Whether the letters are bold.

    Returns
    -------
    PIL.ImageFont.FreeTypeFont
        The font.
    """
    # Found without importing matplotlib, which takes a second.
    found = find_spec("matplotlib")
    folder = Path(found.origin or "").parent if found else Path()
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = folder / "mpl-data" / "fonts" / "ttf" / name
    if not path.exists():
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(path), size)


def _list_pairs(points: NDArray[np.float64]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points.tolist()]


def _cut_dashes(
    points: NDArray[np.float64], lengths: Sequence[float]
) -> Iterable[NDArray[np.float64]]:
    """Yield the dashes of a line."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    total = float(along[-1])
    if not total or not sum(lengths):
        return
    start, turn = 0.0, 0
    while start < total:
        end = min(start + lengths[turn % len(lengths)], total)
        if turn % 2 == 0:
            at = np.concatenate([[start], along[(along > start) & (along < end)], [end]])
            yield np.column_stack([np.interp(at, along, points[:, i]) for i in (0, 1)])
        start, turn = end, turn + 1
