"""Lesson 8: a frozen, repeatable study."""

from __future__ import annotations

import ocm_geo as ocm
from ocm_geo.teaching.exercise import COUNT, Exercise, Lesson, Mistake

__all__ = ["LESSON"]


def solve_8a() -> str:
    """Name the snapshot."""
    stations = ocm.stations(source=ocm.sample())
    return str(stations.attrs["ocm"]["snapshot"])


def solve_8b() -> int:
    """Count the stations of that time."""
    source = ocm.sample()
    stations = ocm.stations(source=source)
    return int((stations["date_created"] < "2020-01-01").sum())


def _count_updated() -> int:
    stations = ocm.stations(source=ocm.sample())
    return int((stations["date_last_status_update"] < "2020-01-01").sum())


LESSON = Lesson(
    number=8,
    page="frozen_study",
    title="A frozen, repeatable study",
    minutes=30,
    exercises=(
        Exercise(
            "8a",
            "Which snapshot of the sample did you use? Answer with its name, as a paper would.",
            "name",
            "Every table carries its provenance in attrs['ocm'].",
            solve_8a,
            (
                Mistake(
                    "that is the date of the data: two snapshots may have the same one",
                    lambda: str(ocm.stations(source=ocm.sample()).attrs["ocm"]["data_date"]),
                ),
            ),
        ),
        Exercise(
            "8b",
            "How many of the stations on record were created before 2020?",
            COUNT,
            "date_created is a date in UTC: compare it with '2020-01-01' and sum the mask.",
            solve_8b,
            (
                Mistake("you used the date of the last status update", _count_updated),
                Mistake(
                    "you counted those created since 2020",
                    lambda: len(ocm.stations(source=ocm.sample(), created_since="2020-01-01")),
                ),
            ),
        ),
    ),
)
