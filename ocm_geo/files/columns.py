"""Convert tables to plain columns that every file format can store.

`pack` makes a plain table: texts as column names, index levels as the first columns, values that
are booleans, whole numbers, numbers, texts or times. What is needed to restore the original
table is plain JSON, the *facts*, which are written into or beside the file.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.provenance import ATTRS_KEY, read_attrs
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Packed", "pack", "plain_json", "to_lonlat", "to_wkt"]

VERSION = 2
# Kinds by the inferred type of a column of objects; anything else is JSON.
_OBJECTS = {
    "string": "text",
    "empty": "text",
    "boolean": "bool",
    "date": "date",
    "datetime": "stamp",
    "datetime64": "stamp",
    "timedelta": "span",
    "time": "other",
}
_SHOWN = 3


@dataclass(frozen=True)
class Packed:
    """
    A table in plain columns.

    Parameters
    ----------
    columns : pandas.DataFrame
        Index levels first; without the active geometry. RangeIndex.
    geometry : geopandas.GeoSeries or None
        The active geometry in EPSG:4326.
    facts : dict
        Plain JSON: provenance, columns, index.
    """

    columns: pd.DataFrame
    geometry: gpd.GeoSeries | None
    facts: dict[str, Any]

    @property
    def geometry_name(self) -> str:
        """Return the name of the geometry in the file."""
        return str(self.facts["geometry"]["name"])


def pack(table: pd.DataFrame, *, same_case: bool = False, taken: tuple[str, ...] = ()) -> Packed:
    """
    Return a table as plain columns.

    Parameters
    ----------
    table : pandas.DataFrame or geopandas.GeoDataFrame
        Any table.
    same_case : bool
        Whether the format ignores the case of names.
    taken : tuple of str
        Names, in lower case, that the format uses itself.

    Returns
    -------
    Packed
        The columns and the facts.

    Raises
    ------
    QueryError
        If a column name occurs twice, geometry has no coordinate reference system, or values
        cannot be written.
    """
    _check_table_labels(table)
    geometry = _find_geometry(table)
    labels = [label for label in table.columns if geometry is None or label != geometry.name]
    named = _Names(same_case, taken)
    geometry_fact = None if geometry is None else {"name": named.add(str(geometry.name))}
    sources = [*_list_index_levels(table.index), *((label, table[label]) for label in labels)]
    columns, facts = {}, []
    for label, values in sources:
        name = named.add(_format_label(label, named.n))
        columns[name], fact = _encode_column(values.reset_index(drop=True), name)
        facts.append({"name": name, "label": _to_plain_label(label), **fact})
    n_index = len(sources) - len(labels)
    return Packed(
        pd.DataFrame(columns, index=pd.RangeIndex(len(table))),
        None if geometry is None else gpd.GeoSeries(to_lonlat(geometry).reset_index(drop=True)),
        {
            "version": VERSION,
            "provenance": plain_json(read_attrs(table)),
            "attrs": _collect_other_attrs(table),
            "n_rows": len(table),
            "n_index": n_index,
            "columns": facts,
            "column_names": [_to_plain_label(name) for name in table.columns.names],
            "geometry": geometry_fact,
            "order": _find_geometry_position(table, geometry),
        },
    )


def to_lonlat(geometry: gpd.GeoSeries) -> gpd.GeoSeries:
    """
    Return geometry in EPSG:4326.

    Parameters
    ----------
    geometry : geopandas.GeoSeries
        Geometry with a coordinate reference system.

    Returns
    -------
    geopandas.GeoSeries
        The geometry in longitude and latitude.

    Raises
    ------
    QueryError
        If it has no coordinate reference system.
    """
    if geometry.crs is None:
        raise QueryError(
            f"column {geometry.name!r} has no coordinate reference system: call set_crs(...) first"
        )
    return geometry.to_crs(CRS)


def to_wkt(geometry: gpd.GeoSeries) -> pd.Series:
    """
    Return geometry as well-known text.

    Parameters
    ----------
    geometry : geopandas.GeoSeries
        Any geometry.

    Returns
    -------
    pandas.Series
        Texts with all digits of the coordinates.
    """
    texts: pd.Series = geometry.to_wkt(rounding_precision=17).astype("string")
    return texts


def plain_json(value: Any) -> Any:  # noqa: ANN401 - any value in, plain JSON out
    """
    Return a value as strict JSON.

    Parameters
    ----------
    value : object
        Lists, dicts, texts, numbers, dates, numpy values, ...

    Returns
    -------
    object
        dict, list, str, int, float, bool or None; NaN and infinity as None.

    Raises
    ------
    TypeError
        If JSON cannot represent it.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, dict):
        return {str(key): plain_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain_json(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((plain_json(inner) for inner in value), key=str)
    if isinstance(value, pd.Timedelta | dt.timedelta | np.timedelta64):
        return str(pd.Timedelta(value))
    return _to_plain_scalar(value)


def _to_plain_scalar(value: Any) -> Any:  # noqa: ANN401
    """Return a number or date as JSON represents it."""
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


class _Names:
    """Unique names of columns in the file."""

    def __init__(self, same_case: bool, taken: tuple[str, ...]) -> None:  # noqa: FBT001
        self._fold: Callable[[str], str] = str.casefold if same_case else str
        self._used = set(taken)
        self.n = 0

    def add(self, name: str) -> str:
        """Return the name, with a number if it is already used."""
        self.n += 1
        unique, i = name, 2
        while self._fold(unique) in self._used:
            unique, i = f"{name}_{i}", i + 1
        self._used.add(self._fold(unique))
        return unique


def _check_table_labels(table: pd.DataFrame) -> None:
    """Check that the columns of a table have different names."""
    if not isinstance(table, pd.DataFrame):
        raise QueryError(f"table must be a DataFrame, not {type(table).__name__}")
    twice = table.columns[table.columns.duplicated()].unique().tolist()
    if twice:
        raise QueryError(
            f"the table has several columns called {', '.join(map(repr, twice[:_SHOWN]))}: rename "
            "or drop all but one of each"
        )


def _find_geometry(table: pd.DataFrame) -> gpd.GeoSeries | None:
    """Return the active geometry of a table."""
    named = isinstance(table, gpd.GeoDataFrame) and table.active_geometry_name is not None
    return table.geometry if named else None


def _find_geometry_position(table: pd.DataFrame, geometry: gpd.GeoSeries | None) -> int | None:
    return None if geometry is None else list(table.columns).index(geometry.name)


def _list_index_levels(index: pd.Index) -> list[tuple[Hashable, pd.Series]]:
    """Return the levels of an index as columns; none for row numbers."""
    if isinstance(index, pd.RangeIndex) and index.name is None and index.start == 0:
        return [] if index.step == 1 else [(None, index.to_series())]
    if not isinstance(index, pd.MultiIndex):
        return [(index.name, index.to_series())]
    return [
        (index.names[i], pd.Series(index.get_level_values(i), name=None))
        for i in range(index.nlevels)
    ]


def _format_label(label: Hashable, position: int) -> str:
    """Return the name of a column in a file."""
    if label is None:
        return "index" if position == 0 else f"level_{position}"
    if isinstance(label, tuple):
        return "_".join(str(part) for part in label if str(part))
    return str(label)


def _to_plain_label(label: Hashable) -> Any:  # noqa: ANN401 - JSON
    """Return a label as JSON: a tuple is a list, None is null."""
    try:
        return plain_json(label)
    except TypeError:
        return str(label)


def _collect_other_attrs(table: pd.DataFrame) -> dict[str, Any]:
    """Return the attrs of the user that JSON can represent."""
    kept = {}
    for key, value in table.attrs.items():
        if key == ATTRS_KEY or not isinstance(key, str):
            continue
        try:
            kept[key] = plain_json(value)
        except TypeError:
            continue
    return kept


def _encode_column(values: pd.Series, name: str) -> tuple[pd.Series, dict[str, Any]]:
    """Return a column in a plain type, with the facts that restore it."""
    dtype = values.dtype
    fact: dict[str, Any] = {"dtype": str(dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        kinds, inner = _encode_column(dtype.categories.to_series().reset_index(drop=True), name)
        plain, _ = _encode_column(values.astype(dtype.categories.dtype), name)
        return plain, {
            **inner,
            "categories": [plain_json(v) for v in _list_json_values(kinds)],
            "ordered": bool(dtype.ordered),
        }
    if isinstance(dtype, gpd.array.GeometryDtype):
        crs = None if values.crs is None else values.crs.to_string()
        return to_wkt(gpd.GeoSeries(values)), {**fact, "kind": "wkt", "crs": crs}
    kind = _find_column_kind(values)
    return _PLAIN[kind](values, name), {**fact, "kind": kind}


def _find_column_kind(values: pd.Series) -> str:
    """Return the plain kind of a column."""
    dtype, types = values.dtype, pd.api.types
    tests: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("bool", types.is_bool_dtype),
        ("int", types.is_integer_dtype),
        ("float", types.is_float_dtype),
        ("time", types.is_datetime64_any_dtype),
        ("span", types.is_timedelta64_dtype),
    )
    if not types.is_object_dtype(dtype):
        found = next((kind for kind, test in tests if test(dtype)), None)
        if found == "int" and (values.dropna() > np.iinfo("int64").max).any():
            return "other"
        return found or ("text" if types.is_string_dtype(dtype) else "other")
    return _OBJECTS.get(types.infer_dtype(values, skipna=True), "json")


def _list_json_values(values: pd.Series) -> list[Any]:
    return [None if pd.isna(v) else v for v in values]


def _to_json_texts(values: pd.Series, name: str) -> pd.Series:
    """Return lists, dicts and mixed values as JSON texts."""
    texts = []
    for value in values:
        missing = value is None or (pd.api.types.is_scalar(value) and pd.isna(value))
        try:
            text = None if missing else json.dumps(plain_json(value), ensure_ascii=False)
        except (TypeError, RecursionError) as error:
            raise QueryError(
                f"column {name!r} cannot be written: {error}; drop it or convert it to text"
            ) from error
        texts.append(text)
    return pd.Series(texts, dtype="string", index=values.index)


def _to_texts(values: pd.Series, _: str) -> pd.Series:
    return values.map(str, na_action="ignore").astype("string")


_PLAIN: dict[str, Callable[[pd.Series, str], pd.Series]] = {
    "bool": lambda values, _: values.astype("boolean"),
    "int": lambda values, _: values.astype("Int64"),
    "float": lambda values, _: values,
    "text": lambda values, _: values.astype("string"),
    "time": lambda values, _: values,
    "date": _to_texts,
    "stamp": _to_texts,
    "span": _to_texts,
    "other": _to_texts,
    "json": _to_json_texts,
}
