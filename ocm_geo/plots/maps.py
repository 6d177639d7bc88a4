"""The base of a map: land and borders, true proportions, scale bar, north arrow."""

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
    "new_map_and_chart",
    "scale_bar_km",
]

_FULL = 360.0
_BORDER = "#b9b3a6"
_UNSEEN = 1 / 3000
"""Detail of the land that no print shows, as a share of the map's width."""
_UNEVEN = 1.1
"""From this ratio of scales within the map, the scale bar names its latitude."""
_SMALL_INCHES = 2.6
_NARROW = 0.8
"""Width by height of a map that is placed beside a chart, not above it."""
_ROOM_BELOW = 1.1
_TRIES = 3
"""Labels around a map move a little when the map gets its final shape."""


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
        Extent of the map.
    width : float
        Width of the figure, inches.

    Returns
    -------
    tuple of float
        Width and height, inches; room for legend and caption is added.
    """
    return width, float(np.clip(width / extent.ratio, 0.45 * width, 1.15 * width)) + _ROOM_BELOW


def new_map_and_chart(
    ratio: float,
    beside: tuple[tuple[float, float], list[float]],
    above: tuple[tuple[float, float], list[float]],
) -> tuple[Axes, Axes]:
    """
    Return the axes of a new figure with a map and a chart.

    Parameters
    ----------
    ratio : float
        Width divided by height of what the map must show.
    beside : tuple
        Size of the figure, inches, and widths of map and chart, if the map is narrow.
    above : tuple
        Size of the figure, inches, and heights of map and chart otherwise.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        The map, and the chart at its right or below it.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

    if ratio < _NARROW:
        size, shares = beside
        _, (first, second) = plt.subplots(
            1, 2, layout="constrained", figsize=size, width_ratios=shares
        )
    else:
        size, shares = above
        _, (first, second) = plt.subplots(
            2, 1, layout="constrained", figsize=size, height_ratios=shares
        )
    return first, second


def draw_ground(ax: Axes, extent: Extent) -> Extent:
    """
    Prepare axes as a map: true proportions, scale bar and north arrow.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    extent : Extent
        Extent that must be visible; more is shown if the axes have room.

    Returns
    -------
    Extent
        Extent that is shown until `fill_map` knows the room of legend and caption.
    """
    # A first guess of the room: legend and caption are not there yet.
    width, height = box_inches(ax)
    shown = extent.widened(width / height)
    _set_limits_of_map(ax, shown)
    # To the upper left, so that the caption begins there while its room is measured.
    ax.set_aspect(1 / squeeze(shown.middle_lat), anchor="NW")
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    for spine in ax.spines.values():
        spine.set_color(GREY)
    _draw_scale_bar(ax, shown)
    _draw_north(ax)
    return shown


def fill_map(ax: Axes, extent: Extent, *, basemap: bool = True) -> Extent:
    """
    Extend the map to the room that its axes have beside legend and caption.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map with its legend and caption.
    extent : Extent
        Extent that must be visible.
    basemap : bool
        Draw land and borders.

    Returns
    -------
    Extent
        Extent of the map.
    """
    shown = extent
    for _ in range(_TRIES):
        width, height = _measure_axes(ax)
        shown = extent.widened(width / height)
        _set_limits_of_map(ax, shown)
    ax.set_facecolor(SEA if basemap else "white")
    # Land comes last, because only now the edge of the map is known.
    if basemap:
        _draw_land(ax, shown)
    return shown


def _measure_axes(ax: Axes) -> tuple[float, float]:
    """Return the size of the axes in pixels, after their labels have got their room."""
    fill_room(ax)
    figure = ax.get_figure(root=True)
    if figure is not None and (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    box, whole = ax.get_position(original=True), ax.figure.bbox
    return float(box.width * whole.width), float(box.height * whole.height)


def _set_limits_of_map(ax: Axes, extent: Extent) -> None:
    ax.set_xlim(extent.west, extent.east)
    ax.set_ylim(extent.south, extent.north)


def _draw_land(ax: Axes, extent: Extent) -> None:
    """Draw the land within the map, also where it crosses the antimeridian."""
    view = shapely.box(extent.west, extent.south, extent.east, extent.north).buffer(0.5)
    # Half a degree beyond the map: the edges of the cut land are borders, and must not be seen.
    known = land()
    parts, owners = [], []
    # A map across the antimeridian shows land of two turns of the Earth.
    for turn in (-_FULL, 0.0, _FULL):
        moved = shapely.transform(view, lambda xy, turn=turn: xy - [turn, 0.0])
        here = known.iloc[known.sindex.query(moved)]
        parts.append(here.geometry.translate(turn).to_numpy())
        owners.append(here["name"].to_numpy(dtype=object))
    near = shapely.simplify(
        _join_parts(np.concatenate(parts), np.concatenate(owners)),
        _UNSEEN * (extent.east - extent.west),
    )
    visible = shapely.intersection(near, view)
    look = {"facecolor": LAND, "edgecolor": _BORDER, "linewidth": 0.5, "zorder": 0}
    draw_plain(ax, visible[~shapely.is_empty(visible)], **look)


def _join_parts(shapes: NDArray[np.object_], owners: NDArray[np.object_]) -> NDArray[np.object_]:
    """Join the parts of countries cut at the antimeridian, so that no border runs along it."""
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
        Extent of the map.

    Returns
    -------
    float
        1, 2 or 5 times a power of ten, km.
    """
    # Half of the width, doubled: a geodesic over more than half a turn would go the other way.
    span = min(extent.east - extent.west, 179.0)
    width = float(distance_km(0, extent.middle_lat, span / 2, extent.middle_lat)) * 2
    target = width / 5
    power = 10.0 ** np.floor(np.log10(target))
    return float(max(step * power for step in (1, 2, 5) if step * power <= target))


def _draw_scale_bar(ax: Axes, extent: Extent) -> None:
    """Draw the scale bar, true at the middle latitude."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - loaded when needed
    from mpl_toolkits.axes_grid1.anchored_artists import (  # type: ignore[import-untyped]  # noqa: PLC0415
        AnchoredSizeBar,
    )

    km = scale_bar_km(extent)
    lat = extent.middle_lat
    bar = AnchoredSizeBar(
        ax.transData,
        km / float(distance_km(0, lat, 1, lat)),
        f"{km:g} km{_name_true_latitude(extent)}",
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


def _name_true_latitude(extent: Extent) -> str:
    """Return the latitude at which the scale is true, if the scale varies much over the map."""
    lat = extent.middle_lat
    scales = [squeeze(extent.south), squeeze(lat), squeeze(extent.north)]
    if max(scales) / min(scales) < _UNEVEN:
        return ""
    return f" at {abs(lat):.0f}° {'N' if lat >= 0 else 'S'}"


def _draw_north(ax: Axes) -> None:
    """Draw the north arrow in the upper right corner."""
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
