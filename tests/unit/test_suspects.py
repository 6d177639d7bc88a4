from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.suspects import warn_if_far, warn_if_watts

if TYPE_CHECKING:
    from collections.abc import Callable


def swapped(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    shapes = shapely.transform(table.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    return table.set_geometry(gpd.GeoSeries(shapes, table.index, crs=4326))


@dataclass
class World:
    """Areas, points with people, a route and stations."""

    areas: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame
    route: shapely.LineString
    stations: gpd.GeoDataFrame


@pytest.fixture(scope="module")
def world() -> World:
    areas = ocm.sample_areas().head(5)
    towns = areas.set_geometry(areas.representative_point())
    stations = ocm.stations(source=ocm.sample(), countries=["NL", "BE", "DE"])
    return World(areas, towns, ocm.sample_route(), stations)


# Each takes areas, points with people, a route and stations.
MEASURES: dict[str, Callable[[World], Any]] = {
    "nearest": lambda w: ocm.nearest_stations(w.towns, w.stations),
    "nearest within": lambda w: ocm.nearest_stations(w.towns, w.stations, 2, max_km=100),
    "coverage": lambda w: ocm.coverage(w.areas, w.stations, 5),
    "coverage bounds": lambda w: ocm.coverage(w.areas, w.stations, 5, bounds=True),
    "coverage of points": lambda w: ocm.coverage(w.areas, w.stations, 5, population=w.towns),
    "density": lambda w: ocm.density(w.areas, w.stations),
    "grid": lambda w: ocm.coverage_grid(w.areas.head(1), w.stations, 10, within_km=5),
    "access": lambda w: ocm.accessibility(w.towns, w.stations, 30, population="population"),
    "siting": lambda w: ocm.suggest_sites(w.towns, w.towns, w.stations, 1, within_km=10),
    "gaps": lambda w: ocm.route_gaps(w.route, w.stations),
    "stops": lambda w: ocm.plan_stops(w.route, w.stations, range_km=300),
    "located": lambda w: ocm.locate_along(w.stations, w.route, within_km=5),
    "detours": lambda w: ocm.locate_along(w.stations, w.route, within_km=900),
}


@pytest.mark.parametrize("name", MEASURES)
def test_swapped_axes_on_either_side_are_told(world: World, name: str) -> None:
    w, measure = world, MEASURES[name]
    flipped = shapely.transform(w.route, lambda xy: xy[:, ::-1])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ocm.OutsideData)
        with pytest.warns(ocm.SuspectInput, match="probably swapped"):
            measure(World(swapped(w.areas), swapped(w.towns), flipped, w.stations))
        with pytest.warns(ocm.SuspectInput, match="probably swapped"):
            measure(replace(w, stations=swapped(w.stations)))


@pytest.mark.parametrize("name", MEASURES)
def test_usual_input_is_not_suspected(world: World, name: str) -> None:
    w = world
    with warnings.catch_warnings():
        warnings.simplefilter("error", ocm.SuspectInput)
        warnings.filterwarnings("ignore", category=ocm.OutsideData)
        MEASURES[name](w)
        # No station near, but some within a day's drive: that may well be so.
        far = w.stations[w.stations.geometry.y > 53.2]
        MEASURES[name](replace(w, stations=far))


def test_far_for_another_reason_is_told_otherwise(world: World) -> None:
    chile = gpd.GeoSeries.from_xy([-70.6], [-33.4], crs=4326)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ocm.OutsideData)
        with pytest.warns(ocm.SuspectInput, match="check the positions") as told:
            ocm.nearest_stations(chile, world.stations)
    assert "swapped" not in str(told[-1].message)


def test_one_near_position_among_many_is_enough() -> None:
    index = ocm.geodesy.PointIndex([5.0], [52.0])
    many = np.column_stack([np.full(100, -70.0), np.full(100, -33.0)])
    with pytest.warns(ocm.SuspectInput):
        warn_if_far("points", many, index)
    warn_if_far("points", np.vstack([many, [6, 52]]), index)
    warn_if_far("points", many[:0], index)
    warn_if_far("points", many, ocm.geodesy.PointIndex([], []))


def test_powers_in_watts(world: World) -> None:
    watts = world.stations.assign(total_power_kw=lambda t: 1000 * t["total_power_kw"].fillna(11))
    measures: tuple[Any, ...] = (
        lambda s: ocm.density(world.areas, s),
        lambda s: ocm.accessibility(
            world.towns, s, 30, population="population", supply="total_power_kw"
        ),
    )
    for measure in measures:
        with pytest.warns(ocm.SuspectInput, match="'total_power_kw'.*divide them by 1,000"):
            measure(watts)
    # Truck stops of 40 points are no watts.
    warn_if_watts(pd.DataFrame({"total_power_kw": [2900.0, 40_000.0, 350.0]}), "total_power_kw")
    warn_if_watts(pd.DataFrame({"n_points": [9000.0]}), "n_points")


METRES: dict[str, Callable[[World], Any]] = {
    "radius_km": lambda _: ocm.stations_from_point((4.9, 52.37), 5000, source=ocm.sample()),
    "within_km": lambda w: ocm.stations_from_route(w.route, 5000, source=ocm.sample()),
    "coverage": lambda w: ocm.coverage(w.areas.head(1), w.stations, [5, 5000]),
    "max_km": lambda w: ocm.nearest_stations(w.towns, w.stations, max_km=5000),
    "catchment_km": lambda w: ocm.accessibility(w.towns, w.stations, 5000, population="population"),
    "siting": lambda w: ocm.suggest_sites(w.towns, w.towns, w.stations, 1, within_km=5000),
    "service": lambda w: ocm.service_areas(w.stations.head(2), 5000),
    "corridor": lambda w: ocm.corridor(w.route, 5000),
    "gaps": lambda w: ocm.route_gaps(w.route, w.stations, within_km=5000),
    "range_km": lambda w: ocm.plan_stops(w.route, w.stations, range_km=5000),
    "grid": lambda w: ocm.coverage_grid(w.areas.head(1), w.stations, 50, within_km=5000),
}


@pytest.mark.parametrize("name", METRES)
def test_metres_for_kilometres_are_told(world: World, name: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ocm.OutsideData)
        with pytest.warns(ocm.SuspectInput, match=r"5000 m pass \w+=5$"):
            METRES[name](world)


UNITS = {"minutes": 1.0, "drive_s": 1 / 60, "seconds": 1 / 60, "hours": 60.0, "duration": 1.0}


@pytest.mark.parametrize("unit", UNITS)
def test_costs_of_durations_are_converted_to_the_unit_of_their_name(
    world: World, unit: str
) -> None:
    few = world.stations.head(20)
    pairs = pd.MultiIndex.from_product(
        [world.towns.index, few.index], names=["origin", "ocm_id"]
    ).to_frame(index=False)
    minutes = np.arange(len(pairs)) % 50 + 5.0
    numbers, durations = pairs.copy(), pairs.copy()
    numbers[unit] = minutes / UNITS[unit]
    durations[unit] = pd.to_timedelta(minutes, unit="min")

    def access(costs: pd.DataFrame, within: Any) -> pd.Series[float]:
        found: pd.Series[float] = ocm.accessibility(
            world.towns, few, within, population="population", costs=costs
        )
        return found

    want = access(numbers, 30 / UNITS[unit])
    assert want.max() > 0
    halves: list[Any] = [30 / UNITS[unit], dt.timedelta(minutes=30), pd.Timedelta("30min")]
    for half_hour in halves:
        for costs in (numbers, durations):
            pd.testing.assert_series_equal(access(costs, half_hour), want, rtol=1e-12)


def test_costs_that_are_dates_or_flags_are_refused(world: World) -> None:
    few = world.stations.head(1)
    costs = pd.DataFrame({"origin": world.towns.index[:2], "ocm_id": few.index[0]})
    wrong: list[Any] = [pd.to_datetime(["2024", "2025"]), [True, False], [dt.time(0, 5)] * 2]
    for values in wrong:
        with pytest.raises(ocm.QueryError, match="'minutes' must be a column of numbers"):
            ocm.accessibility(
                world.towns, few, 30, population="population", costs=costs.assign(minutes=values)
            )
