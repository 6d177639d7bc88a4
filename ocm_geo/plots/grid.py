"""A grid of cells on a map, or contours of equal value between its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat
from ocm_geo.outside import no_data_in
from ocm_geo.plots.axes import add_caption, legend_below, new_axes
from ocm_geo.plots.extent import Extent, squeeze
from ocm_geo.plots.maps import (
    draw_ground,
    fill_map,
    map_size,
)
from ocm_geo.plots.room import box_inches
from ocm_geo.plots.shapes import draw_classes, draw_missing, draw_no_data
from ocm_geo.plots.style import INK, counted, numbers, plain
from ocm_geo.plots.text import small_size
from ocm_geo.plots.words import heading_of
from ocm_geo.provenance import read_attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch
    from matplotlib.text import Text
    from matplotlib.tri import Triangulation
    from numpy.typing import NDArray

    from ocm_geo.plots.classes import Classes

__all__ = ["draw_contours", "draw_grid"]

_CORNERS = 3
_ROOM_FOR_NAMES = 4.5
_APART = 6.0
_LONG = 2.0
"""In median edges between neighbouring cells: longer edges span areas without cells."""


def draw_grid(
    ax: Axes | None,
    table: gpd.GeoDataFrame,
    column: str,
    classes: Classes,
) -> Axes:
    """
    Draw the cells of a grid, coloured by class.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Axes to draw on; a new figure by default.
    table : geopandas.GeoDataFrame
        Cells.
    column : str
        A numeric column.
    classes : Classes
        Classes of the column.

    Returns
    -------
    matplotlib.axes.Axes
        The map.
    """
    cells, values = _read_cells(table, column)
    shapes = cells.geometry.to_numpy()
    wanted = Extent.of_shapes(shapes)
    ax = new_axes(ax, *map_size(wanted))
    # Cells outside the data have no value to classify, and are not missing either.
    none = no_data_in(read_attrs(table), shapes)
    known, shown = ~none.whole, draw_ground(ax, wanted)
    handles = draw_classes(ax, shapes[known], values[known], classes, extent=shown)
    handles += draw_no_data(ax, none.parts, shown, linewidth=0.0)
    return _finish_map(ax, table, column, handles, wanted=wanted)


def draw_contours(
    ax: Axes | None,
    table: gpd.GeoDataFrame,
    column: str,
    classes: Classes,
) -> Axes:
    """
    Draw contours of a value between the centres of cells, and fill between them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Axes to draw on; a new figure by default.
    table : geopandas.GeoDataFrame
        Cells.
    column : str
        A numeric column.
    classes : Classes
        Classes of the column.

    Returns
    -------
    matplotlib.axes.Axes
        The map.

    Raises
    ------
    QueryError
        If fewer than three cells have a value, or they lie in one line.
    """
    cells, values = _read_cells(table, column)
    shapes = cells.geometry.to_numpy()
    wanted = Extent.of_shapes(shapes)
    none = no_data_in(read_attrs(table), shapes)
    real = ~(none.whole | shapely.is_missing(shapes) | shapely.is_empty(shapes))
    known = np.isfinite(values) & real
    middles = shapely.get_coordinates(shapely.centroid(wanted.turned_shapes(shapes[known])))
    mesh = _triangulate_cells(middles, wanted)
    ax = new_axes(ax, *map_size(wanted))
    shown = draw_ground(ax, wanted)
    # Cells without a value are below: contours interpolate over them only between neighbours.
    draw_missing(ax, shapes[~known & ~none.whole], shown, linewidth=0.0, zorder=1)
    handles = draw_no_data(ax, none.parts, shown, linewidth=0.0)
    _fill_contours(ax, mesh, values[known] * classes.factor, classes)
    handles = classes.legend(classes.position(values[~none.whole])) + handles
    return _finish_map(ax, table, column, handles, wanted=wanted)


def _fill_contours(
    ax: Axes, mesh: Triangulation, height: NDArray[np.float64], classes: Classes
) -> None:
    """Fill between contours, draw them, and label them on axes with room."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - loaded when needed

    # Values beyond the outer bounds belong to the outer classes: the outer levels enclose them.
    reached = [*height, *classes.bounds]
    levels = [min(reached) - 1, *classes.bounds, max(reached) + 1]
    ax.tricontourf(mesh, height, levels=levels, colors=classes.colours, zorder=1)
    if not classes.bounds:
        return
    style: dict[str, Any] = {"levels": classes.bounds, "colors": INK, "linewidths": 0.4}
    lines = ax.tricontour(mesh, height, zorder=2, **style)
    if box_inches(ax)[0] < _ROOM_FOR_NAMES:
        return
    size = small_size(ax)
    names = ax.clabel(lines, fontsize=size, fmt=lambda value: f"{value:g}", inline=False)
    # Contours of higher values are longer: they keep their labels first.
    for name in _thin_labels(ax, names[::-1], _APART * size):
        name.set_path_effects([withStroke(linewidth=1.8, foreground="white")])


def _thin_labels(ax: Axes, names: Sequence[Text], points: float) -> list[Text]:
    """Remove labels that are closer to others than a distance, and return the rest."""
    kept: list[Text] = []
    positions: list[NDArray[np.float64]] = []
    for name in names:
        position = ax.transData.transform(name.get_position()) * 72 / ax.figure.dpi
        if all(np.hypot(*(position - other)) > points for other in positions):
            kept.append(name)
            positions.append(position)
        else:
            name.remove()
    return kept


def _read_cells(
    table: gpd.GeoDataFrame, column: str
) -> tuple[gpd.GeoDataFrame, NDArray[np.float64]]:
    """Check a grid, and return it in lon/lat with the values of a column."""
    if table.empty:
        raise QueryError("the grid has no cells")
    return in_lonlat(table, "grid"), numbers(table, column)


def _finish_map(
    ax: Axes, table: gpd.GeoDataFrame, column: str, handles: list[Patch], *, wanted: Extent
) -> Axes:
    """Add legend and caption, and let the map fill its axes."""
    legend_below(ax, plain(f"{heading_of(column)} (cells)"), handles)
    add_caption(ax, table, counted(len(table), "cell"))
    fill_map(ax, wanted)
    return ax


def _triangulate_cells(middles: NDArray[np.float64], extent: Extent) -> Triangulation:
    """Return the triangles between neighbouring cells, without those that span a gap."""
    from matplotlib.tri import Triangulation  # noqa: PLC0415 - loaded when needed

    lon, lat = middles.T
    # Triangles are Delaunay's in true proportions, and are then drawn in degrees.
    true_lon = lon * squeeze(extent.middle_lat)
    if len(lon) < _CORNERS or _is_flat(lon, lat):
        raise QueryError(
            "contours need at least three cells with a value that are not in one line, not "
            f"{len(lon)}: choose kind='grid'"
        )
    true = Triangulation(true_lon, lat)
    x, y = true_lon[true.triangles], lat[true.triangles]
    longest = np.hypot(x - np.roll(x, 1, 1), y - np.roll(y, 1, 1)).max(axis=1)
    return Triangulation(lon, lat, true.triangles, mask=longest > _LONG * np.median(longest))


def _is_flat(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> bool:
    """Return whether positions lie in one line."""
    # The second singular value is the spread across the line that fits best.
    spread = np.linalg.svd(np.column_stack([lon - lon.mean(), lat - lat.mean()]), compute_uv=False)
    return bool(spread[-1] < 1e-9 * max(spread[0], 1.0))
