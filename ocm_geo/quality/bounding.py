"""The stations of each level of a measure, with those that are missing among the high ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.frames import point_lonlat
from ocm_geo.qualifying import Levels, levels_of, station_bounds
from ocm_geo.quality.missing import find_missing

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.qualifying import Qualifying
    from ocm_geo.quality.missing import Missing

__all__ = ["bound_levels"]


def bound_levels(
    stations: gpd.GeoDataFrame,
    qualifying: Qualifying | None,
    completeness: Any,  # noqa: ANN401 - checked here
    *,
    bounds: bool,
) -> Levels:
    """
    Return the stations of each level, with draws of the missing ones.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    qualifying : Qualifying, optional
        The rule.
    completeness : pandas.DataFrame or MissingStations, optional
        What is known of missing stations; with it there are always bounds.
    bounds : bool
        Whether the low and high bounds are wanted too.

    Returns
    -------
    Levels
        As of `levels_of`; missing stations that meet the rule, or may meet it, are in the draws.

    Notes
    -----
    Two models, of which the greater value is the bound. Placed stations reach areas without any
    record, but know nothing of where the population lives. Stations left out do: what is lost
    without as many recorded stations is at least what as many more would add, because each
    station adds the less the more there are (submodularity; Good and Toulmin 1956).
    """
    missing = find_missing(stations, completeness)
    levels = levels_of(stations, qualifying, bounds=bounds or missing is not None)
    if missing is None:
        return levels
    return Levels(
        {**levels.tables, **_draw_levels(levels.tables["_high"], missing, qualifying)},
        {**levels.facts, "completeness": missing.facts},
    )


def _draw_levels(
    high: gpd.GeoDataFrame, missing: Missing, qualifying: Qualifying | None
) -> dict[str, gpd.GeoDataFrame]:
    """Return the union of both registers, draws of more stations, and draws of fewer."""

    def widen(more: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return missing.add_to(high, more[station_bounds(more, qualifying).high])

    other = missing.other()
    union = widen(other)
    strata = pd.concat([missing.strata, other["stratum"].fillna("")]).reindex(union.index)
    lonlat = np.column_stack(point_lonlat(union, "stations"))
    tables = {"_high union": union}
    for number, more in enumerate(missing.draws()):
        tables[f"_high {number}"] = widen(more)
        keep = missing.keep_after_thinning(strata, lonlat, number)
        tables[f"_less {missing.loss_factor!r} {number}"] = union[keep]
    return tables
