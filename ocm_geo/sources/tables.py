"""From decoded records to tables: block by block, column by column, nothing row by row.

A block is small, so that its records are still in the processor's cache when their columns
are taken out, and gone when the next one is decoded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa

from ocm_geo import schema
from ocm_geo.connections import Connection, connection_table, summaries
from ocm_geo.reference import bundled
from ocm_geo.sources.columns import (
    Grower,
    Values,
    connection_texts,
    country_codes,
    extra_texts,
    is_given,
    strip_texts,
    transposed,
)
from ocm_geo.sources.countries import fill_countries
from ocm_geo.sources.lenient import find_excess
from ocm_geo.sources.pruning import reference_object
from ocm_geo.sources.records import (
    ADDRESS_FIELDS,
    CONNECTION_FIELDS,
    EMPTY,
    POI_FIELDS,
    REFERENCES,
    CamelPoi,
    PoiAddress,
    Records,
    Reject,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.sources.records import Reference

__all__ = ["Parsed", "Reject", "TableBuilder", "to_geodataframe"]

Harvest = dict[str, dict[int, dict[str, Any]]]

MAX_LAT, MAX_LON = 90.0, 180.0
NO_ADDRESS = PoiAddress()
ROWS_AT_ONCE = 8192
"""Number of rows that are turned into Arrow columns at once."""

_NO_COLUMN = {"address", "connections", "reference", "ignored", "null"}
STATION_KINDS = {
    **{f.name: f.kind for f in (*POI_FIELDS, *ADDRESS_FIELDS) if f.kind not in _NO_COLUMN},
    "connections": "encoded",
}
CONNECTION_KINDS = {
    name: kind for name, _, kind in CONNECTION_FIELDS if name in Connection.__struct_fields__
}

STATION_LAYOUT = pa.schema(
    [
        *(f for f in schema.arrow_schema(schema.STATION_COLUMNS) if f.name != "country_code"),
        pa.field("lon", pa.float64(), nullable=False),
        pa.field("lat", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Parsed:
    """
    What was read from one body or batch.

    Parameters
    ----------
    stations : pyarrow.Table
        The columns of `ocm_geo.schema.STATION_COLUMNS`, and ``lon`` and ``lat`` in degrees; in
        the order of the input.
    connections : pyarrow.Table
        The columns of `ocm_geo.schema.CONNECTION_COLUMNS`.
    n_read : int
        Records met: those in ``stations`` and those in ``rejects``.
    rejects : tuple of Reject
        The records that could not be used.
    coerced : dict of str to int
        How many values of each column were of a wrong type, and are missing now; columns of
        connections as ``connections.NAME``.
    harvest : dict of str to dict
        Reference objects by table (``operators``, ``countries``, ...) and id.
    origins : list of str
        The file or request of each station.
    positions : numpy.ndarray of int
        The position of each station in it.
    n_connections : numpy.ndarray of int
        How many of the connections belong to each station.
    """

    stations: pa.Table
    connections: pa.Table
    n_read: int
    rejects: tuple[Reject, ...]
    coerced: dict[str, int]
    harvest: Harvest
    origins: list[str]
    positions: NDArray[np.int64]
    n_connections: NDArray[np.int64]


def to_geodataframe(parsed: Parsed) -> gpd.GeoDataFrame:
    """
    Return the stations as the public station table.

    Parameters
    ----------
    parsed : Parsed
        What was read.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``ocm_id``, EPSG:4326, in the order of the input.
    """
    return schema.stations_from_arrow(parsed.stations)


class TableBuilder:
    """
    Tables that grow by blocks of decoded records.

    Records of equal id are all taken: which of them is the newest is known at the end alone.
    """

    def __init__(self) -> None:
        self._stations = Grower(STATION_KINDS)
        self._connections = Grower(CONNECTION_KINDS)
        self._counts: list[int] = []
        self._n_connections: list[int] = []
        self._origins: list[str] = []
        self._positions: list[int] = []
        self._tables: list[tuple[pa.Table, pa.Table]] = []
        self._rejects: list[Reject] = []
        self._coerced: Counter[str] = Counter()
        self._harvest: Harvest = {}
        self._n_read = 0

    def __len__(self) -> int:
        return len(self._origins)

    @property
    def n_read(self) -> int:
        """Records met so far, kept or rejected."""
        return self._n_read

    def add(self, records: Records) -> None:
        """
        Add a block.

        Parameters
        ----------
        records : Records
            Decoded records; those without an id or a position on Earth are rejected.
        """
        self._n_read += len(records.rows) + len(records.rejects)
        poi, address = self._split_usable(records)
        self._rejects += records.rejects
        sites = [site or [] for site in poi["connections"]]
        flat = list(chain.from_iterable(sites))
        connection = transposed(flat, CONNECTION_FIELDS)
        self._gather_references(poi, REFERENCES["poi"])
        self._gather_references(address, REFERENCES["address"])
        fill_countries(address, poi["unknown"], records.coerced)
        self._gather_references(connection, REFERENCES["connection"])
        strip_texts(flat, connection, ("reference", "comments"))
        camel = CamelPoi in set(map(type, records.rows))
        texts = connection_texts(sites, connection, camel=camel)
        self._coerced.update(records.coerced)
        self._counts.extend(map(len, sites))
        self._connections.extend(connection)
        self._stations.extend({**poi, **address, "connections": texts})
        if len(self._counts) >= ROWS_AT_ONCE:
            self._build_tables()

    def _build_tables(self) -> None:
        """Build tables of the rows that wait."""
        counts = np.array(self._counts, np.int64)
        stations = self._stations.build(self._coerced)
        connections = connection_table(
            self._connections.build(Counter()), np.repeat(stations["ocm_id"].to_numpy(), counts)
        )
        stations |= summaries(connections, counts)
        stations["extra"] = extra_texts(stations)
        names = [field.name for field in STATION_LAYOUT]
        table = pa.table([stations[name] for name in names], schema=STATION_LAYOUT)
        self._tables.append((table, connections))
        self._n_connections += self._counts
        self._counts.clear()

    def _split_usable(self, records: Records) -> tuple[Values, Values]:
        """Return the fields of the usable records and their addresses; reject the others."""
        poi, address = _transpose_fields(records.rows)
        ids = poi["ocm_id"]
        n_most = max((len(site or ()) for site in poi["connections"]), default=0)
        if (
            None in ids
            or min(ids, default=1) < 1
            or find_excess(n_most)
            or not _are_on_earth(address["lat"], address["lon"])
        ):
            _reject_faults(records)
            poi, address = _transpose_fields(records.rows)
        # Not the pairs: the garbage collector would walk them again and again.
        self._origins += [origin for origin, _ in records.places]
        self._positions += [position for _, position in records.places]
        return poi, address

    def _gather_references(self, values: Values, references: Sequence[Reference]) -> None:
        """Decode each reference object once, and fill ids that only the object tells."""
        for name, id_name, table in references:
            raws = values[name]
            if raws.count(EMPTY) == len(raws):
                continue
            found = self._harvest.setdefault(table, {})
            ids = list(values[id_name])
            for i, (key, raw) in enumerate(zip(ids, raws, strict=True)):
                if key in found or not is_given(raw):
                    continue
                if (value := reference_object(raw)) is not None:
                    found[value["ID"]] = value
                    ids[i] = value["ID"] if key is None else key
            values[id_name] = ids

    def parsed(self) -> Parsed:
        """
        Finish the tables.

        Returns
        -------
        Parsed
            The tables, and the account of what was read.
        """
        self._build_tables()
        stations, connections = (pa.concat_tables(t) for t in zip(*self._tables, strict=True))
        codes = country_codes(stations["country_id"], self._country_codes())
        return Parsed(
            stations=_add_country_codes(stations, codes),
            connections=connections,
            n_read=self._n_read,
            rejects=tuple(self._rejects),
            coerced={name: n for name, n in sorted(self._coerced.items()) if n},
            harvest={table: found for table, found in self._harvest.items() if found},
            origins=self._origins,
            positions=np.array(self._positions, np.int64),
            n_connections=np.array(self._n_connections, np.int64),
        )

    def _country_codes(self) -> dict[int, str]:
        """Return the ISO codes of the records' own country objects, and of the known countries."""
        harvested = self._harvest.get("countries", {})
        own = {i: country.get("ISOCode") for i, country in harvested.items()}
        return {i: code for i, code in own.items() if isinstance(code, str)} | _load_bundled_codes()


@cache
def _load_bundled_codes() -> dict[int, str]:
    codes = bundled().countries["iso_code"]
    return dict(zip(codes.index.to_list(), codes.to_list(), strict=True))


def _transpose_fields(rows: Sequence[Any]) -> tuple[Values, Values]:
    """Return the fields of records and of their addresses, column by column."""
    poi = transposed(rows, POI_FIELDS)
    addresses = [address or NO_ADDRESS for address in poi["address"]]
    return poi, transposed(addresses, ADDRESS_FIELDS)


def _are_on_earth(lats: Sequence[float | None], lons: Sequence[float | None]) -> bool:
    lat, lon = (np.array(values, np.float64) for values in (lats, lons))
    return bool(np.all((np.abs(lat) <= MAX_LAT) & (np.abs(lon) <= MAX_LON)))


def _reject_faults(records: Records) -> None:
    """Move the records that cannot be stations to the rejects."""
    found = zip(records.rows, records.places, strict=True)
    records.rows, records.places = [], []
    for row, place in found:
        if fault := _find_record_fault(row):
            records.reject(place, row.ocm_id, fault, _excerpt_record(row))
        else:
            records.add([row], [place])


def _find_record_fault(row: Any) -> str | None:  # noqa: ANN401 - a Poi
    """Return why a record cannot be a station; None if it can."""
    address = row.address or NO_ADDRESS
    if row.ocm_id is None:
        return "no integer ID"
    if row.ocm_id < 1:
        return f"not a positive ID: {row.ocm_id}"
    if address.lat is None or address.lon is None:
        return "no position"
    if abs(address.lat) > MAX_LAT or abs(address.lon) > MAX_LON:
        return f"position out of range: latitude {address.lat}, longitude {address.lon}"
    return find_excess(len(row.connections or ()))


def _excerpt_record(row: Any) -> str:  # noqa: ANN401 - a Poi
    row.unknown = None
    return msgspec.json.encode(row).decode()


def _add_country_codes(stations: pa.Table, codes: pa.ChunkedArray) -> pa.Table:
    """Put the codes of the countries in their place among the columns."""
    names = [column.name for column in schema.STATION_COLUMNS]
    position = names.index("country_code")
    return stations.add_column(
        position, schema.arrow_schema(schema.STATION_COLUMNS)[position], codes
    )
