"""Lesson 1: a first map."""

from __future__ import annotations

import geopandas as gpd
import shapely

import ocm_geo as ocm
from ocm_geo.teaching.exercise import COUNT, Exercise, Lesson, Mistake

__all__ = ["LESSON"]


def solve_1a() -> int:
    """Count the stations."""
    source = ocm.sample()
    fast = ocm.stations_from_country("DE", source=source, min_power_kw=50)
    return len(fast)


def solve_1b() -> float:
    """Measure the distance."""
    source = ocm.sample()
    fast = ocm.stations(source=source, min_power_kw=150)
    arnhem = gpd.GeoSeries([shapely.Point(5.91, 51.98)], crs="EPSG:4326")
    nearest = ocm.nearest_stations(arnhem, fast)
    return float(nearest["nearest_km"].iloc[0])


def _measure_swapped() -> float:
    """Measure from a point whose coordinates are swapped."""
    fast = ocm.stations(source=ocm.sample(), min_power_kw=150)
    point = gpd.GeoSeries([shapely.Point(51.98, 5.91)], crs="EPSG:4326")
    return float(ocm.nearest_stations(point, fast)["nearest_km"].iloc[0])


def _measure_degrees(min_power_kw: float) -> float:
    fast = ocm.stations(source=ocm.sample(), min_power_kw=min_power_kw)
    return float(shapely.distance(fast.geometry.to_numpy(), shapely.Point(5.91, 51.98)).min())


def _measure_any_power() -> float:
    """Measure to a station of any power."""
    point = gpd.GeoSeries([shapely.Point(5.91, 51.98)], crs="EPSG:4326")
    stations = ocm.stations(source=ocm.sample())
    return float(ocm.nearest_stations(point, stations)["nearest_km"].iloc[0])


def _count_connections() -> int:
    fast = ocm.stations_from_country("DE", source=ocm.sample(), min_power_kw=50)
    return len(ocm.connections(fast))


def _count_above() -> int:
    german = ocm.stations_from_country("DE", source=ocm.sample())
    return int((german["max_power_kw"] > 50).sum())


LESSON = Lesson(
    number=1,
    page="first_map",
    title="A first map",
    minutes=20,
    exercises=(
        Exercise(
            "1a",
            "How many stations of Germany in the sample have a connection of 50 kW or more?",
            COUNT,
            "Ask for the stations of the country DE with min_power_kw=50, and count the rows.",
            solve_1a,
            (
                Mistake("you counted connections: a station may have several", _count_connections),
                Mistake("50 kW itself counts in: at least is >=, not >", _count_above),
                Mistake(
                    "you counted the stations of all countries",
                    lambda: len(ocm.stations(source=ocm.sample(), min_power_kw=50)),
                ),
                Mistake(
                    "you counted the stations of every power",
                    lambda: len(ocm.stations_from_country("DE", source=ocm.sample())),
                ),
            ),
        ),
        Exercise(
            "1b",
            "How far, in km, is it from Arnhem (longitude 5.91, latitude 51.98) to the nearest "
            "station of 150 kW or more?",
            "km",
            "nearest_stations takes points with a coordinate reference system (EPSG:4326) and "
            "stations; shapely.Point takes the longitude first.",
            solve_1b,
            (
                Mistake(
                    "you measured in degrees: nearest_stations measures in km on the ellipsoid",
                    lambda: _measure_degrees(150),
                ),
                Mistake("you swapped longitude and latitude", _measure_swapped),
                Mistake("you took stations of every power", _measure_any_power),
            ),
        ),
    ),
)
