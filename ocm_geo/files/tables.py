"""Write and read tables in every format."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

from ocm_geo.errors import OCMError, QueryError
from ocm_geo.files.columns import pack
from ocm_geo.files.delimited import read_csv, shape_of, with_position, write_csv
from ocm_geo.files.geojson import read_geojson, write_geojson
from ocm_geo.files.geopackage import TAKEN, read_geopackage, write_geopackage
from ocm_geo.files.keyhole import read_kml, write_kml
from ocm_geo.files.parquet import read_parquet, write_parquet
from ocm_geo.files.restoring import restore
from ocm_geo.files.texts import Texts
from ocm_geo.files.workbook import read_workbook, write_workbook
from ocm_geo.paths import expand_path, replacing

if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".parquet", ".gpkg", ".geojson", ".kml", ".csv", ".xlsx")
"""Suffixes of the formats that can be written and read."""

_SPATIAL = (".gpkg", ".geojson", ".kml")
# Errors of libraries for damaged files; each becomes a QueryError that names the file.
_FAULTS = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError),
    *(RuntimeError, EOFError, SyntaxError, NotImplementedError, MemoryError, ArithmeticError),
    *(pa.ArrowException, shapely.errors.ShapelyError, zlib.error),
)


def write(table: pd.DataFrame, path: str | os.PathLike[str], *, excel: bool = False) -> Path:
    """
    Write a table with its provenance, in the format of the suffix.

    Parameters
    ----------
    table : pandas.DataFrame or geopandas.GeoDataFrame
        Any table.
    path : path
        ``.parquet`` (GeoParquet 1.1 with geometry), ``.gpkg``, ``.geojson``, ``.kml``,
        ``.csv`` or ``.xlsx``; ``~`` is the home folder. An existing file is replaced in
        one step, and only by a complete one.
    excel : bool
        For ``.csv``: whether to begin with a byte order mark, which Excel needs to read letters
        beyond ASCII.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    QueryError
        If the suffix is another one, the format needs geometry and the table has none, or a
        column or the file cannot be written.
    MissingDependency
        If the suffix is ``.xlsx`` and openpyxl is not installed (extra ``excel``).

    Notes
    -----
    Index, column types and provenance are inside the file (for CSV beside it, in
    ``PATH.meta.json``) and `read` restores them. Geometry is written in EPSG:4326, in
    GeoParquet in its own reference system. Points are columns ``lon`` and ``lat`` in CSV and
    Excel, other shapes well-known text. Lists and dicts become JSON texts. A GeoPackage
    ignores the case of names and reserves ``fid`` and ``geom``: such columns get a number at the
    end of their name. Empty texts in CSV, KML and Excel, and infinite numbers in GeoJSON, are
    read as missing.

    In ``.xlsx`` all texts are text cells, also those that begin like a formula (``=…``). In CSV
    texts are written unchanged: import them as text into a spreadsheet. Times in
    ``.xlsx`` are UTC.

    Examples
    --------
    >>> import tempfile
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_point((5.12, 52.09), 5, source=ocm.sample())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = ocm.read(ocm.write(stations, f"{folder}/utrecht.parquet"))
    >>> again.index.equals(stations.index)
    True
    """
    target = expand_path(path)
    suffix = _check_table_suffix(target)
    if not isinstance(table, pd.DataFrame):
        raise QueryError(f"table must be a DataFrame, not {type(table).__name__}")
    if suffix in _SPATIAL and not _has_active_geometry(table):
        raise QueryError(f"{target.name}: {suffix} needs geometry; write .csv, .xlsx or .parquet")
    if excel and suffix != ".csv":
        raise QueryError(f"{target.name}: excel=True is for .csv; .xlsx needs no option")
    with replacing(target) as scratch:
        try:
            if suffix == ".csv":
                write_csv(pack(table), scratch, target, excel=excel)
            else:
                _write_format(suffix, table, scratch)
        except OCMError as error:
            raise type(error)(*_name_file(error, target)) from error
        except OSError:
            raise
        except _FAULTS as error:
            raise QueryError(f"{target.name} cannot be written: {error}") from error
    return target


def _name_file(error: OCMError, target: Path) -> tuple[Any, ...]:
    """Return the arguments of an error, its message with the file's name in front."""
    first, *others = error.args
    if type(error) is QueryError and target.name not in str(first):
        first = f"{target.name} cannot be written: {first}"
    return first, *others


def _check_table_suffix(path: Path) -> str:
    """Return the suffix of a path, in lower case."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise QueryError(f"{path.name}: the suffix must be one of {', '.join(SUFFIXES)}")
    return suffix


def _has_active_geometry(table: pd.DataFrame) -> bool:
    return isinstance(table, gpd.GeoDataFrame) and table.active_geometry_name is not None


def _write_format(suffix: str, table: pd.DataFrame, path: Path) -> None:
    """Write a table in one of the formats that need one file."""
    if suffix == ".parquet":
        write_parquet(table, path)
    elif suffix == ".gpkg":
        write_geopackage(pack(table, same_case=True, taken=TAKEN), path)
    elif suffix == ".geojson":
        write_geojson(pack(table), path)
    elif suffix == ".kml":
        write_kml(pack(table), path)
    else:
        columns, facts = with_position(pack(table))
        write_workbook(columns, facts, path)


def read(path: str | os.PathLike[str]) -> pd.DataFrame:
    """
    Read a table that `write` wrote, with its columns, types, index and provenance.

    Parameters
    ----------
    path : path
        The file; ``~`` is the home folder.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        The table. A file of another program has no provenance; its columns with names of our
        schema get our types, so that postcodes stay texts, and texts that are numbers without
        loss become numbers.

    Raises
    ------
    QueryError
        If the file does not exist, has another suffix, is damaged or of another format, or
        values do not fit their column.
    MissingDependency
        If it is ``.xlsx`` and openpyxl is not installed (extra ``excel``).

    Warns
    -----
    SuspectInput
        If a CSV file was changed after it was written (its provenance may be wrong),
        is not UTF-8, may be cut off, or its ``.meta.json`` is damaged.

    Notes
    -----
    CSV saved by a spreadsheet is read with commas, semicolons, tabs or bars between columns,
    decimal commas, and dates with day or month first if a column is unambiguous; if a number or
    date is ambiguous, the error names the column.

    Examples
    --------
    >>> import tempfile
    >>> import ocm_geo as ocm
    >>> areas = ocm.sample_areas()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = ocm.read(ocm.write(areas, f"{folder}/areas.gpkg"))
    >>> again["name"].equals(areas["name"])
    True
    """
    source = expand_path(path)
    suffix = _check_table_suffix(source)
    if not source.is_file():
        what = "is a folder" if source.is_dir() else "does not exist"
        raise QueryError(f"{source} {what}")
    try:
        return restore(*_read_format(suffix, source))
    except OCMError:
        raise
    except _FAULTS as error:
        raise QueryError(f"{source.name} is damaged or not a {suffix} file: {error}") from error


def _read_format(
    suffix: str, path: Path
) -> tuple[pd.DataFrame, gpd.GeoSeries | None, dict[str, Any], Texts]:
    """Read the plain columns, geometry and facts of a file."""
    texts = Texts(path.name)
    if suffix == ".csv":
        return read_csv(path)
    if suffix == ".xlsx":
        columns, facts = read_workbook(path)
        return *shape_of(columns, facts, texts), facts, texts
    readers = {
        ".parquet": read_parquet,
        ".gpkg": read_geopackage,
        ".geojson": read_geojson,
        ".kml": read_kml,
    }
    return *readers[suffix](path), texts
