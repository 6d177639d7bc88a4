"""Routes with fewer points, within a stated distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.checks import check_km
from ocm_geo.geodesy import Line, as_line, distance_km, to_ecef_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.routes.editing import Route

__all__ = ["route_simplify"]

# Between two points of a geodesic edge of this length, the distance to another geodesic is at
# most 1 / cos(25 / 6371) times, that is 8e-6 more than, that of the farther of the two.
_EDGE_KM = 50.0
_BETWEEN_POINTS = 1e-5

_TANGENT_KM = 0.01
_STEPS = 4


def route_simplify(route: Route, max_error_km: float) -> shapely.LineString:
    """
    Leave points out of a route as long as it stays where it was.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    max_error_km : float
        The bound, in km: every point of the route lies within this geodesic distance of the
        edge that takes its place, and every point of the result within it of the route.

    Returns
    -------
    shapely.LineString
        The first point, the last point and those between that the bound needs, in order. On
        edges over 50 km a point of the geodesic edge may be kept that was no vertex.

    Raises
    ------
    QueryError
        If ``max_error_km`` is no positive number.
    RouteError
        If the geometry is no route.

    Notes
    -----
    Douglas and Peucker (1973), with geodesic distances on WGS84 in place of planar ones.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> route = shapely.LineString([(5, 52), (5.1, 52.0001), (5.2, 52)])
    >>> ocm.route_simplify(route, 0.1).wkt
    'LINESTRING (5 52, 5.2 52)'
    """
    bound = check_km(max_error_km, "max_error_km") * (1 - _BETWEEN_POINTS)
    knots = _knots(Line(as_line(route)))
    kept = np.zeros(len(knots), dtype=bool)
    kept[[0, -1]] = True
    if (knots[0] == knots[-1]).all():
        kept[np.argmax(distance_km(*knots[0], *knots.T))] = True
    left_out = np.flatnonzero(~kept)
    while left_out.size:
        left_out = _keep_farthest(knots, kept, left_out, bound)
    return shapely.LineString(knots[kept])


def _knots(line: Line) -> NDArray[np.float64]:
    """Give the vertices, and points on long edges."""
    pieces = np.maximum(np.ceil(line.edge_km / _EDGE_KM), 1).astype(int)
    if (pieces == 1).all():
        return line.coords
    marks = [
        np.linspace(start, end, n, endpoint=False)
        for start, end, n in zip(
            line.cumulative_km[:-1], line.cumulative_km[1:], pieces, strict=True
        )
    ]
    return line.point_at(np.append(np.concatenate(marks), line.length_km))


def _keep_farthest(
    knots: NDArray[np.float64],
    kept: NDArray[np.bool_],
    left_out: NDArray[np.intp],
    bound: float,
) -> NDArray[np.intp]:
    """
    Keep the farthest knot of each edge that is off by more than the bound.

    ``kept`` is changed in place. The knots whose edge has changed are given back.
    """
    corners = np.flatnonzero(kept)
    edge = np.searchsorted(corners, left_out) - 1
    offset = _offset_km(Line(knots[corners]), knots[corners], edge, knots[left_out])
    worst = np.zeros(len(corners))
    np.maximum.at(worst, edge, offset)
    split = worst[edge] > bound
    farthest = np.flatnonzero(split & (offset == worst[edge]))
    _, first = np.unique(edge[farthest], return_index=True)
    kept[left_out[farthest[first]]] = True
    return left_out[split & ~kept[left_out]]


def _offset_km(
    line: Line,
    corners: NDArray[np.float64],
    edge: NDArray[np.intp],
    lonlat: NDArray[np.float64],
) -> NDArray[np.float64]:
    """
    Measure the distance from points to given edges of a line.

    The foot is sought by projection on the tangent; where it is missed, the distance comes out
    too large, never too small.
    """
    moved = (corners[1:] != corners[:-1]).any(axis=1)
    # Line drops repeated corners; an edge between two of them is a point.
    corner_km = line.cumulative_km[np.concatenate([[0], np.cumsum(moved)])]
    low, high = corner_km[edge], corner_km[edge + 1]
    place = to_ecef_km(*lonlat.T)
    along = (low + high) / 2
    for _ in range(_STEPS):
        here = to_ecef_km(*line.point_at(along).T)
        ahead = to_ecef_km(*line.point_at(np.minimum(along + _TANGENT_KM, high)).T)
        behind = to_ecef_km(*line.point_at(np.maximum(along - _TANGENT_KM, low)).T)
        tangent = ahead - behind
        size = np.maximum(np.linalg.norm(tangent, axis=1), np.finfo(float).tiny)
        step = np.einsum("ij,ij->i", place - here, tangent) / size
        along = np.clip(along + step, low, high)
    return distance_km(*lonlat.T, *line.point_at(along).T)
