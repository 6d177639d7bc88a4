"""Routes from files: every format, several lines, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from ocm_geo.errors import QueryError, RouteError, SuspectInput
from ocm_geo.routes import route_from_file, route_to_polyline

if TYPE_CHECKING:
    from pathlib import Path

LONLAT = [(5.0, 52.0), (5.1, 52.1), (5.2, 52.1), (5.3, 52.2)]
LINE = shapely.LineString(LONLAT)
GPX = '<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">{}</gpx>'


def frame(*lines: shapely.Geometry, **columns: list[str]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(lines), crs="EPSG:4326")


def points(tag: str, lonlat: list[tuple[float, float]]) -> str:
    return "".join(f'<{tag} lat="{lat}" lon="{lon}"><ele>3</ele></{tag}>' for lon, lat in lonlat)


def track(*segments: list[tuple[float, float]], name: str = "day") -> str:
    inner = "".join(f"<trkseg>{points('trkpt', segment)}</trkseg>" for segment in segments)
    return f"<trk><name>{name}</name>{inner}</trk>"


def write(folder: Path, name: str, content: str | dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["r.gpkg", "r.fgb", "r.shp", "r.geojson", "r.json", "r.kml"])
def test_every_format(tmp_path: Path, name: str) -> None:
    driver = {"json": "GeoJSON", "kml": "KML"}.get(name[2:])
    frame(LINE).to_file(tmp_path / name, driver=driver)
    assert route_from_file(tmp_path / name) == LINE


@pytest.mark.parametrize("crs", ["EPSG:3035", "EPSG:3857", "EPSG:27700"])
def test_any_reference_system(tmp_path: Path, crs: str) -> None:
    frame(LINE).to_crs(crs).to_file(tmp_path / "r.gpkg")
    assert shapely.equals_exact(route_from_file(tmp_path / "r.gpkg"), LINE, 1e-7)


def test_heights_are_left_out(tmp_path: Path) -> None:
    frame(shapely.force_3d(LINE, 7.0)).to_file(tmp_path / "r.gpkg")
    assert not route_from_file(str(tmp_path / "r.gpkg")).has_z


def test_points_beside_the_line_are_left_out(tmp_path: Path) -> None:
    frame(shapely.Point(5, 52), LINE, shapely.box(5, 52, 6, 53)).to_file(tmp_path / "r.geojson")
    assert route_from_file(tmp_path / "r.geojson") == LINE


def test_parts_are_joined_in_order(tmp_path: Path) -> None:
    parts = shapely.MultiLineString([LONLAT[:2], LONLAT[1:3]])
    frame(parts, shapely.LineString(LONLAT[2:])).to_file(tmp_path / "r.geojson")
    assert route_from_file(tmp_path / "r.geojson") == LINE


def test_a_gap_of_metres_is_bridged_and_a_longer_one_on_demand(tmp_path: Path) -> None:
    near, far = (5.10005, 52.1), (5.11, 52.1)
    frame(shapely.MultiLineString([LONLAT[:2], [near, *LONLAT[2:]]])).to_file(tmp_path / "a.gpkg")
    frame(shapely.MultiLineString([LONLAT[:2], [far, *LONLAT[2:]]])).to_file(tmp_path / "b.gpkg")
    assert len(route_from_file(tmp_path / "a.gpkg").coords) == 5
    with pytest.raises(RouteError, match=r"part 1 begins 0\.685 km away.*max_join_km"):
        route_from_file(tmp_path / "b.gpkg")
    assert len(route_from_file(tmp_path / "b.gpkg", max_join_km=1).coords) == 5


def test_a_part_that_runs_backwards_is_named(tmp_path: Path) -> None:
    frame(shapely.MultiLineString([LONLAT[:2], LONLAT[2:0:-1]])).to_file(tmp_path / "r.gpkg")
    with pytest.raises(RouteError, match="whose other end would join"):
        route_from_file(tmp_path / "r.gpkg")


@pytest.mark.parametrize("choice", [1, "ref = 'E2'"])
def test_several_lines_and_how_to_choose(tmp_path: Path, choice: int | str) -> None:
    roads = frame(shapely.LineString([(9, 50), (9, 51)]), LINE, ref=["E1", "E2"])
    roads.to_file(tmp_path / "r.gpkg")
    with pytest.raises(RouteError, match=r"feature=0 to 1 or feature=\"ref = 'E1'\""):
        route_from_file(tmp_path / "r.gpkg")
    assert route_from_file(tmp_path / "r.gpkg", feature=choice) == LINE


@pytest.mark.parametrize("choice", [-1, 2, "ref = 'E9'"])
def test_choices_that_are_not_there(tmp_path: Path, choice: int | str) -> None:
    frame(LINE, LINE, ref=["E1", "E2"]).to_file(tmp_path / "r.gpkg")
    with pytest.raises(RouteError):
        route_from_file(tmp_path / "r.gpkg", feature=choice)


@pytest.mark.parametrize("choice", ["no_such = 1", "((", True, 1.5])
def test_choices_that_are_none(tmp_path: Path, choice: str) -> None:
    frame(LINE, LINE, ref=["E1", "E2"]).to_file(tmp_path / "r.gpkg")
    with pytest.raises(QueryError, match="feature"):
        route_from_file(tmp_path / "r.gpkg", feature=choice)


def test_layers(tmp_path: Path) -> None:
    path = tmp_path / "r.gpkg"
    frame(LINE).to_file(path, layer="roads")
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), path, layer="notes")
    assert route_from_file(path) == LINE
    frame(shapely.reverse(LINE)).to_file(path, layer="rails")
    with pytest.raises(RouteError, match=r"2 layers: choose one of \['roads', 'rails'\]"):
        route_from_file(path)
    assert route_from_file(path, layer="rails") == shapely.reverse(LINE)
    for wrong in ("notes", "nowhere"):
        with pytest.raises(RouteError, match=wrong):
            route_from_file(path, layer=wrong)


def test_gpx_takes_the_track_before_the_route(tmp_path: Path) -> None:
    way = f"<rte>{points('rtept', LONLAT[::-1])}</rte>"
    stop = '<wpt lat="52" lon="5"/>'
    both = write(tmp_path, "both.gpx", GPX.format(stop + way + track(LONLAT)))
    alone = write(tmp_path, "alone.gpx", GPX.format(stop + way))
    assert route_from_file(both) == LINE
    assert route_from_file(both, layer="routes") == shapely.reverse(LINE)
    assert route_from_file(alone) == shapely.reverse(LINE)


def test_gpx_segments_are_joined(tmp_path: Path) -> None:
    path = write(tmp_path, "r.gpx", GPX.format(track(LONLAT[:2], LONLAT[1:])))
    assert route_from_file(path) == LINE


def test_gpx_with_several_tracks_asks_which(tmp_path: Path) -> None:
    days = track(LONLAT[:2], name="out") + track(LONLAT[1:], name="on")
    path = write(tmp_path, "r.gpx", GPX.format(days))
    with pytest.raises(RouteError, match=r"2 lines; choose one.*0 'out' 1 'on'"):
        route_from_file(path)
    assert list(route_from_file(path, feature=1).coords) == LONLAT[1:]


@pytest.mark.parametrize("precision", [5, 6])
def test_polyline_file_finds_its_precision(tmp_path: Path, precision: int) -> None:
    path = write(tmp_path, "r.polyline", route_to_polyline(LINE, precision) + "\n")
    assert route_from_file(path) == LINE
    assert route_from_file(path, precision=precision) == LINE


def test_polyline_file_that_is_none_says_why(tmp_path: Path) -> None:
    with pytest.raises(RouteError, match="at precision 5: it ends in the middle"):
        route_from_file(write(tmp_path, "r.polyline", "_p~iF"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.geojson", '{"type": "LineSt'),
        ("cut.json", '{"type": "LineSt'),
        ("empty.gpx", ""),
        ("html.gpx", "<html><body>404</body></html>"),
        ("waypoint.gpx", GPX.format('<wpt lat="52" lon="5"/>')),
        ("table.csv", "a,b\n1,2\n"),
        ("list.json", "[1, 2]"),
        ("one.geojson", {"type": "LineString", "coordinates": [[5, 52]]}),
        ("same.geojson", {"type": "LineString", "coordinates": [[5, 52], [5, 52]]}),
        ("swapped.geojson", {"type": "LineString", "coordinates": [[52, 105], [52, 106]]}),
        ("point.geojson", {"type": "Point", "coordinates": [5, 52]}),
        ("none.geojson", {"type": "FeatureCollection", "features": []}),
    ],
)
def test_files_without_a_route(tmp_path: Path, name: str, content: str | dict[str, Any]) -> None:
    with pytest.raises(RouteError):
        route_from_file(write(tmp_path, name, content))


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gpx", tmp_path):
        with pytest.raises(RouteError, match="there is no file"):
            route_from_file(path)


def test_a_file_without_reference_system(tmp_path: Path) -> None:
    frame(LINE).to_file(tmp_path / "r.shp")
    (tmp_path / "r.prj").unlink()
    with pytest.raises(QueryError, match="set_crs"):
        route_from_file(tmp_path / "r.shp")


def test_a_jump_is_suspect(tmp_path: Path) -> None:
    street = [(5 + i / 1000, 52.0) for i in range(20)]
    frame(shapely.LineString([*street, (0, 0)])).to_file(tmp_path / "r.geojson")
    with pytest.warns(SuspectInput, match="jumps"):
        route_from_file(tmp_path / "r.geojson")
