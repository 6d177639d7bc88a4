"""Check what records say: connections, dates, status, usage, texts, licences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.connections import connection_rows
from ocm_geo.provenance import read_attrs
from ocm_geo.reference.registry import reference_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CHECK_DATES",
    "check_connections",
    "check_dates",
    "check_licences",
    "check_texts",
    "check_usage",
    "find_imputed",
    "read_data_date",
]

CHECK_DATES = ("date_last_status_update", "date_last_confirmed", "date_last_verified")
_STALE_YEARS = 2
_AFDC = 2
_AFDC_DEFAULTS_KW = (1.0, 1.9, 3.0, 3.7, 40.0, 50.0)
_PLANNED, _NOT_WORKING = 150, (30, 100, 200, 210)
_PRIVATE = (2, 3, 6)

_TEST_WORD = r"(?:t+e+s+t+(?:s|ing)?|dummy)"
_FILLER = (
    rf"(?:{_TEST_WORD}|site|station|charger|location|poi|entry|record|point|evse|ev|charging|"
    r"do|not|use|please|delete|ignore|only|for|the|a|my|new|\d+)"
)
_TEST_TITLES = (
    rf"^[\W_\d]*{_TEST_WORD}(?:[\W_]*{_FILLER})*[\W_\d]*$",
    r"[_-]t+e+s+t+\d*$",
    r"^(?:my )?(?:test|dummy)[ _-](?:site|station|charger|charge ?point|location|poi|entry|evse)\b",
    r"\b(?:automated tests?|testing only|test only|please (?:ignore|delete)|do not use)\b",
    r"\b(?:borne de test|testeintrag|testlocatie|testpaal|teststation|testladesäule)\b",
)
_PLACEHOLDERS = (
    r"^\W*(?:string|null|none|undefined|nan|n/?a|tbd|tbc|untitled|title|name|foo|bar)\W*$",
    r"^\W*(?:xxx+|zzz+|asdf\w*|qwert\w*)\W*$",
    r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$",
    r"^[0-9a-f]{24,64}$",
)
_LEFT_BY_PROGRAMS = (
    r"lorem ipsum|\[object object\]|\{\{[^}]*\}\}|\$\{[^}]*\}|<(?:title|name|address|insert)[^>]*>",
    r"asdfgh|qwertyu",
    r"\bas an? (?:ai|artificial intelligence|large language)\b|\bas a language model\b",
    r"i.{0,2}m sorry, (?:but )?i can(?:not|.{1,2}t)|(?:certainly|sure)[!,] here.{0,2}(?: i)?s",
)
_COMMENTS = ("general_comments", "access_comments")
_NONCOMMERCIAL = r"by-nc|non-?\s?commercial"
_NO_LICENCE = r"^as the publisher states"


def check_connections(stations: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """
    Check the connections of stations.

    Parameters
    ----------
    stations : pandas.DataFrame
        A table with the column ``connections``.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        By the name of the fault.
    """
    rows, table = connection_rows(stations)
    n = len(stations)

    def any_of(flag: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - array or Series
        return np.bincount(rows[np.asarray(flag)], minlength=n) > 0

    source = table["power_source"]
    computed = source.isin(["computed", "given_as_formula"])
    quantity = table["quantity"].to_numpy(dtype=float, na_value=np.nan)
    imputed = find_imputed(stations, rows, table)
    found = {
        "no_connections": np.bincount(rows, minlength=n) == 0,
        "power_missing": any_of(table["power_kw"].isna()),
        "power_implausible": any_of(~table["power_plausible"].to_numpy(dtype=bool, na_value=True)),
        "power_computed": any_of(computed.to_numpy(dtype=bool) & ~imputed),
        "power_imputed": any_of(imputed),
        "quantity_missing": any_of(~(quantity >= 1)),
    }
    if "n_points" in stations:
        points = pd.to_numeric(stations["n_points"], errors="coerce")
        total = _count_stated_points(rows, table, quantity, n)
        known = points.notna().to_numpy() & ~found["no_connections"] & ~found["quantity_missing"]
        differs = points.to_numpy(dtype=float, na_value=np.nan) != total
        found["points_mismatch"] = known & differs
    return found


def _count_stated_points(
    rows: NDArray[np.intp], table: pd.DataFrame, quantity: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """Sum the quantities of each station; connections of one EVSE count once."""
    evse = table["evse_id"].fillna(table["reference"])
    # Connections without an identifier are each a point of their own.
    own = np.where(evse.isna(), np.arange(len(rows)), pd.factorize(evse)[0] - len(rows))
    points = pd.DataFrame({"row": rows, "evse": own, "quantity": quantity})
    most = points.groupby(["row", "evse"])["quantity"].max()
    return np.bincount(most.index.get_level_values("row"), most.to_numpy(), minlength=n)


def find_imputed(
    stations: pd.DataFrame, rows: NDArray[np.intp], table: pd.DataFrame
) -> NDArray[np.bool_]:
    """
    Find the connections whose power was invented by an import.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.
    rows : numpy.ndarray of int
        The row of the station of each connection.
    table : pandas.DataFrame
        The connections, as of `connection_rows`.

    Returns
    -------
    numpy.ndarray of bool
        One value a connection.
    """
    imputed = (table["power_source"] == "estimated_by_import").to_numpy(dtype=bool, na_value=False)
    if "data_provider_id" not in stations:
        return imputed
    from_afdc = (stations["data_provider_id"] == _AFDC).to_numpy(dtype=bool, na_value=False)
    return imputed | (from_afdc[rows] & table["power_kw"].isin(_AFDC_DEFAULTS_KW).to_numpy())


def read_data_date(stations: pd.DataFrame) -> pd.Timestamp:
    """
    Return the date of the data of a table.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.

    Returns
    -------
    pandas.Timestamp
        As recorded in ``attrs["ocm"]``; else the newest date in the table; NaT without dates.
    """
    facts = read_attrs(stations)
    for name in ("data_date", "retrieved"):
        date = pd.to_datetime(str(facts.get(name)), errors="coerce", utc=True)
        if not pd.isna(date):
            return date
    newest = [stations[name].max() for name in CHECK_DATES if name in stations]
    dates = pd.to_datetime(pd.Series(newest, dtype=object), utc=True, errors="coerce")
    return pd.Timestamp(dates.max())


def check_dates(stations: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, NDArray[np.bool_]]:
    """
    Check the age of records.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.
    as_of : pandas.Timestamp
        The date of the data.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        By the name of the fault.
    """
    seen = [_read_times(stations, name) for name in CHECK_DATES if name in stations]
    if not seen:
        return {}
    newest = pd.concat([*seen, _read_times(stations, "date_created")], axis=1).max(axis=1)
    dated = pd.concat(seen, axis=1).notna().any(axis=1)
    old = newest < as_of - pd.DateOffset(years=_STALE_YEARS)
    return {"stale": (dated & old).to_numpy(dtype=bool)}


def _read_times(stations: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column of dates in UTC; missing where it is absent or no date."""
    if name not in stations:
        return pd.Series(pd.NaT, index=stations.index, dtype="datetime64[us, UTC]")
    return pd.to_datetime(stations[name], utc=True, errors="coerce")


def check_usage(stations: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, NDArray[np.bool_]]:
    """
    Check whether stations are open, and to whom.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.
    as_of : pandas.Timestamp
        The date of the data.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        By the name of the fault.
    """
    found = {}
    planned = _read_times(stations, "date_planned") > as_of
    if "status_type_id" in stations:
        status = stations["status_type_id"]
        planned |= (status == _PLANNED).fillna(value=False)
        found["out_of_service"] = status.isin(_NOT_WORKING).to_numpy(dtype=bool)
    found["not_yet_open"] = planned.to_numpy(dtype=bool)
    if "usage_type_id" in stations:
        found["private"] = stations["usage_type_id"].isin(_PRIVATE).to_numpy(dtype=bool)
    return found


def check_texts(stations: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """
    Check titles and comments.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        By the name of the fault.
    """
    if "title" not in stations:
        return {}
    title = pc.utf8_trim_whitespace(_read_text_column(stations, "title"))
    generated = _match_any(title, (*_PLACEHOLDERS, *_LEFT_BY_PROGRAMS))
    for name in _COMMENTS:
        if name in stations:
            generated |= _match_any(_read_text_column(stations, name), _LEFT_BY_PROGRAMS)
    return {"test_entry": _match_any(title, _TEST_TITLES), "generated_text": generated}


def _read_text_column(stations: pd.DataFrame, name: str) -> pa.Array:
    return pa.array(stations[name].astype("string"), pa.string(), from_pandas=True)


def _match_any(texts: pa.Array, patterns: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which texts match any of the patterns, whatever their case."""
    pattern = "|".join(f"(?:{p})" for p in patterns)
    found = pc.match_substring_regex(texts, pattern, ignore_case=True)
    return np.asarray(found.fill_null(fill_value=False).to_numpy(zero_copy_only=False))


def check_licences(stations: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """
    Check the licences of the providers of stations.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        By the name of the fault.
    """
    if "data_provider_id" not in stations:
        return {}
    known = reference_of(stations, ask=False).data_providers
    licence = known["license"].astype("string")
    # Registers and tables of users have a licence on record, but no flag of Open Charge Map.
    stated = licence.notna() & ~licence.str.contains(_NO_LICENCE, case=False).fillna(value=False)
    is_open = known["is_open_data_licensed"].astype("boolean").fillna(value=stated)
    closed = licence.str.contains(_NONCOMMERCIAL, case=False).fillna(value=False)
    ids = stations["data_provider_id"]
    return {
        "licence_noncommercial": ids.isin(known.index[closed.astype(bool)]).to_numpy(dtype=bool),
        "licence_unknown": ~ids.isin(known.index[is_open.astype(bool)]).to_numpy(dtype=bool),
    }
