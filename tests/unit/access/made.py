"""Made tables that the tests of access, equity and siting share."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

__all__ = ["on_the_equator", "places", "stations"]

KM_PER_DEGREE = 111.3194907932736
"""On the equator, a geodesic."""


def places(n: int, seed: int = 0, **columns: Any) -> gpd.GeoDataFrame:
    """Make points in a box of about 140 by 110 km, with numbers of their own as index."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(4, 6, n), rng.uniform(51, 52, n)
    index = pd.Index(rng.permutation(n) + 11, name="place")
    return gpd.GeoDataFrame(columns, index, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def stations(n: int, seed: int = 1, **columns: Any) -> gpd.GeoDataFrame:
    """Make stations with 1 to 8 connectors."""
    rng = np.random.default_rng(seed)
    table = places(n, seed + 100, n_connectors=rng.integers(1, 9, n), **columns)
    table.index = pd.Index(rng.permutation(n) + 500, name="ocm_id")
    return table


def on_the_equator(km: list[float], first: int = 0, **columns: Any) -> gpd.GeoDataFrame:
    """Put points on the equator, so many km east of 0; index from the first."""
    lon = [value / KM_PER_DEGREE for value in km]
    index = range(first, first + len(km))
    return gpd.GeoDataFrame(
        columns, index=index, geometry=gpd.points_from_xy(lon, [0] * len(km)), crs="EPSG:4326"
    )
