from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.geodesy import area_km2

GEOD = pyproj.Geod(ellps="WGS84")
RNG = np.random.default_rng(20)


def sites(lon: list[float], lat: list[float]) -> gpd.GeoDataFrame:
    index = pd.Index(range(101, 101 + len(lon)), name="ocm_id")
    frame = pd.DataFrame({"n_connectors": 2, "total_power_kw": 50.0}, index=index)
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def box(*bounds: float) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.box(*bounds)], crs="EPSG:4326")


def test_nearest_agrees_with_pyproj_on_every_pair() -> None:
    points = sites(RNG.uniform(-180, 180, 60).tolist(), RNG.uniform(-89, 89, 60).tolist())
    stations = sites(RNG.uniform(-180, 180, 80).tolist(), RNG.uniform(-89, 89, 80).tolist())
    found = ocm.nearest_stations(points, stations)
    for (_, row), point in zip(found.iterrows(), points.geometry, strict=True):
        n = len(stations)
        _, _, metres = GEOD.inv(
            [point.x] * n, [point.y] * n, stations.geometry.x, stations.geometry.y
        )
        assert row["ocm_id"] == stations.index[np.argmin(metres)]
        assert row["nearest_km"] == pytest.approx(min(metres) / 1000, abs=1e-6)


def test_nearest_within_a_limit_is_missing_beyond_it() -> None:
    found = ocm.nearest_stations(sites([0, 50], [0, 0]), sites([0.01], [0]), max_km=2)
    assert found["ocm_id"].isna().tolist() == [False, True]
    assert found["nearest_km"].isna().tolist() == [False, True]


def test_nearest_of_several_is_long_and_ranked() -> None:
    points = sites([0], [0]).to_crs("EPSG:3857")
    found = ocm.nearest_stations(points, sites([2, 1, 3], [0, 0, 0]), k=2)
    assert found["ocm_id"].tolist() == [102, 101]
    assert found["rank"].tolist() == [1, 2]
    assert found.crs == "EPSG:4326"
    assert found.geometry.x.tolist() == pytest.approx([0, 0])


def test_nearest_of_no_stations_is_missing() -> None:
    found = ocm.nearest_stations(sites([0], [0]), sites([], []), k=3)
    assert found["ocm_id"].isna().tolist() == [True]


@pytest.mark.parametrize("k", [0, -1, 1.5, True])
def test_nearest_needs_a_whole_number(k: int) -> None:
    with pytest.raises(ocm.QueryError, match="k must be"):
        ocm.nearest_stations(sites([0], [0]), sites([0], [0]), k)


@pytest.mark.parametrize("lat", [0.0, 52.0, 70.0, 85.0])
@pytest.mark.parametrize("km", [1.0, 10.0, 100.0])
def test_a_service_area_has_the_area_of_its_circle(lat: float, km: float) -> None:
    # A geodesic disc of this size is flat to (km / 6371)**2 / 12, far below the tolerance.
    table = ocm.service_areas(sites([179.99], [lat]), km)
    assert table["area_km2"].iloc[0] == pytest.approx(np.pi * km**2, rel=3e-4)


def test_service_areas_dissolve_overlaps() -> None:
    stations = sites([5.0, 5.0, 5.001], [52.0, 52.0, 52.0])
    apart = ocm.service_areas(stations, 5, dissolve=False)
    assert apart.index.tolist() == [101, 102, 103]
    united = ocm.service_areas(stations, 5)
    assert len(united) == 1
    assert united["area_km2"].iloc[0] < apart["area_km2"].sum() / 2


def test_areas_with_straight_lonlat_edges_are_measured_exactly() -> None:
    # Between parallels the area is a closed form of the authalic latitude; here from EPSG:6933
    # coordinates of the corners alone, which is exact for a box.
    flat = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:6933", always_xy=True)
    (west, south), (east, north) = flat.transform(0, 40), flat.transform(60, 70)
    expected = (east - west) * (north - south) / 1e6
    assert area_km2(np.array([shapely.box(0, 40, 60, 70)]))[0] == pytest.approx(expected)


def test_coverage_of_a_box_agrees_with_counting_points() -> None:
    area, stations = box(4, 51, 6, 53), sites([4.2, 5.1, 5.15, 6.2], [51.2, 52.0, 52.02, 52.8])
    table = ocm.coverage(area, stations, [20, 5])
    lon, lat = RNG.uniform(4, 6, 40_000), RNG.uniform(51, 53, 40_000)
    weight = np.cos(np.radians(lat))
    nearest = np.min(
        [
            GEOD.inv(np.full_like(lon, s.x), np.full_like(lat, s.y), lon, lat)[2]
            for s in stations.geometry
        ],
        axis=0,
    )
    for km, share in zip(table["within_km"], table["area_share"], strict=True):
        counted = weight[nearest <= km * 1000].sum() / weight.sum()
        assert share == pytest.approx(counted, abs=0.01)
    assert table["within_km"].tolist() == [5, 20]


def test_coverage_of_people_at_points_is_by_exact_distance() -> None:
    points = sites([5.0, 5.0, 5.0], [52.0, 52.044, 52.046])
    points["population"] = [10, 20, 70]
    # 0.045 degrees of latitude at 52 N are 5.0066 km: 5 km ends between the last two.
    table = ocm.coverage(box(4, 51, 6, 53), sites([5.0], [52.0]), 5, population=points)
    assert table["population"].tolist() == [100]
    assert table["population_covered"].tolist() == [30]
    assert table["population_share"].tolist() == [0.3]


def test_coverage_spreads_people_evenly_over_an_area() -> None:
    area = box(4, 51, 6, 53).assign(people=1000)
    table = ocm.coverage(area, sites([5.0], [52.0]), 30, population="people")
    expected = 1000 * table["area_share"].iloc[0]
    assert table["population_covered"].iloc[0] == pytest.approx(expected)


def test_coverage_without_stations_or_people() -> None:
    table = ocm.coverage(box(0, 0, 1, 1).assign(people=0), sites([], []), 5, population="people")
    assert table["covered_km2"].tolist() == [0]
    assert table["population_share"].isna().all()


def test_coverage_repairs_invalid_outlines_and_says_so() -> None:
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    areas = gpd.GeoDataFrame(geometry=[bow_tie], crs="EPSG:4326")
    with pytest.warns(ocm.DroppedRows, match="repaired"):
        table = ocm.coverage(areas, sites([0.5], [0.9]), 500)
    assert table["area_share"].iloc[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("areas", "message"),
    [
        (gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)]), "coordinate reference system"),
        (sites([0], [0]), "not polygons"),
        ([shapely.box(0, 0, 1, 1)], "GeoDataFrame"),
    ],
)
def test_wrong_areas_are_refused(areas: gpd.GeoDataFrame, message: str) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        ocm.coverage(areas, sites([0], [0]), 5)


@pytest.mark.parametrize("people", [[-1.0], [np.nan]])
def test_wrong_people_are_refused(people: list[float]) -> None:
    with pytest.raises(ocm.QueryError, match="missing, negative"):
        ocm.coverage(box(0, 0, 1, 1).assign(p=people), sites([0], [0]), 5, population="p")


def test_density_counts_and_relates() -> None:
    areas = pd.concat([box(0, 0, 1, 1), box(1, 0, 2, 1)], ignore_index=True).assign(p=[2000, 0])
    roads = gpd.GeoSeries([shapely.LineString([(0, 0.5), (2, 0.5)])], crs="EPSG:4326")
    table = ocm.density(areas, sites([0.5, 0.6], [0.5, 0.5]), population="p", roads=roads)
    assert table["n_sites"].tolist() == [2, 0]
    assert table["n_connectors"].tolist() == [4, 0]
    assert table["sites_per_1000_people"].tolist() == [1, pd.NA]
    metres = GEOD.inv(0, 0.5, 1, 0.5)[2]
    assert table["road_km"].iloc[0] == pytest.approx(metres / 1000, rel=1e-4)
    assert table["sites_per_100_km"].iloc[0] == pytest.approx(2 / (metres / 1e5), rel=1e-4)
    assert table["sites_per_km2"].iloc[0] == pytest.approx(2 / table["area_km2"].iloc[0])
