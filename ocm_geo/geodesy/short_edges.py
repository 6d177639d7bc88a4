"""Places near a line of short edges: decided by chords, and by geodesics where chords cannot.

Invariants, for an edge of length L and a place at the geodesic distance D from it:

- the straight chord between the ends of the edge is nowhere farther from the edge than L² / 8 R;
- the straight line between two places at distance D is shorter than D, by at most D³ / 24 R².

So the distance d between a place and the chord, through the Earth, bounds D on both sides, and
only the places between the bounds, mostly none, are measured along the surface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.geodesy.distance import to_ecef_km
from ocm_geo.geodesy.lines import Line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.geodesy.points import PointIndex

__all__ = ["find_near_line"]

_R_MIN = 6335.0
"""No radius of curvature of the ellipsoid is smaller, km."""
_MAX_EDGE_KM = 30.0
_MAX_WITHIN_KM = 100.0
_MAX_PAIRS = 1_000_000
_ROUNDING_KM = 1e-6
_SLACK_KM = 0.05
"""More than an edge of 30 km bulges."""


def find_near_line(
    points: PointIndex, lonlat: NDArray[np.float64], within_km: float
) -> NDArray[np.intp]:
    """
    Find the places within a geodesic distance of a line whose edges are geodesics.

    Parameters
    ----------
    points : PointIndex
        The places.
    lonlat : numpy.ndarray of shape (n, 2)
        The line, degrees.
    within_km : float
        Distance, inclusive, km.

    Returns
    -------
    numpy.ndarray of int
        Positions, ascending: the same that `Line.locate` finds, sooner for short questions.

    Raises
    ------
    RouteError
        If a position is out of range, or fewer than two different ones are left.
    """
    line = Line(lonlat)
    longest = float(np.max(line.edge_km))
    is_short = longest <= _MAX_EDGE_KM and within_km <= _MAX_WITHIN_KM
    ends = to_ecef_km(line.coords[:, 0], line.coords[:, 1])
    near = _find_near_edges(points, ends, within_km) if is_short else None
    if near is None or len(near) * len(line.edge_km) > _MAX_PAIRS:
        return _measure_places(points, line, points.near_line(line, within_km), within_km)
    chord = _measure_chords(points.places.xyz[near], ends)
    bulge = longest**2 / (8 * _R_MIN) + _ROUNDING_KM
    bend = (within_km + bulge) ** 3 / (24 * _R_MIN**2)
    is_sure = chord + bulge + bend <= within_km
    is_open = ~is_sure & (chord - bulge <= within_km)
    measured = _measure_places(points, line, near[is_open], within_km)
    return np.sort(np.concatenate([near[is_sure], measured]))


def _find_near_edges(
    points: PointIndex, ends: NDArray[np.float64], within_km: float
) -> NDArray[np.intp]:
    """Find the places in balls about the edges."""
    middles = (ends[1:] + ends[:-1]) / 2
    reach = np.linalg.norm(ends[1:] - ends[:-1], axis=1) / 2 + within_km + _SLACK_KM
    found = points.tree.query_ball_point(middles, reach, return_sorted=False)
    return np.unique(np.concatenate([np.array(f, dtype=np.intp) for f in found]))


def _measure_chords(xyz: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each place from the nearest chord, through the Earth, km."""
    along = np.diff(ends, axis=0)
    square = np.einsum("ij,ij->i", along, along)
    # Place minus start of edge, one plane of the array per edge.
    apart = xyz[None, :, :] - ends[:-1, None, :]
    share = np.clip(np.einsum("ijk,ik->ij", apart, along) / square[:, None], 0.0, 1.0)
    apart -= share[:, :, None] * along[:, None, :]
    return np.asarray(np.sqrt(np.einsum("ijk,ijk->ij", apart, apart)).min(axis=0))


def _measure_places(
    points: PointIndex, line: Line, candidates: NDArray[np.intp], within_km: float
) -> NDArray[np.intp]:
    """Keep the places that lie within the distance along the surface."""
    if not len(candidates):
        return candidates
    hits = line.locate(points.lon[candidates], points.lat[candidates], within_km=within_km)
    return np.sort(candidates[hits.position])
