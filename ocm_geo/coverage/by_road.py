"""The nearest stations by road."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ocm_geo.checks import SUSPECT_KM, check_choice, check_engine, check_whole
from ocm_geo.coverage.inputs import check_stations
from ocm_geo.coverage.nearest import points_with_own_ids
from ocm_geo.errors import RouteError
from ocm_geo.frames import check_new_columns, lonlat_frame, point_lonlat
from ocm_geo.geodesy import PointIndex
from ocm_geo.ids import id_name, station_table, take_ids
from ocm_geo.outside import mark_points
from ocm_geo.provenance import carry
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.routing.engines import MatrixEngine

__all__ = ["KM_A_MINUTE", "nearest_by_road", "ways_to_nearest"]

KM_A_MINUTE = 2.5
"""150 km/h: no engine drives faster than that along the geodesic."""


def nearest_by_road(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    k: int = 1,
    *,
    engine: MatrixEngine,
    measure: Literal["minutes", "km"] = "minutes",
) -> gpd.GeoDataFrame:
    """
    Return the nearest stations of each point by driving time or road distance.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table, index ``ocm_id``.
    k : int
        Number of stations for each point.
    engine : MatrixEngine
        `OSRM`, `Valhalla` or `ValhallaTiles`.
    measure : {"minutes", "km"}
        What is minimised. The kilometres are those of the fastest way.

    Returns
    -------
    geopandas.GeoDataFrame
        The points, in EPSG:4326, with ``ocm_id``, ``road_min`` and ``road_km``, all missing
        where no station can be reached; with ``k>1`` one row for each station found, and
        ``rank``.

    Raises
    ------
    QueryError
        If a parameter is wrong.
    SourceError
        If a server cannot be reached or fails.

    Warns
    -----
    OutsideData
        If some points lie in countries of which the source has no station.

    Notes
    -----
    Stations are tried in the order of their geodesic distance, until none farther away can be
    nearer by road: a way is never shorter than the geodesic, nor faster than 150 km/h along it.
    Engines leave out the way from a point to the nearest road, and so does this function.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> engine = ocm.ValhallaTiles("tiles")  # doctest: +SKIP
    >>> near = ocm.nearest_by_road(towns, stations, engine=engine)  # doctest: +SKIP
    """
    check_choice(measure, "measure", ("minutes", "km"))
    check_engine(engine, "matrix")
    wanted = check_whole(k, "k")
    stations = station_table(stations)
    name = id_name(stations.index)
    frame = points_with_own_ids(lonlat_frame(points, "points"), name)
    check_new_columns(
        frame, [name, "road_min", "road_km", *(["rank"] if wanted > 1 else [])], "points"
    )
    lon, lat = point_lonlat(frame, "points")
    index = PointIndex(*check_stations(stations))
    if not np.isfinite(index.nearest(lon, lat, 1, max_km=SUSPECT_KM)[1]).any():
        warn_if_far("points", np.column_stack([lon, lat]), index)
    stations = mark_points(stations, (lon, lat))
    found = [
        ways_to_nearest(np.array([[x, y]]), index, wanted, (engine, measure))
        for x, y in zip(lon, lat, strict=True)
    ]
    result = _build_hit_rows(frame, found, stations.index, ranked=wanted > 1)
    return carry(result, stations, engine=repr(engine), measure=measure)


def _build_hit_rows(
    points: gpd.GeoDataFrame,
    found: list[NDArray[np.float64]],
    ids: pd.Index,
    *,
    ranked: bool,
) -> gpd.GeoDataFrame:
    """Return the points with the stations found for each, missing where there is none."""
    rows = np.repeat(np.arange(len(found)), [len(table) for table in found])
    hits = np.vstack([*found, np.empty((0, 3))])
    missing = np.isnan(hits[:, 0])
    result = points.iloc[rows].copy()
    result[id_name(ids)] = take_ids(ids, np.where(missing, -1, hits[:, 0]).astype(np.intp))
    for column, values in (("road_min", hits[:, 1]), ("road_km", hits[:, 2])):
        result[column] = pd.arrays.FloatingArray(np.where(missing, 0.0, values), missing)
    if ranked:
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows) + 1
        result["rank"] = pd.arrays.IntegerArray(rank.astype("int64"), missing)
    return result


def ways_to_nearest(
    place: NDArray[np.float64],
    index: PointIndex,
    k: int,
    how: tuple[MatrixEngine, str],
    *,
    most: float = np.inf,
) -> NDArray[np.float64]:
    """
    Return the stations nearest to one point by road, searched in ever wider rings.

    Parameters
    ----------
    place : numpy.ndarray of shape (1, 2)
        The point, lon/lat.
    index : PointIndex
        The stations.
    k : int
        Number of stations.
    how : tuple
        The engine and the measure.
    most : float
        Largest cost that matters, in minutes or km.

    Returns
    -------
    numpy.ndarray of shape (k, 3)
        Position in the index, minutes and km; one row of NaN where no station can be reached.
    """
    engine, measure = how
    column, pace = (1, KM_A_MINUTE) if measure == "minutes" else (2, 1.0)
    n, asked = min(4 * k + 8, len(index)), 0
    best = np.empty((0, 3))
    while asked < n:
        position, away = index.nearest(place[:, 0], place[:, 1], n)
        # Only the stations that this ring adds are computed, each at most once in all.
        near = away[0, asked:] <= most * pace
        best = np.vstack(
            [best, _route_to_stations(engine, place, index, position[0, asked:][near])]
        )
        best = best[np.argsort(best[:, column], kind="stable")][:k]
        # No station beyond this ring can cost less than driving straight at the highest speed.
        least = away[0, -1] / pace
        if not near.all() or (len(best) == k and best[-1, column] <= least):
            break
        asked, n = n, min(2 * n, len(index))
    return best if len(best) else np.full((1, 3), np.nan)


def _route_to_stations(
    engine: MatrixEngine,
    place: NDArray[np.float64],
    index: PointIndex,
    position: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return position, minutes and km of the stations that can be reached."""
    if not len(position):
        return np.empty((0, 3))
    targets = np.column_stack([index.lon[position], index.lat[position]])
    try:
        minutes, km = engine.matrix(place, targets)
    except RouteError:
        # An engine may refuse all targets for one that is too far away: halves find that one.
        if len(position) == 1:
            return np.empty((0, 3))
        half = len(position) // 2
        parts = (position[:half], position[half:])
        return np.vstack([_route_to_stations(engine, place, index, part) for part in parts])
    found = np.column_stack([position, minutes[0], km[0]])
    return np.asarray(found[np.isfinite(found).all(axis=1)])
