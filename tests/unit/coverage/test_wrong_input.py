"""What is refused, with words that say what, where and what to do; and what only looks wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

GEOD = pyproj.Geod(ellps="WGS84")
BOX = shapely.box(0, 0, 1, 1)


def sites(*places: tuple[float, float], **columns: Any) -> gpd.GeoDataFrame:
    index = pd.RangeIndex(1, len(places) + 1, name="ocm_id")
    points = gpd.points_from_xy(*np.reshape(places, (-1, 2)).T)
    return gpd.GeoDataFrame(columns, index=index, geometry=points, crs="EPSG:4326")


def areas(*shapes: shapely.Geometry | None, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326")


HERE = sites((0.5, 0.5))
SLIVER = shapely.Polygon([(0, 0), (1, 1), (0, 0)])
WRONG_AREAS = {
    "no geometry": (gpd.GeoDataFrame({"a": [1]}), "no active geometry column"),
    "missing": (areas(BOX, None), "1 rows are not polygons or empty (first: 1)"),
    "empty": (areas(shapely.Polygon()), "1 rows are not polygons or empty (first: 0)"),
    "metres": (areas(shapely.box(4e6, 3e6, 5e6, 4e6)), "not on the Earth (first: 0); check their"),
    "the long way": (areas(shapely.box(-179, 0, 179, 1)), "edge longer than 180° (first: 0)"),
}


@pytest.mark.parametrize("name", WRONG_AREAS)
def test_wrong_areas(name: str) -> None:
    given, message = WRONG_AREAS[name]
    with pytest.raises(ocm.QueryError, match=re.escape(message)):
        ocm.coverage(given, HERE, 5)
    with pytest.raises(ocm.QueryError, match=re.escape(message)):
        ocm.density(given, HERE)


def test_an_area_that_encloses_nothing_is_named() -> None:
    with (
        pytest.warns(ocm.DroppedRows, match="repaired"),
        pytest.raises(ocm.QueryError, match=r"1 rows enclose no area \(first: 1\); drop them"),
    ):
        ocm.coverage(areas(BOX, SLIVER), HERE, 5)


def test_no_areas_have_no_rows_but_all_columns() -> None:
    none = areas(BOX, p=[1]).iloc[:0]
    for population in (None, "p", sites((0.5, 0.5), population=[1])):
        found = ocm.coverage(none, HERE, [5, 10], population=population)
        assert len(found) == 0
        assert list(found) == list(ocm.coverage(areas(BOX), HERE, 5))
    assert len(ocm.density(none, HERE.assign(n_connectors=1, total_power_kw=1.0))) == 0


def test_an_index_may_repeat_itself() -> None:
    twins = areas(BOX, shapely.box(1, 0, 2, 1), p=[10, 20]).set_axis([7, 7])
    found = ocm.coverage(twins, HERE, [200, 5, 200], population="p")
    assert found.index.tolist() == [7] * 4
    assert found["within_km"].tolist() == [5, 200, 5, 200]
    assert found["population"].tolist() == [10, 10, 20, 20]
    points = sites((0.4, 0.5), (0.6, 0.5)).set_axis(["a", "a"])
    assert ocm.nearest_stations(points, HERE)["ocm_id"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.nan, "finite"),
        ([5, np.inf], "finite"),
        ([], "at least one"),
        (0, "above 0"),
        ([5, -1], "above 0"),
        (None, "finite number"),
        ("5", "finite number"),
        (True, "finite number"),
        (30_000, "half the circumference"),
    ],
)
def test_wrong_distances(given: Any, message: str) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        ocm.coverage(areas(BOX), HERE, given)


def test_distances_may_come_in_any_wrapping() -> None:
    wrapped: list[Any] = [5, np.float32(5), np.array(5), [5], (5,), np.array([5]), pd.Series([5.0])]
    for given in wrapped:
        assert ocm.coverage(areas(BOX), HERE, given)["within_km"].tolist() == [5]


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, "many"])
def test_wrong_people_are_named_with_their_row(value: Any) -> None:
    given = areas(BOX, BOX, p=[1, value]).set_axis(["a", "b"])
    message = rf"1 of 2 values are missing, negative.*first: {value} in row 'b'"
    with pytest.warns(ocm.SuspectInput), pytest.raises(ocm.QueryError, match=message):
        ocm.coverage(given, HERE, 5, population="p")


def test_wrong_populations(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("a,b")
    lost = areas(BOX, population=[1]).set_crs(None, allow_override=True)
    for given, message in (
        ("people", "no population column 'people' in "),
        (tmp_path / "people.csv", "is not a Parquet file.*read other tables with geopandas"),
        (HERE.geometry, "population must be .* not GeoSeries"),
        (lost, "^population has no coordinate"),
        (
            areas(BOX, shapely.Point(0, 0), population=[1, 1]),
            "^population: 1 rows are not poly",
        ),
        (HERE, "no population column 'population'"),
    ):
        with pytest.raises(ocm.QueryError, match=message):
            ocm.coverage(areas(BOX), HERE, 5, population=given)
    twice = pd.concat([areas(BOX, p=[1]), pd.DataFrame({"p": [2]})], axis=1)
    with pytest.raises(ocm.QueryError, match="more than one population column"):
        ocm.coverage(gpd.GeoDataFrame(twice, geometry="geometry"), HERE, 5, population="p")


@pytest.mark.parametrize("place", [(5, 95), (np.nan, 1), (np.inf, 1), (4e5, 6e4)])
def test_points_that_are_nowhere(place: tuple[float, float]) -> None:
    stations = sites((0, 0), place)
    message = r"stations: 1 of 2 rows are not on the Earth \(first: row 2, at"
    with pytest.raises(ocm.QueryError, match=message):
        ocm.coverage(areas(BOX), stations, 5)
    with pytest.raises(ocm.QueryError, match=message):
        ocm.nearest_stations(HERE, stations)
    with pytest.raises(ocm.QueryError, match=message):
        ocm.service_areas(stations, 5)


def test_what_is_no_table() -> None:
    tables: list[Any] = [[(0, 0)], pd.DataFrame({"a": [1]}), None]
    for given in tables:
        with pytest.raises(ocm.QueryError, match="points must be a GeoDataFrame"):
            ocm.nearest_stations(given, HERE)
        with pytest.raises(ocm.QueryError, match="stations must be a GeoDataFrame"):
            ocm.service_areas(given, 5)
    missing = gpd.GeoDataFrame(geometry=[shapely.Point(0, 0), None], crs="EPSG:4326")
    with pytest.raises(ocm.QueryError, match=r"1 of 2 rows are not points \(first: row 1\)"):
        ocm.nearest_stations(missing, HERE)
    with pytest.raises(ocm.QueryError, match="points has no coordinate reference system"):
        ocm.nearest_stations(HERE.set_crs(None, allow_override=True), HERE)


def test_service_areas_of_wrong_questions() -> None:
    with pytest.raises(ocm.QueryError, match="either within_km, or minutes"):
        ocm.service_areas(HERE, 5, minutes=5)
    with pytest.raises(ocm.QueryError, match="an engine requires minutes"):
        ocm.service_areas(HERE, 5, engine=object())  # type: ignore[arg-type]
    with pytest.raises(
        ocm.QueryError,
        match="positive number of minutes or a timedelta, not True",
    ):
        ocm.service_areas(HERE, minutes=True)
    with pytest.raises(ocm.QueryError, match="engine must be a routing engine"):
        ocm.service_areas(HERE, minutes=np.int64(5))  # type: ignore[arg-type]


def test_bounds_need_columns_that_show_uncertainty() -> None:
    message = "no columns 'connections', 'usage_type_id', 'status_type_id', required for what is"
    with pytest.raises(ocm.QueryError, match=message):
        ocm.coverage(areas(BOX), HERE, 5, bounds=True)
    with pytest.raises(ocm.QueryError, match=message):
        ocm.nearest_stations(HERE, HERE, qualifying=ocm.Qualifying())
    for wrong in ("50", np.nan, True):
        with pytest.raises(ocm.QueryError, match="min_power_kw must be"):
            ocm.Qualifying(min_power_kw=wrong)  # type: ignore[arg-type]
    with pytest.raises(ocm.QueryError, match="qualifying must be a Qualifying"):
        ocm.coverage(areas(BOX), HERE, 5, qualifying={"min_power_kw": 50})  # type: ignore[arg-type]


def test_overlaps_are_said_in_density_too() -> None:
    stations = HERE.assign(n_connectors=1, total_power_kw=1.0)
    with pytest.warns(ocm.SuspectInput, match="1 pairs of areas overlap"):
        ocm.density(areas(BOX, shapely.box(0.5, 0, 2, 1)), stations)


def test_a_station_on_a_border_counts_once() -> None:
    stations = sites((1, 0.5), (0.5, 0.5), n_connectors=[1, 2], total_power_kw=[1.0, 2.0])
    found = ocm.density(areas(BOX, shapely.box(1, 0, 2, 1)), stations)
    assert found["n_sites"].tolist() == [2, 0]
    assert found["n_connectors"].sum() == 3


BEYOND = {
    "longitudes beyond 180": areas(shapely.box(179, -1, 181, 1)),
    "split": areas(shapely.MultiPolygon([shapely.box(179, -1, 180, 1),
                                         shapely.box(-180, -1, -179, 1)])),
    "another turn": areas(shapely.box(-181, -1, -179, 1)),
    "a plane over the antimeridian": areas(shapely.box(-1, -1, 1, 1)).set_crs(
        "+proj=longlat +pm=180", allow_override=True
    ).to_crs("EPSG:3832"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND)
def test_areas_over_the_antimeridian(name: str) -> None:
    area = BEYOND[name]
    stations = sites((179.9, 0), (-179.9, 0), (-180, 0.9), n_connectors=1, total_power_kw=1.0)
    people = sites((-179.5, 0), (180, 0.5), (-180, -0.5), (181, 0), (179.2, 0),
                   population=[1, 2, 4, 8, 16])  # fmt: skip
    row = ocm.coverage(area, stations, 20, population=people).iloc[0]
    size = abs(GEOD.geometry_area_perimeter(shapely.segmentize(shapely.box(-1, -1, 1, 1), 0.01))[0])
    assert row["area_km2"] == pytest.approx(size / 1e6, rel=1e-5)
    assert row["population"] == 31
    apart = ocm.coverage(areas(shapely.box(-1, -1, 1, 1)), sites((-0.1, 0), (0.1, 0), (0, 0.9)), 20)
    assert row["covered_km2"] == pytest.approx(apart["covered_km2"].iloc[0], rel=1e-6)
    assert ocm.density(area, stations)["n_sites"].tolist() == [3]
    west, _, east, _ = ocm.coverage(area, stations, 20).total_bounds
    assert (west, east) == pytest.approx((-180, 180), abs=1e-9)


def test_islands_on_both_sides_of_the_antimeridian(data_dir: Path) -> None:
    islands = gpd.read_file(data_dir / "boundaries" / "edge" / "new-zealand-antimeridian.gpkg")
    both = islands.dissolve()
    stations = sites((174.76, -36.85), (-176.5, -44.0))
    apart, one = (ocm.coverage(table, stations, 50) for table in (islands, both))
    assert one["area_km2"].iloc[0] == pytest.approx(apart["area_km2"].sum(), rel=1e-9)
    assert one["covered_km2"].iloc[0] == pytest.approx(apart["covered_km2"].sum(), rel=1e-6)


def test_an_area_round_a_pole() -> None:
    cap = gpd.GeoSeries([shapely.Point(0, 0).buffer(5e5, 64)], crs="EPSG:3995")
    found = ocm.coverage(cap, sites((0, 90)), 900, population=sites((77, 89), population=[5]))
    flat = cap.segmentize(1e3).to_crs("+proj=laea +lat_0=90").area.iloc[0] / 1e6
    assert found["area_km2"].iloc[0] == pytest.approx(flat, rel=1e-3)
    assert found["area_share"].iloc[0] == pytest.approx(1)
    assert found["population"].tolist() == [5]


def test_the_whole_earth_is_an_area() -> None:
    world = areas(shapely.box(-180, -90, 180, 90))
    row = ocm.coverage(world, sites((5, 52), (180, 0)), 5).iloc[0]
    assert row["area_km2"] == pytest.approx(510_065_622, rel=1e-8)
    assert row["covered_km2"] == pytest.approx(2 * np.pi * 25, rel=1e-3)


def test_roads_take_the_shorter_way_round() -> None:
    roads = gpd.GeoSeries(
        [shapely.LineString([(179.5, 0), (-179.5, 0)]), shapely.LineString([(179, 0), (181, 0)])],
        crs="EPSG:4326",
    )
    stations = HERE.assign(n_connectors=1, total_power_kw=1.0)
    found = ocm.density(areas(shapely.box(178, -1, 182, 1), BOX), stations, roads=roads)
    assert found["road_km"].to_numpy() == pytest.approx([3 * GEOD.inv(0, 0, 1, 0)[2] / 1e3, 0])
