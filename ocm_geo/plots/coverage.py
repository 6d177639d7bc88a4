"""How much is within reach: a map of areas and the shares by distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.plots.maps import Extent, draw_ground, in_degrees
from ocm_geo.plots.style import GREY, SERIES, add_caption, new_axes, plain, require

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes

__all__ = ["plot_coverage"]

_SHARES = {"area_share": "area", "population_share": "people"}


def plot_coverage(
    table: gpd.GeoDataFrame,
    *,
    column: str | None = None,
    within_km: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw coverage: a map of the areas, and shares by distance.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        As `ocm_geo.coverage` gives it; with a column ``group``, each group is a line.
    column : str, optional
        ``area_share`` or ``population_share``; the people's where they are known.
    within_km : float, optional
        The distance that the map shows; the middle one by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw the shares by distance alone.

    Returns
    -------
    matplotlib.axes.Axes
        The shares by distance; in a new figure of several areas a map stands on its left.

    Raises
    ------
    QueryError
        If it is no coverage table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.coverage(ocm.sample_areas(), stations, [5, 10], population="population")
    >>> ocm.plot_coverage(table).get_xlabel()
    'distance to a station, km'
    """
    require(table, "within_km", "area_km2", "covered_km2", "area_share", "population_share")
    if table.empty:
        raise QueryError("the coverage table is empty")
    chosen = column or _best(table)
    if chosen not in _SHARES:
        raise QueryError(f"column={column!r}: choose from {list(_SHARES)}")
    if ax is None and "geometry" in table and len(table.index.unique()) > 1:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

        _, (left, ax) = plt.subplots(
            1, 2, figsize=(10, 5.2), layout="constrained", width_ratios=[1.3, 1]
        )
        _draw_map(left, table, chosen, within_km)
    ax = new_axes(ax, 5.5, 4.2)
    _draw_lines(ax, table, chosen)
    n_areas = table.index.nunique()
    add_caption(ax, table, f"{n_areas} area{'s' if n_areas > 1 else ''}")
    return ax


def _best(table: pd.DataFrame) -> str:
    return "population_share" if table["population_share"].notna().any() else "area_share"


def _draw_map(ax: Axes, table: gpd.GeoDataFrame, column: str, within_km: float | None) -> None:
    from matplotlib.colors import BoundaryNorm  # noqa: PLC0415 - loaded when needed

    rows = in_degrees(_one_layer(table, within_km), "coverage table")
    coords = shapely.get_coordinates(rows.geometry.to_numpy())
    extent = Extent.around(coords[:, 0], coords[:, 1])
    draw_ground(ax, extent)
    rows = rows.assign(percent=100 * rows[column].astype(float))
    rows.plot(
        ax=ax,
        column="percent",
        cmap="cividis",
        norm=BoundaryNorm(np.arange(0, 101, 20), 256),
        edgecolor="white",
        linewidth=0.4,
        aspect=None,
        zorder=1,
        legend=True,
        legend_kwds={
            "label": f"share of {_SHARES[column]} within {rows['within_km'].iloc[0]:g} km, %",
            "orientation": "horizontal",
            "shrink": 0.7,
            "pad": 0.02,
        },
        missing_kwds={"color": "#dddddd", "hatch": "///"},
    )
    ax.set(xlabel="", ylabel="")
    ax.set_title(plain(_group_name(rows)), fontsize=10, loc="left")


def _one_layer(table: gpd.GeoDataFrame, within_km: float | None) -> gpd.GeoDataFrame:
    """Choose one distance and, where there are groups, the last of them."""
    steps = np.unique(table["within_km"].astype(float))
    wanted = float(steps[len(steps) // 2]) if within_km is None else within_km
    if wanted not in steps:
        raise QueryError(f"within_km={within_km} is not in the table; it has {steps.tolist()}")
    rows = table[table["within_km"] == wanted]
    return rows[rows["group"] == rows["group"].iloc[-1]] if "group" in rows else rows


def _group_name(rows: pd.DataFrame) -> str:
    return str(rows["group"].iloc[0]) if "group" in rows else ""


def _draw_lines(ax: Axes, table: pd.DataFrame, column: str) -> None:
    whole, covered = (
        ("population", "population_covered")
        if column == "population_share"
        else ("area_km2", "covered_km2")
    )
    named = table if "group" in table else table.assign(group="")
    sums = pd.DataFrame(named).groupby(["group", "within_km"], sort=False)[[whole, covered]].sum()
    shares = 100 * (sums[covered] / sums[whole]).astype(float)
    for colour, (group, values) in zip(_cycle(), shares.groupby("group", sort=False), strict=False):
        x = values.index.get_level_values("within_km").astype(float)
        ax.plot(x, values, marker="o", color=colour, lw=1.8)
        for km, share in zip(x, values, strict=True):
            ax.annotate(
                f"{share:.0f} %",
                (km, share),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=colour,
            )
        if group:
            ax.annotate(
                plain(str(group)),
                (x[-1], values.iloc[-1]),
                xytext=(0, -14),
                textcoords="offset points",
                ha="right",
                fontsize=8,
                color=colour,
            )
    ax.set_xlim(0, float(table["within_km"].max()) * 1.08)
    ax.set_ylim(0, 108)
    ax.set_xlabel("distance to a station, km")
    ax.set_ylabel(f"share of {_SHARES[column]} within that distance, %")
    ax.grid(axis="y", color=GREY, alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)


def _cycle() -> list[str]:
    return list(SERIES) * 20
