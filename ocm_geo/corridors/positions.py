"""Draw the corridor of a route and locate points along it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import check_km
from ocm_geo.frames import check_new_columns, check_points, point_frame
from ocm_geo.geodesy import Line, area_km2, as_line, corridor_polygon, to_ecef_km
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.geodesy import LineHits
    from ocm_geo.routes.editing import Route

__all__ = [
    "MEASURES",
    "Passages",
    "Points",
    "around",
    "check_measures",
    "corridor",
    "locate",
    "locate_along",
    "located",
]

Points: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries
Passages: TypeAlias = Literal["nearest", "all"]

_LEAST_DEGREE_KM = 110.574
_EDGES_A_BOX = 16
_POLAR_LAT = 88.0
_HALF_TURN = 180.0

MEASURES = ("along_km", "offset_km", "side")


def corridor(route: Route, within_km: float) -> gpd.GeoDataFrame:
    """
    Return the area within a distance of a route.

    Use it for drawing and for areas. Whether a station lies in a corridor is decided by its
    distance (`stations_from_route`, `locate_along`), never by this outline.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    within_km : float
        Half width, in km.

    Returns
    -------
    geopandas.GeoDataFrame
        One row, EPSG:4326: ``within_km``, ``length_km`` (of the route), ``area_km2`` and
        ``geometry``, whose outline lies within 0.1 % of ``within_km``; it is split at the
        antimeridian.

    Raises
    ------
    QueryError
        If ``within_km`` is not a positive number.
    RouteError
        If the geometry is not a route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> area = ocm.corridor(shapely.LineString([(5, 52), (6, 52)]), 5)
    >>> area[["within_km", "length_km"]].round(1).to_numpy().tolist()
    [[5.0, 68.7]]
    """
    half_width = check_km(within_km, "within_km")
    line = Line(as_line(route))
    area = corridor_polygon(line, half_width)
    row = {
        "within_km": [half_width],
        "length_km": [line.length_km],
        "area_km2": [float(area_km2(area))],
    }
    return gpd.GeoDataFrame(row, geometry=[area], crs=CRS)


def locate_along(
    points: Points,
    route: Route,
    *,
    within_km: float | None = None,
    passages: Passages = "nearest",
) -> gpd.GeoDataFrame:
    """
    Return where points lie along a route: the kilometre, the distance and the side.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system: a station table, for example.
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    within_km : float, optional
        Keep only points no farther from the route than this, in km, inclusive.
    passages : {"nearest", "all"}
        ``nearest``: one row for each point, at the nearest position on the route (the first of
        equally near ones). ``all`` (requires ``within_km``): one row for each time the route
        passes the point, that is, for each stretch that stays within ``within_km``, at its
        nearest position.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows of ``points`` in their order and with their index (repeated for several
        passages), in EPSG:4326, with ``along_km`` (from the start of the route to its
        position nearest to the point), ``offset_km`` (geodesic distance from there, 0 or more) and
        ``side`` (``left`` or ``right`` in the direction of travel, ``on`` below 1 mm). Where
        traffic keeps right, a station with access from one carriageway only serves the route if
        it is on the ``right``. Provenance is kept.

    Raises
    ------
    QueryError
        If a row is not a point, a coordinate reference system is missing, a parameter is
        invalid, or a column ``along_km`` or ``side`` would be overwritten; the columns of an
        earlier result, with ``offset_km``, are replaced.
    RouteError
        If the geometry is not a route.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> route = shapely.LineString([(5, 0), (6, 0)])
    >>> point = gpd.GeoSeries([shapely.Point(5.5, 0.01)], index=["inn"], crs="EPSG:4326")
    >>> at = ocm.locate_along(point, route).loc["inn"]
    >>> f"{at.along_km:.2f} km, {at.offset_km:.2f} km to the {at.side}"
    '55.66 km, 1.11 km to the left'
    """
    limit = None if within_km is None else check_km(within_km, "within_km")
    check_measures(points)
    line = Line(as_line(route))
    frame = point_frame(points if limit is None else around(points, line, limit), "points")
    hits = locate(frame, line, within_km=limit, passages=passages)
    if not len(hits.position):
        warn_if_far("route", line.coords, points, "point")
    return carry(located(frame, hits), points, located=limit and {"within_km": limit})


def locate(
    frame: gpd.GeoDataFrame, line: Line, *, within_km: float | None, passages: Passages
) -> LineHits:
    """
    Return where the points of a table lie along a line.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        A table from `ocm_geo.frames.point_frame`.
    line : Line
        The route.
    within_km : float or None
        Greatest distance from the line, km.
    passages : {"nearest", "all"}
        One row for each point, or for each passage.

    Returns
    -------
    LineHits
        Positions of the points in the table, and where they lie.
    """
    lon, lat = shapely.get_coordinates(frame.geometry.to_numpy()).T
    if within_km is None:
        return line.locate(lon, lat, passages=passages)
    near = _select_near_line(line, lon, lat, within_km)
    hits = line.locate(lon[near], lat[near], within_km=within_km, passages=passages)
    return hits._replace(position=near[hits.position])


def _select_near_line(
    line: Line, lon: NDArray[np.float64], lat: NDArray[np.float64], within_km: float
) -> NDArray[np.intp]:
    """
    Return the rows of points that may be near a line: few of a country, for one road.

    Every position on the line is within half a part of a knot. A degree of latitude is 110.574 km
    or more, and no earth-centred coordinate of two positions differs by more than their distance.
    """
    reach = within_km + float(np.max(line.parts.length_km)) / 2
    south, north = np.min(line.parts.knots[:, 1]), np.max(line.parts.knots[:, 1])
    pad = reach / _LEAST_DEGREE_KM
    band = np.flatnonzero((lat >= south - pad) & (lat <= north + pad))
    places, knots = to_ecef_km(lon[band], lat[band]), line.parts.knots_km
    inside = (places >= knots.min(axis=0) - reach) & (places <= knots.max(axis=0) + reach)
    return band[inside.all(axis=1)]


def around(points: Points, line: Line, within_km: float, what: str = "points") -> Points:
    """
    Return the rows of a table that may be near a line, found with its spatial index.

    The table keeps its index, so that many roads share it: this makes a question about every
    road of a continent fast.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points. Without lon/lat coordinates all rows are kept.
    line : Line
        The route.
    within_km : float
        Rows this near are kept; others may be.
    what : str
        Name of the argument, for messages.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The rows that may be near, in their order.

    Raises
    ------
    QueryError
        If it is not a table of points, or has no coordinate reference system.
    """
    check_points(points, what)
    boxes = _draw_boxes(line, within_km)
    if boxes is None or points.crs != CRS:
        return points
    found = points.geometry.sindex.query(boxes)[1]
    return points.iloc[np.unique(found)]


def _draw_boxes(line: Line, within_km: float) -> NDArray[np.object_] | None:
    """Return boxes around runs of edges, with longitudes shifted both ways; None near a pole."""
    knots = line.parts.knots
    reach = within_km + float(np.max(line.parts.length_km)) / 2
    first = np.arange(0, len(knots) - 1, _EDGES_A_BOX)
    low, high = (
        # A run ends at the knot where the next begins.
        limit(limit.reduceat(knots, first), knots[np.append(first[1:], len(knots) - 1)])
        for limit in (np.minimum, np.maximum)
    )
    pad = reach / _LEAST_DEGREE_KM
    farthest = np.max(np.abs(knots[:, 1])) + pad
    if farthest > _POLAR_LAT or np.max(high[:, 0] - low[:, 0]) > _HALF_TURN:
        return None
    pads = np.array([1.01 * pad / np.cos(np.radians(farthest)), pad])
    turns = np.array([[-360.0, 0.0], [0.0, 0.0], [360.0, 0.0]])
    low, high = ((v + turns[:, None]).reshape(-1, 2) for v in (low - pads, high + pads))
    return np.asarray(shapely.box(*low.T, *high.T))


def check_measures(points: Points) -> None:
    """
    Check that the columns of a table do not clash with the measures along a route.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points. With all of `MEASURES` they are an earlier result, which is replaced.

    Raises
    ------
    QueryError
        If they have ``along_km`` or ``side``, but not all of `MEASURES`.
    """
    if isinstance(points, gpd.GeoDataFrame) and not set(MEASURES) <= set(points.columns):
        check_new_columns(points, ("along_km", "side"), "points")


def located(frame: gpd.GeoDataFrame, hits: LineHits) -> gpd.GeoDataFrame:
    """
    Return the located points with their measures.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        The points.
    hits : LineHits
        Their positions along the line.

    Returns
    -------
    geopandas.GeoDataFrame
        One row for each hit, with ``along_km``, ``offset_km`` and ``side`` (older ones are
        replaced).
    """
    kept = frame.drop(columns=[name for name in MEASURES if name in frame])
    result = kept.iloc[hits.position].copy()
    result["along_km"] = _clip_negative_zero(hits.along_km)
    result["offset_km"] = _clip_negative_zero(hits.offset_km)
    result["side"] = pd.array(hits.side, dtype="string")
    return result


def _clip_negative_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Rounding may put a position some nanometres before the start, which would print as -0.0.
    return np.maximum(values, 0.0)
