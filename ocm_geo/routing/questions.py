"""Ask a routing engine for routes, detours to stations, and isochrones."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import check_engine, check_km, check_minutes_list, short_form
from ocm_geo.corridors import locate_along
from ocm_geo.errors import InexactMethod, QueryError, RouteError
from ocm_geo.frames import check_new_columns, point_lonlat
from ocm_geo.geodesy import Line, as_line, check_lonlat
from ocm_geo.provenance import attach, carry, choose_within_km
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocm_geo.corridors.positions import Points
    from ocm_geo.routes.editing import Route
    from ocm_geo.routing.engines import Engine

__all__ = ["isochrones", "road_detours", "route_between"]

_TWO = 2


def route_between(
    points: Sequence[tuple[float, float]] | gpd.GeoSeries, *, engine: Engine
) -> gpd.GeoDataFrame:
    """
    Return the fastest route through points.

    Parameters
    ----------
    points : sequence of (lon, lat), or geopandas.GeoSeries
        At least two, in the order of travel.
    engine : Engine
        `OSRM`, `Valhalla`, `ValhallaTiles`, or another `Engine`.

    Returns
    -------
    geopandas.GeoDataFrame
        One row: ``length_km`` and ``duration_min`` as the engine reports them, ``engine``,
        ``geometry`` (EPSG:4326). It can be used wherever a route is expected.

    Raises
    ------
    QueryError
        If there are fewer than two points, or one is out of range.
    RouteError
        If the engine finds no route.
    SourceError
        If a server cannot be reached, or fails.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> engine = ocm.OSRM("http://localhost:5000")
    >>> route = ocm.route_between([(1.52, 42.51), (1.6, 42.57)], engine=engine)  # doctest: +SKIP
    """
    check_engine(engine, "path")
    lonlat = _check_points(points)
    if len(lonlat) < _TWO:
        raise QueryError(f"a route needs at least 2 points, not {len(lonlat)}")
    path = engine.path(lonlat)
    row = {
        "length_km": [path.length_km],
        "duration_min": [path.duration_min],
        "engine": [engine.name],
    }
    found = gpd.GeoDataFrame(row, geometry=[path.line], crs=CRS)
    return attach(found, engine=repr(engine), points=lonlat.round(6).tolist())


def _check_points(points: Sequence[tuple[float, float]] | gpd.GeoSeries) -> NDArray[np.float64]:
    """Check points and return them as an array of (lon, lat)."""
    if isinstance(points, gpd.GeoSeries | gpd.GeoDataFrame):
        return np.column_stack(point_lonlat(points, "points"))
    if not isinstance(points, Iterable) or isinstance(points, str | pd.DataFrame):
        raise QueryError(f"points must be a list of (lon, lat), not {short_form(points)}")
    checked = [_check_one_point(point, f"point {i}") for i, point in enumerate(points)]
    return np.array(checked, dtype=np.float64).reshape(-1, 2)


def _check_one_point(point: Any, what: str) -> tuple[float, float]:  # noqa: ANN401 - checked here
    """Check one position: a pair, or a shapely Point."""
    pair: Any = (point.x, point.y) if isinstance(point, shapely.Point) and point else point
    if isinstance(pair, str) or np.shape(pair) != (_TWO,):
        raise QueryError(
            f"{what} must be a pair (lon, lat) in degrees, not {short_form(point)}; names "
            "are not looked up"
        )
    lon, lat = pair
    return check_lonlat(lon, lat, what)


def road_detours(
    stations: Points,
    route: Route,
    *,
    engine: Engine | None,
    within_km: float | None = None,
    margin_km: float = 3.0,
) -> gpd.GeoDataFrame:
    """
    Return the detour from a route to each station near it.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points.
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in the direction of travel.
    engine : Engine or None
        The engine that measures on the road. None: twice the straight-line offset, with a
        warning.
    within_km : float, optional
        Maximum geodesic distance from the route, km. By default the distance within which the
        stations were fetched along a route, else 5 km.
    margin_km : float
        The path from this far before the station to this far after it is measured with and
        without the station between.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows of `locate_along`, with ``detour_km`` and ``detour_min`` (missing if no path
        is found; minutes are missing without an engine).

    Raises
    ------
    QueryError
        If a parameter is invalid.
    SourceError
        If a server cannot be reached, or fails.

    Warns
    -----
    InexactMethod
        If there is no engine.

    Examples
    --------
    >>> import warnings
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_route(ocm.sample_route(), 3, source=ocm.sample())
    >>> with warnings.catch_warnings(action="ignore"):
    ...     near = ocm.road_detours(stations, ocm.sample_route(), engine=None)
    >>> bool((near["detour_km"] == 2 * near["offset_km"]).all())
    True
    """
    margin = check_km(margin_km, "margin_km")
    if engine is not None:
        check_engine(engine, "path")
    limit = choose_within_km(within_km, stations)
    near = locate_along(stations, route, within_km=limit)
    check_new_columns(near, ("detour_km", "detour_min"), "stations")
    if engine is None:
        warnings.warn(
            "detour_km is twice the straight-line offset: pass an engine to measure on the road",
            InexactMethod,
            stacklevel=2,
        )
        near["detour_km"] = 2.0 * near["offset_km"]
        near["detour_min"] = np.nan
        return carry(near, near, detours="twice the straight-line offset")
    line = Line(as_line(route))
    along = near["along_km"].to_numpy()
    before = line.point_at(np.maximum(along - margin, 0.0))
    after = line.point_at(np.minimum(along + margin, line.length_km))
    here = np.column_stack([near.geometry.x, near.geometry.y])
    extra = [_measure_detour(engine, *places) for places in zip(before, here, after, strict=True)]
    near[["detour_km", "detour_min"]] = np.array(extra, dtype=np.float64).reshape(-1, 2)
    return carry(near, near, detours=repr(engine), margin_km=margin)


def _measure_detour(
    engine: Engine,
    before: NDArray[np.float64],
    station: NDArray[np.float64],
    after: NDArray[np.float64],
) -> tuple[float, float]:
    """Return the extra km and minutes of a path by a station; NaN without a path."""
    try:
        past = engine.path(np.stack([before, after]))
        by = engine.path(np.stack([before, station, after]))
    except RouteError:
        return np.nan, np.nan
    # The fastest path by the station may be shorter than the fastest direct path: the detour in km
    # may be negative, the one in minutes may not.
    return by.length_km - past.length_km, max(by.duration_min - past.duration_min, 0.0)


def isochrones(
    points: Sequence[tuple[float, float]] | gpd.GeoSeries,
    minutes: float | Sequence[float],
    *,
    engine: Engine,
) -> gpd.GeoDataFrame:
    """
    Return the areas that can be reached from points in given driving times.

    Parameters
    ----------
    points : sequence of (lon, lat), or geopandas.GeoSeries
        The starting points.
    minutes : float or sequence of float
        Driving times.
    engine : Engine
        One that draws isochrones, such as `Valhalla` or `ValhallaTiles`.

    Returns
    -------
    geopandas.GeoDataFrame
        One row for each point and time: ``point`` (index label or position), ``minutes``,
        ``engine``, ``geometry`` (EPSG:4326).

    Raises
    ------
    QueryError
        If a time is not positive, a position is out of range, or the engine cannot draw them.
    RouteError
        If no road is near a point.
    SourceError
        If a server cannot be reached, or fails.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> engine = ocm.Valhalla("http://localhost:8002")
    >>> areas = ocm.isochrones([(1.52, 42.51)], [10, 20], engine=engine)  # doctest: +SKIP
    """
    check_engine(engine, "isochrone")
    times = check_minutes_list(minutes)
    lonlat = _check_points(points)
    labels = points.index.tolist() if isinstance(points, gpd.GeoSeries) else range(len(lonlat))
    rows = [
        (label, time, engine.name, area)
        for label, place in zip(labels, lonlat, strict=True)
        for time, area in zip(times, engine.isochrone(place, times), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["point", "minutes", "engine", "geometry"])
    return attach(gpd.GeoDataFrame(table, crs=CRS), engine=repr(engine))
