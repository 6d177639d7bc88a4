"""The ground along a route, and where points lie along it."""

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
    Draw the ground within a distance of a route.

    For drawing and for areas. Which stations lie in a corridor is decided by their distance
    (`stations_from_route`, `locate_along`), never by this outline.

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
        ``geometry``, whose outline lies within 0.1 % of ``within_km``. Over the antimeridian it
        is split.

    Raises
    ------
    QueryError
        If ``within_km`` is no positive number.
    RouteError
        If the geometry is no route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> ground = ocm.corridor(shapely.LineString([(5, 52), (6, 52)]), 5)
    >>> ground[["within_km", "length_km"]].round(1).to_numpy().tolist()
    [[5.0, 68.7]]
    """
    half_width = check_km(within_km, "within_km")
    line = Line(as_line(route))
    ground = corridor_polygon(line, half_width)
    row = {
        "within_km": [half_width],
        "length_km": [line.length_km],
        "area_km2": [float(area_km2(ground))],
    }
    return gpd.GeoDataFrame(row, geometry=[ground], crs=CRS)


def locate_along(
    points: Points,
    route: Route,
    *,
    within_km: float | None = None,
    passages: Passages = "nearest",
) -> gpd.GeoDataFrame:
    """
    Find where points lie along a route: the kilometre, the distance and the side.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system: a station table, for example.
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    within_km : float, optional
        Keep only points no farther from the route than this, in km, inclusive.
    passages : {"nearest", "all"}
        ``nearest``: one row a point, at the nearest place of the route; of equally near places
        the first. ``all`` (needs ``within_km``): one row for each time that the route passes
        the point, that is, for each stretch of it that stays within ``within_km``, at its
        nearest place.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows of ``points`` in their order and with their index (repeated for several
        passages), in EPSG:4326, with ``along_km`` (from the start of the route to the place
        nearest to the point), ``offset_km`` (geodesic distance from there, 0 or more) and
        ``side`` (``left`` or ``right`` in the direction of travel, ``on`` below 1 mm). Where
        traffic keeps right, a site with access from one carriageway only serves the route if it
        is on the ``right``. Provenance is kept.

    Raises
    ------
    QueryError
        If a row is not a point, a coordinate reference system is missing, a parameter is wrong,
        or a column ``along_km`` or ``side`` would be overwritten; those of an earlier answer,
        with ``offset_km``, are replaced.
    RouteError
        If the geometry is no route.

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
    Find where the points of a table lie along a line.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        As `ocm_geo.frames.point_frame` returns it.
    line : Line
        The route.
    within_km : float or None
        Greatest distance from the line, km.
    passages : {"nearest", "all"}
        One row a point, or one for each passage.

    Returns
    -------
    LineHits
        Positions of the points in the table, and where they lie.
    """
    lon, lat = shapely.get_coordinates(frame.geometry.to_numpy()).T
    if within_km is None:
        return line.locate(lon, lat, passages=passages)
    near = _in_box(line, lon, lat, within_km)
    hits = line.locate(lon[near], lat[near], within_km=within_km, passages=passages)
    return hits._replace(position=near[hits.position])


def _in_box(
    line: Line, lon: NDArray[np.float64], lat: NDArray[np.float64], within_km: float
) -> NDArray[np.intp]:
    """
    Leave out points that are far from the whole line: most of a country, for one road.

    Every place of the line is within half a part of a knot. A degree of latitude is 110.574 km
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
    Leave out rows of a table that are far from a line, with the table's own spatial index.

    The index is kept with the table, so that many roads share it: this is what makes a question
    about every road of a continent fast.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points. In other coordinates than longitude and latitude, all rows stay.
    line : Line
        The route.
    within_km : float
        Rows this near stay; so may others.
    what : str
        What they are, for messages.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The rows that may be near, in their order.

    Raises
    ------
    QueryError
        If it is no such table, has no coordinate reference system, or a row is no point.
    """
    check_points(points, what)
    boxes = _boxes(line, within_km)
    if boxes is None or points.crs != CRS:
        return points
    found = points.geometry.sindex.query(boxes)[1]
    return points.iloc[np.unique(found)]


def _boxes(line: Line, within_km: float) -> NDArray[np.object_] | None:
    """Give boxes about runs of edges, in every way to write longitudes; None near a pole."""
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
    Check that no column of the user's is taken for one of ours.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points. With all of `MEASURES` they are an earlier answer, which is replaced.

    Raises
    ------
    QueryError
        If they have ``along_km`` or ``side``, but not all of `MEASURES`.
    """
    if isinstance(points, gpd.GeoDataFrame) and not set(MEASURES) <= set(points.columns):
        check_new_columns(points, ("along_km", "side"), "points")


def located(frame: gpd.GeoDataFrame, hits: LineHits) -> gpd.GeoDataFrame:
    """
    Put the measures of hits beside their points.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        The points that were located.
    hits : LineHits
        Where they lie.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a hit, with ``along_km``, ``offset_km`` and ``side`` (older ones are replaced).
    """
    kept = frame.drop(columns=[name for name in MEASURES if name in frame])
    result = kept.iloc[hits.position].copy()
    result["along_km"] = _float(hits.along_km)
    result["offset_km"] = _float(hits.offset_km)
    result["side"] = pd.array(hits.side, dtype="string")
    return result


def _float(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Rounding may leave a nearest place some nanometres before the start: -0.0 would be printed.
    return np.maximum(values, 0.0)
