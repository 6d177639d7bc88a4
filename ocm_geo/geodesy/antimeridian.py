"""Rings and shapes that cross the antimeridian or surround a pole, within longitudes ±180.

Why not the `antimeridian` library: where it applies it gives the same polygons (edges straight in
lon/lat, `great_circle=False`; 397 of 397 of those compared). But of a shape over more than one
turn, as longitudes continued along a route give, it keeps one turn. Version 0.4.9 raises on a
hole that crosses the antimeridian, and loses a third of a circle that has a vertex at exactly
180°. It walks vertices one by one: 20,000 take 3 to 7 s, against 0.02 s for one intersection
per turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WORLD", "continuous", "polygon_of_ring", "split_antimeridian", "unfolded"]

WORLD = shapely.box(-180.0, -90.0, 180.0, 90.0)


def continuous(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return coordinates without jumps of longitude: every edge takes the shorter way round.

    Parameters
    ----------
    coords : numpy.ndarray, shape (n, 2)
        Longitude and latitude, degrees.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        The same positions; longitudes may go beyond ±180.
    """
    result = coords.copy()
    turns = np.round(np.diff(coords[:, 0]) / 360.0)
    # Whole turns only: coordinates that need none stay as they are, to the last bit.
    result[1:, 0] -= 360.0 * np.cumsum(turns)
    return result


def split_antimeridian(geometry: shapely.Geometry) -> shapely.Geometry:
    """
    Cut a geometry at the antimeridian and wrap what lies beyond (RFC 7946).

    Parameters
    ----------
    geometry : shapely.Geometry
        With continuous longitudes, over any number of turns.

    Returns
    -------
    shapely.Geometry
        Within ±180.
    """
    if geometry.is_empty:
        return geometry
    west, _, east, _ = geometry.bounds
    if west >= -180.0 and east <= 180.0:  # noqa: PLR2004 - the antimeridian
        return geometry
    turns = np.arange(np.floor((west + 180.0) / 360.0), np.ceil((east - 180.0) / 360.0) + 1)
    parts = [_cut_window(geometry, 360.0 * turn) for turn in turns]
    # A shape that only touches the antimeridian leaves a line or a point there.
    size = shapely.get_dimensions(geometry)
    return shapely.union_all([part for part in parts if shapely.get_dimensions(part) == size])


def _cut_window(geometry: shapely.Geometry, shift: float) -> shapely.Geometry:
    """Return what lies in the window of 360° at a shift, moved to within ±180."""
    window = shapely.box(shift - 180.0, -90.0, shift + 180.0, 90.0)
    inside = shapely.get_parts(shapely.intersection(geometry, window))
    kept = inside[shapely.get_dimensions(inside) == shapely.get_dimensions(geometry)]
    return shapely.transform(shapely.union_all(kept), lambda xy: xy - [shift, 0.0])


def polygon_of_ring(ring: NDArray[np.float64], *, pole: float | None = None) -> shapely.Geometry:
    """
    Return the polygon that a ring on the Earth encloses.

    Parameters
    ----------
    ring : numpy.ndarray of shape (n, 2)
        Closed, degrees, no edge over 180° of longitude.
    pole : float, optional
        Latitude of the pole that a ring around the axis encloses; by default that of the
        hemisphere the ring lies in.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Split at the antimeridian.
    """
    path = continuous(ring)
    winding = path[-1, 0] - path[0, 0]
    if abs(winding) > 180.0:  # noqa: PLR2004 - a whole turn, but for rounding
        if pole is None:
            pole = float(np.copysign(90.0, np.mean(path[:, 1])))
        turn = np.array([np.copysign(360.0, winding), 0.0])
        # Three turns side by side: wherever the ring begins, ±180 cuts it in their inside.
        path = np.vstack((path[:-1] - turn, path[:-1], path + turn))
        path = np.vstack((path, [(path[-1, 0], pole), (path[0, 0], pole)]))
        return shapely.intersection(_make_valid_polygon(path), WORLD)
    return split_antimeridian(_make_valid_polygon(path))


def unfolded(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """
    Repair polygons whose corners were mapped from a plane into longitudes within ±180.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries
        Polygons without long edges: one over 180° of longitude is a jump over the antimeridian.

    Returns
    -------
    numpy.ndarray of shapely geometries
        Those that jump or surround a pole, filled and split at the antimeridian; the others
        unchanged.
    """
    coords, of_shape = shapely.get_coordinates(shapes, return_index=True)
    jump = (np.abs(np.diff(coords[:, 0])) > 180.0) & (np.diff(of_shape) == 0)  # noqa: PLR2004
    mended = shapes.copy()
    for row in np.unique(of_shape[:-1][jump]):
        parts = []
        for part in shapely.get_parts(shapes[row]):
            outer, *holes = (
                polygon_of_ring(shapely.get_coordinates(ring)) for ring in shapely.get_rings(part)
            )
            parts.append(shapely.difference(outer, shapely.union_all(holes)))
        mended[row] = shapely.union_all(parts)
    return mended


def _make_valid_polygon(path: NDArray[np.float64]) -> shapely.Geometry:
    """Return the polygon of a path, repaired if it crosses itself."""
    polygon = shapely.Polygon(path)
    return polygon if polygon.is_valid else shapely.make_valid(polygon)
