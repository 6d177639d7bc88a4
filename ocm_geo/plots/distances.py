"""Distributions of distance: the share of places, or people, within each distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.style import (
    BOUNDS,
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

_LINES = ("-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)))
_QUANTILES = (0.5, 0.9)
_MIDDLE = 0.6
# Of distances from strays, at 0, 0 for example: this share, when it is this many times farther.
_STRAY_SHARE, _FAR_OFF, _SPARE = 0.005, 3.0, 1.25


def plot_distances(
    table: pd.DataFrame,
    *,
    column: str = "nearest_km",
    weights: str | None = None,
    by: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw the empirical distribution of distances: which share lies within each distance.

    Parameters
    ----------
    table : pandas.DataFrame
        As `ocm_geo.nearest_stations` or `ocm_geo.nearest_by_road` gives it; with
        ``bounds=True`` a band shows how far the uncertain stations matter.
    column : str
        Distances, or times such as ``road_min``.
    weights : str, optional
        A column to weigh rows by, such as ``population``; then the shares are of people.
    by : str, optional
        A column that splits it: a line for each value, at most five.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Steps, exact at every distance of the table. A missing distance means that no station
        was found: such rows stay in the whole, so that the line ends below 100 %. Rows without
        a weight are left out. Both are counted in the caption, and so are the very few (0.5 %)
        so far off that they are not shown.

    Raises
    ------
    QueryError
        If a column is missing or no number, a weight is negative, or there are too many groups.

    Notes
    -----
    The median is the least distance within which at least half of the whole lies.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> fast = ocm.stations(source=ocm.sample(), min_power_kw=150)
    >>> near = ocm.nearest_stations(stations, fast)
    >>> ocm.plot_distances(near).get_xlabel()
    'distance to the nearest station, km'
    """
    km = numbers(table, column, made_by="ocm_geo.nearest_stations")
    weight = np.ones(len(table)) if weights is None else numbers(table, weights)
    ends = [numbers(table, name) for name in _bounds(table, column)]
    if (weight < 0).any() or (km < 0).any():
        raise QueryError(f"{weights or column!r} must not be negative")
    groups = _groups(table, by)
    weighed = np.isfinite(weight)
    if not weight[weighed].sum() > 0:
        raise QueryError("there is nothing to draw: no row, or all weights are 0 or missing")
    farthest, shown = _ends(np.concatenate([each[weighed] for each in (km, *ends)]))
    ax = new_axes(ax, 6.0, 4.4)
    for rank, name in enumerate(dict.fromkeys(groups[weighed])):
        rows = weighed & (groups == name)
        x, share = _steps(km[rows], weight[rows], farthest)
        colour = SERIES[rank]
        ax.plot(
            x, 100 * share, drawstyle="steps-post", color=colour, lw=1.6, ls=_LINES[rank],
            label=plain(f"{name} ({rows.sum():,})" if by else "as recorded"),
            rasterized=len(x) > MANY,
        )  # fmt: skip
        if ends:
            lines = [_steps(end[rows], weight[rows], farthest) for end in ends]
            _draw_band(ax, lines, colour, "_" if rank else "low to high")
        if by is None:
            _mark_quantiles(ax, (x, share), shown, described(column)[1])
    _set_up(ax, shown, column, "people" if weights == "population" else (weights or "places"))
    if by is not None or ends:
        legend_below(ax)
    beyond = int((km[weighed] > shown).sum())
    unit = described(column)[1]
    far = f"{beyond:,} of them beyond {shown:.3g} {unit}, not shown" if beyond else ""
    add_caption(ax, table, *_facts(km, weighed, weights, by), far, BOUNDS if ends else "")
    return ax


def _bounds(table: pd.DataFrame, column: str) -> list[str]:
    """Name the columns of the bounds, where the table has them."""
    names = [f"{column}_low", f"{column}_high"]
    return names if all(name in table for name in names) else []


def _groups(table: pd.DataFrame, by: str | None) -> NDArray[np.object_]:
    if by is None:
        return np.full(len(table), "all", dtype=object)
    require(table, by)
    named = table[by].astype("string").fillna("not known").to_numpy(dtype=object)
    few_enough(len(pd.unique(named)), f"values of {by!r}")
    return named


def _ends(km: NDArray[np.float64]) -> tuple[float, float]:
    """Give the farthest distance, and where the figure ends: a few strays do not stretch it."""
    known = km[np.isfinite(km)]
    farthest = float(np.max(known, initial=0.0))
    most = float(np.quantile(known, 1 - _STRAY_SHARE)) if len(known) else 0.0
    return farthest, _SPARE * most if farthest > _FAR_OFF * most > 0 else farthest


def _steps(
    km: NDArray[np.float64], weight: NDArray[np.float64], farthest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the distances, each once, and the share of the whole within them."""
    known = np.isfinite(km)
    values, position = np.unique(km[known], return_inverse=True)
    within = np.cumsum(np.bincount(position, weight[known], minlength=len(values)))
    total = weight.sum()
    share = within / total if total > 0 else np.zeros(len(values))
    # The line starts at nothing, and runs on level to where the others end.
    last = share[-1] if len(share) else 0.0
    return np.array([0.0, *values, farthest]), np.array([0.0, *share, last])


def _draw_band(
    ax: Axes,
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    colour: str,
    label: str,
) -> None:
    """Fill between two lines of steps."""
    x = np.union1d(*(at for at, _ in lines))
    low, high = (100 * share[np.searchsorted(at, x, side="right") - 1] for at, share in lines)
    ax.fill_between(
        x, low, high, step="post", color=colour, alpha=0.25, lw=0, label=label,
        rasterized=len(x) > MANY,
    )  # fmt: skip


def _mark_quantiles(
    ax: Axes, line: tuple[NDArray[np.float64], NDArray[np.float64]], shown: float, unit: str
) -> None:
    x, share = line
    for wanted in _QUANTILES:
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


def _set_up(ax: Axes, shown: float, column: str, whose: str) -> None:
    ax.set(xlim=(0, 1.02 * shown or 1.0), ylim=(-1, 103), yticks=range(0, 101, 20))
    tune(ax, labelled(column), f"share of {whose}, %", grid="both")


def _facts(
    km: NDArray[np.float64], weighed: NDArray[np.bool_], weights: str | None, by: str | None
) -> list[str]:
    n, none = int(weighed.sum()), int((~np.isfinite(km) & weighed).sum())
    # With groups a place may stand in each: the legend counts them.
    places = counted(n, "place") if by is None else "places in brackets"
    facts = [places + (f" weighed by {weights}" if weights else "")]
    if none:
        lines = "" if by is None else " (all lines together)"
        facts.append(f"{none:,} of them{lines} without a station in reach, counted in the whole")
    if left := len(km) - n:
        facts.append(f"{left:,} more without a weight")
    return facts
