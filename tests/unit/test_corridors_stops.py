"""Stop plans: known answers, how far one gets, and wrong arguments."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from ocm_geo.corridors import StopPlan, locate_along, plan_stops, route_gaps
from ocm_geo.errors import QueryError
from ocm_geo.routes import route_length_km

# One degree is a unit of 111.3 km: ranges below are given in degrees.
UNIT = 111.31949079327357
EQUATOR = shapely.LineString([(0, 0), (10, 0)])


def stations(*lonlat: tuple[float, float]) -> gpd.GeoDataFrame:
    xy = np.array(lonlat, dtype=float).reshape(-1, 2)
    index = pd.Index(np.arange(1, len(xy) + 1), name="ocm_id")
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), index=index, crs="EPSG:4326")


def ids(plan: StopPlan) -> list[int]:
    return list(plan.stops.index)


def test_no_stop_where_the_battery_lasts() -> None:
    plan = plan_stops(EQUATOR, stations((5, 0)), range_km=12 * UNIT)
    assert plan.feasible
    assert ids(plan) == []
    assert plan.stranded_at_km is None
    assert plan.legs["distance_km"].tolist() == [route_length_km(EQUATOR)]


def test_the_farthest_in_reach_is_taken() -> None:
    # First hop 5 * 0.9 = 4.5 units, later ones 5 * 0.7 = 3.5.
    plan = plan_stops(EQUATOR, stations((2, 0), (4, 0), (6, 0), (7, 0), (9, 0)), range_km=5 * UNIT)
    assert ids(plan) == [2, 4]
    assert plan.stops["along_km"].tolist() == pytest.approx([4 * UNIT, 7 * UNIT])
    assert plan.stops["arrival_soc"].tolist() == pytest.approx([0.2, 0.2])
    assert plan.stops["departure_soc"].tolist() == [0.8, 0.8]


def test_legs_run_from_start_to_end() -> None:
    legs = plan_stops(EQUATOR, stations((4, 0), (7, 0)), range_km=5 * UNIT).legs
    assert legs["from_id"].tolist() == [pd.NA, 1, 2]
    assert legs["to_id"].tolist() == [1, 2, pd.NA]
    assert legs["distance_km"].tolist() == pytest.approx(np.array([4, 3, 3]) * UNIT)
    assert legs["arrival_soc"].tolist() == pytest.approx([0.2, 0.2, 0.2])
    assert legs["feasible"].all()


def test_a_hop_of_exactly_the_range_is_made() -> None:
    plan = plan_stops(EQUATOR, stations((4.5, 0), (8, 0)), range_km=5 * UNIT)
    assert plan.feasible
    assert ids(plan) == [1, 2]


def test_stranded_before_the_next_station() -> None:
    plan = plan_stops(EQUATOR, stations((4, 0), (8.5, 0), (9, 0)), range_km=5 * UNIT)
    assert not plan.feasible
    assert ids(plan) == [1]
    assert plan.stranded_at_km == pytest.approx(7.5 * UNIT)
    failing = plan.legs.iloc[-1]
    assert (failing["from_id"], failing["to_id"], failing["feasible"]) == (1, 2, False)
    assert failing["distance_km"] == pytest.approx(4.5 * UNIT)
    assert failing["arrival_soc"] == pytest.approx(-0.1)


def test_stranded_before_the_end() -> None:
    plan = plan_stops(EQUATOR, stations((4, 0)), range_km=5 * UNIT)
    assert plan.legs["to_id"].tolist() == [1, pd.NA]
    assert plan.legs["feasible"].tolist() == [True, False]


def test_no_stations_at_all() -> None:
    plan = plan_stops(EQUATOR, stations(), range_km=5 * UNIT)
    assert not plan.feasible
    assert plan.stranded_at_km == pytest.approx(4.5 * UNIT)
    assert plan.legs["distance_km"].tolist() == [route_length_km(EQUATOR)]


def test_a_stop_soon_after_a_full_start_helps_no_one() -> None:
    plan = plan_stops(EQUATOR, stations((0.5, 0)), range_km=5 * UNIT)
    assert ids(plan) == []
    assert plan.stranded_at_km == pytest.approx(4.5 * UNIT)


def test_a_nearly_empty_start_charges_at_once() -> None:
    plan = plan_stops(EQUATOR, stations((0, 0), (7, 0)), range_km=10 * UNIT, start_soc=0.15)
    assert plan.feasible
    assert ids(plan) == [1, 2]
    assert plan.stops["arrival_soc"].iloc[0] == pytest.approx(0.15)


def test_detours_count_both_ways() -> None:
    # 4.4 units along and 0.2 off: in reach without the way there, out of reach with it.
    table = stations((4, 0), (4.4, 0.2), (7.2, 0))
    assert ids(plan_stops(EQUATOR, table, range_km=5 * UNIT, within_km=30)) == [2, 3]
    plan = plan_stops(EQUATOR, table, range_km=5 * UNIT, detours=True)
    assert ids(plan) == [1, 3]
    assert plan.legs["distance_km"].sum() == pytest.approx(route_length_km(EQUATOR))


def test_of_equally_few_stops_the_least_detour() -> None:
    table = stations((4, 0.2), (4, 0.01), (6.8, 0.1), (6.9, 0.02))
    plan = plan_stops(EQUATOR, table, range_km=5 * UNIT, detours=True)
    assert ids(plan) == [2, 4]
    driven = plan.legs["distance_km"].sum() - route_length_km(EQUATOR)
    assert driven == pytest.approx(2 * plan.stops["offset_km"].sum())


def test_stranded_with_detours() -> None:
    plan = plan_stops(EQUATOR, stations((4, 0.1), (7.4, 0.1)), range_km=5 * UNIT, detours=True)
    assert not plan.feasible
    assert ids(plan) == [1]
    off = plan.stops["offset_km"].iloc[0]
    assert plan.stranded_at_km == pytest.approx(7.5 * UNIT - off)
    assert plan.legs["to_id"].iloc[-1] == 2


def test_which_stations_are_near_enough() -> None:
    far = stations((4, 0.1), (7, 0.1))
    assert not plan_stops(EQUATOR, far, range_km=5 * UNIT).feasible
    assert plan_stops(EQUATOR, far, range_km=5 * UNIT, within_km=12).feasible
    assert plan_stops(EQUATOR, far, range_km=5 * UNIT, detours=True).feasible
    asked = locate_along(far, EQUATOR, within_km=12)
    assert plan_stops(EQUATOR, asked, range_km=5 * UNIT).feasible


def test_a_route_that_comes_back_may_stop_twice_at_one_place() -> None:
    shuttle = shapely.LineString([(0, 0), (5, 0), (0, 0)])
    plan = plan_stops(shuttle, stations((3, 0.01)), range_km=5.8 * UNIT)
    assert ids(plan) == [1, 1]
    assert len(route_gaps(shuttle, stations((3, 0.01)))) == 3


def test_the_plan_is_frozen_and_tells_its_question() -> None:
    plan = plan_stops(EQUATOR, stations((4, 0)), range_km=600, reserve=0.05)
    assert plan.stops.attrs["ocm"]["plan"]["reserve"] == 0.05
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.feasible = False  # type: ignore[misc]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"range_km": 0}, "range_km"),
        ({"range_km": "300"}, "range_km"),
        ({"range_km": 300, "reserve": 10}, "reserve must be a number from 0 to 1"),
        ({"range_km": 300, "charge_to": 80}, "charge_to"),
        ({"range_km": 300, "start_soc": -0.1}, "start_soc"),
        ({"range_km": 300, "reserve": 0.8}, "charge_to=0.8 must be greater"),
        ({"range_km": 300, "start_soc": 0.1}, "start_soc=0.1 must be greater"),
        ({"range_km": 300, "within_km": -1}, "within_km"),
    ],
)
def test_wrong_arguments(options: dict[str, Any], told: str) -> None:
    with pytest.raises(QueryError, match=told):
        plan_stops(EQUATOR, stations((4, 0)), **options)
