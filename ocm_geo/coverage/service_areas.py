"""The ground within a distance of stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo import geodesy
from ocm_geo.coverage.inputs import check_stations
from ocm_geo.geodesy.distance import GEOD
from ocm_geo.provenance import carry
from ocm_geo.query.where import positive_km
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["reach_polygons", "service_areas"]

N_POINTS = 128
_EQUAL_AREA_FACTOR = float(np.sqrt((2 * np.pi / N_POINTS) / np.sin(2 * np.pi / N_POINTS)))
"""A polygon of N points inside a circle is a little smaller: this radius gives it its area."""
_KM_PER_DEG = 110.57
_MAX_LAT, _MAX_LON = 85.0, 179.5


def service_areas(
    stations: gpd.GeoDataFrame, within_km: float, *, dissolve: bool = True
) -> gpd.GeoDataFrame:
    """
    Give the ground within a geodesic distance of stations, for drawing and overlay.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    within_km : float
        Distance in km.
    dissolve : bool
        One united area, rather than one circle a station.

    Returns
    -------
    geopandas.GeoDataFrame
        ``within_km``, ``area_km2``, ``geometry`` (EPSG:4326, split at the antimeridian); one
        row, or one a station with its index. Each circle is a polygon of 128 corners of the
        circle's own area: its outline lies within 0.05 % of the distance.

    Raises
    ------
    QueryError
        If the distance is wrong, or the stations are no points.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> near = ocm.stations_from_point((5.12, 52.09), 10, source=ocm.sample())
    >>> areas = ocm.service_areas(near, 5)
    >>> len(areas)
    1
    """
    km = positive_km(within_km, "within_km")
    lon, lat = check_stations(stations)
    if dissolve:
        lon, lat = np.unique(np.column_stack([lon, lat]), axis=0).T
    circles = reach_polygons(lon, lat, km)
    shapes = np.array([shapely.union_all(circles)]) if dissolve else circles
    index = [0] if dissolve else stations.index
    table = gpd.GeoDataFrame(
        {"within_km": np.full(len(shapes), km), "area_km2": geodesy.area_km2(shapes)},
        geometry=list(shapes),
        index=index,
        crs=CRS,
    )
    return carry(table, stations)


def reach_polygons(
    lon: NDArray[np.float64], lat: NDArray[np.float64], within_km: float
) -> NDArray[np.object_]:
    """
    Draw a circle of the right area round each position.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    within_km : float
        Radius in km.

    Returns
    -------
    numpy.ndarray of shapely geometries
        One a position.
    """
    radius = within_km * _EQUAL_AREA_FACTOR
    reach = radius / _KM_PER_DEG
    with np.errstate(divide="ignore"):
        wide = reach / np.cos(np.radians(np.minimum(np.abs(lat) + reach, 90.0)))
    plain = (np.abs(lat) + reach < _MAX_LAT) & (np.abs(lon) + wide < _MAX_LON)
    circles = np.empty(len(lon), dtype=object)
    circles[plain] = _plain_circles(lon[plain], lat[plain], radius)
    for row in np.flatnonzero(~plain):
        circles[row] = geodesy.circle(lon[row], lat[row], radius, n_points=N_POINTS)
    return circles


def _plain_circles(
    lon: NDArray[np.float64], lat: NDArray[np.float64], radius_km: float
) -> NDArray[np.object_]:
    """Draw all circles that touch neither the antimeridian nor a pole in one go."""
    shape = (len(lon), N_POINTS)
    azimuth = np.broadcast_to(np.linspace(360, 0, N_POINTS, endpoint=False), shape)
    x, y, _ = GEOD.fwd(
        np.broadcast_to(lon[:, None], shape).ravel(),
        np.broadcast_to(lat[:, None], shape).ravel(),
        azimuth.ravel(),
        np.full(shape, radius_km * 1000.0).ravel(),
    )
    rings = np.stack([np.reshape(x, shape), np.reshape(y, shape)], axis=-1)
    closed = np.concatenate([rings, rings[:, :1]], axis=1)
    return np.asarray(shapely.polygons(closed))
