"""Reading JSON piece by piece, whether records are on lines, in an array or in an object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast

from ocm_geo.settings import current
from ocm_geo.sources.decode import decode_elements, decode_lines
from ocm_geo.sources.endings import array_end, is_closed
from ocm_geo.sources.lenient import Unusable, parse_object
from ocm_geo.sources.pieces import (
    FEATURE_START,
    HEAD,
    LINE_START,
    RECORD_START,
    SEPARATORS,
    WHITE,
    pieces,
    start_of,
)
from ocm_geo.sources.records import Records, TooLong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocm_geo.sources.account import Account
    from ocm_geo.sources.records import Place

__all__ = ["read_json"]

_FEATURES = re.compile(rb'"features"\s*:\s*\[')
_LIST = re.compile(rb'"[^"\\]{1,60}"\s*:\s*\[\s*(?=%b)' % RECORD_START.pattern, re.IGNORECASE)
"""A list of records in an object, as some proxies and programs wrap answers."""

_MIB = 2**20


class Layout(NamedTuple):
    """
    How a text is laid out: by lines, or as elements that begin with ``start`` after ``skip``.

    ``array`` is false for records without an array around them; an array that is ``wrapped``
    is in an object, and what comes after it there is no record.
    """

    start: re.Pattern[bytes] | None = None
    skip: int = 0
    array: bool = True
    wrapped: bool = False


def read_json(
    head: bytes, blocks: Iterator[bytes], origin: str, account: Account
) -> Iterator[Records]:
    """
    Read JSON by lines or by elements, as it is laid out.

    Parameters
    ----------
    head : bytes
        The beginning of the text.
    blocks : iterator of bytes
        The text as a whole, in blocks; the first is ``head``.
    origin : str
        What rejects name as their file.
    account : Account
        Takes that the text ends too early.

    Yields
    ------
    Records
        The records of a piece.
    """
    layout = _find_layout(head)
    if layout.start is None:
        return _read_lines(blocks, origin, account)
    return _read_elements(_skip_bytes(blocks, layout.skip), origin, layout, account)


def _skip_bytes(blocks: Iterator[bytes], n_bytes: int) -> Iterator[bytes]:
    yield next(blocks, b"")[n_bytes:]
    yield from blocks


def _find_layout(head: bytes) -> Layout:
    """Find from its beginning how a file is laid out."""
    text = head[:HEAD].lstrip(WHITE)
    offset = len(head) - len(head.lstrip(WHITE))
    if text.startswith(b"["):
        return Layout(start_of(text[1:]), offset + 1)
    if not text.startswith(b"{"):
        return Layout()
    first, _, others = text.partition(b"\n")
    # Before any list is looked for: what stands before a list inside a line would be lost.
    has_lines = _is_object(first) and others.lstrip(WHITE).startswith(b"{")
    if not has_lines and (wrapped := _find_wrapped(text, offset)):
        return wrapped
    if others.lstrip(WHITE)[:1] in (b"{", b"[", b"]") or _is_object(first):
        return Layout()
    return Layout(RECORD_START, array=False)


def _find_wrapped(text: bytes, offset: int) -> Layout | None:
    """Find the list of records in an object."""
    if b'"FeatureCollection"' in text and (match := _FEATURES.search(text)):
        return Layout(FEATURE_START, offset + match.end(), wrapped=True)
    if not RECORD_START.match(text) and (match := _LIST.search(text)):
        return Layout(RECORD_START, offset + match.end(), wrapped=True)
    return None


def _is_object(line: bytes) -> bool:
    """Return whether a line is a JSON object."""
    try:
        return isinstance(parse_object(line), dict)
    except Unusable:
        return False


def _read_lines(blocks: Iterable[bytes], origin: str, account: Account) -> Iterator[Records]:
    """Read records that stand on lines of their own."""
    number = 1
    last = b""
    for lines in pieces(blocks, LINE_START, current().max_record_mib * _MIB):
        records = Records()
        decode_lines(lines, records, (origin, number))
        number += lines.count(b"\n") + isinstance(lines, TooLong)
        last = lines
        yield records
    if isinstance(last, TooLong):
        return
    last_line = last.rstrip(SEPARATORS).rpartition(b"\n")[2]
    if last_line.lstrip(WHITE).startswith(b"{") and not is_closed(last_line):
        account.cut.setdefault(origin, "ends inside a record")


def _read_elements(
    blocks: Iterable[bytes], origin: str, layout: Layout, account: Account
) -> Iterator[Records]:
    """Read the elements of an array; the last piece is kept back to find its end."""
    start = cast("re.Pattern[bytes]", layout.start)
    index = 0
    last = b""
    for piece in pieces(blocks, start, current().max_record_mib * _MIB):
        if last:
            records = _decode_piece(last, (origin, index), start)
            index += len(records.rows) + len(records.rejects)
            yield records
        last = piece
    end = _find_end(last, layout)
    if end is None and not isinstance(last, TooLong):
        account.cut.setdefault(origin, "ends inside a record or list of records")
    is_cut = layout.wrapped and end is not None
    yield _decode_piece(last[:end] if is_cut else last, (origin, index), start)


def _find_end(piece: bytes, layout: Layout) -> int | None:
    """Find the end of the array in its last piece; None if the text ends before it."""
    start = cast("re.Pattern[bytes]", layout.start)
    begin = max((match.start() for match in start.finditer(piece)), default=0)
    if not layout.array:
        return len(piece) if is_closed(piece[begin:]) else None
    end = array_end(piece[begin:])
    return None if end is None else begin + end


def _decode_piece(piece: bytes, first: Place, start: re.Pattern[bytes]) -> Records:
    """Decode the elements of a piece."""
    records = Records()
    decode_elements(piece, records, first, start)
    return records
