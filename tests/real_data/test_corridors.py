"""Corridors along real roads, against published answers, pyproj and shapely."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from ocm_geo.corridors import corridor, locate_along, plan_stops, route_gaps
from ocm_geo.routes import route_length_km, route_points_every, route_substring

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real_data

GEOD = Geod(ellps="WGS84")


def road(data_dir: Path, system: str, name: str) -> shapely.LineString:
    roads = gpd.read_file(data_dir / f"network/travelmapping/{system}.geojson")
    return shapely.line_merge(roads.loc[roads["route"] == name].geometry.iloc[0])


def made_stations(route: shapely.LineString, n: int) -> gpd.GeoDataFrame:
    """Points strewn over the box of a route."""
    rng = np.random.default_rng(7)
    west, south, east, north = shapely.box(*route.bounds).buffer(0.1).bounds
    points = gpd.points_from_xy(rng.uniform(west, east, n), rng.uniform(south, north, n))
    power = rng.choice([22.0, 50.0, 150.0], n)
    return gpd.GeoDataFrame({"max_power_kw": power}, geometry=points, crs="EPSG:4326")


def test_a_published_nearest_point(data_dir: Path) -> None:
    path = data_dir / "routes/turf/turf-nearest-point-on-line_out_route1.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    route, _, point, foot = (shapely.geometry.shape(f["geometry"]) for f in features)
    said = features[3]["properties"]
    at = locate_along(gpd.GeoSeries([point], crs="EPSG:4326"), route).iloc[0]
    # turf measures on a sphere and takes the foot from a flat projection.
    assert at["along_km"] == pytest.approx(said["location"], rel=3e-3)
    assert at["offset_km"] == pytest.approx(said["dist"], rel=3e-3)
    assert at["offset_km"] <= GEOD.inv(point.x, point.y, foot.x, foot.y)[2] / 1000
    lon, lat = route_substring(route, 0, at["along_km"]).coords[-1]
    assert GEOD.inv(lon, lat, foot.x, foot.y)[2] < 30


def test_a_real_road_among_stations_by_dense_samples(data_dir: Path) -> None:
    route = road(data_dir, "nlda", "A2")
    stations = made_stations(route, 400)
    at = locate_along(stations, route)
    marks = route_points_every(route, 0.05).geometry
    for station, offset in zip(at.geometry, at["offset_km"], strict=True):
        n = len(marks)
        away = GEOD.inv(np.full(n, station.x), np.full(n, station.y), marks.x, marks.y)[2]
        # No place of the road is farther than 50 m from the mark before it.
        assert -1e-6 <= float(np.min(away)) / 1000 - offset <= 0.05


def test_the_drawn_corridor_and_the_distance_agree(data_dir: Path) -> None:
    route = road(data_dir, "nlda", "A2")
    stations = made_stations(route, 20_000)
    offset = locate_along(stations, route)["offset_km"]
    drawn = shapely.contains_properly(corridor(route, 5).geometry.iloc[0], stations.geometry)
    clear = (offset - 5).abs() > 0.005
    assert (drawn == (offset <= 5))[clear].all()
    assert clear.mean() > 0.99


def test_gaps_of_a_real_road(data_dir: Path) -> None:
    route = road(data_dir, "nlda", "A2")
    stations = made_stations(route, 2_000)
    gaps = route_gaps(route, stations, within_km=3, min_power_kw=50)
    near = locate_along(stations[stations["max_power_kw"] >= 50], route, within_km=3)
    assert set(near.index) == set(gaps["to_id"].dropna())
    assert gaps["length_km"].sum() == pytest.approx(route_length_km(route))
    assert (gaps["start_km"].diff().dropna() >= 0).all()


@pytest.mark.parametrize("detours", [False, True])
def test_a_plan_for_a_real_road_keeps_to_its_reserve(data_dir: Path, *, detours: bool) -> None:
    route = road(data_dir, "eure", "E30")
    stations = made_stations(route, 20_000)
    plan = plan_stops(route, stations, range_km=350, detours=detours, within_km=10)
    assert plan.feasible
    assert plan.legs["arrival_soc"].min() >= 0.1 - 1e-8
    least = np.ceil((route_length_km(route) - 350 * 0.9) / (350 * 0.7))
    assert least <= len(plan.stops) <= least + 2
