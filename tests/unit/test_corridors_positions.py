"""Corridor outlines and positions along a route: known answers, tables kept, wrong arguments."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import geopandas as gpd
import numpy as np
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from pyproj import Geod

from ocm_geo.corridors import corridor, locate_along
from ocm_geo.errors import QueryError, RouteError

GEOD = Geod(ellps="WGS84")
EQUATOR = shapely.LineString([(5, 0), (6, 0)])
OVER_180 = shapely.LineString([(178, 70), (179.5, 70.2), (-179, 70.1), (-177.5, 70)])
CROSSING = shapely.LineString([(5, 52), (5.5, 52), (5.5, 52.3), (5.2, 52.3), (5.2, 51.8)])
ANGLE = np.linspace(0, 2 * np.pi, 60)
LOOP = shapely.LineString(np.column_stack([20 + np.cos(ANGLE), 69 + 0.4 * np.sin(ANGLE)]))
SHUTTLE = shapely.LineString([(5, 0), (6, 0), (5, 0)])


def stations(*lonlat: tuple[float, float]) -> gpd.GeoDataFrame:
    ids = np.arange(11, 11 + len(lonlat))
    xy = np.array(lonlat, dtype=float).reshape(-1, 2)
    table = gpd.GeoDataFrame(
        {"title": [f"site {i}" for i in ids]}, geometry=gpd.points_from_xy(*xy.T), crs="EPSG:4326"
    ).set_index(ids)
    table.index.name = "ocm_id"
    table.attrs["ocm"] = {"source": "made"}
    return table


def samples(route: shapely.LineString, step_km: float) -> np.ndarray:
    """Places along the geodesic edges."""
    xy = shapely.get_coordinates(route)
    pieces = [xy[:1]]
    for (x0, y0), (x1, y1) in pairwise(xy):
        n = int(GEOD.inv(x0, y0, x1, y1)[2] / 1000 / step_km) + 1
        pieces += [np.array(GEOD.npts(x0, y0, x1, y1, n)).reshape(-1, 2), [[x1, y1]]]
    return np.concatenate(pieces)


def distance_km(lon: float, lat: float, places: np.ndarray) -> float:
    n = len(places)
    return float(np.min(GEOD.inv(np.full(n, lon), np.full(n, lat), *places.T)[2])) / 1000


@pytest.mark.parametrize("within_km", [1, 10])
@pytest.mark.parametrize(
    "route", [EQUATOR, OVER_180, CROSSING, LOOP], ids=["equator", "180", "crossing", "loop"]
)
def test_the_outline_is_at_the_distance(route: shapely.LineString, within_km: float) -> None:
    ground = corridor(route, within_km).geometry.iloc[0]
    assert ground.is_valid
    outline = shapely.get_coordinates(ground.boundary)
    # Where a split outline runs along the antimeridian, it is inside.
    outline = outline[np.abs(outline[:, 0]) < 179.999][:: max(len(outline) // 60, 1)]
    # With 0.02 of the distance between samples the nearest is 0.005 % too far at most.
    places = samples(route, within_km / 50)
    away = [distance_km(x, y, places) for x, y in outline]
    assert np.allclose(away, within_km, rtol=1e-3)


def test_the_row_says_how_long_and_large() -> None:
    row = corridor(EQUATOR, 5).iloc[0]
    assert row["within_km"] == 5
    assert row["length_km"] == pytest.approx(GEOD.geometry_length(EQUATOR) / 1000, abs=1e-9)
    assert row["area_km2"] == pytest.approx(2 * 5 * row["length_km"] + np.pi * 25, rel=2e-3)


def test_a_loop_keeps_its_hole_and_a_corridor_over_180_is_split() -> None:
    assert len(corridor(LOOP, 5).geometry.iloc[0].interiors) == 1
    parts = corridor(OVER_180, 5).geometry.iloc[0]
    assert parts.geom_type == "MultiPolygon"
    assert (parts.bounds[0], parts.bounds[2]) == (-180, 180)


@pytest.mark.parametrize("within_km", [0, -1, float("nan"), float("inf"), "5", True, 30000])
def test_widths_that_are_none(within_km: float) -> None:
    with pytest.raises(QueryError, match="within_km"):
        corridor(EQUATOR, within_km)
    with pytest.raises(QueryError, match="within_km"):
        locate_along(stations((5, 0)), EQUATOR, within_km=within_km)


def test_kilometre_distance_and_side() -> None:
    at = locate_along(stations((5.25, 0.01), (5.5, -0.02), (5.75, 0), (4.9, 0)), EQUATOR)
    assert at["along_km"].tolist() == pytest.approx([27.83, 55.66, 83.49, 0], abs=0.01)
    assert at["offset_km"].tolist() == pytest.approx([1.1057, 2.2115, 0, 11.132], abs=1e-3)
    assert at["side"].tolist()[:3] == ["left", "right", "on"]


def test_the_reverse_swaps_sides_and_counts_from_the_other_end() -> None:
    points = stations((5.25, 0.01), (5.5, -0.02))
    there, back = locate_along(points, EQUATOR), locate_along(points, shapely.reverse(EQUATOR))
    assert back["side"].tolist() == ["right", "left"]
    assert (there["along_km"] + back["along_km"]).tolist() == pytest.approx([111.3195] * 2)


def test_rows_index_order_and_provenance_are_kept() -> None:
    points = stations((5.9, 0.01), (5.1, 0.01), (5.5, 1), (5.3, -0.01))
    before = points.copy(deep=True)
    near = locate_along(points, EQUATOR, within_km=2)
    assert near.index.tolist() == [11, 12, 14]
    assert near.index.name == "ocm_id"
    assert near["title"].tolist() == ["site 11", "site 12", "site 14"]
    assert near.attrs["ocm"] == {"source": "made", "located": {"within_km": 2.0}}
    assert_geodataframe_equal(points, before)


def test_all_passages_repeat_the_index() -> None:
    at = locate_along(stations((5.25, 0.01), (5.99, 0.0)), SHUTTLE, within_km=5, passages="all")
    # The second is passed once: the route stays near it while it turns round.
    assert at.index.tolist() == [11, 11, 12]
    assert at["along_km"].tolist()[:2] == pytest.approx([27.83, 194.81], abs=0.01)
    assert at["side"].tolist()[:2] == ["left", "right"]


def test_older_measures_are_replaced() -> None:
    first = locate_along(stations((5.25, 0.01)), EQUATOR)
    again = locate_along(first, shapely.reverse(EQUATOR))
    assert list(again.columns) == list(first.columns)
    assert again["side"].tolist() == ["right"]


def test_projected_points_with_another_geometry_name() -> None:
    points = stations((5.25, 0.01)).to_crs("EPSG:3857").rename_geometry("where")
    at = locate_along(points, gpd.GeoSeries([EQUATOR], crs="EPSG:4326").to_crs("EPSG:3857"))
    assert at.crs == "EPSG:4326"
    assert at.geometry.name == "geometry"
    assert at["offset_km"].iloc[0] == pytest.approx(1.1057, abs=1e-3)


def test_a_series_of_points() -> None:
    points = gpd.GeoSeries([shapely.Point(5.5, 0.01)], index=["inn"], crs="EPSG:4326")
    at = locate_along(points, EQUATOR)
    assert list(at.columns) == ["geometry", "along_km", "offset_km", "side"]
    assert at.index.tolist() == ["inn"]


@pytest.mark.parametrize("passages", ["nearest", "all"])
def test_no_points_give_the_same_columns(passages: Literal["nearest", "all"]) -> None:
    points = stations((5.5, 0))
    full = locate_along(points, EQUATOR)
    none = locate_along(points.iloc[:0], EQUATOR, within_km=5, passages=passages)
    assert len(none) == 0
    assert none.dtypes.to_dict() == full.dtypes.to_dict()
    assert none.crs == "EPSG:4326"


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (gpd.GeoSeries([shapely.Point(5, 0)]), "coordinate reference system"),
        (gpd.GeoSeries([shapely.Point(5, 0), None], crs=4326), "1 of 2 rows are not points"),
        (gpd.GeoSeries([shapely.Point()], crs=4326), "rows are not points"),
        (gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=4326), "representative_point"),
        ([shapely.Point(5, 0)], "not the list"),
    ],
)
def test_points_that_are_none(points: gpd.GeoSeries, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        locate_along(points, EQUATOR)


def test_passages_must_be_one_of_two_and_all_needs_a_distance() -> None:
    with pytest.raises(QueryError, match="'nearest' or 'all'"):
        locate_along(stations((5, 0)), EQUATOR, within_km=5, passages="both")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="needs within_km"):
        locate_along(stations((5, 0)), EQUATOR, passages="all")


def test_a_point_is_no_route() -> None:
    with pytest.raises(RouteError):
        locate_along(stations((5, 0)), shapely.Point(5, 0))
