"""Checks of areas, stations and population that the measures share."""

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
    "population_of",
]

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_HALF_EARTH_M = 2e7
_MAX_LON, _MAX_LAT = 540.0, 90.0
_HALF_TURN, _FULL_TURN = 180.0, 360.0


def area_frame(areas: gpd.GeoDataFrame | gpd.GeoSeries, what: str = "areas") -> gpd.GeoDataFrame:
    """
    Return a checked table of areas.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system; edges are straight in lon/lat. Across the
        antimeridian, polygons in degrees are split there or have longitudes beyond ±180.
        Invalid polygons are repaired (``make_valid``) with a warning.
    what : str
        Name of the table, for messages.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, within ±180, the index kept, the geometry column ``geometry``.

    Raises
    ------
    QueryError
        If a row is not a polygon, is empty, encloses no area, is not on the Earth, or has an
        edge longer than 180°.

    Warns
    -----
    DroppedRows
        If polygons were repaired.
    """
    check_table(areas, what)
    given = areas if isinstance(areas, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=areas)
    kinds = shapely.get_type_id(given.geometry.to_numpy())
    no_area = ~np.isin(kinds, _POLYGONS) | shapely.is_empty(given.geometry.to_numpy())
    _refuse_rows(no_area, given, f"{what}: {{}} rows are not polygons or empty (first: {{}})")
    shapes = _transform_shapes(given.geometry)
    _check_outlines(shapes, given, what)
    _repair_outlines(shapes, given, what)
    west, _, east, _ = np.reshape(shapely.bounds(shapes), (-1, 4)).T
    beyond = (west < -_HALF_TURN) | (east > _HALF_TURN)
    shapes[beyond] = [geodesy.split_antimeridian(shape) for shape in shapes[beyond]]
    return replace_shapes(given, shapes, what)


def _refuse_rows(wrong: NDArray[np.bool_], frame: gpd.GeoDataFrame, message: str) -> None:
    """Raise an error that counts the wrong rows and names the first."""
    if wrong.any():
        first = frame.index[np.flatnonzero(wrong)[0]]
        raise QueryError(message.format(wrong.sum(), repr(first)))


def _transform_shapes(geometry: gpd.GeoSeries) -> NDArray[np.object_]:
    """Return geometries in lon/lat; jumps over the antimeridian are mended."""
    shapes = np.array(geometry.to_crs(CRS), dtype=object)
    crs = geometry.crs
    if crs is not None and crs.is_projected and len(shapes):
        west, _, east, _ = geometry.total_bounds * crs.axis_info[0].unit_conversion_factor
        # In a plane less than half the Earth wide, an edge longer than 180° can only be a jump.
        if east - west < _HALF_EARTH_M:
            return geodesy.unfolded(shapes)
    return shapes


def _check_outlines(shapes: NDArray[np.object_], frame: gpd.GeoDataFrame, what: str) -> None:
    """Check that all corners are on the Earth and no edge is longer than 180°."""
    part, of_shape = shapely.get_parts(shapes, return_index=True)
    ring, of_part = shapely.get_rings(part, return_index=True)
    coords, of_ring = shapely.get_coordinates(ring, return_index=True)
    (lon, lat), owner = coords.T, of_shape[of_part][of_ring]
    off = ~((np.abs(lon) <= _MAX_LON) & (np.abs(lat) <= _MAX_LAT))
    wrong = np.bincount(owner[off], minlength=len(shapes)) > 0
    message = (
        f"{what}: {{}} rows are not on the Earth (first: {{}}); check their coordinate "
        f"reference system, which is given as {frame.crs.name}"
    )
    _refuse_rows(wrong, frame, message)
    # An edge along a pole has no length, and an edge of 360° covers all longitudes.
    long = (np.abs(np.diff(lon)) > _HALF_TURN) & (np.diff(of_ring) == 0)
    long &= (np.abs(np.diff(lon)) < _FULL_TURN) & ~(np.abs(lat[1:] + lat[:-1]) == 2.0 * _MAX_LAT)
    wrong = np.bincount(owner[1:][long], minlength=len(shapes)) > 0
    message = (
        f"{what}: {{}} rows have an edge longer than 180° (first: {{}}): if it crosses the "
        "antimeridian, split the polygon there (RFC 7946) or use longitudes beyond 180; else add "
        "a vertex"
    )
    _refuse_rows(wrong, frame, message)


def _repair_outlines(shapes: NDArray[np.object_], frame: gpd.GeoDataFrame, what: str) -> None:
    """Repair invalid polygons in place, with a warning."""
    invalid = ~shapely.is_valid(shapes)
    if not invalid.any():
        return
    first = np.flatnonzero(invalid)[0]
    warnings.warn(
        f"{invalid.sum()} {what} were invalid polygons, repaired with make_valid (first: "
        f"{frame.index[first]!r}, {shapely.is_valid_reason(shapes[first])})",
        DroppedRows,
        stacklevel=4,
    )
    shapes[invalid] = [_keep_polygons(shapely.make_valid(shape)) for shape in shapes[invalid]]
    nothing = shapely.is_empty(shapes)
    _refuse_rows(nothing, frame, f"{what}: {{}} rows enclose no area (first: {{}}); drop them")


def _keep_polygons(shape: shapely.Geometry) -> shapely.Geometry:
    """Return only the polygons of a repair, which can leave lines and points behind."""
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[np.isin(shapely.get_type_id(parts), _POLYGONS)])


def check_stations(stations: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the positions of a checked station table.

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


def population_of(areas: pd.DataFrame, column: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """
    Return a checked column of population.

    Parameters
    ----------
    areas : pandas.DataFrame
        The table.
    column : str
        Name of the column.

    Returns
    -------
    numpy.ndarray of float
        Population of each row.

    Raises
    ------
    QueryError
        If the column does not exist, or a value is missing, infinite, negative or not a number.
    """
    if isinstance(column, pd.DataFrame | pd.Series | np.ndarray | list | dict):
        raise QueryError(f"population must be the name of a column, not {short_form(column)}")
    found = list(areas.columns).count(column)
    if found != 1:
        often = "no" if not found else "more than one"
        raise QueryError(f"there is {often} population column {column!r} in {list(areas)}")
    check_numeric(areas[column], f"population {column!r}")
    values = pd.to_numeric(areas[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if wrong.size:
        row = wrong[0]
        raise QueryError(
            f"population {column!r}: {wrong.size} of {len(values)} values are missing, negative or "
            f"not finite (first: {areas[column].iloc[row]} in row {areas.index[row]!r}); fill or "
            "drop them first"
        )
    return np.asarray(values)
