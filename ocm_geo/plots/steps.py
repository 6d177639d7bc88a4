"""Distances or driving times of a coverage table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chosen_steps", "has_steps", "step_column", "step_unit"]

_UNITS = {"within_km": "km", "minutes": "min"}


def has_steps(table: pd.DataFrame) -> bool:
    """
    Return whether a table is by distance or driving time.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table.

    Returns
    -------
    bool
        True if it has a column ``within_km`` or ``minutes``.
    """
    return any(name in table for name in _UNITS)


def step_column(table: pd.DataFrame) -> str:
    """
    Return the column of distances or driving times.

    Parameters
    ----------
    table : pandas.DataFrame
        Made by `ocm_geo.coverage` or `ocm_geo.coverage_by_road`.

    Returns
    -------
    {"within_km", "minutes"}
        The first of both that the table has.
    """
    return next((name for name in _UNITS if name in table), "within_km")


def step_unit(table: pd.DataFrame) -> str:
    """
    Return the unit of a table's distances or driving times.

    Parameters
    ----------
    table : pandas.DataFrame
        Made by `ocm_geo.coverage` or `ocm_geo.coverage_by_road`.

    Returns
    -------
    {"km", "min"}
        The unit.
    """
    return _UNITS[step_column(table)]


def chosen_steps(
    table: pd.DataFrame, within_km: float | None, minutes: float | None
) -> list[float]:
    """
    Return the distances or driving times that are shown.

    Parameters
    ----------
    table : pandas.DataFrame
        A coverage table, or one without distances and driving times.
    within_km, minutes : float or None
        The one that the user asked for.

    Returns
    -------
    list of float
        That one, or all in ascending order; empty if the table has neither column.

    Raises
    ------
    QueryError
        If the table lacks what the user asked for.
    """
    asked = {"within_km": within_km, "minutes": minutes}
    for name, value in asked.items():
        if value is not None and name not in table:
            raise QueryError(f"{name} is given, but the table has no column {name!r}")
    if not has_steps(table):
        return []
    name = step_column(table)
    steps = [float(value) for value in np.unique(table[name].astype(float))]
    wanted = asked[name]
    if wanted is None:
        return steps
    if wanted not in steps:
        raise QueryError(f"{name}={wanted} is not in the table; it has {steps}")
    return [float(wanted)]
