"""Making a network: exact nodes, loose ends, roads drawn together, carriageways, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from tests.unit.standards.made import GEOD, HUB, away, road

if TYPE_CHECKING:
    from pathlib import Path


def made(*lines: shapely.LineString, **options: object) -> ocm.RoadNetwork:
    return ocm.road_network(list(lines), options=ocm.NetworkOptions(**options))  # type: ignore[arg-type]


def drawn_km(network: ocm.RoadNetwork) -> float:
    return float(sum(GEOD.geometry_length(shape) for shape in network.segments.geometry) / 1000)


def beside(line: shapely.LineString, metres: float) -> shapely.LineString:
    return shapely.LineString([away(metres / 1000, 0, place) for place in line.coords])


def test_a_chain_of_pieces_is_one_segment() -> None:
    line = road(10, 90)
    xy = list(line.coords)
    pieces = [shapely.LineString(xy[i : i + 2]) for i in range(len(xy) - 1)]
    network = made(*pieces[::-1])
    assert len(network.segments) == 1
    assert sorted(network.segments["lines"].iloc[0]) == list(range(10))
    assert network.segments["lines_km"].map(sum).iloc[0] == pytest.approx(10, abs=1e-6)
    assert drawn_km(network) == pytest.approx(10, abs=1e-6)
    assert network.report["n_moved_ends"] == 0
    assert "10.0 km" in repr(network)


def test_an_end_joins_the_inside_of_another_road_and_no_length_changes() -> None:
    side = shapely.LineString([away(0.012, 0, away(4.3, 90)), away(3, 0, away(4.3, 90))])
    network = made(road(10, 90), side)
    length = 10 + GEOD.geometry_length(side) / 1000
    assert network.report["n_components"] == 1
    assert network.report["n_moved_ends"] == 1
    assert network.report["longest_moved_m"] == pytest.approx(12, abs=0.1)
    assert network.report["length_km"] == pytest.approx(length, abs=1e-6)
    assert sorted(network.nodes["degree"]) == [1, 1, 1, 3]
    assert made(road(10, 90), side, snap_m=5).report["n_components"] == 2


def test_no_line_is_closed_or_shortened_by_joining() -> None:
    short = shapely.LineString([HUB, away(0.008, 45)])
    network = made(road(2, 180), short, road(2, 45, away(0.008, 45)))
    assert network.report["n_components"] == 1
    assert network.report["length_km"] == pytest.approx(4.008, abs=1e-6)
    assert len(network.segments) == 1


def test_a_repeated_stretch_counts_once_whatever_its_vertices() -> None:
    line = road(20, 70)
    stretch = shapely.LineString(list(line.coords)[4:13]).segmentize(0.0007).reverse()
    network = made(line, stretch)
    assert network.report["length_km"] == pytest.approx(20, abs=1e-4)
    assert network.report["repeated_km"] == pytest.approx(8, abs=1e-4)


def test_vertices_that_differ_in_the_last_digit_are_one() -> None:
    middle = away(5, 90)
    for shift in (1e-14, 4e-8, 9e-8):
        other = (middle[0] + shift, middle[1] - shift)
        network = made(
            shapely.LineString([HUB, middle, away(10, 90)]),
            shapely.LineString([away(5, 0, middle), other, away(5, 180, middle)]),
            snap_m=0,
        )
        assert sorted(network.nodes["degree"]) == [1, 1, 1, 1, 4]


@pytest.mark.parametrize("noding", ["vertices", "ends", "crossings"])
def test_where_roads_join(noding: str) -> None:
    middle = away(5, 90)
    main = shapely.LineString([HUB, middle, away(10, 90)])
    across = shapely.LineString([away(5, 0, middle), middle, away(5, 180, middle)])
    bridge = shapely.LineString([away(5, 0, away(8, 90)), away(5, 180, away(8, 90))])
    network = made(main, across, bridge, noding=noding)
    expected = {"vertices": 2, "ends": 3, "crossings": 1}
    assert network.report["n_components"] == expected[noding]
    assert network.report["length_km"] == pytest.approx(30, abs=1e-3)


def test_carriageways_are_paired_where_they_run_side_by_side() -> None:
    line = road(30, 80)
    network = made(line, beside(line, 25).reverse())
    assert network.report["paired_km"] == pytest.approx(60, abs=0.3)
    assert network.report["length_km"] == pytest.approx(60, abs=0.01)
    assert made(line, beside(line, 25), carriageway_m=10).report["paired_km"] == 0
    assert made(line, beside(line, 200)).report["paired_km"] == 0
    assert made(line, road(10, 30)).report["paired_km"] == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_random_net_against_networkx(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = nx.random_geometric_graph(40, 0.25, seed=seed)
    places = {n: away(30 * rng.uniform(), 360 * rng.uniform()) for n in graph}
    lines = [shapely.LineString([places[a], places[b]]) for a, b in graph.edges]
    network = made(*lines, snap_m=0)
    used = [n for n in graph if graph.degree[n]]
    assert network.report["n_components"] == nx.number_connected_components(graph.subgraph(used))
    degrees = sorted(graph.degree[n] for n in used if graph.degree[n] != 2)
    assert sorted(d for d in network.nodes["degree"] if d != 2) == degrees
    length = sum(GEOD.geometry_length(line) for line in lines) / 1000
    assert network.report["length_km"] == pytest.approx(length, rel=1e-9)


def test_an_extract_of_openstreetmap(data_dir: Path) -> None:
    path = data_dir / "osm_pbf" / "liechtenstein-latest.osm.pbf"
    roads = ocm.NetworkOptions(highways=("primary", "secondary"))
    network = ocm.road_network(path, options=roads)
    assert network.report["n_lines"] == 263
    assert network.report["length_km"] == pytest.approx(68.1, abs=0.1)
    with pytest.raises(ocm.RouteError, match="highways"):
        ocm.road_network(path, options=ocm.NetworkOptions(highways=("canal",)))


def test_files_of_lines(tmp_path: Path) -> None:
    table = gpd.GeoDataFrame({"km": [12.0], "own": [True]}, geometry=[road(10, 90)], crs=4326)
    for name in ("roads.gpkg", "roads.geojson", "roads.shp"):
        table.to_file(tmp_path / name)
        assert ocm.road_network(tmp_path / name).report["length_km"] == pytest.approx(10, abs=1e-3)
    with pytest.raises(ocm.RouteError, match=r"nothing\.gpkg"):
        ocm.road_network(tmp_path / "nothing.gpkg")


def test_lengths_and_what_counts_may_stand_in_columns() -> None:
    table = gpd.GeoDataFrame(
        {"km": [12.0, 3.0], "main": [True, False]},
        geometry=[road(10, 90), road(2, 0)],
        crs=4326,
    )
    given = ocm.NetworkOptions(length_column="km", count_column="main")
    network = ocm.road_network(table, options=given)
    assert network.report["length_km"] == pytest.approx(12)
    assert sorted(network.segments["length_km"]) == pytest.approx([15])
    with pytest.raises(ocm.RouteError, match="'miles'"):
        ocm.road_network(table, options=ocm.NetworkOptions(length_column="miles"))


def test_rows_without_a_place_are_told() -> None:
    with np.errstate(invalid="ignore"):
        bad = shapely.LineString([(5, 52), (np.nan, 52)])
    with pytest.warns(ocm.DroppedRows, match="1 of 2 lines were left out.*rows 1"):
        network = made(road(3, 0), bad)
    assert network.report["n_dropped"] == 1
    with pytest.raises(ocm.RouteError, match="no line"), pytest.warns(ocm.DroppedRows):
        made(bad)
    with pytest.warns(ocm.SuspectInput, match="coordinate reference system"):
        made(shapely.LineString([HUB, away(0.01, 0)]))
    with pytest.raises(ocm.RouteError, match="degrees"):
        made(shapely.LineString([(500000, 5e6), (600000, 5e6)]))


@pytest.mark.parametrize("snap_m", [-1, np.nan, np.inf, "20", None, True])
def test_impossible_tolerances_are_refused(snap_m: object) -> None:
    with pytest.raises(ocm.QueryError, match="snap_m"):
        ocm.NetworkOptions(snap_m=snap_m)  # type: ignore[arg-type]


def test_a_network_that_would_shrink_is_refused() -> None:
    fine = shapely.LineString([(5 + i * 5e-8, 52) for i in range(40_000)])
    with pytest.raises(ocm.RouteError, match="1e-7 degrees"):
        made(fine)
