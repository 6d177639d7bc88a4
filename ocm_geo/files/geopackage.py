"""Write and read GeoPackages with their provenance."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ocm_geo.checks import warn_user
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.files.restoring import parse_facts
from ocm_geo.files.styles import choose_layer, write_style
from ocm_geo.provenance import NOT_RECORDED
from ocm_geo.schema import CRS, PANDAS_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ocm_geo.files.columns import Packed

__all__ = ["TAKEN", "naming_warnings", "read_geopackage", "write_geopackage"]

TAKEN = ("fid", "geom", "ogc_fid")
_KEY = "ocm_geo"
_DATE_OPTION = "OGR_CURRENT_DATE"


@contextlib.contextmanager
def naming_warnings(file: str) -> Iterator[None]:
    """
    Replace warnings of GDAL by ours, which name the file.

    Parameters
    ----------
    file : str
        Name of the file.

    Warns
    -----
    SuspectInput
        For each different warning of GDAL.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        warn_user(f"{file}: GDAL warns that {text!r}", SuspectInput)


def write_geopackage(packed: Packed, path: Path) -> None:
    """
    Write a table as the only layer of a GeoPackage.

    Parameters
    ----------
    packed : Packed
        The table, with names that differ without case.
    path : pathlib.Path
        The path to write.
    """
    import pyogrio  # noqa: PLC0415 - not needed by the other formats

    columns, geometry = packed.columns.copy(deep=False), packed.geometry
    if geometry is None:
        raise QueryError("a GeoPackage needs geometry")
    for name, values in columns.items():
        if pd.api.types.is_datetime64_any_dtype(values.dtype) and not _are_whole_milliseconds(
            values
        ):
            columns[name] = values.map(pd.Timestamp.isoformat, na_action="ignore").astype("string")
    credit = str((packed.facts.get("provenance") or {}).get("attribution") or NOT_RECORDED)
    with _dating_content(packed.facts):
        pyogrio.write_dataframe(
            gpd.GeoDataFrame(columns, geometry=geometry.array, crs=CRS),
            path,
            driver="GPKG",
            dataset_metadata={_KEY: json.dumps(packed.facts, ensure_ascii=False)},
        )
    write_style(path, columns, credit)


@contextlib.contextmanager
def _dating_content(facts: dict[str, Any]) -> Iterator[None]:
    """
    Let GDAL date a table of a snapshot by its data, and not by the clock.

    A snapshot never changes: a table made from it again is then the same to the last bit.
    """
    import pyogrio  # noqa: PLC0415 - not needed by the other formats

    provenance = facts.get("provenance") or {}
    date = provenance.get("data_date") if provenance.get("snapshot") else None
    if date is None:
        yield
        return
    pyogrio.set_gdal_config_options({_DATE_OPTION: f"{date}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_DATE_OPTION: None})


def _are_whole_milliseconds(values: pd.Series) -> bool:
    """Return whether times have no parts that GeoPackage cuts off."""
    known = values.dropna()
    return bool((known == known.dt.floor("ms")).all())


def read_geopackage(path: Path) -> tuple[pd.DataFrame, gpd.GeoSeries | None, dict[str, Any]]:
    """
    Read the first layer of a GeoPackage.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple
        Columns, geometry and the facts of `write_geopackage`.

    Raises
    ------
    QueryError
        If the file is damaged.
    """
    import pyogrio  # noqa: PLC0415 - not needed by the other formats

    _check_database(path)
    layer = choose_layer(path)
    with naming_warnings(path.name):
        info = pyogrio.read_info(path, layer=layer)
        facts = _read_metadata_facts(info)
        table = pyogrio.read_dataframe(
            path,
            layer=layer,
            use_arrow=True,
            arrow_to_pandas_kwargs={"types_mapper": PANDAS_TYPES.get},
        )
    if len(table) != info["features"]:
        raise QueryError(
            f"{path.name} is damaged: {len(table)} of {info['features']} rows can be read"
        )
    if not isinstance(table, gpd.GeoDataFrame):
        return table, None, facts
    geometry = table.geometry
    return pd.DataFrame(table.drop(columns=geometry.name)), geometry, facts


def _read_metadata_facts(info: dict[str, Any]) -> dict[str, Any]:
    """Return the facts in the metadata of a file."""
    return parse_facts((info.get("dataset_metadata") or {}).get(_KEY))


def _check_database(path: Path) -> None:
    """Check that the database of a GeoPackage is intact."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        ) as db:
            found = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise QueryError(f"{path.name} is not a GeoPackage or is damaged: {error}") from error
    if found != ("ok",):
        raise QueryError(f"{path.name} is damaged: {found[0] if found else 'it is empty'}")
