"""Reachability against networkx: pairs of stations, parts, and the loss of each station."""

from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from tests.unit.standards.made import GEOD, HUB, away, road

RANGES = [0.8, 1.5, 2.5, 4.0, 7.0]


def stations_at(places: list[tuple[float, float]], name: str = "ocm_id") -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.reshape(places, (-1, 2)).T), crs=4326)
    frame.index = frame.index + 1
    frame.index.name = name
    return frame


def random_case(seed: int) -> tuple[list[shapely.LineString], gpd.GeoDataFrame, nx.Graph[int]]:
    """Make roads between random places, stations on them, and the graph of both."""
    rng = np.random.default_rng(seed)
    spots = [away(4.5 * rng.uniform(), 360 * rng.uniform()) for _ in range(18)]
    plain: nx.Graph[int] = nx.gnm_random_graph(18, 24, seed=seed)
    lines: list[shapely.LineString] = []
    places: list[tuple[float, float]] = []
    graph: nx.Graph[int] = nx.Graph()
    for a, b in plain.edges:
        lines.append(shapely.LineString([spots[a], spots[b]]))
        marks = np.sort(rng.uniform(0.05, 0.95, rng.choice(3, p=[0.5, 0.3, 0.2]))).tolist()
        nodes, xy = [a], [spots[a]]
        for mark in marks:
            xy.append(shapely.get_coordinates(lines[-1].interpolate(mark, normalized=True))[0])
            nodes.append(100 + len(places))
            places.append(tuple(xy[-1]))
        nodes, xy = [*nodes, b], [*xy, spots[b]]
        for i in range(len(nodes) - 1):
            km = GEOD.inv(*xy[i], *xy[i + 1])[2] / 1000
            graph.add_edge(nodes[i], nodes[i + 1], km=km)
    return lines, stations_at(places), graph


def parts_of(graph: nx.Graph[int], range_km: float) -> dict[frozenset[int], float]:
    """Measure the part of each group of stations by brute force."""
    stations = [node for node in graph if node >= 100]
    ways = {s: nx.single_source_dijkstra_path_length(graph, s, weight="km") for s in stations}
    hops: nx.Graph[int] = nx.Graph()
    hops.add_nodes_from(stations)
    near = (p for p in combinations(stations, 2) if ways[p[0]].get(p[1], np.inf) <= range_km)
    hops.add_edges_from(near)
    found = {}
    for group in nx.connected_components(hops):
        length = 0.0
        for a, b, km in graph.edges(data="km"):
            reach = [
                max(range_km / 2 - min(ways[s].get(end, np.inf) for s in group), 0.0)
                for end in (a, b)
            ]
            length += min(km, sum(reach))
        found[frozenset(group)] = length
    return found


@pytest.mark.parametrize("seed", range(12))
def test_parts_and_critical_stations_by_brute_force(seed: int) -> None:
    lines, stations, graph = random_case(seed)
    drawn = ocm.NetworkOptions(snap_m=0, carriageway_m=0)
    found = ocm.reachability(lines, stations, RANGES, within_km=0.001, options=drawn)
    total = sum(km for _, _, km in graph.edges(data="km"))
    for range_km, curve in found.curve.set_index("range_km").iterrows():
        parts = parts_of(graph, float(str(range_km)))
        assert curve["n_parts"] == len(parts)
        assert curve["usable_share"] == pytest.approx(sum(parts.values()) / total, abs=2e-5)
        assert curve["connected_share"] == pytest.approx(max(parts.values()) / total, abs=2e-5)
        expected = {}
        for group, length in parts.items():
            for station in group:
                rest = graph.copy()
                nx.relabel_nodes(rest, {station: station - 1000}, copy=False)
                after = parts_of(rest, float(str(range_km)))
                left = [km for other, km in after.items() if other <= group - {station}]
                if len(left) >= 2:
                    expected[station - 99] = (length - max(left), len(left))
        rows = found.critical[found.critical["range_km"] == range_km]
        got = {
            int(i): (km, n)
            for i, km, n in zip(rows["ocm_id"], rows["km_lost"], rows["n_parts"], strict=True)
        }
        assert got.keys() == expected.keys()
        for station, (km, n) in expected.items():
            assert got[station] == (pytest.approx(km, abs=1e-3), n)


def test_segments_are_a_partition() -> None:
    lines, stations, graph = random_case(3)
    found = ocm.reachability(lines, stations, RANGES, within_km=0.001)
    total = sum(km for _, _, km in graph.edges(data="km"))
    for range_km, pieces in found.segments.groupby("range_km"):
        assert pieces["length_km"].sum() == pytest.approx(total, rel=1e-6)
        drawn = sum(GEOD.geometry_length(shape) for shape in pieces.geometry) / 1000
        assert drawn == pytest.approx(total, rel=1e-6)
        row = found.curve.set_index("range_km").loc[range_km]
        by_part = pieces.groupby("part")["length_km"].sum()
        assert by_part.loc[1] == by_part.max()
        assert by_part.max() / total == pytest.approx(row["connected_share"], abs=1e-6)


def test_weights_take_the_place_of_lengths() -> None:
    roads = gpd.GeoDataFrame(
        {"vehicles": [30_000.0, 10_000.0]}, geometry=[road(20, 90), road(40, 0)], crs=4326
    )
    stations = stations_at([away(20, 90)])
    plain = ocm.reachability(roads, stations, 20).curve.iloc[0]
    busy = ocm.reachability(roads, stations, 20, weights="vehicles").curve.iloc[0]
    assert plain["usable_share"] == pytest.approx(10 / 60, abs=1e-6)
    assert busy["usable_share"] == pytest.approx(30 * 10 / (30 * 20 + 10 * 40), abs=1e-6)
    assert busy["length_km"] == pytest.approx(60)
    again = ocm.reachability(roads, stations, 20, weights=[3, 1]).curve.iloc[0]
    assert again["usable_share"] == pytest.approx(busy["usable_share"])
    for bad, words in (
        ("cars", "cars"),
        ([1], "1 values"),
        ([1, -2], "0 or more"),
        ([0, 0], "all 0"),
    ):
        with pytest.raises(ocm.QueryError, match=words):
            ocm.reachability(roads, stations, 20, weights=bad)


def test_three_stations_at_one_place_back_each_other_up() -> None:
    line = road(40, 90)
    places = [HUB, away(20, 90), away(20, 90), away(20, 90), away(40, 90)]
    found = ocm.reachability([line], stations_at(places), 25)
    assert found.curve["n_parts"].tolist() == [1]
    assert len(found.critical) == 0
    alone = ocm.reachability([line], stations_at([places[0], places[1], places[4]]), 25)
    assert alone.critical["ocm_id"].tolist() == [2]
    assert "100.0 % usable" in repr(alone)


def test_other_ids_and_far_stations() -> None:
    stations = stations_at([HUB, away(20, 90), away(40, 90)], "station_id")
    stations.index = stations.index.map(lambda i: f"S{i}")
    found = ocm.reachability([road(40, 90)], stations, 25)
    assert found.critical["station_id"].tolist() == ["S2"]
    with pytest.warns(ocm.SuspectInput, match="none of the 1 stations"):
        far = ocm.reachability([road(40, 90)], stations_at([(5.0, 10.0)]), 25)
    assert far.curve["usable_share"].tolist() == [0]
