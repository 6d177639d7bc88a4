"""Columns made from the values in decoded records, one builder for each kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from ocm_geo.connections import Connection, clean_text
from ocm_geo.sources.pruning import compact, name_deep, storable
from ocm_geo.sources.records import (
    EMPTY,
    REFERENCES,
    ObjectId,
    Stamp,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence

    from ocm_geo.sources.records import Field

__all__ = [
    "Grower",
    "Values",
    "connection_texts",
    "country_codes",
    "extra_texts",
    "is_given",
    "strip_texts",
    "transposed",
]

Values = dict[str, Any]
"""Tuples of values by the name of their field."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
EARLIEST, LATEST = (
    (limit - EPOCH) // timedelta(microseconds=1)
    for limit in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
)
NULL_LENGTH = len(b"null")
EXTRA_MEMBERS = (
    ("record_id", '"_id":{"$oid":"', '"},'),
    ("is_recently_verified", '"IsRecentlyVerified":', ","),
    ("address_cleaning_required", '"AddressCleaningRequired":', ","),
    ("address_id", '"AddressInfo":{"ID":', "},"),
)
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


class Grower:
    """
    Columns that grow block by block.

    Values wait in lists until there are enough of them to make the cost of a call to Arrow
    small.

    Parameters
    ----------
    kinds : mapping of str to str
        The kind of each column: ``int``, ``float``, ``flag``, ``text``, ``time``, ``json``,
        ``oid``, ``unknown`` or ``encoded``.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds
        self._values: dict[str, list[Any]] = {name: [] for name in kinds}

    def extend(self, values: Values) -> None:
        """
        Add a block.

        Parameters
        ----------
        values : dict of str to sequence
            What the records hold, None where they hold nothing, for each column and maybe more.
        """
        for name, column in self._values.items():
            column.extend(values[name])

    def build(self, wrong: Counter[str]) -> dict[str, pa.Array]:
        """
        Build the columns from what waits, and wait for more.

        Parameters
        ----------
        wrong : collections.Counter
            Counts, by column, the values that could not be understood and are missing; changed
            in place.

        Returns
        -------
        dict of str to pyarrow.Array
            The columns; texts are stripped, and missing where empty.
        """
        columns = {}
        for name, values in self._values.items():
            kind = self._kinds[name]
            columns[name], n_wrong = _BUILDERS[kind](values)
            wrong[name_deep(name) if kind == "json" else name] += n_wrong
            values.clear()
        return columns


def _build_integers(values: list[int | None]) -> tuple[pa.Array, int]:
    return pa.array(values, pa.int64()), 0


def _build_floats(values: list[float | None]) -> tuple[pa.Array, int]:
    return pa.array(values, pa.float64()), 0


def _build_flags(values: list[bool | None]) -> tuple[pa.Array, int]:
    return pa.array(values, pa.bool_()), 0


def _build_texts(values: list[str | None]) -> tuple[pa.Array, int]:
    return clean_text(pa.array(values, pa.string())), 0


def _build_encoded(values: list[bytes]) -> tuple[pa.Array, int]:
    return pa.array(values, pa.binary()).view(pa.string()), 0


def _record_ids(values: list[ObjectId | None]) -> tuple[pa.Array, int]:
    return pa.array([v and v.value for v in values], pa.string()), 0


def _build_unknown(values: list[dict[str, Any] | None]) -> tuple[pa.Array, int]:
    return pa.array([v and _encoder.encode(v) for v in values], pa.string()), 0


def _build_json_texts(values: list[msgspec.Raw]) -> tuple[pa.Array, int]:
    """Build a column of compact JSON; what is nested too deep is missing."""
    texts: list[str | None] = [None] * len(values)
    n_wrong = 0
    for i in [i for i, raw in enumerate(values) if raw is not EMPTY and is_given(raw)]:
        try:
            texts[i] = compact(values[i])
        except RecursionError:
            n_wrong += 1
    return pa.array(texts, pa.string()), n_wrong


def is_given(raw: msgspec.Raw) -> bool:
    """
    Return whether a field that is kept as it stood says anything.

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


def _build_times(values: Sequence[str | Stamp | None]) -> tuple[pa.Array, int]:
    """Build a column of times, at once where all are ISO text."""
    try:
        return _drop_far_times(pa.array(values, pa.string()).cast(MOMENT))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        plain = [v.date if isinstance(v, Stamp) else v for v in values]
    try:
        return _drop_far_times(pa.array(plain, pa.string()).cast(MOMENT))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _convert_times_singly(plain)


def _drop_far_times(times: pa.Array) -> tuple[pa.Array, int]:
    """Make times missing that lie outside the years 1 to 9999 in UTC: Python has no others."""
    bounds = pc.min_max(times.cast(pa.int64())).as_py()
    if bounds["min"] is None or (bounds["min"] >= EARLIEST and bounds["max"] <= LATEST):
        return times, 0
    numbers = times.cast(pa.int64())
    near = pc.and_(pc.greater_equal(numbers, EARLIEST), pc.less_equal(numbers, LATEST))
    kept = pc.if_else(near, times, pa.scalar(None, MOMENT))
    return kept, kept.null_count - times.null_count


def _convert_times_singly(values: Sequence[str | int | None]) -> tuple[pa.Array, int]:
    """Build a column of times whose forms differ, value by value."""
    times = [_read_microseconds(value) for value in values]
    wrong = [
        value
        for value, time in zip(values, times, strict=True)
        if time is None and not _is_blank(value)
    ]
    return pa.array(times, pa.int64()).cast(MOMENT), len(wrong)


def _is_blank(value: str | int | None) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _read_microseconds(value: str | int | None) -> int | None:
    """Return a date of any accepted form as microseconds since 1970 UTC."""
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


_BUILDERS: dict[str, Callable[[Any], tuple[pa.Array, int]]] = {
    "int": _build_integers,
    "rest": _build_integers,
    "encoded": _build_encoded,
    "flag": _build_flags,
    "oid": _record_ids,
    "unknown": _build_unknown,
    "float": _build_floats,
    "text": _build_texts,
    "time": _build_times,
    "json": _build_json_texts,
}


def strip_texts(rows: Sequence[Any], values: Values, names: Sequence[str]) -> None:
    """
    Strip texts, and make empty ones missing, in structs and columns alike.

    Parameters
    ----------
    rows : sequence of struct
        n structs; changed in place.
    values : dict of str to sequence
        Their columns; changed in place.
    names : sequence of str
        The columns to strip.
    """
    for name in names:
        texts = values[name]
        if texts.count(None) == len(texts):
            continue
        clean = [text and (storable(text).strip() or None) for text in texts]
        for i, (old, new) in enumerate(zip(texts, clean, strict=True)):
            if old is not new:
                setattr(rows[i], name, new)
        values[name] = clean


def connection_texts(sites: Sequence[Sequence[Any]], values: Values, *, camel: bool) -> list[bytes]:
    """
    Write the connections of each site as compact JSON.

    Parameters
    ----------
    sites : sequence of sequences of struct
        The connections of each site as they were decoded.
    values : dict of str to sequence
        The fields of the connections of all sites.
    camel : bool
        Whether structs of the other spelling may be among them.

    Returns
    -------
    list of bytes
        A JSON array for each site, in Open Charge Map's own keys, without nulls.
    """
    if camel or not _as_decoded(values):
        rows = _drop_references(values)
        counts = accumulate(map(len, sites), initial=0)
        sites = [rows[start:end] for start, end in pairwise(counts)]
    # No JSON text holds a line break.
    return _encoder.encode_lines(sites).split(b"\n")[:-1]


def _as_decoded(values: Values) -> bool:
    """Return whether the structs can be written as they are, keys and all."""
    n_rows = len(values["unknown"])
    return values["unknown"].count(None) == n_rows and all(
        values[r.name].count(EMPTY) == n_rows for r in REFERENCES["connection"]
    )


def _drop_references(values: Values) -> list[Any]:
    """Return connections without reference objects, with what else they hold."""
    rows: list[Any] = list(map(Connection, *(values[n] for n in Connection.__struct_fields__)))
    for i, unknown in enumerate(values["unknown"]):
        if unknown:
            rows[i] = {**msgspec.to_builtins(rows[i]), **unknown}
    return rows


def extra_texts(columns: Mapping[str, pa.Array]) -> pa.Array:
    """
    Write what records hold beside the columns as JSON.

    Parameters
    ----------
    columns : mapping of str to pyarrow.Array
        ``record_id``, ``is_recently_verified``, ``address_cleaning_required``, ``address_id``,
        and ``unknown``: what is to be written instead, for records that held more.

    Returns
    -------
    pyarrow.Array
        A JSON object for each record; null where there is nothing.
    """
    members = [
        pc.binary_join_element_wise(before, column.cast(pa.string()), after, "").fill_null("")
        for name, before, after in EXTRA_MEMBERS
        if (column := columns[name]).null_count < len(column)
    ]
    if not members:
        return columns["unknown"]
    inside = pc.ascii_rtrim(pc.binary_join_element_wise(*members, ""), ",")
    text = pc.binary_join_element_wise("{", inside, "}", "")
    known = pc.if_else(pc.equal(inside, ""), pa.scalar(None, pa.string()), text)
    return pc.coalesce(columns["unknown"], known)


def country_codes(country_ids: pa.ChunkedArray, codes: Mapping[int, str]) -> pa.ChunkedArray:
    """
    Look up the ISO codes of countries.

    Parameters
    ----------
    country_ids : pyarrow.ChunkedArray
        Open Charge Map's numbers.
    codes : mapping of int to str
        ISO 3166 alpha-2 code by number.

    Returns
    -------
    pyarrow.ChunkedArray
        The codes; null for an unknown number.
    """
    positions = pc.index_in(country_ids, pa.array(codes, pa.int64()))
    return pc.take(pa.array(codes.values(), pa.string()), positions)
