from __future__ import annotations

import numpy as np
import pyproj
import pytest

import ocm_geo as ocm
from ocm_geo.geodesy import Line, PointIndex
from ocm_geo.geodesy.short_edges import find_near_line

GEOD = pyproj.Geod(ellps="WGS84")


def places(rng: np.random.Generator, centre: tuple[float, float], n: int = 4000) -> PointIndex:
    lon = (centre[0] + rng.normal(0, 2, n) + 180) % 360 - 180
    return PointIndex(lon, np.clip(centre[1] + rng.normal(0, 1, n), -90, 90))


@pytest.mark.parametrize("centre", [(5, 52), (179.9, -17), (20, 78), (-70, 0)])
@pytest.mark.parametrize("step", [0.02, 0.15, 1.0])
def test_the_same_places_as_by_geodesics(centre: tuple[float, float], step: float) -> None:
    rng = np.random.default_rng(4)
    points = places(rng, centre)
    for within_km in (0.3, 5.0, 40.0, 130.0):
        bends = np.cumsum(rng.normal(0, step, (12, 2)), axis=0)
        line = Line(np.column_stack([centre[0] + bends[:, 0], centre[1] + bends[:, 1]]))
        hits = line.locate(points.lon, points.lat, within_km=within_km)
        found = find_near_line(points, line.coords, within_km)
        assert found.tolist() == sorted(hits.position.tolist())


def test_places_at_the_very_distance_are_told_apart() -> None:
    line = np.array([(5.0, 52.0), (5.3, 52.0), (5.6, 52.05)])
    azimuth, _, metres = GEOD.inv(5.0, 52.0, 5.3, 52.0)
    x, y, _ = GEOD.fwd(5.0, 52.0, azimuth, metres / 2)
    turned = GEOD.inv(x, y, 5.3, 52.0)[0] - 90
    off = np.array([4999.99, 4999.999, 5000.001, 5000.01])
    one = np.ones(4)
    lon, lat, _ = GEOD.fwd(one * x, one * y, one * turned, off)
    assert find_near_line(PointIndex(lon, lat), line, 5.0).tolist() == [0, 1]


def test_a_line_that_is_none() -> None:
    with pytest.raises(ocm.RouteError):
        find_near_line(PointIndex([5.0], [52.0]), np.array([(5.0, 52.0), (5.0, 52.0)]), 5)
