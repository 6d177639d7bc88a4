"""Membership, passages and far points, where the truth is known by construction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from pyproj import Geod

from ocm_geo.geodesy import Line, PointIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

GEOD = Geod(ellps="WGS84")
EDGES = {
    "short": ((5.0, 52.0), 40.0, 0.8),
    "70N": ((25.0, 70.0), 100.0, 30.0),
    "89N": ((-40.0, 89.0), 200.0, 300.0),
    "over 180": ((179.9, -45.0), 80.0, 600.0),
    "over a pole": ((12.0, 86.0), 0.0, 900.0),
}


def beside(
    name: str, off_km: NDArray[np.float64]
) -> tuple[Line, NDArray[np.float64], NDArray[np.float64]]:
    """An edge, and points at given distances square to it (left if negative), and where."""
    (lon, lat), azimuth, km = EDGES[name]
    end = GEOD.fwd(lon, lat, azimuth, km * 1000)[:2]
    n = len(off_km)
    along = np.linspace(0.05, 0.95, n) * km
    start = np.full(n, lon), np.full(n, lat), np.full(n, azimuth)
    x, y, back = GEOD.fwd(*start, along * 1000)
    square = np.asarray(back) + 180 + 90
    px, py, _ = GEOD.fwd(x, y, square, off_km * 1000)
    return Line([(lon, lat), end]), np.column_stack((px, py)), along


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("km", [0.0005, 1, 20, 49, 51, 400, 2500])
def test_kilometre_distance_and_side_of_points_square_to_an_edge(name: str, km: float) -> None:
    off = km * np.array([1, -1, 0.9, -0.9, 0.5, -0.5, 0.1, -0.1] * 5)
    line, points, along = beside(name, off)
    hits = line.locate(*points.T)
    assert np.abs(hits.offset_km - np.abs(off)).max() < 1e-9 + 1e-14 * km
    assert np.abs(hits.along_km - along).max() < 3e-6
    expected = np.where(off > 0, "right", "left")
    assert hits.side.tolist() == np.where(np.abs(off) < 1e-6, "on", expected).tolist()


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("km", [0.05, 5, 60, 1500])
def test_a_hundredth_of_a_millimetre_decides(name: str, km: float) -> None:
    off = km + np.array([-1e-8, 1e-8] * 20)
    line, points, _ = beside(name, off)
    inside = np.flatnonzero(off < km).tolist()
    assert line.locate(*points.T, within_km=km).position.tolist() == inside
    assert line.locate(*points.T, within_km=km, passages="all").position.tolist() == inside
    assert set(inside) <= set(PointIndex(*points.T).near_line(line, km).tolist())


@pytest.mark.parametrize("at_km", [0.0, 300.0])
def test_caps_reach_as_far_as_the_sides(at_km: float) -> None:
    (lon, lat), azimuth, km = EDGES["89N"]
    line = Line([(lon, lat), GEOD.fwd(lon, lat, azimuth, km * 1000)[:2]])
    end = line.point_at(at_km)[0]
    ahead = GEOD.inv(*end, *line.point_at(150)[0])[0] + 180
    # Beyond an end all within a quarter turn of straight ahead have it as their nearest place.
    around = ahead + np.linspace(-89, 89, 40)
    off = 5 + np.array([-1e-8, 1e-8] * 20)
    x, y, _ = GEOD.fwd(np.full(40, end[0]), np.full(40, end[1]), around, off * 1000)
    hits = line.locate(x, y, within_km=5)
    assert hits.position.tolist() == np.flatnonzero(off < 5).tolist()
    assert hits.along_km == pytest.approx(np.full(20, at_km), abs=1e-6)


def test_vertices_that_are_one_place_are_one_vertex() -> None:
    line = Line([(180, 10), (-180, 10), (-179, 11), (20, 90), (70, 90), (70, 89)])
    assert len(line.coords) == 4
    assert np.isfinite(line.locate([0], [0]).offset_km).all()


def test_a_corner_that_pokes_out_of_reach_makes_two_passages() -> None:
    spike = Line([(0, 0), (0.5, 0.5), (1, 0)])
    hits = spike.locate([0.5], [0.1], within_km=36, passages="all")
    assert len(hits.position) == 2
    assert hits.offset_km[0] == pytest.approx(hits.offset_km[1], abs=1e-6)
    assert len(spike.locate([0.5], [0.1], within_km=45, passages="all").position) == 1


def test_cutting_edges_changes_nothing() -> None:
    ends = [(0.0, 60.0), (30.0, 65.0)]
    fine = Line(Line(ends).point_at(np.linspace(0, Line(ends).length_km, 5000)))
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(-5, 35, 300), rng.uniform(58, 67, 300)
    coarse, cut = Line(ends).locate(lon, lat), fine.locate(lon, lat)
    assert coarse.offset_km == pytest.approx(cut.offset_km, abs=1e-8)
    assert coarse.along_km == pytest.approx(cut.along_km, abs=2e-5)
    assert (coarse.side == cut.side).all()


def test_very_short_and_very_long_edges_in_one_line() -> None:
    tiny = [(5 + i * 1e-6, 52 + 1e-7 * (i % 2)) for i in range(3000)]
    line = Line([(-100, 40), *tiny, (140, -30)])
    lon, lat = np.array([5.001, 5.002, -50, 60]), np.array([52.01, 51.99, 55, 40])
    hits = line.locate(lon, lat)
    feet = line.point_at(hits.along_km)
    exact = np.asarray(GEOD.inv(lon, lat, *feet.T)[2]) / 1000
    assert hits.offset_km == pytest.approx(exact, abs=1e-8)


def test_far_points_of_a_far_line() -> None:
    # The nearest place of the equator is on the point's own meridian.
    line = Line([(-60, 0), (60, 0)])
    lon, lat = np.array([-30.0, 10, 50]), np.array([20.0, -60, 85])
    hits = line.locate(lon, lat)
    assert hits.along_km == pytest.approx(np.radians(lon + 60) * 6378.137, abs=1e-5)
    assert hits.side.tolist() == ["left", "right", "left"]
