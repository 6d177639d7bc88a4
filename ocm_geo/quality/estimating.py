"""Estimate missing powers from connections whose power is known, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.connections import connection_rows
from ocm_geo.frames import add_columns, require_columns
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.quality.records import find_imputed

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["estimate_power"]

_LEVELS = {
    "operator": ("connection_type_id", "current_type_id", "operator_id"),
    "connector": ("connection_type_id", "current_type_id"),
    "current": ("current_type_id",),
}
"""What connections have in common with those that they are estimated from, most alike first."""
_TAIL = 0.025
_LEAST = 39
"""Of fewer values not even the extremes are an interval of 95 %."""
_NO_COMPANY = (1, 44, 45)
_UNKNOWN = -1.0
_NAMES = tuple(f"power_kw_estimated{part}" for part in ("", "_low", "_high"))


def estimate_power(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Estimate the highest power of stations where it is not known.

    A power is known if it is recorded or can be computed, is plausible, and was not invented by an
    import. A connection without known power is compared with those of the same table that
    have one: of the same type of connector, current and operator; if these are fewer than 39, of
    the same type and current; else of the same current. The estimate is their median, and the
    interval of 95 % reaches from their 2.5 % to their 97.5 % quantile.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table with the column ``connections``; not changed.

    Returns
    -------
    geopandas.GeoDataFrame
        The table with ``power_kw_estimated``, ``power_kw_estimated_low`` and
        ``power_kw_estimated_high`` (kW, of the strongest connection) and ``method``: ``recorded``
        (all powers are known, and the three are equal); ``operator``, ``connector`` or ``current``
        (what the compared connections have in common, the least alike of the station's);
        ``none`` (nothing to compare with, or no connections: the estimate and the high bound are
        missing, the low bound is the highest known power).

    Raises
    ------
    QueryError
        If it is not a station table, or has one of the new columns.

    Notes
    -----
    The quantiles are the order statistics of split conformal prediction (Vovk, Gammerman and
    Shafer 2005): of records whose power is hidden at random, at least 95 % lie in the interval, up
    to the likeness of the connections of one station. Records whose power really is missing are
    often older than others: for them the rate is not guaranteed. Equal powers of connections of
    one station count once.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> estimated = ocm.estimate_power(stations)
    >>> known = estimated[estimated["method"] == "recorded"]
    >>> bool((known["power_kw_estimated_low"] == known["power_kw_estimated_high"]).all())
    True
    """
    table = station_table(stations, "stations")
    require_columns(table, ["connections"], "stations")
    rows, data = _read_traits_of_connections(table)
    bounds, level = _estimate_connections(data)
    new: dict[str, Any] = {}
    for name, values in zip(_NAMES, bounds, strict=True):
        new[name] = _find_highest(values, rows, len(table), whole=name != _NAMES[1])
    worst = np.full(len(table), -1)
    np.maximum.at(worst, rows, level)
    worst[worst < 0] = len(_LEVELS) + 1
    names = np.array(["recorded", *_LEVELS, "none"], dtype=object)
    new["method"] = pd.array(names[worst], dtype="string")
    return carry(add_columns(table, new, "stations"), stations)


def _read_traits_of_connections(
    stations: pd.DataFrame,
) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """Return the station of each connection, what it is compared by, and its known power."""
    rows, table = connection_rows(stations)
    power = table["power_kw"].to_numpy(dtype=float, na_value=np.nan)
    plausible = table["power_plausible"].to_numpy(dtype=bool, na_value=False)
    power[~plausible | find_imputed(stations, rows, table)] = np.nan
    operator = np.full(len(stations), _UNKNOWN)
    if "operator_id" in stations:
        operator = stations["operator_id"].to_numpy(dtype=float, na_value=_UNKNOWN)
    operator = np.where(np.isin(operator, _NO_COMPANY), _UNKNOWN, operator)
    traits = {
        name: table[name].to_numpy(dtype=float, na_value=_UNKNOWN)
        for name in ("connection_type_id", "current_type_id")
    }
    return rows, pd.DataFrame(
        {"row": rows, "power": power, **traits, "operator_id": operator[rows]}
    )


def _estimate_connections(
    table: pd.DataFrame,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return estimate, low and high of each connection, and the level of the comparison."""
    power = table["power"].to_numpy()
    bounds = np.vstack([power, power, power])
    level = np.where(np.isnan(power), len(_LEVELS) + 1, 0)
    known = table.dropna(subset="power")
    for rank, names in enumerate(_LEVELS.values(), start=1):
        open_rows = np.flatnonzero(level > len(_LEVELS))
        if not open_rows.size:
            break
        found = _summarise_strata(known.drop_duplicates(["row", "power", *names]), list(names))
        asked = table.iloc[open_rows][list(names)]
        if names[-1] == "operator_id":
            # Stations of unknown operators have none in common.
            asked = asked.where(asked["operator_id"] != _UNKNOWN)
        values = asked.merge(found, how="left", on=list(names))[["estimate", "low", "high"]]
        filled = values["estimate"].notna().to_numpy()
        bounds[:, open_rows[filled]] = values.to_numpy()[filled].T
        level[open_rows[filled]] = rank
    return bounds, level


def _summarise_strata(known: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return median and interval of the known powers of each stratum that has enough."""
    powers = known.groupby(names)["power"]
    enough = known[powers.transform("size") >= _LEAST]
    columns = [*names, "estimate", "low", "high"]
    found = [
        (*np.atleast_1d(key), *_take_quantiles(np.sort(part.to_numpy())))
        for key, part in enough.groupby(names)["power"]
    ]
    return pd.DataFrame(found, columns=columns, dtype=float)


def _take_quantiles(powers: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the median of sorted powers, and the order statistics that hold a new one."""
    n = len(powers)
    low = int(np.floor((n + 1) * _TAIL)) - 1
    high = int(np.ceil((n + 1) * (1 - _TAIL))) - 1
    return float(powers[(n - 1) // 2]), float(powers[low]), float(powers[high])


def _find_highest(
    values: NDArray[np.float64], rows: NDArray[np.intp], n: int, *, whole: bool
) -> pd.api.extensions.ExtensionArray:
    """Return the highest value of each station; missing if one of them is and all are needed."""
    highest = np.full(n, -np.inf)
    np.maximum.at(highest, rows, np.where(np.isnan(values), np.inf if whole else -np.inf, values))
    missing = ~np.isfinite(highest)
    return pd.arrays.FloatingArray(np.where(missing, 0.0, highest), missing)
