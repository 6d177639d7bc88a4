"""How much is within reach: maps of areas, grids and contours, and the shares by distance."""

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
    Draw coverage: a map of areas, a grid, contours, or the shares by distance.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        As `ocm_geo.coverage`, `ocm_geo.coverage_by_road` or `ocm_geo.population_coverage` gives
        it; with a column ``group``, each group is a line, five at most. For ``grid`` and
        ``contours`` the cells of `ocm_geo.coverage_grid`.
    kind : {"shares", "areas", "grid", "contours"}, optional
        What to draw; for a grid the grid, for areas the shares, and beside them, in a new figure
        of several areas, their map.
    column : str, optional
        ``area_share`` or ``population_share``; the people's where they are known. A map takes
        their ``…_low`` and ``…_high`` too. Of a grid any column of numbers; ``nearest_km`` by
        default.
    within_km, minutes : float, optional
        The distance or driving time that the map of areas shows; the middle one by default.
    breaks : str or sequence of float, optional
        Classes of a map: the name of a classifier of mapclassify, such as ``quantiles``, or the
        bounds between classes in units of the legend, so that several maps share them. By
        default shares have five classes of equal width and other values round bounds. A value
        on a bound belongs to the lower class.
    k : int, optional
        Number of classes of a classifier, 2 to 9; 5 by default. Alone it means equal intervals.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        With unit, number of areas, date and credit. Columns ``…_low`` and ``…_high`` become a
        band about the shares. Classes of shares are the same in every map; those of a grid
        are round numbers. Where the value is missing, the map is hatched.

    Raises
    ------
    QueryError
        If it is no coverage table, is empty, or has not what is asked for.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.coverage(ocm.sample_areas(), stations, [5, 10], population="population")
    >>> ocm.plot_coverage(table).get_xlabel()
    'distance to a station, km'
    """
    require(table, made_by=_MADE_BY)
    chosen = _kind_of(table, kind)
    if chosen in {"grid", "contours"}:
        column = column or "nearest_km"
        require(table, column, made_by="ocm_geo.coverage_grid")
        classes = choose_classes(table, column, scheme=breaks, k=k, argument="breaks")
        draw = draw_grid if chosen == "grid" else draw_contours
        return draw(ax, table, column, classes)
    if chosen == "shares" and not (breaks is None and k is None):
        raise QueryError("breaks are for a grid, contours or kind='areas': lines have no classes")
    share = _share_of(table, column, bounds=chosen == "areas")
    layer = _one_layer(table, within_km, minutes)
    classes = choose_classes(table, share, scheme=breaks, k=k, argument="breaks")
    if chosen == "areas":
        return _draw_areas(ax, layer, share, classes)
    several = "geometry" in table and len(table.index.unique()) > 1
    if kind is None and ax is None and several:
        return _draw_both(table, layer, share, classes)
    ax = new_axes(ax, 5.5, 4.2)
    draw_shares(ax, table, share)
    return ax


def _kind_of(table: pd.DataFrame, kind: Kind | None) -> Kind:
    if kind is None:
        return "grid" if "nearest_km" in table and not has_steps(table) else "shares"
    if kind not in get_args(Kind):
        raise QueryError(f"kind={kind!r}: choose from {list(get_args(Kind))}")
    return kind


def _share_of(table: pd.DataFrame, column: str | None, *, bounds: bool) -> str:
    """Choose the column, and check that the table has what is drawn of it."""
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


def _one_layer(
    table: gpd.GeoDataFrame, within_km: float | None, minutes: float | None
) -> gpd.GeoDataFrame:
    """Choose one distance or time and, where there are groups, the last of them."""
    steps = chosen_steps(table, within_km, minutes)
    rows = table[table[step_column(table)] == steps[len(steps) // 2]]
    return rows[rows["group"] == rows["group"].iloc[-1]] if "group" in rows else rows


def _draw_both(
    table: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, share: str, classes: Classes
) -> Axes:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

    wanted, rows = _extent(layer)
    _, (left, right) = plt.subplots(
        1, 2, figsize=(10, 5.2), layout="constrained", width_ratios=[1.15, 1]
    )
    _draw_classes(left, rows, share, classes, wanted=wanted)
    draw_shares(right, table, share)
    fill_map(left, wanted)
    axes: Axes = right
    return axes


def _draw_areas(ax: Axes | None, layer: gpd.GeoDataFrame, share: str, classes: Classes) -> Axes:
    wanted, rows = _extent(layer)
    ax = new_axes(ax, *map_size(wanted))
    _draw_classes(ax, rows, share, classes, wanted=wanted)
    add_caption(ax, layer, counted(len(rows), "area"))
    fill_map(ax, wanted)
    return ax


def _extent(layer: gpd.GeoDataFrame) -> tuple[Extent, gpd.GeoDataFrame]:
    rows = in_lonlat(layer, "coverage table")
    return Extent.of_shapes(rows.geometry.to_numpy()), rows


def _draw_classes(
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
