"""Which edges of a line may be nearest to a point, found with balls around runs of edges.

Invariants that make the search exact:

- Each run lies inside its ball, the rise of its edges above their chords included. So
  ``chord to the centre - radius`` bounds the chord to the run from below.
- Each centre lies on the line, to 0.1 mm. So the chord to the nearest centre bounds the chord to
  the line from above, and every run whose lower bound exceeds it can be left out.
- Chords order places as geodesics do only up to `spread_km`, which is added to every upper bound.

A KD-tree of centres serves points near the line; the others descend levels of ever shorter runs.
"""

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
"""Centres of balls are this close to the line, or closer."""


class Runs(NamedTuple):
    """
    Runs of consecutive edges, each inside a ball around a position on the line.

    Parameters
    ----------
    first : numpy.ndarray of shape (n + 1,)
        The first edge of each run, and last the number of edges.
    centre_km : numpy.ndarray of shape (n, 3)
        Earth-centred.
    radius_km : numpy.ndarray of shape (n,)
        The whole run lies within this chord of the centre.
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
        Return the edges grouped into runs.

        Parameters
        ----------
        length_km : float
            Approximate length of a run; it exceeds this by one edge at most.

        Returns
        -------
        Runs
            The groups, in order.
        """
        edges = self._edges
        middle = edges.along_km[:-1] + 0.5 * edges.length_km
        return self._group_edges(np.floor_divide(middle, max(length_km, edges.cut_km)))

    def _group_edges(self, group: NDArray[np.float64]) -> Runs:
        """Return consecutive edges of one group as runs, each with a ball that contains it."""
        edges = self._edges
        first = np.flatnonzero(np.diff(group, prepend=-1.0))
        last = np.append(first[1:], len(edges))
        centre = edges.at(0.5 * (edges.along_km[first] + edges.along_km[last]))
        away = edges.knots_km[:-1] - np.repeat(centre, last - first, axis=0)
        away2 = np.maximum.reduceat(np.einsum("ij,ij->i", away, away), first)
        at_end = edges.knots_km[last] - centre
        radius = np.sqrt(np.maximum(away2, np.einsum("ij,ij->i", at_end, at_end)))
        # All vertices of the run are inside by now. Between two of them an edge can leave the ball
        # by its rise above the chord, length² / 8 R.
        radius += np.max(edges.length_km) ** 2 / (8.0 * 6300.0) + _ON_CENTRE_KM
        return Runs(np.append(first, len(edges)), centre, radius, float(np.max(radius)))

    def _find_tree(self, near_km: float) -> tuple[Runs, cKDTree]:
        """Return runs, and their tree, of a length suited to points within a distance."""
        length = max(near_km / _RUNS_PER_DISTANCE, self._edges.cut_km)
        if length not in self._trees:
            runs = self.runs(length)
            self._trees[length] = runs, cKDTree(runs.centre_km)
        return self._trees[length]

    @cached_property
    def _run_levels(self) -> list[Runs]:
        """The levels of runs, the longest runs first; each run covers eight of the next level."""
        levels = [self.runs(0.0)]
        edges = self._edges
        group = np.floor_divide(edges.along_km[:-1] + 0.5 * edges.length_km, edges.cut_km)
        while len(levels[0].radius_km) > _FEW_RUNS:
            group = np.floor_divide(group, _FAN_OUT)
            levels.insert(0, self._group_edges(group))
        return levels

    def may_be_within(
        self, xyz: NDArray[np.float64], chord_km: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Return pairs of points and all edges that may be within a chord of them.

        Parameters
        ----------
        xyz : numpy.ndarray of shape (n, 3)
            Points, earth-centred.
        chord_km : float
            Length of the chord.

        Returns
        -------
        tuple of numpy.ndarray
            Points and edges.
        """
        runs, tree = self._find_tree(chord_km)
        near = cKDTree(xyz).sparse_distance_matrix(
            tree, chord_km + runs.widest_km, output_type="ndarray"
        )
        near = near[near["v"] <= chord_km + runs.radius_km[near["j"]]]
        return _expand_runs(runs, near["i"], near["j"])

    def may_be_nearest(
        self, xyz: NDArray[np.float64], limit_km: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Return pairs of points and all edges that may contain their foot, within the limit.

        Parameters
        ----------
        xyz : numpy.ndarray of shape (n, 3)
            Points, earth-centred.
        limit_km : float
            Largest distance that counts, km.

        Returns
        -------
        tuple of numpy.ndarray
            Points and edges.
        """
        # The tree is fast only for points near the line.
        reach = min(limit_km, _NEAR_EDGES * self._edges.cut_km)
        runs, tree = self._find_tree(reach)
        asked = min(_FIRST_ASKED, len(runs.radius_km))
        chord, run = tree.query(
            xyz, np.arange(1, asked + 1), distance_upper_bound=reach + runs.widest_km
        )
        bound = _bound_chords(chord[:, 0], limit_km)
        # Runs that were not returned have centres farther than the last one: the point is settled
        # if even the widest of them cannot come nearer than the bound.
        settled = np.minimum(chord[:, -1] - runs.widest_km, reach) >= np.minimum(bound, limit_km)
        row, column = np.nonzero(np.isfinite(chord) & settled[:, None])
        away, run = chord[row, column], run[row, column]
        near = away - runs.radius_km[run] <= bound[row]
        point, edge = _expand_runs(runs, row[near], run[near])
        rest = np.flatnonzero(~settled)
        if not rest.size:
            return point, edge
        row, other = self._descend_levels(xyz[rest], limit_km)
        return np.append(point, rest[row]), np.append(edge, other)

    def _descend_levels(
        self, xyz: NDArray[np.float64], limit_km: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the edges that may be nearest, going down the levels of runs."""
        n_first = len(self._run_levels[0].radius_km)
        if len(xyz) > 1 and len(xyz) * n_first > _MAX_PAIRS:
            half = len(xyz) // 2
            one, two = (self._descend_levels(part, limit_km) for part in (xyz[:half], xyz[half:]))
            return np.append(one[0], two[0] + half), np.append(one[1], two[1])
        point = np.repeat(np.arange(len(xyz)), n_first)
        run = np.tile(np.arange(n_first), len(xyz))
        least = np.full(len(xyz), np.inf)
        for level, finer in zip(self._run_levels, [*self._run_levels[1:], None], strict=True):
            # `least` only shrinks, as centres of finer levels are on the line too.
            away = xyz[point] - level.centre_km[run]
            chord = np.sqrt(np.einsum("ij,ij->i", away, away))
            np.minimum.at(least, point, chord)
            near = chord - level.radius_km[run] <= _bound_chords(least, limit_km)[point]
            point, run = point[near], run[near]
            if finer is not None:
                begin = np.searchsorted(finer.first, level.first)
                which, run = expand(begin[run], begin[run + 1] - begin[run])
                point = point[which]
        return _expand_runs(self._run_levels[-1], point, run)


def _bound_chords(chord_km: NDArray[np.float64], limit_km: float) -> NDArray[np.float64]:
    """Return the largest chord at which a place may still be nearer, or within the limit."""
    bound = np.minimum(chord_km + _ON_CENTRE_KM, limit_km)
    return bound + spread_km(bound)


def _expand_runs(
    runs: Runs, point: NDArray[np.intp], run: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of points and runs as pairs of points and edges."""
    which, edge = expand(runs.first[run], runs.first[run + 1] - runs.first[run])
    return point[which], edge
