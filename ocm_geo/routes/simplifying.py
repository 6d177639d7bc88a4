"""Simplify routes within a geodesic error."""

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

# Error of an estimated offset, per cube of the length of the edge and the way to its start.
# Measured against `Geod` on 36,000 edges of 0.1 to 3,000 km in all latitudes: 3.3e-11 at most.
_ERROR_PER_KM3 = 1e-10
_FAR_KM = 6_000.0
_ROUNDING_KM = 1e-8
_RADIUS_KM = 6371.0
_FLATTER = (1.0, 1.0, 1.0067394967422764)  # (a / b)² of WGS84 along the axis


def route_simplify(route: Route, max_error_km: float) -> shapely.LineString:
    """
    Remove points from a route within a maximum error.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    max_error_km : float
        The maximum error, in km: every point of the route lies within this geodesic distance
        of the edge that replaces it, and every point of the result within it of the route.

    Returns
    -------
    shapely.LineString
        The first point, the last point and the points between that the error requires, in
        order. On edges over 50 km a point of the geodesic edge may be added.

    Raises
    ------
    QueryError
        If ``max_error_km`` is not a positive number.
    RouteError
        If the geometry is not a route.

    Notes
    -----
    Douglas and Peucker (1973), with geodesic distances on WGS84 instead of planar ones.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> route = shapely.LineString([(5, 52), (5.1, 52.0001), (5.2, 52)])
    >>> ocm.route_simplify(route, 0.1).wkt
    'LINESTRING (5 52, 5.2 52)'
    """
    bound = check_km(max_error_km, "max_error_km") * (1 - _BETWEEN_POINTS)
    knots = _place_knots(Line(as_line(route)))
    place = to_ecef_km(*knots.T)
    kept = np.zeros(len(knots), dtype=bool)
    kept[[0, -1]] = True
    if (knots[0] == knots[-1]).all():
        kept[np.argmax(distance_km(*knots[0], *knots.T))] = True
    # Invariant: every knot that left the loop is within the bound of the edge that replaces it.
    left_out = np.flatnonzero(~kept)
    while left_out.size:
        left_out = _keep_farthest(knots, place, kept, left_out, bound=bound)
    return shapely.LineString(knots[kept])


def _place_knots(line: Line) -> NDArray[np.float64]:
    """Return the vertices of a route, and points on its long edges."""
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
    place: NDArray[np.float64],
    kept: NDArray[np.bool_],
    left_out: NDArray[np.intp],
    *,
    bound: float,
) -> NDArray[np.intp]:
    """
    Keep the farthest knot of each edge if it exceeds the bound.

    ``kept`` is changed in place. The knots whose edge has changed are returned.
    """
    corners = np.flatnonzero(kept)
    edge = np.searchsorted(corners, left_out) - 1
    offset, error = _estimate_offset_km(place[corners], edge, place[left_out])
    # Knots and edges ascend, so that the knots of an edge lie together.
    first = np.flatnonzero(np.diff(edge, prepend=-1))
    n_knots = np.diff(first, append=len(edge))
    sure = np.repeat(np.maximum.reduceat(offset - error, first) > bound, n_knots)
    # The estimate settles almost all knots; only those within its error of the bound are
    # measured exactly.
    uncertain = np.flatnonzero(~sure & (np.abs(offset - bound) <= error))
    if uncertain.size:
        line = Line(knots[corners])
        offset[uncertain] = _measure_offset_km(
            line, knots[corners], edge[uncertain], knots[left_out[uncertain]]
        )
    worst = np.repeat(np.maximum.reduceat(offset, first), n_knots)
    split = worst > bound
    farthest = np.flatnonzero(split & (offset == worst))
    kept[left_out[farthest[np.flatnonzero(np.diff(edge[farthest], prepend=-1))]]] = True
    return left_out[split & ~kept[left_out]]


def _estimate_offset_km(
    corners: NDArray[np.float64], edge: NDArray[np.intp], place: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Estimate the distance from points to given edges, and the error of the estimate.

    Beside an edge it is the distance to the plane of its ends and the vertical at its middle.
    """
    way = corners[1:] - corners[:-1]
    across = np.cross(way, (corners[1:] + corners[:-1]) * _FLATTER)
    length = _measure_vectors(way)
    ahead = _scale_to_unit(way)[edge]
    length_km, from_start = length[edge], place - corners[edge]
    along = np.einsum("ij,ij->i", from_start, ahead)
    aside = np.abs(np.einsum("ij,ij->i", from_start, _scale_to_unit(across)[edge]))
    away = _measure_vectors(from_start)
    beyond = np.sqrt(np.maximum(away**2 + length_km * (length_km - 2 * along), 0.0))
    to_end = np.where(along <= 0, away, beyond)
    inside = (along > 0) & (along < length_km)
    folds = np.where(inside, 1.0, 2.0)
    sine = np.minimum(np.where(inside, aside, to_end) / (folds * _RADIUS_KM), 1.0)
    size = length_km + away
    error = np.where(size > _FAR_KM, np.inf, _ROUNDING_KM + _ERROR_PER_KM3 * size**3)
    return folds * _RADIUS_KM * np.arcsin(sine), error


def _measure_vectors(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def _scale_to_unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vectors scaled to length one; zero vectors stay zero."""
    return vectors / np.maximum(_measure_vectors(vectors), np.finfo(float).tiny)[:, np.newaxis]


def _measure_offset_km(
    line: Line,
    corners: NDArray[np.float64],
    edge: NDArray[np.intp],
    lonlat: NDArray[np.float64],
) -> NDArray[np.float64]:
    """
    Return the distance from points to given edges of a line.

    The foot is found by repeated projection on the tangent; if it is missed, the distance is
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
