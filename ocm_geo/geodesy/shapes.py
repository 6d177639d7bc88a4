"""Shapes on the Earth: what comes in, circles and corridors to draw, areas, the antimeridian."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.geometry.polygon import orient

from ocm_geo.errors import QueryError, RouteError
from ocm_geo.geodesy.distance import GEOD
from ocm_geo.geodesy.lines import Line, continuous

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "area_km2",
    "as_line",
    "as_polygons",
    "circle",
    "contains_lonlat",
    "corridor_polygon",
    "split_antimeridian",
]

CRS = "EPSG:4326"
_EQUAL_AREA = "EPSG:6933"
_MAX_EDGE_DEG = 0.1
_PIECE_KM = 60.0
_FLAT_KM = 150.0
"""Up to here a piece and its buffer stay within 0.02 % in one azimuthal equidistant plane."""
_POLAR_LAT = 88.0
_QUAD_SEGS = 32
_LON_MAX = 540.0


def as_line(route: Any) -> shapely.LineString:  # noqa: ANN401 - what users have at hand
    """
    Turn what a user has into a route.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries, GeoDataFrame or array_like of shape (n, 2)
        A bare line is in lon/lat; a series or frame has one row and a coordinate reference
        system.

    Returns
    -------
    shapely.LineString
        In lon/lat, without heights and repeated vertices; longitudes in [-180, 180].

    Raises
    ------
    RouteError
        If it is no line, or has fewer than two different positions in range.
    QueryError
        If a series or frame names no coordinate reference system.
    """
    shape = (
        _one_row(route, "route") if isinstance(route, gpd.GeoDataFrame | gpd.GeoSeries) else route
    )
    if isinstance(shape, np.ndarray | list | tuple):
        coords = np.asarray(shape, dtype=float)
    elif isinstance(shape, shapely.Geometry):
        if shape.geom_type == "MultiLineString":
            shape = shapely.line_merge(shape)
        if shape.geom_type not in {"LineString", "LinearRing"}:
            raise RouteError(
                f"a route is one LineString, not a {shape.geom_type}; join its parts first"
            )
        coords = shapely.get_coordinates(shape)
    else:
        raise RouteError(f"a route is a LineString in lon/lat, not a {type(shape).__name__}")
    return shapely.LineString(_checked_route(coords))


def _checked_route(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    if coords.ndim != 2 or coords.shape[1] < 2 or not len(coords):  # noqa: PLR2004 - x and y
        raise RouteError("a route is empty, or not made of (lon, lat) pairs")
    coords = coords[:, :2]
    wrong = ~np.isfinite(coords).all(axis=1) | (np.abs(coords[:, 1]) > 90)  # noqa: PLR2004
    wrong |= np.abs(coords[:, 0]) > _LON_MAX
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        lon, lat = coords[first]
        swapped = np.abs(coords[:, 0]).max() <= 90 < np.abs(coords[:, 1]).max() <= _LON_MAX  # noqa: PLR2004
        hint = "; positions are (lon, lat): were they swapped?" if swapped else ""
        raise RouteError(
            f"position {first} of the route, ({lon:g}, {lat:g}), is out of range{hint}"
        )
    return Line(coords).coords


def as_polygons(area: Any) -> shapely.Geometry:  # noqa: ANN401 - what users have at hand
    """
    Turn what a user has into an area.

    Parameters
    ----------
    area : shapely geometry, GeoSeries or GeoDataFrame
        Polygons; a bare geometry is in lon/lat, rows of a frame are united. Over the
        antimeridian either split, or with longitudes beyond ±180.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In lon/lat, within ±180.

    Raises
    ------
    QueryError
        If it is no polygon, empty, invalid, out of range, or has an edge over 180° long.
    """
    if isinstance(area, gpd.GeoDataFrame | gpd.GeoSeries):
        if area.crs is None:
            raise QueryError(
                "the area has no coordinate reference system: use set_crs('EPSG:4326')"
            )
        shape = area.to_crs(CRS).union_all()
    else:
        shape = area
    if not isinstance(shape, shapely.Geometry):
        raise QueryError(f"an area is a polygon or a GeoDataFrame, not a {type(shape).__name__}")
    if shape.is_empty:
        raise QueryError("the area is empty")
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        raise QueryError(f"an area is a Polygon or MultiPolygon, not a {shape.geom_type}")
    _check_rings(shape)
    shape = split_antimeridian(shapely.force_2d(shape))
    if not shape.is_valid:
        raise QueryError(
            f"the area is invalid ({shapely.is_valid_reason(shape)}); repair it with "
            "shapely.make_valid"
        )
    return shape


def _check_rings(shape: shapely.Geometry) -> None:
    lon, lat = shapely.get_coordinates(shape).T
    if not np.isfinite(lon).all() or not np.isfinite(lat).all():
        raise QueryError("the area has coordinates that are not finite")
    if np.abs(lat).max() > 90 or np.abs(lon).max() > _LON_MAX:  # noqa: PLR2004 - the poles
        raise QueryError(
            f"the area reaches lon {lon.min():g}..{lon.max():g}, lat {lat.min():g}..{lat.max():g}: "
            "coordinates are (lon, lat) in degrees; give a GeoDataFrame for other systems"
        )
    for part in shapely.get_parts(shape):
        for ring in (part.exterior, *part.interiors):
            if np.abs(np.diff(shapely.get_coordinates(ring)[:, 0])).max() > 180:  # noqa: PLR2004
                raise QueryError(
                    "a ring of the area has an edge over 180° long: over the antimeridian, split "
                    "the polygon there (RFC 7946) or use longitudes beyond 180"
                )


def _one_row(table: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> shapely.Geometry:
    if table.crs is None:
        raise QueryError(f"the {what} has no coordinate reference system: use set_crs('EPSG:4326')")
    if len(table) != 1:
        raise RouteError(f"a {what} is one row, not {len(table)}; choose one or join them")
    return table.geometry.to_crs(CRS).iloc[0]


def split_antimeridian(geometry: shapely.Geometry) -> shapely.Geometry:
    """
    Cut a geometry at the antimeridian and wrap what lies beyond (RFC 7946).

    Parameters
    ----------
    geometry : shapely.Geometry
        Longitudes continuous, between -540 and 540.

    Returns
    -------
    shapely.Geometry
        Within ±180.
    """
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:  # noqa: PLR2004
        return geometry
    turns = [
        shapely.transform(
            shapely.intersection(geometry, shapely.box(turn - 180, -90, turn + 180, 90)),
            lambda xy, turn=turn: xy - [turn, 0],
        )
        for turn in (-360, 0, 360)
    ]
    return shapely.union_all([part for part in turns if not part.is_empty])


def contains_lonlat(area: shapely.Geometry, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """
    Say which positions lie in an area; edges are straight in lon/lat, borders count in.

    Parameters
    ----------
    area : shapely.Polygon or shapely.MultiPolygon
        As `as_polygons` gives it.
    lon, lat : array_like
        Degrees.

    Returns
    -------
    numpy.ndarray of bool
        One value a position.
    """
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    shapely.prepare(area)
    inside = np.asarray(shapely.intersects_xy(area, x, y))
    edge = np.flatnonzero((np.abs(x) == 180) & ~inside)  # noqa: PLR2004 - one meridian, two names
    if edge.size:
        inside[edge] = shapely.intersects_xy(area, -x[edge], y[edge])
    return inside


def area_km2(shapes: Any) -> Any:  # noqa: ANN401 - one geometry or an array of them
    """
    Measure areas on the ellipsoid; edges are straight in longitude and latitude.

    Parameters
    ----------
    shapes : shapely.Geometry or array of them
        Polygons in degrees.

    Returns
    -------
    float or numpy.ndarray
        km²: the planar area in the ellipsoidal equal-area projection EPSG:6933, with edges over
        0.1° cut up, since they are not straight there.
    """
    plane = pyproj.Transformer.from_crs(CRS, _EQUAL_AREA, always_xy=True)
    fine = shapely.segmentize(shapes, _MAX_EDGE_DEG)
    flat = shapely.transform(fine, plane.transform, interleaved=False)
    return shapely.area(flat) / 1e6


def circle(lon: float, lat: float, radius_km: float, *, n_points: int = 128) -> shapely.Geometry:
    """
    Draw a geodesic circle.

    Parameters
    ----------
    lon, lat : float
        Centre, degrees.
    radius_km : float
        Radius, km.
    n_points : int
        Corners, each at the radius exactly.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In lon/lat, split at the antimeridian, right where a pole is inside.
    """
    azimuth = np.linspace(360, 0, n_points, endpoint=False)
    metres = np.full(n_points, radius_km * 1000.0)
    x, y, _ = GEOD.fwd(np.full(n_points, lon), np.full(n_points, lat), azimuth, metres)
    ring = np.column_stack([x, y])
    for pole in (90.0, -90.0):
        if GEOD.inv(lon, lat, lon, pole)[2] < radius_km * 1000.0:
            return _over_pole(ring, pole)
    return split_antimeridian(shapely.Polygon(_near(continuous(ring), lon)))


def _near(coords: NDArray[np.float64], lon: float) -> NDArray[np.float64]:
    """Shift continuous longitudes by whole turns to lie about a centre."""
    turns = np.round((coords[:, 0].mean() - lon) / 360.0)
    return coords - [360.0 * turns, 0.0]


def _over_pole(ring: NDArray[np.float64], pole: float) -> shapely.Polygon:
    """Close a ring round a pole along the antimeridian and through the pole."""
    ring = ring[np.argsort(ring[:, 0])]
    first, last = ring[0], ring[-1]
    gap = first[0] + 360.0 - last[0]
    share = (180.0 - last[0]) / gap if gap else 0.0
    lat = last[1] + share * (first[1] - last[1])
    edge = [(-180.0, lat), *map(tuple, ring), (180.0, lat), (180.0, pole), (-180.0, pole)]
    return orient(shapely.Polygon(edge))


def corridor_polygon(line: Line, within_km: float) -> shapely.Geometry:
    """
    Draw the ground within a distance of a route.

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

    Notes
    -----
    The route is cut into pieces of 60 km, each buffered in the azimuthal equidistant plane about
    its middle, whose scale at 150 km from there is off by (150 / 6371)² / 6 = 0.01 %. Where that
    plane does not do (beyond 90 km, and by the poles) it is a chain of geodesic circles.
    """
    polar = np.abs(line.coords[:, 1]).max() + within_km / 110.0 > _POLAR_LAT
    if polar or within_km > _FLAT_KM - _PIECE_KM:
        return _chain_of_circles(line, within_km)
    marks = np.linspace(0, line.length_km, int(line.length_km / _PIECE_KM) + 2)
    pieces = [_flat_buffer(line, start, end, within_km) for start, end in pairwise(marks)]
    return shapely.union_all(pieces)


def _chain_of_circles(line: Line, within_km: float) -> shapely.Geometry:
    """Between circles s apart the outline dents by s² / (8 r): s = r / 12 keeps it below 0.09 %."""
    path = shapely.LineString(continuous(line.coords)).simplify(within_km * 1e-4 / 111)
    thin = Line(path)
    n_marks = int(np.ceil(thin.length_km / (within_km / 12))) + 1
    along = np.union1d(np.linspace(0, thin.length_km, n_marks), thin.cumulative_km)
    marks = thin.point_at(along)
    return shapely.union_all([circle(x, y, within_km, n_points=256) for x, y in marks])


def _flat_buffer(line: Line, start: float, end: float, within_km: float) -> shapely.Geometry:
    lon, lat = map(float, line.point_at((start + end) / 2)[0])
    plane = pyproj.Transformer.from_crs(
        CRS, f"+proj=aeqd +lat_0={lat!r} +lon_0={lon!r} +datum=WGS84 +units=km", always_xy=True
    )
    # Long edges are geodesics, not straight in the plane: points every 5 km keep to them.
    n_marks = int((end - start) / 5) + 2
    along = np.linspace(start, end, n_marks)
    inner = line.cumulative_km[(line.cumulative_km > start) & (line.cumulative_km < end)]
    path = line.point_at(np.union1d(along, inner))
    flat = np.column_stack(plane.transform(path[:, 0], path[:, 1]))
    shape = shapely.LineString(flat).simplify(within_km * 1e-4)
    # Corners of the arcs lie on the circle: the middle of their edges is 0.03 % inside.
    ground = shape.buffer(within_km, quad_segs=_QUAD_SEGS).segmentize(max(within_km, 5.0))

    def back(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = plane.transform(xy[:, 0], xy[:, 1], direction="INVERSE")
        return np.column_stack([lon + (np.asarray(x) - lon + 180) % 360 - 180, y])

    return split_antimeridian(shapely.transform(ground, back))
