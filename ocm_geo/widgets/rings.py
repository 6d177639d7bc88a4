"""Groups of stations as small rings: the share of each class, around the number of stations."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.widgets.clusters import group_points, radius_px
from ocm_geo.widgets.raster import RING_WIDTH
from ocm_geo.widgets.view import View, pixels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.plots.station_groups import StationGroups
    from ocm_geo.widgets.raster import Canvas

__all__ = ["Rings", "draw_rings", "group_rings", "paint_rings", "ring_colours", "shorten_count"]

_WHOLE = 9.95
"""Thousands from which a number is written without a decimal."""
_WHOLE_RING = 0.03
"""Left out of a whole ring, radians: a third of a pixel."""
_NO_VALUE = "#bdbdbd"
"""Missing values in rings, which have no edge to set them off from the white inside."""


class Rings(NamedTuple):
    """
    Groups of stations.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Mean position, degrees.
    size : numpy.ndarray of int
        Number of stations.
    first : numpy.ndarray of int
        Position of one of the stations.
    radius : numpy.ndarray
        Radius, pixels.
    counts : numpy.ndarray of int
        Stations of each class, in the order of `ring_colours`.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    size: NDArray[np.intp]
    first: NDArray[np.intp]
    radius: NDArray[np.float64]
    counts: NDArray[np.intp]


def ring_colours(looks: StationGroups) -> list[str]:
    """
    Return the colours of a ring, from the top on, clockwise: the order of the legend.

    Parameters
    ----------
    looks : StationGroups
        The classes.

    Returns
    -------
    list of str
        One colour for each class, and one for missing values.
    """
    known = looks.colours[::-1] if looks.is_ordered else looks.colours
    return [*known, _NO_VALUE]


def group_rings(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    ranks: NDArray[np.intp],
    looks: StationGroups,
    *,
    zoom: float,
) -> Rings:
    """
    Group stations by the cells of a web map.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    ranks : numpy.ndarray of int
        Class of each station, -1 where the value is missing.
    looks : StationGroups
        The classes.
    zoom : float
        Zoom of the map.

    Returns
    -------
    Rings
        At most one for each cell.
    """
    groups = group_points(lon, lat, zoom)
    n = len(looks.colours)
    order = n - 1 - ranks if looks.is_ordered else ranks
    counts = groups.count_classes(np.where(ranks < 0, n, order), n + 1)
    return Rings(*groups[:4], radius_px(groups.size), counts)


def draw_rings(groups: Rings, looks: StationGroups, view: View) -> str:
    """
    Return the rings and their numbers as one SVG image.

    A marker for each group would take two widgets and two messages each; an image is one message,
    and no script in it can run.

    Parameters
    ----------
    groups : Rings
        The groups.
    looks : StationGroups
        The classes.
    view : View
        What the image covers.

    Returns
    -------
    str
        Address with the image in it.
    """
    x, y = pixels_of(groups.lon, groups.lat, view.zoom)
    (x0, x1), (y0, y1) = pixels_of(
        np.array([view.west, view.east]), np.array([view.north, view.south]), view.zoom
    )
    x, y = np.round(x - x0, 1), np.round(y - y0, 1)
    texts = "".join(
        f"<text x='{px:.0f}' y='{py:.0f}'>{shorten_count(int(n))}</text>"
        for px, py, n in zip(x, y, groups.size, strict=True)
        if n > 1
    )
    width, height = x1 - x0, y1 - y0
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' "
        f"width='{width:.0f}' height='{height:.0f}'>"
        f"<g fill='none' stroke-width='{RING_WIDTH}'>{_draw_arcs(x, y, groups, looks)}</g>"
        "<g font-family='sans-serif' font-size='10.5' font-weight='600' fill='#222' "
        f"text-anchor='middle' transform='translate(0 4)'>{texts}</g></svg>"
    )
    return "data:image/svg+xml," + urllib.parse.quote(svg, safe=" ='/:()")


def _draw_arcs(
    x: NDArray[np.float64], y: NDArray[np.float64], groups: Rings, looks: StationGroups
) -> str:
    """Return the arcs of all groups, one path for each class: a third of the length."""
    ends = np.cumsum(groups.counts, axis=1) / groups.size[:, None]
    radius = groups.radius - RING_WIDTH / 2
    paths = []
    for k, colour in enumerate(ring_colours(looks)):
        rows = np.flatnonzero((groups.counts[:, k] > 0) & (groups.size > 1))
        start = 2 * np.pi * (ends[rows, k - 1] if k else np.zeros(len(rows)))
        # The end of a whole ring is not its start, which would draw nothing.
        end = np.minimum(2 * np.pi * ends[rows, k], start + 2 * np.pi - _WHOLE_RING)
        r = radius[rows]
        points = [x[rows] + r * np.sin(start), y[rows] - r * np.cos(start),
                  x[rows] + r * np.sin(end), y[rows] - r * np.cos(end)]  # fmt: skip
        arcs = zip(r, *points, end - start > np.pi, strict=True)
        path = "".join(
            f"M{x0:.1f} {y0:.1f}A{a:.1f} {a:.1f} 0 {large:d} 1 {x1:.1f} {y1:.1f}"
            for a, x0, y0, x1, y1, large in arcs
        )
        paths.append(f"<path stroke='{colour}' d='{path}'/>" if path else "")
    return "".join(paths)


def paint_rings(canvas: Canvas, groups: Rings, looks: StationGroups) -> None:
    """
    Draw rings on a picture; a group of one station is drawn as a small disc.

    Parameters
    ----------
    canvas : Canvas
        The picture.
    groups : Rings
        The groups.
    looks : StationGroups
        The classes.
    """
    places = canvas.place(np.column_stack([groups.lon, groups.lat])).tolist()
    colours = ring_colours(looks)
    for (x, y), size, radius, counts in zip(
        places, groups.size.tolist(), groups.radius.tolist(), groups.counts, strict=True
    ):
        if size == 1:
            colour = colours[int(np.argmax(counts))]
            rim = {"color": "#ffffff", "weight": 1, "opacity": 1}
            canvas.draw_circle(x, y, {**rim, "radius": 6, "fillColor": colour, "fillOpacity": 1})
            continue
        arcs = ((c, n / size) for c, n in zip(colours, counts.tolist(), strict=True) if n)
        canvas.draw_ring(x, y, radius, arcs=arcs, text=shorten_count(size))


def shorten_count(count: int) -> str:
    """
    Return a number that fits into its circle.

    Parameters
    ----------
    count : int
        The number.

    Returns
    -------
    str
        Such as 950, 1.2k or 34k.
    """
    thousands = count / 1000
    if thousands < 1:
        return str(count)
    return f"{thousands:.1f}k" if thousands < _WHOLE else f"{thousands:.0f}k"
