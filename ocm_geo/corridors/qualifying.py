"""Select the stations that count along a route."""

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
    Return the stations that meet the filters.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or geopandas.GeoSeries
        A station table; any points if there is no filter.
    min_points : int, optional
        Minimum number of charging points: ``n_points``, or ``n_connectors`` if it is missing.
    **filters : StationFilters
        Other filters.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The rows that meet all filters; a missing value never does.

    Raises
    ------
    QueryError
        If a filter is invalid, or the table lacks a column that it needs.
    """
    given: dict[str, Any] = list_filters(filters)
    if wrong := [name for name in given if FILTERS[name].level == "answer"]:
        raise QueryError(f"{wrong[0]} does not select stations along a route")
    if min_points is not None:
        stations = _filter_by_points(stations, check_number(min_points, "min_points", low=1))
    if set(given) == {"min_power_kw"} and not _has_implausible_power(stations):
        # The highest power decides, so that a table without connections is enough.
        least = check_number(given["min_power_kw"], "min_power_kw", low=0.0)
        enough = _require_column(stations, "max_power_kw", "min_power_kw")["max_power_kw"] >= least
        return stations[enough.to_numpy(dtype=bool, na_value=False)]
    if given:
        table = _require_column(stations, "connections", next(iter(given)))
        query = StationQuery.build(reference=reference_of(table), **given)
        return stations[query.mask(table).to_numpy()]
    return stations


def _has_implausible_power(stations: Points) -> bool:
    """Return whether the highest power leaves out an implausible power that filters see."""
    count = "n_power_implausible"
    return count in stations and "connections" in stations and bool((stations[count] > 0).any())


def _filter_by_points(stations: Points, least: float) -> Points:
    """Return the stations with a minimum number of charging points."""
    table = _require_column(stations, "n_points", "min_points")
    points = table["n_points"].fillna(
        _require_column(stations, "n_connectors", "min_points")["n_connectors"]
    )
    return stations[(points >= least).to_numpy(dtype=bool, na_value=False)]


def _require_column(stations: Points, column: str, name: str) -> gpd.GeoDataFrame:
    """Return a station table that has a column, else raise a QueryError."""
    if not isinstance(stations, gpd.GeoDataFrame) or column not in stations:
        raise QueryError(f"{name} needs a station table with the column {column!r}")
    return stations
