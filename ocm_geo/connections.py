"""List the connections of stations, and summarise them for each station.

Only this module decides which power a connection has and how certain it is.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from ocm_geo import provenance, schema
from ocm_geo.errors import QueryError
from ocm_geo.evse_ids import normalise_evse_ids
from ocm_geo.ids import id_name, station_table, take_ids
from ocm_geo.power_limits import highest_power_kw, power_is_plausible, usable_amps_volts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "Connection",
    "Int64",
    "clean_text",
    "connection_columns",
    "connection_rows",
    "connection_table",
    "connections",
    "power_of",
    "summaries",
]

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""An integer that fits the columns."""

LAYOUT = schema.arrow_schema(schema.CONNECTION_COLUMNS)
AC_THREE_PHASE = 20
DC = 30
THREE_PHASE_FACTOR = 1.732
IMPORT_ESTIMATE = "kW power is an estimate based on the connection type"
MAX_COUNT = 2.0**53


class Connection(msgspec.Struct, gc=False, omit_defaults=True):
    """
    One connection, with the JSON keys of Open Charge Map.

    Parameters
    ----------
    connection_id, connection_type_id, status_type_id, level_id, current_type_id : int, optional
        ``ID``, ``ConnectionTypeID``, ``StatusTypeID``, ``LevelID``, ``CurrentTypeID``.
    reference, comments : str, optional
        ``Reference``, ``Comments``.
    amps, voltage, quantity : int, optional
        ``Amps`` (A), ``Voltage`` (V), ``Quantity``.
    power_kw : float, optional
        ``PowerKW``, as recorded (kW).
    """

    connection_id: Int64 | None = msgspec.field(default=None, name="ID")
    connection_type_id: Int64 | None = msgspec.field(default=None, name="ConnectionTypeID")
    reference: str | None = msgspec.field(default=None, name="Reference")
    status_type_id: Int64 | None = msgspec.field(default=None, name="StatusTypeID")
    level_id: Int64 | None = msgspec.field(default=None, name="LevelID")
    amps: Int64 | None = msgspec.field(default=None, name="Amps")
    voltage: Int64 | None = msgspec.field(default=None, name="Voltage")
    power_kw: float | None = msgspec.field(default=None, name="PowerKW")
    current_type_id: Int64 | None = msgspec.field(default=None, name="CurrentTypeID")
    quantity: Int64 | None = msgspec.field(default=None, name="Quantity")
    comments: str | None = msgspec.field(default=None, name="Comments")


_one_site = msgspec.json.Decoder(list[Connection])
_all_sites = msgspec.json.Decoder(list[list[Connection]])


def connections(stations: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Return the connections of stations, one row each.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table: the column ``connections`` (JSON text; no rows for missing and
        ``[]``) and the ids as index, or as a column ``ocm_id`` or ``station_id``.

    Returns
    -------
    pandas.DataFrame
        The columns of `ocm_geo.schema.CONNECTION_COLUMNS`, RangeIndex; the first is named
        ``station_id`` for stations that are not from Open Charge Map. Stations in the order of the
        input, the connections of a station in the order of its record.

    Raises
    ------
    QueryError
        If it is not a station table, an id is missing or belongs to several stations, or a text
        is not a list of connections.

    Warns
    -----
    DroppedRows
        If rows repeat a station; its connections are listed once.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> with ocm.using(source=ocm.sample()):
    ...     stations = ocm.stations_from_country("NL")
    >>> table = ocm.connections(stations)
    >>> set(table["ocm_id"]) <= set(stations.index)
    True
    """
    table = station_table(stations, columns=["connections"], placed=False)
    rows, found = connection_rows(table)
    found.insert(0, id_name(table.index), take_ids(table.index, rows))
    return provenance.carry(found, stations)


def connection_rows(stations: pd.DataFrame) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """
    Return the connections of stations with the row of their station.

    Parameters
    ----------
    stations : pandas.DataFrame
        A table with the column ``connections``.

    Returns
    -------
    rows : numpy.ndarray of int
        The row of the station of each connection.
    table : pandas.DataFrame
        The columns of `ocm_geo.schema.CONNECTION_COLUMNS` except the id.

    Raises
    ------
    QueryError
        If a text is not a list of connections.
    """
    texts = pa.array(stations["connections"], pa.string(), from_pandas=True)
    given = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
    sites = _decode_all(texts.drop_null().to_pylist(), stations.index[given])
    counts = np.fromiter(map(len, sites), np.int64, len(sites))
    connections_ = [connection for site in sites for connection in site]
    rows = np.repeat(given, counts)
    table = connection_table(connection_columns(connections_), rows)
    return rows, schema.to_pandas(table.select(LAYOUT.names[1:]))


def _decode_all(texts: Sequence[str], ids: pd.Index[Any]) -> list[list[Connection]]:
    """Decode all texts at once; if that fails, one by one, to name the invalid station."""
    try:
        sites = _all_sites.decode(f"[{','.join(texts)}]")
    except (msgspec.DecodeError, UnicodeEncodeError):
        sites = []
    if len(sites) == len(texts):
        return sites
    return [
        _decode_connections(text, station_id) for text, station_id in zip(texts, ids, strict=True)
    ]


def _decode_connections(text: str, station_id: object) -> list[Connection]:
    """Decode the connections of one station."""
    try:
        return _one_site.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise QueryError(
            f"the connections of station {station_id} are not the JSON of a station table: "
            f"{error}; build a station table from your own columns with stations_from_table"
        ) from error


def connection_columns(rows: Sequence[Connection]) -> dict[str, pa.Array]:
    """
    Return connections as columns.

    Parameters
    ----------
    rows : sequence of Connection
        The connections.

    Returns
    -------
    dict of str to pyarrow.Array
        One column for each field of `Connection`.
    """
    names = Connection.__struct_fields__
    columns = zip(*map(astuple, rows), strict=True) if rows else repeat((), len(names))
    return {
        name: clean_text(pa.array(values, LAYOUT.field(name).type))
        for name, values in zip(names, columns, strict=True)
    }


def connection_table(columns: Mapping[str, pa.Array], ocm_ids: NDArray[np.int64]) -> pa.Table:
    """
    Build the connection table, with powers by the rule of `power_of`.

    Parameters
    ----------
    columns : mapping of str to pyarrow.Array
        The columns of `connection_columns`, n values each.
    ocm_ids : numpy.ndarray, shape (n,)
        The station of each connection.

    Returns
    -------
    pyarrow.Table
        The columns of `ocm_geo.schema.CONNECTION_COLUMNS`.
    """
    finished = {**columns, "ocm_id": pa.array(ocm_ids, pa.int64())}
    kind, current = (
        _column_to_floats(columns[name]) for name in ("connection_type_id", "current_type_id")
    )
    amps, voltage = _column_to_floats(columns["amps"]), _column_to_floats(columns["voltage"])
    finished["power_kw"], finished["power_source"] = power_of(
        _column_to_floats(columns["power_kw"]),
        amps,
        voltage,
        current_type_id=current,
        comments=columns["comments"],
        usable=usable_amps_volts(amps, voltage, kind),
    )
    finished["evse_id"] = normalise_evse_ids(finished["reference"])
    power = _column_to_floats(finished["power_kw"])
    plausible = power_is_plausible(power, highest_power_kw(kind, current))
    finished["power_plausible"] = pa.array(plausible, mask=np.isnan(power))
    return pa.Table.from_arrays([finished[name] for name in LAYOUT.names], schema=LAYOUT)


def clean_text(column: pa.Array) -> pa.Array:
    r"""
    Return texts without surrounding white space; empty ones become missing.

    Parameters
    ----------
    column : pyarrow.Array
        Texts; a column of another type is returned unchanged.

    Returns
    -------
    pyarrow.Array
        The clean texts, without the character ``\0``, which GeoPackage cannot store.
    """
    if not pa.types.is_string(column.type) or column.null_count == len(column):
        return column
    if _contains_nul(column):
        column = pc.replace_substring(column, "\0", "")
    stripped = pc.utf8_trim_whitespace(column)
    if pc.index(stripped, "").as_py() < 0:
        return stripped
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, pa.string()), stripped)


def _contains_nul(column: pa.Array) -> bool:
    """Return whether a column of texts contains the character NUL."""
    characters = column.buffers()[2]
    return characters is not None and bool((np.frombuffer(characters, np.uint8) == 0).any())


def _column_to_floats(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a column as floats, NaN where null."""
    values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(
        zero_copy_only=False
    )
    return values


def power_of(
    power_kw: NDArray[np.float64],
    amps: NDArray[np.float64],
    voltage: NDArray[np.float64],
    *,
    current_type_id: NDArray[np.float64],
    comments: pa.Array,
    usable: NDArray[np.bool_],
) -> tuple[pa.Array, pa.Array]:
    """
    Return the power of each connection, and its origin.

    A recorded power above 0 is kept: as ``estimated_by_import`` if the comment states it, as
    ``given_as_formula`` if it equals what the server of Open Charge Map computes from amps and
    volts, else as ``given``. If none is recorded, that formula is used (``computed``).

    Parameters
    ----------
    power_kw, amps, voltage, current_type_id : numpy.ndarray, shape (n,)
        Recorded power (kW), A, V and type of current; NaN if missing.
    comments : pyarrow.Array, length n
        The comments on the connections.
    usable : numpy.ndarray of bool, shape (n,)
        Whether amps and volts are plausible; others are not used.

    Returns
    -------
    power_kw : pyarrow.Array
        Power of one connector in kW, null if neither recorded nor computable.
    power_source : pyarrow.Array
        One of `ocm_geo.schema.POWER_SOURCES`, null with the power.

    Notes
    -----
    The server's formula: amps x volts / 1000, times 1.732 for three-phase AC, to one decimal.
    """
    phases = np.where(current_type_id == AC_THREE_PHASE, THREE_PHASE_FACTOR, 1.0)
    positive = (amps > 0) & (voltage > 0)
    formula = np.round(np.where(positive, amps * voltage / 1000 * phases, np.nan), 1)
    given = power_kw > 0
    estimated = pc.match_substring(comments, IMPORT_ESTIMATE, ignore_case=True)
    source = np.select(
        [
            given & estimated.fill_null(fill_value=False).to_numpy(zero_copy_only=False),
            given & (np.abs(power_kw - formula) < 1e-9),  # noqa: PLR2004 - far below a decimal
            given,
            usable & (formula > 0),
        ],
        [2, 1, 0, 3],
        default=-1,
    )
    power = np.where(given, power_kw, formula)
    names = pa.array(schema.POWER_SOURCES).take(pa.array(source, mask=source < 0))
    return pa.array(power, mask=source < 0), names


def summaries(table: pa.Table, counts: NDArray[np.int64]) -> dict[str, pa.Array]:
    """
    Summarise the connections of each station.

    Parameters
    ----------
    table : pyarrow.Table
        A connection table, sorted by station.
    counts : numpy.ndarray, shape (n,)
        Number of connections of each station.

    Returns
    -------
    dict of str to pyarrow.Array
        ``n_connectors``, ``max_power_kw``, ``total_power_kw``, ``n_power_missing``,
        ``n_power_implausible`` and ``has_dc`` as described in `ocm_geo.schema.STATION_COLUMNS`.
    """
    power = _column_to_floats(table["power_kw"])
    quantity = np.fmax(_column_to_floats(table["quantity"]), 1)
    current = _column_to_floats(table["current_type_id"])
    given = ~np.isnan(power)
    known = table["power_plausible"].fill_null(fill_value=False).to_numpy()
    with np.errstate(over="ignore"):
        total = _fold_by_station(np.add, np.where(known, power * quantity, 0), counts)
    n_given, n_known = (_fold_by_station(np.add, which, counts) for which in (given, known))
    n_dc = _fold_by_station(np.add, current == DC, counts)
    n_current = _fold_by_station(np.add, ~np.isnan(current), counts)
    settled = (n_dc > 0) | ((n_current == counts) & (counts > 0))
    n_connectors = np.minimum(_fold_by_station(np.add, quantity, counts), MAX_COUNT)
    highest = _fold_by_station(np.maximum, np.where(known, power, 0), counts)
    return {
        "n_connectors": pa.array(n_connectors.astype(np.int64)),
        "max_power_kw": pa.array(highest, mask=n_known == 0),
        "total_power_kw": pa.array(total, mask=(n_known == 0) | ~np.isfinite(total)),
        "n_power_missing": pa.array((counts - n_given).astype(np.int64)),
        "n_power_implausible": pa.array((n_given - n_known).astype(np.int64)),
        "has_dc": pa.array(n_dc > 0, mask=~settled),
    }


def _fold_by_station(
    fold: np.ufunc, values: NDArray[Any], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Fold the values of each station; 0 for a station without values."""
    result = np.zeros(len(counts))
    filled = counts > 0
    if filled.any():
        starts = np.cumsum(counts) - counts
        result[filled] = fold.reduceat(values.astype(np.float64), starts[filled])
    return result
