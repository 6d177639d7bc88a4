"""Places as Open Charge Map's server takes them: great-circle edges, hulls, buffers in degrees.

A ring of great circles is a planar polygon in the gnomonic projection about its middle, so that
membership is tested by shapely. A ring that runs clockwise there encloses what is outside of it,
as the server's strict winding order has it: that happens to boxes over half a turn wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.server.dotnet import Points
    from ocm_geo.server.store import Store

__all__ = [
    "EARTH_KM",
    "PlaceError",
    "corridor_ring",
    "find_in_ring",
    "find_near",
    "haversine_km",
    "hull_ring",
]

EARTH_KM = 6371.0
_EARTH_MILES = 3959.0
_SEARCH_KM = 6378.1
_KM_PER_MILE = 1 / 0.621371192
_TOLERANCE_DEG = 0.001
_MOST_SEGMENTS = 64
"""Of a quarter of a circle: more change nothing that the simplification leaves, and cost memory."""
_EDGE = 1e-12
"""Of the gnomonic plane: 6 micrometres, so that the border counts as inside."""


class PlaceError(Exception):
    """A place that the server's databases refuse: it answers 200 without a body."""


def haversine_km(
    lon: float, lat: float, lons: NDArray[np.float64], lats: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return distances on a sphere of 6371 km, as the server reports them."""
    phi, phis = np.radians(lat), np.radians(lats)
    half = np.sin((phis - phi) / 2) ** 2
    half += np.cos(phi) * np.cos(phis) * np.sin(np.radians(lons - lon) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def find_near(
    store: Store, lat: float, lon: float, *, distance: float, in_miles: bool
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """
    Find the stations about a point.

    Parameters
    ----------
    store : Store
        The stations.
    lat, lon : float
        The point, degrees.
    distance : float
        Radius, km or miles, on a sphere of 6378.1 km.
    in_miles : bool
        The unit.

    Returns
    -------
    positions : numpy.ndarray of int
        Ascending.
    distance : numpy.ndarray of float
        In the unit, on a sphere of 6371 km or 3959 miles.
    """
    radius = distance * (_KM_PER_MILE if in_miles else 1.0) / _SEARCH_KM
    # A degree on the ellipsoid is at most 0.6 % longer or shorter than on the sphere.
    candidates = store.points.in_box(*_bound_circle(lat, lon, radius))
    angle = haversine_km(lon, lat, store.lon[candidates], store.lat[candidates]) / EARTH_KM
    inside = angle <= radius
    shown = angle[inside] * (_EARTH_MILES if in_miles else EARTH_KM)
    return candidates[inside], shown


def _bound_circle(lat: float, lon: float, radius: float) -> tuple[float, float, float, float]:
    """Return a box about a circle on the sphere; all longitudes where it holds a pole."""
    reach = min(np.degrees(radius) + 1e-6, 180.0)
    south, north = lat - reach, lat + reach
    if south <= -90 or north >= 90:  # noqa: PLR2004 - the poles
        return -180.0, max(south, -90.0), 180.0, min(north, 90.0)
    wide = np.degrees(np.arcsin(np.sin(radius) / np.cos(np.radians(lat)))) + 1e-6
    return lon - wide, south, lon + wide, north


def hull_ring(points: Points) -> NDArray[np.float64]:
    """
    Return the convex hull that the server makes of a polygon.

    Parameters
    ----------
    points : list of tuple of float
        Latitudes and longitudes.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        Longitudes and latitudes, counter-clockwise, not closed.

    Raises
    ------
    PlaceError
        If the points lie on a line.
    """
    hull = shapely.MultiPoint([(lon, lat) for lat, lon in points]).convex_hull
    if hull.geom_type != "Polygon":
        raise PlaceError
    return _open_ring(hull)


def corridor_ring(points: Points, km: float) -> NDArray[np.float64]:
    """
    Return the outer ring of the buffer that the server draws about a route.

    Parameters
    ----------
    points : list of tuple of float
        Latitudes and longitudes.
    km : float
        The distance that was asked for: the buffer is half as wide, 100 km to a degree.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        Longitudes and latitudes, counter-clockwise, not closed.

    Raises
    ------
    PlaceError
        If there is no buffer.
    """
    line = shapely.LineString([(lon, lat) for lat, lon in points])
    buffer = line.buffer(km / 200, quad_segs=min(len(points), _MOST_SEGMENTS))
    snapped = shapely.transform(buffer, lambda xy: xy.astype(np.float32).astype(np.float64))
    simple = shapely.simplify(snapped, _TOLERANCE_DEG, preserve_topology=True)
    if simple.geom_type != "Polygon" or simple.is_empty:
        raise PlaceError
    return _open_ring(simple)


def _open_ring(polygon: shapely.Polygon) -> NDArray[np.float64]:
    """Return the outer ring of a polygon, counter-clockwise, without the closing point."""
    ring = shapely.get_coordinates(shapely.orient_polygons(polygon).exterior)
    return np.asarray(ring[:-1])


def find_in_ring(store: Store, ring: NDArray[np.float64]) -> NDArray[np.intp]:
    """
    Find the stations in a ring of great circles, its border included.

    Parameters
    ----------
    store : Store
        The stations.
    ring : numpy.ndarray, shape (n, 2)
        Longitudes and latitudes, counter-clockwise in the plane, not closed.

    Returns
    -------
    numpy.ndarray of int
        Positions, ascending.

    Raises
    ------
    PlaceError
        If a point is not on Earth, or the ring fits into no hemisphere.
    """
    if (np.abs(ring) > (180, 90)).any():
        raise PlaceError
    corners = _unit_vectors(ring[:, 0], ring[:, 1])
    centre = corners.sum(axis=0)
    centre /= np.linalg.norm(centre) or 1.0
    if (corners @ centre <= _EDGE).any():
        raise PlaceError
    basis = _tangent_basis(centre)
    plane = shapely.Polygon(_project_ring(corners, centre, basis))
    if plane.area == 0:
        raise PlaceError
    is_inverted = not shapely.is_ccw(plane.exterior)
    candidates = np.arange(len(store)) if is_inverted else _bound_ring(store, ring)
    vectors = _unit_vectors(store.lon[candidates], store.lat[candidates])
    ahead = vectors @ centre > _EDGE
    flat = _project_ring(vectors[ahead], centre, basis)
    inside = np.zeros(len(candidates), dtype=bool)
    inside[ahead] = shapely.intersects_xy(_widen_ring(plane), flat[:, 0], flat[:, 1])
    return np.asarray(candidates[inside != is_inverted])


def _widen_ring(plane: shapely.Polygon) -> shapely.Polygon:
    """Widen a polygon by less than a hair, so that rounding leaves no point of its border out."""
    wide = plane.buffer(_EDGE, join_style="mitre") if plane.is_valid else plane
    wide = wide if wide.geom_type == "Polygon" and not wide.is_empty else plane
    shapely.prepare(wide)
    return wide


def _bound_ring(store: Store, ring: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the stations in a box about a ring, whose edges bulge towards the poles."""
    following = np.roll(ring, -1, axis=0)
    wide = np.radians(np.abs(following[:, 0] - ring[:, 0])) / 2
    steep = np.radians(np.maximum(np.abs(ring[:, 1]), np.abs(following[:, 1])))
    # An edge reaches no farther than one between two corners at its farther latitude.
    reach = np.degrees(np.arctan(np.tan(steep) / np.maximum(np.cos(wide), 1e-9)))
    west, south = np.min(ring, axis=0)
    east, north = np.max(ring, axis=0)
    south = min(south, -reach.max()) if south < 0 else south
    north = max(north, reach.max()) if north > 0 else north
    return store.points.in_box(float(west), float(south) - 1e-6, float(east), float(north) + 1e-6)


def _unit_vectors(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions on the unit sphere."""
    lam, phi = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def _tangent_basis(centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return two directions that are right-handed as seen from outside of the sphere."""
    helper = np.eye(3)[np.argmin(np.abs(centre))]
    first = np.cross(helper, centre)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(centre, first)])


def _project_ring(
    vectors: NDArray[np.float64], centre: NDArray[np.float64], basis: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Project positions of one hemisphere so that great circles become straight lines."""
    return np.asarray((vectors @ basis.T) / (vectors @ centre)[:, None])
