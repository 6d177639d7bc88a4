"""The nearest of many places: candidates by chord, decisions by geodesic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.geodesy.distance import (
    SHORT_KM,
    SURE_KM,
    chord_range_km,
    short_distance_km,
    spread_km,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

    from ocm_geo.geodesy.places import Places

__all__ = ["nearest", "reached"]

_MAX_CANDIDATES = 2_000_000
_EARTH_KM = 13_000.0
"""Longer than any chord."""


def nearest(
    known: Places, tree: cKDTree, asked: Places, *, k: int, max_km: float, workers: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """
    Return the k nearest known places of each place asked for.

    Parameters
    ----------
    known : Places
        The places to choose from.
    tree : scipy.spatial.cKDTree
        Their tree.
    asked : Places
        n places.
    k : int
        Number of places for each.
    max_km : float
        Largest distance that counts, km.
    workers : int
        Threads; -1 for one per processor.

    Returns
    -------
    tuple of numpy.ndarray of shape (n, k)
        Positions and kilometres; see `ocm_geo.geodesy.PointIndex.nearest`.

    Notes
    -----
    The k + 1 nearest by chord are found first. Where each chord is so much longer than the one
    before that its geodesic is certainly longer, their order is final. Elsewhere everything that
    may be among the k nearest is measured by `Geod`.
    """
    chord, position = tree.query(
        asked.xyz,
        np.arange(1, k + 2),
        distance_upper_bound=chord_range_km(max_km)[1],
        workers=workers,
    )
    with np.errstate(invalid="ignore"):
        # Infinity minus infinity: neither neighbour exists, so there is nothing to decide.
        uncertain = (np.diff(chord, axis=1) <= spread_km(chord[:, :-1])).any(axis=1)
    chord, position = chord[:, :-1], position[:, :-1]
    km = _measure_candidates(known, asked, chord, position)
    _apply_limit(known, asked, position, km, max_km=max_km)
    rows = np.flatnonzero(uncertain)
    if rows.size:
        reach = _bound_candidates(chord[rows], max_km)
        for part in _split_queries(tree, asked.xyz[rows], reach):
            here = rows[part]
            found = _rank_by_geod(known, tree, asked.take(here), reach[part], k=k)
            position[here], km[here] = found
        km[rows] = np.where(km[rows] <= max_km, km[rows], np.inf)
    position[np.isinf(km)] = -1
    return position, km


def reached(
    known: Places, tree: cKDTree, asked: Places, within_km: Sequence[float], *, workers: int
) -> NDArray[np.intp]:
    """
    Return the smallest of some distances within which each place has a known one.

    Parameters
    ----------
    known : Places
        The places to choose from.
    tree : scipy.spatial.cKDTree
        Their tree.
    asked : Places
        n places.
    within_km : sequence of float
        Distances, ascending.
    workers : int
        Threads; -1 for one per processor.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Positions in ``within_km``; its length where no distance is large enough.

    Notes
    -----
    The shortest chord decides all but the places within a few millionths of one of the
    distances. There `Geod` measures every known place that may be the nearest.
    """
    range_km = np.array([chord_range_km(km) for km in within_km]).reshape(-1, 2)
    longest = float(range_km[-1, 1])
    found, _ = tree.query(asked.xyz, distance_upper_bound=longest, workers=workers)
    chord = np.asarray(found)
    step = np.asarray(np.searchsorted(range_km[:, 0], chord))
    # Open: neither certainly nearer (by the shortest chord) nor farther (by the longest).
    open_ = np.searchsorted(range_km[:, 1], chord, side="left") < step
    rows = np.flatnonzero(open_)
    if rows.size:
        reach = chord[rows] + spread_km(chord[rows])
        for part in _split_queries(tree, asked.xyz[rows], reach):
            _, km = _rank_by_geod(known, tree, asked.take(rows[part]), reach[part], k=1)
            step[rows[part]] = np.searchsorted(within_km, km[:, 0])
    return step


def _measure_candidates(
    known: Places, asked: Places, chord: NDArray[np.float64], position: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the geodesic distance of candidates, km; infinite where there is none."""
    km = np.full(chord.shape, np.inf)
    row, column = np.nonzero(chord <= SHORT_KM)
    z = known.xyz[position[row, column], 2]
    km[row, column] = short_distance_km(chord[row, column], asked.xyz[row, 2], z)
    row, column = np.nonzero((chord > SHORT_KM) & np.isfinite(chord))
    km[row, column] = asked.take(row).km_to(known.take(position[row, column]))
    return km


def _apply_limit(
    known: Places,
    asked: Places,
    position: NDArray[np.intp],
    km: NDArray[np.float64],
    *,
    max_km: float,
) -> None:
    """Set distances beyond the limit to infinity, measuring by `Geod` those near it."""
    if np.isinf(max_km):
        return
    row, column = np.nonzero(np.abs(km - max_km) <= SURE_KM)
    km[row, column] = asked.take(row).km_to(known.take(position[row, column]))
    km[km > max_km] = np.inf


def _bound_candidates(chord: NDArray[np.float64], max_km: float) -> NDArray[np.float64]:
    """Return a chord within which all that may be among the nearest lie."""
    last = chord[:, -1]
    reach = np.where(np.isfinite(last), last + spread_km(last), _EARTH_KM)
    return np.minimum(np.minimum(reach, _EARTH_KM), chord_range_km(max_km)[1])


def _split_queries(
    tree: cKDTree, xyz: NDArray[np.float64], reach: NDArray[np.float64]
) -> list[NDArray[np.intp]]:
    """Split queries so that each part has few enough candidates for the memory."""
    size = tree.query_ball_point(xyz, reach, return_length=True)
    part = np.cumsum(size) // _MAX_CANDIDATES
    return np.split(np.arange(len(xyz)), np.flatnonzero(np.diff(part)) + 1)


def _rank_by_geod(
    known: Places, tree: cKDTree, asked: Places, reach: NDArray[np.float64], *, k: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the k nearest of all known places within reach, measured by `Geod`."""
    found = tree.query_ball_point(asked.xyz, reach, return_sorted=False)
    row = np.repeat(np.arange(len(found)), [len(members) for members in found])
    there = np.concatenate([np.asarray(members, dtype=np.intp) for members in found])
    km = asked.take(row).km_to(known.take(there))
    order = np.lexsort((there, km, row))
    row, there, km = row[order], there[order], km[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    first = rank < k
    position = np.full((len(found), k), -1, dtype=np.intp)
    distance = np.full((len(found), k), np.inf)
    position[row[first], rank[first]] = there[first]
    distance[row[first], rank[first]] = km[first]
    return position, distance
