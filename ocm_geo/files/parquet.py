"""Write and read GeoParquet and Parquet with their provenance and checksums."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

from ocm_geo.errors import QueryError
from ocm_geo.files.columns import pack
from ocm_geo.files.restoring import is_facts

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_parquet", "write_parquet"]

_KEY = b"ocm_geo"
_KEPT = ("json", "stamp", "other")
_NATIVE = ("int", "text")


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """
    Write a table as GeoParquet 1.1, or as Parquet if it has no geometry.

    Parameters
    ----------
    table : pandas.DataFrame or geopandas.GeoDataFrame
        Any table; geometry keeps its coordinate reference system.
    path : pathlib.Path
        The path to write.
    """
    packed = pack(table)
    facts = packed.facts
    levels = [column["name"] for column in facts["columns"][: facts["n_index"]]]
    plain = _choose_native_columns(table, packed.columns, facts)
    if packed.geometry is not None:
        name = packed.geometry_name
        shapes = gpd.GeoSeries(table.geometry.array, index=plain.index, crs=table.crs)
        plain.insert(facts["order"] + len(levels), name, shapes)
        plain = gpd.GeoDataFrame(plain, geometry=name, crs=table.crs)
    if levels:
        plain = plain.set_index(levels)
    if isinstance(plain, gpd.GeoDataFrame):
        plain.to_parquet(path, schema_version="1.1.0", write_covering_bbox=True, compression="zstd")
    else:
        plain.to_parquet(path, compression="zstd")
    content = pq.read_table(path)
    metadata = {**(content.schema.metadata or {}), _KEY: json.dumps(facts)}
    content = content.replace_schema_metadata(metadata)
    pq.write_table(content, path, compression="zstd", write_page_checksum=True)


def _choose_native_columns(
    table: pd.DataFrame, packed: pd.DataFrame, facts: dict[str, Any]
) -> pd.DataFrame:
    """Return the columns in types of Parquet; packed ones if it has none."""
    n_index = facts["n_index"]
    labels = [label for label in table.columns if not _is_active_geometry(table, label)]
    columns = {}
    for i, fact in enumerate(facts["columns"]):
        name = fact["name"]
        if i < n_index:
            values = pd.Series(table.index.get_level_values(i), name=name)
        else:
            values = table[labels[i - n_index]].reset_index(drop=True)
        columns[name] = packed[name] if fact["kind"] in _KEPT else values
    return pd.DataFrame(columns, index=packed.index)


def _is_active_geometry(table: pd.DataFrame, label: object) -> bool:
    return isinstance(table, gpd.GeoDataFrame) and label == table.active_geometry_name


def read_parquet(path: Path) -> tuple[pd.DataFrame, gpd.GeoSeries | None, dict[str, Any]]:
    """
    Read a Parquet file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple
        Columns, geometry or None, and the facts of `write_parquet`.
    """
    metadata = pq.read_schema(path).metadata or {}
    facts = json.loads(metadata.get(_KEY, b"null"))
    facts = facts if is_facts(facts) else {}
    is_geo = b"geo" in metadata
    reader = gpd.read_parquet if is_geo else pd.read_parquet
    table = reader(path, page_checksum_verification=True)
    table.attrs.clear()
    if facts and facts["n_index"]:
        table = table.reset_index()
    missing = {column["name"] for column in facts.get("columns", [])} - set(table.columns)
    if missing:
        raise QueryError(f"{path.name} is damaged: its column {min(missing)!r} is missing")
    if not isinstance(table, gpd.GeoDataFrame):
        return table, None, facts
    geometry = table.geometry
    return pd.DataFrame(table.drop(columns=geometry.name)), geometry, facts
