"""A map of what changed between two snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, put_title
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.maps import draw_ground, fill_map, map_size
from ocm_geo.plots.style import MANY, OTHER, SERIES, counted, require
from ocm_geo.provenance import read_attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes

__all__ = ["CHANGE_COLOURS", "choose_changes", "plot_changes"]

CHANGE_COLOURS = {"changed": OTHER, "moved": SERIES[1], "removed": SERIES[2], "added": SERIES[0]}
"""Kinds of change from bottom to top: a station with several is shown as the last of them."""
_MARKERS = {"changed": "o", "moved": "D", "removed": "X", "added": "P"}
_SIZES = {"changed": 9.0, "moved": 16.0, "removed": 24.0, "added": 20.0}


def plot_changes(
    changes: gpd.GeoDataFrame,
    *,
    ax: Axes | None = None,
    basemap: bool = True,
    extent: Sequence[float] | None = None,
) -> Axes:
    """
    Plot the stations that changed between two snapshots on a map.

    Parameters
    ----------
    changes : geopandas.GeoDataFrame
        What `Mirror.diff` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    basemap : bool
        Draw the bundled land and borders (Natural Earth).
    extent : sequence of four float, optional
        Extent of the map: (west, south, east, north).

    Returns
    -------
    matplotlib.axes.Axes
        Axes in longitude and latitude. Each station has one marker, for the first that holds of:
        added, removed, moved, changed; the legend counts them.

    Raises
    ------
    QueryError
        If it is not such a table, or nothing changed.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> mirror = ocm.sample()
    >>> changes = mirror.diff(mirror.snapshot)
    >>> ocm.plot_changes(changes)
    Traceback (most recent call last):
    ...
    ocm_geo.errors.QueryError: nothing changed between the two snapshots
    """
    shown = choose_changes(changes)
    points = in_lonlat(shown, "changes").geometry
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    wanted = Extent.around(lon, lat, robust=True) if extent is None else Extent.of_box(extent)
    ax = new_axes(ax, *map_size(wanted))
    first = draw_ground(ax, wanted)
    for rank, (kind, colour) in enumerate(CHANGE_COLOURS.items()):
        inside = (shown["change"] == kind).to_numpy(dtype=bool)
        if inside.any():
            ax.scatter(
                first.turned(lon[inside]),
                lat[inside],
                s=_SIZES[kind],
                marker=_MARKERS[kind],
                facecolor=colour,
                edgecolor="white",
                linewidth=0.3,
                label=f"{kind} ({int(inside.sum()):,})",
                zorder=3 + rank,
                rasterized=len(shown) > MANY,
            )
    legend_below(ax, "Change (stations)")
    put_title(ax, "Stations that changed")
    since = read_attrs(changes).get("compared_with")
    facts = [counted(len(shown), "station"), *([f"since snapshot {since}"] if since else [])]
    add_caption(ax, changes, *facts)
    fill_map(ax, wanted, basemap=basemap)
    return ax


def choose_changes(changes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Choose one row of each station: that of the kind of change that tells most.

    Parameters
    ----------
    changes : geopandas.GeoDataFrame
        What `Mirror.diff` returned.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a station, by ``ocm_id``.

    Raises
    ------
    QueryError
        If it is not such a table, or nothing changed.
    """
    require(changes, "ocm_id", "change", made_by="Mirror.diff")
    if not len(changes):
        raise QueryError("nothing changed between the two snapshots")
    ranks = pd.Series(range(len(CHANGE_COLOURS)), index=list(CHANGE_COLOURS))
    order = changes["change"].astype(object).map(ranks)
    if order.isna().any():
        raise QueryError(f"the column change has other values than {', '.join(CHANGE_COLOURS)}")
    ranked = changes.assign(_rank=order.to_numpy()).sort_values(["ocm_id", "_rank"], kind="stable")
    return ranked.drop_duplicates("ocm_id", keep="last").drop(columns="_rank")
