"""Cutting texts of JSON into pieces of whole records, small enough to decode at once."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from ocm_geo.settings import name_limit
from ocm_geo.sources.lenient import parted
from ocm_geo.sources.records import POI_FIELDS, UNKNOWN_KEY, TooLong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocm_geo.sources.records import Place, Records

__all__ = [
    "FEATURE_START",
    "HEAD",
    "LINE_START",
    "PIECE",
    "RECORD_START",
    "SEPARATORS",
    "WHITE",
    "pieces",
    "reject_long",
    "start_of",
]

WHITE = b" \t\r\n"
SEPARATORS = WHITE + b",[]"
HEAD = 2**16
PIECE = 2**18
"""Number of bytes that are decoded at once: few enough for the processor's cache."""

_LONGEST_START = 2**12
_SHOWN = 400

# What only a record begins with; a connection may begin with the ambiguous keys too.
_AMBIGUOUS = {"ID", "StatusTypeID", "StatusType", "AddressInfo", "Connections", UNKNOWN_KEY}
_KEYS = "|".join(f.key for f in POI_FIELDS if f.key not in _AMBIGUOUS)
_OWN = rf'(?:(?:{_KEYS})"|AddressInfo"\s*:\s*\{{|Connections"\s*:\s*\[)'
RECORD_START = re.compile(
    rf'\{{\s*"(?:{_OWN}|ID"\s*:\s*[^,"{{}}\[\]]{{1,40}},\s*"{_OWN})'.encode(), re.IGNORECASE
)
"""Where a record of the API begins; inside a record, nothing looks like this."""

FEATURE_START = re.compile(
    rb'\{\s*"(?:type"\s*:\s*"Feature"|geometry"|properties"'
    rb'|id"\s*:[^,{}\[\]]{1,40},\s*"(?:type|geometry|properties)")'
)
"""Where a GeoJSON feature begins."""

LINE_START = re.compile(rb"(?<=\n).", re.DOTALL)
"""Where a line begins, but for the first."""


def start_of(head: bytes) -> re.Pattern[bytes]:
    """
    Find how the elements of an array begin.

    Parameters
    ----------
    head : bytes
        The beginning of the array; its first element may be an odd one.

    Returns
    -------
    re.Pattern
        `FEATURE_START` or `RECORD_START`.
    """
    for part in parted(head.lstrip(SEPARATORS)):
        for start in (FEATURE_START, RECORD_START):
            if start.match(part):
                return start
    return RECORD_START


def pieces(
    blocks: Iterable[bytes], start: re.Pattern[bytes], most_bytes: float = math.inf
) -> Iterator[bytes]:
    """
    Cut the inside of an array, or lines, into pieces of whole elements.

    Parameters
    ----------
    blocks : iterable of bytes
        The text, in blocks of any size.
    start : re.Pattern
        How an element begins.
    most_bytes : float
        Longest element; of a longer one the beginning is given, and the rest passed over.

    Yields
    ------
    bytes
        Some elements and the separators after them, about `PIECE` long; or `TooLong`.
    """
    blocks = iter(blocks)
    rest = b""
    for block in blocks:
        text, begin = rest + block, 0
        while match := start.search(text, begin + PIECE):
            yield from _part_long(text[begin : match.start()], start, most_bytes)
            begin = match.start()
        rest = text[begin:]
        if len(rest) > most_bytes + PIECE:
            yield from _part_long(rest, start, most_bytes)
            rest = _skip_element(blocks, start)
    if rest:
        yield rest


def _part_long(
    piece: bytes, start: re.Pattern[bytes], most_bytes: float
) -> tuple[bytes] | tuple[bytes, bytes]:
    """Part a last element that is too long from those before it, which are short."""
    if len(piece) <= most_bytes + PIECE:
        return (piece,)
    begin = max((m.start() for m in start.finditer(piece, 0, PIECE + _LONGEST_START)), default=0)
    return piece[:begin], TooLong(piece[begin : begin + _SHOWN])


def _skip_element(blocks: Iterator[bytes], start: re.Pattern[bytes]) -> bytes:
    """Pass over the rest of an element; return the text from the next one on."""
    tail = b""
    for block in blocks:
        text = tail + block
        if match := start.search(text):
            return text[match.start() :]
        tail = text[-_LONGEST_START:]
    return b""


def reject_long(piece: bytes, records: Records, place: Place) -> bool:
    """
    Reject what `pieces` found to be too long.

    Parameters
    ----------
    piece : bytes
        A piece.
    records : Records
        Takes the reject.
    place : tuple of (str, int)
        Origin and position of the piece.

    Returns
    -------
    bool
        False for other pieces.
    """
    if isinstance(piece, TooLong):
        excerpt = piece[:_SHOWN].decode("utf-8", "replace")
        records.reject(place, None, f"longer than {name_limit('max_record_mib')}", excerpt)
    return isinstance(piece, TooLong)
