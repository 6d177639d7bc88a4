"""Answers as bytes, some stations at a time, in every output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ocm_geo.server import delimited, geojson, markup
from ocm_geo.server.choosing import Choice
from ocm_geo.server.records import RecordWriter

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from ocm_geo.server.forms import Form
    from ocm_geo.server.lookups import Lookups
    from ocm_geo.server.store import Store

__all__ = ["AT_ONCE", "CONTENT_TYPES", "Rendering", "render"]

AT_ONCE = 500
"""Stations that are encoded in one go: other requests wait no longer than that takes."""

CONTENT_TYPES = {
    "json": "application/json",
    "geojson": "application/geo+json",
    "csv": "text/csv; header=present; charset=UTF-8;",
    "kml": "application/vnd.google-earth.kml+xml",
    "xml": "text/xml",
}
_SCRIPT = "application/javascript; charset=utf-8"


@dataclass(frozen=True)
class Rendering:
    """
    An answer on its way out.

    Parameters
    ----------
    content_type : str
        What it is.
    pieces : iterator of bytes
        Its parts.
    """

    content_type: str
    pieces: Iterator[bytes]


def render(
    store: Store, lookups: Lookups, form: Form, *, choice: Choice, now: dt.datetime
) -> Rendering:
    """
    Render an answer.

    Parameters
    ----------
    store : Store
        The stations.
    lookups : Lookups
        The objects that ids refer to.
    form : Form
        The form of the answer.
    choice : Choice
        The stations, in order.
    now : datetime.datetime
        The time of the request.

    Returns
    -------
    Rendering
        The answer, encoded as it is read.
    """
    is_exact = store.manner == "exact"
    pieces = _render_output(store, lookups, form, choice=choice, now=now)
    content_type = CONTENT_TYPES[form.output]
    if form.callback and form.output in {"json", "geojson"}:
        is_broken = form.output == "json" and not is_exact
        pieces = _call_back(pieces, form.callback, is_broken=is_broken)
        content_type = _SCRIPT if is_exact else content_type
    return Rendering(content_type, pieces)


def _render_output(
    store: Store, lookups: Lookups, form: Form, *, choice: Choice, now: dt.datetime
) -> Iterator[bytes]:
    """Render the output that is asked for."""
    encode = partial(_encode_as(form.output), store, lookups, form, now=now)
    match form.output:
        case "csv":
            yield delimited.write_header(is_exact=store.manner == "exact")
            yield from _join_blocks(encode, choice)
        case "kml":
            yield markup.KML_START
            yield from _join_blocks(encode, choice)
            yield markup.KML_END
        case "xml":
            yield markup.XML_START
            yield from _join_blocks(encode, choice)
            yield markup.XML_END
        case "geojson":
            yield b'{"type":"FeatureCollection","features":'
            yield from _list_blocks(encode, choice, is_indented=True)
            yield b"}"
        case _:
            yield from _list_blocks(encode, choice, is_indented=not form.compact)


def _encode_as(output: str) -> Callable[..., list[bytes]]:
    """Return what encodes the stations of an output."""
    if output == "geojson":
        return geojson.encode_features
    if output == "csv":
        return delimited.encode_rows
    return markup.encode_elements if output in {"kml", "xml"} else _encode_records


def _encode_records(
    store: Store, lookups: Lookups, form: Form, *, choice: Choice, now: dt.datetime
) -> list[bytes]:
    """Encode stations as JSON."""
    return RecordWriter(store, lookups, form, now).encode(choice)


def _split_choice(choice: Choice) -> Iterator[Choice]:
    """Split an answer into blocks."""
    for start in range(0, len(choice.positions), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        distance = None if choice.distance is None else choice.distance[rows]
        yield Choice(choice.positions[rows], distance, choice.n_matched)


def _join_blocks(encode: Callable[..., list[bytes]], choice: Choice) -> Iterator[bytes]:
    """Encode block by block."""
    for block in _split_choice(choice):
        yield b"".join(encode(choice=block))


def _list_blocks(
    encode: Callable[..., list[bytes]], choice: Choice, *, is_indented: bool
) -> Iterator[bytes]:
    """Encode a JSON array block by block."""
    opening = b"["
    for block in _split_choice(choice):
        text = b",".join(encode(choice=block))
        if is_indented:
            # Formatted as an array, so that the indentation is right; its brackets are ours.
            text = msgspec.json.format(b"[" + text + b"]", indent=2)[1:-2]
        yield opening + text
        opening = b","
    if opening == b"[":
        yield b"[]"
    else:
        yield b"\n]" if is_indented else b"]"


def _call_back(pieces: Iterator[bytes], callback: str, *, is_broken: bool) -> Iterator[bytes]:
    """Wrap JSON into a call; Open Charge Map sends the call behind the JSON."""
    name = callback.encode()
    if is_broken:
        yield from pieces
        yield name + b"()"
        return
    yield name + b"("
    yield from pieces
    yield b")"
