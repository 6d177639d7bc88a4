"""Match the stations of two tables, one to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.checks import check_km
from ocm_geo.frames import check_points
from ocm_geo.ids import station_table, take_ids
from ocm_geo.provenance import attach, credit_line, read_attrs
from ocm_geo.quality.assigning import assign_pairs
from ocm_geo.quality.engine import score_pairs, to_score

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.quality.engine import ScoredPairs

__all__ = ["describe_pairs", "match_stations", "order_stations"]

_ALIKE = 0.5
_LIKELY_OPERATOR = 1.0


def match_stations(
    a: gpd.GeoDataFrame, b: gpd.GeoDataFrame, *, max_km: float = 0.3
) -> pd.DataFrame:
    """
    Match the stations of two tables that describe the same place, one to one.

    Identifiers that both have (EVSE ids, serial numbers, the id in the register that a record was
    imported from) count most. All other pairs within `max_km` are scored by distance in
    relation to how dense stations are there, names, addresses, operators, connectors, power and
    number of charging points. Of all ways to pair the stations, the one with the greatest total
    is taken.

    Parameters
    ----------
    a, b : geopandas.GeoDataFrame
        Station tables, of any source; points in any coordinate reference system. Columns that are
        missing count as unknown.
    max_km : float, default 0.3
        Greatest distance of a pair. Pairs with one device number may be up to 1 km apart
        (farther, the device has moved), those of a record and its import up to 2 km.

    Returns
    -------
    pandas.DataFrame
        One row a pair, in the order of `a`: ``id_a``, ``id_b``, ``distance_m``, ``score``
        (probability that both are one station, above 0.5) and ``reasons``.

    Raises
    ------
    QueryError
        If a table is not one of stations, or `max_km` is not a distance.

    Notes
    -----
    The score adds up log-likelihood ratios (Fellegi and Sunter 1969). Which operators of the two
    tables are the same company is learned from the matches themselves. A register that lists each
    post by itself has several rows for one site of another: one of them is matched.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source="sample")
    >>> moved = stations.iloc[:50].set_geometry(
    ...     stations.geometry.iloc[:50].to_crs(28992).translate(12, -9).to_crs(4326)
    ... )
    >>> matches = ocm.match_stations(stations, moved)
    >>> bool((matches["id_a"] == matches["id_b"]).all()), len(matches)
    (True, 50)
    """
    max_km = check_km(max_km, "max_km")
    some, others = order_stations(a, "a"), order_stations(b, "b")
    scored = score_pairs(some, others, max_km=max_km)
    chosen = assign_pairs(scored.pairs.first, scored.pairs.second, scored.total)
    first, second = scored.pairs.first[chosen], scored.pairs.second[chosen]
    matches = pd.DataFrame(
        {
            "id_a": take_ids(some.index, first),
            "id_b": take_ids(others.index, second),
            "distance_m": scored.pairs.km[chosen] * 1000,
            "score": to_score(scored.total[chosen]),
            "reasons": pd.array(describe_pairs(scored, chosen), dtype="string"),
        }
    )
    rank = station_table(a, "a").index.get_indexer(pd.Index(matches["id_a"]))
    matches = matches.iloc[np.argsort(rank, kind="stable")].reset_index(drop=True)
    return attach(
        matches,
        attribution=credit_line(a, b),
        matching={
            "max_km": max_km,
            "sources": [read_attrs(t).get("source") for t in (a, b)],
            "n_missed": round(_expect_missed(scored, chosen), 2),
        },
    )


def _expect_missed(scored: ScoredPairs, chosen: NDArray[np.intp]) -> float:
    """Add up the probabilities of the best rejected pair of each station without a match."""
    pairs = scored.pairs
    free = ~np.isin(pairs.first, pairs.first[chosen]) & ~np.isin(pairs.second, pairs.second[chosen])
    best = pd.Series(to_score(scored.total[free])).groupby(pairs.first[free]).max()
    return float(best.sum())


def order_stations(stations: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    """
    Check a station table and sort it by id, so that the order of rows decides nothing.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        The argument.
    what : str
        Its name.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations by the text of their ids.
    """
    table = station_table(stations, what)
    check_points(table, what)
    order = np.argsort(np.array([str(i) for i in table.index], dtype=object), kind="stable")
    ordered = table.iloc[order]
    ordered.attrs = dict(table.attrs)
    return ordered


def describe_pairs(scored: ScoredPairs, chosen: NDArray[np.intp]) -> list[str]:
    """
    Describe in words what speaks for pairs.

    Parameters
    ----------
    scored : ScoredPairs
        Pairs and their evidence.
    chosen : numpy.ndarray of int
        Positions of the pairs to describe.

    Returns
    -------
    list of str
        Such as ``"same identifier NLFASE3100201; 12 m apart; same postcode"``.
    """
    return [_describe_pair(scored, int(row)) for row in chosen]


def _describe_pair(scored: ScoredPairs, row: int) -> str:
    """Describe in words what speaks for one pair."""
    key, similarity = scored.pairs.key[row], scored.similarity[row]
    reasons = [f"same identifier {key}"] if key else []
    reasons.append(f"{scored.pairs.km[row] * 1000:.0f} m apart")
    if similarity >= _ALIKE:
        reasons.append(f"similar names ({similarity:.2f})")
    if scored.operator[row] >= _LIKELY_OPERATOR:
        reasons.append("operators agree")
    if scored.same_postcode[row]:
        reasons.append("same postcode")
    return "; ".join(reasons)
