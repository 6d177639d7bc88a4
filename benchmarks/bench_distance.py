"""Nearest stations and dissolved service areas: against named peers, and growth with size."""

from __future__ import annotations

import os
from functools import partial

import geopandas as gpd
import numpy as np
from scipy.spatial import cKDTree
from sklearn.neighbors import BallTree

import ocm_geo as ocm
from benchmarks import postgis
from benchmarks.data import N_SITES, made_positions
from benchmarks.timing import report, seconds
from ocm_geo.geodesy import to_ecef_km

N_POINTS = int(os.environ.get("N_POINTS", "1000000"))
WITHIN_KM = 5
PLANE = "EPSG:3035"


def main() -> None:
    """Print the ratios."""
    stations = _frame(*made_positions(N_SITES))
    rng = np.random.default_rng(3)
    points = _frame(*rng.uniform((-10, 36), (30, 65), (N_POINTS, 2)).T)
    _nearest(points, stations)
    _areas(stations)
    _growth(stations)
    if postgis.available():
        _truth(points.iloc[:2000], stations)


def _frame(lon: np.ndarray, lat: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def _nearest(points: gpd.GeoDataFrame, stations: gpd.GeoDataFrame) -> None:
    there, here = (
        to_ecef_km(g.x.to_numpy(), g.y.to_numpy()) for g in (stations.geometry, points.geometry)
    )
    ours = seconds(lambda: ocm.nearest_stations(points, stations))
    bare = seconds(lambda: cKDTree(there).query(here, k=2, workers=-1))
    flat = points.to_crs(PLANE), stations.to_crs(PLANE)
    joined = seconds(lambda: gpd.sjoin_nearest(*flat, distance_col="m"), 1)
    some = points.iloc[: N_POINTS // 20]
    angles = [np.radians(np.column_stack([t.geometry.y, t.geometry.x])) for t in (stations, some)]
    tree = BallTree(angles[0], metric="haversine")
    ball = 20 * seconds(lambda: tree.query(angles[1]), 1)
    report(
        f"nearest of {N_SITES:,} for {N_POINTS:,} points",
        ours,
        bare_ckdtree=bare,
        sjoin_nearest=joined,
        balltree_haversine_from_a_20th=ball,
    )


def _areas(stations: gpd.GeoDataFrame) -> None:
    united = ocm.service_areas(stations, WITHIN_KM)
    flat = stations.to_crs(PLANE).geometry
    report(
        f"dissolved {WITHIN_KM} km areas of {N_SITES:,}: {united['area_km2'].iloc[0]:,.0f} km2",
        seconds(lambda: ocm.service_areas(stations, WITHIN_KM), 2),
        buffer_union_all=seconds(lambda: flat.buffer(1000 * WITHIN_KM).union_all(), 2),
    )


def _growth(stations: gpd.GeoDataFrame) -> None:
    for n in (10_000, 100_000, 1_000_000):
        points = _frame(*np.random.default_rng(4).uniform((-10, 36), (30, 65), (n, 2)).T)
        some = _frame(*made_positions(n))
        report(f"nearest, {n:,} points", seconds(partial(ocm.nearest_stations, points, stations)))
        report(f"areas, {n:,} stations", seconds(partial(ocm.service_areas, some, WITHIN_KM), 1))


def _truth(points: gpd.GeoDataFrame, stations: gpd.GeoDataFrame) -> None:
    """Compare with PostGIS geography, which measures on the spheroid."""
    found = ocm.nearest_stations(points, stations)
    rows = [f"{i}\t{p.x!r}\t{p.y!r}" for i, p in enumerate(points.geometry)]
    places = [f"{i}\t{p.x!r}\t{p.y!r}" for i, p in enumerate(stations.geometry)]
    with postgis.database() as base:
        for name, lines in (("points", rows), ("sites", places)):
            base.run(
                f"create table {name} (id int, x float8, y float8); copy {name} from stdin;", lines
            )
            base.run(f"alter table {name} add g geography;")
            base.run(f"{'update'} {name} set g = st_setsrid(st_makepoint(x, y), 4326)::geography;")
            base.run(f"create index on {name} using gist (g); analyze {name};")
        lines = base.run(
            "select s.id, s.m from points p cross join lateral (select id, st_distance(g, p.g) m "
            "from (select * from sites order by g <-> p.g limit 8) near "
            "order by m limit 1) s order by p.id;"
        )
    theirs = np.array([float(line.split("|")[1]) for line in lines])
    away = np.abs(found["nearest_km"].to_numpy(dtype=float) * 1000 - theirs)
    print(f"  against PostGIS geography: at most {away.max() * 1000:.4f} mm apart")
