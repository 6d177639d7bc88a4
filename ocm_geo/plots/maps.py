"""The ground of a map: extent, land and borders, scale bar, north arrow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.geodesy import distance_km
from ocm_geo.plots.style import GREY, INK, LAND, SEA
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["Extent", "draw_ground", "in_degrees", "land", "scale_bar_km"]

_FULL = 360.0
_MIN_SPAN = 0.02
_MARGIN = 0.06
_MAX_LAT = 85.0


@dataclass(frozen=True)
class Extent:
    """
    What a map shows.

    Parameters
    ----------
    west, south, east, north : float
        Degrees; over the antimeridian ``east`` goes beyond 180.
    """

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Extent:
        """
        Fit an extent to positions, on the side of the Earth where it is narrower.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            Degrees; the whole world where there is none.

        Returns
        -------
        Extent
            With a margin.
        """
        if not len(lon):
            return cls(-180, -60, 180, 80)
        turned = lon % _FULL
        shifted = np.ptp(turned) < np.ptp(lon)
        x = turned if shifted else lon
        width = max(float(np.ptp(x)), _MIN_SPAN)
        height = max(float(np.ptp(lat)), _MIN_SPAN)
        pad = _MARGIN * max(width, height) + _MIN_SPAN
        south = max(float(np.min(lat)) - pad, -90.0)
        north = min(float(np.max(lat)) + pad, 90.0)
        return cls(float(np.min(x)) - pad, south, float(np.max(x)) + pad, north)

    @property
    def middle_lat(self) -> float:
        """Latitude of the middle, where the scale is true."""
        return (self.south + self.north) / 2

    def turned(self, lon: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Bring longitudes to the extent's side of the antimeridian.

        Parameters
        ----------
        lon : numpy.ndarray
            Degrees.

        Returns
        -------
        numpy.ndarray
            Degrees.
        """
        middle = (self.west + self.east) / 2
        return lon + _FULL * np.round((middle - lon) / _FULL)


def in_degrees(table: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    """
    Bring a table to longitude and latitude.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Any coordinate reference system.
    what : str
        What it is, for the message.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326.

    Raises
    ------
    QueryError
        If it is no geographic table or names no coordinate reference system.
    """
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        raise QueryError(f"{what} must be a GeoDataFrame with a coordinate reference system")
    return table.to_crs(CRS)


@cache
def land() -> gpd.GeoDataFrame:
    """
    Give the bundled countries: Natural Earth 1:50 m, rounded to 0.01 degrees.

    Returns
    -------
    geopandas.GeoDataFrame
        ``name`` and ``geometry``.
    """
    return gpd.read_parquet(Path(__file__).parent / "data" / "land.parquet")


def draw_ground(ax: Axes, extent: Extent, *, basemap: bool = True) -> None:
    """
    Set axes up as a map: land, true proportions, scale bar and north arrow.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    extent : Extent
        What is shown.
    basemap : bool
        Draw land and borders.
    """
    ax.set_facecolor(SEA if basemap else "white")
    if basemap:
        _draw_land(ax, extent)
    ax.set_xlim(extent.west, extent.east)
    ax.set_ylim(extent.south, extent.north)
    lat = min(abs(extent.middle_lat), _MAX_LAT)
    ax.set_aspect(1 / np.cos(np.radians(lat)))
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    for spine in ax.spines.values():
        spine.set_color(GREY)
    _draw_scale_bar(ax, extent)
    ax.annotate(
        "N",
        (0.965, 0.97),
        xytext=(0.965, 0.88),
        xycoords="axes fraction",
        ha="center",
        va="center",
        fontsize=9,
        color=INK,
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2},
        zorder=9,
    )


def _draw_land(ax: Axes, extent: Extent) -> None:
    view = shapely.box(extent.west, extent.south, extent.east, extent.north)
    shapes = land().geometry
    parts = []
    for turn in (-_FULL, 0.0, _FULL):
        moved = shapely.box(extent.west - turn, extent.south, extent.east - turn, extent.north)
        near = shapes.iloc[shapes.sindex.query(moved)]
        parts.append(near.translate(turn))
    visible = gpd.GeoSeries(np.concatenate([part.to_numpy() for part in parts]), crs=CRS)
    visible = visible.intersection(view.buffer(0.5))
    visible = visible[~visible.is_empty]
    if len(visible):
        visible.plot(ax=ax, color=LAND, edgecolor="#b9b3a6", linewidth=0.5, zorder=0, aspect=None)


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
    km = scale_bar_km(extent)
    lat = extent.middle_lat
    degrees = km / float(distance_km(0, lat, 1, lat))
    x = extent.west + 0.04 * (extent.east - extent.west)
    y = extent.south + 0.05 * (extent.north - extent.south)
    style: dict[str, Any] = {"solid_capstyle": "butt", "zorder": 9}
    ax.plot([x, x + degrees], [y, y], color="white", lw=5, **style)
    ax.plot([x, x + degrees], [y, y], color=INK, lw=2.5, **style, gid="scale-bar")
    ax.annotate(
        f"{km:g} km",
        (x + degrees / 2, y),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=INK,
        zorder=9,
        bbox={"facecolor": "white", "alpha": 0.6, "edgecolor": "none", "pad": 0.8},
    )
