"""Columns made from the values that stand in decoded records, one builder for each kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from ocm_geo.connections import Connection, clean_text
from ocm_geo.sources.pruning import compact
from ocm_geo.sources.records import EMPTY, Rest, RestAddress, Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ocm_geo.sources.records import Field

__all__ = [
    "Values",
    "build",
    "connection_texts",
    "country_codes",
    "extra_texts",
    "is_given",
    "stripped",
    "transposed",
]

Values = dict[str, Any]
"""Tuples of values by the name of their field."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
NULL_LENGTH = len(b"null")
_encoder = msgspec.json.Encoder()


def transposed(objects: Sequence[Any], fields: Sequence[Field]) -> Values:
    """
    Turn structs into columns.

    Parameters
    ----------
    objects : sequence of msgspec.Struct
        n structs made from ``fields``.
    fields : sequence of Field
        Their fields.

    Returns
    -------
    dict of str to tuple
        n values for each field.
    """
    if not objects:
        return {field.name: () for field in fields}
    columns = zip(*map(astuple, objects), strict=True)
    return dict(zip([field.name for field in fields], columns, strict=True))


def build(kind: str, columns: Sequence[Sequence[Any]]) -> tuple[list[pa.Array], list[int]]:
    """
    Build columns of one kind, all in one array: a block is small, and calls cost.

    Parameters
    ----------
    kind : str
        ``int``, ``float``, ``text``, ``time`` or ``json``.
    columns : sequence of sequences
        What the records hold, None where they hold nothing; all of one length.

    Returns
    -------
    columns : list of pyarrow.Array
        The columns; texts are stripped, and missing where empty.
    n_wrong : list of int
        How many values of each column could not be understood, and are missing.
    """
    length = len(columns[0])
    values = list(chain.from_iterable(columns))
    array, wrong = _BUILDERS[kind](values)
    starts = range(0, len(values), length or 1) if length else [0] * len(columns)
    built = [array.slice(start, length) for start in starts]
    return built, [sum(start <= i < start + length for i in wrong) for start in starts]


def _integers(values: list[int | None]) -> tuple[pa.Array, list[int]]:
    return pa.array(values, pa.int64()), []


def _numbers(values: list[float | None]) -> tuple[pa.Array, list[int]]:
    return pa.array(values, pa.float64()), []


def _texts(values: list[str | None]) -> tuple[pa.Array, list[int]]:
    return clean_text(pa.array(values, pa.string())), []


def _json_texts(values: list[msgspec.Raw]) -> tuple[pa.Array, list[int]]:
    texts: list[str | None] = [None] * len(values)
    wrong = []
    if values.count(EMPTY) < len(values):
        for i, raw in enumerate(values):
            if is_given(raw):
                try:
                    texts[i] = compact(raw)
                except RecursionError:
                    wrong.append(i)
    return pa.array(texts, pa.string()), wrong


def is_given(raw: msgspec.Raw) -> bool:
    """
    Say whether a field that is kept as it stood says anything.

    Parameters
    ----------
    raw : msgspec.Raw
        The field's JSON, empty where the record had none.

    Returns
    -------
    bool
        False for an absent field, null and an empty list.
    """
    return len(raw) > NULL_LENGTH


def _times(values: list[str | Stamp | None]) -> tuple[pa.Array, list[int]]:
    try:
        return pa.array(values, pa.string()).cast(MOMENT), []
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    plain = [v.date if isinstance(v, Stamp) else v for v in values]
    try:
        return pa.array(plain, pa.string()).cast(MOMENT), []
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        moments = [_microseconds(v) for v in plain]
    wrong = [
        i
        for i, (value, moment) in enumerate(zip(plain, moments, strict=True))
        if moment is None and not _is_blank(value)
    ]
    return pa.array(moments, pa.int64()).cast(MOMENT), wrong


def _is_blank(value: str | int | None) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _microseconds(value: str | int | None) -> int | None:
    """Give a date of any accepted form as microseconds since 1970 UTC."""
    if value is None:
        return None
    try:
        if isinstance(value, int):
            moment = EPOCH + timedelta(milliseconds=value)
        else:
            moment = datetime.fromisoformat(value.strip())
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (moment - EPOCH) // timedelta(microseconds=1)


_BUILDERS: dict[str, Callable[[Any], tuple[pa.Array, list[int]]]] = {
    "int": _integers,
    "float": _numbers,
    "text": _texts,
    "time": _times,
    "json": _json_texts,
}


def stripped(texts: Sequence[str | None]) -> Sequence[str | None]:
    """
    Strip texts, and make empty ones missing.

    Parameters
    ----------
    texts : sequence of str or None
        The texts; mostly None.

    Returns
    -------
    sequence of str or None
        The clean texts.
    """
    if texts.count(None) == len(texts):
        return texts
    return [text and (text.strip() or None) for text in texts]


def connection_texts(values: Values, sites: Sequence[Sequence[Any]]) -> pa.Array:
    """
    Write the connections of each site as compact JSON.

    Parameters
    ----------
    values : dict of str to sequence
        The fields of the connections of all sites.
    sites : sequence of sequences of struct
        The connections of each site as they were decoded.

    Returns
    -------
    pyarrow.Array
        A JSON array for each site, in Open Charge Map's own keys, without nulls.
    """
    if not _writable(values):
        counts = accumulate(map(len, sites), initial=0)
        rows = _written(values)
        sites = [rows[start:end] for start, end in pairwise(counts)]
    return _lines(sites)


def _writable(values: Values) -> bool:
    """Say whether the decoded structs hold just what is to be written."""
    return not any(len(column) - column.count(EMPTY) ...)


def _written(values: Values) -> list[Any]:
    rows: list[Any] = list(map(Connection, *(values[n] for n in Connection.__struct_fields__)))
    for i, unknown in enumerate(values["unknown"]):
        if unknown:
            rows[i] = {**msgspec.to_builtins(rows[i]), **unknown}
    return rows


def extra_texts(poi: Values, address: Values) -> pa.Array:
    """
    Write what records hold beside the columns as JSON.

    Parameters
    ----------
    poi, address : dict of str to sequence
        The fields of the records and of their addresses.

    Returns
    -------
    pyarrow.Array
        A JSON object for each record; null where nothing is left.
    """
    rests: list[Any] = list(
        map(
            Rest,
            poi["record_id"],
            poi["is_recently_verified"],
            poi["address_cleaning_required"],
            [None if i is None else RestAddress(i) for i in address["address_id"]],
        )
    )
    for i, unknown in enumerate(poi["unknown"]):
        if unknown:
            rests[i] = unknown
    texts = _lines(rests)
    return pc.if_else(pc.equal(texts, "{}"), pa.scalar(None, pa.string()), texts)


def _lines(values: Sequence[Any]) -> pa.Array:
    """Encode values as JSON, all at once: no JSON text holds a line break."""
    return pa.array(_encoder.encode_lines(values).split(b"\n")[:-1], pa.string())


def country_codes(country_ids: pa.Array, codes: Mapping[int, str]) -> pa.Array:
    """
    Look up the ISO codes of countries.

    Parameters
    ----------
    country_ids : pyarrow.Array
        Open Charge Map's numbers.
    codes : mapping of int to str
        ISO 3166 alpha-2 code by number.

    Returns
    -------
    pyarrow.Array
        The codes; null for an unknown number.
    """
    positions = pc.index_in(country_ids, pa.array(codes, pa.int64()))
    return pa.array(codes.values(), pa.string()).take(positions)
