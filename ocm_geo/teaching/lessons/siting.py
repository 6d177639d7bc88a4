"""Lesson 7: where the next ten stations should go."""

from __future__ import annotations

from typing import Any

import ocm_geo as ocm
from ocm_geo.teaching.exercise import COUNT, Exercise, Lesson, Mistake

__all__ = ["LESSON"]


def solve_7a() -> float:
    """Compute the population that ten sites gain."""
    source, areas = ocm.sample(), ocm.sample_areas()
    towns = areas.set_geometry(areas.representative_point())
    candidates = ocm.stations(source=source)
    fast = ocm.stations(source=source, min_power_kw=150)
    sites = ocm.suggest_sites(towns, candidates, fast, 10, within_km=10)
    facts = sites.attrs["ocm"]["siting"]
    return float(facts["population_reached_after"] - facts["population_reached_before"])


def solve_7b() -> int:
    """Count the sites that reach as much as possible."""
    source, areas = ocm.sample(), ocm.sample_areas()
    towns = areas.set_geometry(areas.representative_point())
    candidates = ocm.stations(source=source)
    sites = ocm.suggest_sites(towns, candidates, None, None, within_km=40, method="lscp")
    return len(sites)


def _place_ten(*, with_existing: bool = True, n_sites: int = 10) -> dict[str, Any]:
    """Return the facts of a plan."""
    areas = ocm.sample_areas()
    towns = areas.set_geometry(areas.representative_point())
    fast = ocm.stations(source=ocm.sample(), min_power_kw=150) if with_existing else None
    candidates = ocm.stations(source=ocm.sample())
    sites = ocm.suggest_sites(towns, candidates, fast, n_sites, within_km=10)
    facts: dict[str, Any] = sites.attrs["ocm"]["siting"]
    return facts


def _count_fewest(within_km: float) -> int:
    """Count the sites that another distance needs."""
    areas = ocm.sample_areas()
    towns = areas.set_geometry(areas.representative_point())
    candidates = ocm.stations(source=ocm.sample())
    chosen = ocm.suggest_sites(towns, candidates, None, None, within_km=within_km, method="lscp")
    return len(chosen)


LESSON = Lesson(
    number=7,
    page="siting",
    title="Where the next ten should go",
    minutes=35,
    exercises=(
        Exercise(
            "7a",
            "How many people more are within 10 km of a station of 150 kW or more, if ten of the "
            "sample's stations are upgraded in the best way? The population of a region is taken "
            "to live at its representative point.",
            "people",
            "All stations are candidates, those of 150 kW exist already; the facts of the plan "
            "have the population reached before and after.",
            solve_7a,
            (
                Mistake(
                    "that is the population reached after it: subtract what was reached before",
                    lambda: _place_ten()["population_reached_after"],
                ),
                Mistake(
                    "you left out the stations of 150 kW that exist",
                    lambda: _place_ten(with_existing=False)["population_reached_after"],
                ),
            ),
        ),
        Exercise(
            "7b",
            "What is the smallest number of sites, chosen among all stations and without any that "
            "exist, from which every region's point is within 40 km?",
            COUNT,
            "The method is lscp, with n_sites=None and stations=None.",
            solve_7b,
            (
                Mistake("miles? You took 40 miles for 40 km", lambda: _count_fewest(40 * 1.609344)),
                Mistake("one site for each region is enough, but fewer will do", lambda: 22),
            ),
        ),
    ),
)
