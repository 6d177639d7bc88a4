"""The station and connection tables of what was kept of a register."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.borders import countries, find_countries
from ocm_geo.connections import Connection, connection_table, summaries
from ocm_geo.reference import bundled
from ocm_geo.reference.finding import find_ids
from ocm_geo.reference.own import own_id
from ocm_geo.registers.choosing import find_swapped
from ocm_geo.registers.layouts import STATION_LAYOUT, lay_out
from ocm_geo.registers.powers import sum_ratings
from ocm_geo.registers.values import join_members, map_texts, quote_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.registers.draft import Draft

__all__ = ["Made", "connection_texts", "find_country_code", "make_connections", "make_stations"]

_OPERATIONAL, _MIXED, _UNKNOWN = 50, 75, 0
_LIVE = (10, 20)
_INT = pa.int64()
_SPARE_BITS = 11


class Made(NamedTuple):
    """The ids, stations and connections of a register, and which positions look swapped."""

    ids: pd.Index[Any]
    stations: pa.Table
    connections: pa.Table
    counts: NDArray[np.int64]
    n_swapped: int


def make_connections(points: pa.Table, connectors: pa.Table) -> dict[str, pa.Array]:
    """
    Make the columns of connections of connectors.

    Parameters
    ----------
    points, connectors : pyarrow.Table
        What is kept, station by station.

    Returns
    -------
    dict of str to pyarrow.Array
        A column for each field of `ocm_geo.connections.Connection`. ``reference`` is the EVSE id
        of the charging point, else the key of the connector.
    """
    point = connectors["point"].combine_chunks()
    columns = {
        name: connectors[name].combine_chunks()
        for name in ("connection_type_id", "current_type_id", "level_id", "power_kw", "comments")
    }
    for name in ("amps", "voltage"):
        values = pc.round(connectors[name].combine_chunks())
        fits = pc.and_(pc.greater(values, 0), pc.less(values, 1e6))
        columns[name] = pc.if_else(fits, values, pa.scalar(None, pa.float64())).cast(_INT)
    evse = points["id"].combine_chunks().take(point)
    raw = points["evse_id"].combine_chunks().take(point)
    columns["reference"] = pc.coalesce(evse, raw, connectors["reference"].combine_chunks())
    status = points["status_type_id"].combine_chunks().take(point)
    columns["status_type_id"] = _static_status(status)
    number = connectors["quantity"].combine_chunks()
    columns["quantity"] = pc.if_else(pc.greater(number, 0), number, pa.scalar(None, _INT))
    columns["connection_id"] = pa.nulls(len(connectors), _INT)
    return columns


def _static_status(status: pa.Array) -> pa.Array:
    """Return states of operation: available and in use are how one that works looks just now."""
    live = pc.is_in(status, pa.array(_LIVE, _INT))
    return pc.if_else(live, pa.scalar(_OPERATIONAL, _INT), status)


def connection_texts(columns: dict[str, pa.Array], owner: NDArray[np.int64], n: int) -> pa.Array:
    """
    Write the connections of each owner as compact JSON.

    Parameters
    ----------
    columns : dict of str to pyarrow.Array
        As `make_connections` returns them.
    owner : numpy.ndarray of int
        The station or charging point of each, ascending, below `n`.
    n : int
        How many owners.

    Returns
    -------
    pyarrow.Array of string
        A JSON array each, in Open Charge Map's own keys, without nulls.
    """
    keys = dict(zip(Connection.__struct_fields__, Connection.__struct_encode_fields__, strict=True))
    members = {
        keys[name]: quote_texts(columns[name])
        if pa.types.is_string(columns[name].type)
        else columns[name]
        for name in keys
    }
    objects = join_members(members, len(owner)).fill_null("{}")
    offsets = np.searchsorted(owner, np.arange(n + 1)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), objects)
    return pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")


def make_stations(
    draft: Draft,
    sites: pa.Table,
    points: pa.Table,
    connectors: pa.Table,
    *,
    extra: dict[str, pa.Array],
    attribution: str,
) -> Made:
    """
    Make the station table.

    Parameters
    ----------
    draft : Draft
        Where the rest comes from: its country, and whether it tells charging points apart.
    sites, points, connectors : pyarrow.Table
        What is kept.
    extra : dict of str to pyarrow.Array
        Columns without a place in the schema, as JSON.
    attribution : str
        Whom to credit.

    Returns
    -------
    Made
        The tables.
    """
    n = len(sites)
    columns = make_connections(points, connectors)
    owner = points["site"].to_numpy()[connectors["point"].to_numpy()]
    counts = np.bincount(owner, minlength=n).astype(np.int64)
    ids = pd.Index(sites["station_id"].to_pandas(), name="station_id")
    rank = _number_stations(ids)
    connections = connection_table(columns, np.repeat(rank, counts))
    known: dict[str, Any] = {name: sites[name] for name in _SAME_NAMES}
    known |= summaries(connections, counts)
    codes, swapped = _find_countries(draft, sites)
    known |= {
        "ocm_id": rank,
        "country_code": codes,
        "country_id": map_texts(codes, _find_country_id, _INT),
        "operator_id": map_texts(sites["operator"].combine_chunks(), own_id, _INT),
        "operator_reference": sites["operator"],
        "data_provider_id": np.full(n, own_id(attribution)),
        "provider_reference": sites["station_id"].cast(pa.string()),
        "n_points": _count_points(draft, sites, points),
        "status_type_id": _state_of(sites, points),
        "total_power_kw": _total_power(sites, points, known["total_power_kw"]),
        "date_created": sites["created"],
        "date_planned": sites["planned"],
        "date_last_confirmed": sites["confirmed"],
        "date_last_status_update": sites["updated"],
        "connections": connection_texts(columns, owner, n),
        "extra": _extra_texts(sites, points, extra, swapped),
    }
    stations = lay_out(known, STATION_LAYOUT, n)
    return Made(ids, stations, connections, counts, int(swapped.sum()))


_SAME_NAMES = (
    *("lon", "lat", "title", "address", "town", "state", "postcode", "usage_type_id"),
    *("access_comments", "general_comments", "usage_cost", "phone", "url"),
)


def _number_stations(ids: pd.Index[Any]) -> NDArray[np.int64]:
    """Return a number for each id, the same in every edition: itself, or a hash of 53 bits."""
    if pd.api.types.is_integer_dtype(ids.dtype) and (not len(ids) or ids[0] > 0):
        return ids.to_numpy(dtype=np.int64)
    digests = (hashlib.blake2b(str(text).encode(), digest_size=8).digest() for text in ids)
    return np.array([int.from_bytes(d, "big") >> _SPARE_BITS or 1 for d in digests], dtype=np.int64)


def _find_countries(draft: Draft, sites: pa.Table) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Return country codes, of the record, the register or the position; and swapped axes."""
    stated = sites["country_code"].combine_chunks()
    if draft.country:
        stated = stated.fill_null(draft.country)
    lon, lat = sites["lon"].to_numpy(), sites["lat"].to_numpy()
    names = stated.to_numpy(zero_copy_only=False)
    swapped = find_swapped(lon, lat, names)
    if not stated.null_count:
        return stated, swapped
    codes = np.append(countries()["code"].to_numpy(dtype=object), None)
    found = codes[find_countries(lon, lat)]
    return pc.coalesce(stated, pa.array(found, pa.string())), swapped


@cache
def _find_country_id(code: str) -> int | None:
    """Return the id of a country in Open Charge Map."""
    countries = bundled().countries
    ids = countries.index[(countries["iso_code"] == code).to_numpy(dtype=bool)]
    return int(ids[0]) if len(ids) else None


@cache
def find_country_code(word: str) -> str | None:
    """
    Return the ISO 3166 alpha-2 code of a country.

    Parameters
    ----------
    word : str
        A code of two or three letters, a name, or a telephone prefix as Switzerland writes it.

    Returns
    -------
    str or None
        The code; None if it is not known.
    """
    table = bundled().countries
    found = find_ids(table, "countries", {"41": "CH", "043": "AT", "049": "DE"}.get(word, word))
    code = table["iso_code"].get(found[0]) if found else None
    return None if code is None else str(code)


def _count_points(draft: Draft, sites: pa.Table, points: pa.Table) -> Any:  # noqa: ANN401 - array
    """Return the charging points of stations: as stated, else counted where they are told."""
    stated = sites["n_points"].combine_chunks()
    if not draft.has_points:
        return stated
    number = points["quantity"].fill_null(1).to_numpy()
    counted = np.bincount(points["site"].to_numpy(), number, len(sites))
    # A station of which no charging point is told has an unknown number, not none.
    return pc.coalesce(stated, pa.array(counted.astype(np.int64), mask=counted == 0))


def _total_power(sites: pa.Table, points: pa.Table, summed: pa.Array) -> pa.Array:
    """Return the power of stations: as stated, else the sum of their points, each once."""
    ratings = pa.array(sum_ratings(points, len(sites)), from_pandas=True)
    stated = sites["site_power_kw"].combine_chunks()
    stated = pc.if_else(pc.greater(stated, 0), stated, pa.scalar(None, pa.float64()))
    return pc.coalesce(stated, ratings, summed)


def _state_of(sites: pa.Table, points: pa.Table) -> pa.Array:
    """Return the status of stations: as stated, else that of their points, mixed where unlike."""
    n = len(sites)
    status = _static_status(points["status_type_id"].combine_chunks())
    given = status.is_valid().to_numpy(zero_copy_only=False)
    code = status.fill_null(_UNKNOWN).to_numpy(zero_copy_only=False)
    given &= code != _UNKNOWN
    site = points["site"].to_numpy()[given]
    lowest, highest = np.full(n, 10**6), np.zeros(n, dtype=np.int64)
    np.minimum.at(lowest, site, code[given])
    np.maximum.at(highest, site, code[given])
    working = np.bincount(site, code[given] == _OPERATIONAL, n) > 0
    found = np.where(lowest == highest, highest, np.where(working, _MIXED, lowest))
    derived = pa.array(found, _INT, mask=highest == 0)
    return pc.coalesce(sites["status_type_id"].combine_chunks(), derived)


def _extra_texts(
    sites: pa.Table, points: pa.Table, extra: dict[str, pa.Array], swapped: NDArray[np.bool_]
) -> pa.Array:
    """Write what has no column, and what verdicts use beyond the columns, as JSON."""
    n = len(sites)
    lon, lat = sites["lon"].to_numpy(), sites["lat"].to_numpy()
    at_zero = (lon == 0) & (lat == 0)
    suspect = np.where(swapped, "swapped", np.where(at_zero, "null island", None))
    members = {
        "site_power_kw": sites["site_power_kw"].combine_chunks(),
        "n_heavy_vehicle_bays": _count_heavy(sites, points),
        "position_suspect": quote_texts(pa.array(suspect, pa.string(), from_pandas=True)),
        **extra,
    }
    made, given = join_members(members, n), sites["extra"].combine_chunks()
    if given.null_count == n:
        return made
    both = pc.binary_join_element_wise(
        pc.utf8_rtrim(made, "}"), pc.utf8_slice_codeunits(given, 1), ","
    )
    return pc.coalesce(both, made, given)


def _count_heavy(sites: pa.Table, points: pa.Table) -> pa.Array:
    """Return the bays for heavy vehicles: as stated, else the points that have one."""
    told = points["heavy_vehicle_bay"].combine_chunks()
    known = told.is_valid().to_numpy(zero_copy_only=False)
    heavy = told.fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    site, n = points["site"].to_numpy(), len(sites)
    number = points["quantity"].fill_null(1).to_numpy()
    counted = np.bincount(site, heavy * number, n).astype(np.int64)
    any_told = np.bincount(site, known, n) > 0
    return pc.coalesce(
        sites["n_heavy_vehicle_bays"].combine_chunks(), pa.array(counted, mask=~any_told)
    )
