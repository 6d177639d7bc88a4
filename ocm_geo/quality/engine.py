"""Score the pairs of two tables: candidates, evidence, and the operators learned on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.quality.assigning import assign_pairs
from ocm_geo.quality.evidence import PRIOR, find_candidates, take_pairs, weigh_traits
from ocm_geo.quality.keys import pair_by_keys, read_keys
from ocm_geo.quality.operators import LIMIT, OperatorPairs, read_brands, weigh_brands
from ocm_geo.quality.traits import read_traits

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from ocm_geo.quality.evidence import Candidates
    from ocm_geo.quality.keys import Keys

__all__ = ["ScoredPairs", "score_pairs", "to_score"]

_ROUNDS = 3
_OTHER_EVSE = -3.0
_OPERATOR_LETTERS = 5


@dataclass(frozen=True)
class ScoredPairs:
    """
    Candidate pairs with their evidence, n of them.

    Parameters
    ----------
    pairs : Candidates
        The pairs.
    total : numpy.ndarray, shape (n,)
        Log-odds that the two records are one station.
    similarity : numpy.ndarray, shape (n,)
        Cosine similarity of the names; NaN where one is empty.
    operator : numpy.ndarray, shape (n,)
        Log-likelihood ratio of operators and brands.
    same_postcode : numpy.ndarray of bool, shape (n,)
        Whether both have one postcode.
    """

    pairs: Candidates
    total: NDArray[np.float64]
    similarity: NDArray[np.float64]
    operator: NDArray[np.float64]
    same_postcode: NDArray[np.bool_]


def to_score(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, 0 to 1, of log-odds."""
    # Beyond ±500 the exponential would overflow.
    return 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))


def score_pairs(
    some: gpd.GeoDataFrame, others: gpd.GeoDataFrame, *, max_km: float, within: bool = False
) -> ScoredPairs:
    """
    Score the pairs of two tables of stations that may be the same.

    Parameters
    ----------
    some, others : geopandas.GeoDataFrame
        Checked station tables.
    max_km : float
        Greatest distance of a pair, km.
    within : bool
        Whether both are one table, of which each pair is scored once.

    Returns
    -------
    ScoredPairs
        The pairs and their evidence.
    """
    a, keys_a = read_traits(some, "a"), read_keys(some)
    b, keys_b = (a, keys_a) if within else (read_traits(others, "b"), read_keys(others))
    shared = pair_by_keys(keys_a, keys_b)
    pairs = find_candidates(a, b, shared, max_km=max_km)
    if within:
        pairs = take_pairs(pairs, pairs.first < pairs.second)
    traits = weigh_traits(a, b, pairs)
    fixed = PRIOR + pairs.key_weight + _weigh_evse_ids(keys_a, keys_b, pairs)
    fixed += sum(traits[name] for name in ("distance", "name", "kind", "points", "postcode"))
    operator = _learn_operators(
        OperatorPairs(a, b, pairs), weigh_brands(read_brands(a, b), pairs), pairs, fixed
    )
    return ScoredPairs(
        pairs, fixed + operator, traits["similarity"], operator, traits["postcode"] > 0
    )


def _learn_operators(
    operators: OperatorPairs,
    brands: NDArray[np.float64],
    pairs: Candidates,
    fixed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Match, learn which operators go together, and match again."""
    operator = np.clip(brands, *LIMIT)
    for _ in range(_ROUNDS):
        matched = assign_pairs(pairs.first, pairs.second, fixed + operator)
        operator = np.clip(operators.weigh(matched) + brands, *LIMIT)
    return operator


def _weigh_evse_ids(some: Keys, others: Keys, pairs: Candidates) -> NDArray[np.float64]:
    """Weigh EVSE ids against a pair: of one operator, and none in common."""
    first = _read_makers(some).reindex(pairs.first).fillna("").to_numpy(dtype=object)
    second = _read_makers(others).reindex(pairs.second).fillna("-").to_numpy(dtype=object)
    return np.where((first == second) & (pairs.key == ""), _OTHER_EVSE, 0.0)


def _read_makers(keys: Keys) -> pd.Series[Any]:
    """Return the country and operator of the EVSE ids of each row that has any."""
    table = keys["evse"]
    return table["key"].str[:_OPERATOR_LETTERS].groupby(table["row"].to_numpy()).min()
