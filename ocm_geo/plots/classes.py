"""Classes of values: one classification and one palette for figures and maps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.style import FAR, GREY, SHARES, UNKNOWN
from ocm_geo.plots.words import WAYS, described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.patches import Patch
    from numpy.typing import NDArray

__all__ = [
    "HATCH",
    "MOST_CLASSES",
    "NO_DATA_LOOK",
    "Classes",
    "break_classes",
    "round_classes",
    "share_classes",
]

HATCH = "////"
NO_DATA_LOOK: dict[str, Any] = {"facecolor": "white", "edgecolor": "#a3a3a3", "hatch": "xxxx"}
"""Look of what lies outside the data, in maps and strips alike."""
MOST_CLASSES = 9
"""Readers tell no more apart."""
_STEPS = (1.0, 2.0, 5.0)
_TAIL = 0.02
_FEW = 2
"""Fewer round bounds than this separate few values: even bounds are used instead."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Classes:
    """
    Classes of a number, with a colour and a label each.

    Parameters
    ----------
    bounds : tuple of float
        Between classes, ascending, in units of the legend. A value on a bound belongs to the
        lower class, as in mapclassify: what is within 5 km is in the class that ends at 5 km.
    colours : tuple of str
        One more than bounds.
    labels : tuple of str
        One for each colour.
    missing : str
        Label of rows without a value.
    unit : str
        Unit of the legend; empty if there is none.
    factor : float
        Units of the legend in one unit of the column: 100 for shares.
    digits : int
        Decimals of a value that is written beside the classes.
    """

    bounds: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    missing: str = "not known"
    unit: str = ""
    factor: float = 1.0
    digits: int = 1

    @classmethod
    def of_column(
        cls, column: str, bounds: Sequence[float], labels: Sequence[str], *, digits: int = 1
    ) -> Classes:
        """
        Build the classes of a column, whose name decides the palette and the unit.

        Parameters
        ----------
        column : str
            A column: distances and times run from near to far, others from little to much.
        bounds : sequence of float
            Between classes, in units of the legend.
        labels : sequence of str
            The classes in words, without the unit.
        digits : int
            As for `Classes`.

        Returns
        -------
        Classes
            The classes.
        """
        is_way, (_, unit) = column.startswith(WAYS), described(column)
        return cls(
            tuple(float(bound) for bound in bounds),
            _spread_colours(FAR if is_way else SHARES, len(labels)),
            tuple(f"{label} {unit}".strip() for label in labels),
            missing="none found" if is_way else "not known",
            unit=unit,
            factor=100.0 if unit == "%" else 1.0,
            digits=digits,
        )

    def position(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """
        Return the class of each value.

        Parameters
        ----------
        values : numpy.ndarray
            Values of the column; NaN is missing.

        Returns
        -------
        numpy.ndarray of int
            Position of the class; -1 where the value is missing.
        """
        # A share of 0.07 is 7.000000000000001 %: rounding must not move it over a bound.
        bounds = np.array(self.bounds)
        found = np.searchsorted(bounds + _ROUNDING * np.abs(bounds), values * self.factor)
        return np.where(np.isnan(values), -1, found)

    def explain(self, ranks: NDArray[np.intp]) -> list[tuple[str, str]]:
        """
        Return the rows of a legend, with the number of values in each class.

        Parameters
        ----------
        ranks : numpy.ndarray of int
            Made by `position`.

        Returns
        -------
        list of tuple
            Colour and label. Missing values come last, and only if there are any; their colour
            is that of ``style.UNKNOWN``. If all are missing they are the only row.
        """
        counts = np.bincount(ranks[ranks >= 0], minlength=len(self.colours))
        rows = [
            (colour, f"{label} ({n:,})")
            for colour, label, n in zip(self.colours, self.labels, counts, strict=True)
            if counts.any()
        ]
        if n := int((ranks < 0).sum()):
            rows.append((UNKNOWN, f"{self.missing} ({n:,})"))
        return rows

    def legend(self, ranks: NDArray[np.intp]) -> list[Patch]:
        """
        Build the handles of a figure's legend.

        Parameters
        ----------
        ranks : numpy.ndarray of int
            Made by `position`.

        Returns
        -------
        list of matplotlib.patches.Patch
            One for each row of `explain`; missing values are hatched.
        """
        from matplotlib.patches import Patch  # noqa: PLC0415 - loaded when needed

        return [
            Patch(
                facecolor=colour,
                edgecolor=GREY,
                lw=0.4,
                label=label,
                hatch=HATCH if colour == UNKNOWN else None,
            )
            for colour, label in self.explain(ranks)
        ]

    def write(self, value: float) -> str:
        """
        Write one value with its unit.

        Parameters
        ----------
        value : float
            Value of the column.

        Returns
        -------
        str
            Such as ``12.3 km``; the label of missing values for NaN.
        """
        if np.isnan(value):
            return self.missing
        return f"{value * self.factor:,.{self.digits}f} {self.unit}".strip()


def share_classes(column: str = "share") -> Classes:
    """
    Return five classes of equal width for shares from 0 to 1.

    Parameters
    ----------
    column : str
        A column of shares.

    Returns
    -------
    Classes
        The same for every map, so that maps can be compared; 0 belongs to the first.
    """
    edges = [0, 20, 40, 60, 80, 100]
    labels = [f"over {low} to {high}" for low, high in pairwise(edges)]
    return Classes.of_column(column, edges[1:-1], ["0 to 20", *labels[1:]])


def round_classes(values: NDArray[np.float64], column: str) -> Classes:
    """
    Choose round bounds (1, 2, 5, 10, …) that separate the values.

    Values that lie close together get even bounds. Zero is a class of its own among counts.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers, 0 or more; NaN is missing.
    column : str
        Their column, which decides the palette and the unit.

    Returns
    -------
    Classes
        At most one for each colour of the palette; the outer ones contain the values beyond.
    """
    factor = 100.0 if described(column)[1] == "%" else 1.0
    known = values[np.isfinite(values)] * factor
    positive = known[known > 0]
    # A single value has no bounds; zero alone is a class of its own below.
    if len(positive) == len(known) > 0 and np.ptp(known) == 0:
        return Classes.of_column(column, (), [_write_bound(float(known[0]))])
    is_count = len(known) > 0 and bool((known == np.floor(known)).all())
    has_zero = is_count and len(positive) < len(known)
    # With zero as a class of its own there is room for one bound less.
    most = len(FAR if column.startswith(WAYS) else SHARES) - 1 - has_zero
    bounds = _choose_round_bounds(positive, most) if len(positive) or not has_zero else []
    return _label_classes([0.0, *bounds] if has_zero else bounds, column, is_count=is_count)


def _choose_round_bounds(known: NDArray[np.float64], most: int) -> list[float]:
    """Choose round numbers within the range of most values, at most a given number of them."""
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL]) if len(known) else (1.0, 1.0)
    # Most values decide: a single outlier would spread the bounds over many powers of ten.
    powers = 10.0 ** np.arange(np.floor(np.log10(low)) - 1, np.ceil(np.log10(high)) + 2)
    rounds = np.array([step * power for power in powers for step in _STEPS])
    inside = rounds[(rounds > low) & (rounds < high)]
    if len(inside) < _FEW:
        inside = _choose_even_bounds(low, high)
    if not len(inside):
        inside = rounds[rounds >= high][:1]
    return [float(f"{bound:.6g}") for bound in inside[-most:]]


def _choose_even_bounds(low: float, high: float) -> NDArray[np.float64]:
    """Choose even bounds for values that lie close together."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - loaded when needed

    if not high > low:
        return np.array([])
    ticks = np.asarray(MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high))
    return ticks[(ticks > low) & (ticks < high)]


def break_classes(breaks: Sequence[float], column: str, argument: str = "breaks") -> Classes:
    """
    Return the classes between bounds that the user chose, so that several maps share them.

    Parameters
    ----------
    breaks : sequence of float
        Bounds between classes, ascending, in units of the legend.
    column : str
        The column, which decides the palette and the unit.
    argument : str
        The caller's name of ``breaks``, for messages.

    Returns
    -------
    Classes
        One more than breaks.

    Raises
    ------
    QueryError
        If there are no, too many or not ascending numbers, or shares are not in percent.
    """
    try:
        bounds = [float(one) for one in breaks]
    except (TypeError, ValueError):
        bounds = []
    if not 0 < len(bounds) < MOST_CLASSES or not (np.diff([-np.inf, *bounds, np.inf]) > 0).all():
        raise QueryError(
            f"{argument} must be 1 to {MOST_CLASSES - 1} ascending numbers, the bounds between "
            f"classes, not {short_form(breaks)}"
        )
    if described(column)[1] == "%" and max(bounds) <= 1:
        raise QueryError(
            f"{argument} of a share must be in percent: {short_form(breaks)} would put nearly "
            "every row into the last class"
        )
    return _label_classes(bounds, column)


def _label_classes(bounds: list[float], column: str, *, is_count: bool = False) -> Classes:
    """Return the classes between bounds, open at both ends, with labels and colours."""
    middle = [_name_class(low, high, is_count=is_count) for low, high in pairwise(bounds)]
    first = "0" if is_count and bounds[0] == 0 else f"up to {_write_bound(bounds[0])}"
    return Classes.of_column(column, bounds, [first, *middle, f"over {_write_bound(bounds[-1])}"])


def _name_class(low: float, high: float, *, is_count: bool) -> str:
    """Name a class by its bounds; among counts the lower one is the next whole number."""
    if not is_count or low != int(low) or high != int(high):
        return f"over {_write_bound(low)} to {_write_bound(high)}"
    first = low + 1
    return f"{_write_bound(high)}" if first == high else f"{first:,.0f} to {_write_bound(high)}"


def _write_bound(value: float) -> str:
    """Write a round number in full: 20,000 and never 2e+04."""
    return f"{value:,.10g}"


def _spread_colours(palette: tuple[str, ...], n: int) -> tuple[str, ...]:
    """Return n colours in even steps along a palette, between its colours where n is larger."""
    from matplotlib.colors import to_hex, to_rgb  # noqa: PLC0415 - loaded when needed

    last = len(palette) - 1
    # A single class is neither little nor much.
    at = np.linspace(0, last, n) if n > 1 else np.array([last / 2])
    channels = np.array([to_rgb(colour) for colour in palette]).T
    mixed = [np.interp(at, np.arange(len(palette)), channel) for channel in channels]
    return tuple(to_hex(tuple(rgb)) for rgb in np.column_stack(mixed))
