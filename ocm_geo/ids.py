"""Find the ids of stations in the index or a column: whole, unique, and never row numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import short_form, warn_user
from ocm_geo.errors import DroppedRows, QueryError
from ocm_geo.frames import check_table, label_of, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["ID_NAMES", "id_name", "station_table", "take_ids"]

Table = TypeVar("Table", bound="pd.DataFrame | pd.Series[Any]")

ID_NAMES = ("ocm_id", "station_id")
_ROW_NUMBERS = (None, "index", "level_0", "fid", "FID", "OBJECTID")
"""Names that pandas and GIS programs use for row numbers."""


def station_table(
    stations: Table,
    what: str = "stations",
    *,
    columns: Iterable[str] = (),
    placed: bool = True,
) -> Table:
    """
    Check a table of stations and set their ids as its index.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or geopandas.GeoSeries
        The argument. Its index contains the ids; if these are only row numbers, a column
        ``ocm_id`` or ``station_id`` is used instead.
    what : str
        Name of the argument.
    columns : iterable of str
        Required columns.
    placed : bool
        Whether geometries are required.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        The same table if nothing changes; otherwise a new one, whose index contains unique ids.

    Raises
    ------
    QueryError
        If it is not a table with geometries, a column or an id is missing, or one id belongs to
        stations at different positions.

    Warns
    -----
    DroppedRows
        If rows repeat the id and position of an earlier row; each station is used once.
    """
    if placed:
        check_table(stations, what)
    elif not isinstance(stations, pd.DataFrame):
        raise QueryError(f"{what} must be a station table, not {short_form(stations)}")
    require_columns(stations, columns, what)
    return _drop_repeats(_set_id_index(stations, what), what)


def id_name(index: pd.Index[Any]) -> str:
    """
    Return the name of a result column with ids of stations.

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


def _set_id_index(stations: Table, what: str) -> Table:
    """Return the table with ids as its index: integers if they are whole numbers, or text."""
    index = stations.index
    if isinstance(index, pd.MultiIndex):
        return stations
    column = _find_id_column(stations)
    ids = index if column is None else pd.Index(stations[column])
    missing = int(np.sum(pd.isna(ids))) if ids.hasnans else 0
    if missing:
        where = "index" if column is None else f"column {column!r}"
        raise QueryError(f"{what}: {missing} of {len(ids)} ids in the {where} are missing")
    whole = _convert_whole_ids(ids)
    if column is None and whole is index:
        return stations
    result = stations.set_axis(whole.rename(column or index.name))
    result = result if column is None else result.drop(columns=column)
    result.attrs = dict(stations.attrs)
    return result  # type: ignore[return-value] # the kind of the argument


def _find_id_column(stations: pd.DataFrame | pd.Series[Any]) -> str | None:
    """Return the column of ids if the index has only row numbers."""
    index = stations.index
    row_numbers = index.name in _ROW_NUMBERS and pd.api.types.is_integer_dtype(index.dtype)
    if not row_numbers or not isinstance(stations, pd.DataFrame):
        return None
    found = [name for name in ID_NAMES if name in stations]
    complete = [name for name in found if not stations[name].isna().any()]
    return next(iter(complete + found), None)


def _convert_whole_ids(ids: pd.Index[Any]) -> pd.Index[Any]:
    """Return ids as plain integers if they are whole numbers of another type."""
    kind: Any = ids.dtype
    whole = kind != np.dtype("int64") and pd.api.types.is_integer_dtype(kind)
    if pd.api.types.is_float_dtype(kind):
        values = ids.to_numpy(dtype=float)
        whole = bool(np.all(values == np.round(values)))
    return pd.Index(ids.to_numpy(dtype="int64"), name=ids.name) if whole else ids


def _drop_repeats(stations: Table, what: str) -> Table:
    """Keep the first of rows that repeat an id at one position; others are an error."""
    index = stations.index
    # Sorted ids, as our sources return them, are checked without a hash table.
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
            f"(first: {label_of(index, np.argmax(apart))}): give each station its own id, or keep "
            f"one row for each with {what}[~{what}.index.duplicated()]"
        )
    warn_user(
        f"{what}: {repeated.sum()} of {len(index)} rows repeat the id of another row (first: "
        f"{label_of(index, np.argmax(repeated))}); each station is used once. Drop repeated rows "
        f"with {what}[~{what}.index.duplicated()]",
        DroppedRows,
    )
    result = stations[~repeated]
    result.attrs = dict(stations.attrs)
    return result  # type: ignore[return-value] # the kind of the argument


def take_ids(ids: pd.Index[Any], rows: NDArray[np.intp]) -> Any:  # noqa: ANN401 - any array
    """
    Return ids by row as a nullable column.

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
    if ids.inferred_type == "string":
        return pd.array(values, dtype="string")
    return pd.Series(values, dtype=object).array
