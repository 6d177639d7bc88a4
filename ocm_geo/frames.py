"""Check the columns of users' tables and convert their geometries to longitude and latitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.checks import check_crs, short_form
from ocm_geo.errors import QueryError
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = [
    "add_columns",
    "check_new_columns",
    "check_numeric",
    "check_points",
    "check_table",
    "in_lonlat",
    "label_of",
    "lonlat_frame",
    "point_frame",
    "point_lonlat",
    "replace_shapes",
    "require_columns",
]

Frame = TypeVar("Frame", bound=pd.DataFrame)

_MAX_LON, _MAX_LAT = 540.0, 90.0


def check_table(table: object, what: str) -> None:
    """
    Check that a table has geometries in a known coordinate reference system.

    Parameters
    ----------
    table : geopandas.GeoDataFrame or geopandas.GeoSeries
        The argument.
    what : str
        Name of the argument.

    Raises
    ------
    QueryError
        If it is not such a table, or has no active geometry column or no coordinate reference
        system.

    Warns
    -----
    SuspectInput
        If the coordinates look like degrees and the system is in metres.
    """
    if not isinstance(table, gpd.GeoDataFrame | gpd.GeoSeries):
        raise QueryError(f"{what} must be a GeoDataFrame or GeoSeries, not {short_form(table)}")
    if isinstance(table, gpd.GeoDataFrame):
        name = table.active_geometry_name
        if name is None or name not in table:
            raise QueryError(f"{what} has no active geometry column: choose one with set_geometry")
    check_crs(table, what)


def _may_be_swapped(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> bool:
    """Return whether positions would be on the Earth with swapped axes."""
    return bool(np.all(np.abs(lon) <= _MAX_LAT) and np.all(np.abs(lat) <= _MAX_LON))


def label_of(index: pd.Index[Any], row: int | np.integer[Any]) -> str:
    """Return the label of a row as text, for messages."""
    return repr(index[[int(row)]].tolist()[0])


def in_lonlat(table: Any, what: str) -> Any:  # noqa: ANN401 - the same kind
    """
    Return a table in longitude and latitude.

    Parameters
    ----------
    table : geopandas.GeoDataFrame or geopandas.GeoSeries
        A table in any coordinate reference system.
    what : str
        Name of the argument.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The same type, in EPSG:4326.

    Raises
    ------
    QueryError
        As for `check_table`.
    """
    check_table(table, what)
    return table.to_crs(CRS)


def lonlat_frame(table: Any, what: str) -> gpd.GeoDataFrame:  # noqa: ANN401 - checked here
    """
    Return a table in longitude and latitude whose geometry column is ``geometry``.

    Parameters
    ----------
    table : geopandas.GeoDataFrame or geopandas.GeoSeries
        A table in any coordinate reference system.
    what : str
        Name of the argument.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows, in EPSG:4326.

    Raises
    ------
    QueryError
        As for `check_table`, or if another column is called ``geometry``.
    """
    found = in_lonlat(table, what)
    if isinstance(found, gpd.GeoSeries):
        return gpd.GeoDataFrame(geometry=found)
    return replace_shapes(found, found.geometry.to_numpy(), what)


def replace_shapes(
    frame: gpd.GeoDataFrame, shapes: NDArray[np.object_], what: str
) -> gpd.GeoDataFrame:
    """Return a copy of a frame with other geometries, in the column ``geometry``."""
    name = frame.active_geometry_name
    columns = pd.DataFrame(frame)
    if name != "geometry":
        if "geometry" in columns:
            raise QueryError(
                f"{what} has a column 'geometry' beside its active geometry {name!r}: rename it, "
                "or make it the active one with set_geometry"
            )
        columns = columns.drop(columns=name)
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, index=frame.index, crs=CRS))


def point_frame(points: Any, what: str) -> gpd.GeoDataFrame:  # noqa: ANN401 - checked here
    """
    Return a table of points in longitude and latitude with the geometry column ``geometry``.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system.
    what : str
        Name of the argument.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows, in EPSG:4326.

    Raises
    ------
    QueryError
        As for `check_points`.
    """
    check_points(points, what)
    return lonlat_frame(points, what)


def check_points(points: Any, what: str) -> None:  # noqa: ANN401 - checked here
    """
    Check a table of points.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system.
    what : str
        Name of the argument.

    Raises
    ------
    QueryError
        As for `check_table`, or if a row is not a point or is empty.
    """
    check_table(points, what)
    shapes = points.geometry.to_numpy()
    wrong = (shapely.get_type_id(shapes) != shapely.GeometryType.POINT) | shapely.is_empty(shapes)
    if wrong.any():
        raise QueryError(
            f"{what}: {wrong.sum()} of {len(shapes)} rows are not points (first: row "
            f"{label_of(points.index, np.argmax(wrong))}); use representative_point() for areas "
            "and drop rows without a position"
        )


def point_lonlat(points: Any, what: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # noqa: ANN401
    """
    Return the positions of a table of points.

    Parameters
    ----------
    points : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system.
    what : str
        Name of the argument.

    Returns
    -------
    lon, lat : numpy.ndarray
        Degrees, longitudes within ±180.

    Raises
    ------
    QueryError
        As for `check_points`, or if a row is not on the Earth.
    """
    check_points(points, what)
    geometry = points.geometry.to_crs(CRS)
    lon, lat = geometry.x.to_numpy(), geometry.y.to_numpy()
    off = np.flatnonzero(~((np.abs(lon) <= _MAX_LON) & (np.abs(lat) <= _MAX_LAT)))
    if off.size:
        raise QueryError(
            f"{what}: {off.size} of {len(geometry)} rows are not on the Earth (first: row "
            f"{label_of(geometry.index, off[0])}, at (lon, lat) = ({lon[off[0]]:g}, "
            f"{lat[off[0]]:g})); is {points.crs.name} their coordinate reference system"
            + (", or are the axes swapped?" if _may_be_swapped(lon, lat) else "?")
        )
    return geodesy.wrap_lon(lon), lat


def require_columns(table: object, columns: Iterable[str], what: str, why: str = "") -> None:
    """
    Check that a table has columns.

    Parameters
    ----------
    table : pandas.DataFrame
        The argument.
    columns : iterable of str
        The required columns.
    what : str
        Name of the argument.
    why : str
        What they are required for.

    Raises
    ------
    QueryError
        If any are missing; the message lists all of them.
    """
    wanted = list(columns)
    if wanted and not isinstance(table, pd.DataFrame):
        raise QueryError(f"{what} must be a table of stations, not {short_form(table)}")
    has = list(table.columns) if isinstance(table, pd.DataFrame) else []
    missing = [name for name in wanted if name not in has]
    if not missing:
        return
    names = ", ".join(map(repr, missing))
    plural = "s" if len(missing) > 1 else ""
    reason = f", required for {why}" if why else ""
    raise QueryError(
        f"{what} has no column{plural} {names}{reason}: pass a station table from one of the "
        "functions stations_from_…" + (f"; its columns are {_format_names(has)}" if has else "")
    )


def _format_names(names: list[Any], most: int = 12) -> str:
    """Return names as text, cut to the first of many."""
    shown = ", ".join(map(str, names[:most]))
    return shown + (f", … ({len(names)} in all)" if len(names) > most else "")


def add_columns(table: Frame, new: Mapping[str, Any], what: str) -> Frame:
    """
    Return a table with more columns, without overwriting any.

    Parameters
    ----------
    table : pandas.DataFrame
        The argument; not changed.
    new : mapping of str to array
        The columns to add. Existing columns must have the same values.
    what : str
        Name of the argument.

    Returns
    -------
    pandas.DataFrame
        A new table.

    Raises
    ------
    QueryError
        If the table has one of them with other values.
    """
    result = table.copy()
    kept = {n for n in new if n in table and _have_same_values(table[n], new[n])}
    check_new_columns(table, [name for name in new if name not in kept], what)
    for name in new:
        if name not in kept:
            result[name] = new[name]
    return result


def _have_same_values(old: pd.Series[Any], new: Any) -> bool:  # noqa: ANN401 - any array
    """Return whether a column has these values, apart from type and rounding."""
    values = pd.Series(new).set_axis(old.index)
    is_number = all(pd.api.types.is_numeric_dtype(v.dtype) for v in (old, values))
    if is_number:
        a, b = (v.to_numpy(dtype=float, na_value=np.nan) for v in (old, values))
        return bool(np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True))
    one, other = (v.astype("string").fillna("\0") for v in (old, values))
    return bool((one == other).all())


def check_numeric(values: Any, what: str, *, flags: bool = False) -> None:  # noqa: ANN401
    """
    Check that a column has numbers, not what pandas would convert to meaningless ones.

    Parameters
    ----------
    values : array_like
        A column; text and missing values are checked by the caller.
    what : str
        Name of the column, for the message.
    flags : bool
        Whether True and False may count as 1 and 0.

    Raises
    ------
    QueryError
        If the values are dates, durations or flags.
    """
    kind = getattr(getattr(values, "dtype", None), "kind", "O")
    words = {"m": "durations", "M": "dates", "b": "True and False", "c": "complex numbers"}
    if kind in words and not (flags and kind == "b"):
        raise QueryError(f"{what} must be numbers, not {words[kind]}")


def check_new_columns(table: pd.DataFrame, names: Iterable[str], what: str) -> None:
    """
    Check that the columns of a result do not exist in a table.

    Parameters
    ----------
    table : pandas.DataFrame
        The argument to which the columns will be added.
    names : iterable of str
        Columns of the result.
    what : str
        Name of the argument.

    Raises
    ------
    QueryError
        If the table already has one of them.
    """
    taken = [name for name in names if name in table.columns]
    if taken:
        listed = ", ".join(map(repr, taken))
        raise QueryError(
            f"{what} already has the column{'s' if len(taken) > 1 else ''} {listed}, which the "
            f"result adds: rename it, or drop it with {what}.drop(columns={taken!r})"
        )
