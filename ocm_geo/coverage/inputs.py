"""Checks that the coverage measures share."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

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
    "people",
    "point_lonlat",
]


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
    if not isinstance(table, gpd.GeoDataFrame | gpd.GeoSeries):
        raise QueryError(f"{what} must be a GeoDataFrame or GeoSeries, not {type(table).__name__}")
    if table.crs is None:
        raise QueryError(f"{what} has no coordinate reference system: use set_crs('EPSG:4326')")
    return table.to_crs(CRS)


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
        Degrees.

    Raises
    ------
    QueryError
        If a row is no point, or is empty.
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
    return geometry.x.to_numpy(), geometry.y.to_numpy()


def area_frame(areas: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    """
    Check a table of areas.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system. Invalid outlines are repaired
        (``make_valid``) with a warning.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, the index kept.

    Raises
    ------
    QueryError
        If a row is no polygon, or is empty.

    Warns
    -----
    DroppedRows
        If outlines had to be repaired.
    """
    table = in_lonlat(areas, "areas")
    frame = table if isinstance(table, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=table)
    shapes = frame.geometry.to_numpy()
    polygons = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    wrong = ~np.isin(shapely.get_type_id(shapes), polygons) | shapely.is_empty(shapes)
    if wrong.any():
        row = frame.index[np.flatnonzero(wrong)[0]]
        raise QueryError(f"areas: {wrong.sum()} rows are no polygons or empty (first: {row!r})")
    invalid = ~shapely.is_valid(shapes)
    if invalid.any():
        first = np.flatnonzero(invalid)[0]
        reason = shapely.is_valid_reason(shapes[first])
        warnings.warn(
            f"{invalid.sum()} areas had invalid outlines, now repaired with make_valid (first: "
            f"{frame.index[first]!r}, {reason})",
            DroppedRows,
            stacklevel=3,
        )
        frame = frame.set_geometry(_repaired(shapes, frame))
    return frame


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
    values = [within_km] if np.isscalar(within_km) else list(within_km)
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
        If there is no such column, or a value is missing, not finite or negative.
    """
    if column not in areas:
        raise QueryError(f"there is no population column {column!r}; there are {list(areas)}")
    values = pd.to_numeric(areas[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        row, value = areas.index[wrong].tolist()[0], areas.loc[wrong, column].tolist()[0]
        raise QueryError(
            f"population {column!r}: {wrong.sum()} values are missing or negative, infinite or no "
            f"numbers (first: row {row!r}, {value}); fill or drop them first"
        )
    return values


def _repaired(shapes: NDArray[np.object_], frame: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Keep the polygons of a repair: it can leave lines and points behind."""
    parts = [
        shapely.union_all([p for p in shapely.get_parts(shape) if p.geom_type.endswith("Polygon")])
        for shape in shapely.make_valid(shapes)
    ]
    return gpd.GeoSeries(parts, index=frame.index, crs=CRS)
