"""Pools of stations at and near one place."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from ocm_geo.standards.near import merge_near


def points(lonlat: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in lonlat], crs=4326)


def test_thousands_at_one_place_are_one_pool() -> None:
    # All pairs of these would be 200 million.
    label, centres = merge_near(points([(6.0, 52.0), *[(5.0, 52.0)] * 20_000]), 100.0)
    assert label.tolist() == [0] + [1] * 20_000
    assert centres.iloc[1].coords[0] == pytest.approx((5.0, 52.0))


@pytest.mark.parametrize("seed", range(5))
def test_pools_are_those_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lonlat = rng.uniform(0, 0.01, (40, 2))
    repeated = lonlat[rng.integers(0, 40, 80)]
    label, centres = merge_near(points([tuple(p) for p in repeated]), 150.0)
    metres = gpd.GeoSeries.from_xy(*repeated.T, crs=4326).to_crs(32631)
    near = np.array([metres.distance(one).to_numpy() <= 150.0 for one in metres])
    together = label[:, None] == label[None, :]
    assert not (near & ~together).any()
    reached = np.linalg.matrix_power(near.astype(float), 1)
    for _ in range(7):
        reached = (reached @ near > 0).astype(float)
    assert np.array_equal(reached > 0, together)
    assert pd.unique(label).tolist() == list(range(len(centres)))
    mean = pd.DataFrame(repeated).groupby(label).mean().to_numpy()
    assert np.allclose(np.column_stack([centres.x, centres.y]), mean)
