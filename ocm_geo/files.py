"""Writing and reading tables with their provenance.

GeoParquet holds it inside; for every other format it stands beside, in ``PATH.meta.json``.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

from ocm_geo.errors import QueryError
from ocm_geo.provenance import attach, read_attrs
from ocm_geo.schema import CRS, empty_connections, empty_stations

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["read", "write"]

_DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".kml": "KML"}
SUFFIXES = (".parquet", *_DRIVERS, ".csv")
_META = "ocm_geo"


def write(table: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """
    Write a table, in the format that the suffix names, with its provenance.

    Parameters
    ----------
    table : pandas.DataFrame or geopandas.GeoDataFrame
        Any table of ours.
    path : path
        ``.parquet`` (GeoParquet 1.1 where there is geometry), ``.gpkg``, ``.geojson``, ``.kml``
        or ``.csv``. A file of that name is replaced, in one step and only by a complete one.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    QueryError
        If the suffix is none of these, the format needs geometry and the table has none, or
        the file cannot be written.

    Notes
    -----
    Texts are written as they are. Some begin like formulas (``=…``), since stations are
    described by strangers: tell a spreadsheet to read them as text.

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
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise QueryError(f"{target.name}: the suffix must be one of {', '.join(SUFFIXES)}")
    if suffix in _DRIVERS and not isinstance(table, gpd.GeoDataFrame):
        raise QueryError(f"{target.name}: {suffix} needs geometry; write .csv or .parquet")
    try:
        with _beside(target) as scratch:
            _write(table, scratch, suffix)
            meta = json.dumps(_facts(table), ensure_ascii=False)
            if suffix != ".parquet":
                _write_meta(target, meta)
    except OSError as error:
        raise QueryError(f"{target} cannot be written: {error}") from error
    return target


def read(path: str | os.PathLike[str]) -> pd.DataFrame:
    """
    Read what `write` wrote: the same columns, types, index and provenance.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        The table. From ``.kml`` only what GDAL keeps of it.

    Raises
    ------
    QueryError
        If there is no such file, or its suffix is none of ours.

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
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix not in SUFFIXES:
        raise QueryError(f"{source.name}: the suffix must be one of {', '.join(SUFFIXES)}")
    if not source.is_file():
        raise QueryError(f"{source} does not exist")
    table, facts = _read_parquet(source) if suffix == ".parquet" else _read_other(source, suffix)
    table = _typed(table, facts.get("dtypes", {}))
    index = facts.get("index")
    if index is not None and index in table:
        table = table.set_index(index)
    return attach(table, **facts.get("provenance", {}))


def _facts(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "provenance": read_attrs(table),
        "index": table.index.name,
        "dtypes": {str(name): str(dtype) for name, dtype in table.reset_index().dtypes.items()},
    }


def _write(table: pd.DataFrame, path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        _write_parquet(table, path)
    elif suffix == ".csv":
        _flat(table).to_csv(path, index=table.index.name is not None, encoding="utf-8")
    else:
        plain = gpd.GeoDataFrame(table).to_crs(CRS)
        # Without this, GDAL writes texts that look like JSON as JSON.
        options = {"AUTODETECT_JSON_STRINGS": "NO"} if suffix == ".geojson" else {}
        named = table.index.name is not None
        plain.to_file(path, driver=_DRIVERS[suffix], index=named, **options)


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    if isinstance(table, gpd.GeoDataFrame):
        table.to_parquet(path, schema_version="1.1.0", write_covering_bbox=True, compression="zstd")
    else:
        table.to_parquet(path, compression="zstd")
    content = pq.read_table(path)
    metadata = {**(content.schema.metadata or {}), _META.encode(): json.dumps(_facts(table))}
    pq.write_table(content.replace_schema_metadata(metadata), path, compression="zstd")


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Give points as two columns of degrees, other shapes as well-known text."""
    if not isinstance(table, gpd.GeoDataFrame):
        return table
    geometry = table.geometry.to_crs(CRS)
    plain = pd.DataFrame(table.drop(columns=table.geometry.name))
    if (geometry.geom_type == "Point").all():
        return plain.assign(lon=geometry.x, lat=geometry.y)
    return plain.assign(geometry=geometry.to_wkt())


def _read_parquet(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    metadata = pq.read_schema(path).metadata or {}
    facts: dict[str, Any] = json.loads(metadata.get(_META.encode(), b"{}"))
    table = gpd.read_parquet(path) if b"geo" in metadata else pd.read_parquet(path)
    index = facts.get("index")
    return (table.reset_index() if index is not None else table), facts


def _read_other(path: Path, suffix: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    beside = _meta_path(path)
    facts: dict[str, Any] = {}
    if beside.is_file():
        facts = json.loads(beside.read_text(encoding="utf-8"))
    if suffix != ".csv":
        return gpd.read_file(path), facts
    texts = {name: "string" for name, kind in facts.get("dtypes", {}).items() if kind == "string"}
    return _shaped(pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])), facts


def _shaped(table: pd.DataFrame) -> pd.DataFrame:
    if {"lon", "lat"} <= set(table.columns):
        points = gpd.points_from_xy(table["lon"], table["lat"])
        table = gpd.GeoDataFrame(table.drop(columns=["lon", "lat"]), geometry=points, crs=CRS)
    elif "geometry" in table:
        shapes = gpd.GeoSeries.from_wkt(table["geometry"], crs=CRS)
        table = gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=shapes)
    return table


def _typed(table: pd.DataFrame, dtypes: dict[str, str]) -> pd.DataFrame:
    """Give columns back the types that a format could not hold."""
    known = _schema_dtypes()
    for name in table.columns:
        wanted = dtypes.get(name, known.get(name))
        if wanted is None or wanted == "geometry" or str(table[name].dtype) == wanted:
            continue
        if wanted.startswith("datetime64"):
            table[name] = pd.to_datetime(table[name], utc=True, format="ISO8601")
        table[name] = table[name].astype(pd.api.types.pandas_dtype(wanted))
    return table


def _schema_dtypes() -> dict[str, str]:
    """Give the types of our own columns, for files whose provenance was lost."""
    columns = {**empty_connections().dtypes, **empty_stations().reset_index().dtypes}
    return {str(name): str(dtype) for name, dtype in columns.items()}


def _meta_path(path: Path) -> Path:
    return path.with_name(path.name + ".meta.json")


def _write_meta(path: Path, text: str) -> None:
    with _beside(_meta_path(path)) as scratch:
        scratch.write_text(text + "\n", encoding="utf-8")


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Write in a folder beside the target, and move the complete file over it."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ocm_geo-") as folder:
        scratch = Path(folder) / target.name
        yield scratch
        scratch.replace(target)
