"""Lesson 6: access and equity."""

from __future__ import annotations

import pandas as pd

import ocm_geo as ocm
from ocm_geo.teaching.exercise import Exercise, Lesson, Mistake

__all__ = ["LESSON"]


def solve_6a() -> str:
    """Find the region with most connections for its population."""
    source, areas = ocm.sample(), ocm.sample_areas()
    stations = ocm.stations(source=source)
    table = ocm.density(areas, stations, population="population").set_index("name")
    return str(table["connectors_per_1000_people"].astype(float).idxmax())


def solve_6b() -> float:
    """Compute the Gini coefficient."""
    source, areas = ocm.sample(), ocm.sample_areas()
    towns = areas.set_geometry(areas.representative_point())
    stations = ocm.stations(source=source)
    access = ocm.accessibility(towns, stations, 50, population="population")
    return float(ocm.equity(access, towns["population"], n_boot=0).gini)


def _find_greatest_area(column: str) -> str:
    """Return the region with the greatest value of a column."""
    stations = ocm.stations(source=ocm.sample())
    table = ocm.density(ocm.sample_areas(), stations, population="population").set_index("name")
    return str(table[column].astype(float).idxmax())


def _compute_gini(within_km: float = 50, *, weighted: bool = True) -> float:
    """Return the Gini coefficient for another catchment, or without weights."""
    areas = ocm.sample_areas()
    towns = areas.set_geometry(areas.representative_point())
    stations = ocm.stations(source=ocm.sample())
    access = ocm.accessibility(towns, stations, within_km, population="population")
    weights = towns["population"] if weighted else pd.Series(1, towns.index)
    return float(ocm.equity(access, weights, n_boot=0).gini)


LESSON = Lesson(
    number=6,
    page="access",
    title="Access and equity",
    minutes=40,
    exercises=(
        Exercise(
            "6a",
            "Which region has most connections per 1,000 people? Answer with its name.",
            "name",
            "density has the column connectors_per_1000_people; idxmax finds the label of the "
            "largest value.",
            solve_6a,
            (
                Mistake(
                    "that region has most connections per km²",
                    lambda: _find_greatest_area("connectors_per_km2"),
                ),
                Mistake(
                    "that region has most connections in all: divide by the population",
                    lambda: _find_greatest_area("n_connectors"),
                ),
            ),
        ),
        Exercise(
            "6b",
            "What is the Gini coefficient of access (E2SFCA, catchment 50 km) weighted by the "
            "population of the regions?",
            "share",
            "Compute accessibility at a representative point of each region, then equity with the "
            "population as weights.",
            solve_6b,
            (
                Mistake(
                    "every region counts the same: weight them by their population",
                    lambda: _compute_gini(weighted=False),
                ),
                Mistake("your catchment is 30 km", lambda: _compute_gini(30)),
                Mistake("miles? Your catchment is 50 miles", lambda: _compute_gini(50 * 1.609344)),
            ),
        ),
    ),
)
