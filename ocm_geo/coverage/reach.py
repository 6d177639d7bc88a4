"""The area within a distance or driving time of stations, as polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ocm_geo import geodesy
from ocm_geo.checks import check_engine, check_km, check_minutes
from ocm_geo.coverage.driving import draw_isochrones
from ocm_geo.errors import QueryError
from ocm_geo.frames import point_lonlat
from ocm_geo.geodesy.discs import outline_of_discs
from ocm_geo.geodesy.distance import GEOD
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.routing.engines import Engine

__all__ = ["reach_polygons", "service_areas", "union_of_circles"]

N_POINTS = 128
_EQUAL_AREA_FACTOR = float(np.sqrt((2 * np.pi / N_POINTS) / np.sin(2 * np.pi / N_POINTS)))
"""A polygon inscribed in a circle is smaller: with its radius enlarged so, it has equal area."""
_KM_PER_DEG = 110.57
_MAX_LAT, _MAX_LON = 85.0, 179.5
_AT_ONCE = 10_000
_ONE_PLACE_KM = 5e-5


def service_areas(
    stations: gpd.GeoDataFrame,
    within_km: float | None = None,
    *,
    minutes: float | None = None,
    engine: Engine | None = None,
    dissolve: bool = True,
) -> gpd.GeoDataFrame:
    """
    Return the area within a distance or driving time of stations, for drawing and overlay.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    within_km : float, optional
        Geodesic distance in km.
    minutes : float, optional
        Driving time from the station, instead of a distance.
    engine : Engine, optional
        Draws the isochrones of ``minutes``, such as `Valhalla` or `ValhallaTiles`.
    dissolve : bool
        Return one united area, rather than one per station.

    Returns
    -------
    geopandas.GeoDataFrame
        ``within_km`` or ``minutes``, ``area_km2``, ``geometry`` (EPSG:4326, split at the
        antimeridian); one row, or one per station with its index. Each circle is a polygon of
        128 corners with the area of the circle: its outline is correct to 0.05 % of the
        distance. If united, stations within 5 cm of each other are taken as one. Isochrones are
        as drawn by the engine.

    Raises
    ------
    QueryError
        If the distance or time is wrong, or the stations are not points.
    SourceError
        If the server of the engine cannot be reached or fails.

    Warns
    -----
    DroppedRows
        If the engine finds no road near some stations: they have an empty area.

    Notes
    -----
    Up to 500 km the united outline follows the alpha complex of the stations (Edelsbrunner
    1995), in a time proportional to their number; larger circles, and those near a pole, are
    united one by one.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> near = ocm.stations_from_point((5.12, 52.09), 10, source=ocm.sample())
    >>> areas = ocm.service_areas(near, 5)
    >>> len(areas)
    1
    """
    stations = station_table(stations)
    lon, lat = point_lonlat(stations, "stations")
    if (within_km is None) == (minutes is None):
        raise QueryError("pass either within_km, or minutes and an engine")
    if within_km is not None and engine is not None:
        raise QueryError("an engine requires minutes: circles of within_km do not use one")
    if minutes is not None:
        time = check_minutes(minutes)
        able = check_engine(engine, "isochrone")
        size = {"minutes": time}
        reach = draw_isochrones(np.column_stack([lon, lat]), [time], able, stations.index)[0]
        shapes = np.array([shapely.union_all(reach)]) if dissolve else reach
    else:
        km = check_km(within_km, "within_km")
        size = {"within_km": km}
        circles = union_of_circles if dissolve else reach_polygons
        shapes = np.atleast_1d(np.array(circles(lon, lat, km), dtype=object))
    table = gpd.GeoDataFrame(
        {**size, "area_km2": geodesy.area_km2(shapes)},
        geometry=list(shapes),
        index=[0] if dissolve else stations.index,
        crs=CRS,
    )
    return carry(table, stations, engine=None if engine is None else repr(engine))


def union_of_circles(
    lon: NDArray[np.float64], lat: NDArray[np.float64], within_km: float
) -> shapely.Geometry:
    """
    Return the union of circles around positions.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees, within ±180.
    within_km : float
        Radius in km.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Empty without positions.
    """
    if not len(lon):
        return shapely.MultiPolygon()
    kept = _drop_coincident(lon, lat)
    lon, lat = lon[kept], lat[kept]
    parts, rest = outline_of_discs(lon, lat, within_km * _EQUAL_AREA_FACTOR, N_POINTS)
    if rest.size:
        # These surround or come near a pole, and overlap none of the others.
        united = shapely.union_all(reach_polygons(lon[rest], lat[rest], within_km))
        parts = np.append(parts, united)
    polygons = shapely.get_parts(parts)
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)


def _drop_coincident(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return one of each group of positions within 5 cm of each other.

    The triangulation of the whole Earth cannot tell these apart. The order is that of the tree:
    with neighbours together, what follows is mostly in the cache.
    """
    order = np.lexsort((lat, lon))
    steps = np.abs(np.diff(lon[order], prepend=np.inf)) + np.abs(np.diff(lat[order], prepend=0.0))
    unique = order[steps > 0.0]
    tree = cKDTree(geodesy.to_ecef_km(lon[unique], lat[unique]))
    one, two = tree.query_pairs(_ONE_PLACE_KM, output_type="ndarray").T
    links = coo_array((np.ones(len(one)), (one, two)), shape=(len(unique), len(unique)))
    group = connected_components(links, directed=False)[1]
    is_first = np.zeros(len(unique), dtype=bool)
    is_first[np.unique(group, return_index=True)[1]] = True
    return np.asarray(unique[tree.indices[is_first[tree.indices]]])


def reach_polygons(
    lon: NDArray[np.float64], lat: NDArray[np.float64], within_km: float
) -> NDArray[np.object_]:
    """
    Return a circle around each position, as a polygon of the same area.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    within_km : float
        Radius in km.

    Returns
    -------
    numpy.ndarray of shapely geometries
        One per position.
    """
    radius = within_km * _EQUAL_AREA_FACTOR
    reach = radius / _KM_PER_DEG
    with np.errstate(divide="ignore"):
        wide = reach / np.cos(np.radians(np.minimum(np.abs(lat) + reach, 90.0)))
    plain = (np.abs(lat) + reach < _MAX_LAT) & (np.abs(lon) + wide < _MAX_LON)
    circles = np.empty(len(lon), dtype=object)
    rows = np.flatnonzero(plain)
    # In blocks: arrays of corners take several times the memory of the circles.
    for block in np.array_split(rows, -(-len(rows) // _AT_ONCE) or 1):
        circles[block] = _draw_plain_circles(lon[block], lat[block], radius)
    for row in np.flatnonzero(~plain):
        circles[row] = geodesy.circle(lon[row], lat[row], radius, n_points=N_POINTS)
    return circles


def _draw_plain_circles(
    lon: NDArray[np.float64], lat: NDArray[np.float64], radius_km: float
) -> NDArray[np.object_]:
    """Return circles that touch neither the antimeridian nor a pole, all at once."""
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
