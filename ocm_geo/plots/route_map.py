"""The map of a route, beside its strip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.geodesy import corridor_polygon
from ocm_geo.outside import no_data_in, stretches_without
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.maps import draw_ground
from ocm_geo.plots.shapes import draw_no_data, draw_shapes
from ocm_geo.plots.station_groups import group_stations
from ocm_geo.plots.stations import draw_points
from ocm_geo.plots.style import GAP, INK
from ocm_geo.plots.text import small_size

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ocm_geo.geodesy import Line
    from ocm_geo.plots.route_rows import Rows

__all__ = ["draw_route_map"]

_CORRIDOR = "#5790fc"
_STEPS_KM = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_MOST_MARKS = 8
_POINTS = 400


def draw_route_map(
    ax: Axes,
    line: Line,
    stations: gpd.GeoDataFrame,
    *,
    within_km: float,
    rows: list[Rows],
    facts: dict[str, Any],
) -> Extent:
    """
    Draw a route with its corridor, kilometres, stations and gaps over the limit.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    line : Line
        The route.
    stations : geopandas.GeoDataFrame
        Stations in EPSG:4326.
    within_km : float
        Half width of the corridor, km.
    rows : list of Rows
        Gaps or sections; those over the limit in the first row that has any are drawn.
    facts : dict
        Provenance that records what lies outside the data.

    Returns
    -------
    Extent
        Extent that must be visible, for `fill_map`.
    """
    corridor = np.array([corridor_polygon(line, within_km)], dtype=object)
    wanted = Extent.of_shapes(corridor)
    shown = draw_ground(ax, wanted)
    draw_shapes(ax, corridor, shown, facecolor=_CORRIDOR, alpha=0.2, zorder=1)
    draw_no_data(ax, no_data_in(facts, corridor).parts, shown)
    # Rows of two directions cover each other on a map: the first with long gaps is drawn.
    for piece in next((row.over().geometry for row in rows if len(row.over())), ()):
        _draw_line(ax, shapely.get_coordinates(piece), shown, color=GAP, lw=5, zorder=2)
    # Vertices of the line and many points between them: edges are geodesics, which bend.
    km = np.union1d(line.parts.along_km, np.linspace(0, line.length_km, _POINTS))
    _draw_line(ax, line.point_at(km), shown, color=INK, lw=1.3, zorder=2)
    for start, end in stretches_without(facts, line):
        part = line.point_at(np.linspace(start, end, _POINTS))
        _draw_line(ax, part, shown, color="white", lw=0.8, zorder=2.1, ls=(0, (3, 3)))
    lon, lat = stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy()
    groups, ranks = group_stations(stations)
    draw_points(ax, shown.turned(lon), lat, groups, ranks=ranks)
    _draw_kilometres(ax, line, shown)
    return wanted


def _draw_line(
    ax: Axes,
    lonlat: NDArray[np.float64],
    shown: Extent,
    **style: Any,  # noqa: ANN401
) -> None:
    """Draw a line on the map's side of the antimeridian."""
    style = {"solid_capstyle": "butt", **style}
    ax.plot(shown.turned(lonlat[:, 0]), lonlat[:, 1], **style)


def _draw_kilometres(ax: Axes, line: Line, shown: Extent) -> None:
    """Mark round kilometres along the route."""
    # The smallest round step with few enough marks.
    step = next((s for s in _STEPS_KM if line.length_km / s <= _MOST_MARKS), _STEPS_KM[-1])
    marks = np.arange(0.0, line.length_km, step)
    for km, (lon, lat) in zip(marks, line.point_at(marks), strict=True):
        here = (float(shown.turned(np.array([lon]))[0]), float(lat))
        ax.plot(*here, marker="|", color=INK, ms=6, zorder=8)
        ax.annotate(
            f"{km:g}" if km else "km 0",
            here,
            xytext=(5, 5),
            textcoords="offset points",
            fontsize=small_size(ax),
            color=INK,
            zorder=8,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.6},
        )
