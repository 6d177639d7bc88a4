"""Measure access in a study: distance, charging points, accessibility and its equity."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from ocm_geo.access import accessibility, equity
from ocm_geo.access.catchments import catchments
from ocm_geo.access.supply import supply_of
from ocm_geo.coverage import nearest_stations
from ocm_geo.coverage.tally import AreaFinder
from ocm_geo.errors import QueryError
from ocm_geo.provenance import carry

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.access.decay import Decay
    from ocm_geo.study.tables import AccessConfig

__all__ = ["AccessTables", "class_names", "measure_access"]

_PER = 10_000
_MEASURES = ("gini", "theil_t", "theil_l", "atkinson")


@dataclass
class AccessTables:
    """
    Access of the population, with rows for each group.

    Parameters
    ----------
    people : pandas.DataFrame
        ``group``, ``from``, ``to``, ``unit``, ``population``, ``share`` and
        ``cumulative_share``: the population by class of distance to the nearest station. The
        last class is open and includes those without a station within the search.
    means : pandas.DataFrame
        ``group``, ``unit``, ``population``, ``population_with_none`` (within the search) and
        ``weighted_mean`` of the others.
    points : pandas.DataFrame or None
        ``group``, ``name``, ``population``, ``population_of`` (``areas``: their own column;
        ``demand``: its locations inside), ``n_sites``, ``n_points``, ``points_per_10000_people``
        and its ``class``, for each area: stations and population of the same area.
    access : geopandas.GeoDataFrame
        ``group``, ``name``, ``population``, ``in_area`` (whether it lies in the areas),
        ``nearest_km`` (or the unit of the costs) and ``access`` of each location.
    equity : pandas.DataFrame
        ``group``, ``measure``, ``value``, ``low``, ``high``.
    lorenz : pandas.DataFrame
        ``group``, ``population_share``, ``value_share``.
    """

    people: pd.DataFrame
    means: pd.DataFrame
    points: pd.DataFrame | None
    access: gpd.GeoDataFrame
    equity: pd.DataFrame
    lorenz: pd.DataFrame


def measure_access(
    demand: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame | None,
    groups: dict[str, gpd.GeoDataFrame],
    config: AccessConfig,
    *,
    costs: pd.DataFrame | None,
    clip: bool = False,
) -> AccessTables:
    """
    Measure the access of the population to each group of stations.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Points with ``population``.
    areas : geopandas.GeoDataFrame, optional
        ``name``, ``geometry`` and optionally ``population``.
    groups : dict
        Name to station table.
    config : AccessConfig
        Classes, catchments and supply.
    costs : pandas.DataFrame, optional
        Costs that replace distances.
    clip : bool
        Report only the population inside the areas; the rest still competes for supply.

    Returns
    -------
    AccessTables
        One table for each measure.

    Raises
    ------
    QueryError
        If there are no areas to clip the population to, or no population in them.
    """
    if clip and areas is None:
        raise QueryError("demand.clip = true needs areas: set area.file, area.bbox or area.country")
    demand = demand.assign(in_area=True if areas is None else _find_inside(areas, demand))
    if clip and not demand.loc[demand["in_area"], "population"].any():
        raise QueryError("demand.clip: the demand has no population inside the areas")
    parts: dict[str, list[pd.DataFrame]] = {}
    for group, members in groups.items():
        tables = _measure_group(demand, areas, members, config, costs=costs, clip=clip)
        for name, table in tables.items():
            table.insert(0, "group", group)
            parts.setdefault(name, []).append(table)
    origin = next(iter(groups.values()))
    joined = {
        name: carry(pd.concat(tables, ignore_index=True), origin) for name, tables in parts.items()
    }
    return AccessTables(**{"points": None, **joined})  # type: ignore[arg-type] # names of parts


def _measure_group(
    demand: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame | None,
    members: gpd.GeoDataFrame,
    config: AccessConfig,
    *,
    costs: pd.DataFrame | None,
    clip: bool,
) -> dict[str, Any]:
    """Measure one group of stations."""
    nearest, unit = _measure_nearest(demand, members, config, costs)
    access = accessibility(
        demand,
        members,
        config.catchment,
        method=config.method,
        decay=cast("Decay", config.decay),
        population="population",
        supply=config.supply,
        costs=costs,
        **config.options,
    )
    near = pd.arrays.FloatingArray(nearest, np.isinf(nearest))
    places = demand.assign(name=demand.index, **{f"nearest_{unit}": near, "access": access})
    told = places[places["in_area"]] if clip else places
    found = {
        "people": _count_by_class(told, unit, config.classes),
        "means": _average_distance(told, unit),
        "access": told,
        **_measure_equity(told, config.n_boot),
    }
    if areas is not None:
        found["points"] = _relate_points(demand, areas, members, config)
    return found


def _measure_nearest(
    demand: gpd.GeoDataFrame,
    members: gpd.GeoDataFrame,
    config: AccessConfig,
    costs: pd.DataFrame | None,
) -> tuple[NDArray[np.float64], str]:
    """Return the cost from each location to its nearest station, infinite without one."""
    if costs is None:
        near = nearest_stations(demand[["geometry"]], members, max_km=config.search_km)
        return near["nearest_km"].to_numpy(dtype=float, na_value=np.inf), "km"
    pairs = catchments(demand, members, np.inf, costs)
    nearest = np.full(len(demand), np.inf)
    np.minimum.at(nearest, pairs.origin, pairs.cost)
    return nearest, pairs.unit


def _take_population_and_costs(
    places: gpd.GeoDataFrame, unit: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the population of the locations and their cost to the nearest station."""
    nearest = places[f"nearest_{unit}"].to_numpy(dtype=float, na_value=np.inf)
    return places["population"].to_numpy(dtype=float), nearest


def _count_by_class(places: gpd.GeoDataFrame, unit: str, ends: list[float]) -> pd.DataFrame:
    """Sum the population by class of distance to the nearest station."""
    persons, nearest = _take_population_and_costs(places, unit)
    place = np.searchsorted(ends, nearest)
    people = np.bincount(place, persons, minlength=len(ends) + 1)
    share = people / persons.sum()
    return pd.DataFrame(
        {
            "from": [0.0, *ends],
            "to": pd.array([*ends, None], dtype="Float64"),
            "unit": unit,
            "population": people,
            "share": share,
            "cumulative_share": np.cumsum(share),
        }
    )


def _average_distance(places: gpd.GeoDataFrame, unit: str) -> pd.DataFrame:
    """Return the mean distance to the nearest station, weighted by population."""
    persons, nearest = _take_population_and_costs(places, unit)
    some = np.isfinite(nearest) & (persons > 0)
    mean = float(persons[some] @ nearest[some] / persons[some].sum()) if some.any() else np.nan
    return pd.DataFrame(
        {
            "unit": [unit],
            "population": persons.sum(),
            "population_with_none": persons[~np.isfinite(nearest)].sum(),
            "weighted_mean": mean,
        }
    )


def _measure_equity(places: gpd.GeoDataFrame, n_boot: int) -> dict[str, pd.DataFrame]:
    """Measure the equity of access; without any access the measures are missing."""
    some = places["access"].notna()
    values, weights = places.loc[some, "access"].astype(float), places.loc[some, "population"]
    if not float(values.to_numpy() @ weights.to_numpy()) > 0:
        nothing = pd.DataFrame({"measure": _MEASURES, "value": np.nan, "low": np.nan})
        return {"equity": nothing.assign(high=np.nan), "lorenz": pd.DataFrame()}
    found = equity(values, weights, n_boot=n_boot)
    return {
        "equity": found.intervals.rename_axis("measure").reset_index(),
        "lorenz": found.lorenz,
    }


def _relate_points(
    demand: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    members: gpd.GeoDataFrame,
    config: AccessConfig,
) -> pd.DataFrame:
    """Relate the charging points of each area to its population."""
    amounts, _ = supply_of(members, config.supply, config.missing_supply)
    finder = AreaFinder(areas.geometry.to_numpy())
    inside, station = finder.pairs(*_take_lonlat(members))
    n = len(areas)
    n_points = np.bincount(inside, amounts[station], minlength=n)
    population_of = "areas" if "population" in areas else "demand"
    if population_of == "areas":
        people = areas["population"].to_numpy(dtype=float)
    else:
        area, place = finder.pairs(*_take_lonlat(demand))
        people = np.bincount(area, demand["population"].to_numpy()[place], minlength=n)
    n_sites = np.bincount(inside, minlength=n)
    table = _relate_to_population(
        areas["name"].to_numpy(), people, n_sites, n_points=n_points, config=config
    )
    table.insert(2, "population_of", population_of)
    return table


def _relate_to_population(
    names: NDArray[Any],
    people: NDArray[np.float64],
    n_sites: NDArray[Any],
    *,
    n_points: NDArray[np.float64],
    config: AccessConfig,
) -> pd.DataFrame:
    """Build the table of charging points per 10,000 inhabitants."""
    nobody = np.full(len(people), np.nan)
    ratio = np.divide(n_points * _PER, people, out=nobody, where=people > 0)
    return pd.DataFrame(
        {
            "name": names,
            "population": people,
            "n_sites": n_sites.astype("int64"),
            "n_points": n_points,
            "points_per_10000_people": pd.arrays.FloatingArray(
                np.nan_to_num(ratio), np.isnan(ratio)
            ),
            "class": _name_ratio_classes(ratio, config.points_classes),
        }
    )


def _find_inside(areas: gpd.GeoDataFrame, demand: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which locations of the demand lie in the areas."""
    inside = np.zeros(len(demand), dtype=bool)
    inside[AreaFinder(areas.geometry.to_numpy()).pairs(*_take_lonlat(demand))[1]] = True
    return inside


def _take_lonlat(points: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return points.geometry.x.to_numpy(), points.geometry.y.to_numpy()


def class_names(ends: list[float]) -> list[str]:
    """
    Return the names of half-open classes, such as "1 to below 3".

    Parameters
    ----------
    ends : list of float
        Ascending.

    Returns
    -------
    list of str
        One more than there are ends.
    """
    return [
        f"below {ends[0]:g}",
        *(f"{low:g} to below {high:g}" for low, high in pairwise(ends)),
        f"{ends[-1]:g} and more",
    ]


def _name_ratio_classes(ratio: NDArray[np.float64], ends: list[float]) -> list[str | None]:
    """Return the class of each ratio; None without population."""
    names, place = class_names(ends), np.searchsorted(ends, ratio, side="right")
    return [None if np.isnan(r) else names[p] for r, p in zip(ratio, place, strict=True)]
