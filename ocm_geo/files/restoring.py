"""Restore tables from plain columns: types, names, index and provenance."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ocm_geo.files.columns import VERSION
from ocm_geo.files.texts import Texts, looks_numeric
from ocm_geo.provenance import attach
from ocm_geo.schema import CONNECTION_COLUMNS, CRS, STATION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["ID_COLUMNS", "columns_of", "is_facts", "parse_facts", "restore"]

ID_COLUMNS = ("ocm_id", "station_id")
"""Columns that identify stations."""

_KINDS = {"json": "text"}
_TEXT = pd.StringDtype("pyarrow")
"""The type of texts in our tables; pandas 3 calls it string, pandas 2 means another type."""
_DTYPES = {
    "int": "Int64",
    "float": "Float64",
    "bool": "boolean",
    "text": "string",
    "time": "datetime64[us, UTC]",
}


def is_facts(value: object) -> bool:
    """
    Return whether a value from a file has the form of facts.

    Parameters
    ----------
    value : object
        Decoded JSON.

    Returns
    -------
    bool
        Whether it can be used by `restore`.
    """
    return (
        isinstance(value, dict)
        and value.get("version") == VERSION
        and isinstance(value.get("columns"), list)
        and all(
            isinstance(c, dict) and {"name", "kind", "dtype"} <= set(c) for c in value["columns"]
        )
        and isinstance(value.get("provenance"), dict)
    )


def parse_facts(text: str | bytes | None) -> dict[str, Any]:
    """Return the facts that a file contains as JSON; empty without valid ones."""
    try:
        facts = json.loads(text or "null")
    except (TypeError, ValueError, RecursionError):
        return {}
    return facts if is_facts(facts) else {}


def columns_of(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """
    Return the facts of each column by its name in the file.

    Parameters
    ----------
    facts : dict
        The facts of `pack`, or an empty dict.

    Returns
    -------
    dict
        Facts by name; without facts those of the schema.
    """
    if facts:
        return {column["name"]: column for column in facts["columns"]}
    return _list_schema_facts()


@cache
def _list_schema_facts() -> dict[str, dict[str, Any]]:
    """Return the facts of the columns of stations and connections."""
    kinds = {c.name: _KINDS.get(c.kind, c.kind) for c in (*CONNECTION_COLUMNS, *STATION_COLUMNS)}
    return {name: {"name": name, "kind": k, "dtype": _DTYPES[k]} for name, k in kinds.items()}


def restore(
    columns: pd.DataFrame, geometry: gpd.GeoSeries | None, facts: dict[str, Any], texts: Texts
) -> pd.DataFrame:
    """
    Return the packed table.

    Parameters
    ----------
    columns : pandas.DataFrame
        The columns of the file, in plain types or as texts.
    geometry : geopandas.GeoSeries, optional
        The active geometry.
    facts : dict
        The facts of `pack`; empty if the file has none.
    texts : Texts
        The parser of texts.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        The table.

    Raises
    ------
    QueryError
        If values do not fit their column.
    """
    known = columns_of(facts)
    series = {str(n): _decode_column(columns[n], str(n), known.get(str(n)), texts) for n in columns}
    table = pd.DataFrame(series, index=columns.index)
    levels = _find_index_columns(facts, table, geometry)
    if facts:
        ordered = [name for name in known if name in table and name not in levels]
        extra = [name for name in table if name not in known]
        table = table[[*levels, *ordered, *extra]]
    if geometry is not None:
        table = _insert_geometry(table, geometry, facts, len(levels))
    if not facts and levels and str(table[levels[0]].dtype) == "Int64":
        table = table.astype({levels[0]: "int64"})
    table = _set_index_levels(table, levels, known)
    if facts:
        table.columns = _restore_labels(table, facts)
    table.attrs.update(facts.get("attrs", {}))
    return attach(table, **facts.get("provenance", {}))


def _decode_column(
    values: pd.Series, name: str, fact: dict[str, Any] | None, texts: Texts
) -> pd.Series:
    """Return a column in its original type."""
    is_text = pd.api.types.is_string_dtype(values.dtype)
    if fact is None:
        return _guess_column(values, name, texts) if is_text else values
    if fact["kind"] == "wkt":
        crs = fact.get("crs")
        known = values.astype(object).where(values.notna(), None)
        return gpd.GeoSeries.from_wkt(known, crs=crs) if is_text else values
    if is_text or values.dtype == object:
        values = texts.parse(values.astype("string"), name, fact["kind"])
    if "categories" in fact:
        return _to_category(values, name, fact, texts)
    return _cast_column(values, fact["dtype"])


def _to_category(values: pd.Series, name: str, fact: dict[str, Any], texts: Texts) -> pd.Series:
    """Return a column of categories in their order."""
    inner = {key: fact[key] for key in ("kind", "dtype")}
    stored = pd.Series(fact["categories"], dtype=None if fact["categories"] else "string")
    if fact["kind"] in ("time", "date", "stamp", "span"):
        stored = stored.astype("string")
    categories = _decode_column(stored, name, inner, texts)
    dtype = pd.CategoricalDtype(categories, ordered=fact.get("ordered", False))
    return _cast_column(values, fact["dtype"]).astype(dtype)


def _cast_column(values: pd.Series, dtype: str) -> pd.Series:
    """Return values in a type, unchanged if that is impossible."""
    if dtype == "string":
        return values.astype(_TEXT)
    if str(values.dtype) == dtype or dtype == "geometry":
        return values
    try:
        if dtype.startswith("datetime64"):
            return _cast_times(values, dtype)
        cast = values.astype(pd.api.types.pandas_dtype(dtype))
        return cast.where(cast.notna(), None) if dtype == "object" else cast
    except (TypeError, ValueError, NotImplementedError):
        return values


def _cast_times(values: pd.Series, dtype: str) -> pd.Series:
    """Return times in their unit and time zone."""
    times = pd.to_datetime(values, utc=True)
    wanted = pd.api.types.pandas_dtype(dtype)
    if isinstance(wanted, pd.DatetimeTZDtype):
        return times.astype(wanted)
    return times.dt.tz_localize(None).astype(wanted)


def _guess_column(values: pd.Series, name: str, texts: Texts) -> pd.Series:
    """Return a column of texts as numbers or flags if nothing is lost."""
    found = values.dropna().str.strip()
    found = found[found != ""]
    if len(found) and found.str.fullmatch("(?i:true|false)").all():
        return texts.parse(values, name, "bool")
    if texts.decimal_comma and found.str.fullmatch(r"[+-]?\d+(,\d+)?").all():
        values, found = (t.str.replace(",", ".", regex=False) for t in (values, found))
    if not looks_numeric(found):
        return values.mask(values == "")
    whole = found.str.fullmatch(r"[+-]?\d+").all()
    return texts.parse(values, name, "int" if whole else "float")


def _find_index_columns(
    facts: dict[str, Any], table: pd.DataFrame, geometry: gpd.GeoSeries | None
) -> list[str]:
    """Return the columns that are the index."""
    if facts:
        names = [column["name"] for column in facts["columns"][: facts.get("n_index", 0)]]
        return names if all(name in table for name in names) else []
    first = table.columns[0] if len(table.columns) else None
    is_id = geometry is not None and first in ID_COLUMNS and table[first].notna().all()
    return [str(first)] if is_id and table[first].is_unique else []


def _set_index_levels(
    table: pd.DataFrame, levels: list[str], known: dict[str, dict[str, Any]]
) -> pd.DataFrame:
    """Return the table with some columns as its index."""
    if not levels:
        return table
    labels = [
        _restore_label(known[name].get("label", name)) if name in known else name for name in levels
    ]
    table = table.set_index(levels)
    table.index.names = labels
    return table


def _insert_geometry(
    table: pd.DataFrame, geometry: gpd.GeoSeries, facts: dict[str, Any], n_levels: int
) -> gpd.GeoDataFrame:
    """Return the table with its active geometry at its position."""
    name = (facts.get("geometry") or {}).get("name", geometry.name or "geometry")
    order = facts.get("order")
    position = len(table.columns) if order is None else min(order + n_levels, len(table.columns))
    table.insert(position, name, gpd.GeoSeries(geometry.array, index=table.index))
    return gpd.GeoDataFrame(table, geometry=name, crs=geometry.crs or CRS)


def _restore_labels(table: pd.DataFrame, facts: dict[str, Any]) -> pd.Index:
    """Return the column labels of the original table."""
    own = {column["name"]: column.get("label", column["name"]) for column in facts["columns"]}
    labels = [_restore_label(own.get(name, name)) for name in table.columns]
    names = [_restore_label(name) for name in facts.get("column_names", [None])]
    tuples = [label for label in labels if isinstance(label, tuple)]
    if len(names) > 1 and len(tuples) == len(labels):
        return pd.MultiIndex.from_tuples(tuples, names=names)
    return pd.Index(labels, name=names[0] if len(names) == 1 else None, tupleize_cols=False)


def _restore_label(stored: Any) -> Hashable:  # noqa: ANN401 - JSON
    """Return a label from JSON."""
    return tuple(_restore_label(part) for part in stored) if isinstance(stored, list) else stored
