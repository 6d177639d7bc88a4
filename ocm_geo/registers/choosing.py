"""Which stations and charging points of a draft are kept, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.borders import countries, find_countries
from ocm_geo.schema import REMOVED

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NOT_KEPT", "REPEATED_ID", "Chosen", "choose_points", "choose_sites", "find_swapped"]

NOT_KEPT = -1
REPEATED_ID = "repeats the id of a station"
_MAX_LON, _MAX_LAT = 180.0, 90.0
_OUT_OF_ORDER = 100
_FAULTS = ("", "no position", "position out of range")
_WRITTEN_ID = r"^[A-Za-z]{2}[*.\-]?[A-Za-z0-9]{3}.{4,}$"


@dataclass(frozen=True)
class Chosen:
    """
    The stations that are kept.

    Parameters
    ----------
    rows : numpy.ndarray of int
        The row of each, by ascending id; of repeats the newest.
    new_row : numpy.ndarray of int
        For each row of the draft, the position of its station in `rows`, or `NOT_KEPT`.
    faults : list of (int, str)
        Rows that are not kept, and why.
    """

    rows: NDArray[np.intp]
    new_row: NDArray[np.intp]
    faults: list[tuple[int, str]]


def choose_sites(sites: pa.Table, *, merge: bool, unit: str, placed: bool = True) -> Chosen:
    """
    Choose the stations that are kept: those with an id and a position on the Earth.

    Parameters
    ----------
    sites : pyarrow.Table
        The stations of the draft.
    merge : bool
        Whether rows of one id share their charging points; else only the newest row is kept.
    unit : {"station", "point"}
        What a row is. Where it is a charging point, repeated ids of stations are no fault.
    placed : bool
        Whether a station needs a position.

    Returns
    -------
    Chosen
        The stations.
    """
    no_id = sites["station_id"].is_null().to_numpy()
    faults = _find_position_faults(sites) if placed else np.zeros(len(sites), dtype=np.int8)
    with_id = np.flatnonzero(~no_id)
    code, n = _rank_ids(sites["station_id"].take(pa.array(with_id)))
    age = _read_age(sites["updated"].take(pa.array(with_id)))
    newest = _first_of_each(code, n, faults[with_id] > 0, age)
    # A row without a position belongs to the station that another row places.
    is_placed = faults[with_id[newest]] == 0
    rank = np.where(is_placed, np.cumsum(is_placed) - 1, NOT_KEPT)
    new_row = np.full(len(sites), NOT_KEPT, dtype=np.intp)
    new_row[with_id] = rank[code]
    told = [(int(row), "no id") for row in np.flatnonzero(no_id)]
    lost = np.flatnonzero((new_row == NOT_KEPT) & ~no_id)
    told += [(int(row), _FAULTS[faults[row]]) for row in lost if faults[row]]
    told += [(int(row), _FAULTS[1]) for row in lost if not faults[row]]
    chosen = with_id[newest[is_placed]]
    if unit == "station":
        repeats = np.setdiff1d(np.flatnonzero(new_row != NOT_KEPT), chosen)
        told += [(int(row), REPEATED_ID) for row in repeats]
        if not merge:
            new_row[repeats] = NOT_KEPT
    return Chosen(chosen, new_row, told)


def _find_position_faults(sites: pa.Table) -> NDArray[np.int8]:
    """Return what is wrong with the position of each row: a place in `_FAULTS`, 0 if nothing."""
    lon, lat = (_to_float_array(sites[name]) for name in ("lon", "lat"))
    missing = np.isnan(lon) | np.isnan(lat)
    off = ~missing & ~((np.abs(lon) <= _MAX_LON) & (np.abs(lat) <= _MAX_LAT))
    return np.select([missing, off], [1, 2], default=0).astype(np.int8)


def _rank_ids(ids: pa.ChunkedArray) -> tuple[NDArray[np.intp], int]:
    """Return the rank of each id among the distinct ones, and their number."""
    coded = ids.combine_chunks().dictionary_encode()
    order = pc.array_sort_indices(coded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[coded.indices.to_numpy()], len(order)


def _read_age(updated: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return a number that is smaller for what was updated later; the largest where unknown."""
    known = updated.cast(pa.int64()).combine_chunks()
    ages: NDArray[np.int64] = -known.fill_null(np.iinfo(np.int64).min + 1).to_numpy(
        zero_copy_only=False
    )
    return ages


def _first_of_each(code: NDArray[np.intp], n: int, *keys: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each code that comes first by keys; at a tie the first row."""
    order = np.lexsort((*reversed(keys), code))
    first = np.searchsorted(code[order], np.arange(n))
    return order[first]


def choose_points(points: pa.Table, evse_ids: pa.Array, *, unique: bool) -> NDArray[np.bool_]:
    """
    Choose the charging points that are kept: of repeated EVSE ids, the newest.

    Parameters
    ----------
    points : pyarrow.Table
        The charging points; ``site`` is the station that is kept, or `NOT_KEPT`.
    evse_ids : pyarrow.Array of string
        Their EVSE ids in normal form.
    unique : bool
        Whether an EVSE id is the key of a charging point.

    Returns
    -------
    numpy.ndarray of bool
        Whether each is kept. At a tie of times one that works is, then one with a power.
    """
    kept: NDArray[np.bool_] = points["site"].to_numpy() != NOT_KEPT
    if not unique:
        return kept
    raw = points["evse_id"].combine_chunks()
    # What was meant as an id identifies, even if its form is wrong; "22kW" does not.
    meant = pc.match_substring_regex(raw, _WRITTEN_ID)
    keys = pc.coalesce(evse_ids, pc.if_else(meant, raw, pa.scalar(None, pa.string())))
    rows = np.flatnonzero(kept & keys.is_valid().to_numpy(zero_copy_only=False))
    code, ids = pd.factorize(keys.take(pa.array(rows)).to_pandas())
    if len(ids) == len(rows):
        return kept
    at = pa.array(rows)
    status = _to_float_array(points["status_type_id"].take(at))
    broken = np.isin(status, (*REMOVED, _OUT_OF_ORDER))
    no_power = np.isnan(_to_float_array(points["power_kw"].take(at)))
    best = _first_of_each(code, len(ids), _read_age(points["updated"].take(at)), broken, no_power)
    kept[np.setdiff1d(rows, rows[best])] = False
    return kept


def find_swapped(
    lon: NDArray[np.float64], lat: NDArray[np.float64], codes: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """
    Find stations outside their country that lie in it with the axes exchanged.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    codes : numpy.ndarray of str
        ISO codes of the countries that the register states; None where it states none.

    Returns
    -------
    numpy.ndarray of bool
        True where longitude and latitude are probably swapped.
    """
    swapped = np.zeros(len(lon), dtype=bool)
    known = np.array([code is not None for code in codes], dtype=bool)
    rows = np.flatnonzero(known & (np.abs(lon) <= _MAX_LAT))
    if not rows.size:
        return swapped
    names = _country_names(lon[rows], lat[rows])
    away = rows[names != codes[rows]]
    if away.size:
        exchanged = _country_names(lat[away], lon[away])
        swapped[away] = exchanged == codes[away]
    return swapped


def _country_names(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the codes of the countries that claim positions; "" on the sea."""
    names = np.append(countries()["code"].to_numpy(dtype=object), "")
    found: NDArray[np.object_] = names[find_countries(lon, lat)]
    return found


def _to_float_array(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.array(column.to_numpy(), dtype=np.float64)
