"""The ledger of a cleaned table: every change, with what was there before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.ids import id_name
from ocm_geo.provenance import carry

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["attach_ledger", "ledger", "list_changes", "list_dropped"]

_KEY = "ocm_ledger"
"""The name under which the ledger is kept in ``attrs``, as JSON text."""
_COLUMNS = ("row", "action", "column", "old", "new", "reason")


def ledger(cleaned: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Return every change that `clean` made.

    Parameters
    ----------
    cleaned : geopandas.GeoDataFrame
        What `clean` returned.

    Returns
    -------
    pandas.DataFrame
        One row a change, in the order of the original table: ``ocm_id`` or ``station_id``;
        ``row`` (its number in the original table, from 0); ``action``, ``dropped`` or
        ``changed``; ``column`` (missing for dropped rows); ``old`` and ``new``, JSON text: of a
        dropped row, ``old`` is the whole row with the names of its columns, and ``new`` is missing;
        ``reason``, the faults as of `quality_checks`. Geometries are WKT, times ISO 8601.

    Raises
    ------
    QueryError
        If the table was not made by `clean`, or lost its ledger on the way.

    Notes
    -----
    The ledger travels in ``attrs``, which pandas drops in merges, and files do not have: write
    it beside the table, ``ocm.write(ocm.ledger(cleaned), "ledger.csv")``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> changes = ocm.ledger(ocm.clean(stations, "strict"))
    >>> set(changes["action"]) <= {"dropped", "changed"}
    True
    """
    text = getattr(cleaned, "attrs", {}).get(_KEY)
    if not isinstance(text, str):
        raise QueryError(
            f"cleaned must be a table returned by clean(), with its ledger, not "
            f"{short_form(cleaned)} without one: call ledger() before merges and writing"
        )
    columns = json.loads(text)
    table = pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
    table["row"] = table["row"].astype("int64")
    first = table.columns[0]
    for name in table.columns.difference(["row", first]):
        table[name] = table[name].astype("string")
    whole = pd.api.types.infer_dtype(table[first]) in {"integer", "empty"}
    table[first] = table[first].astype("int64" if whole else "string")
    return carry(table, cleaned)


def attach_ledger(cleaned: gpd.GeoDataFrame, changes: pd.DataFrame) -> gpd.GeoDataFrame:
    """Attach a ledger to a table; as text it survives copies, and costs nothing in them."""
    ordered = changes.sort_values("row", kind="stable")
    columns = {
        str(name): [None if value is pd.NA else value for value in ordered[name].tolist()]
        for name in ordered
    }
    cleaned.attrs[_KEY] = json.dumps(columns, ensure_ascii=False)
    return cleaned


def list_dropped(
    stations: gpd.GeoDataFrame, dropped: NDArray[np.bool_], reasons: pd.Series[Any]
) -> pd.DataFrame:
    """
    List dropped rows for the ledger.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        The table before.
    dropped : numpy.ndarray of bool
        Its rows that are dropped.
    reasons : pandas.Series of str
        The faults of each row.

    Returns
    -------
    pandas.DataFrame
        As of `ledger`, without types.
    """
    some = stations[dropped]
    plain = {str(name): _list_plain(some[name]) for name in some}
    old = [
        json.dumps(
            {k: v for k, v in zip(plain, values, strict=True) if v is not None}, ensure_ascii=False
        )
        for values in zip(*plain.values(), strict=True)
    ]
    rows = np.flatnonzero(dropped)
    return _make_entries(stations, rows, reasons, action="dropped", values=(None, old, None))


def list_changes(
    before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, reasons: pd.Series[Any]
) -> pd.DataFrame:
    """
    List changed values for the ledger.

    Parameters
    ----------
    before, after : geopandas.GeoDataFrame
        The table before and after; rows may have been dropped.
    reasons : pandas.Series of str
        The faults of each row of the table before.

    Returns
    -------
    pandas.DataFrame
        As of `ledger`, without types.
    """
    rows = np.flatnonzero(before.index.isin(after.index) & reasons.notna().to_numpy())
    # Only rows with a reason are changed.
    old_rows, new_rows = before.iloc[rows], after.loc[before.index[rows]]
    parts = []
    for name in before.columns:
        old, new = (_list_json(table[name]) for table in (old_rows, new_rows))
        at = np.flatnonzero([a != b for a, b in zip(old, new, strict=True)])
        values = (str(name), [old[k] for k in at], [new[k] for k in at])
        parts.append(_make_entries(before, rows[at], reasons, action="changed", values=values))
    return pd.concat(parts, ignore_index=True)


def _make_entries(
    stations: gpd.GeoDataFrame,
    rows: NDArray[np.intp],
    reasons: pd.Series[Any],
    *,
    action: str,
    values: tuple[Any, Any, Any],
) -> pd.DataFrame:
    """Make entries of the ledger: the column, old and new values of some rows."""
    column, old, new = values
    parts = rows, action, column, old, new, reasons.iloc[rows].to_numpy()
    entries = {
        id_name(stations.index): stations.index[rows].to_numpy(),
        **dict(zip(_COLUMNS, parts, strict=True)),
    }
    return pd.DataFrame(entries, dtype=object)


def _list_plain(values: pd.Series[Any]) -> list[Any]:
    """Return values as they are written in JSON; None where missing."""
    if (
        isinstance(values.dtype, pd.api.extensions.ExtensionDtype)
        and values.dtype.name == "geometry"
    ):
        texts = shapely.to_wkt(values.to_numpy(), rounding_precision=-1)
        return [None if text is None else str(text) for text in texts]
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return [None if pd.isna(value) else value.isoformat() for value in values]
    return [None if _is_absent(value) else _to_plain(value) for value in values.tolist()]


def _is_absent(value: object) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))  # type: ignore[call-overload]


def _to_plain(value: object) -> object:
    """Return a value that JSON has, or its text."""
    return value if isinstance(value, str | int | float | bool) else str(value)


def _list_json(values: pd.Series[Any]) -> list[str | None]:
    """Return values as JSON text; None where missing."""
    return [
        None if value is None else json.dumps(value, ensure_ascii=False)
        for value in _list_plain(values)
    ]
