"""Routes and areas of users, checked and brought into lon/lat; areas and their contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.checks import check_crs
from ocm_geo.errors import QueryError, RouteError
from ocm_geo.geodesy.antimeridian import split_antimeridian
from ocm_geo.geodesy.distance import GEOD, wrap_lon
from ocm_geo.geodesy.lines import Line

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["area_km2", "as_line", "as_polygons", "contains_lonlat"]

CRS = "EPSG:4326"
_MAX_LAT = 90.0
_MAX_LON = 540.0
_HALF_TURN = 180.0
_AT_ONCE = 20_000
_SHORT_DEG = 0.5


def as_line(route: Any) -> shapely.LineString:  # noqa: ANN401 - any input of users
    """
    Return a route as a line in lon/lat.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries, GeoDataFrame or array_like of shape (n, 2)
        A bare line is taken as lon/lat; a series or frame must have one row and a coordinate
        reference system. The parts of a MultiLineString must each begin where the last ended.

    Returns
    -------
    shapely.LineString
        In lon/lat, without heights or repeated vertices; longitudes in [-180, 180].

    Raises
    ------
    RouteError
        If it is not a line, or has fewer than two different positions, or one out of range.
    QueryError
        If a series or frame has no coordinate reference system.
    """
    if isinstance(route, gpd.GeoDataFrame | gpd.GeoSeries):
        route = _take_single_geometry(route)
    if isinstance(route, np.ndarray | list | tuple):
        coords: Any = np.asarray(route, dtype=float)
    elif isinstance(route, shapely.Geometry):
        coords = _join_line_coords(route)
    else:
        raise RouteError(f"a route must be a LineString in lon/lat, not a {type(route).__name__}")
    return shapely.LineString(Line(coords).coords)


def _take_single_geometry(table: gpd.GeoDataFrame | gpd.GeoSeries) -> shapely.Geometry | None:
    """Return the geometry of a table of one row, in lon/lat."""
    if len(table) != 1:
        raise RouteError(
            f"a route must be one row, not {len(table)}; choose one row or join the lines"
        )
    check_crs(table, "the route")
    return table.geometry.to_crs(CRS).iloc[0]


def _join_line_coords(shape: shapely.Geometry) -> NDArray[np.float64]:
    """Return the coordinates of a line whose parts follow each other without gaps."""
    if shape.geom_type not in {"LineString", "LinearRing", "MultiLineString"}:
        raise RouteError(f"a route must be a LineString, not a {shape.geom_type}")
    parts = shapely.get_parts(shape)
    ends = shapely.get_point(parts[:-1], -1)
    if not shapely.equals(ends, shapely.get_point(parts[1:], 0)).all():
        raise RouteError(
            f"a route must be one LineString, not {len(parts)} parts with gaps between them; join "
            "the parts first"
        )
    return np.asarray(shapely.get_coordinates(shape))


def as_polygons(area: Any) -> shapely.Geometry:  # noqa: ANN401 - any input of users
    """
    Return an area as a polygon in lon/lat.

    Parameters
    ----------
    area : shapely geometry, GeoSeries or GeoDataFrame
        Polygons; a bare geometry is taken as lon/lat, the rows of a frame are united. Across the
        antimeridian either split there, or with longitudes beyond ±180.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In lon/lat, within ±180.

    Raises
    ------
    QueryError
        If it is not a polygon, or is empty, invalid or out of range, or has an edge longer
        than 180°.
    """
    if isinstance(area, gpd.GeoDataFrame | gpd.GeoSeries):
        check_crs(area, "the area")
        shapes = area.geometry.dropna().to_crs(CRS).to_numpy()
    elif isinstance(area, shapely.Geometry):
        shapes = np.array([area], dtype=object)
    else:
        raise QueryError(
            f"an area must be a polygon or a GeoDataFrame, not a {type(area).__name__}"
        )
    shapes = shapely.force_2d(shapes[~shapely.is_empty(shapes)])
    if not shapes.size:
        raise QueryError("the area is empty: it contains no polygon")
    for shape in shapes:
        _check_polygon(shape)
    split = [split_antimeridian(shape) for shape in shapes]
    return split[0] if len(split) == 1 else shapely.union_all(split)


def _check_polygon(shape: shapely.Geometry) -> None:
    """Check that a geometry is a valid polygon in lon/lat."""
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        raise QueryError(f"an area must be a Polygon or MultiPolygon, not a {shape.geom_type}")
    rings = shapely.get_rings(shapely.get_parts(shape))
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    if not np.isfinite(coords).all():
        raise QueryError("the area has coordinates that are not finite")
    lon, lat = coords.T
    if np.abs(lat).max() > _MAX_LAT or np.abs(lon).max() > _MAX_LON:
        raise QueryError(
            f"the area reaches lon {lon.min():g}..{lon.max():g}, lat {lat.min():g}..{lat.max():g}: "
            "coordinates must be (lon, lat) in degrees; pass other systems as a GeoDataFrame"
        )
    if (np.abs(np.diff(lon))[ring[1:] == ring[:-1]] > _HALF_TURN).any():
        raise QueryError(
            "a ring of the area has an edge longer than 180°: if it crosses the antimeridian, "
            "split the polygon there (RFC 7946) or use longitudes beyond 180; else add a vertex"
        )
    if not shape.is_valid:
        raise QueryError(
            f"the area is invalid ({shapely.is_valid_reason(shape)}); repair it with "
            "shapely.make_valid"
        )


def contains_lonlat(area: shapely.Geometry, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """
    Return which positions lie in an area; edges are straight in lon/lat, borders included.

    Parameters
    ----------
    area : shapely.Polygon or shapely.MultiPolygon
        As `as_polygons` returns it; it is prepared, which makes further calls faster.
    lon, lat : array_like
        Degrees.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        One value per position.
    """
    x, y = np.atleast_1d(wrap_lon(lon)), np.atleast_1d(np.asarray(lat, float))
    inside = _test_points_inside(area, x, y)
    edge = np.flatnonzero((np.abs(x) == _HALF_TURN) & ~inside)
    if edge.size:
        # 180 and -180 are the same meridian.
        inside[edge] = _test_points_inside(area, -x[edge], y[edge])
    return inside


def _test_points_inside(
    area: shapely.Geometry, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which points an area contains, its borders included."""
    west, south, east, north = area.bounds
    inside: NDArray[np.bool_] = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    rows = np.flatnonzero(inside)
    shapely.prepare(area)
    inside[rows] = shapely.intersects_xy(area, x[rows], y[rows])
    return inside


def area_km2(shapes: Any) -> Any:  # noqa: ANN401 - one geometry or an array of them
    """
    Return areas on the ellipsoid; edges are straight in longitude and latitude.

    Parameters
    ----------
    shapes : shapely.Geometry or array_like of them
        Polygons in degrees; other geometries have no area.

    Returns
    -------
    float or numpy.ndarray of shape (n,)
        km²; missing geometries are NaN.

    Notes
    -----
    The area of the strip between an edge and the equator is the integral over longitude of
    ``b² / 2 (sin φ / (1 - e² sin² φ) + artanh(e sin φ) / e)`` (Snyder, Map projections: a working
    manual, 1987, 3-12). Latitude is linear along an edge. Five Gauss points are exact to 1e-10
    of the strip at worst, on an edge from equator to pole; two points are exact to 3e-12 on
    edges that rise by half a degree at most.
    """
    given = np.atleast_1d(np.asarray(shapes, dtype=object))
    # In blocks: the arrays of edges take several times the memory of the shapes.
    blocks = np.array_split(given, -(-len(given) // _AT_ONCE) or 1)
    total = np.concatenate([_measure_areas(block) for block in blocks])
    return float(total[0]) if np.ndim(shapes) == 0 else total


def _measure_areas(given: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the area of each shape, km²; NaN for a missing one."""
    part, of_shape = shapely.get_parts(given, return_index=True)
    ring, of_part = shapely.get_rings(part, return_index=True)
    coords, of_ring = shapely.get_coordinates(ring, return_index=True)
    edge = np.flatnonzero(of_ring[1:] == of_ring[:-1])
    strips = _measure_strips_km2(coords[edge], coords[edge + 1])
    area = np.abs(np.bincount(of_ring[edge], weights=strips, minlength=len(ring)))
    is_hole = np.diff(of_part, prepend=-1) == 0
    signed = np.where(is_hole, -area, area)
    total = np.bincount(of_shape[of_part], weights=signed, minlength=len(given)).astype(float)
    total[shapely.is_missing(given)] = np.nan
    return np.asarray(total)


def _measure_strips_km2(
    start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the signed area between edges and the equator, km²."""
    mean = _average_strip_height(start, end, 2)
    tall = np.flatnonzero(np.abs(end[:, 1] - start[:, 1]) > _SHORT_DEG)
    mean[tall] = _average_strip_height(start[tall], end[tall], 5)
    return np.asarray((GEOD.b / 1000.0) ** 2 / 2.0 * mean * np.radians(end[:, 0] - start[:, 0]))


def _average_strip_height(
    start: NDArray[np.float64], end: NDArray[np.float64], n_nodes: int
) -> NDArray[np.float64]:
    """Return the mean of the integrand over each edge, by Gauss quadrature."""
    e = np.sqrt(GEOD.es)
    node, weight = np.polynomial.legendre.leggauss(n_nodes)
    middle, half = np.radians(start[:, 1] + end[:, 1]) / 2, np.radians(end[:, 1] - start[:, 1]) / 2
    mean = np.zeros(len(start))
    for x, w in zip(node, weight / 2.0, strict=True):
        sine = np.sin(middle + x * half)
        mean += w * (sine / (1.0 - GEOD.es * sine**2) + np.arctanh(e * sine) / e)
    return mean
