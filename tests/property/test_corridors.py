"""Routes, positions, gaps and stop plans against pyproj and brute force, anywhere on Earth."""

from __future__ import annotations

from itertools import combinations, pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod

from ocm_geo.corridors import StopPlan, locate_along, plan_stops, route_gaps
from ocm_geo.routes import (
    route_from_polyline,
    route_length_km,
    route_reverse,
    route_simplify,
    route_substring,
    route_to_polyline,
)

GEOD = Geod(ellps="WGS84")
SAMPLE_KM = 0.1

Array = NDArray[np.float64]


@st.composite
def routes(draw: st.DrawFn, max_edge_km: float = 40.0) -> shapely.LineString:
    """Walks of 2 to 8 vertices that wind, cross themselves, and lie as far as 85° north."""
    lon = draw(st.sampled_from([5.0, 25.0, 179.9, -179.95, -70.0]))
    lat = draw(st.sampled_from([0.0, 47.0, -40.0, 70.0, 84.0]))
    edges = draw(
        st.lists(st.tuples(st.floats(0, 360), st.floats(0.5, max_edge_km)), min_size=1, max_size=7)
    )
    walk = [(lon, lat)]
    for azimuth, km in edges:
        lon, lat, _ = GEOD.fwd(lon, lat, azimuth, km * 1000)
        walk.append((lon, lat))
    return shapely.LineString(walk)


def samples(route: shapely.LineString) -> tuple[Array, Array]:
    """Places along the geodesic edges at most 100 m apart, and their kilometres."""
    places, marks, start = [], [], 0.0
    for (x0, y0), (x1, y1) in pairwise(shapely.get_coordinates(route)):
        azimuth, _, metres = GEOD.inv(x0, y0, x1, y1)
        along = np.linspace(0, metres, int(metres / 1000 / SAMPLE_KM) + 2)
        n = len(along)
        x, y, _ = GEOD.fwd(np.full(n, x0), np.full(n, y0), np.full(n, azimuth), along)
        places.append(np.column_stack([x, y]))
        marks.append(start + along / 1000)
        start += metres / 1000
    return np.concatenate(places), np.concatenate(marks)


def distances_km(lon: float, lat: float, places: Array) -> Array:
    n = len(places)
    return np.asarray(GEOD.inv(np.full(n, lon), np.full(n, lat), *places.T)[2]) / 1000


def stations_near(
    route: shapely.LineString, offsets: list[tuple[float, float, float]]
) -> gpd.GeoDataFrame:
    """Points at a share of the route, then so many km off at an azimuth."""
    places, _ = samples(route)
    starts = [places[int(share * (len(places) - 1))] for share, _, _ in offsets]
    lonlat = [
        GEOD.fwd(lon, lat, azimuth, km * 1000)[:2]
        for (lon, lat), (_, azimuth, km) in zip(starts, offsets, strict=True)
    ]
    xy = np.array(lonlat).reshape(-1, 2)
    index = pd.Index(np.arange(1, len(xy) + 1), name="ocm_id")
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), index=index, crs="EPSG:4326")


offsets = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 360), st.floats(0, 12)), min_size=0, max_size=6
)


@settings(max_examples=60, deadline=None)
@given(routes(), offsets)
def test_kilometre_and_distance_are_those_of_the_nearest_sample(
    route: shapely.LineString, away: list[tuple[float, float, float]]
) -> None:
    points = stations_near(route, away)
    places, marks = samples(route)
    at = locate_along(points, route)
    assert at.index.tolist() == points.index.tolist()
    for point, along, offset in zip(at.geometry, at["along_km"], at["offset_km"], strict=True):
        distance = distances_km(point.x, point.y, places)
        least = float(np.min(distance))
        # The nearest sample is at most half a step along the line from the foot.
        assert offset - 1e-6 <= least <= np.hypot(offset, SAMPLE_KM / 2) * 1.001 + 1e-6
        at_mark = float(np.min(distance[np.abs(marks - along) <= SAMPLE_KM]))
        assert at_mark == pytest.approx(offset, abs=SAMPLE_KM)


@settings(max_examples=40, deadline=None)
@given(routes(), offsets, st.floats(0.5, 8))
def test_membership_has_no_wrong_answer(
    route: shapely.LineString, away: list[tuple[float, float, float]], within_km: float
) -> None:
    points = stations_near(route, away)
    at = locate_along(points, route)
    inside = locate_along(points, route, within_km=within_km)
    assert inside.index.tolist() == at.index[at["offset_km"] <= within_km].tolist()
    assert inside["along_km"].tolist() == pytest.approx(at.loc[inside.index, "along_km"].tolist())


def stretches(point: shapely.Point, places: Array, within_km: float) -> int | None:
    """Count the runs of samples within a distance; None where it is too close to call."""
    distance = distances_km(point.x, point.y, places)
    slack = 2 * SAMPLE_KM
    if len({runs(distance, within_km + slack * s) for s in (-1, 0, 1)}) > 1:
        return None
    return runs(distance, within_km)


def runs(distance: Array, within_km: float) -> int:
    near = distance <= within_km
    return int(near[0]) + int((near[1:] & ~near[:-1]).sum())


@settings(max_examples=60, deadline=None)
@given(routes(max_edge_km=15), offsets, st.floats(1, 8))
def test_every_passage_is_a_stretch_within_the_distance(
    route: shapely.LineString, away: list[tuple[float, float, float]], within_km: float
) -> None:
    points = stations_near(route, away)
    places, _ = samples(route)
    at = locate_along(points, route, within_km=within_km, passages="all")
    for number, point in points.geometry.items():
        expected = stretches(point, places, within_km)
        if expected is not None:
            assert (at.index == number).sum() == expected


@settings(max_examples=40, deadline=None)
@given(routes(), offsets, st.floats(0.5, 8))
def test_gaps_chain_up_to_the_whole_route(
    route: shapely.LineString, away: list[tuple[float, float, float]], within_km: float
) -> None:
    points = stations_near(route, away)
    gaps = route_gaps(route, points, within_km=within_km)
    marks = locate_along(points, route, within_km=within_km, passages="all")
    whole = route_length_km(route)
    ends = [0, *np.sort(marks["along_km"]), whole]
    assert gaps["start_km"].tolist() == pytest.approx(ends[:-1])
    assert gaps["end_km"].tolist() == pytest.approx(ends[1:])
    assert gaps["length_km"].sum() == pytest.approx(whole)
    assert (gaps["from_id"].iloc[1:].to_numpy() == gaps["to_id"].iloc[:-1].to_numpy()).all()
    pieces = [0.0 if p.is_empty else route_length_km(p) for p in gaps.geometry]
    assert pieces == pytest.approx(gaps["length_km"].tolist(), abs=2e-6)


@settings(max_examples=40, deadline=None)
@given(routes(), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_piece_has_its_length_wherever_it_is_cut(
    route: shapely.LineString, one: float, other: float
) -> None:
    whole = route_length_km(route)
    start, end = sorted([one * whole, other * whole])
    assume(end - start > 1e-3)
    piece = route_substring(route, start, end)
    assert route_length_km(piece) == pytest.approx(end - start, abs=1e-6)
    assert route_length_km(route_reverse(piece)) == pytest.approx(end - start, abs=1e-6)


def greatest_distance_km(route: shapely.LineString, other: shapely.LineString) -> float:
    """Greatest distance of a sample of one line from the other."""
    places, _ = samples(route)
    points = gpd.GeoSeries(gpd.points_from_xy(*places.T), crs="EPSG:4326")
    return float(locate_along(points, other)["offset_km"].max())


@settings(max_examples=40, deadline=None)
@given(routes(max_edge_km=150), st.floats(0.01, 30))
def test_simplified_routes_keep_the_bound_both_ways(
    route: shapely.LineString, max_error_km: float
) -> None:
    simple = route_simplify(route, max_error_km)
    assert simple.coords[0] == route.coords[0]
    assert simple.coords[-1] == route.coords[-1]
    assert greatest_distance_km(route, simple) <= max_error_km
    assert greatest_distance_km(simple, route) <= max_error_km * (1 + 1e-5) + 1e-6


@settings(max_examples=60, deadline=None)
@given(routes(), st.sampled_from([5, 6]))
def test_polylines_give_the_rounded_route_back(route: shapely.LineString, precision: int) -> None:
    decoded = route_from_polyline(route_to_polyline(route, precision), precision)
    there = shapely.get_coordinates(decoded)
    rounded = np.round(shapely.get_coordinates(route), precision)
    assert np.abs(there - rounded).max() < 2 * 10.0**-precision


# A straight road of 10 units; the stations' kilometres and offsets follow from their positions.
ROAD = shapely.LineString([(0, 0), (10, 0)])
KM_PER_DEGREE = 111.31949079327357


@st.composite
def made_stations(draw: st.DrawFn) -> gpd.GeoDataFrame:
    lon = draw(st.lists(st.integers(0, 100), min_size=0, max_size=7))
    off = draw(st.lists(st.integers(0, 12), min_size=len(lon), max_size=len(lon)))
    index = pd.Index(np.arange(1, len(lon) + 1), name="ocm_id")
    places = gpd.points_from_xy(np.array(lon) / 10, np.array(off) / 20, crs="EPSG:4326")
    return gpd.GeoDataFrame(geometry=places, index=index)


def driven_km(marks: list[tuple[float, float]], length_km: float) -> list[float]:
    """Hops from the start over some stations, each (along, off), to the end."""
    stops = [(0.0, 0.0), *marks, (length_km, 0.0)]
    return [b - a + off_a + off_b for (a, off_a), (b, off_b) in pairwise(stops)]


def best_by_trying(
    stations: gpd.GeoDataFrame, hops: tuple[float, float], *, detours: bool
) -> tuple[int, float] | None:
    """Try every choice of stations: the fewest stops, then the least kilometres."""
    at = locate_along(stations, ROAD).sort_values(["along_km", "offset_km"])
    off = at["offset_km"] if detours else at["offset_km"] * 0
    marks = list(zip(at["along_km"], off, strict=True))
    for n in range(len(marks) + 1):
        found = []
        for chosen in combinations(marks, n):
            km = driven_km(list(chosen), route_length_km(ROAD))
            limits = [hops[0], *[hops[1]] * n]
            if all(d <= limit + 1e-6 for d, limit in zip(km, limits, strict=True)):
                found.append(sum(km))
        if found:
            return n, min(found)
    return None


def told(plan: StopPlan) -> tuple[int, float] | None:
    return (len(plan.stops), float(plan.legs["distance_km"].sum())) if plan.feasible else None


@settings(max_examples=80, deadline=None)
@pytest.mark.parametrize("detours", [False, True])
@given(
    made_stations(),
    st.integers(15, 120),
    st.sampled_from([(0.1, 0.8, 1.0), (0.0, 1.0, 0.5), (0.2, 0.6, 0.3)]),
)
def test_stop_plans_are_the_best_there_are(
    detours: bool,  # noqa: FBT001 - pytest passes it by name
    stations: gpd.GeoDataFrame,
    tenths: int,
    soc: tuple[float, float, float],
) -> None:
    reserve, charge_to, start_soc = soc
    range_km = tenths / 10 * KM_PER_DEGREE
    plan = plan_stops(
        ROAD,
        stations,
        range_km=range_km,
        reserve=reserve,
        charge_to=charge_to,
        start_soc=start_soc,
        detours=detours,
        within_km=80,
    )
    hops = (range_km * (start_soc - reserve), range_km * (charge_to - reserve))
    best = best_by_trying(stations, hops, detours=detours)
    assert (told(plan) is None) == (best is None)
    if best is not None:
        assert told(plan) == pytest.approx(best)
