"""Every station as a point, in one picture drawn for a view."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ocm_geo.plots.style import OTHER, UNKNOWN_EDGE
from ocm_geo.widgets.raster import parse_colour
from ocm_geo.widgets.view import View, pixels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.plots.station_groups import StationGroups

__all__ = ["draw_points", "encode_points"]

_FINE = 2
"""Pixels of the picture for each pixel of the screen."""
_RADII = ((20_000, 3.0), (100_000, 2.0), (np.inf, 1.5))
"""Up to how many points in view they have which radius, pixels of the picture."""


def draw_points(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    ranks: NDArray[np.intp],
    looks: StationGroups,
    *,
    view: View,
) -> Image.Image:
    """
    Draw stations as points, the highest class on top and missing values at the bottom.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    ranks : numpy.ndarray of int
        Class of each station, -1 where the value is missing.
    looks : StationGroups
        The classes.
    view : View
        What the picture covers.

    Returns
    -------
    PIL.Image.Image
        Picture of few colours, transparent where there is no station.
    """
    x, y = pixels_of(lon, lat, view.zoom)
    (x0, x1), (y0, y1) = pixels_of(
        np.array([view.west, view.east]), np.array([view.north, view.south]), view.zoom
    )
    width, height = round(_FINE * (x1 - x0)), round(_FINE * (y1 - y0))
    radius = next(r for most, r in _RADII if len(lon) <= most)
    reach = int(np.ceil(radius))
    # A margin, so that points at the edge need no test of every pixel.
    canvas = np.zeros((height + 2 * reach + 1, width + 2 * reach + 1), dtype=np.uint8)
    column = np.clip((_FINE * (x - x0)).astype(int) + reach, reach, width + reach)
    row = np.clip((_FINE * (y - y0)).astype(int) + reach, reach, height + reach)
    steps = np.arange(-reach, reach + 1)
    down, right = (d.ravel() for d in np.meshgrid(steps, steps, indexing="ij"))
    disc = np.hypot(down, right) <= radius
    for rank in _order_ranks(looks):
        inside = np.flatnonzero(ranks == rank)
        for dy, dx in zip(down[disc], right[disc], strict=True):
            canvas[row[inside] + dy, column[inside] + dx] = rank + 2
    drawn = Image.fromarray(canvas[reach : reach + height, reach : reach + width])
    colours = ["#ffffff", UNKNOWN_EDGE, *looks.colours]
    drawn.putpalette([part for colour in colours for part in parse_colour(colour)[:3]])
    drawn.info["transparency"] = 0
    return drawn


def _order_ranks(looks: StationGroups) -> list[int]:
    """Return the classes from bottom to top: the joined others must not hide those with a name."""
    ranks = list(range(len(looks.colours)))
    return [-1, *sorted(ranks, key=lambda rank: (looks.colours[rank] != OTHER, rank))]


def encode_points(drawn: Image.Image) -> str:
    """
    Return a picture as an address with the picture in it.

    Parameters
    ----------
    drawn : PIL.Image.Image
        Made by `draw_points`.

    Returns
    -------
    str
        The address.
    """
    found = io.BytesIO()
    drawn.save(found, "PNG", transparency=0, compress_level=6)
    return "data:image/png;base64," + base64.b64encode(found.getvalue()).decode()
