"""How much of what exists a register holds, estimated from a second one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import check_number, short_form, warn_user
from ocm_geo.errors import InexactMethod, QueryError
from ocm_geo.ids import station_table
from ocm_geo.provenance import attach, credit_line, read_attrs
from ocm_geo.quality.capture import bound_dependence, bound_sum, estimate_total
from ocm_geo.quality.grouping import check_matches
from ocm_geo.quality.matching import match_stations
from ocm_geo.quality.paired import CompletenessTable, PairedRegisters
from ocm_geo.quality.strata import ALL_STRATA, POOLED, count_strata, name_strata_of_pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

__all__ = ["completeness"]

ODDS_RATIOS = (0.2, 5.0)
_LEAST_COMMON = 7
"""With fewer common stations Chapman's estimate is biased (Robson and Regier 1964)."""


def completeness(
    a: gpd.GeoDataFrame,
    b: gpd.GeoDataFrame,
    *,
    by: str | Sequence[str] | gpd.GeoDataFrame | None = None,
    matches: pd.DataFrame | None = None,
    odds_ratios: tuple[float, float] = ODDS_RATIOS,
) -> pd.DataFrame:
    """
    Estimate how many stations exist, and which share of them each of two registers holds.

    Of the stations of `b`, the share that is also in `a` tells how complete `a` is, if being in
    one register says nothing about being in the other (dual-system or capture-recapture
    estimate). Registers that copy from each other break that: the bounds for dependence allow for
    it.

    Parameters
    ----------
    a, b : geopandas.GeoDataFrame
        Station tables of one area and one kind of station, of two registers.
    by : str, sequence of str or geopandas.GeoDataFrame, optional
        Strata: ``"operator"``, ``"power_class"`` (below 22, 50, 150 kW, and above), other columns
        of both tables, or areas, whose index names them. A matched station belongs to the stratum
        of its record in `a`. Stations outside all areas are left out.
    matches : pandas.DataFrame, optional
        Pairs with ``id_a`` and ``id_b``, each id once; by default those of `match_stations`. With
        a column ``score`` they may be wrong (see Notes); without, they are taken as exact.
    odds_ratios : tuple of float, default (0.2, 5)
        Least and greatest odds ratio between being in `a` and being in `b`, for the bounds of
        dependence; 1 is independence, copied records have more. They hold for the bounds of
        measures that take the table as ``completeness=``, too.

    Returns
    -------
    pandas.DataFrame
        One row a stratum, and last the row ``all``. ``n_a``, ``n_b``, ``n_both``: stations
        counted; ``n_estimated``: stations that exist; ``share_a``, ``share_b``: the share of them
        that each register holds. ``…_low`` and ``…_high`` of `n_both` allow for wrong matches,
        of the others also for chance (95 %), for independent registers; ``…_dependent_low`` and
        ``…_dependent_high`` allow for the odds ratios besides. ``n_strata``: how many strata the
        row holds.

    Raises
    ------
    QueryError
        If a table, a column, the areas or the matches do not fit.

    Warns
    -----
    InexactMethod
        If no station is in both registers: then nothing bounds the total from above.

    Notes
    -----
    Chapman's estimate and its interval: see `ocm_geo.quality.capture`. Strata with fewer than 7
    common stations are estimated together, in one row. Wrong matches: as many are expected to be
    false as the scores leave open (the sum of one less the score), and as many to have been missed
    as the scores of the rejected pairs add up to; the bounds allow for all of either.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source="sample")
    >>> table = ocm.completeness(stations.iloc[::2], stations.iloc[::3])
    >>> bool(0.4 < table.loc["all", "share_a"] < 0.6)
    True
    """
    first, second = station_table(a, "a"), station_table(b, "b")
    least, most = _check_odds_ratios(odds_ratios)
    pairs = match_stations(first, second) if matches is None else matches
    check_matches(pairs, first, second, ("a", "b"))
    of_a, of_b = name_strata_of_pair(first, second, pairs, by)
    strata = count_strata(of_a, of_b, pairs)
    if strata.empty:
        raise QueryError("no station lies in any stratum: check `by` against the tables")
    rows = [_estimate_row(row, (least, most)) for row in _pool_thin(strata)]
    if len(rows) > 1 or rows[0]["stratum"] != ALL_STRATA:
        rows.append(_sum_rows(rows, (least, most)))
    table = CompletenessTable(pd.DataFrame(rows).set_index("stratum").drop(columns="variance"))
    table.registers = PairedRegisters((first, second), (of_a, of_b), pairs)
    if not table["n_both"].iloc[-1]:
        warn_user(
            "no station is in both registers: the number of stations has no upper bound; are both "
            "tables of the same area and kind of station?",
            InexactMethod,
        )
    sources = [read_attrs(t).get("source") for t in (a, b)]
    return attach(
        table,
        attribution=credit_line(a, b),
        completeness={"sources": sources, "odds_ratios": [least, most]},
    )


def _check_odds_ratios(values: Any) -> tuple[float, float]:  # noqa: ANN401 - checked here
    """Check the least and the greatest odds ratio: 1, independence, lies between them."""
    if not isinstance(values, tuple | list) or len(values) != 2:  # noqa: PLR2004 - low and high
        raise QueryError(f"odds_ratios must be two numbers, not {short_form(values)}")
    least = check_number(values[0], "the least of odds_ratios", above=0, high=1)
    return least, check_number(values[1], "the greatest of odds_ratios", low=1)


def _pool_thin(strata: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row a stratum, those with too few common stations together."""
    thin = strata["n_both"] < _LEAST_COMMON
    if thin.sum() == 1:
        thin = pd.Series(data=False, index=strata.index)
    rows: list[dict[str, Any]] = [
        {**{str(name): value for name, value in row.items()}, "n_strata": 1}
        for row in strata[~thin].to_dict("records")
    ]
    if thin.any():
        few = strata[thin]
        sums = {str(name): value for name, value in few.sum(numeric_only=True).items()}
        rows.append({**sums, "stratum": POOLED, "n_strata": len(few)})
    return rows


def _estimate_row(row: dict[str, Any], odds_ratios: tuple[float, float]) -> dict[str, Any]:
    """Estimate one stratum, with its bounds."""
    n_a, n_b, n_both = (int(row[name]) for name in ("n_a", "n_b", "n_both"))
    fewest = max(n_both - row["n_false"], 0.0)
    most_common = min(n_both + row["n_missed"], n_a, n_b)
    total = estimate_total(n_a, n_b, n_both)
    # More common stations mean fewer in all, and the other way round.
    low = estimate_total(n_a, n_b, most_common).low
    high = estimate_total(n_a, n_b, fewest).high
    dependent = bound_dependence((low, high), n_a + n_b - n_both, odds_ratios)
    return {
        "stratum": row["stratum"],
        **{name: int(row[name]) for name in ("n_strata", "n_a", "n_b", "n_both")},
        "n_both_low": fewest,
        "n_both_high": most_common,
        "variance": total.variance,
        **_share_columns((n_a, n_b), total.central, (low, high), dependent),
    }


def _share_columns(
    counts: tuple[int, int],
    central: float,
    bounds: tuple[float, float],
    dependent: tuple[float, float],
) -> dict[str, float]:
    """Return the estimates as columns; a share is low where the total is high."""
    columns = {
        "n_estimated": central,
        "n_estimated_low": bounds[0],
        "n_estimated_high": bounds[1],
        "n_estimated_dependent_low": dependent[0],
        "n_estimated_dependent_high": dependent[1],
    }
    for name, count in zip(("share_a", "share_b"), counts, strict=True):
        columns[name] = min(count / central, 1.0) if central > 0 else np.nan
        for suffix, (low, high) in (("", bounds), ("_dependent", dependent)):
            columns[f"{name}{suffix}_low"] = count / high if high > 0 else np.nan
            columns[f"{name}{suffix}_high"] = min(count / low, 1.0) if low > 0 else np.nan
    return columns


def _sum_rows(rows: list[dict[str, Any]], odds_ratios: tuple[float, float]) -> dict[str, Any]:
    """Return the row of all strata: counts and estimates added, chance errors combined."""
    sums = {str(k): v for k, v in pd.DataFrame(rows).sum(numeric_only=True).items()}
    n_a, n_b, n_both = (int(sums[name]) for name in ("n_a", "n_b", "n_both"))
    recorded = n_a + n_b - n_both
    low, high = bound_sum(sums["n_estimated"], sums["variance"], recorded)
    # A share of wrong matches moves the total by about that share, in all strata alike.
    low = max(recorded, low * n_both / max(sums["n_both_high"], 1))
    high = high * n_both / sums["n_both_low"] if sums["n_both_low"] > 0 else np.inf
    dependent = bound_dependence((low, high), recorded, odds_ratios)
    return {
        "stratum": ALL_STRATA,
        **{name: int(sums[name]) for name in ("n_strata", "n_a", "n_b", "n_both")},
        "n_both_low": sums["n_both_low"],
        "n_both_high": sums["n_both_high"],
        "variance": sums["variance"],
        **_share_columns((n_a, n_b), sums["n_estimated"], (low, high), dependent),
    }
