"""A route as a strip: kilometres, stations by power and side, gaps; beside it a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.geodesy import Line, as_line, corridor_polygon
from ocm_geo.plots.maps import Extent, draw_ground, in_degrees
from ocm_geo.plots.stations import draw_points
from ocm_geo.plots.style import (
    GAP,
    GREY,
    INK,
    POWER_CLASSES,
    UNKNOWN_POWER,
    add_caption,
    new_axes,
    plain,
    power_class,
    require,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import shapely
    from matplotlib.axes import Axes

__all__ = ["plot_route"]

_HEIGHTS = (0.35, 0.5, 0.75, 1.0)


def plot_route(
    route: shapely.LineString | gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    *,
    within_km: float = 5,
    gaps: gpd.GeoDataFrame | None = None,
    limit_km: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw the stations along a route by kilometre, and the gaps between them.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route.
    stations : geopandas.GeoDataFrame
        As `ocm_geo.stations_from_route` gives it, with ``along_km`` and ``side``.
    within_km : float
        Half width of the corridor on the map, km.
    gaps : geopandas.GeoDataFrame, optional
        As `ocm_geo.route_gaps` gives it; with a column ``group``, each group has its row.
    limit_km : float, optional
        Gaps longer than this are filled; others are outlined.
    ax : matplotlib.axes.Axes, optional
        Where to draw the strip alone.

    Returns
    -------
    matplotlib.axes.Axes
        The strip: stations on the left of the route point up, those on the right down; the
        higher, the stronger. In a new figure a map stands above it.

    Raises
    ------
    QueryError
        If the stations have no kilometre marks.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> route = ocm.sample_route()
    >>> along = ocm.stations_from_route(route, 3, source=ocm.sample(), min_power_kw=50)
    >>> gaps = ocm.route_gaps(route, along, within_km=3)
    >>> ocm.plot_route(route, along, gaps=gaps, limit_km=60).get_xlabel()
    'kilometres from the start of the route'
    """
    require(stations, "along_km", "side", "max_power_kw")
    line = Line(as_line(route))
    if ax is None:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

        _, (above, ax) = plt.subplots(
            2, 1, figsize=(9, 8), layout="constrained", height_ratios=[1.5, 1]
        )
        _draw_map(above, line, stations, within_km)
    ax = new_axes(ax, 9, 3.4)
    _draw_strip(ax, line, stations)
    if gaps is not None:
        _draw_gaps(ax, gaps, limit_km)
    add_caption(
        ax,
        stations,
        f"{len(stations):,} stations within {within_km:g} km of {line.length_km:,.0f} km",
    )
    return ax


def _draw_map(ax: Axes, line: Line, stations: gpd.GeoDataFrame, within_km: float) -> None:
    import geopandas as gpd  # noqa: PLC0415 - for drawing alone

    points = in_degrees(stations, "stations").geometry
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    extent = Extent.around(*line.coords.T)
    draw_ground(ax, extent)
    ground = gpd.GeoSeries([corridor_polygon(line, within_km)])
    ground.plot(ax=ax, color="#0077bb", alpha=0.15, aspect=None, zorder=1)
    ax.set(xlabel="", ylabel="")
    x = extent.turned(line.coords[:, 0])
    ax.plot(x, line.coords[:, 1], color=INK, lw=1.4, zorder=2)
    draw_points(ax, extent.turned(lon), lat, power_class(stations["max_power_kw"]))
    marks = line.point_at(_round_marks(line.length_km))
    for km, (mark_x, mark_y) in zip(_round_marks(line.length_km), marks, strict=True):
        here = (float(extent.turned(np.array([mark_x]))[0]), mark_y)
        ax.annotate(
            f"{km:g}",
            here,
            xytext=(6, 6),
            textcoords="offset points",
            fontsize=7,
            color=INK,
            zorder=8,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.6},
        )
        ax.plot(*here, marker="|", color=INK, ms=6, zorder=8)


def _round_marks(length_km: float) -> np.ndarray:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2500) if length_km / s <= 8)  # noqa: PLR2004
    return np.arange(0, length_km, step)


def _draw_strip(ax: Axes, line: Line, stations: pd.DataFrame) -> None:
    classes = power_class(stations["max_power_kw"])
    along = stations["along_km"].to_numpy(dtype=float)
    upward = np.where(stations["side"].to_numpy() == "right", -1.0, 1.0)
    ax.axhline(0, color=INK, lw=1.6, zorder=4)
    rows: list[tuple[int, str, str, float, dict[str, Any]]] = [
        (-1, UNKNOWN_POWER, "#777777", 0.2, {"facecolors": "none"})
    ]
    for rank, (_, label, colour) in enumerate(POWER_CLASSES):
        rows.append((rank, label, colour, _HEIGHTS[rank], {"facecolors": colour}))
    for rank, label, colour, height, face in rows:
        inside = classes == rank
        if not inside.any():
            continue
        tip = upward[inside] * height
        ax.vlines(along[inside], 0, tip, color=colour, lw=0.9, zorder=3)
        ax.scatter(
            along[inside],
            tip,
            s=26,
            edgecolors=colour,
            label=f"{label} ({inside.sum():,})",
            zorder=5,
            **face,
        )
    ax.set_xlim(-0.01 * line.length_km, 1.01 * line.length_km)
    ax.set_ylim(-1.25, 1.25)
    ax.set_yticks([-0.65, 0.65], ["right", "left"])
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel("side of the route")
    ax.set_xlabel("kilometres from the start of the route")
    ax.spines[["top", "right", "left"]].set_visible(False)
    if len(stations):
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5, fontsize=7.5, frameon=False
        )


def _draw_gaps(ax: Axes, gaps: pd.DataFrame, limit_km: float | None) -> None:
    """Draw a row of bars below the strip for each group; the longest gap is named."""
    named = gaps if "group" in gaps else gaps.assign(group="gaps")
    low = -1.25
    ticks, labels = [-0.65, 0.65], ["right", "left"]
    for group, rows in named.groupby("group", sort=False):
        low -= 0.38
        over = rows["length_km"] > (np.inf if limit_km is None else limit_km)
        for inside, face, edge in ((~over, "#e8e8e8", GREY), (over, GAP, GAP)):
            bars = list(zip(rows["start_km"][inside], rows["length_km"][inside], strict=True))
            ax.broken_barh(bars, (low, 0.26), facecolors=face, edgecolors=edge, lw=0.5)
        longest = rows.sort_values("length_km").iloc[-1]
        is_over = limit_km is not None and longest["length_km"] > limit_km
        ax.annotate(
            f"{longest['length_km']:.0f} km",
            (longest["start_km"] + longest["length_km"] / 2, low + 0.12),
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if is_over else INK,
        )
        ticks.append(low + 0.13)
        labels.append(plain(str(group)))
    ax.set_ylim(low - 0.1, 1.25)
    ax.set_yticks(ticks, labels, fontsize=8)
    ax.set_ylabel("")
