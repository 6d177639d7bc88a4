"""Which edges of a line may be the nearest of a point, found with balls about runs of edges."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from ocm_geo.geodesy.distance import spread_km
from ocm_geo.geodesy.edges import expand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.geodesy.edges import Edges

__all__ = ["Runs", "Search"]

_FIRST_ASKED = 6
_NEAR_EDGES = 30
_RUNS_PER_DISTANCE = 4
_FAN_OUT = 8
_FEW_RUNS = 64
_MAX_PAIRS = 1_000_000
_ON_CENTRE_KM = 1e-6
"""Centres of balls lie on the line to 0.1 mm: their distance bounds the line's from above."""


class Runs(NamedTuple):
    """
    Runs of consecutive edges, each inside a ball about a place of the line.

    Parameters
    ----------
    first : numpy.ndarray of shape (n + 1,)
        The first edge of each run; then the number of edges.
    centre_km : numpy.ndarray of shape (n, 3)
        Earth-centred.
    radius_km : numpy.ndarray of shape (n,)
        All of the run lies within it.
    widest_km : float
        The largest radius.
    """

    first: NDArray[np.intp]
    centre_km: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    widest_km: float


class Search:
    """
    An index of edges.

    Parameters
    ----------
    edges : Edges
        The edges.
    """

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._trees: dict[float, tuple[Runs, cKDTree]] = {}

    def runs(self, length_km: float) -> Runs:
        """
        Group the edges.

        Parameters
        ----------
        length_km : float
            About how long a run is; at most this and an edge.

        Returns
        -------
        Runs
            The groups, in order.
        """
        edges = self._edges
        middle = edges.along_km[:-1] + 0.5 * edges.length_km
        return self._grouped(np.floor_divide(middle, max(length_km, edges.cut_km)))

    def _grouped(self, group: NDArray[np.float64]) -> Runs:
        edges = self._edges
        first = np.flatnonzero(np.diff(group, prepend=-1.0))
        last = np.append(first[1:], len(edges))
        centre = edges.at(0.5 * (edges.along_km[first] + edges.along_km[last]))
        away = edges.knots_km[:-1] - np.repeat(centre, last - first, axis=0)
        away2 = np.maximum.reduceat(np.einsum("ij,ij->i", away, away), first)
        at_end = edges.knots_km[last] - centre
        radius = np.sqrt(np.maximum(away2, np.einsum("ij,ij->i", at_end, at_end)))
        # Between its vertices an edge bulges out of the ball by its rise above the chord at most.
        radius += np.max(edges.length_km) ** 2 / (8.0 * 6300.0) + _ON_CENTRE_KM
        return Runs(np.append(first, len(edges)), centre, radius, float(np.max(radius)))

    def _tree(self, near_km: float) -> tuple[Runs, cKDTree]:
        """Give runs so long that few are at about the same distance from a point so near."""
        length = max(near_km / _RUNS_PER_DISTANCE, self._edges.cut_km)
        if length not in self._trees:
            runs = self.runs(length)
            self._trees[length] = runs, cKDTree(runs.centre_km)
        return self._trees[length]

    @cached_property
    def _levels(self) -> list[Runs]:
        """Runs of runs, the longest first: each level's are those of the next, by eights."""
        levels = [self.runs(0.0)]
        edges = self._edges
        group = np.floor_divide(edges.along_km[:-1] + 0.5 * edges.length_km, edges.cut_km)
        while len(levels[0].radius_km) > _FEW_RUNS:
            group = np.floor_divide(group, _FAN_OUT)
            levels.insert(0, self._grouped(group))
        return levels

    def may_be_within(
        self, xyz: NDArray[np.float64], chord_km: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Pair points with all edges that may be within a chord of them.

        Parameters
        ----------
        xyz : numpy.ndarray of shape (n, 3)
            Points, earth-centred.
        chord_km : float
            The length.

        Returns
        -------
        tuple of numpy.ndarray
            Points and edges.
        """
        runs, tree = self._tree(chord_km)
        near = cKDTree(xyz).sparse_distance_matrix(
            tree, chord_km + runs.widest_km, output_type="ndarray"
        )
        near = near[near["v"] <= chord_km + runs.radius_km[near["j"]]]
        return _edges_of(runs, near["i"], near["j"])

    def may_be_nearest(
        self, xyz: NDArray[np.float64], limit_km: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Pair points with all edges that may hold the nearest place, unless beyond the limit.

        Parameters
        ----------
        xyz : numpy.ndarray of shape (n, 3)
            Points, earth-centred.
        limit_km : float
            The farthest that counts.

        Returns
        -------
        tuple of numpy.ndarray
            Points and edges.
        """
        # The tree is fast for what is near only.
        reach = min(limit_km, _NEAR_EDGES * self._edges.cut_km)
        runs, tree = self._tree(reach)
        asked = min(_FIRST_ASKED, len(runs.radius_km))
        chord, run = tree.query(
            xyz, np.arange(1, asked + 1), distance_upper_bound=reach + runs.widest_km
        )
        bound = _bound(chord[:, 0], limit_km)
        # All other runs are farther than the last one given: may they hold a nearer place?
        settled = np.minimum(chord[:, -1] - runs.widest_km, reach) >= np.minimum(bound, limit_km)
        row, column = np.nonzero(np.isfinite(chord) & settled[:, None])
        away, run = chord[row, column], run[row, column]
        near = away - runs.radius_km[run] <= bound[row]
        point, edge = _edges_of(runs, row[near], run[near])
        rest = np.flatnonzero(~settled)
        if not rest.size:
            return point, edge
        row, other = self._descend(xyz[rest], limit_km)
        return np.append(point, rest[row]), np.append(edge, other)

    def _descend(
        self, xyz: NDArray[np.float64], limit_km: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Go down the levels, leaving out runs that lie farther than some place of the line."""
        n_first = len(self._levels[0].radius_km)
        if len(xyz) > 1 and len(xyz) * n_first > _MAX_PAIRS:
            half = len(xyz) // 2
            one, two = (self._descend(part, limit_km) for part in (xyz[:half], xyz[half:]))
            return np.append(one[0], two[0] + half), np.append(one[1], two[1])
        point = np.repeat(np.arange(len(xyz)), n_first)
        run = np.tile(np.arange(n_first), len(xyz))
        least = np.full(len(xyz), np.inf)
        for level, finer in zip(self._levels, [*self._levels[1:], None], strict=True):
            away = xyz[point] - level.centre_km[run]
            chord = np.sqrt(np.einsum("ij,ij->i", away, away))
            np.minimum.at(least, point, chord)
            near = chord - level.radius_km[run] <= _bound(least, limit_km)[point]
            point, run = point[near], run[near]
            if finer is not None:
                begin = np.searchsorted(finer.first, level.first)
                which, run = expand(begin[run], begin[run + 1] - begin[run])
                point = point[which]
        return _edges_of(self._levels[-1], point, run)


def _bound(chord_km: NDArray[np.float64], limit_km: float) -> NDArray[np.float64]:
    """Bound the chords of places that may be nearer than one at a chord, or within the limit."""
    bound = np.minimum(chord_km + _ON_CENTRE_KM, limit_km)
    return bound + spread_km(bound)


def _edges_of(
    runs: Runs, point: NDArray[np.intp], run: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    which, edge = expand(runs.first[run], runs.first[run + 1] - runs.first[run])
    return point[which], edge
