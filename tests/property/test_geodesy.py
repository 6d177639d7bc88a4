from __future__ import annotations

import numpy as np
import pyproj
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_geo.geodesy import Line, PointIndex

GEOD = pyproj.Geod(ellps="WGS84")
MORE = settings(max_examples=25, deadline=None)

seeds = st.integers(0, 2**32 - 1)
# Where longitudes are long and short, at the antimeridian and round the pole.
centres = st.sampled_from([(5, 52), (20, 70), (100, 86), (179.8, 10), (-179.9, -45), (0, 0)])


def scattered(seed: int, centre: tuple[float, float], n: int, spread: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shrink = max(np.cos(np.radians(centre[1])), 0.05)
    lon = centre[0] + rng.normal(0, spread, n) / shrink
    lat = np.clip(centre[1] + rng.normal(0, spread, n), -90, 90)
    return np.column_stack([(lon + 180) % 360 - 180, lat])


def metres(lon: float, lat: float, points: np.ndarray) -> np.ndarray:
    n = len(points)
    return np.asarray(GEOD.inv(np.full(n, lon), np.full(n, lat), points[:, 0], points[:, 1])[2])


def dense_km(line: Line, lon: float, lat: float) -> float:
    """The distance to a line from 2,000 points on each edge: at most a little too long."""
    best = np.inf
    for start, azimuth, km in zip(line.coords[:-1], line.azimuth, line.edge_km, strict=True):
        along = np.linspace(0, km * 1000, 2000)
        full = np.full(2000, 1.0)
        x, y, _ = GEOD.fwd(full * start[0], full * start[1], full * azimuth, along)
        best = min(best, GEOD.inv(x, y, full * lon, full * lat)[2].min() / 1000)
    return best


@MORE
@given(seeds, centres, st.floats(0.5, 500))
def test_circles_agree_with_pyproj(seed: int, centre: tuple[float, float], km: float) -> None:
    points = scattered(seed, centre, 400, 2)
    index = PointIndex(points[:, 0], points[:, 1])
    expected = np.flatnonzero(metres(*centre, points) <= km * 1000)
    assert index.within_km(*centre, km).tolist() == expected.tolist()


@MORE
@given(seeds, centres, st.integers(1, 5), st.floats(0.01, 5))
def test_nearest_agree_with_pyproj(
    seed: int, centre: tuple[float, float], k: int, spread: float
) -> None:
    points, asked = scattered(seed, centre, 300, spread), scattered(seed + 1, centre, 5, spread)
    position, distance = PointIndex(*points.T).nearest(asked[:, 0], asked[:, 1], k)
    for row, (lon, lat) in enumerate(asked):
        km = metres(lon, lat, points) / 1000
        assert position[row].tolist() == np.argsort(km, kind="stable")[:k].tolist()
        assert np.max(np.abs(distance[row] - np.sort(km)[:k])) < 1e-6


@MORE
@given(seeds, centres, st.integers(1, 9), st.integers(1, 6))
def test_nearest_among_repeats_agree_with_pyproj(
    seed: int, centre: tuple[float, float], k: int, n_distinct: int
) -> None:
    rng = np.random.default_rng(seed)
    points = scattered(seed, centre, n_distinct, 1.0)[rng.integers(0, n_distinct, 120)]
    asked = np.concatenate([scattered(seed + 1, centre, 3, 1.0), points[:2]])
    position, distance = PointIndex(*points.T).nearest(asked[:, 0], asked[:, 1], k, max_km=200)
    for row, (lon, lat) in enumerate(asked):
        km = metres(lon, lat, points) / 1000
        order = [i for i in np.argsort(km, kind="stable")[:k] if km[i] <= 200]
        assert position[row].tolist() == order + [-1] * (k - len(order))
        assert np.max(np.abs(distance[row][: len(order)] - km[order]), initial=0.0) < 1e-6


@MORE
@given(seeds, centres, st.floats(0.05, 3))
def test_distances_from_a_line_agree_with_pyproj(
    seed: int, centre: tuple[float, float], spread: float
) -> None:
    line = Line(scattered(seed, centre, 6, spread))
    points = scattered(seed + 1, centre, 6, spread)
    hits = line.locate(*points.T)
    for (lon, lat), along, offset in zip(points, hits.along_km, hits.offset_km, strict=True):
        brute = dense_km(line, lon, lat)
        assert offset <= brute + 1e-9
        # Half the spacing of the dense points is the most that brute force can be too long.
        assert brute - offset <= np.max(line.edge_km) / 4000
        foot = line.point_at(along)[0]
        assert abs(metres(lon, lat, foot[None])[0] / 1000 - offset) < 1e-6


@MORE
@given(seeds, centres, st.floats(0.5, 60))
def test_candidates_of_a_line_lose_nothing(
    seed: int, centre: tuple[float, float], km: float
) -> None:
    line = Line(scattered(seed, centre, 5, 1))
    points = scattered(seed + 1, centre, 500, 1)
    index = PointIndex(*points.T)
    members = set(line.locate(*points.T, within_km=km).position.tolist())
    assert members <= set(index.near_line(line, km).tolist())
    assert members == set(np.flatnonzero(line.locate(*points.T).offset_km <= km).tolist())


@MORE
@given(seeds, centres)
def test_boxes_agree_with_comparison(seed: int, centre: tuple[float, float]) -> None:
    points = scattered(seed, centre, 400, 2)
    west, south = points[0]
    east, north = points[1][0], max(points[1][1], south)
    south = min(points[1][1], south)
    lon, lat = points.T
    inside = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    expected = np.flatnonzero(inside & (lat >= south) & (lat <= north))
    found = PointIndex(lon, lat).in_box(west, south, east, north)
    assert found.tolist() == expected.tolist()
