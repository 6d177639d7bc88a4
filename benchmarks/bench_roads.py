"""Every European E-road against 300,000 stations: positions along it, and gaps."""

from __future__ import annotations

import geopandas as gpd
import shapely

import ocm_geo as ocm
from benchmarks import postgis
from benchmarks.data import N_SITES, SHARED, made_positions
from benchmarks.timing import report, seconds

WITHIN_KM = 5
STEP = 8
TABLES = """
create table s (id int, g geography(Point, 4326));
create table r (id int, g geography(LineString, 4326));
"""
ALONG = f"""
select r.id, s.id, ST_LineLocatePoint(r.g::geometry, s.g::geometry) * ST_Length(r.g) / 1000
from r join s on ST_DWithin(s.g, r.g, {1000 * WITHIN_KM});
"""  # noqa: S608 - our own number


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
    if postgis.available():
        _against_postgis(parts[::STEP], stations)
    else:
        print("PostGIS is not installed: not compared")


def _against_postgis(parts: list[shapely.LineString], stations: gpd.GeoSeries) -> None:
    """Compare on every so many roads: who is within reach, and where along the road."""
    with postgis.database() as db:
        db.run(TABLES)
        points = zip(stations.index, stations.x, stations.y, strict=True)
        db.run("copy s from stdin;", (f"{i}\tSRID=4326;POINT({x} {y})" for i, x, y in points))
        db.run("copy r from stdin;", (f"{i}\tSRID=4326;{part.wkt}" for i, part in enumerate(parts)))
        db.run("create index on s using gist (g); analyze s;")
        theirs = seconds(lambda: db.run(ALONG), 1)
        rows = [row.split("|") for row in db.run(ALONG)]
    ours = seconds(lambda: [_marks(part, stations) for part in parts], 1)
    found = {(i, s) for i, part in enumerate(parts) for s in _marks(part, stations).index}
    pairs = {(int(row[0]), int(row[1])): float(row[2]) for row in rows}
    report(f"{len(parts)} roads, {len(found):,} stations near", ours, ST_DWithin_LineLocate=theirs)
    differ = found ^ set(pairs)
    print(f"  membership differs for {len(differ)} pairs: {_margins(differ, parts, stations)}")


def _margins(
    differ: set[tuple[int, int]], parts: list[shapely.LineString], stations: gpd.GeoSeries
) -> str:
    """Say how far from the limit the pairs are on which the two differ."""
    metres = []
    for road, station in differ:
        place = stations.loc[[station]]
        offset = ocm.locate_along(place, parts[road])["offset_km"].iloc[0]
        metres.append(1000 * abs(offset - WITHIN_KM))
    return f"at most {max(metres):.3f} m from the limit" if metres else "none"


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
