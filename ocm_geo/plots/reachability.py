"""The share of a road network within the range of vehicles, with a map for one range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, put_title, tune
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.maps import draw_ground, fill_map, new_map_and_chart
from ocm_geo.plots.style import GAP, INK, counted
from ocm_geo.plots.text import small_size

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from ocm_geo.roads import Reachability

__all__ = ["plot_reachability"]

_LONGEST, _OTHER = "#1a2b7e", "#3fa9c9"
# Not usable, other parts, the longest part: distinguished by width and dash as well as by colour.
_LOOKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("not usable", GAP, {"lw": 1.4, "ls": (0, (2, 1))}),
    ("usable, in other parts", _OTHER, {"lw": 1.4}),
    ("usable, in the longest part", _LONGEST, {"lw": 2.4}),
)


def plot_reachability(
    found: Reachability, *, range_km: float | None = None, ax: Axes | None = None
) -> Axes:
    """
    Plot the usable share of a network by the range of vehicles, with a map for one range.

    Parameters
    ----------
    found : Reachability
        Made by `reachability`.
    range_km : float, optional
        Range shown on the map, one of the curve's ranges; by default the middle one.
    ax : matplotlib.axes.Axes, optional
        Axes to draw the curve on, without a map; by default a new figure with both.

    Returns
    -------
    matplotlib.axes.Axes
        Axes of the curve: the usable share of the length, and the share of the longest part.

    Raises
    ------
    QueryError
        If the range is not one of the curve's.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> road = ocm.sample_route()
    >>> stations = ocm.stations_from_route(road, 3, source=ocm.sample())
    >>> ax = ocm.plot_reachability(ocm.reachability(road, stations, [10, 20, 40]))
    >>> ax.get_xlabel()
    'range between two charges, km'
    """
    curve = found.curve
    ranges = curve["range_km"].tolist()
    shown_km = ranges[len(ranges) // 2] if range_km is None else range_km
    if shown_km not in ranges:
        known = ", ".join(f"{one:g}" for one in ranges)
        raise QueryError(f"range_km must be one of {known}, not {range_km!r}")
    above = None
    if ax is None:
        above, ax = _add_network_axes(found)
    ax = new_axes(ax)
    handles = _draw_curve(ax, found, None if above is None else shown_km)
    what = "of the weight" if "weight" in curve else "of the length"
    tune(ax, "range between two charges, km", f"share {what}, %")
    if above is not None:
        extent, more = _draw_network(above, found, shown_km)
        put_title(above, f"Network usable with a range of {shown_km:g} km")
        handles += more
    legend_below(ax, handles=handles)
    row = curve[curve["range_km"] == shown_km].iloc[0]
    facts = [
        f"{row['length_km']:,.0f} km of road",
        counted(len(found.stations), "station"),
        f"at {shown_km:g} km: {counted(int(row['n_parts']), 'part')}",
    ]
    note = (
        "usable: at most half the range from a station; part: stations linked by drives of at "
        "most the range"
    )
    add_caption(ax, found.stations, *facts, note=note)
    if above is not None:
        fill_map(above, extent)
    return ax


def _add_network_axes(found: Reachability) -> tuple[Axes, Axes]:
    ratio = Extent.around(*found.network.axis.node_xy.T).ratio
    return new_map_and_chart(ratio, ((10, 5.5), [1, 1.5]), ((8, 9), [5.2, 3.8]))


def _draw_curve(ax: Axes, found: Reachability, shown_km: float | None) -> list[Line2D]:
    """Draw both shares by range, and return the lines."""
    curve = found.curve
    lines = []
    for name, label, colour, style in (
        ("usable_share", "usable share", _OTHER, "--"),
        ("connected_share", "share of the longest part", _LONGEST, "-"),
    ):
        shares = 100 * curve[name]
        drawn = ax.plot(curve["range_km"], shares, style, color=colour, marker="o", ms=4, lw=1.8)
        drawn[0].set_label(label)
        lines += drawn
    if shown_km is not None:
        ax.axvline(shown_km, color=INK, lw=0.8, ls=":")
        ax.annotate(
            f"map: {shown_km:g} km",
            (shown_km, 2),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=small_size(ax),
            color=INK,
        )
    ax.set_ylim(0, 104)
    return lines


def _draw_network(ax: Axes, found: Reachability, range_km: float) -> tuple[Extent, list[Any]]:
    """Draw the pieces of the network and the critical stations, with handles for the legend."""
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - loaded when needed
    from matplotlib.lines import Line2D  # noqa: PLC0415 - loaded when needed

    pieces = found.segments[found.segments["range_km"] == range_km]
    wanted = Extent.of_shapes(pieces.geometry.to_numpy())
    shown = draw_ground(ax, wanted)
    part = pieces["part"].to_numpy(float, na_value=0.0)
    handles: list[Any] = []
    kinds = (part == 0, part > 1, part == 1)
    for rank, (kind, (label, colour, style)) in enumerate(zip(kinds, _LOOKS, strict=True)):
        inside = pieces[kind]
        if not len(inside):
            continue
        xy, of = shapely.get_coordinates(
            shapely.get_parts(inside.geometry.to_numpy()), return_index=True
        )
        xy = np.column_stack([shown.turned(xy[:, 0]), xy[:, 1]])
        lines = np.split(xy, np.flatnonzero(np.diff(of)) + 1)
        ax.add_collection(
            LineCollection(lines, colors=colour, zorder=2 + rank, capstyle="butt", **style)
        )
        handles.append(Line2D([], [], color=colour, label=label, **style))
    return wanted, handles + _draw_critical(ax, found, range_km, shown)


def _draw_critical(ax: Axes, found: Reachability, range_km: float, shown: Extent) -> list[Any]:
    """Mark the stations without which a part of the network would split."""
    rows = found.critical[found.critical["range_km"] == range_km]
    if not len(rows):
        return []
    points: gpd.GeoSeries = found.stations.geometry.loc[rows.iloc[:, 1]]
    marks = ax.scatter(
        shown.turned(points.x.to_numpy()), points.y, s=34, marker="D", facecolors="white",
        edgecolors=INK, linewidths=1.2, zorder=6,
        label=f"critical station ({len(rows):,})",
    )  # fmt: skip
    return [marks]
