"""People of rasters, points and polygons: exact, conserved, the same on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.coverage import rasters
from tests.unit.uncertainty.test_stations import CASES, table

if TYPE_CHECKING:
    from pathlib import Path

rasterio = pytest.importorskip("rasterio")
Affine = rasterio.Affine
GEOD = pyproj.Geod(ellps="WGS84")
AREA = gpd.GeoDataFrame(geometry=[shapely.box(5, 52, 6, 53)], crs="EPSG:4326")


def sites(*places: tuple[float, float]) -> gpd.GeoDataFrame:
    index = pd.RangeIndex(1, len(places) + 1, name="ocm_id")
    points = gpd.points_from_xy(*np.reshape(places, (-1, 2)).T)
    return gpd.GeoDataFrame(index=index, geometry=points, crs="EPSG:4326")


def made(path: Path, values: np.ndarray, *place: float, **more: Any) -> Path:
    (rows, columns), (west, north, cell) = values.shape, place
    profile = {
        "driver": "GTiff", "height": rows, "width": columns, "count": 1, "crs": "EPSG:4326",
        "dtype": values.dtype, "transform": rasterio.transform.from_origin(west, north, cell, cell),
    } | more  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values, 1)
    return path


def by_hand(path: Path, stations: gpd.GeoDataFrame, km: float) -> tuple[float, float]:
    """Measure every cell by pyproj."""
    with rasterio.open(path) as source:
        values = source.read(1, masked=True).astype(float).filled(0)
        row, column = np.nonzero(values)
        x, y = rasterio.transform.xy(source.transform, row, column)
        lon, lat = pyproj.Transformer.from_crs(source.crs, "EPSG:4326", always_xy=True).transform(
            x, y
        )
    metres = [
        GEOD.inv(lon, lat, np.full(len(row), s.x), np.full(len(row), s.y))[2]
        for s in stations.geometry
    ]
    near = np.min(metres, axis=0) <= km * 1000
    return float(values.sum()), float(values[row, column][near].sum())


CASES_OF_RASTERS = {
    "degrees": (5.0, 53.0, 0.001, "EPSG:4326", (5.1, 52.9)),
    "a plane": (4_000_000, 3_000_000, 100, "EPSG:3035", (8.5, 49.9)),
    "the antimeridian": (179.8, -16.0, 0.001, "EPSG:4326", (-179.9, -16.1)),
    "a pole": (-180, 90.0, 0.3, "EPSG:4326", (0.0, 89.0)),
}


@pytest.mark.parametrize("name", CASES_OF_RASTERS)
def test_every_cell_is_decided_as_pyproj_does(name: str, tmp_path: Path) -> None:
    west, north, cell, crs, place = CASES_OF_RASTERS[name]
    rng = np.random.default_rng(1)
    values = rng.poisson(0.4, (300, 700)).astype("float32")
    path = made(tmp_path / "x.tif", values, west, north, cell, crs=crs, tiled=True, blockxsize=128,
                blockysize=128)  # fmt: skip
    stations = sites(place, (place[0] + 0.05, place[1] - 0.03))
    found = ocm.population_coverage(path, stations, [3, 7.5, 300])
    for _, row in found.iterrows():
        total, covered = by_hand(path, stations, row["within_km"])
        assert row["population"] == pytest.approx(total, rel=1e-12)
        assert row["population_covered"] == pytest.approx(covered, rel=1e-12)
        both = row["population_covered"] + row["population_not_covered"]
        assert both == pytest.approx(total, rel=1e-12)


def test_real_counts(data_dir: Path) -> None:
    folder = data_dir / "population" / "sao_miguel_gpw"
    path, places = folder / "gpw_v411_2020_count_2020.tif", sites((-25.67, 37.74), (-25.3, 37.8))
    whole = ocm.population_coverage(path, places, 5).iloc[0]
    assert whole["population"] == pytest.approx(145_603, abs=1)
    assert whole["population_covered"] == pytest.approx(by_hand(path, places, 5)[1], rel=1e-12)
    # Four boxes that part the grid, borders on centres of cells.
    with rasterio.open(path) as source:
        west, south, east, north = source.bounds
        x, y = source.xy(20, 40)
    parts = [(west, south, x, y), (x, south, east, y), (west, y, x, north), (x, y, east, north)]
    areas = gpd.GeoDataFrame(geometry=[shapely.box(*box) for box in parts], crs="EPSG:4326")
    found = ocm.population_coverage(path, places, 5, areas=areas)
    for name in ("population", "population_covered", "population_not_covered"):
        assert found[name].sum() == pytest.approx(whole[name], rel=1e-9)
    concelhos = gpd.read_file(folder / "concelhos.gpkg")
    table = ocm.coverage(concelhos, places, 5, population=path)
    again = ocm.population_coverage(path, places, 5, areas=concelhos)
    assert table["population_covered"].tolist() == again["population_covered"].tolist()
    assert "centre" in table.attrs["ocm"]["method"]


def test_density_is_people_per_km2(tmp_path: Path) -> None:
    made(tmp_path / "x.tif", np.full((50, 60), 7.0, "float32"), 5, 53, 0.01)
    raster = ocm.PopulationRaster(tmp_path / "x.tif", kind="density")
    found = ocm.population_coverage(raster, sites((5.3, 52.7)), 500)
    size = GEOD.polygon_area_perimeter([5, 5.6, 5.6, 5], [52.5, 52.5, 53, 53])[0] / 1e6
    assert found["population"].iloc[0] == pytest.approx(7 * size, rel=1e-4)
    flat = made(tmp_path / "y.tif", np.full((50, 60), 7.0), 4e6, 3e6, 1000, crs="EPSG:3035")
    found = ocm.population_coverage(ocm.PopulationRaster(flat, kind="density"), sites(), 5)
    assert found["population"].iloc[0] == pytest.approx(7 * 3000, rel=1e-4)


def test_bounds_of_a_raster(tmp_path: Path) -> None:
    path = made(tmp_path / "x.tif", np.ones((100, 100)), 5, 53, 0.002)
    stations = table(CASES["sure"][0], CASES["power missing"][0])
    stations.geometry = gpd.points_from_xy([5.05, 5.15], [52.9, 52.9], crs="EPSG:4326")
    rule = ocm.Qualifying(min_power_kw=50)
    row = ocm.population_coverage(path, stations, 3, bounds=True, qualifying=rule).iloc[0]
    low, high = by_hand(path, stations.iloc[:1], 3)[1], by_hand(path, stations, 3)[1]
    assert row["population_covered_low"] == row["population_covered"] == low
    assert row["population_covered_high"] == high > low


def test_wrong_rasters_are_refused(tmp_path: Path) -> None:
    there = sites((5.0, 52.0))
    with pytest.raises(ocm.QueryError, match="cannot be read"):
        ocm.population_coverage(tmp_path / "none.tif", there, 5)
    bare = made(tmp_path / "a.tif", np.ones((4, 4)), 5, 53, 0.1, crs=None)
    with pytest.raises(ocm.QueryError, match="no coordinate reference system"):
        ocm.population_coverage(bare, there, 5)
    bad = made(tmp_path / "b.tif", np.full((4, 4), -200.0), 5, 53, 0.1)
    with pytest.raises(ocm.QueryError, match="population of -200 at row 0, column 0"):
        ocm.population_coverage(bad, there, 5)
    with pytest.warns(ocm.SuspectInput, match="has no population"):
        none = ocm.population_coverage(ocm.PopulationRaster(bad, nodata=-200), there, 5)
    assert none["population"].tolist() == [0]
    assert none["population_share"].isna().all()
    with pytest.raises(ocm.QueryError, match="counts"):
        ocm.PopulationRaster(bad, kind="people")  # type: ignore[arg-type]
    nan = made(tmp_path / "c.tif", np.array([[np.nan, 2.0]]), 5, 53, 0.1)
    assert ocm.population_coverage(nan, sites(), 5)["population_covered"].tolist() == [0]


def test_overlapping_areas_are_said(tmp_path: Path) -> None:
    path = made(tmp_path / "x.tif", np.ones((10, 10)), 0, 1, 0.1)
    boxes = [shapely.box(0, 0, 1, 1), shapely.box(0.5, 0, 1, 1)]
    areas = gpd.GeoDataFrame(geometry=boxes, crs="EPSG:4326")
    with pytest.warns(ocm.SuspectInput, match="1 pairs of areas overlap"):
        found = ocm.population_coverage(path, sites(), 5, areas=areas)
    assert found["population"].tolist() == [100, 50]


def test_people_of_polygons_are_spread_evenly() -> None:
    areas = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326")
    source = gpd.GeoDataFrame(
        {"population": [1000.0, 50.0]},
        geometry=[shapely.box(0.5, 0, 1.5, 1), shapely.box(3, 3, 4, 4)],
        crs="EPSG:4326",
    )
    row = ocm.coverage(areas, sites((0.75, 0.5)), [10, 300], population=source)
    assert row["population"].tolist() == pytest.approx([500, 500], rel=1e-9)
    disc = 500 * np.pi * 100 / ocm.coverage(areas, sites(), 1)["area_km2"].iloc[0] * 2
    assert row["population_covered"].tolist() == pytest.approx([disc, 500], rel=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cluster_gives_the_same_to_the_last_bit(tmp_path: Path, client: Any) -> None:
    rng = np.random.default_rng(2)
    values = rng.gamma(0.2, 3.0, (3000, 2500))
    path = made(tmp_path / "x.tif", values, 5, 53, 0.001, tiled=True)
    stations = sites(*rng.uniform((5, 50), (7.5, 53), (40, 2)).tolist())
    boxes = [shapely.box(5 + i * 0.5, 50, 5.5 + i * 0.5, 53) for i in range(5)]
    areas = gpd.GeoDataFrame(geometry=boxes, crs="EPSG:4326")
    here = ocm.population_coverage(path, stations, [5, 20], areas=areas)
    there = ocm.population_coverage(path, stations, [5, 20], areas=areas, client=client)
    pd.testing.assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there), check_exact=True)
    assert here["population"].iloc[::2].sum() == pytest.approx(values.sum(), rel=1e-9)
    lon, lat = rng.uniform((5, 50), (7.5, 53), (3000, 2)).T
    points = gpd.GeoDataFrame(
        {"population": rng.gamma(1, 100, 3000)}, geometry=gpd.points_from_xy(lon, lat), crs=4326
    )
    (tmp_path / "points").mkdir()
    for i in range(3):
        points.iloc[1000 * i :][:1000].to_parquet(tmp_path / "points" / f"{i}.parquet")
    whole = ocm.coverage(areas, stations, 20, population=points)
    parts = ocm.coverage(areas, stations, 20, population=tmp_path / "points", client=client)
    assert parts["population_covered"].to_numpy(float) == pytest.approx(
        whole["population_covered"].to_numpy(float), rel=1e-12
    )
    near = ocm.nearest_stations(tmp_path / "points", stations, client=client).compute()
    pd.testing.assert_frame_equal(near, ocm.nearest_stations(points, stations))


TURNED = {
    "south up": Affine(0.01, 0, 5, 0, 0.01, 52),
    "east to west": Affine(-0.01, 0, 6, 0, -0.01, 53),
    "rotated": Affine.translation(5.5, 52.5) @ Affine.rotation(33) @ Affine.scale(0.01, -0.007),
}


@pytest.mark.parametrize("name", TURNED)
@pytest.mark.parametrize("kind", ["counts", "density"])
def test_rasters_may_lie_any_way(name: str, kind: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    values, transform = rng.gamma(0.3, 2, (90, 70)), TURNED[name]
    path = made(tmp_path / "x.tif", values, 0, 0, 1, transform=transform, count=2)
    with rasterio.open(path, "r+") as target:
        target.write(np.full_like(values, 9), 1)
        target.write(values, 2)
    stations = sites((5.4, 52.4), (5.6, 52.7))
    row = ocm.population_coverage(ocm.PopulationRaster(path, kind=kind, band=2), stations, 12).iloc[
        0
    ]
    cell, reached = np.ones_like(values), np.zeros(values.shape, dtype=bool)
    for i, j in np.ndindex(values.shape):
        x, y = transform @ (j + 0.5, i + 0.5)
        reached[i, j] = min(GEOD.inv(x, y, s.x, s.y)[2] for s in stations.geometry) <= 12_000
        if kind == "density":
            corners = [transform @ (j + q, i + p) for p, q in ((0, 0), (0, 1), (1, 1), (1, 0))]
            xs, ys = zip(*corners, strict=True)
            cell[i, j] = abs(GEOD.polygon_area_perimeter(xs, ys)[0]) / 1e6
    assert row["population"] == pytest.approx((values * cell).sum(), rel=1e-7)
    assert row["population_covered"] == pytest.approx((values * cell)[reached].sum(), rel=1e-7)


def test_no_data_is_what_people_write_of_it(tmp_path: Path) -> None:
    values = np.array([[3, -3.4028234663852886e38, np.nan]], dtype="float32")
    path = made(tmp_path / "x.tif", values, 5, 53, 0.1)
    raster = ocm.PopulationRaster(path, nodata=-3.4028235e38)
    assert ocm.population_coverage(raster, sites((5, 53)), 50)["population"].tolist() == [3]
    whole = made(tmp_path / "y.tif", np.array([[3, 255]], dtype="uint8"), 5, 53, 0.1)
    raster = ocm.PopulationRaster(whole, nodata=-9999)
    assert ocm.population_coverage(raster, sites((5, 53)), 50)["population"].tolist() == [258]


def test_scaled_values_and_empty_tiles(tmp_path: Path) -> None:
    path = made(tmp_path / "x.tif", np.full((2, 3), 7, "int16"), 5, 53, 0.1, nodata=-1)
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = (0.5,), (2.0,)
    assert ocm.population_coverage(path, sites((5, 53)), 90)["population"].tolist() == [6 * 5.5]


def test_rasters_that_are_nowhere_are_refused(tmp_path: Path) -> None:
    there = sites((5.0, 52.0))
    with pytest.raises(ocm.QueryError, match="as a path, not as ndarray"):
        ocm.population_coverage(np.ones((3, 3)), there, 5)  # type: ignore[arg-type]
    with pytest.raises(ocm.QueryError, match="read tables of points or areas with geopandas"):
        ocm.coverage(AREA, there, 5, population=str(tmp_path / "people.gpkg"))
    far = made(tmp_path / "a.tif", np.ones((4, 4)), 4e6, 3e6, 100)
    with pytest.raises(
        ocm.QueryError, match=r"a\.tif is not on the Earth: it extends from \(4e\+06"
    ):
        ocm.population_coverage(far, there, 5)
    with pytest.raises(ocm.QueryError, match="band must be 1 to 1, not 2"):
        ocm.population_coverage(ocm.PopulationRaster(far, band=2), there, 5)
    # The north-western corner of Mollweide's box is in no country.
    corner = made(tmp_path / "b.tif", np.ones((4, 4)), -18e6, 9e6, 1000, crs="ESRI:54009")
    with pytest.raises(ocm.QueryError, match="row 0, column 0, off the Earth in its projection"):
        ocm.population_coverage(corner, there, 5)


def test_a_point_at_the_antimeridian_is_in_the_areas_on_both_sides_once(tmp_path: Path) -> None:
    # Centres of the middle column of cells are at 180.
    path = made(tmp_path / "x.tif", np.ones((10, 5)), 179.75, 1, 0.1)
    parts = [shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -179, 1)]
    for shapes in (parts, parts[::-1]):
        areas = gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326")
        found = ocm.population_coverage(path, sites((180, 0.5)), 500, areas=areas)
        assert found["population"].tolist() == [30, 20]
    assert (
        ocm.population_coverage(path, sites(), 5, areas=areas.iloc[:1])["population"].iloc[0] == 30
    )


def test_huge_tiles_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(9).gamma(0.3, 2, (300, 200))
    path = made(tmp_path / "x.tif", values, 5, 53, 0.01, tiled=True, blockxsize=208, blockysize=304)
    whole = ocm.population_coverage(path, sites((5.5, 52)), [20, 60])
    monkeypatch.setattr(rasters, "_BLOCK_CELLS", 1000)
    monkeypatch.setattr(rasters, "_MOST_CELLS", 4000)
    pieces = rasters.open_grid(path).windows()
    assert [rows for _, _, rows, _ in pieces] == [19] * 15 + [15]
    assert sum(rows * columns for _, _, rows, columns in pieces) == values.size
    parts = ocm.population_coverage(path, sites((5.5, 52)), [20, 60])
    for name in ("population", "population_covered"):
        assert parts[name].to_numpy(float) == pytest.approx(whole[name].to_numpy(float), rel=1e-12)
    assert whole["population"].iloc[0] == pytest.approx(values.sum(), rel=1e-12)
