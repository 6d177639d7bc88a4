"""The options of the published French study, on a small graph with known answers."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import pandas as pd
import pytest
import shapely

from tests.unit.standards.made import away

EXAMPLE = Path(__file__).parents[3] / "examples" / "french_roads_2025.py"


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("french_roads", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


START = (2.0, 46.5)
MARKS = [0, 20, 45, 70, 95, 110]
"""Kilometres of the nodes of a road; service areas hang on those of 0 and 110, an exit on 45."""
WAYS = {0: 0.1, 110: 0.2, 45: 1.5}


def graph_of() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, nx.Graph[str]]:
    """Make edges and nodes as the study has them, and the same in networkx."""
    rows, graph = [], nx.Graph()
    xy = {f"n{km}": away(km, 90, START) for km in MARKS}
    xy |= {f"s{km}": away(way, 0, away(km, 90, START)) for km, way in WAYS.items()}
    xy["spur"] = away(10, 180, xy["n95"])
    road = [(f"n{a}", f"n{b}", float(b - a)) for a, b in pairwise(MARKS)]
    road.append(("n95", "spur", 10.0))
    links = [(f"n{km}", f"s{km}", way) for km, way in WAYS.items()]
    for a, b, km in [*road, *links]:
        is_link = b.startswith("s") and b != "spur"
        nature = "liaison exterieur" if is_link else "troncon autoroute"
        # The study's lengths are those of its projection: here a tenth longer than drawn.
        factor = 1.0 if is_link else 1.1
        rows.append((1000 * factor * km, None if is_link else "True", nature, a, b))
        graph.add_edge(a, b, km=factor * km, counts=not is_link)
    edges = pd.DataFrame(rows, columns=["weight", "core", "nature", "a", "b"])
    shapes = [
        shapely.LineString([xy[a], xy[b]]) for a, b in zip(edges["a"], edges["b"], strict=True)
    ]
    power = {"s0": (150.1, 400.1), "s110": (350.0, 1400.0), "s45": (150.0, 900.0)}
    nodes = pd.DataFrame(
        [(i, "station_irve" if n in power else "echangeur", *power.get(n, (None, None)))
         for i, n in enumerate(xy)],
        columns=["node_id", "nature", "p_max", "p_cum"],
    )  # fmt: skip
    points = gpd.points_from_xy(*zip(*xy.values(), strict=True))
    return (
        gpd.GeoDataFrame(edges, geometry=shapes, crs=4326).to_crs(2154),
        gpd.GeoDataFrame(nodes, geometry=points, crs=4326).to_crs(2154),
        graph,
    )


def test_both_readings_of_the_study(example: Any) -> None:
    edges, nodes, graph = graph_of()
    # s45 has no point of more than 150 kW: power is compared with >.
    near = nx.multi_source_dijkstra_path_length(graph, {"s0", "s110"}, weight="km")
    roads = [(a, b, km) for a, b, km in graph.edges(data="km") if graph[a][b]["counts"]]
    total = sum(km for _, _, km in roads)
    passing = [(a, b) for a, b, km in roads if near[a] + near[b] + km <= 60]
    some = sum(graph[a][b]["km"] for a, b in passing) / total
    found = example.shares(edges, nodes)
    assert 0.2 < some < 0.8
    assert found["some-path"] == pytest.approx(some, abs=1e-6)
    # From 22 to 104.5 km nothing passes, and takes all up to the next pool or junction along.
    assert set(passing) == {("n0", "n20"), ("n95", "n110"), ("n95", "spur")}
    assert found["branch"] == pytest.approx((1.1 * 15 + 1.1 * 10) / total, abs=1e-6)
