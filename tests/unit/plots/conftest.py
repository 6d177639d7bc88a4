from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.provenance import carry

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Every test closes its figures, and no figure changes matplotlib's settings."""
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
    plt.close("all")


@pytest.fixture(scope="session")
def stations() -> gpd.GeoDataFrame:
    every = ocm.stations(source=ocm.sample())
    return carry(every.cx[3:9, 50:54], every)


@pytest.fixture(scope="session")
def cells(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make a grid as `coverage_grid` gives it; far cells have no station in reach."""
    lon, lat = np.meshgrid(np.arange(4, 7, 0.25), np.arange(51, 53, 0.2))
    boxes = shapely.box(lon.ravel(), lat.ravel(), lon.ravel() + 0.25, lat.ravel() + 0.2)
    middles = gpd.GeoSeries(gpd.points_from_xy(lon.ravel() + 0.125, lat.ravel() + 0.1), crs=4326)
    fast = stations[stations["max_power_kw"] >= 150]
    near = ocm.nearest_stations(middles, fast, max_km=25)
    return near.set_geometry(boxes, crs=4326)
