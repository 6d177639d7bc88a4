"""Routes of real engines and tools: lengths they printed, files they wrote."""

from __future__ import annotations

import json
import re
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from ocm_geo.errors import RouteError, SuspectInput
from ocm_geo.geodesy import Line
from ocm_geo.routes import (
    route_from_file,
    route_from_polyline,
    route_length_km,
    route_points_every,
    route_simplify,
    route_substring,
    route_to_polyline,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real_data

GEOD = Geod(ellps="WGS84")
MAPBOX = {
    "directions_v5": 5,
    "directions_v5_precision_6": 6,
    "directions_v5_max_speed_annotation": 6,
}


def mapbox(data_dir: Path, name: str) -> dict[str, Any]:
    text = (data_dir / "routes/mapbox_java" / f"{name}.json").read_text(encoding="utf-8")
    route: dict[str, Any] = json.loads(text)["routes"][0]
    return route


@pytest.mark.parametrize("name", MAPBOX)
def test_directions_have_the_printed_length(data_dir: Path, name: str) -> None:
    route = route_from_file(data_dir / "routes/mapbox_java" / f"{name}.json")
    printed_km = mapbox(data_dir, name)["distance"] / 1000
    assert route_length_km(route) == pytest.approx(printed_km, rel=2e-3)


def test_both_precisions_are_the_same_road(data_dir: Path) -> None:
    coarse, fine = (
        shapely.get_coordinates(route_from_file(data_dir / "routes/mapbox_java" / f"{name}.json"))
        for name in ("directions_v5", "directions_v5_precision_6")
    )
    assert coarse.shape == fine.shape
    assert np.abs(coarse - fine).max() <= 0.51e-5


@pytest.mark.parametrize(("name", "precision"), MAPBOX.items())
def test_real_polylines_come_back_letter_by_letter(
    data_dir: Path, name: str, precision: int
) -> None:
    text = mapbox(data_dir, name)["geometry"]
    assert route_to_polyline(route_from_polyline(text, precision), precision) == text


@pytest.mark.parametrize(
    "name", ["directions_v5_precision_6", "directions_v5_max_speed_annotation"]
)
def test_precision_6_read_as_5_is_refused(data_dir: Path, name: str) -> None:
    with pytest.raises(RouteError, match="precision=6 makes it a route of"):
        route_from_polyline(mapbox(data_dir, name)["geometry"], 5)


def test_precision_5_read_as_6_is_suspect(data_dir: Path) -> None:
    route = mapbox(data_dir, "directions_v5")
    texts = [step["geometry"] for step in route["legs"][0]["steps"][:-1]]
    for text in [route["geometry"], *texts]:
        with pytest.warns(SuspectInput, match="precision=5 makes it a route of"):
            route_from_polyline(text, 6)


def test_doubled_backslashes_are_found(data_dir: Path) -> None:
    text = mapbox(data_dir, "directions_v5_max_speed_annotation")["geometry"]
    with pytest.raises(RouteError, match="backslashes are doubled"):
        route_from_polyline(text.replace("\\", "\\\\"), 6)


def test_the_gpx_of_a_router_has_the_length_it_printed(data_dir: Path) -> None:
    path = data_dir / "routes/graphhopper/test1.gpx"
    printed = re.findall(r"<gh:distance>([\d.]+)<", path.read_text(encoding="utf-8"))
    route = route_from_file(path)
    assert len(route.coords) == 264
    assert route_length_km(route) == pytest.approx(sum(map(float, printed)) / 1000, rel=2e-3)
    assert len(route_from_file(path, layer="routes").coords) == 34


@pytest.mark.parametrize("name", ["mapbox_java/isochroneWithPolygons.json", "simplify_js/1k.json"])
def test_files_that_hold_no_route(data_dir: Path, name: str) -> None:
    with pytest.raises(RouteError):
        route_from_file(data_dir / "routes" / name)


@pytest.mark.parametrize("name", ["eure", "gbnm", "nlda", "nzlsh"])
def test_roads_have_the_published_kilometres(data_dir: Path, name: str) -> None:
    roads = gpd.read_file(data_dir / f"network/travelmapping/{name}.geojson")
    ours = [sum(map(route_length_km, shapely.get_parts(road))) for road in roads.geometry]
    # The file measures by haversine; the ellipsoid differs by less than 0.5 % from any sphere.
    assert np.allclose(ours, roads["km_haversine"], rtol=5e-3)
    exact = [GEOD.geometry_length(road) / 1000 for road in roads.geometry]
    assert np.allclose(ours, exact, atol=1e-6)


def test_one_road_of_many(data_dir: Path) -> None:
    path = data_dir / "network/travelmapping/nlda.geojson"
    with pytest.raises(RouteError, match=r"choose one with feature=0 to 49"):
        route_from_file(path)
    roads = gpd.read_file(path)
    for i in (0, 25, 49):
        road = shapely.line_merge(roads.geometry.iloc[i])
        assert len(route_from_file(path, feature=i).coords) == len(road.coords)


@pytest.mark.parametrize("max_error_km", [0.001, 0.05, 1.0])
def test_a_real_route_simplified_keeps_its_bound(data_dir: Path, max_error_km: float) -> None:
    route = route_from_file(data_dir / "routes/turf/turf-length_in_route2.geojson")
    simple = route_simplify(route, max_error_km)
    there = Line(simple).locate(*shapely.get_coordinates(route).T)
    marks = route_points_every(simple, 0.05).geometry
    back = Line(route).locate(marks.x, marks.y)
    assert len(simple.coords) < len(route.coords) * 0.7
    assert np.max(there.offset_km) <= max_error_km
    assert np.max(back.offset_km) <= max_error_km


def test_a_published_slice_of_a_route(data_dir: Path) -> None:
    text = (data_dir / "routes/turf/turf-line-slice_out_route2.geojson").read_text(encoding="utf-8")
    shapes = [shapely.geometry.shape(f["geometry"]) for f in json.loads(text)["features"]]
    route, published = shapes[0], shapes[3]
    ends = Line(route).locate(*shapely.get_coordinates(shapes[1:3]).T).along_km
    piece = route_substring(route, *sorted(ends))
    # turf finds the feet on a sphere with flat edges: up to 30 m away.
    assert len(piece.coords) == len(published.coords)
    assert shapely.equals(
        shapely.LineString(piece.coords[1:-1]), shapely.LineString(published.coords[1:-1])
    )
    for ours, theirs in ((0, 0), (-1, -1)):
        assert GEOD.inv(*piece.coords[ours], *published.coords[theirs])[2] < 30


def test_reading_real_files_warns_of_nothing(data_dir: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in (
            "turf/turf-length_in_route1.geojson",
            "turf/turf-along_fixtures_route.geojson",
        ):
            assert len(route_from_file(data_dir / "routes" / name).coords) == 4757
