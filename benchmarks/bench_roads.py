"""Every European E-road against 300,000 stations: positions along it, and gaps."""

from __future__ import annotations

import geopandas as gpd
import shapely

import ocm_geo as ocm
from benchmarks.data import N_SITES, SHARED, made_positions
from benchmarks.timing import report, seconds

WITHIN_KM = 5


def main() -> None:
    """Print the ratios."""
    lon, lat = made_positions(N_SITES)
    stations = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    stations.index.name = "ocm_id"
    roads = gpd.read_file(SHARED / "network" / "travelmapping" / "eure.geojson")
    parts = [part for part in shapely.get_parts(roads.geometry.to_numpy()) if part.length > 0]
    passages = sum(len(_marks(part, stations)) for part in parts)
    ours = seconds(lambda: [ocm.route_gaps(p, stations, within_km=WITHIN_KM) for p in parts], 1)
    marks = seconds(lambda: [_marks(part, stations) for part in parts], 1)
    planar = seconds(lambda: _planar(parts, stations), 1)
    what = f"{len(parts)} roads, {sum(map(shapely.get_num_coordinates, parts)):,} points"
    report(f"{what}: {passages:,} passages", marks, buffer_sjoin_line_locate=planar)
    report(f"{what}: gaps", ours)


def _marks(part: shapely.LineString, stations: gpd.GeoSeries) -> gpd.GeoDataFrame:
    return ocm.locate_along(stations, part, within_km=WITHIN_KM, passages="all")


def _planar(parts: list[shapely.LineString], stations: gpd.GeoSeries) -> list[object]:
    """Do it as the user guide of geopandas has it: only the nearest place, in a plane."""
    roads = gpd.GeoSeries(parts, crs="EPSG:4326").to_crs("EPSG:3034")
    points = gpd.GeoDataFrame(geometry=stations.to_crs("EPSG:3034"))
    ground = gpd.GeoDataFrame(geometry=roads.buffer(WITHIN_KM * 1000))
    pairs = gpd.sjoin(points, ground)
    road = roads.to_numpy()[pairs["index_right"]]
    return [shapely.line_locate_point(road, pairs.geometry.to_numpy())]
