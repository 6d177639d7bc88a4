"""Population of a raster of 1.16 billion cells: time, memory, and one worker against two."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import geopandas as gpd

import ocm_geo as ocm
from benchmarks.data import N_SITES, made_positions
from benchmarks.make_raster import write_raster
from benchmarks.timing import run_fresh

WITHIN_KM = [1, 5]
CELLS_PER_DEGREE = int(os.environ.get("CELLS_PER_DEGREE", "1000"))
"""1,000 for the full size."""


def main() -> None:
    """Print the figures."""
    lon, lat = made_positions(N_SITES)
    stations = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.tif"
        n = write_raster(path, CELLS_PER_DEGREE)
        points = Path(folder) / "stations.parquet"
        stations.to_parquet(points)
        before = f"import geopandas, ocm_geo as ocm; s = geopandas.read_parquet({str(points)!r})"
        took = run_fresh(before, f"ocm.population_coverage({str(path)!r}, s, {WITHIN_KM})")
        print(f"{n:,} cells: {took}")
        here = ocm.population_coverage(path, stations, WITHIN_KM)
        times = [_on_cluster(path, stations, workers, here) for workers in (1, 2)]
    print(f"two dask workers: {times[0] / times[1]:.2f} x one ({times[0]:.1f} s, {times[1]:.1f} s)")


def _on_cluster(
    path: Path, stations: gpd.GeoDataFrame, workers: int, expected: gpd.GeoDataFrame
) -> float:
    from distributed import Client, LocalCluster  # noqa: PLC0415 - starts processes

    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        client.run(__import__, "ocm_geo")
        start = time.perf_counter()
        found = ocm.population_coverage(path, stations, WITHIN_KM, client=client)
        took = time.perf_counter() - start
    assert found.equals(expected)
    return took
