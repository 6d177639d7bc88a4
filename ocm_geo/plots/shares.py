"""Shares within reach by distance, as lines with bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.plots.axes import add_caption, legend_below, tune
from ocm_geo.plots.steps import step_column, step_unit
from ocm_geo.plots.style import BOUNDS, INK, SERIES, counted, numbers, plain
from ocm_geo.plots.text import small_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SHARE_COLUMNS", "best_column", "draw_shares", "parts_of"]

SHARE_COLUMNS = {"area_share": "area", "population_share": "population"}
_PARTS = {
    "area_share": ("area_km2", "covered_km2"),
    "population_share": ("population", "population_covered"),
}
_STEPS = {"within_km": ("distance", "distance"), "minutes": ("driving time", "time")}
_NAMED = 2
"""Labels of values on more lines than this would overlap."""
_MARKERS = "osD^v"


def best_column(table: pd.DataFrame) -> str:
    """
    Return the column of shares of the population if they are known, else of the area.

    Parameters
    ----------
    table : pandas.DataFrame
        A coverage table.

    Returns
    -------
    str
        Name of a column.
    """
    known = "population_share" in table and table["population_share"].notna().any()
    return "population_share" if known or "area_share" not in table else "area_share"


def parts_of(column: str) -> tuple[str, str]:
    """
    Return the columns from which a share is computed.

    Parameters
    ----------
    column : str
        ``area_share`` or ``population_share``.

    Returns
    -------
    tuple of str
        Columns of the total, and of its part within reach.
    """
    return _PARTS[column]


def draw_shares(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """
    Draw the share of all areas together by distance, one line for each group.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    table : pandas.DataFrame
        A coverage table.
    column : str
        ``area_share`` or ``population_share``.
    """
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - loaded when needed

    named = pd.DataFrame(table) if "group" in table else pd.DataFrame(table).assign(group="")
    curves = {
        plain(str(group)): _sum_area_shares(rows, column)
        for group, rows in named.groupby("group", sort=False)
    }
    is_bounded = f"{column}_low" in table and f"{column}_high" in table
    _draw_curves(ax, curves, is_bounded=is_bounded)
    ax.set_xlim(0, float(table[step_column(table)].max()) * 1.08)
    ax.set_ylim(-1.5, 108)
    ax.set_yticks(range(0, 101, 20))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    along, that = _STEPS[step_column(table)]
    words = f"{SHARE_COLUMNS[column]} within that {that}, %"
    tune(ax, f"{along} to a station, {step_unit(table)}", words)
    if is_bounded or len(curves) > 1:
        legend_below(ax)
    n_areas = int(named.groupby(["group", step_column(table)]).size().max())
    add_caption(ax, table, counted(n_areas, "area"), BOUNDS if is_bounded else "")


def _draw_curves(ax: Axes, curves: dict[str, pd.DataFrame], *, is_bounded: bool) -> None:
    """Draw the line of each group with its bounds, and its values if there are few lines."""
    highest = max(curves, key=lambda group: curves[group]["share"].fillna(0).mean())
    for rank, (group, curve) in enumerate(curves.items()):
        colour, marker = SERIES[rank], _MARKERS[rank]
        ax.plot(
            curve.index, curve["share"], marker=marker, ms=4, color=colour, lw=1.8,
            label=group or "as recorded",
        )  # fmt: skip
        if is_bounded:
            ax.fill_between(
                curve.index, curve["low"], curve["high"], color=colour, alpha=0.2, lw=0,
                label=f"{group} low to high".strip(),
            )  # fmt: skip
        if len(curves) <= _NAMED:
            _label_values(ax, curve["share"], above=group == highest)


def _sum_area_shares(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the share of all areas together by distance, and its bounds, in percent."""
    # Bounds are known as shares of each area: weighted by its size they add up like the value.
    whole, covered = _PARTS[column]
    size = numbers(rows, whole)
    parts = {"size": size, "share": numbers(rows, covered)}
    parts |= {
        bound: size * numbers(rows, f"{column}_{bound}")
        for bound in ("low", "high")
        if f"{column}_{bound}" in rows
    }
    # An area of unknown size has no weight in the share of all.
    known = ~np.isnan(size)
    sums = pd.DataFrame(parts)[known].groupby(numbers(rows, step_column(rows))[known]).sum()
    return 100 * sums.div(sums["size"].where(sums["size"] > 0), axis=0)


def _label_values(ax: Axes, shares: pd.Series[float], *, above: bool) -> None:
    """Write the values on a line."""
    for km, share in shares.dropna().items():
        # A rising line leaves room above it on the left, and below it on the right.
        ax.annotate(
            f"{share:.0f} %",
            (float(str(km)), share),
            xytext=(-2, 3) if above else (2, -3),
            textcoords="offset points",
            ha="right" if above else "left",
            va="bottom" if above else "top",
            fontsize=small_size(ax),
            color=INK,
        )
