"""Polygons on a map: plain, by class, or hatched if the value is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.outside import NO_DATA
from ocm_geo.plots.classes import HATCH, NO_DATA_LOOK
from ocm_geo.plots.style import GREY, MANY, UNKNOWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch
    from matplotlib.path import Path
    from numpy.typing import NDArray

    from ocm_geo.plots.classes import Classes
    from ocm_geo.plots.extent import Extent

__all__ = ["draw_classes", "draw_missing", "draw_no_data", "draw_plain", "draw_shapes"]

_MANY_CELLS = 300


def draw_shapes(
    ax: Axes,
    shapes: NDArray[np.object_],
    extent: Extent,
    **style: Any,  # noqa: ANN401 - matplotlib's own
) -> None:
    """
    Draw polygons on a map.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map.
    shapes : numpy.ndarray of shapely.Geometry
        Polygons in lon/lat; missing and empty ones are left out.
    extent : Extent
        Extent of the map, whose side of the antimeridian decides where shapes are drawn.
    **style
        Options of a `matplotlib.collections.Collection`. More than 5,000 shapes become one
        raster picture in vector formats unless ``rasterized`` is given.
    """
    drawn = extent.turned_shapes(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))])
    # Thousands of vector shapes make files that viewers cannot open.
    style.setdefault("rasterized", len(drawn) > MANY)
    draw_plain(ax, drawn, **style)


def draw_plain(ax: Axes, shapes: NDArray[np.object_], **style: Any) -> None:  # noqa: ANN401
    """
    Draw polygons at their coordinates.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map.
    shapes : numpy.ndarray of shapely.Geometry
        Polygons in the axes' degrees; other geometries are left out.
    **style
        Options of a `matplotlib.collections.Collection`.
    """
    from matplotlib.collections import (  # noqa: PLC0415 - loaded when needed
        PathCollection,
        PolyCollection,
    )

    # Not with geopandas, which draws the whole figure each time.
    is_polygon = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    if is_polygon.all() and not shapely.get_num_interior_rings(shapes).any():
        coords, owner = shapely.get_coordinates(shapes, return_index=True)
        corners = np.split(coords, np.flatnonzero(np.diff(owner)) + 1) if len(coords) else []
        ax.add_collection(PolyCollection(corners, **style), autolim=False)
    else:
        ax.add_collection(PathCollection(_build_paths(shapes), **style), autolim=False)


def draw_classes(
    ax: Axes,
    shapes: NDArray[np.object_],
    values: NDArray[np.float64],
    classes: Classes,
    *,
    extent: Extent,
) -> list[Patch]:
    """
    Draw polygons by the class of their value, hatched if it is missing.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map.
    shapes : numpy.ndarray of shapely.Geometry
        Polygons in lon/lat.
    values : numpy.ndarray
        One value for each shape; NaN is missing.
    classes : Classes
        The classes.
    extent : Extent
        Extent of the map.

    Returns
    -------
    list of matplotlib.patches.Patch
        Handles for the legend.
    """
    ranks = classes.position(values)
    many = {"rasterized": len(shapes) > MANY, "zorder": 1}
    # Edges of many small cells, or light seams between them, would hide their colours.
    fine = len(shapes) > _MANY_CELLS
    edge: dict[str, Any] = (
        {"edgecolor": "face", "linewidth": 0.2, "antialiased": False}
        if fine
        else {"edgecolor": GREY, "linewidth": 0.4}
    )
    for rank, colour in enumerate(classes.colours):
        inside = shapes[ranks == rank]
        if fine and len(shapes) <= MANY and shapely.is_valid(inside).all():
            # Viewers of vector formats show seams between neighbouring cells: they are joined.
            inside = np.array([shapely.union_all(inside)])
        draw_shapes(ax, inside, extent, facecolor=colour, **edge, **many)
    draw_missing(ax, shapes[ranks < 0], extent, linewidth=0.0 if fine else 0.4, **many)
    return classes.legend(ranks)


def draw_missing(
    ax: Axes,
    shapes: NDArray[np.object_],
    extent: Extent,
    **style: Any,  # noqa: ANN401 - matplotlib's own
) -> None:
    """
    Draw polygons without a value, hatched.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map.
    shapes : numpy.ndarray of shapely.Geometry
        Polygons in lon/lat.
    extent : Extent
        Extent of the map.
    **style
        Options of a `matplotlib.collections.Collection`.
    """
    draw_shapes(ax, shapes, extent, facecolor=UNKNOWN, edgecolor=GREY, hatch=HATCH, **style)


def draw_no_data(
    ax: Axes,
    shapes: NDArray[np.object_],
    extent: Extent,
    **style: Any,  # noqa: ANN401 - matplotlib's own
) -> list[Patch]:
    """
    Draw what lies outside the data, with a crossed hatch that no class and no value has.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map.
    shapes : numpy.ndarray of shapely.Geometry
        Polygons in lon/lat.
    extent : Extent
        Extent of the map.
    **style
        Options of a `matplotlib.collections.Collection`.

    Returns
    -------
    list of matplotlib.patches.Patch
        Handle for the legend; empty if there is no shape.
    """
    from matplotlib.patches import Patch  # noqa: PLC0415 - loaded when needed

    if not len(shapes):
        return []
    draw_shapes(ax, shapes, extent, **{"zorder": 1.5, "linewidth": 0.4, **NO_DATA_LOOK, **style})
    return [Patch(label=NO_DATA, lw=0.4, **NO_DATA_LOOK)]


def _build_paths(shapes: NDArray[np.object_]) -> list[Path]:
    """Return the path of each shape, with its holes."""
    from matplotlib.path import Path  # noqa: PLC0415 - loaded when needed

    # Holes run in the opposite direction of their shell, so that they are not filled.
    parts, shape = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(coords):
        return []
    # A ring starts with MOVETO and ends with CLOSEPOLY; a path contains all rings of a shape.
    last = np.append(np.diff(ring) > 0, True)
    codes = np.full(len(coords), Path.LINETO)
    codes[np.append(True, last[:-1])] = Path.MOVETO
    codes[last] = Path.CLOSEPOLY
    ends = np.flatnonzero(np.diff(shape[part[ring]])) + 1
    pieces = zip(np.split(coords, ends), np.split(codes, ends), strict=True)
    return [Path(xy, code) for xy, code in pieces]
