"""Lesson 4: a corridor, its gaps and the law."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import ocm_geo as ocm
from ocm_geo.teaching.exercise import COUNT, Exercise, Lesson, Mistake

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["LESSON"]


def solve_4a() -> float:
    """Measure the longest gap."""
    source, route = ocm.sample(), ocm.sample_route()
    near = ocm.stations_from_route(route, 3, source=source)
    gaps = ocm.route_gaps(route, near, within_km=3, min_power_kw=150)
    return float(gaps["length_km"].max())


def solve_4b() -> float:
    """Compute the share that passes."""
    source, route = ocm.sample(), ocm.sample_route()
    near = ocm.stations_from_route(route, 3, source=source)
    options = ocm.AssessmentOptions(derogations=["afir-ldv-3000"])
    verdict = ocm.assess_route(route, near, "afir-ldv-core-2025", options=options)
    return float(verdict.share)


def solve_4c() -> int:
    """Count the new sites."""
    source, route = ocm.sample(), ocm.sample_route()
    near = ocm.stations_from_route(route, 3, source=source)
    sites = ocm.fill_gaps(route, near, "afir-hdv-core-2030")
    return len(sites)


def _find_near_route() -> gpd.GeoDataFrame:
    return ocm.stations_from_route(ocm.sample_route(), 3, source=ocm.sample())


def _measure_gaps(min_power_kw: float | None = None) -> float:
    """Return the longest gap between stations of another power."""
    gaps = ocm.route_gaps(
        ocm.sample_route(), _find_near_route(), within_km=3, min_power_kw=min_power_kw
    )
    return float(gaps["length_km"].max())


def _measure_in_degrees() -> float:
    """Measure between neighbours in degrees."""
    near = _find_near_route()
    along = near.loc[near["max_power_kw"] >= 150].geometry
    steps = along.reset_index(drop=True)
    return float(max(a.distance(b) for a, b in zip(steps, steps.iloc[1:], strict=False)))


def _assess_relaxed(derogations: list[str]) -> ocm.Verdict:
    """Assess the route with derogations."""
    options = ocm.AssessmentOptions(derogations=derogations)
    return ocm.assess_route(
        ocm.sample_route(), _find_near_route(), "afir-ldv-core-2025", options=options
    )


def _divide_length() -> int:
    spacing = float(ocm.standards()["spacing_km"]["afir-hdv-core-2030"])
    return math.ceil(ocm.route_length_km(ocm.sample_route()) / spacing)


LESSON = Lesson(
    number=4,
    page="corridor",
    title="A corridor, its gaps and the law",
    minutes=45,
    exercises=(
        Exercise(
            "4a",
            "How long, in km, is the longest stretch of the example route without a station of "
            "150 kW or more within 3 km?",
            "km",
            "Ask for the stations within 3 km, and let route_gaps apply min_power_kw=150.",
            solve_4a,
            (
                Mistake("you took stations of every power", _measure_gaps),
                Mistake("you took stations from 50 kW", lambda: _measure_gaps(min_power_kw=50)),
                Mistake(
                    "you measured in degrees, and beside the road: gaps are measured along it",
                    _measure_in_degrees,
                ),
            ),
        ),
        Exercise(
            "4b",
            "Where fewer than 3,000 light vehicles pass in a day, AFIR permits up to 100 km "
            "between pools (the derogation afir-ldv-3000). Which share of the route (0 to 1) "
            "passes "
            "afir-ldv-core-2025 then?",
            "share",
            "AssessmentOptions takes derogations=[...], and assess_route takes options=; the "
            "share of the verdict is that of the whole length.",
            solve_4b,
            (
                Mistake(
                    "that is the share of what lies between the first and the last pool, not of "
                    "the whole route",
                    lambda: _assess_relaxed(["afir-ldv-3000"]).report["share_between_pools"],
                ),
                Mistake(
                    "that is the upper bound, with every uncertain station taken in",
                    lambda: _assess_relaxed(["afir-ldv-3000"]).share_high,
                ),
                Mistake("you left out the derogation", lambda: _assess_relaxed([]).share),
                Mistake("that is the share that fails", lambda: 1 - solve_4b()),
            ),
        ),
        Exercise(
            "4c",
            "How many new sites does the rule for lorries of 2030, afir-hdv-core-2030, need on "
            "this road?",
            COUNT,
            "fill_gaps returns one row for each new site.",
            solve_4c,
            (
                Mistake(
                    "that is the rule for cars",
                    lambda: len(
                        ocm.fill_gaps(ocm.sample_route(), _find_near_route(), "afir-ldv-core-2025")
                    ),
                ),
                Mistake(
                    "you divided the whole length: a gap of length L needs ceil(L / D) - 1 sites",
                    _divide_length,
                ),
            ),
        ),
    ),
)
