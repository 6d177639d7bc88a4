"""Coverage by driving time, over a real extract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.geodesy import area_km2

if TYPE_CHECKING:
    from pathlib import Path

rasterio = pytest.importorskip("rasterio")

HALVES = [shapely.box(1.40, 42.43, 1.53, 42.66), shapely.box(1.53, 42.43, 1.79, 42.66)]
TIMES = [3, 8]


@pytest.fixture(scope="module")
def andorra(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> ocm.ValhallaTiles:
    pytest.importorskip("valhalla", reason="embedded routing needs Python 3.12")
    folder = tmp_path_factory.mktemp("tiles")
    return ocm.build_tiles(data_dir / "osm_pbf" / "andorra.osm.pbf", folder)


@pytest.fixture
def areas() -> gpd.GeoDataFrame:
    people = {"population": [40_000.0, 39_000.0]}
    return gpd.GeoDataFrame(people, index=["west", "east"], geometry=HALVES, crs="EPSG:4326")


@pytest.fixture
def stations() -> gpd.GeoDataFrame:
    """Make three that are certain, the second without a power, the third not public."""
    places = [(1.521, 42.507), (1.60, 42.57), (1.487, 42.463), (1.535, 42.545), (1.73, 42.54)]
    plugs = '[{"ConnectionTypeID": 33, "PowerKW": 50.0}]'
    columns = {
        "connections": [plugs, '[{"ConnectionTypeID": 33}]', plugs, plugs, plugs],
        "usage_type_id": pd.array([1, 1, 2, 1, 1], dtype="Int64"),
        "status_type_id": pd.array([50] * 5, dtype="Int64"),
    }
    index = pd.RangeIndex(1, 6, name="ocm_id")
    points = gpd.points_from_xy(*np.array(places).T)
    return gpd.GeoDataFrame(columns, index=index, geometry=points, crs="EPSG:4326")


def reached(
    stations: gpd.GeoDataFrame, minutes: float, engine: ocm.ValhallaTiles
) -> shapely.Geometry:
    """Unite isochrones, all times asked for at once: alone they are drawn a little otherwise."""
    drawn = ocm.isochrones(stations.geometry, TIMES, engine=engine)
    return drawn.geometry[drawn["minutes"] <= minutes].make_valid().union_all()


def test_ground_is_what_lies_in_isochrones(
    andorra: ocm.ValhallaTiles, areas: gpd.GeoDataFrame, stations: gpd.GeoDataFrame
) -> None:
    found = ocm.coverage_by_road(areas, stations, TIMES, engine=andorra, population="population")
    assert found.index.tolist() == ["west", "west", "east", "east"]
    assert found["minutes"].tolist() == [3, 8, 3, 8]
    for label, minutes, covered, share in zip(
        found.index, found["minutes"], found["covered_km2"], found["area_share"], strict=True
    ):
        reach = reached(stations, minutes, andorra)
        part = shapely.intersection(areas.geometry[label], reach)
        assert covered == pytest.approx(area_km2(np.array([part]))[0], rel=1e-9)
        assert share == pytest.approx(covered / area_km2(areas.geometry[[label]].to_numpy())[0])
    assert found["population_share"].to_numpy(float) == pytest.approx(found["area_share"])
    facts = found.attrs["ocm"]
    assert facts["engine"].startswith("ValhallaTiles(")
    assert "isochrone" in facts["method"]


def test_people_at_points_are_decided_by_their_way(
    andorra: ocm.ValhallaTiles, areas: gpd.GeoDataFrame, stations: gpd.GeoDataFrame
) -> None:
    rng = np.random.default_rng(4)
    lonlat = rng.uniform((1.41, 42.44), (1.78, 42.65), (60, 2))
    points = gpd.points_from_xy(*lonlat.T)
    people = rng.integers(1, 100, 60)
    demand = gpd.GeoDataFrame({"population": people}, geometry=points, crs="EPSG:4326")
    found = ocm.coverage_by_road(areas, stations, TIMES, engine=andorra, population=demand)
    there = np.column_stack([stations.geometry.x, stations.geometry.y])
    least = andorra.matrix(lonlat, there)[0].min(axis=1)
    expected = [
        people[demand.within(area).to_numpy() & (least <= minutes)].sum()
        for area in HALVES
        for minutes in TIMES
    ]
    assert 0 < expected[1] < people.sum()
    assert found["population_covered"].tolist() == expected
    assert found["population"].iloc[[0, 2]].sum() == people.sum()


def test_cells_are_decided_by_isochrones(
    andorra: ocm.ValhallaTiles,
    areas: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    tmp_path: Path,
) -> None:
    path, size = tmp_path / "people.tif", 0.005
    values = np.random.default_rng(2).integers(0, 9, (46, 78)).astype("float32")
    options = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    place = rasterio.transform.from_origin(1.4, 42.66, size, size)
    with rasterio.open(path, "w", height=46, width=78, transform=place, **options) as file:
        file.write(values, 1)
    found = ocm.coverage_by_road(areas, stations, TIMES, engine=andorra, population=path)
    x, y = np.meshgrid(1.4 + size * (np.arange(78) + 0.5), 42.66 - size * (np.arange(46) + 0.5))
    for label, minutes, covered in zip(
        found.index, found["minutes"], found["population_covered"], strict=True
    ):
        reach = reached(stations, minutes, andorra)
        inside = shapely.intersects_xy(reach, x, y)
        inside &= shapely.intersects_xy(areas.geometry[label], x, y)
        assert covered == values[inside].sum()
    assert found["population"].iloc[[0, 2]].sum() == pytest.approx(values.sum())


def test_bounds_hold_and_levels_are_those_of_distance(
    andorra: ocm.ValhallaTiles, areas: gpd.GeoDataFrame, stations: gpd.GeoDataFrame
) -> None:
    rule = ocm.Qualifying(min_power_kw=22)
    options = {"population": "population", "bounds": True, "qualifying": rule}
    found = ocm.coverage_by_road(areas, stations, TIMES, engine=andorra, **options)  # type: ignore[arg-type]
    for name in ("covered_km2", "area_share", "population_covered", "population_share"):
        low, mid, high = (found[f"{name}{end}"].to_numpy(float) for end in ("_low", "", "_high"))
        assert (low <= mid).all()
        assert (mid <= high).all()
    # The site without a power is out as recorded, in at most.
    assert (found["covered_km2_high"] > found["covered_km2"]).any()
    sure = ocm.coverage_by_road(areas, stations.loc[[1, 4, 5]], TIMES, engine=andorra)
    assert found["covered_km2_low"].to_numpy() == pytest.approx(sure["covered_km2"].to_numpy())
    facts = ocm.coverage(areas, stations, 5, bounds=True, qualifying=rule).attrs["ocm"]["bounds"]
    assert found.attrs["ocm"]["bounds"] == facts


def test_far_stations_are_not_asked_about(
    andorra: ocm.ValhallaTiles,
    areas: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    drawn = andorra.isochrone

    def counted(place: np.ndarray, minutes: list[float]) -> list[object]:
        asked.append(tuple(place))
        return drawn(place, minutes)

    monkeypatch.setattr(andorra, "isochrone", counted)
    twice = pd.concat([stations, stations.iloc[:1], stations.set_geometry(stations.translate(9))])
    twice = twice.set_axis(range(len(twice)))
    ocm.coverage_by_road(areas, twice, TIMES, engine=andorra)
    assert len(asked) == 5


def test_no_stations_reach_nobody(
    andorra: ocm.ValhallaTiles, areas: gpd.GeoDataFrame, stations: gpd.GeoDataFrame
) -> None:
    found = ocm.coverage_by_road(
        areas, stations.iloc[:0], TIMES, engine=andorra, population="population"
    )
    assert found["population_share"].tolist() == [0, 0, 0, 0]
    assert found["covered_km2"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), [], [5, "10"], True])
def test_wrong_times_are_refused(
    andorra: ocm.ValhallaTiles, areas: gpd.GeoDataFrame, stations: gpd.GeoDataFrame, minutes: float
) -> None:
    with pytest.raises(ocm.QueryError, match="minutes"):
        ocm.coverage_by_road(areas, stations, minutes, engine=andorra)


def test_an_engine_that_cannot_draw_is_refused(
    areas: gpd.GeoDataFrame, stations: gpd.GeoDataFrame
) -> None:
    with pytest.raises(ocm.QueryError, match="use Valhalla"):
        ocm.coverage_by_road(areas, stations, 5, engine=ocm.OSRM("http://localhost:1"))
    with pytest.raises(ocm.QueryError, match="isochrone"):
        ocm.coverage_by_road(areas, stations, 5, engine="valhalla")  # type: ignore[arg-type]
