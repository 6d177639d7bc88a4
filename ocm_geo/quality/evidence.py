"""Evidence that two records describe one station: log-likelihood ratios, added up.

The model is that of Fellegi and Sunter (1969): each trait contributes the logarithm of how much
more often its agreement is seen between two records of one station than between two stations.
The numbers were rounded from pairs whose identity is known by device numbers; none depends on a
country.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ocm_geo.geodesy import PointIndex, pairs_within_km
from ocm_geo.quality.texts import TextIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.quality.traits import Traits

__all__ = ["PRIOR", "Candidates", "find_candidates", "take_pairs", "weigh_traits"]

PRIOR = -2.0
"""Before any evidence: about one candidate pair in nine is the same station."""

_SPREAD_M = ((0.35, 4.0), (0.40, 25.0), (0.25, 90.0))
"""Shares and standard deviations (m) of the distance between two records of one station: copied
positions, positions of the device, positions of the address."""
_NEIGHBOURHOOD_KM = 1.0
_NAME_WEIGHT, _NAME_NEUTRAL = 9.0, 0.22
"""Weight of the cosine similarity of names, and the similarity that speaks neither way."""
_FAST_KW, _SLOW_KW = 50.0, 25.0
_CURRENT_WEIGHT, _SPEED_WEIGHT = -1.0, -5.0
_MANY_POINTS, _POINTS_WEIGHT = 6, 1.5
_SAME_POSTCODE, _OTHER_POSTCODE = 0.7, -0.3
_FAR = -4.0
"""Least weight of a distance between stations that share an identifier."""


class Candidates(NamedTuple):
    """
    Pairs of stations that may be the same, n of them.

    Parameters
    ----------
    first, second : numpy.ndarray of int, shape (n,)
        Rows in the two tables.
    km : numpy.ndarray, shape (n,)
        Distance.
    key : numpy.ndarray of str, shape (n,)
        The identifier that both have, or empty.
    key_weight : numpy.ndarray, shape (n,)
        Log-likelihood ratio of that identifier; 0 without.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    km: NDArray[np.float64]
    key: NDArray[np.object_]
    key_weight: NDArray[np.float64]


def find_candidates(
    some: Traits, others: Traits, shared: pd.DataFrame, *, max_km: float
) -> Candidates:
    """
    Find the pairs that may be the same station.

    Parameters
    ----------
    some, others : Traits
        The stations of two tables.
    shared : pandas.DataFrame
        Pairs that share an identifier, as of `pair_by_keys`: they may be farther apart.
    max_km : float
        Greatest distance of the others.

    Returns
    -------
    Candidates
        Ordered by the first, then by the second.
    """
    near = pairs_within_km(some.points, others.points, max_km)
    found = pd.DataFrame({"first": near.first, "second": near.second, "km": near.km})
    first, second = (shared[name].to_numpy(dtype=np.intp) for name in ("first", "second"))
    km = some.points.places.take(first).km_to(others.points.places.take(second))
    shared = shared.assign(km=km)[km <= shared["most_km"].to_numpy()]
    # Those with an identifier come first and are kept.
    table = pd.concat([shared[["first", "second", "km", "key", "weight"]], found])
    table = table.drop_duplicates(["first", "second"]).sort_values(["first", "second"])
    return Candidates(
        table["first"].to_numpy(dtype=np.intp),
        table["second"].to_numpy(dtype=np.intp),
        table["km"].to_numpy(dtype=np.float64),
        table["key"].astype("string").fillna("").to_numpy(dtype=object),
        table["weight"].fillna(0).to_numpy(dtype=np.float64),
    )


def take_pairs(pairs: Candidates, chosen: NDArray[np.bool_]) -> Candidates:
    """Return some of the pairs."""
    first, second, km, key, weight = pairs
    return Candidates(first[chosen], second[chosen], km[chosen], key[chosen], weight[chosen])


def weigh_traits(some: Traits, others: Traits, pairs: Candidates) -> dict[str, NDArray[np.float64]]:
    """
    Weigh everything but identifiers and operators.

    Parameters
    ----------
    some, others : Traits
        The stations of two tables.
    pairs : Candidates
        Pairs of them.

    Returns
    -------
    dict of str to numpy.ndarray, shape (n,)
        ``distance``, ``name``, ``kind``, ``points`` and ``postcode``: log-likelihood ratios; and
        ``similarity``, the cosine of the names itself.
    """
    i, j = pairs.first, pairs.second
    similarity = TextIndex(some.names, others.names).compare(i, j)
    distance = _weigh_distance(pairs.km, _count_neighbours(some, others, pairs))
    return {
        "distance": np.maximum(distance, np.where(pairs.key_weight > 0, _FAR, -np.inf)),
        "name": np.nan_to_num(_NAME_WEIGHT * (similarity - _NAME_NEUTRAL)),
        "kind": _weigh_kind(some, others, pairs),
        "points": _POINTS_WEIGHT
        * ((some.n_points[i] >= _MANY_POINTS) & (some.n_points[i] == others.n_points[j])),
        "postcode": _weigh_postcode(some.postcodes[i], others.postcodes[j]),
        "similarity": similarity,
    }


def _count_neighbours(some: Traits, others: Traits, pairs: Candidates) -> NDArray[np.float64]:
    """Count the stations within a kilometre of either side of each pair, in its own table."""
    first = _count_around(some.points)
    second = first if others is some else _count_around(others.points)
    return np.maximum(first[pairs.first], second[pairs.second])


def _count_around(points: PointIndex) -> NDArray[np.float64]:
    """Count the stations within a kilometre of each station, itself included."""
    if not len(points):
        return np.empty(0)
    near = points.tree.query_ball_point(points.places.xyz, _NEIGHBOURHOOD_KM, return_length=True)
    return np.asarray(near, dtype=np.float64)


def _weigh_distance(
    km: NDArray[np.float64], neighbours: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Weigh a distance against the chance of finding another station there.

    Two records of one station lie apart by a mixture of circular normal errors; other stations
    lie about with the density of the neighbourhood. So 40 m say little where a street has ten
    stations, and much where there is one in a square kilometre.
    """
    metres = np.asarray(km) * 1000
    same = np.zeros(len(metres))
    for share, sd in _SPREAD_M:
        same += share / (2 * np.pi * sd**2) * np.exp(-(metres**2) / (2 * sd**2))
    other = neighbours / (np.pi * (_NEIGHBOURHOOD_KM * 1000) ** 2)
    ratio: NDArray[np.float64] = np.log(np.maximum(same, 1e-300) / other)
    return ratio


def _weigh_kind(some: Traits, others: Traits, pairs: Candidates) -> NDArray[np.float64]:
    """Weigh powers and currents: a fast site and a slow post differ, upgrades do not count."""
    a, b = some.power_kw[pairs.first], others.power_kw[pairs.second]
    differ = (np.fmax(a, b) >= _FAST_KW) & (np.fmin(a, b) <= _SLOW_KW)
    # One missing power makes fmin and fmax equal: it can be on one side of both limits only.
    a, b = some.has_dc[pairs.first], others.has_dc[pairs.second]
    return np.where(differ, _SPEED_WEIGHT, 0.0) + np.where(np.abs(a - b) == 1, _CURRENT_WEIGHT, 0.0)


def _weigh_postcode(a: NDArray[np.object_], b: NDArray[np.object_]) -> NDArray[np.float64]:
    known = (a != "") & (b != "")
    return np.where(known, np.where(a == b, _SAME_POSTCODE, _OTHER_POSTCODE), 0.0)
