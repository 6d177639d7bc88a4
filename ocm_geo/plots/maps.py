"""The ground of a map: land and borders, true proportions, scale bar, north arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.borders import countries
from ocm_geo.geodesy import distance_km
from ocm_geo.plots.extent import Extent, squeeze
from ocm_geo.plots.room import box_inches, fill_room
from ocm_geo.plots.shapes import draw_plain
from ocm_geo.plots.style import GREY, INK, LAND, SEA
from ocm_geo.plots.text import small_size, text_size

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = [
    "Extent",
    "draw_ground",
    "fill_map",
    "land",
    "map_size",
    "scale_bar_km",
]

_FULL = 360.0
_BORDER = "#b9b3a6"
_UNSEEN = 1 / 3000
"""Of the map's width: detail of the land that no print shows."""
_UNEVEN = 1.1
"""From this ratio of scales between top and bottom, the scale bar says where it is true."""
_SMALL_INCHES = 2.6
_ROOM_BELOW = 1.1
_TRIES = 3
"""What stands around a map moves a little once the map has its final shape."""


def land() -> gpd.GeoDataFrame:
    """
    Return the bundled countries: Natural Earth 1:50 m, rounded to 0.01 degrees.

    Returns
    -------
    geopandas.GeoDataFrame
        ``name`` and ``geometry``.
    """
    return countries()


def map_size(extent: Extent, width: float = 7.0) -> tuple[float, float]:
    """
    Choose the size of a figure that a map fills.

    Parameters
    ----------
    extent : Extent
        What is shown.
    width : float
        Of the figure, inches.

    Returns
    -------
    tuple of float
        Width and height, inches; room for legend and caption is added.
    """
    return width, float(np.clip(width / extent.ratio, 0.45 * width, 1.15 * width)) + _ROOM_BELOW


def draw_ground(ax: Axes, extent: Extent) -> Extent:
    """
    Set axes up as a map: true proportions, scale bar and north arrow.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    extent : Extent
        What must be seen; more is shown where the axes have room.

    Returns
    -------
    Extent
        What is shown until `fill_map` knows how much room the rest takes.
    """
    width, height = box_inches(ax)
    shown = extent.widened(width / height)
    _show(ax, shown)
    # To the upper left, so that the caption begins there while the place is measured.
    ax.set_aspect(1 / squeeze(shown.middle_lat), anchor="NW")
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    for spine in ax.spines.values():
        spine.set_color(GREY)
    _draw_scale_bar(ax, shown)
    _draw_north(ax)
    return shown


def fill_map(ax: Axes, extent: Extent, *, basemap: bool = True) -> Extent:
    """
    Show as much as the axes have room for, once all that stands around them is there.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map with its legend and caption.
    extent : Extent
        What must be seen.
    basemap : bool
        Draw land and borders.

    Returns
    -------
    Extent
        What is shown.
    """
    shown = extent
    for _ in range(_TRIES):
        width, height = _place(ax)
        shown = extent.widened(width / height)
        _show(ax, shown)
    ax.set_facecolor(SEA if basemap else "white")
    if basemap:
        _draw_land(ax, shown)
    return shown


def _place(ax: Axes) -> tuple[float, float]:
    """Measure the axes themselves, in pixels, all that stands around them in its place."""
    fill_room(ax)
    figure = ax.get_figure(root=True)
    if figure is not None and (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    place, whole = ax.get_position(original=True), ax.figure.bbox
    return float(place.width * whole.width), float(place.height * whole.height)


def _show(ax: Axes, extent: Extent) -> None:
    ax.set_xlim(extent.west, extent.east)
    ax.set_ylim(extent.south, extent.north)


def _draw_land(ax: Axes, extent: Extent) -> None:
    view = shapely.box(extent.west, extent.south, extent.east, extent.north).buffer(0.5)
    known = land()
    parts, owners = [], []
    for turn in (-_FULL, 0.0, _FULL):
        moved = shapely.transform(view, lambda xy, turn=turn: xy - [turn, 0.0])
        here = known.iloc[known.sindex.query(moved)]
        parts.append(here.geometry.translate(turn).to_numpy())
        owners.append(here["name"].to_numpy(dtype=object))
    near = shapely.simplify(
        _joined(np.concatenate(parts), np.concatenate(owners)),
        _UNSEEN * (extent.east - extent.west),
    )
    visible = shapely.intersection(near, view)
    look = {"facecolor": LAND, "edgecolor": _BORDER, "linewidth": 0.5, "zorder": 0}
    draw_plain(ax, visible[~shapely.is_empty(visible)], **look)


def _joined(shapes: NDArray[np.object_], owners: NDArray[np.object_]) -> NDArray[np.object_]:
    """Join what the antimeridian cuts, so that no border is drawn along it."""
    names, owner, count = np.unique(owners, return_inverse=True, return_counts=True)
    cut = [shapely.union_all(shapes[owner == k]) for k in np.flatnonzero(count > 1)]
    single = shapes[count[owner] == 1] if len(names) else shapes
    return np.array([*single, *cut], dtype=object)


def scale_bar_km(extent: Extent) -> float:
    """
    Choose a round length of about a fifth of the map's width.

    Parameters
    ----------
    extent : Extent
        What is shown.

    Returns
    -------
    float
        1, 2 or 5 times a power of ten, km.
    """
    span = min(extent.east - extent.west, 179.0)
    width = float(distance_km(0, extent.middle_lat, span / 2, extent.middle_lat)) * 2
    target = width / 5
    power = 10.0 ** np.floor(np.log10(target))
    return float(max(step * power for step in (1, 2, 5) if step * power <= target))


def _draw_scale_bar(ax: Axes, extent: Extent) -> None:
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - loaded when needed
    from mpl_toolkits.axes_grid1.anchored_artists import (  # type: ignore[import-untyped]  # noqa: PLC0415
        AnchoredSizeBar,
    )

    km = scale_bar_km(extent)
    lat = extent.middle_lat
    bar = AnchoredSizeBar(
        ax.transData,
        km / float(distance_km(0, lat, 1, lat)),
        f"{km:g} km{_where_true(extent)}",
        "lower left",
        pad=0.35,
        borderpad=0.5,
        sep=2,
        frameon=True,
        size_vertical=0,
        color=INK,
        label_top=True,
        fontproperties=FontProperties(size=small_size(ax)),
        zorder=9,
    )
    bar.patch.set(facecolor="white", alpha=0.75, edgecolor="none")
    (line,) = bar.size_bar.get_children()
    line.set(linewidth=2, gid="scale-bar")
    ax.add_artist(bar)


def _where_true(extent: Extent) -> str:
    """Name the latitude at which the scale holds, where it changes much over the map."""
    lat = extent.middle_lat
    scales = [squeeze(extent.south), squeeze(lat), squeeze(extent.north)]
    if max(scales) / min(scales) < _UNEVEN:
        return ""
    return f" at {abs(lat):.0f}° {'N' if lat >= 0 else 'S'}"


def _draw_north(ax: Axes) -> None:
    size = text_size(ax)
    small = min(box_inches(ax)) < _SMALL_INCHES
    ax.annotate(
        "N",
        (0.96, 0.97),
        xytext=(0, -16 if small else -26),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=size,
        color=INK,
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1, "shrinkA": 0, "shrinkB": 0},
        bbox={"boxstyle": "circle,pad=0.1", "facecolor": "white", "alpha": 0.7, "lw": 0},
        zorder=9,
    )
