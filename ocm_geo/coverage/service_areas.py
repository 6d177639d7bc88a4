"""The ground within a distance of stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo import geodesy
from ocm_geo.coverage.inputs import check_stations
from ocm_geo.provenance import carry
from ocm_geo.query.where import positive_km
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["reach_polygons", "service_areas"]

N_POINTS = 128
_EQUAL_AREA_FACTOR = float(np.sqrt((2 * np.pi / N_POINTS) / np.sin(2 * np.pi / N_POINTS)))
"""A polygon of N points inside a circle is a little smaller: this radius gives it its area."""


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
    circles = [
        geodesy.circle(x, y, radius, n_points=N_POINTS) for x, y in zip(lon, lat, strict=True)
    ]
    return np.array(circles, dtype=object)
