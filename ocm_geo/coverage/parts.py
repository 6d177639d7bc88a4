"""Tables larger than memory: partitioned GeoParquet and dask collections, part by part."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj

from ocm_geo.errors import MissingDependency, QueryError
from ocm_geo.paths import expand_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["ParquetPart", "is_partitioned", "map_parts", "parquet_parts"]

_ROWS_PER_PART = 1_000_000


def is_partitioned(table: object) -> bool:
    """
    Return whether a table is a path or a dask collection.

    Parameters
    ----------
    table : object
        Any input.

    Returns
    -------
    bool
        Whether it may be larger than memory.
    """
    return isinstance(table, str | os.PathLike) or hasattr(table, "map_partitions")


class ParquetPart(NamedTuple):
    """
    Some row groups of a GeoParquet file.

    Parameters
    ----------
    path : str
        The file.
    groups : tuple of int
        Numbers of the row groups.
    first_row : int
        The number of rows before them.
    keys : tuple of tuple of str
        Columns stored as names of folders (``country=NL``), and their values.
    """

    path: str
    groups: tuple[int, ...]
    first_row: int
    keys: tuple[tuple[str, str], ...] = ()

    def read(self, columns: Sequence[str] | None = None) -> gpd.GeoDataFrame:
        """
        Read the rows.

        Parameters
        ----------
        columns : sequence of str, optional
            Read only these columns, and the geometry.

        Returns
        -------
        geopandas.GeoDataFrame
            The rows, with the index of the file.

        Raises
        ------
        QueryError
            If the file is not GeoParquet, or has no such column.
        """
        file = pq.ParquetFile(self.path)
        name, crs = _read_geometry_facts(file, self.path)
        there = file.schema_arrow.names
        for column in columns or ():
            if column not in there:
                raise QueryError(f"{self.path} has no column {column!r}; its columns are {there}")
        wanted = None if columns is None else [*columns, name]
        table = file.read_row_groups(self.groups, columns=wanted)
        frame = table.to_pandas()
        index = _restore_range_index(table.schema.pandas_metadata, len(frame), self.first_row)
        if index is not None:
            frame.index = index
        frame[name] = gpd.GeoSeries.from_wkb(frame[name], crs=crs)
        for key, value in self.keys if columns is None else ():
            if key not in frame:
                frame[key] = pd.Series(value, index=frame.index, dtype="str")
        return gpd.GeoDataFrame(frame, geometry=name)


def _restore_range_index(
    metadata: dict[str, Any] | None, n_rows: int, first_row: int
) -> pd.RangeIndex | None:
    """Return the stored range index of some rows of a file; None if the index is a column."""
    stored = ((metadata or {}).get("index_columns") or [None])[0]
    if not isinstance(stored, dict) or stored.get("kind") != "range":
        return None
    step = stored["step"]
    first = stored["start"] + first_row * step
    return pd.RangeIndex(first, first + n_rows * step, step, name=stored["name"])


def _read_geometry_facts(file: pq.ParquetFile, path: str) -> tuple[str, Any]:
    """Return geometry column and reference system from the metadata of a file."""
    facts = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    name = facts.get("primary_column")
    column = facts.get("columns", {}).get(name)
    if column is None or column.get("encoding") != "WKB":
        raise QueryError(
            f"{path} is not GeoParquet with geometries as WKB: write it with geopandas, or pass a "
            "dask_geopandas collection"
        )
    # An absent crs means longitude and latitude in GeoParquet; null means unknown.
    crs = column.get("crs", "OGC:CRS84")
    return name, None if crs is None else pyproj.CRS.from_user_input(crs)


def parquet_parts(path: str | os.PathLike[str]) -> list[ParquetPart]:
    """
    Return the parts of GeoParquet, each of which fits in memory.

    Parameters
    ----------
    path : str or path
        A file, or a folder of files at any depth.

    Returns
    -------
    list of ParquetPart
        In the order of names and rows; only metadata are read.

    Raises
    ------
    QueryError
        If there is no GeoParquet file.
    """
    root = expand_path(path)
    files = [root] if root.is_file() else sorted(root.rglob("*.parquet"), key=_sort_key_of)
    files = [file for file in files if not _is_hidden_path(file.relative_to(root))]
    if not files:
        raise QueryError(f"no GeoParquet file found at {str(path)!r}")
    return [
        part
        for file in files
        for part in _split_file(file, _read_folder_keys(file.relative_to(root)))
    ]


def _sort_key_of(file: Path) -> list[tuple[int, str]]:
    """Return a key that orders part.2 before part.10."""
    return [(int(t or 0), "") if t.isdecimal() else (0, t) for t in re.split(r"(\d+)", str(file))]


def _is_hidden_path(name: Path) -> bool:
    return any(piece.startswith((".", "_")) for piece in name.parts)


def _read_folder_keys(name: Path) -> tuple[tuple[str, str], ...]:
    """Return the keys and values in the names of folders (``country=NL``)."""
    pieces = [piece.partition("=") for piece in name.parts[:-1] if "=" in piece]
    return tuple((key, unquote(value)) for key, _, value in pieces)


def _split_file(file: Path, keys: tuple[tuple[str, str], ...]) -> list[ParquetPart]:
    """Return the row groups of a file, joined to parts of a suitable size."""
    try:
        facts = pq.read_metadata(file)
    except pa.ArrowException as error:
        raise QueryError(
            f"{file} is not a Parquet file: {error}; read other tables with geopandas first"
        ) from error
    rows = np.array([facts.row_group(i).num_rows for i in range(facts.num_row_groups)])
    if not len(rows):
        return [ParquetPart(str(file), (), 0, keys)]
    before = np.cumsum(rows) - rows
    # Row groups may be small: several are joined to a part of about the wanted size.
    label = before // _ROWS_PER_PART
    return [
        ParquetPart(
            str(file),
            tuple(np.flatnonzero(label == one).tolist()),
            int(before[label == one][0]),
            keys,
        )
        for one in np.unique(label)
    ]


def _import_dask() -> Any:  # noqa: ANN401 - a module
    """Return dask with its tables, and import dask-geopandas, which adds geometry to them."""
    try:
        import dask.dataframe  # noqa: PLC0415 - optional
        import dask_geopandas  # noqa: F401, PLC0415 - optional
    except ImportError as error:
        raise MissingDependency("dask-geopandas", "scale") from error
    return dask


def map_parts(table: Any, work: Callable[[Any], Any], client: Any) -> Any:  # noqa: ANN401
    """
    Return a lazy table on every part of which some work will be done.

    Parameters
    ----------
    table : str, path or dask_geopandas.GeoDataFrame
        A table that `is_partitioned`.
    work : callable
        Takes a GeoDataFrame and returns one.
    client : distributed.Client or None
        A cluster, to which the data of the work are sent once rather than with every part.

    Returns
    -------
    dask_geopandas.GeoDataFrame
        With as many parts.
    """
    dask = _import_dask()
    is_path = isinstance(table, str | os.PathLike)
    parts = parquet_parts(table) if is_path else table.to_delayed()
    # An empty part shows the columns, as the extensions of dask do it.
    first = parts[0]._replace(groups=()).read() if is_path else table._meta  # noqa: SLF001
    meta = work(first.iloc[:0])
    local = client is None
    tool = dask.delayed(work, pure=True) if local else client.scatter(work, broadcast=True)
    done = [dask.delayed(_apply_to_part)(tool, part, list(meta)) for part in parts]
    return dask.dataframe.from_delayed(done, meta=meta, verify_meta=False)


def _apply_to_part(work: Callable[[Any], Any], part: Any, columns: list[str]) -> Any:  # noqa: ANN401
    """Return the result for one part, with its columns in the order of the first."""
    if isinstance(part, ParquetPart):
        part = part.read()
    done = work(part)
    if set(done.columns) != set(columns):
        odd = sorted(set(done.columns) ^ set(columns))
        raise QueryError(f"all parts must have the same columns: {odd} are not in all of them")
    return done[columns]
