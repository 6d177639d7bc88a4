"""Coverage: maps of areas, grids and contours, and the shares within reach by distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat
from ocm_geo.outside import no_data_in
from ocm_geo.plots.axes import add_caption, legend_below, new_axes
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.grid import draw_contours, draw_grid
from ocm_geo.plots.maps import draw_ground, fill_map, map_size
from ocm_geo.plots.schemes import choose_classes
from ocm_geo.plots.shapes import draw_classes, draw_no_data
from ocm_geo.plots.shares import SHARE_COLUMNS, best_column, draw_shares, parts_of
from ocm_geo.plots.steps import chosen_steps, has_steps, step_column, step_unit
from ocm_geo.plots.style import counted, few_enough, numbers, plain, require
from ocm_geo.plots.words import heading_of
from ocm_geo.provenance import read_attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from matplotlib.axes import Axes

    from ocm_geo.plots.classes import Classes

__all__ = ["plot_coverage"]

Kind = Literal["shares", "areas", "grid", "contours"]
_MADE_BY = "ocm_geo.coverage"
_BOUNDS = ("", "_low", "_high")


def plot_coverage(
    table: gpd.GeoDataFrame,
    *,
    kind: Kind | None = None,
    column: str | None = None,
    within_km: float | None = None,
    minutes: float | None = None,
    breaks: str | Sequence[float] | None = None,
    k: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Plot coverage: a map of areas, a grid, contours, or the shares by distance.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Made by `ocm_geo.coverage`, `ocm_geo.coverage_by_road` or
        `ocm_geo.population_coverage`; with a column ``group``, each group is a line, at most
        five. For ``grid`` and ``contours`` the cells of `ocm_geo.coverage_grid`.
    kind : {"shares", "areas", "grid", "contours"}, optional
        Kind of figure. By default a grid for cells, and for areas the shares by distance, in a
        new figure of several areas beside their map.
    column : str, optional
        ``area_share`` or ``population_share``; by default that of the population if it is known.
        A map takes their ``…_low`` and ``…_high`` too. For a grid any numeric column,
        ``nearest_km`` by default.
    within_km, minutes : float, optional
        Distance or driving time shown on the map of areas; the middle one by default.
    breaks : str or sequence of float, optional
        Classes of a map: the name of a classifier of mapclassify, such as ``quantiles``, or the
        bounds between classes in units of the legend, so that several maps share them. By
        default shares have five classes of equal width and other values round bounds. A value
        on a bound belongs to the lower class.
    k : int, optional
        Number of classes of a classifier, 2 to 9; 5 by default. Alone it means equal intervals.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Axes with unit, number of areas, date and credit. Columns ``…_low`` and ``…_high`` become
        a band around the shares. Areas without a value are hatched. `coverage_map` of the same
        table has the same classes, colours and labels.

    Raises
    ------
    QueryError
        If the table is not a coverage table, is empty, or lacks what an argument names.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.coverage(ocm.sample_areas(), stations, [5, 10], population="population")
    >>> ocm.plot_coverage(table).get_xlabel()
    'distance to a station, km'
    """
    require(table, made_by=_MADE_BY)
    chosen = _choose_kind(table, kind)
    if chosen == "shares" and not (breaks is None and k is None):
        raise QueryError("breaks are for a grid, contours or kind='areas': lines have no classes")
    column = _choose_drawn_column(table, chosen, column)
    # Before one distance is selected: maps of all distances share their classes.
    classes = choose_classes(table, column, scheme=breaks, k=k, argument="breaks")
    if chosen in {"grid", "contours"}:
        draw = draw_grid if chosen == "grid" else draw_contours
        return draw(ax, table, column, classes)
    layer = _select_step(table, within_km, minutes)
    if chosen == "areas":
        return _draw_areas(ax, layer, column, classes)
    if kind is None and ax is None and _has_several_areas(table):
        return _draw_both(table, layer, column, classes)
    ax = new_axes(ax, 5.5, 4.2)
    draw_shares(ax, table, column)
    return ax


def _choose_drawn_column(table: pd.DataFrame, kind: Kind, column: str | None) -> str:
    """Return the column of a kind of figure, after checking that the table has it."""
    if kind not in {"grid", "contours"}:
        return _choose_share(table, column, bounds=kind == "areas")
    require(table, column or "nearest_km", made_by="ocm_geo.coverage_grid")
    return column or "nearest_km"


def _has_several_areas(table: pd.DataFrame) -> bool:
    return "geometry" in table and len(table.index.unique()) > 1


def _choose_kind(table: pd.DataFrame, kind: Kind | None) -> Kind:
    """Return the kind of figure that is asked for, or that fits the table."""
    if kind is None:
        return "grid" if "nearest_km" in table and not has_steps(table) else "shares"
    if kind not in get_args(Kind):
        raise QueryError(f"kind={kind!r}: choose from {list(get_args(Kind))}")
    return kind


def _choose_share(table: pd.DataFrame, column: str | None, *, bounds: bool) -> str:
    """Return the column of shares, after checking the columns that are drawn with it."""
    require(table, step_column(table), made_by=_MADE_BY)
    share = column or best_column(table)
    known = [name + end for name in SHARE_COLUMNS for end in (_BOUNDS if bounds else _BOUNDS[:1])]
    if share not in known:
        raise QueryError(f"column={column!r}: choose from {known}")
    parts = () if bounds else parts_of(share)
    require(table, share, *parts, made_by=_MADE_BY)
    if table.empty:
        raise QueryError("the coverage table is empty")
    if not bounds and "group" in table:
        few_enough(table["group"].nunique(), "groups")
    return share


def _select_step(
    table: gpd.GeoDataFrame, within_km: float | None, minutes: float | None
) -> gpd.GeoDataFrame:
    """Return the rows of one distance or time and, if there are groups, of the last one."""
    steps = chosen_steps(table, within_km, minutes)
    rows = table[table[step_column(table)] == steps[len(steps) // 2]]
    return rows[rows["group"] == rows["group"].iloc[-1]] if "group" in rows else rows


def _draw_both(
    table: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, share: str, classes: Classes
) -> Axes:
    """Draw the map of areas beside the shares by distance, and return the axes of the shares."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

    wanted, rows = _fit_extent(layer)
    _, (left, right) = plt.subplots(
        1, 2, figsize=(10, 5.2), layout="constrained", width_ratios=[1.15, 1]
    )
    _draw_area_classes(left, rows, share, classes, wanted=wanted)
    draw_shares(right, table, share)
    fill_map(left, wanted)
    axes: Axes = right
    return axes


def _draw_areas(ax: Axes | None, layer: gpd.GeoDataFrame, share: str, classes: Classes) -> Axes:
    """Draw the map of areas with its caption."""
    wanted, rows = _fit_extent(layer)
    ax = new_axes(ax, *map_size(wanted))
    _draw_area_classes(ax, rows, share, classes, wanted=wanted)
    add_caption(ax, layer, counted(len(rows), "area"))
    fill_map(ax, wanted)
    return ax


def _fit_extent(layer: gpd.GeoDataFrame) -> tuple[Extent, gpd.GeoDataFrame]:
    rows = in_lonlat(layer, "coverage table")
    return Extent.of_shapes(rows.geometry.to_numpy()), rows


def _draw_area_classes(
    ax: Axes, rows: gpd.GeoDataFrame, share: str, classes: Classes, *, wanted: Extent
) -> None:
    """Draw areas by the class of their share, and what lies outside the data."""
    shown = draw_ground(ax, wanted)
    values, shapes = numbers(rows, share), rows.geometry.to_numpy()
    none = no_data_in(read_attrs(rows), shapes)
    known = ~none.whole
    handles = draw_classes(ax, shapes[known], values[known], classes, extent=shown)
    handles += draw_no_data(ax, none.parts, shown)
    step = f"{float(rows[step_column(rows)].iloc[0]):g} {step_unit(rows)}"
    group = str(rows["group"].iloc[0]) if "group" in rows else ""
    legend_below(ax, plain(f"{heading_of(share, step, group)} (areas)"), handles)
