"""Questions to a mirror of 300,000 stations: against buffers, joins and the expert's way."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely

import ocm_geo as ocm
from benchmarks.data import N_SITES, made_positions, made_route, repeated_lines
from benchmarks.timing import report, seconds

WITHIN_KM = 5


def main() -> None:
    """Print the ratios."""
    _simplify()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pois.jsonl"
        path.write_bytes(b"\n".join(repeated_lines(N_SITES)))
        mirror = ocm.Mirror.build(Path(folder) / "mirror", path)
        _corridor(mirror)
        _small(mirror)


def _simplify() -> None:
    route = shapely.LineString(made_route(50_000))
    report(
        "route_simplify, 50,000 vertices, 100 m",
        seconds(lambda: ocm.route_simplify(route, 0.1)),
        shapely_simplify=seconds(lambda: route.simplify(0.1 / 111.2)),
    )


def _corridor(mirror: ocm.Mirror) -> None:
    route = shapely.LineString(made_route(10_000))
    lon, lat = made_positions(N_SITES)
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    found = ocm.stations_from_route(route, WITHIN_KM, source=mirror)
    ours = seconds(lambda: ocm.stations_from_route(route, WITHIN_KM, source=mirror))
    expert = seconds(lambda: _experts_way(route, lon, lat))
    joined = seconds(lambda: _buffer_and_join(route, points), repeat=1)
    report(
        f"corridor, {N_SITES:,} stations, 10,000 vertices, {len(found):,} found",
        ours,
        buffer_sjoin=joined,
        project_buffer_prepare_contains=expert,
    )
    planar = int(_experts_way(route, lon, lat).sum())
    print(
        f"  exact: {len(found):,}; the planar ways find {planar:,} (equidistant conic projection)"
    )


def _experts_way(route: shapely.LineString, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    plane = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3034", always_xy=True)
    ground = shapely.transform(route, plane.transform, interleaved=False).buffer(WITHIN_KM * 1000)
    shapely.prepare(ground)
    return np.asarray(shapely.contains_xy(ground, *plane.transform(lon, lat)))


def _buffer_and_join(route: shapely.LineString, points: gpd.GeoSeries) -> gpd.GeoDataFrame:
    ground = gpd.GeoDataFrame(geometry=[route], crs="EPSG:4326").to_crs("EPSG:3034")
    ground["geometry"] = ground.buffer(WITHIN_KM * 1000)
    frame = gpd.GeoDataFrame(geometry=points).to_crs("EPSG:3034")
    return gpd.sjoin(frame, ground, predicate="within")


def _small(mirror: ocm.Mirror) -> None:
    box = (4.0, 50.0, 7.0, 52.0)
    found = ocm.stations_from_bbox(box, source=mirror)
    report(
        f"box, {len(found):,} found",
        seconds(lambda: ocm.stations_from_bbox(box, source=mirror), 10),
    )
    near = ocm.stations_from_point((10, 50), 150, source=mirror)
    report(
        f"circle, {len(near):,} found",
        seconds(lambda: ocm.stations_from_point((10, 50), 150, source=mirror), 10),
    )
