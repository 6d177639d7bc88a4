"""The picture of a map: what the live map shows, with legend and credit, drawn in Python."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import ipyleaflet
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ocm_geo.geodesy import distance_km
from ocm_geo.plots.style import INK, SEA
from ocm_geo.widgets.land import BORDER, land_features
from ocm_geo.widgets.raster import Canvas
from ocm_geo.widgets.swatches import Pen, measure_rows, wrap_text
from ocm_geo.widgets.view import View, pixels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocm_geo.widgets.legends import Row

__all__ = ["Face", "encode_png", "flatten", "map_picture", "stack_pictures"]

_LEGEND_WIDTH = 240
_BESIDE = 620
"""Narrowest map that has its legend beside it, pixels; that of a narrower one is below."""
_PAD = 10
_SIMPLE_PX = 0.7
_BAR_SHARE = 0.2
_TITLE_SIZE, _CREDIT_SIZE = 17.0, 10.5


class Face(NamedTuple):
    """
    What a map says beside what it draws.

    Parameters
    ----------
    title : str
        Heading; empty for none.
    rows : sequence of Row
        The legend.
    credit : str
        Origin of the data, in plain text.
    """

    title: str
    rows: Sequence[Row]
    credit: str


def map_picture(
    shown: ipyleaflet.Map, face: Face, view: View, *, ground: bool, scale: float
) -> Image.Image:
    """
    Draw the picture of a map.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map.
    face : Face
        Title, legend and credit.
    view : View
        What the picture shows.
    ground : bool
        Whether to draw the bundled land.
    scale : float
        Pixels of the picture for each pixel of the screen.

    Returns
    -------
    PIL.Image.Image
        The picture.
    """
    canvas = Canvas(view, view.size, scale, SEA if ground else "#ffffff")
    if ground:
        _draw_land_of_view(canvas)
    for layer in shown.layers:
        _draw_layer(canvas, layer)
    _draw_scale(canvas)
    return _compose_picture(canvas.picture(), face, scale)


def _draw_land_of_view(canvas: Canvas) -> None:
    """Draw the land in view."""
    view = canvas.view
    wide = view.padded(0.1)
    detail = _SIMPLE_PX * 360 / (256 * 2.0**view.zoom)
    box = (wide.west, wide.south, wide.east, wide.north)
    for feature in land_features(box, detail, {**BORDER, "weight": 0.8}):
        canvas.draw_feature(feature, {})


def _draw_layer(canvas: Canvas, layer: ipyleaflet.Layer) -> None:
    """Draw a layer by its own painter, or its GeoJSON; tiles need a network and are left out."""
    if not getattr(layer, "visible", True):
        return
    if painter := getattr(layer, "painter", None):
        painter(canvas)
    elif isinstance(layer, ipyleaflet.GeoJSON):
        for feature in layer.data.get("features", ()):
            point = feature["geometry"]["type"].endswith("Point")
            canvas.draw_feature(feature, {**layer.style, **(layer.point_style if point else {})})
    elif isinstance(layer, ipyleaflet.LayerGroup):
        for inner in layer.layers:
            _draw_layer(canvas, inner)


def _draw_scale(canvas: Canvas) -> None:
    """Draw a scale bar, true in the middle of the map."""
    width, height = canvas.size
    view = canvas.view
    lat, lon = view.centre
    km = float(distance_km(lon, lat, lon + 0.01, lat)) / 0.01
    (x0,), _ = pixels_of(np.array([0.0]), np.array([0.0]), view.zoom)
    (x1,), _ = pixels_of(np.array([1.0]), np.array([0.0]), view.zoom)
    px_per_km = (x1 - x0) / km
    most = _BAR_SHARE * width / px_per_km
    power = 10.0 ** np.floor(np.log10(most))
    length = max(step * power for step in (1, 2, 5) if step * power <= most)
    canvas.draw_bar(_PAD, height - _PAD, length * px_per_km, f"{length:g} km")


def _compose_picture(drawn: Image.Image, face: Face, scale: float) -> Image.Image:
    """Return a map with its title above, its legend beside or below, and its credit below."""
    width, height = drawn.width / scale, drawn.height / scale
    beside = width >= _BESIDE
    room = _LEGEND_WIDTH if beside else width
    legend_height = measure_rows(face.rows, room)
    whole = width + (_LEGEND_WIDTH if beside and face.rows else 0)
    title = wrap_text(face.title, _TITLE_SIZE, whole - 2 * _PAD, bold=True)
    credit = wrap_text(face.credit, _CREDIT_SIZE, whole - 2 * _PAD)
    top = len(title) * 1.35 * _TITLE_SIZE + (_PAD if title else 0)
    middle = max(height, legend_height) if beside else height + legend_height
    bottom = len(credit) * 1.4 * _CREDIT_SIZE + 0.8 * _PAD
    size = (round(whole * scale), round((top + middle + bottom) * scale))
    picture = Image.new("RGB", size, "#ffffff")
    picture.paste(drawn, (0, round(top * scale)))
    pen = Pen(picture, scale)
    pen.write_lines(_PAD, 0.6 * _PAD, title, size=_TITLE_SIZE, bold=True, fill=INK)
    left, under = (width, top) if beside else (0.0, top + height)
    pen.draw_rows(face.rows, left, under, room)
    pen.write_lines(_PAD, top + middle + 0.4 * _PAD, credit, size=_CREDIT_SIZE, fill="#555555")
    return picture


def stack_pictures(pictures: Sequence[Image.Image], *, sideways: bool = False) -> Image.Image:
    """
    Return pictures one below the other, or side by side.

    Parameters
    ----------
    pictures : sequence of PIL.Image.Image
        The pictures.
    sideways : bool
        Whether they stand side by side.

    Returns
    -------
    PIL.Image.Image
        One picture.
    """
    widths, heights = [p.width for p in pictures], [p.height for p in pictures]
    size = (sum(widths), max(heights)) if sideways else (max(widths), sum(heights))
    whole = Image.new("RGB", size, "#ffffff")
    at = 0
    for picture in pictures:
        whole.paste(picture, (at, 0) if sideways else (0, at))
        at += picture.width if sideways else picture.height
    return whole


def encode_png(picture: Image.Image, face: Face, *, mark: str = "", scale: float = 1.0) -> bytes:
    """
    Return a picture as PNG, with its title and credit in the metadata.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture.
    face : Face
        Title and credit.
    mark : str
        Text at the beginning of the file, by which a page finds the picture.
    scale : float
        Pixels of the picture for each pixel of the screen.

    Returns
    -------
    bytes
        The file.
    """
    notes = PngInfo()
    for key, text in (("Comment", mark), ("Title", face.title), ("Description", face.credit)):
        if text:
            notes.add_itxt(key, text)
    notes.add_text("Software", "ocm_geo")
    found = io.BytesIO()
    dots = (96 * scale, 96 * scale)
    picture.save(found, "PNG", pnginfo=notes, dpi=dots, compress_level=6)
    return found.getvalue()


def flatten(picture: Image.Image) -> Image.Image:
    """
    Return a picture in 255 colours: half the size, and encoded in a third of the time.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture.

    Returns
    -------
    PIL.Image.Image
        The picture; colours of thin edges may change a little.
    """
    method, dither = Image.Quantize.FASTOCTREE, Image.Dither.NONE
    return picture.quantize(255, method=method, dither=dither)
