"""Lesson 5: coverage of a population."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

import ocm_geo as ocm
from ocm_geo.teaching.exercise import Exercise, Lesson, Mistake

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["LESSON"]


def solve_5a() -> float:
    """Compute the share of the population."""
    source, areas = ocm.sample(), ocm.sample_areas()
    fast = ocm.stations(source=source, min_power_kw=150)
    table = ocm.coverage(areas, fast, 20, population="population")
    return float(table["population_covered"].sum() / table["population"].sum())


def solve_5b() -> Any:  # noqa: ANN401 - a series
    """Compute the share of each area."""
    source, areas = ocm.sample(), ocm.sample_areas()
    fast = ocm.stations(source=source, min_power_kw=150)
    table = ocm.coverage(areas.set_index("name"), fast, 10)
    return table["area_share"]


def solve_5c() -> shapely.Geometry:
    """Draw what is within reach."""
    source, areas = ocm.sample(), ocm.sample_areas()
    fast = ocm.stations(source=source, min_power_kw=150)
    region = areas.set_index("name").geometry["Region of Breda"]
    reach = ocm.service_areas(fast, 10)
    return reach.union_all().intersection(region)


def _cover_shares(column: str) -> pd.DataFrame:
    """Return one column of the coverage, with the areas in km²."""
    fast = ocm.stations(source=ocm.sample(), min_power_kw=150)
    table = ocm.coverage(ocm.sample_areas(), fast, 20, population="population")
    shown: pd.DataFrame = table[[column, "area_km2", "covered_km2"]]
    return shown


def _cover_own(within_km: float) -> pd.DataFrame:
    """Cover each region by its own stations only."""
    source, areas = ocm.sample(), ocm.sample_areas().set_index("name")
    tables = []
    for k in range(len(areas)):
        own = ocm.stations_from_polygon(areas.iloc[[k]], source=source, min_power_kw=150)
        tables.append(ocm.coverage(areas.iloc[[k]], own, within_km, population="population"))
    together: pd.DataFrame = pd.concat(tables)
    return together


def _share_by_own() -> float:
    table = _cover_own(20)
    return float(table["population_covered"].sum() / table["population"].sum())


def _share_of_land() -> float:
    table = _cover_shares("population_share")
    return float(table["covered_km2"].sum() / table["area_km2"].sum())


def _buffer_degrees() -> shapely.Geometry:
    """Draw circles in degrees."""
    fast = ocm.stations(source=ocm.sample(), min_power_kw=150)
    circles = shapely.buffer(fast.geometry.to_numpy(), 10 / 111.32)
    region = ocm.sample_areas().set_index("name").geometry["Region of Breda"]
    return shapely.union_all(circles).intersection(region)


def _reach_of_own() -> shapely.Geometry:
    """Draw what the stations of the region alone reach."""
    region = ocm.sample_areas().set_index("name").geometry["Region of Breda"]
    own = ocm.stations_from_polygon(region, source=ocm.sample(), min_power_kw=150)
    return ocm.service_areas(own, 10).union_all().intersection(region)


def _share_in_degrees() -> pd.Series[float]:
    """Compute the shares within circles drawn in degrees."""
    areas = ocm.sample_areas().set_index("name").geometry
    fast = ocm.stations(source=ocm.sample(), min_power_kw=150)
    circles = shapely.union_all(shapely.buffer(fast.geometry.to_numpy(), 10 / 111.32))
    shares = shapely.area(areas.to_numpy())
    both = shapely.area(shapely.intersection(areas.to_numpy(), circles))
    return pd.Series(both / shares, areas.index)


def _reach_everywhere() -> shapely.Geometry:
    """Draw what is within reach, not cut by the region."""
    fast = ocm.stations(source=ocm.sample(), min_power_kw=150)
    reach: gpd.GeoSeries = ocm.service_areas(fast, 10)
    return reach.union_all()


LESSON = Lesson(
    number=5,
    page="coverage",
    title="Coverage of a population",
    minutes=40,
    exercises=(
        Exercise(
            "5a",
            "Which share of the population of all regions together (from 0 to 1) lives within "
            "20 km of a station of 150 kW or more?",
            "share",
            "Add up the population covered and the population of all rows, then divide.",
            solve_5a,
            (
                Mistake(
                    "you took the mean of the shares: an empty region then counts as much as a "
                    "full one",
                    lambda: float(_cover_shares("population_share")["population_share"].mean()),
                ),
                Mistake("that is the share of the area, not of the population", _share_of_land),
                Mistake(
                    "you left out the stations beyond the border of each region", _share_by_own
                ),
            ),
        ),
        Exercise(
            "5b",
            "Which share of the area of each region lies within 10 km of a station of 150 kW or "
            "more? Answer with a series whose index is the name of the region.",
            "share",
            "Make the name the index of the areas first: coverage keeps the index.",
            solve_5b,
            (
                Mistake(
                    "you left out the stations beyond the border of each region",
                    lambda: _cover_own(10)["area_share"],
                ),
                Mistake(
                    "you buffered in degrees: a circle of degrees is an ellipse of km",
                    _share_in_degrees,
                ),
            ),
            tolerance=0.002,
        ),
        Exercise(
            "5c",
            "Which part of the Region of Breda lies within 10 km of a station of 150 kW or "
            "more? Answer with a geometry.",
            "geometry",
            "service_areas returns outlines; their union, cut by the region, is the answer.",
            solve_5c,
            (
                Mistake("you buffered in degrees", _buffer_degrees),
                Mistake("you left out the stations beyond the border", _reach_of_own),
                Mistake("you did not cut the outline by the region", _reach_everywhere),
            ),
        ),
    ),
)
