"""From bytes to records: typed decoding of whole blocks, record by record where that fails."""

from __future__ import annotations

import re
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.errors import MalformedResponse
from ocm_geo.settings import name_limit
from ocm_geo.sources.endings import array_end
from ocm_geo.sources.lenient import Unusable, parse_object, parted, read_record
from ocm_geo.sources.pieces import HEAD, PIECE, SEPARATORS, WHITE, pieces, reject_long, start_of
from ocm_geo.sources.pruning import has_slow_numbers, lenient_decoder
from ocm_geo.sources.records import Records
from ocm_geo.sources.shapes import CAMEL, FEATURE, PASCAL
from ocm_geo.sources.tables import Parsed, TableBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ocm_geo.sources.records import Place
    from ocm_geo.sources.shapes import Shape

__all__ = [
    "BOM",
    "decode_array",
    "decode_elements",
    "decode_lines",
    "decode_one",
    "parse_body",
]

FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that do not fit; lone surrogates and bad UTF-8 included."""

_SHOWN = 400
_LONG_PIECE = 2 * PIECE
"""Only one long record is longer."""
BOM = b"\xef\xbb\xbf"

_WRAPPED = b'"$number'
_NUMBER = re.compile(
    rb'\{\s*"\$number(?:Int|Long|Double|Decimal)"\s*:\s*"'
    rb'(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"\s*\}'
)
_FIRST_KEY = re.compile(rb'\{\s*"([^"]*)"')


_raw_array = msgspec.json.Decoder(list[msgspec.Raw])


def parse_body(body: bytes, *, origin: str) -> Parsed:
    """
    Parse an answer of the API.

    Parameters
    ----------
    body : bytes
        A JSON array of records (any verbosity, either spelling of the keys), or a GeoJSON
        FeatureCollection.
    origin : str
        What the rejects name as their origin, such as the request.

    Returns
    -------
    Parsed
        The tables; rejects have their index in the array as position.

    Raises
    ------
    MalformedResponse
        If the body is empty, is not JSON, is cut off, or is neither an array nor a
        FeatureCollection.
    """
    text = body.removeprefix(BOM).strip(WHITE)
    builder = _read_whole_array(_find_features(text) if text.startswith(b"{") else text, origin)
    if builder is None:
        builder = TableBuilder()
        builder.add(_read_leniently(text, origin))
    return builder.parsed()


def _read_whole_array(array: bytes, origin: str) -> TableBuilder | None:
    """Read an array that is valid JSON from end to end; None for any other text."""
    if not (array.startswith(b"[") and array.endswith(b"]")):
        return None
    builder = TableBuilder()
    for piece in pieces([array[1:-1]], start_of(array[1:HEAD])):
        records = Records()
        elements = piece.strip(WHITE + b",")
        if not decode_array(b"[%b]" % elements, records, (origin, builder.n_read)):
            return None
        builder.add(records)
    return builder


def _read_leniently(text: bytes, origin: str) -> Records:
    """Read an array that strict JSON refuses, for bad characters or numbers in a record."""
    records = Records()
    try:
        for index, value in enumerate(_decode_values(text, origin)):
            _add_value(value, records, (origin, index))
    except RecursionError as error:
        # One record is too deep for every reader: it costs itself, if the array is whole.
        if not text.startswith(b"[") or array_end(text[1:]) != len(text) - 2:
            told = f"{origin}: the body is deeper than {name_limit('max_nesting')}"
            raise MalformedResponse(told) from error
        start = start_of(text[1:HEAD])
        for piece in pieces([text[1:-1]], start):
            decode_elements(piece, records, (origin, len(records.rows + records.rejects)), start)
    return records


def decode_elements(piece: bytes, records: Records, first: Place, start: re.Pattern[bytes]) -> None:
    """
    Decode elements of an array; a broken one costs only itself.

    Where the piece is not valid JSON, each stretch from one beginning of an element to the next
    is taken by itself, and parted from what strays into it.

    Parameters
    ----------
    piece : bytes
        Elements and the separators between them, without the brackets of the array.
    records : Records
        Where the records go.
    first : tuple of (str, int)
        Origin and index of the first element.
    start : re.Pattern
        How an element begins.
    """
    if reject_long(piece, records, first):
        return
    text = piece.strip(SEPARATORS)
    if not text or decode_array(b"[%b]" % text, records, first):
        return
    starts = [match.start() for match in start.finditer(text)]
    bounds = [0, *(position for position in starts if position), len(text)]
    stretches = (text[a:b].strip(SEPARATORS) for a, b in pairwise(bounds))
    parts = (part for stretch in stretches for part in parted(stretch))
    for number, part in enumerate(parts, first[1]):
        decode_one(part, records, (first[0], number))


def _find_features(text: bytes) -> bytes:
    """Return the array of features of a FeatureCollection; nothing if it is none."""
    try:
        root = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except FAILURES:
        return b""
    return bytes(root.get("features", b""))


def _decode_values(text: bytes, origin: str) -> list[Any]:
    """Decode an array that strict JSON refuses for bad characters or numbers in a record."""
    excerpt = f"it begins with {text[:120].decode('utf-8', 'replace')!r}" if text else "it is empty"
    try:
        root = lenient_decoder.decode(_unwrap_numbers(text).decode("utf-8", "replace"))
    except ValueError as error:
        raise MalformedResponse(
            f"{origin}: the body is broken JSON ({error}); {excerpt}"
        ) from error
    values = root.get("features") if isinstance(root, dict) else root
    if not isinstance(values, list):
        raise MalformedResponse(f"{origin}: the body is not a list of sites; {excerpt}")
    return values


def decode_lines(block: bytes, records: Records, first: Place) -> None:
    """
    Decode records that stand on lines of their own.

    Parameters
    ----------
    block : bytes
        Whole lines; blank ones, commas at their ends and lone brackets are passed over.
    records : Records
        Where the records go.
    first : tuple of (str, int)
        Origin and number of the first line.
    """
    if reject_long(block, records, first):
        return
    shapes = _order_shapes(block)
    origin, number = first
    rows = _decode_first_fitting([shape.lines for shape in shapes], block)
    if rows is not None and len(rows) == block.rstrip(WHITE).count(b"\n") + 1:
        records.add(rows, zip(repeat(origin), range(number, number + len(rows))))
        return
    for place, line in enumerate(block.split(b"\n"), number):
        if text := line.strip(SEPARATORS):
            _decode_by_shapes(text, records, (origin, place), shapes)


def decode_array(text: bytes, records: Records, first: Place) -> bool:
    """
    Decode a JSON array of records.

    Parameters
    ----------
    text : bytes
        The array.
    records : Records
        Where the records go.
    first : tuple of (str, int)
        Origin and index of the first element.

    Returns
    -------
    bool
        False if the array is not valid JSON: nothing was added then.
    """
    shapes = _order_shapes(text)
    origin, index = first
    rows = _decode_first_fitting([shape.array for shape in shapes], text)
    if rows is not None:
        records.add(rows, zip(repeat(origin), range(index, index + len(rows))))
        return True
    try:
        elements = _raw_array.decode(text)
    except FAILURES:
        return False
    for place, element in enumerate(elements, index):
        _decode_by_shapes(bytes(element), records, (origin, place), shapes)
    return True


def decode_one(text: bytes, records: Records, place: Place) -> None:
    """
    Decode one record.

    Parameters
    ----------
    text : bytes
        Its JSON.
    records : Records
        Where the record goes, or why it was refused.
    place : tuple of (str, int)
        Its origin and position.
    """
    _decode_by_shapes(text, records, place, _order_shapes(text))


def _decode_by_shapes(text: bytes, records: Records, place: Place, shapes: Sequence[Shape]) -> None:
    """Decode one record by the first shape that fits, or field by field."""
    row = _decode_first_fitting([shape.one for shape in shapes], text)
    if row is not None:
        records.add([row], [place])
        return
    try:
        value = parse_object(_unwrap_numbers(text))
    except Unusable as error:
        records.reject(place, None, str(error), text[:_SHOWN].decode("utf-8", "replace"))
    else:
        _add_value(value, records, place)


def _add_value(value: Any, records: Records, place: Place) -> None:  # noqa: ANN401 - any JSON
    """Add a record that Python decoded, or the reason why it cannot be used."""
    try:
        # Some programs write each record as a text of JSON.
        record = parse_object(value.encode("utf-8", "replace")) if isinstance(value, str) else value
        row = read_record(record, records.coerced)
    except Unusable as error:
        records.reject(place, None, str(error), repr(value))
    else:
        records.add([row], [place])


def _order_shapes(text: bytes) -> Sequence[Shape]:
    """Order the shapes by the first key, the likeliest first."""
    match = _FIRST_KEY.search(text, 0, 4096)
    key = match[1] if match else b""
    if key in {b"type", b"geometry", b"properties"}:
        return FEATURE, CAMEL, PASCAL
    if key == b"_id" or key[:1].isupper():
        return PASCAL, CAMEL, FEATURE
    return CAMEL, PASCAL, FEATURE


def _decode_first_fitting(decoders: Sequence[Callable[[bytes], Any]], text: bytes) -> Any:  # noqa: ANN401
    """Return what the first decoder makes of a text that fits it; None if none fits."""
    found = _try_decoders(decoders, text)
    if found is None and _WRAPPED in text:
        return _try_decoders(decoders, _unwrap_numbers(text))
    return found


def _try_decoders(decoders: Sequence[Callable[[bytes], Any]], text: bytes) -> Any:  # noqa: ANN401
    """Return what the first decoder that fits makes of a text; None if none does."""
    if len(text) > _LONG_PIECE and has_slow_numbers(text):
        # Read one by one, leniently: by the standard library.
        return None
    for decode in decoders:
        try:
            return decode(text)
        except FAILURES:
            continue
    return None


def _unwrap_numbers(text: bytes) -> bytes:
    """Write Mongo's wrapped numbers, as in ``{"$numberInt": "12"}``, as plain numbers."""
    return _NUMBER.sub(rb"\1", text) if _WRAPPED in text else text
