"""Checks that the coverage measures share."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.checks import short_form
from ocm_geo.errors import DroppedRows, QueryError
from ocm_geo.frames import check_numeric, check_table, point_lonlat, replace_shapes
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "area_frame",
    "check_stations",
    "people",
]

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_HALF_EARTH_M = 2e7
_MAX_LON, _MAX_LAT = 540.0, 90.0
_HALF_TURN, _FULL_TURN = 180.0, 360.0


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
    check_table(areas, what)
    given = areas if isinstance(areas, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=areas)
    kinds = shapely.get_type_id(given.geometry.to_numpy())
    no_area = ~np.isin(kinds, _POLYGONS) | shapely.is_empty(given.geometry.to_numpy())
    _refuse(no_area, given, f"{what}: {{}} rows are not polygons or empty (first: {{}})")
    shapes = _lonlat_shapes(given.geometry)
    _check_rings(shapes, given, what)
    _repair(shapes, given, what)
    west, _, east, _ = np.reshape(shapely.bounds(shapes), (-1, 4)).T
    beyond = (west < -_HALF_TURN) | (east > _HALF_TURN)
    shapes[beyond] = [geodesy.split_antimeridian(shape) for shape in shapes[beyond]]
    return replace_shapes(given, shapes, what)


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


def people(areas: pd.DataFrame, column: Any) -> NDArray[np.float64]:  # noqa: ANN401
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
    if isinstance(column, pd.DataFrame | pd.Series | np.ndarray | list | dict):
        raise QueryError(f"population must be the name of a column, not {short_form(column)}")
    found = list(areas.columns).count(column)
    if found != 1:
        often = "no" if not found else "more than one"
        raise QueryError(f"there is {often} population column {column!r}; there are {list(areas)}")
    check_numeric(areas[column], f"population {column!r}")
    values = pd.to_numeric(areas[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if wrong.size:
        row = wrong[0]
        raise QueryError(
            f"population {column!r}: {wrong.size} of {len(values)} values are missing or negative, "
            f"or no finite numbers (first: {areas[column].iloc[row]} in row "
            f"{areas.index[row]!r}); fill or drop them first"
        )
    return np.asarray(values)
