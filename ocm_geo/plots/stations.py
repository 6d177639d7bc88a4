"""A map of charging stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.plots.maps import Extent, draw_ground, in_degrees
from ocm_geo.plots.style import (
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
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["draw_points", "plot_stations"]

_MANY = 2000


def plot_stations(
    stations: gpd.GeoDataFrame,
    *,
    ax: Axes | None = None,
    basemap: bool = True,
    title: str | None = None,
) -> Axes:
    """
    Draw stations on a map, by the highest power of a connection.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    basemap : bool
        Draw the bundled land and borders (Natural Earth).
    title : str, optional
        Heading.

    Returns
    -------
    matplotlib.axes.Axes
        The map: true to scale at its middle latitude, with scale bar, north arrow, legend with
        the number of stations in each class, and credit. Beyond 2,000 stations the points are
        one picture in vector formats.

    Raises
    ------
    QueryError
        If it is no station table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> ax = ocm.plot_stations(stations)
    >>> ax.get_legend().get_title().get_text()
    'Highest power (stations)'
    """
    require(stations, "max_power_kw")
    points = in_degrees(stations, "stations").geometry
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    extent = Extent.around(lon, lat)
    ax = new_axes(ax)
    draw_ground(ax, extent, basemap=basemap)
    draw_points(ax, extent.turned(lon), lat, power_class(stations["max_power_kw"]))
    ax.legend(
        title="Highest power (stations)",
        loc="upper left",
        fontsize=8,
        title_fontsize=8,
        framealpha=0.9,
    ).set_zorder(10)
    if title:
        ax.set_title(plain(title), fontsize=11, loc="left")
    add_caption(ax, stations, f"{len(stations):,} stations")
    return ax


def draw_points(
    ax: Axes,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    classes: NDArray[np.intp],
) -> None:
    """
    Draw points by class of power, the unknown hollow and below, the strongest on top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map.
    lon, lat : numpy.ndarray
        Degrees.
    classes : numpy.ndarray of int
        As `power_class` gives them.
    """
    size = float(np.clip(1500 / max(len(lon), 1), 5, 28))
    rasterized = len(lon) > _MANY
    hollow = classes == -1
    if hollow.any():
        ax.scatter(
            lon[hollow],
            lat[hollow],
            s=size,
            facecolors="none",
            edgecolors="#777777",
            linewidths=0.7,
            label=f"{UNKNOWN_POWER} ({hollow.sum():,})",
            zorder=2,
            rasterized=rasterized,
        )
    for rank, (_, label, colour) in enumerate(POWER_CLASSES):
        inside = classes == rank
        ax.scatter(
            lon[inside],
            lat[inside],
            s=size * (1 + 0.25 * rank),
            color=colour,
            edgecolors="white",
            linewidths=0.25,
            label=f"{label} ({inside.sum():,})",
            zorder=3 + rank,
            rasterized=rasterized,
        )
