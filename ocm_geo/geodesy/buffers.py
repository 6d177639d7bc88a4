"""Circles and corridors on the ellipsoid, as polygons to draw and to measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.geodesy.antimeridian import WORLD, continuous, polygon_of_ring, split_antimeridian
from ocm_geo.geodesy.distance import GEOD, check_lonlat, distance_km
from ocm_geo.geodesy.edges import expand

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ocm_geo.geodesy.lines import Line

__all__ = ["circle", "corridor_polygon"]

_WHOLE_EARTH_KM = 19_900.0
_KM_PER_DEGREE = 111.32
_MAX_HALVINGS = 16
_WIDE_KM = 100.0
_HALF_RUN_KM = 50.0
_QUAD_SEGS = 24
# Shares of the distance: the tolerances to which the route and the outline are simplified, the
# tolerance for an edge that is straight in lon/lat, and the spacing of the circles of a wide
# corridor, whose outline has dents of the squared spacing / 8. Together they stay below 0.1 %.
_THINNED = 1.5e-4
_SMOOTHED = 1.5e-4
_MAPPED = 1e-4
_SPACING = 0.05


def circle(
    lon: float, lat: float, radius_km: float, *, n_points: int = 128
) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Return a geodesic circle as a polygon.

    Parameters
    ----------
    lon, lat : float
        Centre, degrees.
    radius_km : float
        Radius, km; from 19,900 km it is the whole Earth.
    n_points : int
        Number of corners, each at exactly the radius. Near the poles corners are added where an
        edge, which is straight in longitude and latitude, would leave the circle by more than
        1.5 times the sagitta of the other edges.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In lon/lat, split at the antimeridian; a pole inside is handled.

    Raises
    ------
    QueryError
        If the centre is out of range, the radius is not positive, or there are fewer than
        three corners.
    """
    lon, lat = check_lonlat(lon, lat, "centre")
    _check_positive_km(radius_km, "radius_km")
    if n_points < 3:  # noqa: PLR2004 - a triangle
        raise QueryError(f"n_points must be 3 or more, not {n_points}")
    if radius_km >= _WHOLE_EARTH_KM:
        return WORLD

    def place(azimuth: NDArray[np.float64]) -> NDArray[np.float64]:
        each = np.ones(len(azimuth))
        x, y, _ = GEOD.fwd(lon * each, lat * each, azimuth, 1000.0 * radius_km * each)
        return np.column_stack((x, y))

    # Anticlockwise, as RFC 7946 requires.
    azimuth = np.linspace(360.0, 0.0, n_points + 1)
    ring = _refine_curve(place, azimuth, 1.5 * radius_km * (1.0 - np.cos(np.pi / n_points)))
    ring[-1] = ring[0]
    north, south = distance_km(lon, lat, lon, [90.0, -90.0]) < radius_km
    shape = polygon_of_ring(ring, pole=90.0 if north else -90.0)
    if north and south:
        # With both poles inside, the ring surrounds what the circle leaves out.
        shape = shapely.difference(WORLD, shape)
    return shapely.orient_polygons(shape)


def _check_positive_km(km: float, name: str) -> None:
    if not (np.isfinite(km) and km > 0.0):
        raise QueryError(f"{name} must be a positive number of kilometres, not {km!r}")


def _refine_curve(
    place: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    parameter: NDArray[np.float64],
    tolerance_km: float,
) -> NDArray[np.float64]:
    """Return positions on a curve, its steps halved until edges in lon/lat keep to it."""
    lonlat = place(parameter)
    for _ in range(_MAX_HALVINGS):
        middle = (parameter[1:] + parameter[:-1]) / 2.0
        between = place(middle)
        bent = np.flatnonzero(_measure_bend_km(lonlat[:-1], lonlat[1:], between) > tolerance_km)
        if not bent.size:
            break
        parameter = np.insert(parameter, bent + 1, middle[bent])
        lonlat = np.insert(lonlat, bent + 1, between[bent], axis=0)
    return lonlat


def _measure_bend_km(
    start: NDArray[np.float64], end: NDArray[np.float64], middle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far the middle of an edge straight in lon/lat is from the true middle."""
    step = end - start
    step[:, 0] -= 360.0 * np.round(step[:, 0] / 360.0)
    off = start + step / 2.0 - middle
    off[:, 0] -= 360.0 * np.round(off[:, 0] / 360.0)
    off[:, 0] *= np.cos(np.radians(middle[:, 1]))
    return np.asarray(np.hypot(off[:, 0], off[:, 1]) * _KM_PER_DEGREE)


def corridor_polygon(line: Line, within_km: float) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Return the corridor within a distance of a route as a polygon.

    Parameters
    ----------
    line : Line
        The route.
    within_km : float
        Geodesic distance, km.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Its outline lies within 0.1 % of the distance; split at the antimeridian; loops keep
        their hole.

    Raises
    ------
    QueryError
        If the distance is not a positive number.

    Notes
    -----
    The route is cut into runs of up to 100 km, each drawn in the azimuthal equidistant plane
    about its middle, or about a pole within the distance. 300 km from the centre the scale of
    that plane is off by (300 / 6371)² / 6 = 0.04 %. In the plane the stadiums of the edges are
    united: a buffer of the whole run would first be smoothed by 1 % of the distance. For
    distances above 100 km the corridor is a chain of circles.
    """
    _check_positive_km(within_km, "within_km")
    planes = _divide_into_planes(line, within_km)
    if within_km > _WIDE_KM:
        shapes = _draw_chain_of_circles(planes, within_km)
    else:
        shapes = _draw_stadiums(planes, within_km)
    return shapely.orient_polygons(shapely.union_all(shapes))


class _Planes(NamedTuple):
    """Runs of a route, each in the azimuthal equidistant plane about its centre, km."""

    centre: NDArray[np.float64]
    is_polar: NDArray[np.bool_]
    path: NDArray[np.object_]


def _divide_into_planes(line: Line, within_km: float) -> _Planes:
    """Return the runs of a route in planes of their own, thinned out."""
    edges = line.parts
    runs = line.search.runs(2.0 * float(np.clip(20.0 * within_km, 1.0, _HALF_RUN_KM)))
    ends = edges.along_km[runs.first]
    centre = line.point_at((ends[:-1] + ends[1:]) / 2.0)
    pole = np.copysign(90.0, centre[:, 1])
    to_pole = distance_km(centre[:, 0], centre[:, 1], centre[:, 0], pole)
    is_polar = to_pole < 1.01 * (runs.radius_km + within_km)
    centre[is_polar] = np.column_stack((np.zeros(len(pole)), pole))[is_polar]
    run, vertex = expand(runs.first[:-1], np.diff(runs.first) + 1)
    xy = _project_to_plane(centre[run], edges.knots[vertex])
    path = shapely.linestrings(xy, indices=run)
    thinned = shapely.simplify(path, _THINNED * within_km, preserve_topology=False)
    return _Planes(centre, is_polar, thinned)


def _project_to_plane(
    centre: NDArray[np.float64], lonlat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return positions in the azimuthal equidistant plane about their centre, km."""
    azimuth, _, metres = GEOD.inv(*centre.T, *lonlat.T)
    azimuth, km = np.radians(azimuth), np.asarray(metres) / 1000.0
    return np.column_stack((km * np.sin(azimuth), km * np.cos(azimuth)))


def _project_from_plane(
    centre: NDArray[np.float64], xy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the longitude and latitude of positions in the plane about their centre."""
    azimuth = np.degrees(np.arctan2(xy[:, 0], xy[:, 1]))
    metres = 1000.0 * np.hypot(xy[:, 0], xy[:, 1])
    lon, lat, _ = GEOD.fwd(centre[:, 0], centre[:, 1], azimuth, metres)
    return np.column_stack((lon, lat))


def _draw_chain_of_circles(planes: _Planes, within_km: float) -> list[shapely.Geometry]:
    """Return circles along the route, close enough to each other for one outline."""
    marks = shapely.segmentize(planes.path, _SPACING * within_km)
    xy, run = shapely.get_coordinates(marks, return_index=True)
    places = _project_from_plane(planes.centre[run], xy)
    return [circle(lon, lat, within_km, n_points=256) for lon, lat in places]


def _draw_stadiums(planes: _Planes, within_km: float) -> list[shapely.Geometry]:
    """Return the union of the stadiums about the edges of each run."""
    xy, run = shapely.get_coordinates(planes.path, return_index=True)
    same = np.flatnonzero(run[1:] == run[:-1])
    stadiums = shapely.polygons(_build_stadium_rings(xy[same], xy[same + 1], within_km))
    parts = np.split(stadiums, np.flatnonzero(np.diff(run[same])) + 1)
    flat = np.array([shapely.union_all(part) for part in parts], dtype=object)
    flat = shapely.simplify(flat, _SMOOTHED * within_km)
    return _map_polygons_to_earth(planes, flat, _MAPPED * within_km)


def _build_stadium_rings(
    start: NDArray[np.float64], end: NDArray[np.float64], within_km: float
) -> NDArray[np.float64]:
    """Return two half circles about the ends of each edge; shape (n, points, 2)."""
    step = end - start
    heading = np.arctan2(step[:, 1], step[:, 0])
    half = np.linspace(-np.pi / 2.0, np.pi / 2.0, 2 * _QUAD_SEGS + 1)
    # Corners lie as far outside the true circle as the middles of the edges lie inside.
    radius = within_km * (1.5 - 0.5 * np.cos(np.pi / (4 * _QUAD_SEGS)))
    angle = heading[:, None] + half
    arc = radius * np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    return np.concatenate((end[:, None] + arc, start[:, None] - arc), axis=1)


def _map_polygons_to_earth(
    planes: _Planes, flat: NDArray[np.object_], tolerance_km: float
) -> list[shapely.Geometry]:
    """Return polygons of the planes in longitude and latitude."""
    part, run = shapely.get_parts(flat, return_index=True)
    ring, of_part = shapely.get_rings(part, return_index=True)
    xy, of_ring = shapely.get_coordinates(ring, return_index=True)
    lonlat, of_ring = _map_rings_to_earth(planes.centre[run[of_part]], xy, of_ring, tolerance_km)
    rings = np.split(lonlat, np.flatnonzero(np.diff(of_ring)) + 1)
    shapes = []
    for index in range(len(part)):
        mine = [rings[i] for i in np.flatnonzero(of_part == index)]
        if planes.is_polar[run[index]]:
            outer, *holes = (polygon_of_ring(r) for r in mine)
            shapes.append(shapely.difference(outer, shapely.union_all(holes)))
        else:
            shapes.append(_build_polygon_near(planes.centre[run[index], 0], mine))
    return shapes


def _build_polygon_near(lon: float, rings: list[NDArray[np.float64]]) -> shapely.Geometry:
    """Return a polygon that surrounds no pole, its longitudes near a given one."""
    near = [continuous(np.vstack(([(lon, 0.0)], ring)))[1:] for ring in rings]
    polygon = shapely.Polygon(near[0], near[1:])
    return split_antimeridian(polygon if polygon.is_valid else shapely.make_valid(polygon))


def _map_rings_to_earth(
    centre: NDArray[np.float64],
    xy: NDArray[np.float64],
    ring: NDArray[np.intp],
    tolerance_km: float,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return rings in lon/lat, with more corners where edges would leave the true curve."""
    lonlat = _project_from_plane(centre[ring], xy)
    todo = np.flatnonzero(ring[1:] == ring[:-1])
    for _ in range(_MAX_HALVINGS):
        middle = (xy[todo] + xy[todo + 1]) / 2.0
        between = _project_from_plane(centre[ring[todo]], middle)
        bent = _measure_bend_km(lonlat[todo], lonlat[todo + 1], between) > tolerance_km
        at = todo[bent] + 1
        if not at.size:
            break
        xy = np.insert(xy, at, middle[bent], axis=0)
        lonlat = np.insert(lonlat, at, between[bent], axis=0)
        ring = np.insert(ring, at, ring[at])
        # Only the halves of edges that were bent can still be bent.
        added = at + np.arange(len(at))
        todo = np.sort(np.append(added - 1, added))
    return lonlat, ring
