"""Distributions of distance: the share of points, or of a population, within each distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.style import (
    BOUNDS,
    DASHES,
    GREY,
    INK,
    MANY,
    SERIES,
    counted,
    few_enough,
    numbers,
    plain,
    require,
)
from ocm_geo.plots.text import small_size
from ocm_geo.plots.words import described, labelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["plot_distances"]

_QUANTILES = (0.5, 0.9)
_MIDDLE = 0.6
# A few points at 0, 0 for example must not stretch the axis: this share of the distances is left
# beyond it if the farthest is this many times as far as the rest; the axis ends a little later.
_STRAY_SHARE, _FAR_OFF, _SPARE = 0.005, 3.0, 1.25


@dataclass(frozen=True)
class _Distances:
    """The columns of a table that are drawn, and how far the axis goes."""

    km: NDArray[np.float64]
    bounds: list[NDArray[np.float64]]
    weight: NDArray[np.float64]
    groups: NDArray[np.object_]
    is_weighed: NDArray[np.bool_]
    farthest: float
    shown: float


def plot_distances(
    table: pd.DataFrame,
    *,
    column: str = "nearest_km",
    weights: str | None = None,
    by: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Plot the empirical distribution of distances: the share within each distance.

    Parameters
    ----------
    table : pandas.DataFrame
        Made by `ocm_geo.nearest_stations` or `ocm_geo.nearest_by_road`; with ``bounds=True`` a
        band shows the effect of uncertain stations.
    column : str
        Column of distances, or of times such as ``road_min``.
    weights : str, optional
        Column of weights, such as ``population``: the shares are then those of the population.
    by : str, optional
        Column that splits the rows: one line for each value, at most five.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Axes with a step function, exact at every distance of the table. A missing distance
        means that no station was found: such rows count in the total, so that the line ends
        below 100 %. Rows without a weight are left out. The caption counts both, and the rows
        (at most 0.5 %) whose distance lies beyond the axis.

    Raises
    ------
    QueryError
        If a column is missing or not numeric, a weight or distance is negative, or there are
        too many groups.

    Notes
    -----
    The median is the least distance within which at least half of the total lies.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> fast = ocm.stations(source=ocm.sample(), min_power_kw=150)
    >>> near = ocm.nearest_stations(stations, fast)
    >>> ocm.plot_distances(near).get_xlabel()
    'distance to the nearest station, km'
    """
    found = _read_distance_columns(table, column, weights, by)
    unit = described(column)[1]
    ax = new_axes(ax, 6.0, 4.4)
    for rank, name in enumerate(dict.fromkeys(found.groups[found.is_weighed])):
        line = _draw_group(ax, found, rank, name, is_single=by is None)
        if by is None:
            _mark_quantiles(ax, line, found.shown, unit)
    ax.set(xlim=(0, 1.02 * found.shown or 1.0), ylim=(-1, 103), yticks=range(0, 101, 20))
    whose = "the population" if weights == "population" else (weights or "points")
    tune(ax, labelled(column), f"share of {whose}, %", grid="both")
    if by is not None or found.bounds:
        legend_below(ax)
    facts = _describe_rows(found, weights, by, unit)
    add_caption(ax, table, *facts, BOUNDS if found.bounds else "")
    return ax


def _read_distance_columns(
    table: pd.DataFrame, column: str, weights: str | None, by: str | None
) -> _Distances:
    """Read and check the columns of a figure of distances."""
    km = numbers(table, column, made_by="ocm_geo.nearest_stations")
    weight = np.ones(len(table)) if weights is None else numbers(table, weights)
    names = [f"{column}_low", f"{column}_high"]
    bounds = [numbers(table, name) for name in names if all(end in table for end in names)]
    if (weight < 0).any() or (km < 0).any():
        raise QueryError(f"{weights or column!r} must not be negative")
    groups = _read_groups(table, by)
    # Rows without a weight are left out everywhere, also in the bounds.
    is_weighed = np.isfinite(weight)
    if not weight[is_weighed].sum() > 0:
        raise QueryError("there is nothing to draw: the table has no row with a weight above 0")
    known = np.concatenate([each[is_weighed] for each in (km, *bounds)])
    return _Distances(km, bounds, weight, groups, is_weighed, *_find_ends(known))


def _read_groups(table: pd.DataFrame, by: str | None) -> NDArray[np.object_]:
    """Return the group of each row, by which the lines are split."""
    if by is None:
        return np.full(len(table), "all", dtype=object)
    require(table, by)
    named = table[by].astype("string").fillna("not known").to_numpy(dtype=object)
    few_enough(len(pd.unique(named)), f"values of {by!r}")
    return named


def _draw_group(
    ax: Axes, found: _Distances, rank: int, name: str, *, is_single: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw the line of a group with the band between its bounds, and return the line."""
    rows = found.is_weighed & (found.groups == name)
    weight, colour = found.weight[rows], SERIES[rank]
    x, share = _accumulate_weights(found.km[rows], weight, found.farthest)
    ax.plot(
        x, 100 * share, drawstyle="steps-post", color=colour, lw=1.6, ls=DASHES[rank],
        label=plain("as recorded" if is_single else f"{name} ({rows.sum():,})"),
        rasterized=len(x) > MANY,
    )  # fmt: skip
    if found.bounds:
        lines = [_accumulate_weights(end[rows], weight, found.farthest) for end in found.bounds]
        # One entry of the legend is enough for the bands of all groups.
        _draw_band(ax, lines, colour, "_" if rank else "low to high")
    return x, share


def _find_ends(km: NDArray[np.float64]) -> tuple[float, float]:
    """Return the farthest distance, and where the axis ends."""
    known = km[np.isfinite(km)]
    farthest = float(np.max(known, initial=0.0))
    most = float(np.quantile(known, 1 - _STRAY_SHARE)) if len(known) else 0.0
    return farthest, _SPARE * most if farthest > _FAR_OFF * most > 0 else farthest


def _accumulate_weights(
    km: NDArray[np.float64], weight: NDArray[np.float64], farthest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct distances, and the share of the total within each."""
    known = np.isfinite(km)
    # A missing distance counts in the total but is never reached: the line ends below 100 %.
    values, position = np.unique(km[known], return_inverse=True)
    within = np.cumsum(np.bincount(position, weight[known], minlength=len(values)))
    total = weight.sum()
    share = within / total if total > 0 else np.zeros(len(values))
    # The line starts at 0, and runs on level to where the others end.
    last = share[-1] if len(share) else 0.0
    return np.array([0.0, *values, farthest]), np.array([0.0, *share, last])


def _draw_band(
    ax: Axes,
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    colour: str,
    label: str,
) -> None:
    """Fill the area between two step functions."""
    # Both are constant between the distances of either.
    x = np.union1d(*(at for at, _ in lines))
    low, high = (100 * share[np.searchsorted(at, x, side="right") - 1] for at, share in lines)
    ax.fill_between(
        x, low, high, step="post", color=colour, alpha=0.25, lw=0, label=label,
        rasterized=len(x) > MANY,
    )  # fmt: skip


def _mark_quantiles(
    ax: Axes, line: tuple[NDArray[np.float64], NDArray[np.float64]], shown: float, unit: str
) -> None:
    """Mark and name the distances of some quantiles."""
    x, share = line
    for wanted in _QUANTILES:
        # Sums of weights are inexact: a share that is 50 % but for rounding has reached it.
        reached = np.flatnonzero(share >= wanted - 1e-12)
        if not len(reached):
            continue
        at = float(x[reached[0]])
        ax.plot([0, at, at], [100 * wanted, 100 * wanted, 0], color=GREY, lw=0.8, ls=":")
        # Below the line where there is room on its right, else above.
        below = at <= _MIDDLE * shown
        ax.annotate(
            f"{100 * wanted:.0f} % within {at:.3g} {unit}".strip(),
            (at, 100 * wanted),
            xytext=(4, -4) if below else (-4, 3),
            textcoords="offset points",
            ha="left" if below else "right",
            va="top" if below else "bottom",
            fontsize=small_size(ax),
            color=INK,
        )


def _describe_rows(found: _Distances, weights: str | None, by: str | None, unit: str) -> list[str]:
    """Return the facts of the caption: number of rows, and which of them are not on the line."""
    weighed, km = found.is_weighed, found.km
    n = int(weighed.sum())
    # A point may be in several groups: their numbers are in the legend.
    number = counted(n, "point") if by is None else "number of points in brackets"
    facts = [number + (f", weighted by {weights}" if weights else "")]
    if none := int((~np.isfinite(km) & weighed).sum()):
        lines = "" if by is None else " (all lines together)"
        facts.append(f"{none:,} of them{lines} without a station within reach, part of the total")
    if left := len(km) - n:
        facts.append(f"{left:,} more without a weight")
    if beyond := int((km[weighed] > found.shown).sum()):
        facts.append(f"{beyond:,} of them beyond {found.shown:.3g} {unit}, not shown")
    return facts
