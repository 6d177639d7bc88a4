"""What each uncertain station alone would add to coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

rasterio = pytest.importorskip("rasterio")
RNG = np.random.default_rng(8)
RULE = ocm.Qualifying(min_power_kw=50)
POWERS: list[float | None] = [50, None, 22, 150]


def stations(n: int = 30) -> gpd.GeoDataFrame:
    """Some sure, some without a power or access, some too weak."""
    powers = [POWERS[i % 4] for i in range(n)]
    plugs = [f'[{{"PowerKW": {"null" if p is None else p}}}]' for p in powers]
    columns = {
        "title": [f"site {i}" for i in range(n)],
        "connections": plugs,
        "usage_type_id": pd.array([None if i % 7 == 0 else 1 for i in range(n)], dtype="Int64"),
        "status_type_id": pd.array([50] * n, dtype="Int64"),
    }
    index = pd.Index(RNG.permutation(n) + 100, name="ocm_id")
    points = gpd.points_from_xy(*RNG.uniform((4, 51), (5, 52), (n, 2)).T)
    return gpd.GeoDataFrame(columns, index=index, geometry=points, crs="EPSG:4326")


def areas() -> gpd.GeoDataFrame:
    boxes = [shapely.box(x, y, x + 0.5, y + 0.5) for x in (4, 4.5) for y in (51, 51.5)]
    people = {"population": [1000.0, 0.0, 500.0, 20.0]}
    return gpd.GeoDataFrame(people, geometry=boxes, crs="EPSG:4326")


def raster(path: Path) -> Path:
    values = RNG.integers(0, 5, (50, 50)).astype("float32")
    place = rasterio.transform.from_origin(4, 52, 0.02, 0.02)
    options = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", height=50, width=50, transform=place, **options) as file:
        file.write(values, 1)
    return path


def populations(folder: Path) -> dict[str, Any]:
    lonlat = RNG.uniform((4, 51), (5, 52), (400, 2))
    points = gpd.GeoDataFrame(
        {"population": RNG.integers(0, 9, 400)},
        geometry=gpd.points_from_xy(*lonlat.T),
        crs="EPSG:4326",
    )
    points.to_parquet(folder / "points.parquet")
    halves = [shapely.box(4, 50.9, 4.7, 52.1), shapely.box(4.7, 50.9, 5.2, 52.1)]
    polygons = gpd.GeoDataFrame({"population": [700.0, 90.0]}, geometry=halves, crs="EPSG:4326")
    return {
        "column": "population",
        "points": points,
        "parts": folder / "points.parquet",
        "polygons": polygons,
        "raster": raster(folder / "people.tif"),
    }


@pytest.mark.parametrize("kind", ["column", "points", "parts", "polygons", "raster"])
def test_each_adds_what_coverage_has_more_with_it(kind: str, tmp_path: Path) -> None:
    population, sites = populations(tmp_path)[kind], stations()
    found = ocm.uncertainty_drivers(areas(), sites, [3, 10], population=population, qualifying=RULE)
    uncertain = ocm.uncertain_stations(sites, RULE).index
    certain = sites[~sites.index.isin(uncertain) & sites["connections"].str.contains("50")]
    sums = ["covered_km2", "population_covered"]

    def total(some: gpd.GeoDataFrame) -> pd.DataFrame:
        table = ocm.coverage(areas(), some, [3, 10], population=population)
        return pd.DataFrame(table).groupby("within_km")[sums].sum()

    low = total(certain)
    adding = found.set_index("within_km", append=True)
    for site in uncertain:
        more = total(sites.loc[[*certain.index, site]]) - low
        for km in (3, 10):
            row = adding.loc[(site, km)] if (site, km) in adding.index else None
            expected = more.loc[km].to_numpy(float)
            got = [0, 0] if row is None else [row["adds_km2"], row["adds_population"]]
            assert got == pytest.approx(expected, rel=1e-4, abs=1e-3)
    assert set(found.index) <= set(uncertain)
    assert found["title"].str.startswith("site").all()


def test_what_adds_most_is_first() -> None:
    found = ocm.uncertainty_drivers(
        areas(), stations(), [3, 10], population="population", qualifying=RULE
    )
    for _, table in found.groupby("within_km"):
        assert table["adds_population"].is_monotonic_decreasing
    assert (found[["adds_km2", "adds_population"]] > 0).any(axis=1).all()


def test_stations_beyond_reach_drive_nothing() -> None:
    far = stations().set_geometry(stations().translate(30))
    found = ocm.uncertainty_drivers(areas(), far, 5, qualifying=RULE)
    assert len(found) == 0
    assert found.attrs["ocm"]["n_uncertain"] > 0
    assert "adds_population" not in found


def test_a_table_without_uncertainty_columns_is_refused() -> None:
    with pytest.raises(ocm.QueryError, match="connections"):
        ocm.uncertainty_drivers(areas(), stations().drop(columns="connections"), 5)
