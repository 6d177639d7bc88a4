"""Tables of users, brought to longitude and latitude, with reliable ids and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.checks import check_crs, short_form, warn_user
from ocm_geo.errors import DroppedRows, QueryError
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = [
    "ID_NAMES",
    "check_new_columns",
    "check_points",
    "check_table",
    "id_name",
    "in_lonlat",
    "lonlat_frame",
    "point_frame",
    "point_lonlat",
    "replace_shapes",
    "require_columns",
    "station_table",
    "take_ids",
]

Table = TypeVar("Table", bound="pd.DataFrame | pd.Series[Any]")

ID_NAMES = ("ocm_id", "station_id")
_ROW_NUMBERS = (None, "index", "level_0", "fid", "FID", "OBJECTID")
"""Names of an index that pandas and GIS programs give to row numbers."""
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


def in_lonlat(table: Any, what: str) -> Any:  # noqa: ANN401 - the same kind
    """
    Bring a table to longitude and latitude.

    Parameters
    ----------
    table : geopandas.GeoDataFrame or geopandas.GeoSeries
        Any coordinate reference system.
    what : str
        Name of the argument.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The same kind, in EPSG:4326.

    Raises
    ------
    QueryError
        As for `check_table`.
    """
    check_table(table, what)
    return table.to_crs(CRS)


def lonlat_frame(table: Any, what: str) -> gpd.GeoDataFrame:  # noqa: ANN401 - checked here
    """
    Make a table in longitude and latitude whose geometry column is ``geometry``.

    Parameters
    ----------
    table : geopandas.GeoDataFrame or geopandas.GeoSeries
        Any coordinate reference system.
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
    """Return a frame with other geometries, in the column ``geometry``; the argument is kept."""
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
    Make a table of points in longitude and latitude whose geometry column is ``geometry``.

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
            f"{points.index[np.argmax(wrong)]!r}); use representative_point() for areas and "
            "drop rows without a position"
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
            f"{geometry.index[off[0]]!r}, at (lon, lat) = ({lon[off[0]]:g}, {lat[off[0]]:g})); is "
            f"{points.crs.name} their coordinate reference system?"
        )
    return geodesy.wrap_lon(lon), lat


def station_table(
    stations: Table,
    what: str = "stations",
    *,
    columns: Iterable[str] = (),
    placed: bool = True,
) -> Table:
    """
    Check a table of stations and put their ids into its index.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or geopandas.GeoSeries
        The argument. Its index holds the ids; where that is only row numbers, a column
        ``ocm_id`` or ``station_id`` is used instead.
    what : str
        Name of the argument.
    columns : iterable of str
        Columns that are needed.
    placed : bool
        Whether geometries are needed.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The same table if nothing is to be done; otherwise a new one, whose index holds unique
        ids.

    Raises
    ------
    QueryError
        If it is not a table with geometries, a column or an id is missing, or one id belongs to
        stations at different positions.

    Warns
    -----
    DroppedRows
        If rows repeat the id and position of an earlier row: each station is used once.
    """
    if placed:
        check_table(stations, what)
    elif not isinstance(stations, pd.DataFrame):
        raise QueryError(f"{what} must be a station table, not {short_form(stations)}")
    require_columns(stations, columns, what)
    return _without_repeats(_with_ids(stations, what), what)


def id_name(index: pd.Index[Any]) -> str:
    """
    Return the name of a result column that holds ids of stations.

    Parameters
    ----------
    index : pandas.Index
        Index of the stations.

    Returns
    -------
    str
        ``ocm_id`` or ``station_id``.
    """
    return str(index.name) if index.name in ID_NAMES else "station_id"


def _with_ids(stations: Table, what: str) -> Table:
    """Return the table with ids as its index: integers where they are whole numbers, or text."""
    index = stations.index
    if isinstance(index, pd.MultiIndex):
        raise QueryError(
            f"{what} has an index of {index.nlevels} levels ({list(index.names)}): station ids "
            f"are one level; use droplevel or reset_index('{index.names[0] or 'level_0'}')"
        )
    column = _id_column(stations)
    ids = index if column is None else pd.Index(stations[column])
    missing = int(ids.isna().sum()) if ids.hasnans else 0
    if missing:
        where = "index" if column is None else f"column {column!r}"
        raise QueryError(f"{what}: {missing} of {len(ids)} ids in the {where} are missing")
    whole = _whole_ids(ids)
    if column is None and whole is index:
        return stations
    result = stations.set_axis(whole.rename(column or index.name))
    result = result if column is None else result.drop(columns=column)  # type: ignore[call-overload]
    result.attrs = dict(stations.attrs)
    return result


def _id_column(stations: pd.DataFrame | pd.Series[Any]) -> str | None:
    """Find the column of ids, where the index holds only row numbers."""
    index = stations.index
    row_numbers = index.name in _ROW_NUMBERS and pd.api.types.is_integer_dtype(index.dtype)
    if not row_numbers or not isinstance(stations, pd.DataFrame):
        return None
    found = [name for name in ID_NAMES if name in stations]
    complete = [name for name in found if not stations[name].isna().any()]
    return next(iter(complete + found), None)


def _whole_ids(ids: pd.Index[Any]) -> pd.Index[Any]:
    """Return ids as plain integers where they are whole numbers of another type."""
    if ids.dtype == np.dtype("int64"):
        return ids
    if pd.api.types.is_integer_dtype(ids.dtype):
        return ids.astype("int64")
    if pd.api.types.is_float_dtype(ids.dtype):
        values = ids.to_numpy(dtype=float)
        if np.all(values == np.round(values)):
            return pd.Index(values.astype("int64"), name=ids.name)
    return ids


def _without_repeats(stations: Table, what: str) -> Table:
    """Keep the first of rows that repeat an id at one position; refuse other repeats."""
    index = stations.index
    # Sorted ids, as ours are, are told to be unique without a hash table.
    if index.is_monotonic_increasing and index.is_unique:
        return stations
    if index.is_unique:
        return stations
    repeated = np.asarray(index.duplicated())
    code, _ = pd.factorize(index)
    first = np.flatnonzero(~repeated)[code]
    apart = repeated
    if isinstance(stations, gpd.GeoDataFrame | gpd.GeoSeries):
        shapes = stations.geometry.to_numpy()
        apart = repeated & ~shapely.equals(shapes, shapes[first]) & ~shapely.is_missing(shapes)
    if apart.any():
        raise QueryError(
            f"{what}: {len(set(index[apart]))} ids are repeated by stations at other positions "
            f"(first: {index[np.argmax(apart)]!r}): give each station its own id, or keep one row "
            f"for each with {what}[~{what}.index.duplicated()]"
        )
    warn_user(
        f"{what}: {repeated.sum()} of {len(index)} rows repeat the id of another row (first: "
        f"{index[np.argmax(repeated)]!r}); each station is used once. Drop repeated rows with "
        f"{what}[~{what}.index.duplicated()]",
        DroppedRows,
    )
    result = stations[~repeated]
    result.attrs = dict(stations.attrs)
    return result


def take_ids(ids: pd.Index[Any], rows: NDArray[np.intp]) -> Any:  # noqa: ANN401 - any array
    """
    Return ids by row, as values of a nullable column.

    Parameters
    ----------
    ids : pandas.Index
        All ids.
    rows : numpy.ndarray of int
        Positions; -1 is missing.

    Returns
    -------
    pandas array
        Nullable integers or text; objects for ids of another type.
    """
    missing = rows < 0
    if not len(ids) or pd.api.types.is_integer_dtype(ids.dtype):
        whole = np.zeros(len(rows), dtype="int64")
        whole[~missing] = ids.to_numpy(dtype="int64")[rows[~missing]]
        return pd.arrays.IntegerArray(whole, missing)
    values = np.full(len(rows), None, dtype=object)
    values[~missing] = ids.to_numpy(dtype=object)[rows[~missing]]
    return pd.array(values, dtype="string" if ids.inferred_type == "string" else object)


def require_columns(table: object, columns: Iterable[str], what: str, why: str = "") -> None:
    """
    Check that a table has columns.

    Parameters
    ----------
    table : pandas.DataFrame
        The argument.
    columns : iterable of str
        Those that are needed.
    what : str
        Name of the argument.
    why : str
        What they are needed for.

    Raises
    ------
    QueryError
        If any are missing: all of them are named.
    """
    wanted = list(columns)
    has = list(table.columns) if isinstance(table, pd.DataFrame) else []
    missing = [name for name in wanted if name not in has]
    if not missing:
        return
    names = ", ".join(map(repr, missing))
    plural = "s" if len(missing) > 1 else ""
    reason = f", needed for {why}" if why else ""
    raise QueryError(
        f"{what} has no column{plural} {names}{reason}: pass a station table, as stations_from_… "
        "return it" + (f"; its columns are {_listed(has)}" if has else "")
    )


def _listed(names: list[Any], most: int = 12) -> str:
    """List names, the first of many."""
    shown = ", ".join(map(str, names[:most]))
    return shown + (f", … ({len(names)} in all)" if len(names) > most else "")


def check_new_columns(table: pd.DataFrame, names: Iterable[str], what: str) -> None:
    """
    Check that result columns overwrite none of the user's.

    Parameters
    ----------
    table : pandas.DataFrame
        The argument that the columns will be added to.
    names : iterable of str
        Columns of the result.
    what : str
        Name of the argument.

    Raises
    ------
    QueryError
        If the table has some of them already.
    """
    taken = [name for name in names if name in table.columns]
    if taken:
        listed = ", ".join(map(repr, taken))
        raise QueryError(
            f"{what} already has the column{'s' if len(taken) > 1 else ''} {listed}, which the "
            f"result adds: rename, or drop with {what}.drop(columns={taken!r})"
        )
