"""Classes of values: bounds, their words, and the legend of a map of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.plots.style import GREY, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.patches import Patch
    from numpy.typing import NDArray

__all__ = ["HATCH", "NO_DATA_LOOK", "Classes", "given_classes", "round_classes", "share_classes"]

HATCH = "////"
NO_DATA_LOOK: dict[str, Any] = {"facecolor": "white", "edgecolor": "#a3a3a3", "hatch": "xxxx"}
"""Look of what lies outside the data, in maps and strips alike."""
_NONE = "none found"
_STEPS = (1.0, 2.0, 5.0)
_TAIL = 0.02
_FEW = 2
"""Fewer round bounds than this tell little: then the bounds are even."""


@dataclass(frozen=True)
class Classes:
    """
    Classes of values, with a colour each.

    Parameters
    ----------
    bounds : tuple of float
        Between classes, ascending; a value on a bound belongs to the upper class.
    colours : tuple of str
        One more than bounds.
    labels : tuple of str
        The classes in words, one for each colour.
    missing : str
        What it means that there is no value.
    """

    bounds: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    missing: str

    def of(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """
        Put values into classes.

        Parameters
        ----------
        values : numpy.ndarray
            Numbers; NaN is missing.

        Returns
        -------
        numpy.ndarray of int
            Position of the class; -1 where the value is missing.
        """
        found = np.searchsorted(self.bounds, values, side="right")
        return np.where(np.isnan(values), -1, found)

    def legend(self, ranks: NDArray[np.intp]) -> list[Patch]:
        """
        Explain the classes, with how many are in each.

        Parameters
        ----------
        ranks : numpy.ndarray of int
            As `of` gives them.

        Returns
        -------
        list of matplotlib.patches.Patch
                The missing come last, and only where there are any; alone where all are missing.
        """
        from matplotlib.patches import Patch  # noqa: PLC0415 - loaded when needed

        handles = [
            Patch(facecolor=colour, edgecolor=GREY, lw=0.4, label=f"{label} ({n:,})")
            for colour, label, n in zip(
                self.colours,
                self.labels,
                np.bincount(ranks[ranks >= 0], minlength=len(self.colours)),
                strict=True,
            )
            if (ranks >= 0).any()
        ]
        if n := int((ranks < 0).sum()):
            look: dict[str, Any] = {
                "facecolor": UNKNOWN,
                "edgecolor": GREY,
                "hatch": HATCH,
                "lw": 0.4,
            }
            handles.append(Patch(label=f"{self.missing} ({n:,})", **look))
        return handles


def share_classes(colours: Sequence[str]) -> Classes:
    """
    Give classes of equal width for shares in percent.

    Parameters
    ----------
    colours : sequence of str
        From little to much.

    Returns
    -------
    Classes
        The same for every map, so that maps can be compared; 100 belongs to the last.
    """
    edges = np.linspace(0, 100, len(colours) + 1)
    labels = [f"{a:g} to under {b:g} %" for a, b in pairwise(edges)]
    labels[-1] = f"{edges[-2]:g} to 100 %"
    return Classes(tuple(edges[1:-1].tolist()), tuple(colours), tuple(labels), "not known")


def round_classes(values: NDArray[np.float64], colours: Sequence[str], unit: str) -> Classes:
    """
    Choose round bounds (1, 2, 5, 10, …) that tell the values apart.

    Values that lie close together get even bounds; counts have none at all as a class of its own.

    Parameters
    ----------
    values : numpy.ndarray
        Positive numbers; NaN is missing.
    colours : sequence of str
        From low to high, as many as there may be classes.
    unit : str
        Of the values.

    Returns
    -------
    Classes
        At most one for each colour; the values beyond are in the outer ones.
    """
    known = values[np.isfinite(values) & (values > 0)]
    most = len(colours) - 1
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL]) if len(known) else (1.0, 1.0)
    powers = 10.0 ** np.arange(np.floor(np.log10(low)) - 1, np.ceil(np.log10(high)) + 2)
    rounds = np.array([step * power for power in powers for step in _STEPS])
    inside = rounds[(rounds > low) & (rounds < high)]
    if len(known) == np.isfinite(values).sum() > 0 and np.ptp(known) == 0:
        return Classes((), (colours[len(colours) // 2],), (f"{low:g} {unit}".strip(),), _NONE)
    if len(inside) < _FEW:
        inside = _even(low, high)
    if not len(inside):
        inside = rounds[rounds >= high][:1]
    bounds = [float(f"{bound:.6g}") for bound in inside[-most:]]
    if _is_count(values) and (values == 0).any() and bounds[0] > 1:
        # None at all is a class of its own.
        bounds = [1.0, *bounds[-(most - 1) :]]
    return _between(bounds, colours, unit, whole=_is_count(values))


def _even(low: float, high: float) -> NDArray[np.float64]:
    """Choose even bounds where the values lie close together."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - loaded when needed

    if not high > low:
        return np.array([])
    ticks = np.asarray(MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high))
    return ticks[(ticks > low) & (ticks < high)]


def _is_count(values: NDArray[np.float64]) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 0 and bool((known == np.floor(known)).all())


def given_classes(breaks: Sequence[float], colours: Sequence[str], unit: str) -> Classes:
    """
    Take the bounds that a user asks for, so that several maps have the same.

    Parameters
    ----------
    breaks : sequence of float
        Bounds between classes, ascending.
    colours : sequence of str
        From low to high, as many as there may be classes.
    unit : str
        Of the values.

    Returns
    -------
    Classes
        One more than breaks.

    Raises
    ------
    QueryError
        If they are no ascending numbers, none, or too many.
    """
    try:
        bounds = [float(one) for one in breaks]
    except (TypeError, ValueError):
        bounds = []
    if not 0 < len(bounds) < len(colours) or not (np.diff([-np.inf, *bounds, np.inf]) > 0).all():
        raise QueryError(
            f"breaks={breaks!r}: give 1 to {len(colours) - 1} ascending numbers, the bounds "
            "between classes"
        )
    return _between(bounds, colours, unit, whole=False)


def _between(bounds: list[float], colours: Sequence[str], unit: str, *, whole: bool) -> Classes:
    """Name the classes between bounds, and spread the colours over them."""
    steps = np.linspace(0, len(colours) - 1, len(bounds) + 1).round().astype(int)
    chosen = [colours[step] for step in steps]
    said = f" {unit}" if unit else ""
    middle = [_words(a, b, said, whole=whole) for a, b in pairwise(bounds)]
    first = f"0{said}" if whole and bounds[0] == 1 else f"under {bounds[0]:g}{said}"
    labels = [first, *middle, f"{bounds[-1]:g}{said} and more"]
    return Classes(tuple(bounds), tuple(chosen), tuple(labels), _NONE)


def _words(low: float, high: float, unit: str, *, whole: bool) -> str:
    if not whole or low != int(low) or high != int(high):
        return f"{low:g} to under {high:g}{unit}"
    return f"{low:g}{unit}" if high - low == 1 else f"{low:g} to {high - 1:g}{unit}"
