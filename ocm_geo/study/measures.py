"""Measure coverage and gaps for each group of a study, and the quality of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ocm_geo.connections import connections
from ocm_geo.corridors import route_gaps
from ocm_geo.coverage import coverage
from ocm_geo.provenance import attach, carry
from ocm_geo.query import StationQuery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import shapely

    from ocm_geo.quality import MissingStations
    from ocm_geo.reference import ReferenceData
    from ocm_geo.study.tables import Group

__all__ = ["coverage_by_group", "data_quality", "gaps_by_group", "split_groups"]

_STALE_YEARS = 2


def split_groups(
    stations: gpd.GeoDataFrame, groups: Sequence[Group], reference: ReferenceData
) -> dict[str, gpd.GeoDataFrame]:
    """
    Return the stations of each group.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    groups : sequence of Group
        The groups.
    reference : ReferenceData
        Reference data for the labels.

    Returns
    -------
    dict
        Name to station table.
    """
    chosen = {}
    for group in groups:
        query = StationQuery.build(None, reference=reference, **group.filters)
        chosen[group.name] = carry(stations[query.mask(stations)], stations)
        attach(chosen[group.name], group=group.name, group_filters=query.describe())
    return chosen


def coverage_by_group(
    areas: gpd.GeoDataFrame,
    groups: dict[str, gpd.GeoDataFrame],
    within_km: Sequence[float],
    demand: gpd.GeoDataFrame | None = None,
    *,
    missing: Mapping[str, MissingStations] | None = None,
) -> gpd.GeoDataFrame:
    """
    Measure the coverage of each area for each group.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        ``name``, ``geometry`` and optionally ``population``.
    groups : dict
        Name to station table.
    within_km : sequence of float
        Distances, km.
    demand : geopandas.GeoDataFrame, optional
        Points with ``population``, if the areas have none.
    missing : mapping, optional
        Name to completeness: adds bounds that contain missing stations.

    Returns
    -------
    geopandas.GeoDataFrame
        As `ocm_geo.coverage`, with ``group`` and ``name`` first.
    """
    population = "population" if "population" in areas else demand
    tables = []
    for group, members in groups.items():
        known = (missing or {}).get(group)
        table = coverage(
            *(areas, members, list(within_km)), population=population, completeness=known
        )
        names = areas["name"].loc[table.index]
        table.insert(0, "name", names.to_numpy())
        table.insert(0, "group", group)
        tables.append(table)
    origin = next(iter(groups.values()))
    return carry(pd.concat(tables), origin)


def gaps_by_group(
    route: shapely.LineString, groups: dict[str, gpd.GeoDataFrame], within_km: float
) -> gpd.GeoDataFrame:
    """
    Return the gaps along the route for each group.

    Parameters
    ----------
    route : shapely.LineString
        The route.
    groups : dict
        Name to station table.
    within_km : float
        Half width of the corridor, km.

    Returns
    -------
    geopandas.GeoDataFrame
        As `ocm_geo.route_gaps`, with ``group`` first.
    """
    tables = []
    for group, members in groups.items():
        table = route_gaps(route, members, within_km=within_km)
        table.insert(0, "group", group)
        tables.append(table)
    return carry(pd.concat(tables, ignore_index=True), next(iter(groups.values())))


def data_quality(stations: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Count what is missing or uncertain in the stations of a study.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.

    Returns
    -------
    pandas.DataFrame
        ``what``, ``count``, ``of`` and ``share``; one row for each kind of uncertainty.
    """
    table = connections(stations)
    now = _find_newest_change(stations)
    old = stations["date_last_status_update"] < now - pd.DateOffset(years=_STALE_YEARS)
    sites = {
        "no operator": stations["operator_id"].isna() | (stations["operator_id"] == 1),
        "access (usage type) not given": stations["usage_type_id"].isna()
        | (stations["usage_type_id"] == 0),
        "status not given": stations["status_type_id"].isna() | (stations["status_type_id"] == 0),
        "no connections": stations["connections"] == "[]",
        "number of points not given": stations["n_points"].isna(),
        f"no change for {_STALE_YEARS} years before {now:%Y-%m-%d}": old,
        "same position as another station": stations.geometry.duplicated(keep=False),
    }
    source = table["power_source"]
    ports = {
        "connections without power": table["power_kw"].isna(),
        "implausible power (more than the connector can deliver; not in any sum)": ~table[
            "power_plausible"
        ],
        "power estimated by an import": source == "estimated_by_import",
        "power equal to the server's amps x volts formula": source == "given_as_formula",
        "power computed here from amps and volts": source == "computed",
        "quantity not given (counted as 1)": table["quantity"].isna(),
    }
    rows = [_count_flagged(what, flag, "stations") for what, flag in sites.items()]
    rows += [_count_flagged(what, flag, "connections") for what, flag in ports.items()]
    return pd.DataFrame(rows)


def _find_newest_change(stations: gpd.GeoDataFrame) -> pd.Timestamp:
    """Return the newest change in the data, so that ages do not depend on the day of the study."""
    newest = stations["date_last_status_update"].max()
    return pd.Timestamp("1970-01-01", tz="UTC") if newest is pd.NaT else newest


def _count_flagged(what: str, flag: Any, of: str) -> dict[str, Any]:  # noqa: ANN401 - boolean Series
    """Return a row with the number and share of flagged rows."""
    n, total = int(flag.fillna(value=False).sum()), len(flag)
    return {"what": what, "count": n, "of": f"{total:,} {of}", "share": n / total if total else 0.0}
