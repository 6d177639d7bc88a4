"""A map of charging stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.frames import in_lonlat
from ocm_geo.ids import station_table
from ocm_geo.outside import no_data_countries
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, put_title
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.maps import draw_ground, fill_map, map_size
from ocm_geo.plots.room import box_inches
from ocm_geo.plots.shapes import draw_no_data, draw_shapes
from ocm_geo.plots.station_groups import group_stations
from ocm_geo.plots.style import (
    INK,
    MANY,
    OTHER,
    STATIONS,
    UNKNOWN,
    UNKNOWN_EDGE,
    counted,
    plain,
    require,
)
from ocm_geo.provenance import read_attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ocm_geo.plots.station_groups import StationGroups

__all__ = ["draw_points", "plot_stations"]

_SMALLEST, _LARGEST = 1.2, 28.0
_INK_SHARE = 0.06
_EDGED = 8.0
_MARKERS = "osD^vP"
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_OUTLINE: dict[str, Any] = {"facecolor": "none", "edgecolor": INK, "linewidth": 0.7, "zorder": 2}


def plot_stations(
    stations: gpd.GeoDataFrame,
    *,
    ax: Axes | None = None,
    basemap: bool = True,
    title: str | None = None,
    extent: Sequence[float] | None = None,
    by: str | None = None,
    areas: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> Axes:
    """
    Plot stations on a map, coloured by their highest power or by a column.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.
    basemap : bool
        Draw the bundled land and borders (Natural Earth).
    title : str, optional
        Title.
    extent : sequence of four float, optional
        Extent of the map: (west, south, east, north). By default it contains all stations but
        a few (at most 1 %) far from all others, at 0, 0 for example, that would enlarge the map
        much; the caption counts them.
    by : str, optional
        Column that decides the colours; the highest power by default. Numbers become classes, as
        in `plot_coverage`; of other values the five most frequent have a colour and a marker,
        the others are joined.
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Areas, such as those of a study, drawn as outlines and within the extent.

    Returns
    -------
    matplotlib.axes.Axes
        Axes in longitude and latitude, true to scale at the middle latitude, with scale bar,
        north arrow, legend with the number of stations in each class, and credit. More than
        5,000 points become one raster picture in vector formats.

    Raises
    ------
    QueryError
        If the table is not a station table, ``extent`` is not a box, or the column ``by`` is
        missing or contains dates or lists.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> ax = ocm.plot_stations(stations)
    >>> ax.get_legend().get_title().get_text()
    'Highest power (stations)'
    """
    require(stations, "max_power_kw", made_by=STATIONS)
    stations = station_table(stations)
    groups, ranks = group_stations(stations, by)
    points = in_lonlat(stations, "stations").geometry
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    outlines = None if areas is None else _list_outlines(areas)
    wanted = _choose_extent(lon, lat, outlines, extent)
    ax = new_axes(ax, *map_size(wanted))
    first = draw_ground(ax, wanted)
    draw_points(ax, first.turned(lon), lat, groups, ranks=ranks)
    if outlines is not None:
        draw_shapes(ax, outlines, first, **_OUTLINE)
    abroad = draw_no_data(ax, no_data_countries(read_attrs(stations)), first, zorder=0.5)
    handles = [*ax.get_legend_handles_labels()[0], *abroad]
    legend_below(ax, plain(f"{groups.heading} (stations)"), handles)
    if title:
        put_title(ax, title)
    # The caption must be there before the map can fill the rest, and fitting the map may bring
    # stations inside that the caption counted as outside.
    said = add_caption(ax, stations, *_count_outside(first, lon, lat))
    shown = fill_map(ax, wanted, basemap=basemap)
    if (facts := _count_outside(shown, lon, lat)) != _count_outside(first, lon, lat):
        said.remove()
        add_caption(ax, stations, *facts)
    return ax


def _list_outlines(areas: gpd.GeoDataFrame | gpd.GeoSeries) -> NDArray[np.object_] | None:
    """Return the polygons of areas in lon/lat; None if there are none."""
    shapes = in_lonlat(areas, "areas").geometry.to_numpy()
    shapes = shapes[np.isin(shapely.get_type_id(shapes), _POLYGONS) & ~shapely.is_empty(shapes)]
    return shapes if len(shapes) else None


def _choose_extent(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    outlines: NDArray[np.object_] | None,
    extent: Sequence[float] | None,
) -> Extent:
    """Return the extent of the caller, else that of the stations without strays and the areas."""
    if extent is not None:
        return Extent.of_box(extent)
    if outlines is None:
        return Extent.around(lon, lat, robust=True)
    x, y = shapely.get_coordinates(outlines).T
    if np.isfinite(lon).any():
        near = Extent.around(lon, lat, robust=True)
        x, y = np.append(x, [near.west, near.east]), np.append(y, [near.south, near.north])
    return Extent.around(x, y)


def _count_outside(shown: Extent, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[str]:
    """Return the number of stations, and of those outside the map, in words."""
    outside = int((~shown.holds(lon, lat)).sum())
    return [
        counted(len(lon), "station"),
        *([f"{outside:,} of them outside the map"] if outside else []),
    ]


def draw_points(
    ax: Axes,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    groups: StationGroups,
    *,
    ranks: NDArray[np.intp],
) -> None:
    """
    Draw points by group, the last group on top and missing values at the bottom.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A map.
    lon, lat : numpy.ndarray
        Degrees.
    groups : StationGroups
        Made by `group_stations`.
    ranks : numpy.ndarray of int
        Made by `group_stations`.
    """
    size = _choose_point_size(ax, len(lon))
    # White rims separate large points; on small ones they would hide the colour.
    rim = "white" if size > _EDGED else "none"
    looks = [(-1, groups.missing, UNKNOWN, UNKNOWN_EDGE, 0.6)] + [
        (rank, label, colour, rim, 0.3)
        for rank, (label, colour) in enumerate(zip(groups.labels, groups.colours, strict=True))
    ]
    for rank, label, face, edge, width in looks:
        inside = ranks == rank
        if not inside.any():
            continue
        x, y = lon[inside], lat[inside]
        area = size * (1.25 + 0.25 * rank if groups.is_ordered else 1.25)
        # Categories have markers too, so that colour is not all that separates them.
        marker = "o" if groups.is_ordered or rank < 0 else _MARKERS[rank]
        # The joined others are many, and must not hide the groups with a name.
        level = 3 + rank if face != OTHER else 2.5
        said: dict[str, Any] = {"label": plain(f"{label} ({len(x):,})"), "zorder": level}
        if len(lon) > MANY:
            # One marker drawn many times takes a fraction of the time.
            said |= {"mfc": face, "mec": edge, "mew": width, "ms": area**0.5, "rasterized": True}
            ax.plot(x, y, marker, **said)
        else:
            said |= {"facecolor": face, "edgecolor": edge, "linewidth": width, "marker": marker}
            ax.scatter(x, y, s=area, **said)


def _choose_point_size(ax: Axes, n: int) -> float:
    """Return the size at which points cover a constant share of the map, within limits."""
    width, height = box_inches(ax)
    area = width * height * 72.0**2
    return float(np.clip(_INK_SHARE * area / max(n, 1), _SMALLEST, _LARGEST))
