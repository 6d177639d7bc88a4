"""Every record as JSON, made once: compact, without nulls, all records in one piece of memory.

A body begins after the two members that depend on the time of the request
(``IsRecentlyVerified``, ``DateLastVerified``) and holds ``"DistanceUnit":0``, which a question
for a point replaces. All other forms are made from it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa

from ocm_geo.server.escaping import escape_as_dotnet

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CONNECTION_KEYS", "DISTANCE", "Bodies", "encode_bodies", "write_times"]

DISTANCE = b'"DistanceUnit":0'
"""No text of a record can hold this: quotes in texts are escaped."""

_AT_ONCE = 10_000
_WHOLE_KW = re.compile(rb'("PowerKW":-?\d+)\.0(?=[,}])')
_OURS = frozenset(
    (
        *("_id", "IsRecentlyVerified", "AddressCleaningRequired", "LevelOfDetail", "Chargers"),
        *("MetadataTags", "SpatialPosition", "AddressInfo"),
    )
)
"""What a snapshot keeps of a record that the API does not show, or shows elsewhere."""

CONNECTION_KEYS = (
    *("ID", "ConnectionTypeID", "ConnectionType", "Reference", "StatusTypeID", "StatusType"),
    *("LevelID", "Level", "Amps", "Voltage", "PowerKW", "CurrentTypeID", "CurrentType"),
    *("Quantity", "Comments"),
)
_ADDRESS = {
    "ID": "address_id",
    "Title": "title",
    "AddressLine1": "address",
    "AddressLine2": "address2",
    "Town": "town",
    "StateOrProvince": "state",
    "Postcode": "postcode",
    "CountryID": "country_id",
    "Latitude": "lat",
    "Longitude": "lon",
    "ContactTelephone1": "phone",
    "ContactTelephone2": "phone2",
    "ContactEmail": "email",
    "AccessComments": "access_comments",
    "RelatedURL": "url",
}
_POI = {
    "ID": "ocm_id",
    "UUID": "uuid",
    "ParentChargePointID": "parent_id",
    "DataProviderID": "data_provider_id",
    "DataProvidersReference": "provider_reference",
    "OperatorID": "operator_id",
    "OperatorsReference": "operator_reference",
    "UsageTypeID": "usage_type_id",
    "UsageCost": "usage_cost",
    "AddressInfo": "",
    "Connections": "connections",
    "NumberOfPoints": "n_points",
    "GeneralComments": "general_comments",
    "DatePlanned": "date_planned",
    "DateLastConfirmed": "date_last_confirmed",
    "StatusTypeID": "status_type_id",
    "DateLastStatusUpdate": "date_last_status_update",
    "MetadataValues": "metadata",
    "DataQualityLevel": "data_quality_level",
    "DateCreated": "date_created",
    "SubmissionStatusTypeID": "submission_status_id",
}
_JSON = ("connections", "metadata")
_LON_LAT = ("lon", "lat")


def _define_body_struct(name: str, keys: dict[str, str]) -> Any:  # noqa: ANN401 - a class made here
    """Define a struct that writes its members in order, those that are None left out."""
    fields = [(f"f{i}", Any, None) for i in range(len(keys))]
    rename = {f"f{i}": key for i, key in enumerate(keys)}
    return msgspec.defstruct(name, fields, rename=rename, omit_defaults=True, gc=False)


_Address = _define_body_struct("_Address", {**_ADDRESS, "DistanceUnit": ""})
_Poi = _define_body_struct("_Poi", _POI)
_encoder = msgspec.json.Encoder()
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True)
class Bodies:
    """
    The records as JSON, in one piece.

    Parameters
    ----------
    text : bytes
        All bodies, one after the other.
    start : numpy.ndarray of int, shape (n + 1,)
        Where each begins.
    """

    text: bytes
    start: NDArray[np.int64]

    def take(self, positions: NDArray[np.intp]) -> list[bytes]:
        """Return some bodies: each begins with ``"ID":`` and ends with ``}``."""
        first, last = self.start[positions].tolist(), self.start[positions + 1].tolist()
        text = self.text
        return [text[a:b] for a, b in zip(first, last, strict=True)]


def encode_bodies(
    stations: pa.Table,
    order: NDArray[np.intp],
    connections: pa.Table,
    derived: pa.Table | None,
) -> Bodies:
    """
    Encode all records.

    Parameters
    ----------
    stations, connections : pyarrow.Table
        The tables of a snapshot.
    order : numpy.ndarray of int
        Positions of the stations in the order wanted.
    derived : pyarrow.Table, optional
        What OCM's server derives of the connections; its manner of escaping is used then, too.

    Returns
    -------
    Bodies
        The records.
    """
    changes = {} if derived is None else _list_changes(connections, derived)
    blocks, sizes = [], [np.zeros(1, np.int64)]
    for start in range(0, len(order), _AT_ONCE):
        rows = order[start : start + _AT_ONCE]
        encoded = _encode_block(stations.take(pa.array(rows)), changes)
        if derived is not None:
            encoded = [escape_as_dotnet(body) for body in encoded]
        sizes.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        blocks.append(b"".join(encoded))
    return Bodies(b"".join(blocks), np.cumsum(np.concatenate(sizes)))


def _list_changes(
    connections: pa.Table, derived: pa.Table
) -> dict[int, list[tuple[float | None, int | None]]]:
    """List power and level of all connections of the stations where one of them is derived."""
    ids = connections["ocm_id"].to_numpy()
    affected = np.isin(ids, np.unique(ids[derived["changed"].to_numpy()]))
    rows = derived.filter(pa.array(affected))
    values = zip(rows["power_kw"].to_pylist(), rows["level_id"].to_pylist(), strict=True)
    of_station = zip(ids[affected].tolist(), values, strict=True)
    return {
        ocm_id: [value for _, value in group]
        for ocm_id, group in itertools.groupby(of_station, key=lambda pair: pair[0])
    }


def _encode_block(
    table: pa.Table, changes: dict[int, list[tuple[float | None, int | None]]]
) -> list[bytes]:
    """Encode some records, each without its opening brace."""
    extras = [_decode(text) if text else {} for text in table["extra"].to_pylist()]
    columns = {name: _read_column(table, name) for name in (*_ADDRESS.values(), *_POI.values())}
    of_address = [extra.get("AddressInfo") or {} for extra in extras]
    columns["address_id"] = [rest.get("ID") for rest in of_address]
    if changes:
        _apply_changes(columns, changes)
    zeros = [0] * len(extras)
    addresses = map(_Address, *(columns[name] for name in _ADDRESS.values()), zeros)
    columns[""] = list(addresses)
    records = map(_Poi, *(columns[name] for name in _POI.values()))
    encoded = _encoder.encode_lines(records).split(b"\n")[:-1]
    bodies = [_WHOLE_KW.sub(rb"\1", body[1:]) for body in encoded]
    for row, extra in enumerate(extras):
        if not _OURS.issuperset(extra):
            bodies[row] = _append_extra(bodies[row], extra)
    return bodies


def _append_extra(body: bytes, extra: dict[str, Any]) -> bytes:
    """Append members of a record that no column is for: newer than this version knows."""
    rest = {key: value for key, value in extra.items() if key not in _OURS}
    return body[:-1] + b"," + _encoder.encode(rest)[1:]


def _read_column(table: pa.Table, name: str) -> list[Any]:
    """Read a column as what JSON is made of."""
    if name in {"", "address_id"} or table[name].null_count == len(table):
        return [None] * len(table)
    column = table[name]
    if pa.types.is_timestamp(column.type):
        return write_times(column.cast(pa.int64()).to_pylist())
    values: list[Any] = column.to_pylist()
    if name in _JSON:
        return [text and msgspec.Raw(text.encode()) for text in values]
    # The server writes whole numbers without a decimal.
    return [int(v) if v == int(v) else v for v in values] if name in _LON_LAT else values


def write_times(times: list[int | None]) -> list[str | None]:
    """
    Write times as the API does.

    Parameters
    ----------
    times : list of int or None
        Microseconds since 1970.

    Returns
    -------
    list of str or None
        Such as ``2021-11-07T16:36:00Z``; with milliseconds where there are any.
    """
    array = np.array([0 if time is None else time for time in times], dtype="datetime64[us]")
    texts = np.datetime_as_string(array, unit="s").tolist()
    return [
        None if time is None else text + _write_fraction(time % 1_000_000) + "Z"
        for time, text in zip(times, texts, strict=True)
    ]


def _write_fraction(microseconds: int) -> str:
    return "." + f"{microseconds:06d}".rstrip("0") if microseconds else ""


def _apply_changes(
    columns: dict[str, list[Any]], changes: dict[int, list[tuple[float | None, int | None]]]
) -> None:
    """Write what the server derives into the connections of a block."""
    texts = columns["connections"]
    for row, ocm_id in enumerate(columns["ocm_id"]):
        if ocm_id in changes and texts[row]:
            items = _decode(texts[row])
            for item, (power, level) in zip(items, changes[ocm_id], strict=False):
                item["PowerKW"], item["LevelID"] = power, level
            ordered = [_order_members(item) for item in items]
            texts[row] = msgspec.Raw(_encoder.encode(ordered))


def _order_members(item: dict[str, Any]) -> dict[str, Any]:
    """Bring the members of a connection into the order of the API, without nulls."""
    known = {key: item[key] for key in CONNECTION_KEYS if item.get(key) is not None}
    return known | {key: value for key, value in item.items() if key not in CONNECTION_KEYS}
