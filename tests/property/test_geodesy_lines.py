"""Passages, corridors, circles and areas anywhere on Earth, against pyproj and dense samples."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_geo import geodesy
from ocm_geo.geodesy import Line, PointIndex

GEOD = pyproj.Geod(ellps="WGS84")
FEW = settings(max_examples=20, deadline=None)

seeds = st.integers(0, 2**32 - 1)
centres = st.sampled_from(
    [(5, 52), (20, 70), (100, 86), (179.8, 10), (-179.9, -45), (0, 0), (30, 89.7), (-90, -89)]
)
Places = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def about(seed: int, centre: tuple[float, float], n: int, spread_km: float) -> Places:
    """Places round a centre, even where it is a pole's neighbour."""
    rng = np.random.default_rng(seed)
    lon, lat = np.full(n, centre[0]), np.full(n, centre[1])
    away = np.abs(rng.normal(0, spread_km * 1000, n))
    x, y, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360, n), away)
    return np.column_stack((x, y))


def winding(seed: int, centre: tuple[float, float], spread_km: float) -> Line:
    """A line that crosses itself, comes back on itself, or closes."""
    places = about(seed, centre, 4 + seed % 9, spread_km)
    if seed % 3 == 0:
        places = np.vstack((places, places[-2::-1]))
    if seed % 3 == 1:
        places = np.vstack((places, places[:1]))
    return Line(places)


@FEW
@given(seeds, centres, st.floats(1, 200), st.floats(0.03, 1))
def test_passages_are_the_stretches_of_a_dense_sample(
    seed: int, centre: tuple[float, float], spread_km: float, share: float
) -> None:
    line, within_km = winding(seed, centre, spread_km), spread_km * share
    points = about(seed + 1, centre, 5, spread_km)
    hits = line.locate(*points.T, within_km=within_km, passages="all")
    along = np.union1d(np.linspace(0, line.length_km, 20_000), line.cumulative_km)
    step = line.length_km / 20_000
    path = line.point_at(along)
    for position, point in enumerate(points):
        km = geodesy.distance_km(*point, *path.T)
        if grazes(km, within_km, step):
            continue
        edge = np.diff((km <= within_km).astype(int), prepend=0, append=0)
        first, last = along[np.flatnonzero(edge == 1)], along[np.flatnonzero(edge == -1) - 1]
        mine = hits.position == position
        assert len(first) == mine.sum()
        assert (first - step <= hits.along_km[mine]).all()
        assert (hits.along_km[mine] <= last + step).all()


def grazes(km: Places, within_km: float, step_km: float) -> bool:
    """Whether the sample is too coarse to tell how often the line comes within reach."""
    slope = np.sign(np.diff(km))
    turns = np.append(np.flatnonzero(slope[1:] != slope[:-1]) + 1, [0, len(km) - 1])
    return bool((np.abs(km[turns] - within_km) < 2 * step_km).any())


@FEW
@given(seeds, centres, st.floats(1, 300), st.floats(0.01, 3))
def test_corridors_hold_what_is_near_and_nothing_else(
    seed: int, centre: tuple[float, float], spread_km: float, share: float
) -> None:
    line, within_km = winding(seed, centre, spread_km), spread_km * share
    ground = geodesy.corridor_polygon(line, within_km)
    assert ground.is_valid
    points = about(seed + 1, centre, 3000, spread_km + within_km)
    offset = line.locate(*points.T).offset_km
    inside = geodesy.contains_lonlat(ground, *points.T)
    assert inside[offset < 0.999 * within_km].all()
    assert not inside[offset > 1.001 * within_km].any()


@pytest.mark.parametrize("km", [0.1, 30.0, 700.0, 6000.0, 9990.0, 10_020.0, 14_000.0, 19_800.0])
@given(seed=seeds, centre=centres)
@settings(max_examples=8, deadline=None)
def test_circles_hold_what_is_near_and_nothing_else(
    km: float, seed: int, centre: tuple[float, float]
) -> None:
    disc = geodesy.circle(*centre, km, n_points=512)
    assert disc.is_valid
    points = about(seed, centre, 1500, km)
    points[:500] = about(seed + 1, (0, 0), 500, 9000)
    inside = geodesy.contains_lonlat(disc, *points.T)
    away = geodesy.distance_km(*centre, *points.T)
    assert inside[away < 0.9995 * km].all()
    assert not inside[away > 1.0005 * km].any()


@FEW
@given(seeds, centres, st.integers(1, 4), st.floats(0.001, 500))
def test_nearest_among_doubles_and_within_a_limit(
    seed: int, centre: tuple[float, float], k: int, max_km: float
) -> None:
    known = about(seed, centre, 60, max_km).repeat(2, axis=0)
    asked = about(seed + 1, centre, 20, 2 * max_km)
    position, km = PointIndex(*known.T).nearest(asked[:, 0], asked[:, 1], k, max_km=max_km)
    exact = geodesy.distance_km(*asked.T[:, :, None], *known.T[:, None, :])
    exact[exact > max_km] = np.inf
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    nearest = np.take_along_axis(exact, order, axis=1)
    assert (position == np.where(np.isinf(nearest), -1, order)).all()
    assert (np.isinf(km) == np.isinf(nearest)).all()
    assert km[np.isfinite(km)] == pytest.approx(nearest[np.isfinite(km)], abs=1e-7)


@FEW
@given(seeds, centres, st.floats(0.01, 900))
def test_places_of_a_line_are_found_again(
    seed: int, centre: tuple[float, float], spread_km: float
) -> None:
    line = winding(seed, centre, spread_km)
    along = np.linspace(0, line.length_km, 40)
    hits = line.locate(*line.point_at(along).T)
    assert (hits.side == "on").all()
    assert np.max(hits.offset_km) < 1e-9
    # The first time that the line is there.
    assert (hits.along_km < along + 1e-6).all()
    piece = line.substring(along[3], along[30])
    assert abs(Line(piece).length_km - (along[30] - along[3])) < 1e-7


@FEW
@given(seeds, st.floats(0.01, 5), st.floats(-80, 80), st.floats(-180, 180))
def test_areas_agree_with_pyproj_on_fine_edges(
    seed: int, size: float, lat: float, lon: float
) -> None:
    rng = np.random.default_rng(seed)
    square = shapely.box(lon, lat, lon + size, lat + size)
    hole = shapely.Point(lon + size / 2, lat + size / 2).buffer(size * rng.uniform(0.1, 0.4))
    area = square.difference(hole)
    fine = shapely.segmentize(area, size / 400)
    expected = abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(fine))[0]) / 1e6
    assert geodesy.area_km2(area) == pytest.approx(expected, rel=1e-5)
    assert geodesy.area_km2(np.array([area, fine])) == pytest.approx(expected, rel=1e-5)
