"""Road networks: a road in thousands of pieces, every E-road, motorways, an extract, reachability.

The graph of networkx does less than ours: it joins equal vertices only. It snaps no loose ends,
finds no carriageways and no roads drawn twice, has no guard against changed lengths, and its test
lets one pool serve both ends. A ratio below 1 means that we took longer for more.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely
from pyproj import Geod

import ocm_geo as ocm
from benchmarks.data import N_SITES, SHARED, made_positions
from benchmarks.timing import report, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

GEOD = Geod(ellps="WGS84")
RANGES = list(range(50, 501, 50))
PIECES = 4_761


def main() -> None:
    """Print the ratios."""
    _pieces()
    _every_road()
    _motorways()
    _extract()


def _graph(lines: Iterable[shapely.LineString]) -> nx.Graph[Any]:
    """Make a graph of all edges by rounded vertices, as one does with networkx."""
    graph: nx.Graph[Any] = nx.Graph()
    for line in lines:
        xy = np.round(shapely.get_coordinates(line), 7)
        km = np.asarray(GEOD.inv(*xy[:-1].T, *xy[1:].T)[2]) / 1000
        for (a, b), one in zip(pairwise(map(tuple, xy.tolist())), km.tolist(), strict=True):
            graph.add_edge(a, b, km=one)
    return graph


def _pieces() -> None:
    """Judge 100 km in 4,761 pieces with three pools."""
    lon, lat, azimuth = np.tile([[5.0], [50.0], [90.0]], PIECES + 1)
    lon, lat, _ = GEOD.fwd(lon, lat, azimuth, np.linspace(0, 100_000, PIECES + 1))
    xy = np.column_stack([lon, lat])
    lines = list(shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1)))
    stations = ocm.stations(source=ocm.sample())
    pools = stations[stations["max_power_kw"] >= 150].iloc[:3]
    pools = pools.set_geometry(gpd.points_from_xy(*xy[[0, PIECES // 2, -1]].T), crs="EPSG:4326")
    pools.attrs.clear()
    roads = gpd.GeoSeries(lines, crs="EPSG:4326")

    def ours() -> None:
        ocm.assess_network(roads, pools, "us-afc-2016")

    def theirs() -> None:
        graph = _graph(lines)
        near = nx.multi_source_dijkstra_path_length(
            graph, {tuple(np.round(xy[i], 7).tolist()) for i in (0, PIECES // 2, -1)}, weight="km"
        )
        _ = [near[a] + near[b] + km <= 60 for a, b, km in graph.edges(data="km")]

    report(f"verdict on 100 km in {PIECES:,} pieces", seconds(ours, 3), networkx=seconds(theirs, 3))


def _every_road() -> None:
    """Make a network of every E-road, and find what ten ranges can use of it."""
    roads = gpd.read_file(SHARED / "network" / "travelmapping" / "eure.geojson")
    parts = shapely.get_parts(roads.geometry.to_numpy())
    ours = seconds(lambda: ocm.road_network(roads), 1)
    report("network of every E-road", ours, networkx=seconds(lambda: _graph(parts), 1))
    lon, lat = made_positions(N_SITES)
    stations = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    stations.index.name = "ocm_id"
    network = ocm.road_network(roads)
    ours = seconds(lambda: ocm.reachability(network, stations, RANGES), 1)
    graph = _graph(parts)
    tree = shapely.STRtree(shapely.points(list(graph)))
    places = list(graph)
    near = np.unique(tree.query_nearest(stations.geometry.to_numpy(), max_distance=0.03)[1])
    theirs = seconds(lambda: _reach(graph, [places[i] for i in near.tolist()]), 1)
    what = f"reachability for {len(RANGES)} ranges, {N_SITES:,} stations"
    report(what, ours, networkx_without_critical=theirs)


def _reach(graph: nx.Graph[Any], stations: list[Any]) -> list[tuple[float, int]]:
    """Find the usable length and the groups for all ranges with networkx."""
    near, paths = nx.multi_source_dijkstra(graph, set(stations), weight="km")
    links: nx.Graph[Any] = nx.Graph()
    links.add_nodes_from(stations)
    for a, b, km in graph.edges(data="km"):
        if a in near and b in near and paths[a][0] != paths[b][0]:
            links.add_edge(paths[a][0], paths[b][0], km=near[a] + km + near[b])
    tree = nx.minimum_spanning_tree(links, weight="km")
    found = []
    for range_km in RANGES:
        usable = sum(
            min(km, sum(max(range_km / 2 - near.get(end, np.inf), 0) for end in (a, b)))
            for a, b, km in graph.edges(data="km")
        )
        kept = nx.Graph((a, b) for a, b, km in tree.edges(data="km") if km <= range_km)
        found.append((usable, nx.number_connected_components(kept)))
    return found


def _motorways() -> None:
    """Make a network of the Dutch motorways, drawn as two carriageways in pieces of 320 m."""
    roads = gpd.read_file(SHARED / "network" / "travelmapping" / "nlda.geojson")
    axes = roads.to_crs("EPSG:28992").explode().geometry
    sides = [axes.offset_curve(10, join_style="mitre"), axes.offset_curve(-10, join_style="mitre")]
    pieces = []
    for one_way in (sides[0].explode(), sides[1].explode().reverse()):
        for line in one_way[~one_way.is_empty].segmentize(40):
            xy = shapely.get_coordinates(line)
            pieces += [shapely.LineString(xy[i : i + 9]) for i in range(0, len(xy) - 1, 8)]
    drawn = gpd.GeoSeries(pieces, crs="EPSG:28992").to_crs("EPSG:4326")
    network = ocm.road_network(drawn)
    what = f"{network.report['length_km']:,.0f} km of motorways, {len(pieces):,} ways"
    ours = seconds(lambda: ocm.road_network(drawn), 1)
    report(what, ours, networkx=seconds(lambda: _graph(drawn), 1))
    stations = ocm.stations(source=ocm.sample())
    verdict = seconds(lambda: ocm.assess_network(network, stations, "afir-ldv-core-2025"), 1)
    report(f"verdict on them, {len(stations):,} stations", verdict)


def _extract() -> None:
    """Read all roads of a small country from an OpenStreetMap extract."""
    classes = ("motorway", "trunk", "primary", "secondary", "tertiary", "residential")
    path = SHARED / "osm_pbf" / "andorra.osm.pbf"
    options = ocm.NetworkOptions(highways=classes)
    network = ocm.road_network(path, options=options)
    n = network.report["n_lines"]
    report(f"{n:,} ways of an extract", seconds(lambda: ocm.road_network(path, options=options), 1))


if __name__ == "__main__":
    main()
