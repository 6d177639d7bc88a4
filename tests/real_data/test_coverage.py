"""Coverage of real people by real stations: kinds of population agree, and with other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from tests.unit.coverage.test_nearest import all_km

if TYPE_CHECKING:
    from pathlib import Path

rasterio = pytest.importorskip("rasterio")
features = pytest.importorskip("rasterio.features")
WITHIN_KM = [0.5, 1, 3]


@pytest.fixture(scope="module")
def stations(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> gpd.GeoDataFrame:
    data = data_dir / "ocm" / "austin_2026-02" / "ocm_austin.json"
    mirror = ocm.Mirror.build(tmp_path_factory.mktemp("austin") / "mirror", data)
    return ocm.stations(source=mirror)


@pytest.fixture(scope="module")
def planning_areas(data_dir: Path) -> gpd.GeoDataFrame:
    areas = gpd.read_file(data_dir / "population" / "austin" / "austin_npa.geojson")
    areas.geometry = areas.geometry.make_valid()
    areas["population"] = areas["population"].fillna(0)
    return areas.set_index("PLANNING_AREA_NAME")[["population", "geometry"]]


@pytest.fixture(scope="module")
def block_groups(data_dir: Path) -> gpd.GeoDataFrame:
    rows = pd.read_csv(data_dir / "population" / "austin" / "austin_blockgroup_population.csv")
    points = gpd.points_from_xy(rows["lon"], rows["lat"], crs="EPSG:4326")
    return gpd.GeoDataFrame(rows[["geoid", "population"]], geometry=points)


def nearest_by_pyproj(points: gpd.GeoDataFrame, stations: gpd.GeoDataFrame) -> np.ndarray:
    return np.asarray(all_km(points, stations).min(axis=1))


def test_ground_and_a_column_agree_with_buffers_in_utm(
    stations: gpd.GeoDataFrame, planning_areas: gpd.GeoDataFrame
) -> None:
    found = ocm.coverage(planning_areas, stations, WITHIN_KM, population="population")
    flat, sites = (table.geometry.to_crs("EPSG:32614") for table in (planning_areas, stations))
    for km in WITHIN_KM:
        ours = found[found["within_km"] == km]
        near = sites.buffer(1000 * km, quad_segs=64).union_all()
        share = (flat.intersection(near).area / flat.area).to_numpy()
        # The scale of UTM is off by 0.0004 here, which moves outlines by as much of the distance.
        assert ours["area_share"].to_numpy() == pytest.approx(share, abs=2e-3)
        people = planning_areas["population"].to_numpy()
        assert ours["population"].tolist() == people.tolist()
        covered = ours["population_covered"].sum()
        assert covered == pytest.approx((share * people).sum(), rel=1e-3)


def test_a_column_and_polygons_of_the_same_people_agree(
    stations: gpd.GeoDataFrame, planning_areas: gpd.GeoDataFrame
) -> None:
    # Areas that lie apart: an eroded one shares nothing with its neighbours.
    apart = planning_areas.set_geometry(
        planning_areas.to_crs("EPSG:32614").buffer(-30).to_crs("EPSG:4326")
    )
    apart = apart[~apart.geometry.is_empty]
    column = ocm.coverage(apart, stations, WITHIN_KM, population="population")
    polygons = ocm.coverage(apart, stations, WITHIN_KM, population=apart)
    for name in ("population", "population_covered"):
        assert polygons[name].to_numpy(float) == pytest.approx(
            column[name].to_numpy(float), rel=1e-9, abs=1e-6
        )


def test_points_agree_with_pyproj_whatever_holds_them(
    stations: gpd.GeoDataFrame, block_groups: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    area = gpd.GeoDataFrame(geometry=[shapely.box(-97.95, 30.1, -97.5, 30.55)], crs="EPSG:4326")
    km = nearest_by_pyproj(block_groups, stations)
    inside = shapely.contains_properly(area.geometry.iloc[0], block_groups.geometry.to_numpy())
    people = block_groups["population"].to_numpy()
    expected = [people[inside & (km <= within)].sum() for within in WITHIN_KM]
    block_groups.iloc[:500].to_parquet(tmp_path / "a.parquet")
    block_groups.iloc[500:].to_crs("EPSG:32614").to_parquet(tmp_path / "b.parquet")
    for given in (block_groups, tmp_path):
        found = ocm.coverage(area, stations, WITHIN_KM, population=given)
        assert found["population"].tolist() == [people[inside].sum()] * 3
        assert found["population_covered"].tolist() == expected
    near = ocm.nearest_stations(block_groups, stations)
    assert near["nearest_km"].to_numpy(float) == pytest.approx(km, abs=1e-6)


def test_a_raster_of_the_same_points_lies_between_their_distances(
    stations: gpd.GeoDataFrame, block_groups: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    flat = block_groups.geometry.to_crs("EPSG:32614")
    west, south, east, north = np.floor(flat.total_bounds / 100) * 100 + [0, 0, 100, 100]
    size = int((north - south) / 100), int((east - west) / 100)
    cells = np.zeros(size)
    place = ((north - flat.y) // 100).astype(int), ((flat.x - west) // 100).astype(int)
    np.add.at(cells, place, block_groups["population"].to_numpy(float))
    profile = {"driver": "GTiff", "height": size[0], "width": size[1], "count": 1}
    transform = rasterio.transform.from_origin(west, north, 100, 100)
    path = tmp_path / "people.tif"
    with rasterio.open(
        path, "w", dtype="float64", crs="EPSG:32614", transform=transform, tiled=True,
        blockxsize=128, blockysize=128, **profile,
    ) as target:  # fmt: skip
        target.write(cells, 1)
    found = ocm.population_coverage(path, stations, WITHIN_KM)
    people, km = block_groups["population"].to_numpy(), nearest_by_pyproj(block_groups, stations)
    assert found["population"].tolist() == [people.sum()] * 3
    # A cell's centre is up to half its diagonal away.
    for within, covered in zip(WITHIN_KM, found["population_covered"], strict=True):
        assert people[km <= within - 0.071].sum() <= covered <= people[km <= within + 0.071].sum()


def test_bounds_hold_for_real_uncertainty(
    stations: gpd.GeoDataFrame, planning_areas: gpd.GeoDataFrame
) -> None:
    # Most powers of this register are the import's estimates.
    rule = ocm.Qualifying(min_power_kw=50)
    found = ocm.coverage(
        planning_areas, stations, WITHIN_KM, population="population", bounds=True, qualifying=rule
    )
    for name in ("covered_km2", "area_share", "population_covered"):
        low, central, high = (found[name + s].to_numpy(float) for s in ("_low", "", "_high"))
        assert (low <= central).all()
        assert (central <= high).all()
        assert low.sum() < high.sum()
    uncertain = ocm.uncertain_stations(stations, rule)
    sure = stations.drop(index=uncertain.index)
    least = ocm.coverage(planning_areas, sure, 1, qualifying=rule)["covered_km2"].to_numpy()
    one = found[found["within_km"] == 1]
    assert one["covered_km2_low"].to_numpy() == pytest.approx(least, rel=1e-4, abs=1e-9)


def test_postcodes_of_berlin_as_column_polygons_and_points(data_dir: Path) -> None:
    folder = data_dir / "population" / "germany_plz"
    people = pd.read_csv(folder / "plz_einwohner.csv", dtype={"plz": str}).set_index("plz")
    outlines = gpd.read_file(folder / "berlin_postleitzahlen" / "berlin_postleitzahlen.shp")
    key = next(c for c in outlines if outlines[c].astype(str).str.fullmatch(r"1\d{4}").all())
    postcodes = outlines.set_index(outlines[key].astype(str))[["geometry"]]
    postcodes["population"] = people["einwohner"].reindex(postcodes.index).fillna(0.0)
    districts = gpd.read_file(folder / "berlin_bezirke" / "bezirksgrenzen.shp")
    centres = postcodes.geometry.to_crs("EPSG:25833").representative_point().to_crs("EPSG:4326")
    stations = gpd.GeoDataFrame(geometry=centres.iloc[::9].to_numpy(), crs="EPSG:4326")
    total = postcodes["population"].sum()
    assert total > 3_000_000
    points = gpd.GeoDataFrame(postcodes[["population"]], geometry=centres)
    by_column = ocm.coverage(postcodes, stations, 2, population="population")
    by_polygons = ocm.coverage(districts, stations, 2, population=postcodes)
    by_points = ocm.coverage(districts, stations, 2, population=points)
    assert by_column["population"].sum() == total
    # Two offices drew Berlin's outline.
    assert by_polygons["population"].sum() == pytest.approx(total, rel=5e-3)
    assert by_polygons["population_covered"].sum() == pytest.approx(
        by_column["population_covered"].sum(), rel=5e-3
    )
    assert by_points["population"].sum() == pytest.approx(total, rel=1e-12)
    share = [table["population_covered"].sum() / total for table in (by_column, by_points)]
    assert share[0] == pytest.approx(share[1], abs=0.1)
    everywhere = ocm.coverage(districts, stations, 60, population=postcodes)
    assert everywhere["population_share"].tolist() == [1.0] * 12


def test_the_people_of_germany_are_all_counted(data_dir: Path) -> None:
    rows = pd.read_csv(data_dir / "population" / "germany_plz" / "plz_einwohner.csv")
    points = gpd.GeoDataFrame(
        {"population": rows["einwohner"]},
        geometry=gpd.points_from_xy(rows["lon"], rows["lat"], crs="EPSG:4326"),
    )
    boxes = [shapely.box(x, y, x + 1, y + 1) for x in range(5, 16) for y in range(47, 56)]
    squares = gpd.GeoDataFrame(geometry=boxes, crs="EPSG:4326")
    stations = points.iloc[::400]
    found = ocm.coverage(squares, stations, [20, 50], population=points)
    near = found[found["within_km"] == 20]
    assert near["population"].sum() == 80_322_172
    km = nearest_by_pyproj(points, stations)
    assert near["population_covered"].sum() == points["population"][km <= 20].sum()


def test_municipalities_of_an_island_agree_with_rasterized_ones(data_dir: Path) -> None:
    folder = data_dir / "population" / "sao_miguel_gpw"
    concelhos = gpd.read_file(folder / "concelhos.gpkg").to_crs("EPSG:4326")
    stations = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([-25.67, -25.43], [37.74, 37.72], crs="EPSG:4326")
    )
    path = folder / "gpw_v411_2020_count_2020.tif"
    found = ocm.population_coverage(path, stations, 6, areas=concelhos)
    with rasterio.open(path) as source:
        people = source.read(1, masked=True).astype(float).filled(0)
        shapes = [(shape, i + 1) for i, shape in enumerate(concelhos.geometry)]
        owner = features.rasterize(shapes, out_shape=people.shape, transform=source.transform)
        row, column = np.indices(people.shape)
        lon, lat = source.transform @ (column + 0.5, row + 0.5)
    # A cell is whose its centre is, as for rasterize.
    theirs = np.bincount(owner.ravel(), people.ravel(), len(concelhos) + 1)[1:]
    assert found["population"].to_numpy(float) == pytest.approx(theirs, rel=1e-9)
    cells = gpd.GeoDataFrame(
        {"population": people.ravel()},
        geometry=gpd.points_from_xy(lon.ravel(), lat.ravel(), crs=4326),
    )
    points = ocm.coverage(concelhos, stations, 6, population=cells)
    assert found["population_covered"].to_numpy(float) == pytest.approx(
        points["population_covered"].to_numpy(float), rel=1e-12
    )


def test_the_size_of_cells_is_that_of_the_makers_of_a_raster(
    data_dir: Path, tmp_path: Path
) -> None:
    folder = data_dir / "population" / "sao_miguel_gpw"
    nobody = gpd.GeoDataFrame(geometry=[], crs="EPSG:4326")
    with rasterio.open(folder / "gpw_v411_2020_land_area_2020.tif") as source:
        land = source.read(1, masked=True).filled(0)
        profile = source.profile | {"nodata": None}
    # Cells that are all land are the largest of their row.
    largest = land.max(axis=1, keepdims=True)
    inland = (land > 0.999 * largest) & (largest > 0.99 * land.max())
    with rasterio.open(tmp_path / "one.tif", "w", **profile) as target:
        target.write(inland.astype(profile["dtype"]), 1)
    one = ocm.PopulationRaster(tmp_path / "one.tif", kind="density")
    size = ocm.population_coverage(one, nobody, 1)["population"].iloc[0]
    # They took a sphere of 6,378.137 km: 0.17 % too large for WGS84 at this latitude.
    assert land[inland].sum() / size == pytest.approx(1.00168, abs=1e-4)
