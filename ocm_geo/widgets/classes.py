"""Classes of a number for a map: breaks by mapclassify, colours, and words for a legend."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import mapclassify
import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex

from ocm_geo.errors import QueryError
from ocm_geo.widgets.places import is_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MISSING", "Classes"]

MISSING = "#d9d9d9"
_UNITS = (("_share", "%", 100.0), ("_km2", "km²", 1.0), ("_km", "km", 1.0), ("_kw", "kW", 1.0))
_BOUNDS = ("_low", "_high")
_NEED_MORE = frozenset({"UserDefined"})
"""Classifiers that take more than values and a number of classes."""


@dataclass(frozen=True)
class Classes:
    """
    Classes of a number.

    Parameters
    ----------
    edges : tuple of float
        Upper edges, inclusive, in units of the legend.
    low : float
        Least value.
    factor : float
        Units of the legend in one of the column.
    unit : str
        Unit of the legend; empty where there is none.
    """

    edges: tuple[float, ...]
    low: float
    factor: float
    unit: str

    @classmethod
    def of(cls, values: NDArray[np.float64], column: str, scheme: str, k: int) -> Classes:
        """
        Classify values.

        Parameters
        ----------
        values : numpy.ndarray
            Of the column; missing ones are left out.
        column : str
            Its name, whose end tells the unit.
        scheme : str
            Name of a classifier of mapclassify.
        k : int
            How many classes.

        Returns
        -------
        Classes
            At most k: fewer where there are fewer values.

        Raises
        ------
        QueryError
            If there is no such scheme, k is no number of classes, or there is no value.
        """
        name = _classifier(scheme)
        # The eye tells no more apart.
        if not (is_whole(k) and 2 <= k <= 9):  # noqa: PLR2004
            raise QueryError(f"k={k!r}: give 2 to 9 classes")
        if np.isinf(values).any():
            raise QueryError(f"column {column!r} holds infinite values: make them missing")
        unit, factor = _unit_of(column)
        known = values[~np.isnan(values)] * factor
        if not len(known):
            raise QueryError(f"column {column!r} has no value to draw")
        distinct = np.unique(known)
        if len(distinct) <= k:
            edges = distinct
        else:
            with warnings.catch_warnings():
                # It works without, only slower.
                warnings.filterwarnings("ignore", "Numba not installed")
                found = mapclassify.classify(known, name, **_options(name, k))
            edges = np.unique(found.bins)
            edges[-1] = max(edges[-1], distinct[-1])
            # Deviations from a mean or median may begin below the least value.
            edges = edges[edges >= distinct[0]]
        return cls(tuple(float(e) for e in edges), float(distinct[0]), factor, unit)

    @property
    def colours(self) -> list[str]:
        """Even steps of cividis, which the colour-blind see as others do."""
        steps = np.linspace(0.95, 0.0, max(len(self.edges), 2))[: len(self.edges)]
        return [to_hex(mpl.colormaps["cividis"](step)) for step in steps]

    @property
    def labels(self) -> list[str]:
        """Give each class in words."""
        lows = (self.low, *self.edges[:-1])
        digits = _digits((self.low, *self.edges))
        texts = [
            f"{a:,.{digits}f} to {b:,.{digits}f}" for a, b in zip(lows, self.edges, strict=True)
        ]
        if self.low == self.edges[0]:
            texts[0] = f"{self.low:,.{digits}f}"
        return [f"{text} {self.unit}".strip() for text in texts]

    def position(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """
        Find the class of values.

        Parameters
        ----------
        values : numpy.ndarray
            Of the column.

        Returns
        -------
        numpy.ndarray of int
            -1 where the value is missing.
        """
        scaled = values * self.factor
        found = np.searchsorted(np.array(self.edges) * (1 + 1e-12), scaled, side="left")
        return np.where(np.isnan(values), -1, np.minimum(found, len(self.edges) - 1))

    def text(self, value: float) -> str:
        """
        Write a value.

        Parameters
        ----------
        value : float
            Of the column.

        Returns
        -------
        str
            With its unit.
        """
        if np.isnan(value):
            return "not known"
        digits = _digits((self.low, *self.edges)) + 1
        return f"{value * self.factor:,.{digits}f} {self.unit}".strip()


def _classifier(scheme: str) -> str:
    by_name = {name.lower(): name for name in mapclassify.CLASSIFIERS if name not in _NEED_MORE}
    wanted = str(scheme).replace("_", "").lower()
    if wanted not in by_name:
        near = get_close_matches(wanted, by_name, n=1)
        hint = f"did you mean {by_name[near[0]]!r}? " if near else ""
        raise QueryError(f"scheme={scheme!r}: {hint}choose from {sorted(by_name.values())}")
    return str(by_name[wanted])


def _unit_of(column: str) -> tuple[str, float]:
    for bound in _BOUNDS:
        column = column.removesuffix(bound)
    return next(((unit, factor) for end, unit, factor in _UNITS if column.endswith(end)), ("", 1.0))


def _options(name: str, k: int) -> dict[str, int]:
    fixed = {"BoxPlot", "HeadTailBreaks", "MaxP", "Percentiles", "StdMean"}
    return {} if name in fixed else {"k": k}


def _digits(values: tuple[float, ...]) -> int:
    """Give as many decimals as tell the edges apart, and a value from the edge beside it."""
    gaps = np.diff(np.unique(values))
    if not len(gaps) or np.all(np.array(values) == np.round(values)):
        return 0
    return int(np.clip(np.ceil(-np.log10(np.min(gaps))) + 1, 0, 6))
