"""The lesson on real data, with their faults; the teacher names the source."""

from __future__ import annotations

from typing import Any

import ocm_geo as ocm
from ocm_geo.teaching.exercise import COUNT, Exercise, Lesson, Mistake

__all__ = ["LESSON"]


def solve_10a(source: Any) -> float:  # noqa: ANN401 - any source
    """Compute the share of stations without power."""
    stations = ocm.stations(source=source)
    return float(stations["max_power_kw"].isna().mean())


def solve_10b(source: Any) -> int:  # noqa: ANN401 - any source
    """Count the stations with an implausible power."""
    stations = ocm.stations(source=source)
    return int((stations["n_power_implausible"] > 0).sum())


def solve_10c(source: Any) -> float:  # noqa: ANN401 - any source
    """Compute the share of stations without a recent update."""
    stations = ocm.stations(source=source)
    newest = stations["date_last_status_update"].max()
    age_days = (newest - stations["date_last_status_update"]).dt.days
    return float((age_days > 730).mean())


def _share_of_connections_without(source: Any) -> float:  # noqa: ANN401 - any source
    table = ocm.connections(ocm.stations(source=source))
    return float(table["power_kw"].isna().mean())


def _share_old_today(source: Any) -> float:  # noqa: ANN401 - any source
    """Compute the share of old records on the day of the exercise."""
    stations = ocm.stations(source=source)
    import pandas as pd  # noqa: PLC0415 - used here alone

    age_days = (pd.Timestamp.now(tz="UTC") - stations["date_last_status_update"]).dt.days
    return float((age_days > 730).mean())


LESSON = Lesson(
    number=10,
    page="real_data",
    title="Real data and their faults",
    minutes=45,
    on_real_data=True,
    exercises=(
        Exercise(
            "10a",
            "Which share of the stations (from 0 to 1) has no power on record?",
            "share",
            "max_power_kw is missing where no connection has a plausible power.",
            solve_10a,
            (Mistake("you counted connections, not stations", _share_of_connections_without),),
        ),
        Exercise(
            "10b",
            "How many stations have at least one connection whose power is implausible?",
            COUNT,
            "The column n_power_implausible counts such connections for each station.",
            solve_10b,
            (
                Mistake(
                    "you counted connections, not stations",
                    lambda source: int(ocm.stations(source=source)["n_power_implausible"].sum()),
                ),
            ),
        ),
        Exercise(
            "10c",
            "Which share of the stations (from 0 to 1) was not updated in the 730 days before the "
            "newest update of all?",
            "share",
            "Subtract date_last_status_update from its maximum; .dt.days makes days of it.",
            solve_10c,
            (
                Mistake(
                    "you measured the age today: a frozen study measures it at the date of its "
                    "data",
                    _share_old_today,
                ),
            ),
        ),
    ),
)
