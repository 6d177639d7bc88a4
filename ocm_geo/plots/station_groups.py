"""Groups of stations on figures and maps: by highest power, or by any column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.plots.schemes import choose_classes
from ocm_geo.plots.style import (
    OTHER,
    POWER_CLASSES,
    SERIES,
    STATIONS,
    UNKNOWN_POWER,
    power_class,
    require,
)
from ocm_geo.plots.words import heading_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["POWER_GROUPS", "StationGroups", "group_stations"]

_LONGEST = 48
_HEADINGS = {"n_points": "Charging points", "n_connectors": "Connectors"}
"""Headings of columns that mean something else in other tables."""


@dataclass(frozen=True)
class StationGroups:
    """
    Groups of stations with their looks.

    Parameters
    ----------
    heading : str
        Title of the legend.
    labels : tuple of str
        One for each group.
    colours : tuple of str
        One for each group.
    missing : str
        Label of stations without a value.
    is_ordered : bool
        Whether the groups are classes of a number: higher ones are drawn larger.
    """

    heading: str
    labels: tuple[str, ...]
    colours: tuple[str, ...]
    missing: str = "not known"
    is_ordered: bool = False


POWER_GROUPS = StationGroups(
    "Highest power",
    tuple(label for _, label, _ in POWER_CLASSES),
    tuple(colour for _, _, colour in POWER_CLASSES),
    UNKNOWN_POWER,
    is_ordered=True,
)


def group_stations(
    stations: pd.DataFrame, by: str | None = None
) -> tuple[StationGroups, NDArray[np.intp]]:
    """
    Return the groups of stations, the same for figures and maps.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.
    by : str, optional
        A column; the highest power by default. Numbers are classified as in `coverage_map`; of
        other values the five most frequent are groups, the others are joined.

    Returns
    -------
    StationGroups
        The groups.
    numpy.ndarray of int
        Position of each station's group; -1 where the value is missing.

    Raises
    ------
    QueryError
        If the column is missing, or contains dates or lists.
    """
    if by is None:
        require(stations, "max_power_kw", made_by=STATIONS)
        return POWER_GROUPS, power_class(stations["max_power_kw"])
    require(stations, by, made_by="ocm_geo.add_labels")
    values, heading = stations[by], _HEADINGS.get(by) or heading_of(by)
    _check_groupable(values, by)
    # Ids are numbers without an order: as classes they would mean nothing.
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number and not by.endswith("_id"):
        classes = choose_classes(stations, by)
        ranks = classes.position(values.to_numpy(dtype=float, na_value=np.nan))
        looks = (heading, classes.labels, classes.colours, classes.missing)
        return StationGroups(*looks, is_ordered=True), ranks
    return _group_by_value(values, heading)


def _check_groupable(values: pd.Series, by: str) -> None:
    """Check that a column has values that can be groups."""
    if pd.api.types.is_datetime64_any_dtype(values):
        raise QueryError(
            f"by={by!r} contains dates: add a column of their years, stations[{by!r}].dt.year"
        )
    known = values.dropna()
    if len(known) and pd.api.types.is_list_like(known.iloc[0]):
        raise QueryError(f"by={by!r} contains lists: choose a column with one value per station")


def _group_by_value(values: pd.Series, heading: str) -> tuple[StationGroups, NDArray[np.intp]]:
    """Return the most frequent values as groups, and the others as the last one."""
    texts = values.astype("string")
    names = texts.value_counts(sort=True).index
    codes = np.asarray(pd.Categorical(texts, categories=names).codes, dtype=np.intp)
    most = len(SERIES)
    labels = [_shorten_label(str(name)) for name in names[:most]]
    if len(names) == most + 1:
        # Joining a single group would save nothing and hide its name.
        labels.append(_shorten_label(str(names[most])))
    elif len(names) > most:
        labels.append(f"{len(names) - most} others")
    colours = (*SERIES, OTHER)[: len(labels)]
    return StationGroups(heading, tuple(labels), colours), np.minimum(codes, most)


def _shorten_label(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
