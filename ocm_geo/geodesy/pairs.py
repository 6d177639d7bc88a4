"""All pairs of places within a distance of each other, without building the distant ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.geodesy.distance import SHORT_KM, SURE_KM, chord_range_km, short_distance_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.geodesy.points import PointIndex

__all__ = ["NearPairs", "pairs_within_km"]


class NearPairs(NamedTuple):
    """
    Pairs of places; one value per pair.

    Parameters
    ----------
    first, second : numpy.ndarray of int
        Positions in the two indexes.
    km : numpy.ndarray of float
        Geodesic distance, correct to 0.1 mm.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    km: NDArray[np.float64]


def pairs_within_km(some: PointIndex, others: PointIndex, within_km: float) -> NearPairs:
    """
    Return all pairs of places within a geodesic distance.

    Parameters
    ----------
    some, others : PointIndex
        The places.
    within_km : float
        Distance, inclusive, km.

    Returns
    -------
    NearPairs
        Ordered by the first, then by the second. `Geod` decides pairs near the limit.
    """
    if not len(some) or not len(others):
        nothing = np.empty(0, dtype=np.intp)
        return NearPairs(nothing, nothing, np.empty(0))
    longest = chord_range_km(within_km)[1]
    found = some.tree.sparse_distance_matrix(others.tree, longest, output_type="ndarray")
    first, second = found["i"].astype(np.intp), found["j"].astype(np.intp)
    order = np.argsort(first * len(others) + second)
    first, second, chord = first[order], second[order], found["v"][order]
    km = short_distance_km(chord, some.places.xyz[first, 2], others.places.xyz[second, 2])
    uncertain = np.flatnonzero((chord > SHORT_KM) | (np.abs(km - within_km) <= SURE_KM))
    km[uncertain] = some.places.take(first[uncertain]).km_to(others.places.take(second[uncertain]))
    near = km <= within_km
    return NearPairs(first[near], second[near], km[near])
