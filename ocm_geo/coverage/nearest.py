"""The nearest stations of points."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.coverage.inputs import check_stations, point_lonlat
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import PointIndex
from ocm_geo.provenance import carry
from ocm_geo.query.where import positive_km

__all__ = ["nearest_stations"]


def nearest_stations(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    k: int = 1,
    *,
    max_km: float | None = None,
) -> gpd.GeoDataFrame:
    """
    Find the nearest stations of each point, by geodesic distance on WGS84.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table, index ``ocm_id``.
    k : int
        How many for each point.
    max_km : float, optional
        Farthest distance that counts, inclusive, in km.

    Returns
    -------
    geopandas.GeoDataFrame
        ``k=1``: the points with ``ocm_id`` and ``nearest_km`` (both missing where there is
        none). ``k>1``: a row for each point and station found, with ``rank`` from 1; points
        without any keep one row with all three missing.

    Raises
    ------
    QueryError
        If ``k`` or ``max_km`` is wrong, or the points are no points.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> near = ocm.nearest_stations(stations.head(3), stations)
    >>> near["nearest_km"].tolist()
    [0.0, 0.0, 0.0]
    """
    if isinstance(k, bool) or k != int(k) or k < 1:
        raise QueryError(f"k must be a whole number, 1 or more, not {k!r}")
    limit = None if max_km is None else positive_km(max_km, "max_km")
    lon, lat = point_lonlat(points, "points")
    index = PointIndex(*check_stations(stations))
    # More neighbours than stations cannot be: ask for what there is, so that rows stay few.
    position, distance = index.nearest(lon, lat, int(min(k, max(len(stations), 1))), max_km=limit)
    frame = points if isinstance(points, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=points)
    return carry(_joined(frame, stations, position, distance, long=k > 1), stations)


def _joined(
    points: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    position: np.ndarray,
    distance: np.ndarray,
    *,
    long: bool,
) -> gpd.GeoDataFrame:
    found = position >= 0
    keep = found.copy()
    keep[:, 0] = True  # a point without any station keeps one row
    row, rank = np.nonzero(keep)
    hit = found[row, rank]
    result = points.iloc[row].copy()
    ids = np.zeros(len(row), dtype="int64")
    ids[hit] = stations.index.to_numpy()[position[row, rank][hit]]
    result["ocm_id"] = pd.arrays.IntegerArray(ids, ~hit)
    kilometres = np.where(hit, distance[row, rank], 0.0)
    result["nearest_km"] = pd.arrays.FloatingArray(kilometres, ~hit)
    if long:
        result["rank"] = pd.arrays.IntegerArray((rank + 1).astype("int64"), ~hit)
    return result
