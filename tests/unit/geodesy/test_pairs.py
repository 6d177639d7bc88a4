from __future__ import annotations

import numpy as np
import pyproj
import pytest

from ocm_geo.geodesy import PointIndex, pairs_within_km

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.mark.parametrize("km", [40.0, 290.0, 2_000.0, 25_000.0])
def test_pairs_are_those_of_pyproj(km: float) -> None:
    rng = np.random.default_rng(5)
    # Over the antimeridian and near a pole too.
    lon1, lat1 = rng.uniform(170, 190, 40), rng.uniform(60, 90, 40)
    lon2, lat2 = rng.uniform(-190, -170, 30), rng.uniform(60, 90, 30)
    n, m = len(lon1), len(lon2)
    metres = GEOD.inv(np.repeat(lon1, m), np.repeat(lat1, m), np.tile(lon2, n), np.tile(lat2, n))[
        2
    ].reshape(n, m)
    expected = np.argwhere(metres <= km * 1000)
    found = pairs_within_km(PointIndex(lon1, lat1), PointIndex(lon2, lat2), km)
    assert np.column_stack([found.first, found.second]).tolist() == expected.tolist()
    assert found.km == pytest.approx(metres[found.first, found.second] / 1000, abs=1e-6)


def test_the_limit_itself_counts() -> None:
    metres = GEOD.inv(0, 0, 0.3, 0.4)[2]
    here, there = PointIndex([0], [0]), PointIndex([0.3], [0.4])
    assert len(pairs_within_km(here, there, metres / 1000).km) == 1
    assert len(pairs_within_km(here, there, metres / 1000 - 1e-9).km) == 0


def test_no_places_have_no_pairs() -> None:
    assert len(pairs_within_km(PointIndex([], []), PointIndex([0], [0]), 5).km) == 0
