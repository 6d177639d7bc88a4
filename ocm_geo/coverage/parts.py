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
    Say whether a table is a path or a dask collection.

    Parameters
    ----------
    table : object
        What the caller gave.

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
        Which.
    first_row : int
        The number of rows before them.
    keys : tuple of tuple of str
        Columns that are in the names of folders (``country=NL``), and their values.
    """

    path: str
    groups: tuple[int, ...]
    first_row: int
    keys: tuple[tuple[str, str], ...] = ()

    def read(self, columns: Sequence[str] | None = None) -> gpd.GeoDataFrame:
        """
        Read it.

        Parameters
        ----------
        columns : sequence of str, optional
            Only these, and the geometry.

        Returns
        -------
        geopandas.GeoDataFrame
            The rows, with the file's index.

        Raises
        ------
        QueryError
            If it is no GeoParquet, or has no such column.
        """
        file = pq.ParquetFile(self.path)
        name, crs = _geometry_of(file, self.path)
        there = file.schema_arrow.names
        for column in columns or ():
            if column not in there:
                raise QueryError(f"{self.path} has no column {column!r}; there are {there}")
        wanted = None if columns is None else [*columns, name]
        table = file.read_row_groups(self.groups, columns=wanted)
        frame = table.to_pandas()
        stored = (table.schema.pandas_metadata or {}).get("index_columns") or [None]
        if isinstance(stored[0], dict) and stored[0].get("kind") == "range":
            first = stored[0]["start"] + self.first_row * stored[0]["step"]
            frame.index = pd.RangeIndex(
                first,
                first + len(frame) * stored[0]["step"],
                stored[0]["step"],
                name=stored[0]["name"],
            )
        frame[name] = gpd.GeoSeries.from_wkb(frame[name], crs=crs)
        for key, value in self.keys if columns is None else ():
            if key not in frame:
                frame[key] = pd.Series(value, index=frame.index, dtype="str")
        return gpd.GeoDataFrame(frame, geometry=name)


def _geometry_of(file: pq.ParquetFile, path: str) -> tuple[str, Any]:
    """Read the geometry column and its reference system from the file's metadata."""
    facts = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    name = facts.get("primary_column")
    column = facts.get("columns", {}).get(name)
    if column is None or column.get("encoding") != "WKB":
        raise QueryError(
            f"{path} is no GeoParquet with geometries as WKB: write it with geopandas, or give a "
            "dask_geopandas collection"
        )
    # Without a system named, GeoParquet is in longitude and latitude; null means unknown.
    crs = column.get("crs", "OGC:CRS84")
    return name, None if crs is None else pyproj.CRS.from_user_input(crs)


def parquet_parts(path: str | os.PathLike[str]) -> list[ParquetPart]:
    """
    Cut GeoParquet into parts that fit in memory.

    Parameters
    ----------
    path : str or path
        A file, or a folder of them, at any depth.

    Returns
    -------
    list of ParquetPart
        In the order of the names and rows; nothing but metadata is read.

    Raises
    ------
    QueryError
        If there is none.
    """
    root = expand_path(path)
    files = [root] if root.is_file() else sorted(root.rglob("*.parquet"), key=_by_number)
    files = [file for file in files if not _is_hidden(file.relative_to(root))]
    if not files:
        raise QueryError(f"there is no GeoParquet at {str(path)!r}")
    return [part for file in files for part in _parts_of(file, _keys(file.relative_to(root)))]


def _by_number(file: Path) -> list[tuple[int, str]]:
    """Order part.2 before part.10."""
    return [(int(t or 0), "") if t.isdecimal() else (0, t) for t in re.split(r"(\d+)", str(file))]


def _is_hidden(name: Path) -> bool:
    return any(piece.startswith((".", "_")) for piece in name.parts)


def _keys(name: Path) -> tuple[tuple[str, str], ...]:
    pieces = [piece.partition("=") for piece in name.parts[:-1] if "=" in piece]
    return tuple((key, unquote(value)) for key, _, value in pieces)


def _parts_of(file: Path, keys: tuple[tuple[str, str], ...]) -> list[ParquetPart]:
    try:
        facts = pq.read_metadata(file)
    except pa.ArrowException as error:
        raise QueryError(
            f"{file} is no Parquet: {error}; read other tables with geopandas first"
        ) from error
    rows = np.array([facts.row_group(i).num_rows for i in range(facts.num_row_groups)])
    if not len(rows):
        return [ParquetPart(str(file), (), 0, keys)]
    before = np.cumsum(rows) - rows
    # Row groups may be small: together, about as many rows as a part should have.
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


def _dask() -> Any:  # noqa: ANN401 - a module
    """Import dask with its tables, and dask-geopandas, which makes it know geometry."""
    try:
        import dask.dataframe  # noqa: PLC0415 - optional
        import dask_geopandas  # noqa: F401, PLC0415 - optional
    except ImportError as error:
        raise MissingDependency("dask-geopandas", "scale") from error
    return dask


def map_parts(table: Any, work: Callable[[Any], Any], client: Any) -> Any:  # noqa: ANN401
    """
    Do some work on every part, when the result is asked for.

    Parameters
    ----------
    table : str, path or dask_geopandas.GeoDataFrame
        As `is_partitioned` knows them.
    work : callable
        From a GeoDataFrame to a GeoDataFrame.
    client : distributed.Client or None
        A cluster that gets the work's own data once, rather than with every part.

    Returns
    -------
    dask_geopandas.GeoDataFrame
        Lazy, as many parts.
    """
    dask = _dask()
    is_path = isinstance(table, str | os.PathLike)
    parts = parquet_parts(table) if is_path else table.to_delayed()
    # An empty part, as dask's own extensions read it.
    first = parts[0]._replace(groups=()).read() if is_path else table._meta  # noqa: SLF001
    meta = work(first.iloc[:0])
    local = client is None
    tool = dask.delayed(work, pure=True) if local else client.scatter(work, broadcast=True)
    done = [dask.delayed(_apply)(tool, part, list(meta)) for part in parts]
    return dask.dataframe.from_delayed(done, meta=meta, verify_meta=False)


def _apply(work: Callable[[Any], Any], part: Any, columns: list[str]) -> Any:  # noqa: ANN401
    if isinstance(part, ParquetPart):
        part = part.read()
    done = work(part)
    if set(done.columns) != set(columns):
        odd = sorted(set(done.columns) ^ set(columns))
        raise QueryError(f"all parts must have the same columns: {odd} are not in all of them")
    return done[columns]
