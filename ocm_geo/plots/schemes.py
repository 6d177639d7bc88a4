"""The choice of classes for a column: round bounds, bounds of the user, or mapclassify's."""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.checks import check_whole, short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.classes import (
    MOST_CLASSES,
    Classes,
    break_classes,
    round_classes,
    share_classes,
)
from ocm_geo.plots.style import numbers
from ocm_geo.plots.words import described, split_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["choose_classes", "scheme_classes"]

_K = 5
_NEED_MORE = frozenset({"UserDefined"})
"""Classifiers that take more than values and a number of classes."""
_FIXED_K = frozenset({"BoxPlot", "HeadTailBreaks", "MaxP", "Percentiles", "StdMean"})


def choose_classes(
    table: pd.DataFrame,
    column: str,
    *,
    scheme: str | Sequence[float] | None = None,
    k: int | None = None,
    argument: str = "scheme",
) -> Classes:
    """
    Choose the classes of a column, the same for every figure and map of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        The whole table: all distances and groups, and both bounds of the column where the table
        has them, share the classes.
    column : str
        A column of numbers.
    scheme : str or sequence of float, optional
        A classifier of mapclassify, or the bounds between classes in units of the legend. By
        default shares have five classes of equal width, other values round bounds.
    k : int, optional
        Number of classes of a classifier, 2 to 9; 5 by default. Alone it means equal intervals.
    argument : str
        The caller's name of ``scheme``, for messages.

    Returns
    -------
    Classes
        The classes.

    Raises
    ------
    QueryError
        If the column, the scheme or the number of classes is wrong.
    """
    # A value and its bounds share the classes, whichever of them is drawn.
    base, _ = split_bound(column)
    values = _read_family(table, column)
    if k is not None:
        k = check_whole(k, "k, the number of classes,", low=2, high=MOST_CLASSES)
    if not (scheme is None or isinstance(scheme, str)):
        if k is not None:
            raise QueryError(f"k={k} is given, but {argument} sets the number of classes already")
        return break_classes(scheme, base, argument)
    if scheme is None and k is None:
        return _choose_default(values, base)
    return scheme_classes(values, base, scheme or "equal_interval", k or _K, argument=argument)


def _read_family(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Read a column with both its bounds, whichever of them the column is."""
    base, _ = split_bound(column)
    family = [name for name in (base, f"{base}_low", f"{base}_high") if name in table]
    values = np.concatenate([numbers(table, name) for name in dict.fromkeys([column, *family])])
    if np.isinf(values).any():
        raise QueryError(f"column {column!r} contains infinite values: make them missing")
    return values


def _choose_default(values: NDArray[np.float64], column: str) -> Classes:
    """Choose the classes of a column for which the user asked for none."""
    known = values[~np.isnan(values)]
    # Round bounds rise by factors, which negative values cannot follow.
    if (known < 0).any():
        return scheme_classes(values, column, "equal_interval", _K)
    if described(column)[1] == "%" and (known <= 1).all():
        return share_classes(column)
    return round_classes(values, column)


def scheme_classes(
    values: NDArray[np.float64], column: str, scheme: str, k: int, *, argument: str = "scheme"
) -> Classes:
    """
    Classify values with mapclassify.

    Parameters
    ----------
    values : numpy.ndarray
        Values of the column; NaN is missing.
    column : str
        Its name, which decides the palette and the unit.
    scheme : str
        Name of a classifier of mapclassify.
    k : int
        Number of classes.
    argument : str
        The caller's name of ``scheme``, for messages.

    Returns
    -------
    Classes
        At most k, fewer if there are fewer distinct values.

    Raises
    ------
    QueryError
        If mapclassify has no such classifier, or no value is known.
    """
    factor = 100.0 if described(column)[1] == "%" else 1.0
    known = values[~np.isnan(values)] * factor
    name = _find_classifier(scheme, argument)
    if not len(known):
        raise QueryError(f"column {column!r} has no value to classify")
    distinct = np.unique(known)
    # Each of few values is a class of its own: classifiers fail, or make empty classes.
    edges = distinct if len(distinct) <= k else _classify_values(known, name, k)
    digits = _count_decimals(np.array([distinct[0], *edges]))
    said = [f"{edge:,.{digits}f}" for edge in (distinct[0], *edges)]
    labels = [f"over {low} to {high}" for low, high in pairwise(said)]
    labels[0] = said[0] if distinct[0] == edges[0] else f"{said[0]} to {said[1]}"
    return Classes.of_column(column, edges[:-1].tolist(), labels, digits=digits + 1)


def _find_classifier(scheme: str, argument: str) -> str:
    """Return mapclassify's own spelling of a classifier."""
    import mapclassify  # noqa: PLC0415 - loaded when needed

    by_name = {name.lower(): name for name in mapclassify.CLASSIFIERS if name not in _NEED_MORE}
    wanted = scheme.replace("_", "").lower()
    if wanted not in by_name:
        near = get_close_matches(wanted, by_name, n=1)
        hint = f"; did you mean {by_name[near[0]]!r}?" if near else ""
        raise QueryError(
            f"{argument} must be one of {sorted(by_name.values())}, not {short_form(scheme)}{hint}"
        )
    return str(by_name[wanted])


def _classify_values(known: NDArray[np.float64], name: str, k: int) -> NDArray[np.float64]:
    """Return the upper edges of mapclassify's classes, from the least to the greatest value."""
    import mapclassify  # noqa: PLC0415 - loaded when needed

    with warnings.catch_warnings():
        # It works without, only slower.
        warnings.filterwarnings("ignore", "Numba not installed")
        found = mapclassify.classify(known, name, **({} if name in _FIXED_K else {"k": k}))
    # Classifiers repeat an edge where many values are equal, and some end below the largest.
    edges = np.unique(found.bins)
    edges[-1] = max(edges[-1], float(np.max(known)))
    # Deviations from a mean or median may begin below the least value.
    return np.asarray(edges[edges >= float(np.min(known))])


def _count_decimals(values: NDArray[np.float64]) -> int:
    """Return as many decimals as distinguish the edges, and a value from the nearest edge."""
    gaps = np.diff(np.unique(values))
    if not len(gaps) or (values == np.round(values)).all():
        return 0
    return int(np.clip(np.ceil(-np.log10(np.min(gaps))) + 1, 0, 6))
