"""Measure, reverse, cut and mark routes along their geodesic edges."""

from __future__ import annotations

import math
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.checks import check_km
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import Line, as_line
from ocm_geo.schema import CRS

__all__ = [
    "Route",
    "route_length_km",
    "route_points_every",
    "route_reverse",
    "route_substring",
]

Route: TypeAlias = shapely.LineString | gpd.GeoDataFrame | gpd.GeoSeries

_MAX_MARKS = 5_000_000
_ROUNDING_KM = 1e-6


def route_length_km(route: Route) -> float:
    """
    Return the length of a route.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.

    Returns
    -------
    float
        Length in km, the sum of its geodesic edges on WGS84.

    Raises
    ------
    RouteError
        If the geometry is not a route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> round(ocm.route_length_km(shapely.LineString([(0, 0), (1, 0)])), 3)
    111.319
    """
    return Line(as_line(route)).length_km


def route_reverse(route: Route) -> shapely.LineString:
    """
    Return a route in the opposite direction.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.

    Returns
    -------
    shapely.LineString
        The same points in the opposite order.

    Raises
    ------
    RouteError
        If the geometry is not a route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> ocm.route_reverse(shapely.LineString([(0, 0), (1, 0)])).wkt
    'LINESTRING (1 0, 0 0)'
    """
    return shapely.reverse(as_line(route))


def route_substring(
    route: Route, start_km: float = 0.0, end_km: float | None = None
) -> shapely.LineString:
    """
    Return the part of a route between two distances from its start.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    start_km, end_km : float
        Kilometres from the start of the route; by default its whole length.

    Returns
    -------
    shapely.LineString
        The part; its ends lie on the geodesic edges. Longitudes continue beyond ±180 where it
        crosses the antimeridian.

    Raises
    ------
    QueryError
        If the part has no length or extends beyond the route.
    RouteError
        If the geometry is not a route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> piece = ocm.route_substring(shapely.LineString([(0, 0), (1, 0)]), 20, 50)
    >>> round(ocm.route_length_km(piece), 6)
    30.0
    """
    line = Line(as_line(route))
    start = _check_position_km(start_km, "start_km", line.length_km)
    end = line.length_km if end_km is None else _check_position_km(end_km, "end_km", line.length_km)
    if end - start <= _ROUNDING_KM:
        raise QueryError(f"start_km={start:g} must be less than end_km={end:g}, by 1 mm or more")
    return line.substring(start, end)


def route_points_every(route: Route, step_km: float) -> gpd.GeoDataFrame:
    """
    Return points at equal steps along a route.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    step_km : float
        Distance between points along the route, in km.

    Returns
    -------
    geopandas.GeoDataFrame
        ``along_km`` (0, ``step_km``, ... up to the length of the route) and ``geometry``
        (points, EPSG:4326). The end of the route is included only if a step falls on it.

    Raises
    ------
    QueryError
        If ``step_km`` is not a positive number, or gives more than 5 million points.
    RouteError
        If the geometry is not a route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> marks = ocm.route_points_every(shapely.LineString([(0, 0), (1, 0)]), 50)
    >>> marks["along_km"].tolist()
    [0.0, 50.0, 100.0]
    """
    step = check_km(step_km, "step_km")
    line = Line(as_line(route))
    steps = math.floor((line.length_km + _ROUNDING_KM) / step)
    if steps >= _MAX_MARKS:
        raise QueryError(
            f"step_km={step:g} gives {steps + 1} points on {line.length_km:.0f} km: at most "
            f"{_MAX_MARKS} are allowed"
        )
    along = np.minimum(np.arange(steps + 1) * step, line.length_km)
    points = gpd.points_from_xy(*line.point_at(along).T, crs=CRS)
    return gpd.GeoDataFrame({"along_km": along}, geometry=points, crs=CRS)


def _check_position_km(value: object, name: str, length_km: float) -> float:
    """Check a position along the route, in km, and clip rounding at its ends."""
    number = isinstance(value, int | float | np.integer | np.floating)
    if not number or isinstance(value, bool):
        raise QueryError(f"{name} must be a number of kilometres, not {value!r}")
    mark = float(value)  # type: ignore[arg-type]
    if not -_ROUNDING_KM <= mark <= length_km + _ROUNDING_KM:
        raise QueryError(f"{name}={mark:g} is not on the route, which is {length_km:.3f} km long")
    return min(max(mark, 0.0), length_km)
