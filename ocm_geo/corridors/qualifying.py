"""Which stations count along a route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import geopandas as gpd

from ocm_geo.checks import check_number
from ocm_geo.errors import QueryError
from ocm_geo.query import FILTERS, StationFilters, StationQuery
from ocm_geo.query.checking import list_filters
from ocm_geo.reference import reference_of

if TYPE_CHECKING:
    from ocm_geo.corridors.positions import Points

__all__ = ["qualifying"]


def qualifying(
    stations: Points, min_points: int | None = None, **filters: Unpack[StationFilters]
) -> Points:
    """
    Choose the stations that count.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or geopandas.GeoSeries
        A station table; any points if nothing is asked of them.
    min_points : int, optional
        Least number of charging points: ``n_points``, where that is missing ``n_connectors``.
    **filters : StationFilters
        What else they must have.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The rows that have it all; a missing value is not enough.

    Raises
    ------
    QueryError
        If a filter is wrong, or the table lacks a column that it needs.
    """
    given: dict[str, Any] = list_filters(filters)
    if wrong := [name for name in given if FILTERS[name].level == "answer"]:
        raise QueryError(f"{wrong[0]} does not tell which stations count along a route")
    if min_points is not None:
        stations = _with_points(stations, check_number(min_points, "min_points", low=1))
    if set(given) == {"min_power_kw"} and not _has_implausible(stations):
        # The highest power is enough to know; tables that hold nothing else will do.
        least = check_number(given["min_power_kw"], "min_power_kw", low=0.0)
        enough = _table(stations, "max_power_kw", "min_power_kw")["max_power_kw"] >= least
        return stations[enough.to_numpy(dtype=bool, na_value=False)]
    if given:
        table = _table(stations, "connections", next(iter(given)))
        query = StationQuery.build(reference=reference_of(table), **given)
        return stations[query.mask(table).to_numpy()]
    return stations


def _has_implausible(stations: Points) -> bool:
    """Whether a power is recorded that the highest power leaves out: filters see it."""
    count = "n_power_implausible"
    return count in stations and "connections" in stations and bool((stations[count] > 0).any())


def _with_points(stations: Points, least: float) -> Points:
    table = _table(stations, "n_points", "min_points")
    points = table["n_points"].fillna(
        _table(stations, "n_connectors", "min_points")["n_connectors"]
    )
    return stations[(points >= least).to_numpy(dtype=bool, na_value=False)]


def _table(stations: Points, column: str, name: str) -> gpd.GeoDataFrame:
    if not isinstance(stations, gpd.GeoDataFrame) or column not in stations:
        raise QueryError(f"{name} needs a station table: there is no column {column!r}")
    return stations
