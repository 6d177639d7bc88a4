"""Checks that the coverage measures share."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.errors import DroppedRows, QueryError
from ocm_geo.query.where import positive_km
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "area_frame",
    "check_stations",
    "distances",
    "in_lonlat",
    "lonlat_frame",
    "people",
    "point_lonlat",
]

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_HALF_EARTH_M = 2e7
_MAX_LON, _MAX_LAT = 540.0, 90.0
_HALF_TURN, _FULL_TURN = 180.0, 360.0


def in_lonlat(table: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> Any:  # noqa: ANN401 - same kind
    """
    Bring a table to longitude and latitude.

    Parameters
    ----------
    table : geopandas.GeoDataFrame or geopandas.GeoSeries
        Any coordinate reference system.
    what : str
        What it is, for messages.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The same kind, in EPSG:4326.

    Raises
    ------
    QueryError
        If it is no geographic table or names no coordinate reference system.
    """
    _check_table(table, what)
    return table.to_crs(CRS)


def _check_table(table: object, what: str) -> None:
    if not isinstance(table, gpd.GeoDataFrame | gpd.GeoSeries):
        raise QueryError(f"{what} must be a GeoDataFrame or GeoSeries, not {type(table).__name__}")
    if isinstance(table, gpd.GeoDataFrame) and table.active_geometry_name is None:
        raise QueryError(f"{what}: no column is the geometry; choose one with set_geometry")
    if table.crs is None:
        raise QueryError(f"{what} has no coordinate reference system: use set_crs('EPSG:4326')")


def lonlat_frame(points: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> gpd.GeoDataFrame:
    """
    Make a table in longitude and latitude whose geometry column is ``geometry``.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Any coordinate reference system.
    what : str
        What it is, for messages.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows, in EPSG:4326.

    Raises
    ------
    QueryError
        If it is no geographic table or names no coordinate reference system.
    """
    table = in_lonlat(points, what)
    if isinstance(table, gpd.GeoSeries):
        return gpd.GeoDataFrame(geometry=table)
    return _with_shapes(table, table.geometry.to_numpy())


def _with_shapes(frame: gpd.GeoDataFrame, shapes: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Give a frame other geometries, in the column ``geometry``; the frame stays as it is."""
    name = frame.active_geometry_name
    columns = pd.DataFrame(frame) if name == "geometry" else pd.DataFrame(frame).drop(columns=name)
    shaped = gpd.GeoSeries(shapes, index=frame.index, crs=CRS)
    return gpd.GeoDataFrame(columns, geometry=shaped)


def point_lonlat(
    points: gpd.GeoDataFrame | gpd.GeoSeries, what: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Give the positions of a table of points.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system.
    what : str
        What they are, for messages.

    Returns
    -------
    lon, lat : numpy.ndarray
        Degrees, longitudes within ±180.

    Raises
    ------
    QueryError
        If a row is no point, is empty, or is not on the Earth.
    """
    geometry = in_lonlat(points, what).geometry
    kinds = shapely.get_type_id(geometry.to_numpy())
    wrong = np.flatnonzero((kinds != shapely.GeometryType.POINT) | geometry.is_empty.to_numpy())
    if wrong.size:
        row = geometry.index[wrong[0]]
        raise QueryError(
            f"{what}: {wrong.size} of {len(geometry)} rows are no points (first: {row!r}); use "
            "representative_point() for areas and drop empty rows"
        )
    lon, lat = geometry.x.to_numpy(), geometry.y.to_numpy()
    off = np.flatnonzero(~((np.abs(lon) <= _MAX_LON) & (np.abs(lat) <= _MAX_LAT)))
    if off.size:
        raise QueryError(
            f"{what}: {off.size} of {len(geometry)} rows are not on the Earth (first: "
            f"{geometry.index[off[0]]!r}, at (lon, lat) = ({lon[off[0]]:g}, {lat[off[0]]:g})); is "
            f"{points.crs.name} their coordinate reference system?"
        )
    return geodesy.wrap_lon(lon), lat


def area_frame(areas: gpd.GeoDataFrame | gpd.GeoSeries, what: str = "areas") -> gpd.GeoDataFrame:
    """
    Check a table of areas.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system; edges are straight in lon/lat. Over the
        antimeridian, polygons in degrees are split or have longitudes beyond ±180. Invalid
        outlines are repaired (``make_valid``) with a warning.
    what : str
        What they are, for messages.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, within ±180, the index kept, the geometry column ``geometry``.

    Raises
    ------
    QueryError
        If a row is no polygon, is empty, encloses nothing, is not on the Earth, or has an edge
        over 180° long.

    Warns
    -----
    DroppedRows
        If outlines had to be repaired.
    """
    _check_table(areas, what)
    given = areas if isinstance(areas, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=areas)
    kinds = shapely.get_type_id(given.geometry.to_numpy())
    no_area = ~np.isin(kinds, _POLYGONS) | shapely.is_empty(given.geometry.to_numpy())
    _refuse(no_area, given, f"{what}: {{}} rows are no polygons or empty (first: {{}})")
    shapes = _lonlat_shapes(given.geometry)
    _check_rings(shapes, given, what)
    _repair(shapes, given, what)
    west, _, east, _ = np.reshape(shapely.bounds(shapes), (-1, 4)).T
    beyond = (west < -_HALF_TURN) | (east > _HALF_TURN)
    shapes[beyond] = [geodesy.split_antimeridian(shape) for shape in shapes[beyond]]
    return _with_shapes(given, shapes)


def _refuse(wrong: NDArray[np.bool_], frame: gpd.GeoDataFrame, message: str) -> None:
    if wrong.any():
        first = frame.index[np.flatnonzero(wrong)[0]]
        raise QueryError(message.format(wrong.sum(), repr(first)))


def _lonlat_shapes(geometry: gpd.GeoSeries) -> NDArray[np.object_]:
    shapes = np.array(geometry.to_crs(CRS), dtype=object)
    crs = geometry.crs
    if crs is not None and crs.is_projected and len(shapes):
        west, _, east, _ = geometry.total_bounds * crs.axis_info[0].unit_conversion_factor
        # In a plane less than half the Earth wide, an edge over 180° long is no edge but a jump.
        if east - west < _HALF_EARTH_M:
            return geodesy.unfolded(shapes)
    return shapes


def _check_rings(shapes: NDArray[np.object_], frame: gpd.GeoDataFrame, what: str) -> None:
    part, of_shape = shapely.get_parts(shapes, return_index=True)
    ring, of_part = shapely.get_rings(part, return_index=True)
    coords, of_ring = shapely.get_coordinates(ring, return_index=True)
    (lon, lat), owner = coords.T, of_shape[of_part][of_ring]
    off = ~((np.abs(lon) <= _MAX_LON) & (np.abs(lat) <= _MAX_LAT))
    wrong = np.bincount(owner[off], minlength=len(shapes)) > 0
    message = (
        f"{what}: {{}} rows are not on the Earth (first: {{}}): is {frame.crs.name} their "
        "coordinate reference system?"
    )
    _refuse(wrong, frame, message)
    # An edge along a pole has no length, and one of 360° is all longitudes.
    long = (np.abs(np.diff(lon)) > _HALF_TURN) & (np.diff(of_ring) == 0)
    long &= (np.abs(np.diff(lon)) < _FULL_TURN) & ~(np.abs(lat[1:] + lat[:-1]) == 2.0 * _MAX_LAT)
    wrong = np.bincount(owner[1:][long], minlength=len(shapes)) > 0
    message = (
        f"{what}: {{}} rows have an edge over 180° long (first: {{}}): over the antimeridian, "
        "split polygons there (RFC 7946) or use longitudes beyond 180; elsewhere add a corner"
    )
    _refuse(wrong, frame, message)


def _repair(shapes: NDArray[np.object_], frame: gpd.GeoDataFrame, what: str) -> None:
    invalid = ~shapely.is_valid(shapes)
    if not invalid.any():
        return
    first = np.flatnonzero(invalid)[0]
    warnings.warn(
        f"{invalid.sum()} {what} had invalid outlines, now repaired with make_valid (first: "
        f"{frame.index[first]!r}, {shapely.is_valid_reason(shapes[first])})",
        DroppedRows,
        stacklevel=4,
    )
    shapes[invalid] = [_polygons_of(shapely.make_valid(shape)) for shape in shapes[invalid]]
    nothing = shapely.is_empty(shapes)
    _refuse(nothing, frame, f"{what}: {{}} rows enclose nothing (first: {{}}); drop them")


def _polygons_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep the polygons of a repair: it can leave lines and points behind."""
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[np.isin(shapely.get_type_id(parts), _POLYGONS)])


def check_stations(stations: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Check a station table and give its positions.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table, or any table of points.

    Returns
    -------
    lon, lat : numpy.ndarray
        Degrees.
    """
    return point_lonlat(stations, "stations")


def distances(within_km: float | Sequence[float]) -> list[float]:
    """
    Check one or several distances.

    Parameters
    ----------
    within_km : float or sequence of float
        Distances in km.

    Returns
    -------
    list of float
        The distances, ascending, each once.

    Raises
    ------
    QueryError
        If there is none, or one is not above 0 km.
    """
    values = np.atleast_1d(np.asarray(within_km, dtype=object)).tolist()
    if not values:
        raise QueryError("within_km: give at least one distance in km")
    return sorted({positive_km(value, "within_km") for value in values})


def people(areas: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """
    Check a column of people.

    Parameters
    ----------
    areas : pandas.DataFrame
        The table that holds it.
    column : str
        Its name.

    Returns
    -------
    numpy.ndarray of float
        People a row.

    Raises
    ------
    QueryError
        If there is no such column, or a value is missing, no number, infinite or negative.
    """
    found = list(areas.columns).count(column)
    if found != 1:
        often = "no" if not found else "more than one"
        raise QueryError(f"there is {often} population column {column!r}; there are {list(areas)}")
    values = pd.to_numeric(areas[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if wrong.size:
        row = wrong[0]
        raise QueryError(
            f"population {column!r}: {wrong.size} of {len(values)} values are missing or negative, "
            f"or no finite numbers (first: {areas[column].iloc[row]} in row "
            f"{areas.index[row]!r}); fill or drop them first"
        )
    return values
