"""Demand tables of 50 million points as partitioned GeoParquet, on two dask workers."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

import ocm_geo as ocm
from benchmarks.data import N_SITES, made_positions

N_POINTS = int(os.environ.get("N_DEMAND", "50000000"))
PART = 1_000_000


def main() -> None:
    """Print the figures."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - starts processes

    lon, lat = made_positions(N_SITES)
    stations = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    boxes = [shapely.box(x, y, x + 10, y + 10) for x in range(-10, 30, 10) for y in (36, 46, 56)]
    areas = gpd.GeoDataFrame(geometry=boxes, crs="EPSG:4326")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(-(-N_POINTS // PART)):
            _part(i).to_parquet(Path(folder) / f"{i:04}.parquet")
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            start = time.perf_counter()
            table = ocm.coverage(areas, stations, 5, population=Path(folder), client=client)
            print(f"coverage, {N_POINTS:,} points: {time.perf_counter() - start:.1f} s")
            start = time.perf_counter()
            near = ocm.nearest_stations(folder, stations, client=client)
            mean = near["nearest_km"].mean().compute()
            print(f"nearest, {N_POINTS:,} points: {time.perf_counter() - start:.1f} s")
    print(f"  people {table['population'].sum():,.0f}, mean nearest {mean:.2f} km")


def _part(number: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(number)
    n = min(PART, N_POINTS - number * PART)
    lon, lat = rng.uniform((-10, 36), (30, 66), (n, 2)).T
    people = {"population": rng.integers(0, 50, n)}
    return gpd.GeoDataFrame(people, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
