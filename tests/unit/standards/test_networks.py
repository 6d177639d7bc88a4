"""Networks: the two star networks with known answers, spurs, loops, and brute force."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import geopandas as gpd
import msgspec
import networkx as nx
import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.roads.graph import Graph
from ocm_geo.standards.readings import every_path, one_pool, some_path
from tests.unit.standards.made import HUB, away, road, site, table

RULE = "afir-ldv-core-2025"
NAMES = "ABC"
DRAWING = ("snap_m", "noding", "carriageway_m")


def assess(
    roads: gpd.GeoSeries, stations: gpd.GeoDataFrame, rule: Any = RULE, **options: Any
) -> ocm.Verdict:
    reading = options.pop("reading", "some-path")
    drawn = {name: options.pop(name) for name in DRAWING if name in options}
    asked = ocm.AssessmentOptions(**options, network=ocm.NetworkOptions(**drawn))
    return ocm.assess_network(roads, stations, rule, reading=reading, options=asked)


STARS: dict[tuple[str, tuple[int, ...]], str] = {
    ("some-path", (50, 5, 30)): "ABC",
    ("every-path", (50, 5, 30)): "B",
    ("some-path", (50, 20, 30)): "BC",
    ("every-path", (50, 20, 30)): "",
}


def star(arms: tuple[int, ...]) -> tuple[gpd.GeoSeries, gpd.GeoDataFrame]:
    bearings = [10, 130, 250]
    roads = [road(km, b) for km, b in zip(arms, bearings, strict=True)]
    ends = [away(km, b) for km, b in zip(arms, bearings, strict=True)]
    stations = table([site(i + 1, end) for i, end in enumerate(ends)])
    return gpd.GeoSeries(roads, crs="EPSG:4326"), stations


@pytest.mark.parametrize(("reading", "arms"), STARS)
def test_star_networks(reading: str, arms: tuple[int, ...]) -> None:
    roads, stations = star(arms)
    verdict = assess(roads, stations, reading=reading)
    segments = verdict.segments
    passing = "".join(
        NAMES[i] for i in sorted(segments.loc[segments["status"] == "passes", "line"])
    )
    assert passing == STARS[reading, arms]
    good = sum(km for name, km in zip(NAMES, arms, strict=True) if name in passing)
    assert verdict.share == pytest.approx(good / sum(arms), abs=1e-9)
    assert verdict.passes == (passing == NAMES)


def test_a_spur_behind_the_last_pool_does_not_pass() -> None:
    roads = gpd.GeoSeries([road(40, 90), road(10, 0)], crs="EPSG:4326")
    stations = table([site(1, away(5, 90)), site(2, away(35, 90))])
    verdict = ocm.assess_network(roads, stations, RULE)
    assert verdict.share == pytest.approx(30 / 50, abs=1e-6)
    assert set(verdict.segments["status"]) == {"passes", "end"}
    closed = assess(roads, stations, ends="closed")
    assert closed.share == pytest.approx(1)


def test_one_pool_passes_nothing_even_on_a_loop() -> None:
    corners = [HUB, away(5, 0), away(5, 60), HUB]
    loop = gpd.GeoSeries([shapely.LineString(p) for p in pairwise(corners)], crs="EPSG:4326")
    verdict = ocm.assess_network(loop, table([site(1, corners[1])]), RULE)
    assert verdict.share == 0
    assert not verdict.passes


def test_two_pools_at_the_start_of_a_loop() -> None:
    corners = [HUB, away(10, 60), away(15, 90), away(10, 120), HUB]
    loop = gpd.GeoSeries([shapely.LineString(corners)], crs="EPSG:4326")
    beside = [site(1, away(0.3, 240)), site(2, away(0.3, 300))]
    assert ocm.assess_network(loop, table(beside[:1]), RULE).share == 0
    assert ocm.assess_network(loop, table(beside), RULE).share == 1


def test_a_failing_segment_takes_its_chain_along() -> None:
    # A pool at each end, 70 km apart by one way and 50 by another that shares the first 20.
    fork = away(20, 90)
    roads = gpd.GeoSeries([road(20, 90), road(30, 90, fork), road(25, 0, fork)], crs="EPSG:4326")
    far = away(25, 0, fork)
    longer = gpd.GeoSeries([*roads, road(25, 0, far)], crs="EPSG:4326")
    stations = table([site(1, HUB), site(2, away(30, 90, fork)), site(3, away(25, 0, far))])
    some = ocm.assess_network(longer, stations, RULE)
    assert some.share == pytest.approx(0.5, abs=1e-6)
    assert some.readings.query("reading == 'branch'")["share"].iloc[0] == pytest.approx(0.5)


def test_figures_with_one_pool_at_both_ends_can_be_reproduced() -> None:
    # A gap of 80 km in pieces of 10: the first 30 km beside each pool pass, if it may serve alone.
    marks = [away(km, 90) for km in range(0, 81, 10)]
    roads = gpd.GeoSeries([shapely.LineString(p) for p in pairwise(marks)], crs="EPSG:4326")
    spur = road(20, 0, marks[-1])
    lines = gpd.GeoSeries([*roads, spur], crs="EPSG:4326")
    stations = table([site(1, marks[0]), site(2, marks[-1])])
    verdict = ocm.assess_network(lines, stations, RULE)
    plain = verdict.readings.query("pools_serve == 'both-single' and derogations == 'none'")
    shares = plain.set_index("reading")["share"]
    assert shares["some-path"] == shares["branch"] == verdict.share == 0
    assert shares["some-path, one pool at both ends"] == pytest.approx(80 / 100, abs=1e-6)
    assert shares["branch, one pool at both ends"] == pytest.approx(20 / 100, abs=1e-6)
    lax = assess(lines, stations, same_pool=True)
    assert lax.share == pytest.approx(0.8, abs=1e-6)
    assert "reading: some-path, one pool at both ends" in lax.clauses
    rule = msgspec.structs.replace(lax.rule, pool_power_kw=399.0)
    strict = assess(lines, stations, rule, reading="branch", strict_power=True)
    assert strict.share == pytest.approx(0.2, abs=1e-6)
    only_strict = assess(lines, stations, rule, strict_power=True, same_pool=False)
    assert only_strict.share == 0


@pytest.mark.parametrize("seed", range(15))
def test_one_pool_at_both_ends_against_all_pairs(seed: int) -> None:
    network = random_network(seed)
    km = nx.multi_source_dijkstra_path_length(
        graph_of(network), set(np.flatnonzero(network.has_point).tolist())
    )
    ends = zip(network.start.tolist(), network.end.tolist(), network.km, strict=True)
    expected = np.array([km.get(a, np.inf) + km.get(b, np.inf) + length for a, b, length in ends])
    ways = one_pool(network, np.arange(len(network.km)), np.zeros(len(network.km)), network.km)
    assert ways == pytest.approx(expected)
    assert not (some_path(network, 60).passes & (ways > 60)).any()


def random_network(seed: int, n_nodes: int = 12, n_pools: int = 4) -> Graph:
    rng = np.random.default_rng(seed)
    graph: nx.Graph[int] = nx.gnm_random_graph(n_nodes, 15, seed=seed)
    edges = np.array(list(graph.edges))
    pools: list[list[int]] = [[] for _ in range(n_nodes)]
    for pool, node in enumerate(rng.choice(n_nodes, n_pools, replace=False).tolist()):
        pools[node].append(pool)
    return Graph(edges[:, 0], edges[:, 1], rng.uniform(5, 30, len(edges)), pools)


def graph_of(network: Graph) -> nx.Graph[int]:
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(network.points)))
    ways = zip(network.start.tolist(), network.end.tolist(), network.km, strict=True)
    graph.add_weighted_edges_from(ways)
    return graph


@pytest.mark.parametrize("seed", range(25))
def test_some_path_against_all_pairs(seed: int) -> None:
    network = random_network(seed)
    graph = graph_of(network)
    places = np.flatnonzero(network.has_point).tolist()
    expected = []
    for start, end, km in zip(network.start, network.end, network.km, strict=True):
        without = graph.copy()
        without.remove_edge(start, end)
        near = [nx.single_source_dijkstra_path_length(without, int(n)) for n in (start, end)]
        ways = [
            near[0].get(a, np.inf) + near[1].get(b, np.inf) + km
            for pair in combinations(places, 2)
            for a, b in (pair, pair[::-1])
        ]
        expected.append(min(ways) <= 60)
    assert some_path(network, 60).passes.tolist() == expected


@pytest.mark.parametrize("seed", range(25))
def test_every_path_against_all_pairs(seed: int) -> None:
    network = random_network(seed)
    graph = graph_of(network)
    places = set(np.flatnonzero(network.has_point).tolist())
    longest: dict[frozenset[int], float] = {}
    for a, b in combinations(sorted(places), 2):
        if not nx.has_path(graph, a, b):
            continue
        way = nx.dijkstra_path(graph, a, b)
        if places & set(way[1:-1]):
            continue
        km = nx.path_weight(graph, way, "weight")
        for step in pairwise(way):
            longest[frozenset(step)] = max(longest.get(frozenset(step), 0), km)
    ends = zip(network.start.tolist(), network.end.tolist(), strict=True)
    expected = [longest.get(frozenset(pair), np.inf) <= 60 for pair in ends]
    assert every_path(network, 60).passes.tolist() == expected


def test_lines_are_joined_where_they_nearly_meet() -> None:
    # The second begins 10 m beside the middle of the first.
    beside = away(0.01, 0, away(20, 90))
    roads = gpd.GeoSeries([road(40, 90), road(20, 0, beside)], crs="EPSG:4326")
    stations = table([site(1, HUB), site(2, away(20, 0, beside))])
    assert ocm.assess_network(roads, stations, RULE).report["n_components"] == 1
    apart = assess(roads, stations, snap_m=1)
    assert apart.report["n_components"] == 2
    assert apart.share == 0


def test_roads_join_at_a_vertex_that_they_share() -> None:
    middle = away(20, 90)
    main = shapely.LineString([HUB, middle, away(40, 90)])
    across = shapely.LineString([away(15, 180, middle), middle, away(15, 0, middle)])
    roads = gpd.GeoSeries([main, across], crs="EPSG:4326")
    stations = table([site(1, HUB), site(2, away(15, 0, middle))])
    verdict = ocm.assess_network(roads, stations, RULE)
    assert verdict.share == pytest.approx(35 / 70, abs=1e-6)
    assert verdict.report["n_components"] == 1
    assert assess(roads, stations, noding="ends").share == 0
    with pytest.raises(ocm.QueryError, match="noding"):
        assess(roads, stations, noding="no")


def test_roads_that_run_together_count_once() -> None:
    marks = [away(km, 90) for km in (0, 10, 20, 30, 40)]
    other = [away(10, 0, marks[1]), marks[1], marks[2], marks[3], away(10, 180, marks[3])]
    lines = [shapely.LineString(marks), shapely.LineString(other[::-1])]
    roads = gpd.GeoSeries(lines, crs="EPSG:4326")
    stations = table([site(1, HUB), site(2, marks[-1])])
    verdict = ocm.assess_network(roads, stations, RULE)
    assert verdict.report["length_km"] == pytest.approx(60, abs=1e-3)
    assert verdict.report["repeated_km"] == pytest.approx(20, abs=1e-3)
    assert verdict.share == pytest.approx(40 / 60, abs=1e-6)


def test_a_network_over_the_antimeridian() -> None:
    start = (179.8, 65.0)
    roads = gpd.GeoSeries([road(50, 90, start)], crs="EPSG:4326")
    stations = table([site(1, away(5, 90, start)), site(2, away(2, 0, away(45, 90, start)))])
    verdict = ocm.assess_network(roads, stations, RULE)
    assert verdict.report["length_km"] == pytest.approx(50, abs=1e-6)
    assert verdict.report["n_components"] == 1
    assert verdict.share == pytest.approx(40 / 50, abs=1e-3)
    beside = table([site(1, (-180.0, 65.0)), site(2, (180.0, 65.0 + 1e-9))])
    assert ocm.assess_network(roads, beside, RULE).report["n_pools_on_road"] == 1


def test_long_edges_are_geodesics() -> None:
    start = (-10.0, 60.0)
    end = away(600, 70, start)
    roads = gpd.GeoSeries([shapely.LineString([start, end])], crs="EPSG:4326")
    marks = [away(km, 70, start) for km in (0, 50, 100, 300, 330)]
    stations = table([site(i + 1, mark) for i, mark in enumerate(marks)])
    verdict = assess(roads, stations, offset_km=0.01)
    assert verdict.report["n_pools_on_road"] == 5
    assert verdict.share == pytest.approx(130 / 600, abs=1e-4)


def test_crossings_join_only_when_asked() -> None:
    middle = away(20, 90)
    across = shapely.LineString([away(15, 180, middle), away(15, 0, middle)])
    roads = gpd.GeoSeries([road(40, 90), across], crs="EPSG:4326")
    stations = table([site(1, HUB), site(2, away(15, 0, middle))])
    assert ocm.assess_network(roads, stations, RULE).share == 0
    crossed = assess(roads, stations, noding="crossings")
    assert crossed.share == pytest.approx(0.5, abs=1e-3)


def test_bad_networks_say_so() -> None:
    stations = table([site(1, HUB)])
    with pytest.raises(ocm.RouteError, match="no line"):
        ocm.assess_network(gpd.GeoSeries([], crs="EPSG:4326"), stations, RULE)
    with pytest.raises(ocm.RouteError, match="Point"):
        ocm.assess_network(gpd.GeoSeries([shapely.Point(HUB)], crs="EPSG:4326"), stations, RULE)
    roads = gpd.GeoSeries([road(40, 90)])
    with pytest.raises(ocm.RouteError, match="coordinate reference system"):
        ocm.assess_network(roads, stations, RULE)
    with pytest.raises(ocm.QueryError, match="reading"):
        ocm.assess_network(
            roads.set_crs("EPSG:4326"),
            stations,
            RULE,
            reading="any",  # type: ignore[arg-type]
        )
    nothing = ocm.assess_network(roads.set_crs("EPSG:4326"), stations.iloc[:0], RULE)
    assert nothing.share == 0


def test_one_way_roads_are_driven_one_way() -> None:
    # Out by 30 km, back by another road of 30 km; pools at the start, and on each road.
    far = away(30, 90)
    back = shapely.LineString([far, away(5, 0, away(15, 90)), HUB])
    lines = gpd.GeoDataFrame({"oneway": ["yes", "yes"]}, geometry=[road(30, 90), back], crs=4326)
    stations = table([site(1, away(10, 90)), site(2, away(5, 0, away(15, 90)))])

    def shares(spacing_km: float, **drawn: Any) -> float:
        asked = ocm.AssessmentOptions(
            spacing_km=spacing_km, offset_km=0.1, network=ocm.NetworkOptions(**drawn)
        )
        return ocm.assess_network(lines, stations, RULE, options=asked).share

    # 20 + 15.8 km from the first to the second, 15.8 + 10 km on to the first.
    one_way = {"oneway_column": "oneway"}
    total = 30 + 2 * 15.8
    assert shares(36, **one_way) == pytest.approx(1, abs=1e-3)
    assert shares(30, **one_way) == shares(30) == pytest.approx(25.8 / total, abs=1e-3)
    lines["oneway"] = ["yes", "-1"]
    assert shares(36, **one_way) == 0
    assert shares(36) == pytest.approx(1, abs=1e-3)
    # The first road for both directions: its way back has no pool behind the start.
    lines["oneway"] = ["no", "yes"]
    assert 0 < shares(36, **one_way) < 1
    lines["oneway"] = [False, None]
    assert shares(30, **one_way) == pytest.approx(25.8 / total, abs=1e-3)
    lines["oneway"] = ["yes", "maybe"]
    with pytest.raises(ocm.RouteError, match="'maybe'"):
        shares(36, **one_way)


def parallel(azimuth: float, metres: float) -> shapely.LineString:
    """Draw a carriageway of 100 km beside the axis; it runs along the azimuth."""
    side = away(metres / 1000.0, 0)
    east = shapely.LineString([away(km, 90, side) for km in range(101)])
    return east if azimuth == 90 else shapely.reverse(east)


@pytest.mark.parametrize(("serve", "share"), [("both-single", 1.0), ("by-side", 0.5)])
def test_one_way_links_tell_which_carriageway_a_pool_serves(serve: Any, share: float) -> None:
    # Traffic drives on the right: eastward on the southern carriageway.
    east, west = parallel(90, -10), parallel(270, 10)
    ends = [
        away(0.03, 0 if line is west else 180, shapely.get_coordinates(line)[i].tolist())
        for line in (east, west)
        for i in (0, -1)
    ]
    area = away(0.4, 180, away(50, 90))
    leave, enter = (shapely.get_point(east, i) for i in (49, 51))
    links = [shapely.LineString([leave, area]), shapely.LineString([area, enter])]
    lines = gpd.GeoDataFrame(
        {"oneway": ["yes"] * 4}, geometry=[east, west, *links], crs="EPSG:4326"
    )
    stations = table([site(i + 1, at) for i, at in enumerate([*ends, area])])
    options = ocm.AssessmentOptions(
        spacing_km=60,
        offset_km=1,
        pools_serve=serve,
        network=ocm.NetworkOptions(oneway_column="oneway"),
    )
    verdict = ocm.assess_network(lines, stations, "afir-ldv-core-2025", options=options)
    assert verdict.share == pytest.approx(share, abs=0.011)
    by_line = verdict.segments.query("status == 'passes'").groupby("line")["length_km"].sum()
    assert by_line[0] == pytest.approx(98, abs=0.1)
    assert by_line.get(1, 0.0) == pytest.approx(100 if serve == "both-single" else 0, abs=0.1)
