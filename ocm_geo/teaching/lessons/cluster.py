"""Lesson 9: beyond one machine."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

import ocm_geo as ocm
from ocm_geo.teaching.exercise import Exercise, Lesson, Mistake

__all__ = ["LESSON", "make_demand"]


def make_demand(n_points: int = 20_000) -> gpd.GeoDataFrame:
    """Return invented points of population, the same ones each time."""
    rng = np.random.default_rng(9)
    lon, lat = rng.uniform(3.6, 8.2, n_points), rng.uniform(50.6, 53.2, n_points)
    people = rng.integers(1, 500, n_points)
    points = gpd.points_from_xy(lon, lat, crs="EPSG:4326")
    return gpd.GeoDataFrame({"population": people}, geometry=points)


def solve_9a() -> float:
    """Compute the share of the population."""
    from ocm_geo.teaching.lessons.cluster import make_demand  # noqa: PLC0415 - shown as code

    source, demand = ocm.sample(), make_demand()
    fast = ocm.stations(source=source, min_power_kw=50)
    near = ocm.nearest_stations(demand, fast)
    within = near["nearest_km"] <= 10
    return float(near.loc[within, "population"].sum() / near["population"].sum())


def _share_of_points() -> float:
    near = ocm.nearest_stations(make_demand(), ocm.stations(source=ocm.sample(), min_power_kw=50))
    return float((near["nearest_km"] <= 10).mean())


def _share_of_part() -> float:
    """Compute the share of the first part."""
    near = ocm.nearest_stations(
        make_demand().iloc[:5000], ocm.stations(source=ocm.sample(), min_power_kw=50)
    )
    within = near["nearest_km"] <= 10
    return float(near.loc[within, "population"].sum() / near["population"].sum())


LESSON = Lesson(
    number=9,
    page="cluster",
    title="Beyond one machine",
    minutes=30,
    exercises=(
        Exercise(
            "9a",
            "Which share of the population of make_demand() (from 0 to 1) is within 10 km of a "
            "station of 50 kW or more?",
            "share",
            "nearest_stations adds nearest_km to each point; weight the points by population.",
            solve_9a,
            (
                Mistake("you counted points: weight them by their population", _share_of_points),
                Mistake("you took the first of four parts only", _share_of_part),
            ),
            tolerance=0.001,
        ),
    ),
)
