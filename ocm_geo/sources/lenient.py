"""Reading one record that the typed decoder refused: field by field, losing only what is wrong.

Unknown fields are kept, a value of a wrong type becomes missing and is counted, and only a
record that cannot be parsed at all is `Unusable`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.settings import current, name_limit
from ocm_geo.sources.pruning import (
    lenient_decoder,
    name_deep,
    prune_members,
    pruned,
    spelled,
    storable,
)
from ocm_geo.sources.records import (
    ADDRESS_FIELDS,
    CONNECTION_FIELDS,
    EMPTY,
    POI_FIELDS,
    Field,
    Poi,
    PoiAddress,
    PoiConnection,
    Stamp,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Unusable", "find_excess", "parse_object", "parted", "read_record"]

_SEPARATORS = " \t\r\n,[]"
_STRAY = re.compile(r'\s*(?:,\s*(?=\S)(?!"[^"]*"\s*:)|\][\s,\]]*(?=[^\s,\]])(?!"[^"]*"\s*:))')
"""Between a whole record and what is not its next field."""

_encode = msgspec.json.Encoder().encode


class Unusable(ValueError):  # noqa: N818 - a verdict on a record, not an error of the program
    """The record cannot be used; the message says why."""


def parse_object(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """
    Parse one JSON value as leniently as is safe.

    Accepted beyond the standard: NaN and infinities, control characters in texts, invalid
    UTF-8 (replaced), and the end of an enclosing array after the value.

    Parameters
    ----------
    text : bytes
        The JSON of one record.

    Returns
    -------
    object
        The value.

    Raises
    ------
    Unusable
        If it is not JSON value, or is nested too deeply.
    """
    try:
        decoded = text.decode("utf-8", "replace").strip()
        value, end = lenient_decoder.raw_decode(decoded)
    except RecursionError as error:
        raise Unusable(f"deeper than {name_limit('max_nesting')}") from error
    except ValueError as error:
        raise Unusable(f"broken JSON: {error}") from error
    if decoded[end:].strip(_SEPARATORS):
        raise Unusable(f"broken JSON: more text after the record, at character {end}")
    return value


def parted(text: bytes) -> list[bytes]:
    """
    Part whole records from what stands between them and the next one.

    Parameters
    ----------
    text : bytes
        The stretch of an array from one record to the next.

    Returns
    -------
    list of bytes
        The records, and what follows; or the text alone, where it begins with no whole record or
        what follows may be the rest of it.
    """
    # A character for each byte: what JSON is made of is ASCII.
    decoded = text.decode("latin-1")
    parts, begin = [], 0
    while True:
        try:
            _, end = lenient_decoder.raw_decode(decoded, begin)
        except (ValueError, RecursionError):
            break
        stray = _STRAY.match(decoded, end)
        if stray is None:
            break
        parts.append(text[begin:end])
        begin = stray.end()
    return [*parts, text[begin:]]


def read_record(value: object, coerced: Counter[str]) -> Any:  # noqa: ANN401 - a Poi
    """
    Read a decoded record field by field.

    Parameters
    ----------
    value : object
        A record of the API, in either spelling, of the Mongo export, or a GeoJSON feature.
    coerced : collections.Counter
        Counts the values of a wrong type by column; changed in place.

    Returns
    -------
    Poi
        The record; ``unknown`` holds what it had beside the known fields.

    Raises
    ------
    Unusable
        If it is not an object, or has too many connections.
    """
    if not isinstance(value, dict):
        raise Unusable(f"not an object but {type(value).__name__}")
    record = _from_feature(value) if value.get("type") == "Feature" else value
    found, unknown = _sort_out_fields(record, POI_FIELDS, coerced)
    rest = {f.key: found.pop(f.name) for f in POI_FIELDS if _is_rest(f) and f.name in found}
    address = found.pop("address", None)
    connections = found.pop("connections", None)
    poi = Poi(**_coerce_fields(found, POI_FIELDS, coerced, ""))
    poi.address, rest_of_address = _read_address(address, coerced)
    poi.connections = _read_connection_list(connections, coerced)
    rest |= unknown | ({"AddressInfo": rest_of_address} if rest_of_address else {})
    poi.unknown = _prune_record(rest, coerced, "extra")
    return poi


def _is_rest(spec: Field) -> bool:
    return spec.kind in {"oid", "flag", "null", "rest", "unknown"}


def _prune_record(
    value: dict[str, Any], coerced: Counter[str], column: str
) -> dict[str, Any] | None:
    """Return a record without empty members; None if it is nested too deep."""
    try:
        return prune_members(value)
    except RecursionError:
        coerced[name_deep(column)] += 1
        return None


def _sort_out_fields(
    record: Mapping[str, Any], fields: Iterable[Field], coerced: Counter[str], prefix: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Part the known fields, by our names, from the unknown ones, by their own.

    Of several spellings of a key Open Charge Map's own wins, else the first; others are counted.
    """
    names = {f.key.lower(): f for f in fields if f.kind != "unknown"}
    found: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for key, value in record.items():
        spec = names.get(key.lower())
        if spec is None:
            unknown[key] = value
        elif value is not None:
            is_repeat = spec.name in found
            coerced[prefix + spec.name] += is_repeat
            if not is_repeat or spec.key == key:
                found[spec.name] = value
    return found, unknown


def _read_address(value: object, coerced: Counter[str]) -> tuple[Any, dict[str, Any]]:
    """Read an address field by field; what is not known of it goes with the rest."""
    if not isinstance(value, dict):
        return None, {}
    found, unknown = _sort_out_fields(value, ADDRESS_FIELDS, coerced)
    rest = {f.key: found.pop(f.name) for f in ADDRESS_FIELDS if _is_rest(f) and f.name in found}
    return PoiAddress(**_coerce_fields(found, ADDRESS_FIELDS, coerced, "")), rest | unknown


def find_excess(n_connections: int) -> str | None:
    """
    Explain why a record with too many connections is rejected.

    Parameters
    ----------
    n_connections : int
        How many it has.

    Returns
    -------
    str or None
        The reason; None if they are not too many.
    """
    if n_connections <= current().max_connections:
        return None
    return f"more connections than {name_limit('max_connections')}: {n_connections:,}"


def _read_connection_list(value: object, coerced: Counter[str]) -> list[Any]:
    """Read connections one by one; what is not an object is left out."""
    items = value if isinstance(value, list) else []
    if fault := find_excess(len(items)):
        raise Unusable(fault)
    rows = [_read_connection(item, coerced) for item in items if isinstance(item, dict)]
    wrong = value is not None and not isinstance(value, list)
    coerced["connections"] += wrong + sum(item is not None for item in items) - len(rows)
    return rows


def _read_connection(value: dict[str, Any], coerced: Counter[str]) -> Any:  # noqa: ANN401 - a struct
    """Read a connection field by field."""
    found, unknown = _sort_out_fields(value, CONNECTION_FIELDS, coerced, "connections.")
    connection = PoiConnection(**_coerce_fields(found, CONNECTION_FIELDS, coerced, "connections."))
    connection.unknown = _prune_record(unknown, coerced, "connections")
    return connection


def _coerce_fields(
    found: dict[str, Any], fields: Iterable[Field], coerced: Counter[str], prefix: str
) -> dict[str, Any]:
    """Keep the values of the right type; count the others by column."""
    kinds = {f.name: f.kind for f in fields}
    kept = {}
    for name, value in found.items():
        try:
            kept[name] = _CHECKS[kinds[name]](value)
        except RecursionError:
            coerced[name_deep(prefix + name)] += 1
        except (TypeError, ValueError, OverflowError):
            coerced[prefix + name] += 1
    return kept


def _coerce_integer(value: object) -> int:
    """Return a whole number that 64 bits hold."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise TypeError
    return value


def _coerce_number(value: object) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not math.isfinite(number := float(value)):
        raise ValueError
    return number


def _coerce_text(value: object) -> str:
    """Return a text that a column can hold."""
    if not isinstance(value, str):
        raise TypeError
    return storable(value)


def _coerce_time(value: object) -> str | Stamp:
    """Return a date as the export or the API writes it."""
    if isinstance(value, dict) and list(value) == ["$date"]:
        date = value["$date"]
        if isinstance(date, bool) or not isinstance(date, str | int):
            raise TypeError
        return Stamp(date=storable(date) if isinstance(date, str) else date)
    return _coerce_text(value)


def _encode_json(value: object) -> msgspec.Raw:
    kept = pruned(value)
    return EMPTY if kept is None else msgspec.Raw(_encode(kept))


def _encode_reference(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(spelled(value)))


def _ignore_value(_: object) -> msgspec.Raw:
    return EMPTY


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "int": _coerce_integer,
    "float": _coerce_number,
    "text": _coerce_text,
    "time": _coerce_time,
    "json": _encode_json,
    "reference": _encode_reference,
    "ignored": _ignore_value,
}


def _from_feature(feature: dict[str, Any]) -> dict[str, Any]:
    """Make a record of a GeoJSON feature; with ``poi``, it holds the whole record."""
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    record = properties.get("poi")
    if not isinstance(record, dict):
        record = properties if "AddressInfo" in properties else _from_properties(properties)
    if not {"ID", "id"} & set(record):
        record = {**record, "ID": _feature_id(feature.get("id"))}
    return _take_geometry(record, feature.get("geometry"))


def _from_properties(properties: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in properties.items() if key != "name"}
    return {**rest, "AddressInfo": {"Title": properties.get("name")}}


def _feature_id(value: object) -> object:
    """Return the number that GeoJSON answers write as a text."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return value


def _take_geometry(record: dict[str, Any], geometry: object) -> dict[str, Any]:
    """Take the position from the geometry where the address has none."""
    key = "AddressInfo" if "AddressInfo" in record else "addressInfo"
    address = record.get(key)
    address = address if isinstance(address, dict) else {}
    if {"Latitude", "latitude"} & set(address) or not isinstance(geometry, dict):
        return record
    match geometry.get("coordinates"):
        case [lon, lat, *_]:
            return {**record, key: {**address, "Latitude": lat, "Longitude": lon}}
    return record
