"""Gaps along a route: known answers and edge cases."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from ocm_geo.corridors import locate_along, route_gaps
from ocm_geo.errors import QueryError
from ocm_geo.routes import route_length_km, route_reverse
from tests.unit.standards.made import site, table

KM_PER_DEGREE = 111.31949079327357
EQUATOR = shapely.LineString([(0, 0), (4, 0)])
SHUTTLE = shapely.LineString([(0, 0), (4, 0), (0, 0)])
OVER_180 = shapely.LineString([(178, 70), (179.5, 70.2), (-179, 70.1), (-177.5, 70)])


def stations(
    *lon: float, lat: float = 0.01, power: list[float | None] | None = None
) -> gpd.GeoDataFrame:
    geometry = gpd.points_from_xy(lon, np.full(len(lon), lat), crs="EPSG:4326")
    column = pd.array(power or [50.0] * len(lon), dtype="Float64")
    table = gpd.GeoDataFrame({"max_power_kw": column}, geometry=geometry)
    table.index = pd.Index(np.arange(1, len(lon) + 1), name="ocm_id")
    table.attrs["ocm"] = {"source": "made"}
    return table


def test_from_start_to_end() -> None:
    gaps = route_gaps(EQUATOR, stations(3, 1))
    assert gaps["from_id"].tolist() == [pd.NA, 2, 1]
    assert gaps["to_id"].tolist() == [2, 1, pd.NA]
    assert gaps["length_km"].tolist() == pytest.approx(np.array([1, 2, 1]) * KM_PER_DEGREE)
    assert gaps["start_km"].iloc[0] == 0
    assert gaps["end_km"].iloc[-1] == route_length_km(EQUATOR)
    assert str(gaps["from_id"].dtype) == str(gaps["to_id"].dtype) == "Int64"


def test_pieces_are_the_route_between() -> None:
    gaps = route_gaps(EQUATOR, stations(1, 3))
    assert gaps.crs == "EPSG:4326"
    lengths = [route_length_km(piece) for piece in gaps.geometry]
    assert lengths == pytest.approx(gaps["length_km"].tolist(), abs=1e-6)
    assert gaps.geometry.iloc[0].coords[0] == (0, 0)
    assert gaps.geometry.iloc[-1].coords[-1] == (4, 0)


@pytest.mark.parametrize("table", [stations(), stations(1, lat=1), stations(1, power=[None])])
def test_without_a_station_the_route_is_one_gap(table: gpd.GeoDataFrame) -> None:
    gaps = route_gaps(EQUATOR, table, min_power_kw=50)
    assert len(gaps) == 1
    assert gaps[["from_id", "to_id"]].isna().all(axis=None)
    assert gaps["length_km"].iloc[0] == route_length_km(EQUATOR)
    assert gaps.geometry.iloc[0] == EQUATOR


def test_power_and_distance_decide_what_counts() -> None:
    table = stations(1, 2, 3, power=[49.9, 50, None])
    assert route_gaps(EQUATOR, table, min_power_kw=50)["to_id"].tolist() == [2, pd.NA]
    assert len(route_gaps(EQUATOR, table, within_km=1.106)) == 4
    assert len(route_gaps(EQUATOR, table, within_km=1.105)) == 1


def test_a_route_that_comes_back_counts_every_passage() -> None:
    gaps = route_gaps(SHUTTLE, stations(1))
    assert gaps["to_id"].tolist() == [1, 1, pd.NA]
    assert gaps["length_km"].tolist() == pytest.approx(np.array([1, 6, 1]) * KM_PER_DEGREE)


def test_stations_at_the_ends_and_at_one_place_give_gaps_of_no_length() -> None:
    gaps = route_gaps(EQUATOR, stations(-0.01, 2, 2, 4.01))
    assert gaps["length_km"].tolist() == pytest.approx(
        np.array([0, 2, 0, 2, 0]) * KM_PER_DEGREE, abs=1e-9
    )
    assert gaps.geometry.is_valid.all()
    assert gaps.geometry.is_empty.sum() == 3


def test_the_other_direction_has_the_same_gaps() -> None:
    there, back = (route_gaps(r, stations(0.5, 3)) for r in (EQUATOR, route_reverse(EQUATOR)))
    assert back["length_km"].tolist()[::-1] == pytest.approx(there["length_km"].tolist())
    assert back["from_id"].tolist() == there["to_id"].tolist()[::-1]


def test_over_the_antimeridian() -> None:
    table = stations(179.9, -179.9, lat=70.15)
    gaps = route_gaps(OVER_180, table, within_km=10)
    assert gaps["length_km"].sum() == pytest.approx(route_length_km(OVER_180))
    # 0.2 degrees of longitude at 70.15 north are 7.58 km, the route is 11 degrees off the parallel.
    assert gaps["length_km"].iloc[1] == pytest.approx(7.58 * np.cos(np.radians(11)), abs=0.02)
    assert gaps.geometry.iloc[1].length < 1


def test_an_answer_for_the_route_is_located_anew() -> None:
    near = locate_along(stations(1, 3), EQUATOR, within_km=5)
    assert route_gaps(EQUATOR, near).equals(route_gaps(EQUATOR, stations(1, 3)))


def test_numbers_may_be_a_column() -> None:
    table = stations(1, 3).reset_index()
    assert route_gaps(EQUATOR, table)["to_id"].tolist() == [1, 2, pd.NA]


def test_provenance_and_question_are_kept() -> None:
    told = route_gaps(EQUATOR, stations(1), within_km=3, min_power_kw=20).attrs["ocm"]
    assert told["source"] == "made"
    assert told["gaps"]["within_km"] == 3
    assert told["gaps"]["min_power_kw"] == 20


@pytest.mark.parametrize(
    ("table", "options", "told"),
    [
        (stations(1).drop(columns="max_power_kw"), {"min_power_kw": 50}, "max_power_kw"),
        (stations(1), {"min_power_kw": -1}, "min_power_kw"),
        (stations(1), {"min_power_kw": "50"}, "min_power_kw"),
        (stations(1), {"within_km": 0}, "within_km"),
        (stations(1), {"min_points": 0}, "min_points"),
        (stations(1), {"min_points": 2}, "n_points"),
        (stations(1), {"connection_types": 33}, "connections"),
        (stations(1), {"max_results": 3}, "max_results"),
        (stations(1), {"drive_on": "top"}, "drive_on"),
        (stations(1).set_crs(None, allow_override=True), {}, "coordinate reference system"),
    ],
)
def test_wrong_arguments(table: gpd.GeoDataFrame, options: dict[str, Any], told: str) -> None:
    with pytest.raises(QueryError, match=told):
        route_gaps(EQUATOR, table, **options)


CCS = {"PowerKW": 150.0, "CurrentTypeID": 30, "ConnectionTypeID": 33, "Quantity": 2}
SITES = table(
    [
        site(1, (1, 0.01), CCS, {"PowerKW": 11.0, "ConnectionTypeID": 25}),
        site(2, (2, -0.01), {**CCS, "PowerKW": 50.0}, NumberOfPoints=1),
        site(3, (3, 0.01), CCS, UsageTypeID=2, StatusTypeID=150),
    ]
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"min_power_kw": 150, "connection_types": "CCS (Type 2)"}, [1, 3]),
        ({"min_power_kw": 150, "connection_types": 25}, []),
        ({"usage_types": "Public"}, [1, 2]),
        ({"status_types": 50, "min_power_kw": 150}, [1]),
        ({"min_points": 2}, [1, 3]),
        ({"min_points": 3}, [1]),
        ({"min_points": 1, "min_power_kw": 51}, [1, 3]),
    ],
)
def test_what_qualifies(filters: dict[str, Any], expected: list[int]) -> None:
    gaps = route_gaps(EQUATOR, SITES, **filters)
    assert gaps["from_id"].dropna().tolist() == expected
    read_back = gpd.GeoDataFrame(SITES.reset_index())
    again = route_gaps(EQUATOR, read_back, **filters)
    assert again.drop(columns="geometry").equals(gaps.drop(columns="geometry"))


def test_directions_have_the_stations_of_their_side() -> None:
    gaps = route_gaps(EQUATOR, SITES, drive_on="right")
    passed = gaps.groupby("direction")["from_id"].apply(lambda ids: ids.dropna().tolist())
    assert passed.to_dict() == {"forward": [2], "reverse": [1, 3]}
    british = route_gaps(EQUATOR, SITES, drive_on="left")
    assert british.loc[british["direction"] == "forward", "from_id"].dropna().tolist() == [1, 3]
    lengths = gaps.groupby("direction")["length_km"].sum()
    assert lengths.to_numpy() == pytest.approx([4 * KM_PER_DEGREE] * 2)
