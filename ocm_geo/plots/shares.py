"""Shares within reach by distance, as lines with their bounds."""

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

SHARE_COLUMNS = {"area_share": "area", "population_share": "people"}
_PARTS = {
    "area_share": ("area_km2", "covered_km2"),
    "population_share": ("population", "population_covered"),
}
_STEPS = {"within_km": ("distance", "distance"), "minutes": ("driving time", "time")}
_NAMED = 2
"""The values of more lines than this would cover each other."""
_MARKERS = "osD^v"


def best_column(table: pd.DataFrame) -> str:
    """
    Choose the people's shares where they are known, else those of the ground.

    Parameters
    ----------
    table : pandas.DataFrame
        A coverage table.

    Returns
    -------
    str
        A column.
    """
    known = "population_share" in table and table["population_share"].notna().any()
    return "population_share" if known or "area_share" not in table else "area_share"


def parts_of(column: str) -> tuple[str, str]:
    """
    Name what a share is made of.

    Parameters
    ----------
    column : str
        ``area_share`` or ``population_share``.

    Returns
    -------
    tuple of str
        The columns of the whole, and of its part within reach.
    """
    return _PARTS[column]


def draw_shares(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """
    Draw the share of all areas together by distance, a line for each group.

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
    groups = list(named.groupby("group", sort=False))
    bounded = f"{column}_low" in table and f"{column}_high" in table
    curves = [_shares(rows, column) for _, rows in groups]
    highest = int(np.argmax([curve["share"].fillna(0).mean() for curve in curves]))
    for rank, ((group, _), curve) in enumerate(zip(groups, curves, strict=True)):
        colour, marker = SERIES[rank], _MARKERS[rank]
        ax.plot(
            curve.index, curve["share"], marker=marker, ms=4, color=colour, lw=1.8,
            label=plain(str(group)) or "as recorded",
        )  # fmt: skip
        if bounded:
            ax.fill_between(
                curve.index, curve["low"], curve["high"], color=colour, alpha=0.2, lw=0,
                label=f"{plain(str(group))} low to high".strip(),
            )  # fmt: skip
        if len(groups) <= _NAMED:
            _name_values(ax, curve["share"], above=rank == highest)
    ax.set_xlim(0, float(table[step_column(table)].max()) * 1.08)
    ax.set_ylim(-1.5, 108)
    ax.set_yticks(range(0, 101, 20))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    what = SHARE_COLUMNS[column]
    along, that = _STEPS[step_column(table)]
    tune(ax, f"{along} to a station, {step_unit(table)}", f"{what} within that {that}, %")
    if bounded or len(groups) > 1:
        legend_below(ax)
    n_areas = int(named.groupby(["group", step_column(table)]).size().max())
    facts = [counted(n_areas, "area")]
    if bounded:
        facts.append(BOUNDS)
    add_caption(ax, table, *facts)


def _shares(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Add areas up; bounds are weighted as the share is."""
    whole, covered = _PARTS[column]
    size = numbers(rows, whole)
    parts = {"size": size, "share": numbers(rows, covered)}
    parts |= {
        bound: size * numbers(rows, f"{column}_{bound}")
        for bound in ("low", "high")
        if f"{column}_{bound}" in rows
    }
    known = ~np.isnan(size)
    sums = pd.DataFrame(parts)[known].groupby(numbers(rows, step_column(rows))[known]).sum()
    return 100 * sums.div(sums["size"].where(sums["size"] > 0), axis=0)


def _name_values(ax: Axes, shares: pd.Series[float], *, above: bool) -> None:
    for km, share in shares.dropna().items():
        # A line that rises leaves room above on its left, and below on its right.
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
