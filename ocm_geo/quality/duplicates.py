"""Find the stations that a table holds more than once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.ids import id_name, station_table
from ocm_geo.provenance import carry
from ocm_geo.quality.assigning import group_pairs
from ocm_geo.quality.engine import score_pairs, to_score
from ocm_geo.quality.matching import describe_pairs, order_stations
from ocm_geo.quality.traits import fold_texts

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.quality.evidence import Candidates

__all__ = ["find_duplicates"]

_WITHIN_KM = 0.15
_RARER = -5.0
"""Added to the log-odds: within one table two records of one station are rarer than between two
tables that both mean to be whole."""
_OPERATOR_LIMIT = 1.0
"""Neighbours in one table often have one operator: that alone says little."""
_OTHER_NUMBER = -6.0
_DIRECTIONS = frozenset(
    "n s e w north south east west northbound southbound eastbound westbound noord zuid oost "  # noqa: SIM905
    "nord sud ost est ouest norte sur este oeste".split()
)


def find_duplicates(stations: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Find stations that a table holds more than once.

    Pairs are scored as in `match_stations`. Stations that pairs connect, directly or through
    others, form one group.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table, of any source.

    Returns
    -------
    pandas.DataFrame
        One row a station that has duplicates, in the order of the table within its group:
        ``ocm_id`` or ``station_id``, ``group`` (from 0, by the first station), ``score`` (the
        highest probability, above 0.5, that it and another are one station) and ``reasons`` of
        that pair. Empty where nothing is found.

    Raises
    ------
    QueryError
        If it is not a table of stations.

    Notes
    -----
    Stations up to 150 m apart are compared. Neighbours with EVSE ids of one operator, none in
    common, are not duplicates; those whose names differ in a number or a direction ("Station 1",
    "Station 2"; the two sides of a motorway) hardly ever are. Nothing is removed.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import pandas as pd
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source="sample").iloc[:40]
    >>> again = stations.iloc[[7]].rename({stations.index[7]: 999_999_999})
    >>> both = pd.concat([stations, again])
    >>> found = ocm.find_duplicates(gpd.GeoDataFrame(both, crs=stations.crs))
    >>> 999_999_999 in set(found["ocm_id"])
    True
    """
    table = order_stations(stations, "stations")
    scored = score_pairs(table, table, max_km=_WITHIN_KM, within=True)
    odds = scored.total + _RARER - np.maximum(scored.operator - _OPERATOR_LIMIT, 0)
    odds += np.where(_have_other_numbers(table, scored.pairs), _OTHER_NUMBER, 0.0)
    chosen = np.flatnonzero(odds > 0)
    first, second = scored.pairs.first[chosen], scored.pairs.second[chosen]
    # Each pair describes both of its stations; the best one is described.
    ends = pd.DataFrame(
        {
            "row": np.concatenate([first, second]),
            "group": np.tile(group_pairs(first, second, len(table))[first], 2),
            "score": np.tile(to_score(odds[chosen]), 2),
            "reasons": describe_pairs(scored, chosen) * 2,
        }
    )
    ends = ends.sort_values("score", ascending=False, kind="stable").drop_duplicates("row")
    place = station_table(stations, "stations").index.get_indexer(table.index[ends["row"]])
    ends = ends.iloc[np.argsort(place, kind="stable")]
    ends["group"] = pd.factorize(ends["group"])[0]
    ends = ends.sort_values("group", kind="stable", ignore_index=True)
    ends["reasons"] = ends["reasons"].astype("string")
    ids = table.index[ends.pop("row").to_numpy()]
    ends.insert(0, id_name(table.index), pd.Series(ids, dtype=table.index.dtype))
    return carry(ends, stations)


def _have_other_numbers(stations: gpd.GeoDataFrame, pairs: Candidates) -> NDArray[np.bool_]:
    """Find the pairs whose names both have numbers or directions, but not the same."""
    numbers_of = cache(_list_numbers)
    # Few stations have neighbours: only their names are read.
    rows, ends = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    first, second = np.split(ends, 2)
    sides = [
        np.array(list(map(numbers_of, fold_texts(stations[name].iloc[rows]))), dtype=object)
        for name in ("title", "address")
        if name in stations
    ]
    differ = np.zeros(len(pairs.first), dtype=bool)
    for side in sides:
        a, b = side[first], side[second]
        differ |= (a != "") & (b != "") & (a != b)
    return differ


def _list_numbers(text: str) -> str:
    """Return the words of a name that tell neighbours apart."""
    words = (w for w in text.split() if w in _DIRECTIONS or any(c.isdigit() for c in w))
    return " ".join(sorted(set(words)))
