"""Lesson 3: data quality and registers."""

from __future__ import annotations

import ocm_geo as ocm
from ocm_geo.teaching.exercise import Exercise, Lesson, Mistake

__all__ = ["LESSON"]


def solve_3a() -> float:
    """Compute the share of stations without power."""
    source = ocm.sample()
    stations = ocm.stations_from_country("NL", source=source)
    return float(stations["max_power_kw"].isna().mean())


def solve_3b() -> float:
    """Estimate how many stations exist."""
    source = ocm.sample()
    dutch = ocm.stations_from_country("NL", source=source)
    first, second = dutch[dutch.index % 3 != 0], dutch[dutch.index % 4 != 0]
    table = ocm.completeness(first, second)
    return float(table["n_estimated"].iloc[0])


def _share_of_connections() -> float:
    stations = ocm.stations_from_country("NL", source=ocm.sample())
    return float(ocm.connections(stations)["power_kw"].isna().mean())


def _share_of_all_countries() -> float:
    return float(ocm.stations(source=ocm.sample())["max_power_kw"].isna().mean())


def _count_registers() -> tuple[int, int, int]:
    """Count the stations of the first register, of the second, and of both."""
    dutch = ocm.stations_from_country("NL", source=ocm.sample())
    first, second = dutch.index % 3 != 0, dutch.index % 4 != 0
    return int(first.sum()), int(second.sum()), int((first & second).sum())


def _count_union() -> int:
    n_first, n_second, n_both = _count_registers()
    return n_first + n_second - n_both


LESSON = Lesson(
    number=3,
    page="data_quality",
    title="Data quality and registers",
    minutes=40,
    exercises=(
        Exercise(
            "3a",
            "Which share of the Dutch stations (from 0 to 1) has no power on record?",
            "share",
            "max_power_kw is missing where no connection has a power: .isna() marks those rows, "
            "and the mean of a mask is a share.",
            solve_3a,
            (
                Mistake("you counted connections, not stations", _share_of_connections),
                Mistake("you took the stations of all countries", _share_of_all_countries),
                Mistake("that is the share of those with a power", lambda: 1 - solve_3a()),
            ),
        ),
        Exercise(
            "3b",
            "One register has the Dutch stations whose id is not divisible by 3, another those "
            "whose id is not divisible by 4. How many stations exist, as ocm.completeness "
            "estimates from the two?",
            "estimated stations",
            "Make the two tables with a mask of the index (dutch.index % 3 != 0); the column is "
            "n_estimated.",
            solve_3b,
            (
                Mistake(
                    "that is what either register has: those in neither are still to be estimated",
                    _count_union,
                ),
                Mistake("you counted the common ones twice", lambda: sum(_count_registers()[:2])),
                Mistake("that is what both registers have", lambda: _count_registers()[2]),
            ),
        ),
    ),
)
