"""Verdicts on roads do not depend on how these are drawn, and are monotone where the rule is."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import ocm_geo as ocm
from tests.unit.standards.made import GEOD, away, site, table

if TYPE_CHECKING:
    from collections.abc import Callable

RULE = "afir-ldv-core-2025"
STRICT = ("some-path", "every-path")
SEEDS = st.integers(0, 10_000)
RANK = {False: 0, None: 1, True: 2}
SOME = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
Place = tuple[float, float]


def net_of(seed: int) -> tuple[list[shapely.LineString], list[Place]]:
    """Make roads of some kilometres between places, and positions of pools on them."""
    rng = np.random.default_rng(seed)
    spots = [away(12 * rng.uniform(0.1, 1), 360 * rng.uniform()) for _ in range(10)]
    graph: nx.Graph[int] = nx.gnm_random_graph(10, int(rng.integers(9, 15)), seed=seed)
    lines = []
    for a, b in graph.edges:
        middle = (np.add(spots[a], spots[b]) / 2) + rng.normal(0, 0.004, 2)
        lines.append(shapely.LineString([spots[a], middle, spots[b]]))
    rows = rng.integers(0, len(lines), 5).tolist()
    marks = rng.uniform(0.1, 0.9, 5).tolist()
    places = [lines[i].interpolate(m, normalized=True) for i, m in zip(rows, marks, strict=True)]
    return lines, [(p.x, p.y) for p in places]


def pools_at(places: list[Place]) -> gpd.GeoDataFrame:
    return table([site(i + 1, place) for i, place in enumerate(places)])


def assess(lines: Any, pools: gpd.GeoDataFrame, spacing_km: float = 14, **more: Any) -> ocm.Verdict:
    drawn = {name: more.pop(name) for name in ("snap_m", "carriageway_m") if name in more}
    if not isinstance(lines, gpd.GeoSeries | gpd.GeoDataFrame):
        lines = gpd.GeoSeries(lines, crs="EPSG:4326")
    more = {"offset_km": 0.02, "pool_rules": ocm.PoolRules(merge_m=0), **more}
    options = ocm.AssessmentOptions(
        spacing_km=spacing_km, network=ocm.NetworkOptions(**{"snap_m": 1.0, **drawn}), **more
    )
    return ocm.assess_network(lines, pools, RULE, options=options)


def share(verdict: ocm.Verdict, reading: str = "some-path") -> float:
    table = verdict.readings
    return float(table.loc[table["reading"] == reading, "share"].iloc[0])


def split(line: shapely.LineString, rng: np.random.Generator) -> list[shapely.LineString]:
    """Cut a line at its vertex, and somewhere between vertices."""
    xy = list(line.coords)
    at = line.interpolate(rng.uniform(0.05, 0.45), normalized=True)
    first = shapely.LineString(xy[:2])
    if first.distance(at) > 1e-9:
        return [line]
    return [shapely.LineString(p) for p in pairwise([xy[0], at.coords[0], *xy[1:]])]


def change(lines: list[shapely.LineString], how: str, rng: np.random.Generator) -> Any:
    """Draw the same roads in another way."""
    whole = shapely.MultiLineString(lines)
    ways: dict[str, Callable[[], Any]] = {
        "split": lambda: [piece for line in lines for piece in split(line, rng)],
        "merged": lambda: list(shapely.get_parts(shapely.line_merge(whole))),
        "turned and mixed": lambda: [lines[i].reverse() for i in rng.permutation(len(lines))],
        "densified": lambda: [line.segmentize(0.003) for line in lines],
        "repeated": lambda: [*lines, *(x.reverse() for x in lines[::2]), split(lines[0], rng)[0]],
        "one multi-line": lambda: [whole],
        "in metres with heights": lambda: gpd.GeoSeries(
            [shapely.force_3d(line, 50.0) for line in lines], crs="EPSG:4326"
        ).to_crs("EPSG:3035"),
        "ends moved": lambda: [shake(line, rng) for line in lines],
    }
    return ways[how]()


def shake(line: shapely.LineString, rng: np.random.Generator) -> shapely.LineString:
    """Move the ends of a line by up to half a metre."""
    xy = list(line.coords)
    for i in (0, -1):
        xy[i] = away(rng.uniform(0, 0.0005), rng.uniform(0, 360), xy[i])
    return shapely.LineString(xy)


HOW = [
    *("split", "merged", "turned and mixed", "densified", "repeated", "one multi-line"),
    *("in metres with heights", "ends moved"),
]


@pytest.mark.parametrize("how", HOW)
@SOME
@given(seed=SEEDS)
def test_another_drawing_has_the_same_verdict(how: str, seed: int) -> None:
    lines, places = net_of(seed)
    pools = pools_at(places)
    base = assess(lines, pools)
    other = assess(change(lines, how, np.random.default_rng(seed)), pools[::-1])
    within = 5e-3 if how == "ends moved" else 1e-4
    for reading in STRICT:
        assert share(other, reading) == pytest.approx(share(base, reading), abs=within)
    length = base.report["length_km"]
    assert other.report["length_km"] == pytest.approx(length, rel=1e-3)
    assert other.passes is base.passes


def graph_of(lines: list[shapely.LineString], places: list[Place]) -> nx.Graph[Any]:
    """Cut roads at pools, which lie on them, by places rounded to 1e-6 degrees."""
    graph: nx.Graph[Any] = nx.Graph()
    for line in lines:
        marks = [line.project(shapely.Point(v)) for v in line.coords]
        on = [p for p in places if line.distance(shapely.Point(p)) < 1e-9]
        marks += [line.project(shapely.Point(p)) for p in on]
        xy = [line.interpolate(m).coords[0] for m in sorted(marks)]
        for a, b in pairwise(xy):
            km = GEOD.inv(*a, *b)[2] / 1000
            graph.add_edge(tuple(np.round(a, 6)), tuple(np.round(b, 6)), km=km)
    return graph


@SOME
@given(seed=SEEDS, spacing_km=st.floats(6, 30))
def test_some_path_against_all_pairs_of_pools(seed: int, spacing_km: float) -> None:
    lines, places = net_of(seed)
    graph = graph_of(lines, places)
    pools = [tuple(np.round(p, 6)) for p in places]
    good = total = 0.0
    for a, b, km in graph.edges(data="km"):
        rest = graph.copy()
        rest.remove_edge(a, b)
        ways = [nx.single_source_dijkstra_path_length(rest, n, weight="km") for n in (a, b)]
        least = min(
            ways[0].get(p, np.inf) + ways[1].get(q, np.inf)
            for pair in combinations(pools, 2)
            for p, q in (pair, pair[::-1])
        )
        total += km
        good += km if least + km <= spacing_km else 0.0
    # Edges of a chain are judged with the chain: no way turns back inside it.
    verdict = assess(lines, pools_at(places), spacing_km, carriageway_m=0)
    assert share(verdict) == pytest.approx(good / total, abs=1e-3)


@SOME
@given(seed=SEEDS, ends=st.sampled_from(["between-pools", "closed"]))
def test_one_more_pool_takes_nothing_away(seed: int, ends: str) -> None:
    lines, places = net_of(seed)
    few, more = (assess(lines, pools_at(places[:n]), ends=ends) for n in (3, 5))
    one_pool = "some-path, one pool at both ends"
    assert more.share >= few.share - 1e-9
    assert share(more, one_pool) >= share(few, one_pool) - 1e-9
    assert RANK[more.passes] >= RANK[few.passes]


@SOME
@given(seed=SEEDS)
def test_a_larger_spacing_or_offset_takes_nothing_away(seed: int) -> None:
    lines, places = net_of(seed)
    beside = pools_at([away(0.03 * (i % 2), 10, p) for i, p in enumerate(places)])
    base = assess(lines, beside)
    for other in (assess(lines, beside, 16), assess(lines, beside, offset_km=0.1)):
        for reading in base.readings["reading"].unique():
            if reading != "every-path":
                assert share(other, reading) >= share(base, reading) - 1e-9
        assert RANK[other.passes] >= RANK[base.passes]


@SOME
@given(seed=SEEDS, metres=st.floats(1, 5000))
def test_a_stub_is_in_the_denominator_only(seed: int, metres: float) -> None:
    lines, places = net_of(seed)
    pools = pools_at(places)
    start = lines[0].coords[1]
    along = GEOD.inv(*start, *lines[0].coords[2])[0]
    stub = shapely.LineString([start, away(metres / 1000, along + 60, start)])
    base, other = assess(lines, pools, snap_m=0), assess([*lines, stub], pools, snap_m=0)
    assume(other.report["repeated_km"] == 0)
    longer = base.report["length_km"] + metres / 1000  # type: ignore[operator]
    assert other.report["length_km"] == pytest.approx(longer, rel=1e-6)
    passing = share(base) * base.report["length_km"]  # type: ignore[operator]
    assert share(other) * longer == pytest.approx(passing, abs=1e-4)
    assert base.passes is not False or other.passes is False


@SOME
@given(seed=SEEDS, apart_m=st.floats(6, 55), n=st.integers(1, 30))
def test_two_carriageways_are_one_road(seed: int, apart_m: float, n: int) -> None:
    rng = np.random.default_rng(seed)
    marks = np.sort(rng.uniform(1, 59, 7))
    line = [away(float(km), 80) for km in np.linspace(0, 60, 61)]
    pools = pools_at([away(0.15, 80 + 90 * s, away(float(m), 80)) for m, s in
                      zip(marks, rng.choice([-1, 1], 7), strict=True)])  # fmt: skip
    sides = [[away(apart_m / 2000, 80 + s, p) for p in line] for s in (-90, 90)]
    cuts = [0, *sorted(rng.choice(np.arange(1, 60), n, replace=False).tolist()), 60]
    right = [shapely.LineString(sides[0][a : b + 1]) for a, b in pairwise(cuts)]
    gaps = np.diff(marks)
    spacing = float(np.sort(gaps)[3]) + 0.25
    one = assess([shapely.LineString(line)], pools, spacing, offset_km=3)
    two = assess([*right, shapely.LineString(sides[1][::-1])], pools, spacing, offset_km=3)
    assert share(two) == pytest.approx(share(one), abs=0.01)
    assert two.passes is one.passes
    assert two.report["paired_km"] == pytest.approx(120, abs=2)


@SOME
@given(seed=SEEDS)
def test_every_completion_of_the_record_lies_within_the_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    full, poor = [], []
    for i, km in enumerate(np.sort(rng.uniform(0, 60, 6))):
        count = int(rng.integers(1, 6))
        plug = {"PowerKW": float(rng.choice([50, 150, 350])), "Quantity": count}
        plug |= {"CurrentTypeID": 30, "ConnectionTypeID": 33}
        facts = {"NumberOfPoints": count, "UsageTypeID": int(rng.choice([1, 2]))}
        facts["StatusTypeID"] = int(rng.choice([50, 100]))
        place = away(float(km), 90)
        full.append(site(i + 1, place, plug, **facts))
        known = {k: v for k, v in plug.items() if rng.random() > 0.3}
        kept = {k: v if rng.random() > 0.3 else None for k, v in facts.items()}
        poor.append(site(i + 1, place, known or {"ID": 1}, **kept))
    road = [shapely.LineString([away(km, 90) for km in range(61)])]
    truth, bounds = (assess(road, table(rows), 30) for rows in (full, poor))
    assert bounds.share_low <= bounds.share <= bounds.share_high
    assert bounds.share_low - 1e-6 <= truth.share <= bounds.share_high + 1e-6
